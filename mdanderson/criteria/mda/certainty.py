"""How sure the category of size is: of a lesion, and of a modality's sum, by the errors of its diameters.

Of a bone scan's focus: the category of its uptake. None where a change is not known, and where a set knows no limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import hypot, prod

from mdanderson.criteria.facts import LesionFacts, RuleTable
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.rule import Measure
from mdanderson.criteria.said import sd_mm_of
from mdanderson.criteria.track import Line, Track
from mdanderson.settings import Settings
from mdanderson.uncertainty import CategoryLimits, CategoryProbabilities, Measured, category_probabilities
from mdanderson.vocabulary import Category, Modality, Scope

__all__ = ["Certainty", "TableLimits", "table_limits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableLimits:
    """Where a table's categories of size and of uptake begin; None where it has none."""

    size: CategoryLimits | None
    uptake: CategoryLimits | None

    @classmethod
    def of(cls, table: RuleTable, settings: Settings) -> TableLimits:
        """The limits that the rows of a table print."""
        return cls(size=_limits(table, "size", settings), uptake=_limits(table, "uptake", settings))


def _limits(table: RuleTable, measure: str, settings: Settings) -> CategoryLimits | None:
    fall, rise = f"{measure}_fall", f"{measure}_rise"
    response = next((rule for rule in table if rule.gives is Category.PR and rule.asks(fall)), None)
    progression = next((rule for rule in table if rule.gives is Category.PD and rule.asks(rise)), None)
    if response is None or progression is None or response.limit(fall, settings) >= 1:
        return None
    in_mm = {"rise_mm", "reappeared_mm"} <= {threshold.quantity for threshold in progression.thresholds}
    return CategoryLimits(
        fall=response.limit(fall, settings),
        rise=progression.limit(rise, settings),
        rise_mm=progression.limit("rise_mm", settings) if in_mm else Fraction(0),
        reappeared_mm=progression.limit("reappeared_mm", settings) if in_mm else Fraction(0),
    )


@lru_cache(maxsize=16)  # every patient of a run asks by the same
def table_limits(table: RuleTable, settings: Settings) -> TableLimits:
    """The limits that the rows of a table print."""
    return TableLimits.of(table, settings)


class Certainty:
    """How sure the categories of one patient are. histories: of the lesions, by modality and identity.

    The error of a size at a visit is the same whichever later visit is compared with it, and kept.
    """

    def __init__(
        self, histories: Mapping[Modality, Mapping[str, LesionHistory]], table: RuleTable, settings: Settings
    ) -> None:
        self.histories, self.settings = histories, settings
        self.limits = table_limits(table, settings)
        self._known: dict[tuple[Line, int], Measured] = {}

    def of_lesion(self, judged: JudgedLesion) -> CategoryProbabilities | None:
        """Of one lesion's size, or of its uptake on a bone scan, where uptake is not back to normal."""
        facts = judged.facts
        if judged.at_baseline or facts.unassessed:
            return None
        if facts.modality is not Modality.NM:
            return self._of_sizes(facts, [facts])
        if any(verdict.measure is Measure.UPTAKE for verdict in judged.fired(Category.CR)):
            return None

        def measured(ratio: int, _visit: int) -> Measured:
            return Measured.from_uptake(Fraction(ratio, facts.uptake.line.per), self.settings.uncertainty)

        return self._probabilities(facts.uptake, measured, self.limits.uptake)

    def of_modality(self, judged: JudgedModality) -> CategoryProbabilities | None:
        """Of a modality's size category: by its sum, or by every measurable lesion where each speaks for itself."""
        if judged.total is None or not judged.evaluable:
            return None
        lesions = judged.assembly.in_sum
        if self.settings.policy.size_scope is Scope.EACH:
            return _each([self.of_lesion(one) for one in lesions])
        return self._of_sizes(judged.total.facts, [one.facts for one in lesions])

    def _of_sizes(self, whole: LesionFacts, lesions: Sequence[LesionFacts]) -> CategoryProbabilities | None:
        """Of a size that some lesions make up, whose errors are independent."""
        track = whole.size

        def measured(whole: int, visit: int) -> Measured:
            key = (track.line, visit)
            if key not in self._known:
                size = Fraction(whole, track.line.per)
                self._known[key] = Measured(size=size, sd=self._sd_mm(lesions, visit, track.visit))
            return self._known[key]

        reappears = not (track.whole_baseline and track.whole_nadir)  # what was gone: by its long axis
        axis = whole.long_axis_mm if reappears else None
        longest = None if axis is None else Measured.from_diameter(axis, self.settings.uncertainty)
        return self._probabilities(track, measured, self.limits.size, longest)

    def _sd_mm(self, lesions: Sequence[LesionFacts], visit: int, now: int) -> float:
        """SD of the sizes added at a visit; lesions that merged are measured where they went, and once."""
        errors = self.settings.uncertainty
        histories = self.histories[lesions[0].modality]
        own = [(histories[facts.lesion_id], facts.sequence) for facts in lesions]
        if not own[0][0].series.has_merges:
            return hypot(*[history.size_sd_mm(visit, sequence, errors) for history, sequence in own])
        found = (one for history, sequence in own for one in history.measured(visit, now, sequence))
        return hypot(*[sd_mm_of(one, errors) for one in {id(one): one for one in found}.values()])

    def _probabilities(
        self,
        track: Track,
        measured: Callable[[int, int], Measured],
        limits: CategoryLimits | None,
        longest: Measured | None = None,
    ) -> CategoryProbabilities | None:
        """Of one quantity, by the visits that decide: now, the baseline, and what a rise is measured from."""
        size, before = track.whole_now, track.whole_baseline
        if limits is None or size is None or before is None or not track.is_comparable:
            return None
        now, baseline, reference = measured(size, track.visit), measured(before, track.first), None
        least = track.whole_reference(self.settings.policy.progression_reference)
        if least is not None and least != before:
            reference = measured(least, track.line.first_at(least))
        return category_probabilities(now, baseline, reference=reference, limits=limits, long_axis=longest)


def _each(known: Sequence[CategoryProbabilities | None]) -> CategoryProbabilities | None:
    """Any lesion's progression is progression; response asks it of all of them. Errors of lesions are independent."""
    lesions = [one for one in known if one is not None]
    if not lesions or len(lesions) < len(known):
        return None
    p_pd = 1 - prod(1 - one.p_pd for one in lesions)
    p_cr = prod(one.p_cr for one in lesions)
    p_pr = prod(one.p_cr + one.p_pr for one in lesions) - p_cr
    distances = [one.threshold_distance for one in lesions if one.threshold_distance is not None]
    return CategoryProbabilities(
        p_cr=p_cr,
        p_pr=max(p_pr, 0.0),
        p_sd=max(1 - p_cr - p_pr - p_pd, 0.0),
        p_pd=p_pd,
        threshold_distance=min(distances, default=None),
    )
