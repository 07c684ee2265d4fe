"""How far parts of the body still want to move where a planar view was laid: its trust, place by place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.plane_fit import apply_motion
from mdanderson.registration.shadow import Level

__all__ = ["PlaneParts", "plane_parts"]

_FEWEST_IN_CELL = 60
_STEPS = 5
_LONGEST_STEP_MM = 6.0
_SPRING = 0.02
"""Stiffness against sliding along what a part does not show, such as along a long bone."""
_MATERIAL = 0.03
"""A shift counts as far as it betters the root mean square residual of the part by more than this share."""
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_OUTLIER_SCALES = 2.5
_QUANTILE = 0.9

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlaneParts:
    """Squares of the picture, each shifted by itself.

    points: (2, k) x and z mm. moved_mm: (k,) how far each still wants to move. correlation: (k,) once it has. weight:
    (k,) how much pattern it holds. Both are 0 for what the other view shows less than half of.
    """

    points: FloatArray
    moved_mm: FloatArray
    correlation: FloatArray
    weight: FloatArray

    def alike_share(self, *, likeness: float, trust_mm: float) -> float:
        """Share of the pattern that looks alike where it was laid."""
        alike = (self.correlation >= likeness) & (self.moved_mm <= trust_mm)
        return float(self.weight[alike].sum() / max(float(self.weight.sum()), 1e-9))

    def error_mm(self, *, likeness: float) -> float:
        """What nine tenths of the parts that look alike do not exceed; infinite when there are none."""
        alike = self.correlation >= likeness
        if not alike.any():
            return float("inf")
        order = np.argsort(self.moved_mm[alike], kind="stable")
        held = np.cumsum(self.weight[alike][order])
        return float(self.moved_mm[alike][order][np.searchsorted(held, _QUANTILE * held[-1])])


def plane_parts(
    points: FloatArray, values: FloatArray, other: Level, motion: FloatArray, *, cell_mm: float
) -> PlaneParts:
    """Parts of (2, n) points of (n,) values, where `motion` (3,) lays them on another view."""
    corner = points.min(axis=1, keepdims=True)
    index = np.floor((points - corner) / cell_mm).astype(np.intp)
    cell = np.unique(index[0] * (index[1].max() + 1) + index[1], return_inverse=True)[1]
    count = int(cell.max()) + 1
    placed = apply_motion(motion, points)
    values = _levelled(values, other.at(placed)[0])
    shift = np.zeros((2, count))
    for _ in range(_STEPS):
        theirs, slope = other.at(placed + shift[:, cell])
        shift += _steps(slope, theirs - values, cell, shift)
    tried = np.array([other.at(placed + share * shift[:, cell])[0] - values for share in _SHARES])
    part = _paying(tried, cell, count)
    theirs = other.at(placed + (part * shift)[:, cell])[0]
    held = np.bincount(cell, weights=np.isfinite(theirs), minlength=count)
    size = np.bincount(cell, minlength=count)
    enough, seen = size >= _FEWEST_IN_CELL, held > 0.5 * size
    correlation, weight = (np.where(seen, one, 0.0) for one in _likeness(values, theirs, cell, count))
    middle = np.stack([np.bincount(cell, weights=axis) / size for axis in points])
    return PlaneParts(
        points=middle[:, enough],
        moved_mm=part[enough] * np.hypot(*shift[:, enough]),
        correlation=correlation[enough],
        weight=weight[enough],
    )


def _levelled(mine: FloatArray, theirs: FloatArray) -> FloatArray:
    """(n,): values on the scale of the other view, by the spread and the median of both."""
    known = np.isfinite(theirs)
    if not known.any():
        return mine
    one, two = mine[known], theirs[known]
    spread = float(np.subtract(*np.quantile(two, (0.8, 0.2))) / max(np.subtract(*np.quantile(one, (0.8, 0.2))), 1e-9))
    return np.asarray((mine - np.median(one)) * spread + np.median(two))


def _scales(residual: FloatArray, known: npt.NDArray[np.bool_], cell: IntArray, count: int) -> FloatArray:
    """(cells,): residuals, 0 where not known, beyond this do not belong to the part."""
    held = np.maximum(np.bincount(cell, weights=known, minlength=count), 1)
    return np.asarray(
        _OUTLIER_SCALES * 1.25 * np.bincount(cell, weights=np.abs(residual), minlength=count) / held + 1e-6
    )


def _steps(slope: FloatArray, residual: FloatArray, cell: IntArray, shift: FloatArray) -> FloatArray:
    """(2, cells) mm: one Gauss-Newton step of every part from its shift so far, to which a weak spring holds it."""
    count = shift.shape[1]
    known = np.asarray(np.isfinite(residual) & np.isfinite(slope).all(axis=0))
    residual, slope = np.where(known, residual, 0.0), np.where(known, slope, 0.0)
    weight = known / (1.0 + (residual / _scales(residual, known, cell, count)[cell]) ** 2) ** 2
    a, b, d = (
        np.asarray(np.bincount(cell, weights=weight * slope[i] * slope[j], minlength=count), dtype=np.float64)
        for i, j in ((0, 0), (0, 1), (1, 1))
    )
    spring = _SPRING * (a + d) / 2 + 1e-9
    right = [
        -np.bincount(cell, weights=weight * slope[i] * residual, minlength=count) - spring * shift[i] for i in (0, 1)
    ]
    a, d = a + spring, d + spring
    whole = a * d - b**2
    step = np.stack([(d * right[0] - b * right[1]) / whole, (a * right[1] - b * right[0]) / whole])
    return np.asarray(step * np.minimum(1.0, _LONGEST_STEP_MM / np.maximum(np.hypot(*step), 1e-12)))


def _paying(residuals: FloatArray, cell: IntArray, count: int) -> FloatArray:
    """(cells,): the least share of each shift that gains all that is material of what it gains."""
    known = np.asarray(np.isfinite(residuals).all(axis=0))
    residuals = np.where(known, residuals, 0.0)
    scale = _scales(residuals[-1], known, cell, count)[cell]
    costs = [
        np.bincount(cell, weights=known * one**2 / (1.0 + (one / scale) ** 2), minlength=count) for one in residuals
    ]
    enough = np.min(costs, axis=0) * (1.0 + _MATERIAL) ** 2
    part = np.ones(count)
    for share, cost in zip(_SHARES[::-1], costs[::-1], strict=True):
        part[cost <= enough] = share
    return part


def _likeness(mine: FloatArray, theirs: FloatArray, cell: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    """(cells,): correlation, 0 where nothing is known; and (cells,) the pattern, the sum of squares about the mean."""
    known = np.isfinite(theirs)
    where, one, two = cell[known], mine[known], theirs[known]

    def joint(first: FloatArray, second: FloatArray) -> FloatArray:
        number = np.maximum(np.bincount(where, minlength=count), 1)
        sums = [np.bincount(where, weights=own, minlength=count) for own in (first, second)]
        return np.asarray(np.bincount(where, weights=first * second, minlength=count) - sums[0] * sums[1] / number)

    spread = np.maximum(joint(one, one), 1e-12), np.maximum(joint(two, two), 1e-12)
    return np.asarray(joint(one, two) / np.sqrt(spread[0] * spread[1])), spread[0]
