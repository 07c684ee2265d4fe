"""Facts of one patient in, a timeline out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mdanderson.criteria import (
    OVERALL,
    Assessed,
    CriteriaSet,
    LesionAssessment,
    LesionRows,
    PatientCourse,
    Response,
    criteria_set,
)
from mdanderson.errors import InputError, Problem
from mdanderson.findings import Examination, PatientFacts, Statement
from mdanderson.settings import Settings
from mdanderson.timeline.baseline import about_known, doubts_between, shown_at_baseline
from mdanderson.timeline.codes import faults_marked, with_known_codes
from mdanderson.timeline.dates import about_dates, with_treatment_start
from mdanderson.timeline.denied import without_denied
from mdanderson.timeline.evidence import with_evidence
from mdanderson.timeline.model import Timeline
from mdanderson.timeline.normalise import about_equivocal, normalise
from mdanderson.timeline.reading import about_readers, of_one_reader
from mdanderson.timeline.statements import with_statements
from mdanderson.timeline.summary import baseline_lesions, lost_responses, summarise
from mdanderson.timeline.treatment import mark_treated, new_therapy_date, treated_since
from mdanderson.timeline.visits import arrange
from mdanderson.vocabulary import DEFAULT_CRITERIA, Modality

__all__ = ["build_timeline"]


def build_timeline(
    patient: PatientFacts,
    examinations: Sequence[Examination],
    *,
    settings: Settings,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    problems: Sequence[Problem] = (),
    statements: Sequence[Statement] = (),
) -> Timeline:
    """Judge one patient by every criteria set asked for; the order of `examinations` does not matter.

    statements: what readers state, laid over the findings; each row then tells its category without them as well.
    Raises `SettingsError` for unknown criteria and `InputError` for a patient without any examination.
    """
    sets = [criteria_set(code) for code in dict.fromkeys(criteria)]
    if not sets or not examinations:
        what = "no criteria were asked" if not sets else "no examination to judge"
        raise InputError(what, where=patient.patient_id, way_out="give at least one")
    days = [exam.date for exam in examinations]
    patient = with_treatment_start(patient, days, window_days=settings.policy.visit_window_days)
    measured, about_codes = with_known_codes(of_one_reader(examinations, settings.policy.reader))
    marked, about_stated_codes = faults_marked(statements)
    stated, about_statements = with_statements(measured, marked, settings)
    judged = _judge(patient, stated, sets, settings)
    if statements:
        judged = _beside(judged, _judge(patient, measured, sets, settings))
    assessed = judged.assessed
    overall = [[row for row in one.responses if row.scope == OVERALL] for one in assessed]
    count, pattern = baseline_lesions(judged.course, settings)
    found = [*problems, *about_readers(examinations, statements, settings)]
    found += about_dates(patient, judged.course.visits)
    found += [*about_codes, *about_stated_codes, *about_statements, *judged.problems]
    found += [problem for one in assessed for problem in one.problems]
    found += [lost for one, rows in zip(sets, overall, strict=True) for lost in lost_responses(one, rows)]
    return Timeline(
        patient=patient,
        visits=judged.course.visits,
        lesions=judged.lesions,
        judged_lesions=LesionRows(lambda: (row for one in assessed for row in one.lesions)),
        responses=tuple(row for one in assessed for row in one.responses),
        summaries=tuple(summarise(one, rows, patient, settings) for one, rows in zip(sets, overall, strict=True)),
        problems=tuple(sorted({problem.of(patient_id=patient.patient_id) for problem in found})),
        lesions_baseline=count,
        baseline_pattern=pattern,
        settings=settings,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """A series after every set was asked. problems: those of the series, not of the sets."""

    course: PatientCourse
    assessed: tuple[Assessed, ...]
    lesions: LesionRows
    problems: tuple[Problem, ...]


def _judge(
    patient: PatientFacts, examinations: Sequence[Examination], sets: Sequence[CriteriaSet], settings: Settings
) -> _Judged:
    """Arrange the examinations as visits, and ask every set."""
    treated, about_treatment = mark_treated(examinations, patient.events)
    visits, pooled, met = arrange(treated, window_days=settings.policy.visit_window_days)
    tidy, mended = normalise(visits, pooled)
    undenied, about_gone = without_denied(visits, tidy, settings)
    clean = with_evidence(undenied, settings)
    shown = shown_at_baseline(clean, settings)
    since = treated_since(examinations, patient.events)
    course = PatientCourse(
        patient=patient,
        visits=visits,
        examinations=clean,
        shown=shown,
        doubts=doubts_between(clean, shown),
        treated_since=since,
    )
    assessed = tuple(
        _with_bone_scan_index(_with_new_therapy(one.assess(course, settings), course), course) for one in sets
    )
    return _Judged(
        course=course,
        assessed=assessed,
        lesions=_lesions(assessed, course, settings),
        problems=(
            *about_treatment,
            *met,
            *mended,
            *about_gone,
            *about_equivocal(visits, clean, settings),
            *about_known(course, settings, by_scans_alone=any(one.code == "pcwg3" for one in sets)),
        ),
    )


def _with_new_therapy(assessed: Assessed, course: PatientCourse) -> Assessed:
    """Rows of visits after the start of another therapy, marked."""
    since = new_therapy_date(course.patient, course.visits[0].date)
    if since is None:
        return assessed
    marked = (row._replace(new_therapy=True) if row.date > since else row for row in assessed.responses)
    return replace(assessed, responses=tuple(marked))


def _with_bone_scan_index(assessed: Assessed, course: PatientCourse) -> Assessed:
    """The rows of bone scans, and the patient's own, with the share of the skeleton that is involved."""
    scans = [exams.get(Modality.NM) for exams in course.examinations]
    shares = {
        visit.label: scan.bone_scan_index
        for visit, scan in zip(course.visits, scans, strict=True)
        if scan is not None and scan.bone_scan_index is not None
    }
    if not shares:
        return assessed
    told = (
        row._replace(bone_scan_index=shares.get(row.visit)) if row.scope in {OVERALL, Modality.NM} else row
        for row in assessed.responses
    )
    return replace(assessed, responses=tuple(told))


def _lesions(assessed: Sequence[Assessed], course: PatientCourse, settings: Settings) -> LesionRows:
    """The lesions by the first set asked that judges lesions, by the set of record where none does."""
    for one in assessed:
        if one.judges_lesions:
            return one.lesions
    return LesionRows(lambda: criteria_set(DEFAULT_CRITERIA).assess(course, settings).lesions)


def _beside(stated: _Judged, measured: _Judged) -> _Judged:
    """Every row with its category as it would be without the readers' statements."""
    categories = {_row_key(row): row.category for one in measured.assessed for row in one.responses}

    def lesions() -> Iterator[LesionAssessment]:
        of_lesions = {_lesion_key(row): row.category for row in measured.lesions}
        return (replace(row, category_measured=of_lesions.get(_lesion_key(row))) for row in stated.lesions)

    return replace(
        stated,
        assessed=tuple(
            replace(
                one,
                responses=tuple(row._replace(category_measured=categories.get(_row_key(row))) for row in one.responses),
            )
            for one in stated.assessed
        ),
        lesions=LesionRows(lesions),
    )


def _row_key(row: Response) -> tuple[str, ...]:
    return row.criteria, row.visit, row.scope


def _lesion_key(row: LesionAssessment) -> tuple[str, ...]:
    return row.visit, row.finding.modality, row.lesion_id, row.finding.sequence
