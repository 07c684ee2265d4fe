"""Phantoms as files: what the readers get back is what was rendered; the same input gives the same bytes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from mdanderson.errors import OutputError
from mdanderson.geometry import Geometry, same_grid
from mdanderson.phantoms import (
    LesionSpec,
    Phantom,
    SyntheticVertebrae,
    render,
    rigid_motion,
    write_ct_series,
    write_dicom_seg,
    write_label_map,
    write_nifti,
)
from mdanderson.readers import read_volume
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region

DAY = dt.date(2024, 5, 17)
TURN = rigid_motion(rotation_deg=(5.0, -8.0, 12.0))[:3, :3]
GRIDS = {
    "axial": Geometry.from_axes(shape=(9, 26, 31), spacing_mm=(2.5, 1.2, 1.1), origin_mm=(-14.2, -13.7, -26.1)),
    "oblique": Geometry.from_axes(
        shape=(9, 26, 31),
        spacing_mm=(2.5, 1.2, 1.1),
        origin_mm=(-14.2, -13.7, -26.1),
        directions=np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) @ TURN.T,
    ),
}


@pytest.fixture(scope="module", params=GRIDS.values(), ids=GRIDS.keys())
def seen(request) -> Phantom:
    lesions = [
        LesionSpec(label=1, centre_mm=(-4.0, -3.0, -16.0), semi_axes_mm=(6.0, 5.0, 4.5)),
        LesionSpec(label=2, centre_mm=(8.0, 2.0, -17.0), semi_axes_mm=(5.0, 4.0, 4.5)),
    ]
    return render(SyntheticVertebrae(), lesions, request.param, noise_hu=12.0, date=DAY)


def assert_same_mask(one: Mask, other: Mask) -> None:
    assert [region.label for region in one] == [region.label for region in other]
    for first, second in zip(one, other, strict=True):
        assert first.box == second.box
        np.testing.assert_array_equal(first.voxels, second.voxels)


def series(seen: Phantom, folder: Path, seed: str = "visit 1") -> tuple[Path, ...]:
    return write_ct_series(seen.volume, folder, patient_id="P1", study_date=DAY, seed=seed)


def test_nifti_round_trip(seen, tmp_path):
    path = write_nifti(seen.volume, tmp_path / "new" / "ct.nii.gz")
    volume = read_volume(path, modality=Modality.CT, date=DAY)
    np.testing.assert_array_equal(volume.array, seen.volume.array)
    assert volume.array.dtype == np.int16
    assert same_grid(volume.geometry, seen.volume.geometry)


def test_another_library_finds_every_nifti_voxel_where_it_lay(seen, tmp_path):
    """NIfTI is right-anterior-superior; a flip shared by our writer and our reader would show here."""
    image = nib.load(write_nifti(seen.volume, tmp_path / "ct.nii.gz"))
    for plane, row, column in [(0, 0, 0), (8, 3, 30), (2, 25, 7)]:
        x, y, z = seen.volume.geometry.to_lps([plane, row, column])
        place = nib.affines.apply_affine(image.affine, [column, row, plane])
        np.testing.assert_allclose(place, (-x, -y, z), atol=1e-4)
        assert image.dataobj[column, row, plane] == seen.volume.array[plane, row, column]


@pytest.mark.parametrize("second", [2, 300], ids=["a byte", "two bytes"])
def test_label_map_round_trip(seen, tmp_path, second):
    first, other = seen.mask
    mask = replace(seen.mask, regions=(first, replace(other, label=second)))
    path = write_label_map(mask, tmp_path / "lesions.nii.gz")
    assert_same_mask(read_mask(path, like=seen.volume), mask)


def test_ct_series_round_trip(seen, tmp_path):
    paths = series(seen, tmp_path / "ct")
    assert [path.name for path in paths] == [f"IM{n:04d}.dcm" for n in range(1, 10)]
    volume = read_volume(tmp_path / "ct")
    np.testing.assert_array_equal(volume.array, seen.volume.array)
    assert same_grid(volume.geometry, seen.volume.geometry)
    assert (volume.modality, volume.date) == (Modality.CT, DAY)


def test_dicom_seg_round_trip(seen, tmp_path):
    path = write_dicom_seg(seen.mask, series(seen, tmp_path / "ct"), tmp_path / "seg.dcm", seed="visit 1")
    assert_same_mask(read_mask(path, like=read_volume(tmp_path / "ct")), seen.mask)


def test_overlapping_segments_keep_all_their_voxels(seen, tmp_path):
    first = seen.mask[1]
    mask = replace(seen.mask, regions=(first, Region(label=2, box=first.box, voxels=first.voxels)))
    path = write_dicom_seg(mask, series(seen, tmp_path / "ct"), tmp_path / "seg.dcm", seed="visit 1")
    assert_same_mask(read_mask(path, like=read_volume(tmp_path / "ct")), mask)


def test_tracking_uids_follow_the_lesion_and_not_its_label(seen, tmp_path):
    uids = []
    for visit, tracking in (("1", {1: "A", 2: "B"}), ("2", {1: "B", 2: "A"})):
        files = series(seen, tmp_path / visit, seed=visit)
        path = write_dicom_seg(seen.mask, files, tmp_path / f"{visit}.dcm", seed=visit, tracking=tracking)
        mask = read_mask(path, like=read_volume(tmp_path / visit))
        uids.append({tracking[region.label]: region.tracking_uid for region in mask})
    assert uids[0] == uids[1]
    assert len(set(uids[0].values())) == 2


def test_lesions_without_tracking_share_no_uid_between_visits(seen, tmp_path):
    uids = set()
    for visit in ("1", "2"):
        files = series(seen, tmp_path / visit, seed=visit)
        path = write_dicom_seg(seen.mask, files, tmp_path / f"{visit}.dcm", seed=visit)
        uids |= {region.tracking_uid for region in read_mask(path, like=read_volume(tmp_path / visit))}
    assert len(uids) == 4


def test_visits_share_no_uid_and_a_visit_repeats_its_own(seen, tmp_path):
    files = {name: series(seen, tmp_path / name, seed=seed) for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))}
    for one, same in zip(files["a"], files["b"], strict=True):
        assert one.read_bytes() == same.read_bytes()
    heads = {name: pydicom.dcmread(paths[0]) for name, paths in files.items()}
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        assert heads["a"][keyword].value != heads["c"][keyword].value


def test_a_given_frame_of_reference_is_kept(seen, tmp_path):
    geometry = replace(seen.volume.geometry, frame_of_reference_uid="1.2.3.4")
    write_ct_series(replace(seen.volume, geometry=geometry), tmp_path, patient_id="P1", study_date=DAY, seed="1")
    assert read_volume(tmp_path).geometry.frame_of_reference_uid == "1.2.3.4"


@pytest.mark.parametrize(("derived", "told"), [(True, "DERIVED"), (False, "ORIGINAL")])
def test_made_pixels_are_marked_as_made(seen, tmp_path, derived, told):
    paths = write_ct_series(
        seen.volume, tmp_path, patient_id="P1", study_date=DAY, seed="1", description="made", derived=derived
    )
    head = pydicom.dcmread(paths[0])
    assert (head.ImageType[0], head.SeriesDescription, head.PatientID) == (told, "made", "P1")


def test_files_are_the_same_at_every_writing(seen, tmp_path):
    files = series(seen, tmp_path / "ct")
    for name in ("one", "two"):
        write_nifti(seen.volume, tmp_path / name / "ct.nii.gz")
        write_label_map(seen.mask, tmp_path / name / "lesions.nii.gz")
        write_dicom_seg(seen.mask, files, tmp_path / name / "seg.dcm", seed="1")
    for name in ("ct.nii.gz", "lesions.nii.gz", "seg.dcm"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("hu", [31_743.0, -33_792.0])
def test_the_farthest_values_are_kept(seen, tmp_path, hu):
    volume = replace(seen.volume, array=np.full(seen.volume.array.shape, hu, dtype=np.float32))
    paths = write_ct_series(volume, tmp_path, patient_id="P1", study_date=DAY, seed="1")
    assert np.unique(pydicom.dcmread(paths[0]).pixel_array.astype(int) - 1024).tolist() == [hu]


@pytest.mark.parametrize("hu", [0.5, 31_744.0, -33_793.0, np.nan])
def test_values_that_are_no_whole_hu_are_refused(seen, tmp_path, hu):
    volume = replace(seen.volume, array=np.full(seen.volume.array.shape, hu, dtype=np.float32))
    with pytest.raises(OutputError, match="not whole HU"):
        write_ct_series(volume, tmp_path, patient_id="P1", study_date=DAY, seed="1")


@pytest.mark.parametrize("labels", [(), (2,), (1, 3)], ids=str)
def test_labels_that_cannot_be_segment_numbers_are_refused(seen, tmp_path, labels):
    region = seen.mask[1]
    mask = replace(seen.mask, regions=tuple(replace(region, label=label) for label in labels))
    with pytest.raises(OutputError, match="cannot be segment numbers") as error:
        write_dicom_seg(mask, [], tmp_path / "seg.dcm", seed="1")
    assert error.value.way_out


def test_importing_phantoms_loads_no_imaging_library():
    code = (
        "import sys, mdanderson.phantoms; print([n for n in ('pydicom', 'highdicom', 'nibabel') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
