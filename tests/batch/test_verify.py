"""What changed since a run is told, and nothing else is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from batch import sample

from mdanderson.batch import classify
from mdanderson.batch.pseudonymous import pseudonymous_cohort
from mdanderson.batch.verify import Change, verify
from mdanderson.cli import main
from mdanderson.errors import InputError, OutputError
from mdanderson.settings import Policy, Settings


@pytest.fixture
def out(cohort: Path, tmp_path: Path) -> Path:
    (cohort.parent / "patients.csv").write_text("patient_id,death_date\nP03,2024-09-01\n")
    sample.run(cohort, tmp_path / "out", parquet=True)
    return tmp_path / "out"


def lines(out: Path, **given: object) -> list[str]:
    return [str(change) for change in verify(out, **given).changes]


def test_nothing_changed(out: Path) -> None:
    found = verify(out, settings=Settings())
    assert (found.changes, found.patients, found.files) == ((), 4, 8)


def test_entries_of_a_review_are_told_until_a_run_has_read_them(out: Path, cohort: Path) -> None:
    reads = out / "reads.csv"
    reads.write_text("patient_id,date,modality,lesion_id,findings\nP02,2024-04-02,CT,L01,SD1\n")
    assert lines(out) == [f"input is new @ {reads}"]
    sample.run(cohort, out, parquet=True)
    assert lines(out) == []
    with reads.open("a") as file:
        file.write("P02,2024-04-02,CT,L01,SD2\n")
    assert lines(out) == [f"input changed @ {reads}"]


def test_a_file_is_compared_by_content_not_by_time(out: Path, cohort: Path) -> None:
    """Same size, same time, another byte: a run would keep the result, `verify` tells."""
    image = cohort.parent / "p2_1.nii"
    status = image.stat()
    image.write_bytes(b"11")
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.utime(cohort.parent / "p1_0.nii", ns=(1, 1))
    assert lines(out) == ["input changed @ P02 p2_1.nii"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "patients.csv").unlink(), ["input is gone @ {folder}/patients.csv"]),
        (
            lambda folder: (folder / "patients.csv").write_text("patient_id\n"),
            ["input changed @ {folder}/patients.csv"],
        ),
        (
            lambda folder: (folder / "cohort.csv").write_text(
                (folder / "cohort.csv").read_text().replace("P04", "P05")
            ),
            [
                "input changed @ {folder}/cohort.csv",
                "input is no longer in the manifest @ P04",
                "input is new in the manifest @ P05",
            ],
        ),
        (
            lambda folder: (folder / "cohort.csv").write_text(
                (folder / "cohort.csv")
                .read_text()
                .replace("p4_1.nii", "p3_1.nii", 1)
                .replace("p3_1.nii", "p4_1.nii", 1)
            ),
            [
                "input changed @ {folder}/cohort.csv",
                "input changed @ P03 p4_1.nii",
                "input changed @ P04 p3_1.nii",
            ],
        ),
        (
            lambda folder: (folder / "p1_0.nii").unlink(),
            ["input cannot be used: file not found: p1_0.nii @ cohort.csv row 2 column image @ P01"],
        ),
        (
            lambda folder: (folder / "cohort.csv").unlink(),
            [
                "input is gone @ {folder}/cohort.csv",
                (
                    "input cannot be read: the table cannot be read @ {folder}/cohort.csv; "
                    "check the path (No such file or directory)"
                ),
            ],
        ),
    ],
)
def test_inputs(out: Path, cohort: Path, change: Callable[[Path], object], expected: list[str]) -> None:
    change(cohort.parent)
    assert lines(out) == [line.format(folder=cohort.parent) for line in expected]


def test_results(out: Path) -> None:
    (out / "lesions.csv").write_text((out / "lesions.csv").read_text().replace("22.00", "23.00"))
    (out / "parquet" / "patients.parquet").unlink()
    assert lines(out) == [
        "result was changed since it was written @ lesions.csv",
        "result is gone @ parquet/patients.parquet",
    ]


def test_what_is_stored(out: Path) -> None:
    files = {json.loads(path.read_bytes())["patient_id"]: path for path in (out / ".patients").glob("*.json")}
    files["P02"].write_bytes(files["P02"].read_bytes()[:100])
    files["P03"].unlink()
    assert lines(out) == [
        "result is stored no longer as it was written @ P02",
        "result is stored no longer @ P03",
    ]


def test_settings(out: Path) -> None:
    changed = Settings(policy=Policy(pr_size_fall=0.4))
    assert lines(out, settings=changed) == ["setting was 0.5, is 0.4 @ policy.pr_size_fall"]
    assert lines(out) == []


def test_the_program(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = json.loads((out / "run.json").read_text())
    with monkeypatch.context() as patched:
        patched.setattr("mdanderson.batch.fingerprint._code", lambda: "another")
        assert lines(out) == ["program changed between two versions @ mdanderson"]
    record["versions"] |= {"mdanderson": "0.0.1"}
    (out / "run.json").write_text(json.dumps(record))
    assert lines(out)[0].startswith("program was 0.0.1, is ")


def test_a_folder_of_images(cohort: Path, tmp_path: Path) -> None:
    """A series is named as a whole; a file more, one less, one renamed or one other byte is a change."""
    series = cohort.parent / "series"
    series.mkdir()
    for name in ("1.dcm", "2.dcm"):
        (series / name).write_bytes(b"12")
    cohort.write_text(cohort.read_text().replace("p1_0.nii,", "series,"))
    sample.run(cohort, tmp_path / "out")
    assert lines(tmp_path / "out") == []
    (series / "2.dcm").rename(series / "3.dcm")
    assert lines(tmp_path / "out") == ["input changed @ P01 series"]
    (series / "3.dcm").rename(series / "2.dcm")
    assert lines(tmp_path / "out") == []
    (series / "2.dcm").write_bytes(b"13")
    assert lines(tmp_path / "out") == ["input changed @ P01 series"]


def test_a_damaged_store_and_a_lost_patient(out: Path, cohort: Path) -> None:
    for file in (out / ".patients").iterdir():
        file.write_text("{")
    (cohort.parent / "p1_0.nii").write_bytes(b"x")
    damaged = [f"result is stored no longer as it was written @ P0{number}" for number in range(1, 5)]
    assert lines(out) == ["input has other files @ P01", *damaged]
    record = json.loads((out / "run.json").read_text())
    record["patients"]["P01"] |= {"failure": "ended", "files": 0}
    (out / "run.json").write_text(json.dumps(record))
    assert lines(out) == damaged


def test_a_readers_table(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = tmp_path / "data" / "m.csv"
    table.write_text("patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\nP1,2024-01-05,CT,L1,30,20\n")
    classify(table, tmp_path / "out", workers=1)
    assert verify(tmp_path / "out").changes == ()
    table.write_text(table.read_text().replace("30", "31"))
    assert verify(tmp_path / "out").changes == (Change(of="input", what="changed", where=str(table)),)


def test_no_finished_run(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no finished run here"):
        verify(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"inputs": {}}'])
def test_a_record_that_no_run_wrote(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(OutputError, match="the results are not as a run wrote them"):
        verify(tmp_path)


def test_no_path_is_kept(out: Path) -> None:
    """A file may be called like its patient."""
    for file in (out / ".patients").iterdir():
        assert "p1_0" not in file.read_text()


def test_results_under_pseudonyms(cohort: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert main(["key", str(key)]) == 0
    out = tmp_path / "out"
    sample.run(pseudonymous_cohort(cohort, key, out), out)
    assert verify(out, key_file=key).changes == ()
    with pytest.raises(InputError, match=r"the results are under pseudonyms @ .*; give the key: --pseudonymize"):
        verify(out)
    (cohort.parent / "p1_0.nii").write_bytes(b"x")
    (line,) = lines(out, key_file=key)
    assert line.startswith("input changed @ PSN-")


def test_the_command(out: Path, cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(out)]) == 0
    assert capsys.readouterr().out == "4 patients, 8 files compared; no changes\n"
    (cohort.parent / "p2_1.nii").write_bytes(b"11111")
    (tmp_path / "mine.toml").write_text("[policy]\npr_size_fall = 0.4\n")
    assert main(["verify", str(out), "--config", str(tmp_path / "mine.toml")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "setting was 0.5, is 0.4 @ policy.pr_size_fall",
        "input changed @ P02 p2_1.nii",
        "4 patients, 8 files compared; 2 changes",
    ]
    assert main(["verify", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("mdanderson: no finished run here @ ")
