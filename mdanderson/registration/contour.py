"""Lay one planar bone scan on another of the same view, by the contour of the body and the pattern of the skeleton.

A projection shows no depth: the motion is a rotation about the front-back axis and a shift along x and z. The count
scale, new or healed foci and the bladder have no part in it; arms and legs that lie otherwise are told by place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.plane_fit import (
    Laid,
    apart_mm,
    apply_motion,
    climbed,
    halfway,
    inverse_motion,
    matrix_of,
    search,
)
from mdanderson.registration.plane_parts import PlaneParts, plane_parts
from mdanderson.registration.result import Registration
from mdanderson.registration.shadow import Shadow
from mdanderson.settings import ImageSettings, Scintigraphy
from mdanderson.volume import Region, Volume

__all__ = ["PlanarLimits", "better", "lay_shadows", "mirror_motion", "misfits", "register_planar"]

_STARTS = 3
_LEAST_BODY_MM2 = 40_000.0
_FEWEST_PARTS = 5

BoolArray = npt.NDArray[np.bool_]


class PlanarLimits(Protocol):
    """From when on two planar images are taken to show one body: `[scintigraphy]` or `[radiograph]`."""

    @property
    def registration_least_correlation(self) -> float:
        """Of the whole."""

    @property
    def registration_least_likeness(self) -> float:
        """Of a part."""

    @property
    def registration_alike_share(self) -> float:
        """Of the pattern, that lies in parts alike."""


def register_planar(
    baseline: Volume,
    follow_up: Volume,
    *,
    baseline_lesions: Iterable[Region] = (),
    follow_up_lesions: Iterable[Region] = (),
    settings: ImageSettings,
    scintigraphy: Scintigraphy | None = None,
) -> Registration:
    """Where the follow-up shows each place of the baseline, two slabs of one view (`PlanarImage.as_slab`).

    Lesions, each on the grid of its image, are left out of the fit. Views of other sides, too little in common, another
    body, or a place that fits as well give a result that is not trusted, with `why`. The same images give the same
    bits. Raises `GeometryError` where a slab does not lie in the x-z plane.
    """
    if baseline.view is not follow_up.view:
        return Registration.failed("the views look from different sides: anterior is laid on anterior only")
    limits = scintigraphy or Scintigraphy()
    one = Shadow.from_volume(baseline, lesions=baseline_lesions)
    other = Shadow.from_volume(follow_up, lesions=follow_up_lesions)
    for name, shadow in (("baseline", one), ("follow-up", other)):
        if shadow.body.sum() * np.prod(shadow.step_mm) < _LEAST_BODY_MM2:
            return Registration.failed(f"the {name} shows too little of the body to register by")
    return lay_shadows(one, other, how="by contour and skeleton", settings=settings, limits=limits)


def lay_shadows(one: Shadow, other: Shadow, *, how: str, settings: ImageSettings, limits: PlanarLimits) -> Registration:
    """Where the second shows each place of the first, from either side, and how far that is to be believed."""
    there, back = _run(one, other), _run(other, one)
    points, values = one.samples
    returned = inverse_motion(back.laid.motion)
    two_runs_mm = apart_mm(there.laid.motion, returned, points)
    agreed = two_runs_mm <= settings.registration_trust_mm
    motion = halfway(there.laid.motion, returned, points) if agreed else there.laid.motion
    parts = plane_parts(points, values, other.levels[0], motion, cell_mm=one.grain.cell_mm)
    doubt = _doubt(there, back, two_runs_mm, settings, limits) or (
        "a second place fits about as well"
        if _has_rival(there, one, settings) or _has_rival(back, other, settings)
        else ""
    )
    doubt = doubt or _unlike(parts, settings, limits)
    alike = parts.correlation >= limits.registration_least_likeness
    return Registration(
        matrix=matrix_of(motion),
        error_mm=float(np.hypot(parts.error_mm(likeness=limits.registration_least_likeness), two_runs_mm)),
        trusted=not (doubt := doubt or _mirrored(one, other, motion, settings)),
        why=doubt or f"rigid in its plane, {how}: correlation {there.laid.correlation:.2f}",
        places_mm=np.stack([parts.points[0], np.zeros(alike.size), parts.points[1]], axis=1),
        place_error_mm=np.where(alike, np.hypot(parts.moved_mm, two_runs_mm), np.inf),
        limit_mm=settings.registration_trust_mm,
    )


def mirror_motion(shadow: Shadow) -> Laid:
    """The motion that lays a view on itself after left and right were swapped about x = 0: it holds the body's axis."""
    return _run(shadow.swapped, shadow).laid


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Run:
    """laid: the best place. tries: every start of the search after its first refinement, best first."""

    laid: Laid
    tries: Sequence[Laid]


