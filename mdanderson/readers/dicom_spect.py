"""A reconstructed SPECT in one multi-frame NM file: one place for all frames, one step between them.

PS3.3 C.8.4.15: SpacingBetweenSlices is signed. Above zero the slices follow each other along columns x rows, below
zero against it. Orientation and place of the first frame stand with the detector, PS3.3 C.8.4.11.
"""

from __future__ import annotations

import numpy as np
from pydicom import Dataset

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray
from mdanderson.readers.dicom_elements import items, numbers, text, whole_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_header import nuclear_kind
from mdanderson.readers.dicom_slices import Slice, needed, pixel_format, pixel_spacing, refuse_localizer, scale
from mdanderson.readers.orientation import check_size

__all__ = ["is_reconstruction", "slices_of_reconstruction"]

_MIXED = {
    "EnergyWindowVector": "energy windows",
    "DetectorVector": "detectors",
    "RRIntervalVector": "R-R intervals",
    "TimeSlotVector": "time slots",
}
"""What one volume holds only one of."""


def is_reconstruction(file: DicomFile) -> bool:
    """Whether it is a SPECT whose slices lie in one file without a position each."""
    header = file.header
    return (
        text(header, "Modality") == "NM"
        and nuclear_kind(header).startswith("RECON")
        and (file.has_frames or "ImagePositionPatient" not in header)
        and "PerFrameFunctionalGroupsSequence" not in header
    )


def slices_of_reconstruction(file: DicomFile) -> list[Slice]:
    """One slice a frame. Raises `GeometryError` or `ImageError` naming the file, also where several are mixed."""
    try:
        return _slices(file)
    except ImageError as error:
        error.located(file.path.name)
        raise


def _slices(file: DicomFile) -> list[Slice]:
    header = file.header
    refuse_localizer(header)
    pixels = pixel_format(file)
    frames = whole_number(header, "NumberOfFrames") or 1
    check_size((frames, pixels.rows, pixels.columns))
    _refuse_mixed(header, frames)
    order = _slice_numbers(header, frames)
    placed = _placed(header)
    orientation = needed(placed, "ImageOrientationPatient", 6)
    step_mm = _step(header)
    first, along = needed(placed, "ImagePositionPatient", 3), np.cross(orientation[:3], orientation[3:])
    return [
        Slice(
            file=file,
            name=f"{file.path.name} frame {frame + 1}",
            instance_uid=f"{text(header, 'SOPInstanceUID')}:{frame}",
            frame=frame,
            position_mm=first + along * step_mm * (order[frame] - 1),
            orientation=orientation,
            spacing_mm=pixel_spacing(header),
            step_mm=abs(step_mm),
            pixels=pixels,
            scale=scale(header, header),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        )
        for frame in range(frames)
    ]


def _refuse_mixed(header: Dataset, frames: int) -> None:
    for keyword, what in _MIXED.items():
        vector = numbers(header, keyword, count=frames)
        if vector is not None and len(set(vector)) > 1:
            raise ImageError(
                f"frames of {len(set(vector))} {what} in one file", way_out="export each reconstruction by itself"
            )


def _slice_numbers(header: Dataset, frames: int) -> FloatArray:
    """(frames,): from 1, the slice that each frame shows; the order of the frames where SliceVector is absent."""
    vector = numbers(header, "SliceVector", count=frames)
    if vector is None:
        return np.arange(1, frames + 1, dtype=float)
    if sorted(vector) != list(range(1, frames + 1)):
        raise GeometryError("SliceVector does not number the slices 1, 2, 3, ...", way_out="export it again")
    return vector


def _placed(header: Dataset) -> Dataset:
    """What holds the place of the first frame: the detector's item, else the header itself."""
    for detector in items(header, "DetectorInformationSequence"):
        if "ImagePositionPatient" in detector:
            return detector
    return header


def _step(header: Dataset) -> float:
    """Distance from one slice to the next in mm, signed. SliceThickness is none."""
    step = numbers(header, "SpacingBetweenSlices")
    if step is None or step[0] == 0:
        raise GeometryError("SpacingBetweenSlices is missing", way_out="export it as one file a slice, or as NIfTI")
    return float(step[0])
