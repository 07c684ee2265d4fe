"""The tables beside a main table: patients.csv, reads.csv and events.csv, read together and told apart by patient."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mdanderson.errors import Problem, Severity
from mdanderson.findings import PatientFacts, Statement
from mdanderson.readers.cells import Cells, cell_date, stranger
from mdanderson.readers.events import read_events
from mdanderson.readers.pseudonyms import Pseudonyms
from mdanderson.readers.reads import read_reads
from mdanderson.readers.text_table import TextTable, text_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PATIENTS_COLUMNS", "Companions", "TableSource", "read_companions", "read_patients"]

TableSource: TypeAlias = "str | Path | pd.DataFrame | TextTable"

_FACTS = ("treatment_start", "last_contact", "death_date")
PATIENTS_COLUMNS = ("patient_id", *_FACTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Companions:
    """What the tables beside a main table say of its patients, and what is wrong with them."""

    patients: dict[str, PatientFacts] = field(default_factory=dict)
    statements: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def facts(self, patient_id: str) -> PatientFacts:
        """What is known of a patient, events included."""
        return self.patients.get(patient_id) or PatientFacts(patient_id=patient_id)


def read_companions(
    main: Path | None,
    *,
    known: Collection[str],
    known_from: str,
    patients: TableSource | None = None,
    reads: TableSource | None = None,
    events: TableSource | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Companions:
    """The companions of a main table; those not given are looked for beside `main`, and none is needed.

    known: the patients of the main table, under `pseudonyms` where there are any; others have no `known_from`, which is
    a warning. Raises `ManifestError` for a table that cannot be understood.
    """
    facts: dict[str, PatientFacts] = {}
    statements: dict[str, tuple[Statement, ...]] = {}
    problems: list[Problem] = []
    if table := _table(patients, main, "patients", pseudonyms):
        facts, found = read_patients(table, known=known, known_from=known_from)
        problems += found
    if table := _table(reads, main, "reads", pseudonyms):
        statements, found = read_reads(table, known=known, known_from=known_from)
        problems += found
    if table := _table(events, main, "events", pseudonyms):
        happened, found = read_events(table, known=known, known_from=known_from)
        problems += found
        for patient_id, its in happened.items():
            facts[patient_id] = replace(facts.get(patient_id) or PatientFacts(patient_id=patient_id), events=its)
    return Companions(patients=facts, statements=statements, problems=tuple(problems))


def _table(given: TableSource | None, main: Path | None, name: str, pseudonyms: Pseudonyms | None) -> TextTable | None:
    """The table given, else that beside the main one, which is not its own neighbour; None where there is none."""
    beside = None if main is None else main.parent / f"{name}.csv"
    if given is not None:
        table = text_table(given, name=name)
    elif beside is not None and beside != main and beside.exists():
        table = text_table(beside)
    else:
        return None
    return pseudonyms.applied(table) if pseudonyms else table


def read_patients(
    table: TextTable, *, known: Collection[str], known_from: str = "row in the table"
) -> tuple[dict[str, PatientFacts], tuple[Problem, ...]]:
    """Facts by patient, columns of the user's own kept as `extra`, and what is wrong with the table.

    A date at fault is left out; of two rows for one patient the first counts. Raises `ManifestError` when there is no
    column patient_id.
    """
    table.require(("patient_id",), optional=_FACTS)
    facts: dict[str, PatientFacts] = {}
    problems = list(_about_spelling(table))
    for row in table:
        cells, patient_id = Cells(table=table, row=row), row["patient_id"]
        start, last, death = (cells.read(name, cell_date) for name in _FACTS)
        if patient_id in facts:
            cells.fault("patient_id", "the patient has a row already; this one is not used", "keep one row")
        elif patient_id not in known:
            problems.append(stranger(table, row, known_from))
        else:
            facts[patient_id] = PatientFacts(
                patient_id=patient_id,
                treatment_start=start,
                last_contact=last,
                death_date=death,
                extra=row.others(("patient_id", *_FACTS)),
            )
        problems += cells.faults
    return facts, tuple(problems)


def _about_spelling(table: TextTable) -> Iterator[Problem]:
    """A warning for every column of dates that is not read for how it is written; others are the user's own."""
    plain = {name.replace("_", ""): name for name in _FACTS}
    for name in table.columns:
        meant = plain.get("".join(filter(str.isalnum, name.lower())))
        if meant is not None and name not in _FACTS:
            yield Problem(
                severity=Severity.WARNING,
                where=f"{table.path.name} row 1",
                what=f"column {name}: not read as {meant}",
                how_to_fix=f"rename it to {meant} if that is meant",
            )
