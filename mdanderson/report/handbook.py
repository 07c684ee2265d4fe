"""The handbook: every set of criteria and every setting on one page, written from the tables that decide.

Nothing here knows a rule. Rows, limits and notes come from the criteria sets, defaults and sources from the settings,
so that the page cannot say anything else than the program does (`make handbook` writes docs/criteria.md from it).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mdanderson.criteria import CRITERIA_SETS, CriteriaSet
from mdanderson.criteria.comparators import soft_tissue
from mdanderson.criteria.comparators.soft_tissue import COMBINED, COMBINED_WITHOUT_TARGETS
from mdanderson.criteria.rule import Comparison, Rule, Threshold
from mdanderson.report.handbook_texts import ABOUT_RISK, ABOUT_SETTINGS, MARKS, OPENING, QUANTITIES
from mdanderson.report.known_settings import KnownSetting, SettingsSection, known_sections
from mdanderson.report.markdown import anchored, code, linked, section, table
from mdanderson.settings import Settings
from mdanderson.stability.mirels import BANDS as MIRELS_BANDS
from mdanderson.stability.mirels import SITE_POINTS
from mdanderson.stability.mirels import SOURCE as MIRELS_SOURCE
from mdanderson.stability.mirels import TABLES as MIRELS_TABLES
from mdanderson.stability.score import Band, ItemTable
from mdanderson.stability.sins import BANDS as SINS_BANDS
from mdanderson.stability.sins import LEVELS
from mdanderson.stability.sins import SOURCE as SINS_SOURCE
from mdanderson.stability.sins import TABLES as SINS_TABLES

__all__ = ["handbook"]

_OURS = "operational definition of ours"
_SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}
_OFF_AT_0 = (Comparison.AT_LEAST, Comparison.BELOW)
"""Of a rise: at least nothing asks nothing, and less than nothing never holds."""

Known = Mapping[str, KnownSetting]


def handbook(settings: Settings | None = None) -> str:
    """The whole page in Markdown, with the values of `settings` (the defaults without)."""
    in_force = settings or Settings()
    sections = known_sections(in_force)
    parts = [
        OPENING,
        section("Contents", _contents(sections)),
        section("How to read the tables", MARKS),
        section("Criteria sets"),
        *(_criteria(one, sections, in_force) for one in CRITERIA_SETS),
        section("Structural risk", ABOUT_RISK),
        _score("SINS", SINS_SOURCE, (_spine(), *SINS_TABLES), SINS_BANDS),
        _score("Mirels", MIRELS_SOURCE, (_limbs(), *MIRELS_TABLES), MIRELS_BANDS),
        section("Settings", ABOUT_SETTINGS),
        *map(_settings, sections),
    ]
    return "\n\n".join(parts) + "\n"


def _contents(sections: Iterable[SettingsSection]) -> str:
    sets = [f"  - {linked(one.title, _anchor(one))} ({code(one.code)})" for one in CRITERIA_SETS]
    keys = [f"  - {_linked_section(one)}" for one in sections]
    return "\n".join(
        [
            f"- {linked('Criteria sets', 'criteria-sets')}",
            *sets,
            f"- {linked('Structural risk', 'structural-risk')}: SINS and Mirels",
            f"- {linked('Settings', 'settings')}: every threshold and policy, its default and its source",
            *keys,
        ]
    )


def _anchor(criteria: CriteriaSet) -> str:
    return f"set-{criteria.code}"


def _section_anchor(part: SettingsSection) -> str:
    return f"settings-{part.name}"


def _linked_section(part: SettingsSection) -> str:
    return linked(code(f"[{part.name}]"), _section_anchor(part))


def _criteria(criteria: CriteriaSet, sections: Sequence[SettingsSection], settings: Settings) -> str:
    """One set: where it comes from, its rows, how they make a category, what confirms it."""
    known = {one.key: one for part in sections for one in part.keys}
    sources = dict.fromkeys(rule.source for rule in criteria.rules)
    head = ("row", "gives", "modality", "applies to", "level", "what must hold", "limits in force")
    return section(
        f"{criteria.title} ({code(criteria.code)})",
        f"Source: {'; '.join(f'{source}{_whose(source)}' for source in sources)}.",
        table(head, (_row(rule, known) for rule in criteria.rules)),
        _notes(criteria),
        *(more() for more in _MORE.get(criteria.code, ())),
        _confirmation(criteria.confirm_weeks(settings)),
        _own_settings(criteria, sections),
        level=3,
        anchor=_anchor(criteria),
    )


def _row(rule: Rule[Any], known: Known) -> tuple[str, ...]:
    return (
        f"**{rule.code}**",
        rule.gives,
        " ".join(sorted(rule.modalities)),
        rule.applies_to.replace("_", "-"),
        rule.level,
        rule.text + _whose(rule.source),
        "; ".join(_limit(threshold, known[threshold.setting]) for threshold in rule.thresholds),
    )


def _limit(threshold: Threshold, known: KnownSetting) -> str:
    """A limit in words, with a link to its setting; one that 0 switches off says so, and is no condition."""
    words, unit = QUANTITIES.get(threshold.quantity, (threshold.quantity.replace("_", " "), ""))
    value = f"{float(known.value) * 100:g} %" if unit == "%" else f"{float(known.value):g} {unit}".rstrip()
    ours = " †" if known.is_ours else ""
    if float(known.value) == 0 and threshold.comparison in _OFF_AT_0:
        return f"{words}: off ({linked(code(f'{known.name} = 0'), known.key)}){ours}"
    return f"{words} {_SIGNS[threshold.comparison]} {value} ({linked(code(known.name), known.key)}){ours}"


def _whose(source: str) -> str:
    return f" ({_OURS})" if source.startswith("ours") else ""


def _notes(criteria: CriteriaSet) -> str:
    """What the set's own module says of it: how its rows go together, and what they leave to a choice."""
    return _prose(criteria.notes)


