"""The hottest small sphere of a region: its greatest mean, centred anywhere in the region, voxels taken in part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from mdanderson.geometry import FloatArray
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["Peak", "sphere_peak", "sphere_weights"]

_SAMPLE_MM = 0.5
"""In-plane distance of the lines whose chord in the sphere is exact."""
_STARTS = 8
"""Local maxima among voxel centres that are followed between them."""
_NEAR_BEST = 0.9
"""Share of the best voxel-centred mean below which no start is followed."""
_FINEST_MM = 0.1
"""The last step of a climb."""
_UNSEEN = 1e-6
"""Share of a sphere that may lie in voxels that were never imaged: rounding, and no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The greatest mean over a sphere, in the unit of the image, and the sphere's centre in LPS mm."""

    mean: float
    centre_lps_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Window:
    """A region's box with room for a sphere on every side; what lies outside the image is not known.

    values, known: box shape + 2 x `half` voxels. centres: (box shape), where a sphere may be centred.
    """

    values: FloatArray
    known: BoolArray
    centres: BoolArray
    half: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    radius_mm: float

    def mean(self, centre: FloatArray) -> float:
        """Over the sphere at (3,) fractional indices in the box; -inf where it may not be centred."""
        nearest = self._holder(centre)
        if nearest is None:
            return -np.inf
        weights = sphere_weights(centre - nearest, spacing_mm=self.spacing_mm, radius_mm=self.radius_mm, half=self.half)
        block = tuple(slice(at, at + 2 * half + 1) for at, half in zip(nearest, self.half, strict=True))
        if (weights * ~self.known[block]).sum() > _UNSEEN:
            return -np.inf
        return float((weights * self.values[block]).sum())

    def _holder(self, centre: FloatArray) -> npt.NDArray[np.int64] | None:
        """(3,) the voxel that holds a place and may; a place on the border of two voxels lies in both."""
        for nearest in (np.floor(centre + 0.5).astype(int), np.ceil(centre - 0.5).astype(int)):
            inside = (nearest >= 0).all() and (nearest < self.centres.shape).all()
            if inside and self.centres[tuple(nearest)]:
                return nearest
        return None


def sphere_peak(volume: Volume, region: Region, *, sphere_ml: float) -> Peak | None:
    """The greatest mean over a sphere of `sphere_ml` centred in a voxel of the region; it may reach outside.

    Every voxel counts by its part in the sphere. All voxel centres are tried, and from the best of them the centre
    moves in steps down to 0.1 mm. None where no such sphere was wholly imaged.
    """
    window = _window(volume, region, float(np.cbrt(3000.0 * sphere_ml / (4.0 * np.pi))))
    best = max((_climb(window, start) for start in _starts(window)), key=lambda found: found[0], default=None)
    if best is None:
        return None
    mean, centre = best
    x, y, z = volume.geometry.to_lps(centre + [part.start for part in region.box])
    return Peak(mean=mean, centre_lps_mm=(float(x), float(y), float(z)))


def sphere_weights(
    offset: npt.ArrayLike, *, spacing_mm: tuple[float, float, float], radius_mm: float, half: tuple[int, int, int]
) -> FloatArray:
    """(2 half + 1) per axis: each voxel's share of a sphere centred `offset` voxels (3,) off the middle one; sum 1.

    Exact along the planes' axis, on lines `_SAMPLE_MM` apart across it.
    """
    plane, row, column = (round(float(shift), 9) for shift in np.asarray(offset, dtype=float))
    return _weights((plane, row, column), spacing_mm, radius_mm, half)


