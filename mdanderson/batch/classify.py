"""The same criteria on a reader's table: many patients, no image, a few seconds."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.agree import pairwise
from mdanderson.batch.cohort_tables import write_cohort_tables
from mdanderson.batch.events import told_events
from mdanderson.batch.exchange import mended, replaced_results
from mdanderson.batch.fingerprint import program, versions
from mdanderson.batch.folder import checked_folder_of_tables, named_folder
from mdanderson.batch.lock import locked
from mdanderson.batch.parquet import PARQUET_FOLDER, check_parquet, remove_parquet, write_parquet
from mdanderson.batch.part import Judge, JudgedPart, judge_part
from mdanderson.batch.pseudonymous import check_no_pseudonyms
from mdanderson.batch.readings import Readings, join_readings
from mdanderson.batch.record import RunRecord, ToldPatient, results_in
from mdanderson.batch.results import Results, RowsOfText, no_column
from mdanderson.batch.run import Progress, checked_criteria
from mdanderson.batch.sheets import Sheets
from mdanderson.batch.store import MEASUREMENTS_FOLDER, make_folder, remove, sweep, write_atomically
from mdanderson.batch.workers import Force, checked_workers, each, usable_cores
from mdanderson.errors import MdandersonError, Problem
from mdanderson.readers.measurements import about_table, collection_paused
from mdanderson.report.cells import to_csv
from mdanderson.report.columns import LESIONS, PROBLEMS, TABLES, Table
from mdanderson.report.tables import problem_row
from mdanderson.settings import Settings
from mdanderson.vocabulary import DEFAULT_CRITERIA

if TYPE_CHECKING:
    from mdanderson.readers.companions import TableSource

__all__ = ["classify", "judge_again", "lesions_text"]

_ROWS_OF_A_PART = 2000
"""Rows that a process takes at once; a table of fewer needs no process but this one."""


@collection_paused()
def classify(
    source: TableSource,
    out: str | Path | None = None,
    *,
    settings: Settings | None = None,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    patients: TableSource | None = None,
    reads: TableSource | None = None,
    events: TableSource | None = None,
    workers: int | None = None,
    by: str = "",
    lesions: bool = False,
    parquet: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Results:
    """Judge every patient of a table of measurements (a file, a data frame, DICOM SR) and hand back the result tables.

    They are written where a folder `out` is given. patients, reads, events: the tables beside it; None = the file of
    that name beside `source`, where there is one. What a review has left in the reads.csv of `out` counts as well.
    workers: processes, None = as many as there are cores. by: a column of patients.csv, groups of the cohort summary.
    lesions: also write lesions.csv, a row per lesion and visit, which takes nearly as long again; `Results.lesions`
    judges once more where it was not written. parquet: write the tables to out/parquet as well. A patient that fails
    costs only itself; the tables are the same to the byte whatever the number of workers.
    Raises `ManifestError`, `SettingsError`, `InputError` and `OutputError`; nothing else that a patient may raise.
    """
    began = time.time()
    workers = usable_cores() if workers is None else checked_workers(workers)
    judge = Judge(settings=settings or Settings(), criteria=checked_criteria(criteria), lesions=lesions)
    sheets = Sheets.from_sources(source, patients=patients, reads=reads, events=events)
    folder = None if out is None else checked_folder_of_tables(mended(named_folder(out)), sheets.files)
    if parquet:
        check_parquet()
    if folder is not None:
        check_no_pseudonyms(folder, sheets.patient_ids)
        sheets = sheets.reviewed_in(folder)
    if by and by not in sheets.free_columns():
        raise no_column(by, tuple(sheets.free_columns()))
    judged = _judge(judge, sheets, workers=workers, progress=progress or (lambda _: None))
    texts, results = _gather(folder, judge, sheets, judged)
    if folder is not None:
        make_folder(folder)
        with locked(folder), replaced_results(folder):
            _write(folder, sheets, results, texts, by)
            (write_parquet if parquet else remove_parquet)(folder)
            _run_record(judge, sheets, results, folder, by=by, seconds=time.time() - began).write(folder)
    return results


@collection_paused()
def judge_again(
    folder: Path, judge: Judge, sheets: Sheets, *, progress: Callable[[Progress], None] | None = None
) -> Results:
    """Judge the tables that `classify` has kept once more, with what reviews have left since, and replace the results.

    judge, sheets: as `kept_run` reads them. Raises `ManifestError` and `OutputError`.
    """
    began = time.time()
    before = RunRecord.of_folder(folder)
    parquet = (folder / PARQUET_FOLDER).is_dir()
    judge = replace(judge, lesions=(folder / LESIONS.file_name).exists())
    with locked(folder):
        sheets = sheets.reviewed_in(folder)
        judged = _judge(judge, sheets, workers=usable_cores(), progress=progress or (lambda _: None))
        texts, results = _gather(folder, judge, sheets, judged)
        with replaced_results(folder):
            _write(folder, sheets, results, texts, before.by)
            (write_parquet if parquet else remove_parquet)(folder)
            record = _run_record(judge, sheets, results, folder, by=before.by, seconds=time.time() - began)
            reviews = {name: told for name, told in record.inputs.items() if name == "reviews"}
            replace(record, inputs={**before.inputs, **reviews}).write(folder)
    return results


def _judge(
    judge: Judge, sheets: Sheets, *, workers: int, progress: Callable[[Progress], None]
) -> tuple[JudgedPart, ...]:
    """Every part judged, in the order of the tables."""
    parts = tuple(enumerate(sheets.parts(-(-len(sheets.measurements.rows) // _ROWS_OF_A_PART) or 1)))
    total = len(sheets.patient_ids)
    judged: dict[int, JudgedPart] = {}
    progress(Progress(total=total))
    for number, part in each(
        functools.partial(_judge_numbered, judge), parts, force=Force(workers=workers), lost=_lost
    ):
        judged[number] = part
        so_far = judged.values()
        failed = sum(len(one.failed) for one in so_far)
        progress(
            Progress(
                total=total,
                done=failed + sum(len(one.scored) for one in so_far),
                failed=failed,
                problems=sum(len(one.problems) for one in so_far),
            )
        )
    return tuple(part for _, part in sorted(judged.items()))


def _judge_numbered(judge: Judge, numbered: tuple[int, Sheets]) -> tuple[int, JudgedPart]:
    number, part = numbered
    with collection_paused():
        return number, judge_part(judge, part)


def _lost(numbered: tuple[int, Sheets], error: MdandersonError) -> tuple[int, JudgedPart]:
    """What is said of patients whose process was ended."""
    number, part = numbered
    patient_ids = part.patient_ids
    problems = tuple(Problem.from_error(error, patient_id=patient_id) for patient_id in patient_ids)
    return number, JudgedPart(lines={}, problems=problems, failed=dict.fromkeys(patient_ids, str(error)))


def _gather(
    folder: Path | None, judge: Judge, sheets: Sheets, judged: Sequence[JudgedPart]
) -> tuple[dict[str, str], Results]:
    """The files and what they say: lines put together, for each part's patients come after those of the part before."""
    readings: Readings = {}
    for part in judged:
        join_readings(readings, part.readings)
    agreements, not_compared = pairwise(readings)
    problems = {problem for part in judged for problem in part.problems}
    problems.update(about_table(sheets.measurements), not_compared)
    texts = {table.name: _text(table, judged) for table in judge.tables}
    failed = {patient_id: why for part in judged for patient_id, why in part.failed.items()}
    texts[PROBLEMS.name] = to_csv(PROBLEMS, map(problem_row, problems))
    results = Results(
        out=folder,
        rows=RowsOfText(texts, later={LESIONS.name: functools.partial(lesions_text, judge, sheets, failed=failed)}),
        scored=tuple(patient_id for part in judged for patient_id in part.scored),
        failed=failed,
        columns=sheets.free_columns(),
        agreements=agreements,
        events=sheets.happened(),
        settings=judge.settings,
    )
    return texts, results


