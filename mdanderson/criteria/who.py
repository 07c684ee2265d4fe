"""WHO 1979: the sum of the products of two perpendicular diameters.

Source: WHO Handbook for Reporting Results of Cancer Treatment, 1979; Miller et al., Cancer 1981;47:207-214.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.facts import Origin
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.panel import Followed, JudgedPanel, Panel, PanelRule
from mdanderson.criteria.rule import AppliesTo, Check, Comparison, Level, Limits, Measure, Rule, Threshold
from mdanderson.findings import LesionFinding
from mdanderson.quantities import Undefined, change, exact, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["CODE", "RULES", "TITLE", "assess", "confirm_responses"]

CODE, TITLE = "who", "WHO 1979"
SOURCE = "WHO Handbook for Reporting Results of Cancer Treatment, 1979; Miller et al., Cancer 1981;47:207-214"

_SIZED = frozenset(modality for modality in Modality if modality.is_anatomical)

RISE = Limits(
    thresholds=(
        Threshold(quantity="product_rise", comparison=Comparison.AT_LEAST, setting="who.pd_product_rise"),
        Threshold(quantity="reappeared_mm", comparison=Comparison.AT_LEAST, setting="policy.minimum_size_mm"),
    )
)
FALL = Limits(
    thresholds=(Threshold(quantity="product_fall", comparison=Comparison.AT_LEAST, setting="who.pr_product_fall"),)
)


def product(finding: LesionFinding) -> Fraction | None:
    """Product of the two diameters in mm2."""
    return None if finding.product_mm2 is None else exact(finding.product_mm2)


def measured_at_baseline(histories: Sequence[LesionHistory], _settings: Settings) -> frozenset[str]:
    """The baseline lesions that have two diameters."""
    return frozenset(
        one.lesion_id
        for one in histories
        if one.origin is Origin.BASELINE and any(product(finding) for finding in one.at(one.baseline_visit))
    )


def rises(limits: Limits, one: Followed, settings: Settings) -> bool:
    """Whether one lesion's product has risen against its own smallest; from nothing it must be measurable again."""
    if not one.target:
        return False
    rise = change(one.value.now, one.value.nadir)
    if rise is Undefined.ZERO_REFERENCE:
        return limits.met("reappeared_mm", one.facts.long_axis_mm or Fraction(0), settings)
    return not isinstance(rise, Undefined) and limits.met("product_rise", rise, settings)


def _new_lesion(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    names = ", ".join(one.lesion_id for one in panel.new)
    return Check.when(bool(names), f"new: {names}" if names else "no new lesion")


def _any_rise(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PD by one or more lesions, each against its own nadir."""
    grown = [one for one in panel.targets if rises(rule, one, settings)]
    told = "; ".join(_told(one, rule.limit("product_rise", settings)) for one in grown)
    return Check.when(bool(grown), told or "no lesion has grown enough")


def _told(one: Followed, limit: Fraction) -> str:
    rise = change(one.value.now, one.value.nadir)
    told = "reappeared" if isinstance(rise, Undefined) else f"{percent(rise, limits=(limit,))} from its nadir"
    return f"{one.facts.name} {fixed(one.value.now or 0)} mm2, {told}"


def _all_gone(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    missing = [one.facts.unassessed for one in panel.unassessed]
    if missing:
        return Check.not_assessable("; ".join(missing))
    if not panel.expected:
        return Check.not_applicable("no lesion at baseline to follow")
    return Check.when(all(one.facts.gone for one in panel.expected), "every lesion is gone")


def _sum_falls(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    total = panel.total
    fall = change(total.now, total.baseline)
    if isinstance(fall, Undefined):
        return _incomplete(panel, fall)
    return Check.when(rule.met("product_fall", -fall, settings), lambda: _sums(panel, settings))


def _sum_steady(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    total = panel.total
    if isinstance(fall := change(total.now, total.baseline), Undefined):
        return _incomplete(panel, fall)
    return Check.fired(lambda: _sums(panel, settings))


def _sums(panel: Panel, settings: Settings) -> str:
    total = panel.total
    fall = change(total.now, total.baseline)
    limit = -exact(settings.who.pr_product_fall)
    told = str(fall) if isinstance(fall, Undefined) else percent(fall, limits=(limit,))
    return f"sum of products {fixed(total.baseline or 0)} -> {fixed(total.now or 0)} mm2, {told} from baseline"


def _incomplete(panel: Panel, why: Undefined) -> Check:
    missing = [one.facts.unassessed for one in panel.unassessed if one.target]
    unmeasured = [f"{one.facts.name} without two diameters" for one in panel.targets if one.value.now is None]
    return Check.not_assessable("; ".join(missing or unmeasured) or f"sum of products: {why}")


def _row(
    code: str,
    gives: Category,
    measure: Measure,
    text: str,
    holds: Callable[[PanelRule, Panel, Settings], Check],
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> PanelRule:
    return Rule(
        code=code,
        gives=gives,
        modalities=_SIZED,
        level=Level.PATIENT,
        applies_to=AppliesTo.MEASURABLE if measure is Measure.SIZE else AppliesTo.ANY,
        measure=measure,
        text=text,
        source=SOURCE,
        holds=holds,
        thresholds=limits.thresholds,
    )


RULES: tuple[PanelRule, ...] = (
    _row("WHO-NEW", Category.PD, Measure.PRESENCE, "a new lesion", _new_lesion),
    _row("WHO-PD", Category.PD, Measure.SIZE, "product of one or more lesions rises by >= 25 %", _any_rise, RISE),
    _row("WHO-CR", Category.CR, Measure.PRESENCE, "every lesion is gone", _all_gone),
    _row("WHO-PR", Category.PR, Measure.SIZE, "sum of products falls by >= 50 % from baseline", _sum_falls, FALL),
    _row("WHO-SD", Category.SD, Measure.SIZE, "neither", _sum_steady),
)


def confirm_responses(panels: Sequence[JudgedPanel], settings: Settings) -> Sequence[JudgedPanel]:
    """A response that no other visit, at least `confirm_weeks` away, shows as well is unconfirmed."""
    wait = dt.timedelta(days=7 * settings.who.confirm_weeks)
    return [replace(one, unconfirmed=one.category.is_response and not _seen_again(one, panels, wait)) for one in panels]


def _seen_again(one: JudgedPanel, panels: Sequence[JudgedPanel], wait: dt.timedelta) -> bool:
    """Whether another visit, without progression in between, shows the same or better."""
    enough = {Category.CR} if one.category is Category.CR else {Category.CR, Category.PR}
    date = one.panel.visit.date
    for other in panels:
        between = sorted((date, other.panel.visit.date))
        progressed = any(
            between[0] < each.panel.visit.date < between[1] and each.category.is_progression for each in panels
        )
        apart = abs(other.panel.visit.date - date) >= wait
        if other.category in enough and apart and not progressed:
            return True
    return False


def _lesion(one: Followed, settings: Settings) -> Category:
    """What one lesion's product says by itself."""
    if rises(RISE, one, settings):
        return Category.PD
    if one.facts.gone:
        return Category.CR
    fall = change(one.value.now, one.value.baseline)
    if isinstance(fall, Undefined):
        return Category.NE
    return Category.PR if FALL.met("product_fall", -fall, settings) else Category.SD


WHO = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda _settings: _SIZED,
    quantity=product,
    targets=measured_at_baseline,
    lesion=_lesion,
    unit=Unit.PRODUCT,
    settle=confirm_responses,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by WHO."""
    return assess_panels(WHO, course, settings)
