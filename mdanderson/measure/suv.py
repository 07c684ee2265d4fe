"""Uptake of a lesion on PET: SUVmax, SULpeak, metabolic volume, TLG; and what a bare place shows.

The image is in SUV by body weight. SUL is SUV times the share of lean body mass, which the reader leaves in
`Volume.acquisition`. Liver and blood pool, against which PERCIST calls a lesion measurable, are not sought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.errors import UnitError
from mdanderson.geometry import box_shape, grow_box
from mdanderson.lesions import touches_edge
from mdanderson.measure.marrow import painted
from mdanderson.measure.peak import sphere_peak
from mdanderson.measure.smoothing import Values, raw_values
from mdanderson.settings import Pet
from mdanderson.volume import Region, Unit, Volume

__all__ = ["PlaceSuv", "SuvMeasure", "measure_suv", "place_suv", "sul_per_suv"]

_ROBUST = 1.4826
"""Robust SD = this many times the median absolute deviation."""
_AIR_SUV = 0.1
"""Less is air or table, no background; lung has about 0.4."""

_ROUNDING = 1e-6
"""Single precision; uptake at the limit is as background."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuvMeasure:
    """Uptake in one region.

    suv_max, suv_mean: of its imaged voxels, by body weight (g/ml). suv_peak_bw, sul_peak: greatest mean over a sphere
    of `peak_sphere_ml` centred in it, by body weight and by lean body mass. metabolic_volume_ml: by `volume_by`.
    tlg_bw, tlg: SUV and SUL summed over that volume (g). None where it cannot be told; `why` says so, and what else is
    to be known.
    """

    suv_max: float
    suv_mean: float
    suv_peak_bw: float | None
    sul_peak: float | None
    peak_lps_mm: tuple[float, float, float] | None
    metabolic_volume_ml: float
    tlg_bw: float
    tlg: float | None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceSuv:
    """Uptake at a place that nobody segmented, against the shell round it; by body weight (g/ml).

    limit_suv: up to which uptake is as background. is_background: whether the place's peak is; None where it is not
    hotter than a shell that is none to compare with, or there is no shell, and `why` says the reason.
    """

    suv_max: float
    suv_mean: float
    suv_peak_bw: float | None
    background_suv: float | None = None
    background_robust_sd: float | None = None
    limit_suv: float | None = None
    is_background: bool | None = None
    why: str = ""


def measure_suv(volume: Volume, region: Region, *, settings: Pet) -> SuvMeasure:
    """Uptake in `region` (on the grid of `volume`).

    Raises `UnitError` unless the image is in SUV, `MeasurementError` when no voxel of the region was imaged.
    """
    _require_suv(volume)
    values = raw_values(volume, region)
    peak = sphere_peak(volume, region, sphere_ml=settings.peak_sphere_ml)
    share, no_share = sul_per_suv(volume, settings=settings)
    counted = values[values >= _threshold(values, settings)]
    voxel_ml = volume.geometry.voxel_volume_mm3 / 1000.0
    tlg_bw = float(counted.sum(dtype=np.float64)) * voxel_ml
    notes = (no_share, "" if peak else _no_sphere(settings), *_doubts(volume, region, settings))
    return SuvMeasure(
        suv_max=float(values.max()),
        suv_mean=float(values.mean(dtype=np.float64)),
        suv_peak_bw=peak.mean if peak else None,
        sul_peak=peak.mean * share if peak and share else None,
        peak_lps_mm=peak.centre_lps_mm if peak else None,
        metabolic_volume_ml=counted.size * voxel_ml,
        tlg_bw=tlg_bw,
        tlg=tlg_bw * share if share else None,
        why="; ".join(note for note in notes if note),
    )


