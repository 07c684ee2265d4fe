"""Lay one CT on another: search from anywhere, fit, and look for places that fit as well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.registration.bones import label_start
from mdanderson.registration.fit import agreement, distance_mm, fit
from mdanderson.registration.mirror import mirror_images
from mdanderson.registration.scene import inverse
from mdanderson.registration.search import guesses, shifts, turns
from mdanderson.registration.subject import Subject

__all__ = ["SAME_MM", "Laid", "lay", "lay_back", "lay_mirrored"]

SAME_MM = 5.0
"""Alignments closer than this over the bone are one and the same."""
_FINE, _MIDDLE, _COARSE = 0, 1, 2
_STILL_MM = (0.01, 0.1, 0.3)
_STEPS = (20, 12, 12)
_TRIES, _FINER_TRIES = 6, 2
"""How many starts are fitted at the coarse level, and how many different ones of these at the middle level."""
_PROMISING = 0.1
"""Alignments that score this much less than the best of the middle level are not fitted further."""
_GOOD = 0.8
"""A score at the middle level from which on no other rotations are searched."""
_PEAKS, _RIVALS = 8, 3
_MIRROR_STEPS = 5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Laid:
    """matrix: (4, 4) the best alignment. score: how well it agrees; rival: the best score of one elsewhere."""

    matrix: FloatArray
    score: float
    rival: float


def lay(template: Subject, other: Subject) -> Laid:
    """The best of several starts, each followed up while it promises something, and its best rival.

    Starts: where the headers put it, centre on centre, bone on bone, label on label, and the shifts of the coarse
    scene that fit best; the same for rotated scenes when none of these does. Once the rotation is known all shifts
    are searched again: one vertebra looks like the next, and only one that was tried can be told from the best.
    """
    coarse = template.scenes[_COARSE], other.scenes[_COARSE]
    starts = [*label_start(template, other), *guesses(*coarse), *shifts(*coarse, [np.eye(4)], peaks=5)]
    tries = _climbed(starts, template, other)
    if _scores(tries, template, other, _MIDDLE).max() < _GOOD:
        tries += _climbed(shifts(*coarse, turns(coarse[0])), template, other)
    tries = _best(tries, template, other, _MIDDLE)
    tries += _fitted(_elsewhere(tries[0], template, other)[:_RIVALS], template, other, _MIDDLE)
    tries = _distinct(_best(tries, template, other, _MIDDLE), template)
    scores = _scores(tries, template, other, _MIDDLE)
    promising = [tries[k] for k in np.flatnonzero(scores > scores[0] - _PROMISING)[:_RIVALS]]
    fine = _fitted(promising, template, other, _FINE)
    scores = _scores(fine, template, other, _FINE)
    best = int(np.argmax(scores))
    points = template.samples[_FINE].points
    rivals = [scores[k] for k in range(len(fine)) if distance_mm(fine[k], fine[best], points) > SAME_MM]
    return Laid(matrix=fine[best], score=float(scores[best]), rival=float(max(rivals, default=0.0)))


def lay_back(template: Subject, other: Subject, found: FloatArray) -> FloatArray:
    """(4, 4) template -> other by a second run, other on template.

    It shares neither samples nor the interpolated image with the first, and tries other places than that which was
    found: a wrong one is betrayed by a better.
    """
    start = inverse(found)
    tries = [start, *_elsewhere(start, other, template)]
    tries = _best(_fitted(tries[: _FINER_TRIES + 1], other, template, _MIDDLE), other, template, _MIDDLE)
    return inverse(_fitted(tries[:1], other, template, _FINE)[0])


def lay_mirrored(template: Subject, other: Subject, found: FloatArray) -> FloatArray:
    """(4, 4) template -> other, not rigid: the best alignment near `found` with left and right swapped."""
    starts = mirror_images(template.samples[_FINE], other.samples[_FINE], found)
    tries = _best(_fitted(starts, template, other, _COARSE), template, other, _COARSE)
    matrix = _best(_fitted(tries, template, other, _MIDDLE), template, other, _MIDDLE)[0]
    return fit(template.samples[_FINE], other.scenes[_FINE], matrix, steps=_MIRROR_STEPS)


def _elsewhere(found: FloatArray, template: Subject, other: Subject) -> list[FloatArray]:
    """Alignments at the coarse level, of the rotation found but shifted elsewhere, the best first."""
    turned = found.copy()
    turned[:3, 3] = 0.0
    peaks = shifts(template.scenes[_COARSE], other.scenes[_COARSE], [turned], peaks=_PEAKS)
    settled = _fitted(_distinct(peaks, template), template, other, _COARSE)
    return _distinct([found, *_best(settled, template, other, _COARSE)], template)[1:]


def _climbed(starts: list[FloatArray], template: Subject, other: Subject) -> list[FloatArray]:
    """The starts that promise most, fitted at the coarse and then the middle level."""
    tries = _fitted(_best(starts, template, other, _COARSE)[:_TRIES], template, other, _COARSE)
    tries = _distinct(_best(tries, template, other, _COARSE), template)[:_FINER_TRIES]
    return _fitted(tries, template, other, _MIDDLE)


def _fitted(tries: list[FloatArray], template: Subject, other: Subject, level: int) -> list[FloatArray]:
    return [
        fit(template.samples[level], other.scenes[level], start, steps=_STEPS[level], still_mm=_STILL_MM[level])
        for start in tries
    ]


def _scores(tries: list[FloatArray], template: Subject, other: Subject, level: int) -> FloatArray:
    return np.array([agreement(template.samples[level], other.scenes[level], matrix).score for matrix in tries])


def _best(tries: list[FloatArray], template: Subject, other: Subject, level: int) -> list[FloatArray]:
    """Those that agree best come first; the earlier of two equals comes first."""
    return [tries[k] for k in np.argsort(-_scores(tries, template, other, level), kind="stable")]


def _distinct(tries: list[FloatArray], template: Subject) -> list[FloatArray]:
    kept: list[FloatArray] = []
    for matrix in tries:
        if all(distance_mm(matrix, other, template.samples[_COARSE].points) > SAME_MM for other in kept):
            kept.append(matrix)
    return kept
