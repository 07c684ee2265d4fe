"""Where figures read their numbers: the result tables, of a batch or of one patient, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, Protocol

from mdanderson.criteria import OVERALL, criteria_set
from mdanderson.errors import InputError, Severity
from mdanderson.findings import DEATH, Event
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES, Table
from mdanderson.report.frames import data_frame
from mdanderson.report.tables import timeline_rows
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    import pandas as pd

    from mdanderson.readers.companions import TableSource

__all__ = [
    "PatientRow",
    "ResultTables",
    "Source",
    "VisitRow",
    "events_of",
    "patients_of",
    "rows_of",
    "sets_of",
    "settings_of",
    "visits_of",
]


class ResultTables(Protocol):
    """What `Results` have: the tables of a run as data frames."""

    @property
    def responses(self) -> pd.DataFrame:
        """One row per patient, visit, criteria and scope."""

    @property
    def patients(self) -> pd.DataFrame:
        """One row per patient and criteria."""

    @property
    def lesions(self) -> pd.DataFrame:
        """One row per lesion, visit and image."""


Source = ResultTables | Timeline
"""What a figure is made from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientRow:
    """What a figure needs of a row of patients.csv."""

    patient_id: str
    best: Category
    start: dt.date | None
    progression: dt.date | None
    progression_free_days: int | None
    time_on_study_days: int | None
    censored: bool
    event: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VisitRow:
    """What a figure needs of an overall row of responses.csv. change: of the set's sum since baseline, a fraction."""

    patient_id: str
    visit: str
    date: dt.date
    weeks: float
    category: Category
    change: float | None
    new_lesions: int
    unconfirmed: bool


def patients_of(given: Source, criteria: str) -> dict[str, PatientRow]:
    """The patients as one criteria set judges them, by patient.

    Raises `SettingsError` for an unknown set, `InputError` for one not asked and for other things than results.
    """
    return {
        row["patient_id"]: PatientRow(
            patient_id=row["patient_id"],
            best=Category(row["best_response"]),
            start=row["start_date"],
            progression=row["progression_date"],
            progression_free_days=row["progression_free_days"],
            time_on_study_days=row["time_on_study_days"],
            censored=bool(row["censored"]),
            event=row["event"],
        )
        for row in _asked(rows_of(given, PATIENTS), criteria)
    }


def visits_of(given: Source, criteria: str) -> dict[str, tuple[VisitRow, ...]]:
    """The overall rows of each patient, in order of date. Raises as `patients_of`."""
    found: dict[str, list[VisitRow]] = {}
    for row in _asked(rows_of(given, RESPONSES), criteria):
        if row["scope"] == OVERALL:
            visit = VisitRow(
                patient_id=row["patient_id"],
                visit=row["visit"],
                date=row["date"],
                weeks=row["weeks"],
                category=Category(row["category"]),
                change=row["size_change_baseline"],
                new_lesions=row["lesions_new"] or 0,
                unconfirmed=bool(row["unconfirmed"]),
            )
            found.setdefault(visit.patient_id, []).append(visit)
    return {patient_id: tuple(sorted(found[patient_id], key=lambda row: row.date)) for patient_id in sorted(found)}


def settings_of(given: Source, wished: Settings | None = None) -> Settings:
    """Those wished, else those by which the results were judged."""
    judged_by: Settings = getattr(given, "settings", None) or Settings()
    return wished or judged_by


def sets_of(given: Source) -> tuple[str, ...]:
    """The criteria sets that were asked, as patients.csv names them."""
    return tuple(dict.fromkeys(row["criteria"] for row in rows_of(given, PATIENTS)))


def rows_of(given: Source, table: Table) -> Iterator[Mapping[str, Any]]:
    """The rows of a table, values by column: None where a cell is empty, days as dates.

    Raises `InputError` for other things than results, and where a column is missing.
    """
    frame = _frame(given, table)
    missing = [name for name in table.column_names if name not in frame.columns]
    if missing:
        raise InputError(f"no column {missing[0]}", where=table.name, way_out="give results as a run made them")
    columns = [_plain(frame[name]) for name in table.column_names]
    return table.named(zip(*columns, strict=True))


def events_of(given: Source, events: TableSource | None, *, known: Iterable[str]) -> Mapping[str, Sequence[Event]]:
    """Events by patient: those of a table as events.csv, else what the results or a timeline have themselves.

    Deaths are those of the results or the timeline in both cases, an event of the kind `DEATH` each.
    known: the patients of the results. Raises `InputError` for a table that cannot be used, and for a row of a known
    patient that cannot.
    """
    own = _own_events(given)
    if events is None:
        return own
    from mdanderson.readers.events import read_events
    from mdanderson.readers.text_table import text_table

    found, problems = read_events(text_table(events, name="events"), known=set(known))
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise InputError(problem.what, where=problem.where, way_out=problem.how_to_fix)
    deaths = {name: tuple(event for event in its if event.kind == DEATH) for name, its in own.items()}
    return {name: (*found.get(name, ()), *deaths.get(name, ())) for name in found.keys() | deaths.keys()}


def _own_events(given: Source) -> Mapping[str, Sequence[Event]]:
    """What happened as the results or a timeline have it, deaths among it; nothing of what is neither."""
    if isinstance(given, Timeline):
        return {given.patient.patient_id: given.patient.happened}
    own: Mapping[str, Sequence[Event]] = getattr(given, "events", {})
    return own


def _frame(given: Source, table: Table) -> pd.DataFrame:
    if isinstance(given, Timeline):
        return data_frame(table, timeline_rows(given, lesions=table is LESIONS)[table.name])
    # A look at the names alone: tables may be made when they are asked for, those of lesions at some cost.
    if all(getattr_static(given, name, None) is not None for name in ("responses", "patients", "lesions")):
        frame: pd.DataFrame = getattr(given, table.name)
        return frame
    raise InputError(
        f"a figure is made from Results or a Timeline, not from {type(given).__name__}",
        way_out="open a results folder with Results.from_folder",
    )


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Cells without pandas: what is missing is None, a moment its day."""
    known = column.notna().tolist()
    values = [value if is_known else None for value, is_known in zip(column.tolist(), known, strict=True)]
    return [value.date() if isinstance(value, dt.datetime) else value for value in values]


def _asked(rows: Iterable[Mapping[str, Any]], criteria: str) -> list[Mapping[str, Any]]:
    """The rows of one set. None at all is an empty cohort; rows of other sets alone are a question not asked."""
    criteria_set(criteria)
    told = list(rows)
    asked = dict.fromkeys(row["criteria"] for row in told)
    if asked and criteria not in asked:
        raise InputError(f"criteria {criteria!r} were not asked", way_out=f"these results have {', '.join(asked)}")
    return [row for row in told if row["criteria"] == criteria]
