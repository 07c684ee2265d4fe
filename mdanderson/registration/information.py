"""Lay an MR on an MR or a CT by mutual information (Viola and Wells 1997), under the same discipline of trust.

The derivative of the information says of every sample along which way its value in the other image becomes likelier,
given its value in this one; steps are scored by it (Fisher scoring). Own code for the reason of decision 5: what is
found must say how far it can be believed, and repeat to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.geometry import FloatArray
from mdanderson.registration.fit import between, distance_mm, products, rotation_about
from mdanderson.registration.mirror import by_how_much_better, mirror_doubt, mirror_images
from mdanderson.registration.result import Registration
from mdanderson.registration.samples import Samples, arms_of
from mdanderson.registration.scene import Scene, apply, inverse
from mdanderson.registration.search import guesses, shifts, turns
from mdanderson.registration.subject import Subject
from mdanderson.settings import ImageSettings

__all__ = ["by_information"]

_BINS = 24
_BLUR_BINS = 1.0
_MOST = (16_000, 8_000, 4_000)
_MOST_OF_MIRROR = 150_000
_STEPS = (12, 12, 15)
_STILL_MM = (0.02, 0.1, 0.3)
_LONGEST_STEP_MM = 8.0
_FEWEST = 150
_SAME_MM = 6.0
_TRIES = 6
_TURN = 3
_SHARE = 0.75
"""Of eight parts of the body fitted by themselves, this share must lie within the error told."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Step:
    """bits: how much the two images tell of each other where `matrix` lays them. shift: (6,) mm towards more."""

    bits: float
    step: FloatArray
    share: float


def by_information(baseline: Subject, follow_up: Subject, *, settings: ImageSettings) -> Registration:
    """Where the follow-up shows each place of the baseline, images of any two modalities."""
    here, there = (tuple(_samples(one, level) for level in range(3)) for one in (baseline, follow_up))
    for name, samples in (("baseline", here), ("follow-up", there)):
        if len(samples[0]) < 8 * _FEWEST:
            return Registration.failed(f"the {name} shows too little of the body to register by")
    starts = _starts(baseline.scenes[2], follow_up.scenes[2])
    tries = [_climbed(here[2], follow_up.scenes[2], start, 2) for start in starts]
    tries.sort(key=lambda one: -one[1])
    tries = [_climbed(here[1], follow_up.scenes[1], matrix, 1) for matrix, _ in _distinct(tries, here[2])[:_TURN]]
    tries.sort(key=lambda one: -one[1])
    matrix, bits = _climbed(here[0], follow_up.scenes[0], tries[0][0], 0)
    rival = max((score for other, score in tries[1:] if _apart(other, matrix, here[0]) > _SAME_MM), default=0.0)
    back, _ = _climbed(there[1], baseline.scenes[1], inverse(tries[0][0]), 1)
    back = inverse(_climbed(there[0], baseline.scenes[0], back, 0)[0])
    told = bits, rival / max(tries[0][1], 1e-9)
    found = _judged(matrix, back, told, here, follow_up, settings)
    if not found.trusted:
        return found
    rival_matrix = _mirrored(here, follow_up, there[0], found.matrix)
    every = _samples(baseline, 0, most=_MOST_OF_MIRROR)
    better = by_how_much_better(every, follow_up.scenes[0], found.matrix, rival_matrix, calibrated=baseline.is_ct)
    if better >= settings.registration_mirror_errors:
        return found
    return replace(found, trusted=False, why=mirror_doubt(better))


def _mirrored(here: tuple[Samples, ...], other: Subject, there: Samples, found: FloatArray) -> FloatArray:
    """(4, 4), not rigid: the best alignment near `found` with left and right swapped."""
    tries = [_climbed(here[2], other.scenes[2], start, 2) for start in mirror_images(here[0], there, found)]
    matrix = max(tries, key=lambda one: one[1])[0]
    for level in (1, 0):
        matrix, _ = _climbed(here[level], other.scenes[level], matrix, level)
    return matrix


