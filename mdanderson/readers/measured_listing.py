"""Lesions that rows list before any row states something of them: what is stated later tells whether they were there.

A row that states nothing says that its visit took place and that its lesion is listed, not assessed there
(docs/details.md, detail 36).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from enum import StrEnum

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Statement
from mdanderson.readers.measured_rows import LostRow, MeasuredRow
from mdanderson.vocabulary import Modality, Status

__all__ = [
    "UNSTATED",
    "Listed",
    "Said",
    "about_blank",
    "by_name",
    "compared_with_nothing",
    "first_days",
    "listed_lesions",
    "presupposing",
    "states_nothing",
    "with_types",
]

Said = Mapping[tuple[dt.date, Modality, str], Sequence[Statement]]
"""The statements of reads.csv by the examination and the lesion, or the label, that they name."""
UNSTATED = "listed at baseline without any finding"
"""Why nobody can say whether a lesion is new that is first stated later."""
_OF_ALL = {"PR2", "PD4"}
"""Codes of all lesions together that do not say of a lesion that it was there."""
_COMPARING = ("CR", "PR", "SD", "PD")
_FRESH = {Status.NEW, Status.EQUIVOCAL}


class Listed(StrEnum):
    """What became of a lesion that its first row names without stating anything of it."""

    THERE = "a code compares it with baseline, or it is gone: it was there"
    KNOWN = "there before, not assessed"
    NEW = "new"
    OPEN = "it is stated, and nobody can say whether it is new"
    SILENT = "never stated"


def by_name(statements: Sequence[Statement]) -> Said:
    """The statements by the examination and the lesion that they name, by its identity or its label."""
    found: dict[tuple[dt.date, Modality, str], list[Statement]] = {}
    for one in (one for one in statements if not one.fault):
        for name in {one.lesion_id, one.label} - {""}:
            found.setdefault((one.date, one.modality, name), []).append(one)
    return found


def first_days(rows: Iterable[MeasuredRow | LostRow]) -> dict[str, dt.date]:
    """Lesion -> the first day with a row of it, be it that it states nothing or cannot be used."""
    found: dict[str, dt.date] = {}
    for row in rows:
        if row.date is not None:
            found[row.lesion_id] = min(row.date, found.get(row.lesion_id, row.date))
    return found


def with_types(rows: Iterable[MeasuredRow]) -> set[tuple[Modality, str, object]]:
    """Modality, lesion and type of the rows that state a type and something else.

    Another row with the same type alone repeats a column that is the same throughout, and states nothing.
    """
    return {
        (row.modality, row.lesion_id, row.facts["lesion_type"])
        for row in rows
        if "lesion_type" in row.facts and not row.states_type_alone
    }


def states_nothing(row: MeasuredRow, typed: Container[tuple[Modality, str, object]]) -> bool:
    """Whether a row names a lesion and states nothing of it. typed: see `with_types`."""
    if row.is_blank:
        return True
    return row.states_type_alone and (row.modality, row.lesion_id, row.facts["lesion_type"]) in typed


def about_blank(rows: Sequence[MeasuredRow], visits: Mapping[dt.date, str]) -> Problem:
    """A warning for the rows of one day and modality that state nothing."""
    names, first = ", ".join(dict.fromkeys(row.lesion_id for row in rows)), rows[0]
    return Problem(
        severity=Severity.WARNING,
        visit=visits[first.date],
        where=f"{first.place}, {first.modality} of {first.date}",
        what=f"nothing is stated of {names}: listed, not assessed there",
        how_to_fix="write a status where it was looked at: followed (at first sight baseline or new) if it is there "
        "but cannot be measured, resolved if it is gone",
    )


def presupposing(codes: Iterable[str]) -> list[str]:
    """The codes that presuppose that their lesion was there before."""
    return sorted(code for code in codes if code[:2] in _COMPARING and code not in _OF_ALL)


def compared_with_nothing(row: MeasuredRow, said: Said) -> list[str]:
    """The codes of a first row that presuppose an earlier one, unless it says itself where its lesion comes from."""
    statements = said.get((row.date, row.modality, row.lesion_id), ()) if row.is_blank or row.states_type_alone else ()
    if row.new is not None or row.status is not None or any(one.new is not None for one in statements):
        return []
    return presupposing({*row.facts.get("reader_codes", ()), *(code for one in statements for code in one.codes)})


def listed_lesions(
    blank: Mapping[dt.date, Sequence[MeasuredRow]], rows: Sequence[MeasuredRow], said: Said, first: dt.date
) -> dict[str, Listed]:
    """The lesions of one modality whose first row states nothing, and what later rows and statements make of them.

    first: the day of the modality's first examination; only what is listed there may have been there.
    """
    named: dict[str, list[MeasuredRow]] = {}
    for row in (*(one for its_rows in blank.values() for one in its_rows), *rows):
        named.setdefault(row.lesion_id, []).append(row)
    listed: dict[str, Listed] = {}
    for lesion_id in dict.fromkeys(one.lesion_id for its_rows in blank.values() for one in its_rows):
        its_rows = named[lesion_id]
        begins = min(row.date for row in its_rows)
        on_it = [row for row in its_rows if row.date == begins]
        if all(row in blank.get(begins, ()) for row in on_it):
            kind = _became(its_rows, lesion_id, begins, said, blank)
            listed[lesion_id] = kind if begins == first else _LATER.get(kind, kind)
    return listed


_LATER = {Listed.THERE: Listed.KNOWN, Listed.OPEN: Listed.NEW}
"""Of a lesion listed after baseline only: known where a code compares it, new where nothing is said of that."""


def _became(
    rows: Sequence[MeasuredRow],
    lesion_id: str,
    begins: dt.date,
    said: Said,
    blank: Mapping[dt.date, Sequence[MeasuredRow]],
) -> Listed:
    """What the first day that states anything of a lesion after the one that lists it makes of it."""
    modality = rows[0].modality
    days = {date for date, of, name in said if of is modality and name == lesion_id} | {row.date for row in rows}
    known = any(row.new is False for row in rows if row.date == begins)
    for date in sorted(day for day in days if day > begins):
        here = [row for row in rows if row.date == date]
        statements = said.get((date, modality, lesion_id), ())
        stating = [row for row in here if row not in blank.get(date, ())]
        found = _told(here, statements) if statements or stating else None
        if found is not None:
            return Listed.KNOWN if known and found is Listed.OPEN else found
        known = known or any(row.new is False for row in here)
    return Listed.KNOWN if known else Listed.SILENT


def _told(rows: Sequence[MeasuredRow], statements: Sequence[Statement]) -> Listed | None:
    """What one day says of where a lesion comes from; None where it states nothing of the lesion."""
    codes = {code for row in rows for code in row.facts.get("reader_codes", ())}
    codes.update(code for one in statements for code in one.codes)
    new = {row.new for row in rows} | {one.new for one in statements}
    statuses = {row.status for row in rows}
    if True in new or statuses & _FRESH:
        return Listed.NEW
    if presupposing(codes) or Status.RESOLVED in statuses or any(row.facts.get("long_axis_mm") == 0 for row in rows):
        return Listed.THERE
    if "PD4" in codes:
        return Listed.NEW
    telling = bool(statements) or any(not row.is_blank and not row.is_silent for row in rows)
    if telling and (False in new or statuses - {None}):
        return Listed.KNOWN
    return Listed.OPEN if telling else None
