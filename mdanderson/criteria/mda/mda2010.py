"""MD Anderson criteria as revised in 2010: the table of record, row by row.

Source: Costelloe et al., J Cancer 2010;1:80-92, as printed in Table 1 of the Chinese clinical guideline on lung cancer
bone metastasis (2024).

The guideline's print of SD3 reads '> 25 %' and is read as '< 25 %' (decisions/0003).

A lesion is PD when a row of PD holds, else CR, PR or SD in this order; NE when no row could be asked. A modality is PD
by the sum of the diameters of its measurable baseline lesions (under `size_scope = "each"` by any one of them), by a
lesion outside that sum, by uptake, or by a new lesion; CR when every lesion that was there is CR, those treated locally
too, and no new one is left that flare explains; PR when the sum falls far enough (each: when every measurable lesion
does), or when at least `response_share` of the lesions carry another row of response and none progresses; else SD.
While a lesion of the sum is not assessed (where none is measurable: any baseline lesion) the modality is PD or NE,
nothing else; another one that is not assessed only bars CR.

Limits of a row go together so: a rise needs its share and its floor in mm, from nothing the long axis alone decides;
SD2 and SD3 are what PD1 and PR3 leave. CR2 asks for one of the two distances of the median and for everything else;
CR3 for each sequence by its own limit; PR1 for the fill-in, or for a rim that is wide enough and new. The flare of PR2
is settled by the next visit: what grows by a limit of the row was none.
"""

from __future__ import annotations

from collections.abc import Callable

from mdanderson.criteria import checks
from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.checks.density import COMPLETE_FILL_IN, NEW_RIM_OR_FILL_IN, NORMAL_DENSITY
from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.checks.signal import NORMAL_SIGNAL
from mdanderson.criteria.checks.uptake import NORMAL_UPTAKE
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.facts import LesionFacts, LesionRule, RuleTable
from mdanderson.criteria.mda.passes import assess_course
from mdanderson.criteria.rule import AppliesTo, Check, Level, Measure, Role, Rule, Threshold
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["CODE", "RULES", "SET", "TABLE", "TITLE", "assess"]

CODE = "mda2010"

TITLE = "MD Anderson criteria, 2010 revision"
SOURCE = "Costelloe et al., J Cancer 2010;1:80-92; Chinese guideline on lung cancer bone metastasis 2024, Table 1"

_CT_XR = frozenset({Modality.CT, Modality.XR})
_SIZED = frozenset(modality for modality in Modality if modality.is_anatomical)
_MR = frozenset({Modality.MR})
_NM = frozenset({Modality.NM})
_TABLE = _SIZED | _NM
_ANY = _TABLE | {Modality.PT}


_FALL = Threshold.at_least("size_fall", "policy.pr_size_fall")
_RISE = (
    Threshold.at_least("size_rise", "policy.pd_size_rise"),
    Threshold.at_least("rise_mm", "policy.pd_absolute_mm"),
    Threshold.at_least("reappeared_mm", "policy.minimum_size_mm"),
)
_STEADY = (
    Threshold.below("size_rise", "policy.pd_size_rise"),
    Threshold.below("rise_mm", "policy.pd_absolute_mm"),
    Threshold.below("reappeared_mm", "policy.minimum_size_mm"),
    Threshold.below("size_fall", "policy.pr_size_fall"),
)


def _row(
    code: str,
    modalities: frozenset[Modality],
    applies_to: AppliesTo,
    measure: Measure,
    text: str,
    holds: Callable[[LesionRule, LesionFacts, Settings], Check],
    *thresholds: Threshold,
    level: Level = Level.LESION,
    role: Role | None = None,
) -> LesionRule:
    return Rule(
        code=code,
        gives=Category(code[:2]),
        modalities=modalities,
        level=level,
        applies_to=applies_to,
        measure=measure,
        text=text,
        source=SOURCE,
        holds=holds,
        thresholds=thresholds,
        role=role,
    )


def _whole_modality(_rule: LesionRule, _facts: LesionFacts, _settings: Settings) -> Check:
    """PR2 and SD4 have roles: the passes over the whole series ask them, by the limits that they print."""
    return Check.not_applicable("asked of the patient, not of one lesion")


ANY, LYTIC, PATIENT = AppliesTo.ANY, AppliesTo.LYTIC, AppliesTo.PATIENT
MEASURABLE, NON_MEASURABLE = AppliesTo.MEASURABLE, AppliesTo.NON_MEASURABLE

