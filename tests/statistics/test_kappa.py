"""Cohen's kappa against published tables, an exact hand calculation and the delta method."""

from __future__ import annotations

import random
from collections import Counter
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.statistics import cohen_kappa
from mdanderson.statistics.kappa import NO_ERROR, NO_PAIRS, ONE_CATEGORY, SCALE, steps_apart
from mdanderson.vocabulary import Category

CR, PR, SD, PD, NE, BL = Category.CR, Category.PR, Category.SD, Category.PD, Category.NE, Category.BL
GRADED = st.lists(st.tuples(st.sampled_from(SCALE), st.sampled_from(SCALE)), max_size=40)


def pairs_of(table: list[list[int]]) -> list[tuple[Category, Category]]:
    """Rows: the first reader's CR, PR, ...; columns: the second's."""
    return [(SCALE[i], SCALE[j]) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]


def test_two_readers_by_hand():
    """50 pairs, kappa (0.7 - 0.5) / 0.5; variance (0.10972 + 0.10188 - 0.01) / (0.25 * 50) = 0.016128."""
    kappa = cohen_kappa(pairs_of([[20, 5], [10, 15]]))
    assert kappa.pairs == 50
    assert kappa.observed_agreement == 0.7
    assert kappa.kappa == 0.4
    assert kappa.low == pytest.approx(0.4 - 1.959964 * sqrt(0.016128), abs=1e-7)
    assert kappa.high == pytest.approx(0.4 + 1.959964 * sqrt(0.016128), abs=1e-7)
    assert kappa.weighted == 0.4
    assert kappa.reason == ""


def test_the_dermatologists_of_the_sas_manual():
    """SAS/STAT, PROC FREQ, example of agreement: 88 patients, four ordered grades, weights of Cicchetti and Allison."""
    kappa = cohen_kappa(pairs_of([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]))
    plain = (kappa.kappa, kappa.low, kappa.high)
    weighted = (kappa.weighted, kappa.weighted_low, kappa.weighted_high)
    assert kappa.pairs == 88
    assert plain == pytest.approx((0.3449, 0.2030, 0.4868), abs=5e-5)
    assert weighted == pytest.approx((0.5082, 0.3798, 0.6366), abs=5e-5)


def test_the_psychiatrists_of_fleiss_cohen_and_everitt():
    """200 diagnoses: kappa 0.492."""
    kappa = cohen_kappa(pairs_of([[88, 14, 18], [10, 40, 10], [2, 6, 12]]))
    assert kappa.kappa == pytest.approx(0.492, abs=5e-4)


def share_beyond_chance(shares: dict[tuple[Category, Category], float], *, linear: bool) -> float:
    """A second, naive kappa, of shares that need not add up to one."""

    def weight(one: Category, other: Category) -> float:
        return 1 - abs(SCALE.index(one) - SCALE.index(other)) / 3 if linear else float(one == other)

    cells = [(one, other) for one in SCALE for other in SCALE]
    rows = {one: sum(shares.get((one, other), 0.0) for other in SCALE) for one in SCALE}
    columns = {other: sum(shares.get((one, other), 0.0) for one in SCALE) for other in SCALE}
    observed = sum(weight(*cell) * shares.get(cell, 0.0) for cell in cells)
    expected = sum(weight(one, other) * rows[one] * columns[other] for one, other in cells)
    return (observed - expected) / (1 - expected)


def delta_method_error(pairs: list[tuple[Category, Category]], *, linear: bool) -> float:
    """Standard error from the numeric gradient of kappa under multinomial sampling."""
    shares = {pair: count / len(pairs) for pair, count in Counter(pairs).items()}
    step = 1e-6
    slopes = {}
    for pair, share in shares.items():
        up = share_beyond_chance(shares | {pair: share + step}, linear=linear)
        down = share_beyond_chance(shares | {pair: share - step}, linear=linear)
        slopes[pair] = (up - down) / (2 * step)
    mean = sum(shares[pair] * slope for pair, slope in slopes.items())
    return sqrt(max(sum(shares[pair] * (slope - mean) ** 2 for pair, slope in slopes.items()), 0.0) / len(pairs))


@given(GRADED)
def test_value_and_error_agree_with_the_delta_method(pairs):
    kappa = cohen_kappa(pairs)
    figures = (
        (False, kappa.kappa, kappa.low, kappa.high),
        (True, kappa.weighted, kappa.weighted_low, kappa.weighted_high),
    )
    for linear, value, low, high in figures:
        if value is None:
            continue
        shares = {pair: count / len(pairs) for pair, count in Counter(pairs).items()}
        assert value == pytest.approx(share_beyond_chance(shares, linear=linear), abs=1e-9)
        reach = 1.959964 * delta_method_error(pairs, linear=linear)
        if low is None:
            assert reach == pytest.approx(0, abs=1e-4)
        else:
            assert low == pytest.approx(max(value - reach, -1), abs=1e-4)
            assert high == pytest.approx(min(value + reach, 1), abs=1e-4)


