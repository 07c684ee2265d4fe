"""The questions that rows ask, shared by every criteria set: each compares facts with the limits of its row."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, Origin
from mdanderson.criteria.rule import Check, Rule
from mdanderson.findings import Density, LesionFinding
from mdanderson.quantities import Undefined, change, exact, fixed, percent
from mdanderson.settings import ImageSettings, Settings
from mdanderson.vocabulary import LesionType, MrSequence

__all__ = [
    "complete_fill_in",
    "density_normal",
    "is_density_normal",
    "new_lesion",
    "newly_visible_by_sclerosis",
    "rim_or_partial_fill_in",
    "signal_normal",
    "size_fall",
    "size_rise",
    "size_steady",
    "something_assessed",
    "uptake_fall",
    "uptake_normal",
    "uptake_rise",
]

LesionRule = Rule[LesionFacts]

_UNREADABLE_WEIGHTINGS = frozenset({MrSequence.IN, MrSequence.ADC, MrSequence.FAT, MrSequence.WATER})
"""Sequences whose ratio to marrow says nothing by itself; IN is read together with OPP."""


def _changes(facts: LesionFacts, settings: Settings) -> tuple[Fraction | Undefined, Fraction | None, str]:
    """Rise of size against the reference in force, the reference (mm), and its name."""
    size = facts.size
    at_nadir = settings.policy.progression_reference == "nadir"
    reference = size.nadir if at_nadir else size.baseline
    now = size.least if size.now is None else size.now
    return change(now, reference), reference, "nadir" if at_nadir else "baseline"


def _sizes(reference: Fraction | None, now: Fraction | None) -> str:
    left = "?" if reference is None else fixed(reference)
    return f"{left} -> {'?' if now is None else fixed(now)} mm"


def size_fall(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Size against baseline has fallen by the row's share."""
    size = facts.size
    rise = change(size.now, size.baseline)
    if isinstance(rise, Undefined):
        return Check.not_assessable(f"size: {rise}")
    limit = rule.threshold("size_fall").limit(settings)
    words = f"{facts.name} {_sizes(size.baseline, size.now)}, {percent(rise, limits=(-limit,))} from baseline"
    return Check.when(rule.met("size_fall", -rise, settings), words)


