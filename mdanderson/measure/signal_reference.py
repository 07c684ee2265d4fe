"""Normal marrow of the same image, which a lesion's MR signal is compared with: raw signal means nothing.

Order of choice: a given reference mask (marrow, muscle or disc: taken as it is); uninvolved labelled bones nearest the
lesion; what is left of the lesion's own labelled bone; marrow round the lesion found in the image, where one tissue
surrounds it without cortex between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.geometry import Box, FloatArray, grow_box
from mdanderson.measure.marrow import painted
from mdanderson.measure.smoothing import Values, smoothed_box
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import BoolArray, Mask, Region, Volume

__all__ = [
    "AROUND_LESION",
    "GIVEN_MASK",
    "OWN_BONE",
    "UNINVOLVED_BONE",
    "NoReference",
    "SignalReference",
    "find_signal_reference",
]

GIVEN_MASK = "given mask"
UNINVOLVED_BONE = "uninvolved labelled bone"
OWN_BONE = "labelled bone of the lesion"
AROUND_LESION = "marrow round the lesion"

_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_BESIDE_MM = 5.0
"""How far beyond the margin round a lesion its own marrow is looked at."""
_CORTEX = 0.55
"""A sheet darker than this share of the darker of lesion and marrow parts them: cortex is black in every sequence."""
_WALL_MM = 1.0
"""Marrow this near such a sheet is mixed with it."""
_DARKER = 0.8
"""T1: muscle and disc are darker than this share of marrow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalReference:
    """Normal tissue of one image. median, robust_sd (1.4826 x MAD): signal of its voxels as they are."""

    source: str
    median: float
    robust_sd: float
    voxels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NoReference:
    """That there is none, and why: the signal is then not compared, not guessed."""

    why: str


def find_signal_reference(
    volume: Volume,
    region: Region,
    *,
    neighbours: Sequence[Region],
    reference_mask: Mask | None = None,
    bone_map: Mask | None = None,
    settings: Settings,
) -> SignalReference | NoReference:
    """The reference for the lesion or place `region`, or why there is none.

    All regions are on the grid of `volume`; `neighbours` is every lesion segmented or expected in this image. A given
    mask is never replaced by a guess, nor is a bone map that labels bone near the lesion.
    Raises `MaskError` when a mask lies in another frame of reference.
    """
    if reference_mask is not None:
        return _given(volume, reference_mask.on_grid(volume.geometry), settings)
    involved = (region, *neighbours)
    if bone_map is not None:
        bones = bone_map.on_grid(volume.geometry)
        box = grow_box(region.box, volume.geometry, settings.mr.reference_reach_mm)
        if painted(bones.regions, box).any():
            return _labelled(volume, box, region, involved, bones, settings)
    return _around(volume, region, involved, settings)


def _measured(
    volume: Volume, box: Box, chosen: BoolArray, source: str, settings: Settings
) -> SignalReference | NoReference:
    values = np.asarray(volume.array[box][chosen & volume.imaged(box)], dtype=np.float64)
    if values.size < settings.mr.reference_minimum_voxels:
        return NoReference(why=f"{source}: {values.size} voxels are too few for a reference")
    median = float(np.median(values))
    if median <= 0:
        return NoReference(why=f"{source}: no signal in the reference")
    robust_sd = _ROBUST * float(np.median(np.abs(values - median)))
    return SignalReference(source=source, median=median, robust_sd=robust_sd, voxels=int(values.size))


def _given(volume: Volume, mask: Mask, settings: Settings) -> SignalReference | NoReference:
    everything = (slice(0, volume.geometry.shape[0]), *(slice(0, size) for size in volume.geometry.shape[1:]))
    box: Box = (everything[0], everything[1], everything[2])
    return _measured(volume, box, painted(mask.regions, box), GIVEN_MASK, settings)


