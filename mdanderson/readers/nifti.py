"""NIfTI-1 and NIfTI-2, compressed or not: RAS there, LPS and plane-row-column here (see `orientation`)."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np
import numpy.typing as npt
from isal import igzip, isal_zlib
from nibabel.filebasedimages import ImageFileError
from nibabel.imageglobals import logger
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.orientation import arrange, check_size
from mdanderson.readers.voxel_values import Scale, unit_without_header, unread
from mdanderson.readers.without_header import several_volumes, told_by_values, volume_without_header
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Volume

__all__ = ["nifti_shape", "read_nifti", "read_nifti_array", "read_nifti_as_stored"]

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres per NIFTI_UNITS_UNKNOWN, _METER, _MM and _MICRON; writers who leave it unknown mean mm."""

_PATIENT_CODES = (1, 2)
"""NIFTI_XFORM_SCANNER_ANAT and _ALIGNED_ANAT: places in this patient. 3 and above are places in a template."""


_KINDS = {348: nib.Nifti1Image, 540: nib.Nifti2Image}
"""What a file is by the size of its header, which is its first number."""

_LONGEST_END = 2**16
"""Bytes that may follow the voxels. More of them speak of a header that claims too little, or of a bomb."""
_LONGEST_START = 2**24
"""Bytes that may stand before the voxels: header and extensions."""
_MOST_UNPACKED = 1032
"""Bytes that DEFLATE can make of one; what claims more is cut short, whatever it holds."""
_HEADER_BYTES = 540

_MOST_APART = 0.01
"""By how much of a step pixdim and sform may differ: header fields are rounded, a diameter is not a percent better."""

_AT_ONCE = 2**20
"""Bytes that are unpacked in one go. Left to the library it is the whole file, which then stands twice in memory."""

_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)  # it is not rightly typed in its library

_DAMAGED = (OSError, EOFError, zlib.error, _GZIP_ERROR, ValueError, OverflowError)
"""What reading raises on a file that ends early or was changed on its way. A lack of memory is none of it."""


def read_nifti(
    path: Path, *, modality: Modality, date: dt.date, sequence: MrSequence | None = None, look_only: bool = False
) -> Volume:
    """The image in a NIfTI file, which itself knows neither its modality nor its date.

    Values are int16 or float32, in HU (CT), SUV (PT), counts (NM) or arbitrary units (MR); NaN = not imaged. sequence:
    what an MR image weighs; an ADC map is in um2/s where its values leave no doubt. look_only: as `look_at_volume`.
    Raises `ImageError`, `GeometryError`, `UnitError`.
    """
    unit_without_header(modality)
    looked = _looked_at(path) if look_only and not told_by_values(modality, sequence) else None
    array, geometry = looked or read_nifti_array(path, single=True)
    return volume_without_header(array, geometry, modality=modality, date=date, sequence=sequence, source=str(path))


def read_nifti_array(path: Path, *, single: bool = False) -> tuple[npt.NDArray[np.generic], Geometry]:
    """The voxels as (plane, row, column), in the stored type unless the header scales them, and their place.

    single: values in 64 bits, as scaled ones are, become float32 at once, so that they never fill the memory.
    Raises `ImageError` for a file that is damaged, truncated or not three-dimensional, `GeometryError` when its
    place in the patient is unknown, sheared or not finite.
    """
    try:
        with _opened(path) as image:
            affine = _lps_affine(image)
            shape = _three_axes(image.shape)
            _check_length(path, image)
            stored = _single_voxels(image) if single and _is_double(image) else _voxels(image)
            array, geometry = arrange(stored.reshape(shape, order="A"), affine)
    except ImageError as error:
        error.located(path.name)
        raise
    return array, geometry


def _looked_at(path: Path) -> tuple[npt.NDArray[np.generic], Geometry] | None:
    """The place of voxels, none of which is read; None where only reading tells whether they are in order.

    Whole numbers that lie uncompressed in a file which is long enough are. Raises as `read_nifti_array`.
    """
    if path.name.lower().endswith(".gz"):
        return None
    try:
        with _opened(path) as image:
            affine, shape = _lps_affine(image), _three_axes(image.shape)
            _check_length(path, image)
            scale = Scale(slope=image.dataobj.slope, intercept=image.dataobj.inter)
            if image.get_data_dtype().kind not in "iu" or not scale.is_finite:
                return None
            return arrange(unread(shape), affine)
    except ImageError as error:
        error.located(path.name)
        raise


