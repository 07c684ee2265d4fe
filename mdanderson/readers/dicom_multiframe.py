"""Enhanced multi-frame CT, MR and PET: every frame becomes a `Slice`, so that the checks of a series hold for them too.

Geometry and rescaling come from the functional groups, a frame's own before those shared by all.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import Dataset

from mdanderson.errors import GeometryError, ImageError
from mdanderson.readers.dicom_elements import items, text, whole_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_slices import (
    Slice,
    claimed_step,
    needed,
    pixel_format,
    pixel_spacing,
    refuse_localizer,
    scale,
)
from mdanderson.readers.orientation import check_size

__all__ = ["group_items", "rescale_header", "slices_of_frames"]


def slices_of_frames(file: DicomFile) -> list[Slice]:
    """One slice a frame. Raises `GeometryError` or `ImageError`, naming the file or the frame."""
    try:
        refuse_localizer(file.header)
        pixels = pixel_format(file)
        frames = whole_number(file.header, "NumberOfFrames") or 1
        check_size((frames, pixels.rows, pixels.columns))
        own = items(file.header, "PerFrameFunctionalGroupsSequence")
        if len(own) != frames:
            raise GeometryError(
                f"{frames} frames, {len(own)} of them with a position", way_out="export the original series"
            )
    except ImageError as error:
        error.located(file.path.name)
        raise
    return [_slice_of_frame(file, frame) for frame in range(frames)]


def rescale_header(file: DicomFile) -> Dataset:
    """What holds slope, intercept and rescale type of the first frame."""
    return _group(file.header, 0, "PixelValueTransformationSequence")


def _slice_of_frame(file: DicomFile, frame: int) -> Slice:
    header = file.header
    name = f"{file.path.name} frame {frame + 1}"
    measures = _group(header, frame, "PixelMeasuresSequence")
    try:
        return Slice(
            file=file,
            name=name,
            instance_uid=f"{text(header, 'SOPInstanceUID')}:{frame}",
            frame=frame,
            position_mm=needed(_group(header, frame, "PlanePositionSequence"), "ImagePositionPatient", 3),
            orientation=needed(_group(header, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6),
            spacing_mm=pixel_spacing(measures),
            step_mm=claimed_step(measures),
            pixels=pixel_format(file),
            scale=scale(header, _group(header, frame, "PixelValueTransformationSequence")),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        )
    except ImageError as error:
        error.located(name)
        raise


def group_items(header: Dataset, frame: int, keyword: str) -> Sequence[Dataset]:
    """The items of a frame's functional group: its own, else those of all frames, else none."""
    own = items(header, "PerFrameFunctionalGroupsSequence")
    for groups in (*own[frame : frame + 1], *items(header, "SharedFunctionalGroupsSequence")):
        if group := items(groups, keyword):
            return group
    return ()


def _group(header: Dataset, frame: int, keyword: str) -> Dataset:
    """The functional group of a frame, an empty one when neither it nor the shared groups have it."""
    group = group_items(header, frame, keyword)
    return group[0] if group else Dataset()
