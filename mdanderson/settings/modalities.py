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
    registration_least_correlation: float = known(
        0.85, "ours: of the roots of clipped counts, where two views of one body are laid on each other", gt=0, lt=1
    )
    registration_least_likeness: float = known(
        0.85, "ours: the same within 90 mm, from which on a part of the body looks alike", gt=0, lt=1
    )
    registration_alike_share: float = known(
        0.6, "ours: share of the pattern that must look alike without moving; arms and legs lie otherwise", gt=0, le=1
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Pet:
    """Positron emission tomography (`[pet]`)."""

    lean_mass: Literal["janmahasatian", "james"] = known(
        "janmahasatian", "Janmahasatian 2005 (PubMed 16176118); James 1976, which PERCIST 1.0 used, fails in obesity"
    )
    peak_sphere_ml: float = known(1.0, "PERCIST 1.0: SULpeak is the mean in a sphere of 1 ml (Wahl 2009)", gt=0)
    volume_by: Literal["share_of_maximum", "fixed", "mask"] = known(
        "share_of_maximum",
        "EANM 1.0 and 2.0 (Boellaard 2010, 2015): an isocontour inside the lesion; or the whole mask",
    )
    volume_share: float = known(0.41, "EANM 2.0 (Boellaard 2015): of SUVmax, for share_of_maximum", gt=0, lt=1)
    volume_suv: float = known(
        2.5, "ours: SUV by body weight from which on a voxel counts, for fixed; 4.0 is common", gt=0
    )
    uptake_change_minutes: float = known(
        15.0, "PERCIST 1.0 (Wahl 2009): uptake times further apart than this do not compare well", ge=0
    )
    background_gap_mm: float = known(6.0, "ours: background starts this far from a place, a PET's resolution", ge=0)
    background_shell_mm: float = known(10.0, "ours: and is a shell as thick as this", gt=0)
    background_minimum_ml: float = known(2.0, "ours: less of it is no background", gt=0)
    background_robust_sd: float = known(
        2.0, "ours: uptake is as background up to its median + factor x robust SD, as PERCIST does with the liver", ge=0
    )
    background_ratio: float = known(1.2, "ours: or up to this many times its median, as normal_uptake", ge=1)
    background_unevenness: float = known(
        0.5, "ours: a background whose robust SD is a larger share of its median is none", gt=0
    )
    background_highest_suv: float = known(
        3.0, "ours: surroundings hotter than liver or blood are none, but with NaF, which all bone takes up", gt=0
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Radiograph:
    """Radiograph, CR and DX (`[radiograph]`)."""

    magnification: float = known(
        1.0,
        "ours: how much larger bone appears on the detector than it is, where only ImagerPixelSpacing is known",
        ge=1,
    )
    bone_contrast: float = known(
        400.0,
        "ours: soft tissue is 0 and reference bone this, so that the HU of [image] are shares: 40 is a tenth",
        gt=0,
    )
    soft_tissue_mm: float = known(10.0, "ours: soft tissue is looked for this near the bone", gt=0)
    least_contrast_sd: float = known(
        3.0, "ours: bone that stands out from soft tissue by fewer of its robust SD is no reference", gt=0
    )
    least_explained: float = known(
        0.6,
        "ours: share of the variance round a lesion that bone and soft tissue must explain where no map is given",
        gt=0,
        lt=1,
    )
