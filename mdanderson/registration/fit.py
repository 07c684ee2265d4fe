"""Rigid alignment of one scene with another by Gauss-Newton on clipped HU, with weights that ignore what changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mdanderson.geometry import FloatArray
from mdanderson.registration.samples import Samples, arms_of
from mdanderson.registration.scene import Scene, apply, inverse, turned

__all__ = [
    "LEAST_SCALE_HU",
    "Agreement",
    "agreement",
    "between",
    "distance_mm",
    "fit",
    "loose_mm",
    "normal_equations",
    "part_way",
    "rotation_about",
    "stepped",
]

LEAST_SCALE_HU = 20.0
"""Residuals below this are noise, whatever their spread."""
_STILL_MM = 0.01
"""A step this short ends the fit."""
_LONGEST_STEP_MM = 20.0
_PLAIN_HU = 3.0
"""A root mean square residual this much worse than the best tells two alignments apart."""
_FEWEST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How well two scenes agree.

    correlation: of HU, where both were imaged. share: of the bone samples, those. bone_on_bone: of those, on bone.
    """

    correlation: float
    share: float
    bone_on_bone: float

    @property
    def score(self) -> float:
        """Ranks alignments: a good fit of a small overlap must not beat a good fit of all."""
        return self.correlation * float(np.sqrt(min(1.0, self.share / 0.5)) ** 0.5)


def fit(
    samples: Samples, other: Scene, start: FloatArray, *, steps: int, still_mm: float = _STILL_MM, hold: float = 0.0
) -> FloatArray:
    """The rigid (4, 4) matrix, samples' mm -> other's mm, that the alignment settles at from `start`.

    Efficient second-order minimisation (Malis 2004): the slope is the mean of both images', which sees further; the
    last steps go by the other image's slope alone, whose resting point is where the residuals are truly least. Where
    the two are sampled differently, or a lesion changed, these lie up to 2 mm apart. hold: HU^2 / mm^2, how firmly the
    motion is held at the start, against what the image shows.
    """
    matrix, both = start, True
    for _ in range(steps):
        normal, right = normal_equations(samples, other, matrix, both=both)
        if hold:
            normal, right = normal + hold * np.eye(6), right - hold * _moved(samples, start, matrix)
        matrix, length = stepped(samples, matrix, normal, right)
        if length < (10 * still_mm if both else still_mm):
            if not both:
                break
            both = False
    return matrix


def normal_equations(
    samples: Samples, other: Scene, matrix: FloatArray, *, both: bool = False
) -> tuple[FloatArray, FloatArray]:
    """(6, 6) and (6,): the weighted normal equations of one step, in HU^2 / mm^2 and HU^2 / mm, per sample."""
    values, slope = other.with_slope(apply(matrix, samples.points))
    residual = values - samples.values
    known = np.isfinite(residual)
    count = int(known.sum())
    if count < _FEWEST:
        return np.eye(6), np.zeros(6)
    slope = turned(matrix[:3, :3].T, slope)
    if both:
        slope = (slope + samples.slope) / 2
    jacobian = arms_of(samples, np.where(known, slope, 0.0))
    residual = np.where(known, residual, 0.0)
    weighted = jacobian * (known * _weights(residual, known) / count)
    return products(weighted, jacobian), np.einsum("in,n->i", weighted, residual)


def products(one: FloatArray, other: FloatArray) -> FloatArray:
    """(6, n), (6, n) -> (6, 6) of sums, symmetric. einsum without optimisation never calls BLAS: see scene.turned."""
    table = np.empty((6, 6))
    for i in range(6):
        table[i, i:] = table[i:, i] = np.einsum("jn,n->j", other[i:], one[i])
    return table


