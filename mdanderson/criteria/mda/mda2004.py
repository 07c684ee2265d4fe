"""MD Anderson criteria of 2004, which print no percentages.

Source: Hamaoka et al., J Clin Oncol 2004;22:2942-2953, as printed in Hayashi et al., Clin Breast Cancer 2013;13:24-30
(PMC3863546), Table 1.

What the text calls "larger" and "regression" is a change of the sum of two perpendicular diameters (on a scan: of the
uptake ratio) of at least `mda2004_tolerance`, regression against baseline and larger against the lowest earlier value.
Each lesion speaks by itself: one that is larger makes PD, PR asks for `response_share` of them. Everything else goes
together as in the table of 2010. A code means what it means there, so that a reader's statement serves both.
"""

from __future__ import annotations

from dataclasses import replace

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.facts import LesionRule, RuleTable
from mdanderson.criteria.mda.mda2010 import RULES as RULES_2010
from mdanderson.criteria.mda.passes import assess_course
from mdanderson.criteria.rule import Threshold, find_row
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["CODE", "RULES", "SET", "TABLE", "TITLE", "assess"]

CODE = "mda2004"

TITLE = "MD Anderson criteria, 2004"
SOURCE = (
    "Hamaoka et al., J Clin Oncol 2004;22:2942-2953, as printed in Hayashi et al., Clin Breast Cancer 2013;13:24-30, "
    "Table 1"
)

_TOLERANCE = "mda2004.mda2004_tolerance"
_FALL = (Threshold.at_least("size_fall", _TOLERANCE),)
_RISE = (
    Threshold.at_least("size_rise", _TOLERANCE),
    Threshold.at_least("rise_mm", "policy.pd_absolute_mm"),
    Threshold.at_least("reappeared_mm", "policy.minimum_size_mm"),
)
_STEADY = (
    Threshold.below("size_rise", _TOLERANCE),
    Threshold.below("rise_mm", "policy.pd_absolute_mm"),
    Threshold.below("reappeared_mm", "policy.minimum_size_mm"),
    Threshold.below("size_fall", _TOLERANCE),
)
_UPTAKE_RISE = (
    Threshold.at_least("uptake_rise", _TOLERANCE),
    Threshold.above("uptake_ratio", "image.normal_uptake"),
)
_NOT_WORSE = (
    Threshold.at_least("rim_fraction", "image.rim_fraction"),
    Threshold.below("size_rise", _TOLERANCE),
    Threshold.below("uptake_rise", _TOLERANCE),
)


def _as_in_2010(code: str, text: str, *thresholds: Threshold) -> LesionRule:
    """A row that asks what the row of this code asks in 2010, by limits of its own; without any, by the same."""
    row = find_row(RULES_2010, code)
    return replace(row, text=text, source=SOURCE, thresholds=thresholds or row.thresholds)


RULES: tuple[LesionRule, ...] = (
    _as_in_2010("CR1", "complete sclerotic fill-in of a lytic lesion"),
    _as_in_2010("CR2", "normalisation of bone density"),
    _as_in_2010("CR3", "normalisation of signal intensity"),
    _as_in_2010("CR4", "normalisation of tracer uptake"),
    _as_in_2010("PR1", "sclerotic rim, or partial sclerotic fill-in, of a lytic lesion"),
    replace(
        _as_in_2010("PR2", "sclerosis of a previously undetected lesion, beside another sign of PR", *_NOT_WORSE),
        modalities=frozenset({Modality.CT, Modality.XR}),
    ),
    replace(
        _as_in_2010("PR2", "osteoblastic flare on the scan, which is not progression"),
        code="PR2-NM",
        modalities=frozenset({Modality.NM}),
        thresholds=(Threshold.at_most("weeks_on_treatment", "policy.flare_window_weeks"), *_NOT_WORSE),
    ),
    _as_in_2010("PR3", "regression of a measurable lesion", *_FALL),
    _as_in_2010("PR4", "decrease of a blastic, or regression of another non-measurable lesion", *_FALL),
    _as_in_2010("PR5", "regression of a lesion on the scan", Threshold.at_least("uptake_fall", _TOLERANCE)),
    _as_in_2010("PD1", "any existing measurable lesion larger", *_RISE),
    _as_in_2010("PD2", "a blastic or lytic non-measurable lesion larger", *_RISE),
    _as_in_2010("PD3", "more activity on the scan, flare excluded", *_UPTAKE_RISE),
    _as_in_2010("PD4", "a new lesion"),
    _as_in_2010("SD1", "no change"),
    _as_in_2010("SD2", "a measurable lesion neither larger nor in regression", *_STEADY),
    _as_in_2010("SD3", "a non-measurable lesion neither larger nor in regression", *_STEADY),
    _as_in_2010("SD4", "no new lesion"),
)


TABLE = RuleTable(RULES, by_sum=False)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by this table."""
    return assess_course(TABLE, CODE, course, settings)


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
