"""The rows of one patient of a results folder: read back as stored, or judged again from the table that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mdanderson.batch.exchange import mended
from mdanderson.batch.kept import kept_run
from mdanderson.batch.part import judge_patient
from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER, RUN_FILE, Store
from mdanderson.errors import InputError, OutputError
from mdanderson.report.cells import Cells
from mdanderson.report.columns import PROBLEMS
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.trace import TRACE, trace_rows

__all__ = ["patient_rows", "rows_without_statements"]


def patient_rows(folder: Path, patient_id: str) -> Mapping[str, Sequence[Cells]]:
    """Rows by table name, the trace among them.

    `classify` stores neither trace nor lesions, as a large table has millions: the patient is judged again, from the
    rows and by the settings that are kept with the results.
    Raises `OutputError` for a folder without results, `InputError` for a patient that is not in it or was not scored.
    """
    if (mended(folder) / PATIENTS_FOLDER).is_dir():
        return _stored(folder, patient_id)
    if (folder / MEASUREMENTS_FOLDER).is_dir() and (folder / RUN_FILE).is_file():
        return _judged_again(folder, patient_id)
    raise OutputError("no results here", where=str(folder), way_out="give the folder that `score` or `classify` wrote")


def rows_without_statements(folder: Path, patient_id: str, reader: str) -> Mapping[str, Sequence[Cells]]:
    """The same rows as they are where nobody states anything: what was measured, by no reader but this one.

    For a reading that is to know of no other. Raises as `patient_rows`.
    """
    if not (mended(folder) / PATIENTS_FOLDER).is_dir():
        return _judged_again(folder, patient_id, alone=reader)
    finished = Store(folder=folder / PATIENTS_FOLDER).read(patient_id)
    if finished is None or finished.unread is None:
        return _stored(folder, patient_id)
    return finished.unread


def _stored(folder: Path, patient_id: str) -> Mapping[str, Sequence[Cells]]:
    """What `score` kept of the patient."""
    finished = Store(folder=folder / PATIENTS_FOLDER).read(patient_id)
    if finished is None:
        raise _unknown(folder, patient_id)
    if finished.failure:
        raise InputError(f"the patient was not scored: {finished.failure}", where=patient_id)
    return finished.tables


def _judged_again(folder: Path, patient_id: str, *, alone: str = "") -> Mapping[str, Sequence[Cells]]:
    """What `classify` made of the patient: the same rows by the same settings give the same answers.

    alone: a reader whose own measurements count alone, beside those that are nobody's, and no statement.
    """
    judge, sheets = kept_run(folder)
    if alone:
        judge, sheets = judge.of_reader(alone), replace(sheets, reads=None, reviews=None)
    sheets = sheets.of({patient_id})
    if not sheets.measurements.rows:
        raise _unknown(folder, patient_id)
    (patient,) = sheets.read()
    timeline = judge_patient(judge, patient)
    problems = (problem.of(patient_id=patient_id) for problem in timeline.problems)
    return {
        **timeline_rows(timeline),
        PROBLEMS.name: tuple(map(problem_row, problems)),
        TRACE.name: trace_rows(timeline),
    }


def _unknown(folder: Path, patient_id: str) -> InputError:
    return InputError(
        f"no patient {patient_id!r} in the results", where=str(folder), way_out="responses.csv lists the patients"
    )
