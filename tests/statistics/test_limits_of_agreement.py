"""Limits of agreement against Bland and Altman's own example and a naive twin."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mdanderson.errors import MeasurementError
from mdanderson.statistics import bland_altman

WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
SIZES = st.decimals(0, 300, places=2)
PAIRS = st.lists(st.tuples(SIZES, SIZES), min_size=3, max_size=30)


def test_the_flow_meters_of_bland_and_altman():
    """Lancet 1986;i:307: first readings of two meters, l/min; mean -2.1, sd 38.8, 95 % of the mean -22.0 to 17.8."""
    limits = bland_altman(list(zip(WRIGHT, MINI, strict=True)))
    assert limits.n == 17
    assert (limits.bias, limits.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    assert (limits.bias_low, limits.bias_high) == pytest.approx((-22.0, 17.8), abs=0.06)
    assert (limits.lower, limits.upper) == pytest.approx((-2.1176 - 1.96 * 38.7651, -2.1176 + 1.96 * 38.7651), abs=0.01)
    reach = 2.11991 * 38.7651 * math.sqrt(1 / 17 + 1.96**2 / 32)
    assert limits.lower - limits.lower_low == pytest.approx(reach, abs=0.01)
    assert limits.upper_high - limits.upper == pytest.approx(reach, abs=0.01)
    assert limits.reason == ""


@given(PAIRS)
def test_a_naive_twin_agrees(pairs):
    limits = bland_altman(pairs)
    differences = [float(one) - float(other) for one, other in pairs]
    n, mean, sd = len(pairs), statistics.fmean(differences), statistics.stdev(differences)
    assert (limits.bias, limits.sd) == pytest.approx((mean, sd), abs=1e-9)
    assert (limits.lower, limits.upper) == pytest.approx((mean - 1.959964 * sd, mean + 1.959964 * sd), abs=1e-4)
    low, high = (mean + sign * stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n) for sign in (-1, 1))
    assert (limits.bias_low, limits.bias_high) == pytest.approx((low, high), abs=1e-6)


@given(PAIRS)
def test_swapping_the_readers_turns_everything_round(pairs):
    limits, swapped = bland_altman(pairs), bland_altman([(other, one) for one, other in pairs])
    assert swapped.sd == limits.sd
    assert (swapped.bias, swapped.bias_low, swapped.bias_high) == (-limits.bias, -limits.bias_high, -limits.bias_low)
    assert (swapped.lower, swapped.lower_low, swapped.lower_high) == (
        -limits.upper,
        -limits.upper_high,
        -limits.upper_low,
    )


@given(PAIRS, st.randoms(use_true_random=False))
def test_neither_order_nor_spelling_of_the_numbers_matters(pairs, shuffler):
    shuffled = [(float(one), other) for one, other in pairs]
    shuffler.shuffle(shuffled)
    assert bland_altman(shuffled) == bland_altman(pairs)


@given(PAIRS)
def test_intervals_hold_what_they_are_of(pairs):
    limits = bland_altman(pairs)
    assert limits.lower_low <= limits.lower <= limits.lower_high
    assert limits.upper_low <= limits.upper <= limits.upper_high
    assert limits.lower <= limits.bias_low <= limits.bias <= limits.bias_high <= limits.upper or limits.n < 7


def test_a_constant_difference_has_no_spread():
    """41.2 - 41.1 is not quite 0.1 in binary; it is here."""
    limits = bland_altman([(41.2, 41.1), (0.3, 0.2), (Decimal("7.1"), 7)])
    assert (limits.bias, limits.sd, limits.lower, limits.upper_high) == (0.1, 0, 0.1, 0.1)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_pairs_say_nothing(n):
    limits = bland_altman([(10, 12.5)] * n)
    fields = ("bias", "bias_low", "bias_high", "sd", "lower", "lower_low", "lower_high")
    assert [getattr(limits, name) for name in (*fields, "upper", "upper_low", "upper_high")] == [None] * 10
    assert (limits.n, limits.reason) == (n, "fewer than 3 pairs")


def test_three_pairs_are_enough():
    limits = bland_altman([(1, 0), (2, 0), (3, 0)])
    assert (limits.bias, limits.sd) == (2, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, Decimal("NaN")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(MeasurementError, match="not a number"):
        bland_altman([(1, 2), (3, value), (4, 5)])
