"""Which axis of a file's array is the acquisition plane's normal, and which way rows and columns run.

NIfTI, NRRD and MHA store axes in any order and direction. Inside this package arrays are plane, row, column:

1. The plane axis is the one with clearly the largest spacing (more than `_THICK` times both others): slices are
   thicker than their pixels. On a near-isotropic grid it is the axis nearest to head-foot.
2. Rows and columns run as radiologists look at them and DICOM stores them: axial rows to the back and columns to the
   left, coronal rows to the feet and columns to the left, sagittal rows to the feet and columns to the back.
3. Planes run along columns x rows, so that column, row, plane are right-handed: axial planes to the head.

Only views are taken: no voxel is copied and none is interpolated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray, Geometry, patient_axes

__all__ = ["MAX_VOXELS", "arrange", "check_size", "check_spacing", "no_memory"]

MAX_VOXELS = 2**31
"""More voxels than this are no image of a patient but a broken header; nothing is allocated for them."""
_MAX_BYTES = 2**32
"""And more bytes than these, as they are stored."""

_SPACING_MM = (0.01, 50.0)
"""From the voxels of a micro-CT to steps in which no vertebra is seen twice; beyond lies an error of unit."""

_THICK = 1.25
_HEAD_FOOT = 2


def check_size(shape: tuple[int, ...], *, voxel_bytes: int = 1) -> None:
    """Refuse what a header claims before anything is allocated. Raises `ImageError`."""
    voxels = 1
    for size in shape:
        voxels *= int(size)
    if not 0 < voxels <= min(MAX_VOXELS, _MAX_BYTES // voxel_bytes):
        claim = " x ".join(str(int(size)) for size in shape)
        raise ImageError(f"the header claims {claim} voxels", way_out="the file is damaged; export it again")


def check_spacing(geometry: Geometry) -> None:
    """Refuse voxels of a size that no image of a patient has. Raises `GeometryError`."""
    least, most = _SPACING_MM
    if not all(least <= round(step, 6) <= most for step in geometry.spacing_mm):  # 0.01 of 32 bits is a little less
        steps = " x ".join(f"{step:.4g}" for step in geometry.spacing_mm)
        raise GeometryError(
            f"a voxel spacing of {steps} mm (plane, row, column), outside of {least:g} to {most:g} mm",
            way_out="export it again with its true spacing, in mm",
        )


def no_memory() -> ImageError:
    """The refusal of a file that may be in order, for whose voxels this process has no room."""
    return ImageError(
        "not enough memory to read it", way_out="give a worker more memory (--memory), or use fewer workers (--workers)"
    )


def arrange(array: npt.NDArray[np.generic], affine_lps_mm: FloatArray) -> tuple[npt.NDArray[np.generic], Geometry]:
    """A view of `array` as (plane, row, column[, ...]) and its geometry, by the rule above.

    array: three spatial axes in any order, further axes are left at the end. affine_lps_mm: (4, 4), index along those
    three axes -> LPS mm. Raises `GeometryError` for a grid that is sheared, flat, not finite or of no plausible step.
    """
    shape = (array.shape[0], array.shape[1], array.shape[2])
    stored = Geometry(shape=shape, affine=affine_lps_mm)
    check_spacing(stored)
    order = _axis_order(stored)
    signs = _axis_signs(stored.directions[list(order)])
    flips = tuple(slice(None) if sign > 0 else slice(None, None, -1) for sign in signs)
    turned = array.transpose(*order, *range(3, array.ndim))[flips]
    affine = np.eye(4)
    affine[:3, :3] = stored.affine[:3, list(order)] * signs
    first = np.zeros(3)
    for axis, sign in zip(order, signs, strict=True):
        first[axis] = 0.0 if sign > 0 else shape[axis] - 1
    affine[:3, 3] = stored.to_lps(first)
    planes, rows, columns = turned.shape[:3]
    return turned, Geometry(shape=(planes, rows, columns), affine=affine)


def _axis_order(stored: Geometry) -> tuple[int, int, int]:
    """The stored axes that become plane, row and column."""
    nearest = patient_axes(stored.directions)
    spacing = np.array(stored.spacing_mm)
    thickest = int(spacing.argmax())
    others = np.delete(spacing, thickest)
    plane = thickest if spacing[thickest] > _THICK * others.max() else nearest.index(_HEAD_FOOT)
    column, row = sorted((axis for axis in range(3) if axis != plane), key=lambda axis: nearest[axis])
    return plane, row, column


def _axis_signs(directions: FloatArray) -> FloatArray:
    """(3,): +1 to keep, -1 to flip the plane, row and column axis; directions: (3, 3) in that order, a row each."""
    nearest = patient_axes(directions)
    row = np.sign(directions[1, nearest[1]]) * (-1.0 if nearest[1] == _HEAD_FOOT else 1.0)
    column = np.sign(directions[2, nearest[2]])
    plane = np.sign(np.linalg.det(np.stack([column * directions[2], row * directions[1], directions[0]])))
    return np.array([plane, row, column])
