"""How dense a lesion is against its own bone: classes, fill-in, type (docs/details.md, definitions for images).

Every share counts imaged voxels of the region only, at the scale `smoothing_sigma_mm`, averaged inside the region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.geometry import grow_box
from mdanderson.measure.marrow import painted
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.smoothing import raw_values, require_hu, smoothed_values
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import LesionType
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["DensityMeasure", "FillIn", "lesion_type", "lytic_region", "measure_density", "measure_fill_in"]

_DARKEST = 10
"""Percentile that stands for the darkest part: the minimum is noise."""
_PLAINLY_DEEPER = 1.5
"""How many times the distance of the lytic limit from reference bone a focus goes down to somewhere: 3 SD, not 2."""
_PATCH_SHARE = 0.01
"""A lytic part smaller than this share of a region is a light patch of bone: 4 mm in a place of 18 mm."""
_LEAST_SIGMAS = 5.5
"""Diameter, in scales of judgement, below which a rest half as wide is blurred away by the filling round it."""
_MISPLACED_MM = 2.0
"""How far beyond a place carried from another image a rest is followed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DensityMeasure:
    """Density of one region in one image.

    mean_hu, median_hu, sd_hu: of the voxels as they are. lytic_fraction, sclerotic_fraction: shares of the region
    (0-1); they are None, like `reference`, where no valid reference bone was found. lytic_focus_mm: diameter of a ball
    as large as the largest lytic part that hangs together, 0 where there is none.
    """

    mean_hu: float
    median_hu: float
    sd_hu: float
    reference: ReferenceBone | None = None
    lytic_fraction: float | None = None
    sclerotic_fraction: float | None = None
    lytic_focus_mm: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FillIn:
    """What became of the volume that was lytic at baseline.

    fill_in_fraction: share that is sclerotic now. cleared_fraction: share that is no longer lytic (0-1); None where the
    volume is so small that a lytic rest half as wide would not be seen.
    """

    fill_in_fraction: float
    cleared_fraction: float | None


def measure_density(
    volume: Volume, region: Region, reference: ReferenceBone | None, *, settings: ImageSettings
) -> DensityMeasure:
    """Density of `region` (on the grid of `volume`), with its classes where there is a reference.

    Raises `UnitError` unless the image is in HU, `MeasurementError` when no voxel of the region was imaged.
    """
    require_hu(volume)
    raw = raw_values(volume, region)
    lytic, sclerotic, focus_mm = None, None, None
    if reference is not None:
        lytic, sclerotic = _shares(volume, region, reference, settings)
        focus_mm = _lytic_focus_mm(volume, region, reference, settings)
    return DensityMeasure(
        mean_hu=float(raw.mean(dtype=np.float64)),
        median_hu=float(np.median(raw)),
        sd_hu=float(raw.std(dtype=np.float64)),
        reference=reference,
        lytic_fraction=lytic,
        sclerotic_fraction=sclerotic,
        lytic_focus_mm=focus_mm,
    )


def lytic_region(volume: Volume, region: Region, reference: ReferenceBone, *, settings: ImageSettings) -> Region | None:
    """The lytic voxels of a lesion, as fill-in at later visits refers to them; None when it has none."""
    require_hu(volume)
    support = region.voxels & volume.imaged(region.box)
    values = smoothed_values(volume, region.box, support, sigma_mm=settings.smoothing_sigma_mm)
    lytic = np.zeros(support.shape, dtype=bool)
    lytic[support] = values < reference.lytic_below_hu(settings)
    return region.narrowed(lytic)


def measure_fill_in(volume: Volume, lytic: Region, reference: ReferenceBone, *, settings: ImageSettings) -> FillIn:
    """What became of `lytic`, the baseline's lytic volume brought to the grid of the later `volume`.

    `reference` is that of the later image. Raises as `measure_density`.
    """
    require_hu(volume)
    raw_values(volume, lytic)
    still_lytic, sclerotic = _shares(volume, lytic, reference, settings)
    across_mm = _ball_mm(int(lytic.voxels.sum()), volume)
    if across_mm < _LEAST_SIGMAS * settings.smoothing_sigma_mm:
        return FillIn(fill_in_fraction=sclerotic, cleared_fraction=None)
    rest = _largest_rest(volume, lytic, reference, settings)
    return FillIn(fill_in_fraction=sclerotic, cleared_fraction=1.0 - max(still_lytic, rest))


