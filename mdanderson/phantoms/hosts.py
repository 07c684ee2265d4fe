"""Bodies that lesions are put into: synthetic vertebrae, or a real CT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.errors import ImageError
from mdanderson.geometry import FloatArray, Geometry, same_grid
from mdanderson.volume import Unit, Volume

__all__ = ["Host", "RealHost", "SyntheticVertebrae", "cover", "ellipse_mm", "trabecular_texture"]

_AIR_HU = -1000.0


class Host(Protocol):
    """A body that can be imaged: asked for its density anywhere in its own space (LPS mm)."""

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) HU; a surface is smeared over `blur_mm`, a voxel's width, as partial volume does."""

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:
        """Noise (SD) that a lesion there must show in order not to look painted on."""

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:
        """The body's own voxels where nothing has moved and the grid is its own, else None."""


@dataclass(frozen=True, kw_only=True)
class SyntheticVertebrae:
    """Two lumbar vertebrae with discs, posterior arches, a rib, an osteophyte, muscle, aorta, fat, skin and air.

    Body space: x left, y back, z head; the lower body is centred at (0, 0, -16), the upper at (-2, 1, 16) mm, half
    axes 24 x 18 x 13 and 22 x 17 x 13 mm at the end plates. Left and right differ, so that one rigid motion alone fits.
    """

    seed: int = 0
    trabecular_hu: float = 150.0
    texture_hu: float = 22.0
    cortex_hu: float = 600.0
    cortex_mm: float = 2.0

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) HU."""
        hu = self._soft_tissue(points_mm, blur_mm)
        spongy = self.trabecular_hu + self.texture_hu * trabecular_texture(self.seed, points_mm)
        depth = np.full(hu.shape, np.inf)
        for distance in _bones(points_mm):
            np.minimum(depth, distance, out=depth)
        hu += cover(depth, blur_mm) * (self.cortex_hu - hu)
        hu += cover(depth + self.cortex_mm, blur_mm) * (spongy - hu)
        return np.asarray(hu)

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:  # noqa: ARG002 - the same everywhere
        """None of its own: all noise is the scanner's."""
        return 0.0

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:  # noqa: ARG002 - has no grid
        """None: it has no voxels of its own."""
        return None

    def bone_labels(self, points_mm: FloatArray) -> npt.NDArray[np.uint8]:
        """(..., 3) points -> (...): 1 lower vertebra, 2 upper vertebra, 3 rib, 0 elsewhere."""
        labels = np.zeros(points_mm.shape[:-1], dtype=np.uint8)
        for label, distance in zip(_BONE_LABELS, _bones(points_mm), strict=True):
            labels[(distance <= 0) & (labels == 0)] = label
        return labels

    def _soft_tissue(self, points_mm: FloatArray, blur_mm: float) -> FloatArray:
        x, y, z = np.moveaxis(points_mm, -1, 0)
        back = 56.0 - 0.004 * x**2 - 0.03 * z - y  # depth under the skin of the back
        hu = np.full(x.shape, _AIR_HU)
        hu += cover(-back, blur_mm) * (30.0 - hu)  # skin
        hu += cover(2.0 - back, blur_mm) * (-100.0 - hu)  # fat
        hu += cover(9.0 - back, blur_mm) * (55.0 - hu)  # muscle
        hu += cover(y + 27.0 + 0.01 * (x + 8.0) ** 2, blur_mm) * (-95.0 - hu)  # retroperitoneal fat
        hu += cover(_tube(x - 9.0, y + 32.0, 9.5), blur_mm) * (140.0 - hu)  # aorta, on the left
        hu += cover(_tube(x + 15.0 + 0.05 * z, y + 31.0, 10.0), blur_mm) * (95.0 - hu)  # vena cava
        canal = _tube(x + 0.8, (y - 27.0) * 1.1, 8.5)
        hu += cover(canal, blur_mm) * (20.0 - hu)
        disc = ellipse_mm(x + 1.0, y - 0.5, 22.0, 16.5)  # wherever no bone is painted over it
        hu += cover(disc, blur_mm) * (85.0 - hu)
        return hu


_BONE_LABELS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 1)


def _bones(points_mm: FloatArray) -> tuple[FloatArray, ...]:
    """Signed distance (mm, negative inside) to each piece of bone, in the order of `_BONE_LABELS`."""
    x, y, z = np.moveaxis(points_mm, -1, 0)
    lower = _vertebra(x, y, z + 16.0, width=24.0, depth=18.0, spinous=26.0)
    upper = _vertebra(x + 2.0, y - 1.0, z - 16.0, width=22.0, depth=17.0, spinous=22.0)
    left_process = _rod(x, y, z, (15.0, 27.0, -14.0), (38.0, 33.0, -10.0), 4.0)
    rib = _rod(x, y, z, (-22.0, 20.0, 20.0), (-52.0, 40.0, 8.0), 5.0)
    osteophyte = _rod(x, y, z, (22.0, -8.0, -6.0), (26.0, -11.0, -1.0), 3.0)
    return (*lower, left_process, *upper, rib, osteophyte)


