"""A patient's visits as a trial's database counts them: numbers, study days, and the rows that belong to each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from mdanderson.batch.results import Results
from mdanderson.criteria import OVERALL
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES
from mdanderson.report.visits import visit_at

__all__ = ["PatientResults", "ResultRow", "Visit", "patients_in", "study_day"]

ResultRow = Mapping[str, str]
"""A row of a result table: column -> cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One visit. number: from 1, in order of date. label: as the manifest calls it."""

    number: int
    label: str
    date: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientResults:
    """Everything that the result tables say of one patient. responses: overall rows alone."""

    patient_id: str
    visits: tuple[Visit, ...]
    lesions: tuple[ResultRow, ...]
    responses: tuple[ResultRow, ...]
    summaries: tuple[ResultRow, ...]

    @property
    def start(self) -> dt.date | None:
        """Start of treatment, else baseline; None in results that do not tell it."""
        return next((_day(row["start_date"]) for row in self.summaries if row["start_date"]), None)

    def placed(self, row: ResultRow) -> ResultRow:
        """A lesion's row with what another row of the lesion says of its place, where it says nothing itself."""
        if row["site"]:
            return row
        named = (one for one in self.lesions if one["lesion_id"] == row["lesion_id"] and one["site"])
        found = next(named, row)
        told = {name: found[name] or row[name] for name in ("site", "laterality", "site_source")}
        return {**row, **told}

    def visit_of(self, row: ResultRow) -> Visit:
        """The visit that a lesion or a response belongs to."""
        visits = [(visit.label, visit.date.isoformat()) for visit in self.visits]
        return self.visits[visit_at(row["visit"], row["date"], visits) or 0]


def patients_in(results: Results) -> Iterator[PatientResults]:
    """Every patient that has a response, in the order of the tables."""
    lesions = _by_patient(results.named(LESIONS))
    summaries = _by_patient(results.named(PATIENTS))
    for patient_id, rows in _by_patient(results.named(RESPONSES)).items():
        responses = tuple(row for row in rows if row["scope"] == OVERALL)
        yield PatientResults(
            patient_id=patient_id,
            visits=_visits(responses),
            lesions=lesions.get(patient_id, ()),
            responses=responses,
            summaries=summaries.get(patient_id, ()),
        )


def study_day(day: dt.date, start: dt.date | None) -> int | None:
    """The day of a study: 1 on its first day, -1 on the day before it, and no 0.

    >>> study_day(dt.date(2024, 1, 10), dt.date(2024, 1, 10)), study_day(dt.date(2024, 1, 9), dt.date(2024, 1, 10))
    (1, -1)
    """
    if start is None:
        return None
    days = (day - start).days
    return days + 1 if days >= 0 else days


def _visits(responses: Sequence[ResultRow]) -> tuple[Visit, ...]:
    """The visits of all criteria sets together."""
    found = sorted({(_day(row["date"]), row["visit"]) for row in responses})
    return tuple(Visit(number=number, label=label, date=day) for number, (day, label) in enumerate(found, start=1))


def _by_patient(rows: Iterable[ResultRow]) -> dict[str, tuple[ResultRow, ...]]:
    ordered = sorted(rows, key=lambda row: row["patient_id"])
    return {patient_id: tuple(own) for patient_id, own in groupby(ordered, key=lambda row: row["patient_id"])}


def _day(cell: str) -> dt.date:
    return dt.date.fromisoformat(cell)
