"""An image and its segmentation in memory: array, place, unit. Frozen, and checked when they are born."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import prod

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError, MaskError
from mdanderson.geometry import (
    Box,
    FloatArray,
    Geometry,
    box_between,
    box_shape,
    box_within,
    enclosing_box,
    moved_box,
    same_grid,
    same_space,
)
from mdanderson.vocabulary import Modality, MrSequence, View

__all__ = ["BoolArray", "Mask", "Region", "Unit", "Volume", "check_labels"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_PLANES_AT_ONCE = 32
_MOST_LABELS = 2000
"""Lesions of one image; what has more of them is an image in the place of its mask."""
_MOST_VOXELS = 2**31
"""Of all labels' boxes together: every voxel of a box takes a byte."""
_TIE = 1e-6
"""Voxels; a centre this near the border of two voxels lies on it."""


class Unit(StrEnum):
    """What a voxel value means."""

    HU = "HU"
    ARBITRARY = "a.u."
    BECQUEREL_PER_ML = "Bq/ml"
    COUNTS = "counts"
    SUV = "g/ml"
    ADC = "um2/s"
    RELATIVE = "relative density"
    """A radiograph after soft tissue was set to 0 and the patient's bone to a number of the settings."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Volume:
    """A three-dimensional image.

    array: (planes, rows, columns), any real number type (int16 is kept), in `unit`. `padding` is the value of
    voxels that were never imaged, if any. `acquisition` holds what the header says of how it was made (kVp, kernel).
    Raises `ImageError` when array and geometry disagree or the values are not numbers.
    """

    array: npt.NDArray[np.generic]
    geometry: Geometry
    unit: Unit
    modality: Modality
    date: dt.date | None = None
    padding: float | None = None
    source: str = ""
    acquisition: Mapping[str, str] = field(default_factory=dict)
    sequence: MrSequence | None = None
    """What an MR image weighs; None for other images, and where neither header nor manifest says."""
    view: View | None = None
    """From where a planar bone scan looks."""
    planar: bool = False
    """Whether it is a projection, one plane thick (`PlanarImage.as_slab`): areas and outlines, no depth."""

    def __post_init__(self) -> None:
        if self.array.shape != self.geometry.shape:
            raise ImageError(
                f"{self.array.shape} voxels on a grid of {self.geometry.shape}", way_out="export the image again"
            )
        if self.array.dtype.kind not in "iuf":
            raise ImageError(f"voxels of type {self.array.dtype}", way_out="store real numbers, one a voxel")
        if self.array.dtype.kind == "f" and np.isinf(self.array).any():
            raise ImageError("some voxels are infinite", way_out="export the image again")
        view = self.array.view()
        view.setflags(write=False)
        object.__setattr__(self, "array", view)

    def crop(self, box: Box) -> Volume:
        """The part in `box`; the array is a view, nothing is copied."""
        return replace(self, array=self.array[box], geometry=self.geometry.crop(box))

    def imaged(self, box: Box) -> BoolArray:
        """Which voxels of `box` were imaged: neither padding nor NaN."""
        values = self.array[box]
        known = np.ones(values.shape, dtype=bool) if self.padding is None else np.asarray(values != self.padding)
        return known & ~np.isnan(values) if values.dtype.kind == "f" else known


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Region:
    """One segmented label: its voxels in a tight box. Labels may overlap, so each keeps its own.

    label: voxel value, segment or ROI number (> 0). voxels: bool, as `box`, some true. site: the bone, by its file.
    """

    label: int
    box: Box
    voxels: BoolArray
    name: str = ""
    tracking_uid: str = ""
    site: str = ""

    def __post_init__(self) -> None:
        if self.label < 1:
            raise MaskError(f"label {self.label}", way_out="number lesions from 1; 0 is background")
        if self.voxels.shape != box_shape(self.box) or not self.voxels.any():
            raise MaskError(f"label {self.label} is empty or does not fill its box", way_out="segment it again")
        voxels = self.voxels.view()
        voxels.setflags(write=False)
        object.__setattr__(self, "voxels", voxels)

    @classmethod
    def from_array(cls, array: BoolArray, *, label: int, name: str = "", tracking_uid: str = "") -> Region | None:
        """The true voxels of a whole-grid array (planes, rows, columns); None when there are none."""
        box = _bounding_box(array)
        if box is None:
            return None
        return cls(label=label, box=box, voxels=array[box].copy(), name=name, tracking_uid=tracking_uid)

    @classmethod
    def together(cls, regions: Sequence[Region]) -> Region:
        """Several regions of one grid (at least one) as one, under the first one's label."""
        box = enclosing_box(region.box for region in regions)
        voxels = np.zeros(box_shape(box), dtype=bool)
        for region in regions:
            voxels[box_within(region.box, box)] |= region.voxels
        return cls(label=regions[0].label, box=box, voxels=voxels, name=regions[0].name, site=regions[0].site)

    def narrowed(self, voxels: BoolArray) -> Region | None:
        """The same label with fewer voxels: those of this region's box that are true; None when there are none."""
        tight = _bounding_box(voxels)
        if tight is None:
            return None
        placed = moved_box(tight, (own.start for own in self.box))
        return replace(self, box=placed, voxels=voxels[tight].copy())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mask:
    """Segmented labels on one grid, ordered by label. None of them = nothing segmented.

    lost_labels: segmented, but wholly outside this grid: neither healed nor measurable here. notes: plain sentences
    on what the trip to this grid did to a label, and on what the file left empty.
    """

    geometry: Geometry
    regions: tuple[Region, ...] = ()
    source: str = ""
    lost_labels: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.regions, key=lambda region: region.label))
        object.__setattr__(self, "regions", ordered)
        labels = [region.label for region in ordered]
        if len(set(labels)) != len(labels):
            raise MaskError(f"labels {labels} are not unique", way_out="give every lesion its own label")
        for region in ordered:
            if any(
                part.start < 0 or part.stop > size for part, size in zip(region.box, self.geometry.shape, strict=True)
            ):
                raise MaskError(f"label {region.label} leaves the grid", way_out="segment it again")

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __len__(self) -> int:
        return len(self.regions)

    def __getitem__(self, label: int) -> Region:
        """The region of a label. Raises `MaskError` when it is not there."""
        for region in self.regions:
            if region.label == label:
                return region
        raise MaskError(
            f"no label {label}", where=self.source, way_out=f"labels here: {[r.label for r in self.regions]}"
        )

    @classmethod
    def from_label_map(
        cls,
        labels: npt.NDArray[np.generic],
        geometry: Geometry,
        *,
        names: Mapping[int, str] | None = None,
        source: str = "",
    ) -> Mask:
        """One region for every non-zero value of a whole-grid array.

        Raises `MaskError` for values that are no labels.
        """
        integers = _whole_numbers(labels, source)
        boxes = tuple(_label_boxes(integers))
        check_labels([box for _, box in boxes])
        regions = (
            Region(label=label, box=box, voxels=integers[box] == label, name=(names or {}).get(label, ""))
            for label, box in boxes
        )
        return cls(geometry=geometry, regions=tuple(regions), source=source)

    def to_label_map(self) -> npt.NDArray[np.uint16]:
        """(planes, rows, columns) uint16; where labels overlap the higher one shows."""
        labels = np.zeros(self.geometry.shape, dtype=np.uint16)
        for region in self.regions:
            labels[region.box][region.voxels] = region.label
        return labels

    def on_grid(self, geometry: Geometry) -> Mask:
        """The same labels on another grid of the same space, nearest neighbour.

        No label vanishes silently. One that lies between the voxel centres of the grid is kept, moved by less than a
        voxel, and noted; one that leaves the grid is cut there and noted; one that lies wholly outside is left
        out and named in `lost_labels`. Raises `MaskError` when the frames of reference differ.
        """
        if same_grid(self.geometry, geometry):
            return replace(self, geometry=geometry)
        if not same_space(self.geometry, geometry):
            raise MaskError(
                "mask and image have different frames of reference",
                where=self.source,
                way_out="segment on the series that the manifest names",
            )
        moved = [(region.label, *_moved(region, self.geometry, geometry)) for region in self.regions]
        return Mask(
            geometry=geometry,
            regions=tuple(region for _, region, _ in moved if region is not None),
            source=self.source,
            lost_labels=(*self.lost_labels, *(label for label, region, _ in moved if region is None)),
            notes=(*self.notes, *(f"label {label} {note}" for label, _, note in moved if note)),
        )


