"""SULpeak and the verdict on a bare place, on PET phantoms of known answers.

    python benchmarks/pet.py [--cases 30] [--seed 5] [--set background_ratio=1.3 ...]

A ball of known uptake lies at random between the voxels, is blurred as a scanner blurs it (6 mm) and given noise that
is blurred as well. Prints

1. the peak of a sphere of 1 ml against a search over every 0.5 mm of the lesion, and against voxel centres alone;
2. how much SUVmax and both peaks vary where the same lesion falls otherwise on the voxels, and their bias against the
   peak in the middle of the same ball, centred on a voxel, without noise;
3. CPU milliseconds a lesion;
4. how often a place is called background: where nothing is left (right), and where a rest of the lesion is (wrong).

With --set only the last.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import Geometry
from mdanderson.measure.peak import sphere_peak, sphere_weights
from mdanderson.measure.suv import measure_suv, place_suv
from mdanderson.settings import Pet
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Unit, Volume

FINE = 5
BLUR_SIGMA_MM = 6.0 / 2.3548
RADIUS_MM = float(np.cbrt(3000 / (4 * np.pi)))
SIZES_MM = (8.0, 12.0, 20.0, 30.0)
STEP_MM = 4.0

Image = npt.NDArray[np.float64]


def blurred_ball(shape: int, centre: npt.ArrayLike, radius_mm: float) -> Image:
    """(shape, shape, shape): share of each 4 mm voxel in a ball, seen through the blur."""
    fine = (np.arange(shape * FINE) + 0.5) / FINE - 0.5
    squares = [((fine - at) * STEP_MM) ** 2 for at in np.asarray(centre, dtype=float)]
    inside = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :] <= radius_mm**2
    share = ndimage.gaussian_filter(inside.astype(np.float32), BLUR_SIGMA_MM / (STEP_MM / FINE))
    return np.asarray(share.reshape(shape, FINE, shape, FINE, shape, FINE).mean(axis=(1, 3, 5)), dtype=float)


def noise(rng: np.random.Generator, shape: int, share: float) -> Image:
    """Factors round 1 with a standard deviation of `share`, as rough as the scanner's resolution."""
    white = ndimage.gaussian_filter(rng.normal(size=(shape,) * 3), BLUR_SIGMA_MM / STEP_MM)
    return np.asarray(1.0 + share * white / white.std())


def as_volume(values: Image) -> Volume:
    geometry = Geometry.from_axes(shape=values.shape, spacing_mm=(STEP_MM,) * 3, origin_mm=(0.0, 0.0, 0.0))
    return Volume(array=values.astype(np.float32), geometry=geometry, unit=Unit.SUV, modality=Modality.PT)


def as_region(mask: npt.NDArray[np.bool_]) -> Region:
    region = Region.from_array(mask, label=1)
    assert region is not None
    return region


def ball_mask(shape: int, centre: npt.ArrayLike, radius_mm: float) -> npt.NDArray[np.bool_]:
    squares = [((np.arange(shape) - at) * STEP_MM) ** 2 for at in np.asarray(centre, dtype=float)]
    mask = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :] <= radius_mm**2
    mask[tuple(np.rint(np.asarray(centre)).astype(int))] = True
    return np.asarray(mask)


def on_lattice(values: Image, mask: npt.NDArray[np.bool_], count: int) -> float:
    """The greatest 1 ml mean over `count`^3 centres in every voxel of the mask; count 1 = voxel centres."""
    offsets = (np.arange(count) + 0.5) / count - 0.5
    best = -np.inf
    padded = np.pad(values, 3)
    for offset in product(offsets, repeat=3):
        weights = sphere_weights(offset, spacing_mm=(STEP_MM,) * 3, radius_mm=RADIUS_MM, half=(3, 3, 3))
        means = ndimage.correlate(padded, weights)[3:-3, 3:-3, 3:-3]
        best = max(best, float(means[mask].max()))
    return best


def drawn(rng: np.random.Generator, diameter_mm: float, *, noisy: float) -> tuple[Image, npt.NDArray[np.bool_]]:
    """A lesion of SUV 8 in a background of 1, and its mask."""
    shape = int(diameter_mm / STEP_MM) + 16
    centre = shape / 2 + rng.uniform(-0.5, 0.5, 3)
    values = 1.0 + 7.0 * blurred_ball(shape, centre, diameter_mm / 2)
    return values * noise(rng, shape, noisy), ball_mask(shape, centre, diameter_mm / 2)


