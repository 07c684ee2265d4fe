"""WHO: every row fired and not fired, its limits, confirmation, and what is missing."""

from __future__ import annotations

import pytest

from mdanderson.criteria import CRITERIA_SETS, criteria_set
from mdanderson.criteria.comparators.who import RULES
from mdanderson.criteria.rule import Outcome
from mdanderson.findings import Density
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

NORMAL = Density(
    mean_hu=200, median_hu=200, reference_hu=200, reference_sd_hu=30, lytic_fraction=0, sclerotic_fraction=0
)


def who(paper, *visits, **kwargs):
    return paper.follow(*visits, criteria="who", **kwargs)


def words(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


def last(timeline):
    return timeline.response(criteria="who")


def verdict(timeline, code):
    return next(one for one in timeline.response(criteria="who", scope="CT").verdicts if one.code == code)


def test_the_table_and_its_line_in_the_registry():
    assert [rule.code for rule in RULES] == ["WHO-NEW", "WHO-PD", "WHO-CR", "WHO-PR", "WHO-SD"]
    assert [rule.gives for rule in RULES] == ["PD", "PD", "CR", "PR", "SD"]
    assert all("1979" in rule.source and rule.text for rule in RULES)
    assert criteria_set("who") in CRITERIA_SETS
    assert criteria_set("who").confirm_weeks(Settings()) == 4
    limits = {(rule.code, t.quantity): t.limit(Settings()) for rule in RULES for t in rule.thresholds}
    assert limits == {
        ("WHO-NEW", "long_axis_mm"): 5,
        ("WHO-PD", "product_rise"): 0.25,
        ("WHO-PD", "reappeared_mm"): 10,
        ("WHO-PR", "product_fall"): 0.5,
    }


@pytest.mark.parametrize(
    ("now", "category"),
    [
        ("100x5.01", "SD"),  # -49.9 %
        ("100x5", "PR"),
        ("100x4.99", "PR"),
        ("100x10", "SD"),
        ("100x12.49", "SD"),  # +24.9 %
        ("100x12.5", "PD"),
        ("100x12.51", "PD"),
        ("0x0", "CR"),
        ("resolved", "CR"),
        ("missing", "NE"),
    ],
)
def test_limits_of_the_product(paper, now, category):
    assert words(who(paper, {"L1": "100x10"}, {"L1": now})) == f"BL {category}"


@pytest.mark.parametrize(("now", "category"), [("79x9", "SD"), ("70x10", "PR"), ("110x10", "PD")])
def test_limits_are_settings(paper, now, category):
    sections = {"who": {"pr_product_fall": 0.3, "pd_product_rise": 0.1}}
    assert words(who(paper, {"L1": "100x10"}, {"L1": now}, sections=sections)) == f"BL {category}"


def test_an_exact_limit_is_not_decided_by_binary_fractions(paper):
    """0.1 x 0.3 mm more: (10.1 x 10.3 + ...) in decimals is exactly half."""
    assert words(who(paper, {"L1": "20.2x10.3"}, {"L1": "10.1x10.3"})) == "BL PR"
    assert words(who(paper, {"L1": "20.2x10.3"}, {"L1": "10.11x10.3"})) == "BL SD"


def test_response_is_of_the_sum_progression_of_any_lesion(paper):
    baseline = {"L1": "40x30", "L2": "10x4"}
    assert words(who(paper, baseline, {"L1": "20x30", "L2": "10x4"})) == "BL SD"  # -48 %
    assert words(who(paper, baseline, {"L1": "20x28", "L2": "10x4"})) == "BL PR"  # -52 %
    one = who(paper, baseline, {"L1": "10x10", "L2": "10x5"})
    assert words(one) == "BL PD"  # the sum fell by 88 %
    assert last(one).mixed
    assert last(one).rules == ("WHO-PD",)
    assert last(one).reason == "CT: lesion L2 50.0 mm2, +25 % from its nadir: WHO-PD"
    assert (last(one).lesions_progressing, last(one).lesions_responding) == (1, 1)


def test_progression_is_against_the_lesions_own_nadir(paper):
    """Neither against baseline, nor against the visit before, nor where the sum was least."""
    visits = [
        {"L1": "40x20", "L2": "40x20"},
        {"L1": "20x10", "L2": "40x20"},
        {"L1": "20x12", "L2": "20x10"},
        {"L1": "20x12.5", "L2": "20x10"},
    ]
    timeline = who(paper, *visits)
    assert words(timeline) == "BL SD PR PD"
    assert "+25 % from its nadir" in last(timeline).reason


@pytest.mark.parametrize("policy", ["nadir", "baseline"])
def test_the_reference_of_md_anderson_is_not_used(paper, policy):
    visits = ({"L1": "40x20"}, {"L1": "20x10"}, {"L1": "20x15"})
    assert words(who(paper, *visits, policy={"progression_reference": policy})) == "BL PR PD"


# new lesions


@pytest.mark.parametrize(
    ("new", "category", "count"),
    [("new 4.9x4", "SD", 0), ("new 5x4", "PD", 1), ("new 5.1x4", "PD", 1), ("equivocal", "SD", 0)],
)
def test_a_new_lesion_counts_from_its_size(paper, new, category, count):
    timeline = who(paper, {"L1": "20x10"}, {"L1": "20x10", "L2": new})
    assert words(timeline) == f"BL {category}"
    assert last(timeline).lesions_new == count


def test_a_new_lesion_counts_while_it_is_there(paper):
    timeline = who(
        paper, {"L1": "20x10"}, {"L1": "8x5", "L2": "new 8x8"}, {"L1": "8x5"}, {"L1": "8x5", "L2": "resolved"}
    )
    assert words(timeline) == "BL PD PD PR"


def test_a_lesion_known_before_is_not_new_but_grows_from_its_first_size(paper):
    visits = [{"L1": "20x10"}, {"L1": "resolved", "L2": "20x10"}, {"L1": "resolved", "L2": "20x12.5"}]
    timeline = who(paper, *visits)
    assert words(timeline) == "BL PR PD"
    assert timeline.response(1, criteria="who").reason.endswith(
        "lesion L2 is first seen here: nothing to compare with: WHO-PR"
    )


def test_one_that_may_be_new_leaves_nothing_but_progression(paper):
    timeline = who(paper, {"L1": "20x10"}, {"L1": "8x5", "L2": "not_evaluable maybe 8x8"})
    assert words(timeline) == "BL NE"
    assert "nobody can say whether new" in last(timeline).reason
    assert words(who(paper, {"L1": "20x10"}, {"L1": "30x10", "L2": "not_evaluable maybe 8x8"})) == "BL PD"


# from nothing


@pytest.mark.parametrize(
    ("again", "category"), [("9.9x9.9", "SD"), ("7x7", "PR"), ("10x1", "PD"), ("10.1x1", "PD"), ("0x0", "PR")]
)
def test_reappearance_counts_from_the_measurable_size(paper, again, category):
    baseline = {"L1": "20x10", "L2": "20x10"}
    gone = {"L1": "resolved", "L2": "15x10"}  # 150 of 400
    timeline = who(paper, baseline, gone, {"L1": again, "L2": "15x10"})
    assert words(timeline) == f"BL PR {category}"


def test_reappeared_is_still_progression_at_the_next_visit(paper):
    timeline = who(paper, {"L1": "20x10"}, {"L1": "0x0"}, {"L1": "12x10"}, {"L1": "12x10"}, {"L1": "9x9"})
    assert words(timeline) == "BL CR PD PD PR"
    assert "reappeared" in timeline.response(2, criteria="who").reason


# what is missing


@pytest.mark.parametrize("status", ["missing", "ambiguous", "not_evaluable", None])
def test_a_lesion_not_assessed_leaves_progression_or_nothing(paper, status):
    baseline = {"L1": "40x20", "L2": "20x10"}
    silent = {} if status is None else {"L2": status}
    for now, category in {"10x10": "NE", "resolved": "NE", "40x20": "NE", "50x20": "PD"}.items():
        timeline = who(paper, baseline, {"L1": now, **silent})
        assert words(timeline) == f"BL {category}"
    assert last(who(paper, baseline, {"L1": "10x10", **silent})).reason.startswith("CT NE: lesion L2 ")


def test_a_lesion_without_a_diameter_makes_no_sum(paper):
    timeline = who(paper, {"L1": "40x20", "L2": "20x10"}, {"L1": "10x10", "L2": "10x"})
    assert words(timeline) == "BL NE"
    assert "lesion L2 without two diameters" in last(timeline).reason


def test_a_lesion_outside_the_sum_bars_complete_response_only(paper):
    baseline = {"L1": "40x20", "L2": "20x"}
    assert words(who(paper, baseline, {"L1": "0x0", "L2": "missing"})) == "BL PR"
    assert words(who(paper, baseline, {"L1": "0x0", "L2": "20x"})) == "BL PR"
    assert words(who(paper, baseline, {"L1": "0x0", "L2": "0x"})) == "BL CR"
    assert verdict(who(paper, baseline, {"L1": "0x0", "L2": "missing"}), "WHO-CR").outcome is Outcome.NOT_ASSESSABLE


@pytest.mark.parametrize(
    ("baseline", "why"),
    [
        ({}, "no lesion at baseline to follow"),
        ({"L1": "40x"}, "no lesion with two diameters at baseline"),
        ({"L1": "ill 40x20"}, "no lesion with two diameters at baseline"),
    ],
)
def test_without_a_sum_there_is_nothing_to_say(paper, baseline, why):
    timeline = who(paper, baseline, baseline)
    assert words(timeline) == "BL NE"
    assert why in last(timeline).reason


def test_least_size_of_the_sum_is_a_setting(paper):
    visits = ({"L1": "30x20", "L2": "4x3"}, {"L1": "30x20", "L2": "5x3"})
    assert words(who(paper, *visits)) == "BL PD"
    assert words(who(paper, *visits, sections={"who": {"minimum_mm": 4.0}})) == "BL PD"
    assert words(who(paper, *visits, sections={"who": {"minimum_mm": 4.1}})) == "BL SD"


def test_an_examination_not_evaluable_says_so(paper):
    exams = paper.exam(0, L1="20x10"), paper.exam(60, why="damaged file")
    timeline = paper.timeline(*exams, criteria="who")
    assert words(timeline) == "BL NE"
    assert last(timeline).reason == "CT NE: damaged file"


def test_gone_without_trace_is_no_response(paper):
    """Absence told by a density that was normal all along says nothing: neither CR nor a smaller sum."""
    exams = [
        paper.exam(0, L1="20x10", L2="8x5", densities={"L1": NORMAL}),
        paper.exam(60, L1="resolved", L2="8x5", densities={"L1": NORMAL}),
    ]
    timeline = paper.timeline(*exams, criteria="who")
    assert words(timeline) == "BL NE"
    assert "as dense as its bone at baseline" in last(timeline).reason


def test_not_an_anatomical_image(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"), paper.exam(0, "NM", L1="u=3"), paper.exam(60, "NM", L1="u=9"), criteria="who"
    )
    assert words(timeline) == "BL NE"
    assert last(timeline).reason == "none of CT, MR, XR at this visit"


# confirmation


@pytest.mark.parametrize(
    ("series", "unconfirmed"),
    [
        ("60:PR", "1"),
        ("60:CR", "1"),
        ("60:PR 87:PR", "11"),  # 27 days
        ("60:PR 88:PR", "00"),
        ("60:PR 89:PR", "00"),
        ("60:PR 70:PR 88:PR", "000"),  # within a response confirmed from its first to its last visit
        ("60:PR 100:PR 110:PR", "000"),  # stays confirmed
        ("60:PR 100:PR 200:CR", "001"),  # CR seen once after PR
        ("60:PR 100:CR", "01"),  # PR is confirmed by CR, CR is not by PR
        ("60:CR 100:PR", "10"),
        ("60:CR 100:CR", "00"),
        ("60:PR 100:SD 140:PR", "000"),
        ("60:PR 100:NE 140:PR", "000"),
        ("60:PR 100:PD 140:PR", "101"),  # progression ends it
        ("60:PR 100:PR 140:PD", "000"),
        ("60:SD 100:SD", "00"),
        ("60:PD", "0"),
        ("60:PR 70:PD 100:PR 128:PR", "1000"),
    ],
)
def test_confirmation_at_four_weeks(paper, series, unconfirmed):
    """Of 400 mm2: PR 200, SD 202; after CR 81 are PR, too small to count as reappeared; PD by a lesion that goes."""
    exams, since_cr = [paper.exam(0, L1="20x20")], False
    for entry in series.split():
        day, category = entry.split(":")
        since_cr = since_cr or category == "CR"
        sizes = {"PR": "9x9" if since_cr else "20x10", "SD": "20x10.1", "CR": "0x0", "NE": "missing", "PD": "20x10"}
        new = "new 8x8" if category == "PD" else "resolved"
        exams.append(paper.exam(int(day), L1=sizes[category], N=new))
    timeline = paper.timeline(*exams, criteria="who", policy={"visit_window_days": 1})
    for scope in ("CT", "overall"):
        rows = [row for row in timeline.responses if row.scope == scope][1:]
        assert [row.category for row in rows] == [one.split(":")[1] for one in series.split()]
        assert "".join(str(int(row.unconfirmed)) for row in rows) == unconfirmed


def test_a_setting_of_zero_weeks_needs_no_confirmation(paper):
    timeline = who(paper, {"L1": "20x10"}, {"L1": "10x5"}, sections={"who": {"confirm_weeks": 0.0}})
    assert not last(timeline).unconfirmed


def test_the_patients_response_is_confirmed_by_the_patients_visits(paper):
    """CT shows it once, MR shows it once: the patient shows it twice."""
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"),
        paper.exam(0, "MR", L1="20x10"),
        paper.exam(60, L1="10x5"),
        paper.exam(100, "MR", L1="10x5"),
        criteria="who",
    )
    assert [row.unconfirmed for row in timeline.responses if row.scope == "overall"] == [False] * 3
    assert [row.unconfirmed for row in timeline.responses if row.scope == "CT"] == [False, True]


