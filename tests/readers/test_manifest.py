"""The cohort table: what is read, what is refused, and that a fault costs its own row only."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdanderson.errors import ManifestError, Severity
from mdanderson.readers.manifest import Cohort, read_cohort
from mdanderson.readers.pseudonyms import Pseudonyms
from mdanderson.readers.text_table import nearest, read_text_table
from mdanderson.vocabulary import EventKind, Modality


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with empty images a to d, a mask, and a folder that stands for a DICOM series."""
    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz", "d.nii.gz", "mask.nii.gz", "slice.dcm"):
        (tmp_path / name).touch()
    (tmp_path / "series").mkdir()
    return tmp_path


def write(folder: Path, text: str, name: str = "cohort.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, name: str = "cohort.csv") -> Cohort:
    return read_cohort(write(folder, text, name))


def lines(cohort: Cohort) -> list[str]:
    return [str(problem) for problem in cohort.problems]


TWO = """\
patient_id,image,date,modality,visit,mask
P01,a.nii.gz,2024-01-05,CT,baseline,mask.nii.gz
P01,b.nii.gz,2024-04-02,CT,,
P02,c.nii.gz,2024-02-01,MR,,
"""


def test_sample(folder: Path) -> None:
    cohort = read(folder, TWO)
    assert [patient.patient_id for patient in cohort] == ["P01", "P02"]
    assert len(cohort) == 2
    assert cohort.problems == ()
    assert cohort.folder == folder
    first, second = cohort["P01"].images
    assert first.image == folder / "a.nii.gz"
    assert first.files == (folder / "a.nii.gz", folder / "mask.nii.gz")
    assert (first.date, first.modality, first.visit, first.row) == (dt.date(2024, 1, 5), Modality.CT, "baseline", 2)
    assert (second.mask, second.row) == (None, 3)
    assert cohort["P02"].facts.treatment_start is None


@pytest.mark.parametrize(
    ("name", "delimiter"), [("c.csv", ","), ("c.csv", ";"), ("c.csv", "\t"), ("c.tsv", "\t"), ("c.txt", ";")]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_formats_read_alike(folder: Path, name: str, delimiter: str, mark: str, ending: str) -> None:
    path = folder / name
    path.write_bytes((mark + TWO.replace(",", delimiter).replace("\n", ending)).encode())
    assert read_cohort(path).patients == read(folder, TWO).patients


def test_parquet_reads_alike(folder: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "patient_id": ["P01", "P01", "P02"],
            "image": ["a.nii.gz", "b.nii.gz", "c.nii.gz"],
            "date": [dt.date(2024, 1, 5), dt.date(2024, 4, 2), dt.date(2024, 2, 1)],
            "modality": ["CT", "CT", "MR"],
            "visit": ["baseline", None, None],
            "mask": ["mask.nii.gz", None, ""],
        }
    )
    parquet.write_table(table, folder / "cohort.parquet")
    assert read_cohort(folder / "cohort.parquet").patients == read(folder, TWO).patients


def test_not_parquet(folder: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    with pytest.raises(ManifestError, match=r"not a Parquet file @ cohort\.parquet"):
        read(folder, TWO, "cohort.parquet")


def test_parquet_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ManifestError, match=r"needs the package pyarrow @ .*; pip install 'mdanderson\[parquet\]'"):
        read(folder, TWO, "cohort.parquet")


def test_absolute_paths_and_links(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "link.nii.gz").symlink_to(folder / "a.nii.gz")
    text = f"patient_id,image,date,modality\nP,{folder}/b.nii.gz,2024-01-05,CT\nP,link.nii.gz,2024-01-05,CT\n"
    images = read(elsewhere, text).patients[0].images
    assert [entry.image for entry in images] == [folder / "b.nii.gz", elsewhere / "link.nii.gz"]


def test_a_patient_may_be_called_na_or_007(folder: Path) -> None:
    cohort = read(folder, "patient_id,image,date,modality\nNA,a.nii.gz,2024-01-05,CT\n007,b.nii.gz,2024-01-05,CT\n")
    assert [patient.patient_id for patient in cohort] == ["NA", "007"]


def test_dicom_needs_neither_date_nor_modality(folder: Path) -> None:
    cohort = read(folder, "patient_id,image,series\nP,series,1.2.3\nP,series,1.2.4\nP,slice.dcm,\n")
    assert cohort.problems == ()
    assert [entry.series for entry in cohort["P"].images] == ["1.2.3", "1.2.4", ""]
    assert cohort["P"].images[0].date is None
    assert cohort["P"].images[0].modality is None


def test_views_of_one_scan_are_two_rows(folder: Path) -> None:
    cohort = read(folder, "patient_id,image,view\nP,slice.dcm,ant\nP,slice.dcm,POST\n")
    assert cohort.problems == ()
    assert [entry.view for entry in cohort["P"].images] == ["ANT", "POST"]


def test_quoted_cells_and_blank_rows_keep_their_numbers(folder: Path) -> None:
    cohort = read(folder, 'patient_id,image,date,modality\n\n,,,\n"P, Q","a.nii.gz",2024-01-05,ct\n')
    assert cohort.patients[0].patient_id == "P, Q"
    assert cohort.patients[0].images[0].row == 4
    assert cohort.patients[0].images[0].modality is Modality.CT


@pytest.mark.parametrize("text", ["2024-01-05", "20240105", "2024-01-05 00:00:00", "2024-W01-5", "2024-01-05T23:59"])
def test_iso_dates(folder: Path, text: str) -> None:
    cohort = read(folder, f"patient_id,image,date,modality\nP,a.nii.gz,{text},CT\n")
    assert cohort["P"].images[0].date == dt.date(2024, 1, 5)


HEAD = "patient_id,image,date,modality,visit,mask,sequence,bone_mask,reference_mask,view\n"
GOOD = "P01,a.nii.gz,2024-01-05,CT,,,,,,\n"
PLACE = "@ P01 cohort.csv row 3"


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("P01,b.nii.gz,05.01.2024,CT", f"not an ISO 8601 date: 05.01.2024 {PLACE} column date; write YYYY-MM-DD"),
        ("P01,b.nii.gz,2024-02-30,CT", f"not an ISO 8601 date: 2024-02-30 {PLACE} column date; write YYYY-MM-DD"),
        ("P01,b.nii.gz,,CT", f"no date, and .gz files do not carry one {PLACE} column date; write when the image was"),
        ("P01,b.nii.gz,2024-01-06,", f"no modality, and .gz files do not carry one {PLACE} column modality; write one"),
        ("P01,b.nii.gz,2024-01-06,MRI", f"unknown modality MRI {PLACE} column modality; write MR"),
        ("P01,b.nii.gz,2024-01-06,US", f"unknown modality US {PLACE} column modality; write one of CT, MR, NM, PT, XR"),
        ("P01,b.nii.gz,2024-01-06,MR,,,T1w", f"unknown sequence T1w {PLACE} column sequence; write T1"),
        ("P01,b.nii.gz,2024-01-06,NM,,,,,,LAT", f"unknown view LAT {PLACE} column view; write one of ANT, POST"),
        ("P01,gone.nii,2024-01-06,CT", f"file not found: gone.nii {PLACE} column image; correct the path"),
        ("P01,x\\b.nii,2024-01-06,CT", f"file not found: x\\b.nii {PLACE} column image; write the path with forward"),
        (f"P01,{'x' * 300},2024-01-06,CT", f"{PLACE} column image; correct the path"),
        ("P01,,2024-01-06,CT", f"no image {PLACE} column image; name a file"),
        ("P01,b.nii.gz,2024-01-06,CT,,gone.nii", f"file not found: gone.nii {PLACE} column mask; correct the path"),
        ("P01,b.nii.gz,2024-01-06,CT,,,,gone.nii", f"file not found: gone.nii {PLACE} column bone_mask; correct the"),
        ("P01,b.nii.gz,2024-01-06,CT,,,,,gone.nii", f"file not found: gone.nii {PLACE} column reference_mask; corr"),
        ("P01,a.nii.gz,2024-01-05,CT", f"the image of row 2 again {PLACE} column image; keep one row"),
        ("P01,./a.nii.gz,2024-01-05,CT", f"the image of row 2 again {PLACE} column image; keep one row"),
        ("P01,b.nii.gz,2024-01-06,CT,,,,,,,x,y", f"2 cells beyond the last column {PLACE}; quote cells"),
    ],
)
def test_a_fault_names_its_cell_and_costs_its_row(folder: Path, row: str, line: str) -> None:
    cohort = read(folder, HEAD + GOOD + row + "\n" + GOOD.replace("a.nii", "c.nii"))
    assert len(cohort.problems) == 1
    assert line in lines(cohort)[0]
    assert lines(cohort)[0].startswith("error: ")
    assert [entry.row for entry in cohort["P01"].images] == [2, 4]
    assert cohort["P01"].problems == cohort.problems


