"""Which lesion is which after months and a registration that is off: this package against the two usual ways.

    python benchmarks/matching.py [--cohorts 20] [--seed 2026]

Every cohort has 60 lesions of 6-25 mm in a torso, a third of them in groups whose outlines are 8 mm apart. By the next
visit they grew, shrank, grew to one side, vanished (some with a new one 8 mm beside), merged (two, or three in a row),
split, split beside a merge, or left the field of view; every image has a grid of its own. What registration left
over is common to all lesions, a turn of the whole body, smooth (neighbours share it), or of each lesion its own, and
0 to 8 mm long. A lesion is right when the whole match that it is in is the true one. The peers answer by one-to-one
assignment, so they are also counted on the lesions that neither merged nor split.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from mdanderson.matching import Match, MatchKind, Place, match
from mdanderson.settings import ImageSettings

__all__ = ["FIELDS", "Cohort", "assigned_by_centroid", "assigned_by_overlap", "cohort", "tally"]

SETTINGS = ImageSettings()
RESIDUALS_MM = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0)
FIELDS = ("common", "turn", "smooth", "own")
GAP_MM = 8.0
CLEAR_MM = 2.0
"""Outlines this near each other at one visit would have been drawn as one."""
TORSO_MM = np.array([[-150.0, -90.0, -250.0], [150.0, 90.0, 250.0]])

FEET_MM = -230.0
"""Where the later visit's field of view ends: lesions there are cut, or lost."""
SAFE_MM = np.array([[-150.0, -90.0, -200.0], [150.0, 90.0, 250.0]])

Ball = tuple[np.ndarray, float]
"""Centre in mm and radius; a lesion is a union of balls."""
Fate = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(kw_only=True)
class Cohort:
    """One patient at two visits, the places as the registration gives them, and what became of every lesion."""

    known: list[Place] = field(default_factory=list)
    found: list[Place] = field(default_factory=list)
    truth: list[Match] = field(default_factory=list)
    off_mm: float = 0.0


