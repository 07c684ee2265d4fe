"""What the tables of the comparators have alike: how a row is written, and what more than one of them asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mdanderson.criteria.comparators.panel import Panel, PanelRule
from mdanderson.criteria.rule import AppliesTo, Check, Level, Limits, Measure, Rule
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["NO_LIMITS", "SIZED", "all_gone", "new_lesion_there", "nothing_left", "panel_row"]

Facts = TypeVar("Facts")

SIZED = frozenset(modality for modality in Modality if modality.is_anatomical)
"""The modalities that show a lesion's outline."""

NO_LIMITS = Limits()


def panel_row(
    code: str,
    gives: Category,
    measure: Measure,
    text: str,
    holds: Callable[[Rule[Facts], Facts, Settings], Check],
    limits: Limits = NO_LIMITS,
    *,
    source: str,
    modalities: frozenset[Modality] = SIZED,
    applies_to: AppliesTo = AppliesTo.ANY,
) -> Rule[Facts]:
    """One row of a comparator's table: it is asked of a whole modality."""
    return Rule(
        code=code,
        gives=gives,
        modalities=modalities,
        level=Level.PATIENT,
        applies_to=applies_to,
        measure=measure,
        text=text,
        source=source,
        holds=holds,
        thresholds=limits.thresholds,
    )


def new_lesion_there(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    """Progression by a new lesion that counts and has not gone since."""
    names = ", ".join(one.lesion_id for one in panel.new)
    return Check.when(bool(names), f"new: {names}" if names else "no new lesion")


def all_gone(_rule: PanelRule, panel: Panel, _settings: Settings) -> Check:
    """Complete response: every lesion of the baseline is stated to be gone. Never by absence of a statement."""
    return nothing_left(panel, "; ".join(one.facts.unassessed for one in panel.unassessed))


def nothing_left(panel: Panel, missing: str) -> Check:
    """Whether every lesion of the baseline is gone. missing: why that cannot be told, blank when it can."""
    if not panel.expected:
        return Check.not_applicable("no lesion at baseline to follow")
    if missing:
        return Check.not_assessable(missing)
    left = [one.facts.name for one in panel.expected if not one.facts.gone]
    return Check.when(not left, f"still there: {', '.join(left)}" if left else "every lesion is gone")