def _judged(
    matrix: FloatArray,
    back: FloatArray,
    told: tuple[float, float],
    here: tuple[Samples, ...],
    other: Subject,
    settings: ImageSettings,
) -> Registration:
    """told: bits at the place found, and the best rival's share of them."""
    bits, rival = told
    two_runs_mm = _apart(matrix, back, here[0])
    middle = between(matrix, back) if two_runs_mm < _SAME_MM else matrix
    places, moved_mm = _parts(here, other, middle)
    share = _information(here[0], other.scenes[0], middle).share
    error_mm = float(np.hypot(np.quantile(moved_mm, _SHARE), two_runs_mm)) if moved_mm.size >= 4 else float("inf")
    doubt = ""
    if share < settings.registration_least_overlap:
        doubt = f"the fields of view share only {share:.0%} of the body"
    elif bits < settings.registration_least_bits:
        doubt = f"the images tell too little of each other where they were laid on each other ({bits:.2f} bit)"
    elif rival > 1.0 - settings.registration_rival_margin:
        doubt = "a second place fits about as well"
    elif not error_mm <= settings.registration_information_trust_mm:
        doubt = f"parts of the body disagree by {error_mm:.1f} mm"
    return Registration(
        matrix=middle,
        error_mm=error_mm,
        trusted=not doubt,
        why=doubt or f"rigid, by mutual information: {bits:.2f} bit; parts of the body agree within {error_mm:.1f} mm",
        places_mm=places,
        place_error_mm=np.full(moved_mm.shape, np.hypot(moved_mm.max(initial=0.0), two_runs_mm)),
        limit_mm=settings.registration_trust_mm,
    )


