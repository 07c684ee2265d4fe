"""Writing phantoms as files: NIfTI images and label maps, DICOM CT series, DICOM SEG. Same input, same bytes."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mdanderson.errors import OutputError
from mdanderson.geometry import Geometry
from mdanderson.volume import Mask, Volume

if TYPE_CHECKING:
    import highdicom as hd
    from pydicom.dataset import FileDataset

__all__ = ["write_ct_series", "write_dicom_seg", "write_label_map", "write_nifti"]

_INTERCEPT_HU = -1024
_NOON = "120000"


def write_nifti(volume: Volume, path: Path) -> Path:
    """The image as .nii.gz; the file carries no name, no date and no time of writing."""
    return _write_nifti_array(volume.array, volume.geometry, path)


def write_label_map(mask: Mask, path: Path) -> Path:
    """The segmentation as a .nii.gz label map: each voxel holds its lesion's label."""
    labels = mask.to_label_map()
    small = labels.astype(np.uint8) if labels.max(initial=0) < 256 else labels
    return _write_nifti_array(small, mask.geometry, path)


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
    directory.mkdir(parents=True, exist_ok=True)
    geometry = volume.geometry
    common = _ct_header(
        geometry,
        patient_id=patient_id,
        study_date=study_date,
        seed=seed,
        series_number=series_number,
        description=description,
        derived=derived,
    )
    paths = []
    for plane, pixels in enumerate(stored.astype("<i2")):
        path = directory / f"IM{plane + 1:04d}.dcm"
        _ct_plane(common, geometry, pixels, plane=plane, uid=_uid(seed, f"instance {plane}")).save_as(
            path, enforce_file_format=True
        )
        paths.append(path)
    return tuple(paths)


def write_dicom_seg(
    mask: Mask,
    series: Sequence[Path],
    path: Path,
    *,
    seed: str,
    tracking: Mapping[int, str] | None = None,
    series_number: int = 100,
) -> Path:
    """The segmentation as one binary DICOM SEG on the grid of the CT series it belongs to.

    Labels become segment numbers, so they must run 1, 2, 3 ... `tracking` names a lesion over time: label -> its own
    seed, from which the tracking UID is derived, the same at every visit.
    Raises `OutputError` when labels leave a gap or nothing was segmented.
    """
    import highdicom as hd
    from pydicom import dcmread

    numbers = [region.label for region in mask]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise OutputError(f"labels {numbers} cannot be segment numbers", where=str(path), way_out="number them from 1")
    named = tracking or {}
    segmentation = hd.seg.Segmentation(
        source_images=[dcmread(file) for file in series],
        pixel_array=_stack(mask),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(n, seed=named.get(n, f"{seed} lesion {n}")) for n in numbers],
        series_instance_uid=_uid(seed, "seg series"),
        series_number=series_number,
        sop_instance_uid=_uid(seed, "seg instance"),
        instance_number=1,
        manufacturer="mdanderson",
        manufacturer_model_name="phantoms",
        software_versions="1",
        device_serial_number="0",
        series_description="Lesions",
    )
    _settle(segmentation, seed)
    segmentation.save_as(path, enforce_file_format=True)
    return path


def _write_nifti_array(array: npt.NDArray[np.generic], geometry: Geometry, path: Path) -> Path:
    """NIfTI wants x, y, z and RAS; here are plane, row, column and LPS."""
    import nibabel as nib

    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.affine[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(np.ascontiguousarray(array.T), affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"phantom, not a patient"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))
    return path


def _uid(*entropy: str) -> str:
    """A UID that the same words always give (2.25 would need a UUID; the hash serves as well)."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["mdanderson phantoms", *entropy]))


def _ct_header(
    geometry: Geometry,
    *,
    patient_id: str,
    study_date: dt.date,
    seed: str,
    series_number: int,
    description: str,
    derived: bool,
) -> dict[str, object]:
    """What every plane of a series shares, by DICOM keyword."""
    day = f"{study_date:%Y%m%d}"
    spacing_plane, spacing_row, spacing_column = geometry.spacing_mm
    dates = dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"), day)
    times = dict.fromkeys(("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"), _NOON)
    empty = dict.fromkeys(
        ("AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientSex", "PatientBirthDate", "AcquisitionNumber")
    )
    return {
        **dates,
        **times,
        **empty,
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["DERIVED" if derived else "ORIGINAL", "PRIMARY", "AXIAL"],
        "Modality": "CT",
        "Manufacturer": "mdanderson phantoms",
        "PatientName": f"PHANTOM^{patient_id}",
        "PatientID": patient_id,
        "PatientPosition": "HFS",
        "BodyPartExamined": "SPINE",
        "StudyInstanceUID": _uid(seed, "study"),
        "SeriesInstanceUID": _uid(seed, f"series {series_number}"),
        "SeriesNumber": series_number,
        "SeriesDescription": description,
        "FrameOfReferenceUID": geometry.frame_of_reference_uid or _uid(seed, "frame"),
        "PositionReferenceIndicator": None,
        "KVP": "120",
        "ConvolutionKernel": "PHANTOM",
        "SliceThickness": _decimal(spacing_plane),
        "SpacingBetweenSlices": _decimal(spacing_plane),
        "PixelSpacing": [_decimal(spacing_row), _decimal(spacing_column)],
        "ImageOrientationPatient": [_decimal(v) for axis in (2, 1) for v in geometry.directions[axis]],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": geometry.shape[1],
        "Columns": geometry.shape[2],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "RescaleIntercept": str(_INTERCEPT_HU),
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }


def _ct_plane(
    common: Mapping[str, object], geometry: Geometry, pixels: npt.NDArray[np.int16], *, plane: int, uid: str
) -> FileDataset:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = str(common["SOPClassUID"])
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in common.items():
        setattr(dataset, keyword, value)
    dataset.SOPInstanceUID = uid
    dataset.InstanceNumber = plane + 1
    dataset.ImagePositionPatient = [_decimal(v) for v in geometry.to_lps([plane, 0, 0])]
    dataset.PixelData = pixels.tobytes()
    return dataset


def _decimal(value: float) -> str:
    """A DICOM decimal string: at most 16 characters."""
    return f"{round(float(value), 9) + 0.0:.10g}"


def _stack(mask: Mask) -> npt.NDArray[np.uint8]:
    """(planes, rows, columns, segments), so that labels may overlap."""
    stack = np.zeros((*mask.geometry.shape, len(mask)), dtype=np.uint8)
    for k, region in enumerate(mask):
        stack[(*region.box, k)] = region.voxels
    return stack


def _segment(number: int, *, seed: str) -> hd.seg.SegmentDescription:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"lesion {number}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=_uid(seed, "tracking"),
        tracking_id=f"lesion {number}",
    )


def _settle(segmentation: hd.seg.Segmentation, seed: str) -> None:
    """Replace what the library takes from the clock or at random, so that the same input gives the same bytes."""
    organization = _uid(seed, "dimensions")
    for sequence in (segmentation.DimensionOrganizationSequence, segmentation.DimensionIndexSequence):
        for item in sequence:
            item.DimensionOrganizationUID = organization
    for equipment in segmentation.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = f"{segmentation.StudyDate}{_NOON}"
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        if keyword in segmentation:
            setattr(segmentation, keyword, segmentation.StudyDate)
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        if keyword in segmentation:
            setattr(segmentation, keyword, _NOON)
