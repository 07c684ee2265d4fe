"""The flow between categories: boxes as high as their patients, bands between them."""

from __future__ import annotations

import matplotlib.colors
import pytest
from matplotlib.patches import PathPatch, Rectangle
from plot import drawn
from plot.sample import judged, rows_of

from mdanderson.errors import SettingsError
from mdanderson.palette import DARK, LIGHT
from mdanderson.plot import response_flow


def boxes(axes):
    """Column, height and colour, from below."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return sorted(
        (
            (round(box.get_x() + box.get_width() / 2), box.get_y(), box.get_height()),
            matplotlib.colors.to_hex(box.get_facecolor()),
        )
        for box in found
    )


def bands(axes):
    """Colour, height where it leaves and where it comes to, in their order."""
    found = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    return [
        (
            matplotlib.colors.to_hex(band.get_facecolor()),
            tuple(float(x) for x in band.get_path().vertices[[0, 7], 1]),
            tuple(float(x) for x in band.get_path().vertices[[3, 4], 1]),
        )
        for band in found
    ]


@pytest.mark.parametrize("dark", [False, True])
def test_boxes_are_as_high_as_their_patients_with_the_best_on_top(few, dark):
    axes = response_flow(few, dark=dark).axes[0]
    names = {drawn.colour(name, dark=dark): name for name in ("PR", "SD", "PD", "NE")}
    found = [(column, height, names.get(colour, "left")) for (column, _, height), colour in boxes(axes)]
    assert found == [
        (0, 1, "NE"),
        (0, 2, "PD"),
        (0, 1, "SD"),
        (0, 1, "PR"),
        (1, 3, "left"),
        (1, 1, "NE"),
        (1, 1, "PD"),
    ]
    lows = [low for (column, low, _), _ in boxes(axes) if column == 0]
    assert lows == pytest.approx([0, 1.25, 3.5, 4.75])  # a gap of 5 % of five patients


def test_bands_lead_from_box_to_box_without_a_gap_or_an_overlap(few):
    axes = response_flow(few).axes[0]
    assert bands(axes) == [
        (drawn.colour("NE"), (0, 1), (0, 1)),
        (drawn.colour("PD"), (1.25, 3.25), (1, 3)),
        (drawn.colour("SD"), (3.5, 4.5), (3.25, 4.25)),
        (drawn.colour("PR"), (4.75, 5.75), (4.5, 5.5)),
    ]


def test_boxes_tell_their_number(few):
    figure = response_flow(few)
    assert [text for text, _, _ in drawn.written(figure.axes[0])] == [
        *("NE 1", "PD 2", "SD 1", "PR 1"),
        *("3", "NE 1", "PD 1"),
    ]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["follow-up 1", "follow-up 2"]
    assert drawn.legend(figure)[-1] == "no further visit"
    assert figure.alt == (
        "Category from visit to visit · MD Anderson 2010: follow-up 1: 1 PR, 1 SD, 2 PD, 1 NE; follow-up 2: 1 PD, 1 NE."
    )


def test_a_number_stands_beside_a_box_too_low_for_it():
    rows = [row for number in range(30) for row in rows_of(f"P{number:02d}", (20.0, 30.0 if number else 5.0))]
    (lone,) = [text for text in response_flow(judged(rows)).axes[0].texts if text.get_text() == "PR 1"]
    assert (lone.get_ha(), lone.get_color()) == ("left", "#1b1f23")


def test_as_many_visits_as_asked(few):
    assert [label.get_text() for label in response_flow(few, visits=1).axes[0].get_xticklabels()] == ["follow-up 1"]
    with pytest.raises(SettingsError, match="visits is 0; show 1 follow-up visit or more"):
        response_flow(few, visits=0)


def test_nobody(nobody):
    assert "nothing to show" in drawn.words(response_flow(nobody))
    assert "nothing to show" in drawn.words(response_flow(judged(rows_of("P", (20.0,)))))


def contrast(one: str, other: str) -> float:
    low, high = sorted(
        sum(
            weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
            for weight, part in zip((0.2126, 0.7152, 0.0722), matplotlib.colors.to_rgb(colour), strict=True)
        )
        for colour in (one, other)
    )
    return (high + 0.05) / (low + 0.05)


def test_numbers_in_boxes_are_read_on_a_page_that_turns_the_figure_dark(few):
    """A page has the figure in light colours and exchanges them: grounds, and inks that are colours of the theme."""
    for text in response_flow(few).axes[0].texts:
        ground = text.get_bbox_patch()
        if ground is None:
            assert text.get_color() == LIGHT.text
            continue
        light = matplotlib.colors.to_hex(ground.get_facecolor())
        dark = {LIGHT.grid: DARK.grid} | {LIGHT.category(key): DARK.category(key) for key in LIGHT.categories}
        inks = {LIGHT.text: DARK.text, LIGHT.background: DARK.background}
        assert contrast(text.get_color(), light) >= 4.5
        assert contrast(inks.get(text.get_color(), text.get_color()), dark[light]) >= 4.5
