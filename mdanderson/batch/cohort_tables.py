"""The tables over a whole cohort beside those of its patients: rates of response, agreement of its readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.store import remove, write_atomically
from mdanderson.report.cells import to_csv
from mdanderson.statistics import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mdanderson.batch.results import Results
    from mdanderson.statistics import Agreement

__all__ = ["AGREEMENT_TABLES", "COHORT_TABLES", "write_agreements", "write_cohort_tables"]

AGREEMENT_TABLES = (AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION)
COHORT_TABLES = (SUMMARY, *AGREEMENT_TABLES)


def write_cohort_tables(folder: Path, results: Results, by: str) -> None:
    """summary.csv, and the tables of agreement where several readers read a patient. Raises `OutputError`."""
    write_atomically(folder / SUMMARY.file_name, to_csv(SUMMARY, results.summary_rows(by)))
    if results.agreements:
        write_agreements(folder, results.agreements)
    else:
        for table in AGREEMENT_TABLES:
            remove(folder / table.file_name)


def write_agreements(folder: Path, agreements: Sequence[Agreement]) -> None:
    """agreement.csv, agreement_measurements.csv and adjudication.csv, of every two readers. Raises `OutputError`."""
    cells = [agreement.cells for agreement in agreements]
    for table in AGREEMENT_TABLES:
        rows = [row for tables in cells for row in tables[table.name]]
        write_atomically(folder / table.file_name, to_csv(table, rows))
