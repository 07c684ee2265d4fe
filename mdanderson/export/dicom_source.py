"""The DICOM images behind a result: what an object that is derived from them has to know, and nothing else of them."""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mdanderson.errors import ImageError, InputError
from mdanderson.export.codes import Code
from mdanderson.export.sources import Source
from mdanderson.readers import peek_modality
from mdanderson.readers.dicom_elements import BROKEN_HEADER, unheard
from mdanderson.readers.dicom_grid import Stack
from mdanderson.readers.dicom_series import stack_at
from mdanderson.readers.manifest import ImageEntry
from mdanderson.report.html import page_name
from mdanderson.version import __version__
from mdanderson.vocabulary import MrSequence

if TYPE_CHECKING:
    from highdicom.sr import CodedConcept
    from pydicom import Dataset

__all__ = ["MAKER", "DicomImage", "as_bytes", "coded", "derived_uid", "dicom_image", "file_stem", "tracking_uid"]

MAKER = {
    "manufacturer": "mdanderson",
    "manufacturer_model_name": "mdanderson",
    "software_versions": __version__,
    "device_serial_number": "0",
}
"""General Equipment of what is written."""

_IDENTIFYING = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "IssuerOfPatientID")
_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber")
_PLACE = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "FrameOfReferenceUID", "PatientOrientation"),
    *("Rows", "Columns", "NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("SliceThickness", "PositionReferenceIndicator", "SharedFunctionalGroupsSequence", "InstanceNumber"),
    *("PerFrameFunctionalGroupsSequence", "DimensionOrganizationSequence", "DimensionIndexSequence"),
)
_BLANK = ("AccessionNumber", "StudyID", "PatientBirthDate", "PatientSex")
_TEXTS = (*_IDENTIFYING, *_STUDY)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DicomImage:
    """One image of the manifest. headers: of every plane, with what `_PLACE` names and who the patient is.

    frames: of every plane, from 1, in a file of several; None in one of a single frame.
    """

    stack: Stack
    headers: tuple[Dataset, ...]
    frames: tuple[int | None, ...]

    @property
    def first(self) -> Dataset:
        """The header of the first plane."""
        return self.headers[0]

    @property
    def instances(self) -> tuple[Dataset, ...]:
        """Every file once."""
        return tuple({str(header.SOPInstanceUID): header for header in self.headers}.values())


def dicom_image(source: Source, entry: ImageEntry) -> DicomImage:
    """The image of a manifest row. Raises `InputError` for what is no DICOM image with a place in the patient."""
    if peek_modality(entry.image) is None:
        raise InputError(
            "no DICOM image, which a SEG or SR would have to refer to",
            where=entry.image.name,
            way_out="score the DICOM series itself; its masks may stay NIfTI or NRRD",
        )
    sequence = MrSequence(entry.sequence) if entry.sequence else None
    try:
        stack = stack_at(entry.image, series=entry.series or None, sequence=sequence)
    except ImageError as error:
        raise error.located(entry.image.name) from error
    headers = {path: _header(path, source) for path in dict.fromkeys(one.file.path for one in stack.slices)}
    return DicomImage(
        stack=stack,
        headers=tuple(headers[one.file.path] for one in stack.slices),
        frames=tuple(one.frame + 1 if one.file.has_frames else None for one in stack.slices),
    )


def _header(path: Any, source: Source) -> Dataset:
    """The few elements of a file that a derived object takes over or refers to. Raises `ImageError`."""
    from pydicom import dcmread

    try:
        with unheard():
            wanted = [*_IDENTIFYING, *_STUDY, *_PLACE, "SpecificCharacterSet"]
            header: Dataset = dcmread(path, stop_before_pixels=True, specific_tags=wanted, force=True)
            if source.pseudonymous:
                header.PatientID = header.PatientName = source.finished.patient_id
                for keyword in ("IssuerOfPatientID", *_BLANK):
                    if keyword in header:
                        del header[keyword]
            for keyword in (*_IDENTIFYING[:4], *_STUDY, "ReferringPhysicianName"):
                if keyword not in header:
                    setattr(header, keyword, "")
            header.SpecificCharacterSet = "ISO_IR 192"
            for keyword in _TEXTS:
                if keyword in header:
                    setattr(header, keyword, str(header[keyword].value or ""))
    except BROKEN_HEADER as error:
        raise ImageError("the header cannot be read", where=path.name, way_out="export it again") from error
    return header


def derived_uid(source: Source, *parts: object) -> str:
    """A UID that the same result always gives (2.25 and a UUID, PS3.5 B.2), and no other result."""
    words = "\x1f".join(map(str, ("mdanderson export", source.finished.patient_id, *parts)))
    key = f"{source.finished.fingerprint}\x1f{words}".encode()
    return f"2.25.{uuid.UUID(bytes=sha256(key).digest()[:16], version=5).int}"


def tracking_uid(source: Source, lesion_id: str) -> str:
    """One identity of a lesion through all visits, in SEG and SR alike."""
    return derived_uid(source, "lesion", lesion_id)


def file_stem(source: Source, *parts: object) -> str:
    """How files of a patient are called, whatever the patient is called."""
    patient = page_name(source.finished.patient_id).removesuffix(".html")
    return "_".join((patient, *(re.sub(r"[^A-Za-z0-9.-]+", "-", str(part)) for part in parts if str(part))))


def coded(code: Code) -> CodedConcept:
    """The same as a content item takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def as_bytes(made: Dataset) -> bytes:
    """The file, with the study's date and time in place of the clock's: the same result gives the same bytes."""
    date, time = str(made.get("StudyDate") or ""), str(made.get("StudyTime") or "") or "000000"
    for keyword in ("InstanceCreationDate", "InstanceCreationTime", "TimezoneOffsetFromUTC"):
        if keyword in made:
            del made[keyword]
    for keyword, value in {"ContentDate": date, "SeriesDate": date, "ContentTime": time, "SeriesTime": time}.items():
        if keyword in made or keyword.startswith("Content"):
            setattr(made, keyword, value or "19000101")
    for equipment in made.get("ContributingEquipmentSequence", ()):
        if "ContributionDateTime" in equipment:
            del equipment.ContributionDateTime
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()
