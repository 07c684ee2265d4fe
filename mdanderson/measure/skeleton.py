"""The skeleton on a bone scan, found from its counts: what a ratio may be taken to, and how much of it is involved.

Everything is decided on counts against their mean, so that a scan of 0.8 times the counts gives the same answer.
Kidneys, bladder and the place of injection count as skeleton where they are as hot: counts alone cannot tell them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.errors import GeometryError, UnitError
from mdanderson.geometry import Box, FloatArray, Geometry, grow_box, patient_axes
from mdanderson.registration.contour import mirror_motion
from mdanderson.registration.plane_fit import matrix_of
from mdanderson.registration.shadow import Shadow, body_of, even_counts
from mdanderson.settings import Scintigraphy
from mdanderson.volume import BoolArray, Mask, Region, Unit, Volume

__all__ = ["BoneScanIndex", "ScanSurvey", "bone_scan_index", "round_regions", "survey_scan"]

_BLUR_MM = 4.0
_COARSE_MM = 9.0
_OPENING_MM = 80.0
"""Bone is narrower than this, soft tissue wider; a wider bone is told by the whole body's soft tissue."""
_OVER_LOCAL = 1.4
_OVER_WHOLE = 2.0
_OF_HOT_BONE = 0.33
"""On SPECT bone reaches this share of the way from soft tissue to the hottest tenth."""
_LEAST_MIRROR_CORRELATION = 0.5
_NOISE_RANGE = (0.2, 5.0)
"""Counts per event outside this are no scaled Poisson counts: the image was filtered or made anew."""
_MIXED = np.array([1.0, -2.0, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScanSurvey:
    """What one bone scan shows as a whole.

    smooth: (planes, rows, columns) relative counts at a scale of 4 mm, NaN where never imaged. body, skeleton: where.
    contrast: median of the skeleton without lesions against soft tissue. involved_share: share of the skeleton that
    lesions cover. mirror: (4, 4), LPS mm -> LPS mm of the same place on the other side, None where no axis of the body
    was found. counts_per_event: 1 for counts as they are, None where noise is not Poisson's (SPECT, filtered images).
    superscan: in words, why no bone is fit to be a reference; blank when there may be.
    """

    smooth: FloatArray
    body: BoolArray
    skeleton: BoolArray
    contrast: float
    involved_share: float
    mirror: FloatArray | None
    counts_per_event: float | None
    superscan: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BoneScanIndex:
    """Share of the skeleton shown that lesions cover.

    percent: None where no skeleton was found. involved, skeleton: mm2 over all views, or ml. why: in words, what the
    number does not hold, or why there is none.
    """

    percent: float | None
    involved: float
    skeleton: float
    why: str = ""


def survey_scan(
    volume: Volume, *, lesions: Sequence[Region] = (), bone_map: Mask | None = None, settings: Scintigraphy
) -> ScanSurvey:
    """Look at a bone scan as a whole; `lesions` on its grid, `bone_map` in its space.

    Raises `UnitError` unless the image holds counts.
    """
    smooth, body, skeleton = _shown(volume, bone_map)
    involved = round_regions(lesions, volume.geometry, 0.0)
    spared = skeleton & ~round_regions(lesions, volume.geometry, settings.reference_margin_mm)
    soft = smooth[body & ~skeleton & np.isfinite(smooth)]
    contrast = float("nan")
    if soft.size and spared.any():
        contrast = float(np.nanmedian(smooth[spared])) / max(float(np.median(soft)), 1e-9)
    whole = int(np.count_nonzero(skeleton | involved))
    survey = ScanSurvey(
        smooth=smooth,
        body=body,
        skeleton=skeleton,
        contrast=contrast,
        involved_share=float(np.count_nonzero(involved)) / whole if whole else 0.0,
        mirror=_mirror(volume, lesions),
        counts_per_event=_counts_per_event(volume, body) if volume.planar else None,
        superscan="",
    )
    return replace(survey, superscan=_superscan(survey, volume, settings))


def bone_scan_index(
    views: Iterable[tuple[Volume, Sequence[Region]]],
    *,
    bone_map: Mask | None = None,
) -> BoneScanIndex:
    """Percent of the skeleton that lesions cover: of its area over the planar views given, of its volume on SPECT.

    Not the bone scan index of Imbriaco (1998) and its automated successors: these weigh every bone by its mass in the
    reference man, and know kidneys and bladder from bone. An area share reads a flat bone as much as a long one, counts
    what lies behind another bone once, and depends on the field of view; it is for comparing one patient's like scans.
    Their repeat SD of 0.15 (a change above 0.30 is real at low burden) is not known to hold here. Views and volumes are
    not to be mixed. Raises `UnitError` unless the images hold counts.
    """
    involved = skeleton = 0.0
    planar = True
    for volume, lesions in views:
        _, _, seen = _shown(volume, bone_map)
        sick = round_regions(lesions, volume.geometry, 0.0)
        _, row, column = volume.geometry.spacing_mm
        unit = row * column if volume.planar else volume.geometry.voxel_volume_mm3 / 1000.0
        planar = planar and volume.planar
        involved += float(np.count_nonzero(sick)) * unit
        skeleton += float(np.count_nonzero(seen | sick)) * unit
    if not skeleton:
        return BoneScanIndex(percent=None, involved=0.0, skeleton=0.0, why="no skeleton was found on the scan")
    share_of = "area" if planar else "volume"
    return BoneScanIndex(
        percent=100.0 * involved / skeleton,
        involved=involved,
        skeleton=skeleton,
        why=f"share of the {share_of} of the skeleton shown, not of its mass",
    )


def _shown(volume: Volume, bone_map: Mask | None) -> tuple[FloatArray, BoolArray, BoolArray]:
    """(planes, rows, columns) each: smoothed counts, the body, and the skeleton that the scan shows."""
    require_counts(volume)
    spacing = volume.geometry.spacing_mm
    counts = even_counts(volume)
    body = body_of(counts, spacing)
    smooth = _smoothed(counts, spacing, _BLUR_MM)
    if bone_map is not None:
        return smooth, body, bone_map.on_grid(volume.geometry).to_label_map() > 0
    return smooth, body, _skeleton(smooth, body, spacing)


def require_counts(volume: Volume) -> None:
    """Raise `UnitError` unless the voxels are counts."""
    if volume.unit is not Unit.COUNTS:
        raise UnitError(
            f"voxels in {volume.unit}, uptake needs counts",
            where=volume.source,
            way_out="measure uptake on a bone scan or SPECT with its counts",
        )


def round_regions(regions: Iterable[Region], geometry: Geometry, margin_mm: float) -> BoolArray:
    """(planes, rows, columns): what lies in any region, or within `margin_mm` of it."""
    found = np.zeros(geometry.shape, dtype=bool)
    for region in regions:
        box = grow_box(region.box, geometry, margin_mm)
        inside = np.zeros([part.stop - part.start for part in box], dtype=bool)
        inside[_within(region.box, box)] = region.voxels
        if margin_mm > 0:
            inside = ndimage.distance_transform_edt(~inside, sampling=geometry.spacing_mm) <= margin_mm
        found[box] |= inside
    return found


def _within(inner: Box, outer: Box) -> Box:
    plane, row, column = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True))
    return plane, row, column


