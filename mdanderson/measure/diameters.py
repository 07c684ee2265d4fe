"""The two perpendicular diameters of a lesion, on the outline that `mdanderson.measure.outline` draws.

Decision 0004 tells what is measured when several diameters are as long within the grain of the outline, and why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.measure.outline import Outline, draw_outlines, squared_distances
from mdanderson.measure.plane import measuring_axis
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Region

__all__ = ["Diameters", "measure_diameters", "slice_bounds_mm"]

_TIE_MM = 1e-6
"""Lengths closer than this are equal; then the longer perpendicular decides, whatever way the image is turned."""

_BOUND_DIRECTIONS = 16
"""Directions in which a slice is calipered before its outline is drawn."""

_FURTHEST_LEVEL = 0.75
"""The smoothed mask is never further from 0.5: the positive part of its kernel holds 9/8, a narrow digital one 1.24."""

_VOXELS_AT_ONCE = 1 << 20
"""Outlines are drawn for so many voxels at a time, which bounds the memory."""

_LEAST_COSINE = math.cos(math.radians(20.0))
"""Pairs of ends turned further than this are another diameter, not the same one drawn a little otherwise."""

_LINES = 4
"""Steps from line to line across a perpendicular, which is the mean of their chords."""

_WIDEST_SHARE = 1 / 8
"""A perpendicular is one pixel wide, but never wider than this share of the long axis."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Diameters:
    """Two perpendicular diameters in one slice, rounded to 0.01 mm.

    plane: index of the slice along `axis`, the array axis along which slices are stacked: 0 in the acquisition plane.
    long_ends_lps_mm, short_ends_lps_mm: (2, 3).
    """

    long_axis_mm: Decimal
    short_axis_mm: Decimal
    plane: int
    axis: int
    long_ends_lps_mm: FloatArray
    short_ends_lps_mm: FloatArray


def measure_diameters(region: Region, geometry: Geometry, *, settings: ImageSettings) -> Diameters:
    """The greatest in-plane diameter of `region` over all slices, and the longest chord at right angles to it there.

    region: its voxels on `geometry`, the grid of the whole image. Slices are those of the acquisition plane, unless
    `measuring_plane` asks for others and the grid allows them.
    Both diameters may span a concavity or the gap between parts of one label: a chord runs between the outermost
    crossings of the outline. A single voxel reads about its own size. MDA 2010 takes the sum of the two.
    """
    axis = measuring_axis(geometry, settings)
    inside = [other for other in range(3) if other != axis]
    pixel_mm = np.array(geometry.spacing_mm)[inside]
    crosses = [
        (plane, cross)
        for plane, outline in _longest_outlines(np.moveaxis(region.voxels, axis, 0), pixel_mm, settings)
        for cross in _measure_crosses(outline, pixel_mm, settings)
    ]
    plane, (long_ends, short_ends) = max(crosses, key=lambda found: round(_length(found[1][1]) / _TIE_MM))
    first = np.array([float(part.start) for part in region.box])
    first[axis] += plane

    def to_lps(ends: FloatArray) -> FloatArray:
        index = np.tile(first, (2, 1))
        index[:, inside] += ends / pixel_mm
        return geometry.to_lps(index)

    return Diameters(
        long_axis_mm=_rounded(_length(long_ends)),
        short_axis_mm=_rounded(_length(short_ends)),
        plane=int(first[axis]),
        axis=axis,
        long_ends_lps_mm=to_lps(long_ends),
        short_ends_lps_mm=to_lps(short_ends),
    )


def _length(ends: FloatArray) -> float:
    return math.dist(*ends.tolist())


def _rounded(length_mm: float) -> Decimal:
    """To 0.01 mm; the first rounding keeps the last bit of a float from deciding a tie."""
    return Decimal(f"{round(length_mm, 6):.2f}")


