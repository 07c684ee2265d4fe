"""PERCIST 1.0: every row fired and not, every limit just below, at and above."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mdanderson.criteria.comparators.percist import RULES
from mdanderson.criteria.rule import Outcome
from mdanderson.vocabulary import Category


def pet(paper, *visits, **kwargs):
    """The PET row of the last of several visits, 90 days apart; a visit of None was not evaluable."""
    return pets(paper, *visits, **kwargs)[-1]


def pets(paper, *visits, **kwargs):
    exams = [
        paper.exam(90 * index, "PT", **({"why": "no attenuation correction"} if visit is None else visit))
        for index, visit in enumerate(visits)
    ]
    return [row for row in paper.timeline(*exams, criteria="percist", **kwargs).responses if row.scope == "PT"]


def verdict(row, code):
    return next(one for one in row.verdicts if one.code == f"PERCIST-{code}")


def test_the_table_is_in_the_order_in_which_its_rows_decide():
    assert [rule.code for rule in RULES] == [f"PERCIST-{name}" for name in ("NEW", "PMD", "TLG", "CMR", "PMR", "SMD")]
    assert all(rule.text and "Wahl" in rule.source for rule in RULES)


# the hottest lesion: 30 % and 0.8 units, both


@pytest.mark.parametrize(
    ("baseline", "now", "category"),
    [
        ("10", "7.01", "SMD"),  # -29.9 %
        ("10", "7", "PMR"),  # -30 %
        ("10", "6.99", "PMR"),  # -30.1 %
        ("2.5", "1.71", "SMD"),  # -31.6 %, 0.79 units
        ("2.5", "1.7", "PMR"),  # 0.80
        ("2.5", "1.69", "PMR"),  # 0.81
        ("10", "9.2", "SMD"),  # 0.8 units, but 8 %
        ("1", "0.3", "SMD"),  # -70 %, but 0.7 units
        ("0.8", "0", "PMR"),  # measured as nothing, not stated to be gone
        ("0.3", "0.1", "SMD"),
    ],
)
def test_a_fall_counts_from_30_percent_and_08_units(paper, baseline, now, category):
    assert pet(paper, {"A": f"pk={baseline}"}, {"A": f"pk={now}"}).category == category


@pytest.mark.parametrize(
    ("baseline", "now", "category"),
    [
        ("10", "12.99", "SMD"),  # +29.9 %
        ("10", "13", "PMD"),  # +30 %
        ("10", "13.01", "PMD"),  # +30.1 %
        ("2.5", "3.29", "SMD"),  # +31.6 %, 0.79 units
        ("2.5", "3.3", "PMD"),  # 0.80
        ("2.5", "3.31", "PMD"),  # 0.81
        ("10", "10.8", "SMD"),  # 0.8 units, but 8 %
        ("1", "1.7", "SMD"),  # +70 %, but 0.7 units
        ("0", "0.79", "SMD"),  # from nothing the units alone decide
        ("0", "0.8", "PMD"),
        ("0", "0.81", "PMD"),
        ("0", "0", "SMD"),
    ],
)
def test_a_rise_counts_from_30_percent_and_08_units(paper, baseline, now, category):
    assert pet(paper, {"A": f"pk={baseline}"}, {"A": f"pk={now}"}).category == category


def test_decimals_are_taken_as_written(paper):
    """2.1 - 1.3 is 0.8 exactly, and 0.1 + 0.7 too, whatever floating point makes of them."""
    assert pet(paper, {"A": "pk=2.1"}, {"A": "pk=1.3"}).category is Category.PMR
    assert pet(paper, {"A": "pk=1.3"}, {"A": "pk=2.1"}).category is Category.PMD


@pytest.mark.parametrize(("setting", "value", "now"), [("pmr_fall", 0.2, "8"), ("absolute_sul", 3.0, "7")])
def test_the_limits_are_settings(paper, setting, value, now):
    row = pet(paper, {"A": "pk=10"}, {"A": f"pk={now}"}, sections={"percist": {setting: value}})
    assert row.category is Category.PMR


@pytest.mark.parametrize(("setting", "value"), [("absolute_sul", 3.01), ("pmd_rise", 0.31)])
def test_a_rise_of_30_percent_below_limits_set_higher(paper, setting, value):
    assert pet(paper, {"A": "pk=10"}, {"A": "pk=13"}).category is Category.PMD
    row = pet(paper, {"A": "pk=10"}, {"A": "pk=13"}, sections={"percist": {setting: value}})
    assert row.category is Category.SMD


def test_without_an_absolute_limit_nothing_again_is_no_progression(paper):
    zero = {"percist": {"absolute_sul": 0.0}}
    assert pet(paper, {"A": "pk=0"}, {"A": "pk=0"}, sections=zero).category is Category.SMD
    assert pet(paper, {"A": "pk=0"}, {"A": "pk=0.01"}, sections=zero).category is Category.PMD


def test_the_hottest_lesion_may_be_another_one_later(paper):
    row = pet(paper, {"A": "pk=10", "B": "pk=5"}, {"A": "pk=2", "B": "pk=7"})
    assert row.category is Category.PMR
    assert "hottest lesion B: SULpeak 10.00 -> 7.00, -30 %" in row.reason
    assert pet(paper, {"A": "pk=10", "B": "pk=5"}, {"A": "pk=2", "B": "pk=7.01"}).category is Category.SMD
    assert pet(paper, {"A": "pk=10", "B": "pk=5"}, {"A": "pk=2", "B": "pk=13"}).category is Category.PMD


def test_falls_are_from_baseline_and_rises_from_the_lowest_earlier_value(paper):
    rows = pets(paper, {"A": "pk=10"}, {"A": "pk=4"}, {"A": "pk=5.19"}, {"A": "pk=5.2"}, {"A": "pk=6.9"})
    assert [row.category for row in rows] == ["BL", "PMR", "PMR", "PMD", "PMD"]
    assert rows[2].size_change_baseline == Fraction(-481, 1000)
    assert rows[3].size_change_nadir == Fraction(3, 10)
    assert rows[3].rules == ("PERCIST-PMD",)


# total lesion glycolysis


@pytest.mark.parametrize(
    ("now", "category"),
    [("174.9", "SMD"), ("175", "SMD"), ("175.1", "PMD")],
)
def test_glycolysis_must_rise_by_more_than_75_percent(paper, now, category):
    row = pet(paper, {"A": "pk=10 tlg=100"}, {"A": f"pk=10 tlg={now}"})
    assert row.category == category
    assert verdict(row, "TLG").fired is (category == "PMD")


def test_glycolysis_is_added_over_the_baseline_lesions_and_compared_with_the_lowest(paper):
    first = {"A": "pk=10 tlg=60", "B": "pk=9 tlg=40"}
    assert pet(paper, first, {"A": "pk=10 tlg=160", "B": "pk=9 tlg=15.1"}).category is Category.PMD
    assert pet(paper, first, {"A": "pk=10 tlg=160", "B": "pk=9 tlg=15"}).category is Category.SMD
    low = {"A": "pk=10 tlg=10", "B": "pk=9 tlg=10"}
    assert pet(paper, first, low, {"A": "pk=10 tlg=20", "B": "pk=9 tlg=15.1"}).category is Category.PMD
    assert pet(paper, first, low, {"A": "pk=10 tlg=20", "B": "pk=9 tlg=15"}).category is Category.SMD


def test_glycolysis_known_in_part_proves_a_rise_but_no_stability(paper):
    first = {"A": "pk=10 tlg=60", "B": "pk=9 tlg=40"}
    row = pet(paper, first, {"A": "pk=10 tlg=175.1", "B": "pk=9"})
    assert row.rules == ("PERCIST-TLG",)
    row = pet(paper, first, {"A": "pk=10 tlg=175", "B": "pk=9"})
    assert (row.category, verdict(row, "TLG").outcome) == (Category.SMD, Outcome.NOT_APPLICABLE)


def test_a_visit_whose_glycolysis_is_incomplete_is_no_reference(paper):
    first, part = {"A": "pk=10 tlg=60", "B": "pk=9 tlg=40"}, {"A": "pk=10 tlg=20", "B": "pk=9"}
    assert pet(paper, first, part, {"A": "pk=10 tlg=100", "B": "pk=9 tlg=75"}).category is Category.SMD


def test_from_no_glycolysis_sulpeak_decides(paper):
    row = pet(paper, {"A": "pk=10 tlg=0"}, {"A": "pk=10 tlg=500"})
    assert (row.category, verdict(row, "TLG").outcome) == (Category.SMD, Outcome.NOT_APPLICABLE)


def test_no_glycolysis_at_all_asks_nothing(paper):
    row = pet(paper, {"A": "pk=10"}, {"A": "pk=10"})
    assert verdict(row, "TLG").outcome is Outcome.NOT_APPLICABLE


def test_the_glycolysis_of_a_new_lesion_is_not_added(paper):
    row = pet(paper, {"A": "pk=10 tlg=100"}, {"A": "pk=10 tlg=100", "B": "new pk=3 tlg=500"})
    assert row.rules == ("PERCIST-NEW",)


# new lesions


def test_a_new_lesion_is_progression_while_it_is_there(paper):
    rows = pets(paper, {"A": "pk=10"}, {"A": "pk=4", "B": "new pk=2"}, {"A": "pk=4", "B": "resolved"})
    assert [row.category for row in rows] == ["BL", "PMD", "PMR"]
    assert rows[1].reason == "new: B: PERCIST-NEW"
    assert rows[1].mixed


def test_a_new_lesion_is_never_the_hottest(paper):
    """Were B (8) the hottest of visit 2, A at 6.5 would not have risen at visit 3."""
    row = pet(paper, {"A": "pk=10"}, {"A": "pk=5", "B": "new pk=8"}, {"A": "pk=6.5", "B": "resolved"})
    assert row.rules == ("PERCIST-PMD",)


def test_an_equivocal_focus_is_no_new_lesion(paper):
    assert pet(paper, {"A": "pk=10"}, {"A": "pk=10", "B": "equivocal pk=2"}).category is Category.SMD


def test_a_lesion_there_before_without_being_assessed_bars_a_complete_response_only(paper):
    first = {"A": "pk=10", "B": "not_evaluable"}
    assert pet(paper, first, {"A": "pk=7", "B": "pk=20"}).category is Category.PMR
    row = pet(paper, first, {"A": "resolved", "B": "pk=1"})
    assert (row.category, verdict(row, "CMR").fired) == (Category.PMR, False)


# everything gone, and back


def test_all_lesions_gone_is_a_complete_response(paper):
    first = {"A": "pk=10", "B": "pk=5"}
    assert pet(paper, first, {"A": "resolved", "B": "resolved"}).category is Category.CMR
    assert pet(paper, first, {"A": "resolved", "B": "pk=0.5"}).category is Category.PMR
    assert pet(paper, first, {"A": "resolved", "B": "missing"}).category is Category.NE
    assert pet(paper, first, {"A": "resolved"}).category is Category.NE


@pytest.mark.parametrize(("now", "category"), [("0.79", "PMR"), ("0.8", "PMD"), ("0.81", "PMD")])
def test_a_lesion_that_comes_back_is_progression_from_08_units(paper, now, category):
    row = pet(paper, {"A": "pk=10"}, {"A": "resolved"}, {"A": f"pk={now}"})
    assert row.category == category
    assert ("from the lowest earlier of 0" in row.reason) is (category == "PMD")


# what is missing


@pytest.mark.parametrize("silent", ["missing", "ambiguous", "not_evaluable", "followed"])
def test_a_lesion_not_assessed_leaves_the_hottest_unknown(paper, silent):
    row = pet(paper, {"A": "pk=10", "B": "pk=5"}, {"A": "pk=3", "B": silent})
    assert row.category is Category.NE
    assert "lesion B" in row.reason


def test_a_lesion_without_a_row_is_not_assessed(paper):
    row = pet(paper, {"A": "pk=10", "B": "pk=5"}, {"A": "pk=3"})
    assert (row.category, row.reason) == (Category.NE, "lesion B not assessed at this visit")
    assert (row.lesions_expected, row.lesions_assessed) == (2, 1)


def test_a_rise_in_what_is_known_proves_progression(paper):
    first = {"A": "pk=10", "B": "pk=5"}
    assert pet(paper, first, {"A": "pk=13"}).category is Category.PMD
    assert pet(paper, first, {"A": "pk=12.99"}).category is Category.NE
    assert pet(paper, first, {"B": "pk=13"}).category is Category.PMD
    assert pet(paper, first, {}).category is Category.NE


def test_a_new_lesion_needs_nothing_else(paper):
    assert pet(paper, {"A": "pk=10"}, {"B": "new pk=3"}).category is Category.PMD


def test_an_incomplete_visit_is_no_reference(paper):
    first = {"A": "pk=10", "B": "pk=5"}
    row = pet(paper, first, {"A": "pk=2", "B": "missing"}, {"A": "pk=9", "B": "pk=5"})
    assert row.category is Category.SMD


def test_a_lesion_unmeasured_at_baseline_leaves_no_reference(paper):
    row = pet(paper, {"A": "pk=10", "B": "baseline"}, {"A": "pk=20", "B": "pk=5"})
    assert (row.category, row.reason) == (Category.NE, "lesion B without SULpeak at baseline")


def test_a_later_complete_visit_serves_rises_even_so(paper):
    row = pet(paper, {"A": "pk=10", "B": "baseline"}, {"A": "pk=4", "B": "pk=3"}, {"A": "pk=6", "B": "pk=3"})
    assert row.rules == ("PERCIST-PMD",)


def test_without_any_lesion_at_baseline_there_is_nothing_to_follow(paper):
    assert pet(paper, {}, {}).reason == "no lesion at baseline to follow"
    assert pet(paper, {}, {"A": "new pk=3"}).category is Category.PMD


def test_a_pet_that_cannot_be_evaluated_is_not_and_the_next_is(paper):
    rows = pets(paper, {"A": "pk=10"}, None, {"A": "pk=7"})
    assert [row.category for row in rows] == ["BL", "NE", "PMR"]
    assert rows[1].reason == "no attenuation correction"


def test_the_first_evaluable_pet_is_the_baseline(paper):
    rows = pets(paper, None, {"A": "pk=10"}, {"A": "pk=7"})
    assert [row.category for row in rows] == ["NE", "BL", "PMR"]


# where the number comes from


def test_uptake_stands_in_where_sulpeak_is_blank(paper):
    assert pet(paper, {"A": "u=10"}, {"A": "u=7"}).category is Category.PMR
    assert pet(paper, {"A": "u=1 pk=10"}, {"A": "u=1 pk=7"}).category is Category.PMR


def test_suvmax_never_stands_in(paper):
    assert pet(paper, {"A": "mx=10"}, {"A": "mx=20"}).category is Category.NE


def test_lesions_that_became_one_are_as_hot_as_the_hottest_of_them(paper):
    first = {"A": "pk=10 tlg=60", "B": "pk=6 tlg=40"}
    row = pet(paper, first, {"A": "merged <A;B pk=10 tlg=100"})
    assert (row.category, row.size_change_baseline) == (Category.SMD, 0)
    assert verdict(row, "TLG").because == "TLG 100.0 -> 100.0, 0 % from the lowest earlier"


def test_the_parts_of_a_lesion_are_as_hot_as_the_hottest_and_their_glycolysis_is_added(paper):
    parts = {"A1": "split <A pk=6 tlg=30", "A2": "split <A pk=10 tlg=70"}
    row = pet(paper, {"A": "pk=10 tlg=100"}, parts)
    assert (row.category, row.size_change_baseline) == (Category.SMD, 0)
    assert verdict(row, "TLG").because == "TLG 100.0 -> 100.0, 0 % from the lowest earlier"


# the rows of the patient


def test_only_pet_is_read(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", A="20x10"),
        paper.exam(90, "CT", A="40x20"),
        paper.exam(90, "NM", A="u=3"),
        criteria="percist",
    )
    assert [(row.scope, row.category) for row in timeline.responses] == [("overall", "BL"), ("overall", "NE")]
    assert timeline.responses[1].reason == "none of PT at this visit"


def test_the_patient_is_what_the_pet_says(paper):
    timeline = paper.follow({"A": "pk=10"}, {"A": "pk=7"}, {"A": "pk=9.1"}, modality="PT", criteria="percist")
    overall = [row for row in timeline.responses if row.scope == "overall"]
    assert [row.category for row in overall] == ["BL", "PMR", "PMD"]
    assert timeline.summaries[0].best_response is Category.PMR
    assert timeline.summaries[0].progression_date == paper.day(180)
    assert timeline.summaries[0].first_response_date == paper.day(90)


def test_each_lesion_counts_by_itself(paper):
    row = pet(paper, {"A": "pk=10", "B": "pk=5", "C": "pk=5"}, {"A": "pk=7", "B": "pk=6.5", "C": "resolved"})
    assert (row.lesions_progressing, row.lesions_responding, row.mixed) == (1, 2, True)


def test_every_row_answers_and_tells_why(paper):
    row = pet(paper, {"A": "pk=10"}, {"A": "pk=9"})
    assert [(one.code, one.fired) for one in row.verdicts] == [(rule.code, rule.code.endswith("SMD")) for rule in RULES]
    assert all(one.because for one in row.verdicts)
    assert row.reason == "hottest lesion A: SULpeak 10.00 -> 9.00, -10 % from baseline and 1.00 units: PERCIST-SMD"


def test_a_lesion_that_nobody_can_say_to_be_new_leaves_progression_open(paper):
    row = pet(paper, {"A": "pk=10"}, {"A": "pk=5", "B": "maybe pk=3"})
    assert (row.category, row.rules) == (Category.NE, ())
    assert "nobody can say whether new" in row.reason
    assert pet(paper, {"A": "pk=10"}, {"A": "pk=13", "B": "maybe pk=3"}).category is Category.PMD
