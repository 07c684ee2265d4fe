"""What PERCIST and EORTC have alike: lesions seen on a baseline PET, and what is missing of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from mdanderson.criteria.comparators.panel import Followed, Panel
from mdanderson.criteria.facts import Origin
from mdanderson.criteria.history import LesionHistory
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["PET", "baseline_lesions", "largest", "what_is_missing"]

PET = frozenset({Modality.PT})


def largest(values: Iterable[Fraction | None]) -> Fraction | None:
    """The largest value; None as soon as one of them is not known, and where there is none.

    >>> largest([Fraction(3), Fraction(5)]), largest([Fraction(3), None])
    (Fraction(5, 1), None)
    """
    found: Fraction | None = None
    for value in values:
        if value is None:
            return None
        found = value if found is None else max(found, value)
    return found


def baseline_lesions(histories: Sequence[LesionHistory], _settings: Settings) -> frozenset[str]:
    """Every lesion seen at baseline, measured there or not: one without a value leaves the whole unknown."""
    return frozenset(one.lesion_id for one in histories if one.origin is Origin.BASELINE)


def what_is_missing(panel: Panel, quantity: str) -> str:
    """Why a value of all targets together is not known, at this visit or at baseline."""
    if not panel.targets:
        return "no lesion at baseline to follow"
    return "; ".join(told for one in panel.targets if (told := _missing(one, quantity)))


def _missing(one: Followed, quantity: str) -> str:
    if one.facts.unassessed:
        return one.facts.unassessed
    if one.value.now is None:
        return f"{one.facts.name} without {quantity}"
    return f"{one.facts.name} without {quantity} at baseline" if one.value.baseline is None else ""
