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
    reference_minimum_voxels: int = known(50, "ours: fewer voxels of marrow are no reference", ge=1)
    lesion_minimum_voxels: int = known(8, "ours: fewer voxels of a lesion have no ratio", ge=1)
    reference_reach_mm: float = known(100.0, "ours: uninvolved labelled bone is sought this near the lesion", gt=0)
    reference_bones: int = known(2, "ours: the nearest uninvolved bones, one on either side: a slope cancels", ge=1)
    marrow_share: float = known(
        0.6, "ours: without a bone map, share of what surrounds a lesion that must be one tissue", gt=0, le=1
    )
    marrow_spread: float = known(0.2, "ours: one tissue lies within this share of its signal", gt=0, lt=1)
    t1_darker_share: float = known(
        0.2, "ours: T1 marrow has this share of tissue round it darker than it (muscle, disc)", gt=0, le=1
    )
    adc_cov: float = known(0.145, "published repeatability of bone ADC: COV 14.5 %", gt=0, lt=1)
    adc_likely_rise: float = known(0.4, "MET-RADS-P (PMC5176005), RAC 1: ADC rises by 40 %", gt=0)
    adc_possible_rise: float = known(0.25, "MET-RADS-P (PMC5176005), RAC 2: ADC rises by more than 25 %", gt=0)
    adc_high_um2_s: float = known(1400.0, "MET-RADS-P (PMC5176005), RAC 1: ADC rises above this", gt=0, le=5000)
    adc_low_um2_s: float = known(1000.0, "MET-RADS-P (PMC5176005), RAC 2: ADC rises above this", gt=0, le=5000)
    size_response: float = known(0.5, "ours: RAC 1 as PR3, size falls by 50 %; MET-RADS-P names no number", gt=0, le=1)
    size_progression: float = known(0.25, "ours: RAC 5 as PD1, size rises by 25 %; MET-RADS-P names no number", gt=0)
    size_noticeable: float = known(0.1, "ours: RAC 2 and 4, a smaller change is none, as `mda2004_tolerance`", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Scintigraphy:
    """Bone scan, planar and SPECT (`[scintigraphy]`)."""

    reference: Literal["mirrored", "skeleton"] = known(
        "mirrored", "ours: where no reference_mask is given, the mirrored side first or the skeleton's median at once"
    )
    reference_margin_mm: float = known(
        10.0, "ours: reference bone keeps this far from every lesion: one camera blur", ge=0
    )
    reference_minimum_pixels: int = known(50, "ours: fewer pixels of skeleton are no reference", ge=1)
    reference_reach_mm: float = known(150.0, "ours: skeleton this near a lesion is its reference first", gt=0)
    reference_hottest: float = known(
        3.0, "ours: a mirrored side hotter than this many times the skeleton's median is a lesion or urine itself", gt=1
    )
    midline_mm: float = known(
        25.0, "ours: what lies this near the body's axis (spine, sternum, sacrum) has no other side", ge=0
    )
    mirror_likeness: float = known(
        0.6, "ours: correlation of what lies round a lesion with what lies round its mirrored place", gt=0, lt=1
    )
    mirror_search_mm: float = known(15.0, "ours: the mirrored place is sought this far about the body's axis", ge=0)
    superscan_contrast: float = known(
        6.0,
        "ours: median of the skeleton without lesions against soft tissue on planar views; 40 measured in decision 18",
        gt=1,
    )
    superscan_involved_share: float = known(
        0.5, "ours: where lesions cover this share of the skeleton no bone is known to be uninvolved", gt=0, le=1
    )
    registration_least_correlation: float = known(
        0.8, "ours: of the roots of clipped counts, where two views of one body are laid on each other", gt=0, lt=1
    )
    registration_least_likeness: float = known(
        0.85, "ours: the same within 90 mm, from which on a part of the body looks alike", gt=0, lt=1
    )
    registration_alike_share: float = known(
        0.6, "ours: share of the pattern that must look alike without moving; arms and legs lie otherwise", gt=0, le=1
    )
    superscan_rise: float = known(
        1.5,
        "ours: contrast of the whole skeleton against soft tissue, over that at baseline: no reference from here",
        gt=1,
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Pet:
    """Positron emission tomography (`[pet]`)."""

    lean_mass: Literal["janmahasatian", "james"] = known(
        "janmahasatian", "Janmahasatian 2005 (PubMed 16176118); James 1976, which PERCIST 1.0 used, fails in obesity"
    )
    implausible_suv: float = known(
        500.0, "ours: a greater SUV is another unit (Bq/ml); bladder and kidneys stay below 200", gt=0
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
        1.5, "ours, decision 18: uptake is as background up to its median + factor x robust SD", ge=0
    )
    background_ratio: float = known(1.15, "ours, decision 18: or up to this many times its median", ge=1)
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
        8.0, "ours: bone that stands out from soft tissue by fewer of its own robust SD is too uneven to judge", gt=0
    )
    least_explained: float = known(
        0.75,
        "ours: of the variance round a lesion, explained by bone against soft tissue; a split of noise explains 0.64",
        gt=0,
        lt=1,
    )
    registration_least_correlation: float = known(
        0.9,
        "ours, decision 26: of the detail of two radiographs, where they are laid on each other",
        gt=0,
        lt=1,
    )
    registration_least_likeness: float = known(
        0.8, "ours: the same within 30 mm, from which on a part of the bone looks alike", gt=0, lt=1
    )
    registration_alike_share: float = known(
        0.6,
        "ours: share of the pattern that must look alike without moving; another projection shows another",
        gt=0,
        le=1,
    )
