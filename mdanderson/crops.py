"""What a viewer shows: the block of an image round one lesion, in numbers, placed where every visit can be compared.

A crop is a NIfTI of its own that says nothing but its voxels and their place; its outlines are a second one beside it.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from mdanderson.vocabulary import Modality

__all__ = ["CARRIED", "DRAWN", "NEIGHBOUR", "Crop", "Point", "crops_from_json", "crops_to_json", "grid_of", "nifti_of"]

Point = tuple[float, float, float]

DRAWN, CARRIED, NEIGHBOUR = 1, 2, 3
"""Values of outlines: the lesion as segmented here, its place carried from another visit, other lesions."""

_PACKING = 6
_HEADER_BYTES, _VOXELS_AT = 348, 352
_MILLIMETRES, _ALIGNED, _LABELS = 2, 2, 1002
"""NIfTI-1: unit of space, code of a space that images share, intent of a label map."""
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""And back."""
_TYPES = {np.dtype(np.int16): 4, np.dtype(np.uint8): 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Crop:
    """The block round one lesion in one image of one visit.

    image, outlines: NIfTI-1 in gzip and base64, on one grid; values of the image in `unit`, of the outlines `DRAWN`,
    `CARRIED` or `NEIGHBOUR`. Places are millimetres of the baseline image, LPS (RAS in the files), as the
    registration of the bone there has it where `linked`; else of the image itself. middle_mm: of the lesion.
    window: least and greatest value shown; inverse: dark is much. drawn: segmented here, not carried from another
    visit. step_mm: the longest side of a voxel; native: whether voxels are those of the image, not means of several.
    """

    lesion_id: str
    modality: Modality
    date: dt.date
    visit: str
    sequence: str = ""
    image: str
    outlines: str
    unit: str
    window: tuple[float, float]
    inverse: bool = False
    drawn: bool = True
    linked: bool = True
    middle_mm: Point
    step_mm: float
    native: bool = True

    @property
    def size(self) -> int:
        """Bytes of both files as text."""
        return len(self.image) + len(self.outlines)


_CROPS = TypeAdapter(tuple[str, tuple[Crop, ...]])


def crops_to_json(key: str, crops: Sequence[Crop]) -> str:
    """Crops as text, with what they belong to; the same crops give the same text."""
    return _CROPS.dump_json((key, tuple(crops))).decode() + "\n"


def crops_from_json(key: str, text: str) -> tuple[Crop, ...]:
    """The crops in a text that `crops_to_json` wrote; none where it is damaged or belongs to something else."""
    try:
        found, crops = _CROPS.validate_json(text)
    except ValidationError:
        return ()
    return crops if found == key else ()


def nifti_of(
    values: npt.NDArray[np.int16] | npt.NDArray[np.uint8],
    affine_lps: npt.NDArray[np.float64],
    *,
    step: float = 1.0,
    window: tuple[float, float] = (0.0, 0.0),
) -> str:
    """(planes, rows, columns) as a NIfTI-1 file in gzip and base64; the same voxels give the same text.

    affine_lps: (4, 4), voxel index (plane, row, column, 1) -> LPS mm. step: a voxel's value for each whole number.
    8-bit arrays are label maps. Nothing but voxels, places and window is in the file.
    """
    columns_first = affine_lps[:, [2, 1, 0, 3]]
    ras = _TO_RAS @ columns_first
    sides = np.linalg.norm(ras[:3, :3], axis=0)
    bits = values.dtype.itemsize * 8
    labels = values.dtype == np.uint8
    header = bytearray(_VOXELS_AT)
    struct.pack_into("<i", header, 0, _HEADER_BYTES)
    struct.pack_into("<8h", header, 40, 3, *values.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<h2h", header, 68, _LABELS if labels else 0, _TYPES[values.dtype], bits)
    struct.pack_into("<8f", header, 76, 1.0, *sides, 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", header, 108, _VOXELS_AT, step, 0.0)
    struct.pack_into("<B", header, 123, _MILLIMETRES)
    struct.pack_into("<2f", header, 124, window[1], window[0])
    struct.pack_into("<2h", header, 252, 0, _ALIGNED)
    struct.pack_into("<12f", header, 280, *ras[:3].reshape(-1))
    struct.pack_into("<4s", header, 344, b"n+1")
    whole = bytes(header) + np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(gzip.compress(whole, _PACKING, mtime=0)).decode("ascii")


def grid_of(nifti: str) -> tuple[tuple[int, int, int], npt.NDArray[np.float64]]:
    """The shape and the `affine_lps` that `nifti_of` was given."""
    header = gzip.decompress(base64.b64decode(nifti))[:_VOXELS_AT]
    columns, rows, planes = struct.unpack_from("<3h", header, 42)
    ras = np.vstack([np.reshape(struct.unpack_from("<12f", header, 280), (3, 4)), (0.0, 0.0, 0.0, 1.0)])
    return (planes, rows, columns), (_TO_RAS @ ras)[:, [2, 1, 0, 3]]