def check_labels(boxes: Sequence[Box]) -> None:
    """Refuse what no segmentation is, before memory is allocated for it; boxes: one for each label.

    Raises `MaskError` for thousands of labels, and for labels that each reach through the whole image.
    """
    voxels = sum(prod(box_shape(box)) for box in boxes)
    if len(boxes) > _MOST_LABELS or voxels > _MOST_VOXELS:
        raise MaskError(
            f"{len(boxes)} labels, in boxes of {voxels} voxels: an image, not its segmentation",
            way_out="name the mask: a label map with one whole number for each lesion",
        )


def _bounding_box(array: BoolArray) -> Box | None:
    """The tight box of the true voxels, None when there are none."""
    ranges = []
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        filled = np.flatnonzero(array.any(axis=others))
        if not filled.size:
            return None
        ranges.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return ranges[0], ranges[1], ranges[2]


def _label_boxes(labels: npt.NDArray[np.integer]) -> Iterator[tuple[int, Box]]:
    """Every non-zero value of (planes, rows, columns) labels with its tight box, in order of value.

    Lesions fill few rows of an image, so that only those are searched; some planes at a time, to bound the memory.
    """
    low = np.full((np.iinfo(np.uint16).max + 1, 3), max(labels.shape), dtype=np.int64)
    high = np.full_like(low, -1)
    for first in range(0, len(labels), _PLANES_AT_ONCE):
        found, lowest, highest = _ends_by_label(labels[first : first + _PLANES_AT_ONCE])
        start = np.array([first, 0, 0])
        low[found] = np.minimum(low[found], lowest + start)
        high[found] = np.maximum(high[found], highest + start)
    for label in np.flatnonzero(high[:, 0] >= 0):
        yield int(label), box_between(low[label], high[label] + 1)


