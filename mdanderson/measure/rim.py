"""A sclerotic rim round a lytic core: how much of the outline carries one, and the outline without it.

Profiles run along the outline's normals. A shell is thinner than the scale on which classes are decided, so profiles
are read at half that scale. A normal cortex beside the lesion peaks sclerotic too: only a rise over baseline is a rim
(docs/details.md, detail 26).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special
from skimage import measure

from mdanderson.geometry import Box, FloatArray, box_within, grow_box
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.smoothing import require_hu, smoothed_box
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["Rim", "measure_rim", "without_rim"]

_THICK_PLANES_MM = 3.0
"""From this plane spacing on, the outline is followed slice by slice."""
_APART_MM = 1e3
"""Stands for the plane spacing where planes are looked at one by one."""
_STEP_MM = 0.25
_MOST_DIRECTIONS = 3000
_UPRIGHT = 75
"""Percentile of the directions' peaks that stands for the shell: where it slants through a plane it peaks lower."""
_DRAWN_IN_MM = 0.5
"""The shell was drawn in when its inner edge lies deeper than this under the outline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rim:
    """A sclerotic shell round a lytic core.

    rim_fraction: share of the outline's directions that carry it (0 where the core is not lytic). thickness_mm: median
    width at half height. peak_offset_mm: median place of the shell's middle against the outline, negative inside; both
    are None without any rim.
    """

    rim_fraction: float
    thickness_mm: float | None = None
    peak_offset_mm: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Outline:
    """Directions along the outline, in mm along the grid's axes: points and outward normals (n, 3), shares (n,)."""

    points_mm: FloatArray
    normals: FloatArray
    shares: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Shells:
    """Per direction whether it carries a shell, its inner and outer edge in mm against the outline, and its peak."""

    present: BoolArray
    inner_mm: FloatArray
    outer_mm: FloatArray
    height_hu: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Seen:
    """The planes of a region that show a lytic core, with what surrounds it.

    fine_hu: the image in `box` at half the scale. core: the deep lytic voxels of `region`, in its own box.
    """

    region: Region
    box: Box
    fine_hu: FloatArray
    core: BoolArray
    outline: _Outline
    shells: _Shells


def measure_rim(volume: Volume, region: Region, reference: ReferenceBone, *, settings: ImageSettings) -> Rim:
    """The rim round `region` (on the grid of `volume`). Raises `UnitError` unless the image is in HU."""
    found = _find_shells(volume, region, reference, settings)
    if found is None:
        return Rim(rim_fraction=0.0)
    shells = found.shells
    if not shells.present.any():
        return Rim(rim_fraction=0.0)
    inner, outer = shells.inner_mm[shells.present], shells.outer_mm[shells.present]
    return Rim(
        rim_fraction=float(found.outline.shares[shells.present].sum()),
        thickness_mm=float(np.median(outer - inner)),
        peak_offset_mm=float(np.median((outer + inner) / 2)),
    )


def without_rim(
    volume: Volume, region: Region, reference: ReferenceBone, rim: Rim, *, settings: ImageSettings
) -> Region | None:
    """`region` without the sclerotic shell drawn into it: the core that PD1 is judged on (docs/details.md, detail 26).

    The same region where there is no rim or it lies outside the outline; None where nothing else was drawn.
    Raises `UnitError` unless the image is in HU.
    """
    if rim.peak_offset_mm is None or rim.thickness_mm is None:
        return region
    if rim.peak_offset_mm - rim.thickness_mm / 2 > -_DRAWN_IN_MM:
        return region
    found = _find_shells(volume, region, reference, settings)
    if found is None:
        return region
    return region.narrowed(_core(found, _blur_mm(volume.geometry.spacing_mm, settings)))


def _find_shells(volume: Volume, region: Region, reference: ReferenceBone, settings: ImageSettings) -> _Seen | None:
    """The planes that show a lytic core, their outline and its shells; None where the core is not lytic."""
    require_hu(volume)
    spacing = volume.geometry.spacing_mm
    box = grow_box(region.box, volume.geometry, _margin_mm(settings))
    fine = smoothed_box(volume, box, sigma_mm=settings.smoothing_sigma_mm / 2).astype(np.float64)
    fine = np.where(np.isnan(fine), reference.median_hu, fine)
    lytic = (fine < reference.lytic_below_hu(settings))[box_within(region.box, box)] & region.voxels
    deep = _deep(region.voxels, spacing)
    shown = region.voxels
    if spacing[0] >= _THICK_PLANES_MM:  # a plane through the shell's cap says nothing of the shell round the core
        shown = shown & (2 * (lytic & deep).sum(axis=(1, 2)) > deep.sum(axis=(1, 2)))[:, None, None]
        deep &= shown
    if not deep.any() or 2 * lytic[deep].sum() <= deep.sum():
        return None
    region = replace(region, voxels=shown)
    outline = _outline(region, box, spacing, settings)
    if outline is None:
        return None
    inward, outward = _reach_mm(settings)
    offsets = np.arange(-inward, outward + _STEP_MM / 2, _STEP_MM)
    places = outline.points_mm[:, None] + offsets[:, None] * outline.normals[:, None]
    profiles = ndimage.map_coordinates(fine, np.moveaxis(places / spacing, -1, 0), order=1, mode="nearest")
    shells = _read_shells(profiles, offsets, spacing, reference, settings)
    return _Seen(region=region, box=box, fine_hu=fine, core=lytic & deep, outline=outline, shells=shells)


