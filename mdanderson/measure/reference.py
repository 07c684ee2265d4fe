"""Reference bone: what this patient's own, uninvolved trabecular bone measures in this image (criteria, section 5).

Never an absolute HU: normal L1 goes from 226 +/- 44 HU below 30 years to 89 +/- 38 HU above 90 (PubMed 25884703).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from mdanderson.geometry import Box, FloatArray, box_shape, grow_box
from mdanderson.measure.smoothing import Values, require_hu, smoothed_box, smoothed_values
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Mask, Region, Volume

__all__ = ["AROUND_LESION", "GIVEN_MASK", "LABELLED_BONE", "ReferenceBone", "find_reference"]

GIVEN_MASK = "given mask"
LABELLED_BONE = "labelled bone"
AROUND_LESION = "bone round the lesion"

_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_CORTEX_STEPS = (1.0, 0.8, 1.25, 1.5, 2.0, 0.6)
"""Factors on `cortex_hu`: trabecular bone of the young is as dense as the thin cortex of the old."""
_CLOSINGS_MM = (2.5, 5.0, 7.5)
"""Half the widest gap that is closed in a cortical shell, tried in this order."""
_LABELLED_CORTEX = 1.5
"""The same factor where the bone is labelled and only dense cortex within it is to be left out."""
_REACH_STEPS = (1 / 3, 2 / 3, 1.0)
"""Shares of `reference_radius_mm`: the nearest bone is asked first."""
_GOOD_VOLUME_MM3 = 1000.0
"""A volume of reference bone that needs no more of it."""
_LEAST_CONTACT = 0.1
"""Share of the places beside the lesion, clear of cortex, that must be it; a pocket between bones holds less."""
_GOOD_CONTACT = 0.4
"""Share of the places beside the lesion whose bone ends the search."""
_PLAINLY_MORE = 1.2
"""How much more bone beside the lesion a later step must find: dense pockets tie with the bone that holds them."""
_TWO_KINDS = 0.75
"""Share of the variance that a split must explain before two densities are told apart."""
_SPECK_MM3 = 100.0
"""A smaller piece above the cortex threshold is noise or a trabecula."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceBone:
    """Uninvolved bone of one image.

    source: which bone was used. median_hu, robust_sd_hu (1.4826 x MAD): at the scale on which classes are decided.
    mean_hu, sd_hu: of the voxels as they are.
    """

    source: str
    median_hu: float
    robust_sd_hu: float
    mean_hu: float
    sd_hu: float
    voxels: int

    def lytic_below_hu(self, settings: ImageSettings) -> float:
        """A voxel below this is lytic; osteoporotic bone leaves less room below it."""
        osteoporotic = self.median_hu < settings.osteoporotic_below_hu
        least = settings.lytic_minimum_osteoporotic_hu if osteoporotic else settings.lytic_minimum_hu
        return self.median_hu - max(settings.lytic_robust_sd * self.robust_sd_hu, least)

    def sclerotic_above_hu(self, settings: ImageSettings) -> float:
        """A voxel above this is sclerotic."""
        return self.median_hu + max(settings.sclerotic_robust_sd * self.robust_sd_hu, settings.sclerotic_minimum_hu)


def find_reference(
    volume: Volume,
    region: Region,
    *,
    lesions: Sequence[Region],
    reference_mask: Mask | None = None,
    bone_map: Mask | None = None,
    settings: ImageSettings,
) -> ReferenceBone | None:
    """Reference bone for the lesion `region`; None when too few voxels qualify, so that density is not evaluable.

    All regions are on the grid of `volume`; `lesions` is every lesion segmented or expected in this image. A given
    `reference_mask` is taken as it is and never replaced by a guess. A `bone_map` that labels the lesion's place speaks
    alone: the lesion's own bone first, then the nearest labelled bones without a lesion. Else bone round the lesion is
    sought in the image.
    Raises `UnitError` unless the image is in HU, `MaskError` when a mask lies in another frame of reference.
    """
    require_hu(volume)
    if reference_mask is not None:
        return _given(volume, reference_mask.on_grid(volume.geometry), settings)
    kept_away = (region, *lesions)
    if bone_map is not None:
        bones = bone_map.on_grid(volume.geometry)
        if _painted(bones.regions, grow_box(region.box, volume.geometry, settings.reference_margin_mm)).any():
            return _labelled(volume, region, kept_away, bones, settings)
    for widening in (1.0, 2.0):  # a shell is seen to be closed only where it is seen whole
        found = _around(volume, region, kept_away, widening, settings)
        if found is not None:
            return found
    return None


