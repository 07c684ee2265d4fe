"""The smooth field by which coils shade an MR image, taken out before signal is compared (N4, Tustison 2010).

It is estimated on an image shrunk to some thousand voxels (the field bends over decimetres), by one thread, so that two
runs agree to the last bit, and interpolated back to the grid.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import FloatArray
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import BoolArray, Unit, Volume

__all__ = ["BIAS_CORRECTION", "corrected"]

BIAS_CORRECTION = "bias_correction"
"""Where `Volume.acquisition` says what was done."""

_SHADED = frozenset({MrSequence.T1, MrSequence.T2, MrSequence.STIR, None})
"""What is compared with tissue elsewhere in the image. IN with OPP and FAT with WATER share their field, which a ratio
within one place takes out exactly; ADC is a ratio already."""
_SEARCHED_VOXELS = 7000
"""Voxels of the shrunk image: time goes with them, and blocks of 12 mm show a field that bends over decimetres."""
_LEVELS = (20, 20)
"""Iterations with one span of the spline along every axis, then with two. One span leaves a field that is brightest in
the middle as it is; many would take a large lesion for shading."""
_CONVERGED = 1e-4
_TISSUE = 0.5
"""Factor on Otsu's threshold: the darker tissues are tissue, air is not."""
_LEAST_TISSUE_VOXELS = 200
"""Fewer places of tissue in the shrunk image fix no field."""
_GREATEST_LOG = float(np.log(4.0))
"""A field that differs by more than four times from its middle value is no coil's."""


def corrected(volume: Volume, *, settings: Settings) -> Volume:
    """`volume` (float32) without its bias field; `acquisition["bias_correction"]` says what was done and why not.

    Left as they are: everything when `[mr] bias_correction` is "none", ADC maps, in and opposed phase, fat and water,
    and images with too little tissue to estimate a field from. The field's geometric mean over tissue is 1.
    """
    if volume.unit is Unit.ADC or volume.sequence not in _SHADED:
        return _told(volume, "none: measured in ratios that have no field")
    if settings.mr.bias_correction == "none":
        return _told(volume, "none: switched off")
    if BIAS_CORRECTION in volume.acquisition:
        return volume
    everything = (slice(None), slice(None), slice(None))
    seen = volume.imaged(everything)
    values = np.where(seen, np.asarray(volume.array, dtype=np.float32), np.float32(0))
    steps = _steps(volume)
    shrunk = _shrunk(values, steps)
    tissue = _tissue(shrunk)
    if np.count_nonzero(tissue) < _LEAST_TISSUE_VOXELS or min(shrunk.shape) < 4:
        return _told(volume, "none: too little tissue in the image")
    spacing = [step * own for step, own in zip(steps, volume.geometry.spacing_mm, strict=True)]
    log_field = _n4_log_field(shrunk, tissue, spacing)
    log_field = np.clip(log_field - log_field[tissue].mean(), -_GREATEST_LOG, _GREATEST_LOG)
    field = np.exp(_at_voxels(log_field, steps, values.shape))
    array = np.where(seen, values / field, np.asarray(volume.array, dtype=np.float32)).astype(np.float32)
    return _told(replace(volume, array=array), "n4")


def _told(volume: Volume, what: str) -> Volume:
    return replace(volume, acquisition={**volume.acquisition, BIAS_CORRECTION: what})


def _steps(volume: Volume) -> tuple[int, int, int]:
    """How many voxels along each axis become one, so that the shrunk voxels are nearly cubic."""
    spacing = np.asarray(volume.geometry.spacing_mm)
    extent_mm3 = float(np.prod(spacing * volume.geometry.shape))
    edge_mm = float(np.cbrt(extent_mm3 / _SEARCHED_VOXELS))
    room = np.maximum(np.asarray(volume.geometry.shape) // 4, 1)  # at least four places along every axis
    plane, row, column = np.clip(np.rint(edge_mm / spacing).astype(int), 1, room)
    return int(plane), int(row), int(column)


def _shrunk(values: npt.NDArray[np.float32], steps: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """The mean of every whole block of voxels; what is left over at the far edges takes no part."""
    (p, i), (r, j), (c, k) = ((size // step, step) for size, step in zip(values.shape, steps, strict=True))
    blocks = values[: p * i, : r * j, : c * k].reshape(p, i, r, j, c, k)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _tissue(shrunk: npt.NDArray[np.float32]) -> BoolArray:
    """Where there is signal."""
    from skimage.filters import threshold_otsu

    if shrunk.max() <= 0 or shrunk.min() == shrunk.max():
        return np.asarray(shrunk > 0)
    return np.asarray((shrunk > _TISSUE * threshold_otsu(shrunk)) & (shrunk > 0))


def _n4_log_field(shrunk: npt.NDArray[np.float32], tissue: BoolArray, spacing_mm: list[float]) -> FloatArray:
    """(planes, rows, columns): natural logarithm of the field on the shrunk grid."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(shrunk)
    image.SetSpacing(spacing_mm[::-1])
    mask = SimpleITK.GetImageFromArray(tissue.astype(np.uint8))
    mask.CopyInformation(image)
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    n4.SetMaximumNumberOfIterations(_LEVELS)
    n4.SetConvergenceThreshold(_CONVERGED)
    n4.Execute(image, mask)
    return np.asarray(SimpleITK.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)), dtype=np.float64)


def _at_voxels(coarse: FloatArray, steps: tuple[int, int, int], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """The shrunk grid's values at every voxel, axis by axis, linear between and beyond the blocks' middles."""
    fine = coarse.astype(np.float32)
    for axis, (step, size) in enumerate(zip(steps, shape, strict=True)):
        at = (np.arange(size) + 0.5) / step - 0.5
        low = np.clip(np.floor(at).astype(int), 0, fine.shape[axis] - 2)
        share = (at - low).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
        fine = np.take(fine, low, axis) * (1 - share) + np.take(fine, low + 1, axis) * share
    return np.asarray(fine)
