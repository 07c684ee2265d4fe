"""MR: every row of the table fires from images, and does not just below its limit.

At follow-up the gain is 1.3 and a bias field lies over the image; neither is anything of the lesion's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from mdanderson.vocabulary import MrSequence

MIDDLE, LOWER = (2.0, 0.0, 1.0), (-3.0, 2.0, -32.0)
STEADY = {"SD2", "SD4"}


@pytest.fixture
def course(cohort, mr) -> Callable[..., object]:
    """Visits: lesions, and their ratios to normal marrow by sequence; the first sequence is outlined."""

    def judge(*visits: tuple[Sequence[object], Mapping[str, Sequence[float]]], reads: str = "") -> object:
        one = cohort()
        for visit, (lesions, ratios) in enumerate(visits):
            for index, (sequence, ratio) in enumerate(ratios.items()):
                made = mr(tuple(lesions), tuple(ratio), visit, MrSequence(sequence))
                one.volume(made, visit, sequence=sequence, mask=index == 0)
        return one.judge(reads)

    return judge


@pytest.fixture
def dark(lesion):
    return lesion(1, MIDDLE, 18)


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [
        pytest.param({"T1": [0.5]}, {"T1": [0.9]}, True, id="T1 0.9"),
        pytest.param({"T1": [0.5]}, {"T1": [0.7]}, False, id="T1 0.7"),
        pytest.param({"STIR": [2.5]}, {"STIR": [1.05]}, True, id="STIR 1.05"),
        pytest.param({"STIR": [2.5]}, {"STIR": [1.4]}, False, id="STIR 1.4"),
        pytest.param({"T2": [2.5]}, {"T2": [1.05]}, True, id="T2 1.05"),
        pytest.param({"T2": [2.5]}, {"T2": [1.4]}, False, id="T2 1.4"),
        pytest.param({"OPP": [2.1], "IN": [0.9]}, {"OPP": [1.4], "IN": [0.9]}, True, id="opposed/in 0.7"),
        pytest.param({"OPP": [2.1], "IN": [0.9]}, {"OPP": [1.8], "IN": [0.9]}, False, id="opposed/in 0.9"),
    ],
)
def test_cr3_signal_back_to_normal(course, dark, before, after, fires):
    judged = course(([dark], before), ([dark], after))
    assert judged.of("MR") == (("CR", {"CR3"}) if fires else ("SD", STEADY))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stir", "expected"),
    [(1.05, ("CR", {"CR3"})), (1.5, ("SD", STEADY))],
    ids=["both normal", "STIR 1.5 beside T1 1.0"],
)
def test_cr3_asks_every_sequence(course, dark, stir, expected):
    judged = course(([dark], {"T1": [0.5], "STIR": [2.5]}), ([dark], {"T1": [1.0], "STIR": [stir]}))
    assert judged.of("MR") == expected


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "expected"), [(1.0, ("CR", {"CR3"})), (0.5, ("NE", set()))], ids=["gone", "there"])
def test_cr3_of_what_nobody_outlined(course, lesion, ratio, expected):
    judged = course(([lesion(1, MIDDLE, 18)], {"T1": [0.5]}), ([lesion(1, MIDDLE, 18, drawn=False)], {"T1": [ratio]}))
    assert judged.of("MR") == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(24, 10.8, ("PR", {"PR3"}), id="PR3 at -55 %"),
        pytest.param(24, 13.6, ("SD", STEADY), id="SD2 at -43 %"),
        pytest.param(18, 21.2, ("SD", STEADY), id="SD2 at +18 %"),
        pytest.param(18, 24, ("PD", {"PD1"}), id="PD1 at +33 %"),
    ],
)
def test_pr3_pd1_sd2_size(course, lesion, before, after, expected):
    judged = course(*(([lesion(1, MIDDLE, size)], {"T1": [0.5]}) for size in (before, after)))
    assert judged.of("MR") == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "code", "category"),
    [
        pytest.param(10.0, 4.2, "PR4", "PR", id="PR4 at -58 %"),
        pytest.param(10.0, 10.6, "SD3", "SD", id="SD3 at +6 %"),
        pytest.param(10.0, 14.0, "PD2", "PD", id="PD2 at +40 %"),
    ],
)
def test_pr4_pd2_sd3_size_of_what_is_not_measurable(course, lesion, before, after, code, category):
    """Below 10 mm in the plane at baseline; measured, for no reader spoke."""
    judged = course(*(([lesion(1, MIDDLE, size)], {"T1": [0.5]}) for size in (before, after)))
    assert judged.lesion("MR") == (category, {code})
    assert judged.row("MR").basis == "measured"
    assert judged.of("MR")[0] == category


@pytest.mark.slow
@pytest.mark.parametrize(("code", "category"), [("PR4", "PR"), ("PD2", "PD"), ("SD3", "SD")])
def test_pr4_pd2_sd3_by_a_reader(course, dark, code, category):
    seen = ([dark], {"T1": [0.5]})
    judged = course(seen, seen, reads=f"0 MR L01 - no -\n1 MR L01 {code} - -")
    assert judged.lesion("MR") == (category, {code})
    assert judged.row("MR").basis == "reader"
    assert judged.of("MR")[0] == category


@pytest.mark.parametrize(
    ("size", "expected"), [(14, ("PD", {"PD4"})), (4.5, ("SD", STEADY))], ids=["14 mm", "below 5 mm"]
)
def test_pd4_a_new_lesion(course, dark, lesion, size, expected):
    judged = course(([dark], {"T1": [0.5]}), ([dark, lesion(2, LOWER, size)], {"T1": [0.5, 0.5]}))
    assert judged.of("MR") == expected


def test_sd1_no_change_by_a_reader(course, dark):
    seen = ([dark], {"T1": [0.5]})
    judged = course(seen, seen, reads="1 MR L01 SD1 - -")
    assert "SD1" in judged.lesion("MR")[1]
    assert judged.of("MR")[0] == "SD"


def test_sd4_nothing_new(course, dark):
    seen = ([dark], {"T1": [0.5]})
    assert course(seen, seen).of("MR") == ("SD", STEADY)
