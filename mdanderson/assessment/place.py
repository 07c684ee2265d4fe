"""Placing every image of a series in the common space: that of the first image of the first visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from mdanderson.assessment.station import Image, Station
from mdanderson.geometry import Geometry, box_shape, grow_box
from mdanderson.registration import Registration, register
from mdanderson.settings import Settings
from mdanderson.volume import Volume

__all__ = ["place_baseline", "place_follow_up"]

_RIM_REACH_MM = 4.0
"""A new rim is 2-3 mm wide and may lie outside what was drawn."""
_UNSEEN_HU = -32768
"""Stands for voxels never imaged, where the image has no value of its own for them."""


def place_baseline(images: Sequence[Image], *, settings: Settings) -> tuple[Station, ...]:
    """The images of the first visit. The first one's patient space is the common space.

    Images of one visit that share a frame of reference lie where their headers say; others are registered.
    """
    first, *others = images
    anchor = Station(image=first, registration=Registration.identity())
    stations = [anchor]
    for image in others:
        if _one_space(first.volume.geometry, image.volume.geometry):
            stations.append(Station(image=image, registration=Registration.identity()))
        else:
            stations.append(place_follow_up(image, stations, settings=settings))
    return tuple(stations)


def place_follow_up(image: Image, baseline: Sequence[Station], *, settings: Settings) -> Station:
    """A later image, registered with the baseline image that fits it best; untrusted when none does."""
    tried = [_registered(image, home, settings) for home in baseline if home.trusted]
    return min(tried, key=lambda station: (not station.trusted, station.error_mm))


def _registered(image: Image, home: Station, settings: Settings) -> Station:
    found = register(_without_lesions(home.image), _without_lesions(image), settings=settings.image)
    return Station(
        image=image,
        registration=replace(
            found,
            matrix=found.matrix @ home.registration.matrix,
            places_mm=home.to_common(found.places_mm),
            error_mm=found.error_mm + home.registration.error_mm,
        ),
    )


def _without_lesions(image: Image) -> Volume:
    """The image with its lesions, and what a rim may reach, as never imaged: what heals or grows is no landmark."""
    volume = image.volume
    if not image.lesions.regions:
        return volume
    array = volume.array.copy()
    unseen = volume.padding if volume.padding is not None else _UNSEEN_HU
    for region in image.lesions:
        box = grow_box(region.box, volume.geometry, _RIM_REACH_MM)
        own = tuple(slice(r.start - b.start, r.stop - b.start) for r, b in zip(region.box, box, strict=True))
        outside = np.ones(box_shape(box), dtype=bool)
        outside[own] = ~region.voxels
        away_mm = ndimage.distance_transform_edt(outside, sampling=volume.geometry.spacing_mm)
        array[box][away_mm <= _RIM_REACH_MM] = unseen
    return replace(volume, array=array, padding=float(unseen))


def _one_space(one: Geometry, other: Geometry) -> bool:
    """Frames of reference known and equal. Unknown ones prove nothing."""
    return one.frame_of_reference_uid != "" and one.frame_of_reference_uid == other.frame_of_reference_uid
