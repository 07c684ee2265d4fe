"""A reader's tables as they came in: kept beside the results, and cut into parts that a process each can read."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.entered_reads import as_given, reviews_in
from mdanderson.batch.store import make_folder, remove, write_atomically
from mdanderson.findings import PatientFacts
from mdanderson.readers.companions import PATIENTS_COLUMNS, read_patients
from mdanderson.readers.events import EVENTS_COLUMNS, read_events
from mdanderson.readers.measured_rows import OPTIONAL, REQUIRED
from mdanderson.readers.reads import READS_COLUMNS, read_reads
from mdanderson.readers.text_table import Row, TextTable, read_text_table, text_table
from mdanderson.report.cells import guarded

if TYPE_CHECKING:
    from mdanderson.errors import Problem
    from mdanderson.findings import Event, Statement
    from mdanderson.readers.companions import TableSource
    from mdanderson.readers.measurements import MeasuredPatient, Measurements

__all__ = ["Sheets"]

_BESIDE = ("patients", "reads", "events")
_REVIEWS_FILE = "reviews.csv"
"""What `keep` calls the reviews, which lie under the name of the reads in a folder of results."""
_KNOWN = {
    "measurements": (*REQUIRED, *OPTIONAL),
    "patients": PATIENTS_COLUMNS,
    "reads": READS_COLUMNS,
    "events": EVENTS_COLUMNS,
    "reviews": READS_COLUMNS,
}
"""The columns that a criterion may read, by table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheets:
    """The measurements and the tables beside them, cells as typed; None for a table that there is not.

    reviews: what readers have stated in the folder of earlier results, after what stands in `reads`.
    """

    measurements: TextTable
    patients: TextTable | None = None
    reads: TextTable | None = None
    events: TextTable | None = None
    reviews: TextTable | None = None

    @classmethod
    def from_sources(
        cls,
        measurements: TableSource,
        *,
        patients: TableSource | None = None,
        reads: TableSource | None = None,
        events: TableSource | None = None,
    ) -> Sheets:
        """Files or data frames; what is not given is looked for beside the measurements. Raises `ManifestError`."""
        from mdanderson.readers.measurements import measured_table

        main = measured_table(measurements)
        folder = Path(measurements).parent if isinstance(measurements, str | Path) else None
        beside: dict[str, TextTable | None] = {}
        for name, given in zip(_BESIDE, (patients, reads, events), strict=True):
            found = None if folder is None else folder / f"{name}.csv"
            if given is not None:
                beside[name] = text_table(given, name=name)
            elif found is not None and found != Path(main.path) and found.exists():
                beside[name] = read_text_table(found)
        return cls(measurements=main, **beside)

    @classmethod
    def from_folder(cls, folder: Path) -> Sheets:
        """The tables that `keep` wrote. Raises `ManifestError`."""
        kept, reviews = cls.from_sources(folder / "measurements.csv"), folder / _REVIEWS_FILE
        if reviews.exists():
            kept = replace(kept, reviews=read_text_table(reviews))
        return replace(kept, **{name: as_given(table) for name, table in kept.named})

    def reviewed_in(self, results: Path) -> Sheets:
        """The same, with what reviews of earlier results have left in their folder. Raises `ManifestError`."""
        return replace(self, reviews=reviews_in(results))

    def read(self) -> Measurements:
        """The patients as measured and stated. Raises `ManifestError` where a table cannot be understood."""
        from mdanderson.readers.measurements import read_measurements

        found = read_measurements(self.measurements, patients=self.patients, reads=self.reads, events=self.events)
        if self.reviews is None:
            return found
        known = {patient.patient_id for patient in found}
        statements, problems = read_reads(self.reviews, known=known, known_from="row in the table")
        patients = tuple(_reviewed(one, statements.get(one.patient_id, ()), problems) for one in found)
        return replace(found, patients=patients, problems=(*found.problems, *problems))

    @property
    def named(self) -> tuple[tuple[str, TextTable], ...]:
        """The tables that there are, by name."""
        tables = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple((name, table) for name, table in tables if table is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The tables that are files."""
        return tuple(table.path for _, table in self.named if table.path.is_file())

    @property
    def patient_ids(self) -> tuple[str, ...]:
        """The patients of the measurements, in the order of the result tables."""
        return tuple(sorted({row.cells.get("patient_id", "") for row in self.measurements} - {""}))

    def of(self, patient_ids: Collection[str]) -> Sheets:
        """The rows of some patients; rows keep their numbers."""
        return replace(self, **{name: _rows_of(table, patient_ids) for name, table in self.named})

    def parts(self, count: int) -> Iterator[Sheets]:
        """At most `count` parts of about as many rows, patients in order; what is no patient's is in the first part."""
        patient_ids = self.patient_ids
        known = frozenset(patient_ids)
        rows = {name: _by_patient(table, known) for name, table in self.named}
        share = -(-len(self.measurements.rows) // count) or 1
        part: list[str] = [""]
        held = 0
        for patient_id in patient_ids:
            size = len(rows["measurements"][patient_id])
            if held and held + size > share:
                yield self._with(rows, part)
                part, held = [], 0
            part.append(patient_id)
            held += size
        yield self._with(rows, part)

    def _with(self, rows: dict[str, dict[str, list[Row]]], patient_ids: Sequence[str]) -> Sheets:
        tables = {
            name: replace(table, rows=tuple(row for one in patient_ids for row in rows[name].get(one, ())))
            for name, table in self.named
        }
        return Sheets(**tables)

    def free_columns(self) -> dict[str, dict[str, str]]:
        """The columns of patients.csv that no criterion reads, by column and patient; a patient's first row counts."""
        table = self.patients
        if table is None:
            return {}
        free = [name for name in table.columns if name not in PATIENTS_COLUMNS]
        return {name: {row["patient_id"]: row[name] for row in reversed(table.rows)} for name in free}

    def happened(self) -> dict[str, tuple[Event, ...]]:
        """What happened to the patients of the measurements, death included, by patient."""
        known = frozenset(self.patient_ids)
        facts = read_patients(self.patients, known=known)[0] if self.patients else {}
        events = read_events(self.events, known=known)[0] if self.events else {}
        told = {
            name: replace(facts.get(name) or PatientFacts(patient_id=name), events=events.get(name, ())).happened
            for name in facts.keys() | events.keys()
        }
        return {name: told[name] for name in sorted(told) if told[name]}

    def keep(self, folder: Path, *, by: str = "") -> None:
        """Write the rows, of the columns that a criterion reads alone, so that a category can be explained later.

        by: a column of patients.csv that is kept as well. No cell is one that a spreadsheet would run.
        Raises `OutputError`.
        """
        make_folder(folder)
        for name in _KNOWN:
            remove(folder / f"{name}.csv")
        for name, table in self.named:
            known = (*_KNOWN[name], by) if name == "patients" else _KNOWN[name]
            write_atomically(folder / f"{name}.csv", _text(table, known, write=guarded))

    def fingerprints(self) -> dict[str, dict[str, str]]:
        """Name and SHA-256 of every table: of its file, which is told, or of its cells where it is a data frame."""
        return {
            name: {"name": table.path.name, "sha256": _sha256(table)}
            | ({"path": str(table.path.absolute())} if table.path.is_file() else {})
            for name, table in self.named
        }


def _reviewed(
    patient: MeasuredPatient, statements: Sequence[Statement], problems: Sequence[Problem]
) -> MeasuredPatient:
    """The patient with what a review adds, and what is wrong with that."""
    readers = {*patient.readers, *(one.reader for one in statements if not one.adjudicates)} - {""}
    its = (problem for problem in problems if problem.patient_id == patient.patient_id)
    return replace(
        patient,
        statements=(*patient.statements, *statements),
        problems=(*patient.problems, *its),
        readers=tuple(sorted(readers)),
    )


def _rows_of(table: TextTable, patient_ids: Collection[str]) -> TextTable:
    return replace(table, rows=tuple(row for row in table if row["patient_id"] in patient_ids))


def _by_patient(table: TextTable, known: Collection[str]) -> dict[str, list[Row]]:
    """Rows by patient, those of no known patient under a blank name."""
    rows: dict[str, list[Row]] = {}
    for row in table:
        patient_id = row.cells.get("patient_id", "")
        rows.setdefault(patient_id if patient_id in known else "", []).append(row)
    return rows


def _text(table: TextTable, known: Collection[str] | None = None, *, write: Callable[[str], str] = str) -> str:
    """The table as CSV, with the known columns alone; all of them where none are named. write: gives a cell's text."""
    columns = [name for name in table.columns if known is None or name in known]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[write(row.cells.get(name, "")) for name in columns] for row in table])
    return out.getvalue()


def _sha256(table: TextTable) -> str:
    try:
        content = table.path.read_bytes()
    except OSError:
        content = _text(table).encode()
    return hashlib.sha256(content).hexdigest()
