"""One patient under review: what may be stated, and what has been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdanderson.findings import Statement
from mdanderson.report.cells import Cells
from mdanderson.review.items import Item
from mdanderson.review.same_reader import is_same_reader

__all__ = ["PatientReview", "RecordedStatement"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedStatement:
    """A statement, and where it is kept. entered: in the results folder, where entries of reviews go."""

    statement: Statement
    entered: bool

    @property
    def order(self) -> tuple[bool, str, bool, int]:
        """Of two about one thing the one that sorts last counts (docs/details.md, detail 33)."""
        statement = self.statement
        return statement.adjudicates, statement.time, self.entered, statement.row

    def is_by(self, reader: str) -> bool:
        """Whether it is a reader's own word, which an adjudication is not."""
        return is_same_reader(self.statement.reader, reader) and not self.statement.adjudicates

    def is_about(self, item: Item) -> bool:
        """Whether it names this lesion, modality and day, by label or by name."""
        statement = self.statement
        if (statement.date.isoformat(), str(statement.modality)) != (item.date, item.modality) or statement.fault:
            return False
        if statement.label:
            return statement.label in item.labels
        return bool(statement.lesion_id) and statement.lesion_id == item.lesion_id


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientReview:
    """One patient as the results have it now. failure: why it was not scored."""

    patient_id: str
    rows: Mapping[str, Sequence[Cells]]
    items: tuple[Item, ...]
    statements: tuple[RecordedStatement, ...]
    visits: tuple[tuple[str, str], ...]
    failure: str = ""

    def item(self, key: str) -> Item | None:
        """The item that a browser names; None where results have changed since."""
        return next((item for item in self.items if item.key == key), None)

    def about(self, item: Item) -> list[RecordedStatement]:
        """What is stated of an item, the one that counts last."""
        return sorted(
            (recorded for recorded in self.statements if recorded.is_about(item)), key=lambda recorded: recorded.order
        )