def test_an_image_of_two_patients(folder: Path) -> None:
    cohort = read(folder, HEAD + GOOD + GOOD.replace("P01", "P02"))
    assert "the image of row 2 under another patient again @ P02 cohort.csv row 3" in lines(cohort)[0]
    assert cohort["P02"].images == ()


def test_a_lost_row_is_not_forgotten(folder: Path) -> None:
    """It may be the baseline, so what is known of it stays with the patient."""
    cohort = read(folder, HEAD + GOOD + "P01,gone.nii,2024-03-01,MR,week 8,,\n" + "P01,b.nii.gz,soon,CT\n")
    first, second = cohort["P01"].lost
    assert (first.date, first.modality, first.visit) == (dt.date(2024, 3, 1), Modality.MR, "week 8")
    assert first.why == "file not found: gone.nii @ cohort.csv row 3 column image"
    assert (second.date, second.modality, second.row) == (None, Modality.CT, 4)
    assert len(cohort.problems) == 2


def test_every_fault_of_a_row_is_told(folder: Path) -> None:
    cohort = read(folder, HEAD + GOOD + "P01,gone.nii,soon,MRI,,,,,,\n")
    assert [problem.where.split()[-1] for problem in cohort.problems] == ["image", "date", "modality"]


def test_a_row_without_a_patient(folder: Path) -> None:
    cohort = read(folder, HEAD + GOOD + ",b.nii.gz,2024-01-06,CT\n")
    assert lines(cohort) == ["error: no patient @ cohort.csv row 3 column patient_id; name the patient"]
    assert len(cohort) == 1


