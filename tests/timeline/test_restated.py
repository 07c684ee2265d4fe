"""What later visits change: flare inside its window, scans confirmed by scans, and the course in a few words."""

from __future__ import annotations

import pytest


def categories(timeline, scope="overall"):
    return " ".join(row.category for row in timeline.responses if row.scope == scope)


def row(timeline, visit, scope="overall"):
    found = timeline.response(visit, scope)
    return found.category, found.unconfirmed, found.flare


FLARE = {"L1": "20x10 lytic !PR1", "L2": "new 9x8 blastic"}
LONE = {"L1": "20x10", "L2": "new 9x8 blastic"}


# flare on CT


def test_new_sclerotic_lesion_beside_another_sign_of_response_is_flare(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(60, **FLARE), treatment=0)
    assert row(timeline, 1, "CT") == row(timeline, 1) == ("PR", False, True)
    response = timeline.response(1, "CT")
    assert response.rules == ("PR2",)
    assert (response.lesions_new, response.lesions_progressing) == (1, 0)
    assert "osteoblastic flare of L2" in response.reason
    assert timeline.lesions[-1].category == "SD"
    assert timeline.lesions[-1].rules == ()


@pytest.mark.parametrize(("treatment", "flare"), [(-1, False), (0, True), (1, True)])
def test_the_window_is_twelve_weeks_from_treatment_start(paper, treatment, flare):
    timeline = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(84, **FLARE), treatment=treatment)
    assert row(timeline, 1) == (("PR", False, True) if flare else ("PD", False, False))


def test_without_a_treatment_start_the_window_runs_from_baseline(paper):
    inside = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(84, **FLARE))
    outside = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(85, **FLARE))
    assert (row(inside, 1)[2], row(outside, 1)[2]) == (True, False)


def test_before_treatment_nothing_is_flare(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(60, **FLARE), treatment=61)
    assert row(timeline, 1) == ("PD", False, False)


def test_the_window_is_a_setting(paper):
    exams = paper.exam(0, L1="20x10 lytic"), paper.exam(60, **FLARE)
    assert row(paper.timeline(*exams, policy={"flare_window_weeks": 8}), 1) == ("PD", False, False)


@pytest.mark.parametrize("kind", ["lytic", "mixed", ""])
def test_only_sclerotic_lesions_are_flare(paper, kind):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10 lytic"), paper.exam(60, L1="20x10 !PR1", L2=f"new 9x8 {kind}"), treatment=0
    )
    assert row(timeline, 1) == ("PD", False, False)


def test_a_lytic_and_a_sclerotic_new_lesion_together_are_progression(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(60, **FLARE, L3="new 9x8 lytic"), treatment=0)
    assert row(timeline, 1) == ("PD", False, False)


def test_progression_elsewhere_is_no_flare(paper):
    grown = paper.timeline(
        paper.exam(0, L1="20x10 lytic", L3="20x10"),
        paper.exam(60, **FLARE, L3="60x40"),
        treatment=0,
    )
    assert row(grown, 1) == ("PD", False, False)
    by_mr = paper.timeline(
        paper.exam(0, L1="20x10 lytic"),
        paper.exam(0, "MR", L1="20x10"),
        paper.exam(60, **FLARE),
        paper.exam(60, "MR", L1="30x20"),
        treatment=0,
    )
    assert row(by_mr, 1, "CT") == ("PD", True, False)
    assert row(by_mr, 1) == ("PD", False, False)
    assert by_mr.progression_date == paper.day(60)


