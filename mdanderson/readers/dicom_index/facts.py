"""What the header of one file tells of its place among the others. No pixel is read, and nobody's name is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import MediaStorageDirectoryStorage

from mdanderson.errors import ImageError, Problem, Severity
from mdanderson.readers.dicom_elements import BROKEN_HEADER, items, numbers, text, unheard, whole_number
from mdanderson.readers.dicom_file import refuse_bomb, starts_like_dicom
from mdanderson.readers.dicom_header import acquisition_date, day_of
from mdanderson.readers.dicom_index.segments import kind_of_segments
from mdanderson.version import MAKER_NAME

__all__ = ["Facts", "Looked", "is_uid", "look_at"]

_WANTED = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality"),
    *("PatientName", "PatientBirthDate", "PatientSex"),
    *("PatientID", "IssuerOfPatientID", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "ContentTime"),
    *("SeriesNumber", "SeriesDescription", "InstanceNumber", "ImageType", "BodyPartExamined", "SpecificCharacterSet"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "Rows", "Columns"),
    *("NumberOfFrames", "SamplesPerPixel", "ConvolutionKernel", "ContrastBolusAgent", "CorrectedImage"),
    *("Manufacturer", "ManufacturerModelName", "InstanceCreationDate", "InstanceCreationTime"),
    *("ViewPosition", "ImageLaterality", "PresentationIntentType", "LossyImageCompression"),
)
_WANTED_OF_MASKS = (
    *("ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence", "SegmentSequence", "SourceImageSequence"),
    *("CurrentRequestedProcedureEvidenceSequence", "ReferencedImageSequence", "NumberOfFrames", "Modality"),
)
_LAST = 0x0028FFFF
_LAST_OF_MASKS = 0x30060020
"""Nothing wanted comes after it; a segmentation has the places of its frames there, thousands of items."""
_MADE_FROM_IMAGES = frozenset({"SEG", "RTSTRUCT", "SR"})
_DEFER_BYTES = 2**16
_UID = re.compile(r"[0-9]{1,64}(\.[0-9]{1,64})*", re.ASCII)
_LONGEST_UID = 64
_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive"}
_ARCHIVES |= {b"\x1f\x8b": "a gzip file", b"BZh": "a bzip2 file", b"\xfd7zX": "an xz file"}
_TAR = slice(257, 262)
_MOST_ITEMS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """One DICOM file. path: relative to the folder that is indexed. inode: the same for two names of one file.

    image_type: all its words in upper case. position, orientation in mm, () where the header has none. refers: series
    that it was made from. refers_to_images: instances of them. segments: what they are, as of
    `kind_of_segments`. content_time: when a mask was saved, to be compared. is_export: written by this program.
    person: name, birth date and sex as digests, which can only be compared; blank where blank. date: of the study;
    acquired: when the scanner says that it made the image.
    """

    path: str
    size: int = 0
    inode: tuple[int, int] = (0, 0)
    instance_uid: str = ""
    class_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frame_uid: str = ""
    modality: str = ""
    patient_id: str = ""
    issuer: str = ""
    person: tuple[str, ...] = ()
    date: dt.date | None = None
    acquired: dt.date | None = None
    number: int | None = None
    description: str = ""
    instance_number: int = 0
    image_type: tuple[str, ...] = ()
    body_part: str = ""
    position_mm: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    thickness_mm: float | None = None
    rows: int = 0
    columns: int = 0
    frames: int = 1
    samples: int = 1
    kernel: str = ""
    contrast: str = ""
    corrections: str = ""
    projection: str = ""
    intent: str = ""
    is_lossy: bool = False
    content_time: str = ""
    is_export: bool = False
    refers: tuple[str, ...] = ()
    refers_to_images: tuple[str, ...] = ()
    segments: str = ""

    @property
    def folder(self) -> str:
        """The folder of the file, blank for the one that is indexed."""
        return os.path.dirname(self.path)  # noqa: PTH120 - text, a hundred times as fast


Looked = Facts | Problem | None
"""What a look at a file gives: its facts, what is wrong with it, or None where it is no DICOM."""


def is_uid(word: str) -> bool:
    """Whether it is digits and points, as a UID is: nothing else is taken for one, or written anywhere."""
    return len(word) <= _LONGEST_UID and _UID.fullmatch(word) is not None


def look_at(root: Path, paths: Sequence[str]) -> list[Looked]:
    """What each of the files tells, in their order; a damaged one is a problem, and one that is no DICOM is None."""
    with unheard():
        return [_look(root, path) for path in paths]


def _look(root: Path, path: str) -> Looked:
    place = root / path
    try:
        if not starts_like_dicom(place):
            return _no_dicom(place, path)
        refuse_bomb(place)
        with place.open("rb") as file:
            status = os.fstat(file.fileno())
            header = _read(file, _is_enough, _WANTED)
            if text(header, "Modality") in _MADE_FROM_IMAGES:
                file.seek(0)
                header.update(_read(file, _is_enough_of_masks, _WANTED_OF_MASKS))
        if text(header.file_meta, "MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return Facts(path=path, modality="DICOMDIR")
        if not ("SOPClassUID" in header or "Modality" in header or "SeriesInstanceUID" in header):
            return _strange(place, path)
        return _facts(header, path, status)
    except OSError as error:
        return _fault(path, f"the file cannot be opened ({error.strerror})", "check who may read it, or copy it again")
    except ImageError as error:
        return _fault(path, error.what, error.way_out or "export it again")
    except BROKEN_HEADER:
        return _fault(path, "the DICOM header is damaged", "copy or export it again")


def _read(file: BinaryIO, is_enough: Callable[[BaseTag, str | None, int], bool], wanted: tuple[str, ...]) -> Dataset:
    return read_partial(file, is_enough, defer_size=_DEFER_BYTES, force=True, specific_tags=_tags(wanted))


_greater = int.__gt__
"""A tag is an integer whose own comparison takes anything, at ten times the time."""


def _is_enough(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return _greater(tag, _LAST)


def _is_enough_of_masks(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return _greater(tag, _LAST_OF_MASKS)


@cache
def _tags(wanted: tuple[str, ...]) -> list[BaseTag | int]:
    return [Tag(keyword) for keyword in wanted]


def _no_dicom(place: Path, path: str) -> Problem | None:
    """An empty file may have been an image, and an archive may hold some; what else there is, is none of ours."""
    with place.open("rb") as file:
        start = file.read(_TAR.stop)
    if not start:
        return _fault(path, "the file is empty", "copy or export it again")
    kind = next((kind for mark, kind in _ARCHIVES.items() if start.startswith(mark)), "")
    if kind := kind or ("a tar archive" if start[_TAR] == b"ustar" else ""):
        what = f"{kind}: not looked into"
        return Problem(severity=Severity.WARNING, where=path, what=what, how_to_fix="unpack it if it holds images")
    return None


def _strange(place: Path, path: str) -> Problem | None:
    """Without the mark of a DICOM file it only began like one."""
    with place.open("rb") as file:
        marked = file.read(132)[128:] == b"DICM"
    return _fault(path, "a DICOM file without class, series and modality", "export it again") if marked else None


def _fault(path: str, what: str, how_to_fix: str) -> Problem:
    return Problem(severity=Severity.ERROR, where=path, what=what, how_to_fix=how_to_fix)


def _facts(header: Dataset, path: str, status: os.stat_result) -> Facts:
    """Raises `ImageError` for a value that is no such thing, whoever asks for it later."""
    thickness = numbers(header, "SliceThickness")
    refers, images = _referred(header)
    return Facts(
        path=path,
        size=status.st_size,
        inode=(status.st_dev, status.st_ino),
        instance_uid=text(header, "SOPInstanceUID"),
        class_uid=text(header, "SOPClassUID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        frame_uid=text(header, "FrameOfReferenceUID"),
        modality=text(header, "Modality"),
        patient_id=text(header, "PatientID").strip(),
        issuer=text(header, "IssuerOfPatientID").strip(),
        person=tuple(_digest(text(header, keyword)) for keyword in ("PatientName", "PatientBirthDate", "PatientSex")),
        date=acquisition_date(header),
        acquired=day_of(header, "AcquisitionDate"),
        number=_whole(header, "SeriesNumber"),
        description=text(header, "SeriesDescription"),
        instance_number=_whole(header, "InstanceNumber") or 0,
        image_type=tuple(filter(None, text(header, "ImageType").upper().split("/"))),
        body_part=text(header, "BodyPartExamined").casefold(),
        position_mm=_vector(header, "ImagePositionPatient", 3),
        orientation=_vector(header, "ImageOrientationPatient", 6),
        spacing_mm=_vector(header, "PixelSpacing", 2),
        thickness_mm=float(thickness[0]) if thickness is not None and thickness[0] > 0 else None,
        rows=whole_number(header, "Rows") or 0,
        columns=whole_number(header, "Columns") or 0,
        frames=whole_number(header, "NumberOfFrames") or 1,
        samples=whole_number(header, "SamplesPerPixel") or 1,
        kernel=text(header, "ConvolutionKernel"),
        contrast=text(header, "ContrastBolusAgent"),
        corrections=text(header, "CorrectedImage").upper(),
        projection=text(header, "ViewPosition") + text(header, "ImageLaterality"),
        intent=text(header, "PresentationIntentType"),
        is_lossy=text(header, "LossyImageCompression").strip() == "01",
        content_time=_saved(header),
        is_export={text(header, "Manufacturer"), text(header, "ManufacturerModelName")} == {MAKER_NAME},
        refers=refers,
        refers_to_images=images,
        segments=kind_of_segments(header),
    )


def _saved(header: Dataset) -> str:
    """When the content was made, then the file that holds it: text that sorts by time."""
    days = ((f"{kind}Date", f"{kind}Time") for kind in ("Content", "InstanceCreation"))
    return " ".join(f"{text(header, day):8.8}{text(header, time)}" for day, time in days)


def _digest(told: str) -> str:
    """Of what a header says of a person: of a name its first writing, whatever its case and the marks between words."""
    words = re.findall(r"[^\W_]+", told.partition("=")[0].casefold())
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()[:16] if words else ""


def _whole(header: Dataset, keyword: str) -> int | None:
    """A number that only tells files apart: one that is none costs nothing."""
    try:
        return whole_number(header, keyword)
    except ImageError:
        return None


def _vector(header: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    """() where the header does not say it, or says nonsense: what needs it tells so."""
    try:
        values = numbers(header, keyword, count=count)
    except ImageError:
        return ()
    return () if values is None else tuple(values.tolist())


def _referred(header: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """UIDs of the series that a mask or a report was made from, and of single images where those are named."""
    found = [*_series_items(header)]
    series = dict.fromkeys(text(item, "SeriesInstanceUID") for item in found[:_MOST_ITEMS])
    if any(series):
        return tuple(filter(is_uid, series)), ()
    named = [
        image
        for item in (header, *found[:_MOST_ITEMS])
        for keyword in ("SourceImageSequence", "ReferencedImageSequence", "ReferencedInstanceSequence")
        for image in items(item, keyword)[:_MOST_ITEMS]
    ]
    images = dict.fromkeys(text(image, "ReferencedSOPInstanceUID") for image in named)
    return (), tuple(filter(is_uid, images))


def _series_items(header: Dataset) -> Iterator[Dataset]:
    """The items that name a series: of a segmentation, of a report, of a structure set."""
    yield from items(header, "ReferencedSeriesSequence")
    for study in items(header, "CurrentRequestedProcedureEvidenceSequence"):
        yield from items(study, "ReferencedSeriesSequence")
    for frame in items(header, "ReferencedFrameOfReferenceSequence"):
        for study in items(frame, "RTReferencedStudySequence"):
            yield from items(study, "RTReferencedSeriesSequence")
