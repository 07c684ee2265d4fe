"""The trace of one patient, from a results folder: read back as stored, or judged again from the stored table."""

from __future__ import annotations

from pathlib import Path

from mdanderson.batch.patient_rows import patient_rows
from mdanderson.errors import InputError
from mdanderson.report.cells import sorted_rows
from mdanderson.report.columns import RESPONSES
from mdanderson.report.trace import TRACE, trace_text

__all__ = ["explain"]


def explain(out: str | Path, patient_id: str, *, visit: str | None = None) -> str:
    """Every verdict behind a patient's categories, at one visit (label or date) or at all, as text.

    Raises `OutputError` for a folder without results, `InputError` for a patient or visit that is not in it.
    """
    tables = patient_rows(Path(out), patient_id)
    responses = list(RESPONSES.named(sorted_rows(RESPONSES, tables[RESPONSES.name])))
    wanted = [row for row in responses if visit is None or visit in (row["visit"], row["date"])]
    if not wanted:
        visits = ", ".join(dict.fromkeys(row["visit"] or row["date"] for row in responses))
        raise InputError(f"no visit {visit!r}", where=patient_id, way_out=f"the visits are {visits}")
    return trace_text(wanted, list(TRACE.named(tables[TRACE.name])))
