"""One patient from manifest rows to a timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mdanderson.assessment.by_reader import read_by_reader, stated_identities
from mdanderson.assessment.catalogue import Catalogue
from mdanderson.assessment.comparable import about_acquisition
from mdanderson.assessment.load import load_images
from mdanderson.assessment.place import place_baseline, place_follow_up
from mdanderson.assessment.station import Image, Station
from mdanderson.assessment.visit import assess_visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.readers.manifest import LostImage, Patient
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline, group_visits
from mdanderson.vocabulary import DEFAULT_CRITERIA, Modality

__all__ = ["assess"]

_SCORED = (Modality.CT,)
"""Modalities whose images are measured by this version."""
_NOT_SCORED = "not measured by this version"


def assess(
    patient: Patient, *, settings: Settings | None = None, criteria: Sequence[str] = (DEFAULT_CRITERIA,)
) -> Timeline:
    """Read, place, measure and judge all images of one patient.

    An image that cannot be used costs its own visit and a problem row; a missing baseline costs every category.
    """
    settings = settings or Settings()
    images, lost, problems = load_images(patient, settings=settings)
    scored = [image for image in images if image.volume.modality in _SCORED]
    others = [image for image in images if image.volume.modality not in _SCORED]
    no_baseline = _lost_baseline(scored, lost, settings)
    examinations, found = ([], []) if no_baseline else _follow(scored, patient.statements, settings)
    silent = [(image.volume.modality, image.date, image.visit, no_baseline) for image in scored if no_baseline]
    for modality in sorted({image.volume.modality for image in others}):
        unmeasured = [image for image in others if image.volume.modality is modality]
        by_reader = read_by_reader(unmeasured, patient.statements, settings)
        examinations += by_reader
        silent += [(modality, image.date, image.visit, _NOT_SCORED) for image in unmeasured if not by_reader]
        found += [_not_scored(image, stated=bool(by_reader)) for image in unmeasured]
    silent += [(one.modality or Modality.CT, one.date, one.visit, one.why) for one in lost if one.date]
    examinations += [
        Examination(modality=modality, date=date, visit=visit, evaluable=False, why=why)
        for modality, date, visit, why in silent
    ]
    notes = [*problems, *found]
    return build_timeline(
        patient.facts,
        examinations,
        settings=settings,
        criteria=criteria,
        problems=[note.of(patient_id=patient.patient_id) for note in notes],
        statements=patient.statements,
    )


def _lost_baseline(images: Sequence[Image], lost: Sequence[LostImage], settings: Settings) -> str:
    """Why no category can be given: the baseline, or an image that may be the baseline, was not read. Else blank."""
    for one in lost:
        if one.modality is not None and one.modality not in _SCORED:
            continue
        if one.date is None:
            return "an image of unknown date was not read: it may be the baseline"
        if not images or (images[0].date - one.date).days > settings.policy.visit_window_days:
            return "the baseline image was not read"
    return ""


def _not_scored(image: Image, *, stated: bool) -> Problem:
    """An image that is not measured. stated: readers' statements judge its modality instead."""
    instead = ": judged by readers' statements alone" if stated else ""
    return Problem(
        severity=Severity.INFO if stated else Severity.WARNING,
        visit=image.visit,
        where=image.where,
        what=f"{image.volume.modality} images are read but {_NOT_SCORED}{instead}",
        how_to_fix="" if stated else "state in reads.csv what they show, or leave the row out",
    )


def _follow(
    images: Sequence[Image], statements: Sequence[Statement], settings: Settings
) -> tuple[list[Examination], list[Problem]]:
    """Visit by visit: place the images, identify and measure the lesions."""
    stated = stated_identities(statements, Modality.CT, settings)
    examinations: list[Examination] = []
    problems: list[Problem] = []
    catalogue = Catalogue()
    baseline: tuple[Station, ...] = ()
    for visit in group_visits(images, window_days=settings.policy.visit_window_days):
        if not baseline:
            stations = place_baseline(visit, settings=settings)
        else:
            stations = tuple(place_follow_up(image, baseline, settings=settings) for image in visit)
        outcome = assess_visit(stations, catalogue, baseline, settings=settings, stated=stated)
        catalogue, baseline = outcome.catalogue, baseline or stations
        examinations.append(_examination(visit, outcome.findings))
        problems += (*outcome.problems, *_about_visit(visit))
        problems += about_acquisition(stations, baseline, settings=settings)
    return [replace(one, lesions=catalogue.settled(one.lesions)) for one in examinations], problems


def _about_visit(visit: Sequence[Image]) -> Iterator[Problem]:
    """Images of several days taken for one visit: right for a chest and a pelvis, wrong for two visits."""
    first, last = visit[0], visit[-1]
    if first.date != last.date:
        yield Problem(
            severity=Severity.INFO,
            visit=first.visit,
            where=last.where,
            what=f"{len(visit)} images from {first.date} to {last.date} are one visit",
            how_to_fix="give them different visit labels if they are two, or narrow visit_window_days",
        )


def _examination(visit: Sequence[Image], findings: Sequence[LesionFinding]) -> Examination:
    first = visit[0]
    return Examination(
        modality=first.volume.modality,
        date=first.date,
        visit=first.visit,
        lesions=tuple(findings),
    )
