"""What a reader would look at: a lesion in one image of one visit, with its outline and its two diameters.

A picture is small and holds no image: an 8-bit PNG of the slice round the lesion, and lines in mm to draw on it.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from mdanderson.vocabulary import Modality

__all__ = ["Frame", "Line", "Outline", "Picture", "pictures_from_json", "pictures_to_json", "png_of"]

Point = tuple[float, float]
Line = tuple[Point, ...]
"""Points joined in their order, (x to the right, y down) in mm from the middle of the frame."""
Frame = tuple[float, float, float, float]
"""Left, top, width, height in mm, from the middle of the frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """The outline of a lesion in a picture, in pieces. drawn: segmented here; else carried from another visit."""

    lesion_id: str
    lines: tuple[Line, ...]
    drawn: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One lesion in one image of one visit; without lesion_id a whole view of a bone scan.

    png: base64, 8-bit grey, as the patient is looked at; frame: what is to be seen; filled: where the PNG lies.
    letters: towards where in the patient its left, top, right and bottom edge look. window: least and greatest value
    shown, in `unit`; inverse: dark is much. slice_number: counted from 1. diameters: the long, then the short axis.
    profile: mean value by distance from the outline (mm, inside negative).
    """

    lesion_id: str
    modality: Modality
    date: dt.date
    visit: str
    sequence: str = ""
    view: str = ""
    png: str
    frame: Frame
    filled: Frame
    letters: tuple[str, str, str, str]
    window: tuple[float, float]
    unit: str
    inverse: bool = False
    slice_number: int | None = None
    outlines: tuple[Outline, ...] = ()
    diameters: tuple[Line, ...] = ()
    profile: tuple[Point, ...] = ()


_PICTURES = TypeAdapter(tuple[str, tuple[Picture, ...]])


def pictures_to_json(key: str, pictures: Sequence[Picture]) -> str:
    """Pictures as text, with what they belong to; the same pictures give the same text."""
    return _PICTURES.dump_json((key, tuple(pictures))).decode() + "\n"


def pictures_from_json(key: str, text: str) -> tuple[Picture, ...]:
    """The pictures in a text that `pictures_to_json` wrote; none where it is damaged or belongs to something else."""
    try:
        found, pictures = _PICTURES.validate_json(text)
    except ValidationError:
        return ()
    return pictures if found == key else ()


def png_of(pixels: npt.NDArray[np.uint8]) -> str:
    """(rows, columns) as a grey PNG in base64; the same pixels give the same text."""
    rows, columns = pixels.shape
    lines = np.zeros((rows, columns + 1), dtype=np.uint8)  # every line begins with its filter: none
    lines[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)), _chunk(b"IEND", b""))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
