"""Lesions that are not star-shaped: a midline with everything within a thickness of it. Straight, an arc, or an L.

The half axes are those of the lesion pulled straight: half length (round ends included), half thickness, half height.
The middle of the midline is the origin; an arc is hollow towards -y, the legs of an L run along +x and +y.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from mdanderson.geometry import FloatArray

__all__ = ["Form", "bent_level", "bent_volume_mm3", "can_be_bent", "shrunk_to_share"]

Form = Literal["solid", "rod", "crescent", "l"]

_LONG_LEG = 0.6
"""Share of an L's midline that is its longer leg."""


def bent_level(own_mm: FloatArray, semi_axes_mm: Sequence[float], form: Form, bend_deg: float) -> FloatArray:
    """(..., 3) points along the lesion's axes -> (...): 0 on the midline, 1 on the surface."""
    half, thick, high = _midline_half(semi_axes_mm), semi_axes_mm[1], semi_axes_mm[2]
    x, y, z = np.moveaxis(own_mm, -1, 0)
    if form == "crescent":
        flat = _to_arc(x, y, half, np.radians(bend_deg))
    elif form == "l":
        long_leg = 2 * half * _LONG_LEG
        corner = half - long_leg
        along = _to_segment(x, y, (corner, 0.0), (half, 0.0))
        flat = np.minimum(along, _to_segment(x, y, (corner, 0.0), (corner, 2 * half - long_leg)))
    else:
        flat = _to_segment(x, y, (-half, 0.0), (half, 0.0))
    return np.asarray(np.hypot(flat / thick, z / high))


def can_be_bent(semi_axes_mm: Sequence[float], form: Form, bend_deg: float) -> bool:
    """Whether the surface does not run into itself."""
    half, thick = _midline_half(semi_axes_mm), semi_axes_mm[1]
    if form == "crescent":
        return 0 < bend_deg <= 300 and half > 0 and 2 * half / np.radians(bend_deg) > thick
    if form == "l":
        return 2 * half * (1 - _LONG_LEG) > thick
    return half > 0


def bent_volume_mm3(semi_axes_mm: Sequence[float], form: Form) -> float:
    """Pappus' rule and two round ends; at the corner of an L the legs share a wedge and leave another to a ball."""
    half, thick, high = _midline_half(semi_axes_mm), semi_axes_mm[1], semi_axes_mm[2]
    ends = 4.0 / 3.0 * np.pi
    if form == "l":
        ends += np.pi / 3.0 - 4.0 / 3.0
    return float(high / thick * (np.pi * thick**2 * 2 * half + ends * thick**3))


def shrunk_to_share(semi_axes_mm: Sequence[float], form: Form, share: float) -> tuple[float, float, float]:
    """The half axes round the same midline that hold this share of the volume."""
    half, thick, high = _midline_half(semi_axes_mm), semi_axes_mm[1], semi_axes_mm[2]
    whole = bent_volume_mm3(semi_axes_mm, form)

    def shrunk(factor: float) -> tuple[float, float, float]:
        return half + factor * thick, factor * thick, factor * high

    factor = brentq(lambda f: bent_volume_mm3(shrunk(f), form) / whole - share, 1e-6, 1.0)
    return shrunk(float(factor))


def _midline_half(semi_axes_mm: Sequence[float]) -> float:
    return semi_axes_mm[0] - semi_axes_mm[1]


def _to_segment(x: FloatArray, y: FloatArray, start: tuple[float, float], end: tuple[float, float]) -> FloatArray:
    ax, ay = end[0] - start[0], end[1] - start[1]
    share = np.clip(((x - start[0]) * ax + (y - start[1]) * ay) / (ax * ax + ay * ay), 0.0, 1.0)
    return np.asarray(np.hypot(x - start[0] - share * ax, y - start[1] - share * ay))


def _to_arc(x: FloatArray, y: FloatArray, half: float, bend: float) -> FloatArray:
    radius = 2 * half / bend
    angle = np.clip(np.arctan2(x, y + radius), -bend / 2, bend / 2)
    return np.asarray(np.hypot(x - radius * np.sin(angle), y + radius - radius * np.cos(angle)))
