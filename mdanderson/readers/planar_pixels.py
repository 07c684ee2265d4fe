"""Pixels of a planar DICOM image, through the same decoding and rescaling as those of a slice; and what they lost."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mdanderson.readers.dicom_elements import text, whole_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_pixels import read_stored
from mdanderson.readers.dicom_slices import PixelFormat, Slice
from mdanderson.readers.orientation import check_size
from mdanderson.readers.voxel_values import Scale, rescale

__all__ = ["lossy_compression", "read_frames"]

_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "81", "112"))
"""Transfer syntaxes that lose something: JPEG baseline and extended, JPEG-LS near-lossless, JPEG XL."""
_EITHER = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("91", "93", "203"))
"""Those that may: JPEG 2000 and its high-throughput kind."""


def read_frames(file: DicomFile, pixels: PixelFormat, scale: Scale) -> tuple[npt.NDArray[np.generic], float | None]:
    """(frames, rows, columns) int16 or float32 values, and the one that means "not imaged". Raises `ImageError`."""
    frames = whole_number(file.header, "NumberOfFrames") or 1
    check_size((frames, pixels.rows, pixels.columns))
    placeless = np.zeros(3), np.zeros(6), np.ones(2)
    slices = [
        Slice(
            file=file,
            name=file.path.name if frames == 1 else f"{file.path.name} frame {frame + 1}",
            instance_uid="",
            frame=frame,
            position_mm=placeless[0],
            orientation=placeless[1],
            spacing_mm=placeless[2],
            step_mm=None,
            pixels=pixels,
            scale=scale,
            frame_of_reference_uid="",
        )
        for frame in range(frames)
    ]
    return rescale(read_stored(slices), [scale] * frames)


def lossy_compression(file: DicomFile) -> str:
    """How the pixels were changed by compression, now or before; blank where they were not."""
    header = file.header
    stated = text(header, "LossyImageCompression")
    ratio = text(header, "LossyImageCompressionRatio").split("/")[-1]
    if stated == "01":
        method = text(header, "LossyImageCompressionMethod") or "lossy"
        return f"{method} {float(ratio):g}:1" if _is_number(ratio) else method
    if file.transfer_syntax in _LOSSY:
        return "lossy"
    return "not said" if file.transfer_syntax in _EITHER and not stated else ""


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
