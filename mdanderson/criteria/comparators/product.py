"""Rows on the product of two perpendicular diameters, for the sets that add products up (WHO, UICC)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mdanderson.criteria.comparators.panel import Followed, Panel, PanelRule, each_once
from mdanderson.criteria.facts import Origin
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.rule import Check, Comparison, Limits, Threshold
from mdanderson.criteria.series import Findings
from mdanderson.findings import LesionFinding
from mdanderson.quantities import Undefined, change, exact, exact_if_known, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = [
    "FALL",
    "RISE",
    "any_rise",
    "lesion_by_product",
    "measured_at_baseline",
    "mixed_response",
    "product",
    "sum_falls",
    "sum_steady",
]

RISE = Limits(
    thresholds=(
        Threshold(quantity="product_rise", comparison=Comparison.AT_LEAST, setting="who.pd_product_rise"),
        Threshold(quantity="reappeared_mm", comparison=Comparison.AT_LEAST, setting="policy.minimum_size_mm"),
    )
)
FALL = Limits(
    thresholds=(Threshold(quantity="product_fall", comparison=Comparison.AT_LEAST, setting="who.pr_product_fall"),)
)
_LEAST = Threshold(quantity="long_axis_mm", comparison=Comparison.AT_LEAST, setting="who.minimum_mm")


def product(finding: LesionFinding) -> Fraction | None:
    """Product of the two diameters in mm2."""
    return exact_if_known(finding.product_mm2)


def measured_at_baseline(histories: Sequence[LesionHistory], settings: Settings) -> frozenset[str]:
    """The baseline lesions that the sum is made of."""
    return frozenset(
        one.lesion_id
        for one in histories
        if one.origin is Origin.BASELINE and _is_measured(one.at(one.baseline_visit), settings)
    )


def _is_measured(first: Findings, settings: Settings) -> bool:
    """Whether a lesion's first findings have two diameters, long enough, that no reader calls not measurable."""
    if any(finding.measurable is False for finding in first):
        return False
    return any(
        bool(finding.product_mm2) and _LEAST.met(exact(finding.long_axis_mm or 0), settings) for finding in first
    )


def _grown(limits: Limits, panel: Panel, settings: Settings) -> tuple[Followed, ...]:
    """The lesions whose own product rises enough."""
    return each_once([one for one in panel.expected if _rises(limits, one, settings)])


def _rises(limits: Limits, one: Followed, settings: Settings) -> bool:
    """Whether one lesion's product has risen against its own smallest; from nothing it must be measurable again.

    A lesion that was there at baseline without being assessed counts from its first product.
    """
    known_later = one.facts.origin is Origin.KNOWN and _is_measured(one.facts.baseline, settings)
    if not (one.target or known_later):
        return False
    rise = one.value.change_nadir
    if rise is Undefined.ZERO_REFERENCE:
        return limits.met("reappeared_mm", one.facts.long_axis_mm or Fraction(0), settings)
    return not isinstance(rise, Undefined) and limits.met("product_rise", rise, settings)


def any_rise(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PD by one or more lesions, each against its own nadir."""
    grown = _grown(rule, panel, settings)
    if grown:
        return Check.fired("; ".join(_told(one, rule.limit("product_rise", settings)) for one in grown))
    return Check.not_fired(lambda: _largest_rise(panel, rule.limit("product_rise", settings)))


def mixed_response(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PD by a lesion that progresses while others respond."""
    grown = _grown(rule, panel, settings)
    better = [one for one in panel.expected if lesion_by_product(one, settings).is_response]
    if not (grown and better):
        return Check.not_fired("lesions do not differ in progression and response")
    worse = ", ".join(one.facts.name for one in grown)
    return Check.fired(f"mixed: {worse} progressing, {', '.join(one.facts.name for one in better)} responding")


def _largest_rise(panel: Panel, limit: Fraction) -> str:
    rises = ((one.value.change_nadir, one.facts.name) for one in panel.expected)
    known = [(rise, name) for rise, name in rises if not isinstance(rise, Undefined)]
    if not known:
        return "no lesion has grown from nothing, none can be compared with its nadir"
    rise, name = max(known)
    return f"largest change from a nadir: {name} {percent(rise, limits=(limit,))}"


def _told(one: Followed, limit: Fraction) -> str:
    rise = one.value.change_nadir
    told = "reappeared" if isinstance(rise, Undefined) else f"{percent(rise, limits=(limit,))} from its nadir"
    return f"{one.facts.name} {fixed(one.value.now or 0)} mm2, {told}"


def sum_falls(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PR by the sum of products."""
    fall = panel.total.change_baseline
    if isinstance(fall, Undefined):
        return _incomplete(panel, fall)
    return Check.when(rule.met("product_fall", -fall, settings), lambda: _sums(panel, settings))


def sum_steady(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """SD: the sum is known, and (by the order of rows) nothing else holds."""
    fall = panel.total.change_baseline
    if isinstance(fall, Undefined):
        return _incomplete(panel, fall)
    return Check.fired(lambda: _sums(panel, settings))


def _sums(panel: Panel, settings: Settings) -> str:
    total = panel.total
    fall = change(total.now, total.baseline)
    limit = -FALL.limit("product_fall", settings)
    told = str(fall) if isinstance(fall, Undefined) else percent(fall, limits=(limit,))
    beside = "".join(f"; {one.facts.unassessed}" for one in panel.unassessed)
    unmeasured = [one.facts.name for one in panel.others if not (one.facts.unassessed or one.facts.gone)]
    if unmeasured:
        beside += f"; there, and without two diameters at baseline: {', '.join(unmeasured)}"
    return f"sum of products {fixed(total.baseline or 0)} -> {fixed(total.now or 0)} mm2, {told} from baseline{beside}"


def _incomplete(panel: Panel, why: Undefined) -> Check:
    if not panel.targets:
        lacking = "with two diameters at baseline" if panel.expected else "at baseline to follow"
        return Check.not_assessable(f"no lesion {lacking}")
    missing = [one.facts.unassessed for one in panel.targets if one.facts.unassessed]
    unmeasured = [f"{one.facts.name} without two diameters" for one in panel.targets if one.value.now is None]
    return Check.not_assessable("; ".join(missing or unmeasured) or f"sum of products: {why}")


def lesion_by_product(one: Followed, settings: Settings) -> Category:
    """What one lesion's product says by itself."""
    if _rises(RISE, one, settings):
        return Category.PD
    if one.facts.gone:
        return Category.CR
    fall = one.value.change_baseline
    if isinstance(fall, Undefined):
        return Category.NE
    return Category.PR if FALL.met("product_fall", -fall, settings) else Category.SD