def _reach_mm(settings: ImageSettings) -> tuple[float, float]:
    """How far profiles run inwards and outwards: the stated window, and a shell's thickness more on either side."""
    thickest = settings.rim_inside_mm + settings.rim_outside_mm
    return settings.rim_inside_mm + thickest, settings.rim_outside_mm + settings.rim_inside_mm


def _margin_mm(settings: ImageSettings) -> float:
    """How much more than the region's box the profiles need."""
    return _reach_mm(settings)[1] + 2 * _STEP_MM


def _read_shells(
    profiles: FloatArray,
    offsets_mm: FloatArray,
    spacing_mm: tuple[float, float, float],
    reference: ReferenceBone,
    settings: ImageSettings,
) -> _Shells:
    """Shells in (n, offsets) profiles: a sclerotic peak inside the window, lytic within a shell's thickness inwards."""
    window = (offsets_mm >= -settings.rim_inside_mm - 1e-9) & (offsets_mm <= settings.rim_outside_mm + 1e-9)
    at = np.where(window, profiles, -np.inf).argmax(axis=1)
    height = np.take_along_axis(profiles, at[:, None], axis=1)
    thickest = settings.rim_inside_mm + settings.rim_outside_mm
    peak_mm = offsets_mm[at][:, None]
    inwards = (offsets_mm <= peak_mm) & (offsets_mm >= peak_mm - thickest)
    outwards = offsets_mm >= peak_mm
    floor_in = np.where(inwards, profiles, np.inf).min(axis=1, keepdims=True)
    floor_out = np.where(outwards, profiles, np.inf).min(axis=1, keepdims=True)
    inner = _crossing(profiles, inwards, (height + floor_in) / 2, at, offsets_mm)
    outer = -_crossing(
        profiles[:, ::-1], outwards[:, ::-1], (height + floor_out) / 2, len(offsets_mm) - 1 - at, -offsets_mm[::-1]
    )
    present = (
        (height[:, 0] > reference.sclerotic_above_hu(settings))
        & (floor_in[:, 0] < reference.lytic_below_hu(settings))
        & (at < np.flatnonzero(window)[-1])
    )
    middle = (inner + outer) / 2
    width = _unblurred(outer - inner, _blur_mm(spacing_mm, settings))
    return _Shells(present=present, inner_mm=middle - width / 2, outer_mm=middle + width / 2, height_hu=height[:, 0])


def _crossing(
    profiles: FloatArray, side: BoolArray, level: FloatArray, at: npt.NDArray[np.intp], offsets_mm: FloatArray
) -> FloatArray:
    """(n,): where each profile, walking down from its peak `at` on the given side, last was above `level`."""
    low = np.where(side & (profiles <= level), np.arange(len(offsets_mm)), -1).max(axis=1)
    low = np.where(low < 0, np.maximum(at - 1, 0), low)
    high = np.minimum(low + 1, len(offsets_mm) - 1)
    rows = np.arange(len(profiles))
    rise = profiles[rows, high] - profiles[rows, low]
    part = np.divide(level[:, 0] - profiles[rows, low], rise, out=np.zeros(len(rows)), where=rise > 0)
    return np.asarray(offsets_mm[low] + np.clip(part, 0.0, 1.0) * (offsets_mm[high] - offsets_mm[low]))


def _unblurred(width_mm: FloatArray, sigma_mm: float) -> FloatArray:
    """Width at half height of a blurred shell -> the shell's own thickness.

    Smoothing brings image and voxel together to `sigma`; reading between voxels adds spacing^2 / 12.
    """
    true, seen = (sigma_mm * table for table in _blurred_widths())
    return np.asarray(np.interp(width_mm, seen, true, left=0.0) + np.maximum(width_mm - seen[-1], 0.0))


@cache
def _blurred_widths() -> tuple[FloatArray, FloatArray]:
    """Thickness of a shell and its width at half height when blurred, both in SD of the blur.

    A shell of thickness w blurred by s reads erf((w/2 - x) / s2) + erf((w/2 + x) / s2) with s2 = s sqrt 2.
    """
    true = np.linspace(0.05, 10.0, 200)[:, None]
    x = np.linspace(0.0, 8.0, 801)[None]
    shape = special.erf((true / 2 - x) / np.sqrt(2)) + special.erf((true / 2 + x) / np.sqrt(2))
    return true[:, 0], np.asarray(2 * x[0, (shape >= shape[:, :1] / 2).sum(axis=1) - 1])


