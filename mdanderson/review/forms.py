"""What a reader sends, as a row of reads.csv; what would not count as it is meant is refused before it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from mdanderson.errors import InputError, Severity, printable
from mdanderson.findings import Statement
from mdanderson.readers.cells import STRUCTURE_COLUMNS
from mdanderson.readers.reads import READS_COLUMNS, STATED, read_reads
from mdanderson.readers.text_table import Row, TextTable
from mdanderson.review.items import Item
from mdanderson.timeline.codes import codes_in, faults_of

__all__ = ["DECIDING", "FIELDS", "FLAGS", "LONGEST", "LONGEST_COMMENT", "WORDS", "as_fields", "entry_from"]

FLAGS = tuple(one.name for one in STATED if one.is_flag)
"""What is yes, no, or left as computed."""
WORDS: Mapping[str, tuple[StrEnum, ...]] = {one.name: one.words for one in STATED if one.words}
"""What is one of some words."""
DECIDING = (*(one.name for one in STATED if one.decides), "lesion_id")
"""What a category may rest on."""
FIELDS = (*DECIDING, *(one.name for one in STATED if not one.decides))
"""All that a form states, but for the comment."""
LONGEST_COMMENT = 2000
"""Characters of a reason."""
LONGEST = 200
"""Characters of any other field."""
_ROW = 2


def entry_from(
    sent: Mapping[str, Any],
    item: Item,
    *,
    patient_id: str,
    reader: str,
    adjudicates: bool = False,
    others: Iterable[Item] = (),
) -> dict[str, str]:
    """The cells of the entry, by column. Raises `InputError`, whose `where` is the field that is at fault.

    others: what else can be stated of the patient: a new lesion is none of them.
    A lesion is named by its label where it has one: a name may be another when the next identity is stated.
    """
    cells = _named(item, _text(sent, "lesion_id", LONGEST))
    if cells["lesion_id"] != item.lesion_id:
        _check_is_free(cells["lesion_id"], item, others)
    if not cells["label"] and len(item.labels) == 1 and not item.row.get("sequence"):
        cells |= {"lesion_id": "", "label": item.label}
    cells |= {one.name: _text(sent, one.name, LONGEST) for one in STATED}
    cells["findings"] = ";".join(sorted(codes_in(cells["findings"])))
    cells["comment"] = _text(sent, "comment", LONGEST_COMMENT)
    cells["reader"] = reader or _text(sent, "reader", LONGEST)
    cells |= {"patient_id": patient_id, "date": item.date, "modality": item.modality}
    cells["adjudicates"] = "true" if adjudicates else ""
    for name in ("reader", "comment"):
        if not any(letter.isalnum() for letter in cells[name]):
            what = "nobody signs it" if name == "reader" else "no reason is given"
            raise InputError(what, where=name, way_out="fill it in: an entry without it is worth nothing later")
    if not item.lesion_id:
        cells["new"] = "true"
    _check(cells)
    return cells


def as_fields(statement: Statement) -> dict[str, str]:
    """A statement as the form shows it."""
    return {name: _field(statement, name) for name in FIELDS}


def _field(statement: Statement, name: str) -> str:
    if name == "findings":
        return ";".join(sorted(statement.codes))
    if name == "lesion_id":
        return statement.lesion_id if statement.label else ""
    value = getattr(statement.structure if name in STRUCTURE_COLUMNS else statement, name, None)
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def _named(item: Item, stated: str) -> dict[str, str]:
    """The lesion as reads.csv names it: as it is called, by label where another name is stated, or a new one."""
    if not item.lesion_id:
        if not stated:
            raise InputError("the new lesion has no name", where="lesion_id", way_out="give it one, such as N1")
        return {"lesion_id": stated, "label": ""}
    if not stated or stated == item.lesion_id:
        label = item.label if stated and len(item.labels) == 1 else ""
        return {"lesion_id": item.lesion_id, "label": label}
    if len(item.labels) != 1:
        what = "it has no label here" if not item.labels else "it has several labels here"
        raise InputError(
            f"{what}, so it cannot be called another", where="lesion_id", way_out="leave the name as it is"
        )
    return {"lesion_id": stated, "label": item.label}


def _check_is_free(name: str, item: Item, others: Iterable[Item]) -> None:
    """Raises `InputError` for the name of a lesion that is drawn on the same image, or of any for one that is new.

    Two would be taken for one, and what was stated of the other would be superseded or told of the wrong one.
    """
    for other in others:
        here = (other.date, other.modality) == (item.date, item.modality) and other.key != item.key
        if here and other.lesion_id == name and (other.labels or not item.lesion_id):
            way_out = "call that one another first" if item.lesion_id else "choose it in the list, or name another"
            raise InputError(f"lesion {name} is there already", where="lesion_id", way_out=way_out)


def _text(sent: Mapping[str, Any], name: str, longest: int) -> str:
    """A field as one line of text. Raises `InputError` for anything else."""
    value = sent.get(name, "")
    if not isinstance(value, str):
        raise InputError("not a text", where=name, way_out="send the form as the page has it")
    text = " ".join(printable(value).split())
    if len(text) > longest:
        raise InputError(f"{len(text)} characters, more than {longest}", where=name, way_out="shorten it")
    return text


def _check(cells: Mapping[str, str]) -> None:
    """Read the entry as a run will. Raises `InputError` for the first thing that is wrong with it."""
    table = TextTable(path=Path("entry"), columns=READS_COLUMNS, rows=(Row(number=_ROW, cells=cells),))
    _, problems = read_reads(table, known={cells["patient_id"]})
    for problem in problems:
        if problem.severity is Severity.ERROR:
            column = problem.where.partition(" column ")[2]
            raise InputError(problem.what, where=column, way_out=problem.how_to_fix)
    for what, way_out in faults_of(codes_in(cells["findings"])):
        raise InputError(what, where="findings", way_out=way_out)
