"""From values to the text of a cell and to CSV: fixed decimals, nothing that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import SupportsFloat

from mdanderson.report.columns import Column, Kind, Table

__all__ = ["Cells", "render_cell", "render_row", "sorted_rows", "to_csv"]

Cells = tuple[str, ...]
"""One row as it is stored: the text of every cell, in the order of the table's columns."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_row(table: Table, values: Mapping[str, object]) -> Cells:
    """The row of a table; a column without a value stays empty. Raises `KeyError` for a value without a column."""
    strangers = values.keys() - set(table.column_names)
    if strangers:
        raise KeyError(f"{table.name} has no column {', '.join(sorted(strangers))}")
    return tuple(render_cell(column, values.get(column.name)) for column in table.columns)


def render_cell(column: Column, value: object) -> str:
    """The text of one cell; empty for None.

    Raises `ValueError` for a number that is not finite: an undefined value is None with a reason, never NaN.

    >>> render_cell(Column(name="size_mm", meaning="", kind=Kind.NUMBER, decimals=2), -0.001)
    '0.00'
    """
    if value is None:
        return ""
    match column.kind:
        case Kind.NUMBER:
            return _number(value, column)
        case Kind.COUNT:
            return str(operator.index(value))  # type: ignore[arg-type]  # it raises TypeError itself
        case Kind.FLAG:
            return "true" if value else "false"
        case Kind.DATE:
            return value.isoformat() if isinstance(value, dt.date) else str(value)
        case Kind.TEXT:
            return _text(value)


def sorted_rows(table: Table, rows: Iterable[Cells]) -> list[Cells]:
    """Rows in the order of the file: by the sort columns, then by every other cell, so that no tie is left."""
    keys = [table.column_names.index(name) for name in table.sort_by]
    return sorted(rows, key=lambda row: (tuple(row[key] for key in keys), row))


def to_csv(table: Table, rows: Iterable[Cells]) -> str:
    """The whole file: header and sorted rows, comma, LF; a text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in sorted_rows(table, rows):
        writer.writerow([_harmless(column, cell) for column, cell in zip(table.columns, row, strict=True)])
    return out.getvalue()


def _number(value: object, column: Column) -> str:
    if not isinstance(value, SupportsFloat):
        raise TypeError(f"{column.name} is {value!r}")
    number = value if isinstance(value, Decimal) else float(value)
    if not math.isfinite(number):
        raise ValueError(f"{column.name} is {number}")
    text = f"{number:.{column.decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _text(value: object) -> str:
    if isinstance(value, frozenset | set):
        return ";".join(sorted(map(str, value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ";".join(map(str, value))
    return " ".join(line for line in str(value).splitlines() if line)


def _harmless(column: Column, cell: str) -> str:
    return f"'{cell}" if column.kind is Kind.TEXT and cell.startswith(_FORMULA_STARTS) else cell
