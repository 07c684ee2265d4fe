"""What a run hands back: where the tables are, and the same tables as data frames."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.criteria import OVERALL
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, Column, Kind, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RESEARCH_USE", "Results"]

RESEARCH_USE = "Research use only, not a medical device."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Results:
    """The outcome of a batch.

    out: the results folder. rows: sorted rows by table name, as text. failed: patients without a response, and why.
    """

    out: Path
    rows: Mapping[str, tuple[Cells, ...]]
    scored: tuple[str, ...]
    failed: Mapping[str, str]

    @property
    def lesions(self) -> pd.DataFrame:
        """One row per lesion, visit and image."""
        return _frame(LESIONS, self.rows[LESIONS.name])

    @property
    def responses(self) -> pd.DataFrame:
        """One row per patient, visit, criteria and scope."""
        return _frame(RESPONSES, self.rows[RESPONSES.name])

    @property
    def patients(self) -> pd.DataFrame:
        """One row per patient and criteria."""
        return _frame(PATIENTS, self.rows[PATIENTS.name])

    @property
    def problems(self) -> pd.DataFrame:
        """One row per problem."""
        return _frame(PROBLEMS, self.rows[PROBLEMS.name])

    def overall(self) -> tuple[Mapping[str, str], ...]:
        """The overall responses as text, one mapping of column to cell per row."""
        named = (dict(zip(RESPONSES.column_names, row, strict=True)) for row in self.rows[RESPONSES.name])
        return tuple(row for row in named if row["scope"] == OVERALL)

    def _repr_html_(self) -> str:
        """The overall responses, as a notebook shows them."""
        columns = ("patient_id", "visit", "date", "criteria", "category", "reason")
        head = "".join(f"<th>{name}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(row[name])}</td>" for name in columns) + "</tr>"
            for row in self.overall()
        )
        failed = "".join(f"<li>{html.escape(patient)}: {html.escape(why)}</li>" for patient, why in self.failed.items())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            + (f"<p>Not scored:</p><ul>{failed}</ul>" if failed else "")
            + f"<p>{html.escape(str(self.out))}. {RESEARCH_USE}</p>"
        )


def _frame(table: Table, rows: tuple[Cells, ...]) -> pd.DataFrame:
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
