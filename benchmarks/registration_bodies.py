"""Bodies for registration: an analytic trunk imaged on any grid after any motion, bend, and change; real CTs again.

Body space is LPS mm: x left, y back, z head. Truth is analytic: `Pose.to_scan` says where a place of the body is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mdanderson.geometry import Geometry
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Unit, Volume

__all__ = [
    "GROWN",
    "LESIONS",
    "Array",
    "Body",
    "Pose",
    "ct",
    "grid",
    "imaged_again",
    "motion_of",
    "mr",
    "outlined",
    "scan",
    "sites",
]

Array = npt.NDArray[np.float64]
Ball = tuple[float, float, float, float, float]
"""x, y, z, radius mm, HU."""

LESIONS: tuple[Ball, ...] = (
    (2.0, 55.0, -10.0, 8.0, 30.0),
    (5.0, 50.0, 45.0, 7.0, 700.0),
    (85.0, 20.0, -75.0, 9.0, 30.0),
    (-4.0, 58.0, 100.0, 7.0, 30.0),
)
GROWN: tuple[Ball, ...] = (
    (2.0, 55.0, -10.0, 12.0, 300.0),
    (5.0, 50.0, 45.0, 5.0, 250.0),
    (85.0, 20.0, -75.0, 14.0, 800.0),
    (-4.0, 58.0, 100.0, 8.0, 700.0),
)
"""The same lesions later: grown, healed, lytic become sclerotic and the other way round."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """One person's trunk: skin, muscle, lungs, uneven vertebrae with processes, ribs, hip bones, arms, lesions."""

    person: int = 7
    lesions: tuple[Ball, ...] = LESIONS
    size: float = 1.0
    period_mm: float = 30.0
    arm_degrees: float = 0.0
    """How far the arms, which hang beside the trunk, are swung to the front."""

    def hu(self, points: Array) -> Array:
        """(n, 3) body mm -> (n,) HU."""
        x, y, z = points.T / self.size
        hu = np.where((x / 150) ** 2 + (y / 105) ** 2 < 1, -90.0, -1000.0)
        hu[(x / 138) ** 2 + (y / 92) ** 2 < 1] = 45
        for side in (-65, 65):
            hu[((x - side) / 45) ** 2 + ((y + 10) / 60) ** 2 + ((z - 60) / 90) ** 2 < 1] = -850
        for part, near in (
            (self._arms, np.abs(x) > 140),
            (self._spine, (np.abs(x) < 60) & (y > 20)),
            (self._ribs, (z > -45) & (np.hypot(x / 118, y / 78) > 0.85)),
            (self._hips, z < -30),
        ):
            there = np.flatnonzero(near)
            part_hu = hu[there]
            part(part_hu, x[there], y[there], z[there])
            hu[there] = part_hu
        for cx, cy, cz, r, value in self.lesions:
            hu[(x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < r * r] = value
        return hu

    def _spine(self, hu: Array, x: Array, y: Array, z: Array) -> None:
        random = np.random.default_rng(self.person)
        sway, bow, phase = self._own(3, (-6, 4, -0.5), (6, 12, 0.5))
        spine_x, spine_y = sway * np.sin(z / 70 + phase), 55 + bow * np.sin(z / 90 + phase)
        height = self.period_mm * random.uniform(0.85, 1.15, 40)
        reach = random.uniform(9.0, 17.0, (2, 40))  # transverse processes: no two alike
        ends = np.cumsum(height) - 500
        k = np.clip(np.searchsorted(ends, z), 1, 39)
        within = (z - ends[k - 1]) / height[k]
        radius = 14 + 0.02 * ends[k] + 0.07 * height[k]
        apart = np.hypot(x - spine_x, (y - spine_y) / 0.8) / random.uniform(0.93, 1.07, 40)[k]
        body = (apart < radius) & (within > 0.1) & (within < 0.9)
        hu[body] = 170 + 40 * self._texture(x[body], y[body], z[body])
        hu[body & ((apart > radius - 2) | (within < 0.17) | (within > 0.83))] = 450
        behind, aside = y - spine_y, x - spine_x
        hu[(np.abs(aside) < 4) & (behind > 18) & (behind < 42) & (within > 0.3) & (within < 0.7)] = 400
        length = np.where(aside > 0, reach[0][k], reach[1][k])
        process = (np.abs(behind - 12) < 4) & (np.abs(aside) > 12) & (np.abs(aside) < 21 + length)
        hu[process & (within > 0.45) & (within < 0.7)] = 400

    def _ribs(self, hu: Array, x: Array, y: Array, z: Array) -> None:
        wide, deep, drop, pitch, left, right = self._own(1, (-6, -5, -0.1, -1.5, -8, -8), (6, 5, 0.1, 1.5, 8, 8))
        rib = np.abs(np.hypot(x / (126 + wide), y / (84 + deep)) - 1) < 0.05
        phase = np.where(x > 0, left, right)
        along = z - (0.35 + drop) * y + 0.1 * np.abs(x) + phase
        hu[rib & (np.mod(along, 0.9 * self.period_mm + pitch) < 9) & (z > -40)] = 350

    def _hips(self, hu: Array, x: Array, y: Array, z: Array) -> None:
        apart, a, b, c, y0, z0 = self._own(2, (-5, -5, -6, -6, -6, -8), (5, 5, 6, 6, 6, 8))
        hip = ((np.abs(x) - 85 - apart) / (40 + a)) ** 2 + ((y - 20 - y0) / (45 + b)) ** 2
        hip += ((z + 100 + z0) / (50 + c)) ** 2
        inside = np.flatnonzero(hip < 1)
        spongy = 150 + 40 * self._texture(x[inside], y[inside], z[inside])
        hu[inside] = np.where(hip[inside] > 0.75, 500.0, spongy)

    def _texture(self, x: Array, y: Array, z: Array) -> Array:
        """Trabecular bone of one person, SD 1: grains of 8 mm, the same at every visit."""
        index = np.stack([z, y, x]) / 4.0
        return np.asarray(ndimage.map_coordinates(_grains(self.person), index, order=1, mode="grid-wrap"))

    def _own(self, part: int, low: tuple[float, ...], high: tuple[float, ...]) -> Array:
        """This person's own measures of one part."""
        return np.random.default_rng([self.person, part]).uniform(low, high)

    def _arms(self, hu: Array, x: Array, y: Array, z: Array) -> None:
        turn = np.deg2rad(self.arm_degrees)
        low = 120.0 - z  # below the shoulder
        front = y + np.sin(turn) * low
        for side in (-185.0, 185.0):
            apart = np.hypot(x - side, front)
            hu[apart < 38] = 40
            hu[apart < 12] = 700
            hu[apart < 7] = 20


@lru_cache(maxsize=2)
def _grains(person: int) -> Array:
    lattice = np.random.default_rng([person, 9]).standard_normal((64, 64, 64))
    lattice = ndimage.gaussian_filter(lattice, 1.0, mode="wrap")
    return np.asarray(lattice / lattice.std())


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How the body lies in the scanner. motion: (4, 4) body -> scan, after the back is bent by `bend_per_m` degrees."""

    motion: Array = field(default_factory=lambda: np.eye(4))
    bend_per_m: float = 0.0
    """Degrees of flexion a metre of spine, about the axis x."""
    _spine_mm = 55.0

    def to_scan(self, points: Array) -> Array:
        """(n, 3) body mm -> (n, 3) LPS mm of the scan."""
        return _moved(self.motion, self._bent(points))

    def to_body(self, points: Array) -> Array:
        """(n, 3) LPS mm of the scan -> (n, 3) body mm."""
        return self._straight(_moved(np.linalg.inv(self.motion), points))

    def _bent(self, points: Array) -> Array:
        if not self.bend_per_m:
            return points
        radius = 1000.0 / np.deg2rad(self.bend_per_m)
        x, y, z = points.T
        out = radius + y - self._spine_mm
        angle = z / radius
        return np.stack([x, out * np.cos(angle) - radius + self._spine_mm, out * np.sin(angle)], axis=1)

    def _straight(self, points: Array) -> Array:
        if not self.bend_per_m:
            return points
        radius = 1000.0 / np.deg2rad(self.bend_per_m)
        x, y, z = points.T
        out = radius + y - self._spine_mm
        angle = np.arctan2(z, out) if radius > 0 else np.arctan2(-z, -out)
        return np.stack([x, np.sign(radius) * np.hypot(out, z) - radius + self._spine_mm, angle * radius], axis=1)


def _moved(matrix: Array, points: Array) -> Array:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def sites(lesions: tuple[Ball, ...] = LESIONS) -> Array:
    """(n, 3): the lesions' centres, body mm."""
    return np.array([ball[:3] for ball in lesions])


def grid(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], centre: Array | None = None) -> Geometry:
    """Axial, centred."""
    middle = np.zeros(3) if centre is None else np.asarray(centre, dtype=float)
    origin = middle - ((np.array(shape) - 1) / 2 * np.array(spacing_mm))[::-1]
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin)


