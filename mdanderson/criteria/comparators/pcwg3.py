"""PCWG3: bone scans by the 2+2 rule, combined with soft tissue by RECIST 1.1.

Foci are counted, never measured, and by the scans alone: a new focus is a lesion first seen after the baseline scan
that is there (an equivocal one does not count), whatever another modality showed before. One that is gone, of normal
uptake, or CR4 by a reader's word is no focus; after a scan without any every focus is new. Two or more on the first
scan on treatment may be flare: they are progression only when the next scan, at least `confirm_weeks` later, adds as
many again. That first scan is then what later scans are compared with; two or more new foci on one of these are
progression when such a later scan shows them still. Scans in between are passed over and share the outcome. A scan
never gives PR or CR.

Scans on or before the day of treatment start are baseline; the last of them is the first reference. Where the start is
not known, every scan after the baseline scan is on treatment. A progression stands at every later scan.

Source: Scher et al., J Clin Oncol 2016;34:1402-1418.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

from mdanderson.criteria.assessment import OVERALL, Assessed, Response
from mdanderson.criteria.comparators.foci import (
    FOCI,
    NO_FOCI,
    WAIT,
    ScanFacts,
    ScanRule,
    Sequel,
    fewer_than_enough,
    flare,
    left_of,
    no_disease,
    not_confirmed,
    persist,
    stands,
    two_plus_two,
    undecided,
)
from mdanderson.criteria.comparators.panel import Followed, JudgedPanel, Panel, ask, panel_at
from mdanderson.criteria.comparators.rows import panel_row
from mdanderson.criteria.comparators.soft_tissue import SoftTissue, combine, soft_tissue_by_visit
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.rule import AppliesTo, Limits, Measure
from mdanderson.findings import Examination
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["CODE", "RULES", "SET", "TITLE", "assess"]

CODE, TITLE = "pcwg3", "PCWG3"
SOURCE = "Scher et al., J Clin Oncol 2016;34:1402-1418"


_row = partial(panel_row, source=SOURCE, modalities=frozenset({Modality.NM}), applies_to=AppliesTo.PATIENT)
_SEEN = Measure.PRESENCE
_ENOUGH = Limits(thresholds=(FOCI,))
_SETTLED = Limits(thresholds=(FOCI, WAIT))

FLARE = _row(
    "PCWG3-FLARE", Category.NON_PD, _SEEN, "first scan on treatment: fewer than 2 more foci follow", flare, _SETTLED
)

RULES: tuple[ScanRule, ...] = (
    _row("PCWG3-STANDS", Category.PD, _SEEN, "the bone progressed at an earlier scan", stands),
    _row(
        "PCWG3-2+2",
        Category.PD,
        _SEEN,
        "first scan on treatment: >= 2 new foci, and >= 2 more on the next scan >= 6 weeks later",
        two_plus_two,
        _SETTLED,
    ),
    _row(
        "PCWG3-PERSIST",
        Category.PD,
        _SEEN,
        "later scan: >= 2 new foci since the first scan on treatment, still there (or more) >= 6 weeks later",
        persist,
        _SETTLED,
    ),
    _row(
        "PCWG3-PDU",
        Category.PDU,
        _SEEN,
        ">= 2 new foci that no scan >= 6 weeks later has settled",
        undecided,
        _SETTLED,
    ),
    FLARE,
    _row(
        "PCWG3-GONE",
        Category.NON_PD,
        _SEEN,
        "later scan: fewer than 2 of its new foci persist",
        not_confirmed,
        _SETTLED,
    ),
    _row(
        "PCWG3-NED",
        Category.NED,
        _SEEN,
        "no focus now: none at baseline, or all of them gone or of normal uptake",
        no_disease,
    ),
    _row("PCWG3-NON-PD", Category.NON_PD, _SEEN, "fewer than 2 new foci", fewer_than_enough, _ENOUGH),
)


def _judge_scans(course: PatientCourse, settings: Settings) -> Mapping[int, JudgedPanel]:
    """Every bone scan by the index of its visit, settled by the scans after it. Empty where there is none."""
    scans = _scans_alone(course)
    panels = [
        panel_at(scans, Modality.NM, visit, settings, quantity=lambda _finding: None, targets=NO_FOCI, revise=_as_focus)
        for visit in course.visits
        if Modality.NM in course.examinations[visit.index]
    ]
    start = course.patient.treatment_start
    evaluable = [one for one in panels if one.evaluable]
    untreated = [one for one in evaluable if one.is_baseline or (start is not None and one.visit.date <= start)]
    judged = [JudgedPanel(panel=one, category=Category.NE, reason=one.why) for one in panels if not one.evaluable]
    judged += [JudgedPanel(panel=one, category=Category.BL, reason=_baseline(one)) for one in untreated]
    if untreated:
        judged += _settle(evaluable[len(untreated) :], untreated[-1], settings)
    return {one.panel.visit.index: one for one in judged}


def _scans_alone(course: PatientCourse) -> PatientCourse:
    """The course without its other modalities: a focus is new by what the scans show."""
    if not course.shown and not course.doubts:
        return course
    only: list[Mapping[Modality, Examination]] = [
        {modality: exam for modality, exam in exams.items() if modality is Modality.NM} for exams in course.examinations
    ]
    return replace(course, examinations=tuple(only), shown={}, doubts={})


def _as_focus(one: Followed, history: LesionHistory, visit: int, settings: Settings) -> Followed:
    """An old lesion as a focus: gone as well where its uptake is normal, and while nobody says that it is back."""
    if not one.is_old or history.first is None or history.first > visit:
        return one
    left = history.is_left(visit, settings)
    silent = any(finding.is_silent for finding in one.facts.now)
    return replace(one, facts=one.facts._replace(left=left, gone=not left and not silent))


def _baseline(panel: Panel) -> str:
    count = len(left_of(panel))
    foci = f"{count} foc{'us' if count == 1 else 'i'}"
    return f"baseline of NM: {foci}" if panel.is_baseline else f"scan before treatment: {foci}, baseline again"


def _settle(scans: Sequence[Panel], reference: Panel, settings: Settings) -> list[JudgedPanel]:
    """The scans on treatment one after the other, each settled by those after it; `reference`: the last one before."""
    judged: list[JudgedPanel] = []
    is_first = True
    while len(judged) < len(scans):
        scan, rest = scans[len(judged)], scans[len(judged) + 1 :]
        decides = _deciding(scan, rest, settings)
        fresh = _foci(scan, reference) - _foci(reference, reference)
        facts = ScanFacts(
            panel=scan,
            reference=reference.visit,
            fresh=fresh,
            doubted=_doubted(scan) - _seen(reference),
            is_first=is_first,
            sequel=None if decides is None else _sequel(scan, rest[decides], reference),
        )
        one = _judge(facts, settings)
        judged.append(one)
        if one.category.is_progression:
            return judged + [_judge(_after(facts, later, reference), settings) for later in rest]
        if FOCI.met(Fraction(len(fresh)), settings):
            judged += [_sharing(one, later) for later in rest[:decides]]  # all of them while none decides
        if is_first or one.category is Category.NED:
            reference, is_first = scan, False
    return judged


def _foci(scan: Panel, reference: Panel) -> frozenset[str]:
    """New foci that are there, and old ones where the reference scan shows none at all."""
    new = frozenset(one.lesion_id for one in scan.new)
    if left_of(reference):
        return new
    lost = {one.lesion_id for one in reference.expected}
    return new | {one.lesion_id for one in scan.expected if one.lesion_id in lost and one.facts.left}


def _doubted(scan: Panel) -> frozenset[str]:
    """Foci first segmented after baseline that nobody can say to be new."""
    return frozenset(one.lesion_id for one in scan.lesions if one.facts.doubted)


def _seen(scan: Panel) -> frozenset[str]:
    return frozenset(one.lesion_id for one in scan.lesions if any(finding.is_seen for finding in one.facts.now))


def _deciding(scan: Panel, rest: Sequence[Panel], settings: Settings) -> int | None:
    """Which of the later scans is the first far enough away to settle this one."""
    weeks = (Fraction((later.visit.date - scan.visit.date).days, 7) for later in rest)
    return next((index for index, apart in enumerate(weeks) if WAIT.met(apart, settings)), None)


def _sequel(scan: Panel, decides: Panel, reference: Panel) -> Sequel:
    before, here, then = (_foci(one, reference) for one in (reference, scan, decides))
    return Sequel(visit=decides.visit, additional=then - here, persisting=(here - before) & then, fresh=then - before)


def _after(facts: ScanFacts, later: Panel, reference: Panel) -> ScanFacts:
    """A scan after the progression."""
    fresh = _foci(later, reference) - _foci(reference, reference)
    return replace(facts, panel=later, fresh=fresh, is_first=False, sequel=None, progressed=facts.panel.visit)


def _judge(facts: ScanFacts, settings: Settings) -> JudgedPanel:
    one = ask(RULES, facts, facts.panel, settings)
    return replace(
        one,
        unconfirmed=one.category is Category.PDU,
        progressing=facts.fresh if one.category.is_progression else NO_FOCI,
        returned=facts.fresh - {followed.lesion_id for followed in facts.panel.new},
    )


def _sharing(one: JudgedPanel, later: Panel) -> JudgedPanel:
    """A scan too soon after another to settle it, passed over."""
    words = f"too soon after the scan of {one.panel.visit.date}, shares its outcome: {one.reason}"
    return replace(one, panel=later, reason=words)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by PCWG3: soft tissue under CT and MR, the scan under NM, and what both come to."""
    scans = _judge_scans(course, settings)
    soft, problems = soft_tissue_by_visit(course, settings)
    responses: list[Response] = []
    for visit, bone in zip(course.visits, _bone_rows(course, scans), strict=True):
        if soft:
            responses += [row._replace(criteria=CODE) for row in soft[visit.index].rows]
        if visit.index in scans:
            responses.append(_response(course, visit, scans[visit.index], scope=Modality.NM))
        responses.append(_together(bone, soft[visit.index]) if soft else _alone(bone))
    return Assessed(responses=tuple(responses), problems=problems)


