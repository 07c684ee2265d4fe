"""Not segmented is not gone: what the image shows at a lesion's place (docs/details.md, detail 31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.examiners import examiner_of
from mdanderson.assessment.outlined import not_outlined
from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["MAYBE_NEW", "Origin", "look_up", "seen_at_baseline"]

MAYBE_NEW = "the baseline image does not tell whether it was there: nobody can say whether it is new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a lesion first segmented after baseline comes from; why: blank where it is plainly new.

    in_doubt: the baseline image cannot tell, so that nobody may call it new, nor say that it is not.
    """

    status: Status
    why: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether the baseline image cannot tell."""
        return self.status is Status.EQUIVOCAL


def look_up(known: Known, stations: Sequence[Station], *, settings: Settings) -> tuple[LesionFinding, ...]:
    """What became of a known lesion that nobody segmented: resolved, missing (still visible) or not evaluable.

    One finding for every image of the visit that can tell.
    """
    station = max(stations, key=lambda s: s.share_in_view(known.points_common_mm) if s.trusted else -1.0)
    why = _unseen(known, station, settings)
    place = station.carry(known.region, known.home) if not why else None
    if place is None:
        why = why or "its place falls between the image's planes"
        return (not_outlined(station, known, Status.NOT_EVALUABLE, why),)
    return examiner_of(station.volume).look_at_place(
        station, place, known, neighbours=_others(station, place), settings=settings
    )


def _unseen(known: Known, station: Station, settings: Settings) -> str:
    """Why the place of a lesion cannot be looked at; blank when it can."""
    if not station.trusted:
        return f"not segmented, and its place is unknown: {station.registration.why}"
    if station.share_in_view(known.points_common_mm) < settings.image.field_of_view_share:
        return "its place lies outside the field of view"
    if not station.trusted_at(known.points_common_mm):
        return f"not segmented, and its place is unknown: {station.registration.near(known.points_common_mm).why}"
    return ""


def seen_at_baseline(
    station: Station,
    lesion: Lesion,
    findings: Sequence[LesionFinding],
    baseline: Sequence[Station],
    *,
    settings: Settings,
) -> Origin:
    """Whether a lesion that no earlier visit settles is new. findings: of every image of the visit that shows it.

    Looked up in the baseline image that shows its place best; outside all of them nobody can say.
    """
    points = station.to_common(lesion.points_lps_mm)
    home = max(baseline, key=lambda s: s.share_in_view(points))
    if home.share_in_view(points) < settings.image.field_of_view_share:
        why = "outside the baseline's field of view: nobody can say whether it is new"
        return Origin(status=Status.NOT_EVALUABLE, why=why)
    place = home.carry(lesion.region, station)
    if place is None:
        return Origin(status=Status.EQUIVOCAL, why=MAYBE_NEW)
    examiner = examiner_of(home.volume)
    neighbours = _others(home, place)
    shown = [examiner.was_there(home, place, one, neighbours=neighbours, settings=settings) for one in findings]
    if any(one.there for one in shown):
        return Origin(status=Status.FOLLOWED, why="visible at baseline but not segmented")
    if any(one.there is False for one in shown):
        return Origin(status=Status.NEW)
    hidden = shown[0].hidden
    return Origin(status=Status.EQUIVOCAL, why=f"{MAYBE_NEW} ({hidden})" if hidden else MAYBE_NEW)


def _others(station: Station, place: Region) -> list[Region]:
    """Every lesion of the image and the place itself: none of them is reference bone."""
    return [*station.image.lesions.regions, place]
