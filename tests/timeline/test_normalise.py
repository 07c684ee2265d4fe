"""Findings made uniform: who carries a measurement, and that nothing is new at a modality's first visit."""

from __future__ import annotations

import pytest

from mdanderson.timeline.normalise import carrier_of, is_measured, normalise
from mdanderson.timeline.visits import arrange


def normalised(*exams):
    visits, pooled, _ = arrange(exams, window_days=14)
    return normalise(visits, pooled)[0]


def statuses(pooled, modality="CT"):
    return {finding.lesion_id: finding.status.value for finding in pooled[modality].lesions}


@pytest.mark.parametrize(
    ("words", "carrier"),
    [
        ("20x10", "A"),
        ("split 10x5 <L1", "L1"),
        ("split 10x5", "A"),
        ("merged 40x20 <L1;L2", "L1"),
        ("merged !PR1 <L1;L2", "L1"),
        ("merged <L1;A", "A"),
        ("merged 0x0 <L1;L2", "L1"),
        ("resolved <L1;L2", "L1"),
        ("resolved <L1", "A"),
    ],
)
def test_who_carries_a_measurement(paper, words, carrier):
    (finding,) = paper.exam(90, A=words).lesions
    assert carrier_of(finding) == carrier


@pytest.mark.parametrize(
    ("words", "measured"), [("20x10", True), ("u=1.5", True), ("s=1.5", True), ("!PR1", True), ("merged", False)]
)
def test_what_is_a_measurement(paper, words, measured):
    (finding,) = paper.exam(90, "MR", A=words).lesions
    assert is_measured(finding) is measured


def test_nothing_is_new_at_the_first_visit_of_a_modality(paper):
    first, second = normalised(
        paper.exam(0, L1="20x10"), paper.exam(90, L2="new 20x10"), paper.exam(90, "MR", L2="new 20x10")
    )
    assert statuses(first) == {"L1": "baseline"}
    assert statuses(second) == {"L2": "new"}
    assert statuses(second, "MR") == {"L2": "baseline"}


def test_a_visit_that_says_nothing_is_not_the_first(paper):
    _, second, third = normalised(
        paper.exam(0, why="cut file"), paper.exam(90, L1="new 20x10"), paper.exam(180, L2="new 20x10")
    )
    assert statuses(second) == {"L1": "baseline"}
    assert statuses(third) == {"L2": "new"}


def test_lesions_that_have_parted_are_not_taken_for_merged_again(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "20x10"},
        {"L1": "30x20 merged <L1;L2"},
        {"L1": "20x10", "L2": "20x10"},
        {"L1": "8x4"},
    )
    assert timeline.response(1).category == "SD"
    assert timeline.response(3).category == "NE"
    assert "L2 not assessed" in timeline.response(3).reason


@pytest.mark.parametrize(("size", "counts"), [("4.9x3", False), ("5x3", True), ("12x9", True), ("", False)])
def test_a_focus_called_equivocal_that_is_large_enough_is_told(paper, size, counts):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "20x10", "L2": f"equivocal {size}"})
    told = [str(problem) for problem in timeline.problems if "equivocal" in problem.what]
    axis = size.partition("x")[0]
    line = f"warning: called equivocal, yet {axis} mm long: its size counts @ P01 visit 2 CT lesion L2; "
    assert [one[: len(line)] for one in told] == ([line] if counts else [])
    assert timeline.response().category == ("PD" if counts else "SD")


def test_nothing_is_equivocally_new_at_the_first_examination(paper):
    timeline = paper.timeline(paper.exam(0, L1="equivocal 12x9"), paper.exam(90, "MR", L1="equivocal 12x9"))
    assert not [problem for problem in timeline.problems if "equivocal" in problem.what]
