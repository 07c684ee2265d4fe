"""The places of one scene that registration goes by: bone and its near surroundings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.scene import BONE_HU, Scene, apply, inverse, turned

__all__ = ["Samples", "arms_of", "near_bone"]

_BAND_MM = 6.0
"""The soft tissue this near to bone is sampled too, so that bone laid on soft tissue costs something."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Samples:
    """Places of one scene, and how the image changes there when the patient moves.

    points: (3, n) LPS mm. values: (n,) HU. bone: (n,) bool. slope: (3, n) HU per mm. Rotations are counted about
    `centre`, in mm of arc at `radius_mm`.
    """

    points: FloatArray
    values: FloatArray
    bone: BoolArray
    slope: FloatArray
    centre: FloatArray
    radius_mm: float

    def __len__(self) -> int:
        return self.values.size

    @classmethod
    def near_bone(cls, scene: Scene, *, most: int) -> Samples:
        """At most `most` of the samples in and near bone, always the same ones."""
        return cls.chosen(scene, near_bone(scene.bone, scene.spacing_mm), most=most)

    @classmethod
    def chosen(cls, scene: Scene, where: BoolArray, *, most: int) -> Samples:
        """At most `most` of the samples `where` the image is known all round, always the same ones."""
        if min(scene.values.shape) < 2:
            return cls.none()
        flat = np.flatnonzero(where)
        if flat.size > most:
            # some more than asked: a few of them lie next to what was never imaged
            picked = np.random.default_rng(0).choice(flat.size, size=min(flat.size, most * 5 // 4), replace=False)
            flat = flat[np.sort(picked)]
        index = np.stack(np.unravel_index(flat, scene.values.shape))
        values, slope = scene.values.reshape(-1)[flat].astype(float), _slope(scene, index)
        known = np.flatnonzero(np.isfinite(slope).all(axis=0) & np.isfinite(values))
        if known.size > most:
            known = known[np.arange(most) * known.size // most]
        if not known.size:
            return cls.none()
        points = apply(scene.affine, index[:, known].astype(float))
        return cls._at(points, values[known], slope[:, known])

    def subset(self, where: BoolArray | npt.NDArray[np.intp]) -> Samples:
        """Some of the samples, counted about their own centre."""
        points = self.points[:, where]
        return self._at(points, self.values[where], self.slope[:, where]) if points.size else self.none()

    def subset_about(self, where: BoolArray) -> Samples:
        """Some of the samples, still counted about the centre of all."""
        return replace(
            self,
            points=self.points[:, where],
            values=self.values[where],
            bone=self.bone[where],
            slope=self.slope[:, where],
        )

    @classmethod
    def _at(cls, points: FloatArray, values: FloatArray, slope: FloatArray) -> Samples:
        centre = points.mean(axis=1)
        away = ((points - centre[:, None]) ** 2).sum(axis=0)
        return cls(
            points=points,
            values=values,
            bone=np.asarray(values > BONE_HU),
            slope=slope,
            centre=centre,
            radius_mm=max(1.0, float(np.sqrt(away.mean()))),
        )

    @classmethod
    def none(cls) -> Samples:
        """No sample at all."""
        return cls(
            points=np.empty((3, 0)),
            values=np.empty(0),
            bone=np.empty(0, dtype=bool),
            slope=np.empty((3, 0)),
            centre=np.zeros(3),
            radius_mm=1.0,
        )


def arms_of(samples: Samples, slope: FloatArray) -> FloatArray:
    """(6, n) HU per mm: how (3, n) slopes at the samples change the image by shift x, y, z and rotation x, y, z."""
    x, y, z = (samples.points - samples.centre[:, None]) / samples.radius_mm
    along_x, along_y, along_z = slope
    turning = np.stack([y * along_z - z * along_y, z * along_x - x * along_z, x * along_y - y * along_x])
    return np.concatenate([slope, turning])


def _slope(scene: Scene, index: npt.NDArray[np.intp]) -> FloatArray:
    """(3, n) HU per mm along x, y, z at (3, n) voxels, by central differences; NaN next to what was not imaged."""
    flat = scene.values.reshape(-1)
    per_voxel = np.empty(index.shape)
    for axis, size in enumerate(scene.values.shape):
        low, high = index.copy(), index.copy()
        low[axis] = np.maximum(index[axis] - 1, 0)
        high[axis] = np.minimum(index[axis] + 1, size - 1)
        ends = [flat[np.ravel_multi_index(tuple(end), scene.values.shape)] for end in (low, high)]
        per_voxel[axis] = (ends[1] - ends[0]) / (high[axis] - low[axis])
    return turned(inverse(scene.affine)[:3, :3].T, per_voxel)


def near_bone(bone: BoolArray, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Bone and what lies in a box of `_BAND_MM` round it. Axis by axis, which a box allows."""
    near = bone
    for axis, step in enumerate(spacing_mm):
        grown = near.copy()
        for reach in range(1, min(max(1, round(_BAND_MM / step)), bone.shape[axis] - 1) + 1):
            up = (slice(None),) * axis + (slice(reach, None),)
            down = (slice(None),) * axis + (slice(None, -reach),)
            grown[up] |= near[down]
            grown[down] |= near[up]
        near = grown
    return near
