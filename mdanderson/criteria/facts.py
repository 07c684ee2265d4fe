"""What the rows are asked about: one lesion, in one modality, at one visit, with everything known before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Literal

from mdanderson.criteria.rule import AppliesTo, Check, Measure, Role, Rule
from mdanderson.findings import Density, LesionFinding
from mdanderson.quantities import Undefined, add_up, change, smallest
from mdanderson.vocabulary import LesionType, Modality

__all__ = [
    "NO_TRACK",
    "LesionFacts",
    "LesionRule",
    "ModalityFacts",
    "Origin",
    "RuleTable",
    "Track",
    "add_tracks",
    "unasked",
]


class Origin(StrEnum):
    """How a lesion came into the series of its modality."""

    BASELINE = "baseline"
    NEW = "new"
    KNOWN = "known"
    """There before, but not assessed then: followed, never a new metastasis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One quantity over the visits of a modality, exact, None where it is not known.

    `earlier` are the visits before, oldest first, baseline included; `nadir` is the smallest of them. `least` is what
    is known to be there at the very least when `now` is not known as a whole: the assessed part of a sum.
    """

    now: Fraction | None = None
    baseline: Fraction | None = None
    earlier: tuple[Fraction | None, ...] = ()
    least: Fraction | None = None
    nadir: Fraction | None = field(init=False)
    change_baseline: Fraction | Undefined = field(init=False)
    change_nadir: Fraction | Undefined = field(init=False)

    def __post_init__(self) -> None:
        nadir = smallest(self.earlier)
        from_baseline = change(self.now, self.baseline)
        same = nadir is self.baseline or nadir == self.baseline
        from_nadir = from_baseline if same else change(self.now, nadir)
        object.__setattr__(self, "nadir", nadir)
        object.__setattr__(self, "change_baseline", from_baseline)
        object.__setattr__(self, "change_nadir", from_nadir)

    @property
    def first(self) -> int:
        """The visit that gave the first value that counts; 0 where none before does (what was settled as flare)."""
        return next((index for index, value in enumerate(self.earlier) if value is not None), 0)

    @property
    def at_least(self) -> Fraction | None:
        """`now`, or `least` where it is not known as a whole."""
        return self.least if self.now is None else self.now

    def reference(self, name: Literal["nadir", "baseline"]) -> Fraction | None:
        """The earlier value that a rise is measured from."""
        return self.nadir if name == "nadir" else self.baseline

    def change_from(self, name: Literal["nadir", "baseline"]) -> Fraction | Undefined:
        """Relative change from that value."""
        return self.change_nadir if name == "nadir" else self.change_baseline


NO_TRACK = Track()
"""Nothing known at any visit."""


def add_tracks(tracks: Sequence[Track]) -> Track:
    """Tracks added visit by visit; a visit where one is unknown is unknown. `least` adds what is known now."""
    if not tracks:
        return Track()
    known = [track.now for track in tracks if track.now is not None]
    least = add_up(known) or Fraction(0)
    return Track(
        now=least if len(known) == len(tracks) else None,
        least=least,
        baseline=add_up(track.baseline for track in tracks),
        earlier=tuple(add_up(visit) for visit in zip(*(track.earlier for track in tracks), strict=True)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionFacts:
    """One lesion at one visit.

    now, baseline: its findings, one per MR sequence, else one; no finding = nothing was said. The baseline is the
    modality's first visit, or the lesion's first sight if it came later.
    size: sum of diameters in mm, in one MR sequence; long_axis_mm: the longest now. uptake: ratio to reference bone.
    parted_sizes: see `size_in_sum`. here: a new lesion that counts and has not gone; first_counted: for the first time.
    flare: a new or hotter lesion that is flare, not progression; settled: it was settled so at an earlier visit.
    unassessed: why nothing can be said of it. merged_into: the lesion whose finding carries the measurement of both.
    """

    lesion_id: str
    modality: Modality
    origin: Origin
    name: str = ""
    now: tuple[LesionFinding, ...] = ()
    baseline: tuple[LesionFinding, ...] = ()
    size: Track = NO_TRACK
    uptake: Track = NO_TRACK
    parted_sizes: Mapping[int, Fraction | None] = field(default_factory=dict)
    sequence: str = ""
    long_axis_mm: Fraction | None = None
    measurable: bool = False
    treated: bool = False
    first_counted: bool = False
    here: bool = False
    equivocal: bool = False
    gone: bool = False
    flare: bool = False
    settled: bool = False
    unassessed: str = ""
    merged_into: str = ""

    @property
    def reader_codes(self) -> frozenset[str]:
        """The rows that a reader states for it at this visit."""
        if len(self.now) == 1:
            return self.now[0].reader_codes
        return frozenset(code for finding in self.now for code in finding.reader_codes)

    @property
    def lesion_type(self) -> LesionType | None:
        """What it was at baseline."""
        for finding in self.baseline:
            if finding.lesion_type is not None:
                return finding.lesion_type
        return None

    @property
    def density_now(self) -> Density | None:
        """How dense it is."""
        for finding in self.now:
            if finding.density is not None:
                return finding.density
        return None

    @property
    def density_at_baseline(self) -> Density | None:
        """How dense it was at baseline."""
        return next((finding.density for finding in self.baseline if finding.density), None)

    @property
    def size_in_sum(self) -> Track:
        """Its size as the sum of diameters counts it: visits at which it was one with others count there once."""
        if not self.parted_sizes:
            return self.size
        earlier = tuple(self.parted_sizes.get(index, value) for index, value in enumerate(self.size.earlier))
        return replace(self.size, earlier=earlier)

    @property
    def in_sum(self) -> bool:
        """Whether it is one of the baseline lesions that the sum of diameters is made for."""
        return self.origin is Origin.BASELINE and self.measurable


LesionRule = Rule[LesionFacts]


class RuleTable:
    """The rows of one set that are asked of lesions, findable by role and by the kind of lesion they are for.

    by_sum: whether measurable lesions speak through the sum of their diameters, or each by itself.
    """

    def __init__(self, rows: Iterable[LesionRule], *, by_sum: bool = True) -> None:
        self.rows, self.by_sum = tuple(rows), by_sum
        self.order = {rule.code: position for position, rule in enumerate(self.rows)}
        self._roles = {(rule.role, modality): rule for rule in self.rows if rule.role for modality in rule.modalities}
        self._asked: dict[tuple[Modality, bool, bool, bool, bool], tuple[LesionRule, ...]] = {}

    def __iter__(self) -> Iterator[LesionRule]:
        return iter(self.rows)

    def role(self, role: Role, modality: Modality) -> LesionRule | None:
        """The row of this role in a modality; None when the table has none."""
        return self._roles.get((role, modality))

    def code(self, role: Role, modality: Modality) -> str:
        """Its code; blank when the table has none."""
        rule = self.role(role, modality)
        return "" if rule is None else rule.code

    @cached_property
    def size_rows(self) -> RuleTable:
        """The rows that look at size, which the sum of diameters is asked by as well."""
        return RuleTable(rule for rule in self.rows if rule.measure is Measure.SIZE)

    def asked_of(self, facts: LesionFacts) -> tuple[LesionRule, ...]:
        """The rows whose answer depends on what was found of such a lesion in such an image."""
        key = (
            facts.modality,
            facts.measurable,
            facts.lesion_type is LesionType.LYTIC,
            facts.origin is Origin.NEW,
            facts.gone or facts.density_now is not None,
        )
        rows = self._asked.get(key)
        if rows is None:
            rows = self._asked[key] = tuple(rule for rule in self.rows if unasked(rule, facts) is None)
        return rows


_OF_THE_PATIENT = (Role.FLARE, Role.NO_NEW_LESION)
"""Rows that speak of all lesions together, asked where these are known."""


def unasked(rule: LesionRule, facts: LesionFacts) -> Check | None:
    """The answer of a row that need not be asked of such a lesion; None where it must."""
    if facts.modality not in rule.modalities:
        return Check.not_applicable(f"not a row of {facts.modality}")
    if rule.role in _OF_THE_PATIENT:
        return Check.not_applicable("asked of the patient, not of one lesion")
    if rule.applies_to is AppliesTo.MEASURABLE and not facts.measurable:
        return Check.not_applicable("for measurable lesions")
    if rule.applies_to is AppliesTo.NON_MEASURABLE and facts.measurable:
        return Check.not_applicable("for non-measurable lesions")
    if rule.applies_to is AppliesTo.LYTIC and facts.lesion_type is not LesionType.LYTIC:
        return Check.not_applicable("for lesions lytic at baseline")
    if rule.role is Role.NEW_LESION and facts.origin is not Origin.NEW:
        return Check.not_applicable("was there at baseline")
    if rule.measure is Measure.DENSITY and not facts.gone and facts.density_now is None:
        return Check.not_assessable("density was not measured")
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModalityFacts:
    """One modality at one visit: whether it can say anything, and what it is compared with."""

    modality: Modality
    visit: int
    baseline_visit: int | None
    evaluable: bool
    why: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether this is the visit that the modality is compared with."""
        return self.visit == self.baseline_visit
