"""Whether two images compare: how CT and PET were acquired, metal beside a lesion, cement in it.

What the lesion's own reference bone makes up for is told and no more; what it cannot make up for spoils a comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.geometry import grow_box
from mdanderson.measure.marrow import painted
from mdanderson.measure.smoothing import require_hu
from mdanderson.settings import ImageSettings, Pet
from mdanderson.volume import Region, Volume

__all__ = [
    "Difference",
    "acquisition_differences",
    "cement_share",
    "has_metal_near",
    "is_too_thin",
    "mr_differences",
    "pet_differences",
]

_LEAST_METAL_MM3 = 10.0
"""A smaller piece above the limit is noise, or a calcified speck."""
_UNTOLD = "unknown"
_OTHER_NUCLIDE = 1.05
"""Headers round a half-life; no two nuclides of PET are this near (F-18 110 min, Cu-61 200, Ga-68 68)."""
_GIVEN = "yes"
_NOT_GIVEN = ("no", "unknown")
"""DICOM asks for the contrast module where an agent was given: a header silent on it says that none was."""
_WEIGHTING = (
    ("field_strength_t", "field strength", "T"),
    ("echo_time_ms", "echo time", "ms"),
    ("repetition_time_ms", "repetition time", "ms"),
    ("inversion_time_ms", "inversion time", "ms"),
)
_OTHER_WEIGHTING = 1.3
"""Times and fields are set to a few values; a protocol that differs by less is the same protocol."""
_TOLD = (("kernel", "reconstruction kernel"), ("scanner", "scanner model"))
"""What moves noise and edges more than the density of a place: told, and no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing in which two images were made differently. spoils: whether their measurements do not compare."""

    what: str
    spoils: bool


def acquisition_differences(
    then: Mapping[str, str], now: Mapping[str, str], *, settings: ImageSettings
) -> tuple[Difference, ...]:
    """What differs between two `Volume.acquisition`; a fact that either image does not state differs from nothing.

    A contrast agent adds 11 +/- 19 HU to L1 (Pickhardt 2016, Osteoporos Int 27:147) and more to what is perfused;
    trabecular bone reads 8 % more at 100 kV and 5 % less at 140 kV than at 120 (16,747 scans, AAPM 2026, paper 1859).
    """
    return tuple(_differences(then, now, settings))


def mr_differences(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """What differs between two MR images by their `Volume.acquisition`; a contrast agent lights up marrow, and spoils.

    Field strength and times of echo and repetition weigh lesion and marrow differently: told.
    """
    return tuple(_mr_differences(then, now))


def pet_differences(then: Mapping[str, str], now: Mapping[str, str], *, settings: Pet) -> tuple[Difference, ...]:
    """What differs between two PETs by their `Volume.acquisition`; another tracer shows something else, and spoils.

    Uptake goes on rising after injection: PERCIST 1.0 wants both scans within 15 minutes of each other.
    """
    return tuple(_pet_differences(then, now, settings))


def has_metal_near(volume: Volume, region: Region, *, settings: ImageSettings) -> bool:
    """Whether metal lies in the region's planes within `metal_reach_mm`: its streaks are no density.

    Raises `UnitError` unless the image is in HU.
    """
    require_hu(volume)
    reach_mm = settings.metal_reach_mm
    box = (region.box[0], *grow_box(region.box, volume.geometry, reach_mm)[1:])
    bright = np.greater_equal(volume.array[box], settings.metal_hu) & volume.imaged(box)
    least = _LEAST_METAL_MM3 / volume.geometry.voxel_volume_mm3
    if bright.sum() < least:
        return False
    pieces, count = ndimage.label(bright, structure=np.ones((3, 3, 3)))
    large = np.bincount(pieces.ravel(), minlength=count + 1) >= least
    large[0] = False
    away_mm = ndimage.distance_transform_edt(~painted([region], box), sampling=volume.geometry.spacing_mm)
    return bool((away_mm[large[pieces]] <= reach_mm).any())


def cement_share(volume: Volume, region: Region, *, settings: ImageSettings) -> float:
    """Share of a region denser than any bone that heals: cement or metal. Raises `UnitError` unless in HU."""
    require_hu(volume)
    inside = region.voxels & volume.imaged(region.box)
    dense = np.greater_equal(volume.array[region.box][inside], settings.cement_hu)
    return float(dense.mean()) if dense.size else 0.0


def is_too_thin(volume: Volume, region: Region, *, settings: ImageSettings) -> bool:
    """Whether a region, as a ball, is less than `density_planes` planes across: partial volume hides what is in it."""
    diameter_mm = np.cbrt(6.0 / np.pi * int(region.voxels.sum()) * volume.geometry.voxel_volume_mm3)
    return bool(diameter_mm < settings.density_planes * volume.geometry.spacing_mm[0])


def _agent_differences(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    agents = then.get("contrast_agent", ""), now.get("contrast_agent", "")
    if _GIVEN in agents and (agents[0] in _NOT_GIVEN or agents[1] in _NOT_GIVEN):
        given = "then, not now" if agents[0] == _GIVEN else "now, not then"
        yield Difference(what=f"contrast agent given {given}", spoils=True)


def _mr_differences(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    yield from _agent_differences(then, now)
    for key, name, unit in _WEIGHTING:
        values = _numbers(then, now, key)
        if values and max(values) > _OTHER_WEIGHTING * min(values):
            yield Difference(what=f"{name} {values[0]:g} {unit}, now {values[1]:g} {unit}", spoils=False)


def _differences(then: Mapping[str, str], now: Mapping[str, str], settings: ImageSettings) -> Iterator[Difference]:
    yield from _agent_differences(then, now)
    voltages = _numbers(then, now, "kvp")
    if voltages and voltages[0] != voltages[1]:
        what = f"tube voltage {voltages[0]:g} kV, now {voltages[1]:g} kV"
        yield Difference(what=what, spoils=abs(voltages[0] - voltages[1]) > settings.voltage_change_kv)
    planes = _numbers(then, now, "slice_thickness_mm")
    if planes and max(planes) >= settings.plane_spacing_change * min(planes):
        yield Difference(what=f"slices of {planes[0]:g} mm, now {planes[1]:g} mm", spoils=False)
    for key, name in _TOLD:
        if then.get(key) and now.get(key) and then[key] != now[key]:
            yield Difference(what=f"{name} {then[key]}, now {now[key]}", spoils=False)


def _pet_differences(then: Mapping[str, str], now: Mapping[str, str], settings: Pet) -> Iterator[Difference]:
    tracers = then.get("tracer", _UNTOLD), now.get("tracer", _UNTOLD)
    if tracers[0] != tracers[1] and _UNTOLD not in tracers:
        yield Difference(what=f"tracer {tracers[0]}, now {tracers[1]}", spoils=True)
    elif tracers[0] != tracers[1]:
        yield Difference(what=f"tracer {tracers[0]}, now {tracers[1]}: see that it is the same", spoils=False)
    elif tracers[0] == "other":
        yield Difference(what="tracers are neither FDG, NaF nor PSMA: see that they are the same", spoils=False)
    half_lives = _numbers(then, now, "half_life_minutes")
    if half_lives and max(half_lives) > _OTHER_NUCLIDE * min(half_lives):
        what = f"radionuclide of {half_lives[0]:g} minutes half-life, now {half_lives[1]:g}"
        yield Difference(what=what, spoils=True)
    uptake = _numbers(then, now, "uptake_minutes")
    if uptake and abs(uptake[0] - uptake[1]) > settings.uptake_change_minutes:
        yield Difference(what=f"scanned {uptake[0]:.0f} min after injection, now {uptake[1]:.0f} min", spoils=False)
    for key, name in _TOLD:
        if then.get(key) and now.get(key) and then[key] != now[key]:
            yield Difference(what=f"{name} {then[key]}, now {now[key]}", spoils=False)


def _numbers(then: Mapping[str, str], now: Mapping[str, str], key: str) -> tuple[float, float] | None:
    """Both images' value of a fact; None where one of them states none, or what is no positive number."""
    try:
        first, second = float(then.get(key, "")), float(now.get(key, ""))
    except ValueError:
        return None
    return (first, second) if first > 0 and second > 0 else None
