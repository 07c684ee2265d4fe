"""Masks of real images, in every format they came in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest

from mdanderson.errors import MaskError
from mdanderson.readers import read_volume
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

pytestmark = pytest.mark.real


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def nifti(path: Path) -> Volume:
    return read_volume(path, modality=Modality.CT, date=dt.date(2020, 1, 1))


class TestOneLesionTwoFormats:
    """STS_002: the RTSTRUCT and the label map of one tumour, on the label map's and on the DICOM series' own grid."""

    @pytest.mark.parametrize(("kind", "voxels"), [("CT", 17090), ("MR_T1", 17090), ("PET", 555)])
    def test_contours_and_label_map_agree_voxel_for_voxel(self, real_data, kind, voxels):
        folder = real_data / "sts_multimodal"
        like = nifti(folder / f"nifti/STS_002/{kind}_image.nii.gz")
        stored = read_mask(folder / f"nifti/STS_002/{kind}_mask.nii.gz", like=like)
        drawn = read_mask(folder / f"dicom_STS_002/{kind}/mask", like=like)
        assert dice(stored.to_label_map() > 0, drawn.to_label_map() > 0) == 1.0
        assert drawn[1].voxels.sum() == voxels
        assert (drawn.notes, drawn[1].name) == ((), f"GTV_Mass_{kind}")

    @pytest.mark.parametrize(("kind", "voxels"), [("CT", 17090), ("MR_T1", 17090), ("PET", 555)])
    def test_on_the_dicom_series_as_well(self, real_data, kind, voxels):
        folder = real_data / "sts_multimodal"
        like = read_volume(folder / f"dicom_STS_002/{kind}/image")
        drawn = read_mask(folder / f"dicom_STS_002/{kind}/mask", like=like)
        stored = read_mask(folder / f"nifti/STS_002/{kind}_mask.nii.gz", like=like)
        np.testing.assert_array_equal(drawn.to_label_map(), stored.to_label_map())
        assert drawn[1].voxels.sum() == voxels

    def test_ct_contours_on_the_coarse_pet_grid_keep_the_volume(self, real_data):
        folder = real_data / "sts_multimodal/dicom_STS_002"
        pet = read_volume(folder / "PET/image")
        ct = read_volume(folder / "CT/image")
        fine, coarse = read_mask(folder / "CT/mask", like=ct), read_mask(folder / "CT/mask", like=pet)
        ml = [mask[1].voxels.sum() * mask.geometry.voxel_volume_mm3 / 1000 for mask in (fine, coarse)]
        assert ml[1] == pytest.approx(ml[0], rel=0.05)

    def test_the_mask_of_another_patient_is_refused(self, real_data):
        like = read_volume(real_data / "sts_multimodal/dicom_STS_002/CT/image")
        with pytest.raises(MaskError, match="different frames of reference"):
            read_mask(real_data / "pet_raw_sts001/mask", like=like)


def test_pet_rtstruct_lies_on_the_uptake(real_data):
    like = read_volume(real_data / "pet_raw_sts001/image")
    mask = read_mask(real_data / "pet_raw_sts001/mask", like=like)
    assert [(r.label, r.name, int(r.voxels.sum())) for r in mask] == [(1, "GTV_Mass", 5095), (2, "GTV_Edema", 8058)]
    tumour = mask[1]
    values = like.array[tumour.box]
    assert values[tumour.voxels].mean() > 2 * values[~tumour.voxels].mean()


def test_label_map_stored_upside_down_against_its_series(real_data):
    folder = real_data / "ct_totalseg"
    like = read_volume(folder / "example_ct_dicom")
    mask = read_mask(folder / "example_seg_dicom.nii.gz", like=like)
    stored = np.asanyarray(nib.load(folder / "example_seg_dicom.nii.gz").dataobj)
    values, counts = np.unique(stored[stored > 0], return_counts=True)
    assert [(r.label, int(r.voxels.sum())) for r in mask] == list(zip(values.tolist(), counts.tolist(), strict=True))
    assert mask.notes == ()
    for vertebra in (32, 33):
        region = mask[vertebra]
        inside = np.median(like.array[region.box][region.voxels])
        mirrored = like.array[:, ::-1][region.box][region.voxels]
        assert inside > 100 > np.median(mirrored)  # bone where the mask says bone, and not in the mirror


class TestDcmqi:
    @pytest.mark.parametrize("name", ["liver.dcm", "partial_overlaps.dcm"])
    def test_segments_are_those_of_highdicom(self, real_data, name):
        like = read_volume(real_data / "seg_dcmqi/ct-3slice")
        mask = read_mask(real_data / "seg_dcmqi" / name, like=like)
        oracle = hd.seg.segread(real_data / "seg_dcmqi" / name)
        volume = oracle.get_volume(combine_segments=False)
        assert [r.label for r in mask] == list(oracle.segment_numbers)
        for number, region in enumerate(mask):
            ours = like.geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
            theirs = np.argwhere(volume.array[..., number]) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
            assert len(ours) == len(theirs)
            np.testing.assert_allclose(ours.min(axis=0), theirs.min(axis=0), atol=0.01)
            np.testing.assert_allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=0.01)
            assert region.name == oracle.get_segment_description(region.label).segment_label

    def test_five_segments_overlap(self, real_data):
        like = read_volume(real_data / "seg_dcmqi/ct-3slice")
        mask = read_mask(real_data / "seg_dcmqi/partial_overlaps.dcm", like=like)
        assert [int(r.voxels.sum()) for r in mask] == [9602, 11888, 10743, 6693, 4713]
        assert np.count_nonzero(mask.to_label_map()) < sum(r.voxels.sum() for r in mask)

    def test_label_maps_agree_with_the_seg(self, real_data):
        folder = real_data / "seg_dcmqi"
        like = read_volume(folder / "ct-3slice")
        both = read_mask(folder / "liver_spine_seg.nrrd", like=like)
        spine = read_mask(folder / "spine_seg.nrrd", like=like)
        liver = read_mask(folder / "liver.dcm", like=like)
        np.testing.assert_array_equal(both[1].voxels, liver[1].voxels)
        np.testing.assert_array_equal(both[2].voxels, spine[2].voxels)
        assert both[1].box == liver[1].box

    def test_seg_of_another_series(self, real_data):
        like = read_volume(real_data / "ct_totalseg/example_ct_dicom")
        with pytest.raises(MaskError, match="different frames of reference"):
            read_mask(real_data / "seg_dcmqi/liver.dcm", like=like)
        with pytest.raises(MaskError, match="does not overlap"):
            read_mask(real_data / "seg_dcmqi/spine_seg.nrrd", like=like)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("sample_ct/sub-ct_label-22_ct.nii.gz", "sample_ct/sub-ct_seg-vert_label-22_msk.nii.gz"),
        ("sample_ct/sub-ct_label-22_ct.nii.gz", "sample_ct/sub-ct_seg-subreg_label-22_msk.nii.gz"),
        ("sample_mri/sub-mri_label-6_T2w.nii.gz", "sample_mri/sub-mri_seg-vert_label-6_msk.nii.gz"),
        ("sample_mri/sub-mri_label-6_T2w.nii.gz", "sample_mri/sub-mri_seg-subreg_label-6_msk.nii.gz"),
    ],
)
def test_spine_label_maps_keep_every_voxel(real_data, image, mask):
    folder = real_data / "spine_tptbox"
    read = read_mask(folder / mask, like=nifti(folder / image))
    stored = np.asanyarray(nib.load(folder / mask).dataobj)
    values, counts = np.unique(stored[stored > 0], return_counts=True)
    assert [(r.label, int(r.voxels.sum())) for r in read] == list(
        zip(values.astype(int).tolist(), counts.tolist(), strict=True)
    )
    assert read.notes == ()
