"""What RECIST 1.1 follows: which lesions are targets, by which diameter each is measured, which nodes are lesions.

Every lesion that is no node is bone. A bone lesion is a target by its soft-tissue component only; nodes by their short
axis. Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 3 and 4; docs/details.md, detail 24.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from mdanderson.criteria.comparators.panel import Followed, in_one_sequence, value_at
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.facts import LesionFacts, Origin
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.rule import Comparison, Limits, Threshold
from mdanderson.criteria.said import Quantity
from mdanderson.criteria.track import Track
from mdanderson.errors import Problem, Severity
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact_if_known, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality

__all__ = [
    "NORMAL_NODE",
    "Choice",
    "Diameter",
    "as_recist_lesion",
    "choose_targets",
    "diameter_of",
    "long_axis",
    "target_problems",
]


class Diameter(StrEnum):
    """What is measured of a lesion."""

    LONG_AXIS = "long axis"
    SHORT_AXIS = "short axis"
    SOFT_TISSUE = "soft-tissue extent"


NORMAL_NODE = Limits(
    thresholds=(Threshold(quantity="normal_node_mm", comparison=Comparison.BELOW, setting="recist11.node_normal_mm"),)
)
"""From which short axis downwards a node counts as gone, and is no lesion at baseline."""

_LIMITS = Limits(
    thresholds=(
        *NORMAL_NODE.thresholds,
        Threshold(quantity="soft_tissue_mm", comparison=Comparison.AT_LEAST, setting="recist11.target_mm"),
        Threshold(quantity="target_node_mm", comparison=Comparison.AT_LEAST, setting="recist11.node_target_mm"),
        Threshold(quantity="node_growth_mm", comparison=Comparison.AT_LEAST, setting="recist11.node_growth_mm"),
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The targets of a modality, and what is to be said about a reader's choice of them."""

    targets: frozenset[str]
    problems: tuple[Problem, ...] = ()


def long_axis(finding: LesionFinding) -> Fraction | None:
    """Longest diameter in mm."""
    return exact_if_known(finding.long_axis_mm)


def _short_axis(finding: LesionFinding) -> Fraction | None:
    return exact_if_known(finding.short_axis_mm)


def _soft_tissue(finding: LesionFinding) -> Fraction | None:
    return exact_if_known(finding.soft_tissue_mm)


_QUANTITY: dict[Diameter, Quantity] = {
    Diameter.LONG_AXIS: long_axis,
    Diameter.SHORT_AXIS: _short_axis,
    Diameter.SOFT_TISSUE: _soft_tissue,
}


def diameter_of(findings: Iterable[LesionFinding], *, target: bool) -> Diameter:
    """What is measured of a lesion, by its first findings. A reader's target without soft tissue by its long axis."""
    first = tuple(findings)
    if any(finding.node for finding in first):
        return Diameter.SHORT_AXIS
    if target and any(finding.soft_tissue_mm is not None for finding in first):
        return Diameter.SOFT_TISSUE
    return Diameter.LONG_AXIS


def _diameter(history: LesionHistory, *, target: bool) -> Diameter:
    """A node is one at every visit, whichever of them says so."""
    visits = range(len(history.series.visits))
    if any(finding.node for visit in visits for finding in history.at(visit)):
        return Diameter.SHORT_AXIS
    return diameter_of(history.at(history.baseline_visit), target=target)


def _at_baseline(history: LesionHistory, diameter: Diameter, settings: Settings) -> Fraction | None:
    """A diameter in mm at baseline."""
    visit = history.baseline_visit
    return history.track(visit, in_one_sequence(history, visit, _QUANTITY[diameter], settings)).now


def target_problems(course: PatientCourse, settings: Settings) -> tuple[Problem, ...]:
    """What is to be said about the targets of every modality that shows outlines."""
    found: list[Problem] = []
    for modality in course.modalities:
        histories = course.histories(modality)
        if modality.is_anatomical and histories:
            label = course.visits[histories[0].baseline_visit].label
            problems = choose_targets(histories, settings).problems
            found += [one.of(patient_id=course.patient.patient_id, visit=label) for one in problems]
    return tuple(found)


def choose_targets(histories: Sequence[LesionHistory], settings: Settings) -> Choice:
    """The targets of one modality: those that a reader states, then the largest that qualify, while there is room.

    Lesions equally large come in order of their id. Stated ones take room, and are never turned away for want of it.
    """
    problems: list[Problem] = []
    stated: list[LesionHistory] = []
    fit: list[tuple[Fraction, str, LesionHistory]] = []
    for one in histories:
        said = _said(one)
        if one.origin is not Origin.BASELINE or said is False:
            continue
        if said is None:
            size = _qualifying_mm(one, settings)
            if size is not None:
                fit.append((-size, one.lesion_id, one))
        elif problem := _why_unfit(one, settings):
            problems.append(problem)
        else:
            stated.append(one)
    organs = Counter(_organ(one) for one in stated)
    chosen = {one.lesion_id for one in stated}
    problems += _beyond_maxima(stated, organs, settings)
    for _, lesion_id, one in sorted(fit, key=lambda entry: entry[:2]):
        room = len(chosen) < settings.recist11.maximum_targets
        if room and organs[_organ(one)] < settings.recist11.maximum_targets_per_organ:
            chosen.add(lesion_id)
            organs[_organ(one)] += 1
    return Choice(targets=frozenset(chosen), problems=tuple(problems))


