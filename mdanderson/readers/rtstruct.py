"""DICOM RT structure sets: closed planar contours in patient millimetres -> voxels of the image.

The rules, since DICOM leaves them open:

- A voxel is in when its centre lies inside the outline or on it. On it counts, because many exporters trace outlines
  through the centres of border voxels; leaving those out loses a ring half a voxel wide, 10 % of a small lesion.
- Contours of one ROI in one plane are combined by exclusive or (even-odd): a contour inside another is a hole.
- Planes: an image plane takes the nearest contour plane within half the contour spacing. So contours between the
  image's planes move to the nearest one, contours finer than the planes are thinned, coarser ones fill between;
  a larger gap within an ROI stays a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from mdanderson.errors import MaskError
from mdanderson.geometry import Box, FloatArray, Geometry, box_between, same_space
from mdanderson.readers.polygons import fill_even_odd, on_outline
from mdanderson.volume import BoolArray, Mask, Region, check_labels

__all__ = ["read_structure_set"]

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_TILT_PLANES = 0.1
"""Plane spacings by which the points of one contour may differ in height: rounding, not tilt."""
_SAME_PLANE_PLANES = 0.05
"""Plane spacings within which two contours lie in one plane."""
_EVEN_FRACTION = 0.1
"""Gaps of contour planes this much above the smallest, as a share of it, are the contour spacing too."""
_TIE_FRACTION = 0.02
"""Share of the contour spacing: an image plane this near the middle between two contours takes the upper one."""
_WIDE_FRACTION = 0.25
"""A gap this much above the contour spacing, as a share of it, is a gap."""
_MOST_POINTS = 100_000
"""Of one contour: fifty times round a body of 512 x 512 voxels."""
_MOST_CONTOURS = 100_000
_FARTHEST_VOXELS = 1e6
"""From the image; what lies further off is no place in a patient."""
_EDGE_VOXELS = 1e-3
"""How far a contour may leave the grid before it counts as cut."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Contour:
    """One closed outline. height: in planes of the image. points: (n, 2) row and column, fractions allowed."""

    height: float
    points: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Roi:
    """One region of interest and its outlines."""

    number: int
    name: str
    contours: tuple[_Contour, ...]


def read_structure_set(dataset: Dataset, *, source: str, like: Geometry) -> Mask:
    """The ROIs of a structure set on the image's grid; label = ROI number, name = ROI name.

    An ROI without contours is noted. Raises `MaskError` for other frames of reference, for contours that are no
    closed outline in a plane of the image, and names them by number. Source: DICOM PS3.3 A.19, C.8.8.5, C.8.8.6.
    """
    names = {int(item.ROINumber): item for item in dataset.get("StructureSetROISequence") or []}
    try:
        rois = [
            _roi(item, names.get(int(item.ReferencedROINumber), Dataset()), dataset, like)
            for item in dataset.get("ROIContourSequence") or []
        ]
    except MaskError as error:
        raise error.located(source) from error
    empty = sorted({*names, *(roi.number for roi in rois)} - {roi.number for roi in rois if roi.contours})
    filled = [roi for roi in rois if roi.contours]
    check_labels([_box_in(roi, like) for roi in filled])
    spacing = _contour_spacing(filled)
    notes = [f"label {number} has no contours in the file" for number in empty]
    notes += _spacing_notes(filled, spacing, like)
    regions, lost = [], []
    for roi in filled:
        region, note = _rasterise(roi, spacing, like)
        if region is None:
            lost.append(roi.number)
        else:
            regions.append(region)
        notes += [f"label {roi.number} {note}"] if note else []
    return Mask(
        geometry=like, regions=tuple(regions), source=source, lost_labels=tuple(sorted(lost)), notes=tuple(notes)
    )


def _roi(item: Dataset, described: Dataset, dataset: Dataset, like: Geometry) -> _Roi:
    """One item of the ROI Contour Sequence, checked. Raises `MaskError`."""
    number = int(item.ReferencedROINumber)
    frame = described.get("ReferencedFrameOfReferenceUID") or dataset.get("FrameOfReferenceUID") or ""
    contours: Sequence[Dataset] = item.get("ContourSequence") or []
    if len(contours) > _MOST_CONTOURS:
        raise MaskError(f"ROI {number} has {len(contours)} contours", way_out="export the structure set again")
    if contours and not same_space(replace(like, frame_of_reference_uid=str(frame)), like):
        raise MaskError(
            f"ROI {number} and the image have different frames of reference",
            way_out="segment on the series that the manifest names",
        )
    read = []
    for position, contour in enumerate(contours, start=1):
        try:
            read.append(_contour(contour, like))
        except MaskError as error:
            raise MaskError(f"ROI {number}, contour {position}: {error.what}", way_out=error.way_out) from error
    return _Roi(number=number, name=str(described.get("ROIName") or ""), contours=_without_copies(read))


