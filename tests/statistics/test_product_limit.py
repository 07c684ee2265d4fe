"""Kaplan-Meier against the leukaemia trial that every textbook works out."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.statistics import median_days, product_limit

TIMES = st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=30)
TREATED = [(6, True)] * 3 + [(7, True), (10, True), (13, True), (16, True), (22, True), (23, True)]
TREATED += [(day, False) for day in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
PLACEBO = [(day, True) for day in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def test_remission_under_mercaptopurine():
    """Freireich et al., Blood 1963;21:699: weeks of remission of 21 children, 12 of them censored; median 23."""
    curve = product_limit(TREATED)
    assert [(step.day, step.at_risk, step.events) for step in curve] == [
        (6, 21, 3),
        (7, 17, 1),
        (10, 15, 1),
        (13, 12, 1),
        (16, 11, 1),
        (22, 7, 1),
        (23, 6, 1),
    ]
    surviving = [float(step.surviving) for step in curve]
    assert surviving == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert median_days(curve) == 23


def test_remission_under_placebo():
    assert median_days(product_limit(PLACEBO)) == 8


def test_half_is_enough_and_just_above_is_not():
    assert median_days(product_limit([(5, True), (9, False)])) == 5
    assert median_days(product_limit([(5, True), (9, False), (9, False)])) is None
    assert median_days(product_limit([(5, True), (7, True), (9, False)])) == 7


def test_two_thirds_of_three_quarters_are_exactly_half():
    """In floats 4/6 x 3/4 may come to a little more than a half, and the median to a later day."""
    curve = product_limit([(1, True), (1, True), (3, True), (4, False), (4, False), (4, False)])
    assert [step.surviving for step in curve] == [Fraction(2, 3), Fraction(1, 2)]
    assert median_days(curve) == 3


def test_who_is_censored_on_the_day_is_still_at_risk():
    assert product_limit([(5, True), (5, False)])[0].at_risk == 2


@pytest.mark.parametrize("times", [[], [(3, False), (8, False)]])
def test_without_an_event_there_is_no_step_and_no_median(times):
    assert product_limit(times) == ()
    assert median_days(()) is None


@given(TIMES)
def test_a_naive_twin_agrees(times):
    """Day by day, the share of those still followed who get through it."""
    share = 1.0
    median = None
    for day in range(41):
        at_risk = sum(end >= day for end, _ in times)
        events = sum(end == day and event for end, event in times)
        share *= 1 - events / at_risk if at_risk else 1
        if median is None and share <= 0.5 + 1e-12:
            median = day
    curve = product_limit(times)
    assert median_days(curve) == median
    assert float(curve[-1].surviving if curve else 1) == pytest.approx(share)


@given(TIMES)
def test_the_curve_only_falls_and_order_does_not_matter(times):
    curve = product_limit(times)
    assert product_limit(reversed(times)) == curve
    levels = [Fraction(1), *(step.surviving for step in curve)]
    assert all(later < earlier for earlier, later in pairwise(levels))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_without_censoring_it_is_the_share_still_free(days):
    for step in product_limit((day, True) for day in days):
        assert step.surviving == Fraction(sum(day > step.day for day in days), len(days))
