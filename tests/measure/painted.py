"""Painted phantoms for the tests of density: an image of any function of place, sampled within every voxel.

Slow and simple, and knowing nothing of `mdanderson.phantoms`, so that one may check the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import Geometry
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Unit, Volume

__all__ = ["Ball", "Bone", "array", "as_volume", "grid", "outline", "paint"]

Axis = npt.NDArray[np.float64]
Paint = Callable[[Axis, Axis, Axis], npt.NDArray[np.generic]]
"""z, y, x in mm -> a value there; the axes broadcast."""


class Ball(NamedTuple):
    """An ellipsoid of one density; centre and semi-axes z, y, x in mm from the middle of the image."""

    centre: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    hu: float = 40.0

    def grown(self, by_mm: float, hu: float) -> Ball:
        return Ball(self.centre, tuple(axis + by_mm for axis in self.semi_axes), hu)

    def holds(self, z: Axis, y: Axis, x: Axis) -> npt.NDArray[np.bool_]:
        (cz, cy, cx), (az, ay, ax) = self.centre, self.semi_axes
        return np.asarray(((z - cz) / az) ** 2 + ((y - cy) / ay) ** 2 + ((x - cx) / ax) ** 2 < 1)


class Bone(NamedTuple):
    """An elliptic cylinder (half axes in mm) with cortex and end plates, muscle round it, fat round that."""

    trabecular_hu: float = 150.0
    cortex_hu: float = 600.0
    cortex_mm: float = 2.0
    half_width: float = 20.0
    half_depth: float = 15.0
    half_height: float = 13.0
    canal: bool = False

    def paint(self, z: Axis, y: Axis, x: Axis) -> npt.NDArray[np.float64]:
        hu = np.where(np.hypot(y, x) < self.half_width + 18, 50.0, -100.0)
        height = np.abs(z)
        if self.canal:
            tube = np.hypot((y - self.half_depth - 9) / 10, x / 12)
            hu = np.where(tube < 1.25, self.cortex_hu, hu)
        outer = np.hypot(x / self.half_width, y / self.half_depth) < 1
        hu = np.where(outer & (height < self.half_height), self.cortex_hu, hu)
        if self.canal:
            hu = np.where(tube < 1, 30.0, hu)
        inner = np.hypot(x / (self.half_width - self.cortex_mm), y / (self.half_depth - self.cortex_mm)) < 1
        return np.where(inner & (height < self.half_height - self.cortex_mm), self.trabecular_hu, hu)


def grid(spacing_mm: Sequence[float], extent_mm: Sequence[float]) -> Geometry:
    """An axial grid about 0 mm."""
    shape = [max(1, round(extent / step)) for extent, step in zip(extent_mm, spacing_mm, strict=True)]
    origin = [-(n - 1) / 2 * step for n, step in zip(shape, spacing_mm, strict=True)]
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin[::-1])


def array(geometry: Geometry, paint: Paint, *, samples: int = 3, shift_mm: Sequence[float] = (0, 0, 0)) -> np.ndarray:
    """What a scanner shows of `paint(z, y, x)` moved by `shift_mm`: the mean of `samples`^3 points a voxel."""
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(geometry.shape, geometry.spacing_mm, strict=True)]
    inner = (np.arange(samples) + 0.5) / samples - 0.5
    total = np.zeros(geometry.shape)
    for part in itertools.product(inner, repeat=3):
        z, y, x = (
            axis + share * step - move
            for axis, share, step, move in zip(axes, part, geometry.spacing_mm, shift_mm, strict=True)
        )
        total += paint(z[:, None, None], y[None, :, None], x[None, None, :])
    return total / samples**3


def paint(bone: Bone, *balls: Ball) -> Paint:
    """The bone with balls in it; later balls cover earlier ones."""

    def painted(z: Axis, y: Axis, x: Axis) -> npt.NDArray[np.float64]:
        hu = bone.paint(z, y, x)
        for ball in balls:
            hu = np.where(ball.holds(z, y, x), ball.hu, hu)
        return hu

    return painted


def outline(geometry: Geometry, ball: Ball, *, label: int = 1, shift_mm: Sequence[float] = (0, 0, 0)) -> Region:
    """The voxels at least half covered by a ball."""
    reach = np.array(ball.semi_axes) + np.abs(np.array(ball.centre) + shift_mm)
    middle = (np.array(geometry.shape) - 1) / 2
    steps = np.ceil(reach / geometry.spacing_mm) + 1
    low = np.maximum(np.floor(middle - steps), 0).astype(int)
    box = tuple(slice(a, n - a) for a, n in zip(low.tolist(), geometry.shape, strict=True))
    covered = np.zeros(geometry.shape, dtype=bool)
    part = geometry.crop(box)
    covered[box] = array(part, lambda z, y, x: ball.holds(z, y, x) * 1.0, samples=5, shift_mm=shift_mm) >= 0.5
    region = Region.from_array(covered, label=label)
    assert region is not None
    return region


def as_volume(hu: np.ndarray, geometry: Geometry, *, noise_hu: float = 0.0, seed: int = 0) -> Volume:
    """A CT with white noise."""
    noise = np.random.default_rng(seed).normal(0.0, noise_hu, hu.shape) if noise_hu else 0.0
    return Volume(array=(hu + noise).astype(np.float32), geometry=geometry, unit=Unit.HU, modality=Modality.CT)
