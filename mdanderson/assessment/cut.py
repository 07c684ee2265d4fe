"""One plane of an image as it is looked at: which way up, what lies where in the frame, how outlines run in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.assessment.station import Image
from mdanderson.geometry import FloatArray, box_between, grow_box, patient_axes
from mdanderson.measure.outline import draw_outlines
from mdanderson.measure.plane import measuring_axis
from mdanderson.pictures import Frame, Line
from mdanderson.settings import Settings
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["Cut", "outline_in", "profile_in", "rounded_frame"]

_PROFILE_MM = 10
"""How far inside and outside an outline its profile reaches, in steps of 1 mm."""
_LEAST_PIXELS = 5
"""Of a step of a profile; fewer are noise."""
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Each patient axis towards less and towards more, in LPS."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cut:
    """A plane of an image as it is looked at: number `plane` along array axis `axis`, round `middle` (LPS mm).

    across, down: the array axes that run across and down the picture, as signed steps; right, below: their (3,)
    directions in LPS.
    """

    image: Image
    axis: int
    plane: int
    middle: FloatArray
    across: tuple[int, int]
    down: tuple[int, int]

    @classmethod
    def through(cls, image: Image, middle: FloatArray, settings: Settings, plane: int | None = None) -> Self:
        """The plane of `image` that is measured in, at `middle` where no number is given."""
        geometry = image.volume.geometry
        axis = measuring_axis(geometry, settings.image)
        nearest = int(np.floor(geometry.to_voxel(middle)[axis] + 0.5)) if plane is None else plane
        across, down = _upright(image.volume, axis)
        return cls(image=image, axis=axis, plane=nearest, middle=middle, across=across, down=down)

    @property
    def shows(self) -> bool:
        """Whether the image has that plane."""
        return 0 <= self.plane < self.image.volume.geometry.shape[self.axis]

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Towards where in the patient the left, top, right and bottom edge look."""
        right, below = (_letter(self.direction(axis)) for axis in (self.across, self.down))
        left, above = (_letter(-self.direction(axis)) for axis in (self.across, self.down))
        return left, above, right, below

    def direction(self, axis: tuple[int, int]) -> FloatArray:
        """(3,) LPS: where a signed array axis leads."""
        return np.asarray(self.image.volume.geometry.directions[axis[0]] * axis[1])

    def flat(self, points_lps_mm: FloatArray) -> Line:
        """(n, 3) LPS mm -> mm of the frame."""
        off = points_lps_mm - self.middle
        across, down = off @ self.direction(self.across), off @ self.direction(self.down)
        return tuple((round(float(x), 2), round(float(y), 2)) for x, y in zip(across, down, strict=True))

    def pixels(self, frame: Frame) -> tuple[npt.NDArray[np.generic], Frame] | None:
        """The pixels that the frame needs, upright, and where they lie; None where the image has none there."""
        geometry = self.image.volume.geometry
        index, filled, lies = [slice(0, 0)] * 3, [0.0, 0.0], [0.0, 0.0]
        index[self.axis] = slice(self.plane, self.plane + 1)
        middle = geometry.to_voxel(self.middle)
        for side, (axis, way) in enumerate((self.across, self.down)):
            step, size = geometry.spacing_mm[axis], geometry.shape[axis]
            ends = (middle[axis] + way * edge / step for edge in (frame[side], frame[side] + frame[side + 2]))
            low, high = sorted(ends)
            first, last = max(0, int(np.floor(low + 0.5))), min(size, int(np.ceil(high - 0.5)) + 1)
            if first >= last:
                return None
            index[axis] = slice(first, last)
            edge = first - 0.5 if way > 0 else last - 0.5
            lies[side], filled[side] = (edge - middle[axis]) * step * way, (last - first) * step
        values = np.take(self.image.volume.array[tuple(index)], 0, axis=self.axis)
        if self.across[0] < self.down[0]:
            values = values.T
        upright = values[:: self.down[1], :: self.across[1]]
        return upright, rounded_frame((lies[0], lies[1], filled[0], filled[1]))


def rounded_frame(frame: Frame) -> Frame:
    """To 0.01 mm."""
    left, top, width, height = (round(float(mm), 2) for mm in frame)
    return left, top, width, height


