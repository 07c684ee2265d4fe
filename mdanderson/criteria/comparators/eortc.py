"""EORTC 1999: SUVmax of the lesions of the baseline PET, added.

Falls are taken from baseline, rises from the lowest earlier sum. A lesion that is gone counts 0. From a sum of 0 a rise
has no percentage: uptake again above `[eortc] reappeared_suv` is then new uptake, PMD. Lesions
treated locally stay in the sum, and `reason` names them.

Source: Young et al., Eur J Cancer 1999;35:1773-1782.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.comparators.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.comparators.panel import Followed, Panel, PanelRule
from mdanderson.criteria.comparators.pet import PET, baseline_lesions, largest, what_is_missing
from mdanderson.criteria.comparators.rows import all_gone, new_lesion_there, panel_row
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.rule import Check, Comparison, Limits, Measure, Threshold
from mdanderson.criteria.track import Track
from mdanderson.findings import LesionFinding
from mdanderson.quantities import Undefined, change, exact_if_known, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = ["CODE", "RULES", "SET", "TITLE", "assess"]

CODE, TITLE = "eortc", "EORTC 1999"
SOURCE = "Young et al., Eur J Cancer 1999;35:1773-1782"

RISE = Limits(
    thresholds=(
        Threshold(quantity="suv_rise", comparison=Comparison.ABOVE, setting="eortc.pmd_rise"),
        Threshold(quantity="reappeared_suv", comparison=Comparison.ABOVE, setting="eortc.reappeared_suv"),
    )
)
FALL = Limits(thresholds=(Threshold(quantity="suv_fall", comparison=Comparison.AT_LEAST, setting="eortc.pmr_fall"),))


def suv_max(finding: LesionFinding) -> Fraction | None:
    """SUVmax."""
    return exact_if_known(finding.suv_max)


def rises(limits: Limits, value: Track, settings: Settings) -> bool:
    """Whether SUVmax has risen enough from its lowest earlier value, as far as it is known to be there now."""
    now = value.at_least
    rise = change(now, value.nadir)
    if now is not None and rise is Undefined.ZERO_REFERENCE:
        return limits.met("reappeared_suv", now, settings)
    return not isinstance(rise, Undefined) and limits.met("suv_rise", rise, settings)


def _sum_rises(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PMD by the sum; a rise found in the lesions that are known proves it."""
    met = panel.total.nadir is not None and rises(rule, panel.total, settings)
    if not met and (panel.total.now is None or panel.total.nadir is None):
        return Check.not_assessable(what_is_missing(panel, "SUVmax"))
    limit = rule.limit("suv_rise", settings)
    return Check.when(met, lambda: _told(panel, panel.total.nadir, "the lowest earlier sum", limit))


def _sum_falls(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    fall = change(panel.total.now, panel.total.baseline)
    if fall in {Undefined.NOT_ASSESSED, Undefined.NO_REFERENCE}:
        return Check.not_assessable(what_is_missing(panel, "SUVmax"))
    if isinstance(fall, Undefined):
        return Check.not_fired("sum of SUVmax 0 at baseline: nothing to fall from")
    limit = -rule.limit("suv_fall", settings)
    return Check.when(
        rule.met("suv_fall", -fall, settings), lambda: _told(panel, panel.total.baseline, "baseline", limit)
    )


def _steady(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    if panel.total.now is None or panel.total.baseline is None:
        return Check.not_assessable(what_is_missing(panel, "SUVmax"))
    limits = RISE.limit("suv_rise", settings), -FALL.limit("suv_fall", settings)
    return Check.fired(lambda: _told(panel, panel.total.baseline, "baseline", *limits))


def _told(panel: Panel, reference: Fraction | None, name: str, *limits: Fraction) -> str:
    now, before = panel.total.at_least or Fraction(0), reference or Fraction(0)
    changed = change(now, before)
    told = f"from {name} of 0" if isinstance(changed, Undefined) else f"{percent(changed, limits=limits)} from {name}"
    return f"sum of SUVmax {fixed(before, 2)} -> {fixed(now, 2)}, {told}"


_row = partial(panel_row, source=SOURCE, modalities=PET)

RULES: tuple[PanelRule, ...] = (
    _row("EORTC-NEW", Category.PMD, Measure.PRESENCE, "a new lesion", new_lesion_there),
    _row(
        "EORTC-PMD",
        Category.PMD,
        Measure.UPTAKE,
        "sum of SUVmax rises by > 25 % from its lowest earlier value; from 0, any uptake again",
        _sum_rises,
        RISE,
    ),
    _row("EORTC-CMR", Category.CMR, Measure.PRESENCE, "every lesion is gone", all_gone),
    _row(
        "EORTC-PMR",
        Category.PMR,
        Measure.UPTAKE,
        "sum of SUVmax falls by >= 25 % from baseline",
        _sum_falls,
        FALL,
    ),
    _row("EORTC-SMD", Category.SMD, Measure.UPTAKE, "neither", _steady),
)


def _lesion(one: Followed, settings: Settings) -> Category:
    """What one lesion's SUVmax says by itself."""
    if one.target and rises(RISE, one.value, settings):
        return Category.PMD
    if one.facts.gone:
        return Category.CMR
    fall = change(one.value.now, one.value.baseline)
    if one.facts.unassessed or isinstance(fall, Undefined):
        return Category.NE
    return Category.PMR if FALL.met("suv_fall", -fall, settings) else Category.SMD


EORTC = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda _settings: PET,
    quantity=suv_max,
    targets=baseline_lesions,
    lesion=_lesion,
    unit=Unit.UPTAKE,
    merged=largest,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by EORTC."""
    return assess_panels(EORTC, course, settings)


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
