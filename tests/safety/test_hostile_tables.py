"""Tables at fault: one line and an end, or a row's problem; and no cell of an output that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path

import pytest

from mdanderson.cli import main
from mdanderson.errors import printable
from mdanderson.report.cells import from_csv, render_cell, to_csv
from mdanderson.report.columns import TABLES, Column, Kind

ROW = "good,good.nii.gz,good_mask.nii.gz,2024-01-05,CT"
HEAD = "patient_id,image,mask,date,modality"
BAD_TABLES = {
    "NUL bytes": (HEAD + "\n" + ROW + "\0\n").encode(),
    "a million columns": ("patient_id,image," + ",".join(map(str, range(10**6))) + "\n" + ROW + "\n").encode(),
    "a cell of 100 MB": (HEAD + "\n" + ROW + ',"').encode() + b"x" * 10**8 + b'"\n',
    "Latin-1": (HEAD + "\n" + ROW.replace("good,", "Schädel,") + "\n").encode("latin-1"),
    "UTF-16": (HEAD + "\n" + ROW + "\n").encode("utf-16"),
    "no byte": b"",
    "a zip file": b"PK\x03\x04" + bytes(100),
    "a cell of 150 kB": (HEAD + ",remark\n" + ROW + ",").encode() + b"x" * 150_000,
    "a patient of 200 kB": (HEAD + "\n").encode() + b"P" * 200_000 + ROW.encode()[4:],
    "an open quotation mark": (HEAD + "\n" + '"' + ROW + "\n").encode(),
}


@pytest.mark.parametrize("fault", BAD_TABLES)
@pytest.mark.parametrize("name", ["cohort.csv", "reads.csv", "events.csv", "patients.csv"])
def test_a_table_that_cannot_be_understood_is_one_line(fault, name, safety, tmp_path, capsys):
    safety.write_good(tmp_path)
    (tmp_path / "cohort.csv").write_text(f"{HEAD}\n{ROW}\n", encoding="utf-8")
    (tmp_path / name).write_bytes(BAD_TABLES[fault])
    began = time.process_time()
    assert main(["check", str(tmp_path / "cohort.csv")]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert name in told.err
    assert ";" in told.err  # the way out
    assert "bug" not in told.err
    assert time.process_time() - began < 10


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "loop"])
@pytest.mark.parametrize("name", ["cohort.csv", "reads.csv"])
def test_what_is_no_file_is_no_table(kind, name, safety, tmp_path, capsys):
    safety.write_good(tmp_path)
    if name != "cohort.csv":
        (tmp_path / "cohort.csv").write_text(f"{HEAD}\n{ROW}\n", encoding="utf-8")
    make = {"device": lambda p: p.symlink_to("/dev/zero"), "pipe": os.mkfifo, "folder": Path.mkdir}
    make.get(kind, lambda p: p.symlink_to(p.name))(tmp_path / name)
    code = main(["check", str(tmp_path / "cohort.csv")])
    told = capsys.readouterr()
    if (name, kind) == ("reads.csv", "loop"):  # as good as not there
        assert code == 0
        return
    assert code == 2
    assert told.err.count("\n") == 1
    assert name in told.err


def test_many_unknown_columns_are_one_warning(safety, tmp_path, capsys):
    safety.write_good(tmp_path)
    columns = ",".join(f"note {number}" for number in range(10_000))
    (tmp_path / "cohort.csv").write_text(f"{HEAD},{columns}\n{ROW}\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "cohort.csv")]) == 0
    assert capsys.readouterr().out.count("unknown columns") == 1


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", " =1+1", "＝1", "'=1", "''=1", "\u00a0=1")


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_text_column_starts_like_a_formula_and_comes_back_as_it_was(table, formula):
    rows = [tuple(formula if column.kind is Kind.TEXT else "-1" for column in table.columns)]
    text = to_csv(table, rows)
    (written,) = list(csv.reader(io.StringIO(text, newline="")))[1:]
    for cell, column in zip(written, table.columns, strict=True):
        if column.kind is Kind.TEXT:
            assert cell.startswith("'")
        else:
            assert cell == "-1"  # a number keeps its minus
    assert from_csv(table, text) == rows


@pytest.mark.parametrize("text", ["\r=1", "a\r=1", "\x1b[2J=1", "a\x00b", "\u202e=1"])
def test_a_cell_has_no_control_characters(text):
    written = render_cell(Column(name="comment", meaning=""), text)
    assert printable(written) == written
    assert "=1" in written or written == "a b"


def test_formulas_of_a_manifest_reach_no_output(safety, tmp_path, capsys):
    good = safety.write_good(tmp_path)
    rows = [good, {**good, "patient_id": "=cmd|' /C calc'!A1", "image": "=2+2.nii"}]
    rows += [{**good, "patient_id": "@x\x1b[2J", "image": "+3.nii"}]
    safety.write_manifest(tmp_path / "cohort.csv", rows)
    main(["score", str(tmp_path / "cohort.csv"), "-o", str(tmp_path / "out"), "--no-report"])
    told = capsys.readouterr()
    assert "\x1b[2J" not in told.out + told.err
    for path in (tmp_path / "out").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file)
        for line in lines:
            for name, cell in zip(header, line, strict=True):
                number = cell.lstrip("+-").replace(".", "", 1).isdigit()
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (path.name, name, cell)
                assert "\x1b" not in cell


def test_formulas_of_a_readers_table_reach_no_output_and_the_trace_has_them_as_given(tmp_path, capsys):
    """The rows that are kept for `explain` as well."""
    rows = [["patient_id", "date", "lesion_id", "long_axis_mm", "short_axis_mm", "site", "visit"]]
    for date, size in (("2024-01-05", "20"), ("2024-04-02", "12")):
        rows.append(["=1+1", date, "-L1", size, "10", "@SUM(A1)", "+w"])
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    (tmp_path / "reads.csv").write_text("patient_id,date,modality,lesion_id,comment\n=1+1,2024-04-02,CT,-L1,=9+9\n")
    out = tmp_path / "out"
    assert main(["classify", str(tmp_path / "table.csv"), "-o", str(out), "--lesions", "--workers", "1"]) == 0
    files = sorted(out.rglob("*.csv"))
    assert {"measurements.csv", "reads.csv", "lesions.csv"} <= {file.name for file in files}
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            for cell in (cell for line in csv.reader(file) for cell in line):
                number = cell.lstrip("-").replace(".", "", 1).isdigit()
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (path.name, cell)
    capsys.readouterr()
    assert main(["explain", str(out), "--patient", "=1+1"]) == 0
    told = capsys.readouterr().out
    assert "-L1" in told
    assert "'-L1" not in told


@pytest.fixture(scope="module")
def distorted(real_data, safety, tmp_path_factory):
    """Real series of bad geometry beside a good patient, scored."""
    folder = tmp_path_factory.mktemp("distorted")
    rows = [safety.write_good(folder)]
    rows += [
        {"patient_id": name, "image": str(real_data / "bad_geometry_dicom2nifti" / name)}
        for name in ("gantrytilting/001", "sliceincrement/001", "sliceincrement/002")
    ]
    manifest = safety.write_manifest(folder / "cohort.csv", rows)
    return safety.run("score", str(manifest), "-o", str(folder / "out"), "--no-report", out=folder / "out")


@pytest.mark.real
@pytest.mark.parametrize(
    ("patient", "told"),
    [
        ("gantrytilting/001", ["gantry tilt"]),
        ("sliceincrement/001", ["missing", "uneven"]),
        ("sliceincrement/002", ["missing", "uneven"]),
    ],
)
def test_real_series_of_bad_geometry_are_corrected_or_refused(patient, told, distorted):
    what = [row["what"] for row in distorted.problems[patient]]
    assert "good" in distorted.measured
    assert "bug" not in "".join(what)
    assert any(word in one for one in what for word in told), what
