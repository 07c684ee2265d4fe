"""reads.csv: what readers state about lesions. A statement wins over what was measured; both are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from mdanderson.errors import ManifestError, Problem
from mdanderson.findings import Statement
from mdanderson.readers.cells import (
    Cells,
    about_columns,
    by_patient,
    cell_date,
    cell_flag,
    cell_instant,
    cell_size,
)
from mdanderson.readers.text_table import TextTable
from mdanderson.timeline.codes import codes_in
from mdanderson.vocabulary import Alignment, Collapse, LesionType, Modality, MrSequence, Pain, Posterolateral

__all__ = ["READS_COLUMNS", "READS_FILE", "STATED", "StatedColumn", "read_reads"]

READS_FILE = "reads.csv"
"""Beside a manifest or a table of measurements, and in a results folder, where reviews are entered."""

_REQUIRED = ("patient_id", "date", "modality")
_NAMES = ("label", "lesion_id")
_OF_THE_PATIENT = frozenset({"PD4"})
"""What may be stated without a lesion: that there is a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatedColumn:
    """Something that a reader may state of a lesion. decides: a category may rest on it. words: one of which it is."""

    name: str
    decides: bool = False
    is_flag: bool = False
    words: tuple[StrEnum, ...] = ()


STATED = (
    StatedColumn(name="findings", decides=True),
    StatedColumn(name="new", decides=True, is_flag=True),
    StatedColumn(name="target", decides=True, is_flag=True),
    StatedColumn(name="node", decides=True, is_flag=True),
    StatedColumn(name="measurable", decides=True, is_flag=True),
    StatedColumn(name="lesion_type", decides=True, words=tuple(LesionType)),
    StatedColumn(name="soft_tissue_mm", decides=True),
    StatedColumn(name="site"),
    StatedColumn(name="laterality"),
    StatedColumn(name="pain", words=tuple(Pain)),
    StatedColumn(name="alignment", words=tuple(Alignment)),
    StatedColumn(name="collapse", words=tuple(Collapse)),
    StatedColumn(name="posterolateral", words=tuple(Posterolateral)),
)
"""In the order of the file; forms and lists of a review take theirs from here."""

_OPTIONAL = (*_NAMES, "sequence", "time", "reader", "comment", *(one.name for one in STATED), "adjudicates")
READS_COLUMNS = (*_REQUIRED, *_OPTIONAL)

Statements = dict[str, tuple[Statement, ...]]


def read_reads(
    table: TextTable, *, known: Collection[str], known_from: str = "row in the table"
) -> tuple[Statements, tuple[Problem, ...]]:
    """Statements by patient in the order of the table, and what is wrong with it.

    A row with any cell at fault is not used: half a statement may say the opposite. It comes back with its `fault`,
    since what it could decide stays open, unless it states nothing that a category rests on. known: the patients of the
    main table; others are named in a warning as having no `known_from`. Raises `ManifestError` when a required column
    is absent, or when no column names the lesion.
    """
    table.require(_REQUIRED, optional=_OPTIONAL)
    if not any(name in table.columns for name in _NAMES):
        raise ManifestError(
            "no column label or lesion_id",
            where=f"{table.path.name} row 1",
            way_out="add one of them: a statement is about one lesion",
        )
    taken, problems = by_patient(table, _statement, known=known, known_from=known_from)
    return taken, (*about_columns(table, (*_REQUIRED, *_OPTIONAL)), *problems)


def _statement(cells: Cells) -> Statement | None:
    """The statement of one row; None where it says nothing that could decide a category, and cannot be used."""
    row = cells.row
    cells.check_surplus()
    date, modality = cells.read("date", cell_date), cells.word("modality", Modality)
    for column, way_out in (
        ("date", "write the day of the image, as YYYY-MM-DD"),
        ("modality", f"write one of {', '.join(Modality)}"),
    ):
        if not row[column]:
            cells.fault(column, f"no {column}", way_out)
    if not any(row[name] for name in _NAMES) and codes_in(row["findings"]) != _OF_THE_PATIENT:
        cells.fault("lesion_id", "no lesion named", "write its lesion_id, its label in the mask, or both")
    said = _said(cells, date or dt.date.min, modality or Modality.CT)
    if cells.faults:
        return _lost(cells, said, of_any_modality=modality is None)
    if not any(row[column] for column in (*(one.name for one in STATED), "comment")) and not all(
        map(row.__getitem__, _NAMES)
    ):
        cells.fault("", "nothing is stated", "fill in a column, such as findings, or remove the row")
        return None
    return said


def _lost(cells: Cells, said: Statement, *, of_any_modality: bool) -> Statement | None:
    """A row that cannot be used, as far as it tells what it could decide; None where that is no category."""
    row = cells.row
    if not (row.surplus or any(row[one.name] for one in STATED if one.decides)):
        return None
    return Statement(
        date=said.date,
        modality=said.modality,
        of_any_modality=of_any_modality,
        sequence=said.sequence,
        lesion_id=said.lesion_id,
        label=said.label,
        reader=said.reader,
        time=said.time,
        row=said.row,
        adjudicates=said.adjudicates,
        fault="; ".join(fault.what for fault in cells.errors),
    )


def _said(cells: Cells, date: dt.date, modality: Modality) -> Statement:
    """The row as it reads; to be used only when no fault was found."""
    row = cells.row
    return Statement(
        date=date,
        modality=modality,
        sequence=cells.word("sequence", MrSequence) or "",
        lesion_id=row["lesion_id"],
        label=row["label"],
        reader=row["reader"],
        time=cells.read("time", cell_instant) or "",
        row=row.number,
        codes=codes_in(row["findings"]),
        new=cells.read("new", cell_flag),
        target=cells.read("target", cell_flag),
        node=cells.read("node", cell_flag),
        measurable=cells.read("measurable", cell_flag),
        lesion_type=cells.word("lesion_type", LesionType),
        soft_tissue_mm=cells.read("soft_tissue_mm", cell_size),
        site=row["site"],
        laterality=row["laterality"],
        structure=cells.structure(),
        comment=row["comment"],
        adjudicates=bool(cells.read("adjudicates", cell_flag)),
    )
