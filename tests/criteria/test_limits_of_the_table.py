"""The table of rows is the only authority: every limit it prints is asked, and decides a case by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mdanderson.criteria.checks.density import COMPLETE_FILL_IN, NEW_RIM_OR_FILL_IN, NORMAL_DENSITY
from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.density import has_new_rim, is_density_abnormal, is_density_normal, is_filled_in
from mdanderson.criteria.facts import RuleTable
from mdanderson.criteria.mda import mda2010
from mdanderson.criteria.mda.mda2010 import RULES
from mdanderson.criteria.rule import Comparison, find_row
from mdanderson.findings import Density
from mdanderson.settings import Settings

FAR_ABOVE, NOUGHT = "image.cortex_hu", "policy.confirm_weeks"
"""Settings of 250 and 0: as limits, out of reach of every value below."""


def place(**changed):
    """A place in CT bone of 200 +/- 30 HU, normal unless said otherwise."""
    facts = {"mean_hu": 200, "median_hu": 200, "reference_hu": 200, "reference_sd_hu": 30}
    shares = {"lytic_fraction": 0.0, "sclerotic_fraction": 0.0, "rim_fraction": 0.1}
    return Density(**(facts | shares | changed))


LYTIC = place(median_hu=40, lytic_fraction=0.8)
FILLED = place(median_hu=600, sclerotic_fraction=0.9, cleared_fraction=1.0, fill_in_fraction=0.9)
PARTLY = place(median_hu=90, lytic_fraction=0.5, cleared_fraction=0.4, fill_in_fraction=0.3)
RIMMED = place(median_hu=60, lytic_fraction=0.5, cleared_fraction=0.0, fill_in_fraction=0.0, rim_fraction=0.6)


def bone(now, before=LYTIC):
    """A lytic lesion whose density changes."""

    def build(paper):
        return paper.timeline(
            paper.exam(0, L1="20x10 lytic", densities={"L1": before}),
            paper.exam(90, L1="20x10", densities={"L1": now}),
            treatment=-365,
        )

    return build


def course(*words, modality="CT", lesion="L1", **policy):
    """One lesion beside a steady one, a visit for each of the words."""

    def build(paper):
        steady = "" if modality == "NM" else "40x30 ill"
        visits = [{"L0": steady} | ({lesion: said} if said else {}) for said in words]
        return paper.follow(*visits, modality=modality, policy=policy)

    return build


def flare(later=(), *, modality="CT", new="new 9x8 blastic", rim=None):
    """A new lesion inside the window beside a sign of response, and what becomes of it."""
    old, better = ("u=4", "u=2") if modality == "NM" else ("20x10 lytic", "20x10 !PR1")

    def build(paper):
        densities = {"L2": place(rim_fraction=rim)} if rim else {}
        return paper.timeline(
            paper.exam(0, modality, L1=old),
            paper.exam(60, modality, L1=better, L2=new, densities=densities),
            *(paper.exam(120, modality, L1=better, L2=said) for said in later),
            treatment=0,
        )

    return build


CASES = {
    ("CR1", "cleared_fraction"): bone(FILLED),
    ("CR1", "fill_in_fraction"): bone(FILLED),
    ("CR2", "median_off_in_robust_sd"): bone(place(median_hu=245, reference_sd_hu=50)),
    ("CR2", "median_off_hu"): bone(place(median_hu=235)),
    ("CR2", "lytic_fraction"): bone(place(lytic_fraction=0.05)),
    ("CR2", "sclerotic_fraction"): bone(place(sclerotic_fraction=0.05)),
    ("CR2", "lytic_focus_mm"): bone(place(lytic_fraction=0.05, lytic_focus_mm=3)),
    ("CR2", "contrast_left"): bone(place(median_hu=235)),
    ("CR3", "t1_ratio_low"): course("20x10 T1 s=0.5", "20x10 T1 s=1", modality="MR"),
    ("CR3", "t1_ratio_high"): course("20x10 T1 s=0.5", "20x10 T1 s=1", modality="MR"),
    ("CR3", "t2_ratio"): course("20x10 STIR s=3", "20x10 STIR s=1", modality="MR"),
    ("CR3", "opposed_in_ratio"): course("20x10 OPP s=1.1", "20x10 OPP s=0.7", modality="MR"),
    ("CR4", "uptake_ratio"): course("u=4", "u=1.1", modality="NM"),
    ("PR1", "fill_in_fraction"): bone(PARTLY),
    ("PR1", "rim_fraction"): bone(RIMMED),
    ("PR1", "rim_fraction_rise"): bone(RIMMED),
    ("PR2", "weeks_on_treatment"): flare(),
    ("PR2", "rim_fraction"): flare(new="new 9x8 lytic", rim=0.6),
    ("PR2", "size_rise"): flare(["10x8"]),
    ("PR2", "uptake_rise"): flare(["u=3.3"], modality="NM", new="new u=3"),
    ("PR3", "size_fall"): course("20x10", "8x6"),
    ("PR4", "size_fall"): course("20x10 ill", "8x6"),
    ("PR5", "uptake_fall"): course("u=4", "u=1.9", modality="NM"),
    ("PD1", "size_rise"): course("20x10", "30x20"),
    ("PD1", "rise_mm"): course("20x10", "30x20"),
    ("PD1", "reappeared_mm"): course("20x10", "resolved", "20x10"),
    ("PD2", "size_rise"): course("20x10 ill", "30x20"),
    ("PD2", "rise_mm"): course("20x10 ill", "30x20"),
    ("PD2", "reappeared_mm"): course("20x10 ill", "resolved", "20x10"),
    ("PD3", "uptake_rise"): course("u=2", "u=4", modality="NM"),
    ("PD3", "uptake_ratio"): course("u=2", "u=4", modality="NM"),
    ("PD4", "long_axis_mm"): course("", "new 6x5"),
    ("PD4", "uptake_ratio"): course("", "new u=1.3", modality="NM"),
    ("SD2", "size_rise"): course("20x10", "21x10"),
    ("SD2", "rise_mm"): course("12x8", "15x10", pd_absolute_mm=6),
    ("SD2", "reappeared_mm"): course("10x1", "resolved", "9x1"),
    ("SD2", "size_fall"): course("20x10", "19x10"),
    ("SD3", "size_rise"): course("20x10 ill", "21x10"),
    ("SD3", "rise_mm"): course("12x8 ill", "15x10", pd_absolute_mm=6),
    ("SD3", "reappeared_mm"): course("10x1 ill", "resolved", "9x1"),
    ("SD3", "size_fall"): course("20x10 ill", "19x10"),
}


def rules_of(timeline, code):
    """Rows that hold for the lesion in question, or at any visit for the patient's row of flare."""
    if code == "PR2":
        return {rule for row in timeline.responses for rule in row.rules}
    last = [row for row in timeline.lesions if row.visit == timeline.visits[-1].label and row.lesion_id == "L1"]
    return {rule for row in last for rule in row.rules}