def _said(history: LesionHistory) -> bool | None:
    """What a reader says at baseline: target, not target, or nothing."""
    return next((f.target for f in history.at(history.baseline_visit) if f.target is not None), None)


def _organ(history: LesionHistory) -> str:
    return "nodes" if _diameter(history, target=False) is Diameter.SHORT_AXIS else "bone"


def _qualifying_mm(history: LesionHistory, settings: Settings) -> Fraction | None:
    """The size (mm) by which a lesion qualifies as a target without a reader's word; None where it does not."""
    findings = history.at(history.baseline_visit)
    if any(finding.measurable is False for finding in findings):
        return None
    diameter = _diameter(history, target=True)
    size = _at_baseline(history, diameter, settings)
    if size is None or diameter is Diameter.LONG_AXIS:
        return None
    if diameter is Diameter.SHORT_AXIS:
        return size if _LIMITS.met("target_node_mm", size, settings) else None
    blastic = any(finding.lesion_type is LesionType.BLASTIC for finding in findings)
    return size if _LIMITS.met("soft_tissue_mm", size, settings) and not blastic else None


def _why_unfit(history: LesionHistory, settings: Settings) -> Problem | None:
    """Why a reader's target cannot be one (docs/details.md, detail 24); None where the reader's word stands."""
    diameter = _diameter(history, target=True)
    size = _at_baseline(history, diameter, settings)
    where = _where(history.series.modality, history.lesion_id)
    if size is None:
        return _warning(where, f"target without {diameter}: not a target", f"give its {diameter} at baseline")
    if diameter is Diameter.SOFT_TISSUE and not _LIMITS.met("soft_tissue_mm", size, settings):
        limit = fixed(_LIMITS.limit("soft_tissue_mm", settings))
        what = f"target on bone with a soft-tissue extent of {fixed(size)} mm, below {limit} mm: non-target"
        return _warning(where, what, "leave target blank, or soft_tissue_mm, to have the long axis used")
    if diameter is Diameter.SHORT_AXIS and _LIMITS.met("normal_node_mm", size, settings):
        limit = fixed(_LIMITS.limit("normal_node_mm", settings))
        what = f"target node of {fixed(size)} mm short axis, below {limit} mm: a normal node is no lesion"
        return _warning(where, what, "check which diameter is the short axis")
    return None


def _beyond_maxima(stated: Sequence[LesionHistory], organs: Counter[str], settings: Settings) -> list[Problem]:
    """More targets stated than RECIST 1.1 has room for: they stand."""
    if not stated:
        return []
    where, most = str(stated[0].series.modality), settings.recist11
    told = [(f"{len(stated)} targets", len(stated), most.maximum_targets)]
    told += [(f"{count} targets in {name}", count, most.maximum_targets_per_organ) for name, count in organs.items()]
    return [
        _warning(where, f"{words} stated, RECIST 1.1 has at most {limit}: all are used", "keep the largest ones")
        for words, count, limit in told
        if count > limit
    ]


def _where(modality: Modality, lesion_id: str) -> str:
    return f"{modality} lesion {lesion_id}"


def _warning(where: str, what: str, how_to_fix: str) -> Problem:
    return Problem(severity=Severity.WARNING, where=where, what=f"RECIST: {what}", how_to_fix=how_to_fix)


def as_recist_lesion(followed: Followed, history: LesionHistory, visit: int, settings: Settings) -> Followed | None:
    """A lesion by the diameter that is its own; None for a node too small to be a lesion.

    A target without any measured extent left is gone, and so is a node of normal size; its mm stay in the sum.
    """
    diameter = _diameter(history, target=followed.target)
    if diameter is Diameter.LONG_AXIS:
        return followed
    value = value_at(history, visit, followed.facts, settings, quantity=_QUANTITY[diameter])
    followed = replace(followed, value=value)
    if diameter is Diameter.SOFT_TISSUE:
        return replace(followed, facts=followed.facts._replace(gone=value.now == 0))
    facts = _as_node(followed.facts, value, _at_baseline(history, diameter, settings), settings)
    return None if facts is None else replace(followed, facts=facts)


def _as_node(facts: LesionFacts, value: Track, at_baseline: Fraction | None, settings: Settings) -> LesionFacts | None:
    """A node that is gone when normal, no lesion when normal at baseline, and new once it has grown out of that."""
    known = [size for size in (*value.earlier, value.now) if size is not None]
    if not known:
        return facts
    large = not _LIMITS.met("normal_node_mm", known[-1], settings)
    if facts.origin is Origin.NEW:
        return facts._replace(here=facts.here and large)
    if at_baseline is None or not _LIMITS.met("normal_node_mm", at_baseline, settings):
        normal = value.now is not None and not large
        return facts._replace(gone=facts.gone or normal)
    if large and _LIMITS.met("node_growth_mm", known[-1] - min(known), settings):
        return facts._replace(origin=Origin.NEW, here=True, gone=False)
    return None
