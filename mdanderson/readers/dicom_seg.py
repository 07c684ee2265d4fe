"""DICOM Segmentation objects: BINARY, FRACTIONAL and LABELMAP, overlapping segments, frames left out when empty.

Frames are taken one by one and cut to what is segmented, so that no (planes, rows, columns, segments) array is ever
built. pydicom reads them: highdicom, the oracle of the tests, takes twice as long and refuses files that lack
attributes of no use here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels import iter_pixels

from mdanderson.errors import MaskError
from mdanderson.geometry import Box, FloatArray, Geometry, box_between, box_shape
from mdanderson.readers.orientation import check_size
from mdanderson.volume import BoolArray, Mask, Region, check_labels

__all__ = ["read_segmentation", "regions_by_plane"]

_POSITION_TOLERANCE_MM = 0.1
"""How far a frame may lie from an even, straight stack; the same as for the slices of an image."""
_EVEN_FRACTION = 0.1
"""And how far at most as a share of the smallest gap."""
_DECODING_ERRORS = (
    *(ValueError, RuntimeError, AttributeError, NotImplementedError, EOFError, KeyError, IndexError),
    OverflowError,
)
"""What pydicom's decoders raise on pixels that are damaged or cut short."""

_Piece = tuple[int, int, int, BoolArray]
"""Plane, first row, first column, and the segmented pixels of one frame, cut to size."""


def read_segmentation(dataset: Dataset, *, source: str, like: Geometry, fraction: float) -> Mask:
    """The segments of a SEG object on its own grid; label = segment number, name = segment label.

    A FRACTIONAL pixel belongs to its segment from `fraction` of the maximum upwards, be it PROBABILITY
    or OCCUPANCY. `like` helps only where the file does not say how far apart its planes are. A segment without
    voxels is noted. Raises `MaskError`. Source: DICOM PS3.3 A.51, C.8.20.
    """
    frames: Sequence[Dataset] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    segments = {int(item.SegmentNumber): item for item in dataset.get("SegmentSequence") or []}
    if not frames:
        empty = Geometry(shape=like.shape, affine=like.affine, frame_of_reference_uid=_frame_of_reference(dataset))
        return Mask(geometry=empty, source=source, notes=_empty_segments(segments, ()))
    try:
        geometry, planes = _grid(dataset, frames, like)
        pieces = _pieces(dataset, frames, planes, segments, fraction)
    except MaskError as error:
        raise error.located(source) from error
    check_labels([_box(parts) for parts in pieces.values()])
    regions = tuple(_region(label, parts, segments.get(label)) for label, parts in pieces.items())
    return Mask(geometry=geometry, regions=regions, source=source, notes=_empty_segments(segments, pieces))