# several lesions as one


def test_merged_lesions_enter_the_sum_once(paper):
    baseline = {"L1": "20x10", "L2": "20x10", "L3": "100x10"}
    timeline = who(paper, baseline, {"L1": "merged 40x10 <L1;L2", "L3": "29x10"})
    assert words(timeline) == "BL PR"  # 400 + 290 of 1400; counted twice it would be 1090 of 1800
    assert last(timeline).product_sum_mm2 == 690
    grown = who(paper, baseline, {"L1": "merged 50x10 <L1;L2", "L3": "100x10"})
    assert last(grown).reason == "CT: lesion L1 500.0 mm2, +25 % from its nadir: WHO-PD"


def test_a_target_merged_into_another_lesion_stays_in_the_sum(paper):
    baseline = {"L1": "ill 20x10", "L2": "20x10", "L3": "20x10"}
    timeline = who(paper, baseline, {"L1": "merged 40x10 <L1;L2", "L3": "20x10"})
    assert words(timeline) == "BL SD"
    assert last(timeline).product_sum_mm2 == 600


def test_targets_merged_into_a_lesion_that_is_none_enter_once(paper):
    baseline = {"L1": "ill 20x10", "L2": "20x10", "L3": "20x10"}
    assert last(who(paper, baseline, {"L1": "merged 60x10 <L1;L2;L3"})).product_sum_mm2 == 600


