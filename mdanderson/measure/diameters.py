"""The two perpendicular diameters of a lesion, and the one outline rule they are measured on.

The outline crosses every line between a voxel of the lesion and a neighbour outside exactly once; how far along, a
smoothed mask decides. Nothing else moves: no voxel of the lesion is lost, however thin the part, and none is gained.
Decision 0004 tells why this rule, and what it reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Region

__all__ = ["Diameters", "measure_diameters"]

_TIE_MM = 1e-6
"""Lengths closer than this are equal; then the longer perpendicular decides, whatever way the image is turned."""

_BOUND_DIRECTIONS = 16
"""Directions in which a slice is calipered before its outline is drawn."""

_KERNEL_REACH = 4.0
"""A smoothing kernel is cut off at this many standard deviations."""

_FEW_POINTS = 150
"""So many points are compared with each other sooner than their convex hull is found."""

_CHUNK = 256
"""Chords looked for at a time, which bounds the memory for outlines of thousands of points."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Diameters:
    """Two perpendicular diameters in one slice, rounded to 0.01 mm.

    plane: index along the acquisition axis of the image's grid. long_ends_lps_mm, short_ends_lps_mm: (2, 3).
    """

    long_axis_mm: Decimal
    short_axis_mm: Decimal
    plane: int
    long_ends_lps_mm: FloatArray
    short_ends_lps_mm: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Crossings:
    """there: (rows, columns) whether the outline crosses between a voxel and the next. points: (crossings, 2)."""

    there: BoolArray
    points: FloatArray

    def on_grid(self) -> FloatArray:
        """(rows, columns, 2): the points where they are, NaN elsewhere."""
        grid = np.full((*self.there.shape, 2), np.nan)
        grid[self.there] = self.points
        return grid


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Outline:
    """The outline of one slice, in mm from the first voxel of the crop, rows before columns.

    down, across: where it crosses between voxels that are neighbours in a column, in a row; as `_Crossings`.
    ends: (points, 2), those where its greatest diameter may end. length_mm: that diameter.
    """

    down: _Crossings
    across: _Crossings
    ends: FloatArray
    length_mm: float


def measure_diameters(region: Region, geometry: Geometry, *, settings: ImageSettings) -> Diameters:
    """The greatest in-plane diameter of `region` over all slices, and the longest chord at right angles to it there.

    region: its voxels on `geometry`, the grid of the whole image; array axis 0 is the acquisition plane's normal.
    Both diameters may span a concavity or the gap between parts of one label: a chord runs between the outermost
    crossings of the outline. A single voxel reads about its own size. MDA 2010 takes the sum of the two.
    """
    _, *steps = geometry.spacing_mm
    pixel_mm = np.array(steps)
    crosses = [
        (plane, cross)
        for plane, outline in _longest_outlines(region.voxels, pixel_mm, settings)
        for cross in _measure_crosses(outline)
    ]
    plane, (long_ends, short_ends) = max(crosses, key=lambda found: round(_length(found[1][1]) / _TIE_MM))
    first = np.add([part.start for part in region.box], [plane, 0, 0])

    def to_lps(ends: FloatArray) -> FloatArray:
        return geometry.to_lps(first + np.pad(ends / pixel_mm, ((0, 0), (1, 0))))

    return Diameters(
        long_axis_mm=_rounded(_length(long_ends)),
        short_axis_mm=_rounded(_length(short_ends)),
        plane=int(first[0]),
        long_ends_lps_mm=to_lps(long_ends),
        short_ends_lps_mm=to_lps(short_ends),
    )


def _length(ends: FloatArray) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))


def _rounded(length_mm: float) -> Decimal:
    """To 0.01 mm; the first rounding keeps the last bit of a float from deciding a tie."""
    return Decimal(f"{round(length_mm, 6):.2f}")