def size_rise(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Size against the smallest earlier one has risen by the row's share and by the absolute floor.

    What is left of an incomplete sum can prove a rise, never disprove it. From zero it is a reappearance, which counts
    from the size that makes a lesion measurable.
    """
    rise, reference, name = _changes(facts, settings)
    now = facts.size.least if facts.size.now is None else facts.size.now
    if rise is Undefined.ZERO_REFERENCE:
        check = _reappearance(facts, settings)
    elif isinstance(rise, Undefined) or now is None or reference is None:
        return Check.not_assessable(f"size: {rise}")
    else:
        limit = rule.threshold("size_rise").limit(settings)
        part = "" if facts.size.now is not None else " in the assessed part alone"
        words = (
            f"{facts.name} {_sizes(reference, now)}, {percent(rise, limits=(limit,))} from {name}{part}"
            f"{_other_reference(rule, facts, settings)}"
        )
        enough = now - reference >= exact(settings.policy.pd_absolute_mm)
        check = Check.when(rule.met("size_rise", rise, settings) and enough, words)
    if facts.size.now is None and check.outcome != "fired":
        return Check.not_assessable("size: sum incomplete")
    return check


def _reappearance(facts: LesionFacts, settings: Settings) -> Check:
    minimum = exact(settings.policy.minimum_size_mm)
    long_axis = facts.long_axis_mm or Fraction(0)
    words = f"{facts.name} was gone, long axis now {fixed(long_axis)} mm (counts from {fixed(minimum)} mm)"
    return Check.when(long_axis >= minimum, words)


def _other_reference(rule: LesionRule, facts: LesionFacts, settings: Settings) -> str:
    """A warning where baseline and nadir lead to different answers."""
    size = facts.size
    now = size.least if size.now is None else size.now
    answers = {}
    for name, reference in (("nadir", size.nadir), ("baseline", size.baseline)):
        rise = change(now, reference)
        answers[name] = not isinstance(rise, Undefined) and rule.met("size_rise", rise, settings)
    if answers["nadir"] == answers["baseline"]:
        return ""
    other = "baseline" if settings.policy.progression_reference == "nadir" else "nadir"
    rise = change(now, size.baseline if other == "baseline" else size.nadir)
    limit = rule.threshold("size_rise").limit(settings)
    told = str(rise) if isinstance(rise, Undefined) else percent(rise, limits=(limit,))
    return f" (references disagree: {told} from {other})"


def size_steady(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Neither the rise nor the fall of the row is reached."""
    size = facts.size
    rise, reference, name = _changes(facts, settings)
    fall = change(size.now, size.baseline)
    if rise is Undefined.ZERO_REFERENCE and size.now is not None and not isinstance(fall, Undefined):
        check = _reappearance(facts, settings)
        steady = check.outcome != "fired" and rule.met("size_fall", -fall, settings)
        return Check.when(steady, check.because)
    if isinstance(rise, Undefined) or isinstance(fall, Undefined):
        return Check.not_assessable(f"size: {rise if isinstance(rise, Undefined) else fall}")
    limits = (rule.threshold("size_rise").limit(settings), -rule.threshold("size_fall").limit(settings))
    below_floor = (
        size.now is not None and reference is not None and size.now - reference < exact(settings.policy.pd_absolute_mm)
    )
    no_rise = rule.met("size_rise", rise, settings) or below_floor
    words = f"{facts.name} {_sizes(size.baseline, size.now)}, {percent(fall, limits=limits)} from baseline"
    if size.baseline != reference:
        words += f", {percent(rise, limits=limits)} from {name}"
    return Check.when(no_rise and rule.met("size_fall", -fall, settings), words)


def _densities(facts: LesionFacts) -> tuple[Density | None, Density | None]:
    """Now and at baseline."""
    now = next((finding.density for finding in facts.now if finding.density), None)
    return now, next((finding.density for finding in facts.baseline if finding.density), None)


def _no_reference(density: Density) -> Check:
    return Check.not_assessable(
        f"no valid reference bone{': ' if density.reference_source else ''}{density.reference_source}"
    )


def complete_fill_in(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR1: nearly all of the baseline lytic volume is no longer lytic, and enough of it is sclerotic."""
    now, _ = _densities(facts)
    if now is None:
        return Check.not_assessable("density was not measured")
    if now.cleared_fraction is None or now.fill_in_fraction is None:
        return _no_reference(now) if now.reference_hu is None else Check.not_assessable("fill-in was not measured")
    cleared, filled = exact(now.cleared_fraction), exact(now.fill_in_fraction)
    words = f"{fixed(cleared * 100, 0)} % of the lytic volume cleared, {fixed(filled * 100, 0)} % of it sclerotic"
    holds = rule.met("cleared_fraction", cleared, settings) and rule.met("fill_in_fraction", filled, settings)
    return Check.when(holds, words)


def rim_or_partial_fill_in(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PR1: a sclerotic rim that was not there at baseline, or part of the lytic volume now sclerotic."""
    now, before = _densities(facts)
    if now is None:
        return Check.not_assessable("density was not measured")
    filled = None if now.fill_in_fraction is None else exact(now.fill_in_fraction)
    if filled is not None and rule.met("fill_in_fraction", filled, settings):
        return Check.fired(f"{fixed(filled * 100, 0)} % of the lytic volume filled in by sclerosis")
    if now.rim_fraction is not None and before is not None and before.rim_fraction is not None:
        rim, earlier = exact(now.rim_fraction), exact(before.rim_fraction)
        words = f"sclerotic rim on {fixed(rim * 100, 0)} % of the boundary, {fixed(earlier * 100, 0)} % at baseline"
        new = rule.met("rim_fraction", rim, settings) and rule.met("rim_fraction_rise", rim - earlier, settings)
        return Check.when(new, words)
    if filled is not None:
        return Check.not_fired(f"{fixed(filled * 100, 0)} % of the lytic volume filled in by sclerosis")
    return _no_reference(now) if now.reference_hu is None else Check.not_assessable("rim and fill-in were not measured")


def is_density_normal(density: Density, image: ImageSettings) -> bool | None:
    """Whether a place is as dense as its reference bone; None when that cannot be told."""
    needed = (density.reference_hu, density.reference_sd_hu, density.lytic_fraction, density.sclerotic_fraction)
    if any(value is None for value in needed):
        return None
    reference, spread, lytic, sclerotic = (exact(value) for value in needed if value is not None)
    band = max(exact(image.normal_robust_sd) * spread, exact(image.normal_minimum_hu))
    share = exact(image.normal_class_share)
    return abs(exact(density.median_hu) - reference) <= band and lytic < share and sclerotic < share


def density_normal(_rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR2: density back to normal, having been abnormal at baseline."""
    now, before = _densities(facts)
    if facts.gone and (now is None or is_density_normal(now, settings.image) is not False):
        return Check.fired(f"{facts.name} is gone")
    if now is None:
        return Check.not_assessable("density was not measured")
    normal = is_density_normal(now, settings.image)
    if normal is None or now.reference_hu is None:
        return _no_reference(now)
    if before is None or (earlier := is_density_normal(before, settings.image)) is None:
        return Check.not_assessable("density at baseline is not known")
    if earlier:
        return Check.not_applicable("as dense as its bone already at baseline")
    return Check.when(normal, f"median {fixed(now.median_hu, 0)} HU, reference bone {fixed(now.reference_hu, 0)} HU")


def signal_normal(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR3: normal in every sequence that can judge it, each abnormal at baseline."""
    if facts.gone:
        return Check.fired(f"{facts.name} is gone")
    before = {finding.sequence: finding for finding in facts.baseline}
    judged = [
        finding
        for finding in facts.now
        if _is_signal_normal(rule, finding, settings) is not None
        and finding.sequence in before
        and _is_signal_normal(rule, before[finding.sequence], settings) is False
    ]
    if not judged:
        return Check.not_assessable("no sequence shows it abnormal at baseline and was measured now")
    words = ", ".join(
        f"{finding.sequence or 'signal'} ratio {fixed(finding.signal_ratio or 0, 2)}" for finding in judged
    )
    return Check.when(all(_is_signal_normal(rule, finding, settings) for finding in judged), words)


def _is_signal_normal(rule: LesionRule, finding: LesionFinding, settings: Settings) -> bool | None:
    """Whether its signal is that of marrow; None when this sequence cannot tell. A blank sequence is read as T1."""
    if finding.signal_ratio is None or finding.sequence in _UNREADABLE_WEIGHTINGS:
        return None
    ratio = exact(finding.signal_ratio)
    if finding.sequence == MrSequence.OPP:
        return rule.met("opposed_in_ratio", ratio, settings)
    if finding.sequence in {MrSequence.T2, MrSequence.STIR}:
        return rule.met("t2_ratio", ratio, settings)
    return rule.met("t1_ratio_low", ratio, settings) and rule.met("t1_ratio_high", ratio, settings)


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
    now, before = facts.uptake.now, facts.uptake.baseline
    rise = change(now, before)
    if isinstance(rise, Undefined) or now is None or before is None:
        return Check.not_assessable(f"uptake: {rise}")
    limit = rule.threshold("uptake_fall").limit(settings)
    words = f"uptake ratio {fixed(before, 2)} -> {fixed(now, 2)}, {percent(rise, limits=(-limit,))} from baseline"
    return Check.when(rule.met("uptake_fall", -rise, settings), words)


def uptake_rise(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PD3: uptake has risen by the row's share above its lowest earlier value, and is not normal."""
    if facts.flare and not facts.settled:
        return Check.not_fired(f"{facts.name} hotter: flare")
    at_nadir = settings.policy.progression_reference == "nadir"
    now, reference = facts.uptake.now, facts.uptake.nadir if at_nadir else facts.uptake.baseline
    rise = change(now, reference)
    if now is None or reference is None:
        return Check.not_assessable(f"uptake: {rise}")
    if now <= exact(settings.image.normal_uptake):
        return Check.not_fired(f"uptake is normal, ratio {fixed(now, 2)}")
    if isinstance(rise, Undefined):
        return Check.fired(f"uptake ratio {fixed(reference, 2)} -> {fixed(now, 2)}")
    limit = rule.threshold("uptake_rise").limit(settings)
    name = "its lowest" if at_nadir else "baseline"
    words = f"uptake ratio {fixed(reference, 2)} -> {fixed(now, 2)}, {percent(rise, limits=(limit,))} from {name}"
    return Check.when(rule.met("uptake_rise", rise, settings), words)


def new_lesion(_rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """PD4: a metastasis that was not there at baseline, large enough to count, not gone since and not flare."""
    if facts.origin is not Origin.NEW:
        return Check.not_applicable("was there at baseline")
    if facts.equivocal:
        return Check.not_fired(
            f"new focus below {fixed(exact(settings.policy.new_lesion_mm))} mm: equivocal, not counted"
        )
    if facts.flare:
        return Check.not_fired(f"{facts.name} is new: flare")
    if not facts.here:
        return Check.not_fired(f"{facts.name} was new and is gone")
    return Check.fired(f"{facts.name} is a new bone metastasis")


def something_assessed(_rule: LesionRule, facts: LesionFacts, _settings: Settings) -> Check:
    """SD1: it could be judged, and (by the order of categories) nothing else holds."""
    now, _ = _densities(facts)
    known: Sequence[object] = (
        facts.size.now if facts.size.baseline is not None else None,
        now and now.reference_hu,
        facts.uptake.now if facts.uptake.baseline is not None else None,
        next((finding.signal_ratio for finding in facts.now if finding.signal_ratio is not None), None),
    )
    if all(value is None for value in known):
        return Check.not_assessable("nothing was measured")
    return Check.fired(f"{facts.name} did not change enough for another row")


def newly_visible_by_sclerosis(facts: LesionFacts, settings: Settings) -> bool:
    """Whether a new lesion is blastic, or seen through a sclerotic rim: the ones that a flare brings out."""
    first = facts.baseline or facts.now
    rims = [f.density.rim_fraction for f in first if f.density and f.density.rim_fraction is not None]
    rimmed = any(exact(rim) >= exact(settings.image.rim_fraction) for rim in rims)
    return rimmed or any(finding.lesion_type is LesionType.BLASTIC for finding in first)
