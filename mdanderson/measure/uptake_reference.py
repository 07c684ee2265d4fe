"""Reference bone on a bone scan: what a lesion's counts are compared with, for counts alone mean nothing.

Order: a given mask; the mirrored side; the skeleton near by; the whole skeleton. What has no other side (spine,
sternum) goes to the skeleton near the body's axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.measure.mirrored import mirrored_region
from mdanderson.measure.skeleton import ScanSurvey, require_counts, round_regions, survey_scan
from mdanderson.settings import Scintigraphy
from mdanderson.volume import BoolArray, Mask, Region, Volume

__all__ = ["GIVEN", "MIRRORED", "NEAR_BY", "WHOLE", "UptakeReference", "find_uptake_reference"]

GIVEN = "given mask"
MIRRORED = "mirrored side"
NEAR_BY = "skeleton near by"
WHOLE = "whole skeleton"

_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_MEDIAN_ERROR = np.pi / 2
"""Variance of a median against that of a mean."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UptakeReference:
    """Uninvolved bone of one image, or why there is none.

    level: counts a pixel that ratios are taken to: the mean of a given mask or of the mirrored side, the median of the
    skeleton; None where no reference is valid, and `why` says so. robust_sd: of its pixels. relative_sd: of the level,
    by Poisson and, where the mirrored side was sought, by where it may lie; None where the noise is not Poisson's.
    region: of the mirrored side. counts_per_event: see `ScanSurvey`.
    """

    source: str = ""
    level: float | None = None
    robust_sd: float = 0.0
    pixels: int = 0
    relative_sd: float | None = None
    counts_per_event: float | None = None
    region: Region | None = None
    why: str = ""


def find_uptake_reference(
    volume: Volume,
    region: Region,
    *,
    neighbours: Sequence[Region],
    reference_mask: Mask | None = None,
    bone_map: Mask | None = None,
    survey: ScanSurvey | None = None,
    like: UptakeReference | None = None,
    carried: Region | None = None,
    settings: Scintigraphy,
) -> UptakeReference:
    """What the uptake of `region` is compared with, on a planar view or SPECT; `neighbours` are all lesions of it.

    A given mask is taken as it is. A `bone_map` replaces the skeleton found from the counts. `survey`: of this volume
    and its lesions, where it was made already. like: the baseline's reference; then only the same source is sought, for
    a change of reference is no change of the lesion. carried: the region of that reference brought to this grid by the
    registration; then the same bone is measured again, and where the other side lies is not sought anew.
    Raises `UnitError` unless the image holds counts, `MaskError` when a mask lies in another frame of reference.
    """
    require_counts(volume)
    lesions = (region, *(one for one in neighbours if one is not region))
    survey = survey or survey_scan(volume, lesions=lesions, bone_map=bone_map, settings=settings)
    if reference_mask is not None:
        given = round_regions(reference_mask.on_grid(volume.geometry), volume.geometry, 0.0)
        return _measured(volume, given, GIVEN, survey, least=1)
    if survey.superscan:
        return UptakeReference(why=survey.superscan)
    midline = _is_midline(region, volume.geometry, survey, settings)
    doubts = []
    for source in _order(midline, like, settings):
        if source == MIRRORED and like is not None and carried is not None:
            found = _carried(volume, carried, lesions, survey, settings)
        elif source == MIRRORED:
            found = _mirrored(volume, region, lesions, survey, settings)
        else:
            found = _skeletal(volume, region, lesions, survey, settings, source=source, midline=midline)
        if found.level is not None:
            return found
        doubts.append(found.why)
    return UptakeReference(why="; ".join(dict.fromkeys(doubts)))


def _order(midline: bool, like: UptakeReference | None, settings: Scintigraphy) -> tuple[str, ...]:
    if like is not None and like.level is not None:
        return (like.source,)
    skeleton = (NEAR_BY, WHOLE)
    return skeleton if midline or settings.reference == "skeleton" else (MIRRORED, *skeleton)


def _is_midline(region: Region, geometry: Geometry, survey: ScanSurvey, settings: Scintigraphy) -> bool:
    if survey.mirror is None:
        return False
    centre = _points(region, geometry).mean(axis=0)
    return bool(_off_axis_mm(centre, survey.mirror) <= settings.midline_mm)


