"""Stored pixels of slices: straight from the file where they are uncompressed, through pydicom's decoders elsewhere."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, FileDataset, dcmread
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, JPEGLSNearLossless

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_slices import Slice

__all__ = ["header_tells_all", "read_stored"]

_PLAIN = frozenset({"", ImplicitVRLittleEndian, ExplicitVRLittleEndian})
"""Transfer syntaxes whose pixels lie in the file as they lie in memory."""

_DECODER = {JPEGLSLossless: "pyjpegls", JPEGLSNearLossless: "pyjpegls"}
"""Where another decoder than pydicom's first choice is faster: by a quarter (benchmarks/speed.py)."""

_UNDEFINED_LENGTH = 0xFFFFFFFF

_DECODER_ERRORS = (
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    EOFError,
    OSError,
    OverflowError,
    RecursionError,
    MemoryError,
    struct.error,
)
"""What decoders raise on damaged streams, or when none of them knows the compression."""


def read_stored(slices: Sequence[Slice]) -> npt.NDArray[Any]:
    """(slices, rows, columns): the stored numbers in the order given, each byte read once.

    Raises `ImageError` naming the slice that is cut short or cannot be decoded.
    """
    pixels = slices[0].pixels
    for each in slices:
        if _is_plain(each):
            _check_length(each)
    kind = "f" if pixels.floating else "i" if pixels.signed else "u"
    dtype = np.dtype(f"<{kind}{pixels.bits_allocated // 8}")
    stored = np.empty((len(slices), pixels.rows, pixels.columns), dtype=dtype)
    whole: Dataset | None = None
    for plane, each in zip(stored, slices, strict=True):
        if _is_plain(each):
            _read_plain(each, plane)
            continue
        if whole is None or Path(str(whole.filename)) != each.file.path:  # frames of one file parse it once
            whole = _parse(each)
        plane[...] = _decode(each, whole)
    return stored


def header_tells_all(slices: Sequence[Slice]) -> bool:
    """Whether whole numbers lie uncompressed in the files, none of which is cut short: reading them cannot fail.

    Raises `ImageError` where one is cut short.
    """
    plain = all(_is_plain(each) and not each.pixels.floating and each.scale.is_finite for each in slices)
    if plain:
        for each in slices:
            _check_length(each)
    return plain


def _is_plain(each: Slice) -> bool:
    return (
        each.file.transfer_syntax in _PLAIN
        and each.file.pixel_bytes != _UNDEFINED_LENGTH
        and each.file.pixel_offset > 0
    )


def _check_length(each: Slice) -> None:
    """Refuse a slice whose file is shorter than rows, columns and frames claim, before memory is allocated for it."""
    needed = (each.frame + 1) * each.pixels.frame_bytes
    on_disk = each.file.path.stat().st_size - each.file.pixel_offset
    if min(each.file.pixel_bytes, on_disk) < needed:
        raise _cut_short(each)


def _read_plain(each: Slice, plane: npt.NDArray[Any]) -> None:
    with each.file.path.open("rb", buffering=0) as file:
        file.seek(each.file.pixel_offset + each.frame * each.pixels.frame_bytes)
        if file.readinto(plane.data.cast("B")) != each.pixels.frame_bytes:
            raise _cut_short(each)


def _cut_short(each: Slice) -> ImageError:
    return ImageError("pixels are cut short", where=each.name, way_out="copy or export the file again")


def _parse(each: Slice) -> FileDataset:
    """The file of a slice with its pixels."""
    try:
        return dcmread(each.file.path, force=True)
    except _DECODER_ERRORS as error:
        raise _undecodable(each) from error


def _decode(each: Slice, whole: Dataset) -> npt.NDArray[Any]:
    """(rows, columns) of a compressed, big-endian or deflated slice."""
    try:
        decoder = _DECODER.get(each.file.transfer_syntax, "")
        decoded = np.asarray(pixel_array(whole, index=each.frame, raw=True, decoding_plugin=decoder))
    except _DECODER_ERRORS as error:
        raise _undecodable(each) from error
    if decoded.shape != (each.pixels.rows, each.pixels.columns):
        raise _cut_short(each)
    return decoded


def _undecodable(each: Slice) -> ImageError:
    return ImageError("pixels cannot be decompressed", where=each.name, way_out="export the series uncompressed")