def test_inside_the_window_without_another_sign_progression_is_unconfirmed(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x10"), paper.exam(60, **LONE), treatment=0)
    assert row(timeline, 1) == row(timeline, 1, "CT") == ("PD", True, False)
    assert timeline.progression_date is None
    assert timeline.censored


@pytest.mark.parametrize(
    ("later", "first", "last", "progression"),
    [
        ({"L1": "20x10", "L2": "9x8"}, ("SD", False, True), "SD", None),  # not worse, no sign of response
        ({"L1": "9x4", "L2": "9x8"}, ("PR", False, True), "PR", None),  # the settling visit shows a response
        ({"L1": "20x10"}, ("PD", True, False), "PD", None),  # no row: nobody knows whether it has grown
        ({"L1": "20x10", "L2": "resolved"}, ("SD", False, True), "SD", None),
        ({"L1": "20x10", "L2": "11x10.24"}, ("SD", False, True), "SD", None),  # +24.9 %
        ({"L1": "20x10", "L2": "11.25x10"}, ("PD", False, False), "PD", 60),  # +25 % of its first size
        ({"L1": "20x10", "L2": "9x8", "L3": "new 9x8 blastic"}, ("PD", False, False), "PD", 60),  # further new
        ({"L1": "30x20", "L2": "9x8"}, ("SD", False, True), "PD", 120),  # other lesions: that visit's own progression
    ],
)
def test_the_next_visit_settles_an_unconfirmed_flare(paper, later, first, last, progression):
    timeline = paper.timeline(paper.exam(0, L1="20x10"), paper.exam(60, **LONE), paper.exam(120, **later), treatment=0)
    assert row(timeline, 1, "CT") == row(timeline, 1) == first
    assert timeline.response(2).category == last
    assert timeline.progression_date == (progression and paper.day(progression))


@pytest.mark.parametrize(("now", "first"), [("9x8", ("PR", False, True)), ("12x10", ("PD", False, False))])
def test_a_flare_called_pr2_is_restated_when_it_gets_worse(paper, now, first):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10 lytic"),
        paper.exam(60, **FLARE),
        paper.exam(120, L1="20x10 !PR1", L2=now),
        treatment=0,
    )
    assert row(timeline, 1, "CT") == row(timeline, 1) == first
    if first[0] == "PD":
        assert "restated PD: L2 not flare, worse at visit 3" in timeline.response(1, "CT").reason
        assert timeline.response(2).category == "PD"


def test_growth_after_a_flare_was_settled_is_progression_of_that_visit(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"),
        paper.exam(60, **LONE),
        paper.exam(120, L1="20x10", L2="9x8"),
        paper.exam(180, L1="20x10", L2="12x10"),
        treatment=0,
    )
    assert categories(timeline) == "BL SD SD PD"
    assert timeline.progression_date == paper.day(180)
    assert timeline.response(3).rules == ("PD2",)


def test_a_visit_that_cannot_judge_does_not_settle(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"),
        paper.exam(60, **LONE),
        paper.exam(120, why="the image could not be read"),
        paper.exam(150, L1="20x10", L2="not_evaluable"),
        paper.exam(180, L1="20x10", L2="9x8"),
        treatment=0,
    )
    assert categories(timeline) == "BL SD NE SD SD"
    assert "not worse at visit 5" in timeline.response(1).reason


def test_a_reader_may_call_flare(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"), paper.exam(200, L1="20x10", L2="new 9x8 blastic !PR2"), treatment=0
    )
    assert row(timeline, 1) == ("PR", False, True)


# flare on the scan


def test_hotter_foci_inside_the_window_settle_by_the_next_scan(paper):
    def series(*later):
        return paper.timeline(paper.exam(0, "NM", L1="u=4"), paper.exam(60, "NM", L1="u=6"), *later, treatment=0)

    assert row(series(), 1) == ("PD", True, False)
    assert row(series(paper.exam(100, "NM", L1="u=7.49")), 1) == ("SD", False, True)
    assert row(series(paper.exam(100, "NM", L1="u=7.5")), 1) == ("PD", False, False)
    assert row(series(paper.exam(100, "NM", L1="u=6", L2="new u=3")), 1) == ("PD", False, False)
    assert row(series(paper.exam(100, "NM", L1="u=1.9")), 1) == ("PR", False, True)
    settled = series(paper.exam(100, "NM", L1="u=6"), paper.exam(200, "NM", L1="u=7.5"))
    assert categories(settled) == "BL SD SD PD"


def test_flare_on_the_scan_beside_response_on_ct(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "NM", L1="u=4"),
        paper.exam(60, "CT", L1="8x5"),
        paper.exam(60, "NM", L1="u=6", L2="new u=3"),
        treatment=0,
    )
    assert row(timeline, 1, "NM") == ("PR", False, True)
    assert row(timeline, 1) == ("PR", False, True)