def nifti_shape(path: Path) -> tuple[int, ...]:
    """The size along each axis that the header states. Raises `ImageError`."""
    with _opened(path, whole=False) as image:
        return tuple(int(size) for size in image.shape)


def read_nifti_as_stored(path: Path) -> tuple[npt.NDArray[np.generic], FloatArray | None, tuple[float, ...]]:
    """The voxels in the order of the file; (4, 4) index -> LPS mm, None where no place is stated; steps in mm.

    Raises `ImageError`, and `GeometryError` for a place that is not finite or not in the patient.
    """
    try:
        with _opened(path) as image:
            _check_length(path, image)
            header = image.header
            placed = int(header["sform_code"]) or int(header["qform_code"])
            affine = _lps_affine(image) if placed else None
            per_unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
            steps = tuple(float(step) * per_unit for step in header.get_zooms()[:3])
            return _voxels(image), affine, steps
    except ImageError as error:
        error.located(path.name)
        raise


class _Unpacked(igzip.IGzipFile):
    """A compressed file that is unpacked bit by bit; igzip takes half the time of Python's own gzip."""

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the file goes."""
        wanted = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(wanted) and (some := self.read(min(_AT_ONCE, len(wanted) - filled))):
            wanted[filled : filled + len(some)] = some
            filled += len(some)
        return filled


@contextmanager
def _opened(path: Path, *, whole: bool = True) -> Iterator[Any]:
    """The image with its header read and its voxels still in the file; `whole`: they will be read, and are checked."""
    packed = path.name.lower().endswith(".gz")
    try:
        stream = cast("BinaryIO", _Unpacked(path, "rb")) if packed else path.open("rb")  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        raise _no_such_file() from None
    with stream:
        yield _header_of(lambda: _from_stream(stream))
        if whole and packed:
            _check_end(stream)


def _from_stream(stream: BinaryIO) -> Any:
    """The image of a stream whose header claims nothing that would fill the memory before it is looked at."""
    start = stream.read(_HEADER_BYTES)
    stream.seek(0)
    size = next((n for n in _KINDS if start[:4] in (n.to_bytes(4, "little"), n.to_bytes(4, "big"))), None)
    if size is None:
        return None
    stated = _KINDS[size].header_class(start[:size], check=False)  # not yet mended: nibabel makes 1 mm of 0 mm
    if not 0 <= float(stated["vox_offset"]) <= _LONGEST_START:
        raise HeaderDataError("voxels beyond the end of the file")
    _check_steps(stated)
    return _KINDS[size].from_file_map(_KINDS[size].make_file_map({"image": stream}), mmap=False)


def _check_steps(stated: Any) -> None:
    """Refuse a header whose steps are none, or others by pixdim than by the sform: which are true cannot be known."""
    axes = min(3, int(stated["dim"][0]))
    steps = np.asarray(stated["pixdim"][1 : 1 + axes], dtype=float)
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise GeometryError("voxel spacing is not positive", way_out="export it again with its true spacing")
    if int(stated["sform_code"]) not in _PATIENT_CODES:
        return
    rows = [np.asarray(stated[name][:axes], dtype=float) for name in ("srow_x", "srow_y", "srow_z")]
    placed = np.linalg.norm(rows, axis=0)
    if (np.abs(steps - placed) > placed * _MOST_APART).any():  # not where the sform is no number: that is told later
        raise GeometryError(
            f"voxel spacing is {_by(steps)} by pixdim, {_by(placed)} by the sform", way_out="export it again"
        )


def _by(steps: FloatArray) -> str:
    return " x ".join(f"{step:.4g}" for step in steps)


@contextmanager
def _unheard() -> Iterator[None]:
    """Meanwhile nibabel logs nothing: it tells of what it mends in a header; what is used of it is checked here."""
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _check_end(stream: BinaryIO) -> None:
    """Read on to the checksum, which a few changed bits among the voxels do not escape."""
    try:
        rest = stream.read(_LONGEST_END)
    except _DAMAGED as error:
        raise ImageError("the file is damaged: its checksum is wrong", way_out="copy or export it again") from error
    if len(rest) == _LONGEST_END:
        raise _too_long()


def _too_long() -> ImageError:
    return ImageError("the file goes on after its last voxel: its header is damaged", way_out="export it again")


def _header_of(load: Callable[[], Any]) -> Any:
    try:
        with _unheard():
            image = load()
    except (ImageFileError, HeaderDataError, WrapStructError) as error:
        raise ImageError("not a NIfTI file, or its header is damaged", way_out="export it again") from error
    except _DAMAGED as error:
        raise ImageError(
            "the file cannot be read: it is damaged or cut short", way_out="copy or export it again"
        ) from error
    if not isinstance(image, (nib.Nifti1Image, nib.Nifti1Pair)):
        raise ImageError("not a NIfTI file", way_out="convert it to NIfTI")
    return image


def _no_such_file() -> ImageError:
    return ImageError("no such file", way_out="check the path")


def _three_axes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The three spatial sizes; trailing axes of one entry carry nothing."""
    if len(shape) > 3 and prod(shape[3:]) > 1:
        raise several_volumes(prod(shape[3:]))
    if len(shape) < 3:
        raise ImageError(
            f"{len(shape)} axes of {' x '.join(map(str, shape))} voxels where three are needed",
            way_out="save each volume of it as a file of its own",
        )
    return shape[0], shape[1], shape[2]


