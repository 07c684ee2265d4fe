"""Radiographs whose answers are known: the line integral from front to back through a thigh with lesions in its bone.

The lesions are those of the CT phantoms (`render`); what a radiograph adds is projection, a gain and an offset that
mean nothing, uneven exposure, and noise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.hosts import cover, trabecular_texture
from mdanderson.phantoms.render import render
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.planar import PlanarImage
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

__all__ = ["Exposure", "Femur", "FilmPhantom", "render_film"]

_MUSCLE_HU, _MARROW_HU, _CORTEX_HU = 50.0, 200.0, 1200.0
_CORTEX_MM = 2.5
_THIGH_MM = 70.0
_PER_FILM = 1e-4
"""HU x mm to film units: the middle of the shaft stands out by about 1."""
_DEPTH_MM = 84.0
"""From front to back, about the bone; what lies before and behind is muscle."""
_DEPTH_STEP_MM = 2.0

_Rod = tuple[tuple[float, float, float], tuple[float, float, float], float]
_RODS: tuple[_Rod, ...] = (
    ((2.0, 0.0, -140.0), (0.0, -3.0, -40.0), 16.0),
    ((0.0, -3.0, -40.0), (4.0, 0.0, 30.0), 16.5),
    ((8.0, 4.0, 30.0), (15.0, 6.0, 48.0), 15.0),
    ((2.0, 0.0, 32.0), (-36.0, -8.0, 64.0), 14.0),
    ((-42.0, -9.0, 69.0), (-43.0, -9.0, 70.0), 22.0),
    ((-12.0, 8.0, 6.0), (-15.0, 10.0, 10.0), 8.0),
)
"""Shaft, greater trochanter, neck, head and lesser trochanter of a left femur: ends and radius, body space."""


@dataclass(frozen=True, kw_only=True)
class Femur:
    """The upper end of a left femur in a thigh: a `Host` of `render`.

    Body space: x left, y back, z head; the shaft is about the z axis, the head towards -x. trabecular_hu: SD of the
    pattern of its marrow, the same at every visit for one `seed`. scale: of another person's bone.
    """

    seed: int = 0
    trabecular_hu: float = 60.0
    scale: float = 1.0

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) HU."""
        depth = np.full(points_mm.shape[:-1], np.inf)
        for start, end, radius in _RODS:
            np.minimum(depth, _rod_mm(points_mm / self.scale, start, end) - radius, out=depth)
        depth *= self.scale
        texture = trabecular_texture(self.seed, points_mm) if self.trabecular_hu else 0.0
        hu = _MUSCLE_HU + cover(depth, blur_mm) * (_CORTEX_HU - _MUSCLE_HU)
        hu += cover(depth + _CORTEX_MM, blur_mm) * (_MARROW_HU + self.trabecular_hu * texture - hu)
        return np.asarray(hu)

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:  # noqa: ARG002 - the same everywhere
        """None of its own: all noise is the film's."""
        return 0.0

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:  # noqa: ARG002 - has no grid
        """None: it has no voxels of its own."""
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """What exposure and processing add. slope: how much the gain changes from edge to edge. noise: SD in film units.

    The middle of the shaft stands out from soft tissue by about 1 film unit before the gain.
    """

    gain: float = 1.0
    offset: float = 0.0
    slope: float = 0.0
    noise: float = 0.01
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FilmPhantom:
    """A radiograph as a slab one plane thick, and the shadows of its drawn lesions."""

    volume: Volume
    mask: Mask


def render_film(
    host: Femur,
    lesions: Sequence[LesionSpec] = (),
    *,
    motion: FloatArray | None = None,
    rows_columns: tuple[int, int] = (230, 150),
    pixel_mm: float = 0.8,
    middle_mm: tuple[float, float] = (-8.0, -5.0),
    exposure: Exposure | None = None,
    date: dt.date | None = None,
) -> FilmPhantom:
    """A radiograph from front to back. middle_mm: x and z of the picture's middle where nothing has moved.

    motion: (4, 4) rigid, body space -> the space in which the picture lies. Outlines are shadows of what was drawn.
    """
    rows, columns = rows_columns
    depths = round(_DEPTH_MM / _DEPTH_STEP_MM)
    x, z = middle_mm[0] - (columns - 1) / 2 * pixel_mm, middle_mm[1] + (rows - 1) / 2 * pixel_mm
    grid = Geometry.from_axes(
        shape=(depths, rows, columns),
        spacing_mm=(_DEPTH_STEP_MM, pixel_mm, pixel_mm),
        origin_mm=(x, -(depths - 1) / 2 * _DEPTH_STEP_MM, z),
        directions=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    )
    body = render(host, lesions, grid, motion=motion)
    path = (body.volume.array.astype(np.float64) - _MUSCLE_HU).sum(axis=0) * _DEPTH_STEP_MM * _PER_FILM
    picture = PlanarImage(
        array=_exposed(path + _thigh(x, columns, pixel_mm), exposure or Exposure()),
        spacing_mm=(pixel_mm, pixel_mm),
        unit=Unit.ARBITRARY,
        modality=Modality.XR,
        date=date,
        source="phantom",
    )
    slab = picture.as_slab()
    shadows = (_shadow(region) for region in body.mask)
    return FilmPhantom(volume=slab, mask=Mask(geometry=slab.geometry, regions=tuple(shadows), source="phantom"))


def _rod_mm(points_mm: FloatArray, start: Sequence[float], end: Sequence[float]) -> FloatArray:
    """Distance to the line between two points."""
    line, from_start = np.subtract(end, start), points_mm - np.asarray(start)
    share = np.clip(from_start @ line / float(line @ line), 0.0, 1.0)
    return np.asarray(np.linalg.norm(from_start - share[..., None] * line, axis=-1))


def _thigh(x: float, columns: int, pixel_mm: float) -> FloatArray:
    """(columns,): what muscle alone adds."""
    across = x + pixel_mm * np.arange(columns)
    return np.asarray(np.sqrt(np.maximum(1.0 - (across / _THIGH_MM) ** 2, 0.0)))


def _exposed(path: FloatArray, exposure: Exposure) -> FloatArray:
    noise = np.random.default_rng(exposure.seed).normal(0.0, exposure.noise, path.shape)
    down, across = np.ix_(*(np.linspace(-0.5, 0.5, n) for n in path.shape))
    uneven = 1.0 + exposure.slope * (down + across) / 2
    return np.asarray((exposure.gain * uneven * (path + noise) + exposure.offset).astype(np.float32))


def _shadow(region: Region) -> Region:
    """A region of the body seen from the front, one plane thick."""
    seen = np.asarray(region.voxels.any(axis=0, keepdims=True))
    return Region(label=region.label, box=(slice(0, 1), *region.box[1:]), voxels=seen)
