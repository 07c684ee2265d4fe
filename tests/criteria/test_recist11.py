"""RECIST 1.1: which lesions are targets, every row, every limit, and what is missing."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mdanderson.criteria import criteria_set
from mdanderson.criteria.comparators.recist11 import RULES
from mdanderson.criteria.rule import Outcome
from mdanderson.errors import Severity
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

CODES = "R11-NEW R11-PD R11-NTPD R11-BACK R11-NED R11-CR R11-PR R11-SD R11-NONCR"


def recist(paper, *visits, **kwargs):
    return paper.follow(*visits, criteria="recist11", **kwargs)


def words(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


def last(timeline):
    return timeline.response(criteria="recist11")


def of_ct(timeline):
    """The row of the modality, which has the answers."""
    return timeline.response(scope="CT", criteria="recist11")


def outcome(timeline, code):
    return next(one.outcome for one in of_ct(timeline).verdicts if one.code == code)


def total(paper, **lesions):
    """The sum of the targets, as a follow-up that looks like its baseline says it; None without targets."""
    return last(recist(paper, lesions, lesions)).long_axis_sum_mm


def test_the_table_and_its_line_in_the_registry():
    assert " ".join(rule.code for rule in RULES) == CODES
    gives = [Category.PD] * 4 + [Category.NED, Category.CR, Category.PR, Category.SD, Category.NON_CR_NON_PD]
    assert [rule.gives for rule in RULES] == gives
    assert all("Eisenhauer" in rule.source and rule.text for rule in RULES)
    assert {modality for rule in RULES for modality in rule.modalities} == {Modality.CT, Modality.MR, Modality.XR}
    limits = {(rule.code, t.quantity): t.limit(Settings()) for rule in RULES for t in rule.thresholds}
    assert limits == {
        ("R11-NEW", "long_axis_mm"): 5,
        ("R11-CR", "normal_node_mm"): 10,
        ("R11-PD", "rise"): Fraction(1, 5),
        ("R11-PD", "rise_mm"): 5,
        ("R11-NTPD", "rise"): 0,
        ("R11-NTPD", "rise_mm"): 5,
        ("R11-BACK", "rise_mm"): 5,
        ("R11-PR", "fall"): Fraction(3, 10),
    }
    assert criteria_set("recist11").confirm_weeks(Settings()) == 0


# which lesions are targets


@pytest.mark.parametrize(
    ("lesion", "measured"),
    [
        ("30x20", None),  # bone alone
        ("30x20 lytic", None),
        ("30x20 target", 30),  # soft tissue blank: the reader's word, the long axis
        ("30x20 target blastic", 30),
        ("30x20 target mixed", 30),
        ("30x20 st=9.9", None),
        ("30x20 st=10", 10),
        ("30x20 st=10.1", Fraction(101, 10)),
        ("30x20 st=12 lytic", 12),
        ("30x20 st=12 mixed", 12),
        ("30x20 st=12 blastic", None),
        ("30x20 st=12 blastic target", 12),
        ("30x20 st=12 nontarget", None),
        ("30x20 st=12 ill", None),
        ("30x20 st=9.9 target", None),  # detail 24
        ("30x20 st=0 target", None),
        ("30x14.9 node", None),
        ("30x15 node", 15),
        ("30x15.1 node", Fraction(151, 10)),
        ("30x15 node nontarget", None),
        ("30x12 node target", 12),
        ("30x15 node st=40", 15),
        ("30x node", None),
    ],
)
def test_targets_and_what_is_measured_of_them(paper, lesion, measured):
    assert total(paper, L1=lesion) == measured


@pytest.mark.parametrize(
    ("lesion", "category", "expected"),
    [("20x9.9 node", "NED", 0), ("20x10 node", "Non-CR/Non-PD", 1), ("20x10.1 node", "Non-CR/Non-PD", 1)],
)
def test_a_node_below_10_mm_is_no_lesion(paper, lesion, category, expected):
    timeline = recist(paper, {"L1": lesion}, {"L1": lesion})
    assert words(timeline) == f"BL {category}"
    assert last(timeline).lesions_expected == expected


def test_limits_of_targets_are_settings(paper):
    sections = {"recist11": {"target_mm": 20.0, "node_target_mm": 20.0}}
    lesions = {"L1": "30x20 st=19.9", "L2": "30x20 st=20", "N1": "30x19 node", "N2": "30x20 node"}
    assert last(recist(paper, lesions, lesions, sections=sections)).long_axis_sum_mm == 40


def test_at_most_two_of_an_organ_the_largest_first(paper):
    bone = {"L1": "30x20 st=12", "L2": "30x20 st=20"}
    assert total(paper, **bone) == 32
    assert total(paper, **bone, L3="30x20 st=30") == 50
    assert total(paper, **bone, L3="30x20 st=30", N1="30x16 node", N2="30x18 node", N3="30x17 node") == 85


def test_equally_large_ones_come_in_order_of_their_id(paper):
    baseline = {"L2": "30x20 st=12", "L3": "30x20 st=12", "L1": "30x20 st=12"}
    timeline = recist(paper, baseline, {"L1": "30x20 st=12", "L2": "30x20 st=12", "L3": "missing"})
    assert (words(timeline), last(timeline).long_axis_sum_mm) == ("BL SD", 24)


@pytest.mark.parametrize(("count", "targets"), [(4, 4), (5, 5), (6, 5)])
def test_at_most_five_targets(paper, count, targets):
    sections = {"recist11": {"maximum_targets_per_organ": 9}}
    lesions = {f"L{index}": "30x20 st=10" for index in range(count)}
    timeline = recist(paper, lesions, lesions, sections=sections)
    assert last(timeline).long_axis_sum_mm == 10 * targets
    assert timeline.problems == ()


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (2, []),
        (3, ["RECIST: 3 targets in bone stated, RECIST 1.1 has at most 2: all are used"]),
        (
            6,
            [
                "RECIST: 6 targets in bone stated, RECIST 1.1 has at most 2: all are used",
                "RECIST: 6 targets stated, RECIST 1.1 has at most 5: all are used",
            ],
        ),
    ],
)
def test_stated_targets_all_stand_with_a_warning(paper, count, told):
    lesions = {f"L{index}": "30x20 target" for index in range(count)}
    timeline = recist(paper, lesions, lesions)
    assert last(timeline).long_axis_sum_mm == 30 * count
    assert [problem.what for problem in timeline.problems] == told
    assert {problem.severity for problem in timeline.problems} <= {Severity.WARNING}


def test_stated_targets_take_the_room_of_others(paper):
    assert total(paper, L1="30x20 target", L2="30x20 st=12", L3="30x20 st=14") == 44
    assert total(paper, L1="30x20 target", L2="30x20 target", L3="30x20 st=14") == 60


def test_a_stated_target_with_little_soft_tissue_is_a_problem(paper):
    """Detail 24."""
    lesions = {"L1": "30x20 target st=9.9", "L2": "30x20 target"}
    timeline = recist(paper, lesions, lesions)
    assert last(timeline).long_axis_sum_mm == 30
    (problem,) = timeline.problems
    assert (problem.severity, problem.where, problem.visit) == (Severity.WARNING, "CT lesion L1", "baseline")
    assert problem.what == "RECIST: target on bone with a soft-tissue extent of 9.9 mm, below 10.0 mm: non-target"
    assert problem.how_to_fix


@pytest.mark.parametrize(
    ("lesion", "what"),
    [
        ("20x9 node target", "target node of 9.0 mm short axis"),
        ("20x node target", "target without short axis"),
        ("lytic target", "target without long axis"),
    ],
)
def test_a_stated_target_that_cannot_be_one_is_a_problem(paper, lesion, what):
    timeline = recist(paper, {"L1": lesion}, {"L1": lesion})
    assert last(timeline).long_axis_sum_mm is None
    (problem,) = timeline.problems
    assert what in problem.what


def test_the_problem_is_told_once_for_both_sets(paper):
    lesions = {"L1": "30x20 target st=9.9"}
    timeline = paper.follow(lesions, lesions, criteria="recist11 irecist")
    assert len(timeline.problems) == 1


def test_the_readers_word_is_told(paper):
    timeline = recist(paper, {"L1": "30x20 target blastic"}, {"L1": "20x20"})
    assert words(timeline) == "BL PR"
    assert "lesion L1 by the long axis, a target by the reader's word" in last(timeline).reason
    assert timeline.problems == ()


# the sum


@pytest.mark.parametrize(
    ("now", "category"),
    [
        ("70.1", "SD"),  # -29.9 %
        ("70", "PR"),
        ("69.9", "PR"),
        ("119.9", "SD"),
        ("120", "PD"),
        ("120.1", "PD"),
        ("0", "CR"),
    ],
)
@pytest.mark.parametrize("kind", ["{}x0 target", "100x100 st={}", "300x{} node"])
def test_limits_of_the_sum(paper, now, category, kind):
    follow_up = "0x0" if now == "0" else kind.format(now)
    assert words(recist(paper, {"L1": kind.format(100)}, {"L1": follow_up})) == f"BL {category}"


@pytest.mark.parametrize(
    ("nadir", "now", "category"),
    [
        ("20", "24.95", "PR"),  # +24.75 %, +4.95 mm
        ("20", "25", "PD"),
        ("25", "29.95", "SD"),  # +19.8 %, +4.95 mm
        ("25", "30", "PD"),  # +20 %, +5.00 mm
        ("26", "31.15", "SD"),  # +19.8 %, +5.15 mm
        ("30", "35.97", "SD"),  # +19.9 %
        ("30", "36", "PD"),
        ("30", "36.03", "PD"),
        ("0", "4.95", "PR"),
        ("0", "5.00", "PD"),
        ("0", "5.05", "PD"),
        ("0", "0", "CR"),
    ],
)
def test_progression_from_the_nadir_needs_share_and_millimetres(paper, nadir, now, category):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": f"{nadir}x0"}, {"L1": f"{now}x0"})
    assert words(timeline).split()[-1] == category


def test_the_reference_of_md_anderson_is_not_used(paper):
    visits = {"L1": "40x0 target"}, {"L1": "20x0"}, {"L1": "30x0"}
    assert words(recist(paper, *visits, policy={"progression_reference": "baseline"})) == "BL PR PD"


def test_the_nadir_is_of_complete_visits(paper):
    baseline = {"L1": "40x0 target", "L2": "40x0 target"}
    visits = {"L1": "10x0", "L2": "missing"}, {"L1": "38x0", "L2": "38x0"}
    assert words(recist(paper, baseline, *visits)) == "BL NE SD"


def test_the_words_give_the_numbers(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "20x0"}, {"L1": "24.95x0"}, {"L1": "25x0"})
    reasons = [row.reason for row in timeline.responses if row.scope == "CT"]
    assert reasons[1].startswith("sum of diameters 40.0 -> 20.0 mm, -50 % from baseline; ")
    assert reasons[3] == "sum of diameters 20.0 -> 25.0 mm, +25 %, 5.00 mm from its nadir: R11-PD"
    row = last(timeline)
    assert (row.size_change_baseline, row.size_change_nadir) == (Fraction(-3, 8), Fraction(1, 4))


# new lesions


@pytest.mark.parametrize(
    ("new", "category"),
    [
        ("new 4.9x4", "SD"),
        ("new 5x4", "PD"),
        ("equivocal 4x4", "SD"),
        ("new 20x9.9 node", "SD"),
        ("new 20x10 node", "PD"),
        ("new node", "PD"),
        ("followed 20x10", "SD"),
    ],
)
def test_a_new_lesion_is_progression(paper, new, category):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "40x0", "L2": new})
    assert words(timeline) == f"BL {category}"
    assert last(timeline).lesions_new == (category == "PD")


def test_a_new_lesion_without_a_row_is_still_there(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "40x0", "L2": "new 20x12 node"}, {"L1": "40x0"})
    assert words(timeline) == "BL PD PD"
    gone = recist(
        paper, {"L1": "40x0 target"}, {"L1": "40x0", "L2": "new 20x12 node"}, {"L1": "40x0", "L2": "20x9 node"}
    )
    assert words(gone) == "BL PD SD"


@pytest.mark.parametrize(
    ("before", "now", "category"),
    [("5", "9.9", "SD"), ("5", "10", "PD"), ("6", "10.9", "SD"), ("6", "11", "PD"), ("9.9", "14.8", "SD")],
)
def test_a_node_normal_at_baseline_is_new_once_grown(paper, before, now, category):
    timeline = recist(
        paper, {"L1": "40x0 target", "N": f"20x{before} node"}, {"L1": "40x0", "N": f"20x{now} node"}, {"L1": "40x0"}
    )
    assert words(timeline) == f"BL {category} {category}"


def test_a_normal_node_grows_from_its_smallest(paper):
    visits = {"N": "20x9 node"}, {"N": "20x5 node"}, {"N": "20x10 node"}, {"N": "20x9 node"}
    assert words(recist(paper, *visits)) == "BL NED PD NED"


def test_the_growth_of_a_normal_node_is_a_setting(paper):
    visits = {"N": "20x9 node"}, {"N": "20x11 node"}
    assert words(recist(paper, *visits)) == "BL NED"
    assert words(recist(paper, *visits, sections={"recist11": {"node_growth_mm": 2.0}})) == "BL PD"


# complete response, nodes


@pytest.mark.parametrize(("now", "category"), [("9.9", "CR"), ("10", "PR"), ("10.1", "PR")])
def test_a_target_node_below_10_mm_counts_as_gone_but_its_mm_stay(paper, now, category):
    timeline = recist(paper, {"N": "30x20 node"}, {"N": f"30x{now} node"})
    assert words(timeline) == f"BL {category}"
    assert last(timeline).long_axis_sum_mm == Fraction(now)


@pytest.mark.parametrize(("now", "category"), [("9.9", "CR"), ("10", "PR")])
def test_a_nontarget_node_below_10_mm_counts_as_gone(paper, now, category):
    timeline = recist(paper, {"L1": "40x0 target", "N": "30x12 node"}, {"L1": "0x0", "N": f"30x{now} node"})
    assert words(timeline) == f"BL {category}"


def test_normal_nodes_do_not_progress(paper):
    """Two nodes from 3 to 9 mm: the sum rises by 12 mm, yet both are normal."""
    visits = ({"M": "30x16 node", "N": "30x16 node"}, {"M": "9x3 node", "N": "9x3 node"})
    assert words(recist(paper, *visits, {"M": "9x9 node", "N": "9x9 node"})) == "BL CR CR"
    assert words(recist(paper, *visits, {"M": "12x10 node", "N": "9x9 node"})) == "BL CR PD"


def test_a_node_is_one_whichever_visit_says_so(paper):
    assert words(recist(paper, {"N": "40x20"}, {"N": "40x14 node"})) == "BL PR"


def test_nodes_normal_with_a_small_fall_are_a_partial_response_beside_nontargets(paper):
    visits = {"N": "30x11 node target", "L": "30x20"}, {"N": "30x9 node", "L": "30x20"}
    timeline = recist(paper, *visits)
    assert words(timeline) == "BL PR"  # -18 %, every target gone
    assert "non-target lesion L not gone" in last(timeline).reason


# back after a complete response


@pytest.mark.parametrize(
    ("lesion", "back", "category"),
    [
        ("30x20 nontarget", "30x20", "PD"),
        ("30x20 nontarget", "4.9x4", "Non-CR/Non-PD"),
        ("30x20 nontarget", "5x4", "PD"),
        ("30x20 nontarget", "5.1x4", "PD"),
        ("30x20 nontarget", "lytic", "PD"),  # seen, nobody measured it
        ("30x20 nontarget", "resolved", "CR"),
        ("30x20 nontarget", "missing", "NE"),
        ("30x12 node nontarget", "30x9.9 node", "CR"),
        ("30x12 node nontarget", "30x10 node", "PD"),
        ("40x0 target", "4.95x0", "PR"),
        ("40x0 target", "5x0", "PD"),
        ("40x20 st=20", "40x20 st=4.9", "PR"),
        ("40x20 st=20", "40x20 st=5", "PD"),
        ("40x20 st=20", "40x20", "NE"),
        ("30x20 node target", "30x10 node", "PD"),
    ],
)
def test_what_is_back_after_a_complete_response_is_progression(paper, lesion, back, category):
    timeline = recist(paper, {"L1": lesion}, {"L1": "resolved"}, {"L1": back})
    assert words(timeline) == f"BL CR {category}"
    fired = "R11-BACK" in last(timeline).rules
    assert fired == (category == "PD")


def test_a_node_back_from_normal_must_have_grown(paper):
    visits = {"N": "30x12 node nontarget"}, {"N": "30x9 node"}
    assert words(recist(paper, *visits, {"N": "30x13.9 node"})) == "BL CR Non-CR/Non-PD"
    assert words(recist(paper, *visits, {"N": "30x14 node"})) == "BL CR PD"


def test_a_lesion_that_is_back_beside_a_sum_too_large_to_rise_by_it(paper):
    """Normal nodes stay in the sum: 5.1 mm beside three of 9.9 mm are +17 %."""
    sections = {"recist11": {"maximum_targets_per_organ": 5}}
    nodes = dict.fromkeys(("M", "N", "O"), "30x16 node")
    normal = dict.fromkeys(nodes, "30x9.9 node")
    visits = nodes | {"L1": "40x0 target"}, normal | {"L1": "resolved"}
    timeline = recist(paper, *visits, normal | {"L1": "5.1x0"}, sections=sections)
    assert (words(timeline), last(timeline).rules) == ("BL CR PD", ("R11-BACK",))
    assert "back since the complete response of visit 2: lesion L1" in last(timeline).reason


def test_it_stays_progression_while_it_is_back_whatever_came_between(paper):
    visits = {"L2": "20x10"}, {"L2": "0x0"}, {"L2": "missing"}, {"L2": "20x10"}, {"L2": "20x10"}, {"L2": "0x0"}
    assert words(recist(paper, *visits)) == "BL CR NE PD PD CR"


def test_without_a_complete_response_it_is_no_progression(paper):
    visits = {"L1": "20x10", "L2": "20x10"}, {"L1": "20x10", "L2": "0x0"}, {"L1": "20x10", "L2": "20x10"}
    assert words(recist(paper, *visits)) == "BL Non-CR/Non-PD Non-CR/Non-PD"
    known_later = {"L1": "20x10"}, {"L1": "0x0"}, {"L1": "0x0", "L2": "followed 20x10"}
    assert words(recist(paper, *known_later)) == "BL CR Non-CR/Non-PD"


# targets missing


@pytest.mark.parametrize("status", ["missing", "ambiguous", "not_evaluable", None])
def test_a_missing_target_leaves_progression_or_nothing(paper, status):
    baseline = {"L1": "60x0 target", "L2": "40x0 target", "L3": "20x10"}
    silent = {} if status is None else {"L2": status}
    follow_ups = {
        "60x0": "NE",
        "10x0": "NE",
        "0x0": "NE",
        "119.9x0": "NE",
        "120x0": "PD",  # +20 % of the 100 mm of both
    }
    for now, category in follow_ups.items():
        timeline = recist(paper, baseline, {"L1": now, "L3": "20x10", **silent})
        assert words(timeline) == f"BL {category}", now
    assert words(recist(paper, baseline, {"L1": "10x0", "L3": "20x10", "L4": "new 8x8", **silent})) == "BL PD"
    assert words(recist(paper, baseline, {"L1": "10x0", "L3": "20x10 !PD2", **silent})) == "BL PD"
    assert "lesion L2" in last(recist(paper, baseline, {"L1": "10x0", "L3": "20x10", **silent})).reason


def test_an_incomplete_sum_needs_the_millimetres_too(paper):
    baseline = {"L1": "40x0 target", "L2": "40x0 target"}
    small = {"L1": "8x0", "L2": "8x0"}  # nadir 16
    assert words(recist(paper, baseline, small, {"L1": "20.9x0"})) == "BL PR NE"
    assert words(recist(paper, baseline, small, {"L1": "21x0"})) == "BL PR PD"
    assert "(the assessed part)" in last(recist(paper, baseline, small, {"L1": "21x0"})).reason


def test_nothing_left_of_a_part_is_no_rise_even_without_a_floor(paper):
    visits = {"L1": "40x0 target", "L2": "40x0 target"}, {"L1": "0x0", "L2": "0x0"}, {"L1": "0x0", "L2": "missing"}
    assert words(recist(paper, *visits, sections={"recist11": {"pd_absolute_mm": 0.0}})) == "BL CR NE"


@pytest.mark.parametrize(
    ("now", "category"),
    [("30x20", "NE"), ("30x20 st=20", "SD"), ("30x20 st=0", "CR"), ("0x0", "CR"), ("resolved", "CR"), ("0x", "CR")],
)
def test_a_target_by_soft_tissue_needs_it_again(paper, now, category):
    timeline = recist(paper, {"L1": "30x20 st=20"}, {"L1": now})
    assert words(timeline) == f"BL {category}"
    if category == "NE":
        assert last(timeline).reason == "CT NE: lesion L1 without soft-tissue extent"


def test_a_target_node_needs_its_short_axis(paper):
    timeline = recist(paper, {"N": "30x20 node"}, {"N": "30x node"})
    assert (words(timeline), last(timeline).reason) == ("BL NE", "CT NE: lesion N without short axis")


# non-targets


@pytest.mark.parametrize("code", ["PD1", "PD2", "PD3"])
def test_a_readers_code_on_a_nontarget_is_unequivocal_progression(paper, code):
    timeline = recist(paper, {"L1": "40x0 target", "L2": "20x10"}, {"L1": "10x0", "L2": f"20x10 !{code}"})
    assert words(timeline) == "BL PD"
    assert last(timeline).rules == ("R11-NTPD",)
    assert f"by the reader: lesion L2 ({code})" in last(timeline).reason
    assert last(timeline).mixed


@pytest.mark.parametrize(
    "follow_up", [{"L1": "40x0 !PD2", "L2": "20x10"}, {"L1": "40x0", "L2": "20x10 !PD4"}, {"L1": "40x0", "L2": "!SD3"}]
)
def test_other_codes_are_not(paper, follow_up):
    timeline = recist(paper, {"L1": "40x0 target", "L2": "20x10"}, follow_up)
    assert words(timeline) == "BL SD"
    assert outcome(timeline, "R11-NTPD") is Outcome.NOT_FIRED


@pytest.mark.parametrize(
    ("now", "told"), [("23.9x10", False), ("24x10", True), ("24.1x10", True), ("60x10", True), ("20x10", False)]
)
def test_growing_nontargets_are_the_readers_call(paper, now, told):
    note = "whether that is unequivocal progression is the reader's call"
    beside = recist(paper, {"L1": "40x0 target", "L2": "20x10"}, {"L1": "40x0", "L2": now})
    alone = recist(paper, {"L2": "20x10"}, {"L2": now})
    assert (words(beside), words(alone)) == ("BL SD", "BL Non-CR/Non-PD")
    assert (note in last(beside).reason) == (note in last(alone).reason) == told


@pytest.mark.parametrize(
    ("rise", "now", "category"),
    [
        (0.0, "200x10", "Non-CR/Non-PD"),
        (0.73, "34.59x10", "Non-CR/Non-PD"),
        (0.73, "34.6x10", "PD"),
        (0.01, "24.99x10", "Non-CR/Non-PD"),
        (0.01, "25x10", "PD"),  # 5 mm
    ],
)
def test_a_measured_rise_of_nontargets_counts_by_setting_only(paper, rise, now, category):
    sections = {"recist11": {"nontarget_rise": rise}}
    assert words(recist(paper, {"L2": "20x10"}, {"L2": now}, sections=sections)) == f"BL {category}"


def test_a_measured_rise_of_nontargets_is_from_their_nadir(paper):
    sections = {"recist11": {"nontarget_rise": 0.5}}
    visits = {"L1": "40x10", "N": "30x12 node"}, {"L1": "20x10", "N": "30x10 node"}, {"L1": "34x10", "N": "90x11 node"}
    # 30 -> 45 mm: the node by its short axis
    assert words(recist(paper, *visits, sections=sections)) == "BL Non-CR/Non-PD PD"
    assert words(recist(paper, *visits)) == "BL Non-CR/Non-PD Non-CR/Non-PD"


@pytest.mark.parametrize("other", ["20x10", "missing", "not_evaluable", None])
def test_nontargets_there_or_not_assessed_keep_a_complete_response_partial(paper, other):
    follow_up = {"L1": "0x0"} if other is None else {"L1": "0x0", "L2": other}
    assert words(recist(paper, {"L1": "40x0 target", "L2": "20x10"}, follow_up)) == "BL PR"
    assert words(recist(paper, {"L1": "40x0 target", "L2": "20x10"}, {"L1": "0x0", "L2": "resolved"})) == "BL CR"


@pytest.mark.parametrize(("target", "category"), [("20x0", "PR"), ("39x0", "SD"), ("50x0", "PD")])
def test_a_missing_nontarget_bars_nothing_else(paper, target, category):
    assert (
        words(recist(paper, {"L1": "40x0 target", "L2": "20x10"}, {"L1": target, "L2": "missing"})) == f"BL {category}"
    )


@pytest.mark.parametrize(
    ("follow_up", "category"),
    [
        ({"L1": "20x10", "L2": "20x10"}, "Non-CR/Non-PD"),
        ({"L1": "0x0", "L2": "20x10"}, "Non-CR/Non-PD"),
        ({"L1": "0x0", "L2": "0x0"}, "CR"),
        ({"L1": "0x0", "L2": "missing"}, "NE"),
        ({"L1": "20x10"}, "NE"),
        ({"L1": "20x10 !PD2"}, "PD"),
        ({"L1": "20x10", "L3": "new 8x8"}, "PD"),
    ],
)
def test_nontargets_only(paper, follow_up, category):
    timeline = recist(paper, {"L1": "20x10", "L2": "20x10 blastic"}, follow_up)
    assert words(timeline) == f"BL {category}"
    assert last(timeline).long_axis_sum_mm is None


def test_one_known_before_but_first_measured_now_is_a_nontarget_that_is_there(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "0x0", "L2": "20x10"}, {"L1": "0x0", "L2": "0x0"})
    assert words(timeline) == "BL PR CR"


def test_one_first_measured_now_is_assessed_by_being_there(paper):
    assert words(recist(paper, {"L1": "20x10"}, {"L1": "20x10", "L2": "20x10"})) == "BL Non-CR/Non-PD"


def test_the_rise_of_nontargets_is_of_those_of_the_baseline_each_once(paper):
    visits = {"L2": "20x10"}, {"L2": "20x10", "L3": "20x10"}, {"L2": "30x10", "L3": "20x10"}
    assert words(recist(paper, *visits, sections={"recist11": {"nontarget_rise": 0.5}})) == "BL Non-CR/Non-PD PD"
    merged = {"L2": "20x0", "L3": "20x0", "L4": "40x0"}, {"L2": "merged 50x0 <L2;L3", "L4": "40x0"}
    assert words(recist(paper, *merged, sections={"recist11": {"nontarget_rise": 0.126}})) == "BL Non-CR/Non-PD"
    assert words(recist(paper, *merged, sections={"recist11": {"nontarget_rise": 0.125}})) == "BL PD"


# no lesion


def test_no_evidence_of_disease(paper):
    timeline = recist(paper, {}, {}, {"L1": "new 8x8"}, {"L1": "resolved"}, {"L2": "new 4x4"})
    assert words(timeline) == "BL NED PD NED NED"


def test_disease_seen_elsewhere_speaks_first(paper):
    exams = [paper.exam(0), paper.exam(0, "MR", L1="40x0 target"), paper.exam(60), paper.exam(60, "MR", L1="20x0")]
    timeline = paper.timeline(*exams, criteria="recist11")
    assert (words(timeline), last(timeline).discordant) == ("BL PR", "CT NED")


# modalities


def test_scans_do_not_speak(paper):
    exams = [paper.exam(day, modality, L1="u=3") for day in (0, 60) for modality in ("NM", "PT")]
    timeline = paper.timeline(*exams, criteria="recist11")
    assert words(timeline) == "BL NE"
    assert last(timeline).reason == "none of CT, MR, XR at this visit"


def test_a_modality_added_later_has_a_baseline_of_its_own(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="40x0 target"),
        paper.exam(60, L1="40x0"),
        paper.exam(60, "MR", L1="40x0 target", L2="20x10 target"),
        paper.exam(120, L1="40x0"),
        paper.exam(120, "MR", L1="40x0", L2="40x10"),
        criteria="recist11",
    )
    assert (words(timeline), words(timeline, "MR"), words(timeline, "CT")) == ("BL SD PD", "BL PD", "BL SD SD")
    assert last(timeline).discordant == "CT SD"


def test_targets_are_those_of_the_modalitys_own_baseline(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10 st=20"),
        paper.exam(0, "MR", L1="20x10 st=9"),
        paper.exam(60, L1="20x10 st=14"),
        paper.exam(60, "MR", L1="20x10 st=9"),
        criteria="recist11",
    )
    assert (words(timeline, "CT"), words(timeline, "MR")) == ("BL PR", "BL Non-CR/Non-PD")


def test_one_sequence_gives_the_diameter(paper):
    timeline = paper.timeline(
        paper.exam(0, "MR", L1=("STIR 60x10 target", "T1 40x10 target")),
        paper.exam(60, "MR", L1=("STIR 30x10", "T1 40x10")),
        criteria="recist11",
    )
    assert (words(timeline), last(timeline).long_axis_sum_mm) == ("BL SD", 40)


def test_one_that_may_be_new_leaves_nothing_but_progression(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "20x0", "L2": "not_evaluable maybe 8x8"})
    assert words(timeline) == "BL NE"
    assert last(timeline).rules == ()


# several lesions as one


def test_merged_targets_are_added_and_enter_once(paper):
    baseline = {"L1": "20x0 target", "L2": "20x0 target", "L3": "60x0 nontarget"}
    timeline = recist(paper, baseline, {"L1": "merged 44.9x0 <L1;L2", "L3": "60x0"})
    assert (words(timeline), last(timeline).long_axis_sum_mm) == ("BL SD", Fraction(449, 10))
    assert words(recist(paper, baseline, {"L1": "merged 48x0 <L1;L2", "L3": "60x0"})) == "BL PD"


def test_parts_of_a_split_are_added(paper):
    split = paper.exam(90, L1a="split 12x5 st=8 <L1", L1b="split 12x5 st=7 <L1")
    by_axis = paper.timeline(paper.exam(0, L1="30x10 target"), split, criteria="recist11")
    assert last(by_axis).long_axis_sum_mm == 24
    by_soft_tissue = paper.timeline(paper.exam(0, L1="30x10 st=20"), split, criteria="recist11")
    assert last(by_soft_tissue).long_axis_sum_mm == 15


def test_every_row_says_why(paper):
    timeline = recist(paper, {"L1": "40x0 target", "L2": "20x10"}, {"L1": "40x0", "L2": "20x10"})
    assert [one.code for one in of_ct(timeline).verdicts] == CODES.split()
    assert all(one.because for one in of_ct(timeline).verdicts)
    fired = {one.code for one in of_ct(timeline).verdicts if one.fired}
    assert fired == {"R11-SD"}


def test_the_patients_row_leaves_the_answers_to_the_modality_that_it_names(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "20x0"})
    assert last(timeline).verdicts == ()
    assert last(timeline).reason == f"CT: {of_ct(timeline).reason}"


def test_the_change_of_the_sum_stands_in_its_own_column_too(paper):
    timeline = recist(paper, {"L1": "40x0 target"}, {"L1": "30x0"}, {"L1": "20x0"})
    for row in (last(timeline), of_ct(timeline)):
        assert row.long_axis_change_baseline == row.size_change_baseline == Fraction(-1, 2)
        assert row.product_change_baseline is None


@pytest.mark.parametrize("choice", ["exclude", "include"])
def test_treated_targets_are_counted_and_named(paper, choice):
    """Detail 34."""
    visits = (
        {"L1": "40x0 target", "L2": "40x0 target", "L3": "20x10"},
        {"L1": "20x0 treated", "L2": "40x0", "L3": "20x10 treated"},
    )
    timeline = recist(paper, *visits, policy={"treated_lesions": choice})
    assert last(timeline).long_axis_sum_mm == 60
    assert last(timeline).reason.endswith("; treated locally, counted all the same: lesion L1")
    assert "treated" not in last(recist(paper, visits[0], {"L1": "20x0", "L2": "40x0", "L3": "20x10"})).reason
