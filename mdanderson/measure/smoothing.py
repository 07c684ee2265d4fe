"""The one physical scale on which a voxel is called lytic or sclerotic.

A single voxel of real bone is too noisy to judge (T12 of a real CT: 147 +/- 71 HU), and its noise depends on the
voxel's size. So every class is decided on the image blurred to one stated scale in millimetres, whatever the grid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.geometry import Box, box_within, grow_box
from mdanderson.volume import BoolArray, Region, Unit, Volume

__all__ = ["Values", "raw_values", "require_hu", "smoothed_box", "smoothed_values"]

Values = npt.NDArray[np.float32]

_TRUNCATE_SIGMAS = 3.0


def require_hu(volume: Volume) -> None:
    """Raise `UnitError` unless the voxels are Hounsfield units, or what a radiograph has in their place."""
    if volume.unit not in {Unit.HU, Unit.RELATIVE}:
        raise UnitError(
            f"voxels in {volume.unit}, density needs HU",
            where=volume.source,
            way_out="measure density on a CT with rescale slope and intercept",
        )


def smoothed_box(volume: Volume, box: Box, *, sigma_mm: float) -> Values:
    """`box` of the image at a scale of `sigma_mm`: (planes, rows, columns), NaN where nothing was imaged.

    Only imaged voxels are averaged, also those beyond the box.
    """
    wide = grow_box(box, volume.geometry, _TRUNCATE_SIGMAS * sigma_mm)
    return _blurred(volume, wide, volume.imaged(wide), sigma_mm)[box_within(box, wide)]


def smoothed_values(volume: Volume, box: Box, chosen: BoolArray, *, sigma_mm: float) -> Values:
    """(n,): the chosen and imaged voxels of `box` at a scale of `sigma_mm`, averaged among themselves only.

    Nothing bleeds in from outside: a cortex beside a lytic lesion does not make its margin sclerotic.
    """
    support = chosen & volume.imaged(box)
    return np.asarray(_blurred(volume, box, support, sigma_mm)[support])


def raw_values(volume: Volume, region: Region) -> Values:
    """(n,): the imaged voxels of a region as they are. Raises `MeasurementError` when there are none."""
    values = np.asarray(volume.array[region.box][region.voxels & volume.imaged(region.box)], dtype=np.float32)
    if not values.size:
        raise MeasurementError(
            f"label {region.label} lies where nothing was imaged",
            where=volume.source,
            way_out="segment inside the field of view",
        )
    return values


def _blurred(volume: Volume, box: Box, support: BoolArray, sigma_mm: float) -> Values:
    """Gaussian average over `support` only (normalised convolution), NaN outside it.

    Taken about the mean, so that an even place keeps its value exactly and a threshold holds as printed.
    """
    sigmas = _sigma_voxels(volume.geometry.spacing_mm, sigma_mm)
    image = np.asarray(volume.array[box], dtype=np.float32)
    mean = float(image[support].mean(dtype=np.float64)) if support.any() else 0.0
    values = np.where(support, image - np.float32(mean), np.float32(0))
    total = ndimage.gaussian_filter(values, sigmas, mode="constant", truncate=_TRUNCATE_SIGMAS)
    weight = _weight(support, sigmas)
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=support) + np.float32(mean)


def _weight(support: BoolArray, sigmas: Sequence[float]) -> Values:
    """The Gaussian's weight that falls on `support`; a full box needs one line an axis, an eighth of the time."""
    if not support.all():
        return ndimage.gaussian_filter(support.astype(np.float32), sigmas, mode="constant", truncate=_TRUNCATE_SIGMAS)
    lines = (
        ndimage.gaussian_filter(np.ones(size, dtype=np.float32), sigma, mode="constant", truncate=_TRUNCATE_SIGMAS)
        for size, sigma in zip(support.shape, sigmas, strict=True)
    )
    plane, row, column = np.ix_(*lines)
    return np.asarray(plane * row * column)


def _sigma_voxels(spacing_mm: tuple[float, float, float], sigma_mm: float) -> list[float]:
    """The blur still to be added along each axis, in voxels.

    A voxel is itself an average over its own extent, of variance spacing^2 / 12; where that is already the whole scale
    (slices of 5 mm and more) nothing is added.
    """
    return [float(np.sqrt(max(sigma_mm**2 - step**2 / 12.0, 0.0)) / step) for step in spacing_mm]
