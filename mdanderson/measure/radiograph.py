"""Density of a lesion on a radiograph, against the bone next to it.

A pixel of a radiograph has no unit: exposure and processing scale it and shift it. Both cancel when soft tissue beside
the bone is set to 0 and uninvolved bone near the lesion to `[radiograph] bone_contrast`. In this relative density the
limits of `[image]` are shares of the bone's own contrast (with 400: lytic below 90 %, sclerotic above 125 %, normal
within 10 %), and classes, fill-in and rim are measured as on CT. What is not linear (another processing, a gamma) does
not cancel: `radiograph_differences` tells where the headers show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.errors import MeasurementError
from mdanderson.measure.comparability import Difference
from mdanderson.measure.density import (
    DensityMeasure,
    FillIn,
    lesion_type,
    lytic_region,
    measure_density,
    measure_fill_in,
)
from mdanderson.measure.lesion import Surroundings
from mdanderson.measure.radiograph_bone import NoReferenceError, relative_density
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.rim import Rim, measure_rim
from mdanderson.measure.smoothing import smoothed_values
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality
from mdanderson.volume import Mask, Region, Volume

__all__ = [
    "RadiographDensity",
    "measure_radiograph_density",
    "measure_radiograph_fill_in",
    "radiograph_differences",
]

_BORDER_SHARE = 0.25
"""Of the way from the outline to the deepest place inside: the border that the middle is compared with."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RadiographDensity:
    """Density of one place of a radiograph in relative density (soft tissue 0, reference bone `bone_contrast`).

    image: the radiograph in that unit round the place, on the pixels of the slab it was made of. lytic: the lytic
    pixels of the region, which fill-in at later visits refers to. All are None where no reference was found; `why`
    then says so.
    """

    image: Volume | None = None
    reference: ReferenceBone | None = None
    density: DensityMeasure | None = None
    rim: Rim | None = None
    lesion_type: LesionType | None = None
    lytic: Region | None = None
    why: str = ""


def measure_radiograph_density(
    slab: Volume,
    region: Region,
    *,
    neighbours: Sequence[Region] = (),
    reference_mask: Mask | None = None,
    bone_map: Mask | None = None,
    settings: Settings,
) -> RadiographDensity:
    """Density of `region` (on the grid of `slab`, a radiograph one plane thick) against bone near it.

    Reference bone is a given `reference_mask`, else the labelled bone of a `bone_map` that is nearest the lesion, else
    what round the lesion is plainly denser than the rest. `neighbours` is every lesion segmented or expected; none of
    them is reference, nor is anything within `reference_margin_mm` of one.
    Raises `MeasurementError` for an image that is no radiograph, and where the region was not imaged.
    """
    if slab.modality is not Modality.XR or not slab.planar:
        raise MeasurementError(
            "no radiograph", where=slab.source, way_out="measure a CT by its HU, other images by their own quantities"
        )
    around = Surroundings(neighbours=neighbours, reference_mask=reference_mask, bone_map=bone_map)
    try:
        image, reference = relative_density(slab, region, around=around, settings=settings)
    except NoReferenceError as error:
        return RadiographDensity(why=error.what)
    density = measure_density(image, region, reference, settings=settings.image)
    core_mm = _core_mm(image, region, reference, settings)
    density = replace(density, lytic_focus_mm=max(density.lytic_focus_mm or 0.0, core_mm))
    return RadiographDensity(
        image=image,
        reference=reference,
        density=density,
        rim=measure_rim(image, region, reference, settings=settings.image),
        lesion_type=_type(density, settings),
        lytic=lytic_region(image, region, reference, settings=settings.image),
    )


def measure_radiograph_fill_in(measured: RadiographDensity, lytic: Region, *, settings: Settings) -> FillIn | None:
    """What became of `lytic`, the baseline's lytic pixels brought to this radiograph; None without a reference."""
    if measured.image is None or measured.reference is None:
        return None
    return measure_fill_in(measured.image, lytic, measured.reference, settings=settings.image)


def radiograph_differences(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """What differs between two `Volume.acquisition` of radiographs.

    Another projection shows other bone over the lesion, another processing is not linear: both spoil a comparison of
    density. A fact that either image does not state differs from nothing.
    """
    named = (("projection", "projection"), ("intent", "processing"), ("intensity", "pixel intensity relationship"))
    return tuple(
        Difference(what=f"{name} {then[key]}, now {now[key]}", spoils=True)
        for key, name in named
        if then.get(key) and now.get(key) and then[key] != now[key]
    )


def _core_mm(image: Volume, region: Region, reference: ReferenceBone, settings: Settings) -> float:
    """Diameter of a disc as large as what is plainly darker in the middle than at the border, 0 where nothing is.

    A sclerotic rim and the hole that it surrounds lie over one another, and may read as bone on the whole.
    """
    support = region.voxels & image.imaged(region.box)
    values = np.full(support.shape, np.inf)
    values[support] = smoothed_values(image, region.box, support, sigma_mm=settings.image.smoothing_sigma_mm)
    depth = ndimage.distance_transform_edt(np.pad(support[0], 1), sampling=image.geometry.spacing_mm[1:])[1:-1, 1:-1]
    border = support[0] & (depth <= _BORDER_SHARE * depth.max())
    if not border.any():
        return 0.0
    plainly = max(settings.image.normal_robust_sd * reference.robust_sd_hu, settings.image.normal_minimum_hu)
    pieces, count = ndimage.label(values[0] < np.median(values[0][border]) - plainly)
    largest = int(np.bincount(pieces.ravel())[1:].max()) if count else 0
    return float(np.sqrt(4.0 / np.pi * largest * np.prod(image.geometry.spacing_mm[1:])))


def _type(density: DensityMeasure, settings: Settings) -> LesionType | None:
    if density.lytic_fraction is None or density.sclerotic_fraction is None:
        return None
    return lesion_type(density.lytic_fraction, density.sclerotic_fraction, settings=settings.image)
