"""A PET of any body that a CT can be made of: uptake by tissue, hot lesions, the camera's blur, noise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.hosts import Host
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = ["PetBody", "render_pet"]

_PER_SUV = 1000.0
"""`render` works in whole numbers."""
_DENSITIES_HU = (-900.0, -200.0, 0.0, 200.0, 700.0)
_SUVS = (0.0, 0.3, 0.9, 1.3, 1.1)
"""What FDG shows of air, fat, soft tissue, marrow and cortex, roughly."""
_BLUR_MM = 2.5
"""SD of the camera's point spread: 6 mm full width at half maximum."""
_NOISE_SHARE = 0.03


@dataclass(frozen=True, kw_only=True)
class PetBody:
    """The `Host` of a CT, asked for its FDG uptake in place of its density."""

    host: Host

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) thousandths of an SUV."""
        return _PER_SUV * np.interp(self.host.sample_hu(points_mm, blur_mm=blur_mm), _DENSITIES_HU, _SUVS)

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:  # noqa: ARG002 - the same everywhere
        """None of its own: all noise is the scanner's."""
        return 0.0

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:  # noqa: ARG002 - has no grid
        """None: a PET is never the body's own image."""
        return None


def render_pet(
    host: Host,
    lesions: Sequence[LesionSpec],
    suvs: Sequence[float],
    geometry: Geometry,
    *,
    motion: FloatArray | None = None,
    seed: int = 0,
    date: dt.date | None = None,
) -> Phantom:
    """A PET in SUV (float32) of `host` with `lesions`, each of its uptake before the camera blurs it.

    The rest as `render`; densities of the lesions are not looked at. Raises `SettingsError` unless there is one SUV of
    0 to 30 a lesion.
    """
    if len(suvs) != len(lesions) or not all(0 <= suv <= 30 for suv in suvs):
        raise SettingsError(f"{len(lesions)} lesions, SUVs {list(suvs)}", way_out="give one SUV a lesion, from 0 to 30")
    hot = [replace(lesion, core_hu=_PER_SUV * suv) for lesion, suv in zip(lesions, suvs, strict=True)]
    clean = render(PetBody(host=host), hot, geometry, motion=motion, date=date, subsamples=(2, 2, 2))
    sigma = [_BLUR_MM / step for step in geometry.spacing_mm]
    suv = ndimage.gaussian_filter(clean.volume.array.astype(np.float64) / _PER_SUV, sigma)
    noise = np.random.default_rng(seed).standard_normal(suv.shape)
    suv = np.maximum(suv * (1.0 + _NOISE_SHARE * noise), 0.0)
    volume = replace(clean.volume, array=suv.astype(np.float32), unit=Unit.SUV, modality=Modality.PT)
    return replace(clean, volume=volume)
