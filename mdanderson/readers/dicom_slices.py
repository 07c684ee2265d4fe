"""One image plane as its header describes it: place, size, and how its stored numbers become values."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray
from mdanderson.readers.dicom_elements import numbers, text, whole_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.voxel_values import Scale

__all__ = [
    "PixelFormat",
    "Slice",
    "claimed_step",
    "needed",
    "pixel_format",
    "pixel_spacing",
    "refuse_localizer",
    "scale",
    "slice_of_file",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelFormat:
    """How pixels are stored; the same in all slices of a volume."""

    rows: int
    columns: int
    bits_allocated: int
    signed: bool
    floating: bool = False

    @property
    def frame_bytes(self) -> int:
        """Length of one uncompressed frame."""
        return self.rows * self.columns * self.bits_allocated // 8


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Slice:
    """One plane; its pixels are still in the file.

    name: what a user is told. position_mm: (3,), LPS centre of the first pixel. orientation: (6,), directions of
    growing column, then of growing row. spacing_mm: (2,), between rows, then between columns. step_mm: what the header
    claims as distance to the next slice, used only when there is no next slice. frame: from 0, in its file.
    """

    file: DicomFile
    name: str
    instance_uid: str
    frame: int = 0
    position_mm: FloatArray
    orientation: FloatArray
    spacing_mm: FloatArray
    step_mm: float | None
    pixels: PixelFormat
    scale: Scale
    frame_of_reference_uid: str


def slice_of_file(file: DicomFile) -> Slice:
    """The slice in a single-frame file. Raises `GeometryError` or `ImageError`, naming the file."""
    header = file.header
    try:
        refuse_localizer(header)
        _refuse_mosaic(header)
        return Slice(
            file=file,
            name=file.path.name,
            instance_uid=text(header, "SOPInstanceUID"),
            position_mm=needed(header, "ImagePositionPatient", 3),
            orientation=needed(header, "ImageOrientationPatient", 6),
            spacing_mm=pixel_spacing(header),
            step_mm=claimed_step(header),
            pixels=pixel_format(file),
            scale=scale(header, header),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        )
    except ImageError as error:
        error.located(file.path.name)
        raise


def refuse_localizer(header: Dataset) -> None:
    """Raises `GeometryError` for a scout view."""
    if "LOCALIZER" in text(header, "ImageType").split("/"):
        raise GeometryError("a localizer (scout view) is no volume", way_out="name the series of the cross-sections")


def _refuse_mosaic(header: Dataset) -> None:
    """Raises `GeometryError` for the slices of a volume side by side in one picture, of which one place is stated."""
    if "MOSAIC" in text(header, "ImageType").split("/"):
        raise GeometryError("a mosaic shows many slices in one picture", way_out="export one picture a slice, or NIfTI")


def needed(header: Dataset, keyword: str, count: int) -> FloatArray:
    """(count,): a fact without which the voxels have no place. Raises `GeometryError` when it is absent."""
    try:
        values = numbers(header, keyword, count=count)
    except ImageError as error:
        raise GeometryError(error.what, way_out=error.way_out) from error
    if values is None:
        raise GeometryError(f"{keyword} is missing", way_out="export the original series, not a secondary capture")
    return values


def pixel_spacing(header: Dataset) -> FloatArray:
    """(2,): between rows, then between columns, in mm. Raises `GeometryError` unless both are positive."""
    spacing = needed(header, "PixelSpacing", 2)
    if not (spacing > 0).all():
        raise GeometryError("PixelSpacing is not positive", way_out="export the original series")
    return spacing


def claimed_step(header: Dataset) -> float | None:
    """SpacingBetweenSlices, else SliceThickness, in mm; None when neither is a positive number."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        values = numbers(header, keyword)
        if values is not None and abs(values[0]) > 0:
            return abs(float(values[0]))
    return None


def pixel_format(file: DicomFile, *, may_be_inverted: bool = False) -> PixelFormat:
    """How the pixels of `file` are stored. Raises `ImageError` for colour, bitmaps, inverted grey unless allowed."""
    header = file.header
    if not file.pixel_bytes:
        raise ImageError("no pixels in it", way_out="export the series with its pixel data")
    if (whole_number(header, "SamplesPerPixel") or 1) != 1:
        raise ImageError("a colour image has no measurable values", way_out="export the original grey-value series")
    known = {"MONOCHROME1", "MONOCHROME2"} if may_be_inverted else {"MONOCHROME2"}
    if text(header, "PhotometricInterpretation") not in known:
        raise ImageError(
            f"grey values are stored as {text(header, 'PhotometricInterpretation') or 'unknown'}, not MONOCHROME2",
            way_out="export the original series",
        )
    bits = whole_number(header, "BitsAllocated")
    rows, columns = whole_number(header, "Rows") or 0, whole_number(header, "Columns") or 0
    floating = "PixelData" not in header
    if bits not in ({32, 64} if floating else {8, 16, 32}) or min(rows, columns) < 1:
        raise ImageError(f"{rows} x {columns} pixels of {bits} bits", way_out="export the original series")
    return PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=bits,
        signed=whole_number(header, "PixelRepresentation") == 1,
        floating=floating,
    )


def scale(header: Dataset, transformation: Dataset) -> Scale:
    """How stored numbers become values; `transformation` holds slope and intercept, in multi-frame a group apart."""
    allocated = whole_number(header, "BitsAllocated") or 16
    stored = whole_number(header, "BitsStored") or allocated
    slope, intercept = numbers(transformation, "RescaleSlope"), numbers(transformation, "RescaleIntercept")
    float_padding = numbers(header, "FloatPixelPaddingValue")
    if not 1 <= stored <= allocated:
        raise ImageError(f"{stored} bits stored in {allocated}", way_out="export it again")
    if slope is not None and slope[0] == 0:
        raise ImageError("RescaleSlope is zero", way_out="export it again")
    return Scale(
        slope=1.0 if slope is None else float(slope[0]),
        intercept=0.0 if intercept is None else float(intercept[0]),
        bits_stored=stored,
        padding=_padding(header, allocated),
        float_padding=None if float_padding is None else float(float_padding[0]),
    )


def _padding(header: Dataset, bits: int) -> tuple[int, int] | None:
    """Lowest and highest stored number that means "not imaged", None when there is none."""
    value = whole_number(header, "PixelPaddingValue")
    if value is None:
        return None
    limit = whole_number(header, "PixelPaddingRangeLimit")
    signed = whole_number(header, "PixelRepresentation") == 1
    ends = [_as_stored(end, bits, signed=signed) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _as_stored(number: int, bits: int, *, signed: bool) -> int:
    """`number` in the range of the pixels: headers write the padding of signed pixels as unsigned, and vice versa."""
    wrapped = number % (1 << bits)
    return wrapped - (1 << bits) if signed and wrapped >= 1 << (bits - 1) else wrapped
