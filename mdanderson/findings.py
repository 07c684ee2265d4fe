"""What is stated about a lesion on a date, by a measurement or by a reader, before any criteria judge it.

Facts only: no threshold is applied here. `None` means not assessed or not applicable; the sentence `why` says which.
Standard library only, so that a reader's table needs no image and no array.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import isfinite
from operator import attrgetter

from mdanderson.errors import MeasurementError
from mdanderson.vocabulary import (
    Alignment,
    Basis,
    Collapse,
    EventKind,
    LesionType,
    Modality,
    Pain,
    Posterolateral,
    Status,
)

__all__ = ["DEATH", "Density", "Event", "Examination", "LesionFinding", "PatientFacts", "Statement", "Structure"]

DEATH = "death"
"""The kind of the event that a death is, where what happened to a patient is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Density:
    """How dense a lesion's place is, against the patient's own bone in the same image (CT, radiograph).

    Fractions are shares of the lesion's volume (0-1). `reference_hu` is the median and `reference_sd_hu` the robust SD
    of the reference bone; both are None, and so are the classes, when no valid reference was found, or where the images
    do not show density alike: `why` says so in words.
    `fill_in_fraction`: share of the *baseline* lytic volume that is sclerotic now; `cleared_fraction`: share of it that
    is no longer lytic; both None at baseline and where the lesion was not lytic. `rim_fraction`: share of boundary
    directions with a sclerotic rim round a core that is still lytic. `lytic_focus_mm`: diameter of a ball of the volume
    of the largest lytic part that hangs together, 0 where there is none. `sd_hu`: spread of the lesion's own voxels.
    """

    mean_hu: float
    median_hu: float
    reference_hu: float | None = None
    reference_sd_hu: float | None = None
    reference_source: str = ""
    reference_voxels: int = 0
    why: str = ""
    lytic_fraction: float | None = None
    sclerotic_fraction: float | None = None
    fill_in_fraction: float | None = None
    cleared_fraction: float | None = None
    rim_fraction: float | None = None
    lytic_focus_mm: float | None = None
    sd_hu: float | None = None

    def __post_init__(self) -> None:
        _check_numbers(self, "density", _DENSITY_NUMBERS, least=None)
        _check_numbers(self, "density", _DENSITY_SHARES, least=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """What a reader says of the bone round a lesion, for SINS and Mirels; None = not said.

    bone_share: share of the bone's diameter that the lesion takes (0-1).
    """

    pain: Pain | None = None
    alignment: Alignment | None = None
    collapse: Collapse | None = None
    posterolateral: Posterolateral | None = None
    bone_share: float | None = None

    def __post_init__(self) -> None:
        _check_numbers(self, "structure", ("bone_share",), least=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What a reader states about one lesion in one examination (a row of reads.csv). Blank or None = not stated.

    The lesion is named by `lesion_id`, by its `label` in that examination's mask, or by both, which ties them together.
    `row`: as a spreadsheet counts, to name it in a problem. `time`: when it was stated; the latest counts.
    `adjudicates`: it settles what readers differ about, and wins over them whenever they spoke.
    `fault`: why it cannot be used; what it could decide stays open, at any visit where `date` is the least there is, in
    any modality where `of_any_modality`. One that names no lesion says that there is a new metastasis.
    """

    date: dt.date
    modality: Modality
    sequence: str = ""
    lesion_id: str = ""
    label: str = ""
    reader: str = ""
    time: str = ""
    row: int = 0
    codes: frozenset[str] = frozenset()
    new: bool | None = None
    target: bool | None = None
    node: bool | None = None
    measurable: bool | None = None
    lesion_type: LesionType | None = None
    soft_tissue_mm: Decimal | None = None
    site: str = ""
    laterality: str = ""
    structure: Structure | None = None
    comment: str = ""
    adjudicates: bool = False
    fault: str = ""
    of_any_modality: bool = False

    def __post_init__(self) -> None:
        _check_numbers(self, f"reads row {self.row}", ("soft_tissue_mm",), least=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to the patient on a day (a row of events.csv). site: where, blank = not said."""

    date: dt.date
    kind: EventKind | str
    site: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionFinding:
    """One lesion in one image at one visit: a row of lesions.csv before it is judged.

    Raises `MeasurementError` for numbers that are not finite, and for sizes, ratios and uptakes below zero.
    Axes are decimals as written in a table, or as measured and rounded to 0.01 mm; 0 mm says that the lesion is gone.
    `outline_*_mm` are the axes as drawn, a sclerotic rim left out of `long_axis_mm` included (docs/details.md, detail
    26); `parents_*_mm` those at baseline of the union of a merge's `parents`, measured as one region (detail 27).
    `maybe_new`: first segmented after baseline, and the baseline image cannot tell whether it was there; of a table:
    listed at baseline without any finding. `stated_new`: a reader calls it new in so many words.
    `measurable`, `target`, `node`, `soft_tissue_mm` (extent of a soft-tissue component) and `reader_codes` (rule codes
    such as PR4) are a reader's statements; `reader` made them. `suv_peak` is lean-body-mass corrected (SULpeak).
    `adc_um2_s` (mean apparent diffusion coefficient, with its change since baseline) and `fat_fraction` (0-1) decide
    nothing; `evidence` says in words what stands beside the rows.
    `reference_source`: what signal or uptake is a ratio to, or why there is no ratio.
    `site_source`: how `site` was found where no table gave it: overlap with a bone mask, and how much.
    `place`: the file and row it was read from, to be named in a problem; blank for an image.
    """

    lesion_id: str
    status: Status
    modality: Modality
    date: dt.date
    visit: str = ""
    sequence: str = ""
    label: str = ""
    site: str = ""
    laterality: str = ""
    site_source: str = ""
    basis: Basis = Basis.MEASURED
    lesion_type: LesionType | None = None
    measurable: bool | None = None
    target: bool | None = None
    node: bool | None = None
    soft_tissue_mm: Decimal | None = None
    structure: Structure | None = None
    reader: str = ""
    comment: str = ""
    long_axis_mm: Decimal | None = None
    short_axis_mm: Decimal | None = None
    outline_long_axis_mm: Decimal | None = None
    outline_short_axis_mm: Decimal | None = None
    parents_long_axis_mm: Decimal | None = None
    parents_short_axis_mm: Decimal | None = None
    volume_ml: float | None = None
    density: Density | None = None
    signal_ratio: float | None = None
    uptake_ratio: float | None = None
    suv_max: float | None = None
    suv_peak: float | None = None
    tlg: float | None = None
    metabolic_volume_ml: float | None = None
    adc_um2_s: float | None = None
    adc_change_fraction: float | None = None
    fat_fraction: float | None = None
    reference_source: str = ""
    evidence: str = ""
    reader_codes: frozenset[str] = frozenset()
    parents: tuple[str, ...] = ()
    treated: bool = False
    maybe_new: bool = False
    stated_new: bool = False
    centroid_lps_mm: tuple[float, float, float] | None = None
    slice_number: int | None = None
    registration_error_mm: float | None = None
    why: str = ""
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _check_numbers(self, f"lesion {self.lesion_id}", _LESION_NUMBERS, least=0)

    @classmethod
    def without_outline(
        cls,
        lesion_id: str,
        status: Status,
        why: str,
        *,
        modality: Modality,
        date: dt.date,
        visit: str = "",
        sequence: str = "",
        basis: Basis = Basis.MEASURED,
        density: Density | None = None,
        parents: tuple[str, ...] = (),
        treated: bool = False,
        registration_error_mm: float | None = None,
    ) -> LesionFinding:
        """A lesion that has no outline of its own here, so no axes; `why` must say so. `density`: of its place."""
        return cls(
            lesion_id=lesion_id,
            status=status,
            modality=modality,
            date=date,
            visit=visit,
            sequence=sequence,
            basis=basis,
            density=density,
            parents=parents,
            treated=treated,
            registration_error_mm=registration_error_mm,
            why=why,
        )

    @property
    def is_silent(self) -> bool:
        """Whether nothing can be said of the lesion: not segmented though visible, ambiguous, or not evaluable."""
        status = self.status
        return status is Status.MISSING or status is Status.AMBIGUOUS or status is Status.NOT_EVALUABLE

    @property
    def is_gone(self) -> bool:
        """Whether it says that nothing is left."""
        return self.status is Status.RESOLVED or self.long_axis_mm == 0

    @property
    def is_seen(self) -> bool:
        """Whether it says that a lesion is there and was judged."""
        return not (self.is_silent or self.is_gone)

    @property
    def size_mm(self) -> Decimal | None:
        """Sum of the two perpendicular diameters (MDA 2010), None when not measured."""
        return _sum(self.long_axis_mm, self.short_axis_mm)

    @property
    def outline_size_mm(self) -> Decimal | None:
        """The same for the outline as drawn, where it differs."""
        return _sum(self.outline_long_axis_mm, self.outline_short_axis_mm)

    @property
    def parents_size_mm(self) -> Decimal | None:
        """Size at baseline of what has merged into this lesion, as one region."""
        return _sum(self.parents_long_axis_mm, self.parents_short_axis_mm)

    @property
    def product_mm2(self) -> Decimal | None:
        """Product of the two perpendicular diameters (WHO)."""
        if self.long_axis_mm is None or self.short_axis_mm is None:
            return None
        return self.long_axis_mm * self.short_axis_mm


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """One modality looked at on one date, with every lesion known so far, seen or not.

    bone_scan_index: share of the skeleton that is involved, in percent (NM). Not `evaluable` (it could not be read, or
    not be registered): its lesions say nothing; `why` says so in words.
    """

    modality: Modality
    date: dt.date
    visit: str = ""
    lesions: tuple[LesionFinding, ...] = ()
    evaluable: bool = True
    why: str = ""
    bone_scan_index: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientFacts:
    """What is known of a patient besides images (patients.csv, events.csv)."""

    patient_id: str
    treatment_start: dt.date | None = None
    last_contact: dt.date | None = None
    death_date: dt.date | None = None
    events: tuple[Event, ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=())

    @property
    def happened(self) -> tuple[Event, ...]:
        """The events, and the death as one more of them: what is shown of a patient beside the images."""
        return (*self.events, Event(date=self.death_date, kind=DEATH)) if self.death_date else self.events


_DENSITY_NUMBERS = ("mean_hu", "median_hu", "reference_hu")
_DENSITY_SHARES = (
    "reference_sd_hu",
    "sd_hu",
    "lytic_fraction",
    "sclerotic_fraction",
    "fill_in_fraction",
    "cleared_fraction",
    "rim_fraction",
)
_LESION_NUMBERS = (
    "long_axis_mm",
    "short_axis_mm",
    "outline_long_axis_mm",
    "outline_short_axis_mm",
    "parents_long_axis_mm",
    "parents_short_axis_mm",
    "soft_tissue_mm",
    "volume_ml",
    "signal_ratio",
    "uptake_ratio",
    "suv_max",
    "suv_peak",
    "tlg",
    "metabolic_volume_ml",
    "adc_um2_s",
    "fat_fraction",
)


@cache
def _values_of(names: tuple[str, ...]) -> Callable[[object], tuple[float | Decimal | None, ...]]:
    """What reads these attributes of a thing."""
    first, *others = names
    return attrgetter(first, *others) if others else lambda facts: (getattr(facts, first),)


def _sum(long_axis_mm: Decimal | None, short_axis_mm: Decimal | None) -> Decimal | None:
    return None if long_axis_mm is None or short_axis_mm is None else long_axis_mm + short_axis_mm


def _check_numbers(facts: object, where: str, names: tuple[str, ...], *, least: int | None) -> None:
    """Raise `MeasurementError` for the first of the named numbers that is not finite, or is below `least`."""
    for name, value in zip(names, _values_of(names)(facts), strict=True):
        if value is not None and not (isfinite(value) and (least is None or value >= least)):
            raise MeasurementError(
                f"{name} is {value}", where=where, way_out="leave it empty where nothing could be measured"
            )
