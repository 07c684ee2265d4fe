"""What contradicts itself or is compared with nothing is said, and never read as a response."""

from __future__ import annotations

import pytest


def told(timeline, words):
    return [problem.what for problem in timeline.problems if words in problem.what]


def test_one_region_counts_once(paper):
    timeline = paper.follow({"L1": "20x15 lytic", "L2": "30x15 lytic"}, {"L1": "merged 30x14 <L1;L2 !CR1"})
    row = timeline.response(1)
    assert (row.category, row.reason) == ("CR", "CT: complete response of all 2 lesions: CR1")


def test_a_row_that_holds_of_a_merged_region_holds_of_each_lesion_in_it(paper):
    first = {"L1": "20x15 lytic", "L2": "30x15 lytic", "L3": "20x15", "L4": "20x15"}
    timeline = paper.follow(first, {"L1": "merged 30x14 <L1;L2 !PR1", "L3": "20x15", "L4": "20x15"})
    assert "2 of 4 lesions carry PR1" in timeline.response(1).reason
    timeline = paper.follow(first, {"L1": "merged 50x30 <L1;L2", "L3": "resolved", "L4": "20x15"})
    assert timeline.response(1).category == "SD"


@pytest.mark.parametrize("written", ["L1", "L2", "M"])
@pytest.mark.parametrize("words", ["merged 0x0", "resolved"])
def test_a_merged_region_that_is_gone_is_gone_for_each_lesion_in_it(paper, written, words):
    timeline = paper.follow({"L1": "20x15", "L2": "20x15", "L3": "20x15"}, {written: f"{words} <L1;L2", "L3": "0x0"})
    row = timeline.response(1, "CT")
    assert (row.category, row.lesions_assessed, row.size_sum_mm) == ("CR", 3, 0)
    assert {one.lesion_id: one.finding.status for one in timeline.lesions[3:]} == dict.fromkeys(
        ("L1", "L2", "L3"), "resolved"
    )
    assert not told(timeline, "diameters added")


@pytest.mark.parametrize(("code", "category"), [("CR1", "PR"), ("PR1", "PR"), ("PD2", "PD"), ("SD3", "SD")])
def test_a_code_of_a_merged_region_without_diameters_holds_of_each_lesion_in_it(paper, code, category):
    first = {"L1": "20x15 ill lytic", "L2": "20x15 ill lytic", "L3": "20x15 ill lytic"}
    timeline = paper.follow(first, {"L1": f"merged !{code} <L1;L2", "L3": "20x15"})
    row = timeline.response(1, "CT")
    assert (row.category, row.lesions_assessed) == (category, 3)
    assert [one.rules for one in timeline.lesions[3:5]] == [(code,), (code,)]
    assert [one.basis for one in timeline.lesions[3:5]] == ["reader", "reader"]


def test_gone_in_one_sequence_and_there_in_another(paper):
    both = "20x15 T1 s=0.5", "20x15 STIR s=2"
    timeline = paper.follow({"L1": both}, {"L1": ("0x0 T1", "20x15 STIR s=2")}, modality="MR")
    row = timeline.response(1, "MR")
    assert (row.category, row.size_sum_mm) == ("SD", 35)
    assert told(timeline, "yet") == ["gone in T1, yet STIR shows it: it is there"]
    alone = paper.follow({"L1": "20x15 T1"}, {"L1": ("0x0 T1", "20x15 STIR")}, modality="MR")
    assert alone.response(1).category == "NE"


def test_gone_in_every_sequence_is_gone(paper):
    both = "20x15 T1", "20x15 STIR"
    timeline = paper.follow({"L1": both}, {"L1": ("0x0 T1", "0x0 STIR")}, modality="MR")
    assert (timeline.response(1).category, told(timeline, "yet")) == ("CR", [])


@pytest.mark.parametrize(("start", "warned"), [(59, False), (60, False), (61, True), (120, False)])
def test_a_follow_up_before_treatment_is_told(paper, start, warned):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15"), paper.exam(60, L1="30x25"), paper.exam(120, L1="30x25"), treatment=start
    )
    assert bool(told(timeline, "after the follow-up of")) is warned


