"""iRECIST: RECIST 1.1 for immunotherapy, where a progression counts once the next visit confirms it.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, table 2, and the questions answered at recist.eortc.org.

A progression that no earlier one waits for is iUPD. The next evaluable visit at least `confirm_from_weeks` later
decides: further growth or another kind of progression is iCPD; still progression but not further, iUPD again; below
progression, it is reset and a later one begins anew. Earlier visits are passed over, they neither confirm nor reset.
Growth is always measured from the *first* iUPD of the run: small steps add up (4 mm and 2 mm more confirm). Lateness
is measured from the last visit that decided. After iCPD every visit that progresses is iCPD, others keep their word.
The published Non-iCR/Non-iUPD is written iSD. New lesions that stay as they are keep a visit iUPD.
Growth of non-targets that did not begin the iUPD confirms only where the visit progresses; it never bars a reset.
Lesions treated locally are followed as any other, and `reason` names those in the sum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.comparators.comparator import assess_panels
from mdanderson.criteria.comparators.panel import Followed, JudgedPanel, PanelRule, ask, each_once
from mdanderson.criteria.comparators.recist11 import BACK, NONTARGETS_WORSE, RECIST11, TARGETS_WORSE, progression_codes
from mdanderson.criteria.comparators.recist11 import RULES as RECIST_RULES
from mdanderson.criteria.comparators.rows import panel_row
from mdanderson.criteria.comparators.targets import target_problems
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.rule import AppliesTo, Check, Comparison, Limits, Measure, Rule, Threshold
from mdanderson.errors import Problem, Severity
from mdanderson.quantities import fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = ["CODE", "CONFIRMING", "RULES", "SET", "TITLE", "Since", "assess", "settle_progression"]

CODE, TITLE = "irecist", "iRECIST"
SOURCE = "Seymour et al., Lancet Oncol 2017;18:e143-e152"

_WORDS = {
    Category.PD: Category.IUPD,
    Category.CR: Category.ICR,
    Category.PR: Category.IPR,
    Category.SD: Category.ISD,
    Category.NON_CR_NON_PD: Category.ISD,
}


_CODES = {
    "R11-NEW": "IR-NEW",
    "R11-PD": "IR-UPD",
    "R11-NTPD": "IR-NTPD",
    "R11-BACK": "IR-BACK",
    "R11-NED": "IR-NED",
    "R11-CR": "IR-CR",
    "R11-PR": "IR-PR",
    "R11-SD": "IR-SD",
    "R11-NONCR": "IR-NONCR",
}


VISIT_RULES: tuple[PanelRule, ...] = tuple(
    replace(rule, code=_CODES[rule.code], gives=_WORDS.get(rule.gives, rule.gives), source=SOURCE)
    for rule in RECIST_RULES
)
"""The rows of RECIST 1.1 in the words of iRECIST."""

_PROGRESSING = frozenset(rule.code for rule in VISIT_RULES if rule.gives is Category.IUPD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """A visit against the first iUPD of its run."""

    bar: JudgedPanel
    now: JudgedPanel

    def began_by(self, *rules: PanelRule) -> bool:
        """Whether the iUPD was made by one of these rows of RECIST 1.1."""
        return any(_CODES[rule.code] in _kinds(self.bar) for rule in rules)

    def growth(self, lesions: Iterable[Followed]) -> Fraction:
        """By how many mm lesions known at both visits have grown together."""
        visit = self.bar.panel.visit.index
        pairs = ((one.value.now, one.value.earlier[visit]) for one in each_once(tuple(lesions)))
        return sum((now - then for now, then in pairs if now is not None and then is not None), start=Fraction(0))


def _kinds(judged: JudgedPanel) -> frozenset[str]:
    """The rows of progression that hold."""
    return frozenset(verdict.code for verdict in judged.verdicts if verdict.fired) & _PROGRESSING


def _targets_further(rule: Rule[Since], since: Since, settings: Settings) -> Check:
    if settings.irecist.further_in == "same" and not since.began_by(TARGETS_WORSE, BACK):
        return Check.not_applicable("iUPD was not by the targets")
    growth = since.growth(since.now.panel.targets)
    return Check.when(rule.met("further_mm", growth, settings), lambda: f"targets {_signed(growth)} mm since iUPD")


def _nontargets_further(_rule: Rule[Since], since: Since, settings: Settings) -> Check:
    if settings.irecist.further_in == "same" and not since.began_by(NONTARGETS_WORSE, BACK):
        return Check.not_applicable("iUPD was not by the non-targets")
    others = since.now.panel.others
    stated = [one.facts.name for one in others if progression_codes(one)]
    if stated:
        return Check.fired(f"the reader calls {', '.join(stated)} worse again")
    growth = since.growth(others)
    return Check.when(growth > 0, lambda: f"non-targets {_signed(growth)} mm since iUPD")


def _new_lesions_further(rule: Rule[Since], since: Since, settings: Settings) -> Check:
    before = {one.lesion_id for one in since.bar.panel.new}
    if not before:
        return Check.not_applicable("no new lesion at iUPD")
    growth = since.growth(one for one in since.now.panel.lesions if one.lesion_id in before)
    return Check.when(rule.met("further_mm", growth, settings), lambda: f"new lesions {_signed(growth)} mm since iUPD")


def _another_new_lesion(_rule: Rule[Since], since: Since, _settings: Settings) -> Check:
    before = {one.lesion_id for one in since.bar.panel.new}
    more = [one.facts.name for one in since.now.panel.new if one.lesion_id not in before]
    return Check.when(bool(more), f"new since iUPD: {', '.join(more)}" if more else "no other new lesion")


def _another_kind(_rule: Rule[Since], since: Since, _settings: Settings) -> Check:
    fresh = sorted(_kinds(since.now) - _kinds(since.bar))
    return Check.when(bool(fresh), f"also {', '.join(fresh)}" if fresh else "no other kind of progression")


def _signed(growth: Fraction) -> str:
    return f"{'+' if growth >= 0 else ''}{fixed(growth, 2)}"


_row = partial(panel_row, source=SOURCE)
_FURTHER = Limits(
    thresholds=(Threshold(quantity="further_mm", comparison=Comparison.AT_LEAST, setting="irecist.further_mm"),)
)

_GROWTH, _SEEN = Measure.SIZE, Measure.PRESENCE
_BY_TARGETS = _row(
    "IR-C-TARGETS",
    Category.ICPD,
    _GROWTH,
    "target sum up a further >= 5 mm since iUPD",
    _targets_further,
    _FURTHER,
    applies_to=AppliesTo.TARGET,
)
_BY_NONTARGETS = _row(
    "IR-C-NONTARGETS",
    Category.ICPD,
    _GROWTH,
    "any further growth of non-targets since iUPD",
    _nontargets_further,
    applies_to=AppliesTo.NON_TARGET,
)

CONFIRMING: tuple[Rule[Since], ...] = (
    _BY_TARGETS,
    _BY_NONTARGETS,
    _row(
        "IR-C-NEWSUM",
        Category.ICPD,
        _GROWTH,
        "sum of new lesions up >= 5 mm since iUPD",
        _new_lesions_further,
        _FURTHER,
    ),
    _row("IR-C-NEW", Category.ICPD, _SEEN, "another new lesion since iUPD", _another_new_lesion),
    _row("IR-C-KIND", Category.ICPD, _SEEN, "a kind of progression that did not hold at iUPD", _another_kind),
)
"""What confirms an iUPD, asked of the visit that decides."""

RULES: tuple[Rule[Any], ...] = (*VISIT_RULES, *CONFIRMING)


class _Run:
    """Goes through the visits of one modality; knows the iUPD that wait for a decision."""

    def __init__(self, panels: Sequence[JudgedPanel], settings: Settings) -> None:
        self.panels, self.settings = list(panels), settings
        self.waiting: list[int] = []
        self.decided = 0
        self.confirmed = False

    def settle(self) -> Sequence[JudgedPanel]:
        """The visits, each as those after it leave it."""
        for index, one in enumerate(self.panels):
            if self.confirmed:
                self._stands(index)
            elif not self.waiting:
                self._wait(index)
            elif self._weeks(self.waiting[0], index) < self.settings.irecist.confirm_from_weeks:
                self._pass_over(index)
            elif one.panel.evaluable:
                self._decide(index)
        return self.panels

    def _weeks(self, earlier: int, later: int) -> float:
        apart: dt.timedelta = self.panels[later].panel.visit.date - self.panels[earlier].panel.visit.date
        return apart.days / 7

    def _label(self, index: int) -> str:
        return self.panels[index].panel.visit.label

    def _stands(self, index: int) -> None:
        one = self.panels[index]
        if one.category is Category.IUPD:
            reason = f"{one.reason}; confirmed at an earlier visit"
            self.panels[index] = replace(one, category=Category.ICPD, reason=reason)

    def _wait(self, index: int, why: str = "") -> None:
        """An iUPD waits for the next visit."""
        one = self.panels[index]
        if one.category is Category.IUPD:
            self.waiting.append(index)
            self.decided = index
            self.panels[index] = replace(one, unconfirmed=True, reason=f"{one.reason}{why}")

    def _pass_over(self, index: int) -> None:
        decided = self.decided
        self._wait(index, f"; too early to confirm {self._label(self.waiting[0])}")
        self.decided = decided

    def _decide(self, index: int) -> None:
        one, bar = self.panels[index], self.panels[self.waiting[0]]
        since = Since(bar=bar, now=one)
        asked = ask(CONFIRMING, since, one.panel, self.settings)
        one = self.panels[index] = replace(one, verdicts=(*one.verdicts, *asked.verdicts))
        growing = _BY_NONTARGETS.code in asked.rules and since.began_by(NONTARGETS_WORSE)
        still = one.category is Category.IUPD or growing
        if asked.category is Category.ICPD and still:
            self._confirm(index, asked)
        elif still:
            self._wait(index, f"; not further than at {self._label(self.waiting[0])}")
        elif one.category.is_evaluable:
            self.waiting = []

    def _confirm(self, index: int, asked: JudgedPanel) -> None:
        one, first = self.panels[index], self._label(self.waiting[0])
        for waiting in self.waiting:
            early = self.panels[waiting]
            reason = f"{early.reason}; confirmed at {self._label(index)}"
            self.panels[waiting] = replace(early, unconfirmed=False, reason=reason)
        self.panels[index] = replace(
            one,
            category=Category.ICPD,
            rules=(*(one.rules if one.category is Category.IUPD else ()), *asked.rules),
            reason=f"{asked.reason}; confirms iUPD of {first} ({one.reason})",
            problems=(*one.problems, *self._lateness(index)),
        )
        self.confirmed = True

    def _lateness(self, index: int) -> tuple[Problem, ...]:
        weeks, most = self._weeks(self.decided, index), self.settings.irecist.confirm_to_weeks
        if weeks <= most:
            return ()
        panel = self.panels[index].panel
        return (
            Problem(
                severity=Severity.WARNING,
                visit=panel.visit.label,
                where=str(panel.modality),
                what=f"iRECIST: iUPD confirmed {weeks:.1f} weeks later ({self._label(self.decided)}), over {most:g}",
                how_to_fix="taken as confirmed; plan the visit after iUPD within that time",
            ),
        )


def settle_progression(panels: Sequence[JudgedPanel], settings: Settings) -> Sequence[JudgedPanel]:
    """What is iUPD and iCPD of one modality's visits. An iUPD that was confirmed is no longer `unconfirmed`."""
    return _Run(panels, settings).settle()


IRECIST = replace(RECIST11, code=CODE, rules=VISIT_RULES, settle=settle_progression)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by iRECIST."""
    assessed = assess_panels(IRECIST, course, settings)
    return replace(assessed, problems=(*assessed.problems, *target_problems(course, settings)))


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