def test_a_patient_without_a_usable_row_is_still_there(folder: Path) -> None:
    cohort = read(folder, HEAD + GOOD + "P02,gone.nii,2024-01-06,CT\n")
    assert cohort["P02"].images == ()
    assert len(cohort["P02"].problems) == 1
    assert cohort["P01"].problems == ()


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("Visit_", "rename it to visit if that is meant"),
        ("bonemask", "rename it to bone_mask if that is meant"),
        ("scanner", "nothing to do if it is a remark of yours"),
    ],
)
def test_unknown_columns_are_kept_with_a_warning(folder: Path, name: str, way_out: str) -> None:
    cohort = read(folder, f"patient_id,image,date,modality,{name}\nP,a.nii.gz,2024-01-05,CT,word\n")
    (problem,) = cohort.problems
    assert str(problem) == f"warning: unknown column {name}: kept, not used @ cohort.csv row 1; {way_out}"
    assert cohort["P"].images[0].extra == ((name, "word"),)


def test_an_index_column_without_a_name_costs_no_row(folder: Path) -> None:
    cohort = read(folder, ",patient_id,image,date,modality,\n0,P,a.nii.gz,2024-01-05,CT,\n")
    assert cohort["P"].images[0].extra == (("(column 1)", "0"),)
    assert [problem.severity for problem in cohort.problems] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no header @ cohort.csv row 1; the first row names the columns"),
        ("\n\n", "no header @ cohort.csv row 1; the first row names the columns"),
        ("patient_id,image\n", "no rows @ cohort.csv; write one row for every image"),
        (
            "PatientID,image\nP,a\n",
            "no column patient_id @ cohort.csv row 1; rename the column 'PatientID' to patient_id",
        ),
        ("patient_id,images\nP,a\n", "no column image @ cohort.csv row 1; rename the column 'images' to image"),
        ("patient_id,x\nP,a\n", "no column image @ cohort.csv row 1; add it; columns are patient_id, x"),
        ("patient_id,image,image\nP,a,b\n", "column image appears twice @ cohort.csv row 1; keep one of them"),
        (
            'patient_id,image\nP,"a\n',
            "not a table: unexpected end of data @ cohort.csv row 2; look for a stray quotation",
        ),
        ("patient_id,image\nP,\0\n", "not a text file @ cohort.csv; save it as CSV UTF-8"),
    ],
)
def test_a_table_that_cannot_be_understood(folder: Path, text: str, line: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(folder, text)
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"PK\x03\x04rest", "an Excel or zip file, not text @ cohort.csv; save it as CSV UTF-8, or as .parquet"),
        ("patient_id,image\nMüller,a\n".encode("latin-1"), "not UTF-8 text @ cohort.csv line 2; save it as CSV UTF-8"),
        ("patient_id,image\n".encode("utf-16"), "not UTF-8 text @ cohort.csv line 1; save it as CSV UTF-8"),
    ],
)
def test_bytes_that_are_no_csv(folder: Path, raw: bytes, line: str) -> None:
    (folder / "cohort.csv").write_bytes(raw)
    with pytest.raises(ManifestError) as caught:
        read_cohort(folder / "cohort.csv")
    assert str(caught.value) == line


