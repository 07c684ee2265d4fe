"""CT: every row of the table fires from images, and does not just below its limit."""

from __future__ import annotations

from dataclasses import replace

import pytest

LOWER, UPPER = (0.0, -1.0, -16.0), (-2.0, 0.0, 16.0)
STEADY = {"SD2", "SD4"}


@pytest.fixture
def lytic(lesion):
    """Of 18 mm in the lower vertebra."""
    return lesion(1, LOWER, 18)


def test_cr1_complete_fill_in(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, fill_fraction=1.0)])
    assert judged.of("CT") == ("CR", {"CR1"})
    assert judged.lesion("CT") == ("CR", {"CR1", "PR1", "SD2"})


def test_cr1_nobody_outlined_what_is_filled_in(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, fill_fraction=1.0, drawn=False)])
    assert judged.lesion("CT") == ("CR", {"CR1"})


def test_cr1_not_by_three_quarters(ct_course, lytic):
    """Which is PR1."""
    judged = ct_course([lytic], [replace(lytic, fill_fraction=0.75)])
    assert judged.of("CT") == ("PR", {"PR1"})


@pytest.mark.parametrize("drawn", [True, False])
def test_cr2_density_back_to_normal(ct_course, lytic, drawn):
    judged = ct_course([lytic], [replace(lytic, core_hu=None, drawn=drawn)])
    assert judged.of("CT") == ("CR", {"CR2"})


def test_cr2_not_from_a_density_half_way_back(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, core_hu=85)])
    assert judged.of("CT") == ("SD", STEADY)


def test_pr1_partial_fill_in(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, fill_fraction=0.45)])
    assert judged.of("CT") == ("PR", {"PR1"})


def test_pr1_not_by_a_twelfth(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, fill_fraction=0.08)])
    assert judged.of("CT") == ("SD", STEADY)


def test_pr1_new_rim(ct_course, lytic):
    judged = ct_course([lytic], [replace(lytic, rim_thickness_mm=3)])
    assert judged.of("CT") == ("PR", {"PR1"})
    assert judged.row("CT").finding.density.fill_in_fraction < 0.1


def test_pr1_not_by_a_rim_that_was_there(ct_course, lytic):
    rimmed = replace(lytic, rim_thickness_mm=3)
    assert ct_course([rimmed], [rimmed]).of("CT") == ("SD", STEADY)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(18, 8.1, ("PR", {"PR3"}), id="PR3 at -55 %"),
        pytest.param(18, 9.9, ("SD", STEADY), id="SD2 at -45 %"),
        pytest.param(16, 19.2, ("SD", STEADY), id="SD2 at +20 %"),
        pytest.param(16, 20.8, ("PD", {"PD1"}), id="PD1 at +30 %"),
    ],
)
def test_pr3_pd1_sd2_size(ct_course, lesion, before, after, expected):
    assert ct_course([lesion(1, LOWER, before)], [lesion(1, LOWER, after)]).of("CT") == expected


@pytest.mark.parametrize(
    ("before", "after", "code", "category"),
    [
        pytest.param(9.0, 4.0, "PR4", "PR", id="PR4 at -55 %"),
        pytest.param(9.0, 5.2, "SD3", "SD", id="SD3 at -42 %"),
        pytest.param(9.0, 9.9, "SD3", "SD", id="SD3 at +10 %"),
        pytest.param(9.0, 12.4, "PD2", "PD", id="PD2 at +38 %"),
    ],
)
def test_pr4_pd2_sd3_size_of_what_is_not_measurable(ct_course, lesion, before, after, code, category):
    """Below 10 mm at baseline; measured, for no reader spoke."""
    judged = ct_course([lesion(1, LOWER, before)], [lesion(1, LOWER, after)])
    assert judged.lesion("CT") == (category, {code})
    assert judged.row("CT").basis == "measured"
    assert judged.of("CT")[0] == category


@pytest.mark.slow
@pytest.mark.parametrize(("code", "category"), [("PR4", "PR"), ("PD2", "PD"), ("SD3", "SD")])
def test_pr4_pd2_sd3_by_a_reader(ct_course, lytic, code, category):
    judged = ct_course([lytic], [lytic], reads=f"0 CT L01 - no -\n1 CT L01 {code} - -")
    assert judged.lesion("CT") == (category, {code})
    assert judged.row("CT").basis == "reader"
    assert judged.of("CT")[0] == category


def test_pd4_a_new_lesion(ct_course, lytic, lesion):
    judged = ct_course([lytic], [lytic, lesion(2, UPPER, 12)])
    assert judged.of("CT") == ("PD", {"PD4"})
    assert judged.lesion("CT", lesion_id="L02") == ("PD", {"PD4"})


def test_pd4_not_by_a_focus_below_5_mm(ct_course, lytic, lesion):
    judged = ct_course([lytic], [lytic, lesion(2, UPPER, 4)])
    assert judged.of("CT") == ("SD", STEADY)
    assert judged.lesion("CT", lesion_id="L02") == ("NE", set())


FLARE = {"core_hu": 700.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weeks", "grown", "first", "second"),
    [
        pytest.param((0, 8, 16), 12, ("PR", {"PR2"}), "PR", id="settled"),
        pytest.param((0, 8, 16), 16, ("PD", {"PD4"}), "PD", id="grown by a third at the next visit"),
        pytest.param((0, 14, 22), 12, ("PD", {"PD4"}), "PD", id="after the window"),
    ],
)
def test_pr2_flare(ct_course, lytic, lesion, weeks, grown, first, second):
    """A new sclerotic lesion while the other fills in."""
    healing = replace(lytic, fill_fraction=0.5)
    judged = ct_course(
        [lytic], [healing, lesion(2, UPPER, 12, **FLARE)], [healing, lesion(2, UPPER, grown, **FLARE)], weeks=weeks
    )
    assert judged.of("CT", 1) == first
    assert judged.of("CT", 2)[0] == second


@pytest.mark.slow
def test_pr2_not_while_nothing_responds(ct_course, lytic, lesion):
    new = lesion(2, UPPER, 12, **FLARE)
    judged = ct_course([lytic], [lytic, new], [lytic, new], weeks=(0, 8, 16))
    assert judged.of("CT")[0] == "SD"
    assert "PR2" not in judged.of("CT")[1]


def test_sd1_no_change_by_a_reader(ct_course, lytic):
    judged = ct_course([lytic], [lytic], reads="1 CT L01 SD1 - -")
    assert "SD1" in judged.lesion("CT")[1]
    assert judged.of("CT")[0] == "SD"


def test_sd4_nothing_new(ct_course, lytic):
    assert ct_course([lytic], [lytic]).of("CT") == ("SD", STEADY)
