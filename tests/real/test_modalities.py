"""Real MR, bone scan, PET and a thigh seen by three of them, through to categories.

No lesion here is a metastasis and nothing is a follow-up: second visits are the same images moved, scaled, shaded or
counted anew, so that what must come out is known.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from scipy import ndimage

from mdanderson import read_mask, read_volume
from mdanderson.assessment import assess
from mdanderson.cli import main
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.measure.suv import measure_suv
from mdanderson.phantoms.mr import bias_field
from mdanderson.phantoms.shapes import rigid_motion
from mdanderson.phantoms.write import write_label_map, write_nifti
from mdanderson.planar import PlanarImage
from mdanderson.readers.manifest import read_cohort
from mdanderson.registration.plane_fit import apply_motion, inverse_motion
from mdanderson.settings import Pet
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Category, Modality, MrSequence, View
from mdanderson.volume import Mask, Unit

pytestmark = pytest.mark.real

FIRST, SECOND, THIRD = "2024-01-01", "2024-07-01", "2024-12-30"
DATE = dt.date(2024, 1, 1)
C6 = 6


def timeline(folder: Path, rows: Sequence[str], *criteria: str) -> Timeline:
    """Of the one patient of a manifest; rows: visit,date,modality,image,mask and more columns as the first says."""
    (folder / "cohort.csv").write_text("\n".join((f"patient_id,{rows[0]}", *(f"P,{row}" for row in rows[1:]))) + "\n")
    return assess(read_cohort(folder / "cohort.csv")["P"], criteria=criteria or ("mda2010",))


def found(told: Timeline, visit: str, modality: str):
    """The findings of one modality at one visit, by lesion."""
    return {row.lesion_id: row for row in told.lesions if row.visit == visit and row.finding.modality == modality}


# --- T2w spine: part of a healthy vertebra taken for a lesion ---


@pytest.mark.parametrize("shape", ["slope", "dome"])
def test_gain_field_and_motion_are_no_change(real_data, tmp_path, shape):
    folder = real_data / "spine_tptbox" / "sample_mri"
    volume = read_volume(folder / "sub-mri_label-6_T2w.nii.gz", modality=Modality.MR, date=DATE, sequence=MrSequence.T2)
    labels = read_mask(folder / "sub-mri_seg-vert_label-6_msk.nii.gz", like=volume)
    bones = replace(labels, regions=tuple(region for region in labels if region.label < 100))
    motion = rigid_motion(
        rotation_deg=(2.0, -1.0, 3.0), shift_mm=(6.0, -4.0, 5.0), about_mm=volume.geometry.corners_lps_mm().mean(axis=0)
    )
    moved = volume.geometry.moved(motion)
    shaded = (volume.array * 1.3 * bias_field(volume.geometry, shape, depth=0.3)).astype(np.float32)
    rows = ["visit,date,modality,sequence,image,mask,bone_mask"]
    for number, (seen, grid) in enumerate(
        ((volume, volume.geometry), (replace(volume, array=shaded, geometry=moved), moved))
    ):
        depth = ndimage.distance_transform_edt(np.pad(bones[C6].voxels, 1), sampling=grid.spacing_mm)[1:-1, 1:-1, 1:-1]
        part = bones[C6].narrowed(depth >= 3.0)
        write_nifti(seen, tmp_path / f"t2_{number}.nii.gz")
        write_label_map(Mask(geometry=grid, regions=(replace(part, label=1),)), tmp_path / f"mask_{number}.nii.gz")
        write_label_map(replace(bones, geometry=grid), tmp_path / f"bones_{number}.nii.gz")
        files = (f"{name}_{number}.nii.gz" for name in ("t2", "mask", "bones"))
        rows.append(f"v{number},{(FIRST, SECOND)[number]},MR,T2,{','.join(files)}")
    told = timeline(tmp_path, rows)
    then, now = (found(told, visit, "MR")["L01"] for visit in ("v0", "v1"))
    assert now.finding.registration_error_mm < 3.0
    assert now.finding.reference_source == then.finding.reference_source != ""
    assert then.finding.signal_ratio == pytest.approx(1.0, abs=0.2)
    assert now.finding.signal_ratio == pytest.approx(then.finding.signal_ratio, rel=0.15)
    assert told.response("v1").category == Category.SD
    assert "CR3" not in now.rules, "healthy at baseline: nothing to get back to normal"


# --- whole-body bone scan with foci put in ---

PIXEL_MM = 2.26
RIB, FEMUR, TIBIA = (-62.0, -520.0), (-64.0, -1180.0), (78.0, -1640.0)
"""x and z mm of the unmoved scan."""


def slab_of(shape: tuple[int, ...]) -> Geometry:
    blank = PlanarImage(
        array=np.zeros(shape), spacing_mm=(PIXEL_MM, PIXEL_MM), unit=Unit.COUNTS, modality=Modality.NM, view=View.ANT
    )
    return blank.as_slab().geometry


def disc(place: tuple[float, float], radius_mm: float, points: FloatArray) -> np.ndarray:
    return np.hypot(points[..., 0] - place[0], points[..., 2] - place[1]) <= radius_mm


def counted(counts, foci, motion, *, scale: float, seed: int):
    """The scan on another day, and its outlines: (x, z) -> times the local counts; moved, Poisson noise, scaled."""
    geometry = slab_of(counts.shape)
    index = np.stack(np.meshgrid([0], *(np.arange(n) for n in counts.shape), indexing="ij"), axis=-1)
    points = geometry.to_lps(index)[0]
    smooth = np.maximum(ndimage.gaussian_filter(counts, 3.0 / PIXEL_MM), 0.0)
    hot = smooth.copy()
    outlines = np.zeros(counts.shape, dtype=np.uint8)
    back = apply_motion(inverse_motion(np.array(motion)), points[..., [0, 2]].reshape(-1, 2).T).T
    places = np.stack([back[:, 0], np.zeros(len(back)), back[:, 1]], axis=1)
    for label, (place, times) in enumerate(foci.items(), 1):
        inside = disc(place, 9.0, points)
        hot += (times - 1.0) * smooth[inside].mean() * inside
        outlines[disc(place, 9.0, places).reshape(counts.shape)] = label
    source = geometry.to_voxel(places)[:, 1:].T
    expected = ndimage.map_coordinates(hot, source, order=1).reshape(counts.shape)
    stored = np.rint(np.random.default_rng(seed).poisson(expected) * scale).astype("<u2")
    return stored, Mask.from_label_map(outlines[None], geometry)


def test_foci_of_known_counts_on_a_real_scan(real_data, tmp_path):
    """Scaled by 0.8 and moved, nothing has changed; then one focus is twice as hot, and another is new."""
    scan = pydicom.dcmread(real_data / "bone_scan_wg04" / "NM1_RLE")
    counts = scan.pixel_array.astype(float)
    scan.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    visits = (
        ({FEMUR: 4.0, RIB: 5.0}, (0.0, 0.0, 0.0), 1.0),
        ({FEMUR: 4.0, RIB: 5.0}, (9.0, -22.6, 0.0), 0.8),
        ({FEMUR: 8.0, RIB: 5.0, TIBIA: 6.0}, (-12.0, 16.0, np.deg2rad(1.5)), 0.8),
    )
    rows = ["visit,date,modality,view,image,mask"]
    for number, (foci, motion, scale) in enumerate(visits):
        stored, mask = counted(counts, foci, motion, scale=scale, seed=number)
        scan.PixelData = stored.tobytes()
        scan["PixelData"].VR = "OW"
        scan.CountsAccumulated = int(stored.sum())
        scan.BitsAllocated, scan.BitsStored, scan.HighBit, scan.PixelRepresentation = 16, 16, 15, 0
        scan.save_as(tmp_path / f"scan{number}.dcm")
        write_label_map(mask, tmp_path / f"mask{number}.nii.gz")
        date = (FIRST, SECOND, THIRD)[number]
        rows.append(f"v{number},{date},NM,ANT,scan{number}.dcm,mask{number}.nii.gz")
    told = timeline(tmp_path, rows)
    femur, rib = ([found(told, f"v{k}", "NM")[name] for k in range(3)] for name in ("L01", "L02"))
    assert femur[1].finding.uptake_ratio == pytest.approx(femur[0].finding.uptake_ratio, rel=0.15)
    assert rib[1].finding.uptake_ratio == pytest.approx(rib[0].finding.uptake_ratio, rel=0.15)
    assert told.response("v1").category == Category.SD
    assert femur[2].finding.uptake_ratio == pytest.approx(2.0 * femur[1].finding.uptake_ratio, rel=0.2)
    assert (femur[2].category, rib[2].category) == (Category.PD, Category.SD)
    assert found(told, "v2", "NM")["L03"].rules == ("PD4",)
    assert told.response("v2").category == Category.PD
    assert set(told.response("v2").rules) == {"PD3", "PD4"}


# --- PET with its RTSTRUCT, twice ---


def test_a_pet_seen_twice_is_stable_by_percist(real_data, tmp_path):
    """The second visit is a copy of the files with another day in the manifest."""
    image, mask = (real_data / "pet_raw_sts001" / name for name in ("image", "mask"))
    copy = tmp_path / "again"
    copy.mkdir()
    for file in image.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    rows = ["visit,date,modality,image,mask", f"v0,{FIRST},PT,{image},{mask}", f"v1,{SECOND},PT,again,{mask}"]
    told = timeline(tmp_path, rows, "percist", "eortc", "mda2010")
    volume = read_volume(image)
    drawn = read_mask(mask, like=volume)
    own = [measure_suv(volume, region, settings=Pet()) for region in drawn]
    assert (round(own[0].suv_max, 2), round(own[0].sul_peak, 2)) == (7.91, 4.53)
    for visit in ("v0", "v1"):
        shown = [row.finding for row in found(told, visit, "PT").values()]
        assert [(one.suv_max, one.suv_peak) for one in shown] == [
            (pytest.approx(one.suv_max, abs=1e-3), pytest.approx(one.sul_peak, abs=1e-3)) for one in own
        ]
        assert [one.tlg for one in shown] == [pytest.approx(one.tlg, rel=1e-3) for one in own]
    assert told.response("v1", criteria="percist").category == Category.SMD
    assert told.response("v1", criteria="eortc").category == Category.SMD
    assert told.response("v1").category == Category.NE, "no row of the table of record"
    assert told.response("v1").discordant == ""


# --- one tumour beside bone on CT, T1 and PET, as RTSTRUCT on DICOM and as NIfTI ---


@pytest.fixture(scope="module")
def thigh(real_data: Path, tmp_path_factory: pytest.TempPathFactory):
    """lesions.csv and problems.csv of one manifest: the same images as DICOM, and as NIfTI without any frame.

    Of the NIfTI a reader says that the tumour on MR is that of CT, and nothing of the one on PET.
    """
    folder = tmp_path_factory.mktemp("thigh")
    root = real_data / "sts_multimodal"
    rows = ["patient_id,date,modality,sequence,image,mask"]
    for kind, modality in (("CT", "CT,"), ("MR_T1", "MR,T1"), ("PET", "PT,")):
        dicom, nifti = root / "dicom_STS_002" / kind, root / "nifti" / "STS_002"
        rows.append(f"dicom,,{modality},{dicom / 'image'},{dicom / 'mask'}")
        rows.append(f"nifti,2006-01-28,{modality},{nifti / f'{kind}_image.nii.gz'},{nifti / f'{kind}_mask.nii.gz'}")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    (folder / "reads.csv").write_text("patient_id,date,modality,label,lesion_id\nnifti,2006-01-28,MR,1,L01\n")
    assert main(["score", str(folder / "cohort.csv"), "-o", str(folder / "out"), "-q", "--no-report"]) == 0
    tables = (folder / "out" / name for name in ("lesions.csv", "problems.csv"))
    return [list(csv.DictReader(table.read_text().splitlines())) for table in tables]


def test_one_tumour_has_one_name_on_all_three(thigh):
    """By frame of reference; or by a reader. 15 cm of a thigh are too little to lay a PET on a CT, and that is said."""
    lesions, problems = thigh
    named = {(row["patient_id"], row["modality"]): row["lesion_id"] for row in lesions}
    assert {named["dicom", modality] for modality in ("CT", "MR", "PT")} == {"L01"}
    assert [named["nifti", modality] for modality in ("CT", "MR", "PT")] == ["L01", "L01", "L02"]
    own = [row for row in problems if "its lesions have names of their own: it cannot be laid on the" in row["what"]]
    assert {(row["patient_id"], row["where"]) for row in own} == {("nifti", "PET_image.nii.gz")}


def test_label_map_and_rtstruct_give_the_same_numbers(thigh):
    lesions, _ = thigh
    rows = {(row["patient_id"], row["modality"]): row for row in lesions}
    assert len(rows) == len(lesions) == 6
    for modality, names in SHOWN.items():
        one, other = rows["dicom", modality], rows["nifti", modality]
        for name in ("volume_ml", "x_mm", "y_mm", "z_mm", *names):
            assert float(one[name]) == pytest.approx(float(other[name]), rel=2e-3, abs=0.02), (modality, name)
        assert one["reference_source"] == other["reference_source"]
    voxel_ml = 3.27 * 0.976562**2 / 1000
    assert float(rows["dicom", "CT"]["volume_ml"]) == pytest.approx(17090 * voxel_ml, rel=1e-4)
    assert float(rows["dicom", "PT"]["suv_peak"]) > 10
    assert rows["nifti", "PT"]["suv_peak"] == "", "lean body mass is in no NIfTI"


SHOWN = {
    "CT": ("long_axis_mm", "short_axis_mm", "mean_hu"),
    "MR": ("long_axis_mm", "short_axis_mm", "signal_ratio"),
    "PT": ("suv_max", "metabolic_volume_ml"),
}


# --- a radiograph of which no size is known ---


def test_a_radiograph_without_spacing_is_refused_by_name(real_data, tmp_path):
    image = real_data / "bone_scan_wg04" / "RG3_RLE"
    folder = real_data / "spine_tptbox" / "sample_ct"
    ct = folder / "sub-ct_label-22_ct.nii.gz"
    mask = folder / "sub-ct_seg-vert_label-22_msk.nii.gz"
    rows = ["visit,date,modality,image,mask", f"v0,{FIRST},XR,{image},", f"v0,{FIRST},CT,{ct},{mask}"]
    told = timeline(tmp_path, rows)
    (problem,) = [one for one in told.problems if one.where.startswith("RG3_RLE")]
    assert (problem.severity, problem.where) == ("error", "RG3_RLE")
    assert "neither PixelSpacing nor ImagerPixelSpacing" in problem.what
    assert problem.how_to_fix
    assert told.response("v0", "XR").category == Category.NE
    assert told.response("v0", "CT").category == Category.BL
