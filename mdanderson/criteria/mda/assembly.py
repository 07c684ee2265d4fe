"""The lesions of one modality at one visit, put together: which of them count, what they add up to, what they do.

All of it is the same under either size scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, ModalityFacts, Origin, RuleTable
from mdanderson.criteria.mda.lesion import JudgedLesion, judge_lesion
from mdanderson.criteria.rule import Measure
from mdanderson.criteria.track import add_tracks
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Category

__all__ = ["Assembly"]


class Assembly:
    """The lesions of one modality at one visit, told apart in one walk.

    counted: whose course is the disease's, not that of a local treatment. baseline: those of them that were there then;
    in_sum: those that the sum of diameters is made for; core: which must be assessed for a category.
    expected: the lesions that this visit should speak of; assessed: those of which something could be said.
    new: new lesions that are there, unless an earlier flare explained them. progressing: new ones included.
    responding: baseline lesions that respond.
    total: the sum of the measurable lesions, judged as if it were one lesion.
    """

    def __init__(
        self,
        table: RuleTable,
        facts: ModalityFacts,
        lesions: Sequence[JudgedLesion],
        settings: Settings,
        *,
        any_treated: bool,
    ) -> None:
        self.table, self.facts, self.lesions, self.settings = table, facts, tuple(lesions), settings
        self.exclude_treated = any_treated and settings.policy.treated_lesions == "exclude"
        self.response_share: Fraction = exact(settings.policy.response_share)
        counted = [one for one in lesions if not one.facts.treated] if self.exclude_treated else list(lesions)
        self.counted: Sequence[JudgedLesion] = counted
        self.baseline = [lesion for lesion in counted if lesion.facts.origin is Origin.BASELINE]
        self.in_sum = [lesion for lesion in self.baseline if lesion.facts.measurable]
        self.core = self.in_sum or self.baseline
        self._name_lesions()
        judged = facts.evaluable and facts.baseline_visit is not None and not facts.is_baseline
        self.total = self._judge_sum() if judged and table.by_sum else None

    def _name_lesions(self) -> None:
        """Which lesions are expected, assessed and new; which of the counted ones progress and respond."""
        expected, assessed, new = [], [], []
        for lesion in self.lesions:
            facts = lesion.facts
            if facts.origin is not Origin.NEW:
                expected.append(facts.lesion_id)
                if lesion.assessed:
                    assessed.append(facts.lesion_id)
            if facts.here and not facts.settled:
                new.append(facts.lesion_id)
        self.expected, self.assessed, self.new = frozenset(expected), frozenset(assessed), frozenset(new)
        self.progressing = frozenset([one.facts.lesion_id for one in self.counted if one.category is Category.PD])
        self.responding = frozenset([one.facts.lesion_id for one in self.baseline if one.category in _RESPONSES])

    def speaker(self, lesion: JudgedLesion) -> JudgedLesion:
        """The lesion whose finding speaks for one that merged into it; else itself."""
        into = lesion.facts.merged_into
        return lesion if not into else next((one for one in self.counted if one.facts.lesion_id == into), lesion)

    @property
    def followed(self) -> list[JudgedLesion]:
        """The counted lesions that were there before; what merged into one of them speaks through it."""
        followed = [lesion for lesion in self.counted if lesion.facts.origin is not Origin.NEW]
        return _each_once(followed) if any(lesion.facts.merged_into for lesion in followed) else followed

    def scope_matters(self) -> bool:
        """Whether a size says more than that nothing changed, in the sum or in any lesion of it."""
        sums = [self.total] if self.total is not None else []
        return any(verdict.rule.gives is not Category.SD for one in (*sums, *self.in_sum) for verdict in one.held)

    def size_is_stated(self) -> bool:
        """Whether a reader says of each lesion in the sum what became of its size, although it has diameters.

        Without them the sum is incomplete.
        """
        return bool(self.in_sum) and all(_size_is_stated(lesion) for lesion in self.in_sum)

    def _added(self) -> list[LesionFacts]:
        """What the sum adds: each lesion of it once, merged ones by the finding that carries them."""
        added = [lesion.facts for lesion in self.in_sum]
        if not any(facts.merged_into for facts in added):
            return added
        by_id = {lesion.facts.lesion_id: lesion.facts for lesion in self.counted}
        carriers = [by_id.get(facts.merged_into, facts) for facts in added]
        return list({facts.lesion_id: facts for facts in carriers}.values())

    def _judge_sum(self) -> JudgedLesion | None:
        """The sum of diameters, asked by the same rows as a lesion; None where no lesion is measurable."""
        own = self._added()
        if not own:
            return None
        name = own[0].name if len(own) == 1 else f"sum of {len(own)} lesions"
        names = {facts.lesion_id for facts in own}
        together = names | {one.facts.lesion_id for one in self.counted if one.facts.merged_into in names}
        total = LesionFacts(
            lesion_id=name,
            name=name,
            modality=self.facts.modality,
            origin=Origin.BASELINE,
            size=add_tracks([facts.size_in_sum if facts.parted_from <= together else facts.size for facts in own]),
            sources=tuple([source for facts in own for source in facts.sources]),
            measurable=True,
        )
        return judge_lesion(self.table.size_rows, total, self.settings)


def _each_once(lesions: Sequence[JudgedLesion]) -> list[JudgedLesion]:
    names = {lesion.facts.lesion_id for lesion in lesions}
    return [lesion for lesion in lesions if lesion.facts.merged_into not in names]


_RESPONSES = (Category.CR, Category.PR)


def _size_is_stated(lesion: JudgedLesion) -> bool:
    if lesion.facts.size.whole_now is None:
        return False
    return any(verdict.basis is Basis.READER and verdict.rule.measure is Measure.SIZE for verdict in lesion.held)
