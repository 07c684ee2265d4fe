"""What MR, bone scan, PET and radiograph need beside the cut-offs of `[image]`, which all modalities share."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from mdanderson.settings.field import STRICT, known

__all__ = ["Mr", "Pet", "Radiograph", "Scintigraphy"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Mr:
    """Magnetic resonance (`[mr]`)."""

    bias_correction: Literal["n4", "none"] = known(
        "n4", "ours: N4 (Tustison 2010) before any signal is compared; ADC maps are never corrected"
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Scintigraphy:
    """Bone scan, planar and SPECT (`[scintigraphy]`)."""

    reference: Literal["mirrored", "skeleton"] = known(
        "mirrored", "ours: where no reference_mask is given, the mirrored side first or the skeleton's median at once"
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Pet:
    """Positron emission tomography (`[pet]`)."""

    lean_mass: Literal["janmahasatian", "james"] = known(
        "janmahasatian", "Janmahasatian 2005 (PubMed 16176118); James 1976, which PERCIST 1.0 used, fails in obesity"
    )
    peak_sphere_ml: float = known(1.0, "PERCIST 1.0: SULpeak is the mean in a sphere of 1 ml (Wahl 2009)", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Radiograph:
    """Radiograph, CR and DX (`[radiograph]`)."""

    magnification: float = known(
        1.0,
        "ours: how much larger bone appears on the detector than it is, where only ImagerPixelSpacing is known",
        ge=1,
    )
