"""MD Anderson criteria of 2004: each row, the tolerance just below, at and above, flare with and without a window."""

from __future__ import annotations

import pytest

from mdanderson.criteria.mda import mda2004, mda2010
from mdanderson.criteria.rule import Role, find_row
from mdanderson.findings import Density, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.vocabulary import Modality

LYTIC = Density(
    mean_hu=40,
    median_hu=40,
    reference_hu=200,
    reference_sd_hu=30,
    lytic_fraction=0.8,
    sclerotic_fraction=0.0,
    rim_fraction=0.1,
)


@pytest.fixture
def judge(paper):
    def run(*exams, treatment=-365, tolerance=None, **policy):
        sections = {"policy": policy} | ({"mda2004": {"mda2004_tolerance": tolerance}} if tolerance else {})
        patient = PatientFacts(patient_id="P01", treatment_start=paper.day(treatment))
        settings = Settings.from_mapping(sections)
        return build_timeline(patient, exams, settings=settings, criteria=("mda2004", "mda2010"))

    return run


def said(timeline, visit=-1, scope="overall"):
    row = timeline.response(visit, scope, "mda2004")
    return row.category, *row.rules


def series(paper, *visits, modality="CT", step=90):
    return [paper.exam(step * index, modality, **lesions) for index, lesions in enumerate(visits)]


@pytest.mark.parametrize(
    ("now", "category", "code"),
    [
        ("18.1x9", "SD", "SD2"),  # 30 -> 27.1 mm: -9.7 %
        ("18x9", "PR", "PR3"),
        ("17.9x9", "PR", "PR3"),
        ("21.9x11", "SD", "SD2"),  # 30 -> 32.9 mm: +9.7 %
        ("22x11", "PD", "PD1"),
        ("22.1x11", "PD", "PD1"),
    ],
)
def test_a_change_of_the_tolerance_counts(paper, judge, now, category, code):
    timeline = judge(*series(paper, {"L1": "20x10"}, {"L1": now}))
    assert said(timeline)[0] == category
    assert code in said(timeline)
    assert timeline.response(1, "overall", "mda2010").category == "SD"


@pytest.mark.parametrize(
    ("now", "category", "code"), [("18x9", "PR", "PR4"), ("20x10", "SD", "SD3"), ("22x11", "PD", "PD2")]
)
def test_what_cannot_be_measured_has_rows_of_its_own(paper, judge, now, category, code):
    timeline = judge(*series(paper, {"L1": "20x10 ill blastic"}, {"L1": now}))
    assert said(timeline)[0] == category
    assert code in said(timeline)


def test_regression_is_against_baseline_and_larger_against_the_lowest(paper, judge):
    timeline = judge(*series(paper, {"L1": "20x10"}, {"L1": "14x6"}, {"L1": "15x7"}, {"L1": "14x6"}))
    assert [said(timeline, visit)[0] for visit in (1, 2, 3)] == ["PR", "PD", "PR"]


def test_any_existing_lesion_larger_is_progression(paper, judge):
    timeline = judge(*series(paper, {"L1": "60x40", "L2": "12x8"}, {"L1": "60x40", "L2": "14x8"}))
    assert said(timeline) == ("PD", "PD1")
    assert timeline.response(1, "overall", "mda2010").category == "SD"


def test_response_needs_its_share_of_the_lesions(paper, judge):
    first = {"L1": "20x10", "L2": "20x10", "L3": "20x10"}
    one = judge(*series(paper, first, first | {"L1": "10x5"}))
    two = judge(*series(paper, first, first | {"L1": "10x5", "L2": "17x9"}))
    assert [said(one)[0], said(two)[0]] == ["SD", "PR"]
    assert two.response(1, "CT", "mda2004").size_category == "PR"
    assert one.response(1, "CT", "mda2004").size_category == "SD"


@pytest.mark.parametrize(
    ("now", "category", "code"),
    [("3.61", "SD", "SD1"), ("3.6", "PR", "PR5"), ("4.39", "SD", "SD1"), ("4.4", "PD", "PD3"), ("1.2", "CR", "CR4")],
)
def test_the_scan_goes_by_the_same_tolerance(paper, judge, now, category, code):
    timeline = judge(*series(paper, {"L1": "u=4"}, {"L1": f"u={now}"}, modality="NM"))
    assert said(timeline, scope="NM")[0] == category
    assert code in said(timeline, scope="NM")