def _upright(volume: Volume, axis: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The array axes across and down, as readers hang images: patient's right at the left, head or front on top.

    A sagittal plane has the front at its left; a projection is shown as it is stored.
    """
    first, second = (other for other in range(3) if other != axis)
    if volume.planar:
        return (second, 1), (first, 1)
    patient = patient_axes(volume.geometry.directions)
    across, down = sorted((first, second), key=lambda array: patient[array])
    towards = volume.geometry.directions[down][patient[down]] > 0
    down_way = 1 if towards == (patient[down] == 1) else -1
    return (across, 1 if volume.geometry.directions[across][patient[across]] > 0 else -1), (down, down_way)


def _letter(direction: FloatArray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis][int(direction[axis] > 0)]


def outline_in(cut: Cut, region: Region, settings: Settings) -> tuple[Line, ...]:
    """Where the outline of a region runs in the plane: the very outline that diameters end on."""
    voxels = _in_plane(cut, region)
    if voxels is None:
        return ()
    geometry = cut.image.volume.geometry
    inside = [axis for axis in range(3) if axis != cut.axis]
    pixel_mm = np.array(geometry.spacing_mm)[inside]
    (outline,) = draw_outlines(voxels[None], pixel_mm, settings.image)
    index = np.full((len(outline.points), 3), float(cut.plane))
    index[:, inside] = outline.points / pixel_mm + [region.box[axis].start for axis in inside]
    points = cut.flat(geometry.to_lps(index))
    where = dict(zip(map(tuple, outline.points.tolist()), points, strict=True))
    return _joined([(where[tuple(one)], where[tuple(other)]) for one, other in outline.segments().tolist()])


def profile_in(cut: Cut, region: Region) -> tuple[tuple[float, float], ...]:
    """Mean value by distance from the outline of a region in the plane, inside negative, a millimetre a step."""
    voxels = _in_plane(cut, region)
    if voxels is None:
        return ()
    volume = cut.image.volume
    wide = grow_box(region.box, volume.geometry, _PROFILE_MM + 1.0)
    low, high = (
        [end if axis != cut.axis else plane for axis, end in enumerate(ends)]
        for plane, ends in ((cut.plane, [part.start for part in wide]), (cut.plane + 1, [part.stop for part in wide]))
    )
    box = box_between(low, high)
    values, imaged = (np.take(array, 0, axis=cut.axis) for array in (volume.array[box], volume.imaged(box)))
    inside = [axis for axis in range(3) if axis != cut.axis]
    drawn = np.zeros(values.shape, dtype=bool)
    starts = [region.box[axis].start - box[axis].start for axis in inside]
    drawn[tuple(slice(at, at + size) for at, size in zip(starts, voxels.shape, strict=True))] = voxels
    distance_mm = _signed_distance_mm(drawn, np.array(volume.geometry.spacing_mm)[inside])
    profile = []
    for step in range(-_PROFILE_MM, _PROFILE_MM):
        here = (distance_mm >= step) & (distance_mm < step + 1) & imaged
        if np.count_nonzero(here) >= _LEAST_PIXELS:
            profile.append((step + 0.5, round(float(values[here].mean()), 1)))
    return tuple(profile)


def _signed_distance_mm(drawn: BoolArray, pixel_mm: FloatArray) -> FloatArray:
    """(rows, columns): from every pixel to the edge of what is drawn, inside negative."""
    half = float(pixel_mm.mean()) / 2
    outside, within = (ndimage.distance_transform_edt(one, sampling=pixel_mm) - half for one in (~drawn, drawn))
    return np.where(drawn, -within, outside)


def _in_plane(cut: Cut, region: Region) -> BoolArray | None:
    """The region's pixels in the plane; None where it has none there."""
    at = cut.plane - region.box[cut.axis].start
    if not 0 <= at < region.voxels.shape[cut.axis]:
        return None
    voxels = np.take(region.voxels, at, axis=cut.axis)
    return voxels if voxels.any() else None


def _joined(pieces: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> tuple[Line, ...]:
    """Pieces with common ends as lines as long as possible."""
    open_at: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for one, other in pieces:
        open_at.setdefault(one, []).append(other)
        open_at.setdefault(other, []).append(one)
    lines = []
    for start in sorted(open_at):
        while open_at[start]:
            line = [start]
            while open_at[line[-1]]:
                after = open_at[line[-1]].pop()
                open_at[after].remove(line[-1])
                line.append(after)
            lines.append(tuple(line))
    return tuple(lines)
