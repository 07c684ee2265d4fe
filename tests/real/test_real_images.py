"""Every real image is read as it is, or refused with the reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from mdanderson.errors import GeometryError, ImageError
from mdanderson.readers import read_volume
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

pytestmark = pytest.mark.real

DATE = dt.date(2024, 1, 1)


def simpleitk_values(volume: Volume, paths: list[Path]) -> None:
    """Oracle for sound series: GDCM through SimpleITK, file by file, compared at the same place in the patient."""
    for path in paths:
        image = SimpleITK.ReadImage(str(path))
        index = volume.geometry.to_voxel(image.GetOrigin())
        off_mm = np.abs(index - [round(float(index[0])), 0, 0]) * volume.geometry.spacing_mm
        assert off_mm.max() < 0.1  # headers round positions
        theirs = SimpleITK.GetArrayViewFromImage(image)[0]
        np.testing.assert_allclose(volume.array[round(float(index[0]))], theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("folder", "shape", "spacing_mm", "unit", "date"),
    [
        ("ct_totalseg/example_ct_dicom", (20, 512, 512), (2.0, 0.9765625, 0.9765625), Unit.HU, "2022-12-08"),
        ("seg_dcmqi/ct-3slice", (3, 512, 512), (1.0, 0.810547, 0.810547), Unit.HU, "2003-04-17"),
        ("sts_multimodal/dicom_STS_002/CT/image", (48, 143, 161), (3.27, 0.976562, 0.976562), Unit.HU, "2006-01-28"),
        (
            "sts_multimodal/dicom_STS_002/MR_T1/image",
            (35, 90, 115),
            (3.269955, 0.976562, 0.976562),
            Unit.ARBITRARY,
            "2006-01-28",
        ),
        ("sts_multimodal/dicom_STS_002/PET/image", (48, 27, 30), (3.27, 5.46875, 5.46875), Unit.SUV, "2006-01-28"),
    ],
)
def test_sound_series(real_data, folder, shape, spacing_mm, unit, date) -> None:
    volume = read_volume(real_data / folder)
    assert volume.array.shape == shape
    assert volume.geometry.spacing_mm == pytest.approx(spacing_mm, abs=1e-4)
    assert (volume.unit, str(volume.date)) == (unit, date)
    assert "corrected" not in volume.acquisition
    assert volume.geometry.frame_of_reference_uid
    simpleitk_values(volume, sorted((real_data / folder).iterdir())[::7])


def test_padding_of_minus_2000_is_not_imaged(real_data) -> None:
    volume = read_volume(real_data / "seg_dcmqi/ct-3slice")
    assert volume.padding == -3024
    corner = volume.crop((slice(0, 1), slice(0, 5), slice(0, 5)))
    assert not corner.imaged((slice(None),) * 3).any()
    assert volume.imaged((slice(None),) * 3).mean() == pytest.approx(np.pi / 4, abs=0.02)  # the round field of view


def test_gantry_tilt_is_corrected(real_data) -> None:
    volume = read_volume(real_data / "bad_geometry_dicom2nifti/gantrytilting/001")
    assert volume.acquisition["corrected"] == "gantry tilt 14.0 degrees"
    assert volume.geometry.spacing_mm == pytest.approx((5 * 0.970295726, 0.41796875, 0.41796875), abs=1e-5)
    extra = int(np.ceil(3 * 5 * 0.2419218956 / 0.41796875))
    assert volume.array.shape == (4, 512 + extra, 512)
    # the fourth slice starts 15 mm further along the table, off the plane's own direction
    place = volume.geometry.to_lps([3, 0, 0])
    normal = volume.geometry.directions[0]
    tilted = np.array([-106.791015625, -256.61886606561, -46.951915066986])
    assert (tilted - place) @ normal == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("series", "where"), [("001", "IM-0001-0010-0001.dcm"), ("002", "IM-0001-0005.dcm")])
def test_missing_slices_are_refused(real_data, series, where) -> None:
    with pytest.raises(GeometryError, match=r"1 slice\(s\) missing") as caught:
        read_volume(real_data / "bad_geometry_dicom2nifti/sliceincrement" / series)
    assert caught.value.where.startswith(where)


@pytest.mark.parametrize("name", ["NM1_RLE", "NM1_J2KR", "JPEG2000_UNC.dcm", "RG3_RLE"])
def test_planar_images_are_refused(real_data, name) -> None:
    with pytest.raises(ImageError, match=r"a planar image \((NM|CR)\) is no volume"):
        read_volume(real_data / "bone_scan_wg04" / name)


@pytest.mark.parametrize(
    ("name", "kind"), [("pet_raw_sts001/mask", "RTSTRUCT"), ("seg_dcmqi/liver.dcm", "SEG"), ("seg_dcmqi", "SEG")]
)
def test_segmentations_are_no_images(real_data, name, kind) -> None:
    with pytest.raises(ImageError, match=f"no image but DICOM {kind}"):
        read_volume(real_data / name)


@pytest.mark.parametrize(
    ("name", "modality", "shape"),
    [
        ("ct_totalseg/example_ct.nii.gz", Modality.CT, (112, 101, 122)),
        ("spine_tptbox/sample_ct/sub-ct_label-22_ct.nii.gz", Modality.CT, (47, 73, 73)),
        ("spine_tptbox/sample_mri/sub-mri_label-6_T2w.nii.gz", Modality.MR, (52, 68, 67)),
        ("sts_multimodal/nifti/STS_019/PET_image.nii.gz", Modality.PT, (47, 28, 28)),
    ],
)
def test_nifti(real_data, name, modality, shape) -> None:
    """Oracle: nibabel's own affine, voxel by voxel at random places."""
    volume = read_volume(real_data / name, modality=modality, date=DATE)
    assert volume.array.shape == shape
    np.testing.assert_allclose(volume.geometry.directions, np.eye(3)[::-1], atol=1e-6)
    image = nib.load(real_data / name)
    theirs = np.asanyarray(image.dataobj)
    for index in np.random.default_rng(0).integers(0, shape, (50, 3)):
        ras = volume.geometry.to_lps(index) * [-1, -1, 1]
        i, j, k = np.rint(nib.affines.apply_affine(np.linalg.inv(image.affine), ras)).astype(int)
        assert volume.array[tuple(index)] == theirs[i, j, k]


def test_dicom_and_nifti_of_one_image_agree(real_data) -> None:
    folder = real_data / "sts_multimodal"
    for name in ("CT", "PET"):
        dicom = read_volume(folder / "dicom_STS_002" / name / "image")
        nifti = read_volume(folder / "nifti/STS_002" / f"{name}_image.nii.gz", modality=dicom.modality, date=DATE)
        assert dicom.unit is nifti.unit
        np.testing.assert_allclose(nifti.geometry.affine, dicom.geometry.affine, atol=1e-3)
        np.testing.assert_allclose(nifti.array, dicom.array, rtol=1e-4, atol=1e-3)


def test_every_nifti_image_is_readable(real_data) -> None:
    modalities = {"CT": Modality.CT, "PET": Modality.PT, "MR": Modality.MR}
    paths = sorted(real_data.glob("sts_multimodal/nifti/*/*_image.nii.gz"))
    assert len(paths) == 12
    for path in paths:
        volume = read_volume(path, modality=modalities[path.name.split("_")[0]], date=DATE)
        assert volume.array.ndim == 3