def test_parts_of_a_split_are_added(paper):
    split = paper.exam(90, L1a="split 10x5 <L1", L1b="split 6x5 <L1")
    timeline = paper.timeline(paper.exam(0, L1="20x20"), split, criteria="who")
    assert last(timeline).product_sum_mm2 == 160


# several images


def test_one_sequence_gives_the_size(paper):
    """T1 before STIR; a sequence present at one visit only is compared with nothing."""
    baseline = paper.exam(0, "MR", L1=("T1 20x10", "STIR 30x10"))
    same = paper.timeline(baseline, paper.exam(60, "MR", L1=("T1 20x10", "STIR 10x10")), criteria="who")
    assert words(same) == "BL SD"
    other = paper.timeline(baseline, paper.exam(60, "MR", L1="STIR 10x10"), criteria="who")
    assert words(other) == "BL PR"
    none = paper.timeline(paper.exam(0, "MR", L1="T1 20x10"), paper.exam(60, "MR", L1="STIR 10x10"), criteria="who")
    assert words(none) == "BL NE"


def test_a_modality_added_later_has_a_baseline_of_its_own(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"),
        paper.exam(60, L1="20x10"),
        paper.exam(60, "MR", L1="20x10", L2="20x10"),
        paper.exam(120, L1="20x10"),
        paper.exam(120, "MR", L1="20x10", L2="25x10"),
        criteria="who",
    )
    assert words(timeline) == "BL SD PD"
    assert words(timeline, "MR") == "BL PD"
    assert last(timeline).discordant == "CT SD"
    assert last(timeline).reason.startswith("MR: lesion L2")


