"""Imaging a body with lesions: any grid, any rigid motion, partial volume, noise, and the truth beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from mdanderson.geometry import Box, FloatArray, Geometry
from mdanderson.phantoms.hosts import Host
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Modality
from mdanderson.volume import BoolArray, Mask, Region, Unit, Volume

__all__ = ["LesionTruth", "Phantom", "coverage", "render"]

_SUBSAMPLES = 6
"""Sub-voxels per axis where a surface passes: a share is off by 0.01 (SD), at most 1/12 where the surface is flat along
the grid, and a lesion's volume by less than 0.5 %."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionTruth:
    """What is known of one lesion in one image.

    Axes are the greatest diameter in the acquisition plane and the longest chord at right angles to it, of the lesion
    and, as `outline_*`, of what was drawn (with the outside rim where that was drawn). A real slice may miss the
    greatest section by half a plane spacing.
    """

    label: int
    centre_lps_mm: tuple[float, float, float]
    long_axis_mm: float
    short_axis_mm: float
    outline_long_axis_mm: float
    outline_short_axis_mm: float
    volume_ml: float
    fill_fraction: float
    rim_thickness_mm: float
    drawn: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Phantom:
    """One image with its segmentation and its truth, one entry per lesion in the order given."""

    volume: Volume
    mask: Mask
    truths: tuple[LesionTruth, ...]


def render(
    host: Host,
    lesions: Sequence[LesionSpec],
    geometry: Geometry,
    *,
    motion: FloatArray | None = None,
    mask_motion: FloatArray | None = None,
    noise_hu: float = 0.0,
    noise_sigma_voxels: float = 0.6,
    seed: int = 0,
    date: dt.date | None = None,
    subsamples: tuple[int, int, int] = (1, 1, 1),
) -> Phantom:
    """A CT image (int16 HU) of `host` with `lesions` on `geometry`.

    motion: (4, 4) rigid, body space -> this visit's LPS mm (default: nothing moved). mask_motion: the same for what was
    drawn, where the segmentation is off the image. noise_hu: SD of the scanner's
    noise, drawn from `seed`; inside a lesion in a real CT the host's own local noise is added as well, so that it does
    not look painted on. noise_sigma_voxels: its in-plane correlation, as a soft reconstruction kernel leaves it; 0 is
    white. subsamples: points a voxel, by axis, at which the body is sampled: thick slices need several.
    The mask holds the drawn lesions: voxels at least half covered; lesions of one label are one region. Where lesions
    overlap the later one covers the earlier.
    """
    matrix = np.eye(4) if motion is None else np.asarray(motion, dtype=np.float64)
    body = _in_body(geometry, matrix)
    drawn = body if mask_motion is None else _in_body(geometry, mask_motion)
    noise = np.random.default_rng(seed)
    hu = host.copied_hu(geometry, matrix)
    if hu is None:
        hu = _sample_planes(host, body, subsamples)
    if noise_hu:
        hu += noise_hu * _correlated_noise(noise, geometry.shape, noise_sigma_voxels)
    regions = []
    for lesion in lesions:
        _blend(hu, host, lesion, body, noise)
        if lesion.drawn:
            regions.append(_outline(lesion, drawn))
    volume = Volume(
        array=np.rint(hu).clip(-32768, 32767).astype(np.int16),
        geometry=geometry,
        unit=Unit.HU,
        modality=Modality.CT,
        date=date,
        source="phantom",
    )
    mask = Mask(geometry=geometry, regions=_one_a_label(regions, geometry.shape), source="phantom")
    return Phantom(volume=volume, mask=mask, truths=tuple(_truth(lesion, body, matrix) for lesion in lesions))


def _in_body(geometry: Geometry, motion: FloatArray) -> Geometry:
    """A visit's grid in body space."""
    return geometry.moved(np.asarray(np.linalg.inv(motion), dtype=np.float64))


def coverage(lesion: LesionSpec, semi_axes_mm: Sequence[float], body: Geometry) -> tuple[Box, FloatArray] | None:
    """Share (0-1) of each voxel inside one shell of a lesion, in the box that holds it; None when outside the grid.

    body: the grid in body space. Voxels that the surface cannot reach are decided by their centre, the others by
    6 x 6 x 6 points.
    """
    box = _box_round(lesion, semi_axes_mm, body)
    if box is None:
        return None
    grid = body.crop(box)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    level = lesion.level(grid.to_lps(index), semi_axes_mm)
    share = (level <= 1.0).astype(np.float64)
    reach = 0.5 * float(np.linalg.norm(body.spacing_mm)) * lesion.steepness_per_mm(semi_axes_mm)
    near = np.argwhere(np.abs(level - 1.0) <= reach)
    step = (np.arange(_SUBSAMPLES) + 0.5) / _SUBSAMPLES - 0.5
    for offset in np.stack(np.meshgrid(step, step, indexing="ij"), axis=-1).reshape(-1, 2):
        points = near[:, None, :] + np.insert(np.broadcast_to(offset, (_SUBSAMPLES, 2)), 0, step, axis=1)
        inside = (lesion.level(grid.to_lps(points), semi_axes_mm) <= 1.0).mean(axis=1)
        share[tuple(near.T)] += inside / _SUBSAMPLES**2
    # The centre's own vote is taken back where the sub-voxels have voted.
    share[tuple(near.T)] -= level[tuple(near.T)] <= 1.0
    return box, share


