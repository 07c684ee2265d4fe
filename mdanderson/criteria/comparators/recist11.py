"""RECIST 1.1: the sum of the longest diameters of target lesions (nodes: short axis), and what stands beside them.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247. Which lesions are targets, and by what: targets.py.

CT, MR and XR speak; bone scan and PET do not. The first row that holds, from above, gives the category. Targets are
those that a reader names, then the largest that qualify while there is room: nodes by the short axis, bone by its
soft-tissue component, blastic bone never. Progression is always against the nadir: `[policy] progression_reference` is
MD Anderson's. Non-targets progress by a reader's word: at the default `nontarget_rise` of 0 no measured rise is called
unequivocal. After a complete response whatever comes back is progression, as long as it is back.
Lesions treated locally are followed as any other, and `reason` names those in the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.criteria.comparators.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.comparators.panel import Followed, Panel, PanelRule, each_once
from mdanderson.criteria.comparators.rows import SIZED, new_lesion_there, nothing_left, panel_row
from mdanderson.criteria.comparators.targets import (
    NORMAL_NODE,
    Diameter,
    as_recist_lesion,
    choose_targets,
    diameter_of,
    long_axis,
    target_problems,
)
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.facts import Origin
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.rule import AppliesTo, Check, Comparison, Limits, Measure, Threshold
from mdanderson.criteria.track import Track, add_tracks
from mdanderson.quantities import Undefined, change, fixed, percent
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = [
    "BACK",
    "CODE",
    "NEW",
    "NONTARGETS_WORSE",
    "RECIST11",
    "RULES",
    "SET",
    "TARGETS_WORSE",
    "TITLE",
    "assess",
    "measured_nontargets",
    "progression_codes",
]

CODE, TITLE = "recist11", "RECIST 1.1"
SOURCE = "Eisenhauer et al., Eur J Cancer 2009;45:228-247"

_FLOOR = Threshold(quantity="rise_mm", comparison=Comparison.AT_LEAST, setting="recist11.pd_absolute_mm")

RISE = Limits(
    thresholds=(Threshold(quantity="rise", comparison=Comparison.AT_LEAST, setting="recist11.pd_rise"), _FLOOR)
)
NONTARGET_RISE = Limits(
    thresholds=(Threshold(quantity="rise", comparison=Comparison.AT_LEAST, setting="recist11.nontarget_rise"), _FLOOR)
)
BACK_BY = Limits(thresholds=(_FLOOR,))
FALL = Limits(thresholds=(Threshold(quantity="fall", comparison=Comparison.AT_LEAST, setting="recist11.pr_fall"),))


WORSE_BY_READER = frozenset({"PD1", "PD2", "PD3"})
"""What a reader writes of a lesion that has grown or become hotter, in the codes of MD Anderson.

PD4 is not among them: it says that the lesion is new, which R11-NEW asks.
"""


def progression_codes(one: Followed) -> tuple[str, ...]:
    """A reader's codes that call a lesion worse."""
    return tuple(sorted(one.facts.reader_codes & WORSE_BY_READER))


def measured_nontargets(panel: Panel) -> Track:
    """The diameters of the non-targets of the baseline, added; those without any at baseline left out."""
    own = [one for one in panel.others if one.facts.origin is Origin.BASELINE and one.value.baseline is not None]
    return add_tracks([one.value for one in each_once(own)])


def _rises(limits: Limits, track: Track, settings: Settings) -> bool:
    """Whether a sum, or what is known of it, has risen from its nadir by the share and by the mm; from 0 by the mm."""
    now, nadir = track.at_least, track.nadir
    if now is None or nadir is None or now <= nadir or not limits.met("rise_mm", now - nadir, settings):
        return False
    rise = change(now, nadir)
    return isinstance(rise, Undefined) or limits.met("rise", rise, settings)


