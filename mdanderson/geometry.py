"""Where voxels lie in the patient: voxel index <-> millimetres. Pure; one convention, LPS and plane-row-column.

LPS is DICOM's: x grows to the patient's left, y to the back, z to the head. Arrays are indexed plane, row, column;
the plane axis is the acquisition plane's normal. Other conventions are converted at the doors (`from_*`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import numpy.typing as npt

from mdanderson.errors import GeometryError

__all__ = [
    "Box",
    "FloatArray",
    "Geometry",
    "box_between",
    "box_shape",
    "box_within",
    "common_box",
    "enclosing_box",
    "grow_box",
    "moved_box",
    "patient_axes",
    "same_grid",
    "same_space",
]

FloatArray = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]
"""A block of voxels: half-open plane, row and column ranges."""

_FARTHEST_MM = 1e6
"""From the origin of the scanner; also the longest step."""
_ORTHOGONAL_TOLERANCE = 1e-3
"""Largest cosine between two grid axes; more is a shear, which no diameter survives."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Geometry:
    """A grid of voxel centres in patient space.

    shape: (planes, rows, columns). affine: (4, 4), voxel index (plane, row, column, 1) -> LPS mm of its centre.
    frame_of_reference_uid: blank when unknown. Raises `GeometryError` for a grid that is empty, sheared or not finite.
    """

    shape: tuple[int, int, int]
    affine: FloatArray
    frame_of_reference_uid: str = ""

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"a grid of {self.shape} voxels", way_out="three axes of at least one voxel are needed")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("voxel positions are not finite numbers", way_out="export the image again")
        if np.abs(affine).max() > _FARTHEST_MM:
            raise GeometryError("voxels lie far outside of any patient", way_out="export the image again")
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        if not (steps > 1e-6).all():
            raise GeometryError("voxel spacing is zero", way_out="export the image again with its true spacing")
        cosines = (affine[:3, :3] / steps).T @ (affine[:3, :3] / steps)
        if np.abs(cosines - np.eye(3)).max() > _ORTHOGONAL_TOLERANCE:
            raise GeometryError(
                "grid axes are not at right angles (sheared image)", way_out="resample it on a rectangular grid"
            )

    @classmethod
    def from_axes(
        cls,
        *,
        shape: Sequence[int],
        spacing_mm: Sequence[float],
        origin_mm: Sequence[float],
        directions: npt.ArrayLike = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        frame_of_reference_uid: str = "",
    ) -> Geometry:
        """From spacing (plane, row, column) in mm, the first voxel's centre in LPS mm, and a direction per axis.

        directions: (3, 3), one unit vector in LPS a row, in the order plane, row, column; the default is axial
        with planes towards the head, rows towards the back and columns towards the left.
        """
        affine = np.eye(4)
        affine[:3, :3] = (np.asarray(directions, dtype=float) * np.asarray(spacing_mm, dtype=float)[:, None]).T
        affine[:3, 3] = origin_mm
        planes, rows, columns = shape
        return cls(shape=(planes, rows, columns), affine=affine, frame_of_reference_uid=frame_of_reference_uid)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres: plane, row, column."""
        plane, row, column = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(plane), float(row), float(column)

    @property
    def directions(self) -> FloatArray:
        """(3, 3): unit vectors in LPS, one row each for plane, row, column."""
        return np.asarray((self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)).T)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_lps(self, indices: npt.ArrayLike) -> FloatArray:
        """(..., 3) voxel indices (fractions allowed) -> (..., 3) LPS mm."""
        return np.asarray(np.asarray(indices, dtype=float) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_voxel(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 3) fractional voxel indices."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.asarray(points_lps_mm, dtype=float) @ inverse[:3, :3].T + inverse[:3, 3])

    def contains(self, points_lps_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """(..., 3) LPS mm -> (...) whether each point lies in one of the voxels."""
        index = self.to_voxel(points_lps_mm)
        return np.asarray(((index >= -0.5) & (index < np.array(self.shape) - 0.5)).all(axis=-1))

    def crop(self, box: Box) -> Geometry:
        """The geometry of the voxels in `box`."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_lps([part.start for part in box])
        return replace(self, shape=box_shape(box), affine=affine)

    def moved(self, matrix: FloatArray, *, frame_of_reference_uid: str = "") -> Geometry:
        """The same grid carried along by a rigid (4, 4) matrix of LPS mm, such as a registration gives."""
        return replace(self, affine=matrix @ self.affine, frame_of_reference_uid=frame_of_reference_uid)

    def corners_lps_mm(self) -> FloatArray:
        """(8, 3): the outer corners of the grid."""
        ends = [(-0.5, n - 0.5) for n in self.shape]
        return self.to_lps(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3))


def box_shape(box: Box) -> tuple[int, int, int]:
    """(planes, rows, columns) of a box."""
    plane, row, column = (part.stop - part.start for part in box)
    return plane, row, column


def box_between(low: npt.ArrayLike, high: npt.ArrayLike) -> Box:
    """The box from (3,) voxel indices `low` up to, and without, (3,) `high`."""
    plane, row, column = (slice(int(a), int(b)) for a, b in zip(np.asarray(low), np.asarray(high), strict=True))
    return plane, row, column


def enclosing_box(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them (at least one)."""
    ends = np.array([[(part.start, part.stop) for part in box] for box in boxes])
    return box_between(ends[:, :, 0].min(axis=0), ends[:, :, 1].max(axis=0))


def common_box(one: Box, other: Box) -> Box | None:
    """What two boxes share; None when nothing."""
    plane, row, column = (slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
    shared = plane, row, column
    return shared if min(box_shape(shared)) > 0 else None


def moved_box(box: Box, steps: Iterable[int]) -> Box:
    """`box` moved by whole voxels along plane, row and column."""
    plane, row, column = (slice(part.start + int(by), part.stop + int(by)) for part, by in zip(box, steps, strict=True))
    return plane, row, column


def box_within(inner: Box, outer: Box) -> Box:
    """`inner` counted from the first voxel of `outer`: where it stands in an array of that box."""
    return moved_box(inner, (-part.start for part in outer))


def grow_box(box: Box, geometry: Geometry, margin_mm: float) -> Box:
    """`box` with `margin_mm` more on every side, kept inside the grid."""
    pads = [int(np.ceil(margin_mm / step)) for step in geometry.spacing_mm]
    plane, row, column = (
        slice(max(0, part.start - pad), min(size, part.stop + pad))
        for part, pad, size in zip(box, pads, geometry.shape, strict=True)
    )
    return plane, row, column


def patient_axes(directions: FloatArray) -> tuple[int, int, int]:
    """For each grid axis the patient axis (0 left-right, 1 front-back, 2 head-foot) it runs along, each once.

    directions: (3, 3), a unit vector a row.
    """
    cosines = np.abs(directions)
    first, second, third = max(
        permutations(range(3)), key=lambda order: sum(cosines[axis, patient] for axis, patient in enumerate(order))
    )
    return first, second, third


def same_space(one: Geometry, other: Geometry) -> bool:
    """Whether millimetres of one mean the same place in the other: frames of reference agree, or one is unknown."""
    first, second = one.frame_of_reference_uid, other.frame_of_reference_uid
    return not first or not second or first == second


def same_grid(one: Geometry, other: Geometry, *, tolerance_mm: float = 1e-3) -> bool:
    """Whether both have the same voxels: shape, and every corner within `tolerance_mm`, in one space."""
    if one.shape != other.shape or not same_space(one, other):
        return False
    return bool(np.abs(one.corners_lps_mm() - other.corners_lps_mm()).max() <= tolerance_mm)
