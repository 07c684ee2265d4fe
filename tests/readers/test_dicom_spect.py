"""A reconstructed SPECT in one NM file: placed by its detector item, the signed step and the slice vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import Geometry, same_grid
from mdanderson.readers import read_volume
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

Edit = Callable[[FileDataset], None]


def spect(stored: np.ndarray, geometry: Geometry, edit: Edit | None = None) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = NuclearMedicineImageStorage, generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.StudyDate, ds.SeriesInstanceUID = "NM", "20240229", generate_uid()
    ds.FrameOfReferenceUID = geometry.frame_of_reference_uid
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.NumberOfFrames, ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelSpacing = list(geometry.spacing_mm[1:])
    ds.SpacingBetweenSlices, ds.SliceThickness = geometry.spacing_mm[0], 9.0
    _, row, column = geometry.directions
    detector = Dataset()
    detector.ImageOrientationPatient = [*map(float, column), *map(float, row)]
    detector.ImagePositionPatient = [float(x) for x in geometry.to_lps([0, 0, 0])]
    ds.DetectorInformationSequence = [detector]
    ds.SliceVector = list(range(1, len(stored) + 1))
    ds.PixelData = stored.astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    if edit is not None:
        edit(ds)
    return ds


@pytest.fixture
def write(tmp_path: Path, stored: np.ndarray, oblique_grid: Geometry) -> Callable[..., Path]:
    def written(edit: Edit | None = None) -> Path:
        path = tmp_path / "spect.dcm"
        spect(stored, oblique_grid, edit).save_as(path, enforce_file_format=True)
        return path

    return written


def refused(path: Path, kind: type[ImageError]) -> ImageError:
    with pytest.raises(kind) as caught:
        read_volume(path)
    assert type(caught.value) is kind
    assert caught.value.where.startswith("spect.dcm")
    assert caught.value.way_out
    return caught.value


def test_frames_become_a_volume_of_counts(write, stored, oblique_grid) -> None:
    volume = read_volume(write(), modality=Modality.NM)

    np.testing.assert_array_equal(volume.array, stored)
    assert same_grid(volume.geometry, oblique_grid, tolerance_mm=1e-4)
    assert (volume.unit, volume.modality, str(volume.date)) == (Unit.COUNTS, Modality.NM, "2024-02-29")
    assert not volume.planar


def test_a_step_below_zero_stacks_the_other_way(write, stored, oblique_grid) -> None:
    """The first frame keeps its place; the others lie before it, so that the planes of the volume run from the last."""

    def edit(ds: FileDataset) -> None:
        ds.SpacingBetweenSlices = -oblique_grid.spacing_mm[0]

    volume = read_volume(write(edit))

    np.testing.assert_array_equal(volume.array, stored[::-1])
    np.testing.assert_allclose(volume.geometry.to_lps([4, 0, 0]), oblique_grid.to_lps([0, 0, 0]), atol=1e-4)
    np.testing.assert_allclose(volume.geometry.to_lps([0, 0, 0]), oblique_grid.to_lps([-4, 0, 0]), atol=1e-4)


def test_the_slice_vector_orders_the_frames(write, stored) -> None:
    def edit(ds: FileDataset) -> None:
        ds.SliceVector = [2, 1, 3, 5, 4]

    np.testing.assert_array_equal(read_volume(write(edit)).array, stored[[1, 0, 2, 4, 3]])


def test_without_a_slice_vector_frames_lie_in_order(write, stored) -> None:
    def edit(ds: FileDataset) -> None:
        del ds.SliceVector

    np.testing.assert_array_equal(read_volume(write(edit)).array, stored)


def test_a_place_in_the_header_itself_will_do(write, oblique_grid) -> None:
    def edit(ds: FileDataset) -> None:
        detector = ds.DetectorInformationSequence[0]
        ds.ImagePositionPatient, ds.ImageOrientationPatient = (
            detector.ImagePositionPatient,
            detector.ImageOrientationPatient,
        )
        del ds.DetectorInformationSequence

    assert same_grid(read_volume(write(edit)).geometry, oblique_grid, tolerance_mm=1e-4)


@pytest.mark.parametrize("vector", [[1, 2, 3, 4, 4], [0, 1, 2, 3, 4], [1, 2, 3, 4, 6]])
def test_slices_numbered_otherwise_are_refused(write, vector) -> None:
    def edit(ds: FileDataset) -> None:
        ds.SliceVector = vector

    assert refused(write(edit), GeometryError).what == "SliceVector does not number the slices 1, 2, 3, ..."


@pytest.mark.parametrize("step", [None, 0])
def test_the_thickness_is_never_the_step(write, step) -> None:
    def edit(ds: FileDataset) -> None:
        ds.SpacingBetweenSlices = step

    assert refused(write(edit), GeometryError).what == "SpacingBetweenSlices is missing"


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_no_place_no_volume(write, keyword) -> None:
    def edit(ds: FileDataset) -> None:
        delattr(ds.DetectorInformationSequence[0], keyword)

    assert refused(write(edit), GeometryError).what.endswith("is missing")


@pytest.mark.parametrize(
    ("keyword", "what"),
    [("EnergyWindowVector", "energy windows"), ("TimeSlotVector", "time slots"), ("RRIntervalVector", "R-R intervals")],
)
def test_several_reconstructions_in_one_file_are_refused(write, keyword, what) -> None:
    def edit(ds: FileDataset) -> None:
        setattr(ds, keyword, [1, 1, 1, 2, 2])

    assert refused(write(edit), ImageError).what == f"frames of 2 {what} in one file"


def test_raw_projections_are_refused(write) -> None:
    def edit(ds: FileDataset) -> None:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]

    with pytest.raises(ImageError, match="raw projections of a SPECT"):
        read_volume(write(edit))
