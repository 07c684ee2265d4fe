"""The capsules that a phantom of a bone scan is drawn from: soft tissue, bones, kidneys and bladder of one body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from mdanderson.geometry import FloatArray

__all__ = ["BODY_DEPTH_MM", "Capsule", "skeleton_capsules"]

BODY_DEPTH_MM = 200.0
_FRONT, _MIDDLE, _BACK = 40.0, 100.0, 150.0
_SOFT = 0.08
_LIMB_SOFT = 0.10

Kind = Literal["soft", "bone", "urine"]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Capsule:
    """A thick line. ends: two of (x, z) mm; depth_mm: of its axis; limb and pivot: what it swings with and about."""

    kind: Kind
    ends: tuple[Point, Point]
    radius_mm: float
    uptake: float
    depth_mm: float = _MIDDLE
    limb: str = ""
    pivot: Point = (0.0, 0.0)

    def apart_mm(self, places: FloatArray) -> FloatArray:
        """(..., 2) x and z mm -> (...) mm from the axis."""
        start, end = np.array(self.ends)
        along = end - start
        share = np.clip(((places - start) @ along) / max(float(along @ along), 1e-9), 0.0, 1.0)
        return np.asarray(np.hypot(*np.moveaxis(places - start - share[..., None] * along, -1, 0)))

    def chord_mm(self, places: FloatArray) -> FloatArray:
        """(..., 2) x and z mm -> (...) mm of it that a ray from front to back passes."""
        return np.asarray(2.0 * np.sqrt(np.maximum(self.radius_mm**2 - self.apart_mm(places) ** 2, 0.0)))

    def swung(self, degrees: float) -> Self:
        """Turned outwards about its pivot, the side of the body told by the pivot."""
        if not degrees:
            return self
        angle = np.deg2rad(degrees) * (1.0 if self.pivot[0] > 0 else -1.0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        first, second = ((np.array(end) - self.pivot) @ turn.T + self.pivot for end in self.ends)
        return replace(self, ends=((float(first[0]), float(first[1])), (float(second[0]), float(second[1]))))


def skeleton_capsules(seed: int, *, bone: float, bladder: float) -> tuple[Capsule, ...]:
    """One body; seed 0 is symmetric, any other has its own proportions and its own uptake in every bone."""
    both = [*_soft(), *_bones()]
    middle = [*_midline(), _capsule("urine", (0, 5), (0, 12), 32, 0.9 * bladder, depth=70)]
    capsules = [*middle, *both, *(_mirrored(one) for one in both)]
    if seed:
        capsules = _of_its_own(capsules, seed)
    return tuple(replace(one, uptake=one.uptake * bone) if one.kind == "bone" else one for one in capsules)


def _capsule(
    kind: Kind, start: Point, end: Point, radius: float, uptake: float, *, depth: float = _MIDDLE, limb: str = ""
) -> Capsule:
    pivot = {"arm": (165.0, 520.0), "leg": (90.0, -10.0)}.get(limb, (0.0, 0.0))
    return Capsule(
        kind=kind, ends=(start, end), radius_mm=radius, uptake=uptake, depth_mm=depth, limb=limb, pivot=pivot
    )


def _mirrored(one: Capsule) -> Capsule:
    (ax, az), (bx, bz) = one.ends
    return replace(one, ends=((-ax, az), (-bx, bz)), pivot=(-one.pivot[0], one.pivot[1]))


def _midline() -> list[Capsule]:
    vertebrae = [
        _capsule("bone", (-8, z), (8, z), 13 + 6 * (540 - z) / 420, 1.0, depth=130) for z in range(120, 541, 26)
    ]
    return [
        _capsule("soft", (0, 690), (0, 700), 85, _SOFT),
        _capsule("soft", (0, 560), (0, 640), 60, _SOFT),
        *vertebrae,
        *(_capsule("bone", (-6, z), (6, z), 9, 0.9, depth=120) for z in range(566, 640, 18)),
        _capsule("bone", (-20, 620), (20, 620), 25, 0.7, depth=60),
        _capsule("bone", (0, 700), (0, 715), 70, 0.22),
        _capsule("bone", (0, 350), (0, 510), 14, 0.6, depth=_FRONT),
        _capsule("bone", (0, 60), (0, 100), 34, 0.8, depth=_BACK),
    ]


def _soft() -> list[Capsule]:
    return [
        _capsule("soft", (70, 140), (90, 480), 105, _SOFT),
        _capsule("soft", (85, -40), (80, 80), 95, _SOFT),
        _capsule("soft", (95, -60), (85, -430), 72, _LIMB_SOFT, limb="leg"),
        _capsule("soft", (85, -430), (75, -850), 52, _LIMB_SOFT, limb="leg"),
        _capsule("soft", (180, 500), (245, 240), 42, _LIMB_SOFT, limb="arm"),
        _capsule("soft", (245, 240), (255, -40), 34, _LIMB_SOFT, limb="arm"),
    ]


def _bones() -> list[Capsule]:
    ribs = [
        _capsule("bone", (28, z + 10), (128 - abs(z - 400) * 0.12, z - 42), 6.5, 1.1, depth=depth)
        for z, depth in zip(range(300, 521, 28), np.linspace(60, 140, 8), strict=True)
    ]
    return [
        *ribs,
        _capsule("bone", (15, 525), (150, 535), 8, 0.9, depth=_FRONT),
        _capsule("bone", (100, 420), (120, 520), 16, 0.7, depth=_BACK),
        _capsule("bone", (160, 520), (168, 510), 24, 1.1, limb="arm"),
        _capsule("bone", (170, 500), (238, 240), 12, 0.8, limb="arm"),
        _capsule("bone", (240, 232), (248, 0), 13, 0.7, limb="arm"),
        _capsule("bone", (250, -20), (255, -70), 18, 0.5, limb="arm"),
        _capsule("bone", (55, 75), (115, 125), 14, 1.1, depth=120),
        _capsule("bone", (50, 55), (80, 20), 22, 0.9, depth=120),
        _capsule("bone", (20, -35), (75, -5), 12, 0.9, depth=60),
        _capsule("bone", (92, -5), (98, -15), 25, 1.0, limb="leg"),
        _capsule("bone", (105, -30), (85, -390), 15, 0.75, limb="leg"),
        _capsule("bone", (65, -410), (105, -410), 22, 0.9, limb="leg"),
        _capsule("bone", (85, -440), (78, -800), 14, 0.65, limb="leg"),
        _capsule("bone", (78, -830), (85, -870), 24, 0.6, limb="leg"),
        _capsule("urine", (60, 210), (68, 265), 24, 0.30, depth=_BACK),
    ]


def _of_its_own(capsules: list[Capsule], seed: int) -> list[Capsule]:
    """Other lengths and widths, a bend of the spine, an uptake for every bone; the same for one seed always."""
    rng = np.random.default_rng(seed)
    width, height = rng.normal(1.0, (0.06, 0.04))
    bend, period = rng.normal(0.0, 6.0), rng.uniform(90.0, 150.0)
    limbs = {limb: rng.normal(0.0, degrees, 2) for limb, degrees in (("arm", 4.0), ("leg", 1.5))}
    made = []
    for one in capsules:
        jitter = rng.normal(0.0, 3.0 if one.kind == "bone" else 1.0, 2)
        drawn = one.swung(float(limbs[one.limb][int(one.pivot[0] > 0)])) if one.limb else one
        start, end = (
            (float(x * width + bend * np.sin(z / period) + jitter[0]), float(z * height + jitter[1]))
            for x, z in drawn.ends
        )
        made.append(
            replace(
                drawn,
                ends=(start, end),
                radius_mm=one.radius_mm * width,
                uptake=one.uptake * float(np.exp(rng.normal(0.0, 0.12))),
                pivot=(one.pivot[0] * width, one.pivot[1] * height),
            )
        )
    return made