def _lps_affine(image: Any) -> FloatArray:
    """(4, 4): stored voxel index -> LPS mm."""
    affine = _patient_affine(image.header)
    if not np.isfinite(affine).all():
        raise GeometryError("voxel positions are not finite numbers", way_out="export it again")
    unit = int(image.header["xyzt_units"]) & 7
    if unit not in _MILLIMETRES:
        raise GeometryError(f"{unit} is no code of a unit of length", way_out="export it again")
    affine[:3] *= _MILLIMETRES[unit]
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


def _patient_affine(header: Any) -> FloatArray:
    """The sform if it places voxels in this patient, else the qform."""
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if sform in _PATIENT_CODES:
        return np.array(header.get_sform(), dtype=float)
    if qform in _PATIENT_CODES:
        try:
            return np.array(header.get_qform(), dtype=float)
        except (ValueError, HeaderDataError) as error:
            raise GeometryError("the qform of the header is no rotation", way_out="export it again") from error
    where = "in a template, not in the patient" if sform or qform else "unknown (sform and qform codes are 0)"
    raise GeometryError(
        f"the place of the voxels is {where}", way_out="convert from the original series, keeping its orientation"
    )


def _check_length(path: Path, image: Any) -> None:
    """Refuse a file that cannot hold what its header claims, before anything is allocated for it."""
    voxel_bytes = image.get_data_dtype().itemsize
    check_size(image.shape, voxel_bytes=voxel_bytes)
    claimed = int(image.dataobj.offset) + prod(image.shape) * voxel_bytes
    held = path.stat().st_size
    packed = path.name.lower().endswith(".gz")
    if claimed > held * (_MOST_UNPACKED if packed else 1):
        raise ImageError("the file is cut short", way_out="copy or export it again")
    if not packed and held > claimed + _LONGEST_END:
        raise _too_long()


def _is_double(image: Any) -> bool:
    """Whether three axes of real voxels would be read as 64 bits each."""
    dtype, scaled = image.get_data_dtype(), (image.dataobj.slope, image.dataobj.inter) != (1.0, 0.0)
    return image.ndim == 3 and ((dtype.kind in "iuf" and scaled) or dtype == np.dtype(np.float64))


def _single_voxels(image: Any) -> npt.NDArray[np.generic]:
    """The same values as `_voxels`, then rounded to float32; plane by plane as they lie in the file."""
    values = np.empty(image.shape, dtype=np.float32, order="F")
    try:
        with np.errstate(over="ignore"):  # what no float32 holds is infinite, which `Volume` refuses
            for plane in range(values.shape[-1]):
                values[..., plane] = image.dataobj[..., plane]
    except _DAMAGED as error:
        raise _cut_short() from error
    return values


def _cut_short() -> ImageError:
    return ImageError("the file is cut short or damaged", way_out="copy or export it again")


def _voxels(image: Any) -> npt.NDArray[np.generic]:
    """The stored array; scaled only where the header asks for it."""
    try:
        array = np.asanyarray(image.dataobj)
    except _DAMAGED as error:
        raise _cut_short() from error
    return np.asarray(array)
