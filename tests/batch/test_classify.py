"""classify: a reader's table in, the same tables as from images out; isolation, workers, bytes, what is kept."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest

import mdanderson as mda
from mdanderson.batch import Progress, Results, classify
from mdanderson.batch.explain import explain
from mdanderson.batch.sheets import Sheets
from mdanderson.errors import InputError, ManifestError, MdandersonError, OutputError, SettingsError
from mdanderson.report.cells import to_csv
from mdanderson.report.columns import TABLES
from mdanderson.settings import Policy, Settings
from mdanderson.statistics import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY

MODULE = sys.modules["mdanderson.batch.classify"]
"""The room, whose name the function has."""

HEADER = "patient_id,date,visit,modality,lesion_id,long_axis_mm,short_axis_mm"
ROWS = """\
P01,2024-01-05,baseline,CT,L1,40,20
P01,2024-04-02,week 12,CT,L1,20,10
P02,2024-01-05,baseline,CT,L1,40,20
P02,2024-04-02,week 12,CT,L1,50,25
P03,2024-01-05,baseline,CT,L1,40,20
P03,2024-04-02,week 12,CT,L1,41,20
"""
RESPONSES = {"P01": "PR", "P02": "PD", "P03": "SD"}


def write(folder: Path, rows: str = ROWS, header: str = HEADER, **beside: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "measurements.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    for name, text in beside.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder / "measurements.csv"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "data")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of one patient, so that few rows make many tasks."""
    monkeypatch.setattr(MODULE, "_ROWS_OF_A_PART", 2)


def categories(results: Results, criteria: str = "mda2010") -> dict[str, str]:
    rows = (row for row in results.overall() if row["criteria"] == criteria and row["category"] != "BL")
    return {row["patient_id"]: row["category"] for row in rows}


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.csv")}


def test_sample(table: Path, tmp_path: Path) -> None:
    results = classify(table, tmp_path / "out", lesions=True)
    assert categories(results) == RESPONSES
    assert results.scored == ("P01", "P02", "P03")
    assert results.failed == {}
    lines = (tmp_path / "out" / "lesions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[2].startswith("P01,week 12,2024-04-02,CT,,L1,,,followed,,true,measured,20.00,10.00,30.00,200.00,,-0.5")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".measurements",
        "lesions.csv",
        "patients.csv",
        "problems.csv",
        "responses.csv",
        "run.json",
        "summary.csv",
    }


def test_lesions_are_written_when_asked_for_and_there_when_read(table: Path, tmp_path: Path) -> None:
    with_them = classify(table, tmp_path / "with", lesions=True)
    without = classify(table, tmp_path / "without", criteria=("who",))
    plain = classify(table, tmp_path / "plain")
    assert not (tmp_path / "plain" / "lesions.csv").exists()
    pd.testing.assert_frame_equal(plain.lesions, with_them.lesions)
    pd.testing.assert_frame_equal(Results.from_folder(tmp_path / "plain").lesions, with_them.lesions)
    pd.testing.assert_frame_equal(without.lesions, with_them.lesions)  # a set that judges no lesion shows those of MDA
    classify(table, tmp_path / "with")
    assert not (tmp_path / "with" / "lesions.csv").exists()  # nothing of an earlier run is left beside


