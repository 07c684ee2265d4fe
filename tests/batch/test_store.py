"""Finished patients on disk, what makes them outdated, and where results may go."""

from __future__ import annotations

import datetime as dt
import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mdanderson
from mdanderson.batch.fingerprint import fingerprint, input_files, inputs_of, versions
from mdanderson.batch.folder import checked_folder
from mdanderson.batch.store import Finished, Store, write_atomically
from mdanderson.errors import OutputError, Problem
from mdanderson.findings import PatientFacts
from mdanderson.readers.manifest import Cohort, ImageEntry, Patient
from mdanderson.settings import ImageSettings, Policy, Settings

SAMPLE = Finished(
    patient_id="P01",
    fingerprint="abc",
    tables={"lesions": (("P01", "", "12.30"), ("P01", 'a "b", c', "-0.50")), "problems": ()},
    seconds={"assess": 1.25},
    written_at=1_700_000_000.5,
)


def test_when_it_was_stored_is_kept_with_it(tmp_path: Path) -> None:
    store = Store.within(tmp_path / "out")
    store.write(replace(SAMPLE, written_at=0.0))
    (path,) = store.folder.iterdir()
    os.utime(path, (1e9, 1e9))
    assert abs(written_at(store) - time.time()) < 60
    store.write(SAMPLE)
    assert written_at(store) == 1_700_000_000.5


def written_at(store: Store) -> float:
    finished = store.read("P01")
    assert finished is not None
    return finished.written_at


def test_how_many_entries_a_result_holds(tmp_path: Path) -> None:
    store = Store.within(tmp_path / "out")
    store.write(replace(SAMPLE, entries=3))
    assert (store.entries_of("P01"), store.entries_of("P02")) == (3, 0)


def test_round_trip(tmp_path: Path) -> None:
    store = Store.within(tmp_path / "out")
    store.write(SAMPLE)
    assert store.read("P01") == SAMPLE
    assert store.read("P02") is None
    assert [path.suffix for path in store.folder.iterdir()] == [".json"]


_WORD = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patient_id=_WORD, cells=st.lists(st.tuples(_WORD, _WORD), max_size=4))
def test_any_text_survives(tmp_path: Path, patient_id: str, cells: list[tuple[str, str]]) -> None:
    store = Store.within(tmp_path)
    finished = Finished(
        patient_id=patient_id,
        fingerprint="abc",
        tables={"lesions": tuple(cells)},
        failure="".join(patient_id),
        written_at=1.0,
    )
    store.write(finished)
    assert store.read(patient_id) == finished


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"patient_id": "P01"}', "\0\0"])
def test_a_damaged_file_counts_as_not_finished(tmp_path: Path, damage: str) -> None:
    store = Store.within(tmp_path)
    store.write(SAMPLE)
    (file,) = store.folder.iterdir()
    file.write_text(damage)
    assert store.read("P01") is None


def test_clear(tmp_path: Path) -> None:
    store = Store.within(tmp_path)
    store.write(SAMPLE)
    (store.folder / ".x.json.77.tmp").touch()
    store.clear()
    assert list(store.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        OutputError, match=r"the results folder cannot be made @ .*; choose another \(Not a directory\)"
    ):
        Store.within(tmp_path / "file" / "out")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    write_atomically(path, "old\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"results cannot be written @ .*table.csv; make room .*No space left"):
        write_atomically(path, "new\n")
    assert path.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "table.csv", "Ä\n")
    assert (tmp_path / "table.csv").read_bytes() == b"\xc3\x84\n"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    (tmp_path / "a.nii").write_bytes(b"12")
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1.dcm").write_bytes(b"1")
    entries = (ImageEntry(image=tmp_path / "a.nii", row=2), ImageEntry(image=tmp_path / "series", row=3))
    return Patient(patient_id="P01", facts=PatientFacts(patient_id="P01"), images=entries)


def now(patient: Patient, *, policy: Policy | None = None, criteria: tuple[str, ...] = ("mda2010",)) -> str:
    return fingerprint(patient, settings=Settings(policy=policy or Policy()), criteria=criteria)


