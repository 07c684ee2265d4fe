"""Doors in: the only room that reads files.

`read_volume` and `read_planar` look a file's format up in an explicit ordered registry; a format is one module and
one line here (and its endings in the manifest, where it holds neither date nor modality).
Imports are inside functions: each imaging library takes a second to load and most runs need one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mdanderson.errors import ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers.orientation import no_memory
from mdanderson.settings import Radiograph
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Volume

__all__ = [
    "FORMATS",
    "ImageFormat",
    "Request",
    "is_planar",
    "look_at_volume",
    "peek_date",
    "peek_modality",
    "read_planar",
    "read_volume",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the manifest says of an image: None where it says nothing. look_only: no voxel is wanted but to check it.

    Words and a day may come as text. Raises `ImageError` for a word that is none.
    """

    modality: Modality | None = None
    date: dt.date | None = None
    series: str | None = None
    sequence: MrSequence | None = None
    view: View | None = None
    look_only: bool = False

    def __post_init__(self) -> None:
        for name, read, known in _WORDS:
            told = getattr(self, name)
            if isinstance(told, str):
                try:
                    object.__setattr__(self, name, read(told))
                except ValueError:
                    raise ImageError(f"{name} is {told!r}", way_out=f"use {known}") from None


_WORDS: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("modality", Modality, f"one of {', '.join(Modality)}"),
    ("sequence", MrSequence, f"one of {', '.join(MrSequence)}"),
    ("view", View, f"one of {', '.join(View)}"),
    ("date", dt.date.fromisoformat, "YYYY-MM-DD"),
)
"""What of a request may come as text: how it is read, and what may stand there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFormat:
    """One file format: how it is told from the others, and how volumes and planar images are read from it."""

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Request], Volume]
    is_planar: Callable[[Path, Request], bool]
    read_planar: Callable[[Path, Request, Radiograph], tuple[PlanarImage, ...]]


def read_volume(
    path: str | Path,
    *,
    modality: Modality | None = None,
    date: dt.date | None = None,
    series: str | None = None,
    sequence: MrSequence | None = None,
) -> Volume:
    """The image at `path`: a DICOM file or folder of one series, NIfTI, NRRD, MHA or MHD.

    modality and date must be given for formats that do not hold them; for DICOM a modality is compared with the
    header's and a date wins over it. series: a SeriesInstanceUID, where a DICOM folder holds several.
    sequence: what an MR image weighs; of a DICOM series that holds several images (echoes, fat and water, b-values) it
    picks the one that is that, as `series` does with `UID#2` for the second. What the header plainly contradicts is
    refused. Told or read, it is `Volume.sequence`; other modalities have none.
    Values are int16 or float32 in `Volume.unit`; `Volume.source` is the path as given. ADC maps are in um2/s where
    header or values say their unit (`Volume.acquisition["unit_note"]`), else in arbitrary units.
    Raises `ImageError` and its kinds `GeometryError` and `UnitError`, saying what is wrong, where, and the way out.
    """
    request = Request(modality=modality, date=date, series=series, sequence=sequence)
    with _format_of(path) as (image_format, place):
        return image_format.read(place, request)


def look_at_volume(
    path: str | Path,
    *,
    modality: Modality | None = None,
    date: dt.date | None = None,
    series: str | None = None,
    sequence: MrSequence | None = None,
) -> Volume:
    """What `read_volume` gives or raises, but that voxels are read only where something in them could be wrong.

    Where the header tells all (DICOM and NIfTI of whole numbers, uncompressed, in files long enough) the values
    are zeros that stand for them: enough to place a mask, nothing to be measured.
    """
    request = Request(modality=modality, date=date, series=series, sequence=sequence, look_only=True)
    with _format_of(path) as (image_format, place):
        return image_format.read(place, request)


def read_planar(
    path: str | Path,
    *,
    modality: Modality | None = None,
    date: dt.date | None = None,
    series: str | None = None,
    view: View | None = None,
    settings: Radiograph | None = None,
) -> tuple[PlanarImage, ...]:
    """The planar images at `path`: the views of a bone scan, anterior first, or the one picture of a radiograph.

    A DICOM file with a frame a view, a folder with a file a view, or a CR, DX or digitised film; NIfTI, NRRD, MHA or
    MHD of a single plane, for which modality and date must be given, and for a bone scan its view. view: for DICOM the
    one wanted of several; what the header does not say of a single one it says here, and must not contradict.
    Values are int16 or float32: counts, or for a radiograph arbitrary units that rise with absorption (bone is bright,
    whatever the header stores). `PlanarImage.notes` say what makes values, sizes or view doubtful. `settings` holds
    the magnification where only the detector's pixel size is known.
    Raises `ImageError` and its kind `GeometryError`, saying what is wrong, where, and the way out; never mixes energy
    windows, isotopes, phases or dates.
    """
    request = Request(modality=modality, date=date, series=series, view=view)
    with _format_of(path) as (image_format, place):
        return image_format.read_planar(place, request, settings or Radiograph())


def is_planar(path: str | Path, *, modality: Modality | None = None, view: View | None = None) -> bool:
    """Whether `path` holds a projection and no volume, so that `read_planar` reads it. No pixel is looked at.

    DICOM says so itself. Elsewhere a radiograph is one, and a bone scan of a single plane or with a view; modality and
    view are what the manifest says. Raises `ImageError` for what is no image at all.
    """
    with _format_of(path) as (image_format, place):
        return image_format.is_planar(place, Request(modality=modality, view=view))


@contextmanager
def _format_of(path: str | Path) -> Iterator[tuple[ImageFormat, Path]]:
    """The format of what is at `path`; errors raised meanwhile name the file."""
    place = Path(path)
    if not place.exists():
        raise ImageError("no such file or folder", where=str(path), way_out="check the path")
    if not (place.is_file() or place.is_dir()):
        raise ImageError("neither a file nor a folder", where=str(path), way_out="name a file; a device is not read")
    try:
        found = next((image_format for image_format in FORMATS if image_format.recognises(place)), None)
        if found is None:
            names = ", ".join(image_format.name for image_format in FORMATS)
            raise ImageError("not a known image format", where=place.name, way_out=f"known are {names}")
        yield found, place
    except ImageError as error:
        error.located(place.name)
        raise
    except OSError as error:
        raise ImageError("the image cannot be opened", where=str(path), way_out=f"{error.strerror}") from error
    except MemoryError as error:
        raise no_memory().located(place.name) from error


def peek_date(path: str | Path) -> dt.date | None:
    """The day that the header of an image tells, even of one that cannot be read; None where it tells none."""
    place = Path(path)
    if not _is_dicom(place):
        return None
    from mdanderson.readers.dicom_elements import unheard
    from mdanderson.readers.dicom_series import peek_dicom_date

    try:
        with unheard():
            return peek_dicom_date(place)
    except OSError:
        return None


def peek_modality(path: str | Path) -> Modality | None:
    """What the header of an image says that made it, even of one that cannot be used; None where it says nothing."""
    place = Path(path)
    if not _is_dicom(place):
        return None
    from mdanderson.readers.dicom_elements import text, unheard
    from mdanderson.readers.dicom_header import is_projection
    from mdanderson.readers.dicom_series import peek_dicom_header

    try:
        with unheard():
            header = peek_dicom_header(place)
            name = "" if header is None else text(header, "Modality")
            if header is not None and name != Modality.NM and is_projection(header):
                return Modality.XR
    except (OSError, ImageError):
        return None
    return Modality(name) if name in set(Modality) else None


def _is_dicom(path: Path) -> bool:
    from mdanderson.readers.dicom_file import starts_like_dicom

    return path.is_dir() or (path.is_file() and starts_like_dicom(path))


def _read_dicom(path: Path, request: Request) -> Volume:
    from mdanderson.readers.dicom_series import read_dicom

    return read_dicom(
        path,
        modality=request.modality,
        date=request.date,
        series=request.series,
        sequence=request.sequence,
        look_only=request.look_only,
    )


def _is_planar_dicom(path: Path, _request: Request) -> bool:
    from mdanderson.readers.planar_dicom import is_planar_dicom

    return is_planar_dicom(path)


def _read_planar_dicom(path: Path, request: Request, settings: Radiograph) -> tuple[PlanarImage, ...]:
    from mdanderson.readers.planar_dicom import read_planar_dicom

    return read_planar_dicom(
        path,
        modality=request.modality,
        date=request.date,
        series=request.series,
        view=request.view,
        settings=settings,
    )


def _is_planar_stored(path: Path, request: Request) -> bool:
    from mdanderson.readers.planar_stored import is_planar_stored

    return is_planar_stored(path, modality=request.modality, view=request.view)


def _read_planar_stored(path: Path, request: Request, _settings: Radiograph) -> tuple[PlanarImage, ...]:
    from mdanderson.readers.planar_stored import read_planar_stored

    modality, date = _told(path, request)
    return (read_planar_stored(path, modality=modality, date=date, view=request.view),)


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _read_nifti(path: Path, request: Request) -> Volume:
    from mdanderson.readers.nifti import read_nifti

    modality, date = _told(path, request)
    _refuse_planar(path, modality)
    return read_nifti(path, modality=modality, date=date, sequence=request.sequence, look_only=request.look_only)


def _is_nrrd(path: Path) -> bool:
    return path.suffix.lower() in {".nrrd", ".nhdr", ".mha", ".mhd"}


def _read_nrrd(path: Path, request: Request) -> Volume:
    from mdanderson.readers.nrrd import read_nrrd

    modality, date = _told(path, request)
    _refuse_planar(path, modality)
    return read_nrrd(path, modality=modality, date=date, sequence=request.sequence)


def _refuse_planar(path: Path, modality: Modality) -> None:
    """Raises `ImageError` for a radiograph, and for a bone scan of a single plane."""
    if modality in {Modality.NM, Modality.XR} and _is_planar_stored(path, Request(modality=modality)):
        raise ImageError(
            f"a planar image ({modality}) is no volume",
            where=path.name,
            way_out="give its view in the manifest, or read it as a planar image (read_planar)",
        )


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
    ImageFormat(
        name="DICOM",
        recognises=_is_dicom,
        read=_read_dicom,
        is_planar=_is_planar_dicom,
        read_planar=_read_planar_dicom,
    ),
    ImageFormat(
        name="NIfTI (.nii, .nii.gz)",
        recognises=_is_nifti,
        read=_read_nifti,
        is_planar=_is_planar_stored,
        read_planar=_read_planar_stored,
    ),
    ImageFormat(
        name="NRRD and MetaImage (.nrrd, .nhdr, .mha, .mhd)",
        recognises=_is_nrrd,
        read=_read_nrrd,
        is_planar=_is_planar_stored,
        read_planar=_read_planar_stored,
    ),
)
"""Every image format, in the order in which they are asked."""
