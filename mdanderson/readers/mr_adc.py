"""The unit of an ADC map: as the header states it, else told by its values where they leave no doubt, else none.

Vendors store 1e-6 mm2/s (= um2/s), 1e-3 mm2/s or mm2/s. The three lie so far apart that no tissue fits two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdanderson.errors import UnitError
from mdanderson.volume import Unit

__all__ = ["AdcValues", "adc_values", "factor_of_unit"]

_UM2 = {"um2": 1.0, "mm2": 1e6, "cm2": 1e8, "m2": 1e12}
"""um2 in each square."""
_PER_SECOND = {"s": 1.0, "ms": 1e3}

_PLAUSIBLE_UM2_S = (100.0, 3500.0)
"""Median ADC of an image of living tissue: marrow a few hundred, free water at 37 degrees 3000 (Mills 1973)."""
_STATED_SLACK = 10.0
"""A stated unit is doubted only where the values lie further than this factor off: units go wrong by 1000."""
_KNOWN_FACTORS = ((1.0, "1e-6 mm2/s"), (1e3, "1e-3 mm2/s"), (1e6, "mm2/s"))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AdcValues:
    """(planes, rows, columns) in `unit`, the value of voxels that were not imaged, and what is to be told."""

    array: npt.NDArray[np.generic]
    padding: float | None
    unit: Unit
    note: str = ""


def adc_values(array: npt.NDArray[np.generic], padding: float | None, *, is_stated: bool) -> AdcValues:
    """Check a stated unit against the values, or tell the unit from them; a.u. where nothing fits.

    Raises `UnitError` where a stated unit cannot be true.
    """
    middle = _median(array, padding)
    low, high = _PLAUSIBLE_UM2_S
    if is_stated:
        if middle is not None and not low / _STATED_SLACK <= middle <= high * _STATED_SLACK:
            raise UnitError(
                f"the header's unit makes {middle:.3g} um2/s the median ADC, which no tissue has",
                way_out="export the map again with its unit, or give it as NIfTI in 1e-6 mm2/s",
            )
        return AdcValues(array=array, padding=padding, unit=Unit.ADC)
    for factor, name in _KNOWN_FACTORS:
        if middle is not None and low <= middle * factor <= high:
            note = f"no unit stated: median {middle:.3g} read as {name}"
            return _times(array, padding, factor, note)
    note = "no unit stated and none fits the values" + (f" (median {middle:.3g})" if middle is not None else "")
    return AdcValues(array=array, padding=padding, unit=Unit.ARBITRARY, note=note)


def factor_of_unit(written: str) -> float | None:
    """How many um2/s a unit is, as UCUM or people write it; None for what is no diffusivity.

    >>> factor_of_unit("um2/s"), factor_of_unit("10*-6.mm2/s"), factor_of_unit("mm2/s")
    (1.0, 1.0, 1000000.0)
    """
    plain = re.sub(r"[\s^*·.x()]+", "", written.casefold().replace("²", "2").replace("µ", "u").replace("μ", "u"))
    match = re.fullmatch(r"(?:(?:1?0|1e|1?0e|e)(?P<power>[-+]?\d{1,2}))?(?P<square>[umc]?m2)/(?P<time>m?s)", plain)
    if match is None or match["square"] not in _UM2:
        return None
    # 1e-6 rather than 10 ** -6 so that 1e-6 x 1e6 is 1 to the last bit
    return float(f"1e{int(match['power'] or 0)}") * _UM2[match["square"]] * _PER_SECOND[match["time"]]


def _times(array: npt.NDArray[np.generic], padding: float | None, factor: float, note: str) -> AdcValues:
    if factor == 1:
        return AdcValues(array=array, padding=padding, unit=Unit.ADC, note=note)
    values = array.astype(np.float32) * np.float32(factor)
    moved = None if padding is None else float(np.float32(padding) * np.float32(factor))
    return AdcValues(array=values, padding=moved, unit=Unit.ADC, note=note)


def _median(array: npt.NDArray[np.generic], padding: float | None) -> float | None:
    """Of what is above zero: the background of a map is zero or below. None where nothing is."""
    inside = array[np.greater(array, 0)]
    if padding is not None:
        inside = inside[inside != padding]
    return float(np.median(inside)) if inside.size else None