def with_threshold(code, quantity, change):
    """The table with one threshold of one row changed, or without it where `change` gives nothing."""
    table = []
    for rule in RULES:
        mine = [
            change(threshold) if (rule.code, threshold.quantity) == (code, quantity) else threshold
            for threshold in rule.thresholds
        ]
        table.append(replace(rule, thresholds=tuple(threshold for threshold in mine if threshold is not None)))
    return tuple(table)


def out_of_reach(threshold):
    upwards = threshold.comparison in {Comparison.AT_LEAST, Comparison.ABOVE}
    return replace(threshold, setting=FAR_ABOVE if upwards else NOUGHT)


def test_every_limit_of_the_table_has_its_case():
    assert list(CASES) == [(rule.code, threshold.quantity) for rule in RULES for threshold in rule.thresholds]


@pytest.mark.parametrize(("code", "quantity"), CASES)
def test_a_limit_out_of_reach_takes_the_row_away(paper, monkeypatch, code, quantity):
    build = CASES[code, quantity]
    assert code in rules_of(build(paper), code)
    monkeypatch.setattr(mda2010, "TABLE", RuleTable(with_threshold(code, quantity, out_of_reach)))
    assert code not in rules_of(build(paper), code)


WINDOW = ("PR2", "weeks_on_treatment")


def test_a_flare_row_that_prints_no_window_has_none(paper, monkeypatch):
    """As in the table of 2004: healing beside another sign of it, at any time, and nothing to settle."""
    monkeypatch.setattr(mda2010, "TABLE", RuleTable(with_threshold(*WINDOW, lambda _: None)))
    assert "PR2" in rules_of(CASES[WINDOW](paper), "PR2")


@pytest.mark.parametrize(("code", "quantity"), [case for case in CASES if case != WINDOW])
def test_a_limit_that_is_not_printed_cannot_be_asked(paper, monkeypatch, code, quantity):
    monkeypatch.setattr(mda2010, "TABLE", RuleTable(with_threshold(code, quantity, lambda _: None)))
    with pytest.raises(KeyError, match=quantity):
        CASES[code, quantity](paper)


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        (Comparison.AT_LEAST, False, True, True),
        (Comparison.ABOVE, False, False, True),
        (Comparison.AT_MOST, True, True, False),
        (Comparison.BELOW, True, False, False),
    ],
)
def test_a_comparison_does_as_its_sign_says(comparison, below, at, above):
    settings = Settings()
    threshold = replace(RULES[0].thresholds[0], comparison=comparison)
    limit = threshold.limit(settings)
    step = limit / 1000
    assert [threshold.met(value, settings) for value in (limit - step, limit, limit + step)] == [below, at, above]


# a bare place in an image is judged by the same rows


@pytest.mark.parametrize(
    ("density", "normal", "abnormal", "filled"),
    [
        (place(), True, False, False),
        (LYTIC, False, True, False),
        (FILLED, False, True, True),
        (PARTLY, False, True, False),
        (place(reference_hu=None), False, False, False),
        (place(reference_sd_hu=0, median_hu=240), True, False, False),
        (place(reference_sd_hu=0, median_hu=241), False, True, False),
    ],
)
def test_a_place_is_normal_abnormal_or_filled_in(density, normal, abnormal, filled):
    settings = Settings()
    assert is_density_normal(density, settings) is normal
    assert is_density_abnormal(density, settings) is abnormal
    assert is_filled_in(density, settings) is filled


@pytest.mark.parametrize(
    ("before", "new"),
    [(LYTIC, True), (place(rim_fraction=0.31), False), (place(rim_fraction=None), False), (None, False)],
)
def test_a_rim_of_a_place_is_new(before, new):
    assert has_new_rim(RIMMED, before, Settings()) is new
    assert has_new_rim(place(rim_fraction=None), before, Settings()) is False


def test_a_place_is_judged_by_the_limits_that_the_rows_print():
    printed = {"CR1": COMPLETE_FILL_IN, "CR2": NORMAL_DENSITY, "PR1": NEW_RIM_OR_FILL_IN, "PD4": NEW_LESION}
    assert {code: find_row(RULES, code).thresholds for code in printed} == {
        code: limits.thresholds for code, limits in printed.items()
    }
