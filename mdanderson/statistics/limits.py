"""Limits of agreement: by how much two readers' measurements of one thing differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from mdanderson.quantities import Number
from mdanderson.statistics.quantiles import CONFIDENCE, normal_quantile, t_quantile
from mdanderson.statistics.whole import whole_multiples

__all__ = ["LEAST_PAIRS", "BlandAltman", "bland_altman"]

LEAST_PAIRS = 3
"""Fewer pairs say nothing of a spread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlandAltman:
    """Differences (first reader less second) in the unit of the measurement, with 95 % intervals.

    bias: their mean; sd: their standard deviation (n - 1); `lower` and `upper`: the limits between which 95 % of
    differences are expected. All None below three pairs, and `reason` says so.
    """

    n: int
    bias: float | None = None
    bias_low: float | None = None
    bias_high: float | None = None
    sd: float | None = None
    lower: float | None = None
    lower_low: float | None = None
    lower_high: float | None = None
    upper: float | None = None
    upper_low: float | None = None
    upper_high: float | None = None
    reason: str = ""


def bland_altman(pairs: Sequence[tuple[Number, Number]]) -> BlandAltman:
    """Bias and limits of agreement of pairs (one reader's number, the other's), both in one unit.

    The limits are bias +/- 1.96 sd; the error of a limit is sd sqrt(1/n + 1.96^2 / (2 (n - 1))) and its interval takes
    t with n - 1 degrees of freedom (Bland and Altman, Stat Methods Med Res 1999;8:135, section 2.3).
    Raises `MeasurementError` for NaN and infinities.
    """
    n = len(pairs)
    if n < LEAST_PAIRS:
        return BlandAltman(n=n, reason=f"fewer than {LEAST_PAIRS} pairs")
    rows, scale = whole_multiples(pairs)
    differences = [one - other for one, other in rows]
    added, squared = sum(differences), sum(difference * difference for difference in differences)
    bias = float(Fraction(added, n * scale))
    sd = sqrt(Fraction(n * squared - added * added, n * (n - 1) * scale * scale))
    z = normal_quantile((1 + CONFIDENCE) / 2)
    t = t_quantile((1 + CONFIDENCE) / 2, n - 1)
    lower, upper = bias - z * sd, bias + z * sd
    bias_reach = t * sd / sqrt(n)
    limit_reach = t * sd * sqrt(1 / n + z**2 / (2 * (n - 1)))
    return BlandAltman(
        n=n,
        bias=bias,
        bias_low=bias - bias_reach,
        bias_high=bias + bias_reach,
        sd=sd,
        lower=lower,
        lower_low=lower - limit_reach,
        lower_high=lower + limit_reach,
        upper=upper,
        upper_low=upper - limit_reach,
        upper_high=upper + limit_reach,
    )
