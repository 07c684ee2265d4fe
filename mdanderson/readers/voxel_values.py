"""From stored numbers to values in a unit: int16 wherever the values are whole and fit, float32 otherwise.

Two types keep later arithmetic safe: unsigned differences wrap, 64-bit floats fill the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError, UnitError
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = ["INT16_MAX", "INT16_MIN", "Scale", "compact", "rescale", "unit_without_header", "unread"]

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1

_UNITS = {Modality.CT: Unit.HU, Modality.MR: Unit.ARBITRARY, Modality.NM: Unit.COUNTS, Modality.PT: Unit.SUV}


def compact(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The same values as native int16 when they are stored as integers and fit, else as float32; no copy if they are.

    Raises `ImageError` for voxels that are no real numbers (colour, complex).
    """
    if values.dtype.kind not in "iuf":
        raise ImageError(f"voxels of type {values.dtype}", way_out="store one real number a voxel")
    whole = values.dtype.kind in "iu"
    fits = whole and int(values.min()) >= INT16_MIN and int(values.max()) <= INT16_MAX
    with np.errstate(over="ignore"):  # what no float32 holds is infinite, which `Volume` refuses
        return values.astype(np.int16 if fits else np.float32, copy=False)


def unread(shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    """Zeros that take no memory, in the place of voxels that nobody has to read."""
    return np.broadcast_to(np.int16(0), shape)


def unit_without_header(modality: Modality) -> Unit:
    """What a voxel means in a format that does not say: CT in HU, PET in SUV, MR arbitrary, NM counts.

    Raises `UnitError` for a radiograph, which is no volume.
    """
    if modality not in _UNITS:
        raise UnitError(f"no unit is known for the volume of a {modality}", way_out="give the modality of the volume")
    return _UNITS[modality]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How the stored numbers of one slice become values.

    value = slope x stored + intercept. bits_stored: bits above it are no part of the number. padding: lowest and
    highest stored number that means "not imaged"; float_padding: the same of floating-point pixels.
    """

    slope: float = 1.0
    intercept: float = 0.0
    bits_stored: int = 16
    padding: tuple[int, int] | None = None
    float_padding: float | None = None

    @property
    def is_finite(self) -> bool:
        """Whether a value in 32 bits comes of every whole number in 32 bits."""
        return abs(self.slope) * 2.0**32 + abs(self.intercept) < float(np.finfo(np.float32).max)

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers stay whole."""
        return self.slope.is_integer() and self.intercept.is_integer()

    def value(self, stored: float) -> float:
        """The value of one stored number."""
        return self.slope * stored + self.intercept


@dataclass(frozen=True, kw_only=True, slots=True)
class _Content:
    """What one cleaned slice holds: range of the stored numbers that were imaged, and its padding number if used."""

    low: int | None
    high: int | None
    padding: int | None


def rescale(stored: npt.NDArray[Any], scales: Sequence[Scale]) -> tuple[npt.NDArray[np.generic], float | None]:
    """(planes, rows, columns) stored numbers and a scale per plane -> values and the one value that means padding.

    int16 when every value is whole and fits, in place where the memory allows; else float32. `stored` is used up.
    Stored floating-point numbers become float32, NaN where they were not imaged.
    """
    if stored.dtype.kind == "f":
        return _rescale_floats(stored, scales), None
    contents = [_clean(plane, scale) for plane, scale in zip(stored, scales, strict=True)]
    pairs = list(zip(scales, contents, strict=True))
    padded = [scale.value(content.padding) for scale, content in pairs if content.padding is not None]
    padding = min(padded) if padded else None
    if not _fits_int16(pairs):
        return _to_float32(stored, pairs, padding)
    whole_padding = None if padding is None else min(max(padding, INT16_MIN), INT16_MAX)
    return _to_int16(stored, pairs, whole_padding)


def _rescale_floats(stored: npt.NDArray[np.floating], scales: Sequence[Scale]) -> npt.NDArray[np.generic]:
    values = np.empty(stored.shape, dtype=np.float32)
    for out, plane, scale in zip(values, stored, scales, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            out[...] = plane * scale.slope + scale.intercept
        if scale.float_padding is not None:
            out[plane == scale.float_padding] = np.nan
    return values


def _clean(plane: npt.NDArray[np.integer], scale: Scale) -> _Content:
    """Give all padding of one plane a single number, drop bits that are no part of the numbers; in place."""
    if scale.padding is None:
        _drop_unused_bits(plane, scale.bits_stored)
        return _Content(low=int(plane.min()), high=int(plane.max()), padding=None)
    padded = _is_padding(plane, scale.padding)
    if _drop_unused_bits(plane, scale.bits_stored):
        padded |= _is_padding(plane, scale.padding)
    if not padded.any():
        return _Content(low=int(plane.min()), high=int(plane.max()), padding=None)
    imaged = plane[~padded]
    plane[padded] = scale.padding[0]
    low, high = (int(imaged.min()), int(imaged.max())) if imaged.size else (None, None)
    return _Content(low=low, high=high, padding=scale.padding[0])


def _is_padding(plane: npt.NDArray[np.integer], padding: tuple[int, int]) -> npt.NDArray[np.bool_]:
    low, high = padding
    return np.asarray(plane == low) if low == high else np.asarray((plane >= low) & (plane <= high))


def _drop_unused_bits(plane: npt.NDArray[np.integer], bits: int) -> bool:
    """Keep the lowest `bits`, extending the sign of signed numbers; in place. Whether anything was there to drop."""
    unused = plane.itemsize * 8 - bits
    if not unused:
        return False
    signed = plane.dtype.kind == "i"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if int(plane.min()) >= low and int(plane.max()) < high:
        return False
    plane <<= unused
    plane >>= unused
    return True


def _fits_int16(pairs: Sequence[tuple[Scale, _Content]]) -> bool:
    if not all(scale.is_whole for scale, _ in pairs):
        return False
    ends = [scale.value(end) for scale, content in pairs for end in (content.low, content.high) if end is not None]
    return not ends or (min(ends) >= INT16_MIN and max(ends) <= INT16_MAX)


def _to_int16(
    stored: npt.NDArray[np.integer], pairs: Sequence[tuple[Scale, _Content]], padding: float | None
) -> tuple[npt.NDArray[np.generic], float | None]:
    """Integer arithmetic modulo 2**16, exact because every result is known to fit."""
    values = stored.view(np.int16) if stored.itemsize == 2 else stored.astype(np.int16)
    for plane, source, (scale, content) in zip(values, stored, pairs, strict=True):
        padded = None if content.padding is None else source == content.padding
        if scale.slope != 1:
            np.multiply(plane, _modulo(scale.slope), out=plane)
        if scale.intercept != 0:
            np.add(plane, _modulo(scale.intercept), out=plane)
        if padded is not None:
            plane[padded] = padding
    return values, padding


def _to_float32(
    stored: npt.NDArray[np.integer], pairs: Sequence[tuple[Scale, _Content]], padding: float | None
) -> tuple[npt.NDArray[np.generic], float | None]:
    values = np.empty(stored.shape, dtype=np.float32)
    with np.errstate(over="ignore"):
        single = None if padding is None else float(np.float32(padding))
    for out, plane, (scale, content) in zip(values, stored, pairs, strict=True):
        with np.errstate(over="ignore"):
            out[...] = plane * scale.slope + scale.intercept
        if content.padding is not None:
            out[plane == content.padding] = single
    return values, single


def _modulo(number: float) -> np.int16:
    """A whole number modulo 2**16, as int16."""
    wrapped = int(number) % 2**16
    return np.int16(wrapped - 2**16 if wrapped > INT16_MAX else wrapped)