@given(GRADED)
def test_the_interval_holds_the_estimate_within_its_range(pairs):
    kappa = cohen_kappa(pairs)
    for value, low, high in (
        (kappa.kappa, kappa.low, kappa.high),
        (kappa.weighted, kappa.weighted_low, kappa.weighted_high),
    ):
        if low is not None:
            assert -1 <= low <= value <= high <= 1
        else:
            assert kappa.reason


@given(GRADED, st.randoms(use_true_random=False))
def test_neither_the_order_nor_which_reader_comes_first_matters(pairs, shuffler):
    shuffled = list(pairs)
    shuffler.shuffle(shuffled)
    swapped = [(other, one) for one, other in pairs]
    assert cohen_kappa(pairs) == cohen_kappa(shuffled) == cohen_kappa(swapped)


@given(st.lists(st.sampled_from(SCALE), min_size=2).filter(lambda said: len(set(said)) > 1))
def test_identical_readers_agree_fully_and_without_a_feigned_interval(said):
    kappa = cohen_kappa([(category, category) for category in said])
    assert (kappa.kappa, kappa.weighted, kappa.observed_agreement) == (1, 1, 1)
    assert (kappa.low, kappa.high, kappa.weighted_low, kappa.weighted_high) == (None, None, None, None)
    assert kappa.reason == NO_ERROR


@pytest.mark.parametrize(
    ("pairs", "agreement", "value", "reason"),
    [
        ([], None, None, NO_PAIRS),
        ([(SD, SD)], 1, None, ONE_CATEGORY),
        ([(SD, SD)] * 9, 1, None, ONE_CATEGORY),
        ([(CR, PD)] * 4, 0, 0, NO_ERROR),
        ([(SD, SD), (SD, PD)], 0.5, 0, NO_ERROR),
        ([(SD, PD), (PD, SD)], 0, -1, NO_ERROR),
    ],
)
def test_undefined_figures_are_none_with_a_reason(pairs, agreement, value, reason):
    kappa = cohen_kappa(pairs)
    assert (kappa.pairs, kappa.observed_agreement, kappa.kappa) == (len(pairs), agreement, value)
    assert (kappa.low, kappa.high) == (None, None)
    assert kappa.reason == reason


def test_words_count_for_kappa_and_what_they_mean_for_its_weighted_twin():
    """iUPD is no iSD, but both are SD on the scale until the next visit."""
    kappa = cohen_kappa([(Category.IUPD, Category.ISD), (Category.ISD, Category.ISD)])
    assert kappa.kappa == 0
    assert kappa.weighted is None
    assert kappa.reason == f"kappa: {NO_ERROR}; weighted kappa: {ONE_CATEGORY}"


def test_what_has_no_place_on_the_scale_is_left_out_of_the_weighted_figure():
    graded = pairs_of([[2, 1], [0, 2]])
    kappa = cohen_kappa([*graded, (NE, NE), (NE, CR), (CR, BL)])
    assert kappa.pairs == 8
    assert kappa.weighted == cohen_kappa(graded).weighted
    assert kappa.kappa != cohen_kappa(graded).kappa
    assert cohen_kappa([(NE, CR), (CR, NE)]).reason == f"kappa: {NO_ERROR}; weighted kappa: {NO_PAIRS}"


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        (CR, PD, 3),
        (PD, PR, 2),
        (SD, PD, 1),
        (SD, SD, 0),
        (Category.CMR, Category.ICPD, 3),
        (Category.NON_CR_NON_PD, SD, 0),
        (NE, PD, None),
        (PD, BL, None),
    ],
)
def test_steps_apart(one, other, steps):
    assert steps_apart(one, other) == steps


def test_further_disagreement_weighs_more():
    near = cohen_kappa([*pairs_of([[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]]), (SD, PD)])
    far = cohen_kappa([*pairs_of([[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]]), (CR, PD)])
    assert near.observed_agreement == far.observed_agreement
    assert near.weighted > far.weighted


def test_the_interval_covers_the_true_kappa_as_often_as_it_says():
    """Two readers who each keep the truth 3 times in 4, else guess among four: kappa 9/16, 150 visits a study."""
    chance = random.Random(20240105)

    def say(truth: Category) -> Category:
        return truth if chance.random() < 0.75 else chance.choice(SCALE)

    covered = 0
    for _ in range(400):
        truths = [chance.choice(SCALE) for _ in range(150)]
        kappa = cohen_kappa([(say(truth), say(truth)) for truth in truths])
        covered += kappa.low <= 9 / 16 <= kappa.high
    assert 0.92 <= covered / 400 <= 0.98
