"""One patient from manifest rows to a timeline."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.assess.catalogue import Catalogue
from mdanderson.assess.load import Failed, load_images
from mdanderson.assess.place import place_baseline, place_follow_up
from mdanderson.assess.station import Image, Station
from mdanderson.assess.visit import assess_visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.readers.manifest import Patient
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline, group_visits
from mdanderson.vocabulary import Modality

__all__ = ["assess"]

_SCORED = (Modality.CT,)
"""Modalities whose images are measured by this version."""
_NOT_SCORED = "not measured by this version"


def assess(patient: Patient, *, settings: Settings | None = None, criteria: Sequence[str] = ("mda2010",)) -> Timeline:
    """Read, place, measure and judge all images of one patient.

    An image that cannot be used costs its own visit and a problem row; a missing baseline costs every category.
    """
    settings = settings or Settings()
    images, failed, problems = load_images(patient)
    scored = [image for image in images if image.volume.modality in _SCORED]
    others = [image for image in images if image.volume.modality not in _SCORED]
    lost = _lost_baseline(scored, failed, settings)
    examinations, found = ([], []) if lost else _follow(scored, settings)
    examinations += [_not_evaluable(image.volume.modality, image, lost) for image in scored if lost]
    examinations += [_not_evaluable(image.volume.modality, image, _NOT_SCORED) for image in others]
    examinations += [_not_evaluable(one.modality, one, one.why) for one in failed]
    notes = [*problems, *found, *(_not_scored(image) for image in others)]
    return build_timeline(
        patient.facts,
        [examination for examination in examinations if examination is not None],
        settings=settings,
        criteria=criteria,
        problems=[note.of(patient_id=patient.patient_id) for note in notes],
    )


def _lost_baseline(images: Sequence[Image], failed: Sequence[Failed], settings: Settings) -> str:
    """Why no category can be given: the baseline, or an image that may be the baseline, was not read. Else blank."""
    for one in failed:
        if one.modality not in _SCORED:
            continue
        if one.date is None:
            return "an image of unknown date was not read: it may be the baseline"
        if not images or (images[0].date - one.date).days > settings.policy.visit_window_days:
            return "the baseline image was not read"
    return ""


def _not_evaluable(modality: Modality, dated: Image | Failed, why: str) -> Examination | None:
    """An image that says nothing about response; None when not even its date is known."""
    if dated.date is None:
        return None
    return Examination(modality=modality, date=dated.date, visit=dated.visit, evaluable=False, why=why)


def _not_scored(image: Image) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        visit=image.visit,
        where=image.where,
        what=f"{image.volume.modality} images are read but {_NOT_SCORED}",
        how_to_fix="leave the row out, or wait for a version that measures them",
    )


def _follow(images: Sequence[Image], settings: Settings) -> tuple[list[Examination], list[Problem]]:
    """Visit by visit: place the images, identify and measure the lesions."""
    examinations: list[Examination] = []
    problems: list[Problem] = []
    catalogue = Catalogue()
    baseline: tuple[Station, ...] = ()
    for visit in group_visits(images, window_days=settings.policy.visit_window_days):
        if not baseline:
            stations = place_baseline(visit, settings=settings)
        else:
            stations = tuple(place_follow_up(image, baseline, settings=settings) for image in visit)
        outcome = assess_visit(stations, catalogue, baseline, settings=settings)
        catalogue, baseline = outcome.catalogue, baseline or stations
        examinations.append(_examination(visit, outcome.findings))
        problems += outcome.problems
    return examinations, problems


def _examination(visit: Sequence[Image], findings: Sequence[LesionFinding]) -> Examination:
    first = visit[0]
    return Examination(
        modality=first.volume.modality,
        date=first.date,
        visit=first.visit,
        lesions=tuple(findings),
    )
