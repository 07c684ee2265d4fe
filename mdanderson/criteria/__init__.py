"""Response criteria: each set is a table of rules with sources, and one line in the registry below."""

from __future__ import annotations

from mdanderson.criteria.assessment import OVERALL, Assessed, LesionAssessment, LesionRows, Response
from mdanderson.criteria.comparators import eortc, irecist, pcwg3, percist, recist11, uicc, who
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.mda import mda2004, mda2010
from mdanderson.errors import SettingsError

__all__ = [
    "CRITERIA_SETS",
    "OVERALL",
    "Assessed",
    "CriteriaSet",
    "LesionAssessment",
    "LesionRows",
    "PatientCourse",
    "Response",
    "Visit",
    "criteria_set",
]


CRITERIA_SETS: tuple[CriteriaSet, ...] = (
    mda2010.SET,
    mda2004.SET,
    who.SET,
    uicc.SET,
    recist11.SET,
    irecist.SET,
    percist.SET,
    eortc.SET,
    pcwg3.SET,
)
"""Every set that can be asked for, the set of record first."""


def criteria_set(code: str) -> CriteriaSet:
    """The set of this name. Raises `SettingsError` naming those that exist."""
    for one in CRITERIA_SETS:
        if one.code == code:
            return one
    known = ", ".join(one.code for one in CRITERIA_SETS)
    raise SettingsError(f"unknown criteria {code!r}", way_out=f"use one of {known}")
