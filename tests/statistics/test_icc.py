"""ICC(2,1) against Shrout and Fleiss's own example and the formulas of McGraw and Wong."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from mdanderson.errors import MeasurementError
from mdanderson.statistics import icc

JUDGES = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
SIZES = st.decimals(0, 300, places=2)
PAIRS = st.lists(st.tuples(SIZES, SIZES), min_size=3, max_size=25)


def naive(ratings: list[tuple[float, ...]]) -> tuple[float, float, float]:
    """ICC(A,1) and its interval as McGraw and Wong 1996 print them (tables 4 and 7), on deviations from means."""
    table = np.asarray(ratings, dtype=float)
    n, k = table.shape
    of_rows = table.mean(axis=1, keepdims=True)
    of_columns = table.mean(axis=0, keepdims=True)
    msr = k * ((of_rows - table.mean()) ** 2).sum() / (n - 1)
    msc = n * ((of_columns - table.mean()) ** 2).sum() / (k - 1)
    mse = ((table - of_rows - of_columns + table.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    value = (msr - mse) / (msr + (k - 1) * mse + k / n * (msc - mse))
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    degrees = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    lower = stats.f.ppf(0.975, n - 1, degrees)
    upper = stats.f.ppf(0.975, degrees, n - 1)
    others = k * msc + (k * n - k - n) * mse
    low = n * (msr - lower * mse) / (lower * others + n * msr)
    high = n * (upper * msr - mse) / (others + n * upper * msr)
    return float(value), float(low), float(high)


def test_the_judges_of_shrout_and_fleiss():
    """Psychol Bull 1979;86:420, table 2: ICC(2,1) = .29; interval as R's irr and psych give it."""
    found = icc(JUDGES)
    assert (found.n, found.raters, found.reason) == (6, 4, "")
    assert (found.icc, found.low, found.high) == pytest.approx((0.2898, 0.0188, 0.7611), abs=5e-5)


def test_two_readers_by_hand():
    """Mean squares 8 of lesions, 6 of readers, 0 of error: 8 / (8 + 2 / 3 * 6)."""
    found = icc([(1, 3), (3, 5), (5, 7)])
    assert found.icc == pytest.approx(8 / (8 + 2 / 3 * 6))
    assert found.low < found.icc < found.high


@given(PAIRS)
def test_mcgraw_and_wong_agree(pairs):
    found = icc(pairs)
    assume(found.icc is not None and 0.01 < found.icc < 0.999)
    assert (found.icc, found.low, found.high) == pytest.approx(
        naive([(float(one), float(other)) for one, other in pairs]), abs=1e-6
    )


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_and_readers_are_interchangeable(pairs, shuffler):
    shuffled = [(float(other), one) for one, other in pairs]
    shuffler.shuffle(shuffled)
    assert icc(shuffled) == icc(pairs)


@given(PAIRS, st.decimals("0.01", 100, places=2), st.decimals(-50, 50, places=1))
def test_neither_unit_nor_zero_point_matters(pairs, factor, shift):
    moved = icc([(one * factor + shift, other * factor + shift) for one, other in pairs])
    found = icc(pairs)
    assert (moved.icc, moved.reason) == (found.icc, found.reason)
    assert (moved.low, moved.high) == pytest.approx((found.low, found.high))


@given(PAIRS)
def test_the_interval_holds_the_estimate(pairs):
    found = icc(pairs)
    if found.low is None:
        assert found.reason
    else:
        assert all(map(math.isfinite, (found.low, found.icc, found.high)))
        assert found.low <= found.icc + 1e-12
        assert found.icc <= found.high + 1e-12
        assert found.high <= 1 + 1e-12


def test_identical_readers_are_interchangeable():
    found = icc([(10, 10), (20, 20), (35.5, 35.5)])
    assert (found.icc, found.low, found.high) == (1, None, None)
    assert found.reason == "no interval: the readers never differ"


def test_lesions_that_never_differ_have_no_share_and_no_interval():
    found = icc([(10, 12.5)] * 4)
    assert (found.icc, found.low, found.high) == (0, None, None)
    assert found.reason == "no interval: only the readers differ"


def test_a_shift_of_one_reader_costs_agreement():
    """A consistency ICC would call these readers perfect."""
    assert icc([(10, 15), (20, 25), (35, 40)]).icc < 1


def test_readers_who_differ_more_than_lesions_do_give_less_than_nothing():
    found = icc([(1, 3), (3, 1), (2, 2.5), (2.5, 2)])
    assert found.icc < 0
    assert found.low < found.icc < found.high


@pytest.mark.parametrize(
    ("ratings", "raters", "reason"),
    [
        ([], 2, "fewer than 3 measured by all"),
        ([(1, 2), (3, 4)], 2, "fewer than 3 measured by all"),
        ([(0.1, 0.1)] * 3, 2, "no variance: all measurements are the same"),
        ([(0, 0, 0)] * 7, 3, "no variance: all measurements are the same"),
    ],
)
def test_undefined_is_none_with_a_reason(ratings, raters, reason):
    found = icc(ratings)
    assert (found.n, found.raters) == (len(ratings), raters)
    assert (found.icc, found.low, found.high, found.reason) == (None, None, None, reason)


@pytest.mark.parametrize("ratings", [[(1,), (2,), (3,)], [(1, 2), (3, 4), (5, 6, 7)], [(), (), ()]])
def test_ratings_of_no_rectangle_are_refused(ratings):
    with pytest.raises(MeasurementError, match="not two or more numbers for each"):
        icc(ratings)


def test_what_is_no_number_is_refused():
    with pytest.raises(MeasurementError, match="not a number"):
        icc([(1, 2), (3, math.nan), (4, 5)])


def test_the_interval_covers_the_true_share_as_often_as_it_says():
    """Lesions vary by 8 mm, readers by none, error by 4 mm: the true share is 64 / 80."""
    chance = random.Random(20240402)
    covered = 0
    for _ in range(400):
        lesions = [chance.gauss(30, 8) for _ in range(25)]
        found = icc([(round(size + chance.gauss(0, 4), 2), round(size + chance.gauss(0, 4), 2)) for size in lesions])
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / 400 <= 0.98