def test_who_names_what_it_cannot_compare(paper):
    timeline = paper.follow({"L1": "20x15", "L2": "10x"}, {"L1": "10x7", "L2": "30x"}, criteria="who")
    row = timeline.response(1, "CT", "who")
    assert row.category == "PR"
    assert "; there, and without two diameters at baseline: lesion L2" in row.reason


def test_a_new_lesion_that_went_away_does_not_respond(paper):
    visits = {"L1": "20x15"}, {"L1": "20x15", "N1": "new 12x8"}, {"L1": "20x15", "N1": "resolved"}
    timeline = paper.follow(*visits, criteria="who")
    assert timeline.response(2, "CT", "who").lesions_responding == 0


def test_what_fires_is_told_before_what_did_not_change(paper):
    visits = {"L1": "20x20", "L2": "20x20"}, {"L1": "10x10", "L2": "20x20"}
    reason = paper.follow(*visits, policy={"size_scope": "each"}).response(1, "CT").reason
    assert reason.startswith("lesion L1 40.0 -> 20.0 mm, -50 % from baseline: PR3; 1 lesion without change")


def test_a_reason_names_its_lesion(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x"})
    assert "lesion L1: density was not measured" in timeline.lesions[-1].reason


@pytest.mark.parametrize(
    ("criteria", "then", "percent"), [("percist", "pk=5.19", "+29.8 %"), ("eortc", "mx=4.99", "+24.8 %")]
)
def test_a_rise_is_not_rounded_to_the_limit_it_missed(paper, criteria, then, percent):
    first = then[:3] + "4"
    timeline = paper.follow({"L1": f"{first}"}, {"L1": then}, modality="PT", criteria=criteria)
    row = timeline.response(1, "PT", criteria)
    assert (row.category, percent in row.reason) == ("SMD", True)


def test_the_reason_of_a_new_lesion_says_that_nobody_wrote_its_row(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x15", "N1": "new 12x8"}, {"L1": "20x15"})
    assert "without a row at this visit: taken to be still there: PD4" in timeline.response(2).reason
    assert "without a row" not in timeline.response(1).reason


# gone, beside a measurement that denies it


@pytest.mark.parametrize(
    ("modality", "first", "then", "category"),
    [
        ("NM", "u=3", "resolved u=2.5", "NE"),
        ("NM", "u=3", "resolved u=1.21", "NE"),
        ("NM", "u=3", "resolved u=1.2", "CR"),
        ("NM", "u=3", "resolved u=2.5 !CR4", "CR"),
        ("MR", "20x15 s=0.5", "0x0 s=0.79", "NE"),
        ("MR", "20x15 s=0.5", "0x0 s=0.8", "CR"),
        ("MR", "20x15 s=0.5", "0x0 s=1.2", "CR"),
        ("MR", "20x15 s=0.5", "0x0 s=1.21", "NE"),
        ("MR", "20x15 STIR s=3", "0x0 STIR s=1.21", "NE"),
        ("MR", "20x15 STIR s=3", "0x0 STIR s=0.5", "CR"),
        ("MR", "20x15 ADC s=3", "0x0 ADC s=3", "CR"),
        ("CT", "20x15", "0x0 s=3", "CR"),
    ],
)
def test_gone_beside_what_denies_it(paper, modality, first, then, category):
    timeline = paper.follow({"L1": first}, {"L1": then}, modality=modality)
    assert timeline.response(1).category == category
    told = [problem for problem in timeline.problems if "gone, yet its" in problem.what]
    assert [problem.severity for problem in told] == (["error"] if category == "NE" else [])


def test_the_limit_is_that_of_the_settings(paper):
    sections = {"image": {"normal_uptake": 2.5}}
    timeline = paper.follow({"L1": "u=3"}, {"L1": "resolved u=2.5"}, modality="NM", sections=sections)
    assert timeline.response(1).category == "CR"
