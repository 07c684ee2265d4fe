"""One row of a reader's table: what it measures or states of one lesion, or why it cannot be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mdanderson.errors import ManifestError, Problem, Severity
from mdanderson.readers.cells import (
    STRUCTURE_COLUMNS,
    Cells,
    cell_date,
    cell_flag,
    cell_parts,
    cell_ratio,
    cell_size,
    word_of,
)
from mdanderson.readers.text_table import Row, TextTable
from mdanderson.timeline.codes import codes_in, faults_of
from mdanderson.vocabulary import LesionType, Modality, MrSequence, Status

__all__ = ["NUMBERS", "OPTIONAL", "REQUIRED", "LostRow", "MeasuredRow", "RowReader"]

NOTHING = "none"
"""The status of a row without lesion: this modality was looked at, and nothing is there."""
_FRESH = {Status.NEW, Status.EQUIVOCAL}
_SILENT = {Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE}
_UPTAKES = ("uptake", "suv_peak", "suv_max", "tlg")
_OF_ALL = {"SD4", "PR2", "PD4"}
"""Codes that speak of all lesions together."""
_TRUE_OF_GONE = _OF_ALL | {"PR3", "PR4", "PR5"}
"""Codes that hold beside complete response: what is gone has fallen by 100 %."""
_DESCRIBING = {"sequence", "site", "laterality", "label", "reader", "comment", "target", "node", "measurable"}
"""Fields that tell which lesion or image is meant, or what part it takes, and nothing of how the lesion is."""
_MEASURED = ("long_axis_mm", "short_axis_mm", "signal_ratio", *_UPTAKES)


def _codes(text: str) -> frozenset[str]:
    """A reader's codes. Raises `ManifestError` for those that no table can take: what they meant stays open."""
    codes = codes_in(text)
    for what, way_out in faults_of(codes):
        raise ManifestError(what, way_out=way_out)
    return codes


_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "long_axis_mm": ("long_axis_mm", cell_size),
    "short_axis_mm": ("short_axis_mm", cell_size),
    "soft_tissue_mm": ("soft_tissue_mm", cell_size),
    "uptake": ("uptake_ratio", cell_ratio),
    "signal_ratio": ("signal_ratio", cell_ratio),
    "suv_peak": ("suv_peak", cell_ratio),
    "suv_max": ("suv_max", cell_ratio),
    "tlg": ("tlg", cell_ratio),
    "lesion_type": ("lesion_type", word_of(LesionType, "lesion_type")),
    "measurable": ("measurable", cell_flag),
    "target": ("target", cell_flag),
    "node": ("node", cell_flag),
    "findings": ("reader_codes", _codes),
    "parents": ("parents", cell_parts),
    "sequence": ("sequence", word_of(MrSequence, "sequence")),
    "site": ("site", str),
    "laterality": ("laterality", str),
    "label": ("label", str),
    "reader": ("reader", str),
    "comment": ("comment", str),
}
"""Column -> field of a finding, and what reads it."""

REQUIRED = ("patient_id", "date", "lesion_id")
NUMBERS = tuple(column for column, (_, reader) in _FIELDS.items() if reader in {cell_size, cell_ratio})
OPTIONAL = ("visit", "modality", "status", "new", *_FIELDS, *STRUCTURE_COLUMNS)


class MeasuredRow(NamedTuple):
    """One usable row. facts: fields of a finding, as stated; status: None where it is to be told from the series.

    lesion_id: blank where the row says that no lesion is there.
    """

    table: TextTable
    row: Row
    date: dt.date
    modality: Modality
    lesion_id: str
    status: Status | None
    new: bool | None
    facts: Mapping[str, Any]

    @property
    def nothing(self) -> bool:
        """Whether it says that no lesion is there."""
        return not self.lesion_id

    @property
    def is_blank(self) -> bool:
        """Whether it names a lesion and states nothing of it, as rows of a grid of lesions and visits may.

        `new=false` alone says that it was there before, and nothing of this visit.
        """
        said = self.status is not None or self.new or not self.facts.keys() <= _DESCRIBING
        return bool(self.lesion_id) and not said

    @property
    def states_type_alone(self) -> bool:
        """Whether it states what kind of lesion it is, and nothing else of it."""
        return "lesion_type" in self.facts and not (
            self.nothing
            or self.status is not None
            or self.new
            or not self.facts.keys() <= _DESCRIBING | {"lesion_type"}
        )

    @property
    def is_silent(self) -> bool:
        """Whether its status says that nothing can be judged."""
        return self.status in _SILENT

    @property
    def names(self) -> set[tuple[dt.date, Modality, str]]:
        """By what a statement of reads.csv may name it: examination and lesion, examination and label."""
        return {(self.date, self.modality, name) for name in (self.lesion_id, self.facts.get("label", "")) if name}

    @property
    def number(self) -> int:
        """As a spreadsheet counts."""
        return self.row.number

    @property
    def place(self) -> str:
        """The file and the row."""
        return self.table.place(self.row)


@dataclass(frozen=True, kw_only=True, slots=True)
class LostRow:
    """One row that cannot be used: what is known of it, and why. It may be the baseline, so it is not forgotten."""

    date: dt.date | None
    modality: Modality | None
    lesion_id: str
    sequence: str = ""
    reader: str = ""
    why: str


