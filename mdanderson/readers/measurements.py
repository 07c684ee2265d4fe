"""A reader's table instead of images: one row per lesion and examination, for `classify`.

    patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm
    P01,2024-01-05,CT,L1,20,10

A lesion without a row is not assessed, 0 mm says that it is gone. A fault costs its own row, and what that row could
have decided is left undecided (`measured_series`); the other patients are classified.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import ManifestError, Problem, Severity
from mdanderson.findings import Examination, PatientFacts, Statement
from mdanderson.readers.cells import Cells, about_columns, about_twins, has_decimal_comma
from mdanderson.readers.companions import Companions, TableSource, read_companions
from mdanderson.readers.measured_rows import NUMBERS, OPTIONAL, REQUIRED, LostRow, MeasuredRow, RowReader
from mdanderson.readers.measured_series import examinations_of
from mdanderson.readers.text_table import Row, TextTable, may_be_report, text_table

__all__ = [
    "MeasuredPatient",
    "Measurements",
    "about_table",
    "collection_paused",
    "measured_table",
    "read_measurements",
]

_FRAME = "measurements"
"""What problems call a table that is no file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredPatient:
    """One patient of the table. readers: who measured or stated anything, in order of name.

    examinations: in order of date and modality, none where no row can be used.
    """

    patient_id: str
    facts: PatientFacts
    examinations: tuple[Examination, ...] = ()
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurements:
    """The patients of a table in its order. path: its name; problems: all there are, patients' included."""

    path: Path
    patients: tuple[MeasuredPatient, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[MeasuredPatient]:
        return iter(self.patients)

    def __len__(self) -> int:
        return len(self.patients)


def read_measurements(
    source: TableSource,
    *,
    patients: TableSource | None = None,
    reads: TableSource | None = None,
    events: TableSource | None = None,
) -> Measurements:
    """Read a table of measurements (CSV, TSV, Parquet, DICOM SR, or a data frame) and the tables beside it.

    patients, reads, events: the companion tables; None = the file of that name beside `source`, where there is one.
    Rows of a frame are named as in a file, the first one being row 2. Raises `ManifestError` when a table cannot be
    read, lacks a required column, or has no row.
    """
    with collection_paused():
        table = measured_table(source)
        table.require(REQUIRED, optional=OPTIONAL)
        if not table.rows:
            raise ManifestError("no rows", where=table.path.name, way_out="write one row for every lesion and visit")
        desk = _Desk(reader=RowReader(table))
        for row in table:
            desk.take(row)
        companions = read_companions(
            table.path if isinstance(source, str | Path) else None,
            known=desk.charts,
            known_from="row in the table",
            patients=patients,
            reads=reads,
            events=events,
        )
        return _measurements(table, desk, companions)


def measured_table(source: TableSource) -> TextTable:
    """A table of measurements: a CSV, TSV or Parquet file, a data frame, or DICOM SR (a report, a folder of them).

    Raises `ManifestError`.
    """
    if isinstance(source, str | Path) and may_be_report(Path(source)):
        from mdanderson.readers.dicom_sr import table_of_reports

        return table_of_reports(Path(source))
    return text_table(source, name=_FRAME)


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no reference cycles meanwhile: rows and findings make none, and the search costs a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _measurements(table: TextTable, desk: _Desk, companions: Companions) -> Measurements:
    """What was read, put together by patient."""
    told: dict[str, list[Problem]] = {}
    for problem in companions.problems:
        told.setdefault(problem.patient_id, []).append(problem)
    found = tuple(
        chart.patient(patient_id, companions, told.get(patient_id, [])) for patient_id, chart in desk.charts.items()
    )
    general = (*about_table(table), *desk.problems)
    strangers = (problem for problem in companions.problems if problem.patient_id not in desk.charts)
    problems = (*general, *strangers, *(problem for patient in found for problem in patient.problems))
    return Measurements(path=table.path, patients=found, problems=problems)


def about_table(table: TextTable) -> Iterator[Problem]:
    """What is to be known of the table as a whole: columns that are not used, rows without modality, said once."""
    yield from table.told
    yield from about_columns(table, (*REQUIRED, *OPTIONAL))
    yield from about_twins(table)
    yield from _about_commas(table)
    blank = [row for row in table if not row["modality"]]
    if blank:
        yield Problem(
            severity=Severity.INFO,
            where=table.place(blank[0], "modality"),
            what=f"{len(blank)} rows name no modality: taken as CT",
            how_to_fix="name the modality of every row",
        )


def _about_commas(table: TextTable) -> Iterator[Problem]:
    """One word on what every such cell is refused for, where a whole column was exported in another country's way."""
    columns = [name for name in NUMBERS if name in table.columns]
    found = [(row, name) for row in table for name in columns if has_decimal_comma(row.cells.get(name, ""))]
    if found:
        row, column = found[0]
        yield Problem(
            severity=Severity.WARNING,
            where=table.place(row, column),
            what=f"decimal commas in {len(found)} cells: they are not read as numbers",
            how_to_fix="export the table with a decimal point",
        )


@dataclass(kw_only=True, slots=True)
class _Chart:
    """One patient's rows while the table is read."""

    rows: list[MeasuredRow] = field(default_factory=list)
    lost: list[LostRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    visits: dict[dt.date, str] = field(default_factory=dict)
    readers: set[str] = field(default_factory=set)

    def patient(self, patient_id: str, companions: Companions, told: list[Problem]) -> MeasuredPatient:
        """The patient, when every row was taken; told: what is wrong with its companion rows."""
        statements = companions.statements.get(patient_id, ())
        examinations, found = examinations_of(self.rows, self.lost, self.visits, statements)
        readers = self.readers | {one.reader for one in statements if not one.adjudicates}
        problems = [
            *told,
            *self.problems,
            *_about_order(self.rows),
            *(problem.of(patient_id=patient_id) for problem in found),
        ]
        return MeasuredPatient(
            patient_id=patient_id,
            facts=companions.facts(patient_id),
            examinations=examinations,
            statements=statements,
            problems=tuple(problems),
            readers=tuple(sorted(readers - {""})),
        )


def _about_order(rows: Sequence[MeasuredRow]) -> Iterator[Problem]:
    """What is to be known once a patient: that rows of a lesion do not stand in order of date."""
    last: dict[tuple[str, ...], dt.date] = {}
    for row in rows:
        what = (row.modality, row.lesion_id, row.facts.get("sequence", ""), row.facts.get("reader", ""))
        if row.date < last.setdefault(what, row.date):
            yield Problem(
                severity=Severity.INFO,
                patient_id=row.row["patient_id"],
                where=row.table.place(row.row, "date"),
                what="rows out of order of date: sorted by date",
                how_to_fix="look whether the dates are right",
            )
            return
        last[what] = row.date


@dataclass(kw_only=True, slots=True)
class _Desk:
    """What has been read so far; the only thing here that changes."""

    reader: RowReader
    charts: dict[str, _Chart] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """Keep a row, or what is known of it when it cannot be used."""
        read, problems = self.reader.read(row)
        patient_id, label = row["patient_id"], row["visit"]
        if not patient_id:
            self.problems += problems
            self.problems.append(self._about(row, "patient_id", "no patient", "name the patient", Severity.ERROR))
            return
        chart = self.charts.get(patient_id) or self.charts.setdefault(patient_id, _Chart())
        chart.problems += problems
        chart.readers.add(row["reader"])
        if isinstance(read, LostRow):
            chart.lost.append(read)
        else:
            chart.rows.append(read)
        if read.date is None:
            return
        known = chart.visits.get(read.date)
        if not known:
            chart.visits[read.date] = label
        elif label and label != known:
            what = f"visits {known} and {label} on one day: taken as {known}"
            way_out = "give the day one label, or correct the date"
            chart.problems.append(self._about(row, "visit", what, way_out, Severity.WARNING))

    def _about(self, row: Row, column: str, what: str, way_out: str, severity: Severity) -> Problem:
        return Cells(table=self.reader.table, row=row).fault(column, what, way_out, severity=severity)
