"""What leaves a suspicion of flare open, and from where growth of its lesions counts (docs/details.md, 10, 15, 16)."""

from __future__ import annotations

import pytest


def said(timeline, scope="overall"):
    return " ".join(f"{row.category}{'?' * row.unconfirmed}" for row in timeline.responses if row.scope == scope)


# from an equivocal size nothing grows


def test_a_focus_too_small_to_count_is_no_size_to_grow_from(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15", N1="new 4x4 blastic"),
        paper.exam(60, L1="20x15 !PR1", N1="6x6 blastic"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PR"
    assert timeline.response(2).rules == ("PR2",)
    last = timeline.lesions[-1]
    assert (last.lesion_id, last.size_change_baseline, last.size_change_nadir) == ("N1", None, None)


def test_growth_since_it_counts_is_growth(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15", N1="new 4x4 blastic"),
        paper.exam(60, L1="20x15 !PR1", N1="6x6"),
        paper.exam(120, L1="20x15 !PR1", N1="9x6"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PD PD"


def test_the_same_on_a_bone_scan(paper):
    timeline = paper.timeline(
        paper.exam(0, "NM", L1="u=3"),
        paper.exam(31, "NM", L1="u=3", N1="equivocal u=2"),
        paper.exam(60, "NM", L1="u=1.5", N1="new u=3"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PR"


# what settles nothing


def flaring(paper, *later, first="new 8x6 blastic", modality="CT", days=(100, 160)):
    """A steady lesion, a new one inside the window without a sign of response, and what later visits say of it."""
    steady = "u=3" if modality == "NM" else "20x15 lytic"
    visits = [paper.exam(0, modality, L1=steady), paper.exam(40, modality, L1=steady, N1=first)]
    visits += [
        paper.exam(on, modality, L1=steady, **({"N1": words} if words else {}))
        for on, words in zip(days, later, strict=False)
    ]
    return paper.timeline(*visits, treatment=0)


@pytest.mark.parametrize("gap", ["", "not_evaluable", "missing", "followed", "12x"])
def test_a_visit_that_cannot_compare_settles_nothing(paper, gap):
    """Whether nobody looked, nobody could, or nobody measured makes no difference."""
    worse = flaring(paper, gap, "12x9")
    assert (said(worse), worse.progression_date) == ("BL PD PD PD", paper.day(40))
    calm = flaring(paper, gap, "8x6")
    assert (said(calm), calm.progression_date) == ("BL SD SD SD", None)
    open_still = flaring(paper, gap, gap)
    assert (said(open_still), open_still.progression_date) == ("BL PD? PD? PD?", None)
    assert "unconfirmed: nothing tells what became of N1 since visit 2" in open_still.response(3).reason


@pytest.mark.parametrize("gap", ["", "not_evaluable", "followed"])
def test_nor_does_a_scan(paper, gap):
    assert said(flaring(paper, gap, "u=6", first="new u=3", modality="NM")) == "BL PD PD PD"
    assert said(flaring(paper, gap, "u=3", first="new u=3", modality="NM")) == "BL SD SD SD"
    assert said(flaring(paper, gap, gap, first="new u=3", modality="NM")) == "BL PD? PD? PD?"


def test_what_was_not_measured_at_first_is_compared_with_its_first_measurement(paper):
    visits = "u=6", "u=6", "u=9"
    calm = flaring(paper, *visits[:2], first="new", modality="NM")
    assert said(calm) == "BL SD SD SD"
    assert said(flaring(paper, visits[0], visits[2], first="new", modality="NM")) == "BL PD PD PD"


@pytest.mark.parametrize("stated", ["!SD3", "!SD1", "resolved"])
def test_a_reader_who_looked_settles_it(paper, stated):
    assert said(flaring(paper, stated)) == "BL SD SD"


def test_other_progression_beside_an_open_flare_is_its_own(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(40, L1="20x15", N1="new 8x6 blastic"),
        paper.exam(100, L1="30x20"),
        treatment=0,
    )
    assert said(timeline) == "BL PD? PD"
    assert timeline.progression_date == paper.day(100)


def test_a_merge_that_nobody_measured_settles_nothing(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15 !PR1", N1="new 8x6 blastic"),
        paper.exam(91, L1="merged <L1;N1"),
        treatment=0,
    )
    assert said(timeline) == "BL PR NE"
    assert "not worse" not in timeline.response(1).reason


@pytest.mark.parametrize(("third", "category"), [("2.49", "PR"), ("2.5", "PD")])
def test_a_focus_hotter_again_after_its_flare_was_settled_progresses(paper, third, category):
    """Inside the window and beside another sign of response all the same (docs/details.md, detail 23)."""
    timeline = paper.timeline(
        *(
            paper.exam(day, "NM", L1=f"u={first}", L2=f"u={second}")
            for day, first, second in ((0, "2", "5"), (21, "3", "2"), (42, "2", "2"), (63, third, "2"))
        ),
        treatment=0,
    )
    assert [timeline.response(f"visit {visit}", "NM").category for visit in (2, 3, 4)] == ["PR", "PR", category]


def test_a_hotter_focus_that_is_flare_is_not_said_to_be_unchanged(paper):
    timeline = paper.timeline(
        *(
            paper.exam(day, "NM", L1=f"u={first}", L2=f"u={second}")
            for day, first, second in ((0, 2, 4), (60, 3.5, 1.9), (150, 2.1, 1.9))
        ),
        treatment=0,
    )
    hotter = next(one for one in timeline.lesions if (one.lesion_id, one.date) == ("L1", paper.day(60)))
    assert hotter.reason == (
        "lesion L1: uptake ratio 2.00 -> 3.50, +75 % from baseline: SD1; counted as flare, not as progression"
    )
