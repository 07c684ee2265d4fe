"""What the comparators' rows are asked about: one modality at one visit, each lesion followed by one quantity.

A comparator asks its rows of the whole panel, in the order of its table; the first row that holds gives the category.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.facts import LesionFacts, Origin
from mdanderson.criteria.history import LesionHistory, Together
from mdanderson.criteria.rule import Outcome, Rule, Verdict
from mdanderson.criteria.said import Quantity
from mdanderson.criteria.track import NO_TRACK, Track, add_tracks
from mdanderson.errors import Problem
from mdanderson.quantities import add_up
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = [
    "WAITING",
    "Followed",
    "Joined",
    "JudgedPanel",
    "Panel",
    "PanelRule",
    "Revision",
    "Selection",
    "ask",
    "each_once",
    "in_one_sequence",
    "judge_panel",
    "panel_at",
    "value_at",
]

WAITING = frozenset({Category.IUPD, Category.PDU})
"""Progression that a later visit must confirm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """One lesion at one visit. value: what the set follows, over the visits. target: it enters the set's sum."""

    facts: LesionFacts
    value: Track
    target: bool = False

    @property
    def lesion_id(self) -> str:
        """Which lesion it is."""
        return self.facts.lesion_id

    @property
    def is_old(self) -> bool:
        """Whether it was there at baseline (assessed there or not), so that it is expected at every visit."""
        return self.facts.origin is not Origin.NEW


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One modality at one visit.

    total: the targets' values added (or the largest of them, by the set); a visit where one is unknown is unknown, and
    `least` is what those known now come to. burden: a second quantity of the targets, added.
    nothing_there: it was looked at, and no lesion was there at baseline nor is now.
    complete: the last visit before this one that showed a complete response.
    """

    modality: Modality
    visit: Visit
    is_baseline: bool
    evaluable: bool
    why: str = ""
    lesions: tuple[Followed, ...] = ()
    total: Track
    burden: Track = NO_TRACK
    nothing_there: bool = False
    complete: Visit | None = None

    @property
    def targets(self) -> tuple[Followed, ...]:
        """The baseline lesions that the sum is made of."""
        return tuple(one for one in self.lesions if one.target)

    @property
    def others(self) -> tuple[Followed, ...]:
        """The lesions of the baseline that no sum follows."""
        return tuple(one for one in self.lesions if one.is_old and not one.target)

    @property
    def expected(self) -> tuple[Followed, ...]:
        """The lesions that this visit should speak of."""
        return tuple(one for one in self.lesions if one.is_old)

    @property
    def new(self) -> tuple[Followed, ...]:
        """New lesions large enough to count that are there."""
        return tuple(one for one in self.lesions if one.facts.here)

    @property
    def unassessed(self) -> tuple[Followed, ...]:
        """Expected lesions of which nothing can be said."""
        return tuple(one for one in self.expected if one.facts.unassessed)


Facts = TypeVar("Facts")
PanelRule = Rule[Panel]
Joined = Callable[[Sequence[Track]], Track]
"""Several lesions' values as one track: their sum, or the largest of them."""

Selection = Callable[[Sequence[LesionHistory], Settings], frozenset[str]]
"""Which lesions of a modality are targets, by their findings at baseline."""

Revision = Callable[[Followed, LesionHistory, int, Settings], Followed | None]
"""What a set makes of a lesion at a visit: another quantity, gone when it is small; None where it is no lesion."""


def panel_at(
    course: PatientCourse,
    modality: Modality,
    visit: Visit,
    settings: Settings,
    *,
    quantity: Quantity,
    targets: frozenset[str],
    across: Joined = add_tracks,
    merged: Together = add_up,
    burden: Quantity | None = None,
    revise: Revision | None = None,
) -> Panel:
    """The panel of one modality at one visit.

    across: what the targets' values come to; merged: the same for lesions that are one after a merge, which enter once.
    """
    facts = course.modality_facts(modality, visit.index)
    lesions = tuple(
        followed
        for history in course.histories(modality)
        if (followed := _follow(history, visit.index, settings, quantity, targets, merged, facts.why, revise))
    )
    counted = {one.lesion_id: one for one in each_once([one for one in lesions if one.target])}
    followed_by = {history.lesion_id: history for history in course.histories(modality)}
    burdens = [] if burden is None else [followed_by[name].track(visit.index, burden) for name in counted]
    evaluable = facts.evaluable and facts.baseline_visit is not None
    return Panel(
        modality=modality,
        visit=visit,
        is_baseline=facts.is_baseline,
        evaluable=evaluable,
        why="" if evaluable else facts.why or f"{modality} not evaluable",
        lesions=lesions,
        total=across([one.value for one in counted.values()]),
        burden=add_tracks(burdens),
        nothing_there=evaluable and not any(one.is_old or one.facts.here for one in lesions),
    )


