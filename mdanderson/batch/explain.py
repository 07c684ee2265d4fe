"""The trace of one patient, from a results folder: read back as stored, or judged again from the stored table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mdanderson.batch.patient_rows import patient_rows
from mdanderson.errors import InputError
from mdanderson.report.cells import Cells, sorted_rows
from mdanderson.report.columns import RESPONSES, Table
from mdanderson.report.trace import TRACE, trace_text

__all__ = ["explain"]


def explain(out: str | Path, patient_id: str, *, visit: str | None = None) -> str:
    """Every verdict behind a patient's categories, at one visit (label or date) or at all, as text.

    Raises `OutputError` for a folder without results, `InputError` for a patient or visit that is not in it.
    """
    tables = patient_rows(Path(out), patient_id)
    responses = _named(RESPONSES, sorted_rows(RESPONSES, tables[RESPONSES.name]))
    wanted = [row for row in responses if visit is None or visit in (row["visit"], row["date"])]
    if not wanted:
        visits = ", ".join(dict.fromkeys(row["visit"] or row["date"] for row in responses))
        raise InputError(f"no visit {visit!r}", where=patient_id, way_out=f"the visits are {visits}")
    return trace_text(wanted, _named(TRACE, tables[TRACE.name]))


def _named(table: Table, rows: Sequence[Cells]) -> list[dict[str, str]]:
    """Rows by column name."""
    return [dict(zip(table.column_names, row, strict=True)) for row in rows]
