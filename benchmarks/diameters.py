"""How far measured diameters lie from the truth, what no rule could reach, and how long they take.

    python benchmarks/diameters.py [--count 100] [--seed 7] [--bound 0]

Shapes of 8-60 mm at any rotation and offset on pixels of 0.5-1.5 mm by 0.5-1.5 mm; a mask holds the pixels at least
half covered (10 x 10 samples each). Truth comes from the shape's own boundary, never from pixels. "perpendicular" is
the longest chord between outermost crossings at right angles to the true long axis. `--bound 30` adds what cannot be
reached: for 30 shapes a family, by how much the truth differs among outlines that give the very same mask.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from shapes import FAMILIES, OTHERS, Family
from skimage.measure import find_contours, points_in_poly

from mdanderson.geometry import Geometry
from mdanderson.measure.diameters import measure_diameters
from mdanderson.settings import ImageSettings
from mdanderson.volume import Region

__all__ = ["FAMILIES", "OTHERS", "Case", "draw_case", "longest_and_perpendicular", "measure", "print_accuracy"]

SETTINGS = ImageSettings()
SAMPLES = 10
SPOTS_AT_ONCE = 200


class Case(NamedTuple):
    mask: np.ndarray
    pixel_mm: np.ndarray
    long_mm: float
    short_mm: float
    boundary: np.ndarray
    """(points, 2) mm from the middle of the mask."""


def draw_case(family: Family, rng: np.random.Generator) -> Case:
    """A shape of random size, place and rotation as a mask, with its true diameters."""
    shape = family(rng, rng.uniform(8.0, 60.0))
    pixel_mm, angle = rng.uniform(0.5, 1.5, 2), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = rng.uniform(-0.5, 0.5, 2) * pixel_mm
    boundary = shape.boundary @ turn.T + offset
    half = np.ceil(np.abs(boundary).max(axis=0) / pixel_mm).astype(int) + 1

    def inside(points: np.ndarray) -> np.ndarray:
        return shape.inside(*np.moveaxis((points - offset) @ turn, -1, 0))

    mask = inside(np.moveaxis(np.indices(2 * half + 1), 0, -1) * pixel_mm - half * pixel_mm)
    near = pixels_near(boundary, pixel_mm, half)
    mask[tuple(near.T)] = inside(samples_of(near, pixel_mm, half)).mean(axis=1) >= 0.5
    long_mm, short_mm = longest_and_perpendicular(boundary)
    return Case(mask=mask, pixel_mm=pixel_mm, long_mm=long_mm, short_mm=short_mm, boundary=boundary)


def pixels_near(boundary: np.ndarray, pixel_mm: np.ndarray, half: np.ndarray) -> np.ndarray:
    """(pixels, 2): every pixel that a closed polygon may run through; all others are wholly in or out."""
    side = np.roll(boundary, -1, axis=0) - boundary
    pieces = np.ceil(np.linalg.norm(side / pixel_mm, axis=1) * 4).astype(int) + 1
    start, share = np.repeat(np.arange(len(boundary)), pieces), np.concatenate([np.arange(n) / n for n in pieces])
    crossed = np.zeros(2 * half + 1, dtype=bool)
    crossed[tuple(np.rint((boundary[start] + side[start] * share[:, None]) / pixel_mm + half).astype(int).T)] = True
    return np.argwhere(ndimage.binary_dilation(crossed, np.ones((3, 3))))


def samples_of(pixels: np.ndarray, pixel_mm: np.ndarray, half: np.ndarray) -> np.ndarray:
    """(pixels, samples, 2) mm: a regular grid of points in each."""
    step = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    grid = np.stack(np.meshgrid(step, step, indexing="ij"), axis=-1).reshape(-1, 2)
    return ((pixels - half)[:, None] + grid) * pixel_mm


def longest_and_perpendicular(boundary: np.ndarray) -> tuple[float, float]:
    """Of a closed polygon (n, 2): the greatest distance of two points, the longest chord across it."""
    return measure_pieces(boundary, np.roll(boundary, -1, axis=0))


def measure_pieces(starts: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    """The same of straight pieces (n, 2) to (n, 2)."""
    corners = starts[ConvexHull(starts).vertices]
    apart = np.linalg.norm(corners[:, None] - corners, axis=-1)
    one, other = np.unravel_index(apart.argmax(), apart.shape)
    along = (corners[other] - corners[one]) / apart.max()
    turned = np.array([[along[0], -along[1]], [along[1], along[0]]])
    (x0, y0), (x1, y1) = (starts @ turned).T, (ends @ turned).T
    low, high = np.minimum(x0, x1), np.maximum(x0, x1)
    slope = np.divide(y1 - y0, x1 - x0, out=np.zeros_like(x0), where=np.abs(x1 - x0) > 1e-9)
    best, spots = 0.0, np.unique(np.r_[x0, x1])
    for first in range(0, len(spots), SPOTS_AT_ONCE):
        x = spots[first : first + SPOTS_AT_ONCE, None]
        met = (low <= x) & (x <= high)
        y = y0 + slope * (x - x0)
        chords = np.where(met, y, -np.inf).max(axis=1) - np.where(met, y, np.inf).min(axis=1)
        best = max(best, float(chords.max()))
    return float(apart.max()), best


def measure(case: Case) -> tuple[float, float]:
    """By this package."""
    geometry = Geometry.from_axes(shape=(1, *case.mask.shape), spacing_mm=(1, *case.pixel_mm), origin_mm=(0, 0, 0))
    region = Region.from_array(case.mask[None], label=1)
    assert region is not None
    found = measure_diameters(region, geometry, settings=SETTINGS)
    return float(found.long_axis_mm), float(found.short_axis_mm)


def measure_contour(mask: np.ndarray, pixel_mm: np.ndarray, sigma_pixels: float) -> tuple[float, float]:
    """On the 0.5 level of the mask, smoothed by a plain Gaussian or, with 0, as it is (mid-edge)."""
    field = ndimage.gaussian_filter(np.pad(mask, 6).astype(float), sigma_pixels, mode="constant")
    contours = find_contours(field, 0.5)
    starts = np.concatenate([contour[:-1] for contour in contours]) * pixel_mm
    ends = np.concatenate([contour[1:] for contour in contours]) * pixel_mm
    return measure_pieces(starts, ends)


def print_accuracy(count: int, seed: int) -> None:
    outlines = {
        "this package": measure,
        "mid-edge": lambda case: measure_contour(case.mask, case.pixel_mm, 0.0),
        "Gaussian 0.85 px": lambda case: measure_contour(case.mask, case.pixel_mm, 0.85),
    }
    print(f"diameters: error in mm, mean +/- SD of {count} shapes a family, seed {seed}; aim 0.10 +/- 0.30")
    print(f"{'':14}" + "".join(f"{name + ': long':>26}{'perpendicular':>16}" for name in outlines))
    for family in FAMILIES + OTHERS:
        rng = np.random.default_rng(seed)
        cases = [draw_case(family, rng) for _ in range(count)]
        line = f"{family.__name__:14}"
        for outline in outlines.values():
            errors = np.array([np.subtract(outline(case), (case.long_mm, case.short_mm)) for case in cases])
            (long, short), (long_sd, short_sd) = errors.mean(axis=0), errors.std(axis=0)
            line += f"{long:+18.2f} +/- {long_sd:.2f}{short:+8.2f} +/- {short_sd:.2f}"
        print(line, flush=True)


# --- what no rule could reach ---------------------------------------------------------------------------------------


def same_mask(boundary: np.ndarray, case: Case, around: np.ndarray | None = None) -> bool:
    """Whether a polygon has the mask of `case`; with `around` (points, 2) only pixels near these are looked at."""
    half = np.array(case.mask.shape) // 2
    if (np.abs(boundary / case.pixel_mm) >= half + 0.5).any():
        return False
    if around is None:
        near = pixels_near(boundary, case.pixel_mm, half)
    else:
        near = np.unique(np.rint(around / case.pixel_mm + half).astype(int), axis=0)
        near = np.unique((near[:, None] + np.indices((3, 3)).reshape(2, -1).T - 1).reshape(-1, 2), axis=0)
    inside = points_in_poly(samples_of(near, case.pixel_mm, half).reshape(-1, 2), boundary)
    share = inside.reshape(len(near), -1).mean(axis=1)
    return bool(((share >= 0.5) == case.mask[tuple(near.T)]).all())


def twin(case: Case, rng: np.random.Generator, moves: int = 60) -> np.ndarray:
    """Another outline of the very same mask: gentle bumps of at most 0.3 pixels over 6 to 16, where the mask allows."""
    pixel = float(np.sqrt(case.pixel_mm.prod()))
    outline = case.boundary.copy()
    if not same_mask(outline, case):  # a sample on the line itself; leave it
        return outline
    for _ in range(moves):
        steps = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
        place = np.cumsum(steps) - steps
        away = np.abs((place - rng.uniform(0, steps.sum()) + steps.sum() / 2) % steps.sum() - steps.sum() / 2)
        reach = rng.uniform(3.0, 8.0) * pixel
        bump = rng.uniform(-0.3, 0.3) * pixel * np.where(away < reach, np.cos(np.pi / 2 * away / reach) ** 2, 0.0)
        tangent = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
        normal = tangent[:, ::-1] * [1, -1] / np.linalg.norm(tangent, axis=1, keepdims=True)
        moved = outline + bump[:, None] * normal
        if same_mask(moved, case, moved[away < reach + pixel]):
            outline = moved
    return outline


def rounded_off(case: Case) -> np.ndarray:
    """The polygon with its corners rounded as far as the mask stays the same."""
    pixel = float(np.sqrt(case.pixel_mm.prod()))
    best = case.boundary
    for radius in np.arange(0.25, 4.0, 0.25) * pixel:
        round_one = fillet(case.boundary, float(radius))
        if not same_mask(round_one, case):
            break
        best = round_one
    return best


def fillet(corners: np.ndarray, radius: float) -> np.ndarray:
    """A polygon (corners, 2) with every corner replaced by an arc."""
    points = []
    for before, at, after in zip(np.roll(corners, 1, axis=0), corners, np.roll(corners, -1, axis=0), strict=True):
        one, other = ((end - at) / np.linalg.norm(end - at) for end in (before, after))
        half_angle = np.arccos(np.clip(one @ other, -1, 1)) / 2
        along = radius / np.tan(half_angle)
        middle = at + (one + other) / np.linalg.norm(one + other) * radius / np.sin(half_angle)
        first, last = at + one * along - middle, at + other * along - middle
        share = np.linspace(0, 1, 12)[:, None]
        arc = first * (1 - share) + last * share
        points.append(middle + arc * radius / np.linalg.norm(arc, axis=1, keepdims=True))
    return np.concatenate(points)


def print_bound(count: int, seed: int) -> None:
    """Truths of two outlines with one mask: no rule can be right on both, at best it is wrong by half on either."""
    print(f"one mask, two outlines: difference of their truths in mm, mean +/- SD of {count} shapes, seed {seed}")
    for family in FAMILIES:
        rng = np.random.default_rng(seed)
        other = (lambda case, _: rounded_off(case)) if family.__name__ == "l_shape" else twin
        differences = []
        for _ in range(count):
            case = draw_case(family, rng)
            truth = longest_and_perpendicular(other(case, rng))
            differences.append(np.subtract(truth, (case.long_mm, case.short_mm)))
        (long, short), (long_sd, short_sd) = np.mean(differences, axis=0), np.std(differences, axis=0)
        print(f"{family.__name__:14}{long:+8.2f} +/- {long_sd:.2f}{short:+8.2f} +/- {short_sd:.2f}", flush=True)


# --- speed ----------------------------------------------------------------------------------------------------------


def print_speed() -> None:
    """60 ellipsoids of 5-40 mm at 0.8 mm pixels against drawing every slice with scikit-image; processor time."""
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
                    measure_contour(plane, pixel_mm, 0.0)

    times: dict[str, list[float]] = {"ours": [], "naive": []}
    for _ in range(5):
        for name, work in (("ours", ours), ("naive", naive)):
            start = time.process_time()
            work()
            times[name].append(time.process_time() - start)
    first, second = (float(np.median(times[name])) for name in ("ours", "naive"))
    ratio = float(np.median(np.divide(times["naive"], times["ours"])))
    print(
        f"60 lesions: this package {first:.3f} s, every slice mid-edge with scikit-image {second:.3f} s ({ratio:.0f} x)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bound", type=int, default=0)
    asked = parser.parse_args()
    print_accuracy(asked.count, asked.seed)
    if asked.bound:
        print_bound(asked.bound, asked.seed)
    print_speed()
