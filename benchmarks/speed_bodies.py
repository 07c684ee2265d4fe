"""Images, label maps and series that speed.py and batch.py time the work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Spacing", "body", "ellipsoids", "trunk", "write_series"]

Spacing = tuple[float, float, float]


def body(shape: tuple[int, int, int], seed: int = 1) -> npt.NDArray[np.int16]:
    """int16 HU: a soft-tissue cylinder with a spine in air, and noise of 15 HU."""
    import numpy as np

    planes, rows, columns = shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    section = np.where((x / 0.85) ** 2 + (y / 0.65) ** 2 < 1, 40.0, -1000.0)
    section[x**2 + (y - 0.3) ** 2 < 0.03] = 180.0
    noise = np.random.default_rng(seed).normal(0.0, 15.0, (rows, columns))
    array = np.empty(shape, dtype=np.int16)
    for plane in range(planes):
        array[plane] = np.maximum(section + np.roll(noise, 7 * plane, axis=0), -1024)
    return array


def trunk(shape: tuple[int, int, int], spacing_mm: Spacing, seed: int) -> npt.NDArray[np.int16]:
    """int16 HU: a trunk with bones that no two places share, which can be registered."""
    import numpy as np
    from registration_bodies import Body

    person, rng = Body(), np.random.default_rng(seed)
    z, y, x = ((np.arange(n) - (n - 1) / 2) * step for n, step in zip(shape, spacing_mm, strict=True))
    half = np.stack(np.meshgrid(x[::2], y[::2], indexing="xy"), axis=-1).reshape(-1, 2)
    array = np.empty(shape, dtype=np.int16)
    for number, height in enumerate(z):
        hu = person.hu(np.c_[half, np.full(len(half), height)]).reshape(len(y) // 2, len(x) // 2)
        array[number] = hu.repeat(2, axis=0).repeat(2, axis=1) + rng.normal(0.0, 15.0, shape[1:])
    return array


def ellipsoids(shape: tuple[int, int, int], spacing_mm: Spacing, count: int, seed: int = 2) -> npt.NDArray[np.uint16]:
    """uint16 labels: ellipsoids of 8-40 mm that do not touch, on a lattice."""
    import numpy as np

    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, dtype=np.uint16)
    extent = np.array(shape) * spacing_mm
    across = max(1, round((count / 4) ** 0.5))
    cells = (-(-count // across**2), across, across)
    pitch = extent / cells
    for number in range(count):
        centre = (np.array(np.unravel_index(number, cells)) + 0.5) * pitch + rng.uniform(-0.5, 0.5, 3) * spacing_mm
        semi = np.minimum(rng.uniform(4.0, 20.0) * rng.uniform(0.6, 1.0, 3), 0.45 * pitch)
        low = np.maximum(np.floor((centre - semi) / spacing_mm).astype(int), 0)
        high = np.minimum(np.ceil((centre + semi) / spacing_mm).astype(int) + 1, shape)
        axes = [
            ((np.arange(a, b) + 0.5) * s - c) / r
            for a, b, s, c, r in zip(low, high, spacing_mm, centre, semi, strict=True)
        ]
        inside = (axes[0] ** 2)[:, None, None] + (axes[1] ** 2)[:, None] + axes[2] ** 2 <= 1
        labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))][inside] = number + 1
    return labels


def write_series(folder: Path, array: npt.NDArray[np.int16], spacing_mm: Spacing, *, jpegls: bool = False) -> Path:
    """A CT series of single-frame files, 12 bits stored, as scanners send it."""
    import numpy as np
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame = (generate_uid() for _ in range(3))
    for number, plane in enumerate(array):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = CTImageStorage
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID, header.FrameOfReferenceUID = study, series, frame
        header.Modality, header.PatientID, header.PatientName = "CT", "BENCHMARK", "Benchmark"
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = "20240101"
        header.Manufacturer, header.ManufacturerModelName, header.KVP = "Maker", "Model", "120"
        header.ImageType, header.ConvolutionKernel = ["ORIGINAL", "PRIMARY", "AXIAL"], "B30f"
        header.SeriesNumber, header.InstanceNumber, header.SeriesDescription = 2, number + 1, "Thorax Abdomen"
        header.SliceThickness, header.PatientPosition = f"{spacing_mm[0]:g}", "HFS"
        header.ImagePositionPatient = [-200, -200, number * spacing_mm[0]]
        header.ImageOrientationPatient, header.PixelSpacing = [1, 0, 0, 0, 1, 0], list(spacing_mm[1:])
        header.SliceLocation = number * spacing_mm[0]
        header.Rows, header.Columns = plane.shape
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 12, 11, 0
        header.RescaleIntercept, header.RescaleSlope, header.RescaleType = "-1024", "1", "HU"
        header.PixelData = (plane + 1024).clip(0, 4095).astype(np.uint16).tobytes()
        if jpegls:
            header.compress(JPEGLSLossless, encoding_plugin="pyjpegls")
        header.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
    return folder
