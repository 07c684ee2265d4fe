"""What a DICOM header says of an image: kind, date, unit, acquisition. No pixel is read and no identity is kept."""

from __future__ import annotations

import datetime as dt
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.config import IGNORE
from pydicom.config import settings as pydicom_settings
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from mdanderson.errors import ImageError, UnitError, printable
from mdanderson.geometry import FloatArray
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = [
    "BROKEN_HEADER",
    "DicomFile",
    "acquisition_date",
    "acquisition_facts",
    "is_projection",
    "items",
    "known_modality",
    "nuclear_kind",
    "numbers",
    "open_dicom",
    "private_text",
    "refuse_bomb",
    "starts_like_dicom",
    "text",
    "unheard",
    "value_unit",
    "whole_number",
]

_PREAMBLE = 132
_BARE_STARTS = (b"\x08\x00", b"\x02\x00")
"""A data set without preamble starts with group 0008 (or 0002) in little-endian order."""

_DEFER_BYTES = 2**16
"""Longer elements (pixels, private blobs) stay in the file until somebody asks for them."""

_PIXEL_DATA = (0x7FE00010, 0x7FE00008, 0x7FE00009)
"""PixelData, FloatPixelData, DoubleFloatPixelData: a file holds one of them."""
_WANTED = (
    *("Modality", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "ImageType"),
    *("StudyDate", "SeriesDate", "AcquisitionDate", "FrameOfReferenceUID"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "SliceThickness"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "Units", "SUVType"),
    *("SeriesTime", "AcquisitionTime", "TimezoneOffsetFromUTC", "DecayCorrection", "CorrectedImage"),
    *("RadiopharmaceuticalInformationSequence", "PatientSex", "PatientSize", "PatientWeight"),
    *("KVP", "ConvolutionKernel", "ContrastBolusAgent", "ManufacturerModelName"),
    *("MagneticFieldStrength", "ImagingFrequency", "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle"),
    *("ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName", "DiffusionBValue"),
    *("DiffusionGradientOrientation", "ComplexImageComponent", "AcquisitionContrast", "SpectrallySelectedSuppression"),
    *("EchoPulseSequence", "EchoPlanarPulseSequence", "TemporalPositionIdentifier", "TriggerTime"),
    *("AcquisitionNumber", "AcquisitionTime", "RealWorldValueMappingSequence", "ContrastBolusAgentSequence"),
    *("FloatPixelPaddingValue", "FloatPixelData", "DoubleFloatPixelData"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "PixelData"),
    *("DetectorVector", "EnergyWindowVector", "PhaseVector", "RotationVector", "RRIntervalVector", "TimeSlotVector"),
    *("SliceVector", "AngularViewVector", "TimeSliceVector", "DetectorInformationSequence", "CountsAccumulated"),
    *("EnergyWindowInformationSequence", "RadiopharmaceuticalInformationSequence", "PatientOrientation"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod", "PresentationIntentType"),
    *("PresentationLUTShape", "PixelIntensityRelationship", "PixelIntensityRelationshipSign", "ImagerPixelSpacing"),
    *("PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "ViewPosition"),
)
"""All that is parsed. Who the patient is does not even enter the memory."""

_WANTED_PRIVATE = (0x00190010, 0x0019100C, 0x00430010, 0x0043102F, 0x00431039, 0x20010010, 0x20011003)
"""Creators and elements in which vendors keep what older MR files say nowhere else (`mr_facts`)."""

_PET_GROUPS = (0x0009, 0x7053)
"""Private groups of GE and Philips without which some of their PET series have no SUV (`pet_private`)."""
_PET_ELEMENTS = (
    *range(0x0010, 0x0018),
    *(block << 8 | own for block in range(0x10, 0x18) for own in (0x00, 0x09, 0x0D)),
)

_AMBIGUOUS = frozenset({"PixelPaddingValue", "PixelPaddingRangeLimit"})
"""Signed or unsigned: what they say depends on the pixels of the same header."""

_SHORT = 128
"""Bytes; longer values are rare, and a cache of them could fill the memory."""

_RADIOGRAPHS = frozenset({"CR", "DX", "RG"})
_PROJECTIONS = frozenset({"STATIC", "WHOLE BODY", "DYNAMIC", "GATED"})
"""Kinds of NM image (ImageType, third value) that show the body summed up in depth; PS3.3 C.8.4.9."""
_RAW_TOMO = frozenset({"TOMO", "GATED TOMO"})
"""What the detectors saw from every side, before the reconstruction."""
BROKEN_HEADER = (
    InvalidDicomError,
    BytesLengthException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    EOFError,
    IndexError,
    OverflowError,
    RecursionError,
    MemoryError,
    zlib.error,
    struct.error,
)
"""What pydicom raises on damaged headers; none of it says anything to a user."""

_LONG_ELEMENTS = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"})
"""Kinds of elements (VR) whose length takes four bytes."""
_LONGEST_TEXT = 1024
_UNREADABLE = "(unreadable)"
_LARGEST_DEFLATED = 2**30
_CHUNK = 2**20


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DicomFile:
    """A parsed header, and where in the file its pixel bytes are (`pixel_bytes` 0 = no pixels)."""

    path: Path
    header: Dataset
    pixel_offset: int = 0
    pixel_bytes: int = 0

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID; compared, never shown."""
        return text(self.header, "SeriesInstanceUID")

    @property
    def transfer_syntax(self) -> str:
        """TransferSyntaxUID, blank in a file without preamble."""
        return text(self.header.file_meta, "TransferSyntaxUID")

    @property
    def is_image(self) -> bool:
        """Whether it holds an image to be measured, unlike a segmentation, a contour set, a report or a DICOMDIR.

        Raises `ImageError` for an image that is cut short in its header: ignored, it would leave an unseen gap.
        """
        modality = text(self.header, "Modality")
        if "Rows" in self.header:
            return modality not in {"SEG", "RTSTRUCT", "RTDOSE"}
        is_directory = text(self.header.file_meta, "MediaStorageSOPClassUID") == MediaStorageDirectoryStorage
        if modality in {"CT", "MR", "NM", "PT"} or not (modality or is_directory):
            raise ImageError("the DICOM header is damaged", where=self.path.name, way_out="export it again")
        return False

    @property
    def has_frames(self) -> bool:
        """Whether one file holds many slices."""
        frames = whole_number(self.header, "NumberOfFrames") or 1
        return frames > 1 or "PerFrameFunctionalGroupsSequence" in self.header


@contextmanager
def unheard() -> Iterator[None]:
    """Meanwhile pydicom neither warns nor logs: it would repeat what a header holds, names included.

    It has a word for every odd value; those that are used are checked here.
    """
    logger, mode = logging.getLogger("pydicom"), pydicom_settings.reading_validation_mode
    was_disabled = logger.disabled
    logger.disabled, pydicom_settings.reading_validation_mode = True, IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled, pydicom_settings.reading_validation_mode = was_disabled, mode


def starts_like_dicom(path: Path) -> bool:
    """Whether the first bytes are those of a DICOM file, with or without preamble. Names are not looked at."""
    with path.open("rb") as file:
        return _looks_like_dicom(file.read(_PREAMBLE))


def open_dicom(path: Path) -> DicomFile | None:
    """The header of a file, None when it is not DICOM.

    Raises `ImageError` when it starts like DICOM but is damaged, and when it is empty: a copy that failed would leave
    an unseen gap in a series.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_PREAMBLE)
            if not start:
                raise ImageError("the file is empty", where=path.name, way_out="copy or export it again")
            if not _looks_like_dicom(start):
                return None
            _refuse_deflated_bomb(file, path.name)
            file.seek(0)
            header = dcmread(file, defer_size=_DEFER_BYTES, force=True, specific_tags=_wanted_tags())
            tag = next((tag for tag in _PIXEL_DATA if tag in header), _PIXEL_DATA[0])
            pixels = header.get_item(tag, keep_deferred=True)
    except OSError as error:
        raise ImageError("the file cannot be opened", where=path.name, way_out=f"{error.strerror}") from error
    except BROKEN_HEADER as error:
        raise ImageError("the DICOM header is damaged", where=path.name, way_out="export it again") from error
    if not isinstance(pixels, RawDataElement | DataElement):
        return DicomFile(path=path, header=header)
    if isinstance(pixels, DataElement):  # deflated files are already in memory; pydicom decodes them
        return DicomFile(path=path, header=header, pixel_bytes=len(pixels.value or b""))
    return DicomFile(path=path, header=header, pixel_offset=pixels.value_tell, pixel_bytes=pixels.length)


def refuse_bomb(path: Path) -> None:
    """Refuse a deflated file that would fill the memory; pydicom unpacks it as a whole. Raises `ImageError`."""
    with path.open("rb") as file:
        _refuse_deflated_bomb(file, path.name)


def _refuse_deflated_bomb(file: BinaryIO, name: str) -> None:
    if not _is_deflated(file):
        return
    unpacker, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while packed := unpacker.unconsumed_tail or file.read(_CHUNK):
        size += len(unpacker.decompress(packed, _CHUNK))
        if size > _LARGEST_DEFLATED:
            raise ImageError(
                f"it unpacks to more than {_LARGEST_DEFLATED >> 20} MB", where=name, way_out="export it undeflated"
            )
        if unpacker.eof:
            return


def _is_deflated(file: BinaryIO) -> bool:
    """Whether the group 0002 says so; the file is left where the data set begins."""
    file.seek(0)
    at = _PREAMBLE if file.read(_PREAMBLE)[128:] == b"DICM" else 0
    deflated = False
    while True:
        file.seek(at)
        head = file.read(12)
        if head[:2] != b"\x02\x00":
            file.seek(at)
            return deflated
        is_long = head[4:6] in _LONG_ELEMENTS
        start, length = (12, head[8:12]) if is_long else (8, head[6:8])
        if head[2:4] == b"\x10\x00":
            file.seek(at + start)
            named = file.read(min(int.from_bytes(length, "little"), _SHORT))
            deflated = named.strip(b"\0 ") == DeflatedExplicitVRLittleEndian.encode()
        at += start + int.from_bytes(length, "little")


@cache
def _wanted_tags() -> list[BaseTag]:
    pet = (group << 16 | element for group in _PET_GROUPS for element in _PET_ELEMENTS)
    return [Tag(wanted) for wanted in (*_WANTED, *_WANTED_PRIVATE, *pet)]


def _looks_like_dicom(start: bytes) -> bool:
    return start[128:] == b"DICM" or (len(start) > 8 and start[:2] in _BARE_STARTS and start[3] == 0)


def _value(header: Dataset, keyword: str) -> Any:
    """The value, None when absent. pydicom converts it only now, so that damage shows here: raises `ImageError`."""
    try:
        stored = header.get_item(_tag(keyword), keep_deferred=True)
        if stored is None:
            return None
        if isinstance(stored, RawDataElement) and keyword not in _AMBIGUOUS and 0 < len(stored.value or b"") <= _SHORT:
            return _converted(stored._replace(value_tell=0), _character_sets(header))
        return header.get(keyword)
    except (*BROKEN_HEADER, OSError) as error:
        raise ImageError(f"{keyword} cannot be read", way_out="export it again") from error


@lru_cache(maxsize=4096)  # the slices of a series share nearly all of their header
def _converted(stored: RawDataElement, character_sets: tuple[str, ...]) -> Any:
    return convert_raw_data_element(stored, encoding=list(character_sets)).value


def _character_sets(header: Dataset) -> tuple[str, ...]:
    names = header.original_character_set
    return (names,) if isinstance(names, str) else tuple(names)


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def items(header: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence, none when it is absent. Raises `ImageError` when it is damaged."""
    value = _value(header, keyword)
    return value if isinstance(value, DicomSequence) else ()


def text(header: Dataset, keyword: str) -> str:
    """The value as one line of text, blank when absent. Raises `ImageError` when it is damaged.

    A damaged length makes an element swallow those that follow, names included: such a text is "(unreadable)".
    """
    value = _value(header, keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    line = "/".join(str(part).strip() for part in parts)
    return line if len(line) <= _LONGEST_TEXT and printable(line) == line else _UNREADABLE


def private_text(header: Dataset, creator: str, tag: int) -> str:
    """The first value of a private element, blank unless its block belongs to `creator`."""
    block = tag & 0xFFFF0000 | (tag >> 8) & 0xFF
    try:
        owner, element = header.get(Tag(block)), header.get(Tag(tag))
        if owner is None or element is None or not str(owner.value).startswith(creator):
            return ""
        return _private_value(element.value)
    except (*BROKEN_HEADER, OSError) as error:
        raise ImageError("a private element cannot be read", way_out="export it again") from error


def _private_value(value: Any) -> str:
    """Digits where the type is known or they are written as text; else a binary number of 4 or 8 bytes."""
    if not isinstance(value, bytes):
        many = not isinstance(value, str) and hasattr(value, "__iter__")
        return str(next(iter(value), "") if many else value).strip()
    written = value.split(b"\\")[0].strip(b"\0 ")
    if re.fullmatch(rb"[-+.\deE]+", written):
        return written.decode("ascii")
    return str(struct.unpack("<f" if len(value) == 4 else "<d", value)[0]) if len(value) in {4, 8} else ""


def numbers(header: Dataset, keyword: str, *, count: int = 1) -> FloatArray | None:
    """(count,) the value, None when absent or blank. Raises `ImageError` when it is anything else."""
    value = _value(header, keyword)
    if value is None or value == "":
        return None
    try:
        values = np.asarray(value if count == 1 else list(value), dtype=float).reshape(-1)
    except (ValueError, TypeError, OverflowError) as error:
        raise ImageError(f"{keyword} is not a number", way_out="export it again") from error
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ImageError(f"{keyword} does not hold {count} finite number(s)", way_out="export it again")
    return values


def whole_number(header: Dataset, keyword: str) -> int | None:
    """The value as an integer, None when absent or blank. Raises `ImageError` when it is anything else."""
    values = numbers(header, keyword)
    return None if values is None else int(values[0])


def nuclear_kind(header: Dataset) -> str:
    """The third value of ImageType, which says of an NM image what its frames are; blank where it says nothing."""
    parts = text(header, "ImageType").split("/")
    return parts[2] if len(parts) > 2 else ""


def is_projection(header: Dataset) -> bool:
    """Whether it is a planar image: a radiograph, or a bone scan that is no tomography."""
    name = text(header, "Modality")
    if name != "NM":
        return name in _RADIOGRAPHS
    kind = nuclear_kind(header)
    return kind in _PROJECTIONS or ("TOMO" not in kind and "ImagePositionPatient" not in header)


def known_modality(header: Dataset) -> Modality:
    """What made the volume. Raises `ImageError` for planar images, raw projections, and what is no image."""
    name = text(header, "Modality")
    if is_projection(header):
        raise ImageError(
            f"a planar image ({text(header, 'Modality')}) is no volume",
            way_out="name a volume here; bone scans and radiographs are read as planar images (read_planar)",
        )
    if name == "NM" and nuclear_kind(header) in _RAW_TOMO:
        raise ImageError(
            "the raw projections of a SPECT are no volume", way_out="name the reconstructed series (RECON TOMO)"
        )
    if name not in {"CT", "MR", "NM", "PT"}:
        raise ImageError(
            f"a DICOM {text(header, 'Modality') or 'object without modality'} is no image to be measured",
            way_out="name the CT, MR, PT or NM series; segmentations belong in the mask column",
        )
    return Modality(name)


def acquisition_date(header: Dataset) -> dt.date | None:
    """Date of the study, else of the series, else of the acquisition; None when none of them is a date."""
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        digits = text(header, keyword).replace(".", "")[:8]
        try:
            return dt.datetime.strptime(digits, "%Y%m%d").date()
        except ValueError:
            continue
    return None


def value_unit(header: Dataset, modality: Modality, *, rescale_type: str, is_rescaled: bool) -> Unit:
    """What a rescaled voxel means.

    rescale_type: RescaleType, blank when absent. is_rescaled: whether slope and intercept are there.
    Raises `UnitError` for a CT that is not in HU and a PET in units that never make an SUV by body weight.
    """
    if modality is Modality.CT:
        if not is_rescaled or rescale_type not in {"", "HU", "US"}:
            found = f"RescaleType {rescale_type}" if is_rescaled else "no rescale slope and intercept"
            raise UnitError(f"CT numbers are not in HU ({found})", way_out="export the original CT series")
        return Unit.HU
    if modality is Modality.PT:
        return _pet_unit(header)
    return Unit.COUNTS if modality is Modality.NM else Unit.ARBITRARY


def _pet_unit(header: Dataset) -> Unit:
    """SUV by body weight is what every PET is read as; how, and what cannot, says `pet_suv`."""
    units = text(header, "Units")
    if units not in {"BQML", "CNTS", "GML"}:
        raise UnitError(
            f"PET units are {text(header, 'Units') or 'blank'}",
            way_out="export the series in Bq/ml (BQML) or as SUV by body weight (GML)",
        )
    return Unit.SUV


def acquisition_facts(header: Dataset) -> dict[str, str]:
    """What the comparability of two densities depends on; nothing that identifies anybody. Absent = left out."""
    keywords = {
        "kvp": "KVP",
        "kernel": "ConvolutionKernel",
        "slice_thickness_mm": "SliceThickness",
        "scanner": "ManufacturerModelName",
    }
    facts = {name: _short(_first(header, keyword)) for name, keyword in keywords.items()}
    agent = _first(header, "ContrastBolusAgent").casefold()
    facts["contrast_agent"] = "unknown" if not agent else "no" if agent in {"none", "no", "without"} else "yes"
    return {name: value for name, value in facts.items() if value}


def _first(header: Dataset, keyword: str) -> str:
    """The value in the header itself or in the functional groups that all frames share."""
    return next((found for level in _levels(header) if (found := text(level, keyword))), "")


def _short(fact: str) -> str:
    """A number without the digits that its conversion to text added; other text as it is."""
    try:
        return f"{float(fact):g}"
    except ValueError:
        return fact


def _levels(header: Dataset) -> Iterator[Dataset]:
    yield header
    for shared in items(header, "SharedFunctionalGroupsSequence"):
        for group in ("CTXRayDetailsSequence", "CTReconstructionSequence", "PixelMeasuresSequence"):
            yield from items(shared, group)
