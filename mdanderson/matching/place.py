"""Where a lesion lies, as far as matching needs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from mdanderson.errors import MeasurementError
from mdanderson.geometry import FloatArray
from mdanderson.volume import BoolArray

__all__ = ["Place"]

_MOST_POINTS = 4000
"""Voxels that a lesion is searched among: more are thinned out."""
_MOST_ASKED = 500
"""Voxels that ask for their nearest: half of them is then known to two hundredths."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where a lesion lies: (n, 3) voxel centres in the space that both visits share, and the voxels' size in mm.

    cut: the edge of an image runs through it, so that part of it is not seen at one of the visits.
    Raises `MeasurementError` when there is no voxel or no size.
    """

    key: str
    points_lps_mm: FloatArray
    voxel_mm: tuple[float, float, float]
    cut: bool = False

    def __post_init__(self) -> None:
        points = np.asarray(self.points_lps_mm, dtype=float)
        if points.ndim != 2 or points.shape[1] != 3 or not len(points) or not np.isfinite(points).all():
            raise MeasurementError("a lesion without a place", where=self.key, way_out="segment it again")
        if not min(self.voxel_mm) > 0:
            raise MeasurementError("voxels without a size", where=self.key, way_out="export the image again")
        object.__setattr__(self, "points_lps_mm", points)

    def shown(self, in_view: BoolArray) -> Place:
        """The part that the other visit's image can show, by (n,) voxels; all of it, as cut, where that is none."""
        if in_view.all():
            return self
        return replace(
            self, points_lps_mm=self.points_lps_mm[in_view] if in_view.any() else self.points_lps_mm, cut=True
        )

    @cached_property
    def centroid_lps_mm(self) -> FloatArray:
        """(3,): centre of mass."""
        return np.asarray(self.points_lps_mm.mean(axis=0))

    @cached_property
    def reach_mm(self) -> float:
        """From the centre of mass to the farthest voxel centre."""
        return float(np.linalg.norm(self.points_lps_mm - self.centroid_lps_mm, axis=1).max())

    @property
    def volume_mm3(self) -> float:
        """Voxels times voxel volume."""
        return len(self.points_lps_mm) * float(np.prod(self.voxel_mm))

    @property
    def radius_mm(self) -> float:
        """Of the ball of the same volume."""
        return float(np.cbrt(3.0 * self.volume_mm3 / (4.0 * np.pi)))

    @cached_property
    def sample_mm(self) -> FloatArray:
        """(m, 3): the voxel centres, evenly thinned out where there are very many."""
        return _thinned(self.points_lps_mm, _MOST_POINTS)

    @cached_property
    def asking_mm(self) -> FloatArray:
        """(m, 3): the same, thinned out further."""
        return _thinned(self.points_lps_mm, _MOST_ASKED)

    @cached_property
    def grain_mm(self) -> float:
        """A place no further than this from a sampled voxel centre lies in the lesion: half a voxel's diagonal."""
        thinned = (len(self.points_lps_mm) / len(self.sample_mm)) ** (1 / 3)
        return 0.5 * float(np.linalg.norm(self.voxel_mm)) * float(thinned)

    def outside_mm(self, points_mm: FloatArray) -> FloatArray:
        """(n, 3) -> (n,): how far each point lies outside this lesion, 0 inside."""
        distance, _ = self._tree.query(points_mm)
        return np.asarray(np.maximum(0.0, np.asarray(distance, dtype=float) - self.grain_mm))

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.sample_mm)


def _thinned(points: FloatArray, most: int) -> FloatArray:
    if len(points) <= most:
        return points
    return np.asarray(points[np.linspace(0, len(points) - 1, most).astype(int)])
