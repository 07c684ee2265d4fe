"""A row of a criteria table, and what it says of a lesion."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Category, Modality

__all__ = [
    "AppliesTo",
    "Check",
    "Comparison",
    "Level",
    "Measure",
    "Outcome",
    "Rule",
    "Threshold",
    "Verdict",
    "find_row",
]

Facts = TypeVar("Facts")


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
    PATIENT = "patient"


class Measure(StrEnum):
    """What the row looks at. Sub-scores are kept apart by it, because they disagree in real life."""

    SIZE = "size"
    DENSITY = "density"
    SIGNAL = "signal"
    UPTAKE = "uptake"
    PRESENCE = "presence"
    ANYTHING = "anything"


class Comparison(StrEnum):
    """How a value meets its limit; the printed sign decides what happens at the limit itself."""

    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"


_COMPARE: dict[Comparison, Callable[[Fraction, Fraction], bool]] = {
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

    def limit(self, settings: Settings) -> Fraction:
        """The limit in force, exactly as it is written."""
        section, name = self.setting.split(".")
        return exact(getattr(getattr(settings, section), name))

    def met(self, value: Fraction, settings: Settings) -> bool:
        """Whether `value` meets the limit."""
        return _COMPARE[self.comparison](value, self.limit(settings))


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The answer of a row to its facts, with the numbers it rests on in words."""

    outcome: Outcome
    because: str

    @property
    def holds(self) -> bool:
        """Whether the row holds."""
        return self.outcome is Outcome.FIRED

    @classmethod
    def fired(cls, because: str) -> Check:
        """The row holds."""
        return cls(outcome=Outcome.FIRED, because=because)

    @classmethod
    def not_fired(cls, because: str) -> Check:
        """The row was asked and does not hold."""
        return cls(outcome=Outcome.NOT_FIRED, because=because)

    @classmethod
    def not_applicable(cls, because: str) -> Check:
        """The row is not for such a lesion."""
        return cls(outcome=Outcome.NOT_APPLICABLE, because=because)

    @classmethod
    def not_assessable(cls, because: str) -> Check:
        """A fact that the row needs is missing."""
        return cls(outcome=Outcome.NOT_ASSESSABLE, because=because)

    @classmethod
    def when(cls, holds: bool, because: str) -> Check:
        """Fired or not, on the same numbers."""
        return cls.fired(because) if holds else cls.not_fired(because)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule(Generic[Facts]):
    """One row of a criteria table: what it is called, what it gives, for what it is, and when it holds.

    `thresholds` are all the limits that decide the row. `holds` gets the row itself and asks each of them by its
    quantity, so that the table is the only authority; how they go together is said where `holds` is defined.
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
    thresholds: tuple[Threshold, ...] = ()

    def threshold(self, quantity: str) -> Threshold:
        """The condition on `quantity`. Raises `KeyError` when the row has none."""
        for threshold in self.thresholds:
            if threshold.quantity == quantity:
                return threshold
        raise KeyError(quantity)

    def met(self, quantity: str, value: Fraction, settings: Settings) -> bool:
        """Whether `value` meets the row's condition on `quantity`."""
        return self.threshold(quantity).met(value, settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one row said of one lesion at one visit."""

    code: str
    gives: Category
    measure: Measure
    outcome: Outcome
    because: str
    basis: Basis = Basis.MEASURED

    @property
    def fired(self) -> bool:
        """Whether the row holds."""
        return self.outcome is Outcome.FIRED

    @property
    def assessed(self) -> bool:
        """Whether the row could be asked at all."""
        return self.outcome in {Outcome.FIRED, Outcome.NOT_FIRED}


def find_row(table: Sequence[Rule[Facts]], code: str) -> Rule[Facts]:
    """The row of this code. Raises `KeyError` when the table has none."""
    for rule in table:
        if rule.code == code:
            return rule
    raise KeyError(code)
