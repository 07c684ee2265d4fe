"""How right, how honest and how fast registration is: on bodies of known motion, on pairs that must fail, and by peers.

    python benchmarks/registration.py [--cases 4] [--seed 0] [--no-peers]

Per kind: pairs, trusted, error at the trusted lesions in mm (mean, largest), the largest error of the body's motion
alone, how many are within their estimated error + 1 mm, and how many are off by more than 1, 2 and 3 mm.
Peers run in the same process on the same
pair, 192^3 voxels of 1.5 mm, 8 degrees and 15 mm; SimpleITK comes with this package, itk-elastix is used
where installed.
"""

from __future__ import annotations

import argparse
import importlib.util
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
RIGHT = ("moved", "bent", "overlap", "small", "arms", "MR-MR", "CT-MR")
MUST_FAIL = ("other person", "mirrored", "no overlap", "next level", "noise", "other person MR-MR", "noise MR-MR")
TRUNK_MM = np.array([260.0, 230.0, 320.0])


def pair(kind: str, seed: int) -> tuple[Subject, Subject, Pose]:
    """Two visits of one kind, and how the body lay at the second."""
    random = np.random.default_rng([seed, *map(ord, kind)])
    person = int(random.integers(1000))
    one, two = ((float(random.choice(a)), *[float(random.choice(b))] * 2) for a, b in (((2, 3), (2.4, 2.8)),) * 2)
    if kind not in MUST_FAIL and random.random() < 0.5:
        two = (4.0, 2.2, 2.2)
    extent, centre = [TRUNK_MM.copy(), TRUNK_MM.copy()], [np.zeros(3), np.zeros(3)]
    degrees, shift_mm = random.uniform(0, 20), random.uniform(0, 40)
    pose = Pose(motion=motion_of(degrees, shift_mm, seed))
    body = Body(person=person, lesions=GROWN)
    if kind == "bent":
        pose = replace(pose, bend_per_m=float(random.uniform(15, 45)))
    if kind == "overlap":
        shared = random.uniform(0.35, 0.5)
        centre[1][2] = random.choice([-1, 1]) * TRUNK_MM[0] * (1 - shared)
    if kind == "small":
        extent[1], centre[1] = np.array([90.0, 120.0, 140.0]), np.array([0, 50, random.uniform(-40, 60)])
    if kind == "arms":
        extent = [np.array([260.0, 230.0, 420.0])] * 2
        body = replace(body, arm_degrees=float(random.uniform(10, 45)))
    if kind.startswith("other person"):
        body = replace(body, person=person + 1, size=float(random.uniform(0.95, 1.05)))
    if kind == "no overlap":
        extent[0], extent[1] = np.array([100.0, 230, 320]), np.array([100.0, 230, 320])
        centre[0][2], centre[1][2] = -75.0, 75.0
    if kind == "next level":
        extent = [np.array([80.0, 120.0, 140.0])] * 2
        centre = [np.array([0, 50.0, -20.0]), np.array([0, 50.0, 90.0])]
    centre[1] = pose.to_scan(centre[1][None])[0]
    grids = [
        grid(tuple(int(n) for n in size // np.array(step)), step, middle)  # type: ignore[arg-type]
        for size, step, middle in zip(extent, (one, two), centre, strict=True)
    ]
    first = scan(Body(person=person), grids[0], table_mm=120.0 if kind == "arms" else None, seed=seed)
    noise = float(random.choice([10, 20, 35]))
    second = scan(body, grids[1], pose=pose, table_mm=130.0 if kind == "arms" else None, noise_hu=noise, seed=seed + 1)
    second = spoiled(kind, second, random)
    lesions = outlined(LESIONS, first.geometry), outlined(GROWN, second.geometry, pose)
    if "MR" in kind:
        second = mr(second, gain=1.3, seed=seed)
        first = mr(first, seed=seed + 1) if "MR-MR" in kind else first
    return Subject(volume=first, lesions=lesions[0]), Subject(volume=second, lesions=lesions[1]), pose


def spoiled(kind: str, volume: Volume, random: np.random.Generator) -> Volume:
    """What an image of some kinds is instead of what was imaged."""
    if kind == "mirrored":
        return replace(volume, array=np.ascontiguousarray(volume.array[:, :, ::-1]))
    if kind.startswith("noise"):
        return ct(random.normal(200, 200, volume.array.shape), volume.geometry)
    return volume


def errors_mm(found: Registration, first: Subject, second: Subject, pose: Pose) -> tuple[Array, Array, list[bool]]:
    """At the lesions both images show: error of what a place is given, of the body's motion, and whether trusted."""
    places, truth = sites(), pose.to_scan(sites())
    shown = first.volume.geometry.contains(places) & second.volume.geometry.contains(truth)
    near = [found.near(place) for place in places[shown]]
    given = [one.to_follow_up(place) for one, place in zip(near, places[shown], strict=True)]
    local = np.linalg.norm(np.array(given).reshape(-1, 3) - truth[shown], axis=1)
    body = np.linalg.norm(found.to_follow_up(places[shown]) - truth[shown], axis=1)
    return local, body, [one.trusted for one in near]


def accuracy(cases: int, seed: int) -> None:
    print(f"{'kind':20s} pairs trusted lesions  mean   max  body's max  est. held  trusted and off by >1 >2 >3 mm")
    for kind in (*RIGHT, *MUST_FAIL):
        trusted, local, body, held = 0, [], [], 0
        for k in range(cases):
            first, second, pose = pair(kind, seed + k)
            found = register(first, second, settings=SETTINGS)
            trusted += found.trusted
            one, whole, believed = errors_mm(found, first, second, pose)
            told = [found.near(place).error_mm for place in _shown(first, second, pose)]
            believed_at = np.array(believed, dtype=bool)
            local += list(one[believed_at])
            body += list(whole[believed_at])
            held += int((one <= 1.0 + np.array(told))[believed_at].sum())
        off = [sum(e > limit for e in local) for limit in (1, 2, 3)]
        mean, most = (np.mean(local), max(local)) if local else (np.nan, np.nan)
        print(
            f"{kind:20s} {cases:5d} {trusted:7d} {len(local):7d} {mean:5.2f} {most:5.2f} "
            f"{max(body, default=np.nan):11.2f} {held:6d}/{len(local):<4d} {off[0]:19d} {off[1]:2d} {off[2]:2d}",
            flush=True,
        )


def _shown(first: Subject, second: Subject, pose: Pose) -> Array:
    places = sites()
    shown = first.volume.geometry.contains(places) & second.volume.geometry.contains(pose.to_scan(places))
    return np.asarray(places[shown])


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
    if importlib.util.find_spec("itk"):
        peers["mdanderson with elastix"] = lambda: (
            register(first, later, settings=replace(SETTINGS, registration="elastix")).matrix
        )
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
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--only-speed", action="store_true")
    asked = parser.parse_args()
    if not asked.no_peers:
        speed()
    if not asked.only_speed:
        accuracy(asked.cases, asked.seed)


if __name__ == "__main__":
    main()
