"""The batch: isolation, resumption, workers, and tables that are the same every time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from batch.sample import DATES, counting, make_assess, make_cohort, run, tables

from mdanderson.batch import Progress
from mdanderson.batch.store import Store
from mdanderson.errors import ImageError, InputError, ManifestError, OutputError, Problem, SettingsError
from mdanderson.findings import Examination, PatientFacts
from mdanderson.readers.manifest import Patient, read_cohort
from mdanderson.settings import Policy, Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Modality


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return make_cohort(folder)


def test_sample(manifest: Path, tmp_path: Path) -> None:
    results = run(manifest, tmp_path / "out")
    assert results.scored == ("P01", "P02", "P03", "P04")
    assert results.failed == {}
    assert [(row["patient_id"], row["visit"], row["category"]) for row in results.overall()][:2] == [
        ("P01", "visit 0", "BL"),
        ("P01", "visit 1", "PR"),
    ]
    lines = (tmp_path / "out" / "lesions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("P01,visit 0,2024-01-05,CT,,L01,")
    assert ",11.00,11.00,22.00,121.00," in lines[1]
    assert ",-0.500000," in lines[2]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".patients",
        "lesions.csv",
        "patients.csv",
        "problems.csv",
        "responses.csv",
        "run.json",
        "summary.csv",
    }


def test_nothing_is_written_outside_the_results_folder(manifest: Path, tmp_path: Path) -> None:
    before = sorted(manifest.parent.rglob("*"))
    run(manifest, tmp_path / "out", workers=2)
    assert sorted(manifest.parent.rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_the_number_of_workers_changes_no_byte(manifest: Path, tmp_path: Path) -> None:
    run(manifest, tmp_path / "one")
    run(manifest, tmp_path / "many", workers=2)
    assert tables(tmp_path / "many") == tables(tmp_path / "one")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_patient_costs_only_itself(manifest: Path, tmp_path: Path, workers: int) -> None:
    error = ImageError("two slices are missing", where="p2_0.nii", way_out="export it again")
    results = run(manifest, tmp_path / "out", workers=workers, assess=make_assess(P02=error))
    assert results.scored == ("P01", "P03", "P04")
    assert results.failed == {"P02": "two slices are missing @ p2_0.nii; export it again"}
    (row,) = results.problems[results.problems.severity == "error"].to_dict("records")
    assert row == {
        "severity": "error",
        "patient_id": "P02",
        "visit": "",
        "where": "p2_0.nii",
        "what": "two slices are missing",
        "how_to_fix": "export it again",
    }
    assert "P02" not in (tmp_path / "out" / "lesions.csv").read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_that_cannot_be_looked_at_costs_only_its_patient(manifest: Path, tmp_path: Path, workers: int) -> None:
    folder = manifest.parent / "p2_0.nii"
    folder.unlink()
    folder.mkdir()
    (folder / "broken").symlink_to("a" * 300)
    error = ImageError("the image cannot be opened", where="p2_0.nii")
    results = run(manifest, tmp_path / "out", workers=workers, assess=make_assess(P02=error))
    assert results.scored == ("P01", "P03", "P04")
    assert results.failed == {"P02": "the image cannot be opened @ p2_0.nii"}


def test_a_bug_is_one_line_and_its_details_are_kept(manifest: Path, tmp_path: Path) -> None:
    results = run(manifest, tmp_path / "out", assess=make_assess(P03=ZeroDivisionError("a\nb")))
    assert results.scored == ("P01", "P02", "P04")
    assert results.failed["P03"].startswith("unexpected error (bug): ZeroDivisionError a b; report it")
    assert "unexpected error (bug): ZeroDivisionError a b" in (tmp_path / "out" / "problems.csv").read_text()
    kept = [json.loads(path.read_text()) for path in (tmp_path / "out" / ".patients").iterdir()]
    assert ["Traceback" in patient["details"] for patient in sorted(kept, key=lambda p: p["patient_id"])] == [
        False,
        False,
        True,
        False,
    ]


def test_memory(manifest: Path, tmp_path: Path) -> None:
    results = run(manifest, tmp_path / "out", assess=make_assess(P03=MemoryError()))
    assert results.failed == {"P03": "out of memory @ manifest rows 6-7; give it more memory, or use fewer workers"}


@pytest.mark.slow
def test_a_worker_that_dies_costs_only_its_patient(manifest: Path, tmp_path: Path) -> None:
    usual = make_assess()

    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        if patient.patient_id == "P02":
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(patient, settings=settings, criteria=criteria)

    results = run(manifest, tmp_path / "out", workers=2, assess=assess)
    assert results.scored == ("P01", "P03", "P04")
    assert results.failed["P02"] == (
        "the process that scored the patient was ended by signal 9, twice @ manifest rows 4-5; "
        "give it more memory, or use fewer workers"
    )


def test_every_patient_may_fail(manifest: Path, tmp_path: Path) -> None:
    errors = {f"P{number:02d}": ImageError("no") for number in range(1, 5)}
    results = run(manifest, tmp_path / "out", assess=make_assess(**errors))
    assert results.scored == ()
    assert len(results.failed) == 4
    assert (tmp_path / "out" / "responses.csv").read_text().count("\n") == 1
    assert list(results.lesions.columns[:3]) == ["patient_id", "visit", "date"]
    assert len(results.lesions) == 0


def test_a_second_run_scores_nobody_again(manifest: Path, tmp_path: Path) -> None:
    calls: list[str] = []
    run(manifest, tmp_path / "out", assess=counting(calls))
    first = tables(tmp_path / "out")
    run(manifest, tmp_path / "out", assess=counting(calls))
    assert calls == ["P01", "P02", "P03", "P04"]
    assert tables(tmp_path / "out") == first


def put_first(table: Path, row: str) -> None:
    """A row before all others, which then stand one row further down."""
    header, rows = table.read_text().split("\n", 1)
    table.write_text(f"{header}\n{row}\n{rows}")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda folder: (folder / "p2_1.nii").write_bytes(b"longer"), ["P02"]),
        (lambda folder: (folder / "patients.csv").write_text("patient_id,death_date\nP03,2024-09-01\n"), ["P03"] * 2),
        (lambda folder: make_cohort(folder, patients=5), ["P05"]),
        (lambda folder: put_first(folder / "reads.csv", "P04,2024-04-02,CT,L01,SD1"), ["P04"] * 2),
        (lambda folder: put_first(folder / "cohort.csv", "P00,p1_0.nii,2023-01-05,CT,before,"), ["P00", "P01"]),
    ],
)
def test_what_changed_is_scored_again(
    manifest: Path, tmp_path: Path, change: Callable[[Path], object], again: list[str]
) -> None:
    """Who is spoken of is followed twice: with what readers state, and without, for a blinded reading."""
    with_reads(manifest, "P01,2024-04-02,CT,L01,SD1,\nP03,2024-04-02,CT,L01,SD1,\n")
    times = {path: path.stat().st_mtime_ns for path in manifest.parent.iterdir()}
    run(manifest, tmp_path / "out")
    change(manifest.parent)
    for path, time_ns in times.items():
        os.utime(path, ns=(time_ns, time_ns))
    calls: list[str] = []
    run(manifest, tmp_path / "out", assess=counting(calls))
    assert calls == again


def test_other_settings_score_everybody_again(manifest: Path, tmp_path: Path) -> None:
    calls: list[str] = []
    run(manifest, tmp_path / "out")
    run(manifest, tmp_path / "out", assess=counting(calls), settings=Settings(policy=Policy(pr_size_fall=0.6)))
    assert calls == ["P01", "P02", "P03", "P04"]


def test_a_failed_patient_is_tried_again(manifest: Path, tmp_path: Path) -> None:
    calls: list[str] = []
    run(manifest, tmp_path / "out", assess=make_assess(P03=ImageError("no")))
    results = run(manifest, tmp_path / "out", assess=counting(calls))
    assert calls == ["P03"]
    assert results.failed == {}


def test_fresh_starts_over(manifest: Path, tmp_path: Path) -> None:
    calls: list[str] = []
    run(manifest, tmp_path / "out")
    run(manifest, tmp_path / "out", assess=counting(calls), fresh=True)
    assert calls == ["P01", "P02", "P03", "P04"]


def test_a_patient_taken_out_of_the_cohort_leaves_the_tables(manifest: Path, tmp_path: Path) -> None:
    run(manifest, tmp_path / "out")
    manifest.write_text("\n".join(manifest.read_text().splitlines()[:-2]) + "\n")
    run(manifest, tmp_path / "out")
    assert "P04" not in (tmp_path / "out" / "responses.csv").read_text()
    stored = (tmp_path / "out" / ".patients").glob("*.json")
    assert sorted(json.loads(path.read_bytes())["patient_id"] for path in stored) == ["P01", "P02", "P03"]


def test_interrupted_and_run_again_gives_the_same_bytes(manifest: Path, tmp_path: Path) -> None:
    run(manifest, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(manifest, tmp_path / "out", assess=make_assess(P03=KeyboardInterrupt()))
    assert not (tmp_path / "out" / "responses.csv").exists()
    calls: list[str] = []
    run(manifest, tmp_path / "out", assess=counting(calls))
    assert calls == ["P03", "P04"]
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_and_run_again_gives_the_same_bytes(
    manifest: Path, tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is killed while it scores P03; what had been finished is kept, the program being the same."""
    monkeypatch.setattr("mdanderson.batch.fingerprint._code", lambda: "as it was")
    run(manifest, tmp_path / "whole")
    program = textwrap.dedent(f"""
        import os, signal, time
        import mdanderson.batch.fingerprint
        from batch import sample
        mdanderson.batch.fingerprint._code = lambda: "as it was"
        usual, parent = sample.make_assess(), os.getpid()

        def assess(patient, /, *, settings, criteria):
            if patient.patient_id == "P03":
                os.kill(parent, signal.SIGKILL)
                time.sleep(0.5)
                os._exit(1)
            return usual(patient, settings=settings, criteria=criteria)

        mdanderson.batch.score({str(manifest)!r}, {str(tmp_path / "out")!r}, workers={workers}, assess=assess)
    """)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}:{root / 'tests'}"}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, cwd=root, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "responses.csv").exists()
    calls: list[str] = []
    run(manifest, tmp_path / "out", assess=counting(calls))
    assert set(calls) < {"P01", "P02", "P03", "P04"}
    assert "P03" in calls
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_the_manifests_problems_reach_the_table(manifest: Path, tmp_path: Path) -> None:
    with manifest.open("a") as file:
        file.write(",p1_0.nii,2024-01-05,CT,,\nP09,gone.nii,2024-01-05,CT,,\nP01,gone.nii,2024-05-01,CT,week 16,\n")
    results = run(manifest, tmp_path / "out", assess=make_assess())
    assert results.failed == {
        "P09": "no image can be used: file not found: gone.nii @ cohort.csv row 11 column image; "
        "correct the path; it starts at the manifest",
    }
    errors = results.problems[results.problems.severity == "error"]
    assert list(zip(errors.patient_id, errors.visit, errors["where"], strict=True)) == [
        ("", "", "cohort.csv row 10 column patient_id"),
        ("P01", "week 16", "cohort.csv row 12 column image"),
        ("P09", "", "cohort.csv row 11 column image"),
        ("P09", "", "cohort.csv row 11 column image"),
    ]