class _Torso:
    """Places lesions so that the truth is well posed: nothing grows over what belongs to another."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.before: list[list[Ball]] = []
        self.after: list[list[Ball]] = []
        self.fates: list[tuple[list[int], list[int]]] = []

    def clear(self, balls: Sequence[Ball], gap_mm: float, *, but_before: Sequence[int] = ()) -> bool:
        """Whether balls keep their distance from every lesion of both visits."""
        others = [b for k, lesion in enumerate(self.before) if k not in but_before for b in lesion]
        others += [b for lesion in self.after for b in lesion]
        if not others:
            return True
        centres, radii = np.array([c for c, _ in others]), np.array([r for _, r in others])
        return all((np.linalg.norm(centres - c, axis=1) >= radii + r + gap_mm - 1e-9).all() for c, r in balls)

    def direction(self) -> np.ndarray:
        vector = self.random.normal(size=3)
        return np.asarray(vector / np.linalg.norm(vector))

    def radius(self) -> float:
        return float(self.random.uniform(3.0, 12.5))

    def group(self, count: int, *, anywhere: bool) -> list[int] | None:
        """Lesions in a bent row, outlines `GAP_MM` apart; None where there is no room."""
        balls: list[Ball] = [
            (
                self.random.uniform(*(TORSO_MM if anywhere else SAFE_MM)),
                self.radius() if count == 1 else self.radius() * 0.7 + 1,
            )
        ]
        along = self.direction()
        while len(balls) < count:
            centre, radius = balls[-1]
            other = self.radius() * 0.7 + 1
            bent = along + 0.5 * self.direction()
            place = centre + bent / np.linalg.norm(bent) * (radius + other + GAP_MM)
            if any(np.linalg.norm(place - c) < r + other + GAP_MM - 1e-9 for c, r in balls):
                return None
            balls.append((place, other))
        if not self.clear(balls, GAP_MM if count > 1 else 18.0) or any(c[2] < FEET_MM + 20 for c, _ in balls[1:]):
            return None
        first = len(self.before)
        self.before += [[ball] for ball in balls]
        return list(range(first, first + count))

    def follow(self, k: int) -> None:
        """The lesion grew or shrank, and perhaps to one side; less where others are in the way."""
        (centre, radius) = self.before[k][0]
        for factor in (float(self.random.uniform(0.5, 1.8)), 1.2, 1.0):
            size = min(radius * factor, radius + 8.0)
            centre_now = centre + self.direction() * abs(size - radius) * float(self.random.uniform(0, 0.7))
            if self.clear([(centre_now, size)], CLEAR_MM, but_before=[k]):
                self.add([k], [[(centre_now, size)]])
                return
        self.add([k], [[(centre, 0.9 * radius)]])

    def merge(self, parents: Sequence[int]) -> None:
        balls: list[Ball] = []
        for k in parents:
            centre, radius = self.before[k][0]
            balls.append((centre, 1.1 * radius))
        for (a, r), (b, s) in zip(list(balls), list(balls)[1:], strict=False):
            balls += [(a + (b - a) * t, min(r, s) * 0.8) for t in (0.25, 0.5, 0.75)]
        self.add(list(parents), [balls])

    def split(self, k: int) -> None:
        """A long lesion of which the two ends are left."""
        centre, radius = self.before[k][0]
        along = self.direction()
        self.before[k] = [(centre + along * t * radius, radius * 0.75) for t in (-0.6, 0.0, 0.6)]
        ends = [(centre + along * t * radius, radius * 0.45) for t in (-0.65, 0.65)]
        self.add([k], [[end] for end in ends])

    def new_beside(self, k: int) -> None:
        """A new lesion, its outline `GAP_MM` from the place of another; none where there is no room."""
        centre, radius = self.before[k][0]
        for _ in range(40):
            size = self.radius() * 0.6
            ball = (centre + self.direction() * (radius + size + GAP_MM), size)
            if self.clear([ball], CLEAR_MM, but_before=[k]):
                self.add([], [[ball]])
                return

    def add(self, known: list[int], found: list[list[Ball]]) -> None:
        first = len(self.after)
        self.after += found
        self.fates.append((known, list(range(first, first + len(found)))))


def cohort(seed: int, residual_mm: float, kind: str) -> Cohort:
    """One patient at two visits."""
    random = np.random.default_rng([seed, round(residual_mm * 10), FIELDS.index(kind)])
    torso = _Torso(random)
    groups: list[list[int]] = []
    for number, count in enumerate([4, 4, 3, 3, 3, 3, *[1] * 40]):
        while (group := torso.group(count, anywhere=number >= 16)) is None:
            pass
        groups.append(group)
    a, b, c, d, e, f, *alone = groups
    torso.merge(a[:3])  # a chain of three, beside one that stays
    torso.follow(a[3])
    torso.merge(b[:2])  # beside one that splits, beside one that vanished
    torso.split(b[2])
    torso.fates.append(([b[3]], []))
    torso.merge(c[1:])
    torso.follow(c[0])
    torso.split(d[1])  # between two that stay
    torso.follow(d[0])
    torso.follow(d[2])
    torso.fates.append(([e[1]], []))  # vanished between two that stay
    torso.follow(e[0])
    torso.follow(e[2])
    for k in f:
        torso.follow(k)
    for number, (k,) in enumerate(alone):
        if number < 3:  # vanished, with a new one beside it
            torso.fates.append(([k], []))
            torso.new_beside(k)
        elif number < 5:
            torso.split(k)
        else:
            torso.follow(k)
            if number < 10:
                torso.new_beside(k)
    return _imaged(torso, residual_mm, kind, random)


def _imaged(torso: _Torso, residual_mm: float, kind: str, random: np.random.Generator) -> Cohort:
    """Both visits on grids of their own, the later one displaced, its field of view cut at the feet."""
    names = random.permutation(len(torso.before)), random.permutation(len(torso.after))
    moved = _displacement(torso, residual_mm, kind, random)
    seen = Cohort()
    here = {}
    for k, lesion in enumerate(torso.before):
        points = _points(lesion, (1.5, 1.0, 1.0), random)
        place = Place(key=f"K{names[0][k]:02}", points_lps_mm=points, voxel_mm=(1.5, 1.0, 1.0))
        predicted_mm = (points - moved(points.mean(axis=0), -1))[:, 2]
        if (predicted_mm > FEET_MM - SETTINGS.matching_reach_mm).any():  # else it is far outside the field of view
            here[k] = place.shown(predicted_mm > FEET_MM)
    there: dict[int, Place] = {}
    for j, lesion in enumerate(torso.after):
        points = _points(lesion, (2.5, 0.9, 0.9), random)
        seen_here = points[:, 2] > FEET_MM
        if seen_here.any():
            shift = moved(np.mean([c for c, _ in lesion], axis=0), j)
            seen.off_mm = max(seen.off_mm, float(np.linalg.norm(shift)))
            there[j] = Place(
                key=f"f{names[1][j]:02}",
                points_lps_mm=points[seen_here] + shift,
                voxel_mm=(2.5, 0.9, 0.9),
                cut=not seen_here.all(),
            )
    seen.known, seen.found = list(here.values()), list(there.values())
    for known, found in torso.fates:
        keys = (
            tuple(sorted(here[k].key for k in known if k in here)),
            tuple(sorted(there[j].key for j in found if j in there)),
        )
        if keys != ((), ()):
            seen.truth.append(Match(kind=_kind(*keys), known=keys[0], found=keys[1]))
    return seen


def _kind(known: tuple[str, ...], found: tuple[str, ...]) -> MatchKind:
    if not known or not found:
        return MatchKind.VANISHED if known else MatchKind.NEW
    if len(known) > 1:
        return MatchKind.MERGED
    return MatchKind.SPLIT if len(found) > 1 else MatchKind.FOLLOWED


def _displacement(
    torso: _Torso, residual_mm: float, kind: str, random: np.random.Generator
) -> Callable[[np.ndarray, int], np.ndarray]:
    """Place and number of a lesion at the later visit -> mm by which registration misses it."""
    common = torso.direction() * residual_mm
    if kind == "common":
        return lambda _, __: common
    if kind == "own":
        each = [torso.direction() * residual_mm * random.uniform() ** (1 / 3) for _ in torso.after]
        return lambda _, j: each[j] if j >= 0 else np.zeros(3)
    centres = np.array([np.mean([c for c, _ in lesion], axis=0) for lesion in torso.after])
    if kind == "turn":
        axis = torso.direction()
        farthest = np.linalg.norm(np.cross(axis, centres), axis=1).max()
        turn = Rotation.from_rotvec(axis * residual_mm / farthest).as_matrix()
        return lambda place, _: np.asarray(turn @ place - place)
    # Waves of 400 mm and longer: a body bends, and neighbours share what their bone does.
    waves = [
        (torso.direction() * 2 * np.pi / random.uniform(400, 1000), random.uniform(0, 6.3), torso.direction())
        for _ in range(4)
    ]
    raw = lambda place: sum(np.sin(k @ place + phase) * v for k, phase, v in waves)  # noqa: E731
    largest = max(float(np.linalg.norm(raw(c))) for c in centres)
    return lambda place, _: np.asarray(raw(place) * residual_mm / largest)


def _points(lesion: Sequence[Ball], voxel_mm: tuple[float, float, float], random: np.random.Generator) -> np.ndarray:
    """(n, 3) voxel centres of a union of balls, on a grid off by a random fraction of a voxel."""
    step = np.array(voxel_mm)[::-1]
    low = np.min([c - r for c, r in lesion], axis=0) - step * random.uniform(0.5, 1.5, 3)
    high = np.max([c + r for c, r in lesion], axis=0) + step
    axes = [np.arange(a, b, s) for a, b, s in zip(low, high, step, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.any([((points - c) ** 2).sum(axis=1) <= r * r for c, r in lesion], axis=0)
    return np.asarray(points[inside] if inside.any() else lesion[0][0][None])


def assigned_by_centroid(known: Sequence[Place], found: Sequence[Place], error_mm: float) -> list[Match]:
    """Peer: the least sum of centroid distances, pairs farther apart than the error and 5 mm left out."""
    here, there = (np.array([p.centroid_lps_mm for p in places]) for places in (known, found))
    apart = np.linalg.norm(here[:, None] - there[None], axis=2)
    return _one_to_one(known, found, apart, apart <= error_mm + 5.0)


def assigned_by_overlap(known: Sequence[Place], found: Sequence[Place], error_mm: float) -> list[Match]:  # noqa: ARG001
    """Peer: the greatest sum of Dice overlaps; without overlap no match."""
    dice = np.zeros((len(known), len(found)))
    trees = [cKDTree(p.points_lps_mm) for p in known]
    for (i, one), (j, other) in ((a, b) for a in enumerate(known) for b in enumerate(found)):
        if np.linalg.norm(one.centroid_lps_mm - other.centroid_lps_mm) < one.reach_mm + other.reach_mm:
            half = 0.5 * np.linalg.norm(one.voxel_mm)
            shared = (trees[i].query(other.points_lps_mm)[0] <= half).sum() * np.prod(other.voxel_mm)
            dice[i, j] = 2 * shared / (one.volume_mm3 + other.volume_mm3)
    return _one_to_one(known, found, -dice, dice > 0)


def _one_to_one(known: Sequence[Place], found: Sequence[Place], cost: np.ndarray, allowed: np.ndarray) -> list[Match]:
    rows, columns = linear_sum_assignment(np.where(allowed, cost, 1e3))
    pairs = [(i, j) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]
    matches = [Match(kind=MatchKind.FOLLOWED, known=(known[i].key,), found=(found[j].key,)) for i, j in pairs]
    matches += [
        Match(kind=MatchKind.VANISHED, known=(p.key,)) for i, p in enumerate(known) if i not in {a for a, _ in pairs}
    ]
    return matches + [
        Match(kind=MatchKind.NEW, found=(p.key,)) for j, p in enumerate(found) if j not in {b for _, b in pairs}
    ]


def tally(answer: Sequence[Match], truth: Sequence[Match], *, one_to_one: bool = False) -> tuple[int, int, int]:
    """Lesions of both visits that are right, wrong, ambiguous. one_to_one: without those that merged or split."""
    said = {key: one for one in answer for key in (*one.known, *one.found)}
    counts = [0, 0, 0]
    for one in truth:
        if one_to_one and one.kind in (MatchKind.MERGED, MatchKind.SPLIT):
            continue
        for key in (*one.known, *one.found):
            ambiguous = said[key].kind is MatchKind.AMBIGUOUS
            counts[0 if said[key] == one else 2 if ambiguous else 1] += 1
    return counts[0], counts[1], counts[2]


def _ours(known: Sequence[Place], found: Sequence[Place], error_mm: float) -> list[Match]:
    return list(match(known, found, error_mm=error_mm, settings=SETTINGS))


WAYS = {"mdanderson": _ours, "centroids": assigned_by_centroid, "overlap": assigned_by_overlap}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=20, help="cohorts a row")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--margin", type=float, default=0.5, help="mm by which the stated error exceeds the true one")
    arguments = parser.parse_args()
    print("lesions right / wrong / ambiguous; in brackets: wrong among those that neither merged nor split")
    print(f"{'residual':16}" + "".join(f"{name:>28}" for name in WAYS))
    seconds = dict.fromkeys(WAYS, 0.0)
    for kind in FIELDS:
        for residual in RESIDUALS_MM:
            total = {name: np.zeros(4, dtype=int) for name in WAYS}
            for seed in range(arguments.seed, arguments.seed + arguments.cohorts):
                one = cohort(seed, residual, kind)
                for name, way in WAYS.items():
                    start = time.process_time()
                    answer = way(one.known, one.found, one.off_mm + arguments.margin)
                    seconds[name] += time.process_time() - start
                    total[name] += (*tally(answer, one.truth), tally(answer, one.truth, one_to_one=True)[1])
            cells = (f"{r} / {w} / {a} ({s})" for r, w, a, s in total.values())
            print(f"{kind:8}{residual:5.1f} mm" + "".join(f"{cell:>28}" for cell in cells), flush=True)
    runs = len(FIELDS) * len(RESIDUALS_MM) * arguments.cohorts
    print("CPU seconds a patient: " + ", ".join(f"{name} {spent / runs:.3f}" for name, spent in seconds.items()))


if __name__ == "__main__":
    main()
