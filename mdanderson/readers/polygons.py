"""Polygons -> pixels. Row and column indices of pixel centres are whole numbers; nothing here knows millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.volume import BoolArray

__all__ = ["fill_even_odd", "on_outline"]

_EDGES_AT_ONCE = 4096
"""So that the memory for their crossings is bounded, however long the outline."""
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
    switches = np.zeros(rows * (columns + 1), dtype=np.int64)
    for part in _parts(len(points)):
        from_point, to_point = points[part], following[part]
        low, high = np.minimum(from_point[:, 0], to_point[:, 0]), np.maximum(from_point[:, 0], to_point[:, 0])
        edge, row = _lattice(np.ceil(low), np.ceil(high), rows)
        start, end = from_point[edge], to_point[edge]
        crossing = start[:, 1] + (row - start[:, 0]) * (end[:, 1] - start[:, 1]) / (end[:, 0] - start[:, 0])
        column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
        switches += np.bincount(row * (columns + 1) + column, minlength=switches.size)
    inside = np.cumsum(switches.reshape(rows, columns + 1), axis=1)[:, :columns] % 2 == 1
    return np.asarray(inside)


def on_outline(points: FloatArray, shape: tuple[int, int]) -> BoolArray:
    """Which pixel centres of (rows, columns) lie on the outline of a closed polygon; points: (n, 2) row, column."""
    found: BoolArray = np.zeros(shape, dtype=bool)
    following = np.roll(points, -1, axis=0)
    rise, run = np.abs(following - points).T
    steep, flat = np.flatnonzero(rise >= run), np.flatnonzero(rise < run)
    for along, chosen in ((k, some[part]) for k, some in ((0, steep), (1, flat)) for part in _parts(len(some))):
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


def _parts(edges: int) -> list[slice]:
    """The edges, some at a time."""
    return [slice(first, first + _EDGES_AT_ONCE) for first in range(0, edges, _EDGES_AT_ONCE)]


def _lattice(first: FloatArray, stop: FloatArray, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every whole number from `first` up to, not with, `stop` within 0..size: (pairs,) edges and (pairs,) numbers."""
    low, high = np.clip(first, 0, size).astype(np.int64), np.clip(stop, 0, size).astype(np.int64)
    counts = np.maximum(high - low, 0)
    edge = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return edge, low[edge] + within
