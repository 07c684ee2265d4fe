"""Placing every image of a series in the common space: that of the first image of the first visit."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.assessment.station import Image, Station
from mdanderson.geometry import Geometry
from mdanderson.registration import Registration, Subject, register, register_in_one_space
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["place_baseline", "place_follow_up"]


def place_baseline(images: Sequence[Image], *, settings: Settings) -> tuple[Station, ...]:
    """The images of the first visit. The first one's patient space is the common space.

    Images of one visit that share a frame of reference lie where their headers say, which is checked; others are
    registered.
    """
    first, *others = images
    anchor = Station(image=first, registration=Registration.identity(), subject=_subject(first))
    stations = [anchor]
    for image in others:
        if _one_space(first.volume.geometry, image.volume.geometry):
            subject = _subject(image)
            checked = register_in_one_space(_subject_of(anchor), subject, settings=settings.image)
            stations.append(Station(image=image, registration=checked, subject=subject))
        else:
            stations.append(place_follow_up(image, stations, settings=settings))
    return tuple(stations)


def place_follow_up(image: Image, baseline: Sequence[Station], *, settings: Settings) -> Station:
    """A later image, registered with the baseline image that fits it best; untrusted when none does."""
    tried = [_registered(image, home, settings) for home in baseline if home.trusted]
    return min(tried, key=lambda station: (not station.trusted, station.error_mm))


def _registered(image: Image, home: Station, settings: Settings) -> Station:
    """The image laid on one of baseline; of MR by a sequence that both visits have, where there is one."""
    then, now = _alike(home.image, image)
    subject = _subject(now)
    found = register(
        _subject_of(home) if then is home.image else _subject(then),
        subject,
        settings=settings.image,
        scintigraphy=settings.scintigraphy,
        radiograph=settings.radiograph,
    )
    kept = subject if now is image else None
    return Station(image=image, registration=found.after(home.registration), subject=kept)


def _alike(then: Image, now: Image) -> tuple[Image, Image]:
    """Of two images and their companions, which share each one's space, the pair that looks most alike."""
    if then.volume.modality is not Modality.MR or then.volume.sequence is now.volume.sequence:
        return then, now
    for one in (then, *then.companions):
        for other in (now, *now.companions):
            if one.volume.sequence is other.volume.sequence:
                return one, other
    return then, now


def _subject(image: Image) -> Subject:
    return Subject(volume=image.volume, lesions=image.lesions, bones=image.bone_map)


def _subject_of(station: Station) -> Subject:
    return station.subject or _subject(station.image)


def _one_space(one: Geometry, other: Geometry) -> bool:
    """Frames of reference known and equal. Unknown ones prove nothing."""
    return one.frame_of_reference_uid != "" and one.frame_of_reference_uid == other.frame_of_reference_uid