def test_no_such_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"cannot be read @ .*none.csv; check the path \(No such file"):
        read_cohort(tmp_path / "none.csv")
    with pytest.raises(ManifestError, match=r"check the path \(Is a directory\)"):
        read_cohort(tmp_path)


def test_no_such_patient(folder: Path) -> None:
    cohort = read(folder, TWO)
    with pytest.raises(ManifestError, match=r"no patient 'p-01' @ cohort.csv; is 'P01' meant\?"):
        cohort["p-01"]
    with pytest.raises(ManifestError, match=r"no patient 'zzz' @ cohort\.csv; iterate over the cohort"):
        cohort["zzz"]


def test_facts_beside_the_manifest(folder: Path) -> None:
    write(
        folder,
        "patient_id,treatment_start,last_contact,death_date,arm\nP01,2024-01-10,2025-01-01,2025-02-03,A\nP09,,,,B\n",
        "patients.csv",
    )
    cohort = read(folder, TWO)
    facts = cohort["P01"].facts
    assert facts.treatment_start == dt.date(2024, 1, 10)
    assert facts.last_contact == dt.date(2025, 1, 1)
    assert facts.death_date == dt.date(2025, 2, 3)
    assert facts.extra == (("arm", "A"),)
    (line,) = lines(cohort)
    assert line.startswith("warning: patient P09 has no image in the manifest @ patients.csv row 3 column patient_id")


def test_faults_of_the_facts(folder: Path) -> None:
    write(folder, "patient_id,treatment_start\nP01,soon\nP01,2024-01-10\n", "patients.csv")
    cohort = read(folder, TWO)
    assert cohort["P01"].facts.treatment_start is None
    first, second = (str(problem) for problem in cohort["P01"].problems)
    assert (
        first == "error: not an ISO 8601 date: soon @ P01 patients.csv row 2 column treatment_start; write YYYY-MM-DD"
    )
    assert second.startswith("error: the patient has a row already; this one is not used @ P01 patients.csv row 3")


def test_facts_that_cannot_be_understood(folder: Path) -> None:
    write(folder, "id,treatment_start\nP01,2024-01-10\n", "patients.csv")
    with pytest.raises(ManifestError, match=r"no column patient_id @ patients.csv row 1"):
        read(folder, TWO)


def test_a_manifest_called_patients_is_not_its_own_neighbour(folder: Path) -> None:
    assert len(read(folder, TWO, "patients.csv")) == 2


def test_statements_and_events_beside_the_manifest(folder: Path) -> None:
    write(
        folder,
        "patient_id,date,modality,label,measurable\nP01,2024-01-05,CT,3,no\nP9,2024-01-05,CT,3,no\n",
        "reads.csv",
    )
    write(folder, "patient_id,date,event,site\nP02,2024-02-03,Radiotherapy,L3\n", "events.csv")
    cohort = read(folder, TWO)
    (statement,) = cohort["P01"].statements
    assert (statement.label, statement.measurable, statement.row) == ("3", False, 2)
    (event,) = cohort["P02"].facts.events
    assert (event.kind, event.site) == (EventKind.RADIOTHERAPY, "L3")
    assert cohort["P02"].statements == ()
    (line,) = lines(cohort)
    assert line.startswith("warning: patient P9 has no image in the manifest @ reads.csv row 3 column patient_id")


