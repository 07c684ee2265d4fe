"""The private tags of GE and Philips that an SUV may need, found by their private creator."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.tag import Tag

from mdanderson.errors import UnitError

__all__ = ["ge_scan_time", "philips_activity_factor", "philips_suv_factor"]

_GE = (0x0009, "GEMS_PETD_01")
_PHILIPS = (0x7053, "Philips PET Private Group")


def ge_scan_time(header: Dataset) -> str:
    """GE's PET scan_datetime (0009,xx0D), blank where there is none."""
    return _private(header, *_GE, 0x0D)


def philips_suv_factor(header: Dataset) -> float | None:
    """Philips' SUV scale factor (7053,xx00): rescaled value -> SUV by body weight. None where absent or 0.

    Raises `UnitError` where it is no number.
    """
    return _factor(_private(header, *_PHILIPS, 0x00), "the Philips SUV factor (7053,xx00)")


def philips_activity_factor(header: Dataset) -> float | None:
    """Philips' activity concentration factor (7053,xx09): rescaled value -> Bq/ml. None where absent or 0.

    Raises `UnitError` where it is no number.
    """
    return _factor(_private(header, *_PHILIPS, 0x09), "the Philips activity factor (7053,xx09)")


def _private(header: Dataset, group: int, creator: str, element: int) -> str:
    """The value as text, blank when the block of `creator` or the element in it is absent."""
    for block in range(0x10, 0x18):
        if _text(header, group, block) == creator:
            return _text(header, group, block << 8 | element)
    return ""


def _text(header: Dataset, group: int, element: int) -> str:
    """A value as one line; in implicit transfer syntaxes private values arrive as bytes."""
    tag = Tag(group, element)
    value = header[tag].value if tag in header else ""
    if isinstance(value, bytes):
        value = value.decode("ascii", errors="replace")
    return str("" if value is None else value).strip(" \0")


def _factor(value: str, name: str) -> float | None:
    if not value:
        return None
    try:
        factor = float(value)
    except ValueError as error:
        raise UnitError(f"{name} is no number", way_out="export the series in Bq/ml (BQML)") from error
    return factor if 0 < factor < float("inf") else None