def _prose(docstring: str | None) -> str:
    """What a module says of itself, its source left out: that stands above the rows."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(one for one in paragraphs if not one.startswith("Source:"))


def _own_settings(criteria: CriteriaSet, sections: Iterable[SettingsSection]) -> str:
    """Links to the sections of settings that its rows ask, and to its own."""
    asked = {threshold.setting.partition(".")[0] for rule in criteria.rules for threshold in rule.thresholds}
    links = [_linked_section(one) for one in sections if one.name in asked | {"policy", criteria.code}]
    return f"**Settings.** {', '.join(links)}."


def _confirmation(weeks: float) -> str:
    if not weeks:
        return "**Confirmation.** A response counts for the best response from the first visit that shows it."
    return (
        f"**Confirmation.** A response counts for the best response when it is seen again at least {weeks:g} weeks\n"
        "later. A complete response that is then seen as a partial one counts as partial; any other as stable disease."
    )


def _combination() -> str:
    """PCWG3's table of soft tissue and bone, from its data."""
    bone = tuple(next(iter(COMBINED.values())))
    rows = [(f"**{soft}**", *(cells[one] for one in bone)) for soft, cells in COMBINED.items()]
    rows += [
        (f"**{soft}**, no target in soft tissue", *(cells[one] for one in bone))
        for soft, cells in COMBINED_WITHOUT_TARGETS.items()
        if cells != COMBINED[soft]
    ]
    words = "Soft tissue (rows) and bone (columns) together:"
    return "\n\n".join([_prose(soft_tissue.__doc__), words, table(("", *bone), rows)])


_MORE: Mapping[str, tuple[Callable[[], str], ...]] = {"pcwg3": (_combination,)}
"""What a set has beside rows: its code -> blocks."""


def _spine() -> ItemTable:
    levels = {f"{part}: {' '.join(names)}": (points, points) for part, (points, names) in LEVELS.items()}
    return ItemTable(name="location", points=levels)


def _limbs() -> ItemTable:
    return ItemTable(name="site", points={str(site): (points, points) for site, points in SITE_POINTS.items()})


def _score(name: str, source: str, items: Iterable[ItemTable], bands: Iterable[Band]) -> str:
    rows = [
        (item.name, str(word), str(least) if least == most else f"{least}-{most}")
        for item in items
        for word, (least, most) in item.points.items()
    ]
    told = "; ".join(f"from {band.from_points}: {band.word}" for band in bands)
    return section(
        name, f"Source: {source}.", table(("item", "word", "points"), rows), f"Points added: {told}.", level=3
    )


def _settings(part: SettingsSection) -> str:
    rows = [
        (anchored(code(one.name), one.key), _in_force(one), one.allowed, one.source, "†" if one.is_ours else "")
        for one in part.keys
    ]
    return section(
        code(f"[{part.name}]"),
        part.about,
        table(("key", "in force", "allowed", "source", "ours"), rows),
        level=3,
        anchor=_section_anchor(part),
    )


def _in_force(known: KnownSetting) -> str:
    """The value, with the default where it is another."""
    return code(known.value) if known.value == known.default else f"**{code(known.value)}** (default {known.default})"
