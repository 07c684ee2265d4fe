"""DICOM files with known pixels and a known place, written by the tests themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

from mdanderson.geometry import Geometry

SERIES_UID, FRAME_UID = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"
STORAGE = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}

Edit = Callable[[int, FileDataset], None]
SeriesFactory = Callable[..., Path]


def slice_dataset(
    stored: npt.NDArray[np.integer], geometry: Geometry, plane: int, modality: str, series_uid: str
) -> FileDataset:
    """One plane (rows, columns) of stored numbers as a data set; rescaled by 1 and -1024 when it is CT."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = STORAGE.get(modality, CTImageStorage)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = modality, series_uid, FRAME_UID
    ds.PatientName, ds.StudyDate, ds.SeriesNumber, ds.SeriesDescription = "Secret^Name", "20240229", 4, "THORAX"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = stored.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(stored.dtype.kind == "i")
    _, row, column = geometry.directions
    ds.ImageOrientationPatient = [*map(float, column), *map(float, row)]
    ds.ImagePositionPatient = [float(x) for x in geometry.to_lps([plane, 0, 0])]
    ds.PixelSpacing = [geometry.spacing_mm[1], geometry.spacing_mm[2]]
    ds.SliceThickness = 9.0  # never the spacing of a stack
    if modality == "CT":
        ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    if modality == "PT":
        ds.RescaleSlope, ds.RescaleIntercept, ds.Units = 1, 0, "GML"
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
    return ds


@pytest.fixture
def dicom_series_factory(tmp_path: Path) -> SeriesFactory:
    """Writes a series: `factory(stored, geometry, modality="CT", folder="series", edit=None, series_uid=...)`.

    stored: (planes, rows, columns) integers. `edit(plane, data_set)` may spoil a slice before it is written. Files are
    named against the order of their planes, so that sorting by name gives a wrong volume. Returns the folder.
    """

    def write(
        stored: npt.NDArray[np.integer],
        geometry: Geometry,
        *,
        modality: str = "CT",
        folder: str = "series",
        edit: Edit | None = None,
        series_uid: str = SERIES_UID,
    ) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for plane, pixels in enumerate(stored):
            ds = slice_dataset(pixels, geometry, plane, modality, series_uid)
            ds.InstanceNumber = plane * 7 % 5
            if edit is not None:
                edit(plane, ds)
            ds.save_as(target / f"{series_uid[-1]}_{len(stored) - plane:03d}.dcm", enforce_file_format=True)
        return target

    return write


@pytest.fixture
def oblique_grid() -> Geometry:
    """5 x 6 x 7 voxels with three different spacings, turned by 20 degrees about z and 35 about x."""
    (c20, s20), (c35, s35) = ((np.cos(a), np.sin(a)) for a in np.radians([20.0, 35.0]))
    about_z = np.array([[c20, -s20, 0.0], [s20, c20, 0.0], [0.0, 0.0, 1.0]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, c35, -s35], [0.0, s35, c35]])
    return Geometry.from_axes(
        shape=(5, 6, 7),
        spacing_mm=(3.0, 0.7, 0.9),
        origin_mm=(-31.0, 12.5, 208.25),
        directions=(about_z @ about_x)[:, ::-1].T,  # plane, row, column = the turned z, y, x
        frame_of_reference_uid=FRAME_UID,
    )


@pytest.fixture
def axial_grid() -> Geometry:
    """The same voxels, axial: planes to the head, rows to the back, columns to the left."""
    return Geometry.from_axes(
        shape=(5, 6, 7), spacing_mm=(3.0, 0.7, 0.9), origin_mm=(-31.0, 12.5, 208.25), frame_of_reference_uid=FRAME_UID
    )


@pytest.fixture
def stored() -> npt.NDArray[np.int16]:
    """5 x 6 x 7 stored numbers, each another one: 0, 3, 6, ... 627."""
    return (np.arange(210, dtype=np.int16) * 3).reshape(5, 6, 7)
