"""Rows of the result tables as this room reads and writes them: cells as text in, values by column out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from mdanderson.errors import InputError
from mdanderson.report.cells import Cells, render_row
from mdanderson.report.columns import Table
from mdanderson.vocabulary import Category

__all__ = [
    "Key",
    "TextRow",
    "Values",
    "category_in",
    "cell",
    "cells_of",
    "days_in",
    "index_rows",
    "number_in",
    "ordered",
]

TextRow = Mapping[str, str]
"""A row of a result table: the text of its cells by column."""

Values = Mapping[str, object]
"""A row to be written: values by column, None for an empty cell."""

Key = tuple[str, ...]


def cell(row: TextRow, column: str) -> str:
    """The text of a cell. Raises `InputError` where the table has no such column."""
    try:
        return row[column]
    except KeyError:
        raise InputError(
            f"no column {column}", where=_place(row), way_out="give rows as a results folder's tables have them"
        ) from None


def category_in(row: TextRow, column: str = "category") -> Category:
    """The category in a cell. Raises `InputError` for any other word."""
    text = cell(row, column)
    try:
        return Category(text)
    except ValueError:
        known = ", ".join(Category)
        raise InputError(f"{column} is {text!r}", where=_place(row), way_out=f"write one of {known}") from None


def number_in(row: TextRow, column: str) -> Fraction | None:
    """The number in a cell, None for an empty one. Raises `InputError` for text, NaN and infinities."""
    text = cell(row, column)
    if not text:
        return None
    try:
        return Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        way_out = "write a number, or leave the cell empty"
        raise InputError(f"{column} is {text!r}", where=_place(row), way_out=way_out) from None


def days_in(row: TextRow, column: str) -> int | None:
    """The whole number of days in a cell, None for an empty one. Raises `InputError` for anything else."""
    number = number_in(row, column)
    if number is None:
        return None
    if number.denominator != 1 or number < 0:
        raise InputError(f"{column} is {row[column]!r}", where=_place(row), way_out="write whole days, 0 or more")
    return int(number)


def index_rows(rows: Iterable[TextRow], columns: Sequence[str], *, table: str) -> dict[Key, TextRow]:
    """Rows by the text of their key columns. Raises `InputError` for two rows with one key."""
    found: dict[Key, TextRow] = {}
    for row in rows:
        key = tuple(cell(row, column) for column in columns)
        if key in found:
            told = ", ".join(f"{column} {text}" for column, text in zip(columns, key, strict=True) if text)
            raise InputError(f"{table} has two rows for {told}", where=_place(row), way_out="keep one of them")
        found[key] = row
    return found


def ordered(table: Table, rows: Iterable[Values]) -> tuple[Values, ...]:
    """Rows in the order in which `to_csv` writes them."""
    keys = [table.column_names.index(name) for name in table.sort_by]

    def place(row: Values) -> tuple[Cells, Cells]:
        cells = render_row(table, row)
        return tuple(cells[key] for key in keys), cells

    return tuple(sorted(rows, key=place))


def cells_of(table: Table, rows: Iterable[Values]) -> tuple[Cells, ...]:
    """Rows as text, ready for `to_csv`."""
    return tuple(render_row(table, row) for row in rows)


def _place(row: TextRow) -> str:
    named = (("patient", row.get("patient_id")), ("date", row.get("date")), ("criteria", row.get("criteria")))
    return ", ".join(f"{name} {text}" for name, text in named if text)