def _follow(
    history: LesionHistory,
    visit: int,
    settings: Settings,
    quantity: Quantity,
    targets: frozenset[str],
    merged: Together,
    silent: str,
    revise: Revision | None,
) -> Followed | None:
    facts = history.facts(visit, settings, counts=NEW_LESION, silent=silent)
    if facts is None:
        return None
    value = value_at(history, visit, facts, settings, quantity=quantity, merged=merged)
    followed = Followed(facts=facts, value=value, target=history.lesion_id in targets)
    return followed if revise is None else revise(followed, history, visit, settings)


def value_at(
    history: LesionHistory,
    visit: int,
    facts: LesionFacts,
    settings: Settings,
    *,
    quantity: Quantity,
    merged: Together = add_up,
) -> Track:
    """A lesion's quantity over the visits, in one MR sequence; not known now where nothing can be said of it."""
    track = history.track(visit, in_one_sequence(history, visit, quantity, settings), merged)
    if facts.unassessed and history.first != visit:
        return track.unknown_now()
    return track


def in_one_sequence(history: LesionHistory, visit: int, quantity: Quantity, settings: Settings) -> Quantity:
    """The quantity in the first of `size_sequence_order` measured at both visits (docs/details.md, detail 32)."""
    if history.series.modality is not Modality.MR or history.first is None:
        return quantity
    before = {finding.sequence for finding in history.at(history.first) if quantity(finding) is not None}
    now = {finding.sequence for finding in history.source(visit) if quantity(finding) is not None}
    rank = {str(name): position for position, name in enumerate(settings.policy.size_sequence_order)}
    chosen = min(before & now or before, key=lambda name: (rank.get(name, len(rank)), name), default="")
    return lambda finding: quantity(finding) if finding.sequence == chosen else None


def each_once(lesions: Sequence[Followed]) -> tuple[Followed, ...]:
    """Lesions that became one only once: by the one that carries the measurement, where it is among them."""
    names = {one.lesion_id for one in lesions}
    kept: dict[str, Followed] = {}
    for one in lesions:
        if one.facts.merged_into not in names:
            kept.setdefault(one.facts.merged_into or one.lesion_id, one)
    return tuple(kept.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPanel:
    """A panel with the answer of every row, and its category. BL at the modality's own baseline."""

    panel: Panel
    category: Category
    verdicts: tuple[Verdict, ...] = field(default=(), repr=False)
    rules: tuple[str, ...] = ()
    reason: str = ""
    unconfirmed: bool = False
    progressing: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    responding: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def judge_panel(rules: Sequence[PanelRule], panel: Panel, settings: Settings) -> JudgedPanel:
    """What the rows say of a panel; BL at its baseline, NE where it could not be evaluated."""
    if panel.is_baseline:
        count = len(panel.expected)
        reason = f"baseline of {panel.modality}: {count} lesion{'' if count == 1 else 's'}"
        return JudgedPanel(panel=panel, category=Category.BL, reason=reason)
    if not panel.evaluable:
        return JudgedPanel(panel=panel, category=Category.NE, reason=panel.why)
    judged = _naming_treated(ask(rules, panel, panel, settings))
    doubted = [one.facts.doubted for one in panel.lesions if one.facts.doubted]
    if not doubted or judged.category.is_progression or judged.category in WAITING:
        return judged
    reason = f"{', '.join(doubted)}: nobody can say whether new, so progression is not excluded"
    return replace(judged, category=Category.NE, rules=(), reason=reason)


def _naming_treated(judged: JudgedPanel) -> JudgedPanel:
    """Say which of the lesions that are added up were treated locally: no comparator leaves them out (detail 34)."""
    names = ", ".join(one.facts.name for one in judged.panel.targets if one.facts.treated)
    told = f"{judged.reason}; treated locally, counted all the same: {names}"
    return replace(judged, reason=told) if names else judged


def ask(rules: Sequence[Rule[Facts]], facts: Facts, panel: Panel, settings: Settings) -> JudgedPanel:
    """Ask every row about some facts of a panel; the first that holds decides. NE with what was missing."""
    verdicts = tuple(Verdict(rule, rule.holds(rule, facts, settings)) for rule in rules)
    deciding = next((verdict for verdict in verdicts if verdict.fired), None)
    if deciding is None:
        missing = dict.fromkeys(v.because for v in verdicts if v.outcome is Outcome.NOT_ASSESSABLE)
        reason = "; ".join(missing) or "no row applies"
        return JudgedPanel(panel=panel, category=Category.NE, verdicts=verdicts, reason=reason)
    same = [verdict for verdict in verdicts if verdict.fired and verdict.gives is deciding.gives]
    return JudgedPanel(
        panel=panel,
        category=deciding.gives,
        verdicts=verdicts,
        rules=tuple(verdict.code for verdict in same),
        reason="; ".join(dict.fromkeys(f"{verdict.because}: {verdict.code}" for verdict in same)),
    )
