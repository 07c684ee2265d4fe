"""Measurements as whole multiples of one small unit: their sums are exact, in any order, and quick."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from mdanderson.quantities import Number, exact

__all__ = ["whole_multiples"]


def whole_multiples(rows: Sequence[Sequence[Number]]) -> tuple[list[list[int]], int]:
    """The numbers times the second value, the smallest that makes all of them whole.

    Raises `MeasurementError` for NaN and infinities.

    >>> whole_multiples([(0.1, 2), (0.25, 0)])
    ([[2, 40], [5, 0]], 20)
    """
    fractions = [[exact(value) for value in row] for row in rows]
    scale = lcm(*{value.denominator for row in fractions for value in row})
    return [[value.numerator * (scale // value.denominator) for value in row] for row in fractions], scale
