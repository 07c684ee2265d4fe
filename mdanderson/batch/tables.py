"""The result tables, written patient by patient from what is stored: a cohort need not fit into memory."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mdanderson.batch.results import RowsOfText
from mdanderson.batch.store import Store, write_together
from mdanderson.errors import OutputError, Problem
from mdanderson.report.cells import Cells, render_cell, to_csv, to_csv_lines
from mdanderson.report.columns import PATIENTS, PROBLEMS, TABLES
from mdanderson.report.tables import problem_row

__all__ = ["rows_in", "write_tables"]


def write_tables(folder: Path, store: Store, patient_ids: Sequence[str], more: Sequence[Problem]) -> None:
    """Write every table whole or not at all; more: problems that are no single patient's. Raises `OutputError`.

    Each table sorts by patient first, so that the lines of one patient come after those of the one before.
    """
    write_together(tuple(folder / table.file_name for table in TABLES), _chunks(store, patient_ids, more))


def rows_in(folder: Path) -> RowsOfText:
    """The rows of the tables in a folder, each read when it is asked for."""
    return RowsOfText({}, later={table.name: functools.partial(_text, folder / table.file_name) for table in TABLES})


def _chunks(store: Store, patient_ids: Sequence[str], more: Sequence[Problem]) -> Iterator[tuple[str, ...]]:
    """The text of all tables, in pieces: header and what is nobody's, then patient by patient."""
    first = {PROBLEMS.name: tuple(map(problem_row, more))}
    yield tuple(to_csv(table, first.get(table.name, ())) for table in TABLES)
    for patient_id in sorted(patient_ids, key=_as_written):
        rows = _stored_rows(store, patient_id)
        yield tuple(to_csv_lines(table, rows.get(table.name, ())) for table in TABLES)


def _as_written(patient_id: str) -> tuple[str, str]:
    """The name as the tables have it, by which they sort."""
    return render_cell(PATIENTS.columns[0], patient_id), patient_id


def _stored_rows(store: Store, patient_id: str) -> Mapping[str, Sequence[Cells]]:
    finished = store.read(patient_id)
    if finished is None:
        raise OutputError(
            "a stored result vanished while the tables were written",
            where=str(store.folder),
            way_out="run the same command again",
        )
    return finished.tables


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OutputError("no results here", where=str(file), way_out="run it again") from error
