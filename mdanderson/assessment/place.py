"""Placing every image of a series in the common space: that of the first image of the first visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.assessment.station import Image, Station
from mdanderson.geometry import Geometry
from mdanderson.registration import Registration, register
from mdanderson.settings import Settings

__all__ = ["place_baseline", "place_follow_up"]


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
    found = register(home.volume, image.volume, settings=settings.image)
    return Station(
        image=image,
        registration=replace(
            found,
            matrix=found.matrix @ home.registration.matrix,
            places_mm=home.to_common(found.places_mm),
            error_mm=found.error_mm + home.registration.error_mm,
        ),
    )


def _one_space(one: Geometry, other: Geometry) -> bool:
    """Frames of reference known and equal. Unknown ones prove nothing."""
    return one.frame_of_reference_uid != "" and one.frame_of_reference_uid == other.frame_of_reference_uid
