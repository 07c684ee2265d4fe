"""Images that their headers place in one space: the headers are believed, and checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdanderson.registration.door import register
from mdanderson.registration.fit import agreement, distance_mm, fit
from mdanderson.registration.result import Registration
from mdanderson.registration.subject import Subject
from mdanderson.settings import ImageSettings

__all__ = ["register_in_one_space"]

_STEPS = 12
_FEWEST_SAMPLES = 400
_LEAST_SHARE = 0.1
"""Of the bone; chest and pelvis share little, and then there is nothing to check by."""
_STILL_MM = 2.0
"""Breathing and pulse move bone by less between two series of one visit."""


def register_in_one_space(baseline: Subject, follow_up: Subject, *, settings: ImageSettings) -> Registration:
    """No motion, when the images bear it out; the motion found, when they plainly show that the patient moved.

    Two images that cannot be compared (another modality, hardly any common bone) are taken as their headers place them,
    and `why` says that this was not checked.
    """
    moved_mm = _moved_mm(baseline, follow_up)
    if moved_mm is None:
        return Registration.identity("both images share one space by their headers; too little in common to check it")
    if moved_mm <= _STILL_MM:
        same = Registration.identity(f"both images share one space; bones lie within {moved_mm:.1f} mm")
        return replace(same, error_mm=moved_mm)
    found = register(baseline, follow_up, settings=settings)
    why = f"the headers place both images in one space, but bone lies {moved_mm:.1f} mm apart"
    return replace(found, why=f"{why}; {found.why}")


def _moved_mm(baseline: Subject, follow_up: Subject) -> float | None:
    """How far the bone that both show moves when it is fitted from where the headers put it; None when it cannot."""
    if not (baseline.is_ct and follow_up.is_ct):
        return None
    matrix = np.eye(4)
    for level in (1, 0):
        samples, scene = baseline.samples[level], follow_up.scenes[level]
        if len(samples) < _FEWEST_SAMPLES or agreement(samples, scene, matrix).share < _LEAST_SHARE:
            return None
        matrix = fit(samples, scene, matrix, steps=_STEPS)
    shown = np.isfinite(follow_up.scenes[0].at(samples.points))
    return distance_mm(matrix, np.eye(4), samples.points[:, shown])
