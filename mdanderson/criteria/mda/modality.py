"""One modality at one visit, judged: its category, and what its lesions amount to."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from mdanderson.criteria.facts import ModalityFacts
from mdanderson.criteria.mda.assembly import Assembly
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.rule import MEASURES, Measure, Words
from mdanderson.criteria.track import add_tracks
from mdanderson.vocabulary import Category, Modality

__all__ = ["JudgedModality", "JudgedVisit"]


class JudgedModality(NamedTuple):
    """One modality at one visit. assembly: its lesions put together.

    flare_settled: it was suspected to be flare, and a later visit has decided.
    """

    assembly: Assembly
    category: Category
    size_category: Category | None = None
    rules: tuple[str, ...] = ()
    words: Words = ""
    unconfirmed: bool = False
    flare: bool = False
    flare_settled: bool = False

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return self.words if isinstance(self.words, str) else self.words()

    @property
    def facts(self) -> ModalityFacts:
        """What the modality is worth at the visit."""
        return self.assembly.facts

    @property
    def modality(self) -> Modality:
        """Which modality."""
        return self.assembly.facts.modality

    @property
    def lesions(self) -> tuple[JudgedLesion, ...]:
        """Every lesion that it knows of, judged."""
        return self.assembly.lesions

    @property
    def total(self) -> JudgedLesion | None:
        """The sum of the measurable lesions, judged as if it were one lesion."""
        return self.assembly.total

    @property
    def evaluable(self) -> bool:
        """Whether it says anything of the course."""
        return self.category is not Category.NE and self.category is not Category.BL

    @property
    def size_sum_mm(self) -> Fraction | None:
        """Sum of diameters of the measurable lesions, None where there are none or one is not assessed."""
        if self.total is not None:
            return self.total.facts.size.now
        if not self.facts.is_baseline:
            return None
        return add_tracks([lesion.facts.size for lesion in self.assembly.in_sum]).now

    def sub_category(self, measure: Measure) -> Category | None:
        """What one measure says by itself over all counted baseline lesions."""
        if measure is Measure.SIZE and self.size_category is not None:
            return self.size_category
        if measure not in MEASURES[self.modality]:
            return None
        known = [lesion.sub_category(measure) for lesion in self.assembly.followed]
        said = [category for category in known if category is not None]
        if not said:
            return None
        if Category.PD in said:
            return Category.PD
        if set(said) == {Category.CR} and len(said) == len(known):
            return Category.CR
        carrying = sum(category.is_response for category in said)
        return (
            Category.PR if carrying and Fraction(carrying, len(said)) >= self.assembly.response_share else Category.SD
        )


JudgedVisit = Mapping[Modality, JudgedModality]
"""Every modality of one visit."""
