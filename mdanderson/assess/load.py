"""Reading what the manifest names for one patient; what cannot be read is told, not lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mdanderson.assess.station import Image
from mdanderson.errors import ImageError, MdandersonError, Problem
from mdanderson.readers import read_mask, read_volume
from mdanderson.readers.manifest import ImageEntry, Patient
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Volume

__all__ = ["Failed", "load_images"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """An image that could not be read: its place in time, where that is known, and why."""

    date: dt.date | None
    visit: str
    modality: Modality
    why: str


def load_images(patient: Patient) -> tuple[tuple[Image, ...], tuple[Failed, ...], tuple[Problem, ...]]:
    """All images of a patient in date order, those that failed, and a problem row for each failure."""
    images: list[Image] = []
    failed: list[Failed] = []
    problems: list[Problem] = []
    for entry in patient.images:
        try:
            images.append(_load(entry))
        except MdandersonError as error:
            where = str(entry.image)
            problems.append(Problem.from_error(error.located(where), patient_id=patient.patient_id, visit=entry.visit))
            modality = entry.modality or Modality.CT
            failed.append(Failed(date=entry.date, visit=entry.visit, modality=modality, why=error.what))
    return tuple(sorted(images, key=lambda image: (image.date, image.where))), tuple(failed), tuple(problems)


def _load(entry: ImageEntry) -> Image:
    volume = read_volume(entry.image, modality=entry.modality, date=entry.date, series=entry.series or None)
    if volume.date is None:
        raise ImageError(
            "the image has no date", where=str(entry.image), way_out="give `date` in the manifest (YYYY-MM-DD)"
        )
    return Image(
        volume=volume,
        lesions=_mask(entry.mask, volume) or Mask(geometry=volume.geometry),
        date=volume.date,
        visit=entry.visit,
        bone_map=_mask(entry.bone_mask, volume),
        reference_mask=_mask(entry.reference_mask, volume),
        where=str(entry.image),
    )


def _mask(path: object, volume: Volume) -> Mask | None:
    return read_mask(path, like=volume) if path else None
