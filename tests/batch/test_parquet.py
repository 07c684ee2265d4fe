"""The tables as Parquet: the same rows with types, read by DuckDB and pandas, whole or not there."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pandas as pd
import pytest
from batch import sample

from mdanderson.batch import classify
from mdanderson.batch.parquet import PARQUET_FOLDER
from mdanderson.cli import main
from mdanderson.errors import OutputError, SettingsError
from mdanderson.report.columns import LESIONS, TABLES

duckdb = pytest.importorskip("duckdb")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def out(cohort: Path, tmp_path: Path) -> Path:
    manifest = cohort.read_text().replace("P01", "=1+1")  # a name that a spreadsheet would run
    cohort.write_text(manifest)
    sample.run(cohort, tmp_path / "out", parquet=True)
    return tmp_path / "out"


def test_duckdb_reads_it(out: Path) -> None:
    query = f"""
        SELECT r.patient_id, r.date::VARCHAR, r.category, l.size_mm, r.lesions_assessed, r.flare, l.suv_max
        FROM '{out}/parquet/responses.parquet' r JOIN '{out}/parquet/lesions.parquet' l USING (patient_id, date)
        WHERE r.scope = 'overall' ORDER BY 1, 2 LIMIT 2
    """
    assert duckdb.sql(query).fetchall() == [
        ("=1+1", "2024-01-05", "BL", 22.0, 1, False, None),
        ("=1+1", "2024-04-02", "PR", 11.0, 1, False, None),
    ]
    everything = duckdb.sql(f"SELECT count(*) FROM '{out}/parquet/*.parquet'", connection=duckdb.connect())
    assert everything.fetchall()[0][0] > 0


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_it_holds_what_the_csv_holds(out: Path, table: object, cohort: Path) -> None:
    """Cell by cell, by way of the data frames that `score` returns."""
    results = sample.run(cohort, out, parquet=True)
    frame, expected = pd.read_parquet(out / "parquet" / f"{table.name}.parquet"), getattr(results, table.name)
    assert list(frame.columns) == list(expected.columns)
    for name in frame.columns:
        ours, theirs = frame[name].tolist(), expected[name].tolist()
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            if pd.isna(one):
                assert pd.isna(other) or other == ""
            else:
                assert one == (other.date() if isinstance(other, pd.Timestamp) else other)


def test_columns_carry_meaning_and_unit(out: Path) -> None:
    schema = pq.read_schema(out / "parquet" / "lesions.parquet")
    size = schema.field("size_mm")
    assert size.metadata == {b"meaning": b"long + short axis: the size of the MD Anderson criteria", b"unit": b"mm"}
    kinds = {name: str(schema.field(name).type) for name in ("patient_id", "date", "size_mm", "slice", "measurable")}
    assert kinds == {
        "patient_id": "string",
        "date": "date32[day]",
        "size_mm": "double",
        "slice": "int64",
        "measurable": "bool",
    }
    assert schema.names == list(LESIONS.column_names)


def test_large_tables_are_written_in_pieces(out: Path, monkeypatch: pytest.MonkeyPatch, cohort: Path) -> None:
    before = pq.read_table(out / "parquet" / "lesions.parquet")
    monkeypatch.setattr("mdanderson.batch.parquet._ROWS_OF_A_GROUP", 3)
    sample.run(cohort, out, parquet=True)
    assert pq.ParquetFile(out / "parquet" / "lesions.parquet").num_row_groups == 3
    assert pq.read_table(out / "parquet" / "lesions.parquet").equals(before)


def test_the_same_bytes_every_time(out: Path, cohort: Path, tmp_path: Path) -> None:
    sample.run(cohort, tmp_path / "twin", parquet=True)
    for file in (out / "parquet").iterdir():
        assert file.read_bytes() == (tmp_path / "twin" / "parquet" / file.name).read_bytes()


def test_a_run_without_it_leaves_none_that_is_outdated(out: Path, cohort: Path) -> None:
    (out / "parquet" / ".lesions.parquet.77.tmp").touch()
    sample.run(cohort, out)
    assert not (out / "parquet").exists()
    sample.run(cohort, out, parquet=True)
    (out / "parquet" / "mine.txt").touch()
    sample.run(cohort, out)
    assert [path.name for path in (out / "parquet").iterdir()] == ["mine.txt"]


def contents(out: Path) -> dict[str, bytes]:
    """Of all that a run leaves, but what it keeps of each patient."""
    files = [*out.glob("*.csv"), *out.glob("parquet/*"), out / "run.json"]
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def test_a_full_disk(out: Path, cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(out)
    (cohort.parent / "p2_0.nii").write_bytes(b"longer")  # so that its tables are no longer those in there

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(
            OutputError, match=r"results cannot be written @ .*lesions.parquet; make room .*No space left"
        ):
            sample.run(cohort, out, parquet=True)
    assert contents(out) == before, "the old results are whole"
    assert not list(out.rglob("*.tmp"))


def test_without_the_extra(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(SettingsError, match=r"Parquet needs the extra `parquet`; pip install 'mdanderson\[parquet\]'"):
        sample.run(cohort, tmp_path / "out", parquet=True)
    assert not (tmp_path / "out").exists()


def test_of_a_readers_table(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = tmp_path / "data" / "m.csv"
    table.write_text(
        "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\nP1,2024-01-05,CT,L1,30,20\nP1,2024-04-02,CT,L1,9,6\n"
    )
    assert main(["classify", str(table), "-o", str(tmp_path / "out"), "-q", "--parquet"]) == 0
    frame = pd.read_parquet(tmp_path / "out" / PARQUET_FOLDER / "responses.parquet")
    assert frame["category"].tolist()[-1] == "PR"
    assert not (tmp_path / "out" / "parquet" / "lesions.parquet").exists()
    classify(table, tmp_path / "out", workers=1)
    assert not (tmp_path / "out" / "parquet").exists()
