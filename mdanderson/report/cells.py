"""From values to the text of a cell and to CSV: fixed decimals, nothing that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import SupportsFloat

from mdanderson.errors import printable
from mdanderson.report.columns import Column, Kind, Table

__all__ = [
    "Cells",
    "from_csv",
    "guarded",
    "render_cell",
    "render_row",
    "render_rows",
    "sorted_rows",
    "to_csv",
    "to_csv_lines",
    "unguarded",
]

Cells = tuple[str, ...]
"""One row as it is stored: the text of every cell, in the order of the table's columns."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, in the wide letters of East Asia too."""
_QUOTE = "'"
_NOTHING = ""


def render_row(table: Table, values: Mapping[str, object]) -> Cells:
    """The row of a table; a column without a value stays empty. Raises `KeyError` for a value without a column."""
    renderers = _renderers(table)
    if not values.keys() <= renderers.keys():
        strangers = values.keys() - renderers.keys()
        raise KeyError(f"{table.name} has no column {', '.join(sorted(strangers))}")
    return tuple(
        [
            "" if value is None or value is _NOTHING else render(value)
            for value, render in zip(map(values.get, renderers), renderers.values(), strict=True)
        ]
    )


def render_rows(table: Table, rows: Sequence[Sequence[object]]) -> list[Cells]:
    """Rows of a table whose values come in the order of its columns, as many as there are.

    They are written column by column: most cells of a patient are the very thing that the cell above is.
    """
    if not rows:
        return []
    columns = zip(*rows, strict=True)
    texts = [_column(values, render) for values, render in zip(columns, _renderers(table).values(), strict=True)]
    return list(zip(*texts, strict=True))


def _column(values: Iterable[object], render: _Render) -> list[str]:
    texts: list[str] = []
    above: object = None
    text = ""
    for value in values:
        if value is not above:
            above, text = value, "" if value is None or value is _NOTHING else render(value)
        texts.append(text)
    return texts


def render_cell(column: Column, value: object) -> str:
    """The text of one cell; empty for None.

    Raises `ValueError` for a number that is not finite: an undefined value is None with a reason, never NaN.

    >>> render_cell(Column(name="size_mm", meaning="", kind=Kind.NUMBER, decimals=2), -0.001)
    '0.00'
    """
    return "" if value is None else _renderer(column)(value)


def sorted_rows(table: Table, rows: Iterable[Cells]) -> list[Cells]:
    """Rows in the order of the file: by the sort columns, then by every other cell, so that no tie is left."""
    leading = _leading(table)
    return sorted(rows, key=lambda row: (leading(row), row))


def to_csv(table: Table, rows: Iterable[Cells]) -> str:
    """The whole file: header and sorted rows, comma, LF; a text that a spreadsheet would run gets an apostrophe."""
    return _lines([table.column_names]) + to_csv_lines(table, rows)


def to_csv_lines(table: Table, rows: Iterable[Cells]) -> str:
    """The file without its header: where the first sort column tells files apart, their lines make one file."""
    texts = [index for index, column in enumerate(table.columns) if column.kind is Kind.TEXT]
    return _lines(_harmless(row, texts) for row in sorted_rows(table, rows))


def from_csv(table: Table, text: str) -> list[Cells]:
    """The rows of a file that `to_csv` wrote, as they were; a column that the file lacks is empty, others are left out.

    Raises `csv.Error` for a text that is no CSV.
    """
    limit = csv.field_size_limit()
    csv.field_size_limit(max(len(text), limit))  # however long what was joined into one cell
    try:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        places = {name: index for index, name in enumerate(next(lines, ()))}
        kept = [(places.get(column.name, -1), column.kind is Kind.TEXT) for column in table.columns]
        return [tuple([_cell_of(line, index, is_text) for index, is_text in kept]) for line in lines]
    finally:
        csv.field_size_limit(limit)


def guarded(cell: str) -> str:
    """A text with an apostrophe before it where a spreadsheet would run it.

    >>> guarded("=1+1"), guarded("12 mm")
    ("'=1+1", '12 mm')
    """
    return _QUOTE + cell if cell and cell[0] in _SUSPICIOUS and _would_run(cell) else cell


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith(_QUOTE) and _would_run(cell) else cell


def _cell_of(line: Sequence[str], index: int, is_text: bool) -> str:
    """A cell as it was before it was made harmless; empty where the line has none."""
    cell = line[index] if 0 <= index < len(line) else ""
    return unguarded(cell) if is_text else cell


def _lines(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _harmless(row: Cells, texts: Sequence[int]) -> Sequence[str]:
    """The row with an apostrophe before every text that a spreadsheet would run."""
    guilty = [index for index in texts if row[index] and row[index][0] in _SUSPICIOUS and _would_run(row[index])]
    if not guilty:
        return row
    cells = list(row)
    for index in guilty:
        cells[index] = _QUOTE + cells[index]
    return cells


_MARGIN = f"{_QUOTE} \u00a0"
"""What may stand before a formula: blanks, which some programs take off, and apostrophes."""
_SUSPICIOUS = frozenset((*_FORMULA_STARTS, *_MARGIN))


def _would_run(cell: str) -> bool:
    """Whether it is a formula, before its apostrophes too: so that one is added and taken off again by one rule."""
    return cell.lstrip(_MARGIN).startswith(_FORMULA_STARTS)


@functools.cache
def _leading(table: Table) -> Callable[[Cells], Sequence[str]]:
    """The sort columns of a row."""
    first, *others = (table.column_names.index(name) for name in table.sort_by)
    return operator.itemgetter(first, *others) if others else lambda row: row[first : first + 1]


_Render = Callable[[object], str]


@functools.cache
def _renderers(table: Table) -> dict[str, _Render]:
    """What writes the cells of each column, in their order: chosen once, as a table has many rows."""
    return {column.name: _renderer(column) for column in table.columns}


def _renderer(column: Column) -> _Render:
    match column.kind:
        case Kind.NUMBER:
            return functools.partial(_number, column.name, f".{column.decimals}f")
        case Kind.COUNT:
            return _count
        case Kind.FLAG:
            return _flag
        case Kind.DATE:
            return _date
        case Kind.TEXT:
            return _text


_AS_IT_IS = (float, Decimal, int)


def _number(name: str, form: str, value: object) -> str:
    number: float | Decimal
    if type(value) is Fraction:
        numerator, denominator = value.as_integer_ratio()
        number = numerator / denominator
    elif isinstance(value, _AS_IT_IS):
        number = value
    elif isinstance(value, SupportsFloat):
        number = float(value)
    else:
        raise TypeError(f"{name} is {value!r}")
    text = format(number, form)
    if not text[-1].isdigit():
        raise ValueError(f"{name} is {number}")
    return text[1:] if text[0] == "-" and not text.strip("-0.") else text


def _count(value: object) -> str:
    return str(operator.index(value))  # type: ignore[arg-type]  # it raises TypeError itself


def _flag(value: object) -> str:
    return "true" if value else "false"


def _date(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        text = str(value)
    elif isinstance(value, frozenset | set):
        text = ";".join(sorted(map(str, value)))
    elif isinstance(value, Sequence):
        text = ";".join(map(str, value))
    else:
        text = str(value)
    return text if text.isprintable() else printable(" ".join(line for line in text.splitlines() if line))
