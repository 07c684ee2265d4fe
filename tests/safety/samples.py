"""Small valid files of every kind that a reader opens, written byte by byte: what the faults are made of.

One body: 6 planes of 24 x 24 voxels, 3 x 2 x 2 mm, bone with a lesion in its middle. No reader of the package is used.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SHAPE = (6, 24, 24)
STEPS_MM = (3.0, 2.0, 2.0)
SERIES, FRAME = "1.2.826.0.1.3680043.8.498.71", "1.2.826.0.1.3680043.8.498.72"
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
}
Edit = Callable[[Dataset], None]


def body(scale: float = 1.0) -> npt.NDArray[np.int16]:
    """(planes, rows, columns) HU: soft tissue, a block of bone, a hole in it."""
    hu = np.full(SHAPE, 40, dtype=np.int16)
    hu[:, 3:21, 3:21] = 300
    hu[lesion(scale)] = 10
    return hu


def lesion(scale: float = 1.0) -> npt.NDArray[np.bool_]:
    """(planes, rows, columns) the voxels of the one lesion."""
    plane, row, column = np.indices(SHAPE)
    return ((row - 11.5) ** 2 + (column - 11.5) ** 2 <= (5.0 * scale) ** 2) & (abs(plane - 2.5) < 2)


def nifti_bytes(
    array: npt.NDArray[Any] | None = None,
    *,
    affine: npt.NDArray[np.float64] | None = None,
    shape: Sequence[int] | None = None,
    edit: Callable[[bytearray], None] | None = None,
) -> bytes:
    """A NIfTI-1 file of (planes, rows, columns); `shape`: what the header claims; `edit` may spoil its 352 bytes."""
    array = body() if array is None else array
    code = {"i2": 4, "u1": 2, "u2": 512, "f4": 16, "f8": 64}[array.dtype.str[1:]]
    claimed = tuple(shape or array.shape[::-1])
    affine = np.diag([-2.0, -2.0, 3.0, 1.0]) if affine is None else affine
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into(f"<{8}h", header, 40, len(claimed), *(*claimed, *[1] * 7)[:7])
    struct.pack_into("<2h", header, 70, code, array.dtype.itemsize * 8)
    struct.pack_into("<8f", header, 76, 1.0, 2.0, 2.0, 3.0, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    struct.pack_into("<b", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    if edit is not None:
        edit(header)
    return bytes(header) + array.astype(array.dtype.newbyteorder("<")).tobytes()


def gz(raw: bytes) -> bytes:
    """The same, compressed, with no time in it."""
    return gzip.compress(raw, 6, mtime=0)


def nrrd_bytes(array: npt.NDArray[Any] | None = None, *, edit: Mapping[str, str | None] | None = None) -> bytes:
    """A NRRD file of (planes, rows, columns); `edit`: header fields that are other, None = left out."""
    array = body() if array is None else array
    kind = {"i2": "int16", "u1": "uint8", "f4": "float"}[array.dtype.str[1:]]
    fields: dict[str, str | None] = {
        "type": kind,
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, array.shape[::-1])),
        "space directions": "(2,0,0) (0,2,0) (0,0,3)",
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(0,0,0)",
    } | dict(edit or {})
    lines = "".join(f"{key}: {value}\n" for key, value in fields.items() if value is not None)
    return b"NRRD0004\n" + lines.encode() + b"\n" + array.tobytes()


def mha_bytes(array: npt.NDArray[Any] | None = None, *, edit: Mapping[str, str | None] | None = None) -> bytes:
    """A MetaImage of (planes, rows, columns), as above."""
    array = body() if array is None else array
    kind = {"i2": "MET_SHORT", "u1": "MET_UCHAR", "f4": "MET_FLOAT"}[array.dtype.str[1:]]
    fields: dict[str, str | None] = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0",
        "ElementSpacing": "2 2 3",
        "DimSize": " ".join(map(str, array.shape[::-1])),
        "ElementType": kind,
        "ElementDataFile": "LOCAL",
    } | dict(edit or {})
    fields["ElementDataFile"] = fields.pop("ElementDataFile")  # last of all: voxels follow it
    lines = "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)
    return lines.encode() + array.tobytes()


def dataset(kind: str, instance: str, *, syntax: str = ExplicitVRLittleEndian) -> FileDataset:
    """What every DICOM file has."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CLASSES[kind], instance
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = CLASSES[kind], instance, kind
    ds.SeriesInstanceUID, ds.FrameOfReferenceUID = SERIES, FRAME
    ds.StudyDate, ds.SeriesDate, ds.SeriesTime = "20240105", "20240105", "112000"
    ds.SeriesNumber, ds.SeriesDescription = 3, "AXIAL"
    return ds


def pixels(ds: Dataset, array: npt.NDArray[Any]) -> None:
    """The pixels of a picture, or of several."""
    ds.Rows, ds.Columns = array.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = array.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(array.dtype.kind == "i")
    ds.PixelData = array.tobytes()
    ds["PixelData"].VR = "OW"