def place_suv(volume: Volume, region: Region, *, others: Sequence[Region] = (), settings: Pet) -> PlaceSuv:
    """What a bare place shows, and whether its uptake is as that of the shell round it.

    others: lesions kept out of the shell. Raises as `measure_suv`.
    """
    _require_suv(volume)
    values = raw_values(volume, region)
    peak = sphere_peak(volume, region, sphere_ml=settings.peak_sphere_ml)
    hottest, mean = float(values.max()), float(values.mean(dtype=np.float64))
    bare = PlaceSuv(suv_max=hottest, suv_mean=mean, suv_peak_bw=peak.mean if peak else None)
    if peak is None or values.size < int(region.voxels.sum()):
        return _without_verdict(bare, _no_sphere(settings) if peak is None else "part of the place was not imaged")
    shell = _shell(volume, region, others, settings)
    least = settings.background_minimum_ml * 1000.0 / volume.geometry.voxel_volume_mm3
    if shell.size < least:
        return _without_verdict(bare, f"less than {settings.background_minimum_ml:g} ml of background round the place")
    median = float(np.median(shell))
    robust_sd = _ROBUST * float(np.median(np.abs(shell - median)))
    limit = max(median + settings.background_robust_sd * robust_sd, settings.background_ratio * median)
    is_hot = peak.mean > limit * (1 + _ROUNDING)
    why = "" if is_hot else _no_background(volume, median, robust_sd, settings)
    return PlaceSuv(
        suv_max=hottest,
        suv_mean=mean,
        suv_peak_bw=peak.mean,
        background_suv=median,
        background_robust_sd=robust_sd,
        limit_suv=limit,
        is_background=None if why else not is_hot,
        why=why,
    )


def sul_per_suv(volume: Volume, *, settings: Pet) -> tuple[float | None, str]:
    """Lean body mass as a share of body weight by the formula `lean_mass`; None with the reason where nothing tells."""
    stated = volume.acquisition.get(f"sul_per_suv_{settings.lean_mass}")
    if stated is None:
        missing = volume.acquisition.get("sul_missing", "the image does not tell sex, height and weight")
        return None, f"no SUL: {missing}"
    return float(stated), ""


def _require_suv(volume: Volume) -> None:
    if volume.unit is not Unit.SUV:
        raise UnitError(
            f"voxels in {volume.unit}, uptake on PET needs SUV",
            where=volume.source,
            way_out="read the original DICOM series, or an image in SUV by body weight",
        )


def _threshold(values: Values, settings: Pet) -> float:
    """From which SUV on a voxel of the region is metabolic volume."""
    if settings.volume_by == "mask":
        return -np.inf
    return settings.volume_suv if settings.volume_by == "fixed" else settings.volume_share * float(values.max())


def _no_sphere(settings: Pet) -> str:
    return f"no sphere of {settings.peak_sphere_ml:g} ml centred in it lies wholly in the image"


def _doubts(volume: Volume, region: Region, settings: Pet) -> tuple[str, ...]:
    """What a reader of the numbers should know of the region."""
    ml = int(region.voxels.sum()) * volume.geometry.voxel_volume_mm3 / 1000.0
    small = f"smaller than the sphere of {settings.peak_sphere_ml:g} ml: its peak takes in what is round it"
    cut = touches_edge(region, volume.geometry) or not volume.imaged(region.box)[region.voxels].all()
    return (small if ml < settings.peak_sphere_ml else "", "cut by the edge of what was imaged" if cut else "")


def _shell(volume: Volume, region: Region, others: Sequence[Region], settings: Pet) -> Values:
    """(n,): background values between two distances from the place, away from other lesions, without air."""
    gap_mm, reach_mm = settings.background_gap_mm, settings.background_gap_mm + settings.background_shell_mm
    box = grow_box(region.box, volume.geometry, reach_mm)
    spacing = volume.geometry.spacing_mm
    away_mm = ndimage.distance_transform_edt(~painted([region], box), sampling=spacing)
    wanted = (away_mm > gap_mm) & (away_mm <= reach_mm) & volume.imaged(box)
    for other in others:
        wide = grow_box(box, volume.geometry, gap_mm)
        lesion = painted([other], wide)
        if lesion.any():
            near = ndimage.distance_transform_edt(~lesion, sampling=spacing) <= gap_mm
            start = [part.start - out.start for part, out in zip(box, wide, strict=True)]
            wanted &= ~near[tuple(slice(a, a + n) for a, n in zip(start, box_shape(box), strict=True))]
    values = np.asarray(volume.array[box][wanted], dtype=np.float32)
    return values[values >= _AIR_SUV]


def _no_background(volume: Volume, median: float, robust_sd: float, settings: Pet) -> str:
    """Why a place that is no hotter than its shell is not cold for that; blank where it is."""
    if robust_sd > settings.background_unevenness * median:
        return f"the background is uneven: SUV {median:.1f}, robust SD {robust_sd:.1f}"
    if median > settings.background_highest_suv and volume.acquisition.get("tracer") != "NaF":
        return f"the surroundings are hot themselves: SUV {median:.1f}"
    return ""


def _without_verdict(bare: PlaceSuv, why: str) -> PlaceSuv:
    return PlaceSuv(suv_max=bare.suv_max, suv_mean=bare.suv_mean, suv_peak_bw=bare.suv_peak_bw, why=why)