def _run(template: Shadow, other: Shadow) -> _Run:
    """Lay a view on another: from the best starts, refined from coarse to fine."""
    points, values = template.coarse_samples
    starts = [start for start, _ in search(template, other)[:_STARTS]]
    tries = sorted(
        (climbed(points, values, other.levels[1], start) for start in starts), key=lambda one: -one.correlation
    )
    return _Run(laid=climbed(*template.samples, other.levels[0], tries[0].motion), tries=tries)


def _doubt(there: _Run, back: _Run, two_runs_mm: float, settings: ImageSettings, limits: PlanarLimits) -> str:
    """What the two runs say against the result; blank when nothing."""
    shared = max(there.laid.overlap, back.laid.overlap)
    correlation = min(there.laid.correlation, back.laid.correlation)
    if two_runs_mm > settings.registration_trust_mm:
        return f"laid from either side the views disagree by {two_runs_mm:.0f} mm"
    if shared < settings.registration_least_overlap:
        return f"the views share only {shared:.0%} of the body"
    if correlation < limits.registration_least_correlation:
        return f"the views do not look alike where they were laid on each other (correlation {correlation:.2f})"
    return ""


def _has_rival(run: _Run, template: Shadow, settings: ImageSettings) -> bool:
    """Whether another place of the search fits about as well, counting as much of the body."""
    best, *others = run.tries
    points, _ = template.coarse_samples
    return any(
        apart_mm(one.motion, best.motion, points) > template.grain.rival_mm
        and one.overlap > 0.5 * best.overlap
        and one.correlation > best.correlation - settings.registration_rival_margin
        for one in others
    )


def _unlike(parts: PlaneParts, settings: ImageSettings, limits: PlanarLimits) -> str:
    """What the parts of the body say against the result; blank when nothing."""
    if np.count_nonzero(parts.weight) < _FEWEST_PARTS:
        return "the views share too little of the body"
    likeness, trust_mm = limits.registration_least_likeness, settings.registration_trust_mm
    alike = parts.alike_share(likeness=likeness, trust_mm=trust_mm)
    if alike < limits.registration_alike_share:
        return f"only {alike:.0%} of the body looks alike where the views were laid on each other"
    return ""


def _mirrored(one: Shadow, other: Shadow, motion: FloatArray, settings: ImageSettings) -> str:
    """Whether the view fits as well with left and right swapped; blank when it does not, or nothing could tell.

    A body that is its own mirror image to the noise says nothing of left and right: there the header is believed.
    """
    laid = _run(one.swapped, other).laid
    points, values = one.samples
    level = other.levels[0]
    right = level.at(apply_motion(motion, points))[0]
    wrong = level.at(apply_motion(laid.motion, points * np.array([[-1.0], [1.0]])))[0]
    known = np.isfinite(right) & np.isfinite(wrong)
    if not known.any():
        return ""
    misfit, theirs = misfits(values, right, wrong)
    gained = better(points[:, known], misfit, theirs, cell_mm=one.grain.mirror_cell_mm)
    explained = 1.0 - misfit.sum() / max(float(((right - right[known].mean())[known] ** 2).sum()), 1e-12)
    told = settings.registration_mirror_errors
    if gained >= told or (gained > -told and explained >= settings.registration_clear_correlation**2):
        return ""
    if gained < 0:
        return "the views fit better with left and right swapped"
    return f"the views fit about as well with left and right swapped ({gained:.1f} standard errors apart)"


def misfits(mine: FloatArray, right: FloatArray, wrong: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Squared residuals of the values that both places show, after the best gain and offset of each."""
    known = np.isfinite(right) & np.isfinite(wrong)
    return _misfit(mine[known], right[known]), _misfit(mine[known], wrong[known])


def _misfit(mine: FloatArray, theirs: FloatArray) -> FloatArray:
    """(n,): squared residuals after the best gain and offset."""
    one, two = mine - mine.mean(), theirs - theirs.mean()
    gain = float((one * two).sum() / max(float((one**2).sum()), 1e-12))
    return np.asarray((two - gain * one) ** 2)


def better(points: FloatArray, right: FloatArray, wrong: FloatArray, *, cell_mm: float) -> float:
    """By how many standard errors, over squares of the picture, the first squared residuals are smaller."""
    if not points.size:
        return 0.0
    index = np.floor((points - points.min(axis=1, keepdims=True)) / cell_mm).astype(np.intp)
    cell = np.unique(index[0] * (index[1].max() + 1) + index[1], return_inverse=True)[1]
    gain = np.bincount(cell, weights=wrong - right)
    error = float(np.sqrt(((gain - gain.mean()) ** 2).sum()))
    return float(gain.sum()) / max(error, 1e-12)
