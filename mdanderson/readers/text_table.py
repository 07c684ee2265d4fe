"""A table as its author typed it: every cell is text, and every row knows its number, so that a fault can be named.

CSV (comma, semicolon or tab) and TSV in UTF-8 with or without byte order mark, and Parquet with the extra `parquet`.
Nothing is guessed from a cell: a patient called `NA` or `007` stays so.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from math import isinf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdanderson.errors import ManifestError, Problem, printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Row", "TextTable", "delimiter_of", "may_be_report", "nearest", "read_text_table", "text_table"]

_DELIMITERS = ",;\t"
_LARGEST_TABLE = 2**30
"""Bytes; its rows would take more than ten times as much."""
_MOST_COLUMNS = 16_384
"""As many as a spreadsheet has."""
_MOST_CELLS = 10**9
_LONGEST_FIELD = 1_000_000
"""Characters that are read of a cell: an end to what a quotation mark that is never closed swallows."""
_LONGEST_CELL = 32_767
"""Characters of a cell: as many as one of a spreadsheet holds, room for any report. More are rows swallowed."""
_LONGEST_NAME = 255
"""Characters of a name, which a file's name may have, too; DICOM's longest identifier has 64."""
_NAMES = frozenset({"patient_id", "visit", "series", "lesion_id", "label", "reader"})
"""The columns, of all tables, whose cells are names: keys of the results, and part of every line about them."""
_DECIMALS = 9
"""Beyond which a float is noise of arithmetic: a nanometre's thousandth for a size in mm."""
_SHORT_FLOATS = {"float16", "float32", "Float32"}
_SEPARATOR_LINE = re.compile(r"\"?sep=(?P<delimiter>[^\r\n\"]?)\"?\r?\n", re.IGNORECASE)
"""By which Excel names the delimiter, in a line of its own before the header."""
_MAGIC = {b"PK\x03\x04": "an Excel or zip file", b"\xd0\xcf\x11\xe0": "an old Excel file", b"PAR1": "a Parquet file"}


@dataclass(kw_only=True, slots=True)
class Row:
    """One row. number: as a spreadsheet counts, the header being row 1. surplus: cells beyond the last column.

    cells: by column, in the order of the table's columns; the last of them may be absent.
    """

    number: int
    cells: Mapping[str, str]
    surplus: tuple[str, ...] = ()

    def __getitem__(self, column: str) -> str:
        """The stripped text of a cell, blank where the column is absent."""
        return self.cells.get(column, "")

    def others(self, known: Collection[str]) -> tuple[tuple[str, str], ...]:
        """The cells of the columns that are not `known`, with their names."""
        return tuple((name, text) for name, text in self.cells.items() if name not in known)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTable:
    """The rows of a file under its header; wholly blank rows are left out. No row at all is allowed.

    told: what is to be said of a table that was made of other files.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(default=())
    told: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes the names of the columns travel once, not with every row."""
        packed = [(row.number, tuple(row.cells.values()), row.surplus) for row in self.rows]
        return _unpacked, (self.path, self.columns, packed, self.told)

    def place(self, row: Row, column: str = "") -> str:
        """Where a cell is: `cohort.csv row 3 column date`."""
        return f"{self.path.name} row {row.number}" + (f" column {column}" if column else "")

    def require(self, columns: Sequence[str], *, optional: Collection[str] = ()) -> None:
        """Raise `ManifestError` for the first of `columns` that is absent, naming the column that may stand for it."""
        for column in columns:
            if column in self.columns:
                continue
            strangers = [name for name in self.columns if name not in columns and name not in optional]
            twin = nearest(column, strangers)
            way_out = (
                f"rename the column {twin!r} to {column}" if twin else f"add it; columns are {_listed(self.columns)}"
            )
            raise ManifestError(f"no column {column}", where=f"{self.path.name} row 1", way_out=way_out)