def _contour(item: Dataset, like: Geometry) -> _Contour:
    """One contour in voxels of the image. Raises `MaskError` for what encloses nothing."""
    kind = str(item.get("ContourGeometricType", ""))
    if kind not in _CLOSED:
        raise MaskError(f"type {kind or 'missing'} encloses no area", way_out="outline lesions as CLOSED_PLANAR")
    with np.errstate(over="ignore", invalid="ignore"):
        voxels = like.to_voxel(_points_lps_mm(item))
    if not (np.abs(voxels) <= _FARTHEST_VOXELS).all():
        raise MaskError("lies far outside of any patient", way_out="export the structure set again")
    heights, points = voxels[:, 0], voxels[:, 1:]
    if len(heights) and np.ptp(heights) > _TILT_PLANES:
        raise MaskError(
            "does not lie in a plane of the image", way_out="name the series that the contours were drawn on"
        )
    following = np.roll(points, -1, axis=0)
    area = abs(float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]))) / 2
    if area < 1e-6:
        few = len(np.unique(points, axis=0)) < 3
        raise MaskError(
            "fewer than 3 different points" if few else "encloses no area",
            way_out="delete the contour or draw it again",
        )
    return _Contour(height=float(heights.mean()), points=points)


def _points_lps_mm(item: Dataset) -> FloatArray:
    """(n, 3): the points of a contour. Read from the bytes: thousands of pydicom's decimal strings take seconds."""
    element = item.get_item("ContourData") if "ContourData" in item else None
    if element is None or not element.value:
        return np.empty((0, 3))
    many = element.value.count(b"\\") if isinstance(element, RawDataElement) else len(element.value)
    if many > 3 * _MOST_POINTS:
        raise MaskError(f"more than {_MOST_POINTS} points", way_out="export the structure set again")
    try:
        if isinstance(element, RawDataElement):
            numbers = np.array(element.value.strip(b" \0").split(b"\\")).astype(np.float64)
        else:
            numbers = np.array(element.value, dtype=np.float64)
    except ValueError as error:
        raise MaskError("coordinates are not numbers", way_out="export the structure set again") from error
    if numbers.size % 3 or not np.isfinite(numbers).all():
        raise MaskError("coordinates are not finite triplets", way_out="export the structure set again")
    return numbers.reshape(-1, 3)


def _without_copies(contours: Sequence[_Contour]) -> tuple[_Contour, ...]:
    """Each outline once: a contour that was stored twice would cancel itself out."""
    return tuple({(contour.height, contour.points.tobytes()): contour for contour in contours}.values())


def _contour_spacing(rois: Sequence[_Roi]) -> float:
    """Distance of contour planes in planes of the image: the smallest gap of the file, if it is seen twice.

    Seen once it may be the gap between two small islands; then each contour stands for one image plane.
    """
    gaps = np.concatenate([[], *(np.diff([height for height, _ in _by_plane(roi.contours)]) for roi in rois)])
    regular = gaps[gaps <= gaps.min() * (1 + _EVEN_FRACTION)] if gaps.size else gaps
    if regular.size > 1 or (regular.size and regular[0] <= 1 + _EVEN_FRACTION):
        return float(regular.mean())
    return 1.0


def _by_plane(contours: Sequence[_Contour]) -> list[tuple[float, list[_Contour]]]:
    """Contours grouped by the plane they lie in, from low to high."""
    planes: list[tuple[float, list[_Contour]]] = []
    for contour in sorted(contours, key=lambda contour: contour.height):
        if planes and contour.height - planes[-1][0] <= _SAME_PLANE_PLANES:
            planes[-1][1].append(contour)
        else:
            planes.append((contour.height, [contour]))
    return planes


def _spacing_notes(rois: Sequence[_Roi], spacing: float, like: Geometry) -> list[str]:
    """A sentence where the contours lie further apart than the planes of the image."""
    step = like.spacing_mm[0]
    if spacing > 1 + _WIDE_FRACTION:
        return [f"contours {spacing * step:.2f} mm apart: planes {step:.2f} mm apart take the nearest contour"]
    gaps = [np.diff([height for height, _ in _by_plane(roi.contours)]) for roi in rois]
    return [
        f"label {roi.number} has no two neighbouring contours: the planes between them stay empty"
        for roi, gap in zip(rois, gaps, strict=True)
        if gap.size and gap.min() > 1 + _WIDE_FRACTION
    ]


def _rasterise(roi: _Roi, spacing: float, like: Geometry) -> tuple[Region | None, str]:
    """The voxels of an ROI, None where it lies outside the image; and what is to be said about it."""
    planes = _by_plane(roi.contours)
    heights = np.array([height for height, _ in planes])
    region = _paint(roi, planes, _image_planes(heights, spacing, like.shape[0]), like)
    if region is not None:
        return region, "is cut by the edge of the image" if _is_cut(roi, like) else ""
    within = [(int(np.rint(h)), at) for at, h in enumerate(heights) if -0.5 <= h < like.shape[0] - 0.5]
    region = _paint(roi, planes, within, like) or _nearest_voxels(roi, like)
    if region is None:
        return None, "lies outside the field of view of the image"
    return region, "holds no voxel centre of the image: kept in the voxels nearest to it"


