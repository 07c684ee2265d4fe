"""Polygons -> pixels. Row and column indices of pixel centres are whole numbers; nothing here knows millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.volume import BoolArray

__all__ = ["fill_even_odd", "on_outline"]

_ON_PIXELS = 0.01
"""A centre this near to an outline lies on it; exporters round to 0.01 mm or finer."""


def fill_even_odd(points: FloatArray, shape: tuple[int, int]) -> BoolArray:
    """Which pixel centres of (rows, columns) a closed polygon encloses; points: (n, 2) row and column.

    Where the polygon crosses itself, or runs to a hole and back (keyhole), the even-odd rule holds. Each row is
    switched at every edge that crosses it, the edge's lower end included and its upper end not, so that corners count
    once.
    """
    rows, columns = shape
    following = np.roll(points, -1, axis=0)
    low, high = np.minimum(points[:, 0], following[:, 0]), np.maximum(points[:, 0], following[:, 0])
    edge, row = _lattice(np.ceil(low), np.ceil(high), rows)
    start, end = points[edge], following[edge]
    crossing = start[:, 1] + (row - start[:, 0]) * (end[:, 1] - start[:, 1]) / (end[:, 0] - start[:, 0])
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
    switches = np.bincount(row * (columns + 1) + column, minlength=rows * (columns + 1)).reshape(rows, columns + 1)
    return np.asarray(np.cumsum(switches, axis=1)[:, :columns] % 2 == 1)


def on_outline(points: FloatArray, shape: tuple[int, int]) -> BoolArray:
    """Which pixel centres of (rows, columns) lie on the outline of a closed polygon; points: (n, 2) row, column."""
    found: BoolArray = np.zeros(shape, dtype=bool)
    following = np.roll(points, -1, axis=0)
    rise, run = np.abs(following - points).T
    for along, chosen in ((0, rise >= run), (1, rise < run)):
        start, end = points[chosen], following[chosen]
        low, high = np.minimum(start[:, along], end[:, along]), np.maximum(start[:, along], end[:, along])
        edge, step = _lattice(np.ceil(low - _ON_PIXELS), np.floor(high + _ON_PIXELS) + 1, shape[along])
        length = end[edge, along] - start[edge, along]
        share = np.clip((step - start[edge, along]) / np.where(length == 0, 1, length), 0, 1)
        side = start[edge, 1 - along] + share * (end[edge, 1 - along] - start[edge, 1 - along])
        nearest = np.rint(side)
        on = (np.abs(side - nearest) <= _ON_PIXELS) & (nearest >= 0) & (nearest < shape[1 - along])
        found[(step[on], nearest[on].astype(np.int64)) if along == 0 else (nearest[on].astype(np.int64), step[on])] = (
            True
        )
    return found


def _lattice(first: FloatArray, stop: FloatArray, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every whole number from `first` up to, not with, `stop` within 0..size: (pairs,) edges and (pairs,) numbers."""
    low, high = np.clip(first, 0, size).astype(np.int64), np.clip(stop, 0, size).astype(np.int64)
    counts = np.maximum(high - low, 0)
    edge = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return edge, low[edge] + within
