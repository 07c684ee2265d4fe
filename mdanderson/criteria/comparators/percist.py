"""PERCIST 1.0: lean-body-mass corrected SUVpeak (SULpeak) of the hottest lesion of each PET.

Which lesion is the hottest may change from visit to visit. New lesions are PMD and never the hottest. A visit is
complete when every baseline lesion has a value: only then is its hottest known. From nothing (a lowest earlier value of
0) the absolute limit alone decides; total lesion glycolysis has no relative rise from 0, so its row leaves that to
SULpeak. Lesions treated locally are followed as any other, and `reason` names them.

Source: Wahl et al., J Nucl Med 2009;50 Suppl 1:122S-150S.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.comparators.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.comparators.panel import Followed, Panel, PanelRule
from mdanderson.criteria.comparators.pet import PET, baseline_lesions, largest, what_is_missing
from mdanderson.criteria.comparators.rows import all_gone, new_lesion_there, panel_row
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.rule import Check, Comparison, Limits, Measure, Threshold
from mdanderson.criteria.track import NO_TRACK, Track
from mdanderson.findings import LesionFinding
from mdanderson.quantities import Undefined, change, exact_if_known, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = ["CODE", "RULES", "SET", "TITLE", "assess"]

CODE, TITLE = "percist", "PERCIST 1.0"
SOURCE = "Wahl et al., J Nucl Med 2009;50 Suppl 1:122S-150S"

RISE = Limits(
    thresholds=(
        Threshold(quantity="sul_rise", comparison=Comparison.AT_LEAST, setting="percist.pmd_rise"),
        Threshold(quantity="sul_units", comparison=Comparison.AT_LEAST, setting="percist.absolute_sul"),
    )
)
FALL = Limits(
    thresholds=(
        Threshold(quantity="sul_fall", comparison=Comparison.AT_LEAST, setting="percist.pmr_fall"),
        Threshold(quantity="sul_units", comparison=Comparison.AT_LEAST, setting="percist.absolute_sul"),
    )
)
GLYCOLYSIS = Limits(
    thresholds=(Threshold(quantity="tlg_rise", comparison=Comparison.ABOVE, setting="percist.tlg_rise"),)
)


def sul_peak(finding: LesionFinding) -> Fraction | None:
    """SULpeak; where that is blank, the column `uptake` of a reader's table is accepted in its place."""
    return exact_if_known(finding.uptake_ratio if finding.suv_peak is None else finding.suv_peak)


def glycolysis(finding: LesionFinding) -> Fraction | None:
    """Total lesion glycolysis: mean SUL times volume, in ml."""
    return exact_if_known(finding.tlg)


def hottest(tracks: Sequence[Track]) -> Track:
    """The hottest of several lesions at each visit; `least` is the hottest of those known now."""
    if not tracks:
        return NO_TRACK
    return Track.of(
        now=largest(track.now for track in tracks),
        least=largest(track.now for track in tracks if track.now is not None),
        baseline=largest(track.baseline for track in tracks),
        earlier=tuple(largest(visit) for visit in zip(*(track.earlier for track in tracks), strict=True)),
    )


def rises(limits: Limits, value: Track, settings: Settings) -> bool:
    """Whether a SULpeak has risen enough from its lowest earlier value, as far as it is known to be there now."""
    now, nadir = value.at_least, value.nadir
    if now is None or nadir is None or now <= nadir:
        return False
    rise = change(now, nadir)
    enough = isinstance(rise, Undefined) or limits.met("sul_rise", rise, settings)
    return enough and limits.met("sul_units", now - nadir, settings)


def falls(limits: Limits, value: Track, settings: Settings) -> bool:
    """Whether a SULpeak that is fully known has fallen enough from baseline."""
    fall = change(value.now, value.baseline)
    if value.now is None or value.baseline is None or isinstance(fall, Undefined):
        return False
    return limits.met("sul_fall", -fall, settings) and limits.met("sul_units", value.baseline - value.now, settings)


