"""The batch: what is finished is kept, what is pending is scored, then all tables are written from what is stored."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mdanderson.batch.agree import pairwise
from mdanderson.batch.cohort_tables import write_cohort_tables
from mdanderson.batch.fingerprint import fingerprint, input_files, versions
from mdanderson.batch.folder import checked_folder, named_folder
from mdanderson.batch.one import Assess, Job, score_patient, without_response
from mdanderson.batch.readings import Readings, join_readings
from mdanderson.batch.results import RESEARCH_USE, Results, no_column
from mdanderson.batch.store import RUN_FILE, Finished, Store, write_atomically
from mdanderson.batch.workers import DIED, checked_workers, each
from mdanderson.criteria import CRITERIA_SETS, criteria_set
from mdanderson.errors import Problem, SettingsError
from mdanderson.readers.manifest import Cohort, Patient, read_cohort
from mdanderson.readers.reads import read_reviews
from mdanderson.report.cells import Cells, sorted_rows, to_csv
from mdanderson.report.columns import PROBLEMS, TABLES
from mdanderson.report.tables import problem_row
from mdanderson.settings import Settings
from mdanderson.vocabulary import DEFAULT_CRITERIA

__all__ = ["Progress", "checked_criteria", "score"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run is, in patients. kept: finished by an earlier run. running: being scored now."""

    total: int
    done: int = 0
    kept: int = 0
    failed: int = 0
    problems: int = 0
    running: tuple[str, ...] = ()


def score(
    cohort: Cohort | str | Path,
    out: str | Path,
    *,
    settings: Settings | None = None,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    workers: int = 1,
    fresh: bool = False,
    by: str = "",
    progress: Callable[[Progress], None] | None = None,
    assess: Assess | None = None,
) -> Results:
    """Score every patient of a cohort and write the result tables to the folder `out`.

    A patient that fails costs only itself. A run that was stopped goes on where it was, unless `fresh`; a patient is
    scored again when its rows, files, the settings or the program changed, or when it failed. by: a column of
    patients.csv, groups of the cohort summary. `progress` is told of every start and end; `assess` scores one patient
    in place of `mdanderson.assessment`.
    Raises `ManifestError`, `SettingsError`, `InputError` and `OutputError`; nothing else that a patient may raise.
    """
    workers, criteria, folder = checked_workers(workers), checked_criteria(criteria), named_folder(out)
    began = time.time()
    cohort = _with_reviews(cohort if isinstance(cohort, Cohort) else read_cohort(cohort), folder)
    columns = _free_columns(cohort)
    if by and by not in columns:
        raise no_column(by, tuple(columns))
    store = Store.within(checked_folder(folder, cohort))
    if fresh:
        store.clear()
    job = Job(settings=settings or Settings(), criteria=criteria, store=store, assess=assess)
    finished = _finish(cohort, job, workers=workers, progress=progress or (lambda _: None))
    agreements, not_compared = pairwise(_readings(finished))
    rows = _all_rows(cohort, finished, not_compared)
    results = Results(
        out=folder,
        rows=rows,
        scored=tuple(one.patient_id for one in finished if not one.failure),
        failed={one.patient_id: one.failure for one in finished if one.failure},
        columns=columns,
        agreements=agreements,
    )
    for table in TABLES:
        write_atomically(folder / table.file_name, to_csv(table, rows[table.name]))
    write_cohort_tables(folder, results, by)
    write_atomically(folder / RUN_FILE, _run_record(cohort, job, finished, seconds=time.time() - began))
    return results


def checked_criteria(criteria: Sequence[str]) -> tuple[str, ...]:
    """The names of criteria sets, each once; a word will do. Raises `SettingsError` for none, or an unknown one."""
    names = (criteria,) if isinstance(criteria, str) else tuple(dict.fromkeys(criteria))
    if not any(names):
        raise SettingsError("no criteria set named", way_out=f"use {', '.join(one.code for one in CRITERIA_SETS)}")
    for name in names:
        criteria_set(name)
    return names


