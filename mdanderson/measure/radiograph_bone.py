"""A radiograph in relative density: soft tissue 0, the bone near a lesion `[radiograph] bone_contrast`.

Bone is given, labelled, or told apart in the image; soft tissue is what lies beside it. What bone reads changes along
it, evenly: a limb tapers and a bone widens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.errors import MeasurementError
from mdanderson.geometry import Box, FloatArray, Geometry, enclosing_box, grow_box
from mdanderson.measure.lesion import Surroundings
from mdanderson.measure.marrow import painted
from mdanderson.measure.reference import AROUND_LESION, GIVEN_MASK, LABELLED_BONE, ReferenceBone
from mdanderson.measure.smoothing import smoothed_box
from mdanderson.settings import Settings
from mdanderson.volume import BoolArray, Mask, Region, Unit, Volume

__all__ = ["NoReferenceError", "relative_density"]

_THICK_MM = 10.0
"""The plane of a normalised slab: so thick that rims are followed in the plane and nothing is blurred across it."""
_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_THREE_KINDS = 0.1
"""How much more of the variance three kinds must explain than two: air beside soft tissue, or cortex beside marrow."""
_BINS = 256
_OUTLYING_SD = 2.5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Kinds:
    """Pixels of `box` that are reference bone and soft tissue, and which bone it is."""

    box: Box
    bone: BoolArray
    soft: BoolArray
    source: str


class NoReferenceError(MeasurementError):
    """There is no bone to compare with; `what` says why."""


def relative_density(
    slab: Volume, region: Region, *, around: Surroundings, settings: Settings
) -> tuple[Volume, ReferenceBone]:
    """The radiograph round `region` in relative density, and its reference bone there.

    Raises `NoReferenceError` saying why there is none.
    """
    return _normalised(slab, region, _kinds(slab, region, around, settings), settings)


def _kinds(slab: Volume, region: Region, around: Surroundings, settings: Settings) -> _Kinds:
    """Reference bone and soft tissue near the lesion."""
    image = settings.image
    box = grow_box(region.box, slab.geometry, image.reference_radius_mm)
    if around.reference_mask is not None:
        given = around.reference_mask.on_grid(slab.geometry).regions
        box = enclosing_box([box, *(each.box for each in given)])
    steps = slab.geometry.spacing_mm
    away = _distance_mm(painted([region, *around.neighbours], box), steps) >= image.reference_margin_mm
    away &= slab.imaged(box)
    if around.bone_map is not None:
        labelled = around.bone_map.on_grid(slab.geometry)
        whole, own, source = painted(labelled.regions, box), _nearest(labelled, region, box, steps), LABELLED_BONE
        beyond = ~whole
    else:
        whole, beyond = _told_apart(slab, region, box, away, settings)
        own, source = _piece_with(region, whole, box), AROUND_LESION
    bone = own & away & (_distance_mm(~own, steps) >= image.reference_erosion_mm)
    if around.reference_mask is not None:
        bone, source = painted(given, box) & slab.imaged(box), GIVEN_MASK
    from_bone = _distance_mm(whole, steps)
    soft = beyond & away & (from_bone >= image.reference_erosion_mm) & (from_bone <= settings.radiograph.soft_tissue_mm)
    return _Kinds(box=box, bone=bone, soft=soft, source=source)


def _nearest(bones: Mask, region: Region, box: Box, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """The labelled bone nearest the lesion, painted in `box`."""
    away_mm = _distance_mm(painted([region], box), spacing_mm)
    places = [painted([bone], box) for bone in bones]
    near = [(float(away_mm[place].min()), k) for k, place in enumerate(places) if place.any()]
    if not near:
        raise NoReferenceError("no labelled bone near the lesion")
    return places[min(near)[1]]


def _piece_with(region: Region, bone: BoolArray, box: Box) -> BoolArray:
    """The connected piece of bone that holds the lesion: another bone beside it is as thick as it is."""
    pieces, _ = ndimage.label(bone)
    inside = pieces[painted([region], box)]
    return np.asarray(pieces == int(np.bincount(inside).argmax()))


def _told_apart(
    slab: Volume, region: Region, box: Box, away: BoolArray, settings: Settings
) -> tuple[BoolArray, BoolArray]:
    """Bone, and the next darker kind, where the pixels round the lesion are plainly of several kinds (Otsu's split).

    Bone is the kind that prevails beside the lesion, with what is brighter still: a lesion of bone lies in bone.
    """
    values = smoothed_box(slab, box, sigma_mm=settings.image.smoothing_sigma_mm).astype(np.float64)
    limits = _limits(values[away], settings.radiograph.least_explained)
    kinds = np.digitize(values, limits)
    margin_mm = settings.image.reference_margin_mm
    beside = away & (_distance_mm(painted([region], box), slab.geometry.spacing_mm) <= 2 * margin_mm)
    counts = np.bincount(kinds[beside], minlength=len(limits) + 1)
    own = int(counts.argmax())
    if not counts.any() or own == 0:
        raise NoReferenceError("no bone told apart from soft tissue round the lesion: give a bone or reference mask")
    involved = ~away & ~np.isnan(values)
    return (kinds >= own) | involved, kinds == own - 1


def _limits(values: FloatArray, least_explained: float) -> list[float]:
    """One or two thresholds between the kinds of pixel. Raises `NoReferenceError` where they are not plain."""
    if values.size < _BINS or np.ptp(values) == 0:
        raise NoReferenceError("too little is seen round the lesion")
    counts, edges = np.histogram(values, bins=_BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    weight, moment = np.cumsum(counts) / values.size, np.cumsum(counts * middles) / values.size
    total, variance = float(moment[-1]), float(values.var())
    first, second = np.triu_indices(_BINS - 1, k=1)
    between_two = _part(weight, moment) + _part(1 - weight, total - moment) - total**2
    between_three = (
        _part(weight, moment)[first]
        + _part(weight[second] - weight[first], moment[second] - moment[first])
        + _part(1 - weight, total - moment)[second]
        - total**2
    )
    two, three = int(between_two[:-1].argmax()), int(between_three.argmax())
    explained = float(between_two[two]) / variance, float(between_three[three]) / variance
    as_three = explained[1] - explained[0] > _THREE_KINDS
    needed = (1 + least_explained) / 2 if as_three else least_explained  # noise: 0.64 by two kinds, 0.81 by three
    if (explained[1] if as_three else explained[0]) < needed:
        raise NoReferenceError("bone and soft tissue are not plainly told apart: give a bone or reference mask")
    if as_three:
        return [float(edges[first[three] + 1]), float(edges[second[three] + 1])]
    return [float(edges[two + 1])]


def _part(weight: FloatArray, moment: FloatArray) -> FloatArray:
    """What a kind of some weight and first moment adds to the variance between kinds."""
    return np.divide(moment**2, weight, out=np.zeros_like(moment), where=weight > 1e-12)


def _normalised(slab: Volume, region: Region, kinds: _Kinds, settings: Settings) -> tuple[Volume, ReferenceBone]:
    """The radiograph round the lesion in relative density, and its reference bone there.

    A limb tapers and a bone widens: what bone reads is taken to change evenly from place to place, as a plane through
    its pixels near the lesion. Beyond those places nothing is known, and the image is blank.
    """
    least = settings.image.reference_minimum_voxels
    for chosen, what in ((kinds.bone, "reference bone"), (kinds.soft, "soft tissue beside the bone")):
        if np.count_nonzero(chosen) < least:
            raise NoReferenceError(f"too little {what} near the lesion")
    values = smoothed_box(slab, kinds.box, sigma_mm=settings.image.smoothing_sigma_mm).astype(np.float64)
    level, spread = _level(values, kinds.bone)
    soft = float(np.median(values[kinds.soft]))
    contrast = float(np.median(level[painted([region], kinds.box)])) - soft
    if not contrast > settings.radiograph.least_contrast_sd * spread:
        raise NoReferenceError("bone is too uneven near the lesion, or does not stand out: give a bone map")
    unit = settings.radiograph.bone_contrast / contrast
    part = (slab.array[kinds.box].astype(np.float64) - level) * unit + settings.radiograph.bone_contrast
    array = np.full(slab.array.shape, np.nan, dtype=np.float32)
    array[kinds.box] = np.where(slab.imaged(kinds.box), part, np.nan)
    raw = part[kinds.bone]
    reference = ReferenceBone(
        source=kinds.source,
        median_hu=settings.radiograph.bone_contrast,
        robust_sd_hu=spread * unit,
        mean_hu=float(raw.mean()),
        sd_hu=float(raw.std()),
        voxels=int(raw.size),
    )
    image = replace(slab, array=array, geometry=_thick(slab.geometry), unit=Unit.RELATIVE, padding=None)
    return image, reference


def _level(values: FloatArray, bone: BoolArray) -> tuple[FloatArray, float]:
    """What bone reads at every place, by a plane through its pixels, and their robust SD about it.

    Fitted twice: a cortex seen edge-on, or what crosses the bone, is left out the second time. The plane then takes
    the median's height, so that half of the bone lies above it.
    """
    rows, columns = np.indices(values.shape)[1:]
    places = np.stack([np.ones(values.shape), rows - rows[bone].mean(), columns - columns[bone].mean()], axis=-1)
    kept, level = bone, np.zeros_like(values)
    for _ in range(2):
        level = places @ np.linalg.lstsq(places[kept], values[kept], rcond=None)[0]
        middle, spread = _centre((values - level)[bone])
        kept = bone & (np.abs(values - level - middle) <= _OUTLYING_SD * spread)
        if np.count_nonzero(kept) < places.shape[-1] + 1:
            break
    return level + middle, spread


def _centre(values: FloatArray) -> tuple[float, float]:
    """Median and robust SD."""
    median = float(np.median(values))
    return median, _ROBUST * float(np.median(np.abs(values - median)))


def _thick(geometry: Geometry) -> Geometry:
    """The same pixels on a plane `_THICK_MM` thick."""
    affine = geometry.affine.copy()
    affine[:3, 0] *= _THICK_MM / geometry.spacing_mm[0]
    return replace(geometry, affine=affine)


def _distance_mm(places: BoolArray, spacing_mm: tuple[float, float, float]) -> FloatArray:
    """Distance of every pixel from the nearest true one; infinite where there is none."""
    if not places.any():
        return np.full(places.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~places, sampling=spacing_mm))
