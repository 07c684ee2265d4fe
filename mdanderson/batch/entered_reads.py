"""What reviews have left in a results folder: its reads.csv, which later runs on the folder read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mdanderson.readers.reads import READS_FILE
from mdanderson.readers.text_table import TextTable, read_text_table
from mdanderson.report.cells import unguarded

__all__ = ["as_given", "reviews_in"]


def reviews_in(results: Path) -> TextTable | None:
    """The statements as they were entered; None where there are none. Raises `ManifestError`."""
    path = results / READS_FILE
    return as_given(read_text_table(path)) if path.exists() else None


def as_given(table: TextTable) -> TextTable:
    """A table that was written with apostrophes before what a spreadsheet would run, without them."""
    rows = (
        replace(row, cells={name: unguarded(cell) if cell[:1] == "'" else cell for name, cell in row.cells.items()})
        for row in table
    )
    return replace(table, rows=tuple(rows))
