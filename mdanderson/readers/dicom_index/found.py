"""What an index comes to: the rows of the manifest, every series with what became of it, and what is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mdanderson.errors import Problem
from mdanderson.readers.dicom_index.choose import Candidate
from mdanderson.readers.dicom_index.facts import Facts
from mdanderson.readers.dicom_index.series import Series

__all__ = ["ImageRow", "Indexed", "SeriesRow", "series_row", "series_rows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRow:
    """One row of the manifest. image, mask, bone_mask: paths from the folder that was indexed.

    files: what a folder of links must hold, where no folder holds the image by itself; () where one does.
    """

    patient_id: str
    date: dt.date
    modality: str
    image: str
    series: str = ""
    sequence: str = ""
    view: str = ""
    visit: str = ""
    mask: str = ""
    bone_mask: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesRow:
    """One row of the list of series: what it is, and whether it is used, or why not."""

    patient_id: str
    date: dt.date | None = None
    modality: str
    sequence: str = ""
    series_number: int | None = None
    description: str = ""
    used: bool
    reason: str = ""
    images: int = 0
    plane: str = ""
    thickness_mm: float | None = None
    kernel: str = ""
    contrast: str = ""
    image_type: str = ""
    folder: str = ""
    series: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Indexed:
    """All that was found. files: looked at; ignored: those that are neither DICOM nor told of otherwise."""

    images: tuple[ImageRow, ...] = ()
    series: tuple[SeriesRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0
    dicom: int = 0
    ignored: int = 0
    directories: int = 0
    patients: tuple[str, ...] = field(default=())


def series_rows(one: Series, told: Sequence[tuple[Candidate, bool, str]]) -> Iterator[SeriesRow]:
    """A row for every image of a series. told: each image, whether it is used, and why or why not."""
    for candidate, used, reason in told:
        part = candidate.part
        yield series_row(
            one,
            used=used,
            reason=reason,
            sequence=part.sequence or "",
            images=part.stack.slices,
            plane=part.stack.plane,
            thickness_mm=part.stack.thickness_mm or part.stack.step_mm,
            number=part.number,
        )


def series_row(
    one: Series,
    *,
    used: bool,
    reason: str,
    sequence: str = "",
    images: int | None = None,
    plane: str = "",
    thickness_mm: float | None = None,
    number: int = 0,
) -> SeriesRow:
    """The row of a series, or of one image of it."""
    first: Facts = one.first
    return SeriesRow(
        patient_id=one.patient_id,
        date=one.date,
        modality=one.modality,
        sequence=sequence,
        series_number=first.number,
        description=first.description,
        used=used,
        reason=reason,
        images=len(one.files) if images is None else images,
        plane=plane,
        thickness_mm=thickness_mm or first.thickness_mm,
        kernel=first.kernel.split("/")[0],
        contrast=first.contrast,
        image_type="/".join(first.image_type),
        folder=first.folder or ".",
        series=f"{one.uid}#{number}" if number else one.uid,
    )