RULES: tuple[LesionRule, ...] = (
    _row(
        "CR1",
        _CT_XR,
        LYTIC,
        Measure.DENSITY,
        "complete sclerotic fill-in of a lytic lesion",
        checks.complete_fill_in,
        *COMPLETE_FILL_IN.thresholds,
    ),
    _row(
        "CR2",
        _CT_XR,
        ANY,
        Measure.DENSITY,
        "bone density back to normal",
        checks.density_normal,
        *NORMAL_DENSITY.thresholds,
        role=Role.NORMAL_DENSITY,
    ),
    _row(
        "CR3",
        _MR,
        ANY,
        Measure.SIGNAL,
        "signal back to normal",
        checks.signal_normal,
        *NORMAL_SIGNAL.thresholds,
    ),
    _row(
        "CR4",
        _NM,
        ANY,
        Measure.UPTAKE,
        "tracer uptake back to normal",
        checks.uptake_normal,
        *NORMAL_UPTAKE.thresholds,
    ),
    _row(
        "PR1",
        _CT_XR,
        LYTIC,
        Measure.DENSITY,
        "new sclerotic rim, or partial sclerotic fill-in",
        checks.rim_or_partial_fill_in,
        *NEW_RIM_OR_FILL_IN.thresholds,
    ),
    _row(
        "PR2",
        _CT_XR | _NM,
        PATIENT,
        Measure.PRESENCE,
        "osteoblastic flare: new sclerotic lesions, or lesions newly visible through a sclerotic rim, together with "
        "other signs of PR and no progressing bone disease",
        _whole_modality,
        Threshold.at_most("weeks_on_treatment", "policy.flare_window_weeks"),
        Threshold.at_least("rim_fraction", "image.rim_fraction"),
        Threshold.below("size_rise", "policy.pd_size_rise"),
        Threshold.below("uptake_rise", "policy.pd_uptake_rise"),
        level=Level.PATIENT,
        role=Role.FLARE,
    ),
    _row("PR3", _SIZED, MEASURABLE, Measure.SIZE, "size falls by >= 50 %", checks.size_fall, _FALL),
    _row(
        "PR4",
        _SIZED,
        NON_MEASURABLE,
        Measure.SIZE,
        "size falls by >= 50 %, judged by a reader",
        checks.size_fall,
        _FALL,
    ),
    _row(
        "PR5",
        _NM,
        ANY,
        Measure.UPTAKE,
        "uptake falls by >= 50 %, judged by a reader or by the count ratio",
        checks.uptake_fall,
        Threshold.at_least("uptake_fall", "policy.pr_uptake_fall"),
    ),
    _row("PD1", _SIZED, MEASURABLE, Measure.SIZE, "size rises by >= 25 %", checks.size_rise, *_RISE),
    _row(
        "PD2",
        _SIZED,
        NON_MEASURABLE,
        Measure.SIZE,
        "size rises by >= 25 %, judged by a reader",
        checks.size_rise,
        *_RISE,
    ),
    _row(
        "PD3",
        _NM,
        ANY,
        Measure.UPTAKE,
        "uptake rises by >= 25 %",
        checks.uptake_rise,
        Threshold.at_least("uptake_rise", "policy.pd_uptake_rise"),
        Threshold.above("uptake_ratio", "image.normal_uptake"),
    ),
    _row(
        "PD4",
        _ANY,
        PATIENT,
        Measure.PRESENCE,
        "a new bone metastasis",
        checks.new_lesion,
        *NEW_LESION.thresholds,
        level=Level.PATIENT,
        role=Role.NEW_LESION,
    ),
    _row("SD1", _TABLE, ANY, Measure.ANYTHING, "no change", checks.something_assessed, role=Role.NO_CHANGE),
    _row(
        "SD2",
        _SIZED,
        MEASURABLE,
        Measure.SIZE,
        "rises by < 25 % or falls by < 50 %",
        checks.size_steady,
        *_STEADY,
    ),
    _row(
        "SD3",
        _SIZED,
        NON_MEASURABLE,
        Measure.SIZE,
        "rises by < 25 % or falls by < 50 %, judged by a reader",
        checks.size_steady,
        *_STEADY,
    ),
    _row(
        "SD4",
        _TABLE,
        PATIENT,
        Measure.PRESENCE,
        "no new bone metastasis",
        _whole_modality,
        level=Level.PATIENT,
        role=Role.NO_NEW_LESION,
    ),
)


TABLE = RuleTable(RULES)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by this table."""
    return assess_course(TABLE, CODE, course, settings)


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
