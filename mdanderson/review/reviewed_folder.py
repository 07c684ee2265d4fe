"""A results folder under review: its patients, what may be stated of them, and what has been stated."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mdanderson.batch.entered_reads import as_given, reviews_in
from mdanderson.batch.fingerprint import program
from mdanderson.batch.pages import REPORT_FOLDER
from mdanderson.batch.patient_rows import patient_rows, rows_without_statements
from mdanderson.batch.record import RunRecord
from mdanderson.batch.results import Results
from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER, Store
from mdanderson.criteria import OVERALL
from mdanderson.errors import MdandersonError, OutputError
from mdanderson.pictures import Picture
from mdanderson.readers.pseudonyms import Pseudonyms
from mdanderson.readers.reads import READS_FILE, read_reads
from mdanderson.readers.text_table import TextTable, read_text_table
from mdanderson.report.columns import LESIONS, RESPONSES
from mdanderson.report.html import page_name
from mdanderson.review.items import items_in
from mdanderson.review.patient_review import PatientReview, RecordedStatement
from mdanderson.review.snapshot import Snapshot, rows_of

__all__ = ["ReviewedFolder"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedFolder:
    """The folder. criteria: sets of the run, the leading one first. pages: patient by name of page.

    given: where the readers' own table is that lies beside the manifest, whose statements count as well.
    key_file: of its pseudonyms.
    """

    folder: Path
    criteria: tuple[str, ...]
    pages: Mapping[str, str]
    given: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of_folder(cls, out: Path, *, key_file: Path | None = None) -> Self:
        """The folder of finished results. Raises `OutputError` where there are none.

        And `ManifestError` or `InputError` where the readers' own reads.csv, or its key, cannot be read.
        """
        record = RunRecord.of_folder(out)
        results = Results.from_folder(out)
        names = sorted({*results.scored, *results.failed})
        pages = {page_name(name): name for name in names}
        reviewed = cls(
            folder=out, criteria=record.criteria, pages=pages, given=_given_path(out, record), key_file=key_file
        )
        reviewed.given_statements()
        return reviewed

    def check_can_leave_statements_out(self) -> None:
        """Raise `OutputError` where what was measured may not be had without what readers said."""
        if (self.folder / PATIENTS_FOLDER).is_dir() and RunRecord.of_folder(self.folder).program != program():
            raise OutputError(
                "the results were made by another version of the program, which may not tell apart what readers said",
                where=str(self.folder),
                way_out="run `score` on this folder again",
            )

    @property
    def report(self) -> Path:
        """Where the pages are."""
        return self.folder / REPORT_FOLDER

    @property
    def patient_ids(self) -> tuple[str, ...]:
        """All patients, by name."""
        return tuple(sorted(self.pages.values()))

    def review_of(self, patient_id: str, *, alone: str = "") -> PatientReview:
        """A patient; why it has no results is told in it. Raises `ManifestError` for a reads.csv out of order.

        alone: a reader who is to know of no other. It is made of what was measured where nobody states anything,
        and of this reader's own statements; nothing that anybody else said is in it, to be hidden or forgotten later.
        """
        statements = self.statements_on(patient_id)
        if alone:
            statements = tuple(recorded for recorded in statements if recorded.is_by(alone))
        try:
            rows = (
                rows_without_statements(self.folder, patient_id, alone)
                if alone
                else patient_rows(self.folder, patient_id)
            )
        except MdandersonError as error:
            return PatientReview(
                patient_id=patient_id, rows={}, items=(), statements=statements, visits=(), failure=str(error)
            )
        responses = rows_of(RESPONSES, rows)
        visits = sorted({(row["date"], row["visit"]) for row in responses if row["scope"] == OVERALL})
        by_label = tuple((label, day) for day, label in visits)
        items = items_in(rows_of(LESIONS, rows), by_label, stated=tuple(recorded.statement for recorded in statements))
        return PatientReview(patient_id=patient_id, rows=rows, items=items, statements=statements, visits=by_label)

    def statements_on(self, patient_id: str) -> tuple[RecordedStatement, ...]:
        """Every statement on a patient: the readers' own table, then the entries."""
        found: list[RecordedStatement] = []
        for table, entered in ((self.given_statements(), False), (reviews_in(self.folder), True)):
            if table is not None and table.rows:
                statements, _ = read_reads(table, known={patient_id})
                found += (
                    RecordedStatement(statement=statement, entered=entered)
                    for statement in statements.get(patient_id, ())
                )
        return tuple(found)

    def given_statements(self) -> TextTable | None:
        """The readers' own table as it is now: it may be written to while the review goes on.

        Raises `ManifestError` where it cannot be read, `InputError` for a key: what a reader stated is not left out.
        """
        if self.given is None:
            return None
        try:
            file_stat = self.given.stat()
        except OSError as error:
            raise OutputError(
                "the readers' table cannot be read", where=self.given.name, way_out=f"put it back ({error.strerror})"
            ) from error
        is_kept = self.given.parent == self.folder / MEASUREMENTS_FOLDER
        return _given(self.given, (file_stat.st_mtime_ns, file_stat.st_size), self.key_file, is_kept=is_kept)

    def pictures_without_statements(self, patient_id: str) -> tuple[Picture, ...]:
        """What a reader looks at who is to know of no other."""
        store = Store(folder=self.folder / PATIENTS_FOLDER)
        finished = store.read(patient_id)
        return () if finished is None else store.unread_pictures(finished)

    def entries_of(self, reader: str) -> int:
        """How many statements stand under a name, adjudications apart."""
        return sum(
            recorded.is_by(reader) for patient_id in self.patient_ids for recorded in self.statements_on(patient_id)
        )

    def snapshot(self, patient_id: str) -> Snapshot:
        """What is compared before and after a patient is scored again."""
        return Snapshot.of_rows(patient_rows(self.folder, patient_id))

    def waiting(self) -> tuple[str, ...]:
        """Patients of whom something was entered that their results do not hold.

        Rows are counted, which are never taken away: one may be entered while its patient is being scored.
        """
        table = reviews_in(self.folder)
        if table is None:
            return ()
        known = set(self.pages.values())
        if (self.folder / MEASUREMENTS_FOLDER).is_dir():
            held = RunRecord.of_folder(self.folder).entries
            return tuple(dict.fromkeys(row["patient_id"] for row in table.rows[held:] if row["patient_id"] in known))
        store = Store(folder=self.folder / PATIENTS_FOLDER)
        entered = Counter(row["patient_id"] for row in table if row["patient_id"] in known)
        return tuple(name for name, rows in entered.items() if rows > store.entries_of(name))


def _given_path(out: Path, record: RunRecord) -> Path | None:
    """reads.csv beside the manifest, or as `classify` has kept it; None where there is none."""
    kept = out / MEASUREMENTS_FOLDER / READS_FILE
    recorded = record.inputs.get("reads", {})
    path = kept if kept.is_file() else Path(recorded["path"]) if recorded.get("path") else None
    return path if path is not None and path.is_file() else None


@functools.lru_cache(maxsize=4)
def _given(path: Path, _: tuple[int, int], key_file: Path | None, *, is_kept: bool) -> TextTable:
    """The table in a file of that time and size, which is read once."""
    table = read_text_table(path)
    if is_kept:
        return as_given(table)
    return table if key_file is None else Pseudonyms.from_file(key_file).applied(table)