# scans outside the window


def scans(paper, *ratios, step=28, ct=True, **kwargs):
    exams = []
    for index, ratio in enumerate(ratios):
        exams.append(paper.exam(step * index, "NM", L1=f"u={ratio}"))
        if ct:
            exams.append(paper.exam(step * index, "CT", L1="20x10"))
    return paper.timeline(*exams, treatment=-365, **kwargs)


def test_scan_only_progression_stays_unconfirmed_without_a_later_scan(paper):
    timeline = scans(paper, 4, 6)
    assert row(timeline, 1, "NM") == ("PD", True, False)
    assert row(timeline, 1) == ("SD", True, False)
    assert timeline.response(1).discordant == "NM PD"
    assert timeline.progression_date is None


def test_without_ct_mr_xr_an_unconfirmed_scan_is_the_overall_category(paper):
    timeline = scans(paper, 4, 6, ct=False)
    assert row(timeline, 1) == ("PD", True, False)
    assert (timeline.progression_date, timeline.censored) == (None, True)


def test_accepted_scans_need_no_confirmation(paper):
    timeline = scans(paper, 4, 6, policy={"scan_only_progression": "accept"})
    assert row(timeline, 1) == ("PD", False, False)
    assert timeline.progression_date == paper.day(28)


@pytest.mark.parametrize(("step", "confirmed"), [(41, False), (42, True), (43, True)])
def test_a_scan_six_weeks_later_confirms_and_dates_it_back(paper, step, confirmed):
    timeline = scans(paper, 4, 6, 6, step=step)
    assert row(timeline, 1) == (("PD", False, False) if confirmed else ("SD", True, False))
    assert timeline.progression_date == (paper.day(step) if confirmed else None)


def test_a_scan_passed_over_shares_the_outcome(paper):
    confirmed = scans(paper, 4, 6, 6, 6)
    assert [row(confirmed, i, "NM") for i in (1, 2, 3)] == [("PD", False, False)] * 3
    refuted = scans(paper, 4, 6, 6, 4)
    assert [row(refuted, i, "NM") for i in (1, 2, 3)] == [("SD", False, False)] * 3
    assert "not confirmed by the scan at visit 4" in refuted.response(1, "NM").reason
    assert [row(refuted, i) for i in (1, 2, 3)] == [("SD", False, False)] * 3


def test_later_progression_on_ct_does_not_confirm_the_earlier_scan(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "NM", L1="u=4"),
        paper.exam(60, "CT", L1="20x10"),
        paper.exam(60, "NM", L1="u=6"),
        paper.exam(120, "CT", L1="30x20"),
        treatment=-365,
    )
    assert row(timeline, 1) == ("SD", True, False)
    assert row(timeline, 2) == ("PD", False, False)
    assert timeline.progression_date == paper.day(120)


def test_after_a_confirmed_progression_a_scan_needs_no_confirmation(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "NM", L1="u=4"),
        paper.exam(60, "CT", L1="30x20"),
        paper.exam(120, "NM", L1="u=6"),
        treatment=-365,
    )
    assert row(timeline, 2, "NM") == ("PD", False, False)
    assert row(timeline, 2) == ("PD", False, False)  # no CT here, but a confirmed progression stands


def test_a_new_focus_on_pet_is_unconfirmed_like_one_on_the_scan(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "PT", L1="u=4"),
        paper.exam(60, "CT", L1="20x10"),
        paper.exam(60, "PT", L1="u=4", L2="new u=5"),
        paper.exam(120, "PT", L1="u=4", L2="u=5"),
        treatment=-365,
    )
    assert row(timeline, 1, "PT") == row(timeline, 1) == ("PD", False, False)


# who speaks for the patient


def test_patients_with_ct_get_the_overall_category_from_ct_mr_xr_alone(paper):
    timeline = paper.timeline(
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "NM", L1="u=4"),
        paper.exam(60, "NM", L1="u=1"),
        treatment=-365,
    )
    assert row(timeline, 1, "NM")[0] == "CR"
    assert row(timeline, 1)[0] == "NE"
    assert "no CT, MR or XR evaluable" in timeline.response(1).reason