def lesion_type(lytic_fraction: float, sclerotic_fraction: float, *, settings: ImageSettings) -> LesionType | None:
    """Lytic or blastic when one class holds the majority and the other stays a minority; mixed otherwise.

    None when both classes are minorities: the lesion is about as dense as bone.
    """
    majority, minority = settings.type_majority, settings.type_minority
    if max(lytic_fraction, sclerotic_fraction) < minority:
        return None
    if lytic_fraction >= majority and sclerotic_fraction < minority:
        return LesionType.LYTIC
    if sclerotic_fraction >= majority and lytic_fraction < minority:
        return LesionType.BLASTIC
    return LesionType.MIXED


def _lytic_focus_mm(volume: Volume, region: Region, reference: ReferenceBone, settings: ImageSettings) -> float:
    """Diameter of a ball as large as the largest lytic part of a region that hangs together.

    Bone has lighter patches of its own: a focus somewhere lies plainly deeper than the limit, and is no mere speck.
    """
    support = region.voxels & volume.imaged(region.box)
    values = np.full(support.shape, np.inf)
    values[support] = smoothed_values(volume, region.box, support, sigma_mm=settings.smoothing_sigma_mm)
    below = reference.lytic_below_hu(settings)
    pieces, _ = ndimage.label(values < below)
    deep = np.unique(pieces[values < reference.median_hu - _PLAINLY_DEEPER * (reference.median_hu - below)])
    focus = _largest_piece(np.isin(pieces, deep[deep > 0]))
    if focus.sum() < _PATCH_SHARE * support.sum():
        return 0.0
    return _ball_mm(int(focus.sum()), volume)


def _ball_mm(voxels: int, volume: Volume) -> float:
    """Diameter of a ball of so many voxels, of a disc of so many pixels of a projection."""
    if volume.planar:
        return float(np.sqrt(4.0 / np.pi * voxels * np.prod(volume.geometry.spacing_mm[1:])))
    return float(np.cbrt(6.0 / np.pi * voxels * volume.geometry.voxel_volume_mm3))


def _largest_rest(volume: Volume, lytic: Region, reference: ReferenceBone, settings: ImageSettings) -> float:
    """Share of the largest lytic rest that hangs together, measured at half the scale and half its height.

    At the full scale dense filling blurs a small rest away, and a voxel counts as lytic only where the filling's blur
    has ended: a rest of an eighth of the lesion would read as a twentieth. So the border of a rest that lies inside
    is taken half way between its darkest part and what fills the lesion round it. It is sought a little beyond the
    place, which may be misregistered; what leads out of that is soft tissue beside the bone, and counts as it is.
    """
    spacing = volume.geometry.spacing_mm
    box = grow_box(lytic.box, volume.geometry, _MISPLACED_MM)
    place = painted([lytic], box) & volume.imaged(box)
    support = (ndimage.distance_transform_edt(~place, sampling=spacing) <= _MISPLACED_MM) & volume.imaged(box)
    values = np.full(support.shape, np.inf)
    values[support] = smoothed_values(volume, box, support, sigma_mm=settings.smoothing_sigma_mm / 2)
    porotic = reference.median_hu < settings.osteoporotic_below_hu  # there the filling's blur lifts a rest to bone
    below = reference.median_hu if porotic else reference.lytic_below_hu(settings)
    seed = _largest_piece((values < below) & place)
    pieces, _ = ndimage.label(values < below)
    whole = np.isin(pieces, np.unique(pieces[seed]))
    around = values[place & ~whole]
    ways = ndimage.generate_binary_structure(3, 1)
    if spacing[0] > _MISPLACED_MM:
        ways[[0, 2]] = False  # the first and last plane of a lesion are no margin of it
    leads_out = (whole & ~ndimage.binary_erosion(support, ways)).any()
    if not seed.any() or leads_out or not around.size:
        return float(seed.sum() / place.sum())
    border = max((float(np.percentile(values[whole], _DARKEST)) + float(np.median(around))) / 2, below)
    pieces, _ = ndimage.label(values < border)
    rest = np.isin(pieces, np.unique(pieces[whole]))
    return min(1.0, float(rest.sum() / place.sum()))


def _largest_piece(low: BoolArray) -> BoolArray:
    """The largest connected piece."""
    pieces, count = ndimage.label(low)
    if not count:
        return low
    return np.asarray(pieces == int(np.bincount(pieces.ravel())[1:].argmax()) + 1)


def _shares(volume: Volume, region: Region, reference: ReferenceBone, settings: ImageSettings) -> tuple[float, float]:
    """Lytic and sclerotic shares of the region's imaged voxels."""
    values = smoothed_values(volume, region.box, region.voxels, sigma_mm=settings.smoothing_sigma_mm)
    lytic = np.mean(values < reference.lytic_below_hu(settings))
    sclerotic = np.mean(values > reference.sclerotic_above_hu(settings))
    return float(lytic), float(sclerotic)
