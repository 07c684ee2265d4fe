"""From slice positions to one rectangular grid, or a refusal that names the slice. Pure; no file is read.

Only ImagePositionPatient and ImageOrientationPatient place slices: never the instance number, the file name or the
slice thickness. Nothing is stretched over a gap and nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mdanderson.errors import GeometryError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.dicom_slices import Slice
from mdanderson.readers.orientation import check_spacing

__all__ = ["Stack", "stack_slices"]

_POSITION_TOLERANCE_MM = 0.1
"""How far a slice may lie off the regular grid: headers round positions to as little as 0.1 mm."""

_FARTHEST_MM = 1e5
"""From the scanner's origin."""

_DIRECTION_TOLERANCE = 1e-3
"""Largest deviation of direction cosines from unit length, right angles, and the first slice's."""

_SPACING_TOLERANCE = 1e-4
"""Largest relative difference of pixel spacing between slices."""

_LARGEST_TILT_DEGREES = 45.0
"""CT gantries tilt up to 30 degrees; more is a broken header."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stack:
    """Slices in order along their normal, on one grid.

    shifts_mm: (slices, 2), how far each slice lies off the first one along rows and columns; None unless the stack is
    sheared (gantry tilt), when `geometry` is that of the first slice continued along the normal.
    """

    slices: tuple[Slice, ...]
    geometry: Geometry
    shifts_mm: FloatArray | None = None
    tilt_degrees: float = 0.0


def stack_slices(slices: Sequence[Slice]) -> Stack:
    """Order the slices and place them. Raises `GeometryError` naming the slice where no grid fits them all."""
    first = slices[0]
    for each in slices:
        if np.abs(each.position_mm).max() > _FARTHEST_MM:
            raise GeometryError(
                "ImagePositionPatient is far outside of any patient",
                where=each.name,
                way_out="export the original series",
            )
    column, row = _directions(first)
    normal = np.cross(column, row)
    for other in slices[1:]:
        _check_alike(first, other)
    heights = np.array([float(each.position_mm @ normal) for each in slices])
    order = np.argsort(heights, kind="stable")
    ordered, heights = [slices[k] for k in order], heights[order]
    step_mm = _step(ordered, heights)
    offsets = np.array([each.position_mm - ordered[0].position_mm for each in ordered])
    shifts = np.stack([offsets @ row, offsets @ column], axis=1)
    geometry = Geometry.from_axes(
        shape=(len(ordered), first.pixels.rows, first.pixels.columns),
        spacing_mm=(step_mm, *map(float, first.spacing_mm)),
        origin_mm=[float(x) for x in ordered[0].position_mm],
        directions=np.stack([normal, row, column]),
        frame_of_reference_uid=first.frame_of_reference_uid,
    )
    check_spacing(geometry)
    if np.abs(shifts).max() <= _POSITION_TOLERANCE_MM:
        return Stack(slices=tuple(ordered), geometry=geometry)
    tilt = _tilt_degrees(ordered, heights, shifts)
    return Stack(slices=tuple(ordered), geometry=geometry, shifts_mm=shifts, tilt_degrees=tilt)


def _directions(first: Slice) -> tuple[FloatArray, FloatArray]:
    """Unit directions of growing column and of growing row."""
    column, row = first.orientation[:3], first.orientation[3:]
    lengths = float(np.linalg.norm(column)), float(np.linalg.norm(row))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(float(column @ row))) > _DIRECTION_TOLERANCE:
        raise GeometryError(
            "ImageOrientationPatient is not two unit vectors at right angles",
            where=first.name,
            way_out="export the original series",
        )
    column = column / lengths[0]
    row = row - (row @ column) * column
    return column, row / np.linalg.norm(row)


def _check_alike(first: Slice, other: Slice) -> None:
    """Refuse a slice that belongs on another grid than the first."""
    differences = (
        ("size or type of pixels", first.pixels != other.pixels),
        ("orientation", bool(np.abs(first.orientation - other.orientation).max() > _DIRECTION_TOLERANCE)),
        ("pixel spacing", not np.allclose(first.spacing_mm, other.spacing_mm, rtol=_SPACING_TOLERANCE, atol=0)),
        ("frame of reference", first.frame_of_reference_uid != other.frame_of_reference_uid),
    )
    for what, differs in differences:
        if differs:
            raise GeometryError(
                f"{what} differs from that of {first.name}",
                where=other.name,
                way_out="keep only the slices of one reconstruction in the series",
            )


def _step(ordered: Sequence[Slice], heights: FloatArray) -> float:
    """Distance between neighbouring slices, in mm along the normal."""
    if len(ordered) == 1:
        step = ordered[0].step_mm
        if step is None:
            raise GeometryError(
                "a single slice without SpacingBetweenSlices or SliceThickness",
                where=ordered[0].name,
                way_out="name the folder of the whole series",
            )
        return step
    _refuse_uneven(ordered, heights)
    return float((heights[-1] - heights[0]) / (len(heights) - 1))


def _refuse_uneven(ordered: Sequence[Slice], heights: FloatArray) -> None:
    """Refuse two slices in one place, a missing slice, and increments that are not even."""
    steps = np.diff(heights)
    usual = float(np.median(steps))
    for (before, after), height, step in zip(pairwise(ordered), heights[1:], steps, strict=True):
        if step < _POSITION_TOLERANCE_MM / 2:
            raise GeometryError(
                f"two slices lie in one place ({before.name} and {after.name})",
                where=_place(after, height),
                way_out="keep one phase, echo or reconstruction in the series",
            )
    steps_off = np.abs(steps - usual)
    worst = int(steps_off.argmax())
    drift = np.abs(heights - np.linspace(heights[0], heights[-1], len(heights))).max()
    if steps_off[worst] <= min(2 * _POSITION_TOLERANCE_MM, usual / 2) and drift <= _POSITION_TOLERANCE_MM:
        return
    after, step = ordered[worst + 1], float(steps[worst])
    missing = step / usual
    what = (
        f"{round(missing) - 1} slice(s) missing"
        if missing > 1.5 and abs(missing - round(missing)) < 0.1
        else "slice increments are uneven"
    )
    raise GeometryError(
        f"{what}: {step:.2f} mm after {ordered[worst].name}, elsewhere {usual:.2f} mm",
        where=_place(after, float(heights[worst + 1])),
        way_out="export the whole series, with even increments",
    )


def _tilt_degrees(ordered: Sequence[Slice], heights: FloatArray, shifts: FloatArray) -> float:
    """The angle of a stack whose slices are shifted evenly, as by a tilted gantry; any other shift is refused."""
    steady = np.outer((heights - heights[0]) / (heights[-1] - heights[0]), shifts[-1])
    stray = np.abs(shifts - steady).max(axis=1)
    worst = int(stray.argmax())
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(shifts[-1]), heights[-1] - heights[0])))
    if stray[worst] > _POSITION_TOLERANCE_MM or tilt > _LARGEST_TILT_DEGREES:
        raise GeometryError(
            "slices are shifted sideways against each other",
            where=_place(ordered[worst if stray[worst] > _POSITION_TOLERANCE_MM else 1], float(heights[worst])),
            way_out="export the original series",
        )
    return tilt


def _place(each: Slice, height_mm: float) -> str:
    return f"{each.name} at {height_mm:.2f} mm"
