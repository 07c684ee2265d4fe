"""Rows on what is there: a new metastasis (PD4), a lesion at all (SD1), and what a flare brings out (PR2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from mdanderson.criteria.checks.uptake import uptake_change
from mdanderson.criteria.facts import LesionFacts, LesionRule, Origin
from mdanderson.criteria.rule import Check, Limits, Threshold
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality, Status

__all__ = [
    "COMPLETE_BY_READER",
    "NEW_LESION",
    "NEW_LESION_SIZE",
    "counts_as_new",
    "equivocal_words",
    "is_abnormal_no_more",
    "new_lesion",
    "newly_visible_by_sclerosis",
    "something_assessed",
    "uptake_on_scan",
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


def counts_as_new(finding: LesionFinding, counts: Limits, settings: Settings) -> bool:
    """Whether a new lesion is large enough to count as new, on a bone scan hot enough.

    One without diameters is, unless it is called equivocal. A reader who calls it new has weighed its uptake.
    """
    if not finding.is_seen:
        return False
    ratio = uptake_on_scan((finding,))
    if not finding.stated_new and ratio is not None and not counts.met("uptake_ratio", ratio, settings):
        return False
    if finding.long_axis_mm is None:
        return finding.status is not Status.EQUIVOCAL
    return counts.met("long_axis_mm", exact(finding.long_axis_mm), settings)


def is_abnormal_no_more(
    findings: Sequence[LesionFinding], lesion_type: LesionType | None, counts: Limits, settings: Settings
) -> bool:
    """Whether nothing of a lesion is abnormal any more: by its uptake on a bone scan, or by a reader's word."""
    if any(finding.stated_new and finding.is_seen for finding in findings):
        return False
    for finding in findings:
        complete = COMPLETE_BY_READER.get(finding.modality, frozenset()) & finding.reader_codes
        if lesion_type is LesionType.BLASTIC:
            complete -= {"CR1"}  # a row for lytic lesions
        if complete and not finding.is_silent:
            return True
    uptake = uptake_on_scan(findings)
    return uptake is not None and not counts.met("uptake_ratio", uptake, settings)


def uptake_on_scan(findings: Sequence[LesionFinding]) -> Fraction | None:
    """A lesion's ratio on a bone scan, None where there is none."""
    ratios = (f.uptake_ratio for f in findings if f.modality is Modality.NM and not f.is_silent)
    return next((exact(ratio) for ratio in ratios if ratio is not None), None)


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


def something_assessed(_rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """SD1: it could be judged, and (by the order of categories) nothing else holds.

    Density alone does not say that a lesion has not grown.
    """
    known = facts.size.is_comparable or facts.uptake.is_comparable
    if not known and all(finding.signal_ratio is None for finding in facts.now):
        return Check.not_assessable("no size to compare")
    return Check.fired(lambda: _unchanged(facts, settings))


def _unchanged(facts: LesionFacts, settings: Settings) -> str:
    """What was compared, so that nobody need take `no change` on trust; without numbers where these decide nothing."""
    policy = settings.policy
    compared = uptake_change(facts, limits=(-exact(policy.pr_uptake_fall), exact(policy.pd_uptake_rise)))
    return f"{facts.name}: {compared}" if compared else f"{facts.name} did not change enough for another row"


def newly_visible_by_sclerosis(rule: LesionRule, facts: LesionFacts, settings: Settings) -> bool:
    """PR2: whether a new lesion is blastic, or seen through a sclerotic rim: the ones that a flare brings out."""
    first = facts.baseline or facts.now
    rims = [f.density.rim_fraction for f in first if f.density and f.density.rim_fraction is not None]
    rimmed = any(rule.met("rim_fraction", exact(rim), settings) for rim in rims)
    return rimmed or any(finding.lesion_type is LesionType.BLASTIC for finding in first)
