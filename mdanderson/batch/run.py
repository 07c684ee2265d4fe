"""The batch: what is finished is kept, what is pending is scored, then all tables are written from what is stored."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdanderson.batch.fingerprint import fingerprint, input_files, versions
from mdanderson.batch.folder import checked_folder
from mdanderson.batch.one import Assess, Job, leave_interrupts, score_patient, without_response
from mdanderson.batch.results import RESEARCH_USE, Results
from mdanderson.batch.store import Finished, Store, write_atomically
from mdanderson.criteria import criteria_set
from mdanderson.errors import MdandersonError, SettingsError
from mdanderson.readers.manifest import Cohort, Patient, read_cohort
from mdanderson.report.cells import Cells, sorted_rows, to_csv
from mdanderson.report.columns import PROBLEMS, TABLES
from mdanderson.report.tables import problem_row
from mdanderson.settings import Settings
from mdanderson.vocabulary import DEFAULT_CRITERIA

__all__ = ["Progress", "score"]


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
    progress: Callable[[Progress], None] | None = None,
    assess: Assess | None = None,
) -> Results:
    """Score every patient of a cohort and write the result tables to the folder `out`.

    A patient that fails costs only itself. A run that was stopped goes on where it was, unless `fresh`; a patient is
    scored again when its rows, files, the settings or the program changed, or when it failed. `progress` is told of
    every start and end; `assess` scores one patient in place of `mdanderson.assessment`.
    Raises `ManifestError`, `SettingsError` and `OutputError`; nothing else that a patient may raise.
    """
    if workers < 1:
        raise SettingsError(f"{workers} workers", way_out="use at least one")
    for name in criteria:
        criteria_set(name)
    began = time.time()
    cohort = cohort if isinstance(cohort, Cohort) else read_cohort(cohort)
    store = Store.within(checked_folder(Path(out), cohort))
    if fresh:
        store.clear()
    job = Job(settings=settings or Settings(), criteria=tuple(criteria), store=store, assess=assess)
    finished = _finish(cohort, job, workers=workers, progress=progress or (lambda _: None))
    rows = _all_rows(cohort, finished)
    for table in TABLES:
        write_atomically(Path(out) / table.file_name, to_csv(table, rows[table.name]))
    write_atomically(Path(out) / "run.json", _run_record(cohort, job, finished, seconds=time.time() - began))
    return Results(
        out=Path(out),
        rows=rows,
        scored=tuple(one.patient_id for one in finished if not one.failure),
        failed={one.patient_id: one.failure for one in finished if one.failure},
    )


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

    def start(patient_id: str) -> None:
        running[patient_id] = None
        tell()

    for one in _each(job, tuple(pending.values()), workers, start):
        running.pop(one.patient_id, None)
        finished[one.patient_id] = one
        tell()
    return tuple(finished[patient.patient_id] for patient in cohort)


def _each(
    job: Job, pending: Sequence[tuple[Patient, str]], workers: int, start: Callable[[str], None]
) -> Iterator[Finished]:
    """Score the pending patients, each yielded when it is done; in processes of their own where there are several."""
    if workers == 1 or len(pending) < 2:
        for patient, print_now in pending:
            start(patient.patient_id)
            yield score_patient(job, patient, print_now)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    def tasks() -> Iterator[object]:
        for patient, print_now in pending:
            start(patient.patient_id)
            yield delayed(score_patient)(job, patient, print_now)

    left = {patient.patient_id: (patient, print_now) for patient, print_now in pending}
    pool = Parallel(
        n_jobs=workers,
        backend="loky",
        return_as="generator_unordered",
        pre_dispatch="n_jobs",
        batch_size=1,
        initializer=leave_interrupts,
    )
    try:
        for one in pool(tasks()):
            del left[one.patient_id]
            yield one
    except BrokenProcessPool:
        for patient, print_now in left.values():
            yield _alone(job, patient, print_now)


def _alone(job: Job, patient: Patient, print_now: str) -> Finished:
    """Score one patient in a process of its own, after a worker died: so the guilty one costs only itself."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        (one,) = Parallel(n_jobs=2, backend="loky", initializer=leave_interrupts)(
            [delayed(score_patient)(job, patient, print_now)]
        )
    except BrokenProcessPool:
        died = MdandersonError(
            "the process that scored the patient was ended", way_out="give it more memory, or use fewer workers"
        )
        return without_response(patient, print_now, died)
    finished: Finished = one
    return finished


def _all_rows(cohort: Cohort, finished: Sequence[Finished]) -> Mapping[str, tuple[Cells, ...]]:
    """The sorted rows of every table; what is wrong with the manifest itself joins the problems."""
    rows = {table.name: [row for one in finished for row in one.tables[table.name]] for table in TABLES}
    rows[PROBLEMS.name] += [problem_row(problem) for problem in cohort.problems if not problem.patient_id]
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
