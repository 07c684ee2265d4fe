"""A planar image made ready for registration: what exposure or count scale and noise add is taken out.

Of a bone scan hot foci are clipped, and the square root of counts has the same noise everywhere: the contour of the
body stays, and the pattern of its skeleton. A radiograph is made ready in `film`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.errors import GeometryError
from mdanderson.geometry import FloatArray
from mdanderson.volume import Region, Volume

__all__ = ["SCAN", "Grain", "Level", "Shadow", "block_sum", "body_of", "even_counts", "ring_round"]

BoolArray = npt.NDArray[np.bool_]

_CLIP_QUANTILE = 0.95
"""Of the body: bladder, foci and the injection site are no hotter than hot bone."""
_BODY_BLUR_MM = 6.0
_BODY_SHARE = 0.2
"""A pixel is body from this share of the body's typical counts upwards; air scatters less."""
_MOST_SAMPLES = (12_000, 3_000)
_DIGITS = 6
"""Decimals of counts per mean count: what rounding leaves of a count scale must not move an edge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grain:
    """How coarse a kind of planar image is looked at, in mm.

    steps_mm, blurs_mm: fine and coarse level; search_mm: step and blur of the search over all shifts. reach_mm: what
    lies this near to the body is sampled too, its contour. lesion_reach_mm: as much round an outline is left out.
    cell_mm: parts that are moved by themselves. apart_mm: starts of the search nearer than this are one. rival_mm: a
    second place is further off than this. mirror_cell_mm: what is further apart is noise of its own. counts: values are
    clipped and rooted.
    """

    steps_mm: tuple[float, float]
    blurs_mm: tuple[float, float]
    search_mm: tuple[float, float]
    reach_mm: float
    lesion_reach_mm: float
    cell_mm: float
    apart_mm: float
    rival_mm: float
    mirror_cell_mm: float
    counts: bool


SCAN = Grain(
    steps_mm=(4.5, 9.0),
    blurs_mm=(4.0, 8.0),
    search_mm=(18.0, 12.0),
    reach_mm=10.0,
    lesion_reach_mm=8.0,
    cell_mm=90.0,
    apart_mm=45.0,
    rival_mm=20.0,
    mirror_cell_mm=40.0,
    counts=True,
)
"""Bone scans, blurred by the camera to about 10 mm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shadow:
    """One view in the x-z plane.

    values: (rows, columns), relative counts as they are, or film in its own SD; NaN where never imaged. body: where
    the patient is. to_mm: (3, 3), (row, column, 1) -> (x, z, 1) LPS mm. step_mm: row, column.
    """

    values: FloatArray
    body: BoolArray
    to_mm: FloatArray
    grain: Grain = SCAN

    @classmethod
    def from_volume(cls, volume: Volume, *, lesions: Iterable[Region] = ()) -> Shadow:
        """The shadow of a slab one plane thick, its lesions as never imaged.

        Raises `GeometryError` where the slab does not lie in the patient's x-z plane.
        """
        affine = volume.geometry.affine
        if volume.geometry.shape[0] != 1 or np.abs(affine[1, 1:3]).max() > 1e-3 * np.abs(affine[:3, 1:3]).max():
            raise GeometryError(
                "not a projection from front to back", where=volume.source, way_out="give a planar bone scan"
            )
        counts = even_counts(volume)[0]
        to_mm = np.eye(3)
        to_mm[:2] = affine[np.ix_((0, 2), (1, 2, 3))]
        body = body_of(counts, volume.geometry.spacing_mm[1:])
        values = counts.copy()
        for region in lesions:
            values[ring_round(region, volume, SCAN.lesion_reach_mm)] = np.nan
        return cls(values=values, body=body, to_mm=to_mm)

    @cached_property
    def swapped(self) -> Shadow:
        """The same view with left and right swapped about x = 0."""
        flip = np.diag([-1.0, 1.0, 1.0])
        other = Shadow(values=self.values, body=self.body, to_mm=flip @ self.to_mm, grain=self.grain)
        other.__dict__["levels"] = tuple(level.moved(flip) for level in self.levels)
        other.__dict__["coarsest"] = self.coarsest.moved(flip)
        return other

    @property
    def step_mm(self) -> tuple[float, float]:
        """Row and column."""
        row, column = np.hypot(*self.to_mm[:2, :2])
        return float(row), float(column)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Fine and coarse."""
        return tuple(
            self._level(step, blur) for step, blur in zip(self.grain.steps_mm, self.grain.blurs_mm, strict=True)
        )

    @cached_property
    def samples(self) -> tuple[FloatArray, FloatArray]:
        """(2, n) x and z mm and (n,) values of the fine level."""
        return self.levels[0].samples(reach_mm=self.grain.reach_mm, most=_MOST_SAMPLES[0])

    @cached_property
    def coarse_samples(self) -> tuple[FloatArray, FloatArray]:
        """The same of the coarse level."""
        return self.levels[1].samples(reach_mm=self.grain.reach_mm, most=_MOST_SAMPLES[1])

    @cached_property
    def coarsest(self) -> Level:
        """For the search over all shifts."""
        return self._level(*self.grain.search_mm)

    def _level(self, step_mm: float, blur_mm: float) -> Level:
        """Means over blocks of pixels, blurred; counts are clipped and rooted."""
        every = [max(1, round(step_mm / step)) for step in self.step_mm]
        sigma = [
            float(np.sqrt(max(blur_mm**2 - (size * step) ** 2 / 12, 0.0)) / (size * step))
            for size, step in zip(every, self.step_mm, strict=True)
        ]
        known = np.isfinite(self.values)
        weight, total = (
            ndimage.gaussian_filter(block_sum(part, every), sigma, mode="constant", truncate=3.0)
            for part in (known.astype(np.float64), np.where(known, self.values, 0.0))
        )
        means = np.where(weight > 0.5 * np.prod(every), total / np.maximum(weight, 0.5), np.nan)
        body = block_sum(self.body.astype(np.float64), every) > 0.5 * np.prod(every)
        middle = [(size - 1) / 2 for size in every]
        to_mm = self.to_mm @ np.array([[every[0], 0, middle[0]], [0, every[1], middle[1]], [0, 0, 1.0]])
        return Level(values=_rooted(means, body) if self.grain.counts else means, body=body, to_mm=to_mm)


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """One resolution of a shadow, as `Shadow`; its values are blurred, and counts clipped and rooted."""

    values: FloatArray
    body: BoolArray
    to_mm: FloatArray

    def moved(self, matrix: FloatArray) -> Level:
        """The same picture carried by a (3, 3) matrix of x and z mm."""
        return Level(values=self.values, body=self.body, to_mm=matrix @ self.to_mm)

    @property
    def step_mm(self) -> float:
        """Between rows."""
        return float(np.hypot(*self.to_mm[:2, 0]))

    @cached_property
    def slopes(self) -> tuple[FloatArray, FloatArray]:
        """Per row and per column."""
        down, across = np.gradient(self.values)
        return np.asarray(down), np.asarray(across)

    def samples(self, *, reach_mm: float, most: int) -> tuple[FloatArray, FloatArray]:
        """(2, n) x and z mm and (n,) values of the body and what lies within `reach_mm` of it, where imaged."""
        near = ndimage.binary_dilation(self.body, iterations=max(1, round(reach_mm / self.step_mm)))
        chosen = near & np.isfinite(self.slopes[0]) & np.isfinite(self.slopes[1]) & np.isfinite(self.values)
        row, column = np.nonzero(chosen)
        every = 1 + row.size // most
        if every > 1:
            kept = (row + column) % every == 0  # a slanting pattern: evenly spread, the same every time
            row, column = row[kept], column[kept]
        return _turned(self.to_mm, np.stack([row, column]).astype(float)), self.values[row, column]

    def at(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(2, n) x and z mm -> (n,) values and (2, n) their slope per mm along x and z; NaN outside."""
        inverse: FloatArray = np.asarray(np.linalg.inv(self.to_mm), dtype=np.float64)
        index = _turned(inverse, points)
        last = np.array(self.values.shape)[:, None] - 1.0
        outside = ~((index >= 0) & (index <= last)).all(axis=0)
        low = np.clip(np.floor(index), 0, np.maximum(last - 1, 0))
        part = index - low
        first = np.ravel_multi_index(tuple(low.astype(np.intp)), self.values.shape)
        values, down, across = (
            _bilinear(array, first, part, self.values.shape[1]) for array in (self.values, *self.slopes)
        )
        values[outside] = np.nan
        slope = np.stack([inverse[0, k] * down + inverse[1, k] * across for k in (0, 1)])
        return values, slope


