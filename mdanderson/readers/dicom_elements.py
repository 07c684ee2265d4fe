"""One element of a DICOM header at a time: as text, numbers or items, or an error of ours. Damage stays unheard."""

from __future__ import annotations

import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.config import settings as pydicom_settings
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag

from mdanderson.errors import ImageError, printable
from mdanderson.geometry import FloatArray

__all__ = ["BROKEN_HEADER", "UNREADABLE", "items", "numbers", "private_text", "text", "unheard", "whole_number"]

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

_AMBIGUOUS = frozenset({"PixelPaddingValue", "PixelPaddingRangeLimit"})
"""Signed or unsigned: what they say depends on the pixels of the same header."""

_SHORT = 128
"""Bytes; longer values are rare, and a cache of them could fill the memory."""

_LONGEST_TEXT = 1024
UNREADABLE = "(unreadable)"
"""What `text` gives for what no header holds."""


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
    return line if len(line) <= _LONGEST_TEXT and printable(line) == line else UNREADABLE


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
