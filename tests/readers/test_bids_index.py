"""A BIDS tree as a cohort: names and tables of the standard, and what people make of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from safety import samples
from soup import series, throw

import mdanderson as mda
from mdanderson.cli import main
from mdanderson.readers.bids_index.names import BidsName, mask_role, meaning_of
from mdanderson.vocabulary import Modality, MrSequence

DEMO = Path(__file__).parents[2] / "segmentations"


def image(root: Path, path: str, **said: object) -> Path:
    """A small image at a path, with a sidecar of what is said."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    array = (
        samples.lesion().astype(np.uint8)
        if path.rpartition("_")[2].startswith(("dseg", "mask", "seg", "msk"))
        else None
    )
    place.write_bytes(samples.gz(samples.nifti_bytes(array)))
    if said:
        place.with_name(place.name.replace(".nii.gz", ".json")).write_text(json.dumps(said))
    return place


def table(root: Path, path: str, *rows: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("".join(row.replace(" ", "\t") + "\n" for row in rows))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two subjects: one with two sessions of CT and MR and masks, one with a PET in SUV and a table of scans alone."""
    root = tmp_path / "bids"
    root.mkdir()
    (root / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.10.0"}))
    table(root, "participants.tsv", "participant_id sex", "sub-01 F", "sub-02 M", "sub-03 M")
    table(
        root,
        "sub-01/sub-01_sessions.tsv",
        "session_id acq_time",
        "ses-base 2024-01-05T10:00:00",
        "ses-week12 2024-04-05T10:00:00.123Z",
    )
    for session in ("base", "week12"):
        stem = f"sub-01/ses-{session}/ct/sub-01_ses-{session}"
        image(root, f"{stem}_ct.nii.gz")
        image(root, f"derivatives/lesions/{stem}_dseg.nii.gz")
        image(root, f"derivatives/totalseg/{stem}_desc-vertebrae_dseg.nii.gz")
    image(root, "sub-01/ses-base/anat/sub-01_ses-base_T1w.nii.gz")
    image(root, "sub-01/ses-base/anat/sub-01_ses-base_acq-STIR_T2w.nii.gz")
    image(root, "sub-01/ses-base/anat/sub-01_ses-base_FLAIR.nii.gz")
    image(root, "sub-02/pet/sub-02_pet.nii.gz", Units="SUV")
    table(root, "sub-02/sub-02_scans.tsv", "filename acq_time", "pet/sub-02_pet.nii.gz 2024-02-01T08:00:00")
    return root


def test_a_tree_becomes_a_manifest_that_is_scored(tree, tmp_path):
    assert main(["index", str(tree), "-o", str(tmp_path / "cohort.csv"), "-q"]) == 0
    cohort = mda.read_cohort(tmp_path / "cohort.csv")
    assert cohort.problems == ()
    told = [
        (one.visit, str(one.date), one.modality, one.sequence, one.mask is not None, one.bone_mask is not None)
        for one in cohort["sub-01"].images
    ]
    assert told == [
        ("base", "2024-01-05", "CT", "", True, True),
        ("base", "2024-01-05", "MR", "STIR", False, False),
        ("base", "2024-01-05", "MR", "T1", False, False),
        ("week12", "2024-04-05", "CT", "", True, True),
    ]
    assert [(str(one.date), one.modality) for one in cohort["sub-02"].images] == [("2024-02-01", "PT")]


@pytest.mark.slow
def test_a_tree_is_scored(tmp_path):
    """A patient of the demo cohort under names of BIDS: index, check, score, and the known answer."""
    told = (DEMO / "cohort.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(told) if row["patient_id"] == "DEMO-SD"]
    for number, row in enumerate(rows, start=1):
        stem = f"sub-SD/ses-{number}/ct/sub-SD_ses-{number}"
        for source, name in ((row["image"], f"{stem}_ct.nii.gz"), (row["mask"], f"derivatives/l/{stem}_dseg.nii.gz")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).symlink_to(DEMO / source)
    days = [f"ses-{number} {row['date']}" for number, row in enumerate(rows, start=1)]
    table(tmp_path, "sub-SD/sub-SD_sessions.tsv", "session_id acq_time", *days)
    assert main(["index", str(tmp_path), "-o", str(tmp_path / "cohort.csv"), "-q"]) == 0
    assert main(["check", str(tmp_path / "cohort.csv"), "-q", "--timeout", "0"]) == 0
    results = mda.score(tmp_path / "cohort.csv", out=tmp_path / "out", report=False)
    assert [row["category"] for row in results.overall()] == ["BL", "SD"]


def test_what_is_left_out_is_listed(tree):
    found = mda.index(tree)
    left = {row.description: row.reason for row in found.found.series if not row.used}
    assert left == {"sub-01_ses-base_FLAIR.nii.gz": "flair: not scored"}
    assert [problem.what for problem in found.problems] == ["a participant without an image that is scored"]


def test_the_table_of_scans_goes_before_that_of_sessions(tree):
    table(
        tree,
        "sub-01/ses-base/sub-01_ses-base_scans.tsv",
        "filename acq_time",
        "ct/sub-01_ses-base_ct.nii.gz 2024-01-07",
        "anat/sub-01_ses-base_T1w.nii.gz n/a",
    )
    days = {(row.modality, row.sequence): str(row.date) for row in mda.index(tree).found.images if row.visit == "base"}
    assert days == {("CT", ""): "2024-01-07", ("MR", "T1"): "2024-01-05", ("MR", "STIR"): "2024-01-05"}


@pytest.mark.parametrize(
    ("cell", "what"),
    [("n/a", "no date: left out"), ("5.1.2024", "not an ISO 8601 date: 5.1.2024"), ("", "no date: left out")],
)
def test_without_a_date_an_image_is_left_out(tree, tmp_path, capsys, cell, what):
    table(tree, "sub-02/sub-02_scans.tsv", "filename acq_time", f"pet/sub-02_pet.nii.gz {cell}")
    assert main(["index", str(tree), "-o", str(tmp_path / "c.csv")]) == 1
    told = capsys.readouterr().out
    assert what in told
    assert "give acq_time in scans.tsv or sessions.tsv" in told
    assert "sub-02" not in (tmp_path / "c.csv").read_text()


def test_a_pet_in_becquerels_is_no_suv(tree):
    (tree / "sub-02/pet/sub-02_pet.json").write_text(json.dumps({"Units": "Bq/mL"}))
    (row,) = (one for one in mda.index(tree).found.series if "pet" in one.description)
    assert not row.used
    assert "convert it" in row.reason


def test_units_are_inherited(tree):
    (tree / "sub-02/pet/sub-02_pet.json").unlink()
    (tree / "pet.json").write_text(json.dumps({"Units": "Bq/mL"}))
    assert not any(row.modality == "PT" for row in mda.index(tree).found.images)


def test_of_two_runs_the_one_that_was_drawn_on_is_used(tree):
    (tree / "sub-02").rename(tree / "sub-02-old")
    for run in ("1", "2"):
        image(tree, f"sub-04/ct/sub-04_run-{run}_ct.nii.gz")
    table(
        tree, "sub-04/sub-04_scans.tsv", "filename acq_time", *(f"ct/sub-04_run-{n}_ct.nii.gz 2024-01-01" for n in "12")
    )
    assert [row.image[-15:] for row in mda.index(tree).found.images if row.patient_id == "sub-04"] == [
        "run-1_ct.nii.gz"
    ]
    image(tree, "derivatives/l/sub-04/ct/sub-04_run-2_desc-lesions_mask.nii.gz")
    (row,) = (row for row in mda.index(tree).found.images if row.patient_id == "sub-04")
    assert "run-2" in row.image
    assert row.mask


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("derivatives/l/sub-01/ses-week12/ct/sub-01_ses-week99_dseg.nii.gz", "a mask without its image"),
        ("derivatives/l/sub-01/ses-base/anat/sub-01_ses-base_dseg.nii.gz", "a mask that fits 2 images"),
        ("derivatives/l/sub-01/ses-base/ct/sub-01_ses-base_desc-lesion_dseg.nii.gz", "2 masks of lesions of one image"),
    ],
)
def test_a_mask_that_cannot_be_laid_is_told(tree, path, what):
    image(tree, "sub-01/ses-base/anat/sub-01_ses-base_T2w.nii.gz")
    image(tree, path)
    assert any(what in problem.what for problem in mda.index(tree).problems)


def test_a_space_names_the_image(tree):
    image(tree, "derivatives/l/sub-01/ses-base/anat/sub-01_ses-base_space-T1w_dseg.nii.gz")
    image(tree, "derivatives/l/sub-01/ses-base/anat/sub-01_ses-base_space-MNI152_dseg.nii.gz")
    found = mda.index(tree)
    assert [bool(row.mask) for row in found.found.images if row.sequence == "T1"] == [True]
    assert any("a mask without its image" in problem.what for problem in found.problems)


def test_hostile_tables_and_sidecars_are_one_line(tree):
    (tree / "sub-02/sub-02_scans.tsv").write_bytes(b"\xff\xfe\0bad")
    (tree / "sub-02/pet/sub-02_pet.json").write_text("[" * 100_000)
    (tree / "participants.tsv").write_text("nothing\n")
    problems = mda.index(tree).problems
    assert all(problem.what and problem.where for problem in problems)
    assert any("participant_id" in problem.what for problem in problems)


@pytest.mark.parametrize(("folder", "is_told"), [("DICOM", True), ("sourcedata/DICOM", False)])
def test_dicom_files_in_the_tree_are_told(tree, folder, is_told):
    throw(tree / folder, series(), folders=0)
    found = [problem for problem in mda.index(tree).problems if "DICOM" in problem.what]
    assert [problem.what for problem in found] == ["6 DICOM file(s) in a BIDS tree: not looked at"] * is_told


def test_other_names_for_participants(tree):
    found = mda.index(tree, named=lambda participant: participant.replace("sub-", "X"))
    assert found.found.patients == ("X01", "X02")
    assert {problem.patient_id for problem in found.problems} == {"X03"}


def test_a_dicom_export_with_such_folders_is_none(tmp_path):
    from soup import series, throw

    throw(tmp_path / "x" / "sub-01" / "ses-1" / "ct", series(), folders=0)
    assert mda.index(tmp_path / "x").found.patients == ("P1",)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("sub-1_T1w.nii.gz", (Modality.MR, MrSequence.T1)),
            ("sub-1_acq-tirm_T2w.nii", (Modality.MR, MrSequence.STIR)),
            ("sub-1_T2w.nii", (Modality.MR, MrSequence.T2)),
            ("sub-1_CT.nii.gz", (Modality.CT, None)),
            ("sub-1_trc-18FFDG_pet.nii.gz", (Modality.PT, None)),
            ("sub-1_bold.nii.gz", None),
        ],
    )
    def test_meaning(self, name, meant):
        found = meaning_of(BidsName.of(name))
        assert (found and (found.modality, found.sequence)) == meant

    @pytest.mark.parametrize("name", ["T1w.txt", "sub_1_T1w.nii", "README", "sub-1_.nii", ".nii"])
    def test_no_name_of_bids(self, name):
        assert BidsName.of(name) is None

    @pytest.mark.parametrize(
        ("name", "pipeline", "role"),
        [
            ("sub-1_dseg.nii.gz", "", "lesions"),
            ("sub-1_label-lesion_mask.nii.gz", "totalsegmentator", "lesions"),
            ("sub-1_dseg.nii.gz", "totalsegmentator", "bones"),
            ("sub-1_seg-vert_msk.nii.gz", "", "bones"),
            ("sub-1_desc-brain_mask.nii.gz", "", ""),
        ],
    )
    def test_role(self, name, pipeline, role):
        assert mask_role(BidsName.of(name), pipeline) == role
