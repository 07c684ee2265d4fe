"""EORTC 1999: every row fired and not, every limit just below, at and above."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mdanderson.criteria.comparators.eortc import RULES
from mdanderson.vocabulary import Category


def pet(paper, *visits, **kwargs):
    """The PET row of the last of several visits, 90 days apart; a visit of None was not evaluable."""
    return pets(paper, *visits, **kwargs)[-1]


def pets(paper, *visits, **kwargs):
    exams = [
        paper.exam(90 * index, "PT", **({"why": "no attenuation correction"} if visit is None else visit))
        for index, visit in enumerate(visits)
    ]
    return [row for row in paper.timeline(*exams, criteria="eortc", **kwargs).responses if row.scope == "PT"]


def verdict(row, code):
    return next(one for one in row.verdicts if one.code == f"EORTC-{code}")


def test_the_table_is_in_the_order_in_which_its_rows_decide():
    assert [rule.code for rule in RULES] == [f"EORTC-{name}" for name in ("NEW", "PMD", "CMR", "PMR", "SMD")]
    assert all(rule.text and "Young" in rule.source for rule in RULES)


# the sum of SUVmax


@pytest.mark.parametrize(
    ("now", "category"),
    [
        ("7.51", "SMD"),  # -24.9 %
        ("7.5", "PMR"),  # -25 %
        ("7.49", "PMR"),  # -25.1 %
        ("12.49", "SMD"),  # +24.9 %
        ("12.5", "SMD"),  # +25 %: more than that is asked
        ("12.51", "PMD"),  # +25.1 %
        ("10", "SMD"),
        ("0", "PMR"),  # measured as nothing, not stated to be gone
    ],
)
def test_25_percent_is_a_fall_and_not_yet_a_rise(paper, now, category):
    assert pet(paper, {"A": "mx=10"}, {"A": f"mx={now}"}).category == category


@pytest.mark.parametrize(("now", "category"), [("8.51", "SMD"), ("8.5", "PMR"), ("8.49", "PMR")])
def test_15_percent_after_one_cycle_is_a_setting(paper, now, category):
    row = pet(paper, {"A": "mx=10"}, {"A": f"mx={now}"}, sections={"eortc": {"pmr_fall": 0.15}})
    assert row.category == category


@pytest.mark.parametrize(("now", "category"), [("14", "SMD"), ("14.01", "PMD")])
def test_the_rise_is_a_setting(paper, now, category):
    assert pet(paper, {"A": "mx=10"}, {"A": f"mx={now}"}, sections={"eortc": {"pmd_rise": 0.4}}).category == category


def test_the_lesions_are_added(paper):
    first = {"A": "mx=10", "B": "mx=6"}
    assert pet(paper, first, {"A": "mx=10", "B": "mx=2"}).category is Category.PMR
    assert pet(paper, first, {"A": "mx=10", "B": "mx=2.01"}).category is Category.SMD
    assert pet(paper, first, {"A": "mx=2", "B": "mx=18"}).category is Category.SMD
    assert pet(paper, first, {"A": "mx=2", "B": "mx=18.1"}).category is Category.PMD


def test_a_lesion_that_is_gone_counts_zero(paper):
    first = {"A": "mx=10", "B": "mx=4"}
    assert pet(paper, first, {"A": "mx=10", "B": "resolved"}).size_change_baseline == Fraction(-2, 7)
    assert pet(paper, first, {"A": "mx=10", "B": "resolved"}).category is Category.PMR
    assert pet(paper, first, {"A": "mx=10.51", "B": "resolved"}).category is Category.SMD


def test_falls_are_from_baseline_and_rises_from_the_lowest_earlier_sum(paper):
    rows = pets(paper, {"A": "mx=20"}, {"A": "mx=8"}, {"A": "mx=10"}, {"A": "mx=10.01"})
    assert [row.category for row in rows] == ["BL", "PMR", "PMR", "PMD"]
    assert rows[3].reason == "sum of SUVmax 8.00 -> 10.01, +25.1 % from the lowest earlier sum: EORTC-PMD"
    assert rows[3].mixed is False


def test_decimals_are_taken_as_written(paper):
    """0.1 + 0.2 against 0.4 is a fall of 25 % exactly."""
    assert pet(paper, {"A": "mx=0.3", "B": "mx=0.1"}, {"A": "mx=0.1", "B": "mx=0.2"}).category is Category.PMR


# everything gone, and back


def test_all_lesions_gone_is_a_complete_response(paper):
    first = {"A": "mx=10", "B": "mx=5"}
    assert pet(paper, first, {"A": "resolved", "B": "resolved"}).category is Category.CMR
    assert pet(paper, first, {"A": "resolved", "B": "mx=0.1"}).category is Category.PMR
    assert pet(paper, first, {"A": "resolved", "B": "missing"}).category is Category.NE


@pytest.mark.parametrize(
    ("now", "least", "category"),
    [
        ("0", 0.0, "PMR"),
        ("0.01", 0.0, "PMD"),
        ("2.49", 2.5, "PMR"),
        ("2.5", 2.5, "PMR"),
        ("2.51", 2.5, "PMD"),
    ],
)
def test_from_nothing_uptake_again_is_progression(paper, now, least, category):
    rows = pets(
        paper, {"A": "mx=10"}, {"A": "resolved"}, {"A": f"mx={now}"}, sections={"eortc": {"reappeared_suv": least}}
    )
    assert [row.category for row in rows] == ["BL", "CMR", category]
    assert rows[2].size_change_nadir is None


def test_one_lesion_back_among_others_is_judged_by_the_sum(paper):
    first, gone = {"A": "mx=10", "B": "mx=4"}, {"A": "mx=10", "B": "resolved"}
    assert pet(paper, first, gone, {"A": "mx=10", "B": "mx=2.5"}).category is Category.SMD
    assert pet(paper, first, gone, {"A": "mx=10", "B": "mx=2.51"}).category is Category.PMD


def test_nothing_measured_at_baseline_has_nothing_to_fall_from(paper):
    row = pet(paper, {"A": "mx=0"}, {"A": "mx=0"})
    assert (row.category, verdict(row, "PMR").because) == (
        Category.SMD,
        "sum of SUVmax 0 at baseline: nothing to fall from",
    )
    assert pet(paper, {"A": "mx=0"}, {"A": "mx=0.1"}).category is Category.PMD


# new lesions


def test_a_new_lesion_is_progression_while_it_is_there_and_never_added(paper):
    rows = pets(paper, {"A": "mx=10"}, {"A": "mx=7", "B": "new mx=9"}, {"A": "mx=7", "B": "resolved"})
    assert [row.category for row in rows] == ["BL", "PMD", "PMR"]
    assert rows[1].rules == ("EORTC-NEW",)
    assert rows[1].size_change_baseline == Fraction(-3, 10)


def test_an_equivocal_focus_is_no_new_lesion(paper):
    assert pet(paper, {"A": "mx=10"}, {"A": "mx=10", "B": "equivocal mx=9"}).category is Category.SMD


def test_a_lesion_there_before_without_being_assessed_is_not_added(paper):
    first = {"A": "mx=10", "B": "not_evaluable"}
    assert pet(paper, first, {"A": "mx=7.5", "B": "mx=20"}).category is Category.PMR
    row = pet(paper, first, {"A": "resolved", "B": "mx=1"})
    assert (row.category, verdict(row, "CMR").fired) == (Category.PMR, False)


# what is missing


@pytest.mark.parametrize("silent", ["missing", "ambiguous", "not_evaluable", "followed"])
def test_a_lesion_not_assessed_leaves_the_sum_incomplete(paper, silent):
    row = pet(paper, {"A": "mx=10", "B": "mx=5"}, {"A": "mx=1", "B": silent})
    assert row.category is Category.NE
    assert "lesion B" in row.reason


def test_a_lesion_without_a_row_is_not_assessed(paper):
    row = pet(paper, {"A": "mx=10", "B": "mx=5"}, {"A": "mx=1"})
    assert (row.category, row.reason) == (Category.NE, "lesion B not assessed at this visit")
    assert (row.lesions_expected, row.lesions_assessed) == (2, 1)


@pytest.mark.parametrize(("now", "category"), [("18.74", "NE"), ("18.75", "NE"), ("18.76", "PMD")])
def test_a_rise_in_what_is_known_proves_progression(paper, now, category):
    """The part that is assessed against the sum of all: more than 1.25 x 15."""
    assert pet(paper, {"A": "mx=10", "B": "mx=5"}, {"A": f"mx={now}"}).category == category


def test_the_part_also_proves_it_from_nothing(paper):
    first, gone = {"A": "mx=10", "B": "mx=5"}, {"A": "resolved", "B": "resolved"}
    assert pet(paper, first, gone, {"A": "mx=1"}).category is Category.PMD
    assert pet(paper, first, gone, {}).category is Category.NE


def test_an_incomplete_visit_is_no_reference(paper):
    first = {"A": "mx=10", "B": "mx=5"}
    assert pet(paper, first, {"A": "mx=2"}, {"A": "mx=10", "B": "mx=5"}).category is Category.SMD


def test_a_lesion_unmeasured_at_baseline_leaves_no_reference(paper):
    row = pet(paper, {"A": "mx=10", "B": "baseline"}, {"A": "mx=40", "B": "mx=5"})
    assert (row.category, row.reason) == (Category.NE, "lesion B without SUVmax at baseline")
    row = pet(paper, {"A": "mx=10", "B": "baseline"}, {"A": "mx=4", "B": "mx=4"}, {"A": "mx=10.1", "B": "resolved"})
    assert row.rules == ("EORTC-PMD",)


def test_sulpeak_and_uptake_never_stand_in(paper):
    assert pet(paper, {"A": "pk=10 u=10"}, {"A": "pk=20 u=20"}).category is Category.NE


def test_without_any_lesion_at_baseline_there_is_nothing_to_follow(paper):
    assert pet(paper, {}, {}).reason == "no lesion at baseline to follow"
    assert pet(paper, {}, {"A": "new mx=3"}).category is Category.PMD


def test_a_pet_that_cannot_be_evaluated_is_not_and_the_next_is(paper):
    rows = pets(paper, {"A": "mx=10"}, None, {"A": "mx=7"})
    assert [(row.category, row.reason) for row in rows[1:2]] == [("NE", "no attenuation correction")]
    assert rows[2].category is Category.PMR


# merge and split


def test_lesions_that_became_one_are_counted_once_at_the_hotter_value(paper):
    """Added they would read 10 + 6 + 2 -> 10 + 2, a fall by a third of what has not changed."""
    first = {"A": "mx=10", "B": "mx=6", "C": "mx=2"}
    row = pet(paper, first, {"A": "merged <A;B mx=10", "C": "mx=2"})
    assert (row.category, row.size_change_baseline, row.size_change_nadir) == (Category.SMD, 0, 0)


def test_the_parts_of_a_lesion_are_as_hot_as_the_hottest(paper):
    row = pet(paper, {"A": "mx=10"}, {"A1": "split <A mx=6", "A2": "split <A mx=10"})
    assert (row.category, row.size_change_baseline) == (Category.SMD, 0)
    row = pet(paper, {"A": "mx=10"}, {"A1": "split <A mx=6", "A2": "split <A"})
    assert row.category is Category.NE


# the rows of the patient


def test_the_patient_is_what_the_pet_says(paper):
    timeline = paper.follow({"A": "mx=10"}, {"A": "mx=7"}, {"A": "mx=9"}, modality="PT", criteria="eortc")
    assert [row.category for row in timeline.responses if row.scope == "overall"] == ["BL", "PMR", "PMD"]
    assert timeline.summaries[0].best_response is Category.PMR
    assert timeline.summaries[0].progression_date == paper.day(180)


def test_each_lesion_counts_by_itself(paper):
    row = pet(
        paper,
        {"A": "mx=10", "B": "mx=5", "C": "mx=5", "D": "mx=5"},
        {"A": "mx=7.5", "B": "mx=6.26", "C": "resolved", "D": "mx=5"},
    )
    assert (row.lesions_progressing, row.lesions_responding, row.mixed) == (1, 2, True)


def test_both_sets_read_one_pet(paper):
    timeline = paper.follow({"A": "pk=10 mx=12"}, {"A": "pk=10 mx=8"}, modality="PT", criteria="percist eortc mda2010")
    rows = [(row.criteria, row.category) for row in timeline.responses if row.scope == "overall"][1::2]
    assert rows == [("percist", "SMD"), ("eortc", "PMR"), ("mda2010", "NE")]


def test_every_row_answers_and_tells_why(paper):
    row = pet(paper, {"A": "mx=10"}, {"A": "mx=9"})
    assert [(one.code, one.fired) for one in row.verdicts] == [(rule.code, rule.code.endswith("SMD")) for rule in RULES]
    assert all(one.because for one in row.verdicts)
    assert row.reason == "sum of SUVmax 10.00 -> 9.00, -10 % from baseline: EORTC-SMD"