def nearest(word: str, known: Collection[str]) -> str:
    """The known spelling most like `word` regardless of case, blanks and dashes; blank when none is alike.

    >>> nearest("PatientID", ["patient_id", "image"])
    'patient_id'
    """
    folded = {_folded(name): name for name in known}
    found = difflib.get_close_matches(_folded(word), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else ""


def may_be_report(path: Path) -> bool:
    """Whether it is no table but may hold DICOM reports: a folder, or a file that begins as DICOM files do."""
    try:
        if path.is_dir():
            return True
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_text_table(path: Path) -> TextTable:
    """The table in a file, format by suffix (`.parquet`, `.tsv`, anything else is CSV).

    Raises `ManifestError` for a file that cannot be read as such a table or whose header is blank or ambiguous.
    """
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _from_parquet(path)
    return _from_text(path)


def _from_text(path: Path) -> TextTable:
    text = _decoded(path)
    named = _SEPARATOR_LINE.match(text)
    return _table(path, _lines(path, text[named.end() :] if named else text, delimiter_of(path, text)))


def delimiter_of(path: Path, text: str) -> str:
    """What stands between the cells of a file: as its first line names it, else as its name or its header tells."""
    named = _SEPARATOR_LINE.match(text)
    if named and named["delimiter"]:
        return named["delimiter"]
    header, _, _ = (text[named.end() :] if named else text).partition("\n")
    return "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=header.count)


def _lines(path: Path, text: str, delimiter: str) -> list[list[str]]:
    """The cells of every row. Raises `ManifestError` naming the row that cannot be told apart from the next."""
    lines: list[list[str]] = []
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        lines.extend(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ManifestError(
            f"not a table: {error}",
            where=f"{path.name} row {len(lines) + 1}",
            way_out='look for a stray quotation mark there; inside a quoted cell write it twice, as in "5"" long"',
        ) from error
    finally:
        csv.field_size_limit(limit)
    return lines


def _decoded(path: Path) -> str:
    raw = _bytes(path)
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            raise ManifestError(f"{kind}, not text", where=path.name, way_out="save it as CSV UTF-8, or as .parquet")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            "not UTF-8 text", where=f"{path.name} line {line}", way_out="save it as CSV UTF-8"
        ) from error
    if "\0" in text:
        raise ManifestError("not a text file", where=path.name, way_out="save it as CSV UTF-8")
    return text


def _bytes(path: Path) -> bytes:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ManifestError("not a file", where=str(path), way_out="name a table (CSV, TSV or Parquet)")
        if path.stat().st_size > _LARGEST_TABLE:
            raise ManifestError("more than a gigabyte", where=str(path), way_out="split it by patients")
        return path.read_bytes()
    except OSError as error:
        raise ManifestError(
            "the table cannot be read", where=str(path), way_out=f"check the path ({error.strerror})"
        ) from error


def _from_parquet(path: Path) -> TextTable:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ManifestError(
            "Parquet needs the package pyarrow",
            where=path.name,
            way_out="pip install 'mdanderson[parquet]', or use CSV",
        ) from error
    try:
        file = parquet.ParquetFile(io.BytesIO(_bytes(path)))
        if file.metadata.num_rows * file.metadata.num_columns > _MOST_CELLS:
            raise ManifestError("more cells than the memory holds", where=path.name, way_out="split it by patients")
        table = file.read()
        lines = [table.column_names, *([_as_text(cell) for cell in row] for row in zip(*_columns(table), strict=True))]
    except (pa.ArrowException, ValueError, OSError, MemoryError) as error:
        raise ManifestError("not a Parquet file", where=path.name, way_out="write it again, or use CSV") from error
    return _table(path, lines)


def _columns(table: Any) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]


def _as_text(cell: Any) -> str:
    missing = cell is None or (isinstance(cell, float) and isnan(cell))
    return "" if missing else _written(cell)


