"""Lay one planar view on another: a rotation and a shift in their plane, searched from everywhere, then refined.

A motion is (3,): shift along x and z in mm and the angle in radians about the origin, from x to z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from mdanderson.geometry import FloatArray
from mdanderson.registration.shadow import Level, Shadow

__all__ = [
    "Laid",
    "apart_mm",
    "apply_motion",
    "climbed",
    "halfway",
    "inverse_motion",
    "matrix_of",
    "search",
]

_TURNS_DEGREES = (0.0, -4.0, 4.0, -8.0, 8.0, -12.0, 12.0)
_LEAST_OVERLAP = 0.25
_STEPS = 12
_STILL_SHARE = 0.003
"""Of the sampling step: a motion that changes less is found."""
_LONGEST_MM = 12.0
_OUTLIER_SCALES = 2.5
_FEWEST = 60


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Laid:
    """motion: (3,). correlation: of the views where it lays them. overlap: share of the points that both views show."""

    motion: FloatArray
    correlation: float
    overlap: float


def apply_motion(motion: FloatArray, points: FloatArray) -> FloatArray:
    """(2, n) x and z mm, moved."""
    sine, cosine = np.sin(motion[2]), np.cos(motion[2])
    x, z = points
    return np.stack([cosine * x - sine * z + motion[0], sine * x + cosine * z + motion[1]])


def inverse_motion(motion: FloatArray) -> FloatArray:
    """(3,): the motion back."""
    shift = apply_motion(np.array([0.0, 0.0, -motion[2]]), -motion[:2, None])[:, 0]
    return np.array([*shift, -motion[2]])


def apart_mm(one: FloatArray, other: FloatArray, points: FloatArray, *, share: float = 0.9) -> float:
    """The distance between two motions that this share of (2, n) points does not exceed."""
    return float(np.quantile(np.hypot(*(apply_motion(one, points) - apply_motion(other, points))), share))


def matrix_of(motion: FloatArray) -> FloatArray:
    """(4, 4) LPS mm."""
    sine, cosine = np.sin(motion[2]), np.cos(motion[2])
    matrix = np.eye(4)
    matrix[0, [0, 2, 3]] = cosine, -sine, motion[0]
    matrix[2, [0, 2, 3]] = sine, cosine, motion[1]
    return matrix


def halfway(one: FloatArray, other: FloatArray, points: FloatArray) -> FloatArray:
    """(3,): the motion between two that differ little, at (2, n) mm."""
    centre = points.mean(axis=1, keepdims=True)
    angle = (one[2] + other[2]) / 2
    place = (apply_motion(one, centre) + apply_motion(other, centre)) / 2
    shift = (place - apply_motion(np.array([0.0, 0.0, angle]), centre))[:, 0]
    return np.array([*shift, angle])


def search(template: Shadow, other: Shadow) -> list[tuple[FloatArray, float]]:
    """Motions and their correlations, best first, no two nearly the same: every shift at several rotations."""
    here, there = template.coarsest, other.coarsest
    step = float(np.hypot(*here.to_mm[:2, 0]))
    corner, fixed = _upright(there, np.zeros(3), step)
    pivot = here.to_mm[:2] @ np.array([*((np.array(here.values.shape) - 1) / 2), 1.0])
    found: list[tuple[FloatArray, float]] = []
    for degrees in _TURNS_DEGREES:
        turn = np.array([0.0, 0.0, np.deg2rad(degrees)])
        turn[:2] = pivot - apply_motion(turn, pivot[:, None])[:, 0]
        start, moving = _upright(here, turn, step)
        for shift, score in _peaks(moving, fixed):
            move = (corner - start) + step * np.array([shift[1], -shift[0]])
            found.append((np.array([*(turn[:2] + move), turn[2]]), score))
    found.sort(key=lambda one: -one[1])
    kept: list[tuple[FloatArray, float]] = []
    for motion, score in found:
        at = apply_motion(motion, pivot[:, None])
        if all(np.hypot(*(at - apply_motion(one, pivot[:, None]))) > template.grain.apart_mm for one, _ in kept):
            kept.append((motion, score))
    return kept


def _upright(level: Level, turn: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """(2,) x and z mm of the first sample, and (rows, columns) of a turned level: rows to the feet, columns to left."""
    rows, columns = level.values.shape
    ends = np.array([[0, 0, rows - 1, rows - 1], [0, columns - 1, 0, columns - 1], [1, 1, 1, 1.0]])
    corners = apply_motion(turn, (level.to_mm @ ends)[:2])
    low, high = corners.min(axis=1), corners.max(axis=1)
    x = np.arange(low[0], high[0] + step, step)
    z = np.arange(high[1], low[1] - step, -step)
    grid = np.stack([np.broadcast_to(x, (z.size, x.size)).reshape(-1), np.repeat(z, x.size)])
    values, _ = level.at(apply_motion(inverse_motion(turn), grid))
    return np.array([low[0], high[1]]), values.reshape(z.size, x.size)


def _peaks(moving: FloatArray, fixed: FloatArray, *, count: int = 3) -> list[tuple[FloatArray, float]]:
    """(2,) rows and columns to add, and the correlation of what overlaps there, for the best few shifts."""
    shape = [fft.next_fast_len(a + b - 1, real=True) for a, b in zip(moving.shape, fixed.shape, strict=True)]
    known = [np.isfinite(one) for one in (moving, fixed)]
    filled = [np.where(where, one, 0.0) for where, one in zip(known, (moving, fixed), strict=True)]
    ones, values, squares = (
        [fft.rfft2(part, shape) for part in parts]
        for parts in ([where.astype(float) for where in known], filled, [one**2 for one in filled])
    )

    def over(one: FloatArray, two: FloatArray) -> FloatArray:
        return np.asarray(fft.irfft2(np.conj(one) * two, shape))

    number = np.maximum(over(ones[0], ones[1]), 1e-6)
    sums = over(values[0], ones[1]), over(ones[0], values[1])
    spreads = (
        over(squares[0], ones[1]) - sums[0] ** 2 / number,
        over(ones[0], squares[1]) - sums[1] ** 2 / number,
    )
    joint = over(values[0], values[1]) - sums[0] * sums[1] / number
    score = joint / np.sqrt(np.maximum(spreads[0] * spreads[1], 1e-6))
    score[number < _LEAST_OVERLAP * min(int(where.sum()) for where in known)] = -1.0
    found = []
    for _ in range(count):
        best = np.unravel_index(int(np.argmax(score)), score.shape)
        signed = [float(k) - size * (k >= rows) for k, size, rows in zip(best, shape, fixed.shape, strict=True)]
        found.append((np.array(signed), float(score[best])))
        for row in range(-2, 3):
            score[(best[0] + row) % shape[0], (best[1] + np.arange(-2, 3)) % shape[1]] = -1.0
    return found


def climbed(points: FloatArray, values: FloatArray, other: Level, start: FloatArray) -> Laid:
    """The motion near `start` that lays (2, n) points of (n,) values on another view best.

    Gauss-Newton with a gain and an offset, for uptake differs between days; what does not belong (a moved arm, a new
    focus, a full bladder) weighs nothing.
    """
    motion, still_mm = start, _STILL_SHARE * other.step_mm
    for _ in range(_STEPS):
        theirs, slope = other.at(apply_motion(motion, points))
        known = np.isfinite(theirs) & np.isfinite(slope).all(axis=0)
        if known.sum() < _FEWEST:
            break
        own = points[:, known]
        centre = own.mean(axis=1, keepdims=True)
        step, reach = _step(own - centre, values[known], theirs[known], slope[:, known], motion)
        step *= min(1.0, _LONGEST_MM / max(float(np.hypot(step[0], step[1])), 1e-12))
        place = apply_motion(motion, centre)[:, 0] + step[:2]
        angle = motion[2] + step[2]
        motion = np.array([*(place - apply_motion(np.array([0.0, 0.0, angle]), centre)[:, 0]), angle])
        if np.hypot(step[0], step[1]) < still_mm and abs(step[2]) * reach < still_mm:
            break
    theirs, _ = other.at(apply_motion(motion, points))
    known = np.isfinite(theirs)
    return Laid(motion=motion, correlation=_correlation(values[known], theirs[known]), overlap=float(known.mean()))


def _step(
    arms: FloatArray, mine: FloatArray, theirs: FloatArray, slope: FloatArray, motion: FloatArray
) -> tuple[FloatArray, float]:
    """(3,): shift of the middle in mm, and angle, for (2, n) places from their middle; and their reach in mm."""
    arm = apply_motion(np.array([0.0, 0.0, motion[2]]), arms)
    reach = max(1.0, float(np.sqrt((arm**2).sum(axis=0).mean())))
    turning = (arm[0] * slope[1] - arm[1] * slope[0]) / reach
    design = np.stack([slope[0], slope[1], turning, -mine, -np.ones_like(mine)])
    residual = theirs - mine
    residual_middle = float(np.median(residual))
    scale = _OUTLIER_SCALES * max(1.4826 * float(np.median(np.abs(residual - residual_middle))), 1e-3)
    weight = 1.0 / (1.0 + ((residual - residual_middle) / scale) ** 2) ** 2
    weighted = design * weight
    normal = np.array([[float((row * column).sum()) for column in design] for row in weighted])
    right = (weighted * residual).sum(axis=1)
    ridge = 1e-4 * np.diag(np.maximum(np.diag(normal), 1e-9))
    solved = -np.linalg.solve(normal + ridge, right)
    return np.array([solved[0], solved[1], solved[2] / reach]), reach


def _correlation(one: FloatArray, other: FloatArray) -> float:
    if one.size < _FEWEST:
        return 0.0
    mine, theirs = one - one.mean(), other - other.mean()
    spread = float((mine**2).sum() * (theirs**2).sum())
    return float((mine * theirs).sum() / np.sqrt(spread)) if spread > 0 else 0.0
