"""Response criteria: each set is a table of rules with sources, and one line in the registry below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mdanderson.criteria import mda2010
from mdanderson.criteria.assessment import OVERALL, LesionAssessment, Response
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.mda import Assessed
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
    """One published set of criteria. assess: a whole series in, rows of lesions.csv and responses.csv out."""

    code: str
    title: str
    assess: Callable[[PatientCourse, Settings], Assessed]


CRITERIA_SETS: tuple[CriteriaSet, ...] = (CriteriaSet(code="mda2010", title=mda2010.TITLE, assess=mda2010.assess),)
"""Every set that can be asked for, the set of record first."""


def criteria_set(code: str) -> CriteriaSet:
    """The set of this name. Raises `SettingsError` naming those that exist."""
    for one in CRITERIA_SETS:
        if one.code == code:
            return one
    known = ", ".join(one.code for one in CRITERIA_SETS)
    raise SettingsError(f"unknown criteria {code!r}", way_out=f"use one of {known}")