def test_rows_of_density_are_those_of_2010(paper, judge):
    filled = Density(
        mean_hu=600,
        median_hu=600,
        reference_hu=200,
        reference_sd_hu=30,
        lytic_fraction=0.0,
        sclerotic_fraction=0.9,
        cleared_fraction=1.0,
        fill_in_fraction=0.9,
        rim_fraction=0.1,
    )
    timeline = judge(
        paper.exam(0, L1="20x10 lytic", densities={"L1": LYTIC}),
        paper.exam(90, L1="20x10", densities={"L1": filled}),
    )
    assert said(timeline) == ("CR", "CR1")


def test_a_new_lesion_is_progression(paper, judge):
    timeline = judge(*series(paper, {"L1": "20x10"}, {"L1": "20x10", "L2": "new 9x8"}))
    assert said(timeline) == ("PD", "PD4")


@pytest.mark.parametrize("treatment", [0, -365])
def test_a_new_blastic_lesion_beside_another_sign_is_healing_at_any_time(paper, judge, treatment):
    exams = series(paper, {"L1": "20x10 lytic"}, {"L1": "20x10 !PR1", "L2": "new 9x8 blastic"})
    timeline = judge(*exams, treatment=treatment)
    assert said(timeline) == ("PR", "PR2")
    assert timeline.response(1, "overall", "mda2004").flare


@pytest.mark.parametrize("treatment", [0, -365])
@pytest.mark.parametrize(
    "now",
    [
        {"L1": "20x10", "L2": "new 9x8 blastic"},  # no other sign
        {"L1": "20x10 !PR1", "L2": "new 9x8"},  # not blastic
        {"L1": "20x10 !PR1", "L2": "new 9x8 blastic", "L3": "44x30"},  # something progresses
    ],
)
def test_any_other_new_lesion_is_progression_at_once(paper, judge, treatment, now):
    first = {"L1": "20x10 lytic"} | ({"L3": "30x20"} if "L3" in now else {})
    timeline = judge(*series(paper, first, now), treatment=treatment)
    assert said(timeline)[0] == "PD"
    assert not timeline.response(1, "overall", "mda2004").unconfirmed


def test_flare_on_the_scan_has_its_window(paper, judge):
    exams = series(paper, {"L1": "u=4"}, {"L1": "u=5"}, modality="NM", step=60)
    assert judge(*exams, treatment=0).response(1, "NM", "mda2004").unconfirmed
    settled = judge(*exams, paper.exam(120, "NM", L1="u=5"), treatment=0).response(1, "NM", "mda2004")
    assert (settled.category, settled.flare) == ("SD", True)


def test_the_set_has_no_other_size_scope_than_its_own(paper, judge):
    visits = series(paper, {"L1": "60x40", "L2": "12x8"}, {"L1": "60x40", "L2": "14x8"})
    for scope in ("sum", "each"):
        assert said(judge(*visits, size_scope=scope)) == ("PD", "PD1")


def test_a_code_means_what_it_means_in_2010():
    for rule in mda2004.RULES:
        if rule.code == "PR2-NM":
            continue
        twin = find_row(mda2010.RULES, rule.code)
        assert (rule.gives, rule.measure, rule.applies_to, rule.holds) == (
            twin.gives,
            twin.measure,
            twin.applies_to,
            twin.holds,
        )
        assert rule.source == mda2004.SOURCE != twin.source


def test_only_the_flare_row_of_the_scan_prints_a_window():
    rows = {modality: [rule for rule in mda2004.RULES if rule.role is Role.FLARE] for modality in Modality}
    windows = {rule.code: rule.asks("weeks_on_treatment") for rule in rows[Modality.CT]}
    assert windows == {"PR2": False, "PR2-NM": True}


def test_the_tolerance_is_a_setting(paper, judge):
    visits = series(paper, {"L1": "20x10"}, {"L1": "22x11"})
    assert said(judge(*visits, tolerance=0.2))[0] == "SD"
    assert said(judge(*visits, tolerance=0.05))[0] == "PD"
