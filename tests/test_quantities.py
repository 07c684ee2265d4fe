"""Exact arithmetic of sizes and changes."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError
from mdanderson.quantities import Undefined, add_up, change, exact, fixed, percent


def test_a_number_is_what_is_written():
    assert exact(0.1) + exact(0.2) == exact(0.3) == Fraction(3, 10)
    assert exact(Decimal("16.90")) == Fraction(169, 10)
    assert exact(3) == 3
    assert exact(Fraction(1, 3)) == Fraction(1, 3)
    assert exact(1e-7) == Fraction(1, 10**7)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN")])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(MeasurementError, match="not a number"):
        exact(value)


def test_change_is_exact():
    assert change(Fraction(169, 10), Fraction(412, 10)) == Fraction(-243, 412)
    assert change(Fraction(25), Fraction(20)) == Fraction(1, 4)


@pytest.mark.parametrize(
    ("now", "reference", "why"),
    [
        (None, Fraction(1), Undefined.NOT_ASSESSED),
        (None, None, Undefined.NOT_ASSESSED),
        (Fraction(1), None, Undefined.NO_REFERENCE),
        (Fraction(1), Fraction(0), Undefined.ZERO_REFERENCE),
        (Fraction(0), Fraction(0), Undefined.ZERO_REFERENCE),
    ],
)
def test_undefined_changes_are_named(now, reference, why):
    assert change(now, reference) is why


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Fraction(169, 10), 1, "16.9"),
        (Fraction(5, 2), 0, "3"),
        (Fraction(-5, 2), 0, "-3"),
        (Fraction(-1, 1000), 1, "0.0"),
        (Fraction(1, 3), 4, "0.3333"),
        (0, 2, "0.00"),
        (1234567, 0, "1234567"),
        (Fraction(10**30) + Fraction(1, 2), 1, "1" + "0" * 30 + ".5"),
    ],
)
def test_fixed_decimals(value, places, text):
    assert fixed(value, places) == text


@pytest.mark.parametrize(
    ("value", "limits", "text"),
    [
        (Fraction(-59, 100), (), "-59 %"),
        (Fraction(0), (), "0 %"),
        (Fraction(1, 4), (Fraction(1, 4),), "+25 %"),
        (Fraction(249, 1000), (Fraction(1, 4),), "+24.9 %"),
        (Fraction(2499, 10000), (Fraction(1, 4),), "+24.99 %"),
        (Fraction(-4996, 10000), (Fraction(-1, 2),), "-49.96 %"),
        (Fraction(1, 1000), (), "+0.1 %"),
    ],
)
def test_a_printed_change_stays_on_its_side_of_the_limit(value, limits, text):
    assert percent(value, limits=limits) == text


@given(st.fractions(min_value=-1, max_value=10), st.integers(0, 5))
def test_fixed_is_nearest(value, places):
    assert abs(Fraction(fixed(value, places)) - value) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("values", "added"),
    [
        ((Decimal("20.5"), Decimal("10.25")), Decimal("30.75")),
        ((Fraction(1, 3), Fraction(2, 3)), 1),
        ((Decimal(0),), 0),
        ((Decimal(20), None), None),
        ((None, Decimal(20)), None),
        ((), None),
    ],
)
def test_a_sum_is_known_only_with_all_its_parts(values, added):
    assert add_up(iter(values)) == added
