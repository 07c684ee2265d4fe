"""Where two readers, or a reader and the computation, say different things of a lesion at a visit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mdanderson.review.forms import DECIDING, as_fields
from mdanderson.review.items import Item
from mdanderson.review.patient_review import PatientReview, RecordedStatement
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.same_reader import is_same_reader
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


def disputes(reviewed: ReviewedFolder) -> tuple[Dispute, ...]:
    """Of all patients of whom anything is stated; what is open comes first."""
    stated_on = [patient_id for patient_id in reviewed.patient_ids if reviewed.statements_on(patient_id)]
    found = [dispute for patient_id in stated_on for dispute in disputes_of(reviewed.review_of(patient_id))]
    return tuple(sorted(found, key=_order))


def _order(dispute: Dispute) -> tuple[bool, str, str, str]:
    return not dispute.is_open, dispute.patient_id, dispute.item.lesion_id, dispute.item.date


def disputes_of(patient: PatientReview) -> Iterator[Dispute]:
    """Of one patient, item by item."""
    for item in patient.items:
        statements = patient.about(item)
        last_words = _last_of_each(recorded for recorded in statements if not recorded.statement.adjudicates)
        settled = next((recorded for recorded in reversed(statements) if recorded.statement.adjudicates), None)
        positions = [_position(recorded, item) for recorded in last_words]
        differing = _differ(positions)
        computed = _computed(item)
        against = computed is not None and any(_is_against(computed, word, item) for word in last_words)
        if not (differing or against or settled):
            continue
        if computed is not None:
            positions.append(computed)
        since = settled is not None and any(word.statement.time > settled.statement.time for word in last_words)
        yield Dispute(
            patient_id=patient.patient_id,
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


def _is_against(computed: Position, recorded: RecordedStatement, item: Item) -> bool:
    """Whether a reader's word makes the difference; of a lesion that is there by it alone, whether it still does."""
    if not computed.denies:
        return computed.category != item.row.get("category")
    return bool(item.row) or recorded.statement.new is True or NEW_CODE in recorded.statement.codes


def _last_of_each(statements: Iterable[RecordedStatement]) -> list[RecordedStatement]:
    """Of every reader the last word, readers by name."""
    last: list[RecordedStatement] = []
    for recorded in statements:
        reader = recorded.statement.reader
        last = [*(before for before in last if not is_same_reader(before.statement.reader, reader)), recorded]
    return sorted(last, key=lambda recorded: recorded.statement.reader)


def _differ(positions: Iterable[Position]) -> bool:
    return len({position.stated for position in positions}) > 1


def _position(recorded: RecordedStatement, item: Item) -> Position:
    statement = recorded.statement
    fields = as_fields(statement)
    if fields["lesion_id"] == item.lesion_id:
        fields["lesion_id"] = ""
    return Position(reader=statement.reader or "?", fields=fields, comment=statement.comment, time=statement.time)