def peak_of(values: Image, mask: npt.NDArray[np.bool_]) -> float:
    peak = sphere_peak(as_volume(values), as_region(mask), sphere_ml=1.0)
    assert peak is not None
    return peak.mean


def against_search(rng: np.random.Generator, cases: int) -> None:
    print("1. peak of 1 ml, noise 20 %: short of a search every 0.5 mm; above voxel centres (%)")
    for diameter in SIZES_MM:
        found = []
        for _ in range(max(1, cases // 6)):
            values, mask = drawn(rng, diameter, noisy=0.2)
            ours, dense, centred = peak_of(values, mask), on_lattice(values, mask, 8), on_lattice(values, mask, 1)
            found.append((100 * (dense / ours - 1), 100 * (ours / centred - 1)))
        short, gain = np.array(found).T
        more = f"gain, mean {gain.mean():5.2f}, most {gain.max():5.2f}"
        print(f"   {diameter:4.0f} mm: short, worst {short.max():6.3f}; {more}")


def repeatability(rng: np.random.Generator, cases: int) -> None:
    print("2. one lesion on other voxels: coefficient of variation and bias (%) of SUVmax, peak on voxel centres, peak")
    for noisy, diameter in product((0.0, 0.1), SIZES_MM):
        shape = int(diameter / STEP_MM) + 16
        fine = blurred_ball(shape, (shape // 2,) * 3, diameter / 2)
        truth = peak_of(1.0 + 7.0 * fine, ball_mask(shape, (shape // 2,) * 3, 1.0))
        found = []
        for _ in range(cases):
            values, mask = drawn(rng, diameter, noisy=noisy)
            found.append((float(values[mask].max()), on_lattice(values, mask, 1), peak_of(values, mask)))
        figures = np.array(found)
        variation, bias = 100 * figures.std(axis=0) / figures.mean(axis=0), 100 * (figures.mean(axis=0) / truth - 1)
        told = "; ".join(f"{v:4.1f} ({b:+5.1f})" for v, b in zip(variation, bias, strict=True))
        print(f"   noise {noisy:4.0%}, {diameter:4.0f} mm: {told}")


def verdicts(rng: np.random.Generator, cases: int, settings: Pet) -> None:
    print("4. place of 20 mm called background / hot / not told (%), background SUV 1.5")
    courses: Sequence[tuple[str, float, float]] = (
        ("nothing left", 0.0, 0.0),
        *((f"rest of {d:.0f} mm, {c:g} x background", d, c) for d, c in product((8.0, 12.0, 20.0), (1.5, 2.0, 4.0))),
    )
    for name, diameter, contrast in courses:
        line = []
        for noisy in (0.1, 0.2):
            told = []
            for _ in range(cases):
                shape = 21
                place = shape / 2 + rng.uniform(-0.5, 0.5, 3)
                rest = place + rng.uniform(-1.0, 1.0, 3) * (20.0 - diameter) / 4 / STEP_MM
                values = 1.5 + 1.5 * (contrast - 1) * blurred_ball(shape, rest, diameter / 2) if diameter else 1.5
                image = as_volume(values * noise(rng, shape, noisy))
                told.append(place_suv(image, as_region(ball_mask(shape, place, 10.0)), settings=settings).is_background)
            counts = [100 * sum(one is word for one in told) / cases for word in (True, False, None)]
            line.append("/".join(f"{count:4.0f}" for count in counts))
        print(f"   {name:32s} noise 10 %: {line[0]}   20 %: {line[1]}")


def speed(rng: np.random.Generator, cases: int) -> None:
    lesions = [(as_volume(values), as_region(mask)) for values, mask in (drawn(rng, d, noisy=0.1) for d in SIZES_MM)]
    for image, region in lesions:
        measure_suv(image, region, settings=Pet())
    began = time.process_time()
    for _ in range(cases):
        for image, region in lesions:
            measure_suv(image, region, settings=Pet())
    spent_ms = 1000 * (time.process_time() - began) / (cases * len(lesions))
    print(f"3. all of a lesion's uptake: {spent_ms:.1f} ms CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=NUMBER", dest="changes")
    arguments = parser.parse_args()
    changes = {key: float(value) for key, value in (change.split("=") for change in arguments.changes)}
    if not changes:
        against_search(np.random.default_rng(arguments.seed), arguments.cases)
        repeatability(np.random.default_rng(arguments.seed), arguments.cases)
        speed(np.random.default_rng(arguments.seed), arguments.cases)
    verdicts(np.random.default_rng(arguments.seed), arguments.cases, replace(Pet(), **changes))


if __name__ == "__main__":
    main()
