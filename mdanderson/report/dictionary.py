"""The output dictionary: every column of every result table on one page, written from the tables as they are written.

Columns come from the code (`make handbook` writes docs/output.md), so that no file can hold a column that the page does
not explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mdanderson.report.columns import Column, Table
from mdanderson.report.markdown import anchored, code, linked, section, table

__all__ = ["dictionary"]

_OPENING = """\
# Output dictionary

> Generated from the code that writes the tables (`make handbook`). A column's name, place and decimals are a
> promise: new columns go to the end. Research use only, not a medical device.

Every table is a CSV file in UTF-8 with one header line, sorted, with `.` as the decimal point. **An empty cell
means not applicable or not assessed, never zero**; `reason` says why. Lengths are in mm, densities in HU, changes
are fractions of 1 (-0.5 is half, 0.25 is a quarter more), places are in mm in the patient's own axes (LPS). A flag
is `true` or `false`. Lists in a cell are joined by `;`. A cell that a spreadsheet would run as a formula begins
with an apostrophe.

Two runs on the same input give the same tables to the byte, whatever the number of workers. With `--parquet` the
same tables stand in `parquet/` too, with types, and with the meaning and unit of every column. What the categories
and the codes in `rules` mean, row by row, is told by the [criteria](criteria.md)."""

_ABOUT: Mapping[str, str] = {
    "lesions": "One row per lesion, visit and image: what was measured, what the rules said of it, and why.",
    "responses": "One row per patient, visit, criteria set and scope: the answer. Scope is `overall` or a modality.",
    "patients": "One row per patient and criteria set: best response and times.",
    "problems": "One row per thing that went wrong, or that should be known: where it is, and what to do.",
    "summary": "One row per criteria set, for all patients and for each group: rates with exact intervals.",
    "agreement": "One row per criteria set, item and scope: how often two readers gave the same category.",
    "agreement_measurements": "One row per quantity that two readers measured: how far their numbers lie apart.",
    "adjudication": "One row per visit on which two readers disagree, the furthest apart first.",
}
"""Table -> what a row of it is."""

_BESIDE = """\
- `run.json`: what made the results: versions, every setting, the command, fingerprints of all inputs, seconds by
  patient. It alone holds times, and differs between two runs. `mdanderson verify OUT` reads it.
- `.patients/`: what is finished, by patient. A run that was stopped goes on from there; it may be deleted when
  nobody wants to."""


def dictionary(tables: Iterable[Table]) -> str:
    """The whole page in Markdown, for the tables in this order."""
    tables = tuple(tables)
    contents = "\n".join(f"- {linked(code(one.file_name), one.name)}: {_ABOUT[one.name]}" for one in tables)
    beside = section("What else is in the folder", _BESIDE)
    return "\n\n".join([_OPENING, section("Tables", contents), *map(_table, tables), beside]) + "\n"


def _table(one: Table) -> str:
    """A table by its columns. A row's order is told, as whoever joins two files asks for it."""
    order = f"Sorted by {', '.join(map(code, one.sort_by))}." if one.sort_by else ""
    rows = (_row(one, column) for column in one.columns)
    columns = table(("column", "holds", "unit", "decimals", "meaning"), rows)
    return section(code(one.file_name), _ABOUT[one.name], order, columns, anchor=one.name)


def _row(one: Table, column: Column) -> tuple[str, ...]:
    decimals = str(column.decimals) if column.kind == "number" else ""
    name = anchored(code(column.name), f"{one.name}.{column.name}")
    return (name, column.kind, column.unit, decimals, column.meaning)