def _vertebra(
    x: FloatArray, y: FloatArray, z: FloatArray, *, width: float, depth: float, spinous: float
) -> tuple[FloatArray, ...]:
    """Body with a waist, two pedicles, two laminae and a spinous process, of one vertebra at the origin."""
    waist = 1.0 + 0.05 * (z / 13.0) ** 2
    body = np.maximum(ellipse_mm(x, y, (width - 1.0) * waist, (depth - 1.0) * waist), np.abs(z) - 13.0)
    arch = (
        _rod(x, y, z, (12.0, depth - 6.0, 5.0), (15.0, 26.0, 3.0), 4.5),
        _rod(x, y, z, (-12.0, depth - 6.0, 5.0), (-14.0, 26.0, 3.0), 4.0),
        _rod(x, y, z, (15.0, 26.0, 3.0), (0.0, 38.0, -3.0), 3.8),
        _rod(x, y, z, (-14.0, 26.0, 3.0), (0.0, 38.0, -3.0), 3.8),
        _rod(x, y, z, (0.0, 38.0, -3.0), (1.0, 20.0 + spinous, -8.0), 3.8),
    )
    return (body, *arch)


def _tube(x: FloatArray, y: FloatArray, radius: float) -> FloatArray:
    return np.asarray(np.hypot(x, y) - radius)


def ellipse_mm(x: FloatArray, y: FloatArray, a: FloatArray | float, b: FloatArray | float) -> FloatArray:
    """Distance to an ellipse, to first order near its edge."""
    level = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) / np.maximum(level, 1e-9)
    return np.asarray((level - 1.0) / np.maximum(slope, 1.0 / np.maximum(a, b)))


def _rod(
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
) -> FloatArray:
    """Distance to a rod with round ends."""
    ax, ay, az = np.subtract(end, start)
    x, y, z = x - start[0], y - start[1], z - start[2]
    share = np.clip((x * ax + y * ay + z * az) / (ax**2 + ay**2 + az**2), 0.0, 1.0)
    return np.asarray(np.sqrt((x - share * ax) ** 2 + (y - share * ay) ** 2 + (z - share * az) ** 2) - radius)


@lru_cache(maxsize=4)
def _lattice(seed: int) -> npt.NDArray[np.float32]:
    """Trabecular texture every 1.5 mm of body space: the same bone at every visit."""
    lattice = np.random.default_rng(seed).standard_normal((64, 96, 96)).astype(np.float32)
    lattice = ndimage.gaussian_filter(lattice, 1.1, mode="wrap")
    return np.asarray(lattice / lattice.std())


def trabecular_texture(seed: int, points_mm: FloatArray) -> FloatArray:
    """(..., 3) points in body space -> (...): a pattern of mean 0 and SD 1 that is the bone's own."""
    x, y, z = np.moveaxis(points_mm, -1, 0)
    index = np.stack([z / 1.5 + 32.0, y / 1.5 + 48.0, x / 1.5 + 48.0])
    return np.asarray(ndimage.map_coordinates(_lattice(seed), index, order=1, mode="grid-wrap", output=np.float64))


def cover(distance: FloatArray, blur_mm: float) -> FloatArray:
    """Share of a voxel that lies inside a surface at this signed distance."""
    return np.asarray(np.clip(0.5 - distance / blur_mm, 0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class RealHost:
    """A real CT as the body: "real CT, synthetic lesion". Its body space is the image's own LPS mm.

    Outside its field of view the body ends (`outside_hu`). Raises `ImageError` for an image that is not in HU.
    """

    volume: Volume
    outside_hu: float = -1024.0

    def __post_init__(self) -> None:
        if self.volume.unit is not Unit.HU:
            raise ImageError(f"values in {self.volume.unit}, not HU", way_out="lesions are put into CT images")

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:  # noqa: ARG002 - blurred already
        """(..., 3) points -> (...) HU by cubic interpolation, which keeps the noise's texture better than linear."""
        index = np.moveaxis(self.volume.geometry.to_voxel(points_mm), -1, 0)
        values = ndimage.map_coordinates(
            self._spline, index, order=3, prefilter=False, mode="grid-constant", cval=self.outside_hu, output=np.float64
        )
        inside = self.volume.geometry.contains(points_mm)
        low, high = self._range
        return np.asarray(np.where(inside, np.clip(values, low, high), self.outside_hu))

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:
        """Robust SD of the fine detail round the lesion: what is left beside a 3 x 3 neighbourhood in the plane."""
        geometry = self.volume.geometry
        reach = np.ceil((radius_mm + 6.0) / np.asarray(geometry.spacing_mm)).astype(int)
        centre = np.rint(geometry.to_voxel(centre_mm)).astype(int)
        low, high = np.maximum(centre - reach, 0), np.minimum(centre + reach + 1, geometry.shape)
        if (low >= high).any():
            return 0.0
        near = self.volume.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float64)
        detail = near - ndimage.uniform_filter(near, (1, 3, 3))
        detail = detail[np.abs(near - np.median(near)) < 150.0]  # no edges of cortex or fat
        if detail.size < 50:
            return 0.0
        kept_by_filter = (8.0 / 9.0) ** 0.5
        return float(1.4826 * np.median(np.abs(detail - np.median(detail))) / kept_by_filter)

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:
        """The real voxels, untouched by interpolation, where grid and place are the image's own."""
        own = Geometry(shape=self.volume.geometry.shape, affine=self.volume.geometry.affine)
        asked = Geometry(shape=geometry.shape, affine=geometry.affine)
        if np.array_equal(motion, np.eye(4)) and same_grid(own, asked):
            return self.volume.array.astype(np.float64)
        return None

    @cached_property
    def _range(self) -> tuple[float, float]:
        return float(self.volume.array.min()), float(self.volume.array.max())

    @cached_property
    def _spline(self) -> FloatArray:
        return np.asarray(ndimage.spline_filter(self.volume.array.astype(np.float64), order=3))
