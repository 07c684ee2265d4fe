"""Bodies bend, bones do not: the bone round each lesion is fitted by itself, from where the whole body was laid."""

from __future__ import annotations

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.registration.bones import label_at
from mdanderson.registration.fit import agreement, between, fit, loose_mm, part_way
from mdanderson.registration.result import Part
from mdanderson.registration.samples import Samples, near_bone
from mdanderson.registration.scene import apply, inverse
from mdanderson.registration.subject import Subject
from mdanderson.settings import ImageSettings

__all__ = ["refined"]

_RADIUS_MM = 32.0
"""A vertebra with its arch, or a hand's breadth of any other bone."""
_LABEL_RADIUS_MM = 60.0
"""A labelled bone is one piece: more of it may be used."""
_MOST, _FEWEST = 5000, 200
_STEPS = 12
_HOLD = 20.0
"""HU^2 / mm^2: along what so little bone does not show, it moves with the body."""
_SAME_MM = 12.0
"""Lesions this near to each other are in one piece of bone."""
_FURTHEST_MM = 12.0
"""Bone does not move further than this against the body it was found in; more is another bone."""
_BENT_WITHIN = 0.5
"""Where the body bent, so did what lies within reach of a bone: this share of it is left to the error told."""
_LEAST_SHARE = 0.5
"""Of the bone round a place, this much must be seen in both images."""


def refined(
    template: Subject,
    other: Subject,
    matrix: FloatArray,
    places: FloatArray,
    *,
    bent_mm: float,
    settings: ImageSettings,
) -> tuple[Part, ...]:
    """A part for every one of (k, 3) places, template LPS mm, that both images show; near ones share one.

    matrix: (4, 4) template -> other, right for the whole body. bent_mm: how far bone typically lies from there.
    """
    parts: list[Part] = []
    for place in places:
        if any(np.linalg.norm(part.centre_mm - place) < _SAME_MM for part in parts):
            continue
        part = _part(template, other, matrix, place, bent_mm, settings)
        if part is not None:
            parts.append(part)
    return tuple(parts)


def _part(
    template: Subject,
    other: Subject,
    matrix: FloatArray,
    place: FloatArray,
    bent_mm: float,
    settings: ImageSettings,
) -> Part | None:
    """The motion of the bone round a place, drawn towards the body's as far as the body did not bend.

    What the bone by itself says errs by `error_mm`, what the body says by `bent_mm`: each counts by its variance.
    """
    there_mm = apply(matrix, place[:, None])[:, 0]
    here, there = _bone_round(template, place), _bone_round(other, there_mm)
    if min(len(here), len(there)) < _FEWEST:
        return None
    scenes = template.scenes[0], other.scenes[0]
    forth = fit(here, scenes[1], matrix, steps=_STEPS, hold=_HOLD)
    back = inverse(fit(there, scenes[0], inverse(matrix), steps=_STEPS, hold=_HOLD))
    spot = place[:, None]
    apart_mm = float(np.linalg.norm(apply(forth - back, spot)))
    middle = between(forth, back)
    moved_mm = float(np.linalg.norm(apply(middle - matrix, spot)))
    fits = agreement(here, scenes[1], middle)
    unlike = fits.correlation < settings.registration_least_likeness or fits.share < _LEAST_SHARE
    error_mm = float(np.hypot(apart_mm, loose_mm(here, scenes[1], middle)))
    if unlike or moved_mm > _FURTHEST_MM:
        return Part(centre_mm=place, matrix=middle, error_mm=float("inf"))
    share = bent_mm**2 / max(bent_mm**2 + error_mm**2, 1e-9)
    return Part(
        centre_mm=place,
        matrix=part_way(matrix, middle, place, share),
        error_mm=float(np.linalg.norm([error_mm, (1.0 - share) * moved_mm, _BENT_WITHIN * bent_mm])),
    )


def _bone_round(subject: Subject, place: FloatArray) -> Samples:
    """Samples of the bone round a place (3,): of its own bone where bones are labelled, else all that is near."""
    scene, labels = subject.scenes[0], subject.bone_labels
    label = label_at(subject, place)
    reach = _LABEL_RADIUS_MM if label else _RADIUS_MM
    middle = apply(inverse(scene.affine), place[:, None])[:, 0]
    pads = reach / np.array(scene.spacing_mm)
    low = np.maximum(np.floor(middle - pads), 0).astype(int)
    high = np.minimum(np.ceil(middle + pads) + 1, scene.values.shape).astype(int)
    if (high - low < 2).any():
        return Samples.none()
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    part = scene.crop(low, high)
    own = labels[box] == label if labels is not None and label else part.bone
    index = [np.arange(a, b) - m for a, b, m in zip(low, high, middle, strict=True)]
    z, y, x = (axis * step for axis, step in zip(index, scene.spacing_mm, strict=True))
    within = (z**2)[:, None, None] + (y**2)[None, :, None] + (x**2)[None, None, :] <= reach**2
    return Samples.chosen(part, near_bone(own, scene.spacing_mm) & within, most=_MOST)