def _text(table: Table, judged: Sequence[JudgedPart]) -> str:
    """A whole file: the lines of each part come after those of the part before."""
    return to_csv(table, ()) + "".join(part.lines.get(table.name, "") for part in judged)


def lesions_text(judge: Judge, sheets: Sheets, *, failed: Collection[str]) -> str:
    """lesions.csv of a table that was judged without it; failed: the patients that failed then.

    Raises `MdandersonError` where another patient fails now: its lesions would be missing without a word.
    """
    judged = _judge(replace(judge, lesions=True), sheets, workers=usable_cores(), progress=lambda _: None)
    lost = {patient_id: why for part in judged for patient_id, why in part.failed.items() if patient_id not in failed}
    if lost:
        patient_id, why = min(lost.items())
        raise MdandersonError(f"the lesions could not be judged: {why}", where=patient_id, way_out="report it")
    return _text(LESIONS, judged)


def _write(folder: Path, sheets: Sheets, results: Results, texts: Mapping[str, str], by: str) -> None:
    """Everything but the record of the run, without which nothing there counts as results."""
    sweep(folder)
    sheets.keep(folder / MEASUREMENTS_FOLDER, by=by)
    for table in TABLES:
        if table.name in texts:
            write_atomically(folder / table.file_name, texts[table.name])
        else:
            remove(folder / table.file_name)
    write_cohort_tables(folder, results, by)


def _run_record(judge: Judge, sheets: Sheets, results: Results, folder: Path, *, by: str, seconds: float) -> RunRecord:
    """The record of a run, once its tables are written to `folder`."""
    return RunRecord(
        inputs=sheets.fingerprints(),
        criteria=judge.criteria,
        by=by,
        versions=versions(),
        program=program(),
        settings=judge.settings.as_mapping(),
        seconds=seconds,
        results=results_in(folder),
        scored=len(results.scored),
        entries=0 if sheets.reviews is None else len(sheets.reviews.rows),
        events=told_events(results.events),
        patients={patient_id: ToldPatient(failure=why) for patient_id, why in results.failed.items()},
    )
