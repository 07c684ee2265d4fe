"""Where to start: every shift of one coarse scene over the other, at several rotations, and the plain guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from mdanderson.geometry import FloatArray
from mdanderson.registration.fit import rotation_about
from mdanderson.registration.scene import Scene, apply, inverse

__all__ = ["guesses", "shifts", "turns"]

_MOST_CELLS = 30_000
_FINEST_MM = 10.0
_TURN_RAD = float(np.deg2rad(14.0))
_LEAST_OVERLAP = 0.25
"""Of the smaller scene; less fits by chance. What is trusted is up to `registration_least_overlap`."""

ComplexArray = npt.NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Spectra:
    """Fourier transforms of where an array is known, of its values and of their squares, padded to one shape."""

    known: ComplexArray
    values: ComplexArray
    squares: ComplexArray
    count: int

    @classmethod
    def from_array(cls, array: FloatArray, shape: list[int]) -> Self:
        known = np.isfinite(array)
        filled = np.where(known, array - (array[known].mean() if known.any() else 0.0), 0.0)
        spectra = [
            np.asarray(fft.rfftn(part.astype(np.float32), shape), dtype=np.complex64)
            for part in (known, filled, filled**2)
        ]
        return cls(known=spectra[0], values=spectra[1], squares=spectra[2], count=int(known.sum()))


def guesses(template: Scene, other: Scene) -> list[FloatArray]:
    """(4, 4) matrices, template's mm -> other's mm: as the headers say, centre on centre, bone on bone."""
    centre = _centre(template)
    return [np.eye(4), _shift(_centre(other) - centre), _shift(_bone_centre(other) - _bone_centre(template))]


def turns(template: Scene) -> list[FloatArray]:
    """(4, 4): the rotations about the template's centre that are searched, beside none."""
    vectors = [sign * _TURN_RAD * axis for axis in np.eye(3) for sign in (1.0, -1.0)]
    return [rotation_about(_centre(template), vector, np.zeros(3)) for vector in vectors]


def shifts(template: Scene, other: Scene, rotations: Sequence[FloatArray], *, peaks: int = 3) -> list[FloatArray]:
    """(4, 4) matrices: every rotation of the template, shifted to where it fits best, `peaks` places a rotation."""
    step = max(_FINEST_MM, _cell_mm(template), _cell_mm(other))
    fixed, origin = _laid_out(other, np.eye(4), step)
    laid = [_laid_out(template, rotation, step) for rotation in rotations]
    largest = np.max([moving.shape for moving, _ in laid], axis=0)
    shape = [fft.next_fast_len(int(a + b - 1), real=True) for a, b in zip(fixed.shape, largest, strict=True)]
    still = _Spectra.from_array(fixed, shape)
    found: list[FloatArray] = []
    for rotation, (moving, corner) in zip(rotations, laid, strict=True):
        correlation = _masked_correlation(still, _Spectra.from_array(moving, shape), shape)
        best = _peaks(correlation, np.array(fixed.shape), peaks)
        found += [_shift(origin - corner + step * peak) @ rotation for peak in best]
    return found


def _masked_correlation(fixed: _Spectra, moving: _Spectra, shape: list[int]) -> FloatArray:
    """Normalised correlation for every shift (Padfield 2012), -1 where too little overlaps."""

    def slid(one: ComplexArray, other: ComplexArray) -> FloatArray:
        return np.asarray(fft.irfftn(one * np.conj(other), shape))

    count = np.maximum(np.round(slid(fixed.known, moving.known)), 1)
    sum1, sum2 = slid(fixed.values, moving.known), slid(fixed.known, moving.values)
    spread1 = np.maximum(slid(fixed.squares, moving.known) - sum1**2 / count, 0)
    spread2 = np.maximum(slid(fixed.known, moving.squares) - sum2**2 / count, 0)
    spread = np.sqrt(spread1 * spread2)
    enough = (count >= _LEAST_OVERLAP * min(fixed.count, moving.count)) & (spread > 1e-6 * float(spread.max()))
    joint = slid(fixed.values, moving.values) - sum1 * sum2 / count
    return np.where(enough, joint / np.where(enough, spread, 1.0), -1.0)


def _peaks(correlation: FloatArray, fixed_shape: npt.NDArray[np.int_], most: int) -> list[FloatArray]:
    """Shifts, in cells, of the highest peaks; shifts that leave the fixed array wrap round and are negative."""
    top = ndimage.maximum_filter(correlation, size=3, mode="wrap")
    at = np.flatnonzero((correlation == top) & (correlation > 0))
    best = at[np.argsort(-correlation.ravel()[at], kind="stable")[:most]]
    index = np.stack(np.unravel_index(best, correlation.shape), axis=1)
    return [np.where(i >= fixed_shape, i - np.array(correlation.shape), i).astype(float) for i in index]


def _laid_out(scene: Scene, rotation: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """The rotated scene on a grid along x, y, z with cells of `step` mm, and the place of its first cell."""
    ends = np.stack(np.meshgrid(*[(0.0, n - 1.0) for n in scene.values.shape], indexing="ij")).reshape(3, -1)
    corners = apply(rotation @ scene.affine, ends)
    low, high = corners.min(axis=1), corners.max(axis=1)
    cells = np.maximum(1, np.floor((high - low) / step).astype(int) + 1)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in cells), indexing="ij")).reshape(3, -1)
    places = apply(inverse(rotation), low[:, None] + step * index)
    return scene.at(places).reshape(cells), low


def _cell_mm(scene: Scene) -> float:
    """The cell size that keeps the search within its number of cells."""
    extent = np.linalg.norm(scene.affine[:3, :3], axis=0) * scene.values.shape
    return float((extent.prod() / _MOST_CELLS) ** (1 / 3))


def _centre(scene: Scene) -> FloatArray:
    middle = (np.array(scene.values.shape, dtype=float)[:, None] - 1) / 2
    return np.asarray(apply(scene.affine, middle)[:, 0])


def _bone_centre(scene: Scene) -> FloatArray:
    index = np.argwhere(scene.bone).astype(float)
    return np.asarray(apply(scene.affine, index.mean(axis=0)[:, None])[:, 0]) if index.size else _centre(scene)


def _shift(vector: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, 3] = vector
    return matrix
