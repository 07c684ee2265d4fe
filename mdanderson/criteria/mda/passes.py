"""How the MD Anderson sets answer for a whole series: flare settled, scans confirmed, the patient's row made.

Each step is a pure pass over the visits; the table of rows decides, this module only puts the steps in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from mdanderson.criteria.assessment import Assessed, LesionAssessment, LesionRows, Response
from mdanderson.criteria.course import Flare, PatientCourse
from mdanderson.criteria.facts import LesionFacts, RuleTable
from mdanderson.criteria.mda.bench import Bench
from mdanderson.criteria.mda.flare import find_flares
from mdanderson.criteria.mda.lesion import refused_codes
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.mda.overall import confirm_scans, judge_overall
from mdanderson.criteria.mda.rows import RowMaker, Series
from mdanderson.criteria.rule import Role
from mdanderson.errors import Problem, Severity
from mdanderson.settings import Policy, Settings, TreatedLesions
from mdanderson.vocabulary import Category, Modality, Scope

__all__ = ["assess_course"]


def assess_course(table: RuleTable, criteria: str, course: PatientCourse, settings: Settings) -> Assessed:
    """Judge a whole series by one table of rows, with the other size scope and the other choice on treated lesions."""
    bench = Bench(table, course, settings)
    series = _judge(bench)
    other_scope = _judge(bench.weighing(size_scope=_other_scope(settings.policy))) if bench.scope_matters else series
    other_treated = None
    if course.any_treated:
        other_treated = _judge(bench.weighing(treated_lesions=_other_treated(settings.policy)))
    make = RowMaker(bench, criteria)
    responses: list[Response] = []
    for visit in course.visits:
        rows = {}
        for modality, judged in series.visits[visit.index].items():
            twin = other_scope.visits[visit.index][modality].category
            row = make.modality_row(visit, judged, twin)
            if other_treated is not None:
                row = _note_treated(row, judged, other_treated.visits[visit.index][modality].category, settings)
            rows[modality] = row
        twin_overall = other_scope.overall[visit.index]
        other = Category.BL if twin_overall is None else twin_overall.category
        responses += [*rows.values(), make.overall_row(visit, series, rows, other)]
    return Assessed(
        lesions=LesionRows(partial(_lesion_rows, make, course, series)),
        judges_lesions=True,
        responses=tuple(responses),
        problems=(
            *_code_problems(table, course, series),
            *_about_new_on_known(table, course, series),
            *_role_problems(course),
        ),
    )


def _lesion_rows(make: RowMaker, course: PatientCourse, series: Series) -> Iterator[LesionAssessment]:
    for visit in course.visits:
        for judged in series.visits[visit.index].values():
            yield from make.lesion_rows(judged, visit)


def _other_scope(policy: Policy) -> Scope:
    return Scope.EACH if policy.size_scope is Scope.SUM else Scope.SUM


def _other_treated(policy: Policy) -> TreatedLesions:
    return "include" if policy.treated_lesions == "exclude" else "exclude"


def _judge(bench: Bench) -> Series:
    """All passes in order."""
    course, settings = bench.course, bench.settings
    flares = find_flares(bench)
    judged = [dict(bench.visit(visit.index, flares)) for visit in course.visits]
    for flare in flares:
        row = judged[flare.visit][flare.modality]
        judged[flare.visit][flare.modality] = _restate_flare(bench, row, flare)
    _leave_open(bench, judged, flares)
    visits = confirm_scans(bench, judged)
    anatomical = any(modality.is_anatomical for visit in course.examinations[:1] for modality in visit)
    overall = tuple(
        None
        if visit.index == 0 and course.has_baseline
        else judge_overall(visits[visit.index], anatomical_at_baseline=anatomical, settings=settings)
        for visit in course.visits
    )
    return Series(visits=tuple(visits), overall=overall)


def _restate_flare(bench: Bench, row: JudgedModality, flare: Flare) -> JudgedModality:
    """A row of a visit with a flare, as it stands at the end of the series."""
    code = bench.table.code(Role.FLARE, flare.modality)
    lesions = ", ".join(sorted(flare.lesion_ids))
    settled = "" if flare.settled_by is None else bench.course.visits[flare.settled_by].label
    if flare.worse:
        reason = f"{row.reason}; inside the flare window, restated PD: {lesions} not flare, worse at {settled}"
        return row._replace(flare_settled=True, words=reason)
    if flare.is_flare and flare.sign:
        told = f", not worse at {settled}" if settled else ""
        reason = f"osteoblastic flare of {lesions} beside other signs of response{told}: {code}"
        return row._replace(category=Category.PR, rules=(code,), words=reason, flare=True, flare_settled=bool(settled))
    if flare.is_flare:
        reason = f"restated {row.category}: {lesions} settled as flare, not worse at {settled}; {row.reason}"
        return row._replace(words=reason, flare=True, flare_settled=True)
    reason = f"{row.reason}; inside the flare window, unconfirmed until the next visit"
    return row._replace(unconfirmed=True, words=reason)


def _leave_open(bench: Bench, judged: Sequence[dict[Modality, JudgedModality]], flares: Sequence[Flare]) -> None:
    """Later progression that rests on nothing but lesions of a flare that no visit has settled is unconfirmed too."""
    waiting = [flare for flare in flares if flare.settled_by is None and not flare.is_flare]
    supposed = [replace(flare, sign=True) if flare in waiting else flare for flare in flares]
    for flare in waiting:
        lesions, label = ", ".join(sorted(flare.lesion_ids)), bench.course.visits[flare.visit].label
        for index, rows in enumerate(judged[flare.visit + 1 :], start=flare.visit + 1):
            row = rows.get(flare.modality)
            if row is None or row.category is not Category.PD or row.unconfirmed:
                continue
            if bench.visit(index, supposed)[flare.modality].category is not Category.PD:
                reason = f"{row.reason}; unconfirmed: nothing tells what became of {lesions} since {label}"
                rows[flare.modality] = row._replace(unconfirmed=True, words=reason)


def _note_treated(row: Response, judged: JudgedModality, other: Category, settings: Settings) -> Response:
    """Name the category under the other choice on treated lesions, where there are any."""
    if row.category is Category.BL or not any(lesion.facts.treated for lesion in judged.lesions):
        return row
    choice = _other_treated(settings.policy)
    return row._replace(reason=f"{row.reason}; treated lesions {choice}d: {other}")


def _code_problems(table: RuleTable, course: PatientCourse, series: Series) -> tuple[Problem, ...]:
    """Readers' codes that could not stand, one row each."""
    if not any(finding.reader_codes for exams in course.examinations for e in exams.values() for finding in e.lesions):
        return ()
    return tuple(
        Problem(
            patient_id=course.patient.patient_id,
            visit=visit.label,
            severity=Severity.WARNING,
            where=f"{modality} lesion {lesion.facts.lesion_id}",
            what=f"the reader's code {code} is not used: {why}",
            how_to_fix="state a code that the table has for this modality and lesion, or leave it blank",
        )
        for visit in course.visits
        for modality, judged in series.visits[visit.index].items()
        for lesion in judged.lesions
        for code, why in (refused_codes(table, lesion.facts) | _flare_refused(table, judged, lesion.facts)).items()
    )