def regions_by_plane(
    dataset: Dataset, planes: Sequence[int], *, fraction: float
) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The segments on a stack of pictures without a place, the plane of every frame given; notes as above.

    Raises `MaskError`.
    """
    frames: Sequence[Dataset] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    segments = {int(item.SegmentNumber): item for item in dataset.get("SegmentSequence") or []}
    pieces = _pieces(dataset, frames, planes, segments, fraction) if frames else {}
    check_labels([_box(parts) for parts in pieces.values()])
    regions = tuple(_region(label, parts, segments.get(label)) for label, parts in pieces.items())
    return regions, _empty_segments(segments, pieces)


def _frame_of_reference(dataset: Dataset) -> str:
    return str(dataset.get("FrameOfReferenceUID") or "")


def _empty_segments(segments: Mapping[int, Dataset], found: Mapping[int, Any] | tuple[()]) -> tuple[str, ...]:
    """A sentence for every segment that is declared but empty; 0 is the background of a LABELMAP."""
    return tuple(
        f"label {number} has no voxels in the file" for number in sorted(segments) if number not in {0, *found}
    )


def _grid(dataset: Dataset, frames: Sequence[Dataset], like: Geometry) -> tuple[Geometry, list[int]]:
    """The grid of the object, and the plane of every frame on it."""
    orientations = np.array([_value(dataset, f, "PlaneOrientationSequence", "ImageOrientationPatient") for f in frames])
    spacings = np.array([_value(dataset, f, "PixelMeasuresSequence", "PixelSpacing") for f in frames])
    positions = np.array([_value(dataset, f, "PlanePositionSequence", "ImagePositionPatient") for f in frames])
    if np.ptp(orientations, axis=0).max() > 1e-3 or np.ptp(spacings, axis=0).max() > 1e-4:
        raise MaskError("frames of several orientations or spacings", way_out="save one segmentation for each series")
    column, row = orientations[0].reshape(2, 3)
    normal = np.cross(column, row)
    heights = positions @ normal
    across = positions - heights[:, None] * normal
    if np.ptp(across, axis=0).max() > _POSITION_TOLERANCE_MM:
        raise MaskError("frames are shifted against each other", way_out="save it on the grid of its image")
    if not np.isfinite(heights).all():
        raise MaskError("frames are not at finite places", way_out="save it on the grid of its image")
    spacing_mm, planes = _even_planes(heights, _plane_spacings(dataset, frames[0], heights, normal, like))
    shape = (max(planes) + 1, int(dataset.Rows), int(dataset.Columns))
    check_size(shape)
    geometry = Geometry.from_axes(
        shape=shape,
        spacing_mm=(spacing_mm, *spacings[0]),
        origin_mm=positions[int(np.argmin(heights))],
        directions=(normal, row, column),
        frame_of_reference_uid=_frame_of_reference(dataset),
    )
    return geometry, planes


def _value(dataset: Dataset, frame: Dataset, group: str, keyword: str) -> list[float]:
    """Numbers of a functional group, which is either the frame's own or shared by all."""
    for place in (frame, *(dataset.get("SharedFunctionalGroupsSequence") or [])):
        items = place.get(group)
        if items and items[0].get(keyword) is not None:
            return [float(number) for number in items[0][keyword].value]
    raise MaskError(
        f"a frame has no {keyword}", way_out="segment an image that has its place in the patient, and save it with it"
    )


def _plane_spacings(
    dataset: Dataset, frame: Dataset, heights: FloatArray, normal: FloatArray, like: Geometry
) -> Iterator[float]:
    """What the distance of planes in mm may be, the likeliest first: declared, smallest seen, the image's own.

    Slice thickness is not among them but as a last resort: it is not a distance.
    """
    measures = [
        items[0]
        for place in (frame, *(dataset.get("SharedFunctionalGroupsSequence") or []))
        if (items := place.get("PixelMeasuresSequence"))
    ]
    yield from (abs(float(item.SpacingBetweenSlices)) for item in measures if item.get("SpacingBetweenSlices"))
    gaps = np.diff(np.sort(heights))
    yield from (
        gaps[gaps > _POSITION_TOLERANCE_MM][:0]
        if not (gaps > _POSITION_TOLERANCE_MM).any()
        else [gaps[gaps > _POSITION_TOLERANCE_MM].min()]
    )
    if abs(float(normal @ like.directions[0])) > 0.999:
        yield like.spacing_mm[0]
    yield from (float(item.SliceThickness) for item in measures if item.get("SliceThickness"))


def _even_planes(heights: FloatArray, candidates: Iterator[float]) -> tuple[float, list[int]]:
    """The first candidate spacing in mm on whose multiples all frames lie, and the plane of every frame."""
    above = heights - heights.min()
    gaps = np.diff(np.sort(heights))
    for candidate in candidates:
        planes = np.rint(above / candidate).astype(int)
        spacing = float(above.max() / planes.max()) if planes.max() else candidate
        nearest = min([spacing, *gaps[gaps > _POSITION_TOLERANCE_MM]])
        if np.abs(above - planes * spacing).max() <= min(_EVEN_FRACTION * nearest, _POSITION_TOLERANCE_MM):
            return spacing, [int(plane) for plane in planes]
    raise MaskError("frames are not evenly spaced", way_out="save it on the grid of its image")