def stepped(samples: Samples, matrix: FloatArray, normal: FloatArray, right: FloatArray) -> tuple[FloatArray, float]:
    """The matrix after one step, and how long the step was, mm."""
    ridge = 1e-4 * np.trace(normal) / 6 + 1e-9
    step = np.linalg.solve(normal + ridge * np.eye(6), right)
    length = float(np.linalg.norm(step))
    if length > _LONGEST_STEP_MM:
        step = step * (_LONGEST_STEP_MM / length)
    return matrix @ inverse(rotation_about(samples.centre, step[3:] / samples.radius_mm, step[:3])), length


def loose_mm(samples: Samples, other: Scene, matrix: FloatArray) -> float:
    """How far the bone can move, along the motion that the images hold least, before the fit is plainly worse.

    A shaft can turn about its own axis and a plate slide along itself: such fits look perfect and tell nothing.
    """
    normal, _ = normal_equations(samples, other, matrix)
    least = float(np.linalg.eigvalsh(normal)[0])
    return _PLAIN_HU / float(np.sqrt(max(least, 1e-6)))


def _moved(samples: Samples, start: FloatArray, matrix: FloatArray) -> FloatArray:
    """(6,) mm: all steps from `start` to `matrix` as one."""
    step = inverse(matrix) @ start
    shift = apply(step, samples.centre[:, None])[:, 0] - samples.centre
    return np.concatenate([shift, samples.radius_mm * Rotation.from_matrix(step[:3, :3]).as_rotvec()])


def agreement(samples: Samples, other: Scene, matrix: FloatArray) -> Agreement:
    """How well `other` agrees with the samples under `matrix`."""
    values = other.at(apply(matrix, samples.points))
    known = np.isfinite(values)
    if known.sum() < _FEWEST:
        return Agreement(correlation=0.0, share=0.0, bone_on_bone=0.0)
    mine, theirs = samples.values[known], values[known]
    mine, theirs = mine - mine.mean(), theirs - theirs.mean()
    spread = float(np.sqrt((mine**2).sum() * (theirs**2).sum()))
    bone = samples.bone & known
    threshold = 0.75 * float(samples.values[samples.bone].min()) if samples.bone.any() else 0.0
    return Agreement(
        correlation=float((mine * theirs).sum()) / spread if spread > 0 else 0.0,
        share=float(bone.sum() / max(1, samples.bone.sum())),
        bone_on_bone=float((values[bone] > threshold).mean()) if bone.any() else 0.0,
    )


def between(one: FloatArray, other: FloatArray) -> FloatArray:
    """The rigid matrix half way between two that nearly agree."""
    half = (one + other) / 2
    left, _, right = np.linalg.svd(half[:3, :3])
    half[:3, :3] = left @ right
    return half


def part_way(one: FloatArray, other: FloatArray, place: FloatArray, share: float) -> FloatArray:
    """The rigid matrix that takes `share` of the way from one to another, counted at (3,) mm."""
    spot = place[:, None]
    there = apply(one, spot)[:, 0]
    turn = Rotation.from_matrix(other[:3, :3] @ one[:3, :3].T).as_rotvec()
    return rotation_about(there, share * turn, share * (apply(other, spot)[:, 0] - there)) @ one


def distance_mm(one: FloatArray, other: FloatArray, points: FloatArray) -> float:
    """Root mean square distance between where two matrices send (3, n) points."""
    return float(np.sqrt((apply(one - other, points) ** 2).sum(axis=0).mean()))


def rotation_about(centre: FloatArray, vector: FloatArray, shift: FloatArray) -> FloatArray:
    """(4, 4): rotate by a rotation vector (rad) about `centre`, then shift (mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(vector).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _weights(residual: FloatArray, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FloatArray:
    """Weights (n,) of residuals in HU, some of them known.

    Geman-McClure: full weight to noise, next to none to a lesion that changed or a table that moved.
    """
    scale = 3.0 * max(LEAST_SCALE_HU, 1.4826 * float(np.median(np.abs(residual[known]))))
    return np.asarray(1.0 / (1.0 + (residual / scale) ** 2) ** 2)
