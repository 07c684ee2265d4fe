"""Rows of a result table as a data frame."""

from __future__ import annotations

import pandas as pd

from mdanderson.report.columns import Column, Kind, Table
from mdanderson.report.frames import data_frame

SAMPLE = Table(
    name="sample",
    sort_by=("word",),
    columns=tuple(Column(name=kind.value, meaning="", kind=kind, decimals=2) for kind in Kind),
)


def test_every_kind_has_its_type_and_an_empty_cell_is_missing():
    frame = data_frame(SAMPLE, [("a", "2024-01-05", "1.50", "3", "true"), ("", "", "", "", "")])
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (kinds["number"], kinds["count"], kinds["flag"]) == ("float64", "Int64", "boolean")
    assert pd.api.types.is_string_dtype(frame["text"])  # str since pandas 3, object before
    assert pd.api.types.is_datetime64_dtype(frame["date"])
    assert frame.loc[0].tolist() == ["a", pd.Timestamp("2024-01-05"), 1.5, 3, True]
    assert frame.loc[1, "text"] == ""
    assert frame.loc[1, ["date", "number", "count", "flag"]].isna().all()


def test_no_rows_keep_header_and_types():
    frame = data_frame(SAMPLE, [])
    assert list(frame.columns) == list(SAMPLE.column_names)
    assert str(frame["count"].dtype) == "Int64"
