"""One modality at one visit, judged: its category, and what its lesions amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from mdanderson.criteria.facts import ModalityFacts, Origin
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.rule import MEASURES, Measure, Words
from mdanderson.quantities import add_up
from mdanderson.vocabulary import Category, Modality

__all__ = ["JudgedModality", "JudgedVisit"]


@dataclass(frozen=True, kw_only=True)
class JudgedModality:
    """One modality at one visit. total: the sum of the measurable lesions, judged as if it were one lesion.

    scope_matters: its category may be another under the other size scope. flare_settled: it was suspected to be flare,
    and a later visit has decided.
    """

    facts: ModalityFacts
    category: Category
    lesions: tuple[JudgedLesion, ...] = ()
    total: JudgedLesion | None = None
    size_category: Category | None = None
    rules: tuple[str, ...] = ()
    words: Words = field(default="", compare=False)
    unconfirmed: bool = False
    flare: bool = False
    flare_settled: bool = False
    scope_matters: bool = False
    exclude_treated: bool = True
    response_share: Fraction = Fraction(1, 2)

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return self.words if isinstance(self.words, str) else self.words()

    @property
    def modality(self) -> Modality:
        """Which modality."""
        return self.facts.modality

    @property
    def evaluable(self) -> bool:
        """Whether it says anything of the course."""
        return self.category not in {Category.NE, Category.BL}

    @property
    def counted(self) -> tuple[JudgedLesion, ...]:
        """The lesions whose course is the disease's, not that of a local treatment."""
        if not self.exclude_treated:
            return self.lesions
        return tuple(lesion for lesion in self.lesions if not lesion.facts.treated)

    @property
    def size_sum_mm(self) -> Fraction | None:
        """Sum of diameters of the measurable lesions, None where there are none or one is not assessed."""
        if self.total is not None:
            return self.total.facts.size.now
        sizes = [lesion.facts.size.now for lesion in self.counted if self.facts.is_baseline and lesion.facts.in_sum]
        return add_up(sizes)

    @cached_property
    def expected(self) -> tuple[JudgedLesion, ...]:
        """The lesions that this visit should speak of."""
        return tuple(lesion for lesion in self.lesions if lesion.facts.origin is not Origin.NEW)

    @cached_property
    def progressing(self) -> frozenset[str]:
        """Lesions that progress, new ones included."""
        return frozenset(lesion.facts.lesion_id for lesion in self.counted if lesion.category is Category.PD)

    @cached_property
    def responding(self) -> frozenset[str]:
        """Baseline lesions that respond."""
        return frozenset(
            lesion.facts.lesion_id
            for lesion in self.counted
            if lesion.category.is_response and lesion.facts.origin is Origin.BASELINE
        )

    @property
    def new(self) -> frozenset[str]:
        """New lesions that are there, unless an earlier flare explained them."""
        return frozenset(
            lesion.facts.lesion_id for lesion in self.lesions if lesion.facts.here and not lesion.facts.settled
        )

    @cached_property
    def assessed(self) -> frozenset[str]:
        """Expected lesions of which something could be said."""
        return frozenset(lesion.facts.lesion_id for lesion in self.expected if lesion.assessed)

    def sub_category(self, measure: Measure) -> Category | None:
        """What one measure says by itself over all counted baseline lesions."""
        if measure is Measure.SIZE and self.size_category is not None:
            return self.size_category
        if measure not in MEASURES[self.modality]:
            return None
        known = [lesion.sub_category(measure) for lesion in self.counted if lesion.facts.origin is not Origin.NEW]
        said = [category for category in known if category is not None]
        if not said:
            return None
        if Category.PD in said:
            return Category.PD
        if set(said) == {Category.CR} and len(said) == len(known):
            return Category.CR
        carrying = sum(category.is_response for category in said)
        return Category.PR if carrying and Fraction(carrying, len(said)) >= self.response_share else Category.SD


JudgedVisit = Mapping[Modality, JudgedModality]
"""Every modality of one visit."""
