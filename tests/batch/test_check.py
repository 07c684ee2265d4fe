"""What a check reads: of images the header where that tells all, of masks everything; and what it finds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from mdanderson.assessment.load import load_images
from mdanderson.batch.check import Checked, check
from mdanderson.batch.run import Progress
from mdanderson.cli import main
from mdanderson.errors import Problem, SettingsError
from mdanderson.geometry import Geometry
from mdanderson.phantoms.write import write_ct_series
from mdanderson.readers import dicom_series, look_at_volume, nifti, read_volume
from mdanderson.readers.manifest import Cohort, Patient, read_cohort
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

DAY = dt.date(2024, 5, 6)
SHAPE = (6, 16, 16)
GEOMETRY = Geometry.from_axes(shape=SHAPE, spacing_mm=(2, 1, 1), origin_mm=(0, 0, 0))


def voxels(dtype: str = "i2") -> np.ndarray:
    return np.arange(np.prod(SHAPE), dtype=dtype).reshape(SHAPE) % 300


def save(path: Path, array: np.ndarray, slope: float = 1.0) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ GEOMETRY.affine[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(array.T, affine)
    image.set_sform(affine, code=1)
    image.header.set_slope_inter(slope, 0.0)
    nib.save(image, path)


def series(folder: Path, *, compressed: bool = False) -> None:
    volume = Volume(array=voxels(), geometry=GEOMETRY, unit=Unit.HU, modality=Modality.CT)
    for file in write_ct_series(volume, folder / "ct", patient_id="X", study_date=DAY, seed="check"):
        if compressed:
            dataset = pydicom.dcmread(file)
            dataset.compress(RLELossless)
            dataset.save_as(file)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images and masks whose voxels were read."""
    names: list[str] = []
    read_stored, read_array = dicom_series.read_stored, nifti.read_nifti_array

    def stored(slices: object) -> object:
        names.append("ct")
        return read_stored(slices)

    def array(path: Path, **wishes: bool) -> object:
        names.append(path.name)
        return read_array(path, **wishes)

    monkeypatch.setattr(dicom_series, "read_stored", stored)
    monkeypatch.setattr(nifti, "read_nifti_array", array)
    return names


def cohort(folder: Path, name: str, modality: str = "CT", sequence: str = "", reference: str = "") -> Path:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[2:4, 4:9, 4:9] = 1
    save(folder / "mask.nii.gz", mask)
    rows = [
        "patient_id,date,modality,sequence,image,mask,reference_mask",
        f"P1,{DAY},{modality},{sequence},{name},mask.nii.gz,{reference}",
    ]
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder / "cohort.csv"


def plain(folder: Path) -> str:
    save(folder / "ct.nii", voxels())
    return "ct.nii"


def scaled(folder: Path) -> str:
    save(folder / "ct.nii", voxels(), slope=0.5)
    return "ct.nii"


def packed(folder: Path) -> str:
    save(folder / "ct.nii.gz", voxels())
    return "ct.nii.gz"


def floating(folder: Path) -> str:
    save(folder / "ct.nii", voxels("f4"))
    return "ct.nii"


def dicom(folder: Path) -> str:
    series(folder)
    return "ct"


def dicom_rle(folder: Path) -> str:
    series(folder, compressed=True)
    return "ct"


HEADER_ENOUGH = [(plain, "CT", ""), (scaled, "CT", ""), (dicom, "CT", ""), (plain, "MR", "T1")]
VOXELS_NEEDED = [
    (packed, "CT", ""),  # it may be cut short, or its checksum wrong
    (floating, "CT", ""),  # it may hold NaN
    (dicom_rle, "CT", ""),  # it may not be decodable
    (plain, "PT", ""),  # it may be no SUV
    (plain, "MR", "ADC"),  # its values tell the unit
]


@pytest.mark.parametrize(("build", "modality", "sequence"), HEADER_ENOUGH)
def test_no_pixel_is_read_where_the_header_tells_all(build, modality, sequence, tmp_path, opened) -> None:
    found = check(read_cohort(cohort(tmp_path, build(tmp_path), modality, sequence)))
    assert (found.images, found.problems) == (1, ())
    assert opened == ["mask.nii.gz"]


@pytest.mark.parametrize(("build", "modality", "sequence"), VOXELS_NEEDED)
def test_voxels_are_read_where_something_in_them_may_be_wrong(build, modality, sequence, tmp_path, opened) -> None:
    name = build(tmp_path)
    check(read_cohort(cohort(tmp_path, name, modality, sequence)))
    assert opened == [name, "mask.nii.gz"]


def test_voxels_are_read_where_a_reference_has_to_lie_on_imaged_ones(tmp_path, opened) -> None:
    """Here it is too small: that is told, as `score` tells it."""
    reference = np.zeros(SHAPE, dtype=np.uint8)
    reference[0, 0, 0] = 1
    save(tmp_path / "reference.nii.gz", reference)
    found = check(read_cohort(cohort(tmp_path, plain(tmp_path), reference="reference.nii.gz")))
    assert opened == ["ct.nii", "mask.nii.gz", "reference.nii.gz"]
    (problem,) = found.problems
    assert "reference_mask holds 1 voxels" in problem.what


@pytest.mark.parametrize(("build", "modality", "sequence"), [*HEADER_ENOUGH, *VOXELS_NEEDED])
def test_a_look_finds_place_date_and_problems_as_reading_does(build, modality, sequence, tmp_path) -> None:
    patient = read_cohort(cohort(tmp_path, build(tmp_path), modality, sequence))["P1"]
    (looked,), _, problems = load_images(patient, look_only=True)
    (read,), _, expected = load_images(patient)
    assert looked.volume.geometry.shape == read.volume.geometry.shape
    assert np.array_equal(looked.volume.geometry.affine, read.volume.geometry.affine)
    assert (looked.date, looked.where, looked.volume.modality) == (read.date, read.where, read.volume.modality)
    assert looked.lesions.regions[0].box == read.lesions.regions[0].box
    assert problems == expected


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def steep(file: Path) -> None:
    """So steep that no float32 holds the values."""
    image = nib.load(file)
    content = bytearray(file.read_bytes())
    content[112:116] = np.float32(1e38).tobytes()
    file.write_bytes(bytes(content))
    assert nib.load(file).shape == image.shape