def _off_axis_mm(points: FloatArray, mirror: FloatArray) -> FloatArray:
    """(...,): half the way from (..., 3) LPS mm to their like on the other side."""
    return np.asarray(np.linalg.norm(points @ mirror[:3, :3].T + mirror[:3, 3] - points, axis=-1) / 2.0)


def _points(region: Region, geometry: Geometry) -> FloatArray:
    return geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])


def _mirrored(
    volume: Volume, region: Region, lesions: Sequence[Region], survey: ScanSurvey, settings: Scintigraphy
) -> UptakeReference:
    """The other side, unless it is a lesion or urine itself, or too hot to be bone."""
    found, why = mirrored_region(volume, region, lesions, survey, settings)
    if found is None:
        return UptakeReference(why=why)
    inside = round_regions([found.region], volume.geometry, 0.0)
    reference = _measured(volume, inside, MIRRORED, survey, least=1)
    if reference.level is None:
        return reference
    spared = survey.skeleton & ~round_regions(lesions, volume.geometry, settings.reference_margin_mm)
    typical = _values(volume, spared)
    if typical.size and reference.level > settings.reference_hottest * float(np.median(typical)):
        return UptakeReference(why="the mirrored side is too hot to be a reference")
    relative_sd = None if reference.relative_sd is None else float(np.hypot(reference.relative_sd, found.placing_sd))
    return replace(reference, region=found.region, relative_sd=relative_sd)


def _carried(
    volume: Volume, carried: Region, lesions: Sequence[Region], survey: ScanSurvey, settings: Scintigraphy
) -> UptakeReference:
    """The other side as the baseline found it, but for lesions that are there now."""
    guarded = round_regions(lesions, volume.geometry, settings.reference_margin_mm)
    left = carried.narrowed(carried.voxels & ~guarded[carried.box])
    if left is None or 2 * np.count_nonzero(left.voxels) < np.count_nonzero(carried.voxels):
        return UptakeReference(why="the mirrored side holds a lesion now")
    reference = _measured(volume, round_regions([left], volume.geometry, 0.0), MIRRORED, survey, least=1)
    return replace(reference, region=left)


def _skeletal(
    volume: Volume,
    region: Region,
    lesions: Sequence[Region],
    survey: ScanSurvey,
    settings: Scintigraphy,
    *,
    source: str,
    midline: bool,
) -> UptakeReference:
    """The median of the skeleton; near by, and near the axis for what lies there, or all of it."""
    pool = survey.skeleton & ~round_regions(lesions, volume.geometry, settings.reference_margin_mm)
    if source == NEAR_BY:
        index = np.argwhere(pool)
        places = volume.geometry.to_lps(index)
        near = np.linalg.norm(places - _points(region, volume.geometry).mean(axis=0), axis=1)
        kept = near <= settings.reference_reach_mm
        if midline and survey.mirror is not None:
            kept &= _off_axis_mm(places, survey.mirror) <= settings.midline_mm
        pool = np.zeros_like(pool)
        pool[tuple(index[kept].T)] = True
    return _measured(volume, pool, source, survey, least=settings.reference_minimum_pixels)


def _values(volume: Volume, inside: BoolArray) -> FloatArray:
    everything = (slice(None), slice(None), slice(None))
    return np.asarray(volume.array[inside & volume.imaged(everything)], dtype=np.float64)


def _measured(volume: Volume, inside: BoolArray, source: str, survey: ScanSurvey, *, least: int) -> UptakeReference:
    values = _values(volume, inside)
    if values.size < least:
        return UptakeReference(why=f"{source}: {values.size} pixels are too few")
    median = float(np.median(values))
    of_skeleton = source in {NEAR_BY, WHOLE}
    level = median if of_skeleton else float(values.mean())
    if level <= 0:
        return UptakeReference(why=f"{source}: nothing was counted there")
    relative_sd = None
    if survey.counts_per_event is not None:
        events = float(values.sum()) / survey.counts_per_event
        relative_sd = float(np.sqrt((_MEDIAN_ERROR if of_skeleton else 1.0) / events))
    return UptakeReference(
        source=source,
        level=level,
        robust_sd=_ROBUST * float(np.median(np.abs(values - median))),
        pixels=int(values.size),
        relative_sd=relative_sd,
        counts_per_event=survey.counts_per_event,
    )
