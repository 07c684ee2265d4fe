"""Rows on bone density (CR1, CR2, PR1), and the same questions asked of a bare place in an image.

A question about one `Density` answers True, False, or None when that cannot be told.
"""

from __future__ import annotations

from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, LesionRule
from mdanderson.criteria.rule import Check, Limits, Threshold
from mdanderson.findings import Density
from mdanderson.quantities import exact, fixed
from mdanderson.settings import Settings

__all__ = [
    "COMPLETE_FILL_IN",
    "NEW_RIM_OR_FILL_IN",
    "NORMAL_DENSITY",
    "complete_fill_in",
    "density_normal",
    "is_back_to_normal",
    "is_completely_filled_in",
    "is_normal",
    "is_rim_new",
    "rim_or_partial_fill_in",
]


COMPLETE_FILL_IN = Limits(
    thresholds=(
        Threshold.at_least("cleared_fraction", "image.complete_fill_in"),
        Threshold.at_least("fill_in_fraction", "image.complete_fill_in_sclerotic"),
    )
)
NORMAL_DENSITY = Limits(
    thresholds=(
        Threshold.at_most("median_off_in_robust_sd", "image.normal_robust_sd"),
        Threshold.at_most("median_off_hu", "image.normal_minimum_hu"),
        Threshold.below("lytic_fraction", "image.normal_class_share"),
        Threshold.below("sclerotic_fraction", "image.normal_class_share"),
        Threshold.below("lytic_focus_mm", "image.normal_focus_mm"),
        Threshold.at_most("contrast_left", "image.normal_contrast_left"),
    )
)
NEW_RIM_OR_FILL_IN = Limits(
    thresholds=(
        Threshold.at_least("fill_in_fraction", "image.partial_fill_in"),
        Threshold.at_least("rim_fraction", "image.rim_fraction"),
        Threshold.at_least("rim_fraction_rise", "image.rim_fraction_rise"),
    )
)


def is_completely_filled_in(rule: Limits, density: Density, settings: Settings) -> bool | None:
    """CR1: nearly all of the baseline lytic volume is no longer lytic, and enough of it is sclerotic."""
    if density.cleared_fraction is None or density.fill_in_fraction is None:
        return None
    cleared, filled = exact(density.cleared_fraction), exact(density.fill_in_fraction)
    return rule.met("cleared_fraction", cleared, settings) and rule.met("fill_in_fraction", filled, settings)


def is_normal(rule: Limits, density: Density, settings: Settings) -> bool | None:
    """CR2: the median is near that of the reference bone, by its spread or in HU, and hardly a voxel is off."""
    needed = (density.reference_hu, density.reference_sd_hu, density.lytic_fraction, density.sclerotic_fraction)
    if any(value is None for value in needed):
        return None
    lytic, sclerotic = exact(density.lytic_fraction or 0), exact(density.sclerotic_fraction or 0)
    near = _is_near(rule, density, settings)
    few = rule.met("lytic_fraction", lytic, settings) and rule.met("sclerotic_fraction", sclerotic, settings)
    return near and few


def is_back_to_normal(rule: Limits, density: Density, before: Density | None, settings: Settings) -> bool | None:
    """CR2: normal now, off by its median before (detail 29), and plainly nearer to reference bone than it was.

    Where bone is hardly denser than soft tissue noise alone carries a place across a limit; a change must be seen. Nor
    may what was a lytic focus be one still.
    """
    normal = is_normal(rule, density, settings)
    if normal is None or before is None or is_normal(rule, before, settings) is None:
        return None
    changed = rule.met("contrast_left", _contrast_left(density, before), settings)
    healed = _is_without_focus(rule, density, settings) is not False or bool(_is_without_focus(rule, before, settings))
    return normal and changed and healed and not _is_near(rule, before, settings)


def _is_without_focus(rule: Limits, density: Density, settings: Settings) -> bool | None:
    """Whether no lytic part hangs together that would count if it were new."""
    if density.lytic_focus_mm is None:
        return None
    return rule.met("lytic_focus_mm", exact(density.lytic_focus_mm), settings)


