"""Left and right: a body is nearly its own mirror image, and an image turned over is laid on it nearly as well.

So every alignment is tried against its mirror image. Which of them fits better is counted in cells of 16 mm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.registration.samples import Samples
from mdanderson.registration.scene import Scene, apply

__all__ = ["by_how_much_better", "mirror_doubt", "mirror_images"]

_CELL_MM = 16.0
_FEWEST_IN_CELL = 20
_FEWEST_CELLS = 20
_BINS = 32


def mirror_images(template: Samples, other: Samples, matrix: FloatArray) -> list[FloatArray]:
    """(4, 4) matrices, not rigid: the alignment after left and right are swapped in the one body or the other."""
    return [matrix @ _swap(template.points), _swap(other.points) @ matrix]


def by_how_much_better(
    samples: Samples, other: Scene, matrix: FloatArray, rival: FloatArray, *, calibrated: bool
) -> float:
    """How many standard errors `matrix` fits better than `rival`; 0 where there is too little to tell by.

    Cell by cell: the share of the variance of the other image that this one explains; the difference of these shares
    over all cells is told in its standard errors. calibrated: a value of the samples means the same tissue everywhere,
    as in CT, and stands for the mean of what the other image shows of it; else it is taken as it is, sign apart.
    """
    values = [other.at(apply(one, samples.points)) for one in (matrix, rival)]
    known = np.isfinite(values[0]) & np.isfinite(values[1])
    if known.sum() < _FEWEST_CELLS * _FEWEST_IN_CELL:
        return 0.0
    points = samples.points[:, known]
    index = np.floor((points - points.min(axis=1, keepdims=True)) / _CELL_MM).astype(np.intp)
    cell = np.unique(np.ravel_multi_index(tuple(index), tuple(index.max(axis=1) + 1)), return_inverse=True)[1]
    mine = samples.values[known]
    one, two = (
        _explained(_expected(mine, theirs[known]) if calibrated else mine, theirs[known], cell, calibrated)
        for theirs in values
    )
    held = np.bincount(cell)
    used = held >= _FEWEST_IN_CELL
    if used.sum() < _FEWEST_CELLS:
        return 0.0
    weight = held[used] / held[used].sum()
    better = (one - two)[used]
    mean = float((weight * better).sum())
    error = float(np.sqrt((weight**2 * (better - mean) ** 2).sum()))
    return mean / max(error, 1e-9)


def mirror_doubt(better: float) -> str:
    """In words, what `by_how_much_better` found."""
    if better < 0.0:
        return "the images fit better with left and right swapped"
    return f"the images fit about as well with left and right swapped ({better:.1f} standard errors apart)"


def _swap(points: FloatArray) -> FloatArray:
    """(4, 4): left for right about the middle of (3, n) LPS mm."""
    swap = np.diag([-1.0, 1.0, 1.0, 1.0])
    swap[0, 3] = 2.0 * points[0].mean()
    return swap


def _expected(mine: FloatArray, theirs: FloatArray) -> FloatArray:
    """(n,): the mean of the other image's values where this one has values like its own."""
    low, high = np.quantile(mine, (0.01, 0.99))
    place = np.clip((mine - low) / max(high - low, 1e-9), 0.0, 1.0) * (_BINS - 1)
    number = np.rint(place).astype(np.intp)
    held = np.bincount(number, minlength=_BINS)
    mean = np.bincount(number, weights=theirs, minlength=_BINS) / np.maximum(held, 1)
    filled = np.flatnonzero(held)
    return np.asarray(np.interp(place, filled, mean[filled]))


def _explained(mine: FloatArray, theirs: FloatArray, cell: npt.NDArray[np.intp], signed: bool) -> FloatArray:
    """(cells,): the squared correlation of two images, each (n,); signed: 0 where they run against each other."""
    count = np.bincount(cell)

    def spread(one: FloatArray, other: FloatArray) -> FloatArray:
        joint = np.bincount(cell, weights=one * other)
        return np.asarray(joint - np.bincount(cell, weights=one) * np.bincount(cell, weights=other) / count)

    joint = spread(mine, theirs)
    if signed:
        joint = np.maximum(joint, 0.0)
    return np.asarray(joint**2 / np.maximum(spread(mine, mine) * spread(theirs, theirs), 1e-6))
