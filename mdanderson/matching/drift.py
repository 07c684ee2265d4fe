"""What a registration left over, as the lesions themselves show it: how far all of them, or those near by, are off.

Symmetric in time: seen from the later visit the drift is the same with the other sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from mdanderson.geometry import FloatArray
from mdanderson.volume import BoolArray

__all__ = ["Drift", "estimate_drift"]

_SCATTER_MM = 4.0
"""How far centres of one lesion may scatter about the drift: a lesion grows to one side."""
_NEAR_MM = 70.0
"""Lesions this near share most of what a bone and its neighbours were moved by."""
_SHRINK = 0.5
"""Votes for no local drift that every place has from the start."""
_FEWEST_VOTES = 3
_CLEAR_LEAD = 0.75
_CLEAR_LEAD_VOTES = 1.5
"""A second shift with this share of the votes of the first, or so few less, leaves the shift unknown."""
_AGREEING_SHARE = 0.7
"""Of the lesions that have a partner within reach so many must agree with the drift, else there is none."""
_SURE_SHARE = 0.78
"""And so many for the error to be what is left: with fewer, those that disagree may still be off by all of it."""
_LEFT_QUANTILE = 0.9
_LEAST_LEFT_MM = 1.5
"""Outlines are not sharper than this."""
_CLEARLY_BETTER = 0.9
"""A turn, or a drift that differs from place to place, must foretell lesions this much better than none."""
_FEWEST_FOR_A_TURN = 8
_ROUNDS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drift:
    """Known -> found, in mm: a shift and a small turn that all lesions share, and what lesions near by share beyond.

    error_mm: how far one lesion may still be off. common_mm: (3,), at `about_mm`. turn: (3,), radians about each axis.
    middles_mm, beyond_mm: (n, 3), of the pairs that tell of lesions near by.
    """

    error_mm: float
    common_mm: FloatArray = field(default_factory=lambda: np.zeros(3))
    turn: FloatArray = field(default_factory=lambda: np.zeros(3))
    about_mm: FloatArray = field(default_factory=lambda: np.zeros(3))
    middles_mm: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    beyond_mm: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))

    def at(self, middles_mm: FloatArray) -> FloatArray:
        """(..., 3) points halfway between a known and a found centre -> (..., 3) mm."""
        shared = self.common_mm + np.cross(self.turn, middles_mm - self.about_mm)
        if not len(self.middles_mm):
            return np.asarray(shared)
        weights = _weights(middles_mm, self.middles_mm)
        return np.asarray(shared + weights @ self.beyond_mm / (weights.sum(axis=-1, keepdims=True) + _SHRINK))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Pairable:
    """Known and found centres that could be one lesion: numbers, offset and middle of each such pair."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    offsets_mm: FloatArray
    middles_mm: FloatArray

    @property
    def most(self) -> int:
        """How many lesions could have a partner, by the visit that has fewer of them."""
        return min(len(np.unique(self.rows)), len(np.unique(self.columns)))

    def agreeing(self, drift: Drift) -> BoolArray:
        """Which pairs are each other's nearest, the drift taken away, and no farther apart than lesions scatter."""
        apart = np.linalg.norm(self.offsets_mm - drift.at(self.middles_mm), axis=1)
        nearest = [np.full(int(numbers.max()) + 1, np.inf) for numbers in (self.rows, self.columns)]
        np.minimum.at(nearest[0], self.rows, apart)
        np.minimum.at(nearest[1], self.columns, apart)
        mutual = (apart == nearest[0][self.rows]) & (apart == nearest[1][self.columns])
        return np.asarray(mutual & (apart <= _SCATTER_MM))


def estimate_drift(here: FloatArray, there: FloatArray, *, error_mm: float, reach_mm: float) -> Drift:
    """The drift of (n, 3) known to (m, 3) found centres; none, and the whole error, where lesions do not agree on one.

    error_mm: how far places may be off. reach_mm: no two centres of one lesion are farther apart.
    """
    offsets = there[None] - here[:, None]
    rows, columns = np.nonzero(np.linalg.norm(offsets, axis=2) <= reach_mm + _SCATTER_MM)
    if not len(rows):
        return Drift(error_mm=error_mm)
    pairs = _Pairable(
        rows=rows,
        columns=columns,
        offsets_mm=offsets[rows, columns],
        middles_mm=(here[rows] + there[columns]) / 2,
    )
    fits = [_from_start(pairs, start) for start in _starts(here, there, pairs.offsets_mm)]
    best, agreeing = max(fits, key=lambda fit: (fit[1], -fit[0].error_mm))
    rivals = [count for drift, count in fits if _another(drift, best, pairs.middles_mm)]
    clear = max(rivals, default=0) <= min(_CLEAR_LEAD * agreeing, agreeing - _CLEAR_LEAD_VOTES)
    if not clear or agreeing < max(_FEWEST_VOTES, _AGREEING_SHARE * pairs.most):
        return Drift(error_mm=error_mm)
    sure = agreeing >= _SURE_SHARE * pairs.most
    return replace(best, error_mm=min(best.error_mm, error_mm) if sure else error_mm)