@pytest.mark.parametrize("damage", [cut, steep])
@pytest.mark.parametrize("read", [read_volume, look_at_volume])
def test_a_look_refuses_what_reading_refuses(read, damage, tmp_path) -> None:
    plain(tmp_path)
    damage(tmp_path / "ct.nii")
    with pytest.raises(Exception, match=r"cut short|infinite"):
        read(tmp_path / "ct.nii", modality=Modality.CT, date=DAY)


def test_a_series_with_a_slice_cut_short_is_found_by_its_length(tmp_path, opened) -> None:
    series(tmp_path)
    cut(sorted((tmp_path / "ct").iterdir())[3])
    found = check(read_cohort(cohort(tmp_path, "ct")))
    assert [problem.what for problem in found.problems] == ["pixels are cut short"]
    assert opened == []


def test_nothing_of_an_image_stays_in_memory(tmp_path) -> None:
    patient = read_cohort(cohort(tmp_path, packed(tmp_path)))["P1"]
    (looked,), _, _ = load_images(patient, look_only=True)
    assert looked.volume.array.strides == (0, 0, 0)


@pytest.mark.parametrize(("true_name", "way"), [("P1", []), ("PSN-", ["--pseudonymize", "{key}"])])
def test_the_command_names_patients_as_the_run_will(true_name, way, tmp_path, capsys) -> None:
    plain(tmp_path)
    manifest = cohort(tmp_path, "gone.nii")
    assert main(["key", str(tmp_path / "key")]) == 0
    capsys.readouterr()
    assert main(["check", str(manifest), *(word.format(key=tmp_path / "key") for word in way)]) == 2
    (line, *_) = capsys.readouterr().out.splitlines()
    assert true_name in line
    assert ("P1" in line) == (not way)


def test_the_command_tells_how_far_it_is(tmp_path, capsys) -> None:
    assert main(["check", str(cohort(tmp_path, plain(tmp_path)))]) == 0
    printed = capsys.readouterr()
    assert printed.out == "1 patients, 1 images read, 0 errors\n"
    assert printed.err == "1 of 1 patients done; problems: 0\n"


def test_progress_is_told_of_every_patient(tmp_path) -> None:
    told: list[Progress] = []
    check(read_cohort(cohort(tmp_path, "gone.nii")), progress=told.append)
    assert [(one.total, one.done, one.running, one.problems) for one in told] == [(1, 0, ("P1",), 1), (1, 1, (), 1)]


def three(folder: Path) -> Cohort:
    """Patients whose images nobody reads here."""
    for name in ("a.nii", "b.nii", "c.nii"):
        save(folder / name, voxels())
    rows = [f"{name[0].upper()},{name},{DAY},CT" for name in ("a.nii", "b.nii", "c.nii")]
    (folder / "cohort.csv").write_text("\n".join(["patient_id,image,date,modality", *rows]) + "\n")
    return read_cohort(folder / "cohort.csv")


def test_a_patient_that_takes_too_long_costs_only_itself(tmp_path) -> None:
    def loads(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
        import time

        time.sleep(60 if patient.patient_id == "B" else 0)
        return 1, ()

    found = check(three(tmp_path), timeout_s=1, loads=loads)
    (problem,) = found.problems
    assert (problem.patient_id, problem.where) == ("B", "manifest row 3")
    assert problem.what == "not finished after 1 s, and ended"
    assert (found.images, found.usable, found.patients) == (2, 2, 3)


def test_a_patient_that_wants_too_much_memory_costs_only_itself(tmp_path) -> None:
    def loads(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
        held = bytearray(2**30 if patient.patient_id == "B" else 1)
        return min(len(held), 1), ()

    found = check(three(tmp_path), memory_gb=0.5, loads=loads)
    (problem,) = found.problems
    assert (problem.patient_id, problem.where, problem.what) == ("B", "manifest row 3", "out of memory")
    assert (found.images, found.usable) == (2, 2)


def test_the_command_has_the_limits_of_a_run(tmp_path, monkeypatch) -> None:
    asked: list[dict[str, object]] = []

    def notes(cohort: Cohort, **wishes: object) -> Checked:
        asked.append(wishes)
        return Checked(problems=(), patients=1, images=1, usable=1)

    monkeypatch.setattr("mdanderson.batch.check.check", notes)
    manifest = str(cohort(tmp_path, plain(tmp_path)))
    assert main(["check", manifest]) == 0
    assert main(["check", manifest, "--workers", "2", "--timeout", "0", "--memory", "1"]) == 0
    limits = [{key: wishes[key] for key in ("workers", "timeout_s", "memory_gb")} for wishes in asked]
    assert limits == [
        {"workers": 1, "timeout_s": 3600.0, "memory_gb": None},
        {"workers": 2, "timeout_s": None, "memory_gb": 1.0},
    ]


def test_two_workers_find_what_one_does(tmp_path) -> None:
    patients = three(tmp_path)
    (tmp_path / "b.nii").write_bytes(b"no image")
    assert check(patients, workers=2) == check(patients)


def test_limits_that_are_none_are_refused(tmp_path) -> None:
    with pytest.raises(SettingsError, match="a timeout of 0 s"):
        check(three(tmp_path), timeout_s=0)
