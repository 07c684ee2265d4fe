"""Writing phantoms as files: NIfTI, DICOM series, bone scans in DICOM, DICOM SEG. Same input, same bytes."""

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
from mdanderson.phantoms.series import NOON, common_header, dicom_file, uid, write_ct_series, write_pet_series
from mdanderson.vocabulary import View
from mdanderson.volume import Mask, Volume

if TYPE_CHECKING:
    import highdicom as hd
    from pydicom.dataset import Dataset

__all__ = [
    "write_ct_series",
    "write_dicom_seg",
    "write_label_map",
    "write_nifti",
    "write_pet_series",
    "write_scintigram_dicom",
]

_NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
_VIEW_CODES = {View.ANT: ("399321004", "Anterior projection"), View.POST: ("399001007", "Posterior projection")}
"""SNOMED CT, PS3.16 CID 26."""
_PACKING = 4
"""Level of gzip: on noise 9 takes six times as long, and gives the same size to 1 %."""


def write_nifti(volume: Volume, path: Path) -> Path:
    """The image as .nii or .nii.gz; the file carries no name, no date and no time of writing."""
    return _write_nifti_array(volume.array, volume.geometry, path)


def write_label_map(mask: Mask, path: Path) -> Path:
    """The segmentation as a label map, .nii or .nii.gz: each voxel holds its lesion's label."""
    labels = mask.to_label_map()
    small = labels.astype(np.uint8) if labels.max(initial=0) < 256 else labels
    return _write_nifti_array(small, mask.geometry, path)


def write_scintigram_dicom(
    views: Sequence[Volume], path: Path, *, patient_id: str, study_date: dt.date, seed: str, series_number: int = 1
) -> Path:
    """The views of a bone scan as one NM file, a whole-body frame each, which its detectors tell apart.

    views: planar, of one size, in whole counts below 65 536. Raises `OutputError` for any others.
    """
    counts = np.stack([view.array[0] for view in views]).astype(np.float64)
    whole = ((counts >= 0) & (counts < 2**16) & (counts == np.rint(counts))).all()
    if not whole or any(not view.planar or view.view is None for view in views):
        raise OutputError("no planar views in whole counts", where=str(path), way_out="round them, and name each view")
    spacing_mm = views[0].geometry.spacing_mm
    common = common_header(patient_id=patient_id, study_date=study_date, seed=seed, series_number=series_number)
    common |= {
        "SOPClassUID": _NUCLEAR,
        "ImageType": ["DERIVED", "PRIMARY", "WHOLE BODY", "EMISSION"],
        "Modality": "NM",
        "SeriesDescription": "Bone scan phantom",
        "InstanceNumber": 1,
        "NumberOfFrames": len(views),
        "Rows": counts.shape[1],
        "Columns": counts.shape[2],
        "PixelSpacing": [f"{step:.10g}" for step in spacing_mm[1:]],
        "PixelRepresentation": 0,
        "EnergyWindowVector": [1] * len(views),
        "DetectorVector": list(range(1, len(views) + 1)),
        "DetectorInformationSequence": [_detector(view.view) for view in views],
        "CountsAccumulated": int(counts.sum()),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    file = dicom_file(common, instance_uid=uid(seed, "bone scan"), pixels=counts.astype("<u2"))
    file.save_as(path, enforce_file_format=True)
    return path


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
        series_instance_uid=uid(seed, "seg series"),
        series_number=series_number,
        sop_instance_uid=uid(seed, "seg instance"),
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
    content = image.to_bytes()
    path.write_bytes(gzip.compress(content, _PACKING, mtime=0) if path.suffix == ".gz" else content)
    return path


def _detector(view: View | None) -> Dataset:
    """From where a detector looks at the patient."""
    from pydicom.dataset import Dataset

    code, detector = Dataset(), Dataset()
    code.CodingSchemeDesignator = "SCT"
    code.CodeValue, code.CodeMeaning = _VIEW_CODES[view or View.ANT]
    detector.ViewCodeSequence = [code]
    return detector


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
        tracking_uid=uid(seed, "tracking"),
        tracking_id=f"lesion {number}",
    )


def _settle(segmentation: hd.seg.Segmentation, seed: str) -> None:
    """Replace what the library takes from the clock or at random, so that the same input gives the same bytes."""
    organization = uid(seed, "dimensions")
    for sequence in (segmentation.DimensionOrganizationSequence, segmentation.DimensionIndexSequence):
        for item in sequence:
            item.DimensionOrganizationUID = organization
    for equipment in segmentation.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = f"{segmentation.StudyDate}{NOON}"
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        if keyword in segmentation:
            setattr(segmentation, keyword, segmentation.StudyDate)
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        if keyword in segmentation:
            setattr(segmentation, keyword, NOON)