def _ends_by_label(slab: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.integer], IntArray, IntArray]:
    """(labels,) the values in (planes, rows, columns), (labels, 3) their least and (labels, 3) greatest indices."""
    planes, rows = np.nonzero(slab.max(axis=2, initial=0))
    lines = slab[planes, rows]
    flat = np.flatnonzero(lines != 0)
    values = lines.reshape(-1)[flat]
    order = np.argsort(values, kind="stable")
    values, (line, column) = values[order], np.divmod(flat[order], slab.shape[2])
    starts = np.flatnonzero(np.diff(values, prepend=0))
    if not starts.size:
        nothing = np.empty((0, 3), dtype=np.int64)
        return values, nothing, nothing
    places = (planes[line], rows[line], column)
    lowest, highest = (np.stack([end.reduceat(at, starts) for at in places], 1) for end in (np.minimum, np.maximum))
    return values[starts], lowest, highest


def _whole_numbers(labels: npt.NDArray[np.generic], source: str) -> npt.NDArray[np.integer]:
    """Labels as integers; a mask saved as floating point is fine as long as its values are whole."""
    if labels.dtype.kind == "b":
        return labels.view(np.uint8)
    if labels.dtype.kind not in "iuf":
        raise MaskError(f"voxels of type {labels.dtype}", where=source, way_out="store one whole number a voxel")
    if labels.dtype in (np.uint8, np.uint16):
        return labels.view(labels.dtype)
    low, high = (float(labels.min()), float(labels.max())) if labels.size else (0.0, 0.0)
    if not (np.isfinite([low, high]).all() and low >= 0 and high <= np.iinfo(np.uint16).max):
        raise MaskError(
            f"values from {low:g} to {high:g} are no labels", where=source, way_out="number lesions 1 to 65535"
        )
    if labels.dtype == np.int16:
        return labels.view(np.uint16)
    whole = labels.astype(np.uint16)
    if labels.dtype.kind == "f" and not np.array_equal(whole, labels):
        raise MaskError(
            "fractional values in a label map", where=source, way_out="export a label map, not a probability map"
        )
    return whole


