"""Tables as their authors and their programs leave them: noise of floats, lines for Excel, stray quotation marks."""

from __future__ import annotations

import csv
import datetime as dt
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mdanderson.errors import ManifestError
from mdanderson.readers.text_table import read_text_table, text_table

NUMBERS = [
    (12.499999999999998, "12.5"),
    (0.1 + 0.2, "0.3"),
    (7.0, "7"),
    (1234.5678, "1234.5678"),
    (0.00001, "0.00001"),
    (1e-7, "0.0000001"),
    (float("nan"), ""),
    (float("inf"), "inf"),
    (-0.5, "-0.5"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_floats_of_a_frame(value, text):
    frame = pd.DataFrame({"a": ["x"], "size": [value]})
    assert text_table(frame).rows[0]["size"] == text
    assert text_table(frame.astype({"size": object})).rows[0]["size"] == text


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_floats_of_parquet_read_as_those_of_a_frame(tmp_path, value, text):
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": ["x"], "size": pa.array([value], from_pandas=False), "day": [dt.date(2024, 1, 2)]})
    parquet.write_table(table, tmp_path / "t.parquet")
    row = read_text_table(tmp_path / "t.parquet").rows[0]
    assert (row["size"], row["day"]) == (text, "2024-01-02")


def test_floats_of_numpy_among_blanks():
    frame = pd.DataFrame([{"a": "x", "size": np.float64(12.3)}, {"a": "y", "size": ""}])
    assert [row["size"] for row in text_table(frame)] == ["12.3", ""]


def test_short_floats_are_what_was_meant():
    frame = pd.DataFrame({"a": ["x", "y"], "size": np.array([12.3, np.nan], dtype=np.float32)})
    assert [row["size"] for row in text_table(frame)] == ["12.3", ""]


@pytest.mark.parametrize(("source", "kind"), [(None, "NoneType"), ([1], "list"), ({"a": 1}, "dict"), (3, "int")])
def test_what_is_no_table(source, kind):
    with pytest.raises(ManifestError) as caught:
        text_table(source, name="measurements")
    assert str(caught.value) == (f"not a table: {kind} @ measurements; give a pandas DataFrame, or the path of a file")


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\na;b\n1;2,5\n",
        "SEP=;\r\na;b\r\n1;2,5\r\n",
        '"sep=;"\na;b\n1;2,5\n',
        "sep=|\na|b\n1|2,5\n",
        "sep=\na;b\n1;2,5\n",
    ],
)
def test_the_separator_line_of_excel(write, text):
    table = read_text_table(write(text))
    assert table.columns == ("a", "b")
    assert [(row.number, row["b"]) for row in table] == [(2, "2,5")]


def test_a_column_that_is_called_sep(write):
    assert read_text_table(write("sep,b\n1,2\n")).columns == ("sep", "b")


@pytest.mark.parametrize(
    ("text", "what", "row"),
    [
        ('a,b\n1,2\n3,"open\n5,6\n', "unexpected end of data", 3),
        ('a,b\n1,2\n3,"5" long"\n5,6\n', "',' expected after '\"'", 3),
        (f"a,b\n1,2\n3,4\n5,{'x' * 1_000_001}\n", "field larger than field limit (1000000)", 4),
    ],
)
def test_a_cell_that_cannot_be_told_from_the_next_names_its_row(write, text, what, row):
    with pytest.raises(ManifestError) as caught:
        read_text_table(write(text))
    assert str(caught.value) == (
        f"not a table: {what} @ t.csv row {row}; look for a stray quotation mark there; inside a quoted cell write it "
        'twice, as in "5"" long"'
    )


@pytest.mark.parametrize(("column", "longest"), [("remark", 32_767), ("patient_id", 255), ("visit", 255)])
def test_a_cell_is_as_long_as_somebody_may_have_typed_it(write, column, longest):
    before = csv.field_size_limit()
    for length in (longest - 1, longest):
        assert len(read_text_table(write(f"a,{column}\n1,{'x' * length}\n")).rows[0][column]) == length
    with pytest.raises(ManifestError) as caught:
        read_text_table(write(f"a,{column}\n1,2\n1,{'x' * (longest + 1)}\n"))
    assert str(caught.value) == (
        f"a cell of {longest + 1} characters, more than {longest} @ t.csv row 3 column {column}; "
        "look for a stray quotation mark there, or shorten it"
    )
    assert csv.field_size_limit() == before


def test_a_frame_and_a_cell_without_column_are_bounded_too(write):
    with pytest.raises(ManifestError, match=r"32768 characters, more than 32767 @ t\.csv row 2; look"):
        read_text_table(write(f"a,b\n1,2,{'x' * 32_768}\n"))
    with pytest.raises(ManifestError, match="more than 255 @ table row 2 column reader"):
        text_table(pd.DataFrame({"reader": ["x" * 256]}))


def test_a_table_arrives_in_another_process_as_it_was_sent(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("patient_id,,size,site\nP1,,12,L3\nP2,,7\n\nP3,,8,T1,more\n")
    table = read_text_table(path)
    assert pickle.loads(pickle.dumps(table)) == table
    assert [row.surplus for row in table] == [(), (), ("more",)]


@pytest.mark.parametrize("typed", ["A\u202eB", "A\x1bB", "A \u2066 B", "\u202eA B"])
def test_a_name_is_read_as_results_write_it(tmp_path, typed):
    """Else what is stored under the one is looked for under the other."""
    (tmp_path / "cohort.csv").write_text(f"patient_id,note\n{typed},{typed}\n", encoding="utf-8")
    (row,) = read_text_table(tmp_path / "cohort.csv")
    assert (row["patient_id"], row["note"]) == ("A B", typed)
