"""A patient's visits as a trial's database counts them: numbers, study days, and the rows that belong to each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from mdanderson.batch.results import Results
from mdanderson.criteria import OVERALL
from mdanderson.export.visit_numbers import Course, visit_names, visit_numbers
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES
from mdanderson.report.visits import visit_at

__all__ = ["PatientResults", "ResultRow", "Visit", "patients_in", "placed", "places_of", "study_day"]

ResultRow = Mapping[str, str]
"""A row of a result table: column -> cell."""
Places = Mapping[str, Mapping[str, str]]
"""Lesion -> cells that tell its place, and whether it is a node."""

_PLACE = ("site", "laterality", "site_source")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One visit. number: from 1, in the order of the study's visits. label: as the manifest calls it.

    name: under which visits of several patients are one visit of the study; it has the number to itself.
    """

    number: int
    label: str
    date: dt.date
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientResults:
    """Everything that the result tables say of one patient. responses: overall rows; parts: those of one modality."""

    patient_id: str
    visits: tuple[Visit, ...]
    lesions: tuple[ResultRow, ...]
    responses: tuple[ResultRow, ...]
    parts: tuple[ResultRow, ...]
    summaries: tuple[ResultRow, ...]
    places: Places

    @property
    def start(self) -> dt.date | None:
        """Start of treatment, else baseline; None in results that do not tell it."""
        return next((_day(row["start_date"]) for row in self.summaries if row["start_date"]), None)

    def placed(self, row: ResultRow) -> ResultRow:
        """A lesion's row with what another row of the lesion says of its place, where it says nothing itself."""
        return placed(row, self.places)

    def visit_of(self, row: ResultRow) -> Visit:
        """The visit that a lesion or a response belongs to."""
        visits = [(visit.label, visit.date.isoformat()) for visit in self.visits]
        return self.visits[visit_at(row["visit"], row["date"], visits) or 0]


def places_of(lesions: Iterable[ResultRow]) -> Places:
    """Lesion -> what its rows say of its place, the first that names one, and whether any calls it a node.

    Readers say both once, as a rule when a lesion is first seen.
    """
    told: dict[str, dict[str, str]] = {}
    for row in lesions:
        own = told.setdefault(row["lesion_id"], dict.fromkeys((*_PLACE, "node"), ""))
        if row["site"] and not own["site"]:
            own |= {name: row[name] for name in _PLACE}
        if row["node"] == "true":
            own["node"] = "true"
    return told


def placed(row: ResultRow, places: Places) -> ResultRow:
    """A row of lesions.csv with what other rows of the lesion say, where it says nothing itself."""
    told = places.get(row["lesion_id"], {})
    node = told.get("node") or row["node"]
    if row["site"] or not told.get("site"):
        return {**row, "node": node}
    return {**row, **{name: told[name] or row[name] for name in _PLACE}, "node": node}


def patients_in(results: Results) -> Iterator[PatientResults]:
    """Every patient that has a response, in the order of the tables."""
    lesions = _by_patient(results.named(LESIONS))
    summaries = _by_patient(results.named(PATIENTS))
    responses = _by_patient(results.named(RESPONSES))
    courses = {
        patient_id: sorted({(_day(row["date"]), row["visit"]) for row in rows if row["scope"] == OVERALL})
        for patient_id, rows in responses.items()
    }
    numbers = visit_numbers(courses.values())
    for patient_id, rows in responses.items():
        yield PatientResults(
            patient_id=patient_id,
            visits=_visits(courses[patient_id], numbers),
            lesions=lesions.get(patient_id, ()),
            responses=tuple(row for row in rows if row["scope"] == OVERALL),
            parts=tuple(row for row in rows if row["scope"] != OVERALL),
            summaries=summaries.get(patient_id, ()),
            places=places_of(lesions.get(patient_id, ())),
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


def _visits(course: Course, numbers: Mapping[str, int]) -> tuple[Visit, ...]:
    """A patient's visits, in order of date, with the study's numbers."""
    return tuple(
        Visit(number=numbers[name], label=label, date=day, name=name)
        for (day, label), name in zip(course, visit_names(course), strict=True)
    )


def _by_patient(rows: Iterable[ResultRow]) -> dict[str, tuple[ResultRow, ...]]:
    ordered = sorted(rows, key=lambda row: row["patient_id"])
    return {patient_id: tuple(own) for patient_id, own in groupby(ordered, key=lambda row: row["patient_id"])}


def _day(cell: str) -> dt.date:
    return dt.date.fromisoformat(cell)