def even_counts(volume: Volume) -> FloatArray:
    """Counts of an image against their mean, NaN where never imaged: one picture whatever its count scale.

    The margins that a camera leaves at zero, whole rows and columns of them, were never imaged.
    """
    counts = np.asarray(volume.array, dtype=np.float64)
    known = volume.imaged((slice(None), slice(None), slice(None)))
    seen = known & (counts > 0)
    if not seen.any():
        return np.full(counts.shape, np.nan)
    for axis in range(3):
        used = np.flatnonzero(seen.any(axis=tuple(k for k in range(3) if k != axis)))
        ends = np.ones(counts.shape[axis], dtype=bool)
        ends[used[0] : used[-1] + 1] = False
        known[(slice(None),) * axis + (ends,)] = False
    even = np.round(counts / counts[seen].mean(), _DIGITS)
    even[~known] = np.nan
    return np.asarray(even)


def body_of(counts: FloatArray, step_mm: tuple[float, ...]) -> BoolArray:
    """Where the patient is, on an image of `even_counts` (any dimension): what counts more than air, the largest part.

    All false where nothing was counted.
    """
    known = np.isfinite(counts)
    sigma = [_BODY_BLUR_MM / step for step in step_mm]
    smooth = ndimage.gaussian_filter(np.where(known, counts, 0.0), sigma, mode="nearest", truncate=3.0)
    typical = smooth[known & (smooth > 0)]
    if not typical.size:
        return np.zeros(counts.shape, dtype=bool)
    limit = 0.0
    for _ in range(4):  # the median of the body, whatever share of the image is air
        limit = _BODY_SHARE * float(np.median(typical[typical > limit]))
    labels, count = ndimage.label(known & (smooth > limit))
    if not count:
        return np.zeros(counts.shape, dtype=bool)
    sizes = np.bincount(labels.reshape(-1))[1:]
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(sizes > 0.02 * sizes.max())))


