"""Intraclass correlation: which share of the spread of measurements is the lesions' own, not the readers'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mdanderson.errors import MeasurementError
from mdanderson.quantities import Number
from mdanderson.statistics.quantiles import CONFIDENCE, f_quantile
from mdanderson.statistics.whole import whole_multiples

__all__ = ["Icc", "icc"]

_LEAST_SUBJECTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Icc:
    """ICC(2,1) with its 95 % interval: 1 = readers are interchangeable; None where undefined, and `reason` says why.

    n: things measured, raters: how many measured each.
    """

    n: int
    raters: int
    icc: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _MeanSquares:
    """Two-way analysis of variance without replication: mean squares of n subjects by k raters."""

    n: int
    k: int
    subjects: Fraction
    raters: Fraction
    error: Fraction


def icc(ratings: Sequence[Sequence[Number]]) -> Icc:
    """ICC(2,1) of ratings, one row per thing measured and one column per rater: pairs for two readers.

    Two-way random effects, absolute agreement, a single rater: Shrout and Fleiss, Psychol Bull 1979;86:420, in McGraw
    and Wong (Psychol Methods 1996;1:30) ICC(A,1). An estimate below zero counts as zero in the degrees of freedom of
    its interval, as a variance cannot be negative.
    Raises `MeasurementError` for rows of unequal length, a single rater, NaN and infinities.
    """
    n, raters = len(ratings), len(ratings[0]) if ratings else 2
    if raters < 2 or any(len(row) != raters for row in ratings):
        raise MeasurementError(
            "ratings that are not two or more numbers for each thing measured",
            way_out="leave out what some raters did not measure",
        )
    if n < _LEAST_SUBJECTS:
        return Icc(n=n, raters=raters, reason=f"fewer than {_LEAST_SUBJECTS} measured by all")
    squares = _mean_squares(whole_multiples(ratings)[0])
    total = squares.subjects + (raters - 1) * squares.error + Fraction(raters, n) * (squares.raters - squares.error)
    if total == 0:
        return Icc(n=n, raters=raters, reason="no variance: all measurements are the same")
    value = (squares.subjects - squares.error) / total
    if squares.raters == squares.error == 0:
        return Icc(n=n, raters=raters, icc=float(value), reason="no interval: the readers never differ")
    if squares.subjects == squares.error == 0:
        return Icc(n=n, raters=raters, icc=float(value), reason="no interval: only the readers differ")
    low, high = _interval(squares, value)
    return Icc(n=n, raters=raters, icc=float(value), low=low, high=high)


def _mean_squares(rows: Sequence[Sequence[int]]) -> _MeanSquares:
    """Exact, by raw sums: whole numbers cannot cancel, and no order of rows or raters changes them."""
    n, k = len(rows), len(rows[0])
    of_subjects = [sum(row) for row in rows]
    of_raters = [sum(column) for column in zip(*rows, strict=True)]
    correction = Fraction(sum(of_subjects) ** 2, n * k)
    between = Fraction(_squared(of_subjects), k) - correction
    raters = Fraction(_squared(of_raters), n) - correction
    error = sum(_squared(row) for row in rows) - correction - between - raters
    return _MeanSquares(
        n=n, k=k, subjects=between / (n - 1), raters=raters / (k - 1), error=error / ((n - 1) * (k - 1))
    )


def _squared(values: Sequence[int]) -> int:
    return sum(value * value for value in values)


def _interval(squares: _MeanSquares, value: Fraction) -> tuple[float, float]:
    """Shrout and Fleiss 1979, p. 424, multiplied through by the error's mean square so that it may be zero."""
    n, k = squares.n, squares.k
    share = max(value, Fraction(0))
    of_raters = k * share * squares.raters
    of_error = (n * (1 + (k - 1) * share) - k * share) * squares.error
    degrees = float(
        (k - 1) * (n - 1) * (of_raters + of_error) ** 2 / ((n - 1) * of_raters**2 + of_error**2),
    )
    upper_tail = (1 + CONFIDENCE) / 2
    subjects, error = float(squares.subjects), float(squares.error)
    others = float(k * squares.raters + (k * n - k - n) * squares.error)
    for_low = f_quantile(upper_tail, n - 1, degrees)
    for_high = f_quantile(upper_tail, degrees, n - 1)
    low = n * (subjects - for_low * error) / (for_low * others + n * subjects)
    high = n * (for_high * subjects - error) / (others + n * for_high * subjects)
    return low, high