def test_a_patient_without_any_row_fails_by_itself(manifest: Path, tmp_path: Path) -> None:
    cohort = read_cohort(manifest)
    bare = Patient(patient_id="P00", facts=PatientFacts(patient_id="P00"))
    results = run(replace(cohort, patients=(bare, *cohort.patients)), tmp_path / "out")
    assert results.failed == {"P00": "no image of the patient is listed; give the patient a row with an image"}


def test_a_timeline_of_nothing_but_errors_counts_as_failed(manifest: Path, tmp_path: Path) -> None:
    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        examinations = [Examination(modality=Modality.CT, date=date, evaluable=False, why="torn") for date in DATES]
        problem = Problem(what="the image is torn", where="p.nii", how_to_fix="copy it again")
        return build_timeline(patient.facts, examinations, settings=settings, criteria=criteria, problems=[problem])

    results = run(manifest, tmp_path / "out", assess=assess)
    assert results.scored == ()
    assert results.failed["P01"] == "the image is torn @ p.nii; copy it again"
    assert {row["category"] for row in results.overall()} == {"NE"}, "no image was read: no baseline either (detail 28)"


def test_run_record(manifest: Path, tmp_path: Path) -> None:
    run(manifest, tmp_path / "out", settings=Settings(policy=Policy(pr_size_fall=0.4)))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["notice"] == "Research use only, not a medical device."
    assert record["criteria"] == ["mda2010"]
    assert record["settings"]["policy"]["pr_size_fall"] == 0.4
    assert record["settings"]["image"]["smoothing_sigma_mm"] == 1.5
    assert {"mdanderson", "python", "numpy"} <= record["versions"].keys()
    assert list(record["patients"]) == ["P01", "P02", "P03", "P04"]
    first = record["patients"]["P01"]
    assert (first["files"], first["bytes"], first["failure"]) == (2, 2, "")
    assert first["seconds"]["assess"] >= 0


