"""Lay one radiograph on another of the same bone in like projection, by the detail of the bone.

Exposure and processing scale, shift and shade a picture: what is broader than bone is taken away, and a correlation
needs neither gain nor offset. A projection shows no depth, so the motion is a rotation and a shift in the plane; a bone
seen from elsewhere looks unlike and is not trusted. A shaft alone can slide along itself: that is measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from mdanderson.geometry import FloatArray
from mdanderson.registration.contour import better, lay_shadows, misfits
from mdanderson.registration.plane_fit import apply_motion
from mdanderson.registration.result import Registration
from mdanderson.registration.shadow import Grain, Shadow, block_sum, ring_round
from mdanderson.settings import ImageSettings, Radiograph
from mdanderson.volume import Region, Volume

__all__ = ["film_shadow", "register_films"]

FILM = Grain(
    steps_mm=(1.0, 2.0),
    blurs_mm=(1.0, 3.0),
    search_mm=(5.0, 4.0),
    reach_mm=0.0,
    lesion_reach_mm=5.0,
    cell_mm=30.0,
    apart_mm=15.0,
    rival_mm=10.0,
    mirror_cell_mm=15.0,
    counts=False,
)
"""Radiographs: cortex and trabeculae, a millimetre and more across."""

_STEP_MM = 1.0
_BROAD_MM = 20.0
"""SD: what is broader is exposure and soft tissue."""
_EXTREME = 0.005
"""Share of the pixels at each end that are clipped: metal, letters."""
_SATURATED = 0.002
"""Of all pixels: so many of one extreme value were never imaged (collimator, air, letters)."""
_EDGE_MM = 3.0
_LEAST_MM2 = 4_000.0
_DIRECTIONS = 8
_SLIDE_CELL_MM = 5.0
_TOLD = 3.0
"""Standard errors, over squares of 5 mm, by which the place found must fit better than one slid aside."""


def register_films(
    baseline: Volume,
    follow_up: Volume,
    *,
    baseline_lesions: Iterable[Region] = (),
    follow_up_lesions: Iterable[Region] = (),
    settings: ImageSettings,
    radiograph: Radiograph | None = None,
) -> Registration:
    """Where the follow-up shows each place of the baseline, two slabs of radiographs (`PlanarImage.as_slab`).

    Lesions, each on the grid of its image, are left out of the fit. Another bone or projection, a place that fits as
    well, or a bone that could slide unnoticed give a result that is not trusted, with `why`. The same images give the
    same bits.
    """
    limits = radiograph or Radiograph()
    one, other = film_shadow(baseline, lesions=baseline_lesions), film_shadow(follow_up, lesions=follow_up_lesions)
    for name, shadow in (("baseline", one), ("follow-up", other)):
        if shadow.body.sum() * np.prod(shadow.step_mm) < _LEAST_MM2:
            return Registration.failed(f"the {name} shows too little to register by")
    found = lay_shadows(one, other, how="by the detail of its bone", settings=settings, limits=limits)
    if found.trusted and (direction := _slides(one, other, found, settings)):
        return replace(found, trusted=False, why=direction)
    return found


def film_shadow(volume: Volume, *, lesions: Iterable[Region] = ()) -> Shadow:
    """A radiograph without exposure and shading, in its own SD; lesions and what was never imaged are NaN."""
    picture = np.asarray(volume.array[0], dtype=np.float64)
    seen = volume.imaged((slice(None), slice(None), slice(None)))[0] & np.isfinite(picture)
    for extreme in (picture[seen].min(), picture[seen].max()) if seen.any() else ():
        held = seen & (picture == extreme)
        if held.mean() > _SATURATED:
            seen &= ~held
    step_mm = volume.geometry.spacing_mm[1:]
    if not seen.all():
        seen = ndimage.binary_erosion(seen, iterations=max(1, round(_EDGE_MM / step_mm[0])), border_value=1)
    for region in lesions:
        seen[ring_round(region, volume, FILM.lesion_reach_mm)] = False
    every = [max(1, int(_STEP_MM / step)) for step in step_mm]
    weight = block_sum(seen.astype(np.float64), every) / np.prod(every)
    total = block_sum(np.where(seen, picture, 0.0), every) / np.prod(every)
    values = np.where(weight > 0.5, total / np.maximum(weight, 0.5), np.nan)
    to_mm = np.eye(3)
    to_mm[:2] = volume.geometry.affine[np.ix_((0, 2), (1, 2, 3))]
    middle = [(size - 1) / 2 for size in every]
    to_mm = to_mm @ np.array([[every[0], 0, middle[0]], [0, every[1], middle[1]], [0, 0, 1.0]])
    sigma = [_BROAD_MM / (size * step) for size, step in zip(every, step_mm, strict=True)]
    return Shadow(values=_detail(values, sigma), body=np.isfinite(values), to_mm=to_mm, grain=FILM)


def _detail(values: FloatArray, sigma: list[float]) -> FloatArray:
    """What is narrower than exposure and soft tissue, clipped at its ends, in its own SD."""
    known = np.isfinite(values)
    if not known.any():
        return values
    weight, broad = (
        ndimage.gaussian_filter(part, sigma, mode="constant", truncate=3.0)
        for part in (known.astype(np.float64), np.where(known, values, 0.0))
    )
    detail = np.where(known, values - broad / np.maximum(weight, 1e-6), np.nan)
    low, high = np.quantile(detail[known], (_EXTREME, 1.0 - _EXTREME))
    detail = np.clip(detail, low, high)
    return np.asarray(detail / max(float(detail[known].std()), 1e-12))


def _slides(one: Shadow, other: Shadow, found: Registration, settings: ImageSettings) -> str:
    """Whether the picture fits about as well when slid by what is still trusted; blank when it does not."""
    points, values = one.samples
    level = other.levels[0]
    motion = np.array([found.matrix[0, 3], found.matrix[2, 3], np.arctan2(found.matrix[2, 0], found.matrix[0, 0])])
    here = level.at(apply_motion(motion, points))[0]
    for angle in np.arange(_DIRECTIONS) * 2.0 * np.pi / _DIRECTIONS:
        aside = settings.registration_trust_mm * np.array([np.cos(angle), np.sin(angle), 0.0])
        there = level.at(apply_motion(motion + aside, points))[0]
        known = np.isfinite(here) & np.isfinite(there)
        if not known.any():
            return "too little is shared to tell whether the bone could slide"
        if better(points[:, known], *misfits(values, here, there), cell_mm=_SLIDE_CELL_MM) < _TOLD:
            return f"the bone could slide by {settings.registration_trust_mm:g} mm unnoticed"
    return ""