@lru_cache(maxsize=512)  # all climbs take the same steps, so that the offsets of one come again in the next
def _weights(
    offset: tuple[float, float, float],
    spacing_mm: tuple[float, float, float],
    radius_mm: float,
    half: tuple[int, int, int],
) -> FloatArray:
    planes, rows, columns = (
        (np.arange(-size, size + 2) - 0.5 - shift) * step
        for size, shift, step in zip(half, offset, spacing_mm, strict=True)
    )
    row_lines, column_lines = _lines(np.asarray(rows)), _lines(np.asarray(columns))
    squared = radius_mm**2 - (row_lines**2)[:, None] - (column_lines**2)[None, :]
    chord = np.sqrt(np.maximum(squared, 0.0))
    lengths = np.diff(np.clip(planes[:, None, None], -chord, chord), axis=0)
    shape = (len(planes) - 1, len(rows) - 1, -1, len(columns) - 1, len(column_lines) // (len(columns) - 1))
    weights = lengths.reshape(shape).mean(axis=(2, 4))
    weights /= weights.sum()
    weights.setflags(write=False)
    return np.asarray(weights)


def _lines(edges: FloatArray) -> FloatArray:
    """Evenly spaced places within each of the intervals between `edges`, as many in each."""
    step = float(edges[1] - edges[0])
    count = max(2, int(np.ceil(step / _SAMPLE_MM)))
    return np.asarray((edges[:-1, None] + (np.arange(count) + 0.5) / count * step).reshape(-1))


def _window(volume: Volume, region: Region, radius_mm: float) -> _Window:
    spacing = volume.geometry.spacing_mm
    plane, row, column = (int(np.ceil(radius_mm / step + 0.5)) for step in spacing)
    half = (plane, row, column)
    wanted = [(part.start - size, part.stop + size) for part, size in zip(region.box, half, strict=True)]
    inside = [
        slice(max(0, low), min(size, high)) for (low, high), size in zip(wanted, volume.geometry.shape, strict=True)
    ]
    box = (inside[0], inside[1], inside[2])
    there = tuple(slice(part.start - low, part.stop - low) for part, (low, _) in zip(inside, wanted, strict=True))
    values = np.zeros([high - low for low, high in wanted])
    known = np.zeros(values.shape, dtype=bool)
    known[there] = volume.imaged(box)
    values[there] = np.where(known[there], volume.array[box], 0.0)
    return _Window(
        values=values, known=known, centres=region.voxels, half=half, spacing_mm=spacing, radius_mm=radius_mm
    )


def _starts(window: _Window) -> Iterator[FloatArray]:
    """(3,) voxel centres, at most `_STARTS`: the highest local maxima of the mean among those allowed."""
    weights = sphere_weights((0, 0, 0), spacing_mm=window.spacing_mm, radius_mm=window.radius_mm, half=window.half)
    means = _correlated(window.values, weights)
    allowed = window.centres.copy()
    if not window.known.all():
        allowed &= _correlated(window.known.astype(float), weights) >= 1.0 - _UNSEEN
    if not allowed.any():
        return
    means = np.where(allowed, means, -np.inf)
    tops = (means == ndimage.maximum_filter(means, size=3)) & (means >= _NEAR_BEST * means.max()) & allowed
    places = np.argwhere(tops if tops.any() else means == means.max())
    order = np.argsort(-means[tuple(places.T)], kind="stable")
    yield from places[order[:_STARTS]].astype(float)


def _correlated(values: FloatArray, weights: FloatArray) -> FloatArray:
    """The sum of symmetric weights times values at every place where they fit in whole, by Fourier transform."""
    shape = [fft.next_fast_len(size, real=True) for size in values.shape]
    product = fft.irfftn(fft.rfftn(values, shape) * fft.rfftn(weights, shape), shape)
    fitting = tuple(slice(own - 1, size) for own, size in zip(weights.shape, values.shape, strict=True))
    return np.asarray(product[fitting])


def _climb(window: _Window, start: FloatArray) -> tuple[float, FloatArray]:
    """Uphill from a voxel centre in ever smaller steps along the axes: the mean reached, and where."""
    centre, best = start, window.mean(start)
    step_mm = max(window.spacing_mm) / 2
    while step_mm >= _FINEST_MM:
        ways = np.vstack([np.eye(3), -np.eye(3)]) * (step_mm / np.array(window.spacing_mm))
        found = [(window.mean(centre + way), way) for way in ways]
        height, way = max(found, key=lambda one: one[0])
        if height > best:
            centre, best = centre + way, height
        else:
            step_mm /= 2
    return best, centre