def _smoothed(counts: FloatArray, spacing: Sequence[float], blur_mm: float) -> FloatArray:
    """Gaussian average of what was imaged, NaN elsewhere."""
    known = np.isfinite(counts)
    sigma = [np.sqrt(max(blur_mm**2 - step**2 / 12, 0.0)) / step for step in spacing]
    weight, total = (
        ndimage.gaussian_filter(part, sigma, mode="constant", truncate=3.0)
        for part in (known.astype(np.float64), np.where(known, counts, 0.0))
    )
    return np.where(known, total / np.maximum(weight, 1e-9), np.nan)


def _skeleton(smooth: FloatArray, body: BoolArray, spacing: Sequence[float]) -> BoolArray:
    """What counts more than the soft tissue beside it, or much more than the body's soft tissue altogether."""
    if not body.any():
        return body
    beside = _soft_tissue_beside(np.where(np.isfinite(smooth), smooth, 0.0), spacing)
    local = body & (smooth > _OVER_LOCAL * beside)
    rest = smooth[body & ~local]
    whole = float(np.median(rest)) if rest.size else float("inf")
    found = np.asarray(body & (smooth > 0.7 * whole) & (local | (smooth > _OVER_WHOLE * whole)))
    if min(found.shape) == 1 or not found.any():
        return found
    # nothing lies before or behind bone on SPECT: its blurred edge is far below it, and no bone
    return found & (smooth > whole + _OF_HOT_BONE * (float(np.quantile(smooth[found], 0.9)) - whole))