def _table(path: Path, lines: Sequence[Sequence[str]]) -> TextTable:
    if not lines or not any(name.strip() for name in lines[0]):
        raise ManifestError("no header", where=f"{path.name} row 1", way_out="the first row names the columns")
    if len(lines[0]) > _MOST_COLUMNS:
        what = f"{len(lines[0])} columns"
        raise ManifestError(
            what, where=f"{path.name} row 1", way_out=f"keep those that are used, {_MOST_COLUMNS} at most"
        )
    columns = tuple(_heading(column, lines) for column in range(len(lines[0])))
    named = [name for name in columns if name]
    twice = sorted(name for name, count in Counter(named).items() if count > 1)
    if twice:
        raise ManifestError(f"column {twice[0]} appears twice", where=f"{path.name} row 1", way_out="keep one of them")
    _check_lengths(path, columns, lines)
    rows = (_row(number, columns, line) for number, line in enumerate(lines[1:], start=2) if any(map(str.strip, line)))
    return TextTable(path=path, columns=tuple(named), rows=tuple(rows))


def _check_lengths(path: Path, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Refuse a table with a cell that nobody typed: the rows that it swallowed are patients who would be missing."""
    for number, line in enumerate(lines[1:], start=2):
        if max(map(len, line), default=0) <= _LONGEST_NAME:
            continue
        for name, cell in zip_longest(columns, line, fillvalue=""):
            longest = _LONGEST_NAME if name in _NAMES else _LONGEST_CELL
            if len(cell) > longest:
                raise ManifestError(
                    f"a cell of {len(cell)} characters, more than {longest}",
                    where=f"{path.name} row {number}" + (f" column {name}" if name else ""),
                    way_out="look for a stray quotation mark there, or shorten it",
                )


def text_table(source: str | Path | pd.DataFrame | TextTable, *, name: str = "table") -> TextTable:
    """The table in a file, or in a data frame, which problems call `name`; one that is read stays as it is.

    Rows of a frame are numbered as if it had been written to a file: the first one is row 2. Missing values are blank,
    whole floats read as integers (an identity 7.0 is 7), floats to 9 decimals (12.499999999999998 is 12.5), days as ISO
    8601. Raises `ManifestError`.
    """
    if isinstance(source, TextTable):
        return source
    if isinstance(source, str | Path):
        return read_text_table(Path(source))
    if not hasattr(source, "iloc"):
        way_out = "give a pandas DataFrame, or the path of a file"
        raise ManifestError(f"not a table: {type(source).__name__}", where=name, way_out=way_out)
    columns = [_texts(source.iloc[:, position]) for position in range(source.shape[1])]
    return _table(Path(name), [[str(column) for column in source.columns], *zip(*columns, strict=True)])


def _texts(column: pd.Series[Any]) -> list[str]:
    if str(column.dtype) in _SHORT_FLOATS:  # 12.3 as it was meant, not as 64 bits would tell it
        column = column.astype(str).astype(float)
    known = column.notna().tolist()
    return [_written(value) if is_known else "" for value, is_known in zip(column.tolist(), known, strict=True)]


def _written(value: Any) -> str:
    if not isinstance(value, float) or isinf(value):
        return str(value)
    value = round(float(value), _DECIMALS)  # numpy's own in a column of objects
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _heading(column: int, lines: Sequence[Sequence[str]]) -> str:
    """The name of a column; one without a name is numbered, or left out (blank) where it is empty throughout."""
    name = lines[0][column].strip()
    if name or not any(line[column].strip() for line in lines if column < len(line)):
        return name
    return f"(column {column + 1})"


def _row(number: int, columns: tuple[str, ...], line: Sequence[str]) -> Row:
    cells = dict(zip(columns, map(str.strip, line), strict=False))
    cells.pop("", None)
    for name in _NAMES & cells.keys():  # as results write them, which are found again by these names
        if not cells[name].isprintable():
            cells[name] = " ".join(printable(cells[name]).split())
    surplus = line[len(columns) :]
    return Row(number=number, cells=cells, surplus=tuple(filter(None, map(str.strip, surplus))) if surplus else ())


def _unpacked(
    path: Path,
    columns: tuple[str, ...],
    packed: Sequence[tuple[int, Sequence[str], tuple[str, ...]]],
    told: tuple[Problem, ...],
) -> TextTable:
    """The table that was sent to another process."""
    rows = [
        Row(number=number, cells=dict(zip(columns, cells, strict=False)), surplus=surplus)
        for number, cells, surplus in packed
    ]
    return TextTable(path=path, columns=columns, rows=tuple(rows), told=told)


def _folded(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
