"""Rows on tracer uptake: the count ratio to reference bone (CR4, PR5, PD3)."""

from __future__ import annotations

from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, LesionRule
from mdanderson.criteria.rule import Check, Limits, Threshold
from mdanderson.quantities import Undefined, fixed, percent
from mdanderson.settings import Settings

__all__ = ["NORMAL_UPTAKE", "uptake_change", "uptake_fall", "uptake_normal", "uptake_rise"]


NORMAL_UPTAKE = Limits(thresholds=(Threshold.at_most("uptake_ratio", "image.normal_uptake"),))


def uptake_normal(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR4: uptake back to that of reference bone, having been above it at baseline."""
    if facts.gone:
        return Check.fired(f"{facts.name} is gone")
    now, before = facts.uptake.now, facts.uptake.baseline
    if now is None:
        return Check.not_assessable("uptake ratio was not measured")
    if before is None:
        return Check.not_assessable("uptake at baseline is not known")
    if rule.met("uptake_ratio", before, settings):
        return Check.not_applicable(f"uptake was normal at baseline, ratio {fixed(before, 2)}")
    return Check.when(rule.met("uptake_ratio", now, settings), f"uptake ratio {fixed(before, 2)} -> {fixed(now, 2)}")


def uptake_fall(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PR5: uptake against baseline has fallen by the row's share."""
    rise = facts.uptake.change_baseline
    if isinstance(rise, Undefined):
        return Check.not_assessable(f"uptake: {rise}")
    words = uptake_change(facts, limits=(-rule.limit("uptake_fall", settings),))
    return Check.when(rule.met("uptake_fall", -rise, settings), words)


def uptake_rise(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PD3: uptake has risen by the row's share above its lowest earlier value, to more than normal."""
    if facts.flare and not facts.settled:
        return Check.not_fired(f"{facts.name} hotter: flare")
    # since a flare was settled nothing but what follows it counts, and its own visit is where that begins
    name = "nadir" if facts.settled else settings.policy.progression_reference
    since = "its lowest" if name == "nadir" else name
    now, reference = facts.uptake.now, facts.uptake.reference(name)
    rise = facts.uptake.change_from(name)
    if now is None or reference is None:
        return Check.not_assessable(f"uptake: {rise}")
    if not rule.met("uptake_ratio", now, settings):
        return Check.not_fired(f"uptake is normal, ratio {fixed(now, 2)}")
    if isinstance(rise, Undefined):
        return Check.fired(f"uptake ratio {fixed(reference, 2)} -> {fixed(now, 2)}")
    limit = rule.limit("uptake_rise", settings)
    told = percent(rise, limits=(limit,))
    words = f"uptake ratio {fixed(reference, 2)} -> {fixed(now, 2)}, {told} from {since}"
    return Check.when(rule.met("uptake_rise", rise, settings), words)


def uptake_change(facts: LesionFacts, *, limits: tuple[Fraction, ...]) -> str:
    """In words how a lesion's uptake stands to its baseline; blank where there is nothing to compare."""
    now, before = facts.uptake.now, facts.uptake.baseline
    rise = facts.uptake.change_baseline
    if isinstance(rise, Undefined) or now is None or before is None:
        return ""
    return f"uptake ratio {fixed(before, 2)} -> {fixed(now, 2)}, {percent(rise, limits=limits)} from baseline"
