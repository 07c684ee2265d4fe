"""Response criteria: each set is a table of rules with sources, and one line in the registry below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mdanderson.criteria import eortc, irecist, mda2004, mda2010, pcwg3, percist, recist11, uicc, who
from mdanderson.criteria.assessment import OVERALL, Assessed, LesionAssessment, Response
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.rule import Rule
from mdanderson.errors import SettingsError
from mdanderson.settings import Settings

__all__ = [
    "CRITERIA_SETS",
    "OVERALL",
    "Assessed",
    "CriteriaSet",
    "LesionAssessment",
    "PatientCourse",
    "Response",
    "Visit",
    "criteria_set",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class CriteriaSet:
    """One published set of criteria. assess: a whole series in, rows of lesions.csv and responses.csv out.

    rules: its table. confirm_weeks: how much later a response must be seen again to count, by the settings.
    """

    code: str
    title: str
    rules: Sequence[Rule[Any]]
    assess: Callable[[PatientCourse, Settings], Assessed]
    confirm_weeks: Callable[[Settings], float] = lambda settings: settings.policy.confirm_weeks


CRITERIA_SETS: tuple[CriteriaSet, ...] = (
    CriteriaSet(code=mda2010.CODE, title=mda2010.TITLE, rules=mda2010.RULES, assess=mda2010.assess),
    CriteriaSet(code=mda2004.CODE, title=mda2004.TITLE, rules=mda2004.RULES, assess=mda2004.assess),
    CriteriaSet(
        code=who.CODE,
        title=who.TITLE,
        rules=who.RULES,
        assess=who.assess,
        confirm_weeks=lambda settings: settings.who.confirm_weeks,
    ),
    CriteriaSet(code=uicc.CODE, title=uicc.TITLE, rules=uicc.RULES, assess=uicc.assess),
    CriteriaSet(code=recist11.CODE, title=recist11.TITLE, rules=recist11.RULES, assess=recist11.assess),
    CriteriaSet(code=irecist.CODE, title=irecist.TITLE, rules=irecist.RULES, assess=irecist.assess),
    CriteriaSet(
        code=percist.CODE, title=percist.TITLE, rules=percist.RULES, assess=percist.assess, confirm_weeks=lambda _: 0
    ),
    CriteriaSet(code=eortc.CODE, title=eortc.TITLE, rules=eortc.RULES, assess=eortc.assess, confirm_weeks=lambda _: 0),
    CriteriaSet(code=pcwg3.CODE, title=pcwg3.TITLE, rules=pcwg3.RULES, assess=pcwg3.assess, confirm_weeks=lambda _: 0),
)
"""Every set that can be asked for, the set of record first."""


def criteria_set(code: str) -> CriteriaSet:
    """The set of this name. Raises `SettingsError` naming those that exist."""
    for one in CRITERIA_SETS:
        if one.code == code:
            return one
    known = ", ".join(one.code for one in CRITERIA_SETS)
    raise SettingsError(f"unknown criteria {code!r}", way_out=f"use one of {known}")