def scan(
    body: Body,
    geometry: Geometry,
    *,
    pose: Pose | None = None,
    table_mm: float | None = None,
    noise_hu: float = 20.0,
    seed: int = 0,
    subsample_mm: float = 1.5,
) -> Volume:
    """A CT of the body. table_mm: where, in scan y, the top of the table lies; it does not move with the body."""
    pose = pose or Pose()
    hu = np.empty(geometry.shape)
    sub = [max(1, round(step / subsample_mm)) for step in geometry.spacing_mm]
    steps = [(np.arange(n * k) + 0.5) / k - 0.5 for n, k in zip((1, *geometry.shape[1:]), sub, strict=True)]
    for plane in range(geometry.shape[0]):  # a voxel is the mean of what it holds
        index = np.stack(np.meshgrid(plane + steps[0], *steps[1:], indexing="ij"), axis=-1).reshape(-1, 3)
        points = geometry.to_lps(index)
        values = body.hu(pose.to_body(points))
        if table_mm is not None:
            _lay_table(values, points, table_mm)
        _, rows, columns = geometry.shape
        hu[plane] = values.reshape(sub[0], rows, sub[1], columns, sub[2]).mean(axis=(0, 2, 4))
    smooth = ndimage.gaussian_filter(hu, (0.3, 0.5, 0.5))
    return ct(smooth + np.random.default_rng(seed).normal(0, noise_hu, smooth.shape), geometry)


