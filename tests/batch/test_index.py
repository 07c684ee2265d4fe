"""From a folder in no order to results: index, check, score; and what is written beside the manifest."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from soup import drawn_on, series, throw

import mdanderson as mda
from mdanderson.batch.index import Index
from mdanderson.cli import main
from mdanderson.errors import InputError, OutputError

DEMO = Path(__file__).parents[2] / "segmentations"
PATIENTS = ("DEMO-DICOM", "DEMO-PETCT")
TABLES = ("responses.csv", "lesions.csv", "patients.csv")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def soup(tmp_path_factory) -> Path:
    """Two patients of the demo cohort and what an archive adds: a scout, a reformat, a copy, a text, a lost report."""
    folder = tmp_path_factory.mktemp("export")
    files = [path for patient in PATIENTS for path in sorted((DEMO / patient).rglob("*.dcm"))]
    scout = series(patient="DEMO-PETCT", day="20240522", number=7, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    throw(folder, files, files[:9], scout, seed=8, folders=5)
    (folder / "d0" / "README").write_text("made by an archive")
    return folder


@pytest.fixture(scope="module")
def indexed(soup, tmp_path_factory) -> Index:
    return mda.index(soup, tmp_path_factory.mktemp("study") / "cohort.csv", workers=1)


class TestFolderSoup:
    def test_its_images_are_those_of_the_demo(self, indexed):
        rows = indexed.manifest
        assert list(rows.columns)[:4] == ["patient_id", "visit", "date", "modality"]
        wanted = [row for row in rows_of(DEMO / "cohort.csv") if row["patient_id"] in PATIENTS]
        assert len(rows) == len(wanted)
        assert sorted(map(bool, rows["mask"])) == sorted(bool(row["mask"]) for row in wanted)
        assert [problem.severity for problem in indexed.problems if problem.severity != "info"] == []

    @pytest.mark.slow
    def test_index_check_score_gives_the_results_of_the_demo(self, indexed, tmp_path, capsys):
        """Other paths, other order, the same answers: every number of every table."""
        assert main(["check", str(indexed.out), "-q", "--timeout", "0"]) == 0
        assert "2 patients, 6 images read, 0 errors" in capsys.readouterr().out
        mda.score(indexed.out, out=tmp_path / "soup", report=False)
        shutil.copytree(
            DEMO,
            tmp_path / "demo",
            ignore=lambda _, names: [n for n in names if n.startswith("DEMO") and n not in PATIENTS],
        )
        kept = [
            line
            for line in (DEMO / "cohort.csv").read_text().splitlines(keepends=True)
            if line.startswith(("patient_id", *PATIENTS))
        ]
        (tmp_path / "demo" / "cohort.csv").write_text("".join(kept))
        (tmp_path / "demo" / "patients.csv").unlink()
        mda.score(tmp_path / "demo" / "cohort.csv", out=tmp_path / "plain", report=False)
        for name in TABLES:
            ours, theirs = rows_of(tmp_path / "soup" / name), rows_of(tmp_path / "plain" / name)
            assert ours
            for row in (*ours, *theirs):
                row.pop("visit", None)  # ours are numbered, theirs are named
                row["reason"] = row.get("reason", "") and "said"  # it names visits
            assert ours == theirs, name

    def test_workers_and_runs_change_nothing(self, soup, indexed, tmp_path):
        again = mda.index(soup, tmp_path / "cohort.csv", workers=2)
        for ending in (".csv", "_series.csv", "_problems.csv"):
            name = f"cohort{ending}"
            assert (tmp_path / name).read_bytes() == (indexed.out.parent / name).read_bytes()
        assert again.problems == indexed.problems

    def test_nothing_in_the_folder_is_touched(self, soup, indexed):
        assert indexed.out is not None
        assert {path.name for path in soup.iterdir()} == {f"d{number}" for number in range(5)}

    def test_the_command_tells_what_it_found(self, soup, tmp_path, capsys):
        assert main(["index", str(soup), "-o", str(tmp_path / "cohort.csv"), "--workers", "1"]) == 0
        told = capsys.readouterr().out
        assert "2 patients" in told
        assert f"mdanderson check {tmp_path / 'cohort.csv'}" in told
        assert "1 of other kinds" in told

    def test_pseudonyms_are_those_of_score(self, soup, tmp_path):
        assert main(["key", str(tmp_path / "key")]) == 0
        assert (
            main(["index", str(soup), "-o", str(tmp_path / "c.csv"), "--pseudonymize", str(tmp_path / "key"), "-q"])
            == 0
        )
        from mdanderson.readers.pseudonyms import Pseudonyms

        names = {Pseudonyms.from_file(tmp_path / "key").of(patient) for patient in PATIENTS}
        assert {row["patient_id"] for row in rows_of(tmp_path / "c.csv")} == names
        assert "DEMO" not in (tmp_path / "c_series.csv").read_text()


class TestWhatIsWritten:
    def test_a_series_by_itself_is_named_where_it_lies(self, tmp_path):
        throw(tmp_path / "a" / "ct", series(), folders=0)
        found = mda.index(tmp_path / "a", tmp_path / "cohort.csv")
        assert [row["image"] for row in rows_of(tmp_path / "cohort.csv")] == ["a/ct"]
        assert found.linked.folder is None

    def test_several_in_one_folder_are_told_apart_by_the_column_series(self, tmp_path):
        ct = series()
        throw(tmp_path / "a", ct, series("MR", number=2), drawn_on(ct), folders=0)
        mda.index(tmp_path / "a", tmp_path / "cohort.csv")
        rows = rows_of(tmp_path / "cohort.csv")
        assert {row["image"] for row in rows} == {"a"}
        assert mda.read_volume(tmp_path / "a", series=rows[0]["series"]).array.shape == (6, 24, 24)
        assert main(["check", str(tmp_path / "cohort.csv"), "-q", "--timeout", "0"]) == 0

    def test_scattered_files_are_linked_and_links_are_made_anew(self, tmp_path):
        throw(tmp_path / "a", series())
        for _ in range(2):
            found = mda.index(tmp_path / "a", tmp_path / "cohort.csv", replace=True)
        (row,) = rows_of(tmp_path / "cohort.csv")
        assert row["image"] == "cohort_links/0001_2024-01-05_CT"
        assert len(list((tmp_path / row["image"]).iterdir())) == 6
        assert mda.read_volume(tmp_path / row["image"]).array.shape == (6, 24, 24)
        assert found.cohort["P1"].images[0].image == tmp_path / row["image"]
        shutil.move(tmp_path / "a", tmp_path / "moved" / "a")
        for name in ("cohort.csv", "cohort_links"):
            shutil.move(tmp_path / name, tmp_path / "moved" / name)
        assert mda.read_volume(tmp_path / "moved" / row["image"]).array.shape == (6, 24, 24)

    def test_a_damaged_file_in_the_folder_costs_no_other_series(self, tmp_path):
        throw(tmp_path / "a", series(), folders=0)
        (tmp_path / "a" / "empty").touch()
        assert mda.index(tmp_path / "a", tmp_path / "cohort.csv").errors == 1
        assert main(["check", str(tmp_path / "cohort.csv"), "-q", "--timeout", "0"]) == 0

    def test_an_export_may_hold_the_manifest_itself(self, tmp_path):
        throw(tmp_path, series())
        first = mda.index(tmp_path, tmp_path / "cohort.csv")
        again = mda.index(tmp_path, tmp_path / "cohort.csv", replace=True)
        assert again.found.dicom == first.found.dicom == 6
        assert again.found.images == first.found.images

    def test_names_that_a_table_cannot_hold(self, tmp_path):
        ct = series()
        throw(tmp_path / " two\nlines ", ct, folders=0)
        drawn_on(ct).save_as(tmp_path / " two\nlines " / "=mask", enforce_file_format=True)
        mda.index(tmp_path, tmp_path / "cohort.csv")
        (row,) = rows_of(tmp_path / "cohort.csv")
        assert main(["check", str(tmp_path / "cohort.csv"), "-q", "--timeout", "0"]) == 0
        assert row["mask"].startswith("cohort_links/")

    @pytest.mark.parametrize("name", ["=cmd()", "-x", "@y", "+1"])
    def test_no_cell_is_a_formula(self, tmp_path, name):
        throw(tmp_path / name, series(patient=name, SeriesDescription="=2+2"), folders=0)
        mda.index(tmp_path, tmp_path / "cohort.csv")
        for table in ("cohort.csv", "cohort_series.csv"):
            for row in rows_of(tmp_path / table):
                assert not any(cell.startswith(("=", "-", "@", "+")) for cell in row.values())
        assert main(["check", str(tmp_path / "cohort.csv"), "-q", "--timeout", "0"]) == 0

    def test_a_manifest_is_not_replaced_unasked(self, tmp_path, capsys):
        throw(tmp_path / "a", series())
        (tmp_path / "cohort.csv").write_text("edited by hand")
        assert main(["index", str(tmp_path / "a"), "-o", str(tmp_path / "cohort.csv")]) == 2
        assert "--replace" in capsys.readouterr().err
        assert (tmp_path / "cohort.csv").read_text() == "edited by hand"
        assert main(["index", str(tmp_path / "a"), "-o", str(tmp_path / "cohort.csv"), "--replace", "-q"]) == 0

    def test_nor_is_somebodys_folder(self, tmp_path):
        throw(tmp_path / "a", series())
        (tmp_path / "cohort_links").mkdir()
        with pytest.raises(OutputError, match="in the place of the links"):
            mda.index(tmp_path / "a", tmp_path / "cohort.csv")
        assert not (tmp_path / "cohort.csv").exists()

    def test_a_manifest_is_a_csv(self, tmp_path):
        with pytest.raises(OutputError, match="CSV"):
            mda.index(throw(tmp_path / "a", series()), tmp_path / "cohort.parquet")

    def test_nothing_is_written_where_nothing_is_asked(self, tmp_path):
        found = mda.index(throw(tmp_path / "a", series()))
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert list(found.manifest["patient_id"]) == ["P1"]
        assert list(found.series["used"]) == ["true"]
        with pytest.raises(InputError, match="no manifest"):
            _ = found.cohort

    def test_exit_codes(self, tmp_path):
        throw(tmp_path / "a", series(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
        assert main(["index", str(tmp_path / "a"), "-o", str(tmp_path / "1.csv"), "-q"]) == 2
        throw(tmp_path / "b", series())
        (tmp_path / "b" / "empty").touch()
        assert main(["index", str(tmp_path / "b"), "-o", str(tmp_path / "2.csv"), "-q"]) == 1
        assert main(["index", str(tmp_path / "gone"), "-o", str(tmp_path / "3.csv"), "-q"]) == 2


@pytest.mark.real
def test_real_images_in_no_order(real_data, tmp_path):
    """CT, MR and PET of one person with structure sets, a PET of another, bone scans, a radiograph, segmentations."""
    folders = ("sts_multimodal/dicom_STS_002", "pet_raw_sts001", "bone_scan_wg04", "seg_dcmqi")
    throw(
        tmp_path / "soup",
        [path for name in folders for path in sorted((real_data / name).rglob("*")) if path.is_file()],
    )
    found = mda.index(tmp_path / "soup", tmp_path / "cohort.csv", workers=1)
    rows = {(row.patient_id, row.modality): row for row in found.found.images}
    assert rows.keys() >= {("STS_002", "CT"), ("STS_002", "MR"), ("STS_002", "PT"), ("STS_001", "PT"), ("11RG3", "XR")}
    assert all(rows[key].mask for key in rows if key[0].startswith("STS"))
    assert rows["STS_002", "MR"].sequence == "T1"
    mask = mda.read_mask(tmp_path / "soup" / rows["STS_002", "CT"].mask, like=_volume(tmp_path, "STS_002", "CT"))
    assert len(mask) == 1


def _volume(folder: Path, patient: str, modality: str) -> mda.Volume:
    (row,) = (r for r in rows_of(folder / "cohort.csv") if (r["patient_id"], r["modality"]) == (patient, modality))
    return mda.read_volume(folder / row["image"], series=row["series"])


def test_a_bids_tree_has_its_patients_by_name_whatever_is_wished(tmp_path: Path) -> None:
    """A wish that would change nothing is not passed over in silence."""
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    (tmp_path / "sub-01").mkdir()
    with pytest.raises(InputError, match=r"this is a BIDS tree.*leave --by-folder out"):
        mda.index(tmp_path, by_folder=True)