def test_input_files(patient: Patient, tmp_path: Path) -> None:
    files = list(input_files(patient))
    assert [(file["path"], file["bytes"]) for file in files] == [
        (str(tmp_path / "a.nii"), 2),
        (str(tmp_path / "series" / "1.dcm"), 1),
    ]


def test_a_file_that_vanishes_is_still_listed(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "a.nii").unlink()
    assert next(input_files(patient)) == {"path": str(tmp_path / "a.nii"), "bytes": -1, "modified_ns": -1}


def test_of_a_folder_count_the_files_that_a_reader_opens(patient: Patient, tmp_path: Path) -> None:
    """A link that leads nowhere, or is longer than any name, is none; neither is what lies deeper or is hidden."""
    folder = tmp_path / "a.nii"
    folder.unlink()
    (folder / "deeper").mkdir(parents=True)
    for name in ("deeper/1.dcm", ".DS_Store", "2.dcm", "1.dcm"):
        (folder / name).write_bytes(b"0" * 5)
    (folder / "broken").symlink_to("a" * 300)
    (folder / "nowhere").symlink_to("gone")
    assert [one["path"] for one in input_files(patient)][:-1] == [str(folder / "1.dcm"), str(folder / "2.dcm")]
    assert (inputs_of(patient)[0].files, inputs_of(patient)[0].bytes) == (2, 10)


def test_a_folder_that_cannot_be_looked_into_is_no_reason_to_stop(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.nii").unlink()
    (tmp_path / "a.nii").mkdir()

    def stale(_: Path) -> list[Path]:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Path, "iterdir", stale)
    assert inputs_of(patient)[0].files == 0
    for asked in ("is_dir", "is_file"):
        monkeypatch.setattr(Path, asked, stale)
    assert inputs_of(patient)[0].files == 1
    assert [one["path"] for one in input_files(patient)] == [str(entry.image) for entry in patient.images]


def test_a_file_too_large_for_any_reader_is_not_read(patient: Patient, tmp_path: Path) -> None:
    """It takes no room on the disk, and would take a minute, or an hour."""
    with (tmp_path / "a.nii").open("wb") as file:
        file.truncate(10**10)
    began = time.process_time()
    assert (inputs_of(patient)[0].sha256, inputs_of(patient)[0].bytes) == ("", 10**10)
    assert time.process_time() - began < 1


def test_the_same_inputs_have_the_same_fingerprint(patient: Patient) -> None:
    assert now(patient) == now(patient)
    assert len(now(patient)) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.nii").write_bytes(b"123"),
        lambda folder: os.utime(folder / "a.nii", ns=(1, 1)),
        lambda folder: (folder / "series" / "2.dcm").touch(),
        lambda folder: (folder / "series" / "1.dcm").unlink(),
    ],
)
def test_a_changed_file_changes_it(patient: Patient, tmp_path: Path, change: Callable[[Path], object]) -> None:
    before = now(patient)
    change(tmp_path)
    assert now(patient) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"images": ()},
        {"facts": PatientFacts(patient_id="P01", treatment_start=dt.date(2024, 1, 5))},
        {"problems": (Problem(what="x"),)},
    ],
)
def test_changed_rows_change_it(patient: Patient, changes: dict[str, object]) -> None:
    assert now(replace(patient, **changes)) != now(patient)


def test_changed_settings_or_criteria_change_it(patient: Patient) -> None:
    assert now(patient, policy=Policy(pr_size_fall=0.4)) != now(patient)
    assert now(patient, criteria=("mda2004",)) != now(patient)
    changed = Settings(image=ImageSettings(lytic_robust_sd=2.5))
    assert fingerprint(patient, settings=changed, criteria=("mda2010",)) != now(patient)


def test_versions() -> None:
    assert {"mdanderson", "python", "numpy", "SimpleITK", "pydicom"} <= versions().keys()
    assert versions()["mdanderson"] == mdanderson.__version__
    assert versions()["numpy"] != "not installed"


def cohort_of(patient: Patient, tmp_path: Path) -> Cohort:
    return Cohort(path=tmp_path / "cohort.csv", patients=(patient,))


