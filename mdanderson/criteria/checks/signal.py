"""The row on MR signal (CR3)."""

from __future__ import annotations

from mdanderson.criteria.facts import LesionFacts, LesionRule
from mdanderson.criteria.rule import Check, Limits, Threshold
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence

__all__ = ["NORMAL_SIGNAL", "is_signal_normal", "signal_normal"]

_UNREADABLE = frozenset({MrSequence.IN, MrSequence.ADC, MrSequence.FAT, MrSequence.WATER})
"""Sequences whose ratio to marrow says nothing by itself; IN is read together with OPP."""


NORMAL_SIGNAL = Limits(
    thresholds=(
        Threshold.at_least("t1_ratio_low", "image.normal_t1_low"),
        Threshold.at_most("t1_ratio_high", "image.normal_t1_high"),
        Threshold.at_most("t2_ratio", "image.normal_t2_high"),
        Threshold.below("opposed_in_ratio", "image.normal_opposed_in"),
    )
)


def signal_normal(rule: LesionRule, facts: LesionFacts, settings: Settings) -> Check:
    """CR3: normal in every sequence that can judge it (detail 32), one of which saw it abnormal at baseline (29)."""
    if facts.gone:
        return Check.fired(f"{facts.name} is gone")
    before = {finding.sequence: finding for finding in facts.baseline}
    readable = [finding for finding in facts.now if is_signal_normal(rule, finding, settings) is not None]
    abnormal_before = [
        finding
        for finding in readable
        if finding.sequence in before and is_signal_normal(rule, before[finding.sequence], settings) is False
    ]
    if not abnormal_before:
        return Check.not_assessable("no sequence shows it abnormal at baseline and was measured now")
    words = ", ".join(
        f"{finding.sequence or 'signal'} ratio {fixed(finding.signal_ratio or 0, 2)}" for finding in readable
    )
    return Check.when(all(is_signal_normal(rule, finding, settings) for finding in readable), words)


def is_signal_normal(rule: Limits, finding: LesionFinding, settings: Settings) -> bool | None:
    """Whether its signal is that of marrow; None when this sequence cannot tell. A blank sequence is read as T1."""
    if finding.signal_ratio is None or finding.sequence in _UNREADABLE:
        return None
    ratio = exact(finding.signal_ratio)
    if finding.sequence == MrSequence.OPP:
        return rule.met("opposed_in_ratio", ratio, settings)
    if finding.sequence in {MrSequence.T2, MrSequence.STIR}:
        return rule.met("t2_ratio", ratio, settings)
    return rule.met("t1_ratio_low", ratio, settings) and rule.met("t1_ratio_high", ratio, settings)
