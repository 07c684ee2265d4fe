"""A CT made ready for registration: shrunk, clipped, with what was never imaged left out, and its bone sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import FloatArray
from mdanderson.volume import Volume

__all__ = ["Samples", "Scene", "apply", "inverse"]

_CLIP_HU = (-150.0, 700.0)
"""Air, bowel gas and metal say nothing about where the bones are."""
_BONE_HU = 130.0
"""Averaged over some millimetres, bone is denser than this; contrast-filled vessels may be too, they do no harm."""
_NEVER_IMAGED_HU = -1024.0
"""Scanners and resampling tools fill what they never imaged with this or less."""
_BAND_MM = 6.0
"""The soft tissue this near to bone is sampled too, so that bone laid on soft tissue costs something."""

Block = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """values: (planes, rows, columns) clipped HU, NaN where not imaged. affine: (4, 4) voxel index -> LPS mm."""

    values: npt.NDArray[np.float32]
    affine: FloatArray

    @classmethod
    def from_volume(cls, volume: Volume, *, spacing_mm: float, fewest: int) -> Scene:
        """Block means of a CT, about `spacing_mm` apart; no axis is shrunk below `fewest` samples."""
        factors = _factors(volume.geometry.shape, volume.geometry.spacing_mm, spacing_mm, fewest)
        planes, rows, columns = (n // f for n, f in zip(volume.geometry.shape, factors, strict=True))
        values = np.empty((planes, rows, columns), dtype=np.float32)
        used = slice(0, rows * factors[1]), slice(0, columns * factors[2])
        for plane in range(planes):  # one slab at a time: a large CT never stands twice in memory
            slab = volume.array[plane * factors[0] : (plane + 1) * factors[0], used[0], used[1]]
            unknown = ~np.greater(slab, _NEVER_IMAGED_HU)  # NaN is unknown too
            if volume.padding is not None:
                unknown |= slab == volume.padding
            clipped = np.clip(slab, *_CLIP_HU).astype(np.float32)
            values[plane] = _block_mean(clipped, unknown, factors)[0]
        return cls(values=values, affine=_shrunk_affine(volume.geometry.affine, factors))

    def shrunk(self, *, spacing_mm: float, fewest: int) -> Scene:
        """The same scene, coarser."""
        steps = tuple(float(step) for step in np.linalg.norm(self.affine[:3, :3], axis=0))
        factors = _factors(self.values.shape, steps, spacing_mm, fewest)
        return Scene(
            values=_block_mean(self.values, np.isnan(self.values), factors), affine=_shrunk_affine(self.affine, factors)
        )

    def at(self, points: FloatArray) -> FloatArray:
        """(3, n) LPS mm -> (n,) HU by linear interpolation, NaN outside and next to what was not imaged."""
        index = apply(inverse(self.affine), points)
        return np.asarray(
            ndimage.map_coordinates(self.values, index, order=1, mode="constant", cval=np.nan, output=np.float64)
        )

    def slope(self) -> FloatArray:
        """(3, planes, rows, columns) HU per mm along x, y, z, NaN next to what was not imaged."""
        along_axes = np.stack([np.gradient(self.values, axis=axis) for axis in range(3)])
        return np.asarray(np.einsum("ij,i...->j...", inverse(self.affine)[:3, :3], along_axes))

    @property
    def bone(self) -> npt.NDArray[np.bool_]:
        """(planes, rows, columns): which samples are bone."""
        return np.asarray(self.values > _BONE_HU)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Samples:
    """Places in and next to the bone of one scene, and how the image changes there when the patient moves.

    points: (3, n) LPS mm. values: (n,) HU. bone: (n,) bool. jacobian: (6, n) HU per mm: shift along x, y, z, then
    rotation about x, y, z through `centre`, counted in mm of arc at `radius_mm`.
    """

    points: FloatArray
    values: FloatArray
    bone: npt.NDArray[np.bool_]
    jacobian: FloatArray
    centre: FloatArray
    radius_mm: float

    def __len__(self) -> int:
        return self.values.size

    @classmethod
    def from_scene(cls, scene: Scene, *, most: int) -> Samples:
        """At most `most` of the samples in and near bone, always the same ones."""
        if min(scene.values.shape) < 2:
            return cls._none()
        gradient = scene.slope()
        chosen = np.flatnonzero(_near(scene) & np.isfinite(gradient).all(axis=0) & np.isfinite(scene.values))
        if chosen.size > most:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, size=most, replace=False))
        if not chosen.size:
            return cls._none()
        index = np.stack(np.unravel_index(chosen, scene.values.shape)).astype(float)
        points = apply(scene.affine, index)
        slope = gradient.reshape(3, -1)[:, chosen].astype(float)
        centre = points.mean(axis=1)
        arm = points - centre[:, None]
        radius_mm = max(1.0, float(np.sqrt((arm**2).sum(axis=0).mean())))
        jacobian = np.concatenate([slope, np.cross(arm, slope, axis=0) / radius_mm])
        values = scene.values.ravel()[chosen].astype(float)
        return cls(
            points=points,
            values=values,
            bone=np.asarray(values > _BONE_HU),
            jacobian=jacobian,
            centre=centre,
            radius_mm=radius_mm,
        )

    @classmethod
    def _none(cls) -> Samples:
        return cls(
            points=np.empty((3, 0)),
            values=np.empty(0),
            bone=np.empty(0, dtype=bool),
            jacobian=np.empty((6, 0)),
            centre=np.zeros(3),
            radius_mm=1.0,
        )


def apply(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """(4, 4) on (3, n) points. Not by BLAS, whose sums depend on the number of threads: results repeat to the bit."""
    return np.asarray(np.einsum("ij,jn->in", matrix[:3, :3], points) + matrix[:3, 3:])


def inverse(matrix: FloatArray) -> FloatArray:
    """The (4, 4) matrix that undoes another."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _near(scene: Scene) -> npt.NDArray[np.bool_]:
    """Bone and its near surroundings."""
    steps = np.linalg.norm(scene.affine[:3, :3], axis=0)
    reach = [max(1, round(_BAND_MM / step)) for step in steps]
    size = [2 * r + 1 for r in reach]
    return np.asarray(ndimage.maximum_filter(scene.bone.view(np.uint8), size=size, mode="constant") > 0)


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


def _block_mean(
    values: npt.NDArray[np.float32], unknown: npt.NDArray[np.bool_], factors: Block
) -> npt.NDArray[np.float32]:
    """Means over whole blocks; NaN where less than half of a block is known."""
    size = int(np.prod(factors))
    if not unknown.any():
        return _block_sum(values, factors) / np.float32(size)
    known = size - _block_sum(unknown.astype(np.float32), factors)
    total = _block_sum(np.where(unknown, np.float32(0), values), factors)
    return np.where(2 * known >= size, total / np.maximum(known, 1), np.float32(np.nan))


def _block_sum(values: npt.NDArray[np.float32], factors: Block) -> npt.NDArray[np.float32]:
    """Sums over whole blocks: strided slices added up, several times faster than a reduction over short axes."""
    ends = [n // f * f for n, f in zip(values.shape, factors, strict=True)]
    total = np.zeros([n // f for n, f in zip(values.shape, factors, strict=True)], dtype=np.float32)
    for offset in np.ndindex(*factors):
        total += values[tuple(slice(a, end, f) for a, end, f in zip(offset, ends, factors, strict=True))]
    return total