def _soft_tissue_beside(smooth: FloatArray, spacing: Sequence[float]) -> FloatArray:
    """The image without anything narrower than 80 mm, found on every few voxels."""
    every = [min(n, max(1, round(_COARSE_MM / step))) for n, step in zip(smooth.shape, spacing, strict=True)]
    coarse = smooth[tuple(slice(size // 2, None, size) for size in every)]
    sigma = [
        _COARSE_MM / (step * size) if n > 1 else 0 for step, size, n in zip(spacing, every, coarse.shape, strict=True)
    ]
    coarse = ndimage.gaussian_filter(coarse, sigma)
    window = [
        max(1, round(_OPENING_MM / (step * size))) if n > 1 else 1
        for step, size, n in zip(spacing, every, coarse.shape, strict=True)
    ]
    opened = ndimage.grey_opening(coarse, size=tuple(window))
    index = [
        np.minimum(np.arange(n) // size, m - 1) for n, size, m in zip(smooth.shape, every, opened.shape, strict=True)
    ]
    return np.asarray(opened[np.ix_(*index)])


def _mirror(volume: Volume, lesions: Iterable[Region]) -> FloatArray | None:
    """(4, 4), not rigid: a place to its like on the other side. Found by laying the front view on its mirror image."""
    try:
        shadow = (
            Shadow.from_volume(volume, lesions=lesions) if volume.planar else Shadow.from_volume(_front_view(volume))
        )
    except GeometryError:
        return None
    if not shadow.body.any():
        return None
    laid = mirror_motion(shadow)
    if laid.correlation < _LEAST_MIRROR_CORRELATION:
        return None
    return matrix_of(laid.motion) @ np.diag([-1.0, 1.0, 1.0, 1.0])


def _front_view(volume: Volume) -> Volume:
    """A volume seen from the front: counts summed from front to back."""
    axis = patient_axes(volume.geometry.directions).index(1)
    kept = [k for k in range(3) if k != axis]
    summed = np.nansum(np.asarray(volume.array, dtype=np.float64), axis=axis)[None]
    affine = volume.geometry.affine[:, [axis, *kept, 3]]
    geometry = Geometry(shape=(1, summed.shape[1], summed.shape[2]), affine=affine)
    return replace(volume, array=summed, geometry=geometry, planar=True, padding=None)


def _counts_per_event(volume: Volume, body: BoolArray) -> float | None:
    """Variance of neighbouring pixels against their counts: 1 for Poisson counts, 0.8 where they were scaled so."""
    plane = np.asarray(volume.array[0], dtype=np.float64)
    mixed = ndimage.convolve1d(ndimage.convolve1d(plane, _MIXED, axis=0), _MIXED, axis=1)
    inside = ndimage.binary_erosion(body[0], iterations=3)
    total = float(plane[inside].sum())
    if total <= 0:
        return None
    found = float((mixed[inside] ** 2).sum()) / (36.0 * total)
    return found if _NOISE_RANGE[0] <= found <= _NOISE_RANGE[1] else None


def _superscan(survey: ScanSurvey, volume: Volume, settings: Scintigraphy) -> str:
    if survey.involved_share >= settings.superscan_involved_share:
        return f"superscan: lesions cover {survey.involved_share:.0%} of the skeleton"
    if volume.planar and survey.contrast >= settings.superscan_contrast:
        return f"superscan: the skeleton counts {survey.contrast:.1f} times as much as soft tissue"
    return ""