def _deep(voxels: BoolArray, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """The deeper half of a region (of each plane, where planes are thick): its core, clear of a shell drawn in."""
    thick = spacing_mm[0] >= _THICK_PLANES_MM
    steps = (_APART_MM if thick else spacing_mm[0], *spacing_mm[1:])
    depth = ndimage.distance_transform_edt(np.pad(voxels, 1), sampling=steps)[1:-1, 1:-1, 1:-1]
    deepest = depth.max(axis=(1, 2), keepdims=True) if thick else depth.max()
    return np.asarray(voxels & (depth >= deepest / 2))


def _outline(
    region: Region, box: Box, spacing_mm: tuple[float, float, float], settings: ImageSettings
) -> _Outline | None:
    """The region's outline in mm from the first voxel of `box`: the 0.5 level of the smoothed mask."""
    pad = 3
    mask = np.pad(region.voxels, pad).astype(np.float64)
    start = np.array([own.start - part.start - pad for own, part in zip(region.box, box, strict=True)])
    sigma = settings.outline_sigma_pixels
    found = (
        _slicewise(ndimage.gaussian_filter(mask, (0, sigma, sigma)), spacing_mm)
        if spacing_mm[0] >= _THICK_PLANES_MM
        else _surface(ndimage.gaussian_filter(mask, sigma), spacing_mm)
    )
    if found is None:
        return None
    points, normals, sizes = found
    keep = (sizes > 0) & (np.arange(len(sizes)) % (1 + len(sizes) // _MOST_DIRECTIONS) == 0)
    return _Outline(
        points_mm=points[keep] + start * spacing_mm, normals=normals[keep], shares=sizes[keep] / sizes[keep].sum()
    )


def _surface(
    mask: FloatArray, spacing_mm: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Centres, outward normals and areas of the triangles of the outline in space."""
    if mask.max() <= 0.5:
        return None
    vertices, faces, _, _ = measure.marching_cubes(mask, 0.5, spacing=spacing_mm)
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    centres = corners.mean(axis=1)
    return centres, *_oriented(crossed, mask, centres, spacing_mm)


def _slicewise(
    mask: FloatArray, spacing_mm: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Centres, outward normals and lengths of the edges of the outlines slice by slice."""
    centres, crossed = [], []
    for plane, image in enumerate(mask):
        for contour in measure.find_contours(image, 0.5):
            line = contour * spacing_mm[1:]
            step = np.diff(line, axis=0)
            middle = (line[1:] + line[:-1]) / 2
            centres.append(np.column_stack([np.full(len(step), plane * spacing_mm[0]), middle]))
            crossed.append(np.column_stack([np.zeros(len(step)), step[:, 1], -step[:, 0]]))
    if not centres:
        return None
    points = np.concatenate(centres)
    return points, *_oriented(np.concatenate(crossed), mask, points, spacing_mm)


def _oriented(
    crossed: FloatArray, mask: FloatArray, centres_mm: FloatArray, spacing_mm: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray]:
    """Unit normals pointing out of the mask, and the sizes they stand for."""
    sizes = np.linalg.norm(crossed, axis=1)
    normals = crossed / np.where(sizes > 0, sizes, 1.0)[:, None]
    ahead = ndimage.map_coordinates(mask, ((centres_mm + 0.5 * normals) / spacing_mm).T, order=1)
    behind = ndimage.map_coordinates(mask, ((centres_mm - 0.5 * normals) / spacing_mm).T, order=1)
    return normals * np.where(ahead > behind, -1.0, 1.0)[:, None], sizes


def _blur_mm(spacing_mm: tuple[float, float, float], settings: ImageSettings) -> float:
    """SD by which a profile is blurred: the scale at which it is read, and reading between voxels."""
    return float(np.hypot(settings.smoothing_sigma_mm / 2, spacing_mm[2] / np.sqrt(12.0)))


def _core(seen: _Seen, blur_mm: float) -> BoolArray:
    """The region's voxels that hang together with its core at less than half the height of the shell.

    Half the height is where a blurred edge lies, as half coverage is where a mask's does. The height is the shell's
    own: a shell of width w blurred by s peaks at erf(w / (2 s sqrt 2)) of what it rises above its sides.
    """
    fine = seen.fine_hu[box_within(seen.region.box, seen.box)]
    deep = float(np.median(fine[seen.core]))
    shells = seen.shells
    width_mm = float(np.median((shells.outer_mm - shells.inner_mm)[shells.present]))
    left = float(special.erf(max(width_mm, blur_mm) / (2 * blur_mm * np.sqrt(2))))
    height = (float(np.percentile(shells.height_hu[shells.present], _UPRIGHT)) - deep) / left
    pieces, _ = ndimage.label(seen.region.voxels & (fine < deep + height / 2))
    return np.asarray(np.isin(pieces, np.unique(pieces[seen.core & (pieces > 0)])))
