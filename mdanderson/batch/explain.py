"""The trace of one patient, from a results folder: read back as stored, or judged again from the stored table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mdanderson.batch.kept import kept_run
from mdanderson.batch.part import judge_patient
from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER, RUN_FILE, Store
from mdanderson.errors import InputError, OutputError
from mdanderson.report.cells import Cells, sorted_rows
from mdanderson.report.columns import RESPONSES, Table
from mdanderson.report.tables import timeline_rows
from mdanderson.report.trace import TRACE, trace_rows, trace_text

__all__ = ["explain"]

_Tables = Mapping[str, Sequence[Cells]]


def explain(out: str | Path, patient_id: str, *, visit: str | None = None) -> str:
    """Every verdict behind a patient's categories, at one visit (label or date) or at all, as text.

    `classify` stores no trace, as a large table has millions of verdicts: the patient is judged again, from the rows
    and by the settings that are kept with the results.
    Raises `OutputError` for a folder without results, `InputError` for a patient or visit that is not in it.
    """
    folder = Path(out)
    if (folder / PATIENTS_FOLDER).is_dir():
        tables = _stored(folder, patient_id)
    elif (folder / MEASUREMENTS_FOLDER).is_dir() and (folder / RUN_FILE).is_file():
        tables = _judged_again(folder, patient_id)
    else:
        raise OutputError("no results here", where=str(out), way_out="give the folder that `score` or `classify` wrote")
    responses = _named(RESPONSES, sorted_rows(RESPONSES, tables[RESPONSES.name]))
    wanted = [row for row in responses if visit is None or visit in (row["visit"], row["date"])]
    if not wanted:
        visits = ", ".join(dict.fromkeys(row["visit"] or row["date"] for row in responses))
        raise InputError(f"no visit {visit!r}", where=patient_id, way_out=f"the visits are {visits}")
    return trace_text(wanted, _named(TRACE, tables[TRACE.name]))


def _stored(folder: Path, patient_id: str) -> _Tables:
    """What `score` kept of the patient."""
    finished = Store(folder=folder / PATIENTS_FOLDER).read(patient_id)
    if finished is None:
        raise _unknown(folder, patient_id)
    if finished.failure:
        raise InputError(f"the patient was not scored: {finished.failure}", where=patient_id)
    return finished.tables


def _judged_again(folder: Path, patient_id: str) -> _Tables:
    """What `classify` made of the patient: the same rows by the same settings give the same answers."""
    judge, sheets = kept_run(folder)
    sheets = sheets.of({patient_id})
    if not sheets.measurements.rows:
        raise _unknown(folder, patient_id)
    (patient,) = sheets.read()
    timeline = judge_patient(judge, patient)
    return {**timeline_rows(timeline), TRACE.name: trace_rows(timeline)}


def _unknown(folder: Path, patient_id: str) -> InputError:
    return InputError(
        f"no patient {patient_id!r} in the results", where=str(folder), way_out="responses.csv lists the patients"
    )


def _named(table: Table, rows: Sequence[Cells]) -> list[dict[str, str]]:
    """Rows by column name."""
    return [dict(zip(table.column_names, row, strict=True)) for row in rows]