def _longest_outlines(voxels: BoolArray, pixel_mm: FloatArray, settings: ImageSettings) -> list[tuple[int, Outline]]:
    """The slice with the greatest diameter and its outline, in a list with those as long, lowest plane first.

    As long: within `outline_tie_pixels`, the grain of a digital outline. The most promising slice is drawn first,
    then, some at a time, all others that can be as long.
    """
    tie_mm = max(_TIE_MM, settings.outline_tie_pixels * _mean_pixel_mm(pixel_mm))
    bounds_mm = slice_bounds_mm(voxels, pixel_mm, settings.outline_least_depth)
    order = np.argsort(-bounds_mm, kind="stable")
    at_once = max(1, _VOXELS_AT_ONCE // voxels[0].size)
    longest_mm, planes = 0.0, order[:1]
    drawn: list[tuple[int, Outline]] = []
    while planes.size:
        drawn += zip(planes.tolist(), draw_outlines(voxels[planes], pixel_mm, settings), strict=True)
        longest_mm = max(outline.length_mm for _, outline in drawn)
        rest = order[len(drawn) : len(drawn) + at_once]
        planes = rest[bounds_mm[rest] >= longest_mm - tie_mm]
    return sorted(
        ((plane, outline) for plane, outline in drawn if outline.length_mm >= longest_mm - tie_mm),
        key=lambda found: found[0],
    )


def _mean_pixel_mm(pixel_mm: FloatArray) -> float:
    return math.sqrt(float(pixel_mm.prod()))


def slice_bounds_mm(voxels: BoolArray, pixel_mm: FloatArray, least_depth: float) -> FloatArray:
    """(planes,): no diameter of that slice is longer; -inf where it is empty.

    A caliper reading in the nearest of n directions is at least cos(pi / 2n) of the diameter, and the outline lies
    less than one voxel step outside the voxel centres, by how much the level and its least depth say.
    """
    furthest = _FURTHEST_LEVEL / (_FURTHEST_LEVEL + least_depth)
    plane, row = np.nonzero(voxels.any(axis=2))
    ends = voxels[plane, row]
    first, last = ends.argmax(axis=1), ends.shape[1] - 1 - ends[:, ::-1].argmax(axis=1)
    angles = np.arange(_BOUND_DIRECTIONS) * np.pi / _BOUND_DIRECTIONS
    down, across = pixel_mm[0] * np.cos(angles), pixel_mm[1] * np.sin(angles)  # across >= 0: row ends are extreme
    starts = np.flatnonzero(np.diff(plane, prepend=-1))
    high = np.maximum.reduceat(np.outer(row, down) + np.outer(last, across), starts)
    low = np.minimum.reduceat(np.outer(row, down) + np.outer(first, across), starts)
    calipers = high - low + 2 * furthest * np.maximum(np.abs(down), across)
    bounds = np.full(len(voxels), -np.inf)
    bounds[plane[starts]] = calipers.max(axis=1) / math.cos(math.pi / (2 * _BOUND_DIRECTIONS))
    return bounds


def _measure_crosses(
    outline: Outline, pixel_mm: FloatArray, settings: ImageSettings
) -> list[tuple[FloatArray, FloatArray]]:
    """Each greatest diameter of an outline with its longest perpendicular chord, as (2, 2) ends of either."""
    near_mm = settings.axis_tie_pixels * _mean_pixel_mm(pixel_mm)
    apart = squared_distances(outline.ends)
    one, other = np.nonzero(apart >= max(outline.length_mm - near_mm, 0.0) ** 2)
    once = one < other
    one, other = one[once], other[once]
    lengths, pairs = np.sqrt(apart[one, other]), outline.ends[np.stack([one, other], axis=1)]
    segments = outline.segments()
    width_mm = min(_mean_pixel_mm(pixel_mm), outline.length_mm * _WIDEST_SHARE)
    crosses = []
    for greatest in pairs[lengths >= outline.length_mm - _TIE_MM]:
        long_ends = _mean_diameter(greatest, pairs, 1.0 - (outline.length_mm - lengths) / near_mm)
        along = (long_ends[1] - long_ends[0]) / _length(long_ends)
        crosses.append((long_ends, _longest_chord(segments, along, width_mm / _LINES)))
    return crosses


def _mean_diameter(greatest: FloatArray, pairs: FloatArray, closeness: FloatArray) -> FloatArray:
    """(2, 2): ends as far apart as those of `greatest`, lying as the mean of the pairs nearly as long.

    pairs: (pairs, 2, 2), weighed by closeness (pairs,), 1 as long to 0 no longer near, and by how little each is
    turned from `greatest`. Noise of the outline chooses among such pairs, and the perpendicular turns with the choice.
    """
    axes = pairs[:, 1] - pairs[:, 0]
    cosine = axes @ (greatest[1] - greatest[0]) / (np.hypot(axes[:, 0], axes[:, 1]) * _length(greatest))
    weight = np.maximum(closeness, 0.0) * np.maximum(np.abs(cosine) - _LEAST_COSINE, 0.0)
    same_way = np.where((cosine >= 0)[:, None, None], pairs, pairs[:, ::-1])
    ends = np.tensordot(weight / weight.sum(), same_way, axes=1)
    half_axis = (ends[1] - ends[0]) / _length(ends) * _length(greatest) / 2
    return np.asarray(ends.mean(axis=0) + np.stack([-half_axis, half_axis]))


def _longest_chord(segments: FloatArray, along: FloatArray, step_mm: float) -> FloatArray:
    """(2, 2): the ends of the longest chord at right angles to the unit vector `along`, a chord some lines wide.

    segments: (segments, 2, 2), what it ends on. Its ends are the means of those of the lines over its width: the
    greatest of many uncertain chords is too long, and where it grazes a concavity it depends on a single voxel.
    """
    across = np.array([-along[1], along[0]])
    place, height = segments @ along, segments @ across
    middle = (place.min() + place.max()) / 2
    first = np.ceil((place.min(axis=1) - middle) / step_mm - _TIE_MM).astype(int)
    count = np.floor((place.max(axis=1) - middle) / step_mm + _TIE_MM).astype(int) + 1 - first
    segment = np.repeat(np.arange(len(segments)), count)
    line = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count - first, count)
    run, rise = np.diff(place, axis=1)[:, 0], np.diff(height, axis=1)[:, 0]
    slope = np.divide(rise, run, out=np.zeros_like(run), where=np.abs(run) > _TIE_MM)
    met = height[segment, 0] + slope[segment] * (middle + line * step_mm - place[segment, 0])
    lowest = int(line.min())
    low, high = np.full((2, int(line.max()) - lowest + 1), np.inf) * [[1], [-1]]
    np.minimum.at(low, line - lowest, met)
    np.maximum.at(high, line - lowest, met)
    low, high = _means_over_lines(low), _means_over_lines(high)
    longest = int(np.argmax(high - low))
    spot = middle + (longest + lowest) * step_mm
    return np.asarray(spot * along + np.array([[low[longest]], [high[longest]]]) * across)


def _means_over_lines(ends: FloatArray) -> FloatArray:
    """(lines,) the means of the lines next to each that meet the lesion; 0 for a line that does not."""
    meets = np.isfinite(ends)
    window = np.ones(_LINES + 1)
    sums = np.convolve(np.where(meets, ends, 0.0), window)
    half = _LINES // 2
    counts = np.convolve(meets, window)
    return np.where(meets, (sums / np.maximum(counts, 1.0))[half:-half], 0.0)
