"""The DICOM images behind a result: what an object that is derived from them has to know, and nothing else of them."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.errors import ImageError, InputError
from mdanderson.export.codes import OWN, Code
from mdanderson.export.sources import Source
from mdanderson.readers import is_planar, peek_modality
from mdanderson.readers.dicom_elements import BROKEN_HEADER, unheard
from mdanderson.readers.dicom_series import series_at, stack_at
from mdanderson.readers.manifest import ImageEntry
from mdanderson.report.html import page_name
from mdanderson.version import MAKER_NAME, __version__
from mdanderson.vocabulary import MrSequence, View

if TYPE_CHECKING:
    from highdicom.sr import CodedConcept
    from pydicom import Dataset

__all__ = [
    "MAKER",
    "DicomImage",
    "as_bytes",
    "coded",
    "derived_uid",
    "dicom_image",
    "file_stem",
    "in_pictures",
    "uid_from",
]

MAKER = {
    "manufacturer": MAKER_NAME,
    "manufacturer_model_name": MAKER_NAME,
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
_REFERRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_FORMS = {
    "StudyID": re.compile(r"[^\\\x00-\x1f]{0,16}"),
    "AccessionNumber": re.compile(r"[^\\\x00-\x1f]{0,16}"),
    "StudyDate": re.compile(r"\d{8}"),
    "StudyTime": re.compile(r"\d{6}(\.\d{1,6})?"),
    "PatientBirthDate": re.compile(r"\d{8}"),
    "PatientSex": re.compile(r"[MFO]"),
}
"""What of the header is taken over only as PS3.5 has it; whoever the patient is, and which study, is not touched."""
_BLANK = ("AccessionNumber", "StudyID", "PatientBirthDate", "PatientSex")
_TEXTS = (*_IDENTIFYING, *_STUDY)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plane:
    """One plane, as an object refers to it. frame: from 1, in a file of several; None in one of a single frame."""

    path: Path
    frame: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DicomImage:
    """One image of the manifest, its planes in the order of its volume; headers are read when they are asked for."""

    source: Source
    planes: tuple[Plane, ...]
    headers: dict[Path, Dataset] = field(default_factory=dict)

    def header(self, plane: int = 0) -> Dataset:
        """What of the header of a plane a derived object takes over or refers to. Raises `ImageError`."""
        path = self.planes[plane].path
        if path not in self.headers:
            self.headers[path] = _header(path, self.source)
        return self.headers[path]

    def instances(self) -> list[Dataset]:
        """The header of every file, once."""
        return list({plane.path: self.header(k) for k, plane in enumerate(self.planes)}.values())


def dicom_image(source: Source, entry: ImageEntry) -> DicomImage:
    """The image of a manifest row. Raises `InputError` for what is no DICOM image."""
    if peek_modality(entry.image) is None:
        raise InputError(
            "no DICOM image, which a SEG or SR would have to refer to",
            where=entry.image.name,
            way_out="export with --slicer, or score the DICOM series itself (masks may stay NIfTI or NRRD)",
        )
    try:
        return DicomImage(source=source, planes=_planes(entry))
    except ImageError as error:
        raise error.located(entry.image.name) from error


def in_pictures(entry: ImageEntry) -> bool:
    """Whether it is a projection: a bone scan or a radiograph, whose pixels have no place in the patient."""
    return is_planar(entry.image, modality=entry.modality, view=View(entry.view) if entry.view else None)


def _planes(entry: ImageEntry) -> tuple[Plane, ...]:
    if in_pictures(entry):
        with unheard():
            files = series_at(entry.image, entry.series or None)
        return tuple(Plane(path=file.path, frame=None) for file in files)
    sequence = MrSequence(entry.sequence) if entry.sequence else None
    stack = stack_at(entry.image, series=entry.series or None, sequence=sequence)
    return tuple(
        Plane(path=one.file.path, frame=one.frame + 1 if one.file.has_frames else None) for one in stack.slices
    )


def _header(path: Path, source: Source) -> Dataset:
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
                    setattr(header, keyword, _as_allowed(keyword, str(header[keyword].value or "")))
            _check_uids(header, path)
    except BROKEN_HEADER as error:
        raise ImageError("the header cannot be read", where=path.name, way_out="export it again") from error
    return header


def _as_allowed(keyword: str, value: str) -> str:
    """The value, blank where the standard does not allow it: what is derived is to be valid, be its source or not."""
    form = _FORMS.get(keyword)
    return value if form is None or form.fullmatch(value) else ""


def _check_uids(header: Dataset, path: Path) -> None:
    """Raise `ImageError` for an image that nothing can refer to."""
    lacking = [keyword for keyword in _REFERRED if not header.get(keyword)]
    if lacking:
        raise ImageError(
            f"no {', '.join(lacking)} in the header, so that nothing can refer to the image",
            where=path.name,
            way_out="export it with its UIDs; to de-identify replace them, do not blank them",
        )


def derived_uid(source: Source, *parts: object) -> str:
    """The UID of an object: the same stored result always gives it, in a copied folder too, and no other."""
    return uid_from(source.content, __version__, source.finished.patient_id, *parts)


def uid_from(*parts: object) -> str:
    """A UID that the same words always give (2.25 and a UUID, PS3.5 B.2)."""
    key = "\x1f".join(map(str, ("mdanderson export", *parts))).encode()
    return f"2.25.{uuid.UUID(bytes=sha256(key).digest()[:16], version=5).int}"


def file_stem(source: Source, *parts: object) -> str:
    """How files of a patient are called, whatever the patient is called."""
    patient = page_name(source.finished.patient_id).removesuffix(".html")
    return "_".join((patient, *(re.sub(r"[^A-Za-z0-9.-]+", "-", str(part)) for part in parts if str(part))))


def coded(code: Code) -> CodedConcept:
    """The same as a content item takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def _name_own_scheme(made: Dataset) -> None:
    """Say in a report what our own coding scheme is (PS3.3, C.12.1)."""
    from pydicom import Dataset

    if "ContentSequence" in made:
        scheme = Dataset()
        scheme.CodingSchemeDesignator = OWN
        scheme.CodingSchemeName = "mdanderson terms"
        scheme.CodingSchemeResponsibleOrganization = "The mdanderson developers"
        made.CodingSchemeIdentificationSequence = [scheme]


def as_bytes(made: Dataset, written: dt.datetime) -> bytes:
    """The file, with the time of the stored result in place of the clock's: the same result gives the same bytes.

    Whoever finds it beside what it was made from, or beside an earlier one, can tell which is the newer: it is never
    older than its study.
    """
    day = f"{made.get('StudyDate') or ''}{made.get('StudyTime') or '000000'}"
    at = max(f"{written:%Y%m%d%H%M%S.%f}", day)
    date, time = at[:8], at[8:]
    if "TimezoneOffsetFromUTC" in made:
        del made.TimezoneOffsetFromUTC
    for kind in ("Content", "InstanceCreation", "Series"):
        if kind != "Series" or "SeriesDate" in made:
            setattr(made, f"{kind}Date", date)
            setattr(made, f"{kind}Time", time)
    for equipment in made.get("ContributingEquipmentSequence", ()):
        if "ContributionDateTime" in equipment:
            del equipment.ContributionDateTime
    _name_own_scheme(made)
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()
