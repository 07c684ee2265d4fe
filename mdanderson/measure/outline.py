"""The one outline rule of this package: where the edge of a mask of voxels runs in a slice.

The outline crosses every line between a voxel of the lesion and a neighbour outside exactly once; how far along, a
smoothed mask decides. Nothing else moves: no voxel of the lesion is lost, however thin the part, and none is gained.
Decision 0004 tells why this rule, and what it reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import FloatArray
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray

__all__ = ["Outline", "draw_outlines", "squared_distances"]

IntArray = npt.NDArray[np.int64]

_KERNEL_REACH = 4.0
"""A smoothing kernel is cut off at this many standard deviations."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outline:
    """The outline of one slice, in mm from the first voxel of the crop, rows before columns.

    points: (crossings, 2). squares: (crossings, 2), the numbers of the two squares between four voxel centres that a
    crossing lies on. ends: (points, 2), the outermost crossings of each row and each column: a diameter ends in one.
    length_mm: the greatest diameter.
    """

    points: FloatArray
    squares: IntArray
    ends: FloatArray
    length_mm: float

    def segments(self) -> FloatArray:
        """(segments, 2, 2): the outline as straight pieces, inside every square between four voxel centres.

        Where parts touch at a corner all four points of the square are joined: only outermost crossings matter.
        """
        squares = self.squares.ravel()
        order = np.argsort(squares, kind="stable")
        squares, points = squares[order], self.points[order // 2]
        pieces = []
        for apart in (1, 2, 3):
            joined = np.flatnonzero(squares[:-apart] == squares[apart:])
            pieces.append(np.stack([points[joined], points[joined + apart]], axis=1))
        return np.concatenate(pieces)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Crossings:
    """Where outlines cross between neighbours of one direction, in order of slice.

    planes: (crossings,). points: (crossings, 2). squares: (crossings, 2). outermost: (crossings,), of its line.
    """

    planes: IntArray
    points: FloatArray
    squares: IntArray
    outermost: BoolArray


def draw_outlines(voxels: BoolArray, pixel_mm: FloatArray, settings: ImageSettings) -> list[Outline]:
    """The outline of every slice of (planes, rows, columns), each with at least one voxel; pixel_mm (2,)."""
    planes, rows, columns = voxels.shape
    mask = np.zeros((planes, rows + 2, columns + 2), dtype=bool)
    mask[:, 1:-1, 1:-1] = voxels
    depth = np.maximum(
        np.abs(_smooth(mask, pixel_mm, settings.outline_sigma_pixels) - 0.5), settings.outline_least_depth
    )
    directions = [_crossings(mask, depth, pixel_mm, axis) for axis in (1, 2)]
    parts = [np.searchsorted(found.planes, np.arange(planes + 1)) for found in directions]
    outlines = []
    for plane in range(planes):
        here = [slice(int(part[plane]), int(part[plane + 1])) for part in parts]
        points = np.concatenate([found.points[part] for found, part in zip(directions, here, strict=True)])
        squares = np.concatenate([found.squares[part] for found, part in zip(directions, here, strict=True)])
        ends = points[np.concatenate([found.outermost[part] for found, part in zip(directions, here, strict=True)])]
        outlines.append(
            Outline(
                points=points, squares=squares, ends=ends, length_mm=math.sqrt(float(squared_distances(ends).max()))
            )
        )
    return outlines


def squared_distances(points: FloatArray) -> FloatArray:
    """(n, n) mm2 between every two of (n, 2) points."""
    down, across = (axis[:, None] - axis for axis in points.T)
    down *= down
    across *= across
    down += across
    return np.asarray(down)


def _crossings(mask: BoolArray, depth: FloatArray, pixel_mm: FloatArray, axis: int) -> _Crossings:
    """Where outlines cross between neighbours along `axis` of slices padded by one voxel.

    Along the way from one voxel to the other the level falls from 0.5 + depth to 0.5 - depth.
    """
    _, rows, columns = mask.shape
    stride = columns if axis == 1 else 1
    flat, level = mask.reshape(-1), depth.reshape(-1)
    index = np.flatnonzero(flat[:-stride] != flat[stride:])  # the padding keeps rows and slices apart
    near, far = level[index], level[index + stride]
    share = near / (near + far)
    plane, rest = np.divmod(index, rows * columns)
    row, column = np.divmod(rest, columns)
    points = np.stack([row, column], axis=1) - 1.0
    points[:, axis - 1] += share
    line = plane * columns + column if axis == 1 else plane * rows + row
    return _Crossings(
        planes=plane,
        points=points * pixel_mm,
        squares=np.stack([rest, rest - (1 if axis == 1 else columns)], axis=1),
        outermost=_first_or_last(line),
    )


def _first_or_last(lines: IntArray) -> BoolArray:
    """(n,) whether each is the first or the last of those with its number, as they stand."""
    count = np.arange(len(lines))
    first, last = np.zeros((2, int(lines.max()) + 1), dtype=np.int64)
    last[lines] = count  # of numbers that come again the last one stays
    first[lines[::-1]] = count[::-1]
    return np.asarray((first[lines] == count) | (last[lines] == count))


def _smooth(mask: BoolArray, pixel_mm: FloatArray, sigma_pixels: float) -> FloatArray:
    """Twice a Gaussian less one of twice its variance, equally wide in mm along rows and columns.

    Their second moments cancel, so that a curved edge stays where it is; a Gaussian alone would draw it inwards by
    half its variance times the curvature.
    """
    sigmas = sigma_pixels * math.sqrt(float(pixel_mm.prod())) / pixel_mm
    narrow, wide = (
        ndimage.correlate1d(
            ndimage.correlate1d(mask, _gaussian(down * factor), axis=1, output=np.float64, mode="constant"),
            _gaussian(across * factor),
            axis=2,
            mode="constant",
        )
        for down, across, factor in ((*sigmas, 1.0), (*sigmas, math.sqrt(2.0)))
    )
    return np.asarray(2.0 * narrow - wide)


def _gaussian(sigma: float) -> FloatArray:
    """(2 n + 1,): its weights, cut off and summing to one."""
    reach = math.ceil(_KERNEL_REACH * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())