def test_statements_that_cannot_be_understood(folder: Path) -> None:
    write(folder, "patient_id,date,modality\nP01,2024-01-05,CT\n", "reads.csv")
    with pytest.raises(ManifestError, match=r"no column label or lesion_id @ reads.csv row 1"):
        read(folder, TWO)


def test_nearest() -> None:
    assert nearest("Bone Mask", ["mask", "bone_mask"]) == "bone_mask"
    assert nearest("kernel", ["mask", "bone_mask"]) == ""
    assert nearest("", []) == ""


_CELL = st.text(st.characters(codec="utf-8", exclude_characters='\0\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"'), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=5))
def test_cells_survive_as_typed(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    text = "one,two\n" + "".join(f'"{one}","{two}"\n' for one, two in cells)
    table = read_text_table(write(tmp_path, text))
    kept = [(one.strip(), two.strip()) for one, two in cells]
    assert [(row["one"], row["two"]) for row in table] == [pair for pair in kept if any(pair)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(b"patient_id,image\n" + raw)
    with contextlib.suppress(ManifestError):
        cohort = read_cohort(path)
        assert all(entry.image.exists() for patient in cohort for entry in patient.images)
        assert all(patient.images or patient.problems for patient in cohort)


def test_two_images_of_one_mr_series_are_two_rows(folder: Path) -> None:
    """Fat and water, echoes: one DICOM series of which `sequence` picks an image. A NIfTI file holds one."""
    head = "patient_id,image,date,modality,sequence\n"
    cohort = read(folder, head + "P,series,,MR,IN\nP,series,,MR,OPP\n")
    assert cohort.problems == ()
    assert [entry.sequence for entry in cohort["P"].images] == ["IN", "OPP"]
    again = read(folder, head + "P,series,,MR,IN\nP,series,,MR,IN\n")
    assert "the image of row 2 again" in lines(again)[0]
    nifti = read(folder, head + "P,a.nii.gz,2024-01-05,MR,T1\nP,a.nii.gz,2024-01-05,MR,T2\n")
    assert "the image of row 2 again" in lines(nifti)[0]


NAMED_ALIKE = """\
patient_id,image,date,modality
p1,a.nii.gz,2024-01-05,CT
P1,b.nii.gz,2024-04-02,CT
P1,c.nii.gz,2024-05-02,CT
P-1,d.nii.gz,2024-05-02,CT
"""


def test_names_that_differ_by_case_only_are_two_patients_and_a_warning(folder: Path) -> None:
    cohort = read(folder, NAMED_ALIKE)
    assert [patient.patient_id for patient in cohort] == ["p1", "P1", "P-1"]
    line = (
        "warning: the patient of row 2 but for upper and lower case: taken as another patient @ P1 cohort.csv row 3 "
        "column patient_id; write the name alike in every row if one patient is meant"
    )
    assert lines(cohort) == [line]
    assert [str(problem) for problem in cohort["P1"].problems] == [line]


def test_the_warning_knows_no_true_name_under_pseudonyms(folder: Path) -> None:
    names = Pseudonyms(key=bytes(range(32)))
    cohort = read_cohort(write(folder, NAMED_ALIKE), pseudonyms=names)
    (problem,) = cohort.problems
    assert problem.patient_id == names.of("P1")
    assert "P1" not in str(problem).replace(names.of("P1"), "")


def test_a_column_in_other_letters_is_not_guessed_but_named(folder: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        read(folder, TWO.replace("patient_id", "Patient_ID"))
    assert str(caught.value) == "no column patient_id @ cohort.csv row 1; rename the column 'Patient_ID' to patient_id"
    assert "rename it to mask if that is meant" in lines(read(folder, TWO.replace("mask\n", "Mask\n")))[0]


def test_a_date_of_patients_csv_in_other_letters_is_named(folder: Path) -> None:
    write(folder, "patient_id,Death Date,treatment_start,Arm\nP01,2024-09-01,2024-01-06,A\n", "patients.csv")
    cohort = read(folder, TWO)
    (line,) = lines(cohort)
    assert line == (
        "warning: column Death Date: not read as death_date @ patients.csv row 1; "
        "rename it to death_date if that is meant"
    )
    assert cohort["P01"].facts.extra == (("Death Date", "2024-09-01"), ("Arm", "A"))
