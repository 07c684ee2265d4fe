"""An image made ready for registration: shrunk, clipped, with what was never imaged left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import FloatArray
from mdanderson.volume import Volume

__all__ = ["BONE_HU", "CLIP_HU", "Scene", "apply", "inverse"]

CLIP_HU = (-150.0, 700.0)
"""Air, bowel gas and metal say nothing about where the bones are."""
BONE_HU = 130.0
"""Averaged over some millimetres, bone is denser than this; contrast-filled vessels may be too, they do no harm."""
_NEVER_IMAGED = -1024.0
"""Scanners and resampling tools fill what they never imaged with this or less."""
_INT16_SUM = 32_000

Block = tuple[int, int, int]
BoolArray = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """values: (planes, rows, columns) clipped HU or signal, NaN where not imaged. affine: (4, 4) voxel -> LPS mm."""

    values: Values
    affine: FloatArray

    @classmethod
    def from_volume(
        cls, volume: Volume, *, spacing_mm: float, fewest: int, clip: tuple[float, float] = CLIP_HU
    ) -> Scene:
        """Block means of an image, about `spacing_mm` apart; no axis is shrunk below `fewest` samples."""
        factors = _factors(volume.geometry.shape, volume.geometry.spacing_mm, spacing_mm, fewest)
        planes, rows, columns = (n // f for n, f in zip(volume.geometry.shape, factors, strict=True))
        values = np.empty((planes, rows, columns), dtype=np.float32)
        used = slice(0, rows * factors[1]), slice(0, columns * factors[2])
        for plane in range(planes):  # one slab at a time: a large CT never stands twice in memory
            slab = volume.array[plane * factors[0] : (plane + 1) * factors[0], used[0], used[1]]
            values[plane] = _block_mean(*_clipped(slab, volume.padding, clip, factors), factors)[0]
        return cls(values=values, affine=_shrunk_affine(volume.geometry.affine, factors))

    def shrunk(self, *, spacing_mm: float, fewest: int) -> Scene:
        """The same scene, coarser."""
        factors = _factors(self.values.shape, self.spacing_mm, spacing_mm, fewest)
        unknown = np.isnan(self.values)
        known = np.where(unknown, np.float32(0), self.values)
        return Scene(
            values=_block_mean(known, unknown if unknown.any() else None, factors),
            affine=_shrunk_affine(self.affine, factors),
        )

    def smoothed(self) -> Scene:
        """The scene under a [1 2 1] / 4 kernel along every axis; unknown next to what is unknown.

        Linear interpolation blurs most half way between samples: unsmoothed, fits are drawn there by 0.1 of a sample.
        """
        values = self.values
        for axis, size in enumerate(values.shape):
            if size < 2:
                continue
            ends = (slice(None),) * axis
            inner, first, last = (*ends, slice(1, -1)), (*ends, slice(0, 1)), (*ends, slice(-1, None))
            low, high = (*ends, slice(None, -2)), (*ends, slice(2, None))
            blurred = 2 * values
            blurred[inner] += values[low]
            blurred[inner] += values[high]
            blurred[first] += values[first] + values[(*ends, slice(1, 2))]
            blurred[last] += values[last] + values[(*ends, slice(-2, -1))]
            values = blurred / np.float32(4)
        return replace(self, values=values)

    def without(self, points: FloatArray, reach_mm: float) -> Scene:
        """The scene with what lies within `reach_mm` of (3, n) LPS mm as never imaged."""
        index = np.rint(apply(inverse(self.affine), points)).astype(np.intp)
        pads = [int(np.ceil(reach_mm / step)) for step in self.spacing_mm]
        low = np.maximum(index.min(axis=1) - pads, 0)
        high = np.minimum(index.max(axis=1) + np.array(pads) + 1, self.values.shape)
        if (low >= high).any():
            return self
        inside = ((index >= low[:, None]) & (index < high[:, None])).all(axis=0)
        away = np.ones(high - low, dtype=bool)
        away[tuple(index[:, inside] - low[:, None])] = False
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        values = self.values.copy()
        if not away.all():
            distance = ndimage.distance_transform_edt(away, sampling=self.spacing_mm)
            values[box][distance <= reach_mm] = np.nan
        return replace(self, values=values)

    def crop(self, low: npt.NDArray[np.int_], high: npt.NDArray[np.int_]) -> Scene:
        """The samples from index `low` up to, not with, `high`; a view."""
        affine = self.affine.copy()
        affine[:3, 3] += self.affine[:3, :3] @ low
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return Scene(values=self.values[box], affine=affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between samples: plane, row, column."""
        plane, row, column = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(plane), float(row), float(column)

    def at(self, points: FloatArray) -> FloatArray:
        """(3, n) LPS mm -> (n,) by linear interpolation, NaN outside and next to what was not imaged."""
        return self._interpolated(points, slope=False)[0]

    def with_slope(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(3, n) LPS mm -> (n,) as `at`, and (3, n) its slope per mm along x, y, z."""
        return self._interpolated(points, slope=True)

    @property
    def bone(self) -> BoolArray:
        """(planes, rows, columns): which samples are bone."""
        return np.asarray(self.values > BONE_HU)

    def _interpolated(self, points: FloatArray, *, slope: bool) -> tuple[FloatArray, FloatArray]:
        """Written out: a library's interpolation is slower by far, and gives no slope."""
        to_voxel = inverse(self.affine)
        if min(self.values.shape) < 2:
            return np.full(points.shape[1], np.nan), np.full_like(points, np.nan)
        index = apply(to_voxel, points)
        _, rows, columns = self.values.shape
        last = np.array(self.values.shape, dtype=float)[:, None] - 1
        outside = ~((index >= 0) & (index <= last)).all(axis=0)
        low = np.clip(np.floor(np.nan_to_num(index)), 0, last - 1)
        z, y, x = (index - low).astype(np.float32)
        plane, row, column = low.astype(np.intp)
        first = (plane * rows + row) * columns + column
        flat = self.values.reshape(-1)
        corner = [flat.take(first + (a * rows + b) * columns + c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
        across = [corner[k + 1] - corner[k] for k in (0, 2, 4, 6)]
        edge = [corner[2 * k] + x * across[k] for k in range(4)]
        down = [edge[1] - edge[0], edge[3] - edge[2]]
        face = [edge[0] + y * down[0], edge[2] + y * down[1]]
        deep = face[1] - face[0]
        values = (face[0] + z * deep).astype(np.float64)
        values[outside] = np.nan
        if not slope:
            return values, np.empty((3, 0))
        along_row = down[0] + z * (down[1] - down[0])
        sides = [across[0] + y * (across[1] - across[0]), across[2] + y * (across[3] - across[2])]
        along_column = sides[0] + z * (sides[1] - sides[0])
        per_voxel = np.stack([deep, along_row, along_column]).astype(np.float64)
        return values, turned(to_voxel[:3, :3].T, per_voxel)


def apply(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """(4, 4) on (3, n) points."""
    return turned(matrix[:3, :3], points) + matrix[:3, 3:]


def turned(matrix: FloatArray, directions: FloatArray) -> FloatArray:
    """(3, 3) on (3, n). Not by BLAS, whose sums depend on the number of threads: results repeat to the bit."""
    x, y, z = directions
    return np.asarray(matrix[:, 0:1] * x + matrix[:, 1:2] * y + matrix[:, 2:3] * z)


def inverse(matrix: FloatArray) -> FloatArray:
    """The (4, 4) matrix that undoes another."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _factors(shape: tuple[int, ...], steps: tuple[float, ...], spacing_mm: float, fewest: int) -> Block:
    plane, row, column = (
        max(1, min(int(spacing_mm / step + 0.3), n // fewest)) for n, step in zip(shape, steps, strict=True)
    )
    return plane, row, column


def _shrunk_affine(affine: FloatArray, factors: Block) -> FloatArray:
    shrunk = affine.copy()
    shrunk[:3, :3] = affine[:3, :3] * factors
    shrunk[:3, 3] = affine[:3, 3] + affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    return shrunk


def _clipped(
    slab: npt.NDArray[np.generic], padding: float | None, clip: tuple[float, float], factors: Block
) -> tuple[npt.NDArray[np.generic], BoolArray | None]:
    """Clipped values, 0 where unknown, in a type that holds a block's sum; and where they are unknown, if anywhere."""
    unknown: BoolArray | None = None
    if padding is not None or not slab.min() > _NEVER_IMAGED:  # a NaN makes the least value NaN
        unknown = ~np.greater(slab, _NEVER_IMAGED)
        if padding is not None:
            unknown |= slab == padding
    small = max(abs(clip[0]), abs(clip[1])) * factors[0] * factors[1] * factors[2] < _INT16_SUM
    if slab.dtype == np.int16 and small:
        clipped: npt.NDArray[np.generic] = np.clip(slab, int(clip[0]), int(clip[1]))
    else:
        clipped = np.clip(slab, *clip).astype(np.float32)
    if unknown is not None:
        clipped[unknown] = 0
    return clipped, unknown


def _block_mean(values: npt.NDArray[np.generic], unknown: BoolArray | None, factors: Block) -> Values:
    """Means over whole blocks of values that are 0 where unknown; NaN where less than half of a block is known."""
    size = int(np.prod(factors))
    total = _block_sum(values, factors).astype(np.float32)
    if unknown is None:
        return np.asarray(total / np.float32(size))
    known = size - _block_sum(unknown.astype(np.int16), factors).astype(np.float32)
    return np.where(2 * known >= size, total / np.maximum(known, 1), np.float32(np.nan))


def _block_sum(values: npt.NDArray[np.generic], factors: Block) -> npt.NDArray[np.generic]:
    """Sums over whole blocks, axis by axis: strided slices added up, far faster than a reduction over short axes."""
    for axis, factor in enumerate(factors):
        whole = values.shape[axis] // factor * factor
        parts = [values[(slice(None),) * axis + (slice(k, whole, factor),)] for k in range(factor)]
        values = parts[0]
        for part in parts[1:]:
            values = values + part  # type: ignore[operator]
    return values
