"""Facts of one patient in, a timeline out."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.criteria import OVERALL, Assessed, LesionAssessment, PatientCourse, criteria_set
from mdanderson.errors import InputError, Problem
from mdanderson.findings import Examination, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline.model import Timeline
from mdanderson.timeline.normalise import normalise
from mdanderson.timeline.summary import baseline_lesions, lost_responses, summarise
from mdanderson.timeline.visits import arrange
from mdanderson.vocabulary import DEFAULT_CRITERIA

__all__ = ["build_timeline"]


def build_timeline(
    patient: PatientFacts,
    examinations: Sequence[Examination],
    *,
    settings: Settings,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    problems: Sequence[Problem] = (),
) -> Timeline:
    """Judge one patient by every criteria set asked for; the order of `examinations` does not matter.

    Raises `SettingsError` for unknown criteria and `InputError` for a patient without any examination.
    """
    sets = [criteria_set(code) for code in dict.fromkeys(criteria)]
    if not sets or not examinations:
        what = "no criteria were asked" if not sets else "no examination to judge"
        raise InputError(what, where=patient.patient_id, way_out="give at least one")
    visits, pooled, met = arrange(examinations, window_days=settings.policy.visit_window_days)
    clean, mended = normalise(visits, pooled)
    course = PatientCourse(patient=patient, visits=visits, examinations=clean)
    assessed = [one.assess(course, settings) for one in sets]
    overall = [[row for row in one.responses if row.scope == OVERALL] for one in assessed]
    count, pattern = baseline_lesions(course, settings)
    found = [*problems, *met, *mended, *(problem for one in assessed for problem in one.problems)]
    found += [lost for one, rows in zip(sets, overall, strict=True) for lost in lost_responses(one, rows)]
    return Timeline(
        patient=patient,
        visits=visits,
        lesions=_lesions(assessed, course, settings),
        responses=tuple(row for one in assessed for row in one.responses),
        summaries=tuple(summarise(one, rows, patient, settings) for one, rows in zip(sets, overall, strict=True)),
        problems=tuple(sorted({problem.of(patient_id=patient.patient_id) for problem in found})),
        lesions_baseline=count,
        baseline_pattern=pattern,
    )


def _lesions(assessed: Sequence[Assessed], course: PatientCourse, settings: Settings) -> tuple[LesionAssessment, ...]:
    """The lesions by the first set asked that judges lesions, by the set of record where none does."""
    judged = next((one.lesions for one in assessed if one.lesions), None)
    return judged or criteria_set(DEFAULT_CRITERIA).assess(course, settings).lesions
