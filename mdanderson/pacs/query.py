"""What a server says it has (QIDO-RS): studies of a patient, their series, the instances of a series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdanderson.errors import ServerError
from mdanderson.pacs.session import Asking
from mdanderson.pacs.wanted import Wanted
from mdanderson.readers.dicom_index.facts import is_uid

__all__ = ["RemoteSeries", "instances_of", "series_of_patient"]

_AT_ONCE = 500
"""Entries asked for at a time."""
_MOST = 200_000
"""Entries of one list; beyond it a server repeats itself."""
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_DATE, _PATIENT, _MODALITY = "00080020", "00100020", "00080060"

Entry = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class RemoteSeries:
    """One series as a server lists it. Its UIDs are digits and points, and are never part of a path."""

    patient_id: str
    date: dt.date | None
    modality: str
    study_uid: str
    series_uid: str


def series_of_patient(asking: Asking, wanted: Wanted, modalities: Sequence[str]) -> tuple[RemoteSeries, ...]:
    """The series of a patient that are wanted, in order. Raises `ServerError`.

    What a server lists beyond what was asked (another patient, another day) is left out: some take a part of a name for
    the whole.
    """
    filters = {"PatientID": wanted.patient_id} | ({"StudyDate": wanted.days} if wanted.days else {})
    found = []
    for study in _listed(
        asking, _STUDY, lambda client, page: client.search_for_studies(search_filters=filters, **page)
    ):
        date = _day(_value(study, _DATE))
        if _value(study, _PATIENT) != wanted.patient_id or not (wanted.takes(date) if date else not wanted.days):
            continue
        uid = _value(study, _STUDY)
        series = _listed(asking, _SERIES, lambda client, page, uid=uid: client.search_for_series(uid, **page))
        found += [
            RemoteSeries(
                patient_id=wanted.patient_id,
                date=date,
                modality=_value(one, _MODALITY),
                study_uid=uid,
                series_uid=_value(one, _SERIES),
            )
            for one in series
            if _value(one, _MODALITY) in modalities
        ]
    return tuple(sorted(found, key=lambda one: (str(one.date or ""), one.modality, one.series_uid)))


def instances_of(asking: Asking, series: RemoteSeries) -> tuple[str, ...]:
    """The SOPInstanceUIDs of a series. Raises `ServerError`."""
    uids = (series.study_uid, series.series_uid)
    found = _listed(asking, _INSTANCE, lambda client, page: client.search_for_instances(*uids, **page))
    return tuple(sorted(_value(one, _INSTANCE) for one in found))


def _listed(asking: Asking, key: str, question: Callable[..., Any]) -> Iterator[Entry]:
    """Every entry of a list once, page by page, however the server counts; none without a UID of its kind."""
    seen: set[str] = set()
    offset = 0
    while True:
        page = asking.ask(lambda client: question(client, {"limit": _AT_ONCE, "offset": offset}))  # noqa: B023 - at once
        if not isinstance(page, list):
            raise ServerError("a list that is none", where=asking.server.where, way_out="check the address")
        new = [(uid, one) for one in page if is_uid(uid := _value(one, key)) and uid not in seen]
        for uid, one in new:
            if uid not in seen:
                seen.add(uid)
                yield one
        offset += len(page)
        if not new or len(page) < _AT_ONCE:
            return
        if offset > _MOST:
            what = f"a list of more than {_MOST} entries"
            raise ServerError(what, where=asking.server.where, way_out="ask for fewer: days, modalities")


def _value(entry: object, tag: str) -> str:
    """The first value of an element of DICOM JSON, blank where there is none, or it is no text."""
    element = entry.get(tag) if isinstance(entry, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    first = values[0] if isinstance(values, list) and values else ""
    return first.strip() if isinstance(first, str) else ""


def _day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
