"""Polygons to pixels, against a slow crossing count and against areas known by construction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.readers.polygons import fill_even_odd, on_outline

SQUARE = np.array([[1.0, 1.0], [1.0, 4.0], [4.0, 4.0], [4.0, 1.0]])


def crossings_to_the_left(points: np.ndarray, row: float, column: float) -> int:
    """How many edges a ray from the pixel to the left meets: one pixel, one edge at a time."""
    count = 0
    for (r0, c0), (r1, c1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if (r0 <= row < r1) or (r1 <= row < r0):
            count += c0 + (row - r0) * (c1 - c0) / (r1 - r0) <= column
    return count


def test_corners_on_pixel_centres():
    inside = fill_even_odd(SQUARE, (6, 6))
    assert np.argwhere(inside).min(axis=0).tolist() == [1, 1]
    assert inside.sum() == 9  # half-open: squares side by side share no pixel
    border = on_outline(SQUARE, (6, 6))
    assert border.sum() == 12
    assert (inside | border).sum() == 16  # closed, as exporters through pixel centres mean it


def test_corners_between_pixel_centres():
    inside = fill_even_odd(SQUARE + 0.5, (6, 6))
    assert inside.tolist() == np.pad(np.ones((3, 3), dtype=bool), ((2, 1), (2, 1))).tolist()
    assert not on_outline(SQUARE + 0.5, (6, 6)).any()


@settings(max_examples=100, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(-12, 60), st.integers(-12, 60)).map(lambda p: (p[0] / 4, p[1] / 4)),
        min_size=3,
        max_size=12,
    )
)
def test_any_polygon_crossing_itself_and_the_edge(points):
    outline = np.array(points, dtype=float)
    expected = [[crossings_to_the_left(outline, r, c) % 2 == 1 for c in range(9)] for r in range(11)]
    np.testing.assert_array_equal(fill_even_odd(outline, (11, 9)), expected)


@settings(max_examples=100, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(-12, 60), st.integers(-12, 60)).map(lambda p: (p[0] / 4, p[1] / 4)),
        min_size=3,
        max_size=8,
    )
)
def test_outline_is_every_centre_within_a_hundredth_of_an_edge(points):
    outline = np.array(points, dtype=float)
    apart = np.full((11, 9), np.inf)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        for at in np.ndindex(apart.shape):
            way = end - start
            share = np.clip(np.dot(at - start, way) / max(np.dot(way, way), 1e-12), 0, 1)
            apart[at] = min(apart[at], np.linalg.norm(at - (start + share * way)))
    found = on_outline(outline, apart.shape)
    # a hundredth of a pixel along a row or a column: between 1 / sqrt(2) and sqrt(2) of it at right angles to the edge
    assert found[apart < 0.007].all()
    assert not found[apart > 0.0142].any()


@pytest.mark.parametrize(("gap", "on"), [(0.009, True), (0.011, False)])
@pytest.mark.parametrize("axis", [0, 1])
def test_on_the_outline_means_a_hundredth_of_a_pixel(gap, on, axis):
    outline = np.array([[0.5, 0.5], [0.5, 3.5], [4.0 + gap, 3.5], [4.0 + gap, 0.5]])
    outline = outline if axis == 0 else outline[:, ::-1]
    assert on_outline(outline, (6, 6)).any() == on


def test_neighbours_share_no_pixel_and_leave_none_out():
    rng = np.random.default_rng(3)
    cuts = np.sort(rng.uniform(0, 30, size=6))
    strips = [np.array([[-1, a], [-1, b], [31, b + 3], [31, a + 3]]) for a, b in pairwise(cuts)]
    total = sum(fill_even_odd(strip, (30, 40)).astype(int) for strip in strips)
    whole = np.array([[-1, cuts[0]], [-1, cuts[-1]], [31, cuts[-1] + 3], [31, cuts[0] + 3]])
    np.testing.assert_array_equal(total, fill_even_odd(whole, (30, 40)).astype(int))


def test_keyhole_to_a_hole():
    keyhole = np.array(
        [[0.5, 0.5], [0.5, 9.5], [5, 9.5], [5, 6.5], [3.5, 6.5], [3.5, 3.5], [6.5, 3.5], [6.5, 6.5], [5, 6.5], [5, 9.5],
         [9.5, 9.5], [9.5, 0.5]]
    )  # fmt: skip
    inside = fill_even_odd(keyhole, (11, 11)) | on_outline(keyhole, (11, 11))
    assert inside.sum() == 81 - 9
    assert not inside[4:7, 4:7].any()
    assert inside[5, 7:10].all()  # the cut itself


def test_ten_thousand_points_are_as_exact_as_the_circle():
    angle = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    outline = np.stack([100.3 + 80 * np.sin(angle), 99.8 + 80 * np.cos(angle)], axis=1)
    row, column = np.indices((200, 200))
    exact = (row - 100.3) ** 2 + (column - 99.8) ** 2 < 80**2
    assert np.count_nonzero(fill_even_odd(outline, (200, 200)) ^ exact) <= 2