def test_nothing_is_written_without_a_folder(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    results = mda.classify(table)
    assert sorted(tmp_path.rglob("*")) == before
    assert results.out is None
    assert results.responses["category"].tolist()[-1] == "SD"
    assert "None" not in results._repr_html_()
    assert "Research use only" in results._repr_html_()


def test_a_frame_is_as_good_as_a_file(table: Path) -> None:
    frame = pd.read_csv(table)
    results = mda.classify(frame, criteria=("mda2010", "who"))
    assert categories(results) == RESPONSES
    assert set(results.responses["criteria"]) == {"mda2010", "who"}
    from_file = classify(table, criteria=("mda2010", "who"))
    for name in ("lesions", "responses", "patients"):
        pd.testing.assert_frame_equal(getattr(results, name), getattr(from_file, name))


def test_one_set_may_be_named_as_a_word(table: Path) -> None:
    assert set(classify(table, criteria="who").responses["criteria"]) == {"who"}


def test_frames_beside_a_frame(table: Path) -> None:
    patients = pd.DataFrame({"patient_id": ["P01"], "death_date": ["2024-05-01"], "arm": ["A"]})
    results = classify(pd.read_csv(table), patients=patients, by="arm")
    first = results.patients.iloc[0]
    assert (first["progression_free_days"], first["censored"]) == (117, False)
    assert results.summary("arm")["group"].tolist() == ["", "A"]


def test_tables_beside_the_file_are_used(tmp_path: Path) -> None:
    reads = "patient_id,date,modality,lesion_id,findings,reader\nP03,2024-04-02,CT,L1,PR1,Smith\n"
    table = write(tmp_path / "data", reads=reads, events="patient_id,date,event\nP01,2024-02-01,fracture\n")
    results = classify(table)
    assert categories(results)["P03"] == "PR"
    row = next(row for row in results.overall() if row["patient_id"] == "P03" and row["category"] == "PR")
    assert row["category_measured"] == "SD"
    (lesion,) = (row for row in results.named(TABLES[0]) if row["findings"])
    assert (lesion["findings"], lesion["reader"], lesion["basis"]) == ("PR1", "Smith", "reader")


@pytest.mark.usefixtures("small_parts")
def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    """Unsorted patients, a column that nobody knows, strangers beside, faults: told alike however the work is cut."""
    rows = (
        "".join(f"{line},x\n" for line in reversed(ROWS.splitlines()))
        + ",2024-01-05,,CT,L1,9,9,\nP04,soon,,CT,L1,9,9,\n"
    )
    patients = "patient_id,arm\nP01,A\nP09,B\n"
    table = write(tmp_path / "data", rows, f"{HEADER},remark", patients=patients)
    classify(table, tmp_path / "one", workers=1, by="arm", lesions=True)
    classify(table, tmp_path / "many", workers=2, by="arm", lesions=True)
    assert files(tmp_path / "many") == files(tmp_path / "one")
    problems = (tmp_path / "one" / "problems.csv").read_text()
    assert problems.count("unknown column remark") == 1
    assert problems.count("patient P09 has no row in the table") == 1
    assert problems.count("no patient") == 1


def test_parts_make_the_file_that_one_piece_makes(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classify(table, tmp_path / "whole", workers=1, lesions=True)
    monkeypatch.setattr(MODULE, "_ROWS_OF_A_PART", 1)
    results = classify(table, tmp_path / "parts", workers=1, lesions=True)
    assert files(tmp_path / "parts") == files(tmp_path / "whole")
    for one in TABLES:
        assert to_csv(one, results.rows[one.name]) == (tmp_path / "whole" / one.file_name).read_text(encoding="utf-8")


def test_the_order_of_rows_and_companions_changes_no_byte(tmp_path: Path) -> None:
    classify(write(tmp_path / "a"), tmp_path / "one", lesions=True)
    classify(write(tmp_path / "b", "".join(reversed(ROWS.splitlines(keepends=True)))), tmp_path / "other", lesions=True)
    one, other = files(tmp_path / "one"), files(tmp_path / "other")
    assert b"out of order" in other.pop("problems.csv")
    assert one.pop("problems.csv").count(b"\n") == 1
    assert one == other


def test_a_patient_without_a_usable_row_fails_by_itself(tmp_path: Path) -> None:
    table = write(tmp_path / "data", ROWS + "P04,2024-13-05,baseline,CT,L1,40,20\n")
    results = classify(table, tmp_path / "out")
    assert categories(results) == RESPONSES
    told = "no row can be used: not an ISO 8601 date: 2024-13-05 @ measurements.csv row 8 column date; write YYYY-MM-DD"
    assert results.failed == {"P04": told}
    errors = results.problems[results.problems["severity"] == "error"]
    assert set(errors["patient_id"]) == {"P04"}


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MemoryError()])
def test_whatever_one_patient_raises_costs_only_itself(
    table: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mdanderson.batch import part

    usual = part.build_timeline

    def build(patient: mda.PatientFacts, *args: object, **kwargs: object) -> mda.Timeline:
        if patient.patient_id == "P02":
            raise error
        return usual(patient, *args, **kwargs)

    monkeypatch.setattr(part, "build_timeline", build)
    results = classify(table, workers=1)
    assert results.scored == ("P01", "P03")
    assert list(results.failed) == ["P02"]
    (problem,) = results.problems.to_dict("records")
    assert problem["patient_id"] == "P02"
    assert ("out of memory" if isinstance(error, MemoryError) else "unexpected error (bug): ZeroDivision") in problem[
        "what"
    ]


def test_a_bug_in_reading_costs_only_its_patient(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mdanderson.readers import measurements

    usual = measurements.examinations_of

    def read(rows: list[object], *args: object) -> object:
        if any(row.facts.get("long_axis_mm") == 50 for row in rows):
            raise ZeroDivisionError("x")
        return usual(rows, *args)

    monkeypatch.setattr(measurements, "examinations_of", read)
    results = classify(table)
    assert results.scored == ("P01", "P03")
    assert results.failed["P02"].startswith("unexpected error (bug): ZeroDivisionError x; report it")


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_a_worker_that_dies_costs_only_its_patients(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = MODULE._judge_numbered

    def judge(*args: object) -> object:
        if args[1][1].patient_ids == ("P02",):
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(*args)

    monkeypatch.setattr(MODULE, "_judge_numbered", judge)
    results = classify(table, workers=2)
    assert results.scored == ("P01", "P03")
    what = "the process that scored the patient was ended by signal 9, twice"
    assert results.failed["P02"] == f"{what}; give it more memory, or use fewer workers"
    assert results.problems["what"].tolist() == [what]


def test_what_stops_a_run_at_once(table: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="0 workers"):
        classify(table, workers=0)
    with pytest.raises(SettingsError, match="tnm8"):
        classify(table, criteria=("tnm8",))
    for nothing in ((), "", ("",)):
        with pytest.raises(SettingsError, match="no criteria set named; use mda2010, "):
            classify(table, criteria=nothing)
    for blank in ("", " "):
        with pytest.raises(OutputError, match="the results folder has no name; name a folder"):
            classify(table, blank)
    with pytest.raises(
        OutputError, match=r"the results folder cannot be used @ .*; choose another \(File name too long"
    ):
        classify(table, tmp_path / ("x" * 400))
    with pytest.raises(ManifestError, match="cannot be read"):
        classify(tmp_path / "none.csv")
    with pytest.raises(ManifestError, match="no column lesion_id"):
        classify(write(tmp_path / "bad", "P01,2024-01-05\n", "patient_id,date"), tmp_path / "out")
    with pytest.raises(ManifestError, match="no rows"):
        classify(write(tmp_path / "empty", ""), tmp_path / "out")
    with pytest.raises(InputError, match=r"no column 'arm' to group patients by @ patients\.csv; write it into"):
        classify(table, tmp_path / "out", by="arm")
    with pytest.raises(OutputError, match="beside the tables they come from"):
        classify(table, table.parent)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        classify(table, tmp_path / "file")
    assert not (tmp_path / "out").exists()


def test_a_column_to_group_by_that_is_almost_there(tmp_path: Path) -> None:
    table = write(tmp_path / "data", patients="patient_id,treatment_arm\nP01,A\n")
    with pytest.raises(InputError, match="is 'treatment_arm' meant"):
        classify(table, by="treatmentarm")
    with pytest.raises(InputError, match="is 'treatment_arm' meant"):
        classify(table).summary("treatment arm")


def test_results_of_others_are_not_overwritten(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    classify(table, out)
    classify(table, out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "responses.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"responses\.csv is there already and was not written by a run"):
        classify(table, tmp_path / "mine")
    (table.parent / "cohort.csv").write_text("patient_id,image\nP01,none.nii\n")
    with pytest.raises(OutputError, match="was not written by such a run"):
        mda.score(table.parent / "cohort.csv", out)


OURS = [table.file_name for table in (*TABLES, SUMMARY, AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION)]


@pytest.mark.parametrize("name", [*OURS, "run.json"])
def test_a_file_that_happens_to_have_one_of_our_names_is_kept(table: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name} is there already and was not written by a run"):
        classify(table, out)
    assert [path.name for path in out.iterdir()] == [name]
    assert (out / name).read_text() == "mine"


def test_results_that_cannot_be_replaced(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    classify(table, out)
    before = files(out)

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match=r"an earlier run cannot be replaced @ .*run\.json; make the folder writable"):
        classify(table, out)
    assert files(out) == before


def test_what_a_review_left_in_the_results_counts(tmp_path: Path) -> None:
    """As in `score`: after what stands beside the table, kept for `explain`, and told where it is wrong."""
    reads = "patient_id,date,modality,lesion_id,findings,reader\nP03,2024-04-02,CT,L1,SD1,Smith\n"
    table, out = write(tmp_path / "data", reads=reads), tmp_path / "out"
    assert categories(classify(table, out))["P03"] == "SD"
    (out / "reads.csv").write_text(
        "patient_id,date,modality,lesion_id,findings,reader\n"
        "P03,2024-04-02,CT,L1,PR1,Smith\nP01,2024-04-02,CT,L1,XX9,Smith\nP99,2024-04-02,CT,L1,PR1,Smith\n"
    )
    results = classify(table, out)
    assert categories(results)["P03"] == "PR"
    problems = results.problems.set_index("where")
    assert problems.loc["reads.csv row 4 column patient_id", "what"] == "patient P99 has no row in the table"
    assert "reads.csv" in json.loads((out / "run.json").read_text())["inputs"]["reviews"]["name"]
    assert "PR1 (PR) fired: stated by the reader" in explain(out, "P03", visit="week 12")
    assert "PR1" in Results.from_folder(out).lesions["findings"].tolist()
    (out / "reads.csv").unlink()
    assert categories(classify(table, out))["P03"] == "SD"
    assert not (out / ".measurements" / "reviews.csv").exists()


def test_several_readers_of_a_review_are_compared(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    classify(table, out)
    (out / "reads.csv").write_text(
        "patient_id,date,modality,lesion_id,findings,reader\n"
        "P03,2024-04-02,CT,L1,PR1,Smith\nP03,2024-04-02,CT,L1,SD1,Jones\n"
    )
    (found,) = classify(table, out).agreements
    assert found.names == ("Jones", "Smith")


def test_a_run_is_told_in_a_line(table: Path, tmp_path: Path) -> None:
    assert repr(classify(table)) == "Results(out=None, scored=3, failed=0)"
    assert repr(classify(table, tmp_path / "out")) == f"Results(out={str(tmp_path / 'out')!r}, scored=3, failed=0)"


def test_run_record(tmp_path: Path) -> None:
    table = write(tmp_path / "data", ROWS + "P04,soon,,CT,L1,1,1\n", patients="patient_id,arm\nP01,A\n")
    classify(table, tmp_path / "out", settings=Settings(policy=Policy(pr_size_fall=0.4)), criteria=("who", "mda2010"))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["criteria"] == ["who", "mda2010"]
    assert Settings.from_mapping(record["settings"]).policy.pr_size_fall == 0.4
    assert record["settings"].keys() == Settings().as_mapping().keys()
    assert {name: len(one["sha256"]) for name, one in record["inputs"].items()} == {"measurements": 64, "patients": 64}
    assert record["scored"] == 3
    assert list(record["patients"]) == ["P04"]
    assert record["seconds"] >= 0


def test_the_fingerprint_is_that_of_the_file_and_tells_frames_apart(table: Path, tmp_path: Path) -> None:
    import hashlib

    sheets = Sheets.from_sources(table)
    assert sheets.fingerprints()["measurements"]["sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    frame = pd.read_csv(table)
    once, twice, other = (
        Sheets.from_sources(one).fingerprints()["measurements"]["sha256"] for one in (frame, frame, frame.iloc[:-1])
    )
    assert once == twice != other


def test_only_columns_that_a_criterion_reads_are_kept(tmp_path: Path) -> None:
    rows = "".join(f"{line},Mrs Doe\n" for line in ROWS.splitlines())
    table = write(tmp_path / "data", rows, f"{HEADER},name", patients="patient_id,arm,name\nP01,A,Mrs Doe\n")
    classify(table, tmp_path / "out")
    kept = tmp_path / "out" / ".measurements"
    assert (kept / "measurements.csv").read_text().splitlines()[0] == HEADER
    assert (kept / "patients.csv").read_text() == "patient_id\nP01\n"
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file() and "Doe" in path.read_text()]


def test_tables_that_are_no_longer_there_are_not_kept(tmp_path: Path) -> None:
    table = write(tmp_path / "data", patients="patient_id\nP01\n")
    classify(table, tmp_path / "out")
    (tmp_path / "data" / "patients.csv").unlink()
    classify(table, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / ".measurements").iterdir()] == ["measurements.csv"]


def test_explain_judges_again_by_the_settings_of_the_run(tmp_path: Path) -> None:
    reads = "patient_id,date,modality,lesion_id,findings,reader\nP02,2024-04-02,CT,L1,PR1,Smith\n"
    table = write(tmp_path / "data", reads=reads)
    out = tmp_path / "out"
    classify(table, out, settings=Settings(policy=Policy(pd_size_rise=0.3)), criteria=("mda2010", "who"))
    for path in table.parent.iterdir():
        path.unlink()
    text = explain(out, "P02", visit="week 12")
    lines = text.splitlines()
    assert lines[0] == "P02 week 12 2024-04-02"
    assert any(line.startswith("    PR1 (PR) fired: stated by the reader") for line in lines)
    assert any(line.startswith("  mda2010 L1 CT: PR, ") for line in lines)
    assert any(line.startswith("    PD1 (PD) not fired: lesion L1 60.0 -> 75.0 mm, +25 %") for line in lines)
    assert any(line.startswith("  who overall: PD, ") for line in lines)
    assert any(line.startswith("    WHO-PD (PD) fired: ") for line in lines)
    assert any(line.startswith("    WHO-NEW (PD) not fired: ") for line in lines)
    assert explain(out, "P02").splitlines()[0] == "P02 baseline 2024-01-05"
    with pytest.raises(InputError, match="no patient 'P09' in the results"):
        explain(out, "P09")
    with pytest.raises(InputError, match="the visits are baseline, week 12"):
        explain(out, "P01", visit="week 99")


def test_explain_says_what_is_broken(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    classify(table, out)
    (out / "run.json").write_text("{}")
    with pytest.raises(OutputError, match="not as a run wrote them"):
        explain(out, "P01")
    (out / "run.json").unlink()
    with pytest.raises(OutputError, match="no results here"):
        explain(out, "P01")


def test_explained_categories_are_those_of_the_tables(table: Path, tmp_path: Path) -> None:
    results = classify(table, tmp_path / "out", criteria=("mda2010", "recist11", "who"))
    for row in results.named(TABLES[1]):
        text = explain(tmp_path / "out", row["patient_id"], visit=row["date"])
        waiting = " (unconfirmed)" if row["unconfirmed"] == "true" else ""
        assert f"\n  {row['criteria']} {row['scope']}: {row['category']}{waiting}, {row['reason']}" in text


def test_progress(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_ROWS_OF_A_PART", 2)
    told: list[Progress] = []
    classify(table, workers=1, progress=told.append)
    assert [(one.done, one.total, one.failed) for one in told] == [(0, 3, 0), (1, 3, 0), (2, 3, 0), (3, 3, 0)]


READERS = """\
P01,2024-01-05,baseline,CT,L1,40,20,Smith
P01,2024-01-05,baseline,CT,L1,42,20,Jones
P01,2024-04-02,week 12,CT,L1,20,10,Smith
P01,2024-04-02,week 12,CT,L1,60,24,Jones
P02,2024-01-05,baseline,CT,L1,30,20,Smith
P02,2024-01-05,baseline,CT,L1,30,20,Jones
P02,2024-04-02,week 12,CT,L1,31,20,Smith
P02,2024-04-02,week 12,CT,L1,30,20,Jones
P03,2024-01-05,baseline,CT,L1,30,20,Smith
P03,2024-04-02,week 12,CT,L1,30,20,Smith
"""


@pytest.mark.parametrize("part_rows", [2000, 2])
def test_two_readers_inside_one_table(tmp_path: Path, part_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_ROWS_OF_A_PART", part_rows)
    table = write(tmp_path / "data", READERS, f"{HEADER},reader")
    out = tmp_path / "out"
    results = classify(table, out, workers=1)
    (found,) = results.agreements
    assert found.names == ("Jones", "Smith")
    (overall,) = (row for row in found.discordant if row["scope"] == "overall")
    assert (overall["patient_id"], str(overall["category_one"]), str(overall["category_other"])) == ("P01", "PD", "PR")
    for one in (AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION, SUMMARY):
        assert (out / one.file_name).read_text().splitlines()[0] == ",".join(one.column_names)
    assert "Jones,Smith,mda2010,visit,overall,2,0.5000," in (out / "agreement.csv").read_text()
    write(tmp_path / "data")
    classify(table, out)
    assert not (out / "agreement.csv").exists()


def test_readers_who_measured_nothing_agree_about_no_measurement(tmp_path: Path) -> None:
    """Both speak of sizes that are common to all; their categories are compared, the one measurement is not."""
    rows = "".join(f"P01,2024-01-05,CT,L1,{reader},{code}\n" for reader, code in (("Smith", ""), ("Jones", "")))
    rows = rows.replace(",\n", ",seen\n")
    rows += "P01,2024-04-02,CT,L1,Smith,PR1\nP01,2024-04-02,CT,L1,Jones,SD1\n"
    reads = "patient_id,date,modality,lesion_id,reader,findings\n" + rows.replace(",seen", ",SD1")
    (found,) = classify(write(tmp_path / "data", reads=reads)).agreements
    assert [row["pairs"] for row in found.categories if row["item"] == "visit"] == [1, 1]
    assert found.measurements == ()


def test_only_what_both_measured_is_compared(tmp_path: Path) -> None:
    """L1 by each, L2 by nobody in particular: its size is in neither the pairs nor a sum that is compared."""
    common = "P02,2024-01-05,baseline,CT,L2,30,20,\nP02,2024-04-02,week 12,CT,L2,31,20,\n"
    (found,) = classify(write(tmp_path / "data", READERS + common, f"{HEADER},reader")).agreements
    rows = {(row["quantity"], row["scope"]): row for row in found.measurements}
    assert rows["size_mm", "overall"]["pairs"] == 4
    assert rows["size_sum_mm", "CT"]["pairs"] == 2  # those of P01, at both visits
    assert rows["size_mm", "overall"]["icc"] is not None


def test_settings_choose_the_reader(tmp_path: Path) -> None:
    table = write(tmp_path / "data", READERS, f"{HEADER},reader")
    by_reader = {
        reader: categories(classify(table, settings=Settings(policy=Policy(reader=reader))))["P01"]
        for reader in ("Smith", "Jones")
    }
    assert by_reader == {"Smith": "PR", "Jones": "PD"}


def test_agreement_of_two_runs(tmp_path: Path) -> None:
    table = write(tmp_path / "data", READERS, f"{HEADER},reader")
    for reader in ("Smith", "Jones"):
        classify(table, tmp_path / reader, settings=Settings(policy=Policy(reader=reader)))
    found = mda.agreement(tmp_path / "Smith", tmp_path / "Jones", tmp_path / "both")
    assert found.names == ("Smith", "Jones")
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == [
        "adjudication.csv",
        "agreement.csv",
        "agreement_measurements.csv",
    ]
    again = mda.agreement(
        Results.from_folder(tmp_path / "Smith"), Results.from_folder(tmp_path / "Jones"), names=("A", "B")
    )
    assert again.names == ("A", "B")
    assert [row["kappa"] for row in again.categories] == [row["kappa"] for row in found.categories]
    mda.agreement(tmp_path / "Smith", tmp_path / "Jones", tmp_path / "both")
    with pytest.raises(OutputError, match="the folder is not empty"):
        mda.agreement(tmp_path / "Smith", tmp_path / "Jones", tmp_path / "Smith")
    with pytest.raises(OutputError, match="the results folder has no name"):
        mda.agreement(tmp_path / "Smith", tmp_path / "Jones", "")
    for content in ("mine\n", "", "\ud800"):
        (tmp_path / "both" / "agreement.csv").write_bytes(content.encode("utf-8", "surrogatepass"))
        with pytest.raises(OutputError, match=r"agreement\.csv is there already and is no table of agreement"):
            mda.agreement(tmp_path / "Smith", tmp_path / "Jones", tmp_path / "both")
    with pytest.raises(OutputError, match="no results here"):
        mda.agreement(tmp_path / "Smith", tmp_path / "nobody")
    assert mda.agreement(classify(table), classify(table)).names == ("one", "other")


def test_results_read_back_are_those_handed_back(tmp_path: Path) -> None:
    rows = ROWS.replace("P03", "=P03") + "P04,soon,,CT,L1,1,1\n"
    results = classify(write(tmp_path / "data", rows), tmp_path / "out", lesions=True)
    read = Results.from_folder(tmp_path / "out")
    assert read.scored == ("=P03", "P01", "P02")
    assert read.failed == results.failed
    assert {name: read.rows[name] for name in read.rows} == {name: results.rows[name] for name in results.rows}
    assert "'=P03," in (tmp_path / "out" / "lesions.csv").read_text()
    (tmp_path / "out" / "run.json").write_text("{")
    with pytest.raises(OutputError, match="not as a run wrote them"):
        Results.from_folder(tmp_path / "out")


def test_summary(tmp_path: Path) -> None:
    table = write(tmp_path / "data", patients="patient_id,arm\nP01,A\nP02,B\nP03,A\n")
    results = classify(table, tmp_path / "out", by="arm")
    shown = results.summary("arm")
    assert shown[["group", "patients", "responders", "controlled"]].to_numpy().tolist() == [
        ["", 3, 1, 2],
        ["A", 2, 1, 2],
        ["B", 1, 0, 0],
    ]
    assert (tmp_path / "out" / "summary.csv").read_text() == to_csv(SUMMARY, results.summary_rows("arm"))
    assert len(results.summary()) == 1


def test_lesions_that_cannot_be_judged_again_are_not_missing_in_silence(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = classify(table, workers=1)

    def meets_a_bug(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(sys.modules["mdanderson.batch.part"], "timeline_rows", meets_a_bug)
    with pytest.raises(MdandersonError, match=r"the lesions could not be judged: .*a bug"):
        _ = results.lesions
