"""Sizes of any lesion, or of several as one, from their level sets on a fine grid: truth where no closed form is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from mdanderson.errors import MeasurementError
from mdanderson.geometry import FloatArray

if TYPE_CHECKING:
    from mdanderson.phantoms.shapes import LesionSpec

__all__ = ["SolidTruth", "as_one", "plane_axes"]

_STEPS = 110
"""Points along the longest side: a diameter of 30 mm comes out within 0.05 mm, a volume within three thousandths."""
_TIE_MM = 0.05
"""Sections this near the longest count as equally long; of these the one with the longest chord across is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SolidTruth:
    """Greatest in-plane diameter over all planes of one direction, longest chord across it there, volume, centroid."""

    long_axis_mm: float
    short_axis_mm: float
    volume_ml: float
    centroid_mm: tuple[float, float, float]


def as_one(
    lesions: Sequence[LesionSpec],
    normal: FloatArray,
    semi_axes_mm: Sequence[tuple[float, float, float]] | None = None,
) -> SolidTruth:
    """Several lesions in one body as one region, in planes with this normal; of each the shell with these half axes."""
    shells = tuple(semi_axes_mm or (lesion.semi_axes_mm for lesion in lesions))
    return _as_one(tuple(lesions), tuple(np.round(normal, 12).tolist()), shells)


def plane_axes(normal: FloatArray) -> FloatArray:
    """(3, 3): unit vectors along the normal and, at right angles, in the plane."""
    unit = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    helper = np.eye(3)[int(np.argmin(np.abs(unit)))]
    first = np.cross(unit, helper)
    first /= np.linalg.norm(first)
    return np.stack([unit, first, np.cross(unit, first)])


@lru_cache(maxsize=256)
def _as_one(
    lesions: tuple[LesionSpec, ...], normal: tuple[float, ...], shells: tuple[tuple[float, float, float], ...]
) -> SolidTruth:
    axes = plane_axes(np.array(normal))
    reach = [np.linalg.norm(shell) * (1 + lesion.lobulation) for lesion, shell in zip(lesions, shells, strict=True)]
    centres = np.array([lesion.centre_mm for lesion in lesions]) @ axes.T
    low = (centres - np.array(reach)[:, None]).min(axis=0)
    high = (centres + np.array(reach)[:, None]).max(axis=0)
    step = float((high - low).max()) / _STEPS
    ticks = [np.arange(a - step, b + 2 * step, step) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1)
    level = np.min([lesion.level(grid @ axes, shell) for lesion, shell in zip(lesions, shells, strict=True)], axis=0)
    inside = level <= 1.0
    if not inside.any():
        raise MeasurementError("a lesion without a volume", way_out="make it larger")
    long_axis, short_axis = _diameters(level, step)
    x, y, z = grid[inside].mean(axis=0) @ axes
    return SolidTruth(
        long_axis_mm=long_axis,
        short_axis_mm=short_axis,
        volume_ml=float(inside.sum()) * step**3 / 1000.0,
        centroid_mm=(float(x), float(y), float(z)),
    )


def _diameters(level: FloatArray, step: float) -> tuple[float, float]:
    """Over all planes, in mm."""
    outlines = [_outlines(plane) for plane in level if (plane <= 1.0).any()]
    longest = [_longest(np.concatenate(lines)) for lines in outlines if lines]
    outlines = [lines for lines in outlines if lines]
    most = max(length for length, _ in longest)
    ties = [k for k, (length, _) in enumerate(longest) if length >= most - _TIE_MM / step]
    return most * step, max(_across(outlines[k], longest[k][1]) for k in ties) * step


def _outlines(plane: FloatArray) -> list[FloatArray]:
    from skimage.measure import find_contours

    return [np.asarray(line) for line in find_contours(plane, 1.0)]


def _longest(points: FloatArray) -> tuple[float, FloatArray]:
    """The greatest distance of two points, and its direction."""
    corners = points[ConvexHull(points).vertices]
    far = squareform(pdist(corners))
    first, second = np.unravel_index(int(far.argmax()), far.shape)
    length = float(far.max())
    return length, (corners[second] - corners[first]) / length


def _across(lines: Sequence[FloatArray], along: FloatArray) -> float:
    """The longest chord at right angles, between the outermost crossings of all outlines."""
    turned = [np.stack([line @ along, line @ np.array([-along[1], along[0]])], axis=1) for line in lines]
    ends = np.concatenate(turned)[:, 0]
    at = np.linspace(ends.min(), ends.max(), 401)[1:-1, None]
    top, bottom = np.full(len(at), -np.inf), np.full(len(at), np.inf)
    for line in turned:
        (start, low), (end, high) = line[:-1].T, line[1:].T
        crosses = (np.minimum(start, end) <= at) & (at < np.maximum(start, end))
        height = low + (at - start) / np.where(crosses, end - start, 1.0) * (high - low)
        top = np.maximum(top, np.where(crosses, height, -np.inf).max(axis=1))
        bottom = np.minimum(bottom, np.where(crosses, height, np.inf).min(axis=1))
    met = np.isfinite(top)
    return float((top[met] - bottom[met]).max())
