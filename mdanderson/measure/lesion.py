"""Everything measured on one lesion in one CT image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mdanderson.geometry import grow_box
from mdanderson.lesions import Lesion
from mdanderson.measure.density import DensityMeasure, lesion_type, measure_density
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.marrow import painted
from mdanderson.measure.reference import ReferenceBone, find_reference
from mdanderson.measure.rim import Rim, measure_rim
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import LesionType
from mdanderson.volume import Mask, Region, Volume

__all__ = ["BoneMeasurement", "Surroundings", "gaps_at", "measure_region", "reference_for"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Surroundings:
    """What reference bone is sought by.

    neighbours: every lesion segmented or expected in the image; none of them is reference bone. A given
    `reference_mask` is taken as it is; a `bone_map` is a label map of bones. All on the image's grid.
    """

    neighbours: Sequence[Region] = ()
    reference_mask: Mask | None = None
    bone_map: Mask | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BoneMeasurement:
    """One lesion in one CT image.

    reference is None, and so are rim, type and the classes of `density`, where no valid reference bone was found.
    touches_edge: the edge of the field of view cuts it: the last voxel of the grid, or voxels that were never imaged
    (the corners round a circular field, the wedges of an untilted gantry). Its diameters are lower bounds only.
    has_nan: voxels of it, or next to it, are NaN: a gap in the file, which leaves its diameters as unsure.
    """

    lesion: Lesion
    diameters: Diameters
    density: DensityMeasure
    reference: ReferenceBone | None
    rim: Rim | None
    lesion_type: LesionType | None
    touches_edge: bool
    has_nan: bool

    @property
    def volume_ml(self) -> float:
        """Voxels times voxel volume."""
        return self.lesion.volume_ml


def measure_region(
    volume: Volume, region: Region, *, around: Surroundings, beside: Region | None = None, settings: ImageSettings
) -> BoneMeasurement:
    """Measure a region on the image's own grid; reference bone is sought `beside` another region where given.

    Raises `UnitError` unless the image is in HU, `MeasurementError` when the lesion was not imaged.
    """
    reference = reference_for(volume, beside or region, around=around, settings=settings)
    density = measure_density(volume, region, reference, settings=settings)
    lesion = Lesion.from_region(region, volume.geometry)
    never_imaged, is_nan = gaps_at(volume, region)
    return BoneMeasurement(
        lesion=lesion,
        diameters=measure_diameters(region, volume.geometry, settings=settings),
        density=density,
        reference=reference,
        rim=measure_rim(volume, region, reference, settings=settings) if reference else None,
        lesion_type=_type(density, settings),
        touches_edge=lesion.touches_edge or never_imaged,
        has_nan=is_nan,
    )


def reference_for(
    volume: Volume, region: Region, *, around: Surroundings, settings: ImageSettings
) -> ReferenceBone | None:
    """Reference bone for a place, sought by its surroundings."""
    return find_reference(
        volume,
        region,
        lesions=around.neighbours,
        reference_mask=around.reference_mask,
        bone_map=around.bone_map,
        settings=settings,
    )


def gaps_at(volume: Volume, region: Region) -> tuple[bool, bool]:
    """Whether a voxel of the region, or a neighbour of one across a face, is padding; whether one is NaN."""
    box = grow_box(region.box, volume.geometry, max(volume.geometry.spacing_mm))
    unseen = ~volume.imaged(box)
    if not unseen.any():
        return False, False
    gaps = volume.array[box][ndimage.binary_dilation(painted([region], box)) & unseen]
    nan = np.isnan(gaps)
    return bool((~nan).any()), bool(nan.any())


def _type(density: DensityMeasure, settings: ImageSettings) -> LesionType | None:
    if density.lytic_fraction is None or density.sclerotic_fraction is None:
        return None
    return lesion_type(density.lytic_fraction, density.sclerotic_fraction, settings=settings)