def _sample_planes(host: Host, body: Geometry, subsamples: tuple[int, int, int]) -> FloatArray:
    """The host's density on a grid in body space, plane by plane to keep memory small."""
    blur = float(np.mean(np.asarray(body.spacing_mm) / subsamples))
    _, rows, columns = body.shape
    hu = np.zeros(body.shape)
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in subsamples]
    index = np.stack(np.meshgrid([0.0], np.arange(rows), np.arange(columns), indexing="ij"), axis=-1)[0]
    for plane in range(body.shape[0]):
        index[..., 0] = plane
        for step in product(*steps):
            hu[plane] += host.sample_hu(body.to_lps(index + step), blur_mm=blur)
    return np.asarray(hu / np.prod(subsamples))


def _correlated_noise(random: np.random.Generator, shape: tuple[int, ...], sigma_voxels: float = 0.6) -> FloatArray:
    """Gaussian noise of unit SD, correlated in the plane."""
    white = random.standard_normal(shape)
    if not sigma_voxels:
        return white
    reach = max(7, int(np.ceil(4 * sigma_voxels)))
    kernel = ndimage.gaussian_filter(np.eye(1, 2 * reach + 1, reach)[0], sigma_voxels)
    smooth = ndimage.gaussian_filter(white, (0.0, sigma_voxels, sigma_voxels), mode="wrap")
    return np.asarray(smooth / float(kernel @ kernel))


def _blend(hu: FloatArray, host: Host, lesion: LesionSpec, body: Geometry, random: np.random.Generator) -> None:
    """Put one lesion into `hu`, in place. A shell takes its share of a voxel from the shell round it, not from all."""
    outermost = _box_round(lesion, lesion.layers[0].semi_axes_mm, body)
    if outermost is None:
        return
    sd = host.noise_hu(np.asarray(lesion.centre_mm), max(lesion.semi_axes_mm))
    grid, place = body.crop(outermost), hu[outermost]
    bare, around = place.copy(), place.copy()
    for layer in lesion.layers:
        covered = coverage(lesion, layer.semi_axes_mm, grid)
        if covered is None:
            continue
        box, share = covered
        grain = sd * _correlated_noise(random, share.shape) if sd and layer.hu is not None else 0.0
        inside = bare[box] if layer.hu is None else layer.hu + grain
        place[box] += share * (inside - around[box])
        around[box] = inside


def _outline(lesion: LesionSpec, body: Geometry) -> Region | None:
    """What a reader draws: voxels at least half covered; None when none is."""
    covered = coverage(lesion, lesion.drawn_semi_axes_mm, body)
    if covered is None:
        return None
    box, share = covered
    half: BoolArray = np.asarray(share >= 0.5 - 1e-9)
    filled = np.argwhere(half)
    if not filled.size:
        return None
    low, high = filled.min(axis=0), filled.max(axis=0) + 1
    tight = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    placed = tuple(slice(p.start + int(a), p.start + int(b)) for p, a, b in zip(box, low, high, strict=True))
    return Region(label=lesion.label, box=(placed[0], placed[1], placed[2]), voxels=half[tight].copy())


def _one_a_label(regions: Sequence[Region | None], shape: tuple[int, int, int]) -> tuple[Region, ...]:
    """Regions of one grid, those of one label as one."""
    by_label: dict[int, list[Region]] = {}
    for region in regions:
        if region is not None:
            by_label.setdefault(region.label, []).append(region)
    return tuple(same[0] if len(same) == 1 else _together(same, shape) for same in by_label.values())


def _together(regions: Sequence[Region], shape: tuple[int, int, int]) -> Region:
    voxels = np.zeros(shape, dtype=bool)
    for region in regions:
        voxels[region.box] |= region.voxels
    together = Region.from_array(voxels, label=regions[0].label)
    return regions[0] if together is None else together


def _box_round(lesion: LesionSpec, semi_axes_mm: Sequence[float], body: Geometry) -> Box | None:
    """The voxels that a shell may touch; None when it lies outside the grid."""
    reach = float(np.linalg.norm(semi_axes_mm)) * (1.0 + lesion.lobulation)
    centre = body.to_voxel(np.asarray(lesion.centre_mm))
    steps = np.asarray(body.spacing_mm)
    low = np.maximum(np.floor(centre - reach / steps).astype(int) - 1, 0)
    high = np.minimum(np.ceil(centre + reach / steps).astype(int) + 2, body.shape)
    if (low >= high).any():
        return None
    plane, row, column = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return plane, row, column


def _truth(lesion: LesionSpec, body: Geometry, motion: FloatArray) -> LesionTruth:
    """The analytic answer for this grid's acquisition plane."""
    normal = np.cross(body.directions[1], body.directions[2])
    axes = lesion.diameters_mm(normal)
    same = lesion.drawn_semi_axes_mm == lesion.semi_axes_mm
    outline_axes = axes if same else lesion.diameters_mm(normal, lesion.drawn_semi_axes_mm)
    x, y, z = (motion @ np.append(lesion.centroid_mm(), 1.0))[:3]
    return LesionTruth(
        label=lesion.label,
        centre_lps_mm=(float(x), float(y), float(z)),
        long_axis_mm=axes[0],
        short_axis_mm=axes[1],
        outline_long_axis_mm=outline_axes[0],
        outline_short_axis_mm=outline_axes[1],
        volume_ml=lesion.volume_ml,
        fill_fraction=lesion.fill_fraction,
        rim_thickness_mm=lesion.rim_thickness_mm,
        drawn=lesion.drawn,
    )
