"""How often the density rows of the criteria come out right on phantoms of known answers.

    python benchmarks/density.py [--seed 7]

A lesion in a bone of cortex and trabecular bone between muscle and fat, imaged at baseline and again as unchanged,
filled, half filled, rimmed, normal again, or smaller without healing. 27 rows of an orthogonal array vary noise, slice
thickness, bone density, lesion size and the error of registration; the reference bone is found from the image, and
each follow-up is moved against the place the baseline gives. Prints hit rates per question and level, and the misses.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import Geometry
from mdanderson.measure.density import (
    DensityMeasure,
    FillIn,
    lesion_type,
    lytic_region,
    measure_density,
    measure_fill_in,
)
from mdanderson.measure.reference import ReferenceBone, find_reference
from mdanderson.measure.rim import measure_rim
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import LesionType, Modality
from mdanderson.volume import Region, Unit, Volume

__all__ = ["Ball", "Bone", "Case", "array", "as_volume", "cases", "grid", "outline", "paint", "questions"]

SETTINGS = ImageSettings()
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


class Case(NamedTuple):
    noise_hu: float
    slice_mm: float
    bone_hu: float
    size_mm: float
    shift_mm: float


LEVELS = Case((5, 20, 40), (1, 3, 5), (230, 150, 90), (10, 20, 40), (0, 1, 2))


def cases() -> Iterator[Case]:
    """27 rows of an orthogonal array: every pair of levels of the first three, every level of all nine times."""
    for a, b, c in itertools.product(range(3), repeat=3):
        levels = (a, b, c, (a + b + c) % 3, (a + 2 * b) % 3)
        yield Case(*(options[k] for options, k in zip(LEVELS, levels, strict=True)))


def questions(case: Case, seed: int = 7) -> dict[str, tuple[bool, str]]:
    """Question -> whether it was answered rightly, and the figures behind it."""
    big = case.size_mm > 30
    bone = Bone(case.bone_hu, *((600.0, 2.0, 36.0, 32.0, 30.0) if big else ()))
    half = case.size_mm / 2
    lesion = Ball((0.0, -1.0, 3.0), (half, half, half))
    geometry = grid((case.slice_mm, 1.0, 1.0), (case.size_mm + 14, 88 if big else 60, 96 if big else 70))
    shift = np.array([0.5, 0.6, 0.62]) * case.shift_mm
    settings, count = SETTINGS, itertools.count(seed * 1000)

    def imaged(*balls: Ball, moved: bool = True) -> Volume:
        hu = array(geometry, paint(bone, *balls), shift_mm=shift if moved else (0, 0, 0))
        return as_volume(hu, geometry, noise_hu=case.noise_hu, seed=next(count))

    def reference(volume: Volume, region: Region) -> ReferenceBone | None:
        return find_reference(volume, region, lesions=[region], settings=settings)

    baseline, place = imaged(lesion, moved=False), outline(geometry, lesion)
    own = reference(baseline, place)
    if own is None:
        return {"reference": (False, "none")}
    at_baseline = measure_density(baseline, place, own, settings=settings)
    lytic = lytic_region(baseline, place, own, settings=settings)
    rim_before = measure_rim(baseline, place, own, settings=settings).rim_fraction
    kind = lesion_type(at_baseline.lytic_fraction, at_baseline.sclerotic_fraction, settings=settings)
    answers = {
        "reference": (abs(own.median_hu - case.bone_hu) <= 15, f"{own.median_hu:.0f}"),
        "type": (kind is LesionType.LYTIC, f"{at_baseline.lytic_fraction:.2f} {kind}"),
    }
    if lytic is None:
        return answers
    core = 0.5 ** (1 / 3)
    visits = {
        "same": ((lesion,), set()),
        "filled": ((lesion._replace(hu=750.0),), {"CR1", "PR1 fill"}),
        "half": (
            (lesion._replace(hu=750.0), lesion._replace(semi_axes=tuple(core * s for s in lesion.semi_axes))),
            {"PR1 fill"},
        ),
        "rim": ((lesion.grown(3.0, 600.0), lesion), {"PR1 rim"}),
        "normal": ((), {"CR2"}),
        "smaller": ((lesion.grown(-0.05 * case.size_mm, 40.0),), set()),
    }
    for name, (balls, expected) in visits.items():
        volume = imaged(*balls)
        now = reference(volume, place)
        if now is None:
            answers[f"reference, {name}"] = (False, "none")
            continue
        filled = measure_fill_in(volume, lytic, now, settings=settings)
        density = measure_density(volume, place, now, settings=settings)
        drawn = outline(geometry, balls[-1], shift_mm=shift) if balls else place
        rim = measure_rim(volume, drawn, now, settings=settings).rim_fraction
        fired = _fired(filled, density, rim, rim_before, settings)
        if name in ("half", "rim"):  # filled from the border a lesion looks rimmed; a shifted place overlaps the rim
            fired -= {"PR1 rim", "PR1 fill"} - expected
        figures = f"fill {filled.fill_in_fraction:.2f} cleared {filled.cleared_fraction:.2f} rim {rim:.2f}"
        figures += f" lytic {density.lytic_fraction:.2f} sclerotic {density.sclerotic_fraction:.2f}"
        answers[name] = (fired == expected, f"{sorted(fired)} {figures} median {density.median_hu:.0f}")
    return answers


def _fired(filled: FillIn, density: DensityMeasure, rim: float, rim_before: float, settings: ImageSettings) -> set[str]:
    """Which density rows hold, by the settings' thresholds; the criteria room has its own code for this."""
    reference = density.reference
    near = max(settings.normal_robust_sd * reference.robust_sd_hu, settings.normal_minimum_hu)
    rows = {
        "CR1": filled.cleared_fraction >= settings.complete_fill_in
        and filled.fill_in_fraction >= settings.complete_fill_in_sclerotic,
        "CR2": abs(density.median_hu - reference.median_hu) <= near
        and max(density.lytic_fraction, density.sclerotic_fraction) < settings.normal_class_share,
        "PR1 fill": filled.fill_in_fraction >= settings.partial_fill_in,
        "PR1 rim": rim >= settings.rim_fraction and rim - rim_before >= settings.rim_fraction_rise,
    }
    return {code for code, holds in rows.items() if holds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    start = time.perf_counter()
    hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    misses = []
    for case in cases():
        for question, (right, figures) in questions(case, arguments.seed).items():
            for name, value in zip(Case._fields, case, strict=True):
                hits[question][f"{name}={value}"].append(right)
            if not right:
                misses.append(f"{question:>10} {tuple(case)} {figures}")
    columns = [f"{name}={value}" for name, values in zip(Case._fields, LEVELS, strict=True) for value in values]
    print(f"{'':>18} " + " ".join(f"{column.replace('_hu', '').replace('_mm', ''):>9}" for column in columns))
    for question, rates in hits.items():
        cells = (f"{sum(rates[c])}/{len(rates[c])}" if c in rates else "-" for c in columns)
        print(f"{question:>18} " + " ".join(f"{cell:>9}" for cell in cells))
    print("\n".join(["", "misses: noise, slice, bone, size, shift", *misses]))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
