"""Register two CTs: search, fit, fit back, and judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.registration.fit import Agreement, agreement, between, distance_mm, fit, polish
from mdanderson.registration.result import Registration
from mdanderson.registration.scene import Samples, Scene, inverse
from mdanderson.registration.search import starts
from mdanderson.registration.trust import local_shifts, loose_mm
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

__all__ = ["register"]

_LEVELS = ((3.0, 16, 60_000), (6.0, 8, 15_000), (10.0, 6, 4_000))
"""Spacing in mm, the fewest samples an axis is shrunk to, the most samples of bone: fine, middle, coarse."""
_FEWEST_SAMPLES = 400
_FEWEST_SLICES = 4
_TRIES, _FINER_TRIES = 8, 3
"""How many starts are fitted at the coarse level, and how many different ones of these at the middle level."""
_PROMISING = 0.1
"""Alignments that score this much less than the best of the middle level are not fitted further."""
_STEPS, _POLISHING_STEPS = 25, 6
_SAME_MM = 5.0
"""Alignments closer than this over the bone are one and the same."""
_BENT_SHARE = 0.9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Pyramid:
    """One CT at three resolutions, fine to coarse, with the samples of its bone at each."""

    scenes: tuple[Scene, ...]
    samples: tuple[Samples, ...]

    @classmethod
    def from_volume(cls, volume: Volume) -> Self:
        (spacing, fewest, _), *coarser = _LEVELS
        scenes = [Scene.from_volume(volume, spacing_mm=spacing, fewest=fewest)]
        for spacing, fewest, _ in coarser:
            scenes.append(scenes[-1].shrunk(spacing_mm=spacing, fewest=fewest))
        samples = (Samples.from_scene(scene, most=level[2]) for scene, level in zip(scenes, _LEVELS, strict=True))
        return cls(scenes=tuple(scenes), samples=tuple(samples))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Found:
    """The best alignment, where it came from at the coarse level, and the score of the best one elsewhere."""

    matrix: FloatArray
    coarse: FloatArray
    score: float
    rival: float


def register(baseline: Volume, follow_up: Volume, *, settings: ImageSettings) -> Registration:
    """Where the follow-up shows each place of the baseline: one rigid motion of the whole body.

    CT with CT. Never raises for images that do not belong together or hold too little: the result is then not
    `trusted`, and `why` says so in words. The same images give the same result to the bit.
    """
    for name, volume in (("baseline", baseline), ("follow-up", follow_up)):
        if volume.modality is not Modality.CT or volume.unit is not Unit.HU:
            return Registration.failed(f"the {name} is no CT in HU: only CT is registered with CT")
        if min(volume.geometry.shape) < _FEWEST_SLICES:
            return Registration.failed(f"the {name} has fewer than {_FEWEST_SLICES} slices")
    first, second = _Pyramid.from_volume(baseline), _Pyramid.from_volume(follow_up)
    for name, pyramid in (("baseline", first), ("follow-up", second)):
        if min(len(samples) for samples in pyramid.samples[:2]) < _FEWEST_SAMPLES:
            return Registration.failed(f"the {name} shows too little bone to register by")
    # The one with less bone is laid on the other: all of it should find a place there.
    if len(first.samples[-1]) <= len(second.samples[-1]):
        return _registered(first, second, settings)
    return _registered(second, first, settings).inverse()


def _registered(template: _Pyramid, other: _Pyramid, settings: ImageSettings) -> Registration:
    """Template -> other."""
    found = _search(template, other)
    samples, scene = template.samples[0], other.scenes[0]
    there = polish(samples, scene, found.matrix, steps=_POLISHING_STEPS)
    back = inverse(_fitted_back(template, other, found))
    two_runs_mm = distance_mm(there, back, samples.points)
    matrix = between(there, back) if two_runs_mm < _SAME_MM else there
    shifts = local_shifts([(template.samples[k], other.scenes[k]) for k in (1, 0)], matrix)
    bent_mm = float(np.hypot(shifts.quantile_mm(_BENT_SHARE), two_runs_mm))
    error_mm = max(bent_mm, loose_mm(samples, scene, matrix))
    fits = agreement(samples, scene, matrix)
    doubt = _doubt(fits, found, error_mm, settings)
    return Registration(
        matrix=matrix,
        error_mm=error_mm,
        trusted=not doubt,
        why=doubt or _told(fits),
        places_mm=shifts.points.T,
        place_error_mm=np.hypot(shifts.length_mm, two_runs_mm),
    )


def _fitted_back(template: _Pyramid, other: _Pyramid, found: _Found) -> FloatArray:
    """Other -> template: a second run, which shares neither samples nor the interpolated image with the first.

    It starts from further away. Where that leads elsewhere it starts once more, from the place found, because a coarse
    start can be lost in a small field; then what agrees best counts, so a wrong place is still betrayed by a better.
    """
    samples, scene = other.samples[0], template.scenes[0]
    tries: list[FloatArray] = []
    for start in (found.coarse, found.matrix):
        middle = fit(other.samples[1], template.scenes[1], inverse(start), steps=_STEPS)
        tries.append(fit(samples, scene, middle, steps=_STEPS))
        if distance_mm(inverse(tries[-1]), found.matrix, template.samples[0].points) < _SAME_MM:
            break
    return polish(samples, scene, _best(tries, other, template, 0)[0], steps=_POLISHING_STEPS)


def _search(template: _Pyramid, other: _Pyramid) -> _Found:
    """The best of several starts, each followed up while it promises something."""
    coarse = starts(template.scenes[2], other.scenes[2])
    tries = _fitted(_best(coarse, template, other, 2)[:_TRIES], template, other, 2)
    tries = _distinct(_best(tries, template, other, 2), template)[:_FINER_TRIES]
    middle = _fitted(tries, template, other, 1)
    scores = _scores(middle, template, other, 1)
    promising = np.flatnonzero(scores > scores.max() - _PROMISING)
    fine = _fitted([middle[k] for k in promising], template, other, 0)
    scores = _scores(fine, template, other, 0)
    best = int(np.argmax(scores))
    points = template.samples[0].points
    rivals = [scores[k] for k in range(len(fine)) if distance_mm(fine[k], fine[best], points) > _SAME_MM]
    return _Found(
        matrix=fine[best],
        coarse=tries[promising[best]],
        score=float(scores[best]),
        rival=float(max(rivals, default=0.0)),
    )


def _fitted(tries: list[FloatArray], template: _Pyramid, other: _Pyramid, level: int) -> list[FloatArray]:
    return [fit(template.samples[level], other.scenes[level], start, steps=_STEPS) for start in tries]


def _scores(tries: list[FloatArray], template: _Pyramid, other: _Pyramid, level: int) -> FloatArray:
    return np.array([agreement(template.samples[level], other.scenes[level], matrix).score for matrix in tries])


def _best(tries: list[FloatArray], template: _Pyramid, other: _Pyramid, level: int) -> list[FloatArray]:
    """Those that agree best come first; the earlier of two equals comes first."""
    return [tries[k] for k in np.argsort(-_scores(tries, template, other, level), kind="stable")]


def _distinct(tries: list[FloatArray], template: _Pyramid) -> list[FloatArray]:
    kept: list[FloatArray] = []
    for matrix in tries:
        if all(distance_mm(matrix, other, template.samples[2].points) > _SAME_MM for other in kept):
            kept.append(matrix)
    return kept


def _doubt(fits: Agreement, found: _Found, error_mm: float, settings: ImageSettings) -> str:
    """Why the result is not to be trusted; blank when it is."""
    if fits.share < settings.registration_least_overlap:
        return f"the fields of view share only {fits.share:.0%} of the bone"
    if fits.correlation < settings.registration_least_correlation:
        return f"the images do not look alike where they were laid on each other (correlation {fits.correlation:.2f})"
    if fits.bone_on_bone < settings.registration_bone_on_bone:
        return f"only {fits.bone_on_bone:.0%} of the bone was laid on bone"
    if found.score - found.rival < settings.registration_rival_margin:
        return "a second place fits about as well"
    if error_mm > settings.registration_trust_mm:
        return f"the estimated error is {error_mm:.1f} mm, more than {settings.registration_trust_mm:g} mm"
    return ""


def _told(fits: Agreement) -> str:
    return f"rigid, CT on CT: correlation {fits.correlation:.2f}, {fits.bone_on_bone:.0%} of the bone on bone"
