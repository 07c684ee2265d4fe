"""When a PET tracer was injected and when the scan that its values are decay-corrected to began.

After QIBA's vendor-neutral pseudo-code for SUV: a series that was written after the scan (SeriesTime later than the
earliest AcquisitionTime) began at GE's private scan time where there is one, else at the earliest AcquisitionTime.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from pydicom import Dataset

from mdanderson.errors import UnitError
from mdanderson.readers.dicom_elements import text
from mdanderson.readers.pet_private import ge_scan_time

__all__ = ["injected", "missing", "scan_began"]

_DAY = dt.timedelta(days=1)
_TIME = re.compile(r"(\d\d):?(?:(\d\d):?(?:(\d\d)(?:\.(\d{1,6}))?)?)?")
_OFFSET = re.compile(r"[+-]\d{4}$")


def missing(keyword: str) -> UnitError:
    """The error for a tag without which there is no SUV."""
    return UnitError(
        f"{keyword} is missing: no SUV without it",
        way_out="export the original series with this tag, or one in SUV by body weight (GML)",
    )


def scan_began(headers: Sequence[Dataset]) -> dt.datetime:
    """The moment to which START corrects for decay. headers: one a file of the series.

    Raises `UnitError` naming the tag that is missing or is no time.
    """
    first = headers[0]
    starts = [_moment(header, "Acquisition") for header in _different(headers)]
    known = [start for start in starts if start is not None]
    if len(known) < len(starts):
        raise missing("AcquisitionTime")
    written = _moment(first, "Series")
    if written is not None and written <= min(known):
        return written
    stamp = ge_scan_time(first)
    return _date_time(stamp, first, "GE's private scan time (0009,xx0D)") if stamp else min(known)


def injected(header: Dataset, tracer: Dataset, *, scan: dt.datetime) -> dt.datetime:
    """When the tracer was given: RadiopharmaceuticalStartDateTime, else RadiopharmaceuticalStartTime before `scan`.

    tracer: the item of RadiopharmaceuticalInformationSequence. A time of day later than the scan's is that of the day
    before. Raises `UnitError` naming the tag that is missing or is no time.
    """
    stamp = text(tracer, "RadiopharmaceuticalStartDateTime")
    if stamp:
        return _date_time(stamp, header, "RadiopharmaceuticalStartDateTime")
    clock = text(tracer, "RadiopharmaceuticalStartTime")
    if not clock:
        raise missing("RadiopharmaceuticalStartDateTime or RadiopharmaceuticalStartTime")
    moment = dt.datetime.combine(scan.date(), _time(clock, "RadiopharmaceuticalStartTime"))
    return moment if moment <= scan else moment - _DAY


def _different(headers: Sequence[Dataset]) -> list[Dataset]:
    """One header of each acquisition: the many slices of a bed position share theirs."""
    stamps = {(text(header, "AcquisitionDate"), text(header, "AcquisitionTime")): header for header in headers}
    return list(stamps.values())


def _moment(header: Dataset, event: str) -> dt.datetime | None:
    """Date and time of an event (Series, Acquisition), None where its time is blank."""
    clock = text(header, f"{event}Time")
    if not clock:
        return None
    digits = next((day for name in (event, "Series", "Study") if (day := text(header, f"{name}Date"))), "")
    if not digits:
        raise missing(f"{event}Date")
    return dt.datetime.combine(_date(digits, f"{event}Date"), _time(clock, f"{event}Time"))


def _date_time(stamp: str, header: Dataset, keyword: str) -> dt.datetime:
    """A date with a time of day, in the local time of the header's other times."""
    offset = _OFFSET.search(stamp)
    bare = stamp[: offset.start()] if offset else stamp
    moment = dt.datetime.combine(_date(bare[:8], keyword), _time(bare[8:], keyword))
    here = text(header, "TimezoneOffsetFromUTC")
    if offset and _OFFSET.fullmatch(here):
        moment += _from_utc(here) - _from_utc(offset.group())
    return moment


def _from_utc(offset: str) -> dt.timedelta:
    """+HHMM or -HHMM."""
    ahead = dt.timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return -ahead if offset[0] == "-" else ahead


def _date(digits: str, keyword: str) -> dt.date:
    try:
        return dt.datetime.strptime(digits.replace(".", "")[:8], "%Y%m%d").date()
    except ValueError as error:
        raise UnitError(f"{keyword} holds no date", way_out="export the original series") from error


def _time(clock: str, keyword: str) -> dt.time:
    found = _TIME.fullmatch(clock)
    hour, minute, second, fraction = found.groups() if found else (None,) * 4
    try:
        return dt.time(int(hour or -1), int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0")))
    except ValueError as error:
        raise UnitError(f"{keyword} holds no time of day", way_out="export the original series") from error
