"""How right, how honest and how fast registration is: on bodies of known motion, on pairs that must fail, and by peers.

    python benchmarks/registration.py [--cases 4] [--seed 0] [--kinds ...] [--quick] [--no-peers] [--only-speed]

Per modalities and kind: pairs, those trusted, lesions at which they are trusted, the error there in mm (mean, largest),
how many of these errors the estimate holds, by how much the worst one exceeds it, and how many are off by more than
1, 2 and 3 mm. Of the kinds that must fail every trusted pair is wrong. `--quick` images coarser (4 x 3.2 mm or so).
Peers run in the same process on the same pair, 192^3 voxels of 1.5 mm, 8 degrees and 15 mm; SimpleITK comes with this
package.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from registration_bodies import (
    GROWN,
    LESIONS,
    Array,
    Body,
    Pose,
    ct,
    grid,
    imaged_again,
    motion_of,
    mr,
    outlined,
    scan,
    sites,
)

from mdanderson.registration import Registration, Subject, register
from mdanderson.settings import ImageSettings
from mdanderson.volume import Volume

SETTINGS = ImageSettings()
RIGHT = ("moved", "bent", "overlap", "small", "arms")
MUST_FAIL = ("other person", "other size", "mirrored", "no overlap", "next level", "noise")
MODALITIES = ("CT-CT", "MR-MR", "CT-MR")
TRUNK_MM = np.array([260.0, 230.0, 320.0])


def pair(kind: str, seed: int, *, quick: bool = False) -> tuple[Subject, Subject, Pose]:
    """Two CTs of one kind, and how the body lay at the second."""
    random = np.random.default_rng([seed, *map(ord, kind)])
    person = int(random.integers(1000))
    planes, pixels = ((3.5, 4.5), (3.0, 3.4)) if quick else ((2, 3), (2.4, 2.8))
    one, two = ((float(random.choice(planes)), *[float(random.choice(pixels))] * 2) for _ in range(2))
    if not quick and random.random() < 0.5:
        two = (4.0, 2.2, 2.2)
    pose = Pose(motion=motion_of(random.uniform(0, 20), random.uniform(0, 40), seed))
    if kind == "bent":
        pose = replace(pose, bend_per_m=float(random.uniform(15, 45)))
    body, extent, centre = _later(kind, person, random)
    centre[1] = pose.to_scan(centre[1][None])[0]
    grids = [
        grid(tuple(int(n) for n in size // np.array(step)), step, middle)  # type: ignore[arg-type]
        for size, step, middle in zip(extent, (one, two), centre, strict=True)
    ]
    tables = (120.0, 130.0) if kind == "arms" else (None, None)
    fine_mm = 2.5 if quick else 1.5
    first = scan(Body(person=person), grids[0], table_mm=tables[0], seed=seed, subsample_mm=fine_mm)
    noise = float(random.choice([10, 20, 35]))
    second = scan(body, grids[1], pose=pose, table_mm=tables[1], noise_hu=noise, seed=seed + 1, subsample_mm=fine_mm)
    second = spoiled(kind, second, random)
    lesions = outlined(LESIONS, first.geometry), outlined(GROWN, second.geometry, pose)
    return Subject(volume=first, lesions=lesions[0]), Subject(volume=second, lesions=lesions[1]), pose


def _later(kind: str, person: int, random: np.random.Generator) -> tuple[Body, list[Array], list[Array]]:
    """The body at the second visit; extents (z, y, x) and middles (x, y, z) in body mm of both fields of view."""
    body = Body(person=person, lesions=GROWN)
    extent, centre = [TRUNK_MM.copy(), TRUNK_MM.copy()], [np.zeros(3), np.zeros(3)]
    if kind == "overlap":
        centre[1][2] = random.choice([-1, 1]) * TRUNK_MM[0] * (1 - random.uniform(0.35, 0.5))
    if kind == "small":
        extent[1], centre[1] = np.array([90.0, 120.0, 140.0]), np.array([0, 50, random.uniform(-40, 60)])
    if kind == "arms":
        extent = [np.array([260.0, 230.0, 420.0])] * 2
        body = replace(body, arm_degrees=float(random.uniform(10, 45)))
    if kind in ("other person", "other size"):
        size = random.uniform(0.95, 1.05) if kind == "other person" else random.choice([0.85, 0.9, 1.1, 1.15])
        body = replace(body, person=person + 1, size=float(size))
    if kind == "no overlap":
        extent = [np.array([100.0, 230, 320])] * 2
        centre[0][2], centre[1][2] = -75.0, 75.0
    if kind == "next level":
        extent = [np.array([80.0, 120.0, 140.0])] * 2
        centre = [np.array([0, 50.0, -20.0]), np.array([0, 50.0, 90.0])]
    return body, extent, centre


def as_modalities(first: Subject, second: Subject, modalities: str, seed: int) -> tuple[Subject, Subject]:
    """The same two visits as MR where `modalities` says so."""
    if modalities != "CT-CT":
        second = replace(second, volume=mr(second.volume, gain=1.3, seed=seed))
    if modalities == "MR-MR":
        first = replace(first, volume=mr(first.volume, seed=seed + 1))
    return first, second


def spoiled(kind: str, volume: Volume, random: np.random.Generator) -> Volume:
    """What an image of some kinds is instead of what was imaged."""
    if kind == "mirrored":
        return replace(volume, array=np.ascontiguousarray(volume.array[:, :, ::-1]))
    if kind == "noise":
        return ct(random.normal(200, 200, volume.array.shape), volume.geometry)
    return volume


def accuracy(kinds: list[str], cases: int, seed: int, *, quick: bool) -> None:
    print(
        f"{'kind':14s} {'images':6s} pairs trusted lesions  mean   max  estimate held  worst excess  off by >1 >2 >3 mm"
    )
    for kind in kinds:
        rows: dict[str, list[tuple[bool, Array, Array]]] = {name: [] for name in MODALITIES}
        for k in range(seed, seed + cases):
            first, second, pose = pair(kind, k, quick=quick)
            for name, row in rows.items():
                found = register(*as_modalities(first, second, name, k), settings=SETTINGS)
                row.append((found.trusted, *at_lesions(found, first, second, pose)))
        for name, row in rows.items():
            _print_row(kind, name, row)


def _print_row(kind: str, name: str, row: list[tuple[bool, Array, Array]]) -> None:
    trusted = sum(one[0] for one in row)
    errors, told = (np.concatenate([one[k] for one in row]) for k in (1, 2))
    line = f"{kind:14s} {name:6s} {len(row):5d} {trusted:7d} {errors.size:7d}"
    if errors.size:
        off = [int((errors > limit).sum()) for limit in (1, 2, 3)]
        line += f" {errors.mean():5.2f} {errors.max():5.2f} {int((errors <= told).sum()):9d}/{errors.size:<4d}"
        line += f" {(errors - told).max():12.2f} {off[0]:12d} {off[1]:2d} {off[2]:2d}"
    print(line + ("   WRONG" if trusted and kind in MUST_FAIL else ""), flush=True)


def at_lesions(found: Registration, first: Subject, second: Subject, pose: Pose) -> tuple[Array, Array]:
    """mm, at the lesions that both images show and where `found` is trusted: the error, and the error told."""
    truth = pose.to_scan(sites())
    shown = first.volume.geometry.contains(sites()) & second.volume.geometry.contains(truth)
    errors, told = [], []
    for place, there in zip(sites()[shown], truth[shown], strict=True):
        near = found.near(place)
        if near.trusted:
            errors.append(float(np.linalg.norm(near.to_follow_up(place) - there)))
            told.append(near.error_mm)
    return np.array(errors), np.array(told)


def speed() -> None:
    geometry = grid((192, 192, 192), (1.5, 1.5, 1.5))
    motion = motion_of(8, 15, 0)
    first = scan(Body(), geometry)
    later = imaged_again(first, motion, geometry)
    peers: dict[str, Callable[[], Array]] = {
        "mdanderson, both runs": lambda: register(first, later, settings=SETTINGS).matrix,
        "SimpleITK mean squares, 2x": lambda: by_simpleitk(first, later, mutual=False),
        "SimpleITK Mattes MI": lambda: by_simpleitk(first, later, mutual=True),
    }
    truth = sites() @ motion[:3, :3].T + motion[:3, 3]
    ours = 0.0
    for name, run in peers.items():
        seconds, matrix = [], np.eye(4)
        for _ in range(3 if name.startswith("mdanderson, ") else 1):
            start = time.process_time()
            matrix = run()
            seconds.append(time.process_time() - start)
        taken = float(np.median(seconds))
        ours = ours or taken
        error = np.linalg.norm(sites() @ matrix[:3, :3].T + matrix[:3, 3] - truth, axis=1)
        print(f"{name:28s} {taken:6.2f} s of CPU, {taken / ours:5.1f}x, error {error.mean():.2f} mm", flush=True)


def by_simpleitk(first: Volume, later: Volume, *, mutual: bool) -> Array:
    """(4, 4) first -> later by SimpleITK's rigid registration, from the geometric centre, on one thread."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    fixed, moving = (_as_image(SimpleITK, one) for one in (first, later))
    method = SimpleITK.ImageRegistrationMethod()
    if mutual:
        method.SetMetricAsMattesMutualInformation(50)
    else:
        method.SetMetricAsMeanSquares()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.1)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2, 1])
    method.SetInitialTransform(
        SimpleITK.CenteredTransformInitializer(fixed, moving, SimpleITK.Euler3DTransform()), inPlace=False
    )
    found = method.Execute(fixed, moving)
    origin = np.array(found.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([np.array(found.TransformPoint(tuple(axis))) - origin for axis in np.eye(3)], axis=1)
    matrix[:3, 3] = origin
    return matrix


def _as_image(library: object, volume: Volume) -> object:
    image = library.GetImageFromArray(volume.array.astype(np.float32))  # type: ignore[attr-defined]
    image.SetSpacing(volume.geometry.spacing_mm[::-1])
    image.SetOrigin([float(value) for value in volume.geometry.affine[:3, 3]])
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    every = [*RIGHT, *MUST_FAIL]
    parser.add_argument("--kinds", nargs="+", choices=every, default=every)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--only-speed", action="store_true")
    asked = parser.parse_args()
    if not asked.no_peers:
        speed()
    if not asked.only_speed:
        accuracy(asked.kinds, asked.cases, asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
