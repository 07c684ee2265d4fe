"""UICC: the sizes of WHO on radiographs, mixed response, no confirmation of its own."""

from __future__ import annotations

import pytest

from mdanderson.criteria import criteria_set
from mdanderson.criteria.comparators.uicc import RULES
from mdanderson.settings import Settings


def uicc(paper, *visits, modality="XR", **kwargs):
    return paper.follow(*visits, modality=modality, criteria="uicc", **kwargs)


def words(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


def last(timeline):
    return timeline.response(criteria="uicc")


def test_the_table_and_its_line_in_the_registry():
    codes = [rule.code for rule in RULES]
    assert codes == ["UICC-NEW", "UICC-PD", "UICC-MIXED", "UICC-CR", "UICC-PR", "UICC-SD"]
    assert [rule.gives for rule in RULES] == ["PD", "PD", "PD", "CR", "PR", "SD"]
    assert all("1977" in rule.source for rule in RULES)
    assert criteria_set("uicc").confirm_weeks(Settings()) == Settings().policy.confirm_weeks == 0


@pytest.mark.parametrize(
    ("now", "category"),
    [
        ("100x5.01", "SD"),
        ("100x5", "PR"),
        ("100x4.99", "PR"),
        ("100x12.49", "SD"),
        ("100x12.5", "PD"),
        ("100x12.51", "PD"),
        ("resolved", "CR"),
        ("missing", "NE"),
    ],
)
def test_limits_are_those_of_who(paper, now, category):
    timeline = uicc(paper, {"L1": "100x10"}, {"L1": now})
    assert words(timeline) == f"BL {category}"
    assert not last(timeline).unconfirmed


def test_mixed_is_progression(paper):
    timeline = uicc(paper, {"L1": "40x20", "L2": "20x10"}, {"L1": "10x10", "L2": "25x10"})
    assert words(timeline) == "BL PD"
    assert last(timeline).mixed
    assert last(timeline).rules == ("UICC-PD", "UICC-MIXED")
    assert "mixed: lesion L2 progressing, lesion L1 responding" in last(timeline).reason


def test_progression_alone_is_not_mixed(paper):
    timeline = uicc(paper, {"L1": "40x20", "L2": "20x10"}, {"L1": "40x20", "L2": "25x10"})
    assert last(timeline).rules == ("UICC-PD",)
    assert not last(timeline).mixed


def test_response_alone_is_not_mixed(paper):
    timeline = uicc(paper, {"L1": "40x20", "L2": "20x10"}, {"L1": "10x10", "L2": "20x10"})
    assert (words(timeline), last(timeline).mixed) == ("BL PR", False)


def test_a_new_lesion_is_progression(paper):
    timeline = uicc(paper, {"L1": "40x20"}, {"L1": "10x10", "L2": "new 8x8"})
    assert (words(timeline), last(timeline).rules) == ("BL PD", ("UICC-NEW",))


def test_only_radiographs_speak(paper):
    exams = [paper.exam(0, L1="20x10"), paper.exam(0, "XR", L1="20x10")]
    exams += [paper.exam(60, L1="40x20"), paper.exam(60, "XR", L1="20x10")]
    timeline = paper.timeline(*exams, criteria="uicc")
    assert words(timeline) == "BL SD"
    assert {row.scope for row in timeline.responses} == {"XR", "overall"}


def test_other_modalities_may_be_read(paper):
    sections = {"uicc": {"modalities": ["CT", "XR"]}}
    assert words(uicc(paper, {"L1": "20x10"}, {"L1": "10x10"}, modality="CT", sections=sections)) == "BL PR"
    silent = uicc(paper, {"L1": "20x10"}, {"L1": "10x10"}, modality="CT")
    assert words(silent) == "BL NE"
    assert last(silent).reason == "none of XR at this visit"
