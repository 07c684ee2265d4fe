"""The trace of one finished patient, read back from a results folder."""

from __future__ import annotations

from pathlib import Path

from mdanderson.batch.store import Finished, Store
from mdanderson.errors import InputError, OutputError
from mdanderson.report.cells import sorted_rows
from mdanderson.report.columns import LESIONS, RESPONSES, Table
from mdanderson.report.trace import TRACE, trace_text

__all__ = ["explain"]


def explain(out: str | Path, patient_id: str, *, visit: str | None = None) -> str:
    """Every verdict behind a patient's categories, at one visit (label or date) or at all, as text.

    Raises `OutputError` for a folder without results, `InputError` for a patient or visit that is not in it.
    """
    store = Store(folder=Path(out) / ".patients")
    if not store.folder.is_dir():
        raise OutputError("no results here", where=str(out), way_out="give the folder that `mdanderson score` wrote")
    finished = store.read(patient_id)
    if finished is None:
        raise InputError(
            f"no patient {patient_id!r} in the results", where=str(out), way_out="responses.csv lists the patients"
        )
    if finished.failure:
        raise InputError(f"the patient was not scored: {finished.failure}", where=patient_id)
    responses = _named(finished, RESPONSES)
    wanted = [row for row in responses if visit is None or visit in (row["visit"], row["date"])]
    if not wanted:
        visits = ", ".join(dict.fromkeys(row["visit"] or row["date"] for row in responses))
        raise InputError(f"no visit {visit!r}", where=patient_id, way_out=f"the visits are {visits}")
    return trace_text(wanted, _named(finished, LESIONS), _named(finished, TRACE))


def _named(finished: Finished, table: Table) -> list[dict[str, str]]:
    """Rows by column name; the trace keeps the order in which its rows were asked."""
    rows = finished.tables.get(table.name, ())
    ordered = rows if table is TRACE else sorted_rows(table, rows)
    return [dict(zip(table.column_names, row, strict=True)) for row in ordered]
