"""One image as registration needs it: at three resolutions, without its lesions, with the samples of its bone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.samples import Samples
from mdanderson.registration.scene import CLIP_HU, Scene
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

__all__ = ["LEVELS", "Subject"]

LEVELS = ((3.0, 16, 36_000), (6.0, 8, 12_000), (10.0, 6, 4_000))
"""Spacing in mm, the fewest samples an axis is shrunk to, the most samples of bone: fine, middle, coarse."""
_RIM_REACH_MM = 4.0
"""A new rim is 2-3 mm wide and may lie outside what was drawn."""
_MOST_POINTS = 4000
_SIGNAL_QUANTILE = 0.995

LabelArray = npt.NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """An image, its segmented lesions, and a label map of its bones where there is one, both on the image's grid.

    What is derived is made when it is first asked for and kept: a baseline meets many follow-ups. Lesions, and what a
    new rim may reach round them, count as never imaged: what heals or grows is no landmark.
    """

    volume: Volume
    lesions: Mask | None = None
    bones: Mask | None = None

    @property
    def is_ct(self) -> bool:
        """Whether bone is told by its density."""
        return self.volume.modality is Modality.CT and self.volume.unit is Unit.HU

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """Fine, middle, coarse."""
        (spacing, fewest, _), *coarser = LEVELS
        clip = CLIP_HU if self.is_ct else self._signal_range()
        scene = Scene.from_volume(self.volume, spacing_mm=spacing, fewest=fewest, clip=clip)
        for region in self.lesions or ():
            scene = scene.without(self._places(region).T, _RIM_REACH_MM)
        scenes = [scene.smoothed()]
        for spacing, fewest, _ in coarser:
            scene = scene.shrunk(spacing_mm=spacing, fewest=fewest)
            scenes.append(scene)
        return tuple(scenes)

    @cached_property
    def samples(self) -> tuple[Samples, ...]:
        """In and near bone, at each resolution. CT only."""
        return tuple(
            Samples.near_bone(scene, most=most) for scene, (_, _, most) in zip(self.scenes, LEVELS, strict=True)
        )

    @cached_property
    def bone_ml(self) -> float:
        """How much bone the image shows."""
        scene = self.scenes[1]
        return float(scene.bone.sum() * abs(np.linalg.det(scene.affine[:3, :3])) / 1000.0)

    @cached_property
    def lesion_places(self) -> FloatArray:
        """(k, 3) LPS mm: the middle of every lesion."""
        places = [self._places(region).mean(axis=0) for region in self.lesions or ()]
        return np.array(places).reshape(-1, 3)

    @cached_property
    def bone_labels(self) -> LabelArray | None:
        """The bone label map on the grid of the fine scene: at each sample the voxel in its middle."""
        if not self.bones:
            return None
        labels = np.zeros(self.scenes[0].values.shape, dtype=np.uint16)
        steps = np.rint(np.array(self.scenes[0].spacing_mm) / self.volume.geometry.spacing_mm).astype(int)
        for region in self.bones:
            first = [-(-(part.start - step // 2) // step) for part, step in zip(region.box, steps, strict=True)]
            first = [max(0, cell) for cell in first]
            starts = [
                cell * step + step // 2 - part.start for cell, step, part in zip(first, steps, region.box, strict=True)
            ]
            taken = region.voxels[tuple(slice(start, None, step) for start, step in zip(starts, steps, strict=True))]
            place = labels[tuple(slice(cell, cell + size) for cell, size in zip(first, taken.shape, strict=True))]
            inside = taken[tuple(slice(size) for size in place.shape)]
            place[inside] = region.label
        return labels

    def _places(self, region: Region) -> FloatArray:
        """(n, 3) LPS mm: voxels of a region, not all of a large one."""
        index = np.argwhere(region.voxels) + [part.start for part in region.box]
        return self.volume.geometry.to_lps(index[:: max(1, len(index) // _MOST_POINTS)])

    def _signal_range(self) -> tuple[float, float]:
        """0 to the brightest signal but for a few voxels."""
        values = self.volume.array.reshape(-1)
        some = values[:: max(1, values.size // 200_000)].astype(np.float64)
        some = some[np.isfinite(some)]
        return 0.0, float(max(1.0, np.quantile(some, _SIGNAL_QUANTILE))) if some.size else 1.0
