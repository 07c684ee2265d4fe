"""The spine of `mr` as CT shows it, so that one body with its lesions can be imaged by both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.phantoms.mr import MrSpine, TissueSignals

__all__ = ["CtSpine"]

_AIR_HU = -1000.0
_OVER_AIR = TissueSignals(marrow=1170, disc=1085, muscle=1055, fat=900, cortex=1650, fluid=1130, bowel=1020)
"""HU above air; fluid stands for the organs, whose contrast medium tells them from what lies round them."""


@dataclass(frozen=True, kw_only=True)
class CtSpine(MrSpine):
    """A `Host` of `render` in HU. vertebrae, seed: as in the `MrSpine` that is to be the same body.

    texture: SD of the trabecular bone as a share of its 1170 HU above air.
    """

    texture: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "signals", _OVER_AIR)

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) HU."""
        return np.asarray(super().sample_hu(points_mm, blur_mm=blur_mm) + _AIR_HU)