def _image_planes(heights: FloatArray, spacing: float, count: int) -> list[tuple[int, int]]:
    """Which image plane takes which contour plane; `heights` and `spacing` in planes of the image.

    A contour plane reaches from half a spacing below it to just under half a spacing above; neighbours meet in the
    middle, even if their gap is not to the last digit the spacing.
    """
    centres = heights - _TIE_FRACTION * spacing
    taken = []
    for plane in range(count):
        nearest = int(np.argmin(np.abs(plane - centres)))
        above = int(np.searchsorted(centres, plane, side="right"))
        between = 0 < above < len(centres) and centres[above] - centres[above - 1] <= spacing * (1 + _WIDE_FRACTION)
        if between or -spacing / 2 <= plane - centres[nearest] < spacing / 2:
            taken.append((plane, nearest))
    return taken


def _box_in(roi: _Roi, like: Geometry) -> Box:
    """About where an ROI lies in the image, for the memory that it will take."""
    outlines = [np.insert(contour.points, 0, contour.height, axis=1) for contour in roi.contours]
    ends = np.array([(outline.min(axis=0), outline.max(axis=0)) for outline in outlines])
    low = np.clip(np.floor(ends[:, 0].min(axis=0)), 0, np.array(like.shape) - 1)
    return box_between(low, np.clip(np.ceil(ends[:, 1].max(axis=0)) + 1, low + 1, like.shape))


def _paint(
    roi: _Roi, planes: Sequence[tuple[float, list[_Contour]]], wanted: Sequence[tuple[int, int]], like: Geometry
) -> Region | None:
    """The voxels that the contour planes enclose in the (image plane, contour plane) pairs; None where none."""
    points = np.concatenate([contour.points for contour in roi.contours])
    low = np.clip(np.floor(points.min(axis=0)), 0, like.shape[1:]).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 1, 0, like.shape[1:]).astype(int)
    if not wanted or (low >= high).any():
        return None
    shape = (int(high[0] - low[0]), int(high[1] - low[1]))
    bottom = min(plane for plane, _ in wanted)
    voxels = np.zeros((max(plane for plane, _ in wanted) - bottom + 1, *shape), dtype=bool)
    layers = {at: _layer([contour.points - low for contour in planes[at][1]], shape) for _, at in wanted}
    for plane, at in wanted:
        voxels[plane - bottom] |= layers[at]
    region = Region.from_array(voxels, label=roi.number, name=roi.name)
    return None if region is None else _placed(region, (bottom, int(low[0]), int(low[1])))


def _layer(outlines: Sequence[FloatArray], shape: tuple[int, int]) -> BoolArray:
    """(rows, columns) what the outlines of one plane enclose together, themselves included."""
    inside: BoolArray = np.zeros(shape, dtype=bool)
    border = inside.copy()
    for points in outlines:
        inside ^= fill_even_odd(points, shape)
        border |= on_outline(points, shape)
    return inside | border


def _placed(region: Region, corner: tuple[int, int, int]) -> Region:
    """A region found in a part of the grid that begins at `corner`."""
    plane, row, column = (slice(a.start + by, a.stop + by) for a, by in zip(region.box, corner, strict=True))
    return replace(region, box=(plane, row, column))


def _nearest_voxels(roi: _Roi, like: Geometry) -> Region | None:
    """The voxel that holds the middle of each contour, for an ROI that fits between the voxel centres."""
    middles = np.array([(contour.height, *contour.points.mean(axis=0)) for contour in roi.contours])
    index = np.floor(middles + 0.5).astype(int)
    index = index[((index >= 0) & (index < like.shape)).all(axis=1)]
    if not index.size:
        return None
    low = index.min(axis=0)
    voxels = np.zeros(tuple(index.max(axis=0) - low + 1), dtype=bool)
    voxels[tuple((index - low).T)] = True
    region = Region.from_array(voxels, label=roi.number, name=roi.name)
    return None if region is None else _placed(region, (int(low[0]), int(low[1]), int(low[2])))


def _is_cut(roi: _Roi, like: Geometry) -> bool:
    """Whether an outline leaves the grid."""
    points = np.concatenate([np.insert(contour.points, 0, contour.height, axis=1) for contour in roi.contours])
    least, most = points.min(axis=0), points.max(axis=0)
    return bool((least < -0.5 - _EDGE_VOXELS).any() or (most > np.array(like.shape) - 0.5 + _EDGE_VOXELS).any())
