"""A good CT patient with one bad image of another modality: it costs that modality and nothing else.

One cohort, a patient a case, scored once by `mdanderson score`: what is wrong, where, and the way out are in
problems.csv, and the patient's CT is scored as if nothing had been wrong.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    NuclearMedicineImageStorage,
    generate_uid,
)

from mdanderson.cli import main
from mdanderson.geometry import Geometry
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import rigid_motion
from mdanderson.phantoms.write import write_label_map, write_nifti
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Mask, Region, Unit, Volume

SECRET = ("Secret", "1.2.826", "1.2.3.", "Traceback")
"""Of the headers; none of it may come out."""
GRID = Geometry.from_axes(shape=(38, 62, 64), spacing_mm=(1.8, 1.5, 1.5), origin_mm=(-48, -46, -34))
MOTIONS = (rigid_motion(), rigid_motion(rotation_deg=(1.0, 2.0, 1.0), shift_mm=(2.0, -1.5, 2.0)))
SPIN_ECHO = {"ScanningSequence": "SE", "RepetitionTime": 3500.0}

Build = Callable[[ModuleType, Any], None]


def spot(bench: ModuleType) -> Any:
    return bench.lesion(1, bench.MIDDLE)


# --- bad images ---


def pet(tags: Mapping[str, object]) -> Build:
    def build(bench: ModuleType, patient: Any) -> None:
        patient.pet(0, {spot(bench): 6.0}, own=True, tags=tags)

    return build


def single_plane_pet(_: ModuleType, patient: Any) -> None:
    write_nifti(blank((1, 20, 20), Modality.PT), patient.folder / "pet.nii")
    patient.row(0, Modality.PT, "pet.nii")


def mr(*echo_times_ms: float, sequence: str = "") -> Build:
    """A DICOM series whose planes have these echo times in turn."""

    def build(bench: ModuleType, patient: Any) -> None:
        for number, path in enumerate(patient.dicom_ct(0, spot(bench))):
            as_mr(path, EchoTime=echo_times_ms[number % len(echo_times_ms)], **SPIN_ECHO)
        patient.rows[-1] |= {"modality": "MR", "mask": "", "sequence": sequence}

    return build


def as_mr(path: Path, **tags: object) -> None:
    """A CT slice made into one of MR."""
    ds = pydicom.dcmread(path)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.Modality, ds.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    for keyword in ("RescaleType", "RescaleSlope", "RescaleIntercept", "SeriesDescription", "KVP"):
        delattr(ds, keyword)
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    ds.save_as(path, enforce_file_format=True)


def mr_with_empty_reference(bench: ModuleType, patient: Any) -> None:
    seen = bench.mr_image((spot(bench),), (0.45,), MrSequence.T1)
    write_label_map(Mask(geometry=seen.volume.geometry), patient.folder / "empty.nii")
    patient.image(0, seen, reference_mask="empty.nii")


def hot_scan(bench: ModuleType, patient: Any) -> None:
    patient.scan(0, bench.Focus(x_mm=60.0, z_mm=0.0, radius_mm=15.0, ratio=3.0), views=(View.ANT,))


def scan_without_view(bench: ModuleType, patient: Any) -> None:
    hot_scan(bench, patient)
    del patient.rows[-1]["view"]


def spect_with_view(_: ModuleType, patient: Any) -> None:
    write_nifti(blank((12, 20, 20), Modality.NM), patient.folder / "spect.nii")
    patient.row(0, Modality.NM, "spect.nii", view="ANT")


def scan_with_small_mask(bench: ModuleType, patient: Any) -> None:
    hot_scan(bench, patient)
    grid = Geometry.from_axes(shape=(1, 30, 40), spacing_mm=(1, 4.5, 4.5), origin_mm=(0, 0, 0))
    drawn = Region(label=1, box=(slice(0, 1), slice(10, 14), slice(10, 14)), voxels=np.ones((1, 4, 4), dtype=bool))
    write_label_map(Mask(geometry=grid, regions=(drawn,)), patient.folder / "NM_ANT0_mask.nii")


def scan_with_empty_reference(bench: ModuleType, patient: Any) -> None:
    hot_scan(bench, patient)
    empty = Geometry.from_axes(shape=(1, 512, 128), spacing_mm=(1, 4.52, 4.52), origin_mm=(0, 0, 0))
    write_label_map(Mask(geometry=empty), patient.folder / "empty.nii")
    patient.rows[-1]["reference_mask"] = "empty.nii"


def scan_in_dicom(views: int) -> Build:
    """An NM file whose detectors say nothing of where they look from."""

    def build(_: ModuleType, patient: Any) -> None:
        ds = header(NuclearMedicineImageStorage, "NM")
        frames = np.random.default_rng(1).poisson(9.0, (views, 64, 32)).astype("<u2")
        ds.NumberOfFrames = views
        ds.ImageType, ds.PixelSpacing = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"], [4.0, 4.0]
        ds.EnergyWindowVector, ds.DetectorVector = [1] * views, list(range(1, views + 1))
        ds.DetectorInformationSequence = [Dataset() for _ in range(views)]
        ds.CountsAccumulated = int(frames.sum())
        save(ds, frames, patient.folder / "scan.dcm")
        patient.row(0, Modality.NM, "scan.dcm")

    return build


def film(_: ModuleType, patient: Any) -> None:
    stored = np.random.default_rng(1).integers(0, 900, (64, 32)).astype("<u2")
    save(header(ComputedRadiographyImageStorage, "CR"), stored, patient.folder / "film.dcm")
    patient.row(0, Modality.XR, "film.dcm")


def header(kind: str, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.StudyDate, ds.PatientName, ds.PatientID = modality, "20240301", "Secret^Name", "Secret-1"
    ds.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.7"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    return ds


def save(ds: FileDataset, stored: np.ndarray, path: Path) -> None:
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
    ds.save_as(path, enforce_file_format=True)


def blank(shape: tuple[int, int, int], modality: Modality) -> Volume:
    geometry = Geometry.from_axes(shape=shape, spacing_mm=(5, 5, 5), origin_mm=(0, 0, 0))
    unit = {Modality.PT: Unit.SUV, Modality.NM: Unit.COUNTS}[modality]
    return Volume(array=np.ones(shape, dtype=np.int16), geometry=geometry, unit=unit, modality=modality)


class Case(NamedTuple):
    """words: all of them in the one problem of the image, as `what @ where; way out`."""

    build: Build
    modality: str
    words: Sequence[str]
    severity: str = "error"


DATED_MASK = "a mask of 40 columns x 30 rows for a picture of 128 x 512 @ NM_ANT0_mask.nii; save the mask on the"
CASES: Mapping[str, Case] = {
    "counts": Case(pet({"Units": "CNTS"}), "PT", ["PET units are CNTS", " @ pt0"]),
    "no unit": Case(pet({"Units": None}), "PT", ["PET units are blank", " @ pt0"]),
    "no weight": Case(pet({"PatientWeight": None}), "PT", ["PatientWeight", " @ pt0"]),
    "no tracer": Case(
        pet({"RadiopharmaceuticalInformationSequence": None}),
        "PT",
        ["RadiopharmaceuticalInformationSequence", " @ pt0"],
    ),
    "one plane": Case(single_plane_pet, "PT", ["no lesion is segmented", " @ pet.nii"], "warning"),
    "two echoes": Case(mr(20.0, 90.0), "MR", ["TE 20 ms", "TE 90 ms", " @ ct0", "name its sequence in the manifest"]),
    "other sequence": Case(mr(90.0, sequence="T1"), "MR", ["T1", "T2", " @ ct0"]),
    "volume for planar": Case(
        scan_without_view, "NM", ["no view of a planar NM @ NM_ANT0.nii; give view ANT or POST in the manifest"]
    ),
    "planar for volume": Case(
        spect_with_view, "NM", ["planes where one picture is needed @ spect.nii; leave the view blank if it is a v"]
    ),
    "small mask": Case(scan_with_small_mask, "NM", [DATED_MASK]),
    "unknown views": Case(scan_in_dicom(2), "NM", ["2 of which do not say their view @ scan.dcm", "give view ANT or"]),
    "film": Case(film, "XR", ["neither PixelSpacing nor ImagerPixelSpacing is in the header @ film.dcm; "]),
}
"""What costs the modality all that it could say."""
NO_REFERENCE: Mapping[str, Case] = {
    "MR reference": Case(
        mr_with_empty_reference,
        "MR",
        [
            (
                "reference_mask holds 0 voxels of MR_T10.nii, at least 50 are needed: signal is not judged @ "
                "empty.nii; draw more of it, or leave reference_mask blank to have a reference found"
            )
        ],
        "warning",
    ),
    "NM reference": Case(
        scan_with_empty_reference,
        "NM",
        [
            (
                "reference_mask holds 0 voxels of NM_ANT0.nii ANT, at least 1 are needed: uptake is not judged @ "
                "empty.nii; draw more of it, or leave reference_mask blank to have a reference found"
            )
        ],
        "warning",
    ),
}
UNSAID: Mapping[str, Case] = {"unknown view": Case(scan_in_dicom(1), "NM", ["give its view @ scan.dcm"], "warning")}
EVERY = CASES | NO_REFERENCE | UNSAID


class Run(NamedTuple):
    """One run over all cases: exit code, everything told and written, the rows of each table."""

    code: int
    said: str
    written: str
    tables: Mapping[str, list[dict[str, str]]]

    def rows(self, table: str, patient: str, modality: str = "") -> list[dict[str, str]]:
        rows = [row for row in self.tables[table] if row["patient_id"] == patient]
        return [row for row in rows if modality in {"", row.get("modality"), row.get("scope")}]

    def problems(self, patient: str) -> list[str]:
        """Errors and warnings, as `severity: what @ where; way out`."""
        rows = [row for row in self.rows("problems", patient) if row["severity"] != "info"]
        return [f"{row['severity']}: {row['what']} @ {row['where']}; {row['how_to_fix']}" for row in rows]


@pytest.fixture(scope="module")
def run(bench: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("bad")
    cohort, cts = bench.OnePatient(folder=folder), ct_of(bench)
    for name, case in EVERY.items():
        patient = bench.OnePatient(folder=folder / name)
        patient.folder.mkdir()
        case.build(bench, patient)
        for visit, one in enumerate(cts):
            patient.image(visit, one)
        places = [{key: f"{name}/{row[key]}" for key in FILES if row.get(key)} for row in patient.rows]
        cohort.rows += [row | place | {"patient_id": name} for row, place in zip(patient.rows, places, strict=True)]
    out = folder / "out"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(["score", str(cohort.write()), "-o", str(out)])
    return Run(
        code=code,
        said=said.getvalue(),
        written="".join(path.read_text() for path in out.rglob("*") if path.is_file()),
        tables={name: list(csv.DictReader((out / f"{name}.csv").read_text().splitlines())) for name in TABLES},
    )


FILES = ("image", "mask", "reference_mask")
TABLES = ("problems", "lesions", "responses")


def ct_of(bench: ModuleType) -> list[Phantom]:
    """A stable lesion at two visits; another body than the bench's, and a small field of view: quickly registered."""
    lesion = bench.lesion(1, (0.0, -1.0, -16.0))
    return [
        render(SyntheticVertebrae(), (lesion,), GRID, motion=motion, noise_hu=8.0, seed=seed)
        for seed, motion in enumerate(MOTIONS)
    ]