def _lay_table(hu: Array, points: Array, table_mm: float) -> None:
    deep = points[:, 1] - table_mm + 0.0004 * points[:, 0] ** 2
    hu[(deep > 0) & (deep < 25)] = -850
    hu[((deep > 0) & (deep < 3)) | ((deep > 22) & (deep < 25))] = 250


def ct(hu: Array, geometry: Geometry) -> Volume:
    """HU as a scanner stores them."""
    array = np.clip(np.round(hu), -1024, 3071).astype(np.int16)
    return Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)


_T1 = ((-1100.0, 0.0), (-500.0, 5.0), (-100.0, 900.0), (-20.0, 500.0), (45.0, 330.0), (170.0, 620.0), (450.0, 60.0))
"""HU -> T1-weighted signal: fat and marrow bright, muscle grey, air, lung and cortex dark."""
_T2 = ((-1100.0, 0.0), (-500.0, 5.0), (-100.0, 520.0), (-20.0, 380.0), (45.0, 160.0), (170.0, 330.0), (450.0, 40.0))


def mr(volume: Volume, *, t2: bool = False, gain: float = 1.0, bias: float = 0.3, seed: int = 0) -> Volume:
    """An MR of what a CT shows: signal by tissue, a smooth bias field of +/- `bias`, a gain and noise."""
    hu, signal = np.array(_T2 if t2 else _T1).T
    values = np.interp(volume.array, hu, signal)
    random = np.random.default_rng(seed)
    axes = [np.linspace(-1, 1, n) for n in values.shape]
    slope = random.normal(size=3)
    slope *= bias / np.abs(slope).sum()
    field_ = 1 + sum(
        s * axis.reshape([-1 if k == j else 1 for k in range(3)])
        for j, (s, axis) in enumerate(zip(slope, axes, strict=True))
    )
    values = gain * values * field_ + random.normal(0, 20, values.shape)
    array = np.clip(np.round(values), 0, 4095).astype(np.int16)
    return Volume(array=array, geometry=volume.geometry, unit=Unit.ARBITRARY, modality=Modality.MR)


def outlined(lesions: tuple[Ball, ...], geometry: Geometry, pose: Pose | None = None) -> Mask:
    """The lesions as drawn on an image."""
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    body = (pose or Pose()).to_body(_points(geometry)).reshape((*geometry.shape, 3))
    for label, (cx, cy, cz, r, _) in enumerate(lesions, start=1):
        labels[((body - (cx, cy, cz)) ** 2).sum(axis=-1) < r * r] = label
    return Mask.from_label_map(labels, geometry)


def motion_of(degrees: float, shift_mm: float, seed: int, centre: Array | None = None) -> Array:
    """Rigid, about a centre (default the origin), of a random axis and direction."""
    axis, direction = np.random.default_rng(seed).normal(size=(2, 3))
    middle = np.zeros(3) if centre is None else np.asarray(centre)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    shift = shift_mm * direction / np.linalg.norm(direction)
    matrix[:3, 3] = middle + shift - matrix[:3, :3] @ middle
    return matrix


def imaged_again(volume: Volume, motion: Array, geometry: Geometry, *, noise: float = 15.0, seed: int = 1) -> Volume:
    """A real image of the same body after `motion`, on another grid, with more noise; its least value outside."""
    there = volume.geometry.to_voxel(geometry.moved(np.linalg.inv(motion)).to_lps(_index(geometry))).T
    least = -1024.0 if volume.unit is Unit.HU else 0.0
    values = ndimage.map_coordinates(volume.array.astype(np.float32), there, order=1, cval=least).reshape(
        geometry.shape
    )
    values = np.where(values > least, values + np.random.default_rng(seed).normal(0, noise, values.shape), values)
    if volume.unit is Unit.HU:
        return ct(values, geometry)
    array = np.clip(np.round(values), 0, 32767).astype(np.int16)
    return Volume(array=array, geometry=geometry, unit=volume.unit, modality=volume.modality)


def _index(geometry: Geometry) -> Array:
    return np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1).reshape(-1, 3)


def _points(geometry: Geometry) -> Array:
    return geometry.to_lps(_index(geometry))
