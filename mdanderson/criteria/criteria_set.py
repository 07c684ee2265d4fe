"""What a criteria set is to the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.rule import Rule
from mdanderson.settings import Settings

__all__ = ["CriteriaSet"]


def _by_policy(settings: Settings) -> float:
    return settings.policy.confirm_weeks


@dataclass(frozen=True, kw_only=True, slots=True)
class CriteriaSet:
    """One published set of criteria.

    rules: its table. assess: a whole series in, rows of lesions.csv and responses.csv out. confirm_weeks: how much
    later a response must be seen again to count, by the settings. notes: how the rows go together, in words.
    """

    code: str
    title: str
    rules: Sequence[Rule[Any]]
    assess: Callable[[PatientCourse, Settings], Assessed]
    confirm_weeks: Callable[[Settings], float] = _by_policy
    notes: str = ""