def _longest_outlines(voxels: BoolArray, pixel_mm: FloatArray, settings: ImageSettings) -> list[tuple[int, _Outline]]:
    """The slice with the greatest diameter and its outline, in a list with those as long, lowest plane first.

    As long: within `outline_tie_pixels`, the grain of a digital outline. Slices are tried from the most promising on,
    until no other can be as long.
    """
    tie_mm = max(_TIE_MM, settings.outline_tie_pixels * float(np.sqrt(pixel_mm.prod())))
    bounds_mm = _upper_bounds_mm(voxels, pixel_mm)
    kernels = _kernels(pixel_mm, settings)
    longest_mm = 0.0
    drawn: list[tuple[int, _Outline]] = []
    for plane in np.argsort(-bounds_mm):
        if bounds_mm[plane] < longest_mm - tie_mm:
            break
        outline = _draw_outline(voxels[plane], pixel_mm, kernels, settings.outline_least_depth)
        longest_mm = max(longest_mm, outline.length_mm)
        drawn.append((int(plane), outline))
    return sorted(
        ((plane, outline) for plane, outline in drawn if outline.length_mm >= longest_mm - tie_mm),
        key=lambda found: found[0],
    )


def _upper_bounds_mm(voxels: BoolArray, pixel_mm: FloatArray) -> FloatArray:
    """(planes,): no diameter of that slice is longer; -inf where it is empty.

    A caliper reading in the nearest of n directions is at least cos(pi / 2n) of the diameter, and the outline
    lies less than one voxel step outside the voxel centres.
    """
    plane, row = np.nonzero(voxels.any(axis=2))
    ends = voxels[plane, row]
    first, last = ends.argmax(axis=1), ends.shape[1] - 1 - ends[:, ::-1].argmax(axis=1)
    angles = np.arange(_BOUND_DIRECTIONS) * np.pi / _BOUND_DIRECTIONS
    down, across = pixel_mm[0] * np.cos(angles), pixel_mm[1] * np.sin(angles)  # across >= 0: row ends are extreme
    starts = np.flatnonzero(np.diff(plane, prepend=-1))
    high = np.maximum.reduceat(np.outer(row, down) + np.outer(last, across), starts)
    low = np.minimum.reduceat(np.outer(row, down) + np.outer(first, across), starts)
    calipers = high - low + 2 * np.maximum(np.abs(down), across)
    bounds = np.full(len(voxels), -np.inf)
    bounds[plane[starts]] = calipers.max(axis=1) / math.cos(math.pi / (2 * _BOUND_DIRECTIONS))
    return bounds


def _draw_outline(
    voxels: BoolArray, pixel_mm: FloatArray, kernels: list[list[FloatArray]], least_depth: float
) -> _Outline:
    """The outline of one slice: voxels (rows, columns), at least one true; pixel_mm (2,)."""
    mask = np.zeros((voxels.shape[0] + 2, voxels.shape[1] + 2), dtype=bool)
    mask[1:-1, 1:-1] = voxels
    depth = np.maximum(np.abs(_smooth(mask, kernels) - 0.5), least_depth)
    down, across = (_crossings(mask, depth, pixel_mm, axis) for axis in (0, 1))
    points = np.concatenate([down.points, across.points])
    if len(points) > _FEW_POINTS:
        points = points[ConvexHull(points).vertices]
    return _Outline(down=down, across=across, ends=points, length_mm=float(pdist(points).max()))


def _crossings(mask: BoolArray, depth: FloatArray, pixel_mm: FloatArray, axis: int) -> _Crossings:
    """Where the outline crosses between neighbours along `axis` of a mask padded by one voxel.

    Along the way from one voxel to the other the level falls from 0.5 + depth to 0.5 - depth.
    """
    step = np.eye(2, dtype=int)[axis]
    here = mask[: -step[0] or None, : -step[1] or None]
    there = here != mask[step[0] :, step[1] :]
    index = np.argwhere(there)
    near, far = depth[tuple(index.T)], depth[tuple((index + step).T)]
    points = (index + step * (near / (near + far))[:, None] - 1.0) * pixel_mm
    return _Crossings(there=there, points=points)


