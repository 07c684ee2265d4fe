"""Where the other side of the body has its like: a lesion's outline mirrored, then shifted to where it fits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.measure.skeleton import ScanSurvey, round_regions
from mdanderson.settings import Scintigraphy
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["Mirrored", "mirrored_region"]

_RING_MM = 35.0
"""What lies this near a lesion says where its like is."""
_FEWEST_IN_RING = 40
_FEWEST_PIXELS = 3
_LEAST_SHARE = 0.5
"""Of the mirrored outline, what other lesions and the edge of the image must leave."""
_EVEN = 0.15
"""Relative SD below which there is no pattern to fit by; then both sides must count alike within this."""
_STEP_MM = 2.0
_TIED = 0.005
"""Likeness lost, from which on a shift weighs 1/e of the best one: noise of some thousandths chooses between them."""
_TOLD = float(np.exp(-2.0))
"""Shifts of at least this weight say how much the placing matters."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mirrored:
    """The other side of a lesion. placing_sd: relative, of its counts over the places that fit about as well."""

    region: Region
    placing_sd: float


def mirrored_region(
    volume: Volume, region: Region, lesions: Sequence[Region], survey: ScanSurvey, settings: Scintigraphy
) -> tuple[Mirrored | None, str]:
    """The like of `region` on the other side; None and why where there is none that can be defended."""
    if survey.mirror is None:
        return None, "no axis of the body was found"
    geometry = volume.geometry
    guarded = round_regions(lesions, geometry, settings.reference_margin_mm)
    ring = _ring(region, geometry, survey, guarded)
    if len(ring) < _FEWEST_IN_RING:
        return None, "too little lies round the lesion to find its other side by"
    mine = np.sqrt(_at(survey.smooth, geometry, ring))
    counts = np.where(guarded, np.nan, survey.smooth)
    placed = ring @ survey.mirror[:3, :3].T + survey.mirror[:3, 3]
    shifts = _shifts(geometry, settings.mirror_search_mm)
    scores = np.array([_likeness(mine, np.sqrt(_at(counts, geometry, placed + shift))) for shift in shifts])
    best = float(scores.max())
    if best < settings.mirror_likeness:
        return None, "the other side of the body does not look alike there"
    weight = np.exp((scores - best) / _TIED)
    shift_mm = (weight[:, None] * shifts).sum(axis=0) / weight.sum()
    moved = survey.mirror.copy()
    moved[:3, 3] += shift_mm
    inside = _carried(region, geometry, moved) & survey.body & volume.imaged((slice(None), slice(None), slice(None)))
    left = inside & ~guarded
    count = int(np.count_nonzero(left))
    if count < max(_FEWEST_PIXELS, _LEAST_SHARE * np.count_nonzero(region.voxels)):
        return None, "the other side is not shown, or holds a lesion"
    found = Region.from_array(left, label=region.label, name=region.name)
    own = geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
    own = own @ survey.mirror[:3, :3].T + survey.mirror[:3, 3]
    means = np.array([float(np.nanmean(_at(survey.smooth, geometry, own + shift))) for shift in shifts[weight > _TOLD]])
    spread = float(means.std() / max(float(means.mean()), 1e-9))
    return None if found is None else Mirrored(region=found, placing_sd=spread), ""


def _ring(region: Region, geometry: Geometry, survey: ScanSurvey, guarded: BoolArray) -> FloatArray:
    """(n, 3) LPS mm: the body round a lesion, but for lesions."""
    near = round_regions([region], geometry, _RING_MM) & survey.body & ~guarded
    return geometry.to_lps(np.argwhere(near))


def _shifts(geometry: Geometry, reach_mm: float) -> FloatArray:
    """(k, 3) mm: along every axis that has more than one voxel."""
    step = max(_STEP_MM, min(geometry.spacing_mm[1:]))
    steps = step * np.arange(-int(reach_mm / step), int(reach_mm / step) + 1)
    axes = [steps if size > 1 else np.zeros(1) for size in geometry.shape]
    directions = geometry.directions
    return np.array([np.array(shift) @ directions for shift in product(*axes)])


def _at(values: FloatArray, geometry: Geometry, points: FloatArray) -> FloatArray:
    """(n,): of the nearest voxel; NaN outside."""
    index = np.floor(geometry.to_voxel(points) + 0.5).astype(np.intp)
    inside = ((index >= 0) & (index < geometry.shape)).all(axis=1)
    found = np.full(len(points), np.nan)
    found[inside] = values[tuple(index[inside].T)]
    return found


def _likeness(mine: FloatArray, theirs: FloatArray) -> float:
    """Correlation; 1 where both are even and alike, -1 where too little is known."""
    known = np.isfinite(mine) & np.isfinite(theirs)
    if known.sum() < max(_FEWEST_IN_RING, _LEAST_SHARE * mine.size):
        return -1.0
    one, two = mine[known], theirs[known]
    middle = float(one.mean()), float(two.mean())
    spread = float(one.std()), float(two.std())
    if max(spread[0] / max(middle[0], 1e-9), spread[1] / max(middle[1], 1e-9)) < _EVEN / 2:
        return 1.0 if abs(middle[1] / middle[0] - 1.0) < _EVEN / 2 else 0.0
    product_of = float(((one - middle[0]) * (two - middle[1])).mean())
    return product_of / max(spread[0] * spread[1], 1e-12)


def _carried(region: Region, geometry: Geometry, matrix: FloatArray) -> BoolArray:
    """(planes, rows, columns): the voxels whose place comes from inside the region by `matrix`."""
    corners = geometry.crop(region.box).corners_lps_mm() @ matrix[:3, :3].T + matrix[:3, 3]
    index = geometry.to_voxel(corners)
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, geometry.shape)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, geometry.shape)
    found = np.zeros(geometry.shape, dtype=bool)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    places = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    back = np.linalg.inv(matrix)
    own = geometry.to_voxel(geometry.to_lps(places) @ back[:3, :3].T + back[:3, 3])
    own = np.floor(own + 0.5).astype(np.intp) - [part.start for part in region.box]
    inside = ((own >= 0) & (own < region.voxels.shape)).all(axis=-1)
    found[box][inside] = region.voxels[tuple(own[inside].T)]
    return found
