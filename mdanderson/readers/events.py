"""events.csv: what happened to the patients, and when (docs/details.md, detail 34)."""

from __future__ import annotations

from collections.abc import Collection

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Event
from mdanderson.readers.cells import Cells, about_columns, by_patient, cell_date
from mdanderson.readers.text_table import TextTable, nearest
from mdanderson.vocabulary import EventKind

__all__ = ["EVENTS_COLUMNS", "read_events"]

_REQUIRED = ("patient_id", "date", "event")
_OPTIONAL = ("site",)
EVENTS_COLUMNS = (*_REQUIRED, *_OPTIONAL)


def read_events(
    table: TextTable, *, known: Collection[str], known_from: str = "row in the table"
) -> tuple[dict[str, tuple[Event, ...]], tuple[Problem, ...]]:
    """Events by patient in the order of the table, and what is wrong with it.

    known: the patients of the main table; others are named in a warning as having no `known_from`. A word that is no
    `EventKind` is kept as it is written. Raises `ManifestError` when a required column is absent.
    """
    table.require(_REQUIRED, optional=_OPTIONAL)
    taken, problems = by_patient(table, _event, known=known, known_from=known_from)
    return taken, (*about_columns(table, (*_REQUIRED, *_OPTIONAL)), *problems)


def _event(cells: Cells) -> Event | None:
    """The event of one row; None where it cannot be used."""
    row = cells.row
    cells.check_surplus()
    date = cells.read("date", cell_date)
    if not row["date"]:
        cells.fault("date", "no date: the event is not used", "write when it happened, as YYYY-MM-DD")
    if not row["event"]:
        cells.fault("event", "no event", "write what happened, such as radiotherapy")
    if date is None or cells.faults:
        return None
    return Event(date=date, kind=_kind(cells), site=row["site"])


def _kind(cells: Cells) -> EventKind | str:
    """A known kind of event, whatever its case; another word as it is written, told where it is like a known one."""
    text = cells.row["event"]
    folded = text.lower().replace(" ", "_").replace("-", "_")
    if folded in list(EventKind):
        return EventKind(folded)
    if twin := nearest(text, list(EventKind)):
        what = f"unknown event {text}: kept, marks no lesion"
        cells.fault("event", what, f"write {twin} if that is meant", severity=Severity.WARNING)
    return text