def _kernels(pixel_mm: FloatArray, settings: ImageSettings) -> list[list[FloatArray]]:
    """A narrow Gaussian and one of twice its variance, each along rows and columns, equally wide in mm."""
    sigmas = settings.outline_sigma_pixels * math.sqrt(float(pixel_mm.prod())) / pixel_mm
    return [[_gaussian(float(sigma) * factor) for sigma in sigmas] for factor in (1.0, math.sqrt(2.0))]


def _gaussian(sigma: float) -> FloatArray:
    """(2 n + 1,): its weights, cut off and summing to one."""
    reach = math.ceil(_KERNEL_REACH * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _smooth(mask: BoolArray, kernels: list[list[FloatArray]]) -> FloatArray:
    """Twice the narrow Gaussian less the wide one.

    Their second moments cancel, so that a curved edge stays where it is; a Gaussian alone would draw it inwards by
    half its variance times the curvature.
    """
    narrow, wide = (
        ndimage.correlate1d(
            ndimage.correlate1d(mask, along_rows, axis=0, output=np.float64, mode="constant"),
            along_columns,
            axis=1,
            mode="constant",
        )
        for along_rows, along_columns in kernels
    )
    return np.asarray(2.0 * narrow - wide)


def _measure_crosses(outline: _Outline) -> list[tuple[FloatArray, FloatArray]]:
    """Each greatest diameter of an outline with its longest perpendicular chord, as (2, 2) ends of either."""
    apart = np.triu(squareform(pdist(outline.ends)))
    segments = _segments(outline)
    pairs = outline.ends[np.argwhere(apart >= outline.length_mm - _TIE_MM)]
    return [(ends, _longest_chord(segments, (ends[1] - ends[0]) / _length(ends))) for ends in pairs]


def _segments(outline: _Outline) -> FloatArray:
    """(segments, 2, 2): the outline as straight pieces, inside every square between four voxel centres.

    Where parts touch at a corner all four points of the square are joined: only outermost crossings matter.
    """
    down, across = outline.down.on_grid(), outline.across.on_grid()
    sides = (across[:-1], across[1:], down[:, :-1], down[:, 1:])
    pieces = np.concatenate([np.stack(pair, axis=-2).reshape(-1, 2, 2) for pair in combinations(sides, 2)])
    return np.asarray(pieces[~np.isnan(pieces).any(axis=(1, 2))])


def _longest_chord(segments: FloatArray, along: FloatArray) -> FloatArray:
    """(2, 2): the ends of the longest chord at right angles to the unit vector `along`.

    Between neighbouring outline points both outermost crossings run straight, so the longest chord starts at a point.
    """
    across = np.array([-along[1], along[0]])
    place, height = segments @ along, segments @ across
    left, right = place.min(axis=1), place.max(axis=1)
    run, rise = np.diff(place, axis=1)[:, 0], np.diff(height, axis=1)[:, 0]
    slope = np.divide(rise, run, out=np.zeros_like(run), where=np.abs(run) > _TIE_MM)
    best = (-np.inf, 0.0, 0.0)
    spots = np.unique(place)
    for start in range(0, len(spots), _CHUNK):
        at = spots[start : start + _CHUNK, None]
        met = (at >= left - _TIE_MM) & (at <= right + _TIE_MM)
        crossing = height[:, 0] + slope * (np.clip(at, left, right) - place[:, 0])
        high = np.where(met, crossing, -np.inf).max(axis=1)
        low = np.where(met, crossing, np.inf).min(axis=1)
        longest = int(np.argmax(high - low))
        best = max(best, (float(high[longest] - low[longest]), float(low[longest]), float(at[longest, 0])))
    length, low_end, spot = best
    return np.asarray(spot * along + np.array([[low_end], [low_end + length]]) * across)
