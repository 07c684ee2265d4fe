"""Curves of progression-free time, against the product limit in exact fractions."""

from __future__ import annotations

import builtins
import datetime as dt
import importlib.util
import re

import pytest
from conftest import lacking
from plot import drawn
from plot.sample import BASELINE, judged, rows_of

from mdanderson.errors import SettingsError
from mdanderson.plot import kaplan_meier
from mdanderson.statistics import product_limit

DAYS_A_MONTH = 365.25 / 12


@pytest.fixture(autouse=True)
def _lifelines(request):
    if "without" not in request.node.name and importlib.util.find_spec("lifelines") is None:
        lacking("the extra `survival` is not installed")


@pytest.fixture(scope="module")
def cohort():
    """Six responders and six others, with events at 12, 24 and 36 weeks."""
    courses = {
        "R1": (20.0, 8.0, 8.0, 14.0),
        "R2": (20.0, 8.0, 8.0, 8.0),
        "R3": (20.0, 8.0, 14.0),
        "S1": (20.0, 20.0, 30.0),
        "S2": (20.0, 20.0),
        "S3": (20.0, 30.0),
    }
    return judged([row for name, sizes in courses.items() for row in rows_of(name, sizes)])


def steps(axes):
    """Each curve's values by rounded day."""
    curves = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    return [
        {round(month * DAYS_A_MONTH): round(float(value), 6) for month, value in zip(*line.get_data(), strict=True)}
        for line in curves
    ]


def test_curves_are_the_product_limit_of_each_group(cohort):
    axes = kaplan_meier(cohort).axes[0]
    groups = [[(252, True), (252, False), (168, True)], [(168, True), (84, False), (84, True)]]
    for curve, times in zip(steps(axes), groups, strict=True):
        for step in product_limit(times):
            assert curve[step.day] == pytest.approx(float(step.surviving))
        assert curve[0] == 1
    assert axes.get_ylabel() == "without progression or death"


def test_numbers_at_risk_stay_under_their_ticks_whatever_size_the_figure_is_given(cohort):
    figure = kaplan_meier(cohort)
    curves, table = figure.axes
    figure.set_size_inches(4, 4)
    figure.draw_without_rendering()
    ticks = [float(tick) for tick in curves.get_xticks()]
    assert ticks == sorted({text.get_position()[0] for text in table.texts})
    assert len(ticks) > 2


def test_legend_tells_events_and_median_and_the_test_its_p(cohort):
    figure = kaplan_meier(cohort)
    assert drawn.legend(figure) == [
        "response (CR, PR): n = 3, events 2, median 8.3 months",
        "no response (SD, PD, NE): n = 3, events 2, median 5.5 months",
    ]
    (p,) = [text for text, _, _ in drawn.written(figure.axes[0])]
    assert p == "log-rank p = 0.157"  # by hand: 2 events, 3 expected, variance 1/2, so that chi2 is 2
    assert p in figure.alt


def test_who_is_at_risk_is_told_below(cohort):
    table = kaplan_meier(cohort).axes[1]
    rows = {row: [int(text) for text, _, y in drawn.written(table) if y == row] for row in (0, 1)}
    months = sorted({x for _, x, _ in drawn.written(table)})
    assert rows[0] == [sum(days >= month * DAYS_A_MONTH for days in (252, 252, 168)) for month in months]
    assert rows[1] == [sum(days >= month * DAYS_A_MONTH for days in (168, 84, 84)) for month in months]
    assert [label.get_text() for label in table.get_yticklabels()] == [
        "at risk: response (CR, PR)",
        "at risk: no response (SD, PD, NE)",
    ]
    assert table.get_xlabel() == "months"


def test_by_category_in_the_colours_of_categories(cohort):
    figure = kaplan_meier(cohort, by="category")
    curves = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    assert [line.get_color() for line in curves] == [drawn.colour(name) for name in ("PR", "SD", "PD")]
    assert len({line.get_linestyle() for line in curves}) >= 2
    assert [label.partition(":")[0] for label in drawn.legend(figure)] == ["PR", "SD", "PD"]


def test_from_a_landmark_on_only_who_is_still_followed_counts(cohort):
    figure = kaplan_meier(cohort, landmark_weeks=12)
    assert [label.partition(", median")[0] for label in drawn.legend(figure)] == [
        "response (CR, PR): n = 3, events 2",
        "no response (SD, PD, NE): n = 1, events 1",
    ]
    assert set(steps(figure.axes[0])[0]) == {0, 84, 168}
    assert figure.axes[0].get_title(loc="left").endswith("from week 12 on")


def test_nobody(nobody):
    assert "nothing to show" in drawn.words(kaplan_meier(nobody))


def test_an_unknown_grouping(cohort):
    with pytest.raises(SettingsError, match="by is 'arm'; use response or category"):
        kaplan_meier(cohort, by="arm")


def test_without_lifelines_the_extra_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "lifelines" else find(name))
    with pytest.raises(SettingsError) as caught:
        kaplan_meier(object())
    assert str(caught.value) == (
        "curves of progression-free time need the extra `survival`; pip install 'mdanderson[survival]'"
    )


def test_nothing_else_needs_lifelines(monkeypatch, cohort):
    real = builtins.__import__

    def refusing(name, *rest, **named):
        assert not name.startswith("lifelines")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refusing)
    from mdanderson.plot import waterfall

    assert waterfall(cohort).axes


@pytest.mark.parametrize("patients", [2, 6, 8, 14, 20])
def test_the_median_is_that_of_the_summary(patients):
    """Shares of one half come out as 0.500...01 where floats are multiplied; the next event is not the median."""
    rows = [
        row | {"date": row["date"] + dt.timedelta(days=30 * number * bool(row["date"] > BASELINE))}
        for number in range(patients)
        for row in rows_of(f"P{number:02}", (20.0, 40.0))
    ]
    results = judged(rows)
    days = int(results.summary().set_index("level").loc["all", "median_progression_free_days"])
    assert f"{days / (365.25 / 12):.1f} months" in drawn.legend(kaplan_meier(results))[0]


def test_a_response_that_nothing_confirmed_by_the_landmark_is_none_there():
    """WHO wants a response to be seen twice: seen once, before the landmark, it is stable disease on both curves."""
    seen_once = [row for name in "ABC" for row in rows_of(name, (40.0, 8.0, 40.0))]
    seen_twice = [row for name in "DEF" for row in rows_of(name, (40.0, 8.0, 8.0, 8.0, 40.0))]
    results = judged([*seen_once, *seen_twice], criteria=("who",))
    for weeks, responders in ((None, 3), (12, 0), (23, 0), (24, 3)):
        labels = drawn.legend(kaplan_meier(results, criteria="who", landmark_weeks=weeks))
        told = [label for label in labels if label.startswith("response")]
        assert sum(int(re.search(r"n = (\d+)", label)[1]) for label in told) == responders