class RowReader:
    """Reads the rows of one table; knows which columns it has."""

    def __init__(self, table: TextTable) -> None:
        self.table = table
        self._fields = [(column, *_FIELDS[column]) for column in _FIELDS if _is_used(table, column)]
        self._modality, self._status = word_of(Modality, "modality"), word_of(Status, "status")
        self._has_structure = any(_is_used(table, column) for column in STRUCTURE_COLUMNS)

    def read(self, row: Row) -> tuple[MeasuredRow | LostRow, Sequence[Problem]]:
        """One row, and what is wrong in it."""
        cells, said = Cells(table=self.table, row=row), row.cells
        facts: dict[str, Any] = {}
        for column, name, reader in self._fields:
            if text := said.get(column):
                try:
                    facts[name] = reader(text)
                except ManifestError as error:
                    cells.fault(column, error.what, error.way_out)
        if self._has_structure and (structure := cells.structure()) is not None:
            facts["structure"] = structure
        date, modality = cells.read("date", cell_date), self._read_modality(cells)
        nothing = said.get("status", "").lower() == NOTHING
        status = None if nothing else cells.read("status", self._status)
        new = cells.read("new", cell_flag)
        if nothing or row.surplus or not (said.get("lesion_id") and said.get("date")):
            _check_row(cells, nothing=nothing)
        _check_sizes(cells, facts, status, new)
        if (new is False and status in _FRESH) or (new and status is Status.BASELINE):
            cells.fault("new", f"status {status}, yet new is {row['new']}", "leave one of the cells blank")
        if "parents" in facts or status is Status.MERGED:
            _check_parents(cells, facts.get("parents", ()), status)
        if date is None or modality is None or (cells.faults and cells.why):
            return _lost(cells, facts, date, modality), cells.faults
        usable = MeasuredRow(
            table=self.table,
            row=row,
            date=date,
            modality=modality,
            lesion_id=said.get("lesion_id", ""),
            status=status,
            new=new,
            facts=facts,
        )
        return usable, cells.faults

    def _read_modality(self, cells: Cells) -> Modality | None:
        """The modality; CT where none is named, unless the row speaks of uptake."""
        row = cells.row
        if row["modality"]:
            return cells.read("modality", self._modality)
        if any(map(row.cells.get, _UPTAKES)):
            cells.fault("modality", "no modality beside an uptake", "write NM or PT")
            return None
        return Modality.CT


def _is_used(table: TextTable, column: str) -> bool:
    """Whether any row has a cell in a column."""
    return column in table.columns and any(row.cells.get(column) for row in table)


def _lost(cells: Cells, facts: Mapping[str, Any], date: dt.date | None, modality: Modality | None) -> LostRow:
    return LostRow(
        date=date,
        modality=modality,
        lesion_id=cells.row["lesion_id"],
        sequence=facts.get("sequence", ""),
        reader=cells.row["reader"],
        why=cells.why,
    )


def _check_row(cells: Cells, *, nothing: bool) -> None:
    """Whether it says of which lesion and when, and as many cells as there are columns."""
    row = cells.row
    cells.check_surplus()
    if not row["date"]:
        cells.fault("date", "no date", "write the day of the image, as YYYY-MM-DD")
    if nothing and row["lesion_id"]:
        what = f"status none says that no lesion is there, yet {row['lesion_id']} is named"
        cells.fault("status", what, "write resolved for a lesion that is gone, or leave lesion_id blank")
    if nothing and any(map(row.cells.get, _MEASURED)):
        cells.fault("status", "status none beside a measurement", "name the lesion, or leave the measurement blank")
    if not nothing and not row["lesion_id"]:
        cells.fault("lesion_id", "no lesion named", "name it, or write status none where no lesion is there")


def _check_sizes(cells: Cells, facts: Mapping[str, Any], status: Status | None, new: bool | None) -> None:
    """Whether diameters, codes and status say one thing."""
    long_axis, short_axis = facts.get("long_axis_mm"), facts.get("short_axis_mm")
    if long_axis is None and short_axis is not None and not cells.row["long_axis_mm"]:
        cells.fault("long_axis_mm", "a short axis without a long one", "write both, or the long one alone")
    if long_axis is not None and short_axis is not None and (long_axis == 0) != (short_axis == 0):
        what = f"diameters of {long_axis} and {short_axis} mm"
        cells.fault("short_axis_mm", what, "write 0 for both where the lesion is gone, nothing where not measured")
    codes = facts.get("reader_codes", frozenset())
    denied = sorted(code for code in codes if not code.startswith("CR") and code not in _TRUE_OF_GONE)
    if denied and (long_axis == 0 or status is Status.RESOLVED):
        what = f"gone, yet {', '.join(denied)} says what became of it"
        cells.fault("findings", what, "write CR1 to CR4 or leave it blank where the lesion is gone")
    if (status is Status.NEW or new) and "SD4" in codes:
        word = "status new" if status is Status.NEW else "new=true"
        cells.fault("findings", f"{word}, yet SD4 says that no lesion is new", "leave one of the cells blank")
    if new is False and "PD4" in codes:
        cells.fault("findings", "new=false, yet PD4 says that a lesion is new", "leave one of the cells blank")
    if status is Status.RESOLVED and long_axis:
        cells.fault("status", f"resolved, yet {long_axis} mm long", "write 0 mm, or another status")
    if status in _SILENT and any(map(cells.row.cells.get, _MEASURED)):
        what = f"status {status} says that nothing can be judged: the measurements of the row are not used"
        cells.fault("status", what, "write another status if they are to count", severity=Severity.WARNING)


def _check_parents(cells: Cells, parents: Sequence[str], status: Status | None) -> None:
    """Whether a merge names what merged, and a split what it came from."""
    if status is Status.MERGED and len(parents) < 2:
        cells.fault("parents", "merged, but not from what", "name the lesions that merged, as in L1;L2")
    if status is Status.SPLIT and len(parents) > 1:
        cells.fault("parents", "split from several lesions", "name the one lesion that split, or write merged")
    if parents and status not in {Status.MERGED, Status.SPLIT}:
        cells.fault("parents", "parents of a lesion neither merged nor split", "write merged or split as status")