def _targets_progress(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """Also by an assessed part that alone exceeds the nadir of all. Targets that are all gone do not progress."""
    if not panel.targets:
        return Check.not_applicable("no target lesion")
    if all(one.facts.gone for one in panel.targets):
        return Check.not_fired("every target is gone, or a node of normal size")
    if _rises(rule, panel.total, settings):
        return Check.fired(lambda: _from_nadir(panel.total, "sum of diameters", settings))
    if missing := _missing_targets(panel):
        return Check.not_assessable(missing)
    return Check.not_fired(lambda: _from_nadir(panel.total, "sum of diameters", settings))


def _from_nadir(track: Track, name: str, settings: Settings) -> str:
    now, nadir = track.at_least or 0, track.nadir
    if nadir is None:
        return f"{name}: no earlier value to compare with"
    rise = change(track.at_least, nadir)
    told = "" if isinstance(rise, Undefined) else f"{percent(rise, limits=(RISE.limit('rise', settings),))}, "
    part = "" if track.now is not None else " (the assessed part)"
    return f"{name} {fixed(nadir)} -> {fixed(now)} mm{part}, {told}{fixed(now - nadir, 2)} mm from its nadir"


def _nontargets_progress(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """By a reader's word; by measure only where `nontarget_rise` says from when a rise is unequivocal."""
    if not panel.others:
        return Check.not_applicable("no non-target lesion")
    stated = [f"{one.facts.name} ({', '.join(codes)})" for one in panel.others if (codes := progression_codes(one))]
    if stated:
        return Check.fired(f"unequivocal progression by the reader: {'; '.join(stated)}")
    track = measured_nontargets(panel)
    if rule.limit("rise", settings) and _rises(rule, track, settings):
        return Check.fired(lambda: _from_nadir(track, "non-targets", settings))
    return Check.not_fired("no unequivocal progression of non-targets")


def _comes_back(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """A lesion that a complete response saw gone is there again, target or not."""
    if panel.complete is None:
        return Check.not_applicable("no complete response before")
    back = [one.facts.name for one in panel.expected if _is_back(rule, one, panel.complete, settings)]
    told = f"since the complete response of {panel.complete.label}"
    return Check.when(bool(back), f"back {told}: {', '.join(back)}" if back else f"none is back {told}")


def _is_back(limits: Limits, one: Followed, complete: Visit, settings: Settings) -> bool:
    """Whether a lesion has come back: by its mm; a non-target that is seen without a measure by being seen."""
    if one.facts.gone or one.value.earlier[complete.index] is None:
        return False
    now, nadir = one.value.now, one.value.nadir
    if now is None or nadir is None:
        return not one.target and any(finding.is_seen for finding in one.facts.now)
    return limits.met("rise_mm", now - nadir, settings)


def _no_disease(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    return Check.when(panel.nothing_there, "no lesion at baseline, none now" if panel.nothing_there else "lesions")


def _all_gone(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    """A target must be measured or gone; of a non-target it is enough that it was seen."""
    return nothing_left(panel, "; ".join(filter(None, (_missing_targets(panel), _missing_nontargets(panel)))))


def _targets_respond(rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    """The sum has fallen enough, or every target is gone while a non-target bars the complete response."""
    check = _sum_known(rule, panel, settings)
    fall = panel.total.change_baseline
    if not check.holds or isinstance(fall, Undefined):
        return check
    gone = all(one.facts.gone for one in panel.targets)
    return Check.when(gone or rule.met("fall", -fall, settings), check.words)


def _sum_known(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    if not panel.targets:
        return Check.not_applicable("no target lesion")
    if missing := _missing_targets(panel):
        return Check.not_assessable(missing)
    if isinstance(panel.total.change_baseline, Undefined):
        return Check.not_assessable(f"sum of diameters: {panel.total.change_baseline}")
    return Check.fired(lambda: _sums(panel, settings))


def _nontargets_stay(_rule: PanelRule, panel: Panel, settings: Settings) -> Check:
    if panel.targets:
        return Check.not_applicable("there are targets")
    if not panel.others:
        return Check.not_applicable("no non-target lesion")
    if missing := _missing_nontargets(panel):
        return Check.not_assessable(missing)
    left = ", ".join(one.facts.name for one in panel.others if not one.facts.gone)
    return Check.fired(lambda: f"non-targets only, still there: {left}{_nontarget_note(panel, settings)}")


def _missing_targets(panel: Panel) -> str:
    """Why targets are not assessed; blank when all are."""
    told = [one.facts.unassessed or _unmeasured(one) for one in panel.targets]
    return "; ".join(words for words in told if words)


def _unmeasured(one: Followed) -> str:
    if one.value.now is not None:
        return ""
    diameter = diameter_of((*one.facts.baseline, *one.facts.now), target=True)
    return f"{one.facts.name} without {diameter}"


def _missing_nontargets(panel: Panel) -> str:
    """Why non-targets are not assessed; blank when all are. One seen is assessed, measured or not."""
    silent = [one for one in panel.others if one.facts.unassessed and not any(f.is_seen for f in one.facts.now)]
    return "; ".join(one.facts.unassessed for one in silent)


def _sums(panel: Panel, settings: Settings) -> str:
    total = panel.total
    fall = total.change_baseline
    told = str(fall) if isinstance(fall, Undefined) else percent(fall, limits=(-FALL.limit("fall", settings),))
    by_word = [one.facts.name for one in panel.targets if _is_by_word(one)]
    words = f"; {', '.join(by_word)} by the long axis, a target by the reader's word" if by_word else ""
    left = ", ".join(one.facts.name for one in panel.others if not one.facts.gone)
    barred = f"; non-target {left} not gone" if left and all(one.facts.gone for one in panel.targets) else ""
    return (
        f"sum of diameters {fixed(total.baseline or 0)} -> {fixed(total.now or 0)} mm, {told} from baseline"
        f"{words}{barred}{_nontarget_note(panel, settings)}"
    )


def _is_by_word(one: Followed) -> bool:
    return diameter_of((*one.facts.baseline, *one.facts.now), target=True) is Diameter.LONG_AXIS


def _nontarget_note(panel: Panel, settings: Settings) -> str:
    """Where non-targets measurably grow and nobody calls it unequivocal."""
    track = measured_nontargets(panel)
    rise = change(track.at_least, track.nadir)
    if isinstance(rise, Undefined) or not RISE.met("rise", rise, settings):
        return ""
    grown = percent(rise, limits=(RISE.limit("rise", settings),))
    return f"; non-targets {grown} from their nadir: whether that is unequivocal progression is the reader's call"


_row = partial(panel_row, source=SOURCE)
_target_row = partial(_row, applies_to=AppliesTo.TARGET)
_other_row = partial(_row, applies_to=AppliesTo.NON_TARGET)
_SIZE, _PRESENCE = Measure.SIZE, Measure.PRESENCE

NEW = _row("R11-NEW", Category.PD, _PRESENCE, "a new lesion", new_lesion_there, NEW_LESION_SIZE)
TARGETS_WORSE = _target_row(
    "R11-PD", Category.PD, _SIZE, "sum of diameters rises by >= 20 % and >= 5 mm from nadir", _targets_progress, RISE
)
NONTARGETS_WORSE = _other_row(
    "R11-NTPD",
    Category.PD,
    _SIZE,
    "unequivocal progression of non-targets by a reader's word, or by `nontarget_rise` and >= 5 mm where that is set",
    _nontargets_progress,
    NONTARGET_RISE,
)
BACK = _row(
    "R11-BACK",
    Category.PD,
    _PRESENCE,
    "after a complete response a lesion is back, where it is measured by >= 5 mm (nodes: not normal any more)",
    _comes_back,
    BACK_BY,
    source=f"{SOURCE} (lesions that disappear and reappear); questions and answers of recist.eortc.org",
)

RULES: tuple[PanelRule, ...] = (
    NEW,
    TARGETS_WORSE,
    NONTARGETS_WORSE,
    BACK,
    _row("R11-NED", Category.NED, _PRESENCE, "no lesion at baseline, none now", _no_disease),
    _row(
        "R11-CR", Category.CR, _PRESENCE, "every target and non-target gone, nodes below 10 mm", _all_gone, NORMAL_NODE
    ),
    _target_row(
        "R11-PR",
        Category.PR,
        _SIZE,
        "sum of diameters falls by >= 30 % from baseline, or every target is gone but not every non-target",
        _targets_respond,
        FALL,
    ),
    _target_row("R11-SD", Category.SD, _SIZE, "neither", _sum_known),
    _other_row(
        "R11-NONCR",
        Category.NON_CR_NON_PD,
        _PRESENCE,
        "non-targets only: not all gone, none unequivocally worse",
        _nontargets_stay,
    ),
)


def _lesion(one: Followed, settings: Settings) -> Category:
    """What one lesion does by itself."""
    if one.is_old and not one.target and progression_codes(one):
        return Category.PD
    if one.facts.gone:
        return Category.CR
    if not one.target:
        return Category.NE if one.facts.unassessed else Category.SD
    if _rises(RISE, one.value, settings):
        return Category.PD
    fall = one.value.change_baseline
    if isinstance(fall, Undefined):
        return Category.NE
    return Category.PR if FALL.met("fall", -fall, settings) else Category.SD


def _targets(histories: Sequence[LesionHistory], settings: Settings) -> frozenset[str]:
    return choose_targets(histories, settings).targets


RECIST11 = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda _settings: SIZED,
    quantity=long_axis,
    targets=_targets,
    lesion=_lesion,
    unit=Unit.LONG_AXIS,
    revise=as_recist_lesion,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by RECIST 1.1."""
    assessed = assess_panels(RECIST11, course, settings)
    return replace(assessed, problems=(*assessed.problems, *target_problems(course, settings)))


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
