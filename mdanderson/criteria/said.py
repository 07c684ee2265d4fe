"""What the findings of one lesion at one visit come to: gone, seen, a size, an uptake."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from operator import attrgetter

from mdanderson.criteria.checks.density import is_normal
from mdanderson.criteria.rule import Limits
from mdanderson.criteria.series import Findings
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings, Uncertainty
from mdanderson.uncertainty import size_sd_mm
from mdanderson.vocabulary import Basis, LesionType

__all__ = [
    "Quantity",
    "are_gone",
    "are_seen",
    "first_quantity",
    "first_type",
    "gone_without_trace",
    "sd_mm_of",
    "size_in_sequence",
    "size_sequence",
    "uptake_ratio",
]

Quantity = Callable[[LesionFinding], Fraction | None]
"""What a set measures of a finding that is there; None where that was not measured."""

_is_gone, _is_seen = attrgetter("is_gone"), attrgetter("is_seen")


def sd_mm_of(finding: LesionFinding, errors: Uncertainty) -> float:
    """SD (mm) of one finding's size; a lesion that is gone is a statement, without error."""
    if finding.long_axis_mm is None or finding.short_axis_mm is None:
        return 0.0
    return size_sd_mm(exact(finding.long_axis_mm), exact(finding.short_axis_mm), errors)


def gone_without_trace(now: Findings, baseline: Findings, limits: Limits, settings: Settings) -> bool:
    """Whether it was measured as gone by a density that was normal all along."""
    measured = any(f.is_gone and f.basis is Basis.MEASURED and f.density is not None for f in now)
    normal = any(f.density is not None and is_normal(limits, f.density, settings) for f in baseline)
    return measured and normal


def size_sequence(now: Findings, baseline: Findings, settings: Settings) -> str:
    """The MR sequence that gives the size: the first in order that was measured at both visits."""
    if len(now) == len(baseline) == 1 and now[0].sequence == baseline[0].sequence:
        return now[0].sequence
    before = {f.sequence for f in baseline if _size(f) is not None}
    gone = are_gone(now)
    both = {f.sequence for f in now if _size(f) is not None and (gone or not f.is_gone)} & before or before
    rank = {str(name): position for position, name in enumerate(settings.policy.size_sequence_order)}
    return min(both, key=lambda name: (rank.get(name, len(rank)), name), default="")


def _size(finding: LesionFinding) -> Fraction | None:
    """Sum of diameters in mm: 0 when gone, None when not assessed."""
    if finding.is_gone:
        return Fraction(0)
    if finding.is_silent or finding.size_mm is None:
        return None
    return exact(finding.size_mm)


def are_gone(findings: Findings) -> bool:
    """Whether all that was said is that nothing is left."""
    return bool(findings) and all(map(_is_gone, findings))


def are_seen(findings: Findings) -> bool:
    """Whether any of them says that a lesion is there and was judged."""
    return any(map(_is_seen, findings))


def first_type(findings: Findings) -> LesionType | None:
    """The first lesion type that is stated."""
    return next((finding.lesion_type for finding in findings if finding.lesion_type is not None), None)


def first_quantity(findings: Findings, quantity: Quantity) -> Fraction | None:
    """The quantity of the first finding that has it: 0 when the lesion is gone."""
    if are_gone(findings):
        return Fraction(0)
    values = (quantity(finding) for finding in findings if not finding.is_silent)
    return next((value for value in values if value is not None), None)


def size_in_sequence(findings: Findings, sequence: str) -> Fraction | None:
    """Sum of diameters (mm) in one MR sequence: 0 when gone in all of them, None when not assessed."""
    for finding in findings:
        if finding.sequence == sequence:
            return None if finding.is_gone and not are_gone(findings) else _size(finding)
    return Fraction(0) if are_gone(findings) else None  # gone in all sequences, whichever was written


def uptake_ratio(findings: Findings) -> Fraction | None:
    """Ratio to reference bone: that of the bone itself when gone, None when not assessed."""
    if are_gone(findings):
        return Fraction(1)
    ratios = [f.uptake_ratio for f in findings if f.uptake_ratio is not None and not f.is_silent]
    return exact(ratios[0]) if ratios else None
