"""What the comparators' rows are asked about: one modality at one visit, each lesion followed by one quantity.

A comparator asks its rows of the whole panel, in the order of its table; the first row that holds gives the category.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.criteria.course import PatientCourse, Visit
from mdanderson.criteria.facts import LesionFacts, Origin, Track
from mdanderson.criteria.history import LesionHistory, Quantity
from mdanderson.criteria.rule import Outcome, Rule, Verdict
from mdanderson.quantities import add_up
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["Followed", "JudgedPanel", "Panel", "PanelRule", "Selection", "add_tracks", "judge_panel", "panel_at"]


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

    total: the targets' values added; a visit where one is unknown is unknown, and `least` adds what is known now.
    nothing_there: it was looked at, and no lesion was there at baseline nor is now.
    """

    modality: Modality
    visit: Visit
    is_baseline: bool
    evaluable: bool
    why: str = ""
    lesions: tuple[Followed, ...] = ()
    total: Track
    nothing_there: bool = False

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


PanelRule = Rule[Panel]
Selection = Callable[[Sequence[LesionHistory], Settings], frozenset[str]]
"""Which lesions of a modality are targets, by their findings at baseline."""


def panel_at(
    course: PatientCourse,
    modality: Modality,
    visit: Visit,
    settings: Settings,
    *,
    quantity: Quantity,
    targets: frozenset[str],
) -> Panel:
    """The panel of one modality at one visit."""
    facts = course.modality_facts(modality, visit.index)
    lesions = tuple(
        followed
        for history in course.histories(modality)
        if (followed := _follow(history, visit.index, settings, quantity, targets, facts.why)) is not None
    )
    evaluable = facts.evaluable and facts.baseline_visit is not None
    return Panel(
        modality=modality,
        visit=visit,
        is_baseline=facts.is_baseline,
        evaluable=evaluable,
        why="" if evaluable else facts.why or f"{modality} not evaluable",
        lesions=lesions,
        total=add_tracks([one.value for one in lesions if one.target]),
        nothing_there=evaluable and not any(one.is_old or one.facts.here for one in lesions),
    )


def _follow(
    history: LesionHistory, visit: int, settings: Settings, quantity: Quantity, targets: frozenset[str], silent: str
) -> Followed | None:
    facts = history.facts(visit, settings, counts=NEW_LESION_SIZE, silent=silent)
    if facts is None:
        return None
    target = history.lesion_id in targets
    return Followed(facts=facts, value=history.track(visit, quantity), target=target)


def add_tracks(tracks: Sequence[Track]) -> Track:
    """Tracks added visit by visit; a visit where one is unknown is unknown. `least` adds what is known now."""
    if not tracks:
        return Track()
    return Track(
        now=add_up(track.now for track in tracks),
        least=sum((track.now for track in tracks if track.now is not None), start=Fraction(0)),
        baseline=add_up(track.baseline for track in tracks),
        earlier=tuple(add_up(visit) for visit in zip(*(track.earlier for track in tracks), strict=True)),
    )


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
    responding: frozenset[str] = frozenset()


def judge_panel(rules: Sequence[PanelRule], panel: Panel, settings: Settings) -> JudgedPanel:
    """Ask every row; the first that holds decides. NE with what was missing when none does."""
    if panel.is_baseline:
        count = len(panel.expected)
        reason = f"baseline of {panel.modality}: {count} lesion{'' if count == 1 else 's'}"
        return JudgedPanel(panel=panel, category=Category.BL, reason=reason)
    if not panel.evaluable:
        return JudgedPanel(panel=panel, category=Category.NE, reason=panel.why)
    verdicts = tuple(Verdict(rule, rule.holds(rule, panel, settings)) for rule in rules)
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