def test_progress(manifest: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    run(manifest, tmp_path / "out", progress=told.append, assess=make_assess(P04=ImageError("no")))
    assert [(one.done, one.running) for one in told] == [
        (0, ("P01",)),
        (1, ()),
        (1, ("P02",)),
        (2, ()),
        (2, ("P03",)),
        (3, ()),
        (3, ("P04",)),
        (4, ()),
    ]
    assert told[-1] == Progress(total=4, done=4, kept=0, failed=1, problems=4, latest="P04: no")
    told.clear()
    run(manifest, tmp_path / "out", progress=told.append)
    assert [one.running for one in told] == [(), ("P04",), ()]
    assert told[0] == Progress(total=4, done=3, kept=3, problems=3, again={"it failed before": ("P04",)})


def test_data_frames(manifest: Path, tmp_path: Path) -> None:
    results = run(manifest, tmp_path / "out")
    lesions = results.lesions
    assert lesions["size_mm"].tolist()[:2] == [22.0, 11.0]
    assert lesions["size_mm"].dtype == "float64"
    assert pd.isna(lesions["suv_max"]).all()
    assert lesions["date"].iloc[0] == pd.Timestamp(2024, 1, 5)
    assert lesions["slice"].dtype == "Int64"
    assert results.responses["flare"].dtype == "boolean"
    assert results.responses["lesions_assessed"].iloc[0] == 1
    assert results.patients["patient_id"].tolist() == ["P01", "P02", "P03", "P04"]
    assert results.problems["what"].tolist() == ["a remark"] * 4


def test_html(manifest: Path, tmp_path: Path) -> None:
    manifest.write_text(manifest.read_text().replace("P01", "<b>P01</b>"))
    text = run(manifest, tmp_path / "out", assess=make_assess(P02=ImageError("<no>")))._repr_html_()
    assert "<td>&lt;b&gt;P01&lt;/b&gt;</td>" in text
    assert "P02: &lt;no&gt;" in text
    assert "Research use only" in text


def test_a_cohort_may_be_given_as_read(manifest: Path, tmp_path: Path) -> None:
    assert run(read_cohort(manifest), tmp_path / "out").scored == run(manifest, tmp_path / "twin").scored


def test_what_stops_a_run_at_once(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="0 workers; use at least one"):
        run(manifest, tmp_path / "out", workers=0)
    with pytest.raises(ManifestError, match="cannot be read"):
        run(tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(OutputError, match="the cohort's own folder"):
        run(manifest, manifest.parent)
    with pytest.raises(SettingsError, match="no criteria set named"):
        run(manifest, tmp_path / "out", criteria=())
    with pytest.raises(OutputError, match="the results folder has no name"):
        run(manifest, "")
    with pytest.raises(OutputError, match="the results folder cannot be used"):
        run(manifest, tmp_path / ("x" * 400))
    assert not (tmp_path / "out").exists()


def with_reads(manifest: Path, rows: str) -> None:
    (manifest.parent / "reads.csv").write_text(f"patient_id,date,modality,lesion_id,findings,reader\n{rows}")


def test_readers_of_one_cohort_are_compared(manifest: Path, tmp_path: Path) -> None:
    """Each reader's statements by themselves; what was stored is not judged again."""
    with_reads(
        manifest, "P01,2024-04-02,CT,L01,CR2,Smith\nP01,2024-04-02,CT,L01,SD1,Jones\nP02,2024-04-02,CT,L01,CR2,Smith\n"
    )
    told = []

    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        told.append((patient.patient_id, settings.policy.reader))
        return make_assess()(patient, settings=settings, criteria=criteria)

    results = run(manifest, tmp_path / "out", assess=assess)
    (found,) = results.agreements
    assert found.names == ("Jones", "Smith")
    assert [who for who in told if who[0] in {"P01", "P02"}] == [
        ("P01", ""),
        ("P01", "Jones"),
        ("P01", "Smith"),
        ("P01", ""),  # without any, for a blinded reading
        ("P02", ""),
        ("P02", ""),
    ]
    assert "Jones,Smith,mda2010,visit,overall,1," in (tmp_path / "out" / "agreement.csv").read_text()
    assert found.measurements == ()  # nobody but the machine has measured
    told.clear()
    assert run(manifest, tmp_path / "out", assess=assess).agreements[0].categories == found.categories
    assert told == []


def test_reviews_left_in_the_results_are_read(manifest: Path, tmp_path: Path) -> None:
    """A statement there costs its patient a new judgement, and no other."""
    out = tmp_path / "out"
    run(manifest, out)
    (out / "reads.csv").write_text(
        "patient_id,date,modality,lesion_id,findings\nP02,2024-04-02,CT,L01,SD1\nP09,2024-04-02,CT,L01,SD1\n"
    )
    calls: list[str] = []
    results = run(manifest, out, assess=counting(calls))
    assert calls == ["P02", "P02"]  # with the statement, and without
    assert "patient P09 has no image in the manifest" in results.problems["what"].tolist()


def test_a_patient_that_fails_without_its_statements_is_scored_with_them(manifest: Path, tmp_path: Path) -> None:
    with_reads(manifest, "P01,2024-04-02,CT,L01,SD1,Smith\n")

    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        if patient.patient_id == "P01" and not patient.statements:
            raise ZeroDivisionError
        return make_assess()(patient, settings=settings, criteria=criteria)

    assert run(manifest, tmp_path / "out", assess=assess).scored == ("P01", "P02", "P03", "P04")
    told = Store.within(tmp_path / "out").read("P01")
    assert told is not None
    assert told.unread == {"lesions": (), "responses": ()}


def test_groups_of_patients(manifest: Path, tmp_path: Path) -> None:
    (manifest.parent / "patients.csv").write_text("patient_id,arm\nP01,A\nP02,B\n")
    results = run(manifest, tmp_path / "out", by="arm")
    assert results.summary("arm")["group"].tolist() == ["", "A", "B"]
    assert (tmp_path / "out" / "summary.csv").read_text().count("\n") == 4
    with pytest.raises(InputError, match="is 'arm' meant"):
        run(manifest, tmp_path / "other", by="arms")
    assert not (tmp_path / "other").exists()
