"""Rigid alignment of one scene with another by Gauss-Newton on clipped HU, with weights that ignore what changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mdanderson.geometry import FloatArray
from mdanderson.registration.scene import Samples, Scene, apply, inverse

__all__ = [
    "LEAST_SCALE_HU",
    "Agreement",
    "agreement",
    "between",
    "distance_mm",
    "fit",
    "normal_equations",
    "polish",
    "rotation_about",
]

LEAST_SCALE_HU = 20.0
"""Residuals below this are noise, whatever their spread."""
_NEAR_MM, _STILL_MM = 0.03, 0.01
"""A step this short ends the fit, or the polishing after it."""
_LONGEST_STEP_MM = 20.0


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
        return self.correlation * float(np.sqrt(min(1.0, self.share / 0.5)))


def fit(samples: Samples, other: Scene, start: FloatArray, *, steps: int) -> FloatArray:
    """The rigid (4, 4) matrix, samples' mm -> other's mm, that the alignment settles at from `start`.

    Inverse-compositional Gauss-Newton (Baker and Matthews 2004): the slope is taken in the samples' own image, so a
    step costs one interpolation.
    """
    matrix = start
    for _ in range(steps):
        matrix, length = _stepped(samples, matrix, *normal_equations(samples, other, matrix))
        if length < _NEAR_MM:
            break
    return matrix


def polish(samples: Samples, other: Scene, start: FloatArray, *, steps: int) -> FloatArray:
    """The matrix from nearby `start` at which the residuals are truly least.

    `fit` settles up to 2 mm away from it where the two scenes are sampled differently, or a lesion changed, because
    the slope of the samples' image is not that of the image they are laid on. Here the slope is the latter's, which
    costs three interpolations more a step.
    """
    slopes = [Scene(values=along, affine=other.affine) for along in other.slope()]
    arm = samples.points - samples.centre[:, None]
    matrix = start
    for _ in range(steps):
        places = apply(matrix, samples.points)
        slope = apply(_turned_back(matrix), np.stack([along.at(places) for along in slopes]))
        jacobian = np.concatenate([slope, np.cross(arm, slope, axis=0) / samples.radius_mm])
        jacobian = np.where(np.isfinite(jacobian).all(axis=0), jacobian, samples.jacobian)
        matrix, length = _stepped(samples, matrix, *_normal(jacobian, other.at(places) - samples.values))
        if length < _STILL_MM:
            break
    return matrix


def normal_equations(samples: Samples, other: Scene, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(6, 6) and (6,): the weighted normal equations of one step, in HU^2 / mm^2 and HU^2 / mm, per sample."""
    return _normal(samples.jacobian, other.at(apply(matrix, samples.points)) - samples.values)


def _normal(jacobian: FloatArray, residual: FloatArray) -> tuple[FloatArray, FloatArray]:
    known = int(np.isfinite(residual).sum())
    if known < 6:
        return np.eye(6), np.zeros(6)
    weight, residual = _weights(residual)
    weighted = jacobian * (weight / known)
    # einsum without optimisation never calls BLAS: see scene.apply
    return np.einsum("in,jn->ij", weighted, jacobian), np.einsum("in,n->i", weighted, residual)


def _stepped(samples: Samples, matrix: FloatArray, normal: FloatArray, right: FloatArray) -> tuple[FloatArray, float]:
    """The matrix after one step, and how long the step was, mm."""
    ridge = 1e-4 * np.trace(normal) / 6 + 1e-9
    step = np.linalg.solve(normal + ridge * np.eye(6), right)
    length = float(np.linalg.norm(step))
    if length > _LONGEST_STEP_MM:
        step = step * (_LONGEST_STEP_MM / length)
    return matrix @ inverse(_motion(step, samples)), length


def _turned_back(matrix: FloatArray) -> FloatArray:
    """(4, 4): a direction of the other's, as the samples have it."""
    back = np.eye(4)
    back[:3, :3] = matrix[:3, :3].T
    return back


def agreement(samples: Samples, other: Scene, matrix: FloatArray) -> Agreement:
    """How well `other` agrees with the samples under `matrix`."""
    values = other.at(apply(matrix, samples.points))
    known = np.isfinite(values)
    if known.sum() < 20:
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


def distance_mm(one: FloatArray, other: FloatArray, points: FloatArray) -> float:
    """Root mean square distance between where two matrices send (3, n) points."""
    return float(np.sqrt(((apply(one, points) - apply(other, points)) ** 2).sum(axis=0).mean()))


def rotation_about(centre: FloatArray, vector: FloatArray, shift: FloatArray) -> FloatArray:
    """(4, 4): rotate by a rotation vector (rad) about `centre`, then shift (mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(vector).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _motion(step: FloatArray, samples: Samples) -> FloatArray:
    return rotation_about(samples.centre, step[3:] / samples.radius_mm, step[:3])


def _weights(residual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights (n,) and residuals (n,) HU with NaN made weightless: some of them must be known.

    Geman-McClure: full weight to noise, next to none to a lesion that changed or a table that moved.
    """
    known = np.isfinite(residual)
    scale = 3.0 * max(LEAST_SCALE_HU, 1.4826 * float(np.median(np.abs(residual[known]))))
    residual = np.where(known, residual, 0.0)
    return known / (1.0 + (residual / scale) ** 2) ** 2, residual
