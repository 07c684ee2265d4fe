"""From a mask to lesions: what was segmented, where it lies, how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.volume import Mask, Region

__all__ = ["Lesion", "find_lesions", "touches_edge"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lesion:
    """One segmented lesion in one image; disconnected parts of one label are one lesion.

    points_lps_mm: (voxels, 3), the voxel centres. touches_edge: cut by the edge of the field of view.
    """

    region: Region
    geometry: Geometry
    points_lps_mm: FloatArray
    touches_edge: bool

    @property
    def label(self) -> int:
        """Voxel value, DICOM segment number or ROI number."""
        return self.region.label

    @property
    def centroid_lps_mm(self) -> FloatArray:
        """(3,): centre of mass."""
        return np.asarray(self.points_lps_mm.mean(axis=0))

    @property
    def volume_ml(self) -> float:
        """Voxels times voxel volume."""
        return len(self.points_lps_mm) * self.geometry.voxel_volume_mm3 / 1000.0

    @classmethod
    def from_region(cls, region: Region, geometry: Geometry) -> Lesion:
        """The lesion that `region` outlines on `geometry`."""
        indices = np.argwhere(region.voxels) + [part.start for part in region.box]
        at_edge = touches_edge(region, geometry)
        return cls(region=region, geometry=geometry, points_lps_mm=geometry.to_lps(indices), touches_edge=at_edge)


def touches_edge(region: Region, geometry: Geometry) -> bool:
    """Whether a region reaches the edge of the grid, along any axis that has more than one voxel."""
    ends = zip(region.box, geometry.shape, strict=True)
    return any(size > 1 and (part.start == 0 or part.stop == size) for part, size in ends)


def find_lesions(mask: Mask) -> tuple[Lesion, ...]:
    """Every label of a mask as a lesion, in label order."""
    return tuple(Lesion.from_region(region, mask.geometry) for region in mask)
