"""One lesion, one identity: what it is called where another modality has shown it (docs/details.md, detail 37).

Images of one frame of reference share their places; MR and CT are registered with each other. Where neither holds, a
lesion has a name of its own, and only a reader (reads.csv) or a tracking UID can tie it to another modality's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mdanderson.assessment.catalogue import Catalogue, Known
from mdanderson.assessment.station import Image, Station
from mdanderson.errors import Problem, Severity
from mdanderson.lesions import Lesion
from mdanderson.matching import MatchKind, Place, match
from mdanderson.registration import Registration, Subject, register
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["Elsewhere", "Followed", "Names"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Followed:
    """A modality that was followed through all its visits: its lesions, and the images of each visit.

    names: image and label -> lesion.
    """

    modality: Modality
    catalogue: Catalogue
    visits: tuple[tuple[Station, ...], ...]
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Names:
    """Found key -> the lesion that another modality calls it, and what is to be said about the others."""

    by_key: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Elsewhere:
    """What other modalities have shown of the patient, those that speak first leading."""

    followed: tuple[Followed, ...] = ()

    @property
    def taken(self) -> frozenset[str]:
        """Every identity given away."""
        return frozenset(known.lesion_id for one in self.followed for known in one.catalogue)

    def with_followed(self, one: Followed) -> Elsewhere:
        """The same with one modality more."""
        return Elsewhere(followed=(*self.followed, one))

    def names(self, station: Station, lesions: Mapping[str, Lesion], *, settings: Settings) -> Names:
        """What lesions first seen in `station` are called elsewhere; those unknown there are left out."""
        names: dict[str, str] = dict(self._by_uid(lesions))
        problems: list[Problem] = []
        for one in self.followed:
            left = {key: lesion for key, lesion in lesions.items() if key not in names}
            if not left or not one.catalogue.lesions:
                continue
            found, untied = _found_in(one, station, left, settings)
            names |= {key: name for key, name in found.items() if name not in names.values()}
            problems += untied
        return Names(by_key=names, problems=tuple(problems))

    def placed(self, image: Image, baseline: Sequence[Station]) -> Registration | None:
        """Where an image lies by way of another modality: both its baseline and itself share a frame with that one's.

        A PET is laid on an earlier PET by the CTs taken with them, which show bone better.
        """
        for one in self.followed:
            anchor = one.visits[0][0]
            if not baseline or not _one_frame(anchor.image, baseline[0].image):
                continue
            for visit in one.visits:
                for station in visit:
                    if station.trusted and _one_frame(station.image, image):
                        return station.registration
        return None

    def lent_names(self, images: Sequence[Image]) -> dict[tuple[dt.date, str, str], str]:
        """Day, label and no sequence -> lesion, for images whose outlines were borrowed together with their names."""
        given = {key: name for one in self.followed for key, name in one.names.items()}
        return {
            (image.date, str(region.label), ""): name
            for image in images
            for region in image.lesions
            if (name := given.get((image.borrowed_from, str(region.label))))
        }

    def _by_uid(self, lesions: Mapping[str, Lesion]) -> Iterator[tuple[str, str]]:
        """Lesions that a tracking UID names."""
        every = [known for one in self.followed for known in one.catalogue]
        by_uid = {known.region.tracking_uid: known.lesion_id for known in every if known.region.tracking_uid}
        for key, lesion in lesions.items():
            if name := by_uid.get(lesion.region.tracking_uid):
                yield key, name


def _found_in(
    one: Followed, station: Station, lesions: Mapping[str, Lesion], settings: Settings
) -> tuple[dict[str, str], list[Problem]]:
    """Found key -> lesion of another modality; where no image of the visit can be laid on this one, what is in the way.

    A visit may have several (chest and pelvis): the first that fits speaks, for all lesions known by then or later.
    """
    doubts: list[Problem] = []
    for home in _same_visit(one, station, settings):
        bridge = _bridge(home, station, settings)
        if bridge.trusted:
            return _matched(one.catalogue, home, bridge, station, lesions, settings), []
        doubts.append(_untied(station, home, bridge))
    return {}, doubts[:1]


def _same_visit(one: Followed, station: Station, settings: Settings) -> list[Station]:
    """The images of another modality no further off in time than a visit is wide; those of one space, then nearest."""
    window = settings.policy.visit_window_days
    near = [
        home
        for visit in one.visits
        for home in visit
        if home.trusted and abs((home.image.date - station.image.date).days) <= window
    ]
    return sorted(
        near,
        key=lambda home: (not _one_frame(home.image, station.image), abs((home.image.date - station.image.date).days)),
    )


def _one_frame(one: Image, other: Image) -> bool:
    """Whether both were taken on one day in one known frame of reference; some exports use one UID for all dates."""
    uid = one.volume.geometry.frame_of_reference_uid
    return uid != "" and uid == other.volume.geometry.frame_of_reference_uid and one.date == other.date


def _bridge(home: Station, station: Station, settings: Settings) -> Registration:
    """The way from an image of one modality into an image of another, taken at one visit."""
    if _one_frame(home.image, station.image):
        return Registration.identity()
    subjects = [
        one.subject or Subject(volume=one.volume, lesions=one.image.lesions, bones=one.image.bone_map)
        for one in (home, station)
    ]
    return register(*subjects, settings=settings.image)


def _matched(
    catalogue: Catalogue,
    home: Station,
    bridge: Registration,
    station: Station,
    lesions: Mapping[str, Lesion],
    settings: Settings,
) -> dict[str, str]:
    """Found key -> lesion, for those that are plainly one another's."""
    known = [_place_in(one, home, bridge) for one in catalogue if home.trusted_at(one.points_common_mm)]
    spacing_mm = station.volume.geometry.spacing_mm
    found = [
        Place(key=key, points_lps_mm=lesion.points_lps_mm, voxel_mm=spacing_mm, cut=lesion.touches_edge)
        for key, lesion in lesions.items()
    ]
    matches = match(known, found, error_mm=bridge.error_mm, settings=settings.image)
    return {one.found[0]: one.known[0] for one in matches if one.kind is MatchKind.FOLLOWED}


def _place_in(known: Known, home: Station, bridge: Registration) -> Place:
    """A known lesion's place in the other modality's image."""
    here = home.to_image(known.points_common_mm)
    return Place(
        key=known.lesion_id,
        points_lps_mm=bridge.near(here).to_follow_up(here),
        voxel_mm=known.home.volume.geometry.spacing_mm,
        cut=known.place.cut,
    )


def _untied(station: Station, home: Station, bridge: Registration) -> Problem:
    return Problem(
        severity=Severity.INFO,
        visit=station.image.visit,
        where=station.image.where,
        what=f"its lesions have names of their own: it cannot be laid on the {home.volume.modality} ({bridge.why})",
        how_to_fix="state label and lesion_id in reads.csv where a lesion is one of another modality's",
    )
