"""Reference bone: what the patient's own uninvolved trabecular bone measures (docs/details.md, definitions for images).

Never an absolute HU: normal L1 goes from 226 +/- 44 HU below 30 years to 89 +/- 38 HU above 90 (PubMed 25884703).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.geometry import Box, FloatArray, enclosing_box, grow_box, moved_box
from mdanderson.measure.marrow import marrow_round, nearest_part, painted, without_specks
from mdanderson.measure.smoothing import require_hu, smoothed_box, smoothed_values
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Mask, Region, Volume

__all__ = ["AROUND_LESION", "GIVEN_MASK", "LABELLED_BONE", "ReferenceBone", "find_reference", "given_voxels"]

GIVEN_MASK = "given mask"
LABELLED_BONE = "labelled bone"
AROUND_LESION = "bone round the lesion"

_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""
_LABELLED_CORTEX = 1.5
"""Factor on `cortex_hu` where the bone is labelled and only dense cortex within it is to be left out."""


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
        """A voxel below this is lytic; osteoporotic bone leaves less room below it, porotic bone hardly any."""
        least = settings.lytic_minimum_hu
        if self.median_hu < settings.osteoporotic_below_hu:
            share = settings.lytic_minimum_share * max(self.median_hu, 0.0)
            least = min(settings.lytic_minimum_osteoporotic_hu, share)
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
        if painted(bones.regions, grow_box(region.box, volume.geometry, settings.reference_margin_mm)).any():
            return _labelled(volume, region, kept_away, bones, settings)
    for widening in (1.0, 2.0):  # a shell is seen to be closed only where it is seen whole
        around = marrow_round(volume, region, kept_away, widening=widening, settings=settings)
        found = _measured(volume, *around, AROUND_LESION, settings) if around is not None else None
        if found is not None:
            return found
    return None


def given_voxels(volume: Volume, mask: Mask) -> int:
    """How many voxels of bone a given reference mask, on the grid of `volume`, shows: those that were imaged."""
    if not mask.regions:
        return 0
    box = enclosing_box(region.box for region in mask)
    return int(np.count_nonzero(painted(mask.regions, box) & volume.imaged(box)))


def _measured(
    volume: Volume, box: Box, chosen: BoolArray, source: str, settings: ImageSettings
) -> ReferenceBone | None:
    """The reference that the chosen voxels of `box` make, None when they are too few."""
    chosen = chosen & volume.imaged(box)
    count = int(np.count_nonzero(chosen))
    if count < settings.reference_minimum_voxels:
        return None
    box, chosen = _tight(box, chosen)
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


def _tight(box: Box, chosen: BoolArray) -> tuple[Box, BoolArray]:
    """The part of `box` that holds all chosen voxels (at least one)."""
    planes, rows, columns = ndimage.find_objects(chosen.astype(np.uint8))[0]
    inner = planes, rows, columns
    return moved_box(inner, (part.start for part in box)), chosen[inner]


def _given(volume: Volume, mask: Mask, settings: ImageSettings) -> ReferenceBone | None:
    """A given mask, as it is: all its labels together."""
    if not mask.regions:
        return None
    box = enclosing_box(region.box for region in mask)
    return _measured(volume, box, painted(mask.regions, box), GIVEN_MASK, settings)


def _labelled(
    volume: Volume, region: Region, kept_away: Sequence[Region], bones: Mask, settings: ImageSettings
) -> ReferenceBone | None:
    """Trabecular voxels of the lesion's own bone; where too few, of the nearest bone that carries no lesion."""
    box = grow_box(region.box, volume.geometry, settings.reference_radius_mm)
    spacing = volume.geometry.spacing_mm
    near = _distance_mm(painted([region], box), spacing)
    involved = painted(kept_away, box)
    away = _distance_mm(involved, spacing) >= settings.reference_margin_mm
    fine = smoothed_box(volume, box, sigma_mm=settings.smoothing_sigma_mm / 2)
    cortex = without_specks(fine > _LABELLED_CORTEX * settings.cortex_hu, volume.geometry.voxel_volume_mm3)
    for bone in _by_distance(bones, box, near, involved):
        depth = ndimage.distance_transform_edt(bone & ~cortex, sampling=spacing)
        trabecular = (depth >= settings.reference_erosion_mm) & away
        part = nearest_part(trabecular, near, volume.geometry.voxel_volume_mm3, settings)
        found = _measured(volume, box, part, LABELLED_BONE, settings)
        if found is not None:
            return found
    return None


def _by_distance(bones: Mask, box: Box, distance: FloatArray, involved: BoolArray) -> Iterator[BoolArray]:
    """The nearest labelled bone, then the others that carry no lesion, nearest first; each painted in `box`."""
    places = [painted([bone], box) for bone in bones]
    near = sorted((float(distance[place].min()), k) for k, place in enumerate(places) if place.any())
    for rank, (_, k) in enumerate(near):
        if rank == 0 or not (places[k] & involved).any():
            yield places[k]


def _distance_mm(places: BoolArray, spacing_mm: tuple[float, float, float]) -> FloatArray:
    """Distance of every voxel from the nearest true one; infinite where there is none."""
    if not places.any():
        return np.full(places.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~places, sampling=spacing_mm))
