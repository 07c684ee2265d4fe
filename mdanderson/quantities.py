"""Exact numbers: what was written or measured, how it changed, and how a change is told.

A size is a decimal as written. Changes are exact fractions of those decimals, so that 0.1 + 0.2 cannot decide a
category, and a change that does not exist is a named outcome, never a NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import isfinite, lcm
from typing import TypeVar

from mdanderson.errors import MeasurementError

__all__ = [
    "Number",
    "Ratio",
    "Share",
    "Undefined",
    "add_up",
    "change",
    "exact",
    "exact_if_known",
    "fixed",
    "known_change",
    "percent",
    "smallest",
]

Number = Decimal | Fraction | float | int
ExactNumber = TypeVar("ExactNumber", Decimal, Fraction)


class Undefined(StrEnum):
    """Why there is no relative change."""

    NOT_ASSESSED = "not assessed at this visit"
    NO_REFERENCE = "no earlier value to compare with"
    ZERO_REFERENCE = "the earlier value is zero"


class Share:
    """A quotient of whole numbers, the second above zero, as it stands: most are compared with a limit and never told.

    Shares are not compared with each other; `exact` makes the fraction that can be.
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator, self.denominator = numerator, denominator

    def __neg__(self) -> Share:
        return Share(-self.numerator, self.denominator)

    def as_integer_ratio(self) -> tuple[int, int]:
        """Both numbers, as a fraction tells its own."""
        return self.numerator, self.denominator

    @property
    def exact(self) -> Fraction:
        """In lowest terms."""
        return Fraction(self.numerator, self.denominator)


Ratio = Fraction | Share
"""An exact number that may be compared with a limit."""


def exact(value: Number) -> Fraction:
    """The number as it is written: `exact(0.1)` is 1/10.

    Raises `MeasurementError` for NaN and infinities.

    >>> exact(0.1) + exact(0.2) == exact(0.3)
    True
    """
    return value if type(value) is Fraction else _as_written(value)


def exact_if_known(value: Number | None) -> Fraction | None:
    """The same, None where there is no number.

    >>> exact_if_known(None), exact_if_known(Decimal("2.5"))
    (None, Fraction(5, 2))
    """
    return None if value is None else exact(value)


@lru_cache(maxsize=16384, typed=True)  # few sizes occur in a cohort, and each is compared many times
def _as_written(value: Number) -> Fraction:
    if not isfinite(value):
        raise MeasurementError(f"{value} is not a number", way_out="leave the cell blank where nothing was measured")
    return Fraction(*value.as_integer_ratio()) if isinstance(value, Decimal) else Fraction(str(value))


def change(now: Fraction | None, reference: Fraction | None) -> Fraction | Undefined:
    """Relative change from `reference` to `now`, both >= 0 and in one unit: -1/2 for a fall by half.

    >>> change(Fraction(15), Fraction(30))
    Fraction(-1, 2)
    >>> change(Fraction(4), Fraction(0))
    <Undefined.ZERO_REFERENCE: 'the earlier value is zero'>
    """
    if now is None:
        return Undefined.NOT_ASSESSED
    if reference is None:
        return Undefined.NO_REFERENCE
    numerator, denominator = now.as_integer_ratio()
    earlier, per = reference.as_integer_ratio()
    if not earlier:
        return Undefined.ZERO_REFERENCE
    return Fraction(numerator * per - earlier * denominator, earlier * denominator)


def known_change(now: Fraction | None, reference: Fraction | None) -> Fraction | None:
    """The same for a table, where a change that does not exist is blank.

    >>> known_change(Fraction(15), Fraction(30)), known_change(Fraction(4), Fraction(0))
    (Fraction(-1, 2), None)
    """
    found = change(now, reference)
    return None if isinstance(found, Undefined) else found


def smallest(values: Iterable[Fraction | None]) -> Fraction | None:
    """The smallest of the values that are known; None where none is.

    >>> smallest([None, Fraction(3), Fraction(5, 2)])
    Fraction(5, 2)
    """
    least: Fraction | None = None
    low, per = 0, 1
    for value in values:
        if value is None:
            continue
        numerator, denominator = value.as_integer_ratio()
        if least is None or numerator * per < low * denominator:
            least, low, per = value, numerator, denominator
    return least


def add_up(values: Iterable[ExactNumber | None]) -> ExactNumber | None:
    """Values of one unit added; None as soon as one of them is not known, and where there is nothing to add.

    >>> add_up([Decimal("20.5"), Decimal(10)]), add_up([Decimal("20.5"), None])
    (Decimal('30.5'), None)
    """
    given = list(values)
    known = [value for value in given if value is not None]
    if not known or len(known) < len(given):
        return None
    if type(known[0]) is Fraction:  # over one denominator: much faster than one fraction after the other
        ratios = [value.as_integer_ratio() for value in known]
        common = lcm(*[denominator for _, denominator in ratios])
        return Fraction(sum([numerator * (common // denominator) for numerator, denominator in ratios]), common)
    return sum(known[1:], start=known[0])


def fixed(value: Number, places: int = 1) -> str:
    """`value` with a fixed number of decimals, halves rounded away from zero; never `-0.0`.

    >>> fixed(Fraction(169, 10)), fixed(Fraction(-1, 1000))
    ('16.9', '0.0')
    """
    numerator, denominator = exact(value).as_integer_ratio()
    return _written(_nearest(numerator * 10**places, denominator), places)


def _nearest(numerator: int, denominator: int) -> int:
    """The whole number next to a quotient, halves away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded


def _written(rounded: int, places: int) -> str:
    digits = str(abs(rounded)).zfill(places + 1)
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if rounded < 0 else text


def percent(value: Ratio, *, limits: tuple[Fraction, ...] = ()) -> str:
    """A relative change in words, signed: '-59 %'.

    It takes as many decimals (up to four) as it needs to read on its own side of every limit it is compared with, so
    that 24.96 % is not printed as the 25 % it did not reach.

    >>> percent(Fraction(-59, 100)), percent(Fraction(2496, 10000), limits=(Fraction(1, 4),))
    ('-59 %', '+24.96 %')
    """
    numerator, denominator = value.as_integer_ratio()
    bounds = [limit.as_integer_ratio() for limit in (*limits, _ZERO)]
    sides = [_side(numerator, denominator, bound) for bound in bounds]
    rounded = places = 0
    for places in range(5):
        scale = 10 ** (places + 2)
        rounded = _nearest(numerator * scale, denominator)
        if sides == [_side(rounded, scale, bound) for bound in bounds]:
            break
    return f"{'+' if numerator > 0 else ''}{_written(rounded, places)} %"


_ZERO = Fraction(0)


def _side(numerator: int, denominator: int, bound: tuple[int, int]) -> int:
    """On which side of a limit a ratio lies; 0 = at it."""
    left, right = numerator * bound[1], bound[0] * denominator
    return (left > right) - (left < right)
