"""MR signal of a lesion as ratios: to normal marrow, opposed to in phase, fat to all; and ADC in um2/s.

A gain cancels in each of them. The ratio to marrow takes medians: voxels at the border of a lesion, which hold marrow
as well, weigh least in a median (decisions/, `benchmarks/mr_signal.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.geometry import FloatArray, Geometry, same_grid, same_space
from mdanderson.measure.signal_reference import NoReference, SignalReference
from mdanderson.measure.smoothing import raw_values, smoothed_values
from mdanderson.settings import ImageSettings, Settings
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import Region, Unit, Volume

__all__ = [
    "AdcMeasure",
    "PairRatio",
    "PlaceSignal",
    "SignalMeasure",
    "fat_fraction",
    "measure_adc",
    "measure_signal",
    "opposed_in_ratio",
    "place_signal",
]

_LEAST_VALID = 0.5
"""Share of a region's voxels that must hold a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalMeasure:
    """Signal of one region in one image.

    mean, median: of its voxels as they are. ratio: its median over that of `reference`; None, with `why`, where there
    is no reference.
    """

    mean: float
    median: float
    voxels: int
    ratio: float | None = None
    reference: SignalReference | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceSignal:
    """What a place shows where nobody segmented anything.

    ratio: median over that of the reference. ratio_p10, ratio_p90: percentiles at the scale `smoothing_sigma_mm`.
    abnormal_fraction: share of the place (0-1) outside what its sequence calls normal (CR3). abnormal_focus_mm:
    diameter of a ball as large as the largest such part that hangs together, 0 where there is none.
    All None, with `why`, where there is no reference, or where the sequence cannot tell.
    """

    ratio: float | None = None
    ratio_p10: float | None = None
    ratio_p90: float | None = None
    abnormal_fraction: float | None = None
    abnormal_focus_mm: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairRatio:
    """A quantity of two images of one visit in one region; None with `why` where it cannot be told."""

    value: float | None = None
    voxels: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AdcMeasure:
    """Apparent diffusion coefficient of one region in um2/s, over the voxels whose fit did not fail (> 0).

    Mean, median and percentiles; all None with `why` where more than half of the region has no value.
    """

    mean_um2_s: float | None = None
    median_um2_s: float | None = None
    p10_um2_s: float | None = None
    p90_um2_s: float | None = None
    voxels: int = 0
    why: str = ""


def measure_signal(
    volume: Volume, region: Region, reference: SignalReference | NoReference, *, settings: Settings
) -> SignalMeasure:
    """Signal of `region` (on the grid of `volume`), as a ratio where there is a reference.

    Raises `MeasurementError` when no voxel of the region was imaged.
    """
    raw = raw_values(volume, region).astype(np.float64)
    known = isinstance(reference, SignalReference)
    too_few = raw.size < settings.mr.lesion_minimum_voxels
    median = float(np.median(raw))
    why = reference.why if isinstance(reference, NoReference) else ""
    if known and too_few:
        why = f"{raw.size} voxels are too few to judge its signal"
    return SignalMeasure(
        mean=float(raw.mean()),
        median=median,
        voxels=int(raw.size),
        ratio=median / reference.median if isinstance(reference, SignalReference) and not too_few else None,
        reference=reference if isinstance(reference, SignalReference) else None,
        why=why,
    )


def place_signal(
    volume: Volume, place: Region, reference: SignalReference | NoReference, *, settings: Settings
) -> PlaceSignal:
    """The same of a place, with its spread and what of it is abnormal in this sequence (a blank one is read as T1).

    Raises `MeasurementError` when no voxel of the place was imaged.
    """
    measured = measure_signal(volume, place, reference, settings=settings)
    limits = _normal_limits(volume.sequence, settings.image)
    if measured.ratio is None or measured.reference is None or limits is None:
        return PlaceSignal(why=measured.why or f"signal in {volume.sequence} is not compared with marrow")
    support = place.voxels & volume.imaged(place.box)
    values = smoothed_values(volume, place.box, support, sigma_mm=settings.image.smoothing_sigma_mm)
    ratios = values.astype(np.float64) / measured.reference.median
    outside = np.zeros(support.shape, dtype=bool)
    outside[support] = (ratios < limits[0]) | (ratios > limits[1])
    return PlaceSignal(
        ratio=measured.ratio,
        ratio_p10=float(np.percentile(ratios, 10)),
        ratio_p90=float(np.percentile(ratios, 90)),
        abnormal_fraction=float(outside[support].mean()),
        abnormal_focus_mm=_largest_mm(outside, volume.geometry),
    )


