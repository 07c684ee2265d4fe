"""A patient's course: sums, incomplete sums, new, gone, merged and split lesions, both size scopes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from mdanderson.criteria.rule import Outcome
from mdanderson.errors import InputError, MeasurementError, SettingsError, Severity
from mdanderson.findings import Density
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.vocabulary import Status


def categories(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


# the sum of diameters


def test_the_reason_names_numbers_and_row(paper):
    response = paper.follow(
        {"L1": "10x4", "L2": "12x5", "L3": "10x0.2 measurable"}, {"L1": "4x2", "L2": "6x3", "L3": "1.7x0.2"}
    ).response(scope="CT")
    assert response.reason == "sum of 3 lesions 41.2 -> 16.9 mm, -59 % from baseline: PR3"
    assert response.size_sum_mm == Fraction(169, 10)
    assert response.size_change_baseline == Fraction(-243, 412)


def test_nadir_is_the_smallest_earlier_visit_and_a_disagreement_is_told(paper):
    timeline = paper.follow({"L1": "40x20"}, {"L1": "20x12"}, {"L1": "26x14"})
    assert categories(timeline) == "BL SD PD"
    assert timeline.response().size_change_nadir == Fraction(1, 4)
    assert timeline.response().size_change_baseline == Fraction(-1, 3)
    assert "references disagree: -33 % from baseline" in timeline.response().reason
    by_baseline = paper.follow(
        {"L1": "40x20"}, {"L1": "20x12"}, {"L1": "26x14"}, policy={"progression_reference": "baseline"}
    )
    assert categories(by_baseline) == "BL SD SD"


def test_an_incomplete_visit_sets_no_nadir(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "20x10"},
        {"L1": "5x5", "L2": "missing"},
        {"L1": "20x10", "L2": "20x10"},
    )
    assert categories(timeline) == "BL NE SD"
    assert timeline.lesions[4].category == "PD"  # its own nadir runs over all its visits
    assert timeline.response().mixed is False


@pytest.mark.parametrize("status", ["missing", "ambiguous", "not_evaluable"])
def test_an_incomplete_sum_is_not_evaluable(paper, status):
    timeline = paper.follow({"L1": "20x10", "L2": "20x10"}, {"L1": "5x5", "L2": status})
    assert categories(timeline, "CT") == categories(timeline) == "BL NE"
    assert timeline.response().size_category is None
    assert timeline.response(scope="CT").size_category == "NE"
    assert "lesion L2" in timeline.response().reason
    assert "sum incomplete" in timeline.response().reason
    assert (timeline.response().lesions_expected, timeline.response().lesions_assessed) == (2, 1)


def test_visible_but_not_segmented_is_a_problem(paper):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "missing"})
    assert timeline.response(scope="CT").reason == "lesion L1 visible but not segmented: sum incomplete"
    assert [(p.what, p.severity) for p in timeline.problems] == [("lesion visible but not segmented", Severity.WARNING)]


def test_a_lesion_without_a_row_is_not_assessed_not_zero(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "20x10"}, {"L1": "20x10"})
    assert categories(timeline) == "BL NE"
    row = timeline.lesions[-1]
    assert (row.lesion_id, row.finding.status, row.category) == ("L2", Status.NOT_EVALUABLE, "NE")
    assert row.reason == "lesion L2 not assessed at this visit"


@pytest.mark.parametrize(("now", "category"), [("50x24.9", "NE"), ("50x25", "PD"), ("50x25.1", "PD")])
def test_the_assessed_part_alone_can_prove_progression(paper, now, category):
    timeline = paper.follow({"L1": "30x10", "L2": "12x8"}, {"L1": now, "L2": "missing"})
    assert categories(timeline) == f"BL {category}"


def test_a_non_core_lesion_not_assessed_only_bars_cr(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "8x6"}, {"L1": "resolved", "L2": "missing"})
    assert categories(timeline) == "BL PR"
    assert "CR is barred: lesion L2 visible but not segmented" in timeline.response().reason
    stable = paper.follow({"L1": "20x10", "L2": "8x6"}, {"L1": "20x10", "L2": "missing"})
    assert categories(stable) == "BL SD"


def test_without_measurable_lesions_all_baseline_lesions_are_core(paper):
    timeline = paper.follow({"L1": "9x6", "L2": "8x6"}, {"L1": "9x6", "L2": "missing"})
    assert categories(timeline) == "BL NE"


def test_size_zero_everywhere_is_complete_response(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "12x8"}, {"L1": "0x0", "L2": "resolved"})
    response = timeline.response(scope="CT")
    assert (response.category, response.size_category, response.density_category) == ("CR", "CR", "CR")
    assert response.size_change_baseline == -1
    assert response.rules == ("CR2",)
    assert timeline.lesions[-2].finding.status is Status.RESOLVED


@pytest.mark.parametrize(("modality", "code"), [("CT", "CR2"), ("XR", "CR2"), ("MR", "CR3"), ("NM", "CR4")])
def test_gone_carries_the_row_of_its_modality(paper, modality, code):
    timeline = paper.follow({"L1": "20x10 u=3"}, {"L1": "resolved"}, modality=modality)
    assert timeline.response(scope=modality).rules == (code,)
    assert timeline.response().category == "CR"


@pytest.mark.parametrize(
    ("modality", "before", "code"),
    [("CT", "20x10", "CR2"), ("MR", "20x10", "CR3"), ("NM", "u=3", "CR4"), ("XR", "20x10 ill", "CR2")],
)
@pytest.mark.parametrize("now", ["resolved", "0x0"])
def test_a_lesion_that_is_gone_lists_the_row_of_complete_response_alone(paper, modality, before, code, now):
    lesion = paper.follow({"L1": before}, {"L1": now}, modality=modality).lesions[-1]
    assert (lesion.category, lesion.rules, lesion.reason) == ("CR", (code,), f"lesion L1 is gone: {code}")
    assert lesion.size_change_baseline == (None if modality == "NM" else -1)
    told = {one.code: one.because for one in lesion.verdicts if one.outcome is Outcome.NOT_FIRED}
    fall = {"NM": "PR5", "XR": "PR4"}.get(modality, "PR3")
    assert told[fall] == told["SD1"] == f"{code} holds"


def test_the_sum_of_lesions_that_are_gone_still_falls(paper):
    visits = ({"L1": "20x10", "L2": "20x10", "L3": "8x6"}, {"L1": "resolved", "L2": "8x4", "L3": "missing"})
    by_sum = paper.follow(*visits).response(scope="CT")
    by_each = paper.follow(*visits, policy={"size_scope": "each"}).response(scope="CT")
    assert (by_sum.category, by_sum.rules) == ("PR", ("PR3",))
    assert (by_each.category, by_each.rules) == ("PR", ("CR2", "PR3"))
    all_gone = ({"L1": "20x10", "L3": "8x6"}, {"L1": "resolved", "L3": "missing"})
    assert paper.follow(*all_gone).response(scope="CT").rules == ("PR3",)
    assert paper.follow(*all_gone, policy={"size_scope": "each"}).response(scope="CT").category == "PR"


def test_a_lesion_called_gone_whose_place_is_not_normal_keeps_its_fall(paper):
    lytic = Density(
        mean_hu=40, median_hu=40, reference_hu=200, reference_sd_hu=30, lytic_fraction=0.8, sclerotic_fraction=0.0
    )
    dense = replace(lytic, median_hu=600, lytic_fraction=0.0, sclerotic_fraction=0.9)
    timeline = paper.timeline(
        paper.exam(0, L1="20x10 mixed", densities={"L1": lytic}),
        paper.exam(90, L1="resolved", densities={"L1": dense}),
    )
    assert (timeline.lesions[-1].category, timeline.lesions[-1].rules) == ("PR", ("PR3",))


@pytest.mark.parametrize(("now", "category"), [("9.99x9.9", "PR"), ("10x1", "PD"), ("10.1x1", "PD")])
def test_reappearance_counts_from_the_size_that_is_measurable(paper, now, category):
    timeline = paper.follow({"L1": "40x20"}, {"L1": "resolved"}, {"L1": now})
    assert categories(timeline) == f"BL CR {category}"


def test_reappearance_by_scope(paper):
    still = {"L2": "60x40", "L3": "60x40"}
    visits = ({"L1": "12x8", **still}, {"L1": "resolved", **still}, {"L1": "12x8", **still})
    timeline = paper.follow(*visits)
    assert categories(timeline) == "BL SD SD"
    assert timeline.response().category_other_scope == "PD"
    each = paper.follow(*visits, policy={"size_scope": "each"})
    assert categories(each) == "BL SD PD"
    assert each.response().category_other_scope == "SD"


def test_each_scope_asks_every_lesion(paper):
    one_fell = paper.follow({"L1": "40x20", "L2": "12x8"}, {"L1": "10x5", "L2": "12x8"})
    assert (one_fell.response().category, one_fell.response().category_other_scope) == ("PR", "SD")
    one_grew = paper.follow({"L1": "60x40", "L2": "12x8"}, {"L1": "60x40", "L2": "15x10"})
    assert (one_grew.response().category, one_grew.response().category_other_scope) == ("SD", "PD")
    incomplete = paper.follow(
        {"L1": "60x40", "L2": "12x8"}, {"L1": "20x10", "L2": "missing"}, policy={"size_scope": "each"}
    )
    assert incomplete.response().category == "NE"


def test_ill_defined_lesions_speak_for_themselves_beside_the_sum(paper):
    timeline = paper.follow({"L1": "60x40", "L2": "9x6"}, {"L1": "60x40", "L2": "12x7"})
    assert timeline.response().category == timeline.response().category_other_scope == "PD"
    assert timeline.response().rules == ("PD2",)


# the share of responding lesions


@pytest.mark.parametrize(("responding", "category"), [(1, "SD"), (2, "PR"), (3, "PR")])
def test_response_share_at_half_of_four(paper, responding, category):
    before = {f"L{i}": "20x10 lytic" for i in range(4)}
    now = {f"L{i}": "20x10" + (" !PR1" if i < responding else "") for i in range(4)}
    response = paper.follow(before, now).response()
    assert response.category == category
    assert response.lesions_responding == responding


def test_response_share_is_a_setting(paper):
    visits = ({"L1": "20x10 lytic", "L2": "20x10", "L3": "20x10"}, {"L1": "20x10 !PR1", "L2": "20x10", "L3": "20x10"})
    assert paper.follow(*visits).response().category == "SD"
    assert paper.follow(*visits, policy={"response_share": 0.33}).response().category == "PR"
    assert paper.follow(*visits, policy={"response_share": 0.34}).response().category == "SD"
    nothing = ({"L1": "20x10"}, {"L1": "20x10"})
    assert paper.follow(*nothing, policy={"response_share": 0}).response().category == "SD"


def test_own_size_of_a_measurable_lesion_does_not_count_for_the_share(paper):
    timeline = paper.follow({"L1": "10x6", "L2": "10x6", "L3": "80x60"}, {"L1": "4x2", "L2": "4x2", "L3": "80x60"})
    assert timeline.response().category == "SD"
    assert timeline.response().lesions_responding == 2


def test_a_progressing_lesion_bars_response_by_share_and_makes_it_mixed(paper):
    timeline = paper.follow({"L1": "80x60 lytic", "L2": "10x8"}, {"L1": "80x60 !PR1", "L2": "14x12"})
    response = timeline.response()
    assert (response.category, response.mixed) == ("SD", True)
    assert (response.lesions_progressing, response.lesions_responding) == (1, 1)
    assert response.progression_pattern == "oligoprogression"


def test_complete_response_needs_every_lesion(paper):
    timeline = paper.follow({"L1": "20x10 lytic", "L2": "20x10 lytic"}, {"L1": "20x10 !CR1", "L2": "20x10 !PR1"})
    assert timeline.response().category == "PR"
    complete = paper.follow({"L1": "20x10 lytic", "L2": "20x10"}, {"L1": "20x10 !CR1", "L2": "!CR2"})
    assert complete.response().category == "CR"
    assert complete.response().reason == "CT: complete response of all 2 lesions: CR1, CR2"


def test_no_change_is_not_claimed_for_an_incomplete_sum(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "20x10", "L3": "20x10"}, {"L1": "20x10", "L2": "20x10", "L3": "!CR2"})
    assert timeline.response().category == "NE"
    assert "lesion L3 without diameters" in timeline.response().reason


# new lesions


def test_a_new_lesion_stands_until_it_is_gone(paper):
    timeline = paper.follow(
        {"L1": "20x10"},
        {"L1": "20x10", "L2": "new 8x6"},
        {"L1": "20x10"},
        {"L1": "20x10", "L2": "7x6"},
        {"L1": "20x10", "L2": "resolved"},
    )
    assert categories(timeline) == "BL PD PD PD SD"
    assert [row.lesions_new for row in timeline.responses if row.scope == "CT"] == [0, 1, 1, 1, 0]
    assert [row.lesions_expected for row in timeline.responses if row.scope == "CT"] == [1, 1, 1, 1, 1]


def test_an_equivocal_focus_counts_nowhere_until_it_reaches_the_size(paper):
    timeline = paper.follow(
        {"L1": "20x10"}, {"L1": "20x10", "L2": "new 3x2"}, {"L1": "20x10", "L2": "4.99x4"}, {"L1": "20x10", "L2": "5x4"}
    )
    assert categories(timeline) == "BL SD SD PD"
    assert [row.finding.status for row in timeline.lesions if row.lesion_id == "L2"] == [
        "equivocal",
        "equivocal",
        "new",
    ]
    assert [row.category for row in timeline.lesions if row.lesion_id == "L2"] == ["NE", "NE", "PD"]
    assert timeline.progression_date == paper.day(270)
    assert [(r.lesions_expected, r.lesions_assessed, r.lesions_new) for r in timeline.responses[2:6:2]] == [
        (1, 1, 0),
        (1, 1, 0),
    ]
    assert timeline.lesions[2].reason == "new focus below 5.0 mm: equivocal, not counted"


def test_a_reader_may_call_a_focus_equivocal_without_measuring_it(paper):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "20x10", "L2": "equivocal"}, {"L1": "20x10", "L2": "new"})
    assert categories(timeline) == "BL SD PD"


def test_there_before_but_not_assessed_is_never_new(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "not_evaluable"},
        {"L1": "20x10", "L2": "new 12x9", "L3": "followed 12x9"},
        {"L1": "20x10", "L2": "12x9", "L3": "12x9"},
    )
    assert categories(timeline) == "BL SD SD"
    assert [row.category for row in timeline.lesions if row.lesion_id == "L2"] == ["BL", "NE", "SD"]
    grown = paper.follow({"L1": "20x10"}, {"L1": "20x10", "L3": "followed 12x8"}, {"L1": "20x10", "L3": "15x10"})
    assert categories(grown) == "BL SD PD"


def test_a_lesion_of_which_nobody_can_say_whether_it_is_new_is_listed_and_bars_cr(paper):
    # segmented now, outside the baseline's field of view: measured, but neither new nor followed
    timeline = paper.follow({"L1": "20x10"}, {"L1": "resolved", "L2": "not_evaluable 20x10"}, {"L1": "resolved"})
    assert [(row.lesion_id, row.category) for row in timeline.lesions] == [
        ("L1", "BL"),
        ("L1", "CR"),
        ("L2", "NE"),
        ("L1", "CR"),
        ("L2", "NE"),
    ]
    assert categories(timeline) == "BL PR PR"
    assert timeline.response().lesions_new == 0
    followed = paper.follow(
        {"L1": "20x10"}, {"L1": "20x10", "L2": "not_evaluable 20x10"}, {"L1": "20x10", "L2": "30x20"}
    )
    assert categories(followed) == "BL SD SD"


def test_absent_all_along_is_no_lesion(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "0x0"}, {"L1": "20x10", "L2": "0x0"})
    assert {row.lesion_id for row in timeline.lesions} == {"L1"}
    assert categories(timeline) == "BL SD"


def test_stated_absent_at_baseline_and_seen_later_is_new(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "0x0"}, {"L1": "20x10", "L2": "12x9"})
    assert timeline.response().rules == ("PD4",)


def test_new_lesions_never_enter_the_sum_and_bar_nothing(paper):
    timeline = paper.follow(
        {"L1": "20x10"},
        {"L1": "8x4", "L2": "new 30x20"},
        {"L1": "8x4", "L2": "missing"},
        {"L1": "8x4", "L2": "resolved"},
    )
    assert categories(timeline) == "BL PD PD PR"
    assert timeline.response(visit=1).size_change_baseline == Fraction(-3, 5)


def test_a_modality_added_at_follow_up_is_its_own_baseline(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(90, "CT", L1="20x10"),
        paper.exam(90, "MR", L1="20x10", L2="new 12x8"),
        paper.exam(180, "MR", L1="20x10", L2="25x15"),
        paper.exam(180, "CT", L1="20x10"),
        treatment=-365,
    )
    assert categories(timeline, "MR") == "BL PD"
    assert categories(timeline) == "BL SD PD"
    assert timeline.response(scope="MR").rules == ("PD1",)
    assert timeline.response(scope="MR").discordant == ""
    assert timeline.response().discordant == "CT SD"


# merges and splits


def test_a_merge_in_a_table_adds_the_parents_diameters_and_warns(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "14x10"}, {"L9": "merged 34x20 <L1;L2"}, {"L1": "34x20"}, {"L1": "16x11"}
    )
    assert categories(timeline) == "BL SD SD PR"
    assert timeline.response(visit=1).size_change_baseline == 0
    rows = [row for row in timeline.lesions if row.visit == "visit 2"]
    assert [(row.lesion_id, row.finding.status, row.finding.label) for row in rows] == [
        ("L1", "merged", "L9"),
        ("L2", "merged", ""),
    ]
    assert "measured together with L1" in rows[1].reason
    assert timeline.response(visit=1).lesions_assessed == 2
    assert [p.what for p in timeline.problems] == [
        "L1, L2 merged: compared with their diameters added, of visits at which all of them were there"
    ]


def test_a_merge_from_images_is_compared_with_the_union_of_its_parents(paper):
    # side by side 20 x 20 and 20 x 20, as one region 40 x 20: diameters added would read an unchanged pair as -25 %
    timeline = paper.follow(
        {"L1": "20x20", "L2": "20x20", "L3": "20x20"},
        {"L1": "merged 40x20 <L1;L2 union=40x20", "L2": "merged <L1;L2", "L3": "20x20"},
        {"L1": "merged 50x25 <L1;L2 union=40x20", "L2": "merged <L1;L2", "L3": "25x25"},
    )
    assert categories(timeline) == "BL SD PD"
    first, second = timeline.response(visit=1, scope="CT"), timeline.response(visit=2, scope="CT")
    assert (first.size_sum_mm, first.size_change_baseline) == (100, 0)
    assert (second.size_sum_mm, second.size_change_baseline, second.size_change_nadir) == (125, 0.25, 0.25)
    assert timeline.problems == ()


def test_merged_then_parted_again(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "14x10"}, {"L1": "merged 34x20 <L1;L2"}, {"L1": "20x10", "L2": "14x10"}
    )
    assert categories(timeline) == "BL SD SD"
    assert timeline.response().size_change_baseline == 0


def test_parted_from_a_lesion_that_is_not_in_the_sum(paper):
    """L1 never was measurable: what both measured together is no size of L2 alone, so no nadir without it."""
    timeline = paper.timeline(
        paper.exam(0, L1="8x8", L2="12x10", L3="14x10"),
        paper.exam(90, L1="merged 11x11 <L1;L2", L3="14x10"),
        paper.exam(180, L1="8x8", L2="12x10", L3="10x6"),
    )
    assert timeline.response("visit 2").category == "SD"
    response = timeline.response("visit 3")
    assert (response.category, response.reason.split(":")[1]) == (
        "SD",
        " sum of 2 lesions 46.0 -> 38.0 mm, -17 % from baseline",
    )


def test_merged_and_gone(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "14x10"}, {"L1": "merged 34x20 <L1;L2"}, {"L1": "resolved"})
    assert categories(timeline) == "BL SD CR"


def test_parts_of_a_split_in_a_table_are_added(paper):
    timeline = paper.follow({"L1": "40x14"}, {"L1a": "split 18x14 <L1", "L1b": "split 20x13 <L1"})
    row = timeline.lesions[-1]
    assert (row.lesion_id, row.finding.label, row.finding.size_mm) == ("L1", "L1a;L1b", Decimal(65))
    assert row.size_change_baseline == Fraction(11, 54)
    assert [p.severity for p in timeline.problems] == [Severity.WARNING]
    incomplete = paper.follow({"L1": "40x14"}, {"L1a": "split 18x14 <L1", "L1b": "split <L1"})
    assert incomplete.response().category == "NE"


def test_a_split_measured_as_one_region_is_taken_as_it_is(paper):
    timeline = paper.follow({"L1": "40x14"}, {"L1": "split 40x14"})
    assert (timeline.response().category, timeline.problems) == ("SD", ())


# treated lesions


def test_treated_lesions_are_excluded_and_the_other_choice_is_named(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "20x10"}, {"L1": "20x10", "L2": "40x30 treated"})
    response = timeline.response(scope="CT")
    assert (response.category, response.size_sum_mm) == ("SD", 30)
    assert response.reason.endswith("treated lesions included: PD")
    included = paper.follow(
        {"L1": "20x10", "L2": "20x10"}, {"L1": "20x10", "L2": "40x30 treated"}, policy={"treated_lesions": "include"}
    ).response(scope="CT")
    assert (included.category, included.size_sum_mm) == ("PD", 100)
    assert included.reason.endswith("treated lesions excluded: SD")


def test_a_treatment_is_remembered_and_takes_the_lesion_out_of_the_reference_too(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "20x10"}, {"L1": "20x10", "L2": "2x1 treated"}, {"L1": "20x10", "L2": "40x30"}
    )
    assert categories(timeline) == "BL SD SD"
    assert timeline.response(scope="CT").size_change_nadir == 0


def test_only_treated_lesions_leave_nothing_to_score(paper):
    response = paper.follow({"L1": "20x10"}, {"L1": "2x1 treated"}).response(scope="CT")
    assert (response.category, response.reason) == (
        "NE",
        "every lesion was treated locally; treated lesions included: PR",
    )


# axes and numbers


def test_swapped_axes_are_put_in_order_with_a_warning(paper):
    timeline = paper.follow({"L1": "8x12"}, {"L1": "12x8"})
    assert timeline.lesions[0].measurable is True
    assert [(p.severity, p.visit) for p in timeline.problems] == [(Severity.WARNING, "baseline")]


@pytest.mark.parametrize("words", ["NaNx5", "20x-1", "Infinityx3", "20x10 u=nan", "20x10 s=-1"])
def test_impossible_numbers_are_refused_at_birth(paper, words):
    with pytest.raises(MeasurementError, match="lesion L1"):
        paper.finding("L1", words, 0)


# what is asked for


def test_unknown_criteria_are_refused_with_those_that_exist(paper):
    with pytest.raises(SettingsError, match="unknown criteria 'mda1999'; use one of mda2010"):
        build_timeline(paper.PatientFacts(patient_id="P"), [paper.exam(0)], settings=Settings(), criteria=("mda1999",))


def test_nothing_to_judge_is_refused(paper):
    with pytest.raises(InputError, match="no examination to judge @ P01"):
        paper.timeline()


def test_responses_are_found_by_label_date_and_index(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x10"), paper.exam(90, visit="week 13", L1="20x10"))
    response = timeline.response("week 13")
    assert response is timeline.response() is timeline.response(1) is timeline.response(paper.day(90))
    assert timeline.response(0).category == "BL"
    assert response.weeks == pytest.approx(90 / 7)
    with pytest.raises(InputError, match="no visit 'week 99'; the visits are baseline, week 13"):
        timeline.response("week 99")
    with pytest.raises(InputError, match="no mda2010 response for MR at week 13"):
        timeline.response(scope="MR")
    with pytest.raises(InputError, match="criteria 'recist11' were not asked; this timeline has mda2010"):
        timeline.summary("recist11")
