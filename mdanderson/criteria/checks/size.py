"""Rows on size: the two perpendicular diameters added, of a lesion or of all of them (PR3, PR4, PD1, PD2, SD2, SD3)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, LesionRule
from mdanderson.criteria.rule import Check
from mdanderson.criteria.track import Reference, Track
from mdanderson.findings import LesionFinding
from mdanderson.quantities import Share, Undefined, exact, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["is_measurable", "size_fall", "size_rise", "size_steady"]


def size_fall(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Size against baseline has fallen by the row's share."""
    size = facts.size
    rise = size.from_baseline
    if isinstance(rise, Undefined):
        return Check.not_assessable(f"size: {rise}")

    def words() -> str:
        told = percent(rise, limits=(-rule.limit("size_fall", settings),))
        return f"{facts.name} {_sizes(size.baseline, size.now)}, {told} from baseline"

    return Check.when(rule.in_force(settings)["size_fall"].met(-rise), words)


def size_rise(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Size against the smallest earlier one has risen by the row's share and by its floor in mm.

    What is left of an incomplete sum can prove a rise, never disprove it. From zero it is a reappearance, which counts
    from the size that makes a lesion measurable.
    """
    size, name = facts.size, settings.policy.progression_reference
    rise = size.change_from(name, at_least=True)
    if rise is Undefined.ZERO_REFERENCE:
        long_axis, words = _reappeared(rule, facts, settings)
        check = Check.when(rule.met("reappeared_mm", long_axis, settings), words)
    elif isinstance(rise, Undefined):
        return Check.not_assessable(f"size: {rise}")
    else:
        check = Check.when(_rises(rule, size, name, settings), lambda: _told_rise(rule, facts, rise, settings))
    if size.whole_now is None and not check.holds:
        return Check.not_assessable("size: sum incomplete")
    return check


def _told_rise(rule: LesionRule, facts: LesionFacts, rise: Share, settings: Settings) -> str:
    size, name = facts.size, settings.policy.progression_reference
    part = "" if size.now is not None else " in the assessed part alone"
    told = percent(rise, limits=(rule.limit("size_rise", settings),))
    sizes = _sizes(size.reference(name), size.at_least)
    return f"{facts.name} {sizes}, {told}{_since(size, name)}{part}{_other_reference(rule, size, settings)}"


def _since(size: Track, name: Reference) -> str:
    """What a rise is measured from, in words."""
    if not size.line.whole_from:
        return f" from {name}"
    return f" from the {'smallest' if name == 'nadir' else 'first'} since all that merged was there"


def size_steady(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """Neither the rise nor the fall of the row is reached; a rise below its floor in mm is none."""
    size, name = facts.size, settings.policy.progression_reference
    rise, fall = size.change_from(name), size.from_baseline
    if rise is Undefined.ZERO_REFERENCE and not isinstance(fall, Undefined):
        long_axis, reappeared = _reappeared(rule, facts, settings)
        steady = rule.met("reappeared_mm", long_axis, settings) and rule.met("size_fall", -fall, settings)
        return Check.when(steady, reappeared)
    if isinstance(rise, Undefined) or isinstance(fall, Undefined):
        return Check.not_assessable(f"size: {rise if isinstance(rise, Undefined) else fall}")

    limits = rule.in_force(settings)

    def words() -> str:
        sides = (limits["size_rise"].limit, -limits["size_fall"].limit)
        if size.line.whole_from:
            sizes = _sizes(size.reference(name), size.now)
            told = f"{facts.name} {sizes}, {percent(rise, limits=sides)}{_since(size, name)}"
            return f"{told} ({percent(fall, limits=sides)} from baseline)"
        told = f"{facts.name} {_sizes(size.baseline, size.now)}, {percent(fall, limits=sides)} from baseline"
        if name == "baseline" or size.nadir_is_baseline:
            return told
        return f"{told}, {percent(rise, limits=sides)} from {name}"

    no_rise = limits["size_rise"].met(rise) or limits["rise_mm"].met(size.rise_from(name))
    return Check.when(no_rise and limits["size_fall"].met(-fall), words)


def _sizes(reference: Fraction | None, now: Fraction | None) -> str:
    left = "?" if reference is None else fixed(reference)
    return f"{left} -> {'?' if now is None else fixed(now)} mm"


def _reappeared(rule: LesionRule, facts: LesionFacts, settings: Settings) -> tuple[Fraction, str]:
    """Long axis (mm) of what was gone before, and the words for it."""
    long_axis = facts.long_axis_mm or Fraction(0)
    least = rule.limit("reappeared_mm", settings)
    return long_axis, f"{facts.name} was gone, long axis now {fixed(long_axis)} mm (counts from {fixed(least)} mm)"


def _rises(rule: LesionRule, size: Track, name: Reference, settings: Settings) -> bool:
    """Whether the rise from a reference above zero reaches the share and the floor of the row."""
    rise = size.change_from(name, at_least=True)
    if isinstance(rise, Undefined):
        return False
    limits = rule.in_force(settings)
    return limits["size_rise"].met(rise) and limits["rise_mm"].met(size.rise_from(name))


def _other_reference(rule: LesionRule, size: Track, settings: Settings) -> str:
    """A warning where baseline and nadir lead to different answers."""
    if _rises(rule, size, "nadir", settings) is _rises(rule, size, "baseline", settings):
        return ""
    other: Reference = "baseline" if settings.policy.progression_reference == "nadir" else "nadir"
    rise, limit = size.change_from(other, at_least=True), rule.limit("size_rise", settings)
    told = str(rise) if isinstance(rise, Undefined) else percent(rise, limits=(limit,))
    return f" (references disagree: {told} from {other})"


def is_measurable(modality: Modality, baseline: Sequence[LesionFinding], settings: Settings) -> bool:
    """A lesion's role by its first findings: the reader's word, else its long axis; without diameters never."""
    sized = [finding for finding in baseline if finding.size_mm is not None and finding.is_seen]
    if not modality.is_anatomical or not sized:
        return False
    stated = [finding.measurable for finding in baseline if finding.measurable is not None]
    if stated:
        return stated[0]
    minimum = exact(settings.policy.minimum_size_mm)
    return any(finding.long_axis_mm is not None and exact(finding.long_axis_mm) >= minimum for finding in sized)
