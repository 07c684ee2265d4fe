"""How much tracer a lesion takes up against uninvolved bone (docs/details.md, definitions for images).

Raw counts are never compared: dose, time and table speed scale them. A ratio has none of that in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdanderson.errors import MeasurementError
from mdanderson.geometry import FloatArray
from mdanderson.measure.skeleton import ScanSurvey, require_counts
from mdanderson.measure.uptake_reference import UptakeReference
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import View
from mdanderson.volume import Region, Volume

__all__ = ["PlaceUptake", "UptakeMeasure", "UptakeRatio", "geometric_mean", "measure_uptake", "place_uptake"]

_CORE_SDS = 2.0
"""A core of a place that is as normal as the rest exceeds it by noise; twice its error is let through."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UptakeMeasure:
    """Uptake of one region in one image.

    mean_counts, max_counts: a pixel. ratio: mean against the reference; ratio_sd: its standard error by Poisson, None
    where the noise is not Poisson's. Both are None without a reference, and `why` says what stands in the way.
    """

    mean_counts: float
    max_counts: float
    pixels: int
    reference: UptakeReference
    view: View | None = None
    ratio: float | None = None
    ratio_sd: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class UptakeRatio:
    """The ratio of one lesion over the views that show it. views: which; blank for SPECT. why: where there is none."""

    ratio: float | None
    ratio_sd: float | None = None
    views: tuple[View, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlaceUptake:
    """What the place of a known focus shows now, though nobody outlined it.

    core_ratio: of the hottest part of the place, at a scale of 4 mm. normal: whether neither exceeds what is normal;
    None where there is no reference.
    """

    measure: UptakeMeasure
    core_ratio: float | None = None
    normal: bool | None = None
    why: str = ""


def measure_uptake(volume: Volume, region: Region, reference: UptakeReference) -> UptakeMeasure:
    """Uptake of `region` (on the grid of `volume`) against its reference, planar or SPECT.

    Raises `UnitError` unless the image holds counts, `MeasurementError` when no voxel of the region was imaged.
    """
    require_counts(volume)
    values = _imaged(volume, region)
    mean = float(values.mean())
    ratio, ratio_sd = None, None
    if reference.level is not None:
        ratio = mean / reference.level
        ratio_sd = _standard_error(ratio, float(values.sum()), reference)
    return UptakeMeasure(
        mean_counts=mean,
        max_counts=float(values.max()),
        pixels=int(values.size),
        reference=reference,
        view=volume.view,
        ratio=ratio,
        ratio_sd=ratio_sd,
        why=reference.why if ratio is None else "",
    )


def geometric_mean(ant: UptakeMeasure | None, post: UptakeMeasure | None) -> UptakeRatio:
    """The ratio over both views: the root of their product, in which the depth of a focus cancels nearly.

    Where only one view has a ratio it stands alone, and `views` says which: it is not to be compared with a ratio over
    both.
    """
    shown = [one for one in (ant, post) if one is not None and one.ratio is not None]
    if not shown:
        told = [one.why for one in (ant, post) if one is not None]
        return UptakeRatio(ratio=None, why="; ".join(dict.fromkeys(told)) or "no view shows the lesion")
    ratios = [float(one.ratio) for one in shown if one.ratio is not None]
    errors = [
        one.ratio_sd / ratio for one, ratio in zip(shown, ratios, strict=True) if one.ratio_sd is not None and ratio
    ]
    ratio = float(np.prod(ratios)) ** (1.0 / len(ratios))
    whole = len(errors) == len(ratios)
    return UptakeRatio(
        ratio=ratio,
        ratio_sd=ratio * float(np.sqrt(np.sum(np.square(errors)))) / len(ratios) if whole else None,
        views=tuple(one.view for one in shown if one.view is not None),
    )


def place_uptake(
    volume: Volume, region: Region, reference: UptakeReference, *, survey: ScanSurvey, settings: ImageSettings
) -> PlaceUptake:
    """Whether the bare place `region` of a known focus takes up no more than normal bone now (CR4), or is still hot.

    A focus that shrank within its old outline leaves a low mean: so the hottest part of the place is asked as well,
    against the hottest of the mirrored side where that is the reference. Raises as `measure_uptake`.
    """
    measure = measure_uptake(volume, region, reference)
    if measure.ratio is None or reference.level is None:
        return PlaceUptake(measure=measure, why=measure.why)
    per_count = float(np.nanmean(survey.smooth[region.box][region.voxels])) / max(measure.mean_counts, 1e-9)
    core = float(np.nanmax(survey.smooth[region.box][region.voxels])) / max(per_count, 1e-9)
    against = reference.level
    if reference.region is not None:
        like = survey.smooth[reference.region.box][reference.region.voxels]
        against = max(against, float(np.nanmax(like)) / max(per_count, 1e-9))
    core_ratio = core / against
    limit = settings.normal_uptake
    allowed = limit * (1.0 + _CORE_SDS * (measure.ratio_sd or 0.0) / measure.ratio) if measure.ratio else limit
    if measure.ratio > limit:
        return PlaceUptake(measure=measure, core_ratio=core_ratio, normal=False, why="the place is still hot")
    if core_ratio > allowed:
        return PlaceUptake(measure=measure, core_ratio=core_ratio, normal=False, why="a part of the place is still hot")
    return PlaceUptake(measure=measure, core_ratio=core_ratio, normal=True)


def _imaged(volume: Volume, region: Region) -> FloatArray:
    values = np.asarray(volume.array[region.box][region.voxels & volume.imaged(region.box)], dtype=np.float64)
    if not values.size:
        raise MeasurementError(
            f"label {region.label} lies where nothing was imaged",
            where=volume.source,
            way_out="segment inside the field of view",
        )
    return values


def _standard_error(ratio: float, counts: float, reference: UptakeReference) -> float | None:
    """Of a ratio, by Poisson: counts of the region and of the reference."""
    if reference.relative_sd is None or reference.counts_per_event is None or counts <= 0:
        return None
    return float(ratio * np.sqrt(reference.counts_per_event / counts + reference.relative_sd**2))
