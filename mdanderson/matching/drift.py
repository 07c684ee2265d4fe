"""What a registration left over, as the lesions themselves show it: how far all of them, or those near by, are off.

Symmetric in time: seen from the later visit the drift is the same with the other sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from mdanderson.geometry import FloatArray

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
_LEFT_QUANTILE = 0.9
_LEAST_LEFT_MM = 1.5
"""Outlines are not sharper than this."""
_ROUNDS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drift:
    """Known -> found, in mm: a shift that all lesions share, and what lesions near by share beyond it.

    error_mm: how far one lesion may still be off. middles_mm, beyond_mm: (n, 3), of the pairs that tell it.
    """

    error_mm: float
    common_mm: FloatArray = field(default_factory=lambda: np.zeros(3))
    middles_mm: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    beyond_mm: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))

    def at(self, middles_mm: FloatArray) -> FloatArray:
        """(..., 3) points halfway between a known and a found centre -> (..., 3) mm."""
        if not len(self.middles_mm):
            return np.broadcast_to(self.common_mm, middles_mm.shape)
        weights = _weights(middles_mm, self.middles_mm)
        return np.asarray(self.common_mm + weights @ self.beyond_mm / (weights.sum(axis=-1, keepdims=True) + _SHRINK))


def estimate_drift(here: FloatArray, there: FloatArray, *, error_mm: float, reach_mm: float) -> Drift:
    """The drift of (n, 3) known to (m, 3) found centres; none, and the whole error, where lesions do not agree on one.

    error_mm: how far places may be off. reach_mm: no two centres of one lesion are farther apart.
    """
    none = Drift(error_mm=error_mm)
    offsets = there[None] - here[:, None]
    allowed = np.linalg.norm(offsets, axis=2) <= reach_mm + _SCATTER_MM
    common = _common_shift(here, there, offsets[allowed])
    if common is None:
        return none
    best, told = none, 0
    for local in (False, True):
        drift, agreeing = _refined(here, there, common, local=local)
        if agreeing >= max(_FEWEST_VOTES, _AGREEING_SHARE * _pairable(allowed)) and _better(drift, best):
            best, told = drift, agreeing
    return best if told else none


def _better(drift: Drift, than: Drift) -> bool:
    return drift.error_mm < 0.9 * than.error_mm or (not len(than.middles_mm) and drift.error_mm <= than.error_mm)


def _pairable(allowed: npt.NDArray[np.bool_]) -> int:
    """How many lesions could have a partner, by the visit that has fewer of them."""
    return int(min(allowed.any(axis=1).sum(), allowed.any(axis=0).sum()))


def _common_shift(here: FloatArray, there: FloatArray, candidates: FloatArray) -> FloatArray | None:
    """(3,): the offset that most pairs vote for; None when another one has nearly as many votes."""
    if not len(candidates):
        return None
    forth, back = cKDTree(there), cKDTree(here)
    tally = np.array([_votes(forth, here + c) + _votes(back, there - c) for c in candidates]) / 2
    shift = candidates[int(np.argmax(tally))]
    apart = np.linalg.norm(candidates - shift, axis=1) > 1.5 * _SCATTER_MM
    rival = float(tally[apart].max()) if apart.any() else 0.0
    most = float(tally.max())
    return None if rival > min(_CLEAR_LEAD * most, most - _CLEAR_LEAD_VOTES) else np.asarray(shift)


def _votes(tree: cKDTree, points: FloatArray) -> float:
    return float(np.maximum(0.0, 1.0 - (_nearest(tree, points)[0] / _SCATTER_MM) ** 2).sum())


def _nearest(tree: cKDTree, points: FloatArray) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """(n,): the distance to the nearest point of the tree, and its number."""
    distance, index = tree.query(points)
    return np.asarray(distance, dtype=float), np.asarray(index, dtype=np.intp)


def _refined(here: FloatArray, there: FloatArray, common: FloatArray, *, local: bool) -> tuple[Drift, int]:
    """The drift by the pairs that are each other's nearest, found anew a few times, and how many agree with it."""
    drift = Drift(error_mm=np.inf, common_mm=common)
    agreeing = 0
    for _ in range(_ROUNDS):
        rows, columns = _pairs(here, there, drift)
        agreeing = len(rows)
        if not agreeing:
            break
        offsets, middles = there[columns] - here[rows], (there[columns] + here[rows]) / 2
        common = np.median(offsets, axis=0)
        beyond = offsets - common
        left = _foretold(middles, beyond) if local else beyond
        error_mm = float(np.quantile(np.linalg.norm(left, axis=1), _LEFT_QUANTILE))
        drift = Drift(
            error_mm=max(_LEAST_LEFT_MM, error_mm),
            common_mm=common,
            middles_mm=middles if local else np.zeros((0, 3)),
            beyond_mm=beyond if local else np.zeros((0, 3)),
        )
    return drift, agreeing


def _pairs(here: FloatArray, there: FloatArray, drift: Drift) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the centres that are each other's nearest, and no farther apart than lesions scatter."""
    middles = (here[:, None] + there[None]) / 2
    apart = np.linalg.norm(there[None] - here[:, None] - drift.at(middles), axis=2)
    mutual = (apart == apart.min(axis=1, keepdims=True)) & (apart == apart.min(axis=0, keepdims=True))
    rows, columns = np.nonzero(mutual & (apart <= _SCATTER_MM))
    return rows, columns


def _foretold(middles: FloatArray, beyond: FloatArray) -> FloatArray:
    """(n, 3): what is left of each pair's drift when the others foretell it: an error that is not its own judge."""
    weights = _weights(middles, middles)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(beyond - weights @ beyond / (weights.sum(axis=1, keepdims=True) + _SHRINK))


def _weights(points: FloatArray, pairs: FloatArray) -> FloatArray:
    """(..., 3), (n, 3) -> (..., n): how much a pair says about a point."""
    apart = np.linalg.norm(points[..., None, :] - pairs, axis=-1)
    return np.asarray(np.exp(-0.5 * (apart / _NEAR_MM) ** 2))
