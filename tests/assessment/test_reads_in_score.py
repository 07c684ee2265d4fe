"""reads.csv and events.csv beside images: what a reader states is judged, and what was measured stands beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from mdanderson.assessment import assess
from mdanderson.batch.fingerprint import fingerprint
from mdanderson.batch.one import Job, Task, score_patient
from mdanderson.readers.manifest import Patient, read_cohort
from mdanderson.report.columns import LESIONS
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Basis, Status

DEMO = Path(__file__).parents[2] / "segmentations"


@pytest.fixture
def patient(tmp_path) -> Callable[..., Patient]:
    """A patient of the demo cohort with statements and events of a test; `more` are further rows of the manifest."""

    def make(patient_id: str, *, reads: str = "", events: str = "", more: str = "") -> Patient:
        with (DEMO / "cohort.csv").open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["patient_id"] == patient_id]
        text = [",".join(rows[0])]
        for row in rows:
            paths = {name: str(DEMO / row[name]) if row[name] else "" for name in ("image", "mask")}
            text.append(",".join((row | paths).values()))
        text += more.splitlines()
        (tmp_path / "cohort.csv").write_text("\n".join(text) + "\n")
        for name, table in (("reads.csv", reads), ("events.csv", events)):
            if table:
                (tmp_path / name).write_text(
                    "".join(",".join("" if c == "-" else c for c in line.split()) + "\n" for line in table.splitlines())
                )
        return read_cohort(tmp_path / "cohort.csv").patients[0]

    return make


def rows(timeline: Timeline, visit: str, modality: str = "CT"):
    found = [row for row in timeline.lesions if row.visit == visit and row.finding.modality == modality]
    return {row.lesion_id: row for row in found}


def test_a_role_and_a_code_of_a_reader(patient):
    """At baseline label 3 is L03, at the second visit label 2 is."""
    one = patient(
        "DEMO-SD",
        reads="patient_id date modality label measurable findings reader site\n"
        "DEMO-SD 2024-02-13 CT 3 no - AB sacrum\n"
        "DEMO-SD 2024-05-14 CT 2 - PR4 AB -",
        events="patient_id date event site\nDEMO-SD 2024-03-01 radiotherapy sacrum",
    )
    timeline = assess(one)
    assert timeline.response("visit1", "CT").category == "BL"
    row = rows(timeline, "visit2")["L03"]
    assert (row.category, row.category_measured, row.basis) == ("PR", "SD", Basis.READER)
    assert (row.finding.reader, row.finding.long_axis_mm is not None) == ("AB", True)
    assert row.rules == ("PR4",)
    assert rows(timeline, "visit1")["L03"].measurable is False
    assert (row.treated, rows(timeline, "visit1")["L03"].treated) == (True, False)
    assert timeline.response().category == "SD"
    assert timeline.response().category_measured == "SD"


def test_a_reader_says_what_became_of_a_lesion_nobody_segmented(patient):
    one = patient(
        "DEMO-MISSING", reads="patient_id date modality lesion_id findings\nDEMO-MISSING 2024-07-10 CT L02 CR2"
    )
    timeline = assess(one)
    row = rows(timeline, "visit2")["L02"]
    assert (row.finding.status, row.category, row.category_measured) == (Status.RESOLVED, "CR", "NE")
    assert (timeline.response().category, timeline.response().category_measured) == ("PR", "NE")  # one of two is gone
    assert not any("lesion visible but not segmented" in problem.what for problem in timeline.problems)


def test_a_reader_says_that_a_lesion_is_not_new(patient):
    one = patient("DEMO-PD-NEW", reads="patient_id date modality label new\nDEMO-PD-NEW 2024-07-20 CT 1 false")
    timeline = assess(one)
    assert rows(timeline, "visit2")["L03"].finding.status is Status.FOLLOWED
    assert (timeline.response().category, timeline.response().category_measured) == ("SD", "PD")


def test_identities_correct_a_match(patient):
    """Place says that label 1 is L01 and label 2 is L02; the reader says that it is the other way round."""
    one = patient(
        "DEMO-PR-SIZE",
        reads="patient_id date modality label lesion_id\n"
        "DEMO-PR-SIZE 2024-05-03 CT 1 L02\n"
        "DEMO-PR-SIZE 2024-05-03 CT 2 L01",
    )
    timeline = assess(one)
    assert {name: row.finding.label for name, row in rows(timeline, "visit2").items()} == {"L01": "2", "L02": "1"}
    assert not [problem for problem in timeline.problems if "reads.csv" in problem.where]


def test_names_of_a_reader_are_kept_and_two_labels_may_be_one_lesion(patient):
    one = patient(
        "DEMO-PR-SIZE",
        reads="patient_id date modality label lesion_id\n"
        "DEMO-PR-SIZE 2024-01-26 CT 2 L01\n"
        "DEMO-PR-SIZE 2024-05-03 CT 1 hip\n"
        "DEMO-PR-SIZE 2024-05-03 CT 2 hip",
    )
    timeline = assess(one)
    assert {name: row.finding.label for name, row in rows(timeline, "visit1").items()} == {"L01": "2", "L02": "1"}
    assert rows(timeline, "visit2")["hip"].finding.label == "1;2"


def test_a_label_of_two_images_of_one_day_matches_nothing(patient):
    other = f"DEMO-PR-SIZE,visit1,2024-01-26,CT,,,{DEMO}/DEMO-SD/visit1_ct.nii.gz,{DEMO}/DEMO-SD/visit1_lesions.nii.gz"
    one = patient(
        "DEMO-PR-SIZE",
        more=other,
        reads="patient_id date modality label lesion_id\nDEMO-PR-SIZE 2024-01-26 CT 2 knee",
    )
    what = "label 2 is in two images of 2024-01-26: reads.csv cannot match a lesion by it"
    assert what in {problem.what for problem in assess(one).problems}


def test_a_modality_that_nobody_segmented_is_judged_by_readers_alone(patient):
    """Nothing is stated of the first MR: what is called smaller at the second was there."""
    mr = "\n".join(
        f"DEMO-PR-SIZE,visit{visit},{date},MR,,,{DEMO}/DEMO-PR-SIZE/visit{visit}_lesions.nii.gz,"
        for visit, date in ((1, "2024-01-27"), (2, "2024-05-04"))
    )
    one = patient(
        "DEMO-PR-SIZE",
        more=mr,
        reads="patient_id date modality lesion_id findings\nDEMO-PR-SIZE 2024-05-04 MR L01 PR4",
    )
    assert one.problems == ()
    timeline = assess(one)
    assert rows(timeline, "visit1", "MR")["L01"].finding.status is Status.BASELINE
    assert timeline.response("visit1", "MR").category == "BL"
    assert timeline.response("visit2", "MR").category == "PR"
    assert {problem.what for problem in timeline.problems if "segmented" in problem.what} == {
        "no lesion is segmented in any of its images (MR): judged by readers' statements alone"
    }


def test_a_statement_changes_the_fingerprint_and_the_order_of_codes_does_not(patient):
    prints = {
        codes: fingerprint(
            patient("DEMO-SD", reads=f"patient_id date modality label findings\nDEMO-SD 2024-05-14 CT 2 {codes}"),
            settings=Settings(),
            criteria=("mda2010",),
        )
        for codes in ("PR4;PR1;SD1", "SD1;PR1;PR4", "PR4")
    }
    assert prints["PR4;PR1;SD1"] == prints["SD1;PR1;PR4"]
    assert prints["PR4"] != prints["SD1;PR1;PR4"]


def test_the_basis_of_a_lesion_that_only_a_reader_knows(patient):
    """Its row says so, and so does that of a lesion whose novelty the reader settled."""
    one = patient(
        "DEMO-PD-NEW",
        reads="patient_id date modality label lesion_id new comment\n"
        "DEMO-PD-NEW 2024-07-20 CT 1 - false -\n"
        "DEMO-PD-NEW 2024-07-20 CT - hip true faint",
    )
    bases = {name: row.basis for name, row in rows(assess(one), "visit2").items()}
    assert bases.pop("hip") is Basis.READER
    assert bases.pop("L03") is Basis.READER
    assert set(bases.values()) == {Basis.MEASURED}


def test_a_misspelt_lesion_of_an_image_is_an_error(patient):
    one = patient("DEMO-SD", reads="patient_id date modality lesion_id findings\nDEMO-SD 2024-05-14 CT L3 PD2")
    timeline = assess(one)
    assert timeline.response().category_measured == "SD"
    assert timeline.response().category == "NE", "whose growth it is, nobody can say (decision 13)"
    (problem,) = (one for one in timeline.problems if "reads.csv" in one.where)
    assert (problem.severity, problem.how_to_fix) == ("error", "write L03 if that is meant, or new=true if it is new")


def test_a_new_lesion_on_a_scan_that_nobody_measures_is_not_put_at_its_baseline(patient):
    first, later = (f"{DEMO}/DEMO-PR-SIZE/visit{visit}_ct.nii.gz" for visit in (1, 2))
    one = patient(
        "DEMO-SD",
        more=f"DEMO-SD,visit1,2024-02-13,MR,,,{first},\nDEMO-SD,visit2,2024-05-14,MR,,,{later},",
        reads="patient_id date modality lesion_id findings\nDEMO-SD 2024-05-14 MR spine PD4",
    )
    assert assess(one).response("visit2", "MR").category == "PD"


def test_what_the_images_alone_tell_is_kept_for_a_blinded_reader(patient):
    """Names, new lesions and ties that a reader stated are not in it, nor in the pictures beside it."""
    reads = (
        "patient_id date modality label lesion_id new\n"
        "DEMO-PR-SIZE 2024-05-03 CT 1 L02 -\n"
        "DEMO-PR-SIZE 2024-05-03 CT 2 hip -\n"
        "DEMO-PR-SIZE 2024-05-03 CT - NEWA true"
    )
    one = patient("DEMO-PR-SIZE", reads=reads)
    job = Job(settings=Settings(), criteria=("mda2010",), pictures=True)
    read = score_patient(job, Task(patient=one, prints={}))
    assert read.unread is not None
    assert {row["lesion_id"] for row in LESIONS.named(read.tables["lesions"])} == {"L01", "L02", "hip", "NEWA"}
    labels = {(row["lesion_id"], row["visit"]): row["label"] for row in LESIONS.named(read.unread["lesions"])}
    assert labels == {("L01", "visit1"): "1", ("L02", "visit1"): "2", ("L01", "visit2"): "1", ("L02", "visit2"): "2"}
    assert {picture.lesion_id for picture in read.pictures} == {"L01", "L02", "hip"}
    assert {picture.lesion_id for picture in read.unread_pictures} == {"L01", "L02"}


def test_an_entry_by_label_counts_whatever_another_reader_calls_the_lesion(patient):
    one = patient(
        "DEMO-PR-SIZE",
        reads="patient_id date modality label lesion_id findings reader time\n"
        "DEMO-PR-SIZE 2024-05-03 CT 2 hip - Smith 2024-06-01T10:00\n"
        "DEMO-PR-SIZE 2024-05-03 CT 2 - SD1 Jones 2024-06-01T11:00",
    )
    timeline = assess(one)
    (lesion,) = (row for row in rows(timeline, "visit2").values() if row.finding.label == "2")
    assert lesion.finding.reader_codes == {"SD1"}
    assert not [problem for problem in timeline.problems if "reads.csv" in problem.where]
