"""What the rows are asked about: one lesion, in one modality, at one visit, with everything known before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from mdanderson.criteria.rule import AppliesTo, Check, Measure, Role, Rule
from mdanderson.criteria.track import NO_TRACK, Track
from mdanderson.findings import Density, LesionFinding
from mdanderson.quantities import exact
from mdanderson.vocabulary import LesionType, Modality

__all__ = [
    "LesionFacts",
    "LesionRule",
    "ModalityFacts",
    "Origin",
    "Questions",
    "RuleTable",
    "unasked",
]


class Origin(StrEnum):
    """How a lesion came into the series of its modality."""

    BASELINE = "baseline"
    NEW = "new"
    KNOWN = "known"
    """There before, but not assessed then: followed, never a new metastasis."""


class LesionFacts(NamedTuple):
    """One lesion at one visit.

    now, baseline: its findings, one per MR sequence, else one; no finding = nothing was said. The baseline is the
    modality's first visit, or the lesion's first sight if it came later; lesion_type: what it was there.
    size: sum of diameters in mm, in one MR sequence; sources: the findings that give it, with their sequence.
    size_in_sum: as the sum of diameters counts it: visits at which it was one with others count there once.
    uptake: ratio to reference bone. here: a new lesion that counts and has not gone; first_counted: for the first time.
    left: there by the last word on it; asked of lesions treated locally, and of old foci on a bone scan.
    flare: a new or hotter lesion that is flare, not progression; settled: it was settled so at an earlier visit.
    unassessed: why nothing can be said of it. known: why it cannot be new; blank where it is, or nobody can tell.
    doubted: its name and why nobody can say whether it is new, or has come back; blank where that is known.
    merged_into: the lesion whose finding carries the measurement of both. parted_from: those it was one with before.
    """

    lesion_id: str
    modality: Modality
    origin: Origin
    name: str = ""
    now: tuple[LesionFinding, ...] = ()
    baseline: tuple[LesionFinding, ...] = ()
    lesion_type: LesionType | None = None
    size: Track = NO_TRACK
    size_in_sum: Track = NO_TRACK
    uptake: Track = NO_TRACK
    sources: tuple[tuple[tuple[LesionFinding, ...], str], ...] = ()
    measurable: bool = False
    treated: bool = False
    first_counted: bool = False
    here: bool = False
    left: bool = False
    equivocal: bool = False
    gone: bool = False
    flare: bool = False
    settled: bool = False
    unassessed: str = ""
    known: str = ""
    doubted: str = ""
    merged_into: str = ""
    parted_from: frozenset[str] = frozenset()

    @property
    def reader_codes(self) -> frozenset[str]:
        """The rows that a reader states for it at this visit; those of a merged region for each lesion in it."""
        if len(self.now) == 1 and not self.merged_into:
            return self.now[0].reader_codes
        region = self.sources if self.merged_into else ()
        found = (*self.now, *(finding for findings, _ in region for finding in findings))
        return frozenset(code for finding in found for code in finding.reader_codes)

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
    def sequence(self) -> str:
        """The MR sequence that gives its size."""
        return self.sources[0][1] if self.sources else ""

    @property
    def long_axis_mm(self) -> Fraction | None:
        """The longest of its axes now, of those that give its size."""
        axes = [
            finding.long_axis_mm
            for findings, sequence in self.sources
            for finding in findings
            if finding.sequence == sequence and finding.long_axis_mm is not None and not finding.is_silent
        ]
        return exact(max(axes)) if axes else None

    @property
    def in_sum(self) -> bool:
        """Whether it is one of the baseline lesions that the sum of diameters is made for."""
        return self.measurable and self.origin is Origin.BASELINE


LesionRule = Rule[LesionFacts]


class RuleTable:
    """The rows of one set that are asked of lesions, findable by role and by the kind of lesion they are for.

    by_sum: whether measurable lesions speak through the sum of their diameters, or each by itself.
    """

    def __init__(self, rows: Iterable[LesionRule], *, by_sum: bool = True) -> None:
        self.rows, self.by_sum = tuple(rows), by_sum
        self.order = {rule.code: position for position, rule in enumerate(self.rows)}
        self._roles = {(rule.role, modality): rule for rule in self.rows if rule.role for modality in rule.modalities}
        self._asked: dict[tuple[Modality, bool, bool, bool, bool], Questions] = {}

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

    def asked_of(self, facts: LesionFacts) -> Questions:
        """The rows whose answer depends on what was found of such a lesion in such an image."""
        key = (
            facts.modality,
            facts.measurable,
            facts.lesion_type is LesionType.LYTIC,
            facts.origin is Origin.NEW,
            facts.gone or facts.density_now is not None,
        )
        found = self._asked.get(key)
        if found is None:
            rows = [rule for rule in self.rows if unasked(rule, facts) is None]
            found = self._asked[key] = Questions.of(rows)
        return found


class Questions(NamedTuple):
    """Rows to be asked of one lesion: those that look at something, and those that hold when none of them does.

    measures: what they look at.
    """

    looking: tuple[LesionRule, ...]
    otherwise: tuple[LesionRule, ...]
    measures: frozenset[Measure]

    @classmethod
    def of(cls, rows: Iterable[LesionRule]) -> Questions:
        """Some rows, told apart."""
        given = tuple(rows)
        looking = tuple(rule for rule in given if rule.measure is not Measure.ANYTHING)
        otherwise = tuple(rule for rule in given if rule.measure is Measure.ANYTHING)
        return cls(looking, otherwise, frozenset(rule.measure for rule in given))


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


class ModalityFacts(NamedTuple):
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
