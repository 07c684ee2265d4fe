"""MR sequences of a visit that lie in a space of their own: taken on another day, or in another examination.

Signal is back to normal only where every sequence of the visit says so (docs/details.md, detail 32): one that no
outline reaches is looked up by registration, before anything is called gone or normal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mdanderson.assessment.by_signal import examine, look_at_place
from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status
from mdanderson.volume import Region

__all__ = ["with_other_sequences"]


def with_other_sequences(
    known: Known, findings: Sequence[LesionFinding], stations: Sequence[Station], *, settings: Settings
) -> tuple[LesionFinding, ...]:
    """The findings of a lesion at a visit, with those of sequences that only other images of the visit have."""
    if stations[0].volume.modality is not Modality.MR or len(stations) < 2 or findings[0].is_silent:
        return tuple(findings)
    told = {finding.sequence for finding in findings}
    kept = list(findings)
    visible = ""
    for station in stations:
        for finding in _shown_by(station, known, findings[0], told, settings):
            visible = visible or (finding.why if finding.status is Status.MISSING else "")
            if finding.sequence not in told:
                kept.append(finding)
                told.add(finding.sequence)
    return tuple(replace(one, status=Status.MISSING, why=visible) if visible and one.is_gone else one for one in kept)


def _shown_by(
    station: Station, known: Known, first: LesionFinding, told: set[str], settings: Settings
) -> Iterator[LesionFinding]:
    """What an image and its companions show at the lesion's place.

    All of it where the lesion is called gone, else the sequences that nobody has told of.
    """
    image = station.image
    if not first.is_gone and {str(one.volume.sequence or "") for one in (image, *image.companions)} <= told:
        return
    place = _place(station, known, settings)
    if place is None:
        return
    neighbours = [*image.lesions.regions, place]
    if first.is_gone:
        rows = look_at_place(station, place, known, neighbours=neighbours, settings=settings)
    else:
        seen = None if first.status in {Status.BASELINE, Status.NEW} else known
        rows = examine(
            station,
            place,
            lesion_id=known.lesion_id,
            status=first.status,
            known=seen,
            neighbours=neighbours,
            settings=settings,
        ).findings
    for row in rows:
        if first.is_gone or row.sequence not in told:
            yield replace(row, label="", long_axis_mm=None, short_axis_mm=None, volume_ml=None, slice_number=None)


def _place(station: Station, known: Known, settings: Settings) -> Region | None:
    """Where the image shows the lesion; None where it does not, or nobody knows."""
    points = known.points_common_mm
    if not (station.trusted and station.trusted_at(points)):
        return None
    if station.share_in_view(points) < settings.image.field_of_view_share:
        return None
    return station.carry(known.region, known.home)