def _bone_rows(course: PatientCourse, scans: Mapping[int, JudgedPanel]) -> Iterator[Response]:
    """The bone at every visit, scanned or not: a progression stands."""
    progressed = ""
    for visit in course.visits:
        scan = scans.get(visit.index)
        bone = _response(course, visit, scan)
        if bone.category.is_progression:
            progressed = progressed or str(visit.date)
        elif progressed:
            bone = bone._replace(category=Category.PD, reason=f"progression at the scan of {progressed} stands")
        elif visit.index == 0 and course.has_baseline:
            bone = bone._replace(category=Category.BL)
        yield bone


def _response(course: PatientCourse, visit: Visit, scan: JudgedPanel | None, *, scope: str = OVERALL) -> Response:
    """The bone at one visit. The patient's row leaves the answers of the rows to the scan's, as its reason says."""
    row = Response(
        patient_id=course.patient.patient_id,
        visit=visit.label,
        date=visit.date,
        weeks=visit.weeks,
        criteria=CODE,
        scope=scope,
        category=Category.NE,
        reason="no bone scan at this visit",
    )
    if scan is None:
        return row
    expected, baseline = len(scan.panel.expected), scan.category is Category.BL
    return row._replace(
        category=scan.category,
        unconfirmed=scan.unconfirmed,
        flare=FLARE.code in scan.rules,
        lesions_expected=expected,
        lesions_assessed=expected - (0 if baseline else len(scan.panel.unassessed)),
        lesions_new=len(scan.returned.union(one.lesion_id for one in scan.panel.new)),
        lesions_progressing=len(scan.progressing),
        rules=scan.rules,
        reason=scan.reason,
        verdicts=() if scope == OVERALL else scan.verdicts,
    )


def _alone(bone: Response) -> Response:
    """The patient where there is no soft tissue to combine."""
    return bone._replace(reason=f"bone alone, neither CT nor MR was ever looked at: {bone.reason}")


def _together(bone: Response, soft: SoftTissue) -> Response:
    """The patient by the combination table."""
    tissue = soft.overall
    category = combine(tissue.category, bone.category, has_targets=soft.has_targets)
    waiting = bone.category is Category.PDU and not category.is_progression
    parts = (("soft tissue", tissue.category), ("bone", bone.category))
    return tissue._replace(
        criteria=CODE,
        category=category,
        unconfirmed=waiting,
        flare=bone.flare,
        discordant="; ".join(f"{name} {part}" for name, part in parts if part.is_evaluable and part is not category),
        lesions_expected=tissue.lesions_expected + bone.lesions_expected,
        lesions_assessed=tissue.lesions_assessed + bone.lesions_assessed,
        lesions_new=tissue.lesions_new + bone.lesions_new,
        lesions_progressing=tissue.lesions_progressing + bone.lesions_progressing,
        rules=tissue.rules + bone.rules,
        reason=f"soft tissue {tissue.category} ({tissue.reason}), bone {bone.category} ({bone.reason}): {category}",
    )


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