def _pieces(
    dataset: Dataset,
    frames: Sequence[Dataset],
    planes: Sequence[int],
    segments: Mapping[int, Dataset],
    fraction: float,
) -> dict[int, list[_Piece]]:
    """What is segmented, by label."""
    kind = str(dataset.get("SegmentationType", "BINARY"))
    least = 1
    if kind == "FRACTIONAL":  # a whole number, so that no frame becomes floating point; 0.07 x 100 is 7, not 7 + 1e-15
        least = math.ceil(round(fraction * float(dataset.get("MaximumFractionalValue") or 255), 9))
    found: dict[int, list[_Piece]] = defaultdict(list)
    for frame, plane, pixels in zip(frames, planes, _decoded(dataset, len(frames)), strict=True):
        if kind == "LABELMAP":
            labels = np.unique(pixels[pixels > 0])
            check_labels([(slice(0, 1), slice(0, 1), slice(0, 1))] * len(labels))
            layers = [(int(label), pixels == label) for label in labels]
        else:
            layers = [(_segment_number(dataset, frame, segments), np.asarray(pixels >= least))]
        for label, layer in layers:
            piece = _cut(plane, layer)
            if piece is not None:
                found[label].append(piece)
    return dict(found)


def _segment_number(dataset: Dataset, frame: Dataset, segments: Mapping[int, Dataset]) -> int:
    """The segment that a frame shows."""
    for place in (frame, *(dataset.get("SharedFunctionalGroupsSequence") or [])):
        items = place.get("SegmentIdentificationSequence")
        if items:
            return int(items[0].ReferencedSegmentNumber)
    if len(segments) == 1:
        return min(segments)
    raise MaskError("a frame does not say which segment it shows", way_out="save the segmentation again")


def _decoded(dataset: Dataset, count: int) -> Iterator[npt.NDArray[Any]]:
    """(rows, columns) stored values of every frame."""
    try:
        if dataset.BitsAllocated == 1 and not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            yield from _unpacked(dataset.PixelData, count, int(dataset.Rows), int(dataset.Columns))
        else:
            yield from iter_pixels(dataset, raw=True)
    except _DECODING_ERRORS as error:
        raise MaskError(
            "the pixels cannot be decoded or are cut short", way_out="copy or export the segmentation again"
        ) from error


def _unpacked(pixels: bytes, count: int, rows: int, columns: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames of one bit a pixel. They follow each other without a gap, so that most begin within a byte.

    (pydicom 3.0's `iter_pixels` assumes that they begin with one.)
    """
    size = rows * columns
    if len(pixels) * 8 < count * size:
        raise ValueError("too few bytes")
    for start in range(0, count * size, size):
        held = np.frombuffer(pixels, dtype=np.uint8, offset=start // 8, count=(start % 8 + size + 7) // 8)
        yield np.unpackbits(held, bitorder="little")[start % 8 :][:size].reshape(rows, columns)


def _cut(plane: int, layer: BoolArray) -> _Piece | None:
    """The true pixels of a frame without the empty space round them."""
    rows = np.flatnonzero(layer.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(layer[rows[0] : rows[-1] + 1].any(axis=0))
    part = layer[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return plane, int(rows[0]), int(columns[0]), part.copy()


def _box(pieces: Sequence[_Piece]) -> Box:
    """The box of all pieces of a label."""
    low = np.min([piece[:3] for piece in pieces], axis=0)
    high = np.max([(p + 1, r + part.shape[0], c + part.shape[1]) for p, r, c, part in pieces], axis=0)
    return box_between(low, high)


def _region(label: int, pieces: Sequence[_Piece], segment: Dataset | None) -> Region:
    """The pieces of one label put together."""
    box = _box(pieces)
    low = [part.start for part in box]
    voxels = np.zeros(box_shape(box), dtype=bool)
    for plane, row, column, part in pieces:
        r, c = row - low[1], column - low[2]
        voxels[plane - low[0], r : r + part.shape[0], c : c + part.shape[1]] |= part
    told = Dataset() if segment is None else segment
    return Region(
        label=label,
        box=box,
        voxels=voxels,
        name=str(told.get("SegmentLabel") or ""),
        tracking_uid=str(told.get("TrackingUID") or ""),
    )