def _is_near(rule: Limits, density: Density, settings: Settings) -> bool:
    """Whether the median is that of the reference bone, by its spread or in HU."""
    off, spread = abs(exact(density.median_hu) - exact(density.reference_hu or 0)), exact(density.reference_sd_hu or 0)
    if rule.met("median_off_hu", off, settings):
        return True
    return spread > 0 and rule.met("median_off_in_robust_sd", off / spread, settings)


def _contrast_left(now: Density, before: Density) -> Fraction:
    """Distance of the median from reference bone now, as a share of what it was; 1 where there was none."""
    left, right = (abs(exact(one.median_hu) - exact(one.reference_hu or 0)) for one in (now, before))
    return left / right if right else Fraction(1)


def is_rim_new(rule: Limits, density: Density, before: Density | None, settings: Settings) -> bool | None:
    """PR1: a sclerotic rim that was not there before."""
    if density.rim_fraction is None or before is None or before.rim_fraction is None:
        return None
    rim, earlier = exact(density.rim_fraction), exact(before.rim_fraction)
    return rule.met("rim_fraction", rim, settings) and rule.met("rim_fraction_rise", rim - earlier, settings)


def complete_fill_in(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR1: complete sclerotic fill-in of the baseline lytic volume."""
    now = facts.density_now
    if now is None:
        return Check.not_assessable("density was not measured")
    filled = is_completely_filled_in(rule, now, settings)
    if filled is None:
        return _not_measured(now, "fill-in was not measured")
    cleared, sclerotic = _percent(now.cleared_fraction), _percent(now.fill_in_fraction)
    return Check.when(filled, f"{cleared} of the lytic volume cleared, {sclerotic} of it sclerotic")


def rim_or_partial_fill_in(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PR1: a sclerotic rim that was not there at baseline, or part of the lytic volume now sclerotic."""
    now, before = facts.density_now, facts.density_at_baseline
    if now is None:
        return Check.not_assessable("density was not measured")
    filled, rimmed = now.fill_in_fraction, is_rim_new(rule, now, before, settings)
    told = f"{_percent(filled)} of the lytic volume filled in by sclerosis"
    if filled is not None and rule.met("fill_in_fraction", exact(filled), settings):
        return Check.fired(told)
    if rimmed is not None and before is not None:
        rim = f"sclerotic rim on {_percent(now.rim_fraction)} of the boundary"
        return Check.when(rimmed, f"{rim}, {_percent(before.rim_fraction)} at baseline")
    return _not_measured(now, "rim and fill-in were not measured") if filled is None else Check.not_fired(told)


def density_normal(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR2: density back to normal, having been abnormal at baseline."""
    now, before = facts.density_now, facts.density_at_baseline
    normal = None if now is None else is_normal(rule, now, settings)
    if facts.gone and normal is not False:
        return Check.fired(f"{facts.name} is gone")
    if now is None:
        return Check.not_assessable("density was not measured")
    if normal is None or now.reference_hu is None:
        return _not_measured(now, "the shares of lytic and sclerotic bone were not measured")
    earlier = None if before is None else is_normal(rule, before, settings)
    if earlier is None:
        return Check.not_assessable("density at baseline is not known")
    if earlier:
        return Check.not_applicable("as dense as its bone already at baseline")
    told = f"median {fixed(now.median_hu, 0)} HU, reference bone {fixed(now.reference_hu, 0)} HU"
    back = is_back_to_normal(rule, now, before, settings) is True
    if normal and not back:
        told += ", hardly nearer to it than at baseline"
    return Check.when(back, told)


def _not_measured(density: Density, what: str) -> Check:
    """For the reason told, without reference bone, or without one of the shares."""
    return Check.not_assessable(density.why or ("no valid reference bone" if density.reference_hu is None else what))


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{fixed(exact(share) * 100, 0)} %"
