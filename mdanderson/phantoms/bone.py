"""One piece of bone of chosen size and density: the body for questions about density, noise and slice thickness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.hosts import cover, ellipse_mm, trabecular_texture

__all__ = ["Orientation", "SyntheticBone", "centred_grid"]

Orientation = Literal["axial", "sagittal", "coronal"]

_MUSCLE_HU, _FAT_HU, _CORD_HU = 50.0, -100.0, 30.0
_MUSCLE_MM = 18.0
"""How far muscle reaches round the bone."""
_CANAL_MM = (12.0, 10.0)
"""Half width and half depth of the canal."""
_CANAL_WALL = 1.25
_GAP_MM = 9.0
"""From the back of the body to the middle of the canal."""

_DIRECTIONS: dict[Orientation, tuple[tuple[float, float, float], ...]] = {
    "axial": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    "sagittal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    "coronal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
}
"""Plane, row and column axis in LPS, as scanners store them: heads up in sagittal and coronal planes."""


@dataclass(frozen=True, kw_only=True)
class SyntheticBone:
    """An upright elliptic cylinder at the origin, with cortex and end plates, in muscle and fat. Sizes in mm.

    half_axes_mm: half width, half depth, half height of the whole bone, cortex included. texture_hu: SD of the
    trabecular pattern, the same at every visit for one `seed`. canal: a bony spinal canal behind it.
    Raises `SettingsError` for a bone that cannot exist.
    """

    seed: int = 0
    trabecular_hu: float = 150.0
    texture_hu: float = 0.0
    cortex_hu: float = 600.0
    cortex_mm: float = 2.0
    half_axes_mm: tuple[float, float, float] = (20.0, 15.0, 13.0)
    canal: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.cortex_mm < min(self.half_axes_mm) or self.texture_hu < 0:
            raise SettingsError(
                f"impossible bone: cortex_mm={self.cortex_mm}, half_axes_mm={self.half_axes_mm}, "
                f"texture_hu={self.texture_hu}",
                way_out="half axes above the cortex, which is 0 mm or more, and a texture of 0 HU or more",
            )

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) HU."""
        x, y, z = np.moveaxis(points_mm, -1, 0)
        width, depth, height = self.half_axes_mm
        hu = np.full(x.shape, _FAT_HU)
        hu += cover(np.hypot(x, y) - width - _MUSCLE_MM, blur_mm) * (_MUSCLE_HU - hu)
        spongy = self.trabecular_hu + self.texture_hu * self._texture(points_mm)
        outer = np.maximum(ellipse_mm(x, y, width, depth), np.abs(z) - height)
        if self.canal:
            tube = (np.hypot(x / _CANAL_MM[0], (y - depth - _GAP_MM) / _CANAL_MM[1]) - 1.0) * min(_CANAL_MM)
            wall = (_CANAL_WALL - 1.0) * min(_CANAL_MM)
            hu += cover(tube - wall, blur_mm) * (self.cortex_hu - hu)
        hu += cover(outer, blur_mm) * (self.cortex_hu - hu)
        if self.canal:
            hu += cover(tube, blur_mm) * (_CORD_HU - hu)
        width, depth, height = width - self.cortex_mm, depth - self.cortex_mm, height - self.cortex_mm
        inner = np.maximum(ellipse_mm(x, y, width, depth), np.abs(z) - height)
        hu += cover(inner, blur_mm) * (spongy - hu)
        return np.asarray(hu)

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:  # noqa: ARG002 - the same everywhere
        """None of its own: all noise is the scanner's."""
        return 0.0

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:  # noqa: ARG002 - has no grid
        """None: it has no voxels of its own."""
        return None

    def _texture(self, points_mm: FloatArray) -> FloatArray | float:
        return trabecular_texture(self.seed, points_mm) if self.texture_hu else 0.0


def centred_grid(
    spacing_mm: Sequence[float],
    extent_mm: Sequence[float],
    *,
    centre_mm: Sequence[float] = (0.0, 0.0, 0.0),
    orientation: Orientation = "axial",
) -> Geometry:
    """A grid about a point: spacing and extent by plane, row, column in mm, the point in LPS mm."""
    shape = [max(1, round(extent / step)) for extent, step in zip(extent_mm, spacing_mm, strict=True)]
    directions = np.asarray(_DIRECTIONS[orientation])
    half = (np.asarray(shape) - 1) / 2 * np.asarray(spacing_mm, dtype=float)
    origin = np.asarray(centre_mm, dtype=float) - half @ directions
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin.tolist(), directions=directions)
