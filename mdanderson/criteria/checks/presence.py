"""Rows on what is there: a new metastasis (PD4), a lesion at all (SD1), and what a flare brings out (PR2)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, LesionRule, Origin
from mdanderson.criteria.rule import Check, Limits, Threshold
from mdanderson.quantities import exact, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality

__all__ = [
    "COMPLETE_BY_READER",
    "NEW_LESION",
    "NEW_LESION_SIZE",
    "equivocal_words",
    "new_lesion",
    "newly_visible_by_sclerosis",
    "something_assessed",
]

NEW_LESION_SIZE = Limits(thresholds=(Threshold.at_least("long_axis_mm", "policy.new_lesion_mm"),))
"""From which size a new focus counts as a new lesion."""
NEW_LESION = Limits(
    thresholds=(*NEW_LESION_SIZE.thresholds, Threshold.above("uptake_ratio", "image.normal_uptake")),
)
"""The same, and above which uptake a new focus on a bone scan does."""
COMPLETE_BY_READER: Mapping[Modality, frozenset[str]] = {
    Modality.CT: frozenset({"CR1", "CR2"}),
    Modality.XR: frozenset({"CR1", "CR2"}),
    Modality.MR: frozenset({"CR3"}),
    Modality.NM: frozenset({"CR4"}),
}
"""The rows by which a reader says that nothing is left of a lesion."""


def new_lesion(_rule: LesionRule, facts: LesionFacts, _settings: Settings) -> Check:
    """PD4: a metastasis that was not there at baseline, counts (`NEW_LESION`), has not ended since and is not flare."""
    if facts.origin is not Origin.NEW:
        return Check.not_applicable("was there at baseline")
    if facts.equivocal:
        return Check.not_fired(facts.unassessed)
    if facts.flare:
        return Check.not_fired(f"{facts.name} is new: flare")
    if not facts.here:
        return Check.not_fired(f"{facts.name} was new and is {'gone' if facts.gone else 'abnormal no more'}")
    without_row = "" if facts.now else ", without a row at this visit: taken to be still there"
    return Check.fired(f"{facts.name} is a new bone metastasis{without_row}")


def equivocal_words(counts: Limits, uptake: Fraction | None, settings: Settings) -> str:
    """Said of a new focus that is too small to count, or whose uptake is normal."""
    if uptake is not None and not counts.met("uptake_ratio", uptake, settings):
        return f"new focus of normal uptake, ratio {fixed(uptake, 2)}: not counted"
    return f"new focus below {fixed(counts.limit('long_axis_mm', settings))} mm: equivocal, not counted"


def something_assessed(_rule: LesionRule, facts: LesionFacts, _settings: Settings) -> Check:
    """SD1: it could be judged, and (by the order of categories) nothing else holds.

    Density alone does not say that a lesion has not grown.
    """
    known = facts.size.is_comparable or facts.uptake.is_comparable
    if not known and all(finding.signal_ratio is None for finding in facts.now):
        return Check.not_assessable("no size to compare")
    return Check.fired(lambda: f"{facts.name} did not change enough for another row")


def newly_visible_by_sclerosis(rule: LesionRule, facts: LesionFacts, settings: Settings) -> bool:
    """PR2: whether a new lesion is blastic, or seen through a sclerotic rim: the ones that a flare brings out."""
    first = facts.baseline or facts.now
    rims = [f.density.rim_fraction for f in first if f.density and f.density.rim_fraction is not None]
    rimmed = any(rule.met("rim_fraction", exact(rim), settings) for rim in rims)
    return rimmed or any(finding.lesion_type is LesionType.BLASTIC for finding in first)
