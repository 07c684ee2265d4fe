"""Every threshold and policy that says what a finding means: one field each, with default, bounds and source.

What no published criterion settles is an *operational definition of ours*; its source says so.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from mdanderson.errors import SettingsError
from mdanderson.settings_faults import CONTRADICTION, EVERYTHING, as_settings_error
from mdanderson.vocabulary import Modality, MrSequence, Scope

__all__ = [
    "Eortc",
    "ImageSettings",
    "Irecist",
    "Mda2004",
    "Pcwg3",
    "Percist",
    "Policy",
    "Recist11",
    "Settings",
    "TreatedLesions",
    "Uicc",
    "Uncertainty",
    "Who",
]

TreatedLesions = Literal["exclude", "include"]
MeasuringPlane = Literal["acquisition", "axial", "coronal", "sagittal"]

Word = TypeVar("Word", bound=str)

_MOST = 1000.0
"""Weeks, millimetres, HU or multiples: where nothing else bounds a number, more is a slip of the pen."""

_STRICT = ConfigDict(extra="forbid")


def _known(default: Any, source: str, **bounds: Any) -> Any:
    """A field with its default, its source and its bounds. A number is a finite number: no text, no true or false."""
    if isinstance(default, float):
        bounds = {"le": _MOST} | bounds if "lt" not in bounds else bounds
        bounds |= {"strict": True, "allow_inf_nan": False}
    elif isinstance(default, int):
        bounds |= {"strict": True}
    return Field(default, description=source, **bounds)


def _each_once(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """An order or a choice of words, when it names at least one, and none again."""
    if not words:
        raise PydanticCustomError("empty", "should name at least one")
    twice = [word for word in words if words.count(word) > 1]
    if twice:
        raise PydanticCustomError("twice", "should name {word} once", {"word": str(twice[0])})
    return words


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Policy:
    """How measurements become a response (`[policy]`). Thresholds hold exactly as printed: at the value counts."""

    pr_size_fall: float = _known(0.5, "MDA 2010 PR3: size falls by >= 50 %", gt=0, lt=1)
    pd_size_rise: float = _known(0.25, "MDA 2010 PD1: size rises by >= 25 %", gt=0)
    pr_uptake_fall: float = _known(0.5, "MDA 2010 PR5: uptake falls by >= 50 %", gt=0, lt=1)
    pd_uptake_rise: float = _known(0.25, "MDA 2010 PD3: uptake rises by >= 25 %", gt=0)
    pd_absolute_mm: float = _known(0.0, "ours: MDA has no floor; RECIST 1.1 has 5 mm", ge=0)
    minimum_size_mm: float = _known(10.0, "RECIST 1.1 practice: long axis of a measurable lesion", gt=0)
    new_lesion_mm: float = _known(5.0, "ours: a smaller new focus is equivocal, it avoids a one-voxel PD", ge=0)
    progression_reference: Literal["nadir", "baseline"] = _known(
        "nadir", "RECIST 1.1 practice: smallest earlier complete visit, baseline included"
    )
    size_scope: Scope = _known(Scope.SUM, "ours: the category under the other scope is always reported beside it")
    response_share: float = _known(0.5, "ours: the table speaks of lesions in the plural", ge=0, le=1)
    flare_window_weeks: float = _known(12.0, "flare is seen 2 weeks to 3 months after treatment start; PCWG3", ge=0)
    scan_only_progression: Literal["unconfirmed", "accept"] = _known(
        "unconfirmed", "2024 guideline: bone scan alone is not used to judge response, because of flare"
    )
    scan_confirm_weeks: float = _known(6.0, "PCWG3 practice", ge=0)
    confirm_weeks: float = _known(0.0, "MDA asks for no confirmation; WHO 4, PCWG3 6", ge=0)
    modality_order: Annotated[tuple[Modality, ...], AfterValidator(_each_once)] = _known(
        (Modality.CT, Modality.MR, Modality.XR, Modality.PT, Modality.NM), "ours: which modality speaks first"
    )
    visit_window_days: int = _known(14, "ours: images at most this far apart are one visit", ge=0, le=366)
    oligo_max_lesions: int = _known(5, "usual definition of oligometastatic disease", ge=1)
    treated_lesions: TreatedLesions = _known("exclude", "ours: a local treatment changes its lesion locally")
    reader: str = _known(
        "", "whose statements count where several readers made some; blank = the latest, at one time the first by name"
    )
    censor_at: Literal["last_visit", "therapy_stop", "new_therapy"] = _known(
        "last_visit",
        "nothing counts after this; progression-free time without event ends at the last evaluable visit until then",
    )
    death: Literal["event", "censor"] = _known("event", "usual definition of progression-free survival")
    size_sequence_order: Annotated[tuple[MrSequence, ...], AfterValidator(_each_once)] = _known(
        (MrSequence.T1, MrSequence.STIR, MrSequence.T2),
        "ours: MR size comes from the first of these present at both visits",
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ImageSettings:
    """How images become measurements (`[image]`). All cut-offs are operational definitions of ours."""

    smoothing_sigma_mm: float = _known(1.5, "ours: scale at which a voxel is called lytic or sclerotic", gt=0)
    lytic_robust_sd: float = _known(2.0, "ours: lytic = below reference median - factor x robust SD", gt=0)
    lytic_minimum_hu: float = _known(40.0, "ours: least distance below the reference", gt=0)
    lytic_minimum_osteoporotic_hu: float = _known(25.0, "ours: the same where the reference is osteoporotic", gt=0)
    lytic_minimum_share: float = _known(0.25, "ours: there at most this share of the reference", gt=0, lt=1)
    osteoporotic_below_hu: float = _known(100.0, "ours: L1 is 89 +/- 38 HU at >= 90 years (PubMed 25884703)")
    sclerotic_robust_sd: float = _known(3.0, "ours: sclerotic = above reference median + factor x robust SD", gt=0)
    sclerotic_minimum_hu: float = _known(
        100.0, "ours; untreated blastic metastases 654 +/- 176 HU, sclerotic 444 +/- 87 (PubMed 30912719)", gt=0
    )
    type_majority: float = _known(0.5, "ours: a lesion is of a type when that class holds this share", gt=0, le=1)
    type_minority: float = _known(0.2, "ours: and the other class holds less than this share", ge=0, le=1)
    complete_fill_in: float = _known(0.95, "ours, CR1: share of the baseline lytic volume no longer lytic", gt=0, le=1)
    complete_fill_in_sclerotic: float = _known(0.5, "ours, CR1: share of it that is sclerotic", gt=0, le=1)
    partial_fill_in: float = _known(0.25, "ours, PR1: share of the baseline lytic volume now sclerotic", gt=0, le=1)
    rim_fraction: float = _known(0.5, "ours, PR1: share of boundary directions with a sclerotic rim", gt=0, le=1)
    rim_fraction_rise: float = _known(0.3, "ours, PR1: the rim is new when this much above baseline", ge=0, le=1)
    rim_inside_mm: float = _known(2.0, "ours: a boundary profile starts this far inside the outline", gt=0)
    rim_outside_mm: float = _known(3.0, "ours: and ends this far outside", gt=0)
    normal_robust_sd: float = _known(1.0, "ours, CR2: median within reference +/- factor x robust SD", gt=0)
    normal_minimum_hu: float = _known(40.0, "ours, CR2: but at least this many HU", gt=0)
    normal_class_share: float = _known(0.1, "ours, CR2: fewer lytic and fewer sclerotic voxels than this", gt=0, le=1)
    normal_t1_low: float = _known(0.8, "ours, CR3: T1 signal against normal marrow, at least", gt=0)
    normal_t1_high: float = _known(1.2, "ours, CR3: T1 signal against normal marrow, at most", gt=0)
    normal_t2_high: float = _known(1.2, "ours, CR3: T2 or STIR signal against normal marrow, at most", gt=0)
    normal_opposed_in: float = _known(
        0.8, "CR3: opposed/in phase below this; benign 0.78 +/- 0.15, pathologic 1.05 +/- 0.15 (RSNA 2004)", gt=0
    )
    normal_uptake: float = _known(1.2, "ours, CR4: uptake against reference bone, at most", gt=0)
    normal_contrast_left: float = _known(
        0.5, "ours, CR2: at most this share of the baseline's distance from reference bone is left", gt=0, le=1
    )
    normal_focus_mm: float = _known(4.0, "ours, CR2: no lytic focus this large is left; 6 mm read 4.6 mm", gt=0)
    reference_minimum_voxels: int = _known(100, "ours: fewer voxels of reference bone are no reference", ge=1)
    reference_radius_mm: float = _known(30.0, "ours: reference bone is sought this near the lesion", gt=0)
    reference_margin_mm: float = _known(4.0, "ours: reference bone keeps this distance from every lesion", ge=0)
    reference_erosion_mm: float = _known(2.5, "ours: trabecular bone lies this deep under the cortex", ge=0)
    reference_change_hu: float = _known(50.0, "ours: reference bone further off what it was is other bone", gt=0)
    voltage_change_kv: float = _known(20.0, "ours: 100 and 140 kV differ by 13 % in bone (AAPM 2026, 1859)", ge=0)
    metal_hu: float = _known(2500.0, "ours: metal; dense cortex stays below 2000 HU, CT numbers end at 3071", le=30000)
    metal_reach_mm: float = _known(20.0, "ours: metal this near in its planes may streak through a lesion", ge=0)
    cement_hu: float = _known(1500.0, "ours: cement; enostoses have 1190 +/- 239 HU (PubMed 27101076)", le=30000)
    cement_share: float = _known(0.05, "ours: with this much more cement than before it was filled", gt=0, le=1)
    cortex_hu: float = _known(250.0, "ours: cortical bone, used only to find bone, never to judge a lesion")
    mask_fraction: float = _known(
        0.5, "ours: a voxel of a fractional DICOM SEG is lesion from this share of the maximum upwards", gt=0, le=1
    )
    outline_sigma_pixels: float = _known(1.3, "ours: scale at which the mask is smoothed to find its outline", gt=0)
    outline_tie_pixels: float = _known(
        0.1, "ours: slices this near the greatest diameter are as long; the longer perpendicular decides", ge=0
    )
    axis_tie_pixels: float = _known(
        0.5, "ours: diameters this near the greatest one, turned by < 20 degrees, share in its direction", gt=0
    )
    outline_least_depth: float = _known(
        0.1, "ours: the smoothed mask is kept this far above 0.5 inside and below it outside", gt=0, lt=0.5
    )
    measuring_plane: MeasuringPlane = _known(
        "acquisition", "ours: RECIST 1.1 measures in the plane of acquisition; another on grids of nearly cubic voxels"
    )
    measuring_anisotropy: float = _known(
        2.0, "ours: nearly cubic = the longest side of a voxel is at most this many times the shortest", ge=1
    )
    plane_turn_degrees: float = _known(
        30.0, "ours: acquisition planes turned by more than this show other diameters of one lesion", gt=0, le=90
    )
    plane_spacing_change: float = _known(
        1.5, "ours: planes that differ by this factor between two visits cut a small lesion differently", gt=1
    )
    planes_across: float = _known(
        2.0, "ours: then a lesion must be this many of the wider planes long to be compared in size", gt=0
    )
    density_planes: float = _known(2.5, "ours: density is judged in balls this many planes across", gt=0)
    doubt_focus_share: float = _known(
        0.5, "ours: nor is it new when a lytic focus of this share of its diameter lay there at baseline", gt=0, le=1
    )
    field_of_view_share: float = _known(
        0.9, "ours: a place is in view when the image shows this share of it", gt=0, le=1
    )
    visible_share: float = _known(
        0.9, "ours: a later lesion was there at baseline when this share of it was abnormal in the same way", gt=0, le=1
    )
    grown_share: float = _known(
        0.5,
        "ours: with less than this it is new, or has grown by 25 % (1.25^3 = 1.95 in volume): PD both ways",
        gt=0,
        le=1,
    )
    registration: Literal["own", "elastix"] = _known(
        "own", "ours, decision 5; elastix: itk-elastix finds the motion of CT on CT, trust is judged as for ours"
    )
    registration_trust_mm: float = _known(
        5.0, "ours: a registration with a larger estimated error is not trusted", gt=0
    )
    registration_least_overlap: float = _known(
        0.25, "ours: share of the bone, of the image with less of it, that both images show", gt=0, le=1
    )
    registration_least_likeness: float = _known(
        0.6, "ours: correlation of HU from which on 40 mm of bone look alike in two images", gt=0, lt=1
    )
    registration_alike_share: float = _known(
        0.8,
        "ours: share of the bone that must look alike; moved arms left 0.92, one vertebra off up to 0.76",
        gt=0,
        le=1,
    )
    registration_least_correlation: float = _known(
        0.75, "ours: of HU near bone; one body moved 0.88-1.0, other bodies up to 0.61 in the shared images", gt=0, lt=1
    )
    registration_bone_on_bone: float = _known(
        0.85, "ours: share of bone laid on bone; one body moved 0.95-1.0, other bodies up to 0.74", gt=0, le=1
    )
    registration_rival_margin: float = _known(
        0.02, "ours: how much worse the second best place must fit, in correlation; vertebrae look alike", ge=0, lt=1
    )
    registration_mirror_errors: float = _known(
        3.5,
        "ours: standard errors by which images must fit better than with left and right swapped, decision 5",
    )
    registration_clear_correlation: float = _known(
        0.95, "ours: of HU near bone, from which on a CT that fits its mirror image as well is trusted", gt=0, lt=1
    )
    registration_least_bits: float = _known(
        0.25, "ours: mutual information that MR with MR, or with CT, must reach where they are laid on each other", gt=0
    )
    registration_information_trust_mm: float = _known(
        3.0, "ours: parts of the body fitted by themselves must agree within this where one image is MR", gt=0
    )
    matching_reach_mm: float = _known(8.0, "ours: how far apart two outlines of one lesion may lie", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Uncertainty:
    """How far two measurements of one unchanged lesion lie apart (`[uncertainty]`)."""

    readers: Literal["one", "two"] = _known("one", "whether one reader measured both visits")
    relative_sd_one_reader: float = _known(
        0.061, "SD of a diameter as a share of it, one reader (Yoon 2016, PubMed 26687017)", ge=0, lt=1
    )
    relative_sd_two_readers: float = _known(
        0.086, "the same where two readers measured (Yoon 2016, PubMed 26687017)", ge=0, lt=1
    )
    absolute_sd_mm: float = _known(0.6, "and in mm whatever the size (Revel 2004)", ge=0)
    diameter_correlation: float = _known(0.5, "ours: of the errors of a lesion's two diameters", ge=-1, le=1)
    uptake_relative_sd: float = _known(0.10, "ours: of an uptake ratio; +25 % alone is inside its noise", ge=0, lt=1)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Mda2004:
    """MD Anderson criteria of 2004, which print no percentages (`[mda2004]`)."""

    mda2004_tolerance: float = _known(
        0.10, "ours: a change of the sum of diameters of at least this counts as larger or as regression", gt=0, lt=1
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Who:
    """WHO 1979, on the product of diameters (`[who]`); UICC uses the same limits."""

    pr_product_fall: float = _known(0.5, "WHO handbook 1979; Miller 1981", gt=0, lt=1)
    pd_product_rise: float = _known(0.25, "WHO handbook 1979: of one or more lesions", gt=0)
    confirm_weeks: float = _known(4.0, "WHO handbook 1979: CR and PR are confirmed at >= 4 weeks", ge=0)
    minimum_mm: float = _known(
        0.0, "ours: WHO prints no least size; baseline lesions from this long axis are in the sum", ge=0
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Uicc:
    """UICC (`[uicc]`)."""

    modalities: Annotated[tuple[Modality, ...], AfterValidator(_each_once)] = _known(
        (Modality.XR,), "UICC reads bone on radiographs; others may be added"
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Recist11:
    """RECIST 1.1 (`[recist11]`; Eisenhauer 2009)."""

    pr_fall: float = _known(0.3, "sum of diameters against baseline", gt=0, lt=1)
    pd_rise: float = _known(0.2, "sum of diameters against nadir", gt=0)
    pd_absolute_mm: float = _known(5.0, "and at least this many mm", ge=0)
    target_mm: float = _known(10.0, "longest diameter of a target lesion, or of a bone's soft-tissue component", gt=0)
    node_target_mm: float = _known(15.0, "short axis of a target node", gt=0)
    node_normal_mm: float = _known(10.0, "a node below this short axis counts as gone", gt=0)
    node_growth_mm: float = _known(
        5.0,
        "ours: a node normal at baseline is new from node_normal_mm on, having grown by this; EORTC warns of 9 to 11",
        ge=0,
    )
    maximum_targets: int = _known(5, "targets chosen where no reader names them", ge=1)
    maximum_targets_per_organ: int = _known(2, "of these in one organ; bone is one, nodes are another", ge=1)
    nontarget_rise: float = _known(
        0.0, "ours: measured rise of the non-targets' sum that is unequivocal; 0 = only a reader can say so", ge=0
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Irecist:
    """iRECIST (`[irecist]`; Seymour 2017); limits of size are those of RECIST 1.1."""

    confirm_from_weeks: float = _known(4.0, "iUPD is confirmed by a visit at least this much later", ge=0)
    confirm_to_weeks: float = _known(
        8.0, "and usually not later than this; later visits are taken with a warning", ge=0
    )
    further_in: Literal["any", "same"] = _known(
        "any", "Seymour 2017: further growth of targets or non-targets confirms; same = only of those that made iUPD"
    )
    further_mm: float = _known(5.0, "further rise of the target sum or of the new lesions' sum that confirms", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Percist:
    """PERCIST 1.0 (`[percist]`; Wahl 2009), on SULpeak of the hottest lesion."""

    pmr_fall: float = _known(0.3, "fall of SULpeak against baseline", gt=0, lt=1)
    pmd_rise: float = _known(0.3, "rise of SULpeak against its lowest earlier value", gt=0)
    absolute_sul: float = _known(0.8, "and at least this many SUL units, fall or rise", ge=0)
    tlg_rise: float = _known(0.75, "rise of total lesion glycolysis above this is PMD", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Eortc:
    """EORTC 1999 (`[eortc]`; Young 1999), on the SUV of the same lesions."""

    pmr_fall: float = _known(0.25, "fall of the summed SUVmax; 0.15 after one cycle in some prints", gt=0, lt=1)
    pmd_rise: float = _known(0.25, "rise of the summed SUVmax above this", gt=0)
    reappeared_suv: float = _known(0.0, "ours: from a lowest earlier sum of 0, a sum above this is new uptake", ge=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Pcwg3:
    """PCWG3, bone scan (`[pcwg3]`; Scher 2016)."""

    new_foci: int = _known(2, "new foci that make a scan suspicious, and that confirm it", ge=1)
    confirm_weeks: float = _known(6.0, "a scan confirms another when it is at least this much later", ge=0)


_NOT_ABOVE = (
    ("irecist.confirm_from_weeks", "irecist.confirm_to_weeks"),
    ("recist11.node_normal_mm", "recist11.node_target_mm"),
    ("image.lytic_minimum_osteoporotic_hu", "image.lytic_minimum_hu"),
    ("image.type_minority", "image.type_majority"),
    ("image.partial_fill_in", "image.complete_fill_in"),
    ("image.complete_fill_in_sclerotic", "image.complete_fill_in"),
    ("image.normal_t1_low", "image.normal_t1_high"),
    ("image.grown_share", "image.visible_share"),
)
"""Settings that contradict each other where the first is above the second."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Settings:
    """All settings of one run. `from_toml` reads a file; every section and key may be left out."""

    policy: Policy = Field(default_factory=Policy)
    image: ImageSettings = Field(default_factory=ImageSettings)
    uncertainty: Uncertainty = Field(default_factory=Uncertainty)
    mda2004: Mda2004 = Field(default_factory=Mda2004)
    who: Who = Field(default_factory=Who)
    uicc: Uicc = Field(default_factory=Uicc)
    recist11: Recist11 = Field(default_factory=Recist11)
    irecist: Irecist = Field(default_factory=Irecist)
    percist: Percist = Field(default_factory=Percist)
    eortc: Eortc = Field(default_factory=Eortc)
    pcwg3: Pcwg3 = Field(default_factory=Pcwg3)

    def __post_init__(self) -> None:
        for low, high in _NOT_ABOVE:
            least, most = self._value(low), self._value(high)
            if least > most:
                told = {"key": low, "value": least, "other": high, "limit": most}
                raise PydanticCustomError(CONTRADICTION, "above {other}, which is {limit}", told)

    def _value(self, key: str) -> float:
        section, _, name = key.partition(".")
        value: float = getattr(getattr(self, section), name)
        return value

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """The settings in a TOML file.

        Raises `SettingsError` naming file, line and the first key that is unknown, of a wrong type, out of bounds, or
        in contradiction to another.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            sections = tomllib.loads(text)
        except OSError as error:
            raise SettingsError(
                "the settings file cannot be read", where=str(path), way_out=f"check the path ({error.strerror})"
            ) from error
        except UnicodeDecodeError as error:
            raise SettingsError("not a text file in UTF-8", where=str(path), way_out=EVERYTHING) from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"not TOML: {error}", where=str(path), way_out="mend the line named") from error
        except (RecursionError, ValueError) as error:
            what = "not TOML: nested too deeply" if isinstance(error, RecursionError) else f"not TOML: {error}"
            raise SettingsError(what, where=str(path), way_out=EVERYTHING) from error
        return cls._checked(sections, path=str(path), text=text)

    @classmethod
    def from_mapping(cls, sections: dict[str, Any]) -> Settings:
        """The settings in a dictionary of sections, as TOML gives it. Raises `SettingsError`."""
        return cls._checked(sections)

    @classmethod
    def _checked(cls, sections: dict[str, Any], *, path: str = "", text: str = "") -> Settings:
        """The settings, where they are from; a fault is told by its key, and by its line where there is a text."""
        try:
            return TypeAdapter(cls).validate_python(sections)
        except ValidationError as error:
            raise as_settings_error(error, known=Settings().as_mapping(), path=path, text=text) from error

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, as run.json records them."""
        return {section: _plain(values) for section, values in asdict(self).items()}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(map(str, value)) if isinstance(value, tuple) else value for key, value in values.items()}