def slices(kind: str, edit: Callable[[int, Dataset], None] | None = None) -> list[FileDataset]:
    """A series of CT, MR or PT."""
    made = []
    for plane, picture in enumerate(body()):
        ds = dataset(kind, f"{SERIES}.1.{plane + 1}")
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, plane * STEPS_MM[0]]
        ds.PixelSpacing, ds.SliceThickness, ds.InstanceNumber = list(STEPS_MM[1:]), STEPS_MM[0], plane + 1
        pixels(ds, (picture + 1024).astype(np.int16) if kind == "CT" else picture)
        ds.RescaleSlope, ds.RescaleIntercept = 1, -1024 if kind == "CT" else 0
        if kind == "PT":
            _pet(ds)
        if kind == "MR":
            ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "SK", ""
            ds.EchoTime, ds.RepetitionTime, ds.MagneticFieldStrength = 10, 500, 1.5
        if edit is not None:
            edit(plane, ds)
        made.append(ds)
    return made


def _pet(ds: Dataset) -> None:
    ds.Units, ds.DecayCorrection, ds.CorrectedImage = "BQML", "START", ["ATTN", "DECY", "SCAT"]
    ds.PatientWeight, ds.PatientSize, ds.PatientSex = 70, 1.75, "F"
    ds.AcquisitionDate, ds.AcquisitionTime = "20240105", "112000"
    drug = Dataset()
    drug.Radiopharmaceutical, drug.RadiopharmaceuticalStartTime = "FDG", "102000"
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 370000000, 6586.2
    ds.RadiopharmaceuticalInformationSequence = [drug]


def scintigram() -> FileDataset:
    """A whole-body bone scan, front and back."""
    ds = dataset("NM", f"{SERIES}.2")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    ds.PixelSpacing, ds.NumberOfFrames = [2.0, 2.0], 2
    ds.EnergyWindowVector, ds.DetectorVector = [1, 1], [1, 2]
    ds.DetectorInformationSequence = [_detector("399321004"), _detector("399001007")]
    pixels(ds, np.full((2, 48, 32), 7, dtype=np.uint16))
    ds.CountsAccumulated = 2 * 48 * 32 * 7
    return ds


def _detector(code: str) -> Dataset:
    view, detector = Dataset(), Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = code, "SCT", "a projection"
    detector.ViewCodeSequence = [view]
    return detector


def radiograph() -> FileDataset:
    """A digital radiograph of 32 x 24 pixels."""
    ds = dataset("DX", f"{SERIES}.3")
    ds.ImageType, ds.ImagerPixelSpacing, ds.PresentationIntentType = (
        ["ORIGINAL", "PRIMARY"],
        [0.2, 0.2],
        "FOR PRESENTATION",
    )
    ds.ViewPosition, ds.PixelIntensityRelationshipSign, ds.PresentationLUTShape = "AP", -1, "IDENTITY"
    pixels(ds, np.arange(32 * 24, dtype=np.uint16).reshape(32, 24))
    return ds


def segmentation() -> FileDataset:
    """The lesion as a SEG object, a frame a plane."""
    planes = [(plane, mask) for plane, mask in enumerate(lesion()) if mask.any()]
    ds = dataset("SEG", f"{SERIES}.4")
    ds.SegmentationType, ds.NumberOfFrames = "BINARY", len(planes)
    pixels(ds, np.stack([mask for _, mask in planes]).astype(np.uint8))
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit, ds.PixelRepresentation = 0, 0
    ds.PixelData = np.packbits(np.stack([mask for _, mask in planes]).ravel(), bitorder="little").tobytes()
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = 1, "lesion"
    ds.SegmentSequence = [segment]
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SpacingBetweenSlices, measures.SliceThickness = [2, 2], 3, 3
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [_frame(plane) for plane, _ in planes]
    return ds


def _frame(plane: int) -> Dataset:
    position, which, frame = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient, which.ReferencedSegmentNumber = [0, 0, 3.0 * plane], 1
    frame.PlanePositionSequence, frame.SegmentIdentificationSequence = [position], [which]
    return frame


def structures() -> FileDataset:
    """The lesion as a structure set, a circle a plane."""
    ds = dataset("RTSTRUCT", f"{SERIES}.5")
    roi, outline = Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "lesion", FRAME
    outline.ReferencedROINumber = 1
    outline.ContourSequence = [_contour(plane) for plane in range(1, 5)]
    ds.StructureSetROISequence, ds.ROIContourSequence = [roi], [outline]
    return ds


def _contour(plane: int) -> Dataset:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x, y = 23 + 10 * np.cos(angles), 23 + 10 * np.sin(angles)
    contour = Dataset()
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(angles)
    contour.ContourData = [f"{value:.4f}" for point in zip(x, y, [3.0 * plane] * 24, strict=True) for value in point]
    return contour


def write(path: Path, content: bytes | Dataset | Sequence[Dataset]) -> Path:
    """Bytes, a data set, or a folder of data sets."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, Dataset):
        content.save_as(path, enforce_file_format=True)
    else:
        path.mkdir()
        for number, one in enumerate(content):
            one.save_as(path / f"{number:03d}.dcm", enforce_file_format=True)
    return path
