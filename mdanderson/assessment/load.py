"""Reading what the manifest names for one patient; what cannot be read is told, not lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mdanderson.assessment.station import Image
from mdanderson.errors import ImageError, MdandersonError, Problem, Severity
from mdanderson.readers import read_volume
from mdanderson.readers.manifest import ImageEntry, LostImage, Patient
from mdanderson.readers.masks import read_mask
from mdanderson.settings import Settings
from mdanderson.volume import Mask, Volume

__all__ = ["load_images"]


def load_images(
    patient: Patient, *, settings: Settings | None = None
) -> tuple[tuple[Image, ...], tuple[LostImage, ...], tuple[Problem, ...]]:
    """All images of a patient in date order, those that are lost, and a problem row for whatever went wrong."""
    settings = settings or Settings()
    images: list[Image] = []
    lost = list(patient.lost)
    problems = list(patient.problems)
    for entry in patient.images:
        try:
            image = _load(entry, settings)
        except MdandersonError as error:
            problems.append(Problem.from_error(error.located(entry.image.name), visit=entry.visit))
            lost.append(
                LostImage(row=entry.row, date=entry.date, modality=entry.modality, visit=entry.visit, why=error.what)
            )
        else:
            images.append(image)
            problems += _about_mask(image)
    return tuple(sorted(images, key=lambda image: (image.date, image.where))), tuple(lost), tuple(problems)


def _about_mask(image: Image) -> Iterator[Problem]:
    """What happened to labels on their way onto the image's grid."""
    severity = Severity.WARNING if image.lesions.lost_labels else Severity.INFO
    for note in image.lesions.notes:
        yield Problem(
            severity=severity,
            visit=image.visit,
            where=image.lesions.source,
            what=note,
            how_to_fix="check that the mask was drawn on this image",
        )


def _load(entry: ImageEntry, settings: Settings) -> Image:
    volume = read_volume(entry.image, modality=entry.modality, date=entry.date, series=entry.series or None)
    if volume.date is None:
        raise ImageError(
            "the image has no date", where=entry.image.name, way_out="give `date` in the manifest (YYYY-MM-DD)"
        )
    return Image(
        volume=volume,
        lesions=_mask(entry.mask, volume, settings) or Mask(geometry=volume.geometry),
        date=volume.date,
        visit=entry.visit,
        bone_map=_mask(entry.bone_mask, volume, settings),
        reference_mask=_mask(entry.reference_mask, volume, settings),
        where=entry.image.name,
    )


def _mask(path: Path | None, volume: Volume, settings: Settings) -> Mask | None:
    return read_mask(path, like=volume, settings=settings.image) if path else None