def test_every_patient_is_scored(run):
    assert run.code == 0
    assert f"({len(EVERY)} patients scored, 0 failed)" in run.said


def test_nothing_identifying_and_no_traceback_comes_out(run):
    assert [word for word in SECRET if word in run.said + run.written] == []


@pytest.mark.parametrize("name", EVERY)
def test_the_ct_is_scored(run, name):
    rows = {(row["visit"], row["scope"]): row for row in run.rows("responses", name)}
    found = [rows[visit, scope]["category"] for visit in ("v0", "v1") for scope in ("CT", "overall")]
    assert found == ["BL", "BL", "SD", "SD"]
    assert rows["v1", "overall"]["discordant"] == ""


@pytest.mark.parametrize("name", EVERY)
def test_the_problem_says_what_where_and_the_way_out(run, name):
    case = EVERY[name]
    (problem,) = [one for one in run.problems(name) if case.words[0] in one]
    assert problem.startswith(f"{case.severity}: ")
    assert [words for words in case.words if words not in problem] == []
    assert problem[-1] != ";" or name in UNSAID, "a way out"


@pytest.mark.parametrize("name", CASES)
def test_only_that_modality_says_nothing(run, name):
    (row,) = run.rows("responses", name, CASES[name].modality)
    assert (row["visit"], row["category"]) == ("v0", "NE")
    assert {one["modality"] for one in run.rows("lesions", name)} == {"CT"}
    assert len(run.problems(name)) == 1


def test_without_a_reference_size_on_mr_is_still_a_size(run):
    (row,) = run.rows("lesions", "MR reference", "MR")
    assert row["signal_ratio"] == ""
    assert row["reference_source"] == "given mask: 0 voxels are too few for a reference"
    assert float(row["long_axis_mm"]) == pytest.approx(18, abs=3)


def test_without_a_reference_a_scan_has_no_ratio(run):
    (row,) = run.rows("lesions", "NM reference", "NM")
    assert row["uptake_ratio"] == ""
    assert "given mask: 0 pixels are too few" in row["reference_source"]


def test_a_scan_that_does_not_say_its_view_and_shows_no_lesion_says_nothing(run):
    (row,) = run.rows("responses", "unknown view", "NM")
    assert row["category"] == "NE"