def _rooted(counts: FloatArray, body: BoolArray) -> FloatArray:
    """Roots of counts, no hotter than hot bone."""
    inside = counts[body & np.isfinite(counts)]
    high = float(np.quantile(inside, _CLIP_QUANTILE)) if inside.size else 1.0
    return np.asarray(np.sqrt(np.clip(counts, 0.0, high)))


def ring_round(region: Region, volume: Volume, reach_mm: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of a region and of what lies this near to it."""
    _, rows, columns = volume.geometry.shape
    inside = np.zeros((rows, columns), dtype=bool)
    inside[region.box[1:]] = region.voxels[0]
    steps = [max(1, round(reach_mm / step)) for step in volume.geometry.spacing_mm[1:]]
    low = [max(0, part.start - step) for part, step in zip(region.box[1:], steps, strict=True)]
    part = tuple(slice(a, own.stop + step) for a, own, step in zip(low, region.box[1:], steps, strict=True))
    away = ndimage.distance_transform_edt(~inside[part], sampling=volume.geometry.spacing_mm[1:])
    row, column = np.nonzero(away <= reach_mm)
    return row + low[0], column + low[1]


def block_sum(array: FloatArray, every: Sequence[int]) -> FloatArray:
    """(rows, columns) sums over whole blocks; what does not fill one at the end is left out."""
    rows, columns = (size // step for size, step in zip(array.shape, every, strict=True))
    whole = array[: rows * every[0], : columns * every[1]]
    down = np.add.reduce([whole[k :: every[0]] for k in range(every[0])])
    return np.asarray(np.add.reduce([down[:, k :: every[1]] for k in range(every[1])]))


def _bilinear(array: FloatArray, first: npt.NDArray[np.intp], part: FloatArray, columns: int) -> FloatArray:
    flat = array.reshape(-1)
    down, across = part
    corner = [flat.take(first + step, mode="clip") for step in (0, 1, columns, columns + 1)]
    upper = corner[0] + across * (corner[1] - corner[0])
    lower = corner[2] + across * (corner[3] - corner[2])
    return np.asarray(upper + down * (lower - upper))


def _turned(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """(3, 3) on (2, n); not by BLAS, whose sums depend on the number of threads."""
    first, second = points
    return np.asarray(matrix[:2, 0:1] * first + matrix[:2, 1:2] * second + matrix[:2, 2:3])
