"""From stored numbers to values in a unit: int16 wherever the values are whole and fit, float32 otherwise.

Two types keep later arithmetic safe: unsigned differences wrap, 64-bit floats fill the memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError, UnitError
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = ["INT16_MAX", "INT16_MIN", "compact", "unit_without_header"]

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
    return values.astype(np.int16 if fits else np.float32, copy=False)


def unit_without_header(modality: Modality) -> Unit:
    """What a voxel means in a format that does not say: CT in HU, PET in SUV, MR arbitrary, NM counts.

    Raises `UnitError` for a radiograph, which is no volume.
    """
    if modality not in _UNITS:
        raise UnitError(f"no unit is known for the volume of a {modality}", way_out="give the modality of the volume")
    return _UNITS[modality]
