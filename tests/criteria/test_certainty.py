"""Probabilities beside every size category: of a lesion, of the sum, of each lesion by itself."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mdanderson.settings import Settings
from mdanderson.uncertainty import CategoryLimits, Measured, category_probabilities, size_sd_mm

ERRORS = Settings().uncertainty
LIMITS = CategoryLimits(fall=Fraction(1, 2), rise=Fraction(1, 4), reappeared_mm=Fraction(10))


def size(*axes):
    """A sum of lesions, each LONGxSHORT."""
    pairs = [tuple(Fraction(axis) for axis in one.split("x")) for one in axes]
    return Measured(
        size=sum((sum(pair) for pair in pairs), Fraction(0)),
        sd=sum(size_sd_mm(*pair, ERRORS) ** 2 for pair in pairs) ** 0.5,
    )


def odds(row):
    return row.p_cr, row.p_pr, row.p_sd, row.p_pd


def expected(*args, **kwargs):
    found = category_probabilities(*args, limits=LIMITS, **kwargs)
    return pytest.approx((found.p_cr, found.p_pr, found.p_sd, found.p_pd), abs=1e-9)


def last(timeline, lesion_id):
    label = timeline.visits[-1].label
    return next(row for row in timeline.lesions if row.visit == label and row.lesion_id == lesion_id)


def test_a_lesion_and_the_sum_carry_their_own(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "40x30"}, {"L1": "24x12", "L2": "40x30"})
    assert odds(last(timeline, "L1").probabilities) == expected(size("24x12"), size("20x10"))
    for scope in ("CT", "overall"):
        row = timeline.response(1, scope)
        assert odds(row) == expected(size("24x12", "40x30"), size("20x10", "40x30"))
        assert row.threshold_distance == pytest.approx(0.19)


def test_a_rise_is_measured_from_the_nadir_of_each(paper):
    timeline = paper.follow({"L1": "40x30"}, {"L1": "20x15"}, {"L1": "25x18"})
    assert odds(timeline.response(2)) == expected(size("25x18"), size("40x30"), reference=size("20x15"))
    assert odds(last(timeline, "L1").probabilities) == odds(timeline.response(2))
    baseline = paper.follow(
        {"L1": "40x30"}, {"L1": "20x15"}, {"L1": "25x18"}, policy={"progression_reference": "baseline"}
    )
    assert odds(baseline.response(2)) == expected(size("25x18"), size("40x30"))


def test_where_each_lesion_speaks_any_of_them_may_progress(paper):
    timeline = paper.follow(
        {"L1": "20x10", "L2": "40x30"}, {"L1": "24x12", "L2": "48x37"}, policy={"size_scope": "each"}
    )
    one, other = (last(timeline, name).probabilities for name in ("L1", "L2"))
    row = timeline.response(1)
    assert row.p_pd == pytest.approx(1 - (1 - one.p_pd) * (1 - other.p_pd))
    assert row.p_pr == pytest.approx(one.p_pr * other.p_pr)
    assert sum(odds(row)) == pytest.approx(1)
    assert row.threshold_distance == min(one.threshold_distance, other.threshold_distance)


def test_what_is_gone_is_gone_and_comes_back_by_its_long_axis(paper):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "0x0"}, {"L1": "10x8"})
    assert odds(timeline.response(1)) == (1, 0, 0, 0)
    back = timeline.response(2)
    assert back.p_pd == pytest.approx(0.5)
    assert sum(odds(back)) == pytest.approx(1)
    assert back.threshold_distance is None


def test_merged_lesions_are_weighed_together(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "15x10"}, {"L1": "40x20 merged <L1;L2"})
    assert odds(timeline.response(1)) == expected(size("40x20"), size("20x10", "15x10"))
    assert odds(last(timeline, "L1").probabilities) == odds(timeline.response(1))


def test_a_focus_carries_those_of_its_uptake(paper):
    timeline = paper.follow({"L1": "u=4", "L2": "u=4"}, {"L1": "u=5", "L2": "u=1.2"}, modality="NM")
    hotter = last(timeline, "L1").probabilities
    assert hotter.p_pd == pytest.approx(0.5)
    assert last(timeline, "L2").probabilities is None  # back to normal: what is left is no change of uptake
    assert timeline.response(1).p_pd is None


@pytest.mark.parametrize(
    "visits",
    [
        ({"L1": "20x10"},),
        ({"L1": "20x10"}, {}),
        ({"L1": "20x10"}, {"L1": "missing"}),
        ({"L1": "20x10"}, {"L1": ""}),
        ({"L1": ""}, {"L1": "20x10"}),
    ],
)
def test_without_a_change_there_is_none(paper, visits):
    timeline = paper.follow(*visits)
    assert timeline.response().p_pd is None
    assert last(timeline, "L1").probabilities is None


def test_other_limits_give_other_odds(paper):
    visits = ({"L1": "20x10"}, {"L1": "24x12"})
    strict = paper.follow(*visits, policy={"pd_size_rise": 0.1})
    assert strict.response(1).p_pd > paper.follow(*visits).response(1).p_pd


# sums that other criteria go by, beside the size


def beside(row):
    return tuple(
        None if value is None else float(value)
        for value in (
            row.product_sum_mm2,
            row.product_change_baseline,
            row.long_axis_sum_mm,
            row.long_axis_change_baseline,
        )
    )


def test_products_and_long_axes_stand_beside_the_size(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "30x20"}, {"L1": "10x5", "L2": "30x20"}, {"L1": "0x0", "L2": "0x0"})
    assert beside(timeline.response(0, "CT"))[::2] == (800, 50)
    for scope in ("CT", "overall"):
        assert beside(timeline.response(1, scope)) == pytest.approx((650, -0.1875, 40, -0.2))
        assert beside(timeline.response(2, scope)) == (0, -1, 0, -1)


def test_a_merged_lesion_is_counted_once_and_whole(paper):
    """Though it was written under the name of a lesion too small to be in the sum."""
    timeline = paper.follow({"L1": "20x10", "L2": "8x6", "L3": "30x20"}, {"L2": "30x16 merged <L2;L1", "L3": "30x20"})
    assert beside(timeline.response(1))[0] == 30 * 16 + 30 * 20
    assert beside(timeline.response(1))[2] == 60


def test_beside_the_size_stands_what_the_same_sequence_measured(paper):
    timeline = paper.timeline(
        paper.exam(0, "MR", L1=("20x10 T1", "40x30 STIR")), paper.exam(90, "MR", L1=("20x10 T1", "12x8 STIR"))
    )
    assert beside(timeline.response(1)) == (200, 0, 20, 0)
    timeline = paper.timeline(paper.exam(0, "MR", L1=("20x10 T1", "40x30 STIR")), paper.exam(90, "MR", L1="resolved"))
    assert beside(timeline.response(1)) == (0, -1, 0, -1)


def test_without_one_of_them_there_is_no_sum_beside(paper):
    timeline = paper.follow({"L1": "20x10", "L2": "30x20"}, {"L1": "10x5", "L2": "missing"})
    assert beside(timeline.response(1)) == (None, None, None, None)