def opposed_in_ratio(in_phase: Volume, opposed: Volume, region: Region, geometry: Geometry) -> PairRatio:
    """Mean opposed-phase over mean in-phase signal in `region`, which lies on `geometry` (either image's grid).

    Uncorrected images: both share one bias field. Marrow with fat reads below 0.8, tumour about 1 (RSNA 2004).
    Raises `MeasurementError` for other sequences, or images and region in different frames of reference.
    """
    _require(in_phase, MrSequence.IN)
    _require(opposed, MrSequence.OPP)
    first, second, why = _pair(in_phase, opposed, region, geometry)
    if not why and first.sum() <= 0:
        why = "no in-phase signal there"
    if why:
        return PairRatio(why=why)
    return PairRatio(value=float(second.mean() / first.mean()), voxels=int(first.size))


def fat_fraction(fat: Volume, water: Volume, region: Region, geometry: Geometry) -> PairRatio:
    """Fat over fat and water in `region` in per cent (0-100), from the means. Raises as `opposed_in_ratio`."""
    _require(fat, MrSequence.FAT)
    _require(water, MrSequence.WATER)
    first, second, why = _pair(fat, water, region, geometry)
    if not why and first.sum() + second.sum() <= 0:
        why = "no signal of fat or water there"
    if why:
        return PairRatio(why=why)
    return PairRatio(value=float(100.0 * first.mean() / (first.mean() + second.mean())), voxels=int(first.size))


def measure_adc(volume: Volume, region: Region) -> AdcMeasure:
    """ADC of `region` (on the grid of `volume`).

    Raises `UnitError` unless the values are um2/s, `MeasurementError` when no voxel of the region was imaged.
    """
    if volume.unit is not Unit.ADC:
        raise UnitError(
            f"voxels in {volume.unit}, not in {Unit.ADC}",
            where=volume.source,
            way_out="measure ADC on a map in 1e-6 mm2/s",
        )
    raw = raw_values(volume, region).astype(np.float64)
    fitted = raw[raw > 0]
    if fitted.size < _LEAST_VALID * raw.size:
        return AdcMeasure(voxels=int(fitted.size), why=f"ADC has a value in {fitted.size} of {raw.size} voxels only")
    p10, median, p90 = np.percentile(fitted, (10, 50, 90))
    return AdcMeasure(
        mean_um2_s=float(fitted.mean()),
        median_um2_s=float(median),
        p10_um2_s=float(p10),
        p90_um2_s=float(p90),
        voxels=int(fitted.size),
    )


def _normal_limits(sequence: MrSequence | None, settings: ImageSettings) -> tuple[float, float] | None:
    """Ratios to marrow that CR3 calls normal; None for a sequence whose ratio to marrow says nothing."""
    if sequence in {MrSequence.T2, MrSequence.STIR}:
        return 0.0, settings.normal_t2_high
    if sequence in {MrSequence.T1, None}:
        return settings.normal_t1_low, settings.normal_t1_high
    return None


def _largest_mm(places: npt.NDArray[np.bool_], geometry: Geometry) -> float:
    """Diameter of a ball as large as the largest connected piece."""
    pieces, count = ndimage.label(places)
    most = int(np.bincount(pieces.ravel(), minlength=2)[1:].max()) if count else 0
    return float(np.cbrt(6.0 / np.pi * most * geometry.voxel_volume_mm3))


def _require(volume: Volume, sequence: MrSequence) -> None:
    if volume.sequence is not sequence:
        raise MeasurementError(
            f"a {volume.sequence or 'nameless'} image where {sequence} is needed",
            where=volume.source,
            way_out="name the sequence of each image in the manifest",
        )


def _pair(one: Volume, other: Volume, region: Region, geometry: Geometry) -> tuple[FloatArray, FloatArray, str]:
    """Both images' values at the region's voxel centres where both have one; why there are too few, else blank."""
    for volume in (one, other):
        if not same_space(volume.geometry, geometry):
            raise MeasurementError(
                "two images of a pair lie in different frames of reference",
                where=volume.source,
                way_out="pair images of one acquisition",
            )
    points = geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
    first, second = (_at(volume, region, points, geometry) for volume in (one, other))
    both = ~np.isnan(first) & ~np.isnan(second)
    why = "" if both.mean() >= _LEAST_VALID else f"both images show {np.count_nonzero(both)} of {both.size} voxels only"
    return first[both], second[both], why


def _at(volume: Volume, region: Region, points_lps_mm: FloatArray, geometry: Geometry) -> FloatArray:
    """(n,): the image at the region's voxels, linear between its own; NaN where it was not imaged."""
    if same_grid(volume.geometry, geometry):
        values = np.asarray(volume.array[region.box], dtype=np.float64)
        return np.asarray(np.where(volume.imaged(region.box), values, np.nan)[region.voxels])
    everything = (slice(None), slice(None), slice(None))
    values = np.where(volume.imaged(everything), np.asarray(volume.array, dtype=np.float64), np.nan)
    index = np.moveaxis(volume.geometry.to_voxel(points_lps_mm), -1, 0)
    found = ndimage.map_coordinates(values, index, order=1, mode="nearest")
    return np.asarray(np.where(volume.geometry.contains(points_lps_mm), found, np.nan))