def _hottest_rises(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PMD by the hottest lesion; a rise found in the lesions that are known proves it."""
    if panel.total.at_least is None or panel.total.nadir is None:
        return Check.not_assessable(what_is_missing(panel, "SULpeak"))
    if rises(rule, panel.total, settings):
        return Check.fired(
            lambda: _told(panel, panel.total.nadir, "the lowest earlier", rule.limit("sul_rise", settings))
        )
    if panel.total.now is None:
        return Check.not_assessable(what_is_missing(panel, "SULpeak"))
    return Check.not_fired(
        lambda: _told(panel, panel.total.nadir, "the lowest earlier", rule.limit("sul_rise", settings))
    )


def _glycolysis_rises(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """PMD by total lesion glycolysis of the baseline lesions."""
    now, nadir = panel.burden.at_least, panel.burden.nadir
    rise = change(now, nadir)
    if isinstance(rise, Undefined):
        return Check.not_applicable(f"TLG: {rise}")
    met = rule.met("tlg_rise", rise, settings)
    if panel.burden.now is None and not met:
        return Check.not_applicable("TLG of some lesions is not known")
    limit = rule.limit("tlg_rise", settings)
    return Check.when(
        met,
        lambda: (
            f"TLG {fixed(nadir or 0)} -> {fixed(now or 0)}, {percent(rise, limits=(limit,))} from the lowest earlier"
        ),
    )


def _hottest_falls(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    if panel.total.now is None or panel.total.baseline is None:
        return Check.not_assessable(what_is_missing(panel, "SULpeak"))
    limit = -rule.limit("sul_fall", settings)
    return Check.when(falls(rule, panel.total, settings), lambda: _told(panel, panel.total.baseline, "baseline", limit))


def _steady(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    if panel.total.now is None or panel.total.baseline is None:
        return Check.not_assessable(what_is_missing(panel, "SULpeak"))
    limits = RISE.limit("sul_rise", settings), -FALL.limit("sul_fall", settings)
    return Check.fired(lambda: _told(panel, panel.total.baseline, "baseline", *limits))


def _told(panel: Panel, reference: Fraction | None, name: str, *limits: Fraction) -> str:
    now = panel.total.at_least or Fraction(0)
    changed = change(now, reference)
    told = f"from {name} of 0" if isinstance(changed, Undefined) else f"{percent(changed, limits=limits)} from {name}"
    lesion = next((one.facts.name for one in panel.targets if one.value.now == now), "")
    units = fixed(abs(now - (reference or 0)), 2)
    return f"hottest {lesion}: SULpeak {fixed(reference or 0, 2)} -> {fixed(now, 2)}, {told} and {units} units"


_row = partial(panel_row, source=SOURCE, modalities=PET)

RULES: tuple[PanelRule, ...] = (
    _row("PERCIST-NEW", Category.PMD, Measure.PRESENCE, "a new lesion", new_lesion_there),
    _row(
        "PERCIST-PMD",
        Category.PMD,
        Measure.UPTAKE,
        "SULpeak of the hottest lesion rises by >= 30 % and >= 0.8 units from its lowest earlier value",
        _hottest_rises,
        RISE,
    ),
    _row(
        "PERCIST-TLG",
        Category.PMD,
        Measure.UPTAKE,
        "total lesion glycolysis of the baseline lesions rises by > 75 % from its lowest earlier value",
        _glycolysis_rises,
        GLYCOLYSIS,
    ),
    _row("PERCIST-CMR", Category.CMR, Measure.PRESENCE, "every lesion is gone", all_gone),
    _row(
        "PERCIST-PMR",
        Category.PMR,
        Measure.UPTAKE,
        "SULpeak of the hottest lesion falls by >= 30 % and >= 0.8 units from the hottest at baseline",
        _hottest_falls,
        FALL,
    ),
    _row("PERCIST-SMD", Category.SMD, Measure.UPTAKE, "neither", _steady),
)


def _lesion(one: Followed, settings: Settings) -> Category:
    """What one lesion's SULpeak says by itself."""
    if one.target and rises(RISE, one.value, settings):
        return Category.PMD
    if one.facts.gone:
        return Category.CMR
    if one.facts.unassessed or isinstance(change(one.value.now, one.value.baseline), Undefined):
        return Category.NE
    return Category.PMR if falls(FALL, one.value, settings) else Category.SMD


PERCIST = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda _settings: PET,
    quantity=sul_peak,
    targets=baseline_lesions,
    lesion=_lesion,
    unit=Unit.UPTAKE,
    across=hottest,
    merged=largest,
    burden=glycolysis,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by PERCIST."""
    return assess_panels(PERCIST, course, settings)


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
