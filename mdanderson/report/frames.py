"""Rows of a result table as a pandas data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdanderson.report.cells import Cells
from mdanderson.report.columns import Column, Kind, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["data_frame"]


def data_frame(table: Table, rows: Sequence[Cells]) -> pd.DataFrame:
    """Rows as a data frame: numbers float64, counts Int64, flags boolean, dates datetime64, the rest text."""
    import pandas as pd

    columns = zip(*rows, strict=True) if rows else ((),) * len(table.columns)
    return pd.DataFrame(
        {column.name: _series(column, cells) for column, cells in zip(table.columns, columns, strict=True)}
    )


def _series(column: Column, cells: tuple[str, ...]) -> pd.Series:
    import pandas as pd

    match column.kind:
        case Kind.TEXT:
            return pd.Series(cells, dtype="str")
        case Kind.DATE:
            return pd.to_datetime(pd.Series([cell or None for cell in cells], dtype="object"), format="%Y-%m-%d")
        case Kind.FLAG:
            return pd.Series([cell == "true" if cell else None for cell in cells], dtype="boolean")
        case Kind.COUNT:
            return pd.Series([int(cell) if cell else None for cell in cells], dtype="Int64")
        case Kind.NUMBER:
            return pd.Series([float(cell) if cell else None for cell in cells], dtype="float64")
