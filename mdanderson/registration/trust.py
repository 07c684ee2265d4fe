"""How far a finished registration can be believed, measured on its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.fit import LEAST_SCALE_HU
from mdanderson.registration.samples import Samples
from mdanderson.registration.scene import BONE_HU, Scene, apply

__all__ = ["LocalShifts", "local_shifts"]

_CELL_MM = 40.0
_FEWEST_IN_CELL = 100
_STEPS = 3
_LONGEST_STEP_MM = 10.0
_SPRING = 0.03
"""Stiffness beside what the bone in a cell says: costs some percent of a shift that all of its bone agrees on."""

_MATERIAL = 0.02
"""A cell's shift counts as far as it betters the cell's root mean square residual by more than this share.

On 34 phantom pairs, at the truth up to 1.1 mm count instead of 2.1; 1, 2, 4, 8 mm off it 0.6, 1.8, 3.7, 7.2 or more.
"""
_PARTS = (0.0, 0.35, 0.7)

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LocalShifts:
    """Cell by cell, how far the bone there still wants to move, and how well it agrees once it has.

    points: (3, k) mm. length_mm, samples, correlation (of HU): (k,). bone, on_bone: (k,) how many samples of bone, and
    how many of these were laid on bone, counted where noise has been averaged out.
    """

    points: FloatArray
    length_mm: FloatArray
    samples: FloatArray
    correlation: FloatArray
    bone: FloatArray
    on_bone: FloatArray

    def only(self, where: npt.NDArray[np.bool_]) -> LocalShifts:
        """Some of the cells."""
        return LocalShifts(
            points=self.points[:, where],
            length_mm=self.length_mm[where],
            samples=self.samples[where],
            correlation=self.correlation[where],
            bone=self.bone[where],
            on_bone=self.on_bone[where],
        )

    def quantile_mm(self, share: float) -> float:
        """The length that cells holding `share` of the samples do not exceed; infinite when there is no cell."""
        if not self.length_mm.size:
            return float("inf")
        order = np.argsort(self.length_mm, kind="stable")
        held = np.cumsum(self.samples[order])
        return float(self.length_mm[order][np.searchsorted(held, share * held[-1])])


def local_shifts(levels: Sequence[tuple[Samples, Scene]], matrix: FloatArray) -> LocalShifts:
    """Align every cell of 40 mm by itself, by a shift: where the whole is right, no cell wants to move.

    Where the body bent, or the fit is wrong, cells want to move by about as much. levels: samples and the other
    scene, coarse to fine; a coarser level sees further.
    """
    fine, scene = levels[-1]
    corner = fine.points.min(axis=1, keepdims=True)
    shape = np.floor((fine.points.max(axis=1, keepdims=True) - corner) / _CELL_MM).astype(np.intp) + 1
    count = int(shape.prod())
    shift = np.zeros((3, count))
    cell = np.empty(0, dtype=np.intp)
    for samples, other in levels:
        cell = _cells(samples, corner, shape)
        for _ in range(_STEPS):
            residual = other.at(apply(matrix, samples.points - shift[:, cell])) - samples.values
            shift += _cell_steps(samples.slope, residual, cell, shift)
    shift *= _paying_part(fine, scene, matrix, shift, cell)
    values = scene.at(apply(matrix, fine.points - shift[:, cell]))
    held = np.bincount(cell, weights=np.isfinite(values), minlength=count)
    size = np.maximum(np.bincount(cell, minlength=count), 1)
    middle = np.stack([np.bincount(cell, weights=axis, minlength=count) for axis in fine.points]) / size
    enough = held >= _FEWEST_IN_CELL
    correlation = _correlation(fine, values, cell, count)
    bone, on_bone = _bone_on_bone(*levels[0], matrix, shift, corner, shape)
    return LocalShifts(
        points=middle[:, enough],
        length_mm=np.linalg.norm(shift[:, enough], axis=0),
        samples=held[enough].astype(float),
        correlation=correlation[enough],
        bone=bone[enough],
        on_bone=on_bone[enough],
    )


def _correlation(samples: Samples, values: FloatArray, cell: IntArray, count: int) -> FloatArray:
    """(cells,): of the samples' HU with the other scene's (n,) HU, NaN where unknown."""
    known = np.isfinite(values)
    where, mine, theirs = cell[known], samples.values[known], values[known]

    def summed(what: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(where, weights=what, minlength=count))

    number = np.maximum(summed(np.ones(where.size)), 1.0)
    sums = summed(mine), summed(theirs)
    spread = [summed(own**2) - total**2 / number for own, total in zip((mine, theirs), sums, strict=True)]
    joint = summed(mine * theirs) - sums[0] * sums[1] / number
    return np.asarray(joint / np.sqrt(np.maximum(spread[0] * spread[1], 1e-6)))


def _bone_on_bone(
    samples: Samples, other: Scene, matrix: FloatArray, shift: FloatArray, corner: FloatArray, shape: IntArray
) -> tuple[FloatArray, FloatArray]:
    """(cells,) samples of bone that the other scene shows as well, and (cells,) those that lie on bone there."""
    cell = _cells(samples, corner, shape)
    values = other.at(apply(matrix, samples.points - shift[:, cell]))
    bone = samples.bone & np.isfinite(values)
    on_bone = bone & (values > 0.75 * BONE_HU)
    count = int(shape.prod())
    return tuple(np.bincount(cell, weights=which, minlength=count).astype(float) for which in (bone, on_bone))  # type: ignore[return-value]


def _cells(samples: Samples, corner: FloatArray, shape: IntArray) -> IntArray:
    """(n,): which cell of a box of (3, 1) cells a sample lies in."""
    index = np.clip(np.floor((samples.points - corner) / _CELL_MM).astype(np.intp), 0, shape - 1)
    return np.asarray(np.ravel_multi_index(tuple(index), tuple(shape[:, 0])), dtype=np.intp)


def _paying_part(samples: Samples, other: Scene, matrix: FloatArray, shift: FloatArray, cell: IntArray) -> FloatArray:
    """(cells,): the least part of each cell's (3, cells) shift that gains all that is material of what it gains.

    A cell that sees nothing along some direction drifts along it: such a shift is no sign that the cell moved.
    """
    count = shift.shape[1]
    residuals = [
        other.at(apply(matrix, samples.points - part * shift[:, cell])) - samples.values for part in (*_PARTS, 1.0)
    ]
    known = np.asarray(np.isfinite(residuals).all(axis=0))
    residuals = [np.where(known, residual, 0.0) for residual in residuals]
    scale = _scales(residuals[-1], known, cell, count)[cell]
    held = np.maximum(np.bincount(cell, weights=known, minlength=count), 1)
    costs = [
        np.bincount(cell, weights=known * residual**2 / (1.0 + (residual / scale) ** 2), minlength=count) / held
        for residual in residuals
    ]
    enough = np.min(costs, axis=0) * (1.0 + _MATERIAL) ** 2
    part = np.ones(count)
    for tried, cost in zip(_PARTS[::-1], costs[-2::-1], strict=True):
        part[cost <= enough] = tried
    return part


def _scales(residual: FloatArray, known: npt.NDArray[np.bool_], cell: IntArray, count: int) -> FloatArray:
    """(cells,) HU: residuals, 0 where not known, beyond this do not belong to the cell."""
    held = np.bincount(cell, weights=known, minlength=count)
    typical = np.bincount(cell, weights=np.abs(residual), minlength=count) / np.maximum(held, 1)
    return np.asarray(3.0 * np.maximum(LEAST_SCALE_HU, 1.25 * typical))


def _cell_steps(slope: FloatArray, residual: FloatArray, cell: IntArray, shift: FloatArray) -> FloatArray:
    """(3, cells) mm: one Gauss-Newton step of every cell from its `shift` so far, which a weak spring holds at 0.

    So a cell does not drift along what it cannot see, such as along a plate.

    Each cell judges by its own residuals what does not belong: one that is far off must not weigh less for it.
    """
    count = shift.shape[1]
    known = np.isfinite(residual)
    residual = np.where(known, residual, 0.0)
    weight = known / (1.0 + (residual / _scales(residual, known, cell, count)[cell]) ** 2) ** 2
    normal = np.empty((count, 3, 3))
    right = np.empty((count, 3))
    for i in range(3):
        right[:, i] = np.bincount(cell, weights=weight * slope[i] * residual, minlength=count)
        for j in range(3):
            normal[:, i, j] = np.bincount(cell, weights=weight * slope[i] * slope[j], minlength=count)
    spring = _SPRING * np.trace(normal, axis1=1, axis2=2) / 3 + 1e-9
    right -= spring[:, None] * shift.T
    step = np.linalg.solve(normal + spring[:, None, None] * np.eye(3), right[..., None])[..., 0].T
    length = np.maximum(np.linalg.norm(step, axis=0), 1e-12)
    return np.asarray(step * np.minimum(1.0, _LONGEST_STEP_MM / length))
