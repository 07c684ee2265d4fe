"""A row of a criteria table, and what it says of a lesion."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, Generic, NamedTuple, TypeVar

from mdanderson.quantities import Ratio, exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Category, Modality

__all__ = [
    "MEASURES",
    "AppliesTo",
    "Bound",
    "Check",
    "Comparison",
    "Level",
    "Limits",
    "Measure",
    "Outcome",
    "Role",
    "Rule",
    "Threshold",
    "Verdict",
    "Words",
    "find_row",
]

Facts = TypeVar("Facts")

Words = str | Callable[[], str]
"""A sentence, or what makes it: most sentences about numbers are never read."""


class Outcome(StrEnum):
    """What became of a row when it was asked."""

    FIRED = "fired"
    NOT_FIRED = "not_fired"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASSESSABLE = "not_assessable"


class Level(StrEnum):
    """Whether the row speaks of one lesion or of the patient."""

    LESION = "lesion"
    PATIENT = "patient"


class AppliesTo(StrEnum):
    """Which lesions the row is for."""

    ANY = "any"
    LYTIC = "lytic"
    MEASURABLE = "measurable"
    NON_MEASURABLE = "non_measurable"
    TARGET = "target"
    NON_TARGET = "non_target"
    PATIENT = "patient"


class Measure(StrEnum):
    """What the row looks at. Sub-scores are kept apart by it, because they disagree in real life."""

    SIZE = "size"
    DENSITY = "density"
    SIGNAL = "signal"
    UPTAKE = "uptake"
    PRESENCE = "presence"
    ANYTHING = "anything"


MEASURES = {
    Modality.CT: (Measure.SIZE, Measure.DENSITY),
    Modality.XR: (Measure.SIZE, Measure.DENSITY),
    Modality.MR: (Measure.SIZE, Measure.SIGNAL),
    Modality.NM: (Measure.UPTAKE,),
    Modality.PT: (Measure.UPTAKE,),
}
"""What an image of each modality measures of a lesion."""


class Role(StrEnum):
    """What a row is to the passes that judge a whole series, whatever its code."""

    NEW_LESION = "new lesion"
    NORMAL_DENSITY = "normal density"
    FLARE = "flare"
    NO_CHANGE = "no change"
    NO_NEW_LESION = "no new lesion"


class Comparison(StrEnum):
    """How a value meets its limit; the printed sign decides what happens at the limit itself."""

    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"


_COMPARE: dict[Comparison, Callable[[int, int], bool]] = {
    Comparison.AT_LEAST: operator.ge,
    Comparison.AT_MOST: operator.le,
    Comparison.ABOVE: operator.gt,
    Comparison.BELOW: operator.lt,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """One numeric condition of a row: `quantity comparison setting`, where `setting` names a field of Settings."""

    quantity: str
    comparison: Comparison
    setting: str

    @classmethod
    def at_least(cls, quantity: str, setting: str) -> Threshold:
        """Met at the limit and above."""
        return cls(quantity=quantity, comparison=Comparison.AT_LEAST, setting=setting)

    @classmethod
    def at_most(cls, quantity: str, setting: str) -> Threshold:
        """Met at the limit and below."""
        return cls(quantity=quantity, comparison=Comparison.AT_MOST, setting=setting)

    @classmethod
    def above(cls, quantity: str, setting: str) -> Threshold:
        """Met above the limit, not at it."""
        return cls(quantity=quantity, comparison=Comparison.ABOVE, setting=setting)

    @classmethod
    def below(cls, quantity: str, setting: str) -> Threshold:
        """Met below the limit, not at it."""
        return cls(quantity=quantity, comparison=Comparison.BELOW, setting=setting)

    def limit(self, settings: Settings) -> Fraction:
        """The limit in force, exactly as it is written."""
        section, _, name = self.setting.partition(".")
        return exact(getattr(getattr(settings, section), name))

    def met(self, value: Ratio, settings: Settings) -> bool:
        """Whether `value` meets the limit."""
        return self.bound(settings).met(value)

    def bound(self, settings: Settings) -> Bound:
        """The condition in force."""
        limit = self.limit(settings)
        return Bound(_COMPARE[self.comparison], limit, *limit.as_integer_ratio())


class Bound(NamedTuple):
    """A condition in force: how a value is compared with the limit, and the limit as a quotient of whole numbers."""

    compare: Callable[[int, int], bool]
    limit: Fraction
    numerator: int
    denominator: int

    def met(self, value: Ratio) -> bool:
        """Whether a value meets it. Cross-multiplied: exact, and three times as fast as comparing fractions."""
        return self.compare(value.numerator * self.denominator, self.numerator * value.denominator)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Limits:
    """Numeric conditions that go together, each asked by its quantity."""

    thresholds: tuple[Threshold, ...] = ()
    _known: dict[int, tuple[Settings, dict[str, Bound]]] = field(init=False, repr=False, default_factory=dict)

    def asks(self, quantity: str) -> bool:
        """Whether there is a condition on `quantity`."""
        return any(threshold.quantity == quantity for threshold in self.thresholds)

    def threshold(self, quantity: str) -> Threshold:
        """The condition on `quantity`. Raises `KeyError` when there is none."""
        for threshold in self.thresholds:
            if threshold.quantity == quantity:
                return threshold
        raise KeyError(quantity)

    def limit(self, quantity: str, settings: Settings) -> Fraction:
        """The limit in force on `quantity`. Raises `KeyError` when there is none."""
        return self.in_force(settings)[quantity].limit

    def met(self, quantity: str, value: Ratio, settings: Settings) -> bool:
        """Whether `value` meets the condition on `quantity`. Raises `KeyError` when there is none."""
        return self.in_force(settings)[quantity].met(value)

    def in_force(self, settings: Settings) -> Mapping[str, Bound]:
        """The conditions by quantity; kept, as a row is asked of every lesion under the same few settings."""
        known = self._known.get(id(settings))
        if known is None or known[0] is not settings:
            bounds = {one.quantity: one.bound(settings) for one in self.thresholds}
            if len(self._known) >= _SETTINGS_KEPT:
                self._known.clear()
            known = self._known[id(settings)] = (settings, bounds)
        return known[1]


_SETTINGS_KEPT = 8


class Check(NamedTuple):
    """The answer of a row to its facts; `words` are the numbers it rests on."""

    outcome: Outcome
    words: Words

    @property
    def holds(self) -> bool:
        """Whether the row holds."""
        return self.outcome is Outcome.FIRED

    @property
    def because(self) -> str:
        """The numbers it rests on, in words."""
        return self.words if isinstance(self.words, str) else self.words()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Check) and (self.outcome, self.because) == (other.outcome, other.because)

    def __hash__(self) -> int:
        return hash((self.outcome, self.because))

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the trip between processes as plain words."""
        return Check, (self.outcome, self.because)

    @classmethod
    def fired(cls, because: Words) -> Check:
        """The row holds."""
        return cls(Outcome.FIRED, because)

    @classmethod
    def not_fired(cls, because: Words) -> Check:
        """The row was asked and does not hold."""
        return cls(Outcome.NOT_FIRED, because)

    @classmethod
    def not_applicable(cls, because: Words) -> Check:
        """The row is not for such a lesion."""
        return cls(Outcome.NOT_APPLICABLE, because)

    @classmethod
    def not_assessable(cls, because: Words) -> Check:
        """A fact that the row needs is missing."""
        return cls(Outcome.NOT_ASSESSABLE, because)

    @classmethod
    def when(cls, holds: bool, because: Words) -> Check:
        """Fired or not, on the same numbers."""
        return cls(Outcome.FIRED if holds else Outcome.NOT_FIRED, because)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rule(Limits, Generic[Facts]):
    """One row of a criteria table: what it is called, what it gives, for what it is, and when it holds.

    `thresholds` are all the limits that decide the row. `holds` gets the row itself and asks each of them by its
    quantity, so that the table is the only authority; how they go together is said where `holds` is defined. `role`:
    what it is to the passes over a whole series.
    """

    code: str
    gives: Category
    modalities: frozenset[Modality]
    level: Level
    applies_to: AppliesTo
    measure: Measure
    text: str
    source: str
    holds: Callable[[Rule[Facts], Facts, Settings], Check]
    role: Role | None = None


class Verdict(NamedTuple):
    """What one row said of one lesion (or modality) at one visit."""

    rule: Rule[Any]
    check: Check
    basis: Basis = Basis.MEASURED

    @property
    def code(self) -> str:
        """The row."""
        return self.rule.code

    @property
    def gives(self) -> Category:
        """The category that the row gives."""
        return self.rule.gives

    @property
    def measure(self) -> Measure:
        """What the row looks at."""
        return self.rule.measure

    @property
    def outcome(self) -> Outcome:
        """What became of the row."""
        return self.check.outcome

    @property
    def because(self) -> str:
        """The numbers it rests on, in words."""
        return self.check.because

    @property
    def fired(self) -> bool:
        """Whether the row holds."""
        return self.check.outcome is Outcome.FIRED

    @property
    def assessed(self) -> bool:
        """Whether the row could be asked at all."""
        return self.check.outcome in _ASKED


_ASKED = frozenset({Outcome.FIRED, Outcome.NOT_FIRED})


def find_row(table: Iterable[Rule[Facts]], code: str) -> Rule[Facts]:
    """The row of this code. Raises `KeyError` when the table has none."""
    for rule in table:
        if rule.code == code:
            return rule
    raise KeyError(code)
