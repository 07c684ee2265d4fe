"""How images become measurements. Every cut-off is an operational definition of ours; its source says so."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from mdanderson.settings.field import STRICT, known

__all__ = ["ImageSettings"]

BoneScheme = Literal["auto", "totalsegmentator", "totalsegmentator_v1", "verse", "none"]
MeasuringPlane = Literal["acquisition", "axial", "coronal", "sagittal"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class ImageSettings:
    """How images become measurements (`[image]`). All cut-offs are operational definitions of ours."""

    smoothing_sigma_mm: float = known(1.5, "ours: scale at which a voxel is called lytic or sclerotic", gt=0)
    lytic_robust_sd: float = known(2.0, "ours: lytic = below reference median - factor x robust SD", gt=0)
    lytic_minimum_hu: float = known(40.0, "ours: least distance below the reference", gt=0)
    lytic_minimum_osteoporotic_hu: float = known(25.0, "ours: the same where the reference is osteoporotic", gt=0)
    lytic_minimum_share: float = known(0.25, "ours: there at most this share of the reference", gt=0, lt=1)
    osteoporotic_below_hu: float = known(100.0, "ours: L1 is 89 +/- 38 HU at >= 90 years (PubMed 25884703)")
    sclerotic_robust_sd: float = known(3.0, "ours: sclerotic = above reference median + factor x robust SD", gt=0)
    sclerotic_minimum_hu: float = known(
        100.0, "ours; untreated blastic metastases 654 +/- 176 HU, sclerotic 444 +/- 87 (PubMed 30912719)", gt=0
    )
    type_majority: float = known(0.5, "ours: a lesion is of a type when that class holds this share", gt=0, le=1)
    type_minority: float = known(0.2, "ours: and the other class holds less than this share", ge=0, le=1)
    complete_fill_in: float = known(0.95, "ours, CR1: share of the baseline lytic volume no longer lytic", gt=0, le=1)
    complete_fill_in_sclerotic: float = known(0.5, "ours, CR1: share of it that is sclerotic", gt=0, le=1)
    partial_fill_in: float = known(0.25, "ours, PR1: share of the baseline lytic volume now sclerotic", gt=0, le=1)
    rim_fraction: float = known(0.5, "ours, PR1: share of boundary directions with a sclerotic rim", gt=0, le=1)
    rim_fraction_rise: float = known(0.3, "ours, PR1: the rim is new when this much above baseline", ge=0, le=1)
    rim_inside_mm: float = known(2.0, "ours: a boundary profile starts this far inside the outline", gt=0)
    rim_outside_mm: float = known(3.0, "ours: and ends this far outside", gt=0)
    normal_robust_sd: float = known(1.0, "ours, CR2: median within reference +/- factor x robust SD", gt=0)
    normal_minimum_hu: float = known(40.0, "ours, CR2: but at least this many HU", gt=0)
    normal_class_share: float = known(0.1, "ours, CR2: fewer lytic and fewer sclerotic voxels than this", gt=0, le=1)
    normal_t1_low: float = known(0.8, "ours, CR3: T1 signal against normal marrow, at least", gt=0)
    normal_t1_high: float = known(1.2, "ours, CR3: T1 signal against normal marrow, at most", gt=0)
    normal_t2_high: float = known(1.2, "ours, CR3: T2 or STIR signal against normal marrow, at most", gt=0)
    normal_opposed_in: float = known(
        0.8, "CR3: opposed/in phase below this; benign 0.78 +/- 0.15, pathologic 1.05 +/- 0.15 (RSNA 2004)", gt=0
    )
    normal_uptake: float = known(1.2, "ours, CR4: uptake against reference bone, at most", gt=0)
    normal_contrast_left: float = known(
        0.5, "ours, CR2: at most this share of the baseline's distance from reference bone is left", gt=0, le=1
    )
    normal_focus_mm: float = known(4.0, "ours, CR2: no lytic focus this large is left; 6 mm read 4.6 mm", gt=0)
    reference_minimum_voxels: int = known(100, "ours: fewer voxels of reference bone are no reference", ge=1)
    reference_radius_mm: float = known(30.0, "ours: reference bone is sought this near the lesion", gt=0)
    reference_margin_mm: float = known(4.0, "ours: reference bone keeps this distance from every lesion", ge=0)
    reference_erosion_mm: float = known(2.5, "ours: trabecular bone lies this deep under the cortex", ge=0)
    reference_change_hu: float = known(50.0, "ours: reference bone further off what it was is other bone", gt=0)
    voltage_change_kv: float = known(20.0, "ours: 100 and 140 kV differ by 13 % in bone (AAPM 2026, 1859)", ge=0)
    metal_hu: float = known(2500.0, "ours: metal; dense cortex stays below 2000 HU, CT numbers end at 3071", le=30000)
    metal_reach_mm: float = known(20.0, "ours: metal this near in its planes may streak through a lesion", ge=0)
    cement_hu: float = known(1500.0, "ours: cement; enostoses have 1190 +/- 239 HU (PubMed 27101076)", le=30000)
    cement_share: float = known(0.05, "ours: with this much more cement than before it was filled", gt=0, le=1)
    cortex_hu: float = known(250.0, "ours: cortical bone, used only to find bone, never to judge a lesion")
    mask_fraction: float = known(
        0.5, "ours: a voxel of a fractional DICOM SEG is lesion from this share of the maximum upwards", gt=0, le=1
    )
    bone_scheme: BoneScheme = known(
        "auto", "ours: how labels of bone_mask are numbered; auto = by names in the file, its name, labels and places"
    )
    site_reach_mm: float = known(5.0, "ours: a lesion outside every named bone is of the nearest within this", ge=0)
    outline_sigma_pixels: float = known(1.3, "ours: scale at which the mask is smoothed to find its outline", gt=0)
    outline_tie_pixels: float = known(
        0.1, "ours: slices this near the greatest diameter are as long; the longer perpendicular decides", ge=0
    )
    axis_tie_pixels: float = known(
        0.5, "ours: diameters this near the greatest one, turned by < 20 degrees, share in its direction", gt=0
    )
    outline_least_depth: float = known(
        0.1, "ours: the smoothed mask is kept this far above 0.5 inside and below it outside", gt=0, lt=0.5
    )
    measuring_plane: MeasuringPlane = known(
        "acquisition", "ours: RECIST 1.1 measures in the plane of acquisition; another on grids of nearly cubic voxels"
    )
    measuring_anisotropy: float = known(
        2.0, "ours: nearly cubic = the longest side of a voxel is at most this many times the shortest", ge=1
    )
    plane_turn_degrees: float = known(
        30.0, "ours: acquisition planes turned by more than this show other diameters of one lesion", gt=0, le=90
    )
    plane_spacing_change: float = known(
        1.5, "ours: planes that differ by this factor between two visits cut a small lesion differently", gt=1
    )
    planes_across: float = known(
        2.0, "ours: then a lesion must be this many of the wider planes long to be compared in size", gt=0
    )
    density_planes: float = known(2.5, "ours: density is judged in balls this many planes across", gt=0)
    doubt_focus_share: float = known(
        0.5, "ours: nor is it new when a lytic focus of this share of its diameter lay there at baseline", gt=0, le=1
    )
    field_of_view_share: float = known(
        0.9, "ours: a place is in view when the image shows this share of it", gt=0, le=1
    )
    visible_share: float = known(
        0.9, "ours: a later lesion was there at baseline when this share of it was abnormal in the same way", gt=0, le=1
    )
    grown_share: float = known(
        0.5,
        "ours: with less than this it is new, or has grown by 25 % (1.25^3 = 1.95 in volume): PD both ways",
        gt=0,
        le=1,
    )
    registration_trust_mm: float = known(5.0, "ours: a registration with a larger estimated error is not trusted", gt=0)
    registration_least_overlap: float = known(
        0.25, "ours: share of the bone, of the image with less of it, that both images show", gt=0, le=1
    )
    registration_least_likeness: float = known(
        0.6, "ours: correlation of HU from which on 40 mm of bone look alike in two images", gt=0, lt=1
    )
    registration_alike_share: float = known(
        0.8,
        "ours: share of the bone that must look alike; moved arms left 0.92, one vertebra off up to 0.76",
        gt=0,
        le=1,
    )
    registration_least_correlation: float = known(
        0.75, "ours: of HU near bone; one body moved 0.88-1.0, other bodies up to 0.61 in the shared images", gt=0, lt=1
    )
    registration_bone_on_bone: float = known(
        0.85, "ours: share of bone laid on bone; one body moved 0.95-1.0, other bodies up to 0.74", gt=0, le=1
    )
    registration_rival_margin: float = known(
        0.02, "ours: how much worse the second best place must fit, in correlation; vertebrae look alike", ge=0, lt=1
    )
    registration_mirror_errors: float = known(
        3.5,
        "ours: standard errors by which images must fit better than with left and right swapped, decision 5",
    )
    registration_clear_correlation: float = known(
        0.95, "ours: of HU near bone, from which on a CT that fits its mirror image as well is trusted", gt=0, lt=1
    )
    registration_least_bits: float = known(
        0.25, "ours: mutual information that MR with MR, or with CT, must reach where they are laid on each other", gt=0
    )
    registration_information_trust_mm: float = known(
        3.0, "ours: parts of the body fitted by themselves must agree within this where one image is MR", gt=0
    )
    matching_reach_mm: float = known(8.0, "ours: how far apart two outlines of one lesion may lie", gt=0)
