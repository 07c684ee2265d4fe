"""An image and its segmentation in memory: array, place, unit. Frozen, and checked when they are born."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.errors import ImageError, MaskError
from mdanderson.geometry import Box, Geometry, box_shape, same_grid, same_space
from mdanderson.vocabulary import Modality

__all__ = ["BoolArray", "Mask", "Region", "Unit", "Volume"]

BoolArray = npt.NDArray[np.bool_]


class Unit(StrEnum):
    """What a voxel value means."""

    HU = "HU"
    ARBITRARY = "a.u."
    BECQUEREL_PER_ML = "Bq/ml"
    COUNTS = "counts"
    SUV = "g/ml"
    ADC = "um2/s"


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

    label: voxel value, DICOM segment number or ROI number (> 0). voxels: bool, the shape of `box`, at least one true.
    """

    label: int
    box: Box
    voxels: BoolArray
    name: str = ""
    tracking_uid: str = ""

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mask:
    """Segmented labels on one grid, ordered by label. None of them = nothing segmented."""

    geometry: Geometry
    regions: tuple[Region, ...] = ()
    source: str = ""

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
        boxes = ndimage.find_objects(integers) if integers.any() else []
        regions = (
            Region(
                label=label,
                box=(box[0], box[1], box[2]),
                voxels=integers[box] == label,
                name=(names or {}).get(label, ""),
            )
            for label, box in enumerate(boxes, start=1)
            if box is not None
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

        A label that lies wholly outside the grid, or between its planes, is left out.
        Raises `MaskError` when the frames of reference differ.
        """
        if same_grid(self.geometry, geometry):
            return replace(self, geometry=geometry)
        if not same_space(self.geometry, geometry):
            raise MaskError(
                "mask and image have different frames of reference",
                where=self.source,
                way_out="segment on the series that the manifest names",
            )
        moved = (_resample(region, self.geometry, geometry) for region in self.regions)
        return Mask(geometry=geometry, regions=tuple(r for r in moved if r is not None), source=self.source)


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


def _whole_numbers(labels: npt.NDArray[np.generic], source: str) -> npt.NDArray[np.integer]:
    """Labels as integers; a mask saved as floating point is fine as long as its values are whole."""
    if labels.dtype.kind == "b":
        return labels.astype(np.uint8)
    if labels.dtype.kind not in "iuf":
        raise MaskError(f"voxels of type {labels.dtype}", where=source, way_out="store one whole number a voxel")
    low, high = (float(labels.min()), float(labels.max())) if labels.size else (0.0, 0.0)
    if not (np.isfinite([low, high]).all() and low >= 0 and high <= np.iinfo(np.uint16).max):
        raise MaskError(
            f"values from {low:g} to {high:g} are no labels", where=source, way_out="number lesions 1 to 65535"
        )
    whole = labels.astype(np.uint16)
    if labels.dtype.kind == "f" and not np.array_equal(whole, labels):
        raise MaskError(
            "fractional values in a label map", where=source, way_out="export a label map, not a probability map"
        )
    return whole


def _resample(region: Region, source: Geometry, target: Geometry) -> Region | None:
    """`region` on the target grid: each target voxel takes the source voxel that holds its centre."""
    corners = target.to_voxel(source.crop(region.box).corners_lps_mm())
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, target.shape)
    if (low >= high).any():
        return None
    grid = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    index = np.floor(source.to_voxel(target.to_lps(grid)) + 0.5).astype(int)
    index -= np.array([part.start for part in region.box])
    inside = ((index >= 0) & (index < region.voxels.shape)).all(axis=-1)
    taken = np.zeros(inside.shape, dtype=bool)
    taken[inside] = region.voxels[tuple(index[inside].T)]
    tight = _bounding_box(taken)
    if tight is None:
        return None
    box = tuple(slice(part.start + int(a), part.stop + int(a)) for part, a in zip(tight, low, strict=True))
    return replace(region, box=(box[0], box[1], box[2]), voxels=taken[tight])
