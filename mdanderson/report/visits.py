"""Which visit of a patient a row of the tables or a picture belongs to."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["visit_at"]


def visit_at(label: str, day: str, visits: Sequence[tuple[str, str]]) -> int | None:
    """The place of the visit among `visits`, from 0: that of the label, else the last that had begun on that day.

    None where none had begun. visits: label and first day of each, in order; a day is as ISO 8601 has it, or blank.
    Of several with one label it is the last that had begun.

    >>> visits = [("baseline", "2024-01-05"), ("week 12", "2024-04-02")]
    >>> visit_at("week 12", "2024-04-09", visits), visit_at("", "2024-03-01", visits), visit_at("", "2023", visits)
    (1, 0, None)
    """
    begun = [place for place, (_, first) in enumerate(visits) if "" < first <= day]
    called = [place for place, (known, _) in enumerate(visits) if known == label]
    found = [place for place in called if place in begun] or called[:1] or begun
    return found[-1] if found else None
