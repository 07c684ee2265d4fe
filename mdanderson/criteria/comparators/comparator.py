"""How a comparator answers for a whole series: its rows asked visit by visit, settled over the visits, one row each.

A comparator is data: a table of rows, what it follows, and which lesions are its targets. What its later visits may
restate (a response that must be confirmed, iUPD) is its `settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mdanderson.criteria.assessment import OVERALL, Assessed, Response
from mdanderson.criteria.comparators.panel import (
    WAITING,
    Followed,
    Joined,
    JudgedPanel,
    Panel,
    PanelRule,
    Revision,
    Selection,
    judge_panel,
    panel_at,
)
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.history import Together
from mdanderson.criteria.said import Quantity
from mdanderson.criteria.track import add_tracks
from mdanderson.quantities import add_up, known_change
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["Comparator", "Settled", "Unit", "as_judged", "assess_panels", "judge_modality_panels", "overall_row"]

Settled = Callable[[Sequence[JudgedPanel], Settings], Sequence[JudgedPanel]]
"""One modality's visits in order, with what later visits make of earlier ones."""


class Unit(StrEnum):
    """What a set's sum is made of, and so the columns it stands in."""

    LONG_AXIS = "mm"
    PRODUCT = "mm2"
    UPTAKE = "SUV"


def as_judged(panels: Sequence[JudgedPanel], _settings: Settings) -> Sequence[JudgedPanel]:
    """Nothing that a later visit could change."""
    return panels


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparator:
    """One set beside MD Anderson.

    modalities: that it reads. quantity: what it follows in a finding. targets: the baseline lesions of its sum.
    lesion: what one lesion does by itself (PD, PR, or another category), to count them. settle: see `Settled`.
    across: what the targets' values come to; merged: the same for lesions that became one. burden: a second quantity.
    revise: what it makes of a lesion that it follows in a way of its own.
    """

    code: str
    rules: tuple[PanelRule, ...]
    modalities: Callable[[Settings], frozenset[Modality]]
    quantity: Quantity
    targets: Selection
    lesion: Callable[[Followed, Settings], Category]
    unit: Unit
    settle: Settled = as_judged
    across: Joined = add_tracks
    merged: Together = add_up
    burden: Quantity | None = None
    revise: Revision | None = None


def assess_panels(comparator: Comparator, course: PatientCourse, settings: Settings) -> Assessed:
    """Every visit by one comparator: a row per modality that it reads, and the patient's."""
    read = comparator.modalities(settings)
    judged = {
        modality: judge_modality_panels(comparator, course, modality, settings)
        for modality in course.modalities
        if modality in read
    }
    responses = []
    for visit in course.visits:
        rows = {modality: visits[visit.index] for modality, visits in judged.items() if visit.index in visits}
        responses += [_panel_row(comparator, course, panel, modality) for modality, panel in rows.items()]
        responses.append(overall_row(comparator, course, visit, rows, settings))
    problems = tuple(one for visits in judged.values() for panel in visits.values() for one in panel.problems)
    return Assessed(responses=tuple(responses), problems=problems)


def judge_modality_panels(
    comparator: Comparator, course: PatientCourse, modality: Modality, settings: Settings
) -> Mapping[int, JudgedPanel]:
    """One modality's visits by their index, settled."""
    targets = comparator.targets(course.histories(modality), settings)
    panels = [
        panel_at(
            course,
            modality,
            visit,
            settings,
            quantity=comparator.quantity,
            targets=targets,
            across=comparator.across,
            merged=comparator.merged,
            burden=comparator.burden,
            revise=comparator.revise,
        )
        for visit in course.visits
        if modality in course.examinations[visit.index]
    ]
    judged = [_count(comparator, one, settings) for one in _in_turn(comparator, panels, settings)]
    return {one.panel.visit.index: one for one in comparator.settle(judged, settings)}


def _in_turn(comparator: Comparator, panels: Sequence[Panel], settings: Settings) -> Iterator[JudgedPanel]:
    """The visits judged one after the other, each knowing of a complete response before it."""
    complete: Visit | None = None
    for panel in panels:
        judged = judge_panel(comparator.rules, replace(panel, complete=complete), settings)
        if judged.category.means is Category.CR:
            complete = panel.visit
        yield judged


