"""Visits of a study: one number for one visit, whoever missed it, in an order that no patient contradicts."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.export.visit_numbers import visit_names, visit_numbers


def course(*visits):
    """Visits as (week, label)."""
    return [(dt.date(2024, 1, 1) + dt.timedelta(weeks=week), label) for week, label in visits]


def test_a_patient_who_missed_a_visit_does_not_move_the_later_ones():
    whole, missed = course((0, "base"), (12, "wk12"), (24, "wk24")), course((0, "base"), (24, "wk24"))
    for courses in ([whole, missed], [missed, whole]):
        assert visit_numbers(courses) == {"base": 1, "wk12": 2, "wk24": 3}


def test_days_order_what_no_patient_had_both_of():
    courses = [course((0, "base"), (24, "late")), course((0, "base"), (12, "early")), course((0, "base"), (25, "late"))]
    assert visit_numbers(courses) == {"base": 1, "early": 2, "late": 3}


def test_the_course_of_a_patient_counts_more_than_the_day():
    """One patient's third visit comes early, another's second late."""
    courses = [course((0, "baseline"), (40, "visit 2")), course((0, "baseline"), (4, "visit 2"), (8, "visit 3"))]
    assert visit_numbers(courses) == {"baseline": 1, "visit 2": 2, "visit 3": 3}


def test_patients_who_contradict_each_other_are_ordered_by_the_day():
    courses = [course((0, "base"), (1, "a"), (2, "b")), course((0, "base"), (9, "b"), (9.5, "a"))]
    numbers = visit_numbers(courses)
    assert numbers["base"] == 1
    assert sorted(numbers.values()) == [1, 2, 3]


def test_a_date_is_no_name_of_a_visit():
    """Else a study of two hundred patients would have a thousand visits."""
    courses = [course((0, "2024-01-01"), (week, f"2024-0{week}-01")) for week in (2, 3, 4)]
    assert visit_numbers(courses) == {"baseline": 1, "visit 2": 2}
    assert visit_names(course((0, "20240101"), (5, "2024-02-05 (2)"))) == ("baseline", "visit 2")
    assert visit_names(course((0, "2024-01-01"), (5, "baseline"))) == ("2024-01-01", "baseline")


LABELS = ("base", "wk4", "wk8", "wk12", "wk24", "end")


@given(st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=8), st.data())
def test_numbers_are_one_to_one_and_rise_with_every_patient_of_one_schedule(patients, data):
    """Whatever was missed and however late a visit was."""
    courses = []
    for kept in patients:
        gaps = [data.draw(st.integers(1, 20)) for _ in kept]
        weeks = [sum(gaps[: place + 1]) for place in range(len(gaps))]
        courses.append(course(*zip(weeks, (LABELS[one] for one in sorted(kept)), strict=True)))
    numbers = visit_numbers(courses)
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    for one in courses:
        assert all(numbers[a] < numbers[b] for a, b in pairwise(visit_names(one)))


def test_no_patients_no_visits():
    assert visit_numbers([]) == {}


@pytest.mark.parametrize("label", ["", "2024", "wk 2024-01-01"])
def test_what_is_no_date_is_a_label(label):
    assert visit_names(course((0, label))) == (label,)
