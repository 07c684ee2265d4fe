"""iRECIST: what confirms an unconfirmed progression, what resets it, and which visit decides."""

from __future__ import annotations

import pytest

from mdanderson.criteria import criteria_set
from mdanderson.criteria.comparators.irecist import CONFIRMING, RULES
from mdanderson.criteria.comparators.recist11 import RULES as RECIST_RULES
from mdanderson.errors import Severity
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

SIZED = {"L1": "40x0 target", "L2": "20x10"}


def irecist(paper, *visits, step=42, **kwargs):
    return paper.follow(*visits, criteria="irecist", step=step, **kwargs)


def on_days(paper, baseline, visits, **kwargs):
    exams = [paper.exam(0, **baseline)] + [paper.exam(day, **lesions) for day, lesions in visits.items()]
    return paper.timeline(*exams, criteria="irecist", policy={"visit_window_days": 1}, **kwargs)


def words(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


def waiting(timeline, scope="overall"):
    """1 for each visit after baseline whose progression still waits."""
    return "".join(str(int(row.unconfirmed)) for row in timeline.responses if row.scope == scope)[1:]


def last(timeline):
    return timeline.response(criteria="irecist")


def sums(*millimetres):
    return [{"L1": f"{size}x0{' target' if index == 0 else ''}"} for index, size in enumerate(millimetres)]


def test_the_table_and_its_line_in_the_registry():
    codes = [rule.code for rule in RULES]
    of_recist = [rule.code.replace("R11-PD", "R11-UPD").replace("R11", "IR") for rule in RECIST_RULES]
    assert codes[: len(RECIST_RULES)] == of_recist
    assert codes[len(RECIST_RULES) :] == ["IR-C-TARGETS", "IR-C-NONTARGETS", "IR-C-NEWSUM", "IR-C-NEW", "IR-C-KIND"]
    assert [rule.gives for rule in RULES[:9]] == ["iUPD", "iUPD", "iUPD", "iUPD", "NED", "iCR", "iPR", "iSD", "iSD"]
    assert {rule.gives for rule in CONFIRMING} == {Category.ICPD}
    assert all("Seymour" in rule.source and rule.text for rule in RULES)
    further = {rule.code: rule.limit("further_mm", Settings()) for rule in CONFIRMING if rule.thresholds}
    assert further == {"IR-C-TARGETS": 5, "IR-C-NEWSUM": 5}
    assert criteria_set("irecist").confirm_weeks(Settings()) == 0


# the words of RECIST 1.1


@pytest.mark.parametrize(
    ("follow_up", "category"),
    [
        ({"L1": "40x0", "L2": "20x10"}, "iSD"),
        ({"L1": "28x0", "L2": "20x10"}, "iPR"),
        ({"L1": "0x0", "L2": "0x0"}, "iCR"),
        ({"L1": "0x0", "L2": "20x10"}, "iPR"),
        ({"L1": "missing", "L2": "20x10"}, "NE"),
        ({"L1": "47.9x0", "L2": "20x10"}, "iSD"),
        ({"L1": "48x0", "L2": "20x10"}, "iUPD"),
        ({"L1": "40x0", "L2": "20x10 !PD2"}, "iUPD"),
        ({"L1": "40x0", "L2": "20x10", "L3": "new 8x8"}, "iUPD"),
    ],
)
def test_a_visit_in_the_words_of_irecist(paper, follow_up, category):
    timeline = irecist(paper, SIZED, follow_up)
    assert words(timeline) == f"BL {category}"
    assert last(timeline).unconfirmed == (category == "iUPD")


def test_nontargets_only_and_no_disease(paper):
    assert words(irecist(paper, {"L1": "20x10"}, {"L1": "20x10"})) == "BL iSD"
    assert words(irecist(paper, {}, {})) == "BL NED"


# confirmation by the targets


@pytest.mark.parametrize(
    ("now", "category"), [("54.95", "iUPD"), ("55", "iCPD"), ("55.05", "iCPD"), ("50", "iUPD"), ("48", "iUPD")]
)
def test_targets_confirm_by_a_further_5_mm(paper, now, category):
    timeline = irecist(paper, *sums(40, 50, now))
    assert words(timeline) == f"BL iUPD {category}"
    assert waiting(timeline) == ("00" if category == "iCPD" else "11")


def test_the_limit_is_a_setting(paper):
    assert words(irecist(paper, *sums(40, 50, 53), sections={"irecist": {"further_mm": 3.0}})) == "BL iUPD iCPD"


def test_small_steps_add_up_from_the_first_iupd(paper):
    assert words(irecist(paper, *sums(40, 50, 54, 56))) == "BL iUPD iUPD iCPD"
    assert waiting(irecist(paper, *sums(40, 50, 54, 56))) == "000"
    assert words(irecist(paper, *sums(40, 50, 48, 54))) == "BL iUPD iUPD iUPD"  # 4 mm above the first


@pytest.mark.parametrize(("between", "word"), [("44", "iSD"), ("20", "iPR")])
def test_below_progression_resets(paper, between, word):
    timeline = irecist(paper, *sums(40, 50, between, 60))
    assert words(timeline) == f"BL iUPD {word} iUPD"
    assert waiting(timeline) == "101"
    again = irecist(paper, *sums(40, 50, between, 60, 65))
    assert words(again) == f"BL iUPD {word} iUPD iCPD"
    assert waiting(again) == "1000"  # only the run that was confirmed


def test_complete_response_resets(paper):
    assert words(irecist(paper, *sums(40, 50, 0, 5, 10))) == "BL iUPD iCR iUPD iCPD"


def test_a_visit_that_says_nothing_decides_nothing(paper):
    visits = [{"L1": "40x0 target"}, {"L1": "50x0"}, {"L1": "missing"}, {"L1": "55x0"}]
    timeline = irecist(paper, *visits, step=28)
    assert (words(timeline), waiting(timeline)) == ("BL iUPD NE iCPD", "000")


def test_an_incomplete_sum_confirms_by_what_both_visits_know(paper):
    baseline = {"L1": "40x0 target", "L2": "20x0 target"}
    first = {"L1": "60x0", "L2": "20x0"}
    assert words(irecist(paper, baseline, first, {"L1": "72x0", "L2": "missing"})) == "BL iUPD iCPD"
    assert (
        words(irecist(paper, baseline, {"L1": "72x0", "L2": "missing"}, {"L1": "72x0", "L2": "20x0"})) == "BL iUPD iUPD"
    )


# confirmation by the others


@pytest.mark.parametrize(
    ("follow_up", "category"),
    [
        ({"L1": "40x0", "L2": "20x10 !PD2"}, "iCPD"),  # stated again
        ({"L1": "40x0", "L2": "20.1x10"}, "iCPD"),  # measured, however little
        ({"L1": "40x0", "L2": "20x10"}, "iSD"),  # nobody says that it progresses
        ({"L1": "40x0", "L2": "19x10"}, "iSD"),
        ({"L1": "46x0", "L2": "20x10"}, "iSD"),  # targets +6 mm without progressing themselves
        ({"L1": "48x0", "L2": "20x10"}, "iCPD"),  # another kind
    ],
)
def test_after_an_iupd_by_nontargets(paper, follow_up, category):
    assert words(irecist(paper, SIZED, {"L1": "40x0", "L2": "20x10 !PD2"}, follow_up)) == f"BL iUPD {category}"


def test_a_growth_of_nontargets_confirms_though_a_target_is_missing(paper):
    visits = {"L1": "40x0", "L2": "20x10 !PD2"}, {"L1": "missing", "L2": "25x10"}
    assert words(irecist(paper, SIZED, *visits)) == "BL iUPD iCPD"


@pytest.mark.parametrize(
    ("follow_up", "category"),
    [
        ({"L3": "8x8"}, "iUPD"),  # unchanged
        ({}, "iUPD"),  # not spoken of: still there
        ({"L3": "6x6"}, "iUPD"),
        ({"L3": "12.9x8"}, "iUPD"),
        ({"L3": "13x8"}, "iCPD"),
        ({"L3": "13.1x8"}, "iCPD"),
        ({"L3": "8x8", "L4": "new 8x8"}, "iCPD"),
        ({"L3": "8x8", "L4": "new 4x4"}, "iUPD"),  # equivocal
        ({"L3": "resolved", "L4": "new 8x8"}, "iCPD"),
        ({"L3": "resolved"}, "iSD"),
        ({"L3": "8x8", "L1": "44.9x0"}, "iUPD"),
        ({"L3": "8x8", "L1": "46x0"}, "iCPD"),  # targets +6 mm, though no progression by themselves
        ({"L3": "8x8", "L1": "48x0"}, "iCPD"),
        ({"L3": "8x8", "L2": "20x10 !PD2"}, "iCPD"),
        ({"L3": "8x8", "L2": "20.1x10"}, "iCPD"),
        ({"L3": "8x8", "L2": "19x10"}, "iUPD"),
        ({"L3": "8x8", "L1": "20x0"}, "iUPD"),
    ],
)
def test_after_an_iupd_by_a_new_lesion(paper, follow_up, category):
    new = {"L1": "40x0", "L2": "20x10", "L3": "new 8x8"}
    timeline = irecist(paper, SIZED, new, {"L1": "40x0", "L2": "20x10"} | follow_up)
    assert words(timeline) == f"BL iUPD {category}"


def test_the_sum_of_new_lesions_is_of_those_known_at_both_visits(paper):
    new = {"L1": "40x0", "N1": "new 8x8", "N2": "new 10x8"}
    base = {"L1": "40x0 target"}
    assert words(irecist(paper, base, new, {"L1": "40x0", "N1": "11x8", "N2": "12x8"})) == "BL iUPD iCPD"
    assert words(irecist(paper, base, new, {"L1": "40x0", "N1": "14x8", "N2": "0x0"})) == "BL iUPD iUPD"
    assert words(irecist(paper, base, new, {"L1": "40x0", "N1": "14x8"})) == "BL iUPD iCPD"


def test_a_new_node_is_measured_by_its_short_axis(paper):
    new = {"L1": "40x0", "N": "new 20x10 node"}
    base = {"L1": "40x0 target"}
    assert words(irecist(paper, base, new, {"L1": "40x0", "N": "40x14.9 node"})) == "BL iUPD iUPD"
    assert words(irecist(paper, base, new, {"L1": "40x0", "N": "40x15 node"})) == "BL iUPD iCPD"


def test_further_growth_of_what_did_not_progress_counts_unless_set_otherwise(paper):
    visits = SIZED, {"L1": "40x0", "L2": "20x10", "L3": "new 8x8"}
    same = {"irecist": {"further_in": "same"}}
    for follow_up in ({"L1": "45x0", "L2": "20x10"}, {"L1": "40x0", "L2": "20.1x10"}):
        assert words(irecist(paper, *visits, follow_up)) == "BL iUPD iCPD"
        assert words(irecist(paper, *visits, follow_up, sections=same)) == "BL iUPD iUPD"
    assert words(irecist(paper, *visits, {"L1": "44.9x0", "L2": "20x10"})) == "BL iUPD iUPD"


def test_growth_of_nontargets_does_not_hold_what_they_did_not_begin(paper):
    """iUPD by the targets, which then fall below progression: it is reset, whatever the non-targets measure."""
    visits = SIZED, {"L1": "50x0", "L2": "20x10"}, {"L1": "44x0", "L2": "20.1x10"}
    assert words(irecist(paper, *visits)) == "BL iUPD iSD"
    assert words(irecist(paper, *visits, {"L1": "50x0", "L2": "20.1x10"})) == "BL iUPD iSD iUPD"


@pytest.mark.parametrize("further_in", ["any", "same"])
@pytest.mark.parametrize(
    ("follow_up", "category"),
    [("20x10", "iUPD"), ("20.1x10", "iCPD"), ("12x10", "iUPD"), ("0x0", "iCR"), ("20x10 !PD2", "iCPD")],
)
def test_what_is_back_after_a_complete_response(paper, follow_up, category, further_in):
    visits = {"L2": "20x10"}, {"L2": "0x0"}, {"L2": "20x10"}, {"L2": follow_up}
    timeline = irecist(paper, *visits, sections={"irecist": {"further_in": further_in}})
    assert words(timeline) == f"BL iCR iUPD {category}"
    assert timeline.response(2, criteria="irecist").rules == ("IR-BACK",)


# when


@pytest.mark.parametrize(
    ("day", "category", "warned"),
    [
        (42 + 27, "iUPD", False),
        (42 + 28, "iCPD", False),
        (42 + 29, "iCPD", False),
        (42 + 56, "iCPD", False),
        (42 + 57, "iCPD", True),
    ],
)
def test_from_four_weeks_on_and_after_eight_with_a_warning(paper, day, category, warned):
    timeline = on_days(paper, {"L1": "40x0 target"}, {42: {"L1": "50x0"}, day: {"L1": "60x0"}})
    assert words(timeline) == f"BL iUPD {category}"
    assert len(timeline.problems) == warned
    if warned:
        (problem,) = timeline.problems
        assert (problem.severity, problem.visit, problem.where) == (Severity.WARNING, "visit 3", "CT")
        assert problem.what == "iRECIST: iUPD confirmed 8.1 weeks later (visit 2), over 8"


def test_early_visits_are_passed_over(paper):
    """They neither confirm nor reset, and the first iUPD stays the one that is compared with."""
    early = on_days(paper, {"L1": "40x0 target"}, {42: {"L1": "50x0"}, 56: {"L1": "60x0"}, 70: {"L1": "60x0"}})
    assert (words(early), waiting(early)) == ("BL iUPD iUPD iCPD", "000")
    better = on_days(paper, {"L1": "40x0 target"}, {42: {"L1": "50x0"}, 56: {"L1": "44x0"}, 70: {"L1": "56x0"}})
    assert words(better) == "BL iUPD iSD iCPD"
    assert "too early to confirm visit 2" in early.response(2, criteria="irecist").reason


def test_lateness_is_measured_from_the_last_visit_that_decided(paper):
    visits = {42: {"L1": "50x0"}, 84: {"L1": "50x0"}, 126: {"L1": "60x0"}}
    assert on_days(paper, {"L1": "40x0 target"}, visits).problems == ()
    passed_over = {42: {"L1": "50x0"}, 56: {"L1": "50x0"}, 105: {"L1": "60x0"}}
    assert len(on_days(paper, {"L1": "40x0 target"}, passed_over).problems) == 1


def test_the_times_are_settings(paper):
    sections = {"irecist": {"confirm_from_weeks": 2.0, "confirm_to_weeks": 3.0}}
    visits = {42: {"L1": "50x0"}, 42 + 14: {"L1": "60x0"}}
    timeline = on_days(paper, {"L1": "40x0 target"}, visits, sections=sections)
    assert (words(timeline), timeline.problems) == ("BL iUPD iCPD", ())
    late = on_days(paper, {"L1": "40x0 target"}, {42: {"L1": "50x0"}, 42 + 22: {"L1": "60x0"}}, sections=sections)
    assert len(late.problems) == 1


# afterwards


def test_after_icpd_a_visit_that_progresses_is_icpd_and_others_keep_their_word(paper):
    timeline = irecist(paper, *sums(40, 50, 55, 55, 44, 20, 30))
    assert words(timeline) == "BL iUPD iCPD iCPD iSD iPR iCPD"
    assert waiting(timeline) == "000000"
    assert "confirmed at an earlier visit" in last(timeline).reason


def test_the_words_name_the_visits(paper):
    timeline = irecist(paper, *sums(40, 50, 51, 55))
    first, second, third = (timeline.response(index, criteria="irecist") for index in (1, 2, 3))
    assert first.reason.endswith("; confirmed at visit 4")
    assert "not further than at visit 2" in second.reason
    assert third.reason.startswith("CT: targets +5.00 mm since iUPD: IR-C-TARGETS; confirms iUPD of visit 2")
    assert third.rules == ("IR-UPD", "IR-C-TARGETS")
    assert third.verdicts == ()
    of_ct = timeline.response(3, "CT", criteria="irecist").verdicts
    assert {one.code for one in of_ct} == {rule.code for rule in RULES}
    assert all(one.because for one in of_ct)


# several modalities


def test_each_modality_confirms_its_own(paper):
    exams = [paper.exam(day, L1=size) for day, size in [(0, "40x0 target"), (42, "50x0"), (84, "50x0")]]
    exams += [paper.exam(day, "MR", L1=size) for day, size in [(0, "40x0 target"), (42, "40x0"), (84, "50x0")]]
    timeline = paper.timeline(*exams, criteria="irecist")
    assert (words(timeline, "CT"), words(timeline, "MR")) == ("BL iUPD iUPD", "BL iSD iUPD")
    assert (words(timeline), waiting(timeline)) == ("BL iUPD iUPD", "11")
    assert timeline.response(1, criteria="irecist").discordant == "MR iSD"


def test_a_progression_that_waits_speaks_before_a_response(paper):
    exams = [paper.exam(day, L1=size) for day, size in [(0, "40x0 target"), (42, "20x0")]]
    exams += [paper.exam(day, "MR", L1=size) for day, size in [(0, "40x0 target"), (42, "50x0")]]
    timeline = paper.timeline(*exams, criteria="irecist")
    assert (words(timeline), last(timeline).discordant) == ("BL iUPD", "CT iPR")


def test_one_that_may_be_new_bars_all_but_progression(paper):
    may_be_new = {"L2": "not_evaluable maybe 8x8"}
    assert words(irecist(paper, {"L1": "40x0 target"}, {"L1": "40x0"} | may_be_new)) == "BL NE"
    assert words(irecist(paper, {"L1": "40x0 target"}, {"L1": "50x0"} | may_be_new)) == "BL iUPD"