def _count(comparator: Comparator, judged: JudgedPanel, settings: Settings) -> JudgedPanel:
    """Which lesions progress and respond by themselves."""
    if judged.panel.is_baseline:
        return judged
    by_lesion = {one.lesion_id: comparator.lesion(one, settings) for one in judged.panel.lesions}
    new = {one.lesion_id for one in judged.panel.new}
    old = {one.lesion_id for one in judged.panel.expected}
    return replace(
        judged,
        progressing=frozenset(name for name, category in by_lesion.items() if category.is_progression or name in new),
        responding=frozenset(name for name, category in by_lesion.items() if category.is_response and name in old),
    )


def _leader(rows: Mapping[Modality, JudgedPanel], settings: Settings) -> JudgedPanel | None:
    """The modality that speaks: one that progresses, one that waits to be confirmed, else the first evaluable.

    No evidence of disease speaks only where no other modality knows of any.
    """
    order = {modality: rank for rank, modality in enumerate(settings.policy.modality_order)}
    ranked = sorted(rows.items(), key=lambda item: order.get(item[0], len(order)))
    evaluable = [one for _, one in ranked if one.category.is_evaluable]
    return next(
        iter(
            [one for one in evaluable if one.category.is_progression]
            + [one for one in evaluable if one.category in WAITING]
            + [one for one in evaluable if one.category is not Category.NED]
            + evaluable
        ),
        None,
    )


def overall_row(
    comparator: Comparator,
    course: PatientCourse,
    visit: Visit,
    rows: Mapping[Modality, JudgedPanel],
    settings: Settings,
) -> Response:
    """The patient at one visit, by the modality that speaks; the answers of its rows stand in that modality's row."""
    leader = _leader(rows, settings)
    if leader is not None:
        row = _panel_row(comparator, course, leader, OVERALL)
        others = [
            f"{modality} {one.category}"
            for modality, one in rows.items()
            if one.category.is_evaluable and one.category is not leader.category
        ]
        reason = f"{leader.panel.modality}: {leader.reason}"
        return row._replace(reason=reason, discordant="; ".join(others), verdicts=())
    baseline = visit.index == 0 and course.has_baseline
    silent = {modality: one for modality, one in rows.items() if not one.category.is_evaluable}
    told = "; ".join(f"{modality} {one.category}: {one.reason}" for modality, one in silent.items())
    read = ", ".join(sorted(comparator.modalities(settings)))
    return Response(
        patient_id=course.patient.patient_id,
        visit=visit.label,
        date=visit.date,
        weeks=visit.weeks,
        criteria=comparator.code,
        scope=OVERALL,
        category=Category.BL if baseline else Category.NE,
        reason="baseline" if baseline else told or f"none of {read} at this visit",
    )


def _panel_row(comparator: Comparator, course: PatientCourse, judged: JudgedPanel, scope: str) -> Response:
    panel = judged.panel
    from_baseline = known_change(panel.total.now, panel.total.baseline)
    row = Response(
        patient_id=course.patient.patient_id,
        visit=panel.visit.label,
        date=panel.visit.date,
        weeks=panel.visit.weeks,
        criteria=comparator.code,
        scope=scope,
        category=judged.category,
        unconfirmed=judged.unconfirmed,
        mixed=bool(judged.progressing and judged.responding),
        size_change_baseline=from_baseline,
        size_change_nadir=known_change(panel.total.now, panel.total.nadir),
        lesions_expected=len(panel.expected),
        lesions_assessed=len(panel.expected) - (0 if panel.is_baseline else len(panel.unassessed)),
        lesions_new=len(panel.new),
        lesions_progressing=len(judged.progressing),
        lesions_responding=len(judged.responding),
        rules=judged.rules,
        reason=judged.reason,
        verdicts=judged.verdicts,
    )
    if comparator.unit is Unit.PRODUCT:
        return row._replace(product_sum_mm2=panel.total.now, product_change_baseline=from_baseline)
    if comparator.unit is Unit.LONG_AXIS:
        return row._replace(long_axis_sum_mm=panel.total.now, long_axis_change_baseline=from_baseline)
    return row