def test_a_modality_added_later_is_no_baseline_of_the_patient(paper):
    missing = paper.timeline(
        paper.exam(0, L1="20x10"),
        paper.exam(60, L1="missing"),
        paper.exam(60, "MR", L1="20x10"),
        paper.exam(120, "XR", L1="20x10"),
        criteria="who",
    )
    assert words(missing) == "BL NE NE"


def test_the_first_visit_that_can_be_read_is_the_baseline(paper):
    exams = [paper.exam(0, "NM", L1="u=3"), paper.exam(60, L1="20x10"), paper.exam(120, L1="10x5")]
    timeline = paper.timeline(*exams, criteria="who")
    assert words(timeline) == "BL NE PR"
    assert timeline.response(1, "CT", "who").category == "BL"
    assert timeline.response(1, criteria="who").reason == "CT BL: baseline of CT: 1 lesion"
    damaged = paper.exam(0, why="damaged"), paper.exam(60, L1="20x10"), paper.exam(120, L1="10x5")
    assert words(paper.timeline(*damaged, criteria="who")) == "BL NE PR"


def test_a_baseline_at_a_later_visit_counts_as_no_free_time(paper):
    """Nothing was compared there: it has no part in the patient's category (detail 22), nor in the time (detail 20)."""
    exams = [paper.exam(0, "NM", L1="u=3"), paper.exam(152, L1="20x10")]
    summary = paper.timeline(*exams, criteria="who").summaries[0]
    assert (summary.best_response, summary.progression_free_days) == (Category.NE, 0)