def test_folders_that_are_fine(patient: Patient, tmp_path: Path) -> None:
    cohort = cohort_of(patient, tmp_path)
    for out in (tmp_path / "results", tmp_path.parent / "elsewhere", tmp_path.parent):
        assert checked_folder(out, cohort) == out
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (".", "results would lie in the cohort's own folder"),
        ("series/..", "results would lie in the cohort's own folder"),
        ("series", "results would lie among the images"),
        ("series/results", "results would lie among the images"),
        ("a.nii", "the results folder is a file"),
    ],
)
def test_folders_that_are_refused(patient: Patient, tmp_path: Path, name: str, line: str) -> None:
    with pytest.raises(OutputError, match=line):
        checked_folder(tmp_path / name, cohort_of(patient, tmp_path))


@pytest.mark.parametrize("column", ["image", "mask", "bone_mask", "reference_mask"])
def test_results_never_lie_beside_an_input(patient: Patient, tmp_path: Path, column: str) -> None:
    beside = tmp_path / "P01"
    beside.mkdir()
    (beside / "x.nii").touch()
    entry = replace(patient.images[0], **{column: beside / "x.nii"})
    cohort = cohort_of(replace(patient, images=(entry,)), tmp_path)
    for out in (beside, tmp_path / "new" / ".." / "P01"):
        with pytest.raises(OutputError, match="results would lie beside images or masks of the cohort"):
            checked_folder(out, cohort)
    assert checked_folder(beside / "results", cohort) == beside / "results"
    assert [path.name for path in beside.iterdir()] == ["x.nii"]


def test_the_row_that_stands_in_the_way_is_named(patient: Patient, tmp_path: Path) -> None:
    """Among thousands, one whose image is `..` would be searched for in vain."""
    (tmp_path / "tables").mkdir()
    wide = replace(patient.images[0], image=tmp_path / "tables" / "..", row=7)
    cohort = cohort_of(replace(patient, images=(*patient.images[1:], wide)), tmp_path / "tables")
    with pytest.raises(OutputError) as caught:
        checked_folder(tmp_path / "out", cohort)
    assert str(caught.value) == (
        f"results would lie among the images @ {tmp_path / 'out'} ({cohort.path.name} row 7, patient P01); "
        "name another folder, or correct the row"
    )


def test_results_never_lie_beside_a_series(patient: Patient, tmp_path: Path) -> None:
    series = tmp_path / "P01" / "ct"
    series.mkdir(parents=True)
    cohort = cohort_of(replace(patient, images=(replace(patient.images[0], image=series),)), tmp_path)
    with pytest.raises(OutputError, match="beside images or masks"):
        checked_folder(series.parent, cohort)
    assert checked_folder(series.parent / "results", cohort) == series.parent / "results"


def test_a_linked_input_is_guarded_where_it_stands_and_where_it_leads(patient: Patient, tmp_path: Path) -> None:
    stands, leads = tmp_path / "stands", tmp_path / "leads"
    stands.mkdir()
    leads.mkdir()
    (leads / "x.nii").touch()
    (stands / "y.nii").symlink_to(leads / "x.nii")
    cohort = cohort_of(replace(patient, images=(replace(patient.images[0], image=stands / "y.nii"),)), tmp_path)
    for out in (stands, leads):
        with pytest.raises(OutputError, match="beside images or masks"):
            checked_folder(out, cohort)


def test_a_link_to_the_cohort_is_its_folder(
    patient: Patient, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(OutputError, match="the cohort's own folder"):
        checked_folder(link, cohort_of(patient, tmp_path))


@pytest.mark.parametrize(
    "name", ["lesions.csv", "problems.csv", "summary.csv", "agreement.csv", "adjudication.csv", "run.json"]
)
def test_somebody_elses_file_is_not_overwritten(patient: Patient, tmp_path: Path, name: str) -> None:
    out = tmp_path / "other"
    out.mkdir()
    (out / name).touch()
    with pytest.raises(OutputError, match=f"{name} is there already and was not written by a run"):
        checked_folder(out, cohort_of(patient, tmp_path))
    Store.within(out)
    assert checked_folder(out, cohort_of(patient, tmp_path)) == out
