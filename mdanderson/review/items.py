"""What may be stated of a patient: a lesion in one modality at one visit, or a new one that nobody has segmented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mdanderson.criteria import criteria_set
from mdanderson.criteria.rule import AppliesTo, Level, Measure, Rule
from mdanderson.findings import Statement
from mdanderson.report.visits import visit_at
from mdanderson.timeline.statements import NEW_CODE
from mdanderson.vocabulary import Modality, Status

__all__ = ["Code", "Item", "codes_for", "items_in"]

Row = Mapping[str, str]
_SILENT = {str(Status.MERGED)}
"""A lesion that went into another one is judged with that one; nothing is stated of it by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A row of the criteria that a reader may state, and what it says."""

    code: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One lesion in one modality at one visit; without lesion_id, a new lesion there that no image or row has.

    number: of the visit, counted from 1. label: of the mask, parts joined by `;`. row: of lesions.csv.
    is_first: the lesion is first seen here. is_baseline: the modality is first looked at here, so nothing is new and
    nothing can be compared.
    """

    modality: str
    date: str
    visit: str
    number: int
    lesion_id: str = ""
    label: str = ""
    is_first: bool = False
    is_baseline: bool = False
    row: Row

    @property
    def key(self) -> str:
        """By which a browser names it: it tells nothing of patient, date or lesion, and fits no other item."""
        parts = (self.modality, self.date, self.lesion_id, self.label)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are one each."""
        return tuple(filter(None, self.label.split(";")))


def items_in(
    lesions: Sequence[Row], visits: Sequence[tuple[str, str]], *, stated: Sequence[Statement] = ()
) -> tuple[Item, ...]:
    """Every item of a patient, lesion by lesion in order of date; then the places for new ones.

    lesions: rows of lesions.csv. visits: label and first day of each, in order. stated: those that began a lesion which
    the rows do not have, as they were not scored since, or were withdrawn, have an item without a row.
    """
    rows = _leading(lesions)
    first_day = {modality: min(row["date"] for row in rows if row["modality"] == modality) for modality in _of(rows)}
    seen: set[tuple[str, str]] = set()
    known: list[Item] = []
    for row in rows:
        lesion = row["lesion_id"], row["modality"]
        known.append(
            Item(
                modality=row["modality"],
                date=row["date"],
                visit=row["visit"],
                number=(visit_at(row["visit"], row["date"], visits) or 0) + 1,
                lesion_id=row["lesion_id"],
                label=row["label"],
                is_first=lesion not in seen,
                is_baseline=row["date"] == first_day[row["modality"]],
                row=row,
            )
        )
        seen.add(lesion)
    return (*known, *_begun(stated, known), *_places_for_new(known))


def codes_for(item: Item, criteria: str) -> tuple[Code, ...]:
    """The rows on a lesion that the leading criteria have for a modality; none at its baseline.

    Not those that are arithmetic: of a lesion whose size counts as measured, the size is corrected by its outline.
    """
    if item.is_baseline or item.modality not in set(Modality):
        return ()
    rules = criteria_set(criteria).rules
    modality = Modality(item.modality)
    return tuple(
        Code(code=rule.code, text=rule.text)
        for rule in rules
        if rule.level is Level.LESION and modality in rule.modalities and not _is_arithmetic(rule, item)
    )


def _is_arithmetic(rule: Rule[Any], item: Item) -> bool:
    """Whether a row follows from the sizes that are measured, and nobody has to see that it holds."""
    if rule.measure is not Measure.SIZE:
        return False
    return rule.applies_to is AppliesTo.MEASURABLE or item.row.get("measurable") == "true"


def _leading(lesions: Sequence[Row]) -> list[Row]:
    """Of the sequences of an MR examination the one that size is taken from; in order of lesion, modality and date."""
    chosen: dict[tuple[str, str, str], Row] = {}
    for row in lesions:
        if row["status"] in _SILENT or not row["lesion_id"]:
            continue
        key = row["lesion_id"], row["modality"], row["date"]
        before = chosen.get(key)
        if before is None or (not before["long_axis_mm"] and row["long_axis_mm"]):
            chosen[key] = row
    return [row for _, row in sorted(chosen.items())]


def _of(rows: Iterable[Row]) -> set[str]:
    return {row["modality"] for row in rows}


def _begun(stated: Sequence[Statement], known: Sequence[Item]) -> Iterator[Item]:
    """Lesions that statements alone began, each once, at visits at which something is known of the modality."""
    taken = {(item.modality, item.date, item.lesion_id) for item in known}
    place_of = {(item.modality, item.date): item for item in known if not item.is_baseline}
    for one in stated:
        key = str(one.modality), one.date.isoformat(), one.lesion_id
        place = place_of.get(key[:2])
        if one.label or not one.lesion_id or one.fault or key in taken or place is None:
            continue
        if one.new or NEW_CODE in one.codes:
            taken.add(key)
            yield replace(place, lesion_id=one.lesion_id, label="", is_first=True, row={})


def _places_for_new(known: Sequence[Item]) -> Iterator[Item]:
    """One for every modality and visit after its first, so that a lesion may be named that nobody has segmented."""
    places = {(item.modality, item.number): item for item in known if not item.is_baseline}
    for (modality, number), item in sorted(places.items()):
        yield Item(modality=modality, date=item.date, visit=item.visit, number=number, is_first=True, row={})
