"""Phantoms as DICOM series, one file a plane: CT in HU, PET in Bq/ml with all that makes an SUV of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mdanderson.errors import OutputError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.volume import Unit, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

__all__ = ["NOON", "common_header", "dicom_file", "uid", "write_ct_series", "write_pet_series"]

NOON = "120000"
_INTERCEPT_HU = -1024
_CT, _PET = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.128"

_WEIGHT_KG, _HEIGHT_M = 75.0, 1.75
_DOSE_BQ, _HALF_LIFE_S, _UPTAKE_S = 3.0e8, 6586.2, 3600.0
_BQ_PER_SUV = _DOSE_BQ * 2.0 ** (-_UPTAKE_S / _HALF_LIFE_S) / (1000.0 * _WEIGHT_KG)
_STEP_SUV = 0.001
"""What one stored number stands for."""


def write_ct_series(
    volume: Volume,
    directory: Path,
    *,
    patient_id: str,
    study_date: dt.date,
    seed: str,
    series_number: int = 1,
    description: str = "CT phantom",
    derived: bool = True,
) -> tuple[Path, ...]:
    """The image as a DICOM CT series, uncompressed, one file a plane; gives the files in plane order.

    Every UID is derived from `seed`, so that a visit of its own has UIDs of its own, the same at every writing; the
    frame of reference is the geometry's, or a fresh one. `derived` marks the pixels as made, not acquired.
    Raises `OutputError` for values that are not whole HU in 16 bits.
    """
    stored = np.asarray(volume.array, dtype=np.float64) - _INTERCEPT_HU
    if not ((np.abs(stored + 0.5) < 2**15) & (stored == np.rint(stored))).all():  # NaN is neither
        raise OutputError("values are not whole HU in 16 bits", where=str(directory), way_out="round them to int16")
    common = common_header(patient_id=patient_id, study_date=study_date, seed=seed, series_number=series_number)
    common |= _placed(volume.geometry, seed) | {
        "SOPClassUID": _CT,
        "ImageType": ["DERIVED" if derived else "ORIGINAL", "PRIMARY", "AXIAL"],
        "Modality": "CT",
        "SeriesDescription": description,
        "KVP": "120",
        "ConvolutionKernel": "PHANTOM",
        "PixelRepresentation": 1,
        "RescaleIntercept": str(_INTERCEPT_HU),
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }
    return _write(common, volume.geometry, stored.astype("<i2"), directory, seed=seed, instance="instance")


def write_pet_series(
    volume: Volume, directory: Path, *, patient_id: str, study_date: dt.date, seed: str, series_number: int = 2
) -> tuple[Path, ...]:
    """An FDG image in SUV as a DICOM PET series in Bq/ml, one file a plane; gives the files in plane order.

    A man of 75 kg and 1.75 m, 300 MBq an hour before the scan, decay-corrected to its start. With the `seed` of a CT
    it is of the same study and frame of reference.
    Raises `OutputError` for values that are no SUV from 0 to 65.
    """
    stored = np.rint(np.asarray(volume.array, dtype=np.float64) / _STEP_SUV)
    if volume.unit is not Unit.SUV or not ((stored >= 0) & (stored < 2**16)).all():
        raise OutputError("values are no SUV from 0 to 65", where=str(directory), way_out="write an image in SUV")
    common = common_header(patient_id=patient_id, study_date=study_date, seed=seed, series_number=series_number)
    common |= _placed(volume.geometry, seed) | {
        "SOPClassUID": _PET,
        "ImageType": ["DERIVED", "PRIMARY"],
        "Modality": "PT",
        "SeriesDescription": "PET phantom",
        "PatientSex": "M",
        "PatientWeight": f"{_WEIGHT_KG:g}",
        "PatientSize": f"{_HEIGHT_M:g}",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "RadiopharmaceuticalInformationSequence": [_fdg()],
        "PixelRepresentation": 0,
        "RescaleIntercept": "0",
        "RescaleSlope": _decimal(_STEP_SUV * _BQ_PER_SUV),
    }
    return _write(common, volume.geometry, stored.astype("<u2"), directory, seed=seed, instance="pet instance")


def common_header(*, patient_id: str, study_date: dt.date, seed: str, series_number: int) -> dict[str, object]:
    """What every phantom says of patient, study and series, by DICOM keyword."""
    dates = dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"), f"{study_date:%Y%m%d}")
    times = dict.fromkeys(("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"), NOON)
    empty = dict.fromkeys(
        ("AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientSex", "PatientBirthDate", "AcquisitionNumber")
    )
    return {
        **dates,
        **times,
        **empty,
        "SpecificCharacterSet": "ISO_IR 192",
        "Manufacturer": "mdanderson phantoms",
        "PatientName": f"PHANTOM^{patient_id}",
        "PatientID": patient_id,
        "StudyInstanceUID": uid(seed, "study"),
        "SeriesInstanceUID": uid(seed, f"series {series_number}"),
        "SeriesNumber": series_number,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
    }


def dicom_file(common: Mapping[str, object], *, instance_uid: str, pixels: npt.NDArray[np.generic]) -> FileDataset:
    """A file with this header and these little-endian pixels, uncompressed."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = str(common["SOPClassUID"])
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in common.items():
        setattr(dataset, keyword, value)
    dataset.SOPInstanceUID = instance_uid
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def uid(*entropy: str) -> str:
    """A UID that the same words always give (2.25 would need a UUID; the hash serves as well)."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["mdanderson phantoms", *entropy]))


def _write(
    common: Mapping[str, object],
    geometry: Geometry,
    stored: npt.NDArray[np.int16] | npt.NDArray[np.uint16],
    directory: Path,
    *,
    seed: str,
    instance: str,
) -> tuple[Path, ...]:
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for plane, pixels in enumerate(stored):
        dataset = dicom_file(common, instance_uid=uid(seed, f"{instance} {plane}"), pixels=pixels)
        dataset.InstanceNumber = plane + 1
        dataset.ImagePositionPatient = _decimals(geometry.to_lps([plane, 0, 0]))
        path = directory / f"IM{plane + 1:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return tuple(paths)


def _placed(geometry: Geometry, seed: str) -> dict[str, object]:
    """What a series says of its grid."""
    spacing_plane, spacing_row, spacing_column = geometry.spacing_mm
    return {
        "PatientPosition": "HFS",
        "BodyPartExamined": "SPINE",
        "FrameOfReferenceUID": geometry.frame_of_reference_uid or uid(seed, "frame"),
        "PositionReferenceIndicator": None,
        "SliceThickness": _decimal(spacing_plane),
        "SpacingBetweenSlices": _decimal(spacing_plane),
        "PixelSpacing": [_decimal(spacing_row), _decimal(spacing_column)],
        "ImageOrientationPatient": [_decimal(v) for axis in (2, 1) for v in geometry.directions[axis]],
        "Rows": geometry.shape[1],
        "Columns": geometry.shape[2],
    }


def _fdg() -> Dataset:
    """What was injected, and when: at eleven for a scan at noon."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.Radiopharmaceutical = "FDG -- fluorodeoxyglucose"
    item.RadiopharmaceuticalStartTime = "110000"
    item.RadionuclideTotalDose = f"{_DOSE_BQ:.0f}"
    item.RadionuclideHalfLife = f"{_HALF_LIFE_S:g}"
    return item


def _decimals(values: FloatArray) -> list[str]:
    return [_decimal(value) for value in values]


def _decimal(value: float) -> str:
    """A DICOM decimal string: at most 16 characters."""
    return f"{round(float(value), 9) + 0.0:.10g}"