def _with_reviews(cohort: Cohort, out: Path) -> Cohort:
    """The cohort with what reviews of earlier results have left in their folder. Raises `ManifestError`."""
    statements, problems = read_reviews(out, known={patient.patient_id for patient in cohort})
    if not statements and not problems:
        return cohort
    patients = (
        replace(
            patient,
            statements=(*patient.statements, *statements.get(patient.patient_id, ())),
            problems=(*patient.problems, *(one for one in problems if one.patient_id == patient.patient_id)),
        )
        for patient in cohort
    )
    return replace(cohort, patients=tuple(patients), problems=(*cohort.problems, *problems))


def _finish(cohort: Cohort, job: Job, *, workers: int, progress: Callable[[Progress], None]) -> tuple[Finished, ...]:
    """Every patient finished, in the cohort's order: kept from the store where still right, else scored now."""
    finished: dict[str, Finished] = {}
    pending: dict[str, tuple[Patient, str]] = {}
    for patient in cohort:
        print_now = fingerprint(patient, settings=job.settings, criteria=job.criteria)
        stored = job.store.read(patient.patient_id)
        if stored and stored.fingerprint == print_now and not stored.failure:
            finished[patient.patient_id] = stored
        else:
            pending[patient.patient_id] = (patient, print_now)
    kept = len(finished)
    running: dict[str, None] = {}

    def tell() -> None:
        done = tuple(finished.values())
        progress(
            Progress(
                total=len(cohort),
                done=len(done),
                kept=kept,
                failed=sum(bool(one.failure) for one in done),
                problems=sum(len(one.tables[PROBLEMS.name]) for one in done),
                running=tuple(running),
            )
        )

    def start(task: tuple[Patient, str]) -> None:
        running[task[0].patient_id] = None
        tell()

    for one in each(functools.partial(_score, job), tuple(pending.values()), workers=workers, died=_died, start=start):
        running.pop(one.patient_id, None)
        finished[one.patient_id] = one
        tell()
    return tuple(finished[patient.patient_id] for patient in cohort)


def _score(job: Job, task: tuple[Patient, str]) -> Finished:
    patient, print_now = task
    return score_patient(job, patient, print_now)


def _died(task: tuple[Patient, str]) -> Finished:
    """What is said of a patient whose process was ended."""
    patient, print_now = task
    return without_response(patient, print_now, DIED)


def _free_columns(cohort: Cohort) -> dict[str, dict[str, str]]:
    """The columns of patients.csv that no criterion reads, by column and patient."""
    columns: dict[str, dict[str, str]] = {}
    for patient in cohort:
        for name, text in patient.facts.extra:
            columns.setdefault(name, {})[patient.patient_id] = text
    return columns


def _readings(finished: Sequence[Finished]) -> Readings:
    """What each reader by itself comes to, of the patients that several have read."""
    readings: Readings = {}
    for one in finished:
        join_readings(readings, one.readings)
    return readings


def _all_rows(cohort: Cohort, finished: Sequence[Finished], more: Sequence[Problem]) -> Mapping[str, tuple[Cells, ...]]:
    """The sorted rows of every table; what is wrong with the manifest itself joins the problems."""
    rows = {table.name: [row for one in finished for row in one.tables[table.name]] for table in TABLES}
    of_cohort = [problem for problem in cohort.problems if not problem.patient_id]
    rows[PROBLEMS.name] += map(problem_row, (*of_cohort, *more))
    return {table.name: tuple(sorted_rows(table, rows[table.name])) for table in TABLES}


def _run_record(cohort: Cohort, job: Job, finished: Sequence[Finished], *, seconds: float) -> str:
    """run.json: what was run on what, by which program. Times differ from run to run; nothing else does."""
    patients = {}
    for patient, one in zip(cohort, finished, strict=True):
        files = list(input_files(patient))
        patients[one.patient_id] = {
            "fingerprint": one.fingerprint,
            "files": len(files),
            "bytes": sum(file["bytes"] for file in files),
            "seconds": dict(one.seconds),
            "failure": one.failure,
        }
    record = {
        "notice": RESEARCH_USE,
        "manifest": str(cohort.path),
        "criteria": list(job.criteria),
        "versions": versions(),
        "settings": job.settings.as_mapping(),
        "seconds": round(seconds, 3),
        "patients": patients,
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
