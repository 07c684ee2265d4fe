"""What PCWG3 asks of one bone scan: how many foci are new, and what the scan that decides on them shows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mdanderson.criteria.comparators.panel import Panel
from mdanderson.criteria.course import Visit
from mdanderson.criteria.rule import Check, Comparison, Limits, Rule, Threshold
from mdanderson.settings import Settings

__all__ = [
    "FOCI",
    "NO_FOCI",
    "WAIT",
    "ScanFacts",
    "ScanRule",
    "Sequel",
    "fewer_than_enough",
    "flare",
    "left_of",
    "no_disease",
    "not_confirmed",
    "persist",
    "stands",
    "two_plus_two",
    "undecided",
]

FOCI = Threshold(quantity="new_foci", comparison=Comparison.AT_LEAST, setting="pcwg3.new_foci")
WAIT = Threshold(quantity="weeks_later", comparison=Comparison.AT_LEAST, setting="pcwg3.confirm_weeks")
NO_FOCI: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequel:
    """What the scan that decides shows.

    additional: foci that the scan it decides on lacks; persisting: those new there that it still shows; fresh: all that
    the reference scan lacks.
    """

    visit: Visit
    additional: frozenset[str]
    persisting: frozenset[str]
    fresh: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanFacts:
    """One scan on treatment.

    fresh: new foci there that the reference scan lacks; doubted: foci that nobody can say to be new, and it lacks too.
    is_first: the first on treatment, so that it may be flare. sequel: None while no scan decides. progressed: the scan
    that an earlier progression is dated at.
    """

    panel: Panel
    reference: Visit
    fresh: frozenset[str] = NO_FOCI
    doubted: frozenset[str] = NO_FOCI
    is_first: bool = False
    sequel: Sequel | None = None
    progressed: Visit | None = None


ScanRule = Rule[ScanFacts]


def _suspicious(rule: Limits, facts: ScanFacts, settings: Settings) -> bool:
    """Whether the scan shows enough new foci to be settled by a later one."""
    return rule.met("new_foci", Fraction(len(facts.fresh)), settings)


def _told(facts: ScanFacts) -> str:
    count = len(facts.fresh)
    named = f" ({', '.join(sorted(facts.fresh))})" if count else ""
    return f"{count} new foc{'us' if count == 1 else 'i'} since the scan of {facts.reference.date}{named}"


def stands(_rule: ScanRule, facts: ScanFacts, _settings: Settings) -> Check:
    """PD: a progression seen at an earlier scan is still one."""
    if facts.progressed is None:
        return Check.not_fired("no progression before")
    return Check.fired(f"progression at the scan of {facts.progressed.date} stands")


def two_plus_two(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """PD: new foci on the first scan on treatment, and as many again on the scan that decides."""
    if not facts.is_first:
        return Check.not_applicable("not the first scan on treatment")
    if not _suspicious(rule, facts, settings):
        return Check.not_fired(_told(facts))
    if facts.sequel is None:
        return Check.not_assessable("no later scan decides yet")
    added = rule.met("new_foci", Fraction(len(facts.sequel.additional)), settings)
    return Check.when(added, f"{_told(facts)}; the scan of {facts.sequel.visit.date} adds {_added(facts.sequel)}")


def _added(sequel: Sequel) -> str:
    return f"{len(sequel.additional)} more" if sequel.additional else "none"


def persist(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """PD: new foci on a later scan, enough of them still there on the scan that decides, or more than before."""
    if facts.is_first:
        return Check.not_applicable("the first scan on treatment may be flare")
    if not _suspicious(rule, facts, settings):
        return Check.not_fired(_told(facts))
    if facts.sequel is None:
        return Check.not_assessable("no later scan decides yet")
    still, then = len(facts.sequel.persisting), len(facts.sequel.fresh)
    seen_again = rule.met("new_foci", Fraction(still), settings) or then > len(facts.fresh)
    return Check.when(
        seen_again, f"{_told(facts)}; {still} of them still there on {facts.sequel.visit.date}, {then} new in all"
    )


def undecided(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """PDu: new foci that no scan has settled yet."""
    if facts.sequel is not None:
        return Check.not_fired(f"the scan of {facts.sequel.visit.date} decides")
    return Check.when(_suspicious(rule, facts, settings), f"{_told(facts)}, not yet confirmed")


def flare(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """Non-PD: the first scan's new foci, to which the scan that decides adds too few."""
    if not facts.is_first:
        return Check.not_applicable("not the first scan on treatment")
    if facts.sequel is None or not _suspicious(rule, facts, settings):
        return Check.not_fired(_told(facts))
    return Check.fired(
        f"{_told(facts)}; the scan of {facts.sequel.visit.date} adds {_added(facts.sequel)}: flare, restated"
    )


def not_confirmed(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """Non-PD: a later scan's new foci, too few of which the scan that decides still shows."""
    if facts.is_first:
        return Check.not_applicable("the first scan on treatment may be flare")
    if facts.sequel is None or not _suspicious(rule, facts, settings):
        return Check.not_fired(_told(facts))
    still = len(facts.sequel.persisting)
    return Check.fired(f"{_told(facts)}; {still} of them still there on {facts.sequel.visit.date}: restated")


def no_disease(_rule: ScanRule, facts: ScanFacts, _settings: Settings) -> Check:
    """NED: no focus is there now; none was at baseline, or every one of them is gone or of normal uptake."""
    if facts.panel.nothing_there:
        return Check.fired("no focus at baseline, none now")
    left = left_of(facts.panel)
    return Check.when(not left, f"{len(left)} foci left" if left else "every focus is gone or of normal uptake")


def left_of(scan: Panel) -> frozenset[str]:
    """The foci that are there, and those of the baseline that nobody can say to be gone."""
    old = (one.lesion_id for one in scan.expected if not one.facts.gone)
    return frozenset((*old, *(one.lesion_id for one in scan.new)))


def fewer_than_enough(rule: ScanRule, facts: ScanFacts, settings: Settings) -> Check:
    """Non-PD: too few new foci to ask a later scan, those in doubt included."""
    if facts.doubted and rule.met("new_foci", Fraction(len(facts.fresh | facts.doubted)), settings):
        names = ", ".join(sorted(facts.doubted))
        return Check.not_assessable(f"{_told(facts)}; {names}: nobody can say whether new, progression is not excluded")
    return Check.when(not _suspicious(rule, facts, settings), lambda: _told(facts))
