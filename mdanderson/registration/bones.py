"""Bones that both images name: where to start from, and a check of where they were laid."""

from __future__ import annotations

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.registration.scene import apply, inverse
from mdanderson.registration.subject import Subject

__all__ = ["label_at", "label_start", "same_label_share"]

_FEWEST_CELLS = 30
_NEAR_MM = 15.0
_MOST = 20_000


def label_start(template: Subject, other: Subject) -> list[FloatArray]:
    """(4, 4) matrices, template's mm -> other's mm: bone on bone of the same label; empty when none is shared.

    Bones at the edge of an image are cut: where some are whole in both, only these count.
    """
    homes, aims = _centres(template), _centres(other)
    shared = sorted(set(homes) & set(aims))
    whole = [label for label in shared if homes[label][1] and aims[label][1]]
    used = whole or shared
    if not used:
        return []
    here = np.array([homes[label][0] for label in used])
    there = np.array([aims[label][0] for label in used])
    shift = np.eye(4)
    shift[:3, 3] = there.mean(axis=0) - here.mean(axis=0)
    return [shift] if len(used) < 3 else [_rigid(here, there), shift]


def same_label_share(template: Subject, other: Subject, matrix: FloatArray) -> float | None:
    """Of the labelled bone that comes to lie on labelled bone, the share with the same label; None without labels."""
    mine, theirs = template.bone_labels, other.bone_labels
    if mine is None or theirs is None or not set(np.unique(mine)) & set(np.unique(theirs)) - {0}:
        return None
    index = np.argwhere(mine > 0)
    index = index[:: max(1, len(index) // _MOST)]
    points = apply(template.scenes[0].affine, index.T.astype(float))
    there = np.rint(apply(inverse(other.scenes[0].affine), apply(matrix, points))).astype(int)
    inside = ((there >= 0) & (there < np.array(theirs.shape)[:, None])).all(axis=0)
    found, own = theirs[tuple(there[:, inside])], mine[tuple(index.T)][inside]
    on_bone = found > 0
    return float((found[on_bone] == own[on_bone]).mean()) if on_bone.sum() >= _FEWEST_CELLS else None


def label_at(subject: Subject, place: FloatArray) -> int:
    """The label of the bone that (3,) LPS mm lies in, or that most of what is near belongs to; 0 when none is near."""
    labels = subject.bone_labels
    if labels is None:
        return 0
    scene = subject.scenes[0]
    middle = np.rint(apply(inverse(scene.affine), place[:, None])[:, 0]).astype(int)
    pads = np.ceil(_NEAR_MM / np.array(scene.spacing_mm)).astype(int)
    low, high = np.maximum(middle - pads, 0), np.maximum(middle + pads + 1, 0)
    near = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if near.size and ((middle >= 0) & (middle < labels.shape)).all() and labels[tuple(middle)]:
        return int(labels[tuple(middle)])
    counts = np.bincount(near.ravel(), minlength=1)
    counts[0] = 0
    return int(counts.argmax()) if counts.any() else 0


def _centres(subject: Subject) -> dict[int, tuple[FloatArray, bool]]:
    """Label -> (3,) LPS mm of its middle, and whether it is whole: not cut by the edge of the image."""
    labels = subject.bone_labels
    if labels is None:
        return {}
    index = np.argwhere(labels > 0)
    names = labels[tuple(index.T)]
    at_edge = ((index == 0) | (index == np.array(labels.shape) - 1)).any(axis=1)
    found: dict[int, tuple[FloatArray, bool]] = {}
    for label in np.unique(names):
        own = names == label
        if own.sum() >= _FEWEST_CELLS:
            middle = index[own].mean(axis=0)[:, None]
            found[int(label)] = apply(subject.scenes[0].affine, middle)[:, 0], not at_edge[own].any()
    return found


def _rigid(here: FloatArray, there: FloatArray) -> FloatArray:
    """(4, 4): the rigid motion that brings (n, 3) points closest to others (Kabsch)."""
    middle, aim = here.mean(axis=0), there.mean(axis=0)
    left, _, right = np.linalg.svd(np.einsum("ni,nj->ij", there - aim, here - middle))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    matrix = np.eye(4)
    matrix[:3, :3] = left @ flip @ right
    matrix[:3, 3] = aim - matrix[:3, :3] @ middle
    return matrix
