"""One visit: every segmented lesion gets its identity and is measured, every known one is accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdanderson.assessment.by_reader import StatedNames
from mdanderson.assessment.catalogue import Catalogue
from mdanderson.assessment.desk import Desk
from mdanderson.assessment.elsewhere import Elsewhere
from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.lookup import look_up
from mdanderson.assessment.other_sequences import with_other_sequences
from mdanderson.assessment.station import Station
from mdanderson.errors import Problem
from mdanderson.findings import LesionFinding
from mdanderson.settings import Settings

__all__ = ["VisitFindings", "assess_visit"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VisitFindings:
    """What one visit showed: findings of every known lesion, the catalogue grown by the new ones, and problems.

    names: image and label -> lesion. seen: lesion -> where it was outlined; outlined: the same in every image.
    """

    findings: tuple[LesionFinding, ...]
    catalogue: Catalogue
    problems: tuple[Problem, ...]
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    outlined: tuple[Seen, ...] = ()


def assess_visit(
    stations: Sequence[Station],
    catalogue: Catalogue,
    baseline: Sequence[Station],
    *,
    settings: Settings,
    stated: StatedNames | None = None,
    elsewhere: Elsewhere | None = None,
) -> VisitFindings:
    """Identify and measure the lesions of all images of one visit, then look up those that nobody segmented.

    baseline: the images of the first visit, in which later lesions are looked up; empty when this visit is the first.
    stated: what a reader calls its labels. elsewhere: what other modalities call their lesions.
    """
    desk = Desk(
        settings=settings,
        catalogue=catalogue,
        baseline=tuple(baseline),
        stated=dict(stated or {}),
        elsewhere=elsewhere or Elsewhere(),
    )
    desk.forget_ambiguous_labels(stations)
    for station in stations:
        desk.read(station)
    for known in catalogue:
        if known.lesion_id not in desk.best.findings:
            desk.best.findings[known.lesion_id] = look_up(known, stations, settings=settings)
    ordered = tuple(
        finding
        for known in desk.catalogue
        for finding in with_other_sequences(known, desk.best.findings[known.lesion_id], stations, settings=settings)
    )
    return VisitFindings(
        findings=ordered,
        catalogue=desk.catalogue,
        problems=tuple(desk.problems),
        names=desk.names,
        seen=desk.best.where,
        outlined=tuple(desk.best.outlined),
    )
