"""How the MD Anderson sets answer for a whole series: flare settled, scans confirmed, the patient's row made.

Each step is a pure pass over the visits; the table of rows decides, this module only puts the steps in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mdanderson.criteria.assessment import OVERALL, Assessed, LesionAssessment, Response
from mdanderson.criteria.bench import Bench
from mdanderson.criteria.course import Flare, PatientCourse, Visit
from mdanderson.criteria.facts import RuleTable
from mdanderson.criteria.flare import find_flares
from mdanderson.criteria.lesion import JudgedLesion, refused_codes
from mdanderson.criteria.modality import JudgedModality
from mdanderson.criteria.overall import Overall, confirm_scans, judge_overall
from mdanderson.criteria.rule import Measure, Role
from mdanderson.errors import Problem, Severity
from mdanderson.findings import LesionFinding
from mdanderson.settings import Policy, Settings, TreatedLesions
from mdanderson.vocabulary import Category, Modality, Pattern, Scope, Status

__all__ = ["assess_course"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Series:
    """Every visit judged, flare and confirmation settled."""

    visits: tuple[Mapping[Modality, JudgedModality], ...]
    overall: tuple[Overall | None, ...]


def assess_course(table: RuleTable, criteria: str, course: PatientCourse, settings: Settings) -> Assessed:
    """Judge a whole series by one table of rows, with the other size scope and the other choice on treated lesions."""
    bench = Bench(table, course, settings)
    series = _judge(bench)
    other_scope = _judge(bench.weighing(size_scope=_other_scope(settings.policy)))
    other_treated = _judge(bench.weighing(treated_lesions=_other_treated(settings.policy)))
    few = settings.policy.oligo_max_lesions
    lesions: list[LesionAssessment] = []
    responses: list[Response] = []
    for visit in course.visits:
        rows = series.visits[visit.index]
        for modality, judged in rows.items():
            lesions += _lesion_rows(judged, visit, criteria)
            row = _modality_row(course, visit, judged, criteria, few)
            twin, treated = other_scope.visits[visit.index][modality], other_treated.visits[visit.index][modality]
            row = replace(row, category_other_scope=twin.category)
            responses.append(_note_treated(row, judged, treated.category, settings))
        overall, twin_overall = series.overall[visit.index], other_scope.overall[visit.index]
        row = _overall_row(course, visit, rows, overall, criteria, few)
        other = Category.BL if twin_overall is None else twin_overall.category
        responses.append(replace(row, category_other_scope=other))
    return Assessed(lesions=tuple(lesions), responses=tuple(responses), problems=_code_problems(table, course, series))


def _other_scope(policy: Policy) -> Scope:
    return Scope.EACH if policy.size_scope is Scope.SUM else Scope.SUM


def _other_treated(policy: Policy) -> TreatedLesions:
    return "include" if policy.treated_lesions == "exclude" else "exclude"


def _judge(bench: Bench) -> _Series:
    """All passes in order."""
    course, settings = bench.course, bench.settings
    flares = find_flares(bench)
    judged = [dict(bench.visit(visit.index, flares)) for visit in course.visits]
    for flare in flares:
        row = judged[flare.visit][flare.modality]
        judged[flare.visit][flare.modality] = _restate_flare(bench, row, flare)
    visits = confirm_scans(bench, judged)
    anatomical = any(modality.is_anatomical for visit in course.examinations[:1] for modality in visit)
    overall = tuple(
        None
        if visit.index == 0
        else judge_overall(visits[visit.index], anatomical_at_baseline=anatomical, settings=settings)
        for visit in course.visits
    )
    return _Series(visits=tuple(visits), overall=overall)


def _restate_flare(bench: Bench, row: JudgedModality, flare: Flare) -> JudgedModality:
    """A row of a visit with a flare, as it stands at the end of the series."""
    code = bench.table.code(Role.FLARE)
    lesions = ", ".join(sorted(flare.lesion_ids))
    settled = "" if flare.settled_by is None else bench.course.visits[flare.settled_by].label
    if flare.worse:
        reason = f"{row.reason}; inside the flare window, restated PD: {lesions} not flare, worse at {settled}"
        return replace(row, flare_settled=True, reason=reason)
    if flare.is_flare and flare.sign:
        told = f", not worse at {settled}" if settled else ""
        reason = f"osteoblastic flare of {lesions} beside other signs of response{told}: {code}"
        return replace(row, category=Category.PR, rules=(code,), reason=reason, flare=True, flare_settled=bool(settled))
    if flare.is_flare:
        reason = f"restated {row.category}: {lesions} settled as flare, not worse at {settled}; {row.reason}"
        return replace(row, reason=reason, flare=True, flare_settled=True)
    reason = f"{row.reason}; inside the flare window, unconfirmed until the next visit"
    return replace(row, unconfirmed=True, reason=reason)


def _note_treated(row: Response, judged: JudgedModality, other: Category, settings: Settings) -> Response:
    """Name the category under the other choice on treated lesions, where there are any."""
    if row.category is Category.BL or not any(lesion.facts.treated for lesion in judged.lesions):
        return row
    choice = _other_treated(settings.policy)
    return replace(row, reason=f"{row.reason}; treated lesions {choice}d: {other}")


def _lesion_rows(judged: JudgedModality, visit: Visit, criteria: str) -> list[LesionAssessment]:
    return [
        _lesion_row(lesion, finding, visit, criteria)
        for lesion in judged.lesions
        for finding in lesion.facts.now or (_silent_finding(lesion, visit),)
    ]


def _silent_finding(lesion: JudgedLesion, visit: Visit) -> LesionFinding:
    """The row of a lesion that nothing was said of."""
    facts = lesion.facts
    return LesionFinding.without_outline(
        facts.lesion_id,
        Status.NOT_EVALUABLE,
        facts.unassessed,
        modality=facts.modality,
        date=visit.date,
        visit=visit.label,
        treated=facts.treated,
    )


def _lesion_row(lesion: JudgedLesion, finding: LesionFinding, visit: Visit, criteria: str) -> LesionAssessment:
    if lesion.facts.equivocal and finding.status in {Status.NEW, Status.FOLLOWED}:
        finding = replace(finding, status=Status.EQUIVOCAL)
    elif lesion.facts.first_counted:
        finding = replace(finding, status=Status.NEW)
    return LesionAssessment(finding=finding, visit=visit.label, criteria=criteria, judged=lesion)


def _modality_row(course: PatientCourse, visit: Visit, judged: JudgedModality, criteria: str, few: int) -> Response:
    total = judged.total
    at_baseline = judged.category is Category.BL
    return Response(
        patient_id=course.patient.patient_id,
        visit=visit.label,
        date=visit.date,
        weeks=visit.weeks,
        criteria=criteria,
        scope=judged.modality,
        category=judged.category,
        unconfirmed=judged.unconfirmed,
        flare=judged.flare,
        mixed=bool(judged.progressing and judged.responding),
        size_category=judged.sub_category(Measure.SIZE),
        density_category=judged.sub_category(Measure.DENSITY),
        signal_category=judged.sub_category(Measure.SIGNAL),
        uptake_category=judged.sub_category(Measure.UPTAKE),
        size_sum_mm=judged.size_sum_mm,
        size_change_baseline=total.size_change_baseline if total else None,
        size_change_nadir=total.size_change_nadir if total else None,
        lesions_expected=len(judged.expected),
        lesions_assessed=len(judged.expected) if at_baseline else len(judged.assessed),
        lesions_new=len(judged.new),
        lesions_progressing=len(judged.progressing),
        lesions_responding=len(judged.responding),
        progression_pattern=_pattern(judged.progressing, judged.assessed, few),
        rules=judged.rules,
        reason=judged.reason,
    )


def _pattern(progressing: frozenset[str], assessed: frozenset[str], few: int) -> Pattern | None:
    """How much of the disease progresses; a lone lesion that progresses is all of it."""
    if not progressing:
        return None
    rest = assessed - progressing
    return Pattern.OLIGOPROGRESSION if rest and len(progressing) <= few else Pattern.SYSTEMIC


def _overall_row(
    course: PatientCourse,
    visit: Visit,
    rows: Mapping[Modality, JudgedModality],
    overall: Overall | None,
    criteria: str,
    few: int,
) -> Response:
    """The patient's row: sizes and sub-scores of the modality that speaks, lesions counted once over all modalities."""
    judged = [one for one in rows.values() if overall is None or one.category is not Category.BL]
    progressing = _union(one.progressing for one in judged)
    responding = _union(one.responding for one in judged) - progressing
    assessed = _union(_named(one) if overall is None else one.assessed for one in judged)
    frame = Response(
        patient_id=course.patient.patient_id,
        visit=visit.label,
        date=visit.date,
        weeks=visit.weeks,
        criteria=criteria,
        scope=OVERALL,
        category=Category.BL if overall is None else overall.category,
        flare=any(one.flare for one in judged),
        mixed=bool(progressing and responding),
        lesions_expected=len(_union(_named(one) for one in judged)),
        lesions_assessed=len(assessed),
        lesions_new=len(_union(one.new for one in judged)),
        lesions_progressing=len(progressing),
        lesions_responding=len(responding),
        progression_pattern=_pattern(progressing, assessed, few),
        reason="baseline" if overall is None else overall.reason,
    )
    if overall is None:
        return frame
    frame = replace(frame, unconfirmed=overall.unconfirmed, discordant=overall.discordant)
    if overall.speaks is None:
        return frame
    speaker = _modality_row(course, visit, overall.speaks, criteria, few)
    return replace(
        frame,
        size_category=speaker.size_category,
        density_category=speaker.density_category,
        signal_category=speaker.signal_category,
        uptake_category=speaker.uptake_category,
        size_sum_mm=speaker.size_sum_mm,
        size_change_baseline=speaker.size_change_baseline,
        size_change_nadir=speaker.size_change_nadir,
        rules=speaker.rules,
    )


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _named(judged: JudgedModality) -> frozenset[str]:
    return frozenset(lesion.facts.lesion_id for lesion in judged.expected)


def _code_problems(table: RuleTable, course: PatientCourse, series: _Series) -> tuple[Problem, ...]:
    """Readers' codes that could not stand, one row each."""
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
        for code, why in refused_codes(table, lesion.facts).items()
    )