def _parts(here: tuple[Samples, ...], other: Subject, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(k, 3) mm and (k,) mm: the middles of eight parts of the body, and how far each moves when fitted by itself."""
    samples = here[0].subset(np.isfinite(other.scenes[0].at(apply(matrix, here[0].points))))
    if len(samples) < 8 * _FEWEST:
        return np.empty((0, 3)), np.empty(0)
    order = np.lexsort(tuple(samples.points))
    part = np.empty(len(samples), dtype=np.intp)
    part[order] = 0
    for axis in range(3):  # halves along every axis in turn, each of as many samples
        for half in range(2**axis):
            own = np.flatnonzero(part == half)
            part[own[samples.points[axis, own] > np.median(samples.points[axis, own])]] += 2**axis
    places, moved = [], []
    for number in range(8):
        own_samples = samples.subset(part == number)
        if len(own_samples) < _FEWEST:
            continue
        alone, _ = _climbed(own_samples, other.scenes[0], matrix, 0, turning=False)
        places.append(own_samples.centre)
        moved.append(float(np.linalg.norm(apply(alone - matrix, own_samples.centre[:, None]))))
    return np.array(places).reshape(-1, 3), np.array(moved)


def _climbed(
    samples: Samples, other: Scene, start: FloatArray, level: int, *, turning: bool = True
) -> tuple[FloatArray, float]:
    """The (4, 4) matrix at the top of the information near `start`, and the bits there."""
    matrix, at = start, _information(samples, other, start)
    part = 1.0
    for _ in range(_STEPS[level]):
        step = part * at.step * (np.ones(6) if turning else np.array([1.0, 1, 1, 0, 0, 0]))
        length = float(np.linalg.norm(step))
        if length < _STILL_MM[level]:
            break
        step *= min(1.0, _LONGEST_STEP_MM / length)
        tried = matrix @ inverse(rotation_about(samples.centre, step[3:] / samples.radius_mm, step[:3]))
        then = _information(samples, other, tried)
        if then.bits > at.bits and then.share > 0.6 * at.share:
            matrix, at, part = tried, then, min(1.0, 2 * part)
        else:
            part /= 3.0
    return matrix, at.bits * min(1.0, at.share / 0.5) ** 0.5


def _information(samples: Samples, other: Scene, matrix: FloatArray) -> _Step:
    values, slope = other.with_slope(apply(matrix, samples.points))
    known = np.isfinite(values) & np.isfinite(slope).all(axis=0)
    count = int(known.sum())
    if count < _FEWEST:
        return _Step(bits=0.0, step=np.zeros(6), share=0.0)
    (mine, _), (theirs, bins_per_unit) = _binned(samples.values, known), _binned(values, known)
    joint = np.zeros((_BINS, _BINS))
    low = theirs.astype(np.intp)
    low = np.minimum(low, _BINS - 2)
    upper = theirs - low
    row = np.rint(mine).astype(np.intp) * _BINS
    joint += np.bincount(row + low, weights=1.0 - upper, minlength=_BINS**2).reshape(_BINS, _BINS)
    joint += np.bincount(row + low + 1, weights=upper, minlength=_BINS**2).reshape(_BINS, _BINS)
    joint = ndimage.gaussian_filter(joint, _BLUR_BINS, mode="constant") + 1e-3
    joint /= joint.sum()
    told = np.log2(joint / (joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)))
    likelier = np.gradient(told * np.log(2.0), axis=1).reshape(-1) * bins_per_unit
    rise = likelier[row + low] * (1 - upper) + likelier[row + low + 1] * upper
    turned_slope = np.einsum("ji,jn->in", matrix[:3, :3], slope[:, known])
    score = arms_of(samples.subset_about(known), turned_slope) * rise
    normal = products(score, score) / count
    ridge = 1e-2 * np.trace(normal) / 6 + 1e-12
    step = -np.linalg.solve(normal + ridge * np.eye(6), score.mean(axis=1))
    return _Step(bits=float((joint * told).sum()), step=step, share=count / len(samples))


def _binned(values: FloatArray, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[FloatArray, float]:
    """(known,) in bins, between the values that all but one in fifty do not exceed; and how many bins a unit has."""
    own = values[known]
    low, high = np.quantile(own, (0.01, 0.99))
    bins_per_unit = float((_BINS - 1) / max(high - low, 1e-6))
    return np.clip((own - low) * bins_per_unit, 0.0, _BINS - 1.0), bins_per_unit


def _samples(subject: Subject, level: int, *, most: int | None = None) -> Samples:
    """All over the body: what is no air."""
    scene = subject.scenes[level]
    floor = -140.0 if subject.is_ct else 0.05 * float(np.nanmax(scene.values, initial=1.0))
    body = ndimage.binary_dilation(scene.values > floor)
    return Samples.chosen(scene, body, most=most or _MOST[level])


def _starts(template: Scene, other: Scene) -> list[FloatArray]:
    """Where the headers put it, centre on centre, and where the outlines of the tissues fit best, turned or not."""
    edges = _edges(template), _edges(other)
    plain = guesses(edges[0], edges[1])[:2]
    return [*plain, *shifts(*edges, [np.eye(4), *turns(edges[0])], peaks=1)][: 2 + _TRIES + 1]


def _edges(scene: Scene) -> Scene:
    """How steep the image is, which two modalities share more of than their values."""
    steep = np.sqrt(sum(np.gradient(scene.values, axis=axis) ** 2 for axis in range(3)))
    typical = float(np.nanmedian(steep[np.isfinite(steep)])) if np.isfinite(steep).any() else 1.0
    return Scene(values=(steep / (steep + 2 * typical + 1e-6)).astype(np.float32), affine=scene.affine)


def _distinct(tries: list[tuple[FloatArray, float]], samples: Samples) -> list[tuple[FloatArray, float]]:
    kept: list[tuple[FloatArray, float]] = []
    for one in tries:
        if all(_apart(one[0], other[0], samples) > _SAME_MM for other in kept):
            kept.append(one)
    return kept


def _apart(one: FloatArray, other: FloatArray, samples: Samples) -> float:
    return distance_mm(one, other, samples.points)