def test_the_first_evaluable_modality_in_order_speaks_and_the_others_are_named(paper):
    exams = (
        paper.exam(0, "CT", L1="20x10"),
        paper.exam(0, "MR", L1="20x10"),
        paper.exam(0, "XR", L1="20x10"),
        paper.exam(60, "CT", L1="missing"),
        paper.exam(60, "MR", L1="8x5"),
        paper.exam(60, "XR", L1="20x10"),
    )
    timeline = paper.timeline(*exams, treatment=-365)
    assert (timeline.response().category, timeline.response().discordant) == ("PR", "XR SD")
    turned = paper.timeline(*exams, treatment=-365, policy={"modality_order": ["XR", "MR", "CT"]})
    assert (turned.response().category, turned.response().discordant) == ("SD", "MR PR")


# the course in a few words


def test_best_response_looks_no_further_than_the_first_confirmed_progression(paper):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "20x10"}, {"L1": "30x10"}, {"L1": "resolved"})
    assert categories(timeline) == "BL SD PD CR"
    assert (timeline.best_response, timeline.first_response_date) == ("SD", None)
    better = paper.follow({"L1": "20x10"}, {"L1": "8x6"}, {"L1": "resolved"})
    assert (better.best_response, better.first_response_date) == ("CR", paper.day(90))


def test_progression_free_time(paper):
    progressing = ({"L1": "20x10"}, {"L1": "30x20"})
    assert paper.follow(*progressing, treatment=None).progression_free_days == 90
    assert paper.follow(*progressing, treatment=-10).progression_free_days == 100
    assert not paper.follow(*progressing).censored
    died = paper.follow({"L1": "20x10"}, {"L1": "20x10"}, treatment=None, death=200)
    assert (died.progression_free_days, died.censored, died.progression_date) == (200, False, None)
    lost = paper.follow({"L1": "20x10"}, {"L1": "20x10"}, {"L1": "missing"}, treatment=None)
    assert (lost.progression_free_days, lost.censored) == (90, True)
    only = paper.follow({"L1": "20x10"}, treatment=None)
    assert (only.progression_free_days, only.censored, only.best_response) == (0, True, "NE")


@pytest.mark.parametrize(("weeks", "best"), [(0, "PR"), (12, "PR"), (13, "SD")])
def test_a_response_to_be_confirmed(paper, weeks, best):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "8x6"}, {"L1": "8x6"}, policy={"confirm_weeks": weeks})
    assert timeline.best_response == best
    assert timeline.first_response_date == (paper.day(90) if best == "PR" else None)


@pytest.mark.parametrize(
    ("lesions", "pattern"), [(0, None), (1, "oligometastatic"), (5, "oligometastatic"), (6, "polymetastatic")]
)
def test_baseline_pattern(paper, lesions, pattern):
    timeline = paper.follow({f"L{i}": "20x10" for i in range(lesions)})
    assert (timeline.lesions_baseline, timeline.baseline_pattern) == (lesions, pattern)


@pytest.mark.parametrize(
    ("new", "stable", "pattern"),
    [(0, 1, None), (1, 1, "oligoprogression"), (5, 1, "oligoprogression"), (6, 1, "systemic"), (1, 0, "systemic")],
)
def test_progression_pattern(paper, new, stable, pattern):
    before = {f"S{i}": "20x10" for i in range(stable)}
    now = before | {f"N{i}": "new 9x8" for i in range(new)}
    assert paper.follow(before, now).response().progression_pattern == pattern


def test_the_rows_of_lesions_are_there_after_a_flare_was_settled(paper):
    """A focus that is flare has no earlier value to be compared with; its row says so, and its odds are none."""
    timeline = paper.timeline(
        paper.exam(0, "NM", L1="u=3"), paper.exam(56, "NM", L1="u=4"), paper.exam(112, "NM", L1="u=4"), treatment=0
    )
    assert [(row.visit, row.category) for row in timeline.lesions] == [
        ("baseline", "BL"),
        ("visit 2", "SD"),
        ("visit 3", "SD"),
    ]
    assert [row.probabilities is None for row in timeline.lesions] == [True, False, False]
