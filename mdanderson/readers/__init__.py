"""Doors in: the only room that reads files.

`read_volume` looks a file's format up in an explicit ordered registry; a format is one module and one line here
(and its endings in the manifest, where it holds neither date nor modality).
Imports are inside functions: each imaging library takes a second to load and most runs need one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mdanderson.errors import ImageError
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

__all__ = ["FORMATS", "ImageFormat", "Request", "peek_date", "read_volume"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the manifest says of an image: None where it says nothing."""

    modality: Modality | None = None
    date: dt.date | None = None
    series: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFormat:
    """One file format: how it is told from the others, and how it is read."""

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Request], Volume]


def read_volume(
    path: str | Path, *, modality: Modality | None = None, date: dt.date | None = None, series: str | None = None
) -> Volume:
    """The image at `path`: a DICOM file or folder of one series, NIfTI, NRRD, MHA or MHD.

    modality and date must be given for formats that do not hold them; for DICOM a modality is compared with the
    header's and a date wins over it. series: a SeriesInstanceUID, where a DICOM folder holds several.
    Values are int16 or float32 in `Volume.unit`; `Volume.source` is the path as given.
    Raises `ImageError` and its kinds `GeometryError` and `UnitError`, saying what is wrong, where, and the way out.
    """
    place = Path(path)
    if not place.exists():
        raise ImageError("no such file or folder", where=str(path), way_out="check the path")
    request = Request(modality=modality, date=date, series=series)
    try:
        for image_format in FORMATS:
            if image_format.recognises(place):
                return image_format.read(place, request)
    except ImageError as error:
        error.located(place.name)
        raise
    except OSError as error:
        raise ImageError("the image cannot be opened", where=str(path), way_out=f"{error.strerror}") from error
    names = ", ".join(image_format.name for image_format in FORMATS)
    raise ImageError("not a known image format", where=place.name, way_out=f"known are {names}")


def peek_date(path: str | Path) -> dt.date | None:
    """The day that the header of an image tells, even of one that cannot be read; None where it tells none."""
    place = Path(path)
    if not place.exists() or not _is_dicom(place):
        return None
    from mdanderson.readers.dicom_series import peek_dicom_date

    try:
        return peek_dicom_date(place)
    except OSError:
        return None


def _is_dicom(path: Path) -> bool:
    from mdanderson.readers.dicom_header import starts_like_dicom

    return path.is_dir() or starts_like_dicom(path)


def _read_dicom(path: Path, request: Request) -> Volume:
    from mdanderson.readers.dicom_series import read_dicom

    return read_dicom(path, modality=request.modality, date=request.date, series=request.series)


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _read_nifti(path: Path, request: Request) -> Volume:
    from mdanderson.readers.nifti import read_nifti

    modality, date = _told(path, request)
    return read_nifti(path, modality=modality, date=date)


def _is_nrrd(path: Path) -> bool:
    return path.suffix.lower() in {".nrrd", ".nhdr", ".mha", ".mhd"}


def _read_nrrd(path: Path, request: Request) -> Volume:
    from mdanderson.readers.nrrd import read_nrrd

    modality, date = _told(path, request)
    return read_nrrd(path, modality=modality, date=date)


def _told(path: Path, request: Request) -> tuple[Modality, dt.date]:
    """Modality and date of a file that holds neither."""
    if request.modality is None or request.date is None:
        missing = " and ".join(
            name for name, value in (("modality", request.modality), ("date", request.date)) if value is None
        )
        raise ImageError(
            f"the file does not say its {missing}", where=path.name, way_out=f"give {missing} in the manifest"
        )
    return request.modality, request.date


FORMATS: tuple[ImageFormat, ...] = (
    # first, because it is told by content: a DICOM file may be named anything, .nii included
    ImageFormat(name="DICOM", recognises=_is_dicom, read=_read_dicom),
    ImageFormat(name="NIfTI (.nii, .nii.gz)", recognises=_is_nifti, read=_read_nifti),
    ImageFormat(name="NRRD and MetaImage (.nrrd, .nhdr, .mha, .mhd)", recognises=_is_nrrd, read=_read_nrrd),
)
"""Every image format, in the order in which they are asked."""
