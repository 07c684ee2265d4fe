"""What of a server's lists is wanted: series of a patient, the instances of a series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from mdanderson.pacs.link import Entry, Link, RemoteSeries
from mdanderson.pacs.wanted import Wanted
from mdanderson.readers.dicom_index.facts import is_uid

__all__ = ["instances_of", "series_of_patient"]

_DIGITS = 10


def series_of_patient(link: Link, wanted: Wanted, modalities: Sequence[str]) -> tuple[RemoteSeries, ...]:
    """The series of a patient that are wanted, in order. Raises `ServerError`.

    What a server lists beyond what was asked (another patient, another day) is left out: some take a part of a name for
    the whole.
    """
    found = []
    for study in _once(link.studies(wanted), "StudyInstanceUID"):
        date = _day(study.get("StudyDate", ""))
        if study.get("PatientID") != wanted.patient_id or not wanted.takes(date):
            continue
        uid = study["StudyInstanceUID"]
        found += [
            RemoteSeries(
                patient_id=wanted.patient_id,
                date=date,
                modality=one["Modality"],
                study_uid=uid,
                series_uid=one["SeriesInstanceUID"],
                images=_count(one.get("NumberOfSeriesRelatedInstances", "")),
            )
            for one in _once(link.series(uid), "SeriesInstanceUID")
            if one.get("Modality") in modalities
        ]
    return tuple(sorted(found, key=lambda one: (str(one.date or ""), one.modality, one.series_uid)))


def instances_of(link: Link, series: RemoteSeries) -> tuple[str, ...]:
    """The SOPInstanceUIDs of a series. Raises `ServerError`."""
    return tuple(sorted(one["SOPInstanceUID"] for one in _once(link.instances(series), "SOPInstanceUID")))


def _once(listed: Iterable[Entry], keyword: str) -> Iterator[Entry]:
    """Every entry once; none without a UID of its kind."""
    seen: set[str] = set()
    for one in listed:
        uid = one.get(keyword, "")
        if is_uid(uid) and uid not in seen:
            seen.add(uid)
            yield one


def _day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None
