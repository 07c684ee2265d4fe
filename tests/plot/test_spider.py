"""The spider plot: a line per patient through its changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plot import drawn
from plot.sample import judged, rows_of

from mdanderson.plot import spider
from mdanderson.plot.cut_off import CUT_MARKER
from mdanderson.plot.spider_figure import spread


def courses(axes):
    """Colour and points of each patient's line."""
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    return [(line.get_color(), [tuple(map(float, point)) for point in line.get_xydata()]) for line in lines]


@pytest.mark.parametrize("dark", [False, True])
def test_lines_go_through_the_changes_in_the_colour_of_best_response(few, dark):
    axes = spider(few, dark=dark).axes[0]
    assert courses(axes) == [
        (drawn.colour("PD", dark=dark), [(0, 0), (12, 0.5)]),
        (drawn.colour("PD", dark=dark), [(0, 0), (12, -0.2)]),
        (drawn.colour("PR", dark=dark), [(0, 0), (12, -0.6), (24, -0.3)]),
        (drawn.colour("SD", dark=dark), [(0, 0), (12, -0.05)]),
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "weeks since baseline",
        "change of sum of diameters since baseline",
    )
    assert drawn.levels(axes) == [-0.5, 0.25]


def test_progression_and_visits_of_unknown_size_are_marked(few):
    figure = spider(few)
    assert drawn.points(figure.axes[0], "D") == [(12, -0.2), (12, 0.5), (24, -0.3)]
    assert drawn.points(figure.axes[0], "x") == [(24, -0.05)]
    assert drawn.legend(figure)[-2:] == ["visit judged as progression", "size not known at this visit"]


def test_who_has_no_line_is_counted_in_the_title(few):
    assert spider(few).axes[0].get_title(loc="left").endswith(" · 4 of 5 patients")
    assert spider(few, language="zh").axes[0].get_title(loc="left").endswith(" · 5 例患者中的 4 例")


def test_each_line_is_named_at_its_end_and_names_do_not_touch(few):
    axes = spider(few).axes[0]
    names = {text.get_text(): text.get_position()[1] for text in axes.texts if ":" not in text.get_text()}
    assert list(names) == ["GROWS PD", "NEW PD", "SHRINKS PR", "STEADY SD"]
    low, high = axes.get_ylim()
    heights = sorted(names.values())
    assert min(above - below for below, above in pairwise(heights)) >= 0.0499 * (high - low)


def test_a_line_that_is_cut_off_tells_its_number():
    axes = spider(judged(rows_of("P", (10.0, 40.0)))).axes[0]
    assert courses(axes)[0][1] == [(0, 0), (12, 1.5)]
    assert "P PD +300 %" in [text for text, _, _ in drawn.written(axes)]


def test_a_peak_that_is_cut_off_in_mid_course_is_told():
    """20, 100, 24 mm: the line must not look as if it had risen to +150 %."""
    figure = spider(judged(rows_of("P", (20.0, 100.0, 24.0))))
    axes = figure.axes[0]
    assert courses(axes)[0][1] == [(0, 0), (12, 1.5), (24, 0.2)]
    assert drawn.points(axes, CUT_MARKER) == [(12, 1.5)]
    assert [axes.yaxis.get_major_formatter()(level, 0) for level in (1.0, 1.5)] == ["+100 %", "≥ +150 %"]
    assert 1.5 in axes.get_yticks()
    assert "above +150 %, cut off there" in drawn.legend(figure)
    assert figure.alt.endswith("1 PD. Above +150 % and drawn at it: 1 (highest +400 %).")


def test_nothing_is_told_where_nothing_is_cut_off(few):
    figure = spider(few)
    assert drawn.points(figure.axes[0], CUT_MARKER) == []
    assert figure.axes[0].yaxis.get_major_formatter()(1.5, 0) == "+150 %"
    assert not [label for label in drawn.legend(figure) if "cut off" in label]


def test_the_legend_counts_who_has_a_line(few):
    assert drawn.legend(spider(few))[:3] == [
        "PR partial response (n = 1)",
        "SD stable disease (n = 1)",
        "PD progressive disease (n = 2)",
    ]


def test_it_is_told_in_words(few):
    assert spider(few).alt == (
        "Change of sum of diameters · MD Anderson 2010 · 4 of 5 patients: Change of sum of diameters since baseline of "
        "4 patients over 24 weeks; 1 PR, 1 SD, 2 PD."
    )


def test_nobody(nobody):
    figure = spider(nobody, language="zh")
    assert "无可显示的数据" in drawn.words(figure)


def test_a_baseline_alone_has_no_line():
    assert "nothing to show" in drawn.words(spider(judged(rows_of("P", (10.0,)))))


@given(st.lists(st.floats(0, 1), max_size=12))
def test_names_keep_their_order_and_stay_apart(values):
    places = spread(values, gap=0.05, low=0.0, high=1.0)
    order = sorted(range(len(values)), key=lambda index: (values[index], index))
    ordered = [places[index] for index in order]
    assert all(above - below >= 0.05 - 1e-9 for below, above in pairwise(ordered))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
