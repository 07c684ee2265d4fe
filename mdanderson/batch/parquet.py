"""The result tables once more as Parquet: a file each, with types, as DuckDB and data frames read them."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdanderson.batch.cohort_tables import COHORT_TABLES
from mdanderson.batch.store import make_folder, remove, sweep
from mdanderson.errors import OutputError, SettingsError
from mdanderson.report.cells import from_csv
from mdanderson.report.columns import TABLES, Column, Kind, Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PARQUET_FOLDER", "check_parquet", "remove_parquet", "write_parquet"]

PARQUET_FOLDER = "parquet"
"""Inside a results folder."""

_ROWS_OF_A_GROUP = 50_000


def check_parquet() -> None:
    """Raise `SettingsError` where the library is missing, before a run and not after it."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise SettingsError("Parquet needs the extra `parquet`", way_out="pip install 'mdanderson[parquet]'") from error


def write_parquet(folder: Path) -> None:
    """Write every table of a results folder to its folder `parquet`, in the order of its rows. Raises `OutputError`.

    Numbers are float64, counts int64, flags boolean, dates date32, the rest text. An empty cell is null. What a column
    means and its unit stand in its metadata. A table need not fit into memory.
    """
    place = folder / PARQUET_FOLDER
    make_folder(place)
    sweep(place)
    for table in (*TABLES, *COHORT_TABLES):
        source, target = folder / table.file_name, _file(folder, table)
        if source.is_file():
            _write(table, source, target)
        else:
            remove(target)


def remove_parquet(folder: Path) -> None:
    """Remove what an earlier run wrote: it would say what is no longer so. Raises `OutputError`."""
    place = folder / PARQUET_FOLDER
    if not place.is_dir():
        return
    sweep(place)
    for table in (*TABLES, *COHORT_TABLES):
        remove(_file(folder, table))
    with contextlib.suppress(OSError):  # somebody else's file is in it
        place.rmdir()


def _file(folder: Path, table: Table) -> Path:
    return folder / PARQUET_FOLDER / f"{table.name}.parquet"


def _write(table: Table, source: Path, target: Path) -> None:
    """Write a file whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([_field(column) for column in table.columns], metadata={"table": table.name})
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for rows in _groups(table, source):
                columns = zip(*rows, strict=True)
                arrays = [
                    pa.array([_READ[column.kind](cell) if cell else None for cell in cells], type=field.type)
                    for column, cells, field in zip(table.columns, columns, schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        draft.replace(target)
    except OSError as error:
        raise OutputError(
            "results cannot be written",
            where=str(target),
            way_out=f"make room or choose another folder ({error.strerror or error})",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _groups(table: Table, source: Path) -> Iterator[Sequence[tuple[str, ...]]]:
    """The rows of a table, some at a time; a cell never holds the end of a line."""
    with source.open(encoding="utf-8", newline="") as file:
        header = file.readline()
        while lines := "".join(islice(file, _ROWS_OF_A_GROUP)):
            yield from_csv(table, header + lines)


def _field(column: Column) -> pa.Field[Any]:
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.DATE: pa.date32(),
        Kind.NUMBER: pa.float64(),
        Kind.COUNT: pa.int64(),
        Kind.FLAG: pa.bool_(),
    }
    return pa.field(column.name, types[column.kind], metadata={"meaning": column.meaning, "unit": column.unit})


_READ: dict[Kind, Callable[[str], object]] = {
    Kind.TEXT: str,
    Kind.DATE: dt.date.fromisoformat,
    Kind.NUMBER: float,
    Kind.COUNT: int,
    Kind.FLAG: "true".__eq__,
}