def _measured(
    volume: Volume, box: Box, chosen: BoolArray, source: str, settings: ImageSettings
) -> ReferenceBone | None:
    """The reference that the chosen voxels of `box` make, None when they are too few."""
    chosen = chosen & volume.imaged(box)
    count = int(np.count_nonzero(chosen))
    if count < settings.reference_minimum_voxels:
        return None
    smooth = smoothed_values(volume, box, chosen, sigma_mm=settings.smoothing_sigma_mm)
    raw = np.asarray(volume.array[box][chosen], dtype=np.float64)
    median = float(np.median(smooth))
    return ReferenceBone(
        source=source,
        median_hu=median,
        robust_sd_hu=_ROBUST * float(np.median(np.abs(smooth - median))),
        mean_hu=float(raw.mean()),
        sd_hu=float(raw.std()),
        voxels=count,
    )


def _given(volume: Volume, mask: Mask, settings: ImageSettings) -> ReferenceBone | None:
    """A given mask, as it is: all its labels together."""
    if not mask.regions:
        return None
    ends = [[(part.start, part.stop) for part in region.box] for region in mask]
    low, high = np.min(ends, axis=0)[:, 0], np.max(ends, axis=0)[:, 1]
    box = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])), slice(int(low[2]), int(high[2])))
    return _measured(volume, box, _painted(mask.regions, box), GIVEN_MASK, settings)


def _labelled(
    volume: Volume, region: Region, kept_away: Sequence[Region], bones: Mask, settings: ImageSettings
) -> ReferenceBone | None:
    """Trabecular voxels of the lesion's own bone; where too few, of the nearest bone that carries no lesion."""
    box = grow_box(region.box, volume.geometry, settings.reference_radius_mm)
    spacing = volume.geometry.spacing_mm
    near = _distance_mm(_painted([region], box), spacing)
    involved = _painted(kept_away, box)
    away = _distance_mm(involved, spacing) >= settings.reference_margin_mm
    fine = smoothed_box(volume, box, sigma_mm=settings.smoothing_sigma_mm / 2)
    cortex = _without_specks(fine > _LABELLED_CORTEX * settings.cortex_hu, volume.geometry.voxel_volume_mm3)
    for bone in _by_distance(bones, box, near, involved):
        depth = ndimage.distance_transform_edt(bone & ~cortex, sampling=spacing)
        trabecular = (depth >= settings.reference_erosion_mm) & away
        found = _nearest(volume, box, trabecular, near, LABELLED_BONE, settings)
        if found is not None:
            return found
    return None


def _by_distance(bones: Mask, box: Box, distance: FloatArray, involved: BoolArray) -> Iterator[BoolArray]:
    """The nearest labelled bone, then the others that carry no lesion, nearest first; each painted in `box`."""
    painted = [_painted([bone], box) for bone in bones]
    near = sorted((float(distance[bone].min()), k) for k, bone in enumerate(painted) if bone.any())
    for rank, (_, k) in enumerate(near):
        if rank == 0 or not (painted[k] & involved).any():
            yield painted[k]


def _around(
    volume: Volume, region: Region, kept_away: Sequence[Region], widening: float, settings: ImageSettings
) -> ReferenceBone | None:
    """Trabecular bone at the lesion's level: what a shell of cortex (and the lesions) encloses in its slice.

    Several cortex thresholds and gap closings are tried; the one that finds most bone next to the lesion is taken
    (a later one only where it finds plainly more), or the first that finds bone on most sides of it.
    """
    box = _level_box(volume, region, widening, settings)
    spacing = volume.geometry.spacing_mm
    scale, fine = (smoothed_box(volume, box, sigma_mm=settings.smoothing_sigma_mm * k) for k in (1.0, 0.5))
    near = _distance_mm(_painted([region], box), spacing)
    guarded = _distance_mm(_painted(kept_away, box), spacing) < settings.reference_margin_mm
    level = np.zeros_like(guarded)
    level[region.box[0].start - box[0].start : region.box[0].stop - box[0].start] = True
    beside = level & ~guarded & (near <= settings.reference_margin_mm + settings.reference_erosion_mm)
    best: ReferenceBone | None = None
    most = 0
    for closing_mm, factor in product(_CLOSINGS_MM, _CORTEX_STEPS):
        cortex_hu = factor * settings.cortex_hu
        cortex = _without_specks(fine > cortex_hu, volume.geometry.voxel_volume_mm3)
        clear = _distance_mm(cortex, spacing) >= settings.reference_erosion_mm
        solid = _solid(cortex | guarded, spacing, closing_mm)
        marrow = level & clear & ~guarded & (_distance_mm(~solid, spacing) >= settings.reference_erosion_mm)
        bone = _own_bone(_one_kind(marrow, beside, scale), beside)
        bone = _one_kind(bone, beside, scale)
        contact = int((bone & beside).sum())
        if contact <= _PLAINLY_MORE * most or contact < _LEAST_CONTACT * (clear & beside).sum():
            continue
        found = _nearest(volume, box, bone, near, AROUND_LESION, settings)
        if found is not None and found.median_hu + 2 * found.robust_sd_hu < cortex_hu:
            best, most = found, contact
        if most >= _GOOD_CONTACT * beside.sum():
            break
    return best


