"""Where the error of diameters comes from, and what was tried against sharp corners; the figures of decision 4.

    python benchmarks/outline_trials.py [--count 60] [--seed 11]

"true direction": the perpendicular on our outline at right angles to the true long axis. "edges met": at either end of
the long axis straight lines are fitted to the mid-edge outline on both sides, 1.5 to 10 (7, 5) pixels away; where both
are straight to a third of a pixel and turn by more than 60 degrees, they are met beyond the outline, at most 1.2 pixels
away from the end.
"""

from __future__ import annotations

import argparse

import numpy as np
from diameters import Case, draw_case, measure
from shapes import FAMILIES, OTHERS
from skimage.measure import find_contours

from mdanderson.measure.diameters import _longest_chord
from mdanderson.measure.outline import Outline, draw_outlines, squared_distances
from mdanderson.settings import ImageSettings

NEAR, RADII, STRAIGHT, LEAST_TURN, FURTHEST = 1.5, (10.0, 7.0, 5.0), 0.33, 60.0, 1.2


def outline_of(case: Case) -> Outline:
    return draw_outlines(case.mask[None], case.pixel_mm, ImageSettings())[0]


def along_truth(case: Case) -> float:
    """mm: the perpendicular to the true long axis."""
    points = case.boundary
    apart = squared_distances(points)
    one, other = np.unravel_index(apart.argmax(), apart.shape)
    along = (points[other] - points[one]) / np.sqrt(apart.max())
    low, high = _longest_chord(outline_of(case).segments(), along, float(np.sqrt(case.pixel_mm.prod())) / 4)
    return float(np.linalg.norm(high - low))


def edges_met(case: Case) -> float:
    """mm: the long axis between corners."""
    ends = outline_of(case).ends
    apart = squared_distances(ends)
    pair = np.array(np.unravel_index(apart.argmax(), apart.shape))
    contour = max(find_contours(np.pad(case.mask, 1).astype(float), 0.5), key=len)[:-1] - 1
    one, other = (corner(contour, end) for end in ends[pair] / case.pixel_mm)
    return float(np.linalg.norm((other - one) * case.pixel_mm))


def corner(contour: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(2,) pixels: where the edges on both sides of an end meet, or the end itself."""
    nearest = int(np.linalg.norm(contour - end, axis=1).argmin())
    lines = [straight(np.roll(contour, -nearest, axis=0)[1:], contour[nearest])]
    lines.append(straight(np.roll(contour[::-1], nearest + 1, axis=0)[1:], contour[nearest]))
    if lines[0] is None or lines[1] is None:
        return end
    (at, one), (other_at, other) = lines
    turn = 180 - np.degrees(np.arccos(np.clip(one @ other, -1, 1)))
    if turn < LEAST_TURN or abs(one[0] * other[1] - one[1] * other[0]) < 0.2:
        return end
    step = np.linalg.solve(np.stack([one, -other], axis=1), other_at - at)[0]
    met = at + step * one
    return met if np.linalg.norm(met - end) <= FURTHEST else end


def straight(points: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """A point of the longest straight edge that starts near `start`, and its direction away from there."""
    away = np.linalg.norm(points - start, axis=1)
    for radius in RADII:
        beyond = np.flatnonzero(away > radius)
        edge = points[: beyond[0]][away[: beyond[0]] >= NEAR] if beyond.size else points[:0]
        if len(edge) >= 4:
            middle = edge.mean(axis=0)
            _, spread, axes = np.linalg.svd(edge - middle, full_matrices=False)
            if spread[1] / np.sqrt(len(edge)) <= STRAIGHT:
                return middle, axes[0] * np.sign(axes[0] @ (middle - start))
    return None


def print_trials(count: int, seed: int) -> None:
    print(f"error in mm, mean +/- SD of {count} shapes a family, seed {seed}")
    print(f"{'':14}{'perpendicular':>18}{'true direction':>18}{'long axis':>18}{'edges met':>18}")
    for family in FAMILIES + OTHERS:
        rng = np.random.default_rng(seed)
        errors = []
        for case in (draw_case(family, rng) for _ in range(count)):
            long_mm, short_mm = measure(case)
            found = short_mm, along_truth(case), long_mm, edges_met(case)
            errors.append(np.subtract(found, (case.short_mm, case.short_mm, case.long_mm, case.long_mm)))
        told = zip(np.mean(errors, axis=0), np.std(errors, axis=0), strict=True)
        print(f"{family.__name__:14}" + "".join(f"{mean:+9.2f} +/- {sd:.2f}" for mean, sd in told), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    print_trials(asked.count, asked.seed)