def _labelled(
    volume: Volume, box: Box, region: Region, involved: Sequence[Region], bones: Mask, settings: Settings
) -> SignalReference | NoReference:
    """The nearest uninvolved bones together: one above and one below the lesion cancel a field's slope."""
    near = _distance_mm(painted([region], box), volume)
    diseased = painted(involved, box)
    away = _distance_mm(diseased, volume) >= settings.image.reference_margin_mm
    whole: list[tuple[float, BoolArray]] = []
    own: list[tuple[float, BoolArray]] = []
    for bone in bones:
        place = painted([bone], box)
        if place.any():
            (own if (place & diseased).any() else whole).append((float(near[place].min()), place))
    kept = [place for _, place in sorted(whole, key=lambda at: at[0])[: settings.mr.reference_bones]]
    found = _measured(volume, box, _marrow(kept, away, volume, settings), UNINVOLVED_BONE, settings)
    if isinstance(found, SignalReference) or not own:
        return found
    return _measured(volume, box, _marrow([place for _, place in own], away, volume, settings), OWN_BONE, settings)


def _marrow(bones: Sequence[BoolArray], away: BoolArray, volume: Volume, settings: Settings) -> BoolArray:
    """What lies deep enough in any of these bones, and far enough from every lesion."""
    marrow = np.zeros_like(away)
    for bone in bones:
        depth = ndimage.distance_transform_edt(np.pad(bone, 1), sampling=volume.geometry.spacing_mm)[1:-1, 1:-1, 1:-1]
        marrow |= depth >= settings.image.reference_erosion_mm
    return np.asarray(marrow & away)


def _around(
    volume: Volume, region: Region, involved: Sequence[Region], settings: Settings
) -> SignalReference | NoReference:
    """One tissue on most sides of the lesion, with no cortex between the two."""
    box = grow_box(region.box, volume.geometry, settings.image.reference_radius_mm)
    image = smoothed_box(volume, box, sigma_mm=settings.image.smoothing_sigma_mm / 2)
    near = _distance_mm(painted([region], box), volume)
    margin = settings.image.reference_margin_mm
    away = (_distance_mm(painted(involved, box), volume) >= margin) & ~np.isnan(image)
    level = np.zeros_like(away)
    level[region.box[0].start - box[0].start : region.box[0].stop - box[0].start] = True
    beside = away & level & (near <= margin + _BESIDE_MM)
    if np.count_nonzero(beside) < settings.mr.reference_minimum_voxels:
        return NoReference(why="nothing beside the lesion is imaged well enough to be its marrow")
    middle = _densest(image[beside], settings.mr.marrow_spread)
    alike = away & (np.abs(image - middle) <= settings.mr.marrow_spread * middle)
    lesion = float(np.median(np.asarray(volume.array[region.box][region.voxels], dtype=np.float64)))
    wall = ~(image > _CORTEX * min(middle, lesion)) & (near > 0)
    inside = _joined(~wall, near == 0)
    marrow = alike & inside & (_distance_mm(wall, volume) >= _WALL_MM)
    share = np.count_nonzero(marrow & beside) / np.count_nonzero(beside)
    if share < settings.mr.marrow_share:
        return NoReference(why=f"no bone map, and only {share:.0%} of what surrounds the lesion is one tissue")
    if volume.sequence is MrSequence.T1 and not _has_darker(image, middle, settings):
        return NoReference(why="no bone map, and what surrounds the lesion is as dark as muscle")
    return _measured(volume, box, _joined(marrow, marrow & beside), AROUND_LESION, settings)


def _densest(values: Values, spread: float) -> float:
    """The value with most others within `spread` of it (a share)."""
    ordered = np.sort(values[values > 0].astype(np.float64))
    if not ordered.size:
        return 0.0
    count = np.searchsorted(ordered, ordered * (1 + spread), "right") - np.searchsorted(ordered, ordered * (1 - spread))
    best = ordered[count == count.max()]
    return float(best[best.size // 2])


def _joined(places: BoolArray, seeds: BoolArray) -> BoolArray:
    """The connected pieces of `places` that hold a seed."""
    pieces, _ = ndimage.label(places)
    kept = np.unique(pieces[seeds & places])
    return np.asarray(np.isin(pieces, kept[kept > 0]))


def _has_darker(image: Values, middle: float, settings: Settings) -> bool:
    """Whether enough tissue round it is darker, as muscle and disc are in T1; round those hardly any is."""
    tissue = image[image > _CORTEX * middle / 2]
    return bool(np.mean(tissue < _DARKER * middle) >= settings.mr.t1_darker_share)


def _distance_mm(places: BoolArray, volume: Volume) -> FloatArray:
    """Distance of every voxel from the nearest true one; infinite where there is none."""
    if not places.any():
        return np.full(places.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~places, sampling=volume.geometry.spacing_mm))
