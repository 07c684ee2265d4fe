"""Where two readers, or a reader and the computation, say different things of a lesion at a visit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mdanderson.findings import Statement
from mdanderson.review.desk import Desk, Said, Sheet, is_same_reader
from mdanderson.review.forms import DECIDING, as_fields
from mdanderson.review.items import Item
from mdanderson.timeline.statements import NEW_CODE
from mdanderson.vocabulary import Basis

__all__ = ["Dispute", "Position", "disputes", "disputes_of"]

_COMPUTED = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """What one side says. reader: blank = the computation. fields: as the form has them.

    denies: it has no such lesion.
    """

    reader: str
    fields: dict[str, str]
    comment: str = ""
    time: str = ""
    category: str = ""
    denies: bool = False

    @property
    def stated(self) -> tuple[tuple[str, str], ...]:
        """What it says, of what decides."""
        return tuple((name, self.fields[name]) for name in DECIDING if self.fields.get(name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    """An item on which positions differ. settled: by whom, and how; reopened: a reader has spoken since."""

    patient_id: str
    item: Item
    positions: tuple[Position, ...]
    settled: Position | None = None
    reopened: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look."""
        return self.settled is None or self.reopened


def disputes(desk: Desk) -> tuple[Dispute, ...]:
    """Of all patients of whom anything is stated; what is open comes first."""
    spoken_of = [name for name in desk.patient_ids if desk.said(name)]
    found = [one for name in spoken_of for one in disputes_of(desk.sheet(name))]
    return tuple(sorted(found, key=lambda one: (not one.is_open, one.patient_id, one.item.lesion_id, one.item.date)))


def disputes_of(sheet: Sheet) -> Iterator[Dispute]:
    """Of one patient, item by item."""
    for item in sheet.items:
        said = sheet.about(item)
        readers = _last_of_each(one for one in said if not one.statement.adjudicates)
        settled = next((one for one in reversed(said) if one.statement.adjudicates), None)
        positions = [_position(one, item) for one in readers]
        differing = _differ(positions)
        computed = _computed(item)
        against = computed is not None and any(_is_against(computed, one, item) for one in readers)
        if not (differing or against or settled):
            continue
        if computed is not None:
            positions.append(computed)
        since = settled is not None and any(one.statement.time > settled.statement.time for one in readers)
        yield Dispute(
            patient_id=sheet.patient_id,
            item=item,
            positions=tuple(positions),
            settled=None if settled is None else _position(settled, item),
            reopened=since and (differing or against),
        )


def _computed(item: Item) -> Position | None:
    """What the computation says; None where its category without the readers is not known, as none was laid over it."""
    category = item.row.get("category_measured", "")
    if category:
        return Position(reader=_COMPUTED, fields={}, category=category)
    made = not item.row or bool(item.row.get("category") and item.row.get("basis") == Basis.READER)
    return Position(reader=_COMPUTED, fields={}, denies=True) if made else None


def _is_against(computed: Position, said: Said, item: Item) -> bool:
    """Whether a reader's word makes the difference; of a lesion that is there by it alone, whether it still does."""
    if not computed.denies:
        return computed.category != item.row.get("category")
    return bool(item.row) or said.statement.new is True or NEW_CODE in said.statement.codes


def _last_of_each(said: Iterable[Said]) -> list[Said]:
    """Of every reader the last word, readers by name."""
    last: list[Said] = []
    for one in said:
        last = [before for before in last if not is_same_reader(before.statement.reader, one.statement.reader)]
        last.append(one)
    return sorted(last, key=lambda one: one.statement.reader)


def _differ(positions: Iterable[Position]) -> bool:
    return len({one.stated for one in positions}) > 1


def _position(said: Said, item: Item) -> Position:
    one: Statement = said.statement
    fields = as_fields(one)
    if fields["lesion_id"] == item.lesion_id:
        fields["lesion_id"] = ""
    return Position(reader=one.reader or "?", fields=fields, comment=one.comment, time=one.time)
