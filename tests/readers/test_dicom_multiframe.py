"""Enhanced multi-frame images pass the checks of a series; highdicom's reader is the oracle for their geometry."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from mdanderson.errors import GeometryError, ImageError, UnitError
from mdanderson.geometry import same_grid
from mdanderson.readers import read_volume
from mdanderson.volume import Unit


def item(**values: object) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def enhanced(stored, geometry, modality="CT", rescale_type="HU") -> FileDataset:
    """A multi-frame data set whose frames lie in reverse order of their planes."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = EnhancedCTImageStorage if modality == "CT" else EnhancedMRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "1", "Secret^Name", "", ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.StudyID, ds.AccessionNumber, ds.StudyTime, ds.ReferringPhysicianName = "", "", "", ""
    ds.Modality, ds.StudyDate, ds.FrameOfReferenceUID = modality, "20240229", geometry.frame_of_reference_uid
    ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = 1, 1, "M"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.NumberOfFrames, ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    planes = range(len(stored))[::-1]
    _, row, column = geometry.directions
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=list(geometry.spacing_mm[1:]), SliceThickness=9.0)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[*map(float, column), *map(float, row)])],
        CTXRayDetailsSequence=[item(KVP=120.0)],
    )
    transformation = item(RescaleSlope="1", RescaleIntercept="-1024", RescaleType=rescale_type)
    shared.PixelValueTransformationSequence = [transformation]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [
        item(
            FrameContentSequence=[item(DimensionIndexValues=[k + 1])],
            PlanePositionSequence=[item(ImagePositionPatient=[float(x) for x in geometry.to_lps([k, 0, 0])])],
        )
        for k in planes
    ]
    ds.DimensionOrganizationSequence = [item(DimensionOrganizationUID=generate_uid())]
    ds.DimensionIndexSequence = [
        item(
            DimensionIndexPointer=0x00200032,
            FunctionalGroupPointer=0x00209113,
            DimensionOrganizationUID=ds.DimensionOrganizationSequence[0].DimensionOrganizationUID,
        )
    ]
    ds.PixelData = stored[list(planes)].astype("<i2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def saved(ds: FileDataset, tmp_path: Path) -> Path:
    path = tmp_path / "image"
    ds.save_as(path, enforce_file_format=True)
    return path


def refused(ds: FileDataset, tmp_path: Path, kind: type[ImageError] = GeometryError) -> ImageError:
    with pytest.raises(kind) as caught:
        read_volume(saved(ds, tmp_path))
    assert type(caught.value) is kind
    assert caught.value.where.startswith("image")
    assert caught.value.way_out
    return caught.value


@pytest.mark.parametrize("compressed", [False, True])
def test_frames_are_placed_by_position(tmp_path, stored, oblique_grid, compressed) -> None:
    ds = enhanced(stored, oblique_grid)
    if compressed:
        ds.compress(RLELossless, generate_instance_uid=False)
    path = saved(ds, tmp_path)

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array, stored - 1024)
    assert volume.array.dtype == np.int16
    assert same_grid(volume.geometry, oblique_grid, tolerance_mm=1e-6)
    assert (volume.unit, str(volume.date)) == (Unit.HU, "2024-02-29")
    assert volume.acquisition == {"kvp": "120", "contrast_agent": "unknown", "slice_thickness_mm": "9"}


def test_highdicom_places_every_voxel_alike(tmp_path, stored, oblique_grid) -> None:
    path = saved(enhanced(stored, oblique_grid), tmp_path)
    ours, theirs = read_volume(path), highdicom.imread(path).get_volume()

    index = np.argwhere(np.ones(ours.array.shape))
    places = ours.geometry.to_lps(index)
    homogeneous = np.c_[places, np.ones(len(places))] @ np.linalg.inv(theirs.affine).T
    their_index = np.rint(homogeneous[:, :3]).astype(int)
    np.testing.assert_allclose(homogeneous[:, :3], their_index, atol=1e-6)
    np.testing.assert_array_equal(theirs.array[tuple(their_index.T)], ours.array[tuple(index.T)])


def test_a_frame_may_have_its_own_rescaling(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid, modality="MR", rescale_type="US")
    for frame, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        groups.PixelValueTransformationSequence = [item(RescaleSlope=f"{frame + 1}", RescaleIntercept="0")]
    volume = read_volume(saved(ds, tmp_path))
    np.testing.assert_array_equal(volume.array, stored * np.arange(5, 0, -1)[:, None, None])
    assert volume.unit is Unit.ARBITRARY


def test_two_frames_in_one_place_are_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    ds.PerFrameFunctionalGroupsSequence[1] = ds.PerFrameFunctionalGroupsSequence[0]
    error = refused(ds, tmp_path)
    assert error.what == "two slices lie in one place (image frame 1 and image frame 2)"


def test_a_missing_frame_is_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    del ds.PerFrameFunctionalGroupsSequence[2]
    ds.NumberOfFrames = 4
    assert refused(ds, tmp_path).what == "1 slice(s) missing: 6.00 mm after image frame 3, elsewhere 3.00 mm"


@pytest.mark.parametrize(
    ("group", "keyword"),
    [("PixelMeasuresSequence", "PixelSpacing"), ("PlaneOrientationSequence", "ImageOrientationPatient")],
)
def test_frames_without_a_place_are_refused(tmp_path, stored, axial_grid, group, keyword) -> None:
    ds = enhanced(stored, axial_grid)
    delattr(ds.SharedFunctionalGroupsSequence[0], group)
    error = refused(ds, tmp_path)
    assert (error.what, error.where) == (f"{keyword} is missing", "image frame 1")


def test_more_frames_than_positions_are_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    del ds.PerFrameFunctionalGroupsSequence
    assert refused(ds, tmp_path).what == "5 frames, 0 of them with a position"


def test_more_frames_than_pixels_are_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    ds.PixelData = ds.PixelData[:-2]
    assert refused(ds, tmp_path, ImageError).what == "pixels are cut short"


@pytest.mark.parametrize("rescale_type", ["ED", "Z"])
def test_ct_without_hu_is_refused(tmp_path, stored, axial_grid, rescale_type) -> None:
    assert rescale_type in refused(enhanced(stored, axial_grid, rescale_type=rescale_type), tmp_path, UnitError).what


def test_a_localizer_is_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]
    assert "localizer" in refused(ds, tmp_path).what


def test_an_impossible_number_of_frames_is_refused(tmp_path, stored, axial_grid) -> None:
    ds = enhanced(stored, axial_grid)
    ds.NumberOfFrames = 10**8
    assert "voxels" in refused(ds, tmp_path, ImageError).what
