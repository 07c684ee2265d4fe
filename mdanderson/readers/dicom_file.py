"""A DICOM file opened: its header without who the patient is, and where its pixels are. No pixel is read."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_elements import BROKEN_HEADER, text, whole_number

__all__ = ["DicomFile", "open_dicom", "refuse_bomb", "starts_like_dicom"]

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

_LONG_ELEMENTS = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"})
"""Kinds of elements (VR) whose length takes four bytes."""
_LONGEST_NAME = 128
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
            named = file.read(min(int.from_bytes(length, "little"), _LONGEST_NAME))
            deflated = named.strip(b"\0 ") == DeflatedExplicitVRLittleEndian.encode()
        at += start + int.from_bytes(length, "little")


@cache
def _wanted_tags() -> list[BaseTag]:
    pet = (group << 16 | element for group in _PET_GROUPS for element in _PET_ELEMENTS)
    return [Tag(wanted) for wanted in (*_WANTED, *_WANTED_PRIVATE, *pet)]


def _looks_like_dicom(start: bytes) -> bool:
    return start[128:] == b"DICM" or (len(start) > 8 and start[:2] in _BARE_STARTS and start[3] == 0)
