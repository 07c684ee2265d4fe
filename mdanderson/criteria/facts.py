"""What the rows are asked about: one lesion, in one modality, at one visit, with everything known before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from mdanderson.criteria.rule import Rule
from mdanderson.findings import Density, LesionFinding
from mdanderson.vocabulary import LesionType, Modality

__all__ = ["LesionFacts", "LesionRule", "ModalityFacts", "Origin", "RuleTable", "Track"]


class Origin(StrEnum):
    """How a lesion came into the series of its modality."""

    BASELINE = "baseline"
    NEW = "new"
    KNOWN = "known"
    """There before, but not assessed then: followed, never a new metastasis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One quantity over the visits of a modality, exact, None where it is not known.

    `earlier` are the visits before, oldest first, baseline included. `least` is what is known to be there at the very
    least when `now` is not known as a whole: the assessed part of a sum.
    """

    now: Fraction | None = None
    baseline: Fraction | None = None
    earlier: tuple[Fraction | None, ...] = ()
    least: Fraction | None = None

    @property
    def nadir(self) -> Fraction | None:
        """The smallest earlier value."""
        return min((value for value in self.earlier if value is not None), default=None)

    @property
    def at_least(self) -> Fraction | None:
        """`now`, or `least` where it is not known as a whole."""
        return self.least if self.now is None else self.now

    def reference(self, name: Literal["nadir", "baseline"]) -> Fraction | None:
        """The earlier value that a rise is measured from."""
        return self.nadir if name == "nadir" else self.baseline


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionFacts:
    """One lesion at one visit.

    now, baseline: its findings, one per MR sequence, else one; no finding = nothing was said. The baseline is the
    modality's first visit, or the lesion's first sight if it came later.
    size: sum of diameters in mm; long_axis_mm: the longest of them now. uptake: ratio to reference bone.
    here: a new lesion that counts and has not gone; first_counted: for the first time.
    flare: a new or hotter lesion that is flare, not progression; settled: it was settled so at an earlier visit.
    unassessed: why nothing can be said of it. merged_into: the lesion whose finding carries the measurement of both.
    """

    lesion_id: str
    modality: Modality
    origin: Origin
    name: str = ""
    now: tuple[LesionFinding, ...] = ()
    baseline: tuple[LesionFinding, ...] = ()
    size: Track = Track()
    uptake: Track = Track()
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
        return frozenset(code for finding in self.now for code in finding.reader_codes)

    @property
    def lesion_type(self) -> LesionType | None:
        """What it was at baseline."""
        return next((finding.lesion_type for finding in self.baseline if finding.lesion_type), None)

    @property
    def density_now(self) -> Density | None:
        """How dense it is."""
        return next((finding.density for finding in self.now if finding.density), None)

    @property
    def density_at_baseline(self) -> Density | None:
        """How dense it was at baseline."""
        return next((finding.density for finding in self.baseline if finding.density), None)

    @property
    def in_sum(self) -> bool:
        """Whether it is one of the baseline lesions that the sum of diameters is made for."""
        return self.origin is Origin.BASELINE and self.measurable


LesionRule = Rule[LesionFacts]
RuleTable = Sequence[LesionRule]


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