def _about_new_on_known(table: RuleTable, course: PatientCourse, series: Series) -> Iterator[Problem]:
    """A warning for every new metastasis that a reader states on the row of a lesion that was there."""
    for visit in course.visits[1:]:
        for modality, judged in series.visits[visit.index].items():
            code = table.code(Role.NEW_LESION, modality)
            for facts in (lesion.facts for lesion in judged.lesions):
                if code in facts.reader_codes and facts.known and not judged.facts.is_baseline:
                    yield Problem(
                        patient_id=course.patient.patient_id,
                        visit=visit.label,
                        severity=Severity.WARNING,
                        where=f"{modality} lesion {facts.lesion_id}",
                        what=f"{code} stands on the row of a lesion that is not new ({facts.known}): taken for another "
                        "one, which is",
                        how_to_fix="give the new lesion a row of its own, or leave the code out",
                    )


def _flare_refused(table: RuleTable, judged: JudgedModality, facts: LesionFacts) -> dict[str, str]:
    """A reader's code of flare where nothing could be taken for flare, with why."""
    code = table.code(Role.FLARE, judged.modality)
    if (
        code not in facts.reader_codes
        or judged.flare
        or judged.flare_settled
        or any(lesion.facts.flare for lesion in judged.lesions)
    ):
        return {}
    beside = "not all that progresses is" if judged.category is Category.PD else "nothing is"
    return {code: f"{beside} a new or hotter lesion that flare could explain"}


def _role_problems(course: PatientCourse) -> Iterator[Problem]:
    """Lesions that a reader calls measurable and that have no diameters to measure from."""
    for modality in course.modalities:
        for history in course.histories(modality):
            first = history.at(history.first) if history.first is not None and modality.is_anatomical else ()
            if any(finding.measurable for finding in first) and not any(finding.size_mm for finding in first):
                yield Problem(
                    patient_id=course.patient.patient_id,
                    visit=course.visits[history.first or 0].label,
                    severity=Severity.WARNING,
                    where=f"{modality} lesion {history.lesion_id}",
                    what="called measurable, but without two diameters here: counted as non-measurable",
                    how_to_fix="write both diameters, or leave `measurable` blank",
                )