def _moved(region: Region, source: Geometry, target: Geometry) -> tuple[Region | None, str]:
    """`region` on the target grid, None where nothing of it lies there; and what is to be said about it."""
    taken = _resample(region, source, target)
    if taken is not None and _box_within(region, source, target):
        return taken, ""
    centres = source.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
    inside = target.contains(centres)
    if not inside.any() and taken is None:
        return None, "lies outside the field of view of the image"
    if taken is None:
        shift_mm = _shift_onto_centre(centres, centres[inside], target)
        taken = _resample(region, source, _shifted(target, shift_mm))
        return taken, f"holds no voxel centre of the image: kept, moved by {np.linalg.norm(shift_mm):.2f} mm"
    outside = np.count_nonzero(~inside)
    return taken, f"is cut by the edge of the image: {outside} of its {inside.size} voxels lie outside" * bool(outside)


def _box_within(region: Region, source: Geometry, target: Geometry) -> bool:
    """Whether the whole box lies in the target grid, so that no voxel need be looked at."""
    centres = source.to_lps(np.array(np.meshgrid(*([p.start, p.stop - 1] for p in region.box))).reshape(3, -1).T)
    return bool(target.contains(centres).all())


def _shift_onto_centre(centres: FloatArray, inside: FloatArray, target: Geometry) -> FloatArray:
    """(3,) LPS mm from the nearest target voxel centre to the voxel in the region's middle; never none of it."""
    middle = inside[np.argmin(((inside - centres.mean(axis=0)) ** 2).sum(axis=1))]
    return np.asarray(middle - target.to_lps(np.floor(target.to_voxel(middle) + 0.5)))


def _shifted(geometry: Geometry, shift_mm: FloatArray) -> Geometry:
    """The grid moved by (3,) LPS mm."""
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    return geometry.moved(matrix)


def _resample(region: Region, source: Geometry, target: Geometry) -> Region | None:
    """`region` on the target grid: each target voxel takes the source voxel that holds its centre."""
    corners = target.to_voxel(source.crop(region.box).corners_lps_mm())
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, target.shape)
    if (low >= high).any():
        return None
    step = np.linalg.inv(source.affine) @ target.affine
    start = step[:3, :3] @ low + step[:3, 3] - [part.start for part in region.box]
    taken = np.zeros(tuple(high - low), dtype=bool)
    for plane in range(len(taken)):
        taken[plane] = _sample_plane(region.voxels, step[:3, :3], start + plane * step[:3, 0], taken.shape[1:])
    tight = _bounding_box(taken)
    if tight is None:
        return None
    return replace(region, box=moved_box(tight, low), voxels=taken[tight].copy())


def _sample_plane(voxels: BoolArray, step: FloatArray, start: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    """(rows, columns) of `voxels`, nearest, at start + row * step[:, 1] + column * step[:, 2] in their indices.

    A term too small to matter is left out, so that parallel grids need one index an axis. A centre on the border of
    two voxels takes the upper one, whatever the last bit says.
    """
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    inside: BoolArray = np.ones((1, 1), dtype=bool)
    index = []
    for axis, size in enumerate(voxels.shape):
        at = np.full((1, 1), start[axis] + 0.5 + _TIE)
        for way, steps in ((1, rows), (2, columns)):
            if abs(step[axis, way]) * steps.size > _TIE / 10:
                at = at + step[axis, way] * steps
        nearest = np.floor(at).astype(int)
        inside = inside & (nearest >= 0) & (nearest < size)
        index.append(np.clip(nearest, 0, size - 1))
    return np.asarray(inside & voxels[tuple(index)])
