"""A patient's results as they are at one moment, and what is another in them later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from mdanderson.criteria import OVERALL
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, PROBLEMS, RESPONSES, Table

__all__ = ["CategoryChange", "Changes", "ResultKey", "Snapshot", "rows_of"]

Row = Mapping[str, str]


class ResultKey(NamedTuple):
    """What a category is of: a visit by a set of criteria, or a lesion at a visit in one modality and sequence."""

    date: str
    visit: str
    criteria: str = ""
    lesion_id: str = ""
    modality: str = ""
    sequence: str = ""

    @property
    def title(self) -> str:
        """As people read it."""
        visit = self.visit or self.date
        return " \N{MIDDLE DOT} ".join(
            filter(None, (self.lesion_id, visit, self.criteria, self.modality, self.sequence))
        )


class CategoryChange(NamedTuple):
    """A category that is another than before; blank where there was, or is, none."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is another. problems: severity and line of those that are new."""

    categories: tuple[CategoryChange, ...]
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The categories of visits, then of lesions, and the problems by their line."""

    categories: Mapping[ResultKey, str]
    problems: Mapping[str, str]

    @classmethod
    def of_rows(cls, rows: Mapping[str, Sequence[Cells]]) -> Self:
        """Of the rows of one patient, by table name."""
        visits = {
            ResultKey(row["date"], row["visit"], criteria=row["criteria"]): row["category"]
            for row in rows_of(RESPONSES, rows)
            if row["scope"] == OVERALL
        }
        lesions = {
            ResultKey(
                row["date"],
                row["visit"],
                lesion_id=row["lesion_id"],
                modality=row["modality"],
                sequence=row["sequence"],
            ): row["category"]
            for row in rows_of(LESIONS, rows)
        }
        problems = {
            f"{row['what']} @ {row['where']}; {row['how_to_fix']}": row["severity"] for row in rows_of(PROBLEMS, rows)
        }
        return cls(categories=visits | lesions, problems=problems)

    def changes_since(self, before: Snapshot) -> Changes:
        """What is another than it was then."""
        keys = dict.fromkeys((*before.categories, *self.categories))
        found = (
            CategoryChange(key.title, before.categories.get(key, ""), self.categories.get(key, "")) for key in keys
        )
        return Changes(
            categories=tuple(change for change in found if change.before != change.after),
            problems=tuple((severity, line) for line, severity in self.problems.items() if line not in before.problems),
        )


def rows_of(table: Table, rows: Mapping[str, Sequence[Cells]]) -> list[Row]:
    """Rows of a table by column name."""
    return list(table.named(rows.get(table.name, ())))