def _starts(here: FloatArray, there: FloatArray, candidates: FloatArray) -> list[FloatArray]:
    """(3,) shifts to begin with: none, the one that most pairs vote for, and its strongest rival."""
    forth, back = cKDTree(there), cKDTree(here)
    tally = np.array([_votes(forth, here + c) + _votes(back, there - c) for c in candidates])
    first = candidates[int(np.argmax(tally))]
    apart = np.linalg.norm(candidates - first, axis=1) > 1.5 * _SCATTER_MM
    rival = [candidates[int(np.argmax(np.where(apart, tally, -1.0)))]] if apart.any() else []
    return [first, *rival, np.zeros(3)]


def _votes(tree: cKDTree, points: FloatArray) -> float:
    distance = np.asarray(tree.query(points)[0], dtype=float)
    return float(np.maximum(0.0, 1.0 - (distance / _SCATTER_MM) ** 2).sum())


def _from_start(pairs: _Pairable, start: FloatArray) -> tuple[Drift, int]:
    """The drift found from a start, and how many pairs agree with it; the plainest of those about as good."""
    best, most = _refined(pairs, start, turned=False, local=False)
    for turned, local in ((True, False), (False, True), (True, True)):
        drift, agreeing = _refined(pairs, start, turned=turned, local=local)
        if (agreeing >= most and drift.error_mm < _CLEARLY_BETTER * best.error_mm) or agreeing > most / _CLEARLY_BETTER:
            best, most = drift, agreeing
    return best, most


def _refined(pairs: _Pairable, start: FloatArray, *, turned: bool, local: bool) -> tuple[Drift, int]:
    """The drift by the pairs that agree with it, found anew a few times, and how many they are."""
    drift = Drift(error_mm=np.inf, common_mm=start)
    told = pairs.agreeing(drift)
    for _ in range(_ROUNDS):
        if not told.any():
            break
        before = told
        drift = _fitted(pairs.offsets_mm[told], pairs.middles_mm[told], turned=turned, local=local)
        told = pairs.agreeing(drift)
        if (told == before).all():
            break
    return drift, int(told.sum())


def _another(drift: Drift, than: Drift, middles_mm: FloatArray) -> bool:
    """Whether two drifts tell another story of the lesions."""
    apart = np.linalg.norm(drift.at(middles_mm) - than.at(middles_mm), axis=1)
    return bool(np.median(apart) > _SCATTER_MM / 2)


def _fitted(offsets: FloatArray, middles: FloatArray, *, turned: bool, local: bool) -> Drift:
    """The drift that (n, 3) offsets at (n, 3) middles tell of."""
    common, about = np.median(offsets, axis=0), middles.mean(axis=0)
    turn = np.zeros(3)
    if turned and len(offsets) >= _FEWEST_FOR_A_TURN:
        common, turn = _turn(offsets, middles - about)
    beyond = offsets - common - np.cross(turn, middles - about)
    left = np.linalg.norm(_foretold(middles, beyond) if local else beyond, axis=1)
    return Drift(
        error_mm=max(_LEAST_LEFT_MM, float(np.quantile(left, _LEFT_QUANTILE))),
        common_mm=common,
        turn=turn,
        about_mm=about,
        middles_mm=middles if local else middles[:0],
        beyond_mm=beyond if local else beyond[:0],
    )


def _turn(offsets: FloatArray, lever: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(3,) shift and (3,) turn by least squares, offsets far from the rest counting less."""
    zero = np.zeros(len(lever))
    x, y, z = lever.T
    cross = np.stack([np.stack(row, axis=1) for row in ((zero, z, -y), (-z, zero, x), (y, -x, zero))], axis=1)
    design = np.concatenate([np.broadcast_to(np.eye(3), (len(lever), 3, 3)), cross], axis=2)
    weight = np.ones(len(lever))
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)[:, None]
        fit, *_ = np.linalg.lstsq((design * root[..., None]).reshape(-1, 6), (offsets * root).ravel(), rcond=None)
        weight = 1.0 / (_LEAST_LEFT_MM + np.linalg.norm(offsets - design @ fit, axis=1))
    return fit[:3], fit[3:]


def _foretold(middles: FloatArray, beyond: FloatArray) -> FloatArray:
    """(n, 3): what is left of each pair's drift when the others foretell it: an error that is not its own judge."""
    weights = _weights(middles, middles)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(beyond - weights @ beyond / (weights.sum(axis=1, keepdims=True) + _SHRINK))


def _weights(points: FloatArray, pairs: FloatArray) -> FloatArray:
    """(..., 3), (n, 3) -> (..., n): how much a pair says about a point."""
    apart = np.linalg.norm(points[..., None, :] - pairs, axis=-1)
    return np.asarray(np.exp(-0.5 * (apart / _NEAR_MM) ** 2))
