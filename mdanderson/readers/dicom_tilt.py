"""A stack of slices sheared by a tilted gantry, put on a rectangular grid.

A tilted gantry images planes that are parallel and evenly spaced, but each is displaced along its own plane by the
table's feed. Shifting every slice back within its own plane is the whole correction; values between two pixels are
interpolated linearly along the shift, slices are never mixed. The field of view grows to hold every slice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.voxel_values import INT16_MIN

__all__ = ["straighten"]


def straighten(
    array: npt.NDArray[Any], geometry: Geometry, shifts_mm: FloatArray, padding: float | None
) -> tuple[npt.NDArray[Any], Geometry, float]:
    """The volume on a rectangular grid, its geometry, and the value of voxels that were not imaged.

    array: (planes, rows, columns); shifts_mm: (planes, 2), where each slice's first pixel lies off the grid's origin
    along rows and columns. A voxel between an imaged and a padded pixel counts as not imaged.
    """
    never = float(INT16_MIN) if padding is None else padding
    for axis in (1, 2):
        offsets = shifts_mm[:, axis - 1] / geometry.spacing_mm[axis]
        if np.abs(offsets).max() < 1e-6:
            continue
        array, start = _shift(array, offsets, axis, never)
        origin = np.zeros(3)
        origin[axis] = start
        affine = geometry.affine.copy()
        affine[:3, 3] = geometry.to_lps(origin)
        geometry = replace(geometry, shape=array.shape, affine=affine)
    return array, geometry, never


def _shift(array: npt.NDArray[Any], offsets: FloatArray, axis: int, never: float) -> tuple[npt.NDArray[Any], int]:
    """Each plane moved by its offset (in pixels) along `axis`, and the first pixel's place on the old axis."""
    start, stop = int(np.floor(offsets.min())), int(np.ceil(offsets.max()))
    shape = list(array.shape)
    shape[axis] += stop - start
    moved = np.full(shape, never, dtype=array.dtype)
    for out, plane, offset in zip(moved, array, offsets - start, strict=True):
        lines, source = (out, plane) if axis == 1 else (out.T, plane.T)
        whole = int(np.floor(offset))
        fraction = float(offset - whole)
        size = source.shape[0]
        if fraction < 1e-6:
            lines[whole : whole + size] = source
            continue
        lines[whole + 1 : whole + size] = _between(source[1:], source[:-1], fraction, never)
    return moved, start


def _between(here: npt.NDArray[Any], before: npt.NDArray[Any], fraction: float, never: float) -> npt.NDArray[Any]:
    """(1 - fraction) x here + fraction x before, rounded for integers; `never` where either was not imaged."""
    mixed = here + (before.astype(np.float64) - here) * fraction
    if here.dtype.kind == "i":
        mixed = np.rint(mixed)
    mixed[(here == never) | (before == never)] = never
    return np.asarray(mixed.astype(here.dtype))
