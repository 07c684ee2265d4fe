"""How far measured diameters lie from the truth, and how long they take.

    python benchmarks/diameters.py [--count 100] [--seed 7]

Shapes of 8-60 mm at any rotation and offset on pixels of 0.5-1.5 mm by 0.5-1.5 mm; a mask holds the pixels at least
half covered (10 x 10 samples each). Truth comes from the shape's own boundary, never from pixels. "perpendicular" is
the longest chord between outermost crossings at right angles to the true long axis.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.measure import find_contours

from mdanderson.geometry import Geometry
from mdanderson.measure.diameters import measure_diameters
from mdanderson.settings import ImageSettings
from mdanderson.volume import Region

__all__ = ["FAMILIES", "Case", "draw_case", "longest_and_perpendicular", "measure"]

SETTINGS = ImageSettings()
SAMPLES = 10
TURN = np.linspace(0.0, 2.0 * np.pi, 1440, endpoint=False)


class Shape(NamedTuple):
    boundary: np.ndarray
    """(points, 2) mm, a closed polygon in order."""
    inside: Callable[[np.ndarray, np.ndarray], np.ndarray]


class Case(NamedTuple):
    mask: np.ndarray
    pixel_mm: np.ndarray
    long_mm: float
    short_mm: float


def ellipse(rng: np.random.Generator, size: float) -> Shape:
    a, b = size / 2, size / 2 * rng.uniform(0.35, 1.0)
    return Shape(np.c_[a * np.cos(TURN), b * np.sin(TURN)], lambda x, y: (x / a) ** 2 + (y / b) ** 2 <= 1)


def superellipse(rng: np.random.Generator, size: float) -> Shape:
    power, a, b = rng.uniform(1.5, 5.0), size / 2, size / 2 * rng.uniform(0.4, 1.0)
    cosine, sine = np.cos(TURN), np.sin(TURN)
    boundary = np.c_[
        a * np.sign(cosine) * np.abs(cosine) ** (2 / power), b * np.sign(sine) * np.abs(sine) ** (2 / power)
    ]
    return Shape(boundary, lambda x, y: np.abs(x / a) ** power + np.abs(y / b) ** power <= 1)


def lobulated(rng: np.random.Generator, size: float) -> Shape:
    lobes, depth, phase, squeeze = rng.integers(3, 6), rng.uniform(0.05, 0.2), rng.uniform(0, 6.3), rng.uniform(0.6, 1)

    def radius(angle: np.ndarray) -> np.ndarray:
        return size / 2 / (1 + depth) * (1 + depth * np.cos(lobes * angle + phase))

    boundary = radius(TURN)[:, None] * np.c_[np.cos(TURN), squeeze * np.sin(TURN)]
    return Shape(boundary, lambda x, y: np.hypot(x, y / squeeze) <= radius(np.arctan2(y / squeeze, x)))


def crescent(rng: np.random.Generator, size: float) -> Shape:
    """A bent band with round ends."""
    half, width = rng.uniform(0.8, 1.5), rng.uniform(0.2, 0.35)
    scale = size / (2 * (np.sin(half) + width))
    arc, cap = np.linspace(-half, half, 200), np.linspace(0, np.pi, 100)[1:-1]
    tip = np.array([np.cos(half), np.sin(half)])
    outer, inner = np.c_[np.cos(arc), np.sin(arc)] * (1 + width), np.c_[np.cos(arc), np.sin(arc)][::-1] * (1 - width)
    upper = tip + width * np.c_[np.cos(half + cap), np.sin(half + cap)]
    lower = tip * [1, -1] + width * np.c_[np.cos(np.pi - half + cap), np.sin(np.pi - half + cap)]

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        x, y = x / scale, y / scale
        band = (np.abs(np.arctan2(y, x)) <= half) & (np.abs(np.hypot(x, y) - 1) <= width)
        return band | (np.hypot(x - tip[0], np.abs(y) - tip[1]) <= width)

    return Shape(np.concatenate([outer, upper, inner, lower]) * scale, inside)


def l_shape(rng: np.random.Generator, size: float) -> Shape:
    """Two arms with sharp corners; the long axis runs from corner to corner."""
    thick, ratio = rng.uniform(0.25, 0.45), rng.uniform(0.6, 1.0)
    a = size / np.hypot(1, ratio)
    b, w = a * ratio, a * thick
    shift = np.array([a, b]) / 2
    boundary = np.array([[0, 0], [a, 0], [a, w], [w, w], [w, b], [0, b]]) - shift

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        x, y = x + shift[0], y + shift[1]
        return (x >= 0) & (y >= 0) & (((x <= a) & (y <= w)) | ((x <= w) & (y <= b)))

    return Shape(boundary, inside)


FAMILIES = (ellipse, superellipse, lobulated, crescent, l_shape)


def draw_case(family: Callable[[np.random.Generator, float], Shape], rng: np.random.Generator) -> Case:
    """A shape of random size, place and rotation as a mask, with its true diameters."""
    shape = family(rng, rng.uniform(8.0, 60.0))
    pixel_mm, angle = rng.uniform(0.5, 1.5, 2), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = rng.uniform(-0.5, 0.5, 2) * pixel_mm
    boundary = shape.boundary @ turn.T + offset
    half = np.ceil(np.abs(boundary).max(axis=0) / pixel_mm).astype(int) + 1
    axes = [
        ((np.arange((2 * n + 1) * SAMPLES) + 0.5) / SAMPLES - n - 0.5) * step
        for n, step in zip(half, pixel_mm, strict=True)
    ]
    points = (np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - offset) @ turn
    covered = shape.inside(points[..., 0], points[..., 1])
    rows, columns = 2 * half + 1
    share = covered.reshape(rows, SAMPLES, columns, SAMPLES).mean(axis=(1, 3))
    long_mm, short_mm = longest_and_perpendicular(boundary, np.roll(boundary, -1, axis=0))
    return Case(mask=share >= 0.5, pixel_mm=pixel_mm, long_mm=long_mm, short_mm=short_mm)


def longest_and_perpendicular(starts: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    """Of straight pieces (n, 2) to (n, 2): the greatest distance of two points, the longest chord across it."""
    corners = starts[ConvexHull(starts).vertices]
    apart = np.linalg.norm(corners[:, None] - corners, axis=-1)
    one, other = np.unravel_index(apart.argmax(), apart.shape)
    along = (corners[other] - corners[one]) / apart.max()
    turned = np.array([[along[0], -along[1]], [along[1], along[0]]])
    (x0, y0), (x1, y1) = (starts @ turned).T, (ends @ turned).T
    best = 0.0
    for x in np.unique(np.r_[x0, x1]):
        met = (np.minimum(x0, x1) <= x) & (x <= np.maximum(x0, x1))
        level = x1[met] == x0[met]
        share = np.where(level, 0.0, (x - x0[met]) / np.where(level, 1.0, x1[met] - x0[met]))
        y = y0[met] + share * (y1[met] - y0[met])
        best = max(best, float(np.ptp(y)))
    return float(apart.max()), best


def measure(case: Case) -> tuple[float, float]:
    """By this package."""
    geometry = Geometry.from_axes(shape=(1, *case.mask.shape), spacing_mm=(1, *case.pixel_mm), origin_mm=(0, 0, 0))
    region = Region.from_array(case.mask[None], label=1)
    assert region is not None
    found = measure_diameters(region, geometry, settings=SETTINGS)
    return float(found.long_axis_mm), float(found.short_axis_mm)


def measure_contour(case: Case, sigma_pixels: float) -> tuple[float, float]:
    """On the 0.5 level of the mask, smoothed by a plain Gaussian or, with 0, as it is (mid-edge)."""
    field = ndimage.gaussian_filter(np.pad(case.mask, 6).astype(float), sigma_pixels, mode="constant")
    contours = find_contours(field, 0.5)
    starts = np.concatenate([contour[:-1] for contour in contours]) * case.pixel_mm
    ends = np.concatenate([contour[1:] for contour in contours]) * case.pixel_mm
    return longest_and_perpendicular(starts, ends)


def print_accuracy(count: int, seed: int) -> None:
    outlines = {
        "this package": measure,
        "mid-edge": lambda case: measure_contour(case, 0.0),
        "Gaussian 0.85 px": lambda case: measure_contour(case, 0.85),
    }
    print(f"error in mm, mean +/- SD of {count} shapes a family, seed {seed}")
    print(f"{'':14}" + "".join(f"{name + ': long':>26}{'perpendicular':>16}" for name in outlines))
    for family in FAMILIES:
        rng = np.random.default_rng(seed)
        cases = [draw_case(family, rng) for _ in range(count)]
        line = f"{family.__name__:14}"
        for outline in outlines.values():
            errors = np.array([np.subtract(outline(case), (case.long_mm, case.short_mm)) for case in cases])
            (long, short), (long_sd, short_sd) = errors.mean(axis=0), errors.std(axis=0)
            line += f"{long:+18.2f} +/- {long_sd:.2f}{short:+8.2f} +/- {short_sd:.2f}"
        print(line)


def print_speed() -> None:
    """60 ellipsoids of 5-40 mm at 0.8 mm pixels against drawing every slice with scikit-image."""
    rng, lesions = np.random.default_rng(1), []
    for size in np.linspace(5.0, 40.0, 60):
        spacing = np.array([rng.choice([0.8, 1.5, 3.0]), 0.8, 0.8])
        semi = size / 2 * np.array([0.8, 1.0, rng.uniform(0.6, 1.0)])
        shape = np.ceil(size / spacing).astype(int) + 3
        grid = np.stack(np.meshgrid(*(np.arange(n) - n / 2 + 0.3 for n in shape), indexing="ij"), axis=-1) * spacing
        region = Region.from_array(((grid / semi) ** 2).sum(axis=-1) <= 1, label=1)
        assert region is not None
        lesions.append((region, Geometry.from_axes(shape=shape, spacing_mm=spacing, origin_mm=(0, 0, 0))))

    def ours() -> None:
        for region, geometry in lesions:
            measure_diameters(region, geometry, settings=SETTINGS)

    def naive() -> None:
        for region, geometry in lesions:
            pixel_mm = np.array(geometry.spacing_mm[1:])
            for plane in region.voxels:
                if plane.any():
                    measure_contour(Case(plane, pixel_mm, 0, 0), 0.0)

    times = {work.__name__: [] for work in (ours, naive)}
    for _ in range(5):
        for work in (ours, naive):
            start = time.perf_counter()
            work()
            times[work.__name__].append(time.perf_counter() - start)
    first, second = (float(np.median(times[name])) for name in ("ours", "naive"))
    print(f"60 lesions: this package {first:.3f} s, every slice mid-edge {second:.3f} s ({second / first:.0f} x)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    print_accuracy(asked.count, asked.seed)
    print_speed()