def _nearest(
    volume: Volume, box: Box, bone: BoolArray, near_mm: FloatArray, source: str, settings: ImageSettings
) -> ReferenceBone | None:
    """The bone nearest the lesion: the reach grows only until there is enough of it."""
    found = None
    for share in _REACH_STEPS:
        found = _measured(volume, box, bone & (near_mm <= share * settings.reference_radius_mm), source, settings)
        if found is not None and found.voxels * volume.geometry.voxel_volume_mm3 >= _GOOD_VOLUME_MM3:
            return found
    return found


def _level_box(volume: Volume, region: Region, widening: float, settings: ImageSettings) -> Box:
    """The lesion's planes and the next ones, wide within the plane."""
    wide = grow_box(region.box, volume.geometry, widening * settings.reference_radius_mm)
    return (grow_box(region.box, volume.geometry, settings.reference_erosion_mm)[0], wide[1], wide[2])


def _without_specks(cortex: BoolArray, voxel_volume_mm3: float) -> BoolArray:
    """Cortex is a large sheet; noise and single trabeculae are specks."""
    pieces, count = ndimage.label(cortex, structure=np.ones((3, 3, 3)))
    large = np.bincount(pieces.ravel(), minlength=count + 1) * voxel_volume_mm3 >= _SPECK_MM3
    large[0] = False
    return np.asarray(large[pieces])


def _solid(wall: BoolArray, spacing_mm: tuple[float, float, float], closing_mm: float) -> BoolArray:
    """A wall of cortex and lesions with what it encloses in each plane; gaps under twice `closing_mm` are closed.

    Where a lesion broke through the cortex, its place is the wall.
    """
    within_plane = (1e6, spacing_mm[1], spacing_mm[2])
    rows, columns = (int(closing_mm / step) + 2 for step in spacing_mm[1:])
    wall = np.pad(wall, ((0, 0), (rows, rows), (columns, columns)))
    wall |= _distance_mm(_distance_mm(wall, within_plane) > closing_mm, within_plane) > closing_mm
    in_plane = ndimage.generate_binary_structure(3, 1)
    in_plane[[0, 2]] = False
    return np.asarray(ndimage.binary_fill_holes(wall, structure=in_plane)[:, rows:-rows, columns:-columns])


def _own_bone(marrow: BoolArray, beside: BoolArray) -> BoolArray:
    """The connected piece with most voxels beside the lesion.

    Closeness, not size, tells the lesion's own bone from the spinal canal or a vessel with a calcified wall next to it.
    """
    pieces, count = ndimage.label(marrow)
    contact = np.bincount(pieces[beside], minlength=count + 1)[1:]
    if not contact.any():
        return np.zeros_like(marrow)
    return np.asarray(pieces == int(contact.argmax()) + 1)


def _one_kind(bone: BoolArray, beside: BoolArray, scale: Values) -> BoolArray:
    """The kind that prevails beside the lesion, where what was enclosed is plainly of two densities.

    A gap may let in the canal or muscle, and a thick slice shows an end plate as an even sheet. Otsu's split; its
    share of the variance is 0.64 for one normal distribution and near 1 for two distant ones.
    """
    values = np.sort(scale[bone & ~np.isnan(scale)].astype(np.float64))
    if values.size < 4 or values[-1] == values[0]:
        return bone
    below = np.arange(1, values.size)
    sums = np.cumsum(values)
    apart = (sums[-1] - sums[:-1]) / (values.size - below) - sums[:-1] / below
    share = below / values.size
    explained = share * (1 - share) * apart**2
    split = int(explained.argmax())
    if explained[split] < _TWO_KINDS * values.var():
        return bone
    denser = bone & (scale > values[split])
    looser = bone & ~denser
    return np.asarray(denser if (denser & beside).sum() >= (looser & beside).sum() else looser)


def _painted(regions: Sequence[Region], box: Box) -> BoolArray:
    """The regions' voxels that lie in `box`, as an array of its shape."""
    array = np.zeros(box_shape(box), dtype=bool)
    for region in regions:
        common = [
            slice(max(own.start, part.start), min(own.stop, part.stop))
            for own, part in zip(region.box, box, strict=True)
        ]
        if any(part.start >= part.stop for part in common):
            continue
        here = tuple(slice(c.start - b.start, c.stop - b.start) for c, b in zip(common, box, strict=True))
        there = tuple(slice(c.start - b.start, c.stop - b.start) for c, b in zip(common, region.box, strict=True))
        array[here] |= region.voxels[there]
    return array


def _distance_mm(places: BoolArray, spacing_mm: tuple[float, float, float]) -> FloatArray:
    """Distance of every voxel from the nearest true one; infinite where there is none."""
    if not places.any():
        return np.full(places.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~places, sampling=spacing_mm))