def test_the_first_modality_in_order_speaks(paper):
    exams = [
        exam
        for day, ct, mr in [(0, "20x10", "20x10"), (60, "20x10", "10x10")]
        for exam in (paper.exam(day, L1=ct), paper.exam(day, "MR", L1=mr))
    ]
    timeline = paper.timeline(*exams, criteria="who")
    assert (last(timeline).category, last(timeline).discordant) == (Category.SD, "MR PR")
    by_mr = paper.timeline(*exams, criteria="who", policy={"modality_order": ["MR", "CT"]})
    assert (last(by_mr).category, last(by_mr).discordant) == (Category.PR, "CT SD")


@pytest.mark.parametrize("criteria", ["who", "uicc", "percist", "eortc"])
@pytest.mark.parametrize("choice", ["exclude", "include"])
def test_treated_lesions_are_counted_and_named_by_every_set(paper, criteria, choice):
    """Detail 34: what MD Anderson leaves out of its sum."""
    modality = {"who": "CT", "uicc": "XR"}.get(criteria, "PT")
    size = "20x10" if modality != "PT" else "pk=5 mx=5"
    visits = {"L1": size, "L2": size}, {"L1": f"{size} treated", "L2": size}
    policy = {"treated_lesions": choice}
    timeline = paper.follow(*visits, criteria=criteria, modality=modality, policy=policy)
    reasons = [row.reason for row in timeline.responses if row.visit == "visit 2"]
    assert all(reason.endswith("; treated locally, counted all the same: lesion L1") for reason in reasons)


@pytest.mark.parametrize(("criteria", "modality"), [("who", "CT"), ("uicc", "XR"), ("percist", "PT"), ("eortc", "PT")])
def test_without_a_lesion_at_baseline_every_set_says_so(paper, criteria, modality):
    timeline = paper.follow({}, {}, criteria=criteria, modality=modality)
    row = timeline.response(scope=modality, criteria=criteria)
    assert (row.category, row.reason) == ("NE", "no lesion at baseline to follow")
    gone = next(one for one in row.verdicts if one.code.split("-")[1] in {"CR", "CMR"})
    assert gone.outcome is Outcome.NOT_APPLICABLE


def test_numbers_of_the_row(paper):
    timeline = who(
        paper, {"L1": "40x20", "L2": "20x10"}, {"L1": "20x10", "L2": "20x10"}, {"L1": "22x10", "L2": "20x10"}
    )
    row = last(timeline)
    assert row.product_sum_mm2 == 420
    assert row.size_change_baseline == pytest.approx(-0.58)
    assert row.size_change_nadir == pytest.approx(0.05)
    assert (row.lesions_expected, row.lesions_assessed, row.lesions_new) == (2, 2, 0)
    assert row.reason == "CT: sum of products 1000.0 -> 420.0 mm2, -58 % from baseline: WHO-PR"
    assert row.product_change_baseline == row.size_change_baseline
    assert (row.long_axis_change_baseline, row.verdicts) == (None, ())
    of_ct = timeline.response(scope="CT", criteria="who")
    assert of_ct.product_change_baseline == row.product_change_baseline
    assert {one.code: one.outcome for one in of_ct.verdicts} == {
        "WHO-NEW": Outcome.NOT_FIRED,
        "WHO-PD": Outcome.NOT_FIRED,
        "WHO-CR": Outcome.NOT_FIRED,
        "WHO-PR": Outcome.FIRED,
        "WHO-SD": Outcome.FIRED,
    }
    assert all(one.because for one in of_ct.verdicts)
    assert verdict(timeline, "WHO-PD").because == "largest change from a nadir: lesion L1 +10 %"
