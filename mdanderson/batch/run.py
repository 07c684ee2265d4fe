"""The batch: what is finished is kept, what is pending is scored, then all tables are written from what is stored."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mdanderson.batch.agree import pairwise
from mdanderson.batch.brief import Brief, run_record
from mdanderson.batch.cluster import check_scheduler
from mdanderson.batch.cohort_tables import write_cohort_tables
from mdanderson.batch.entered_reads import reviews_in
from mdanderson.batch.exchange import mended, replaced_results
from mdanderson.batch.fingerprint import PARTS, prints
from mdanderson.batch.folder import checked_folder, named_folder
from mdanderson.batch.lock import locked
from mdanderson.batch.one import Assess, Job, Task, lost_patient, score_patient
from mdanderson.batch.pages import write_pages
from mdanderson.batch.parquet import check_parquet, remove_parquet, write_parquet
from mdanderson.batch.pseudonymous import check_no_pseudonyms
from mdanderson.batch.readings import Readings, join_readings
from mdanderson.batch.results import Results, no_column
from mdanderson.batch.store import Finished, Store, make_folder, sweep
from mdanderson.batch.tables import rows_in, write_tables
from mdanderson.batch.workers import Force, each
from mdanderson.criteria import CRITERIA_SETS, criteria_set
from mdanderson.errors import SettingsError
from mdanderson.readers.manifest import Cohort, ImageEntry, Patient, read_cohort
from mdanderson.readers.reads import read_reads
from mdanderson.settings import Settings
from mdanderson.vocabulary import DEFAULT_CRITERIA

__all__ = ["Progress", "checked_criteria", "in_full", "score", "with_reviews"]

_NEW = "not scored before"
_MOST_WITH_VIEWER = 100
"""Patients; a page with a viewer has up to 8 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run is, in patients. kept: finished by an earlier run. running: being scored now.

    again: why patients are scored now, though there are results in the folder, and who they are. latest: the patient
    that failed last, and why.
    """

    total: int
    done: int = 0
    kept: int = 0
    failed: int = 0
    problems: int = 0
    running: tuple[str, ...] = ()
    again: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    latest: str = ""


def score(
    cohort: Cohort | str | Path,
    out: str | Path,
    *,
    settings: Settings | None = None,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    workers: int = 1,
    timeout_s: float | None = None,
    memory_gb: float | None = None,
    scheduler: str = "",
    fresh: bool = False,
    by: str = "",
    parquet: bool = False,
    report: bool = False,
    viewer: bool | None = None,
    only: Collection[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    assess: Assess | None = None,
) -> Results:
    """Score every patient of a cohort and write the result tables to the folder `out`.

    A patient that fails costs only itself. A run that was stopped goes on where it was, unless `fresh`; a patient is
    scored again when its rows, files, the settings or the program changed, or when it failed.
    workers: processes; one, without limits, is this very process. timeout_s: for one patient. memory_gb: of a worker,
    None = its share of the machine's. scheduler: address of a Dask scheduler, whose workers score in place of this
    machine's and must see the images by the same paths. by: a column of patients.csv, groups of the cohort summary.
    parquet: write the tables to out/parquet as well. report: take pictures, and write pages to out/report.
    viewer: with the report, keep what its viewer shows of every lesion, up to 6 MB a patient; None = in a cohort of 100
    patients or fewer, where the viewer is installed.
    only: patients that may be scored again; the others stay as an earlier run left them, whatever has changed.
    `progress` is told of every start and end; `assess` scores one patient in place of `mdanderson.assessment`.
    Raises `ManifestError`, `SettingsError`, `InputError` and `OutputError`; nothing else that a patient may raise.
    """
    force = Force.from_wishes(workers=workers, timeout_s=timeout_s, memory_gb=memory_gb, scheduler=scheduler)
    criteria, folder = checked_criteria(criteria), mended(named_folder(out))
    cohort = _checked_cohort(cohort if isinstance(cohort, Cohort) else read_cohort(cohort), folder, by)
    if parquet:
        check_parquet()
    if scheduler:
        check_scheduler(scheduler)
    make_folder(folder)
    crops = report and (_viewer_by_default(cohort) if viewer is None else viewer)
    job = Job(settings=settings or Settings(), criteria=criteria, assess=assess, pictures=report, crops=crops)
    with locked(folder):
        results = _run(
            cohort,
            job,
            folder,
            force=force,
            fresh=fresh,
            by=by,
            parquet=parquet,
            viewer=viewer,
            only=only,
            progress=progress or (lambda _: None),
        )
        if report:
            write_pages(folder, only=only, viewer=viewer is not False)
        return results


def _checked_cohort(cohort: Cohort, folder: Path, by: str) -> Cohort:
    """The cohort with what reviews have left, when it can be grouped so and its results may be written there."""
    cohort = with_reviews(cohort, folder)
    columns = _free_columns(cohort)
    if by and by not in columns:
        raise no_column(by, tuple(columns))
    checked_folder(folder, cohort)
    check_no_pseudonyms(folder, (patient.patient_id for patient in cohort))
    return cohort


def _viewer_by_default(cohort: Cohort) -> bool:
    """Whether crops are kept unasked: not of so many patients that they fill a disk, nor where nothing shows them."""
    from mdanderson.report.html.viewer import viewer_code

    return len(cohort) <= _MOST_WITH_VIEWER and viewer_code() is not None


def checked_criteria(criteria: Sequence[str]) -> tuple[str, ...]:
    """The names of criteria sets, each once; a word will do. Raises `SettingsError` for none, or an unknown one."""
    names = (criteria,) if isinstance(criteria, str) else tuple(dict.fromkeys(criteria))
    if not any(names):
        raise SettingsError("no criteria set named", way_out=f"use {', '.join(one.code for one in CRITERIA_SETS)}")
    for name in names:
        criteria_set(name)
    return names


def _run(
    cohort: Cohort,
    job: Job,
    folder: Path,
    *,
    force: Force,
    fresh: bool,
    by: str,
    parquet: bool,
    viewer: bool | None,
    only: Collection[str] | None,
    progress: Callable[[Progress], None],
) -> Results:
    """The run itself, in a folder that nobody else writes to."""
    began = time.time()
    store = Store.within(folder)
    sweep(folder)
    sweep(store.folder)
    if fresh:
        store.clear()
    briefs = _finish(cohort, job, store, force=force, only=only, progress=progress)
    agreements, not_compared = pairwise(_readings(briefs))
    of_cohort = [problem for problem in cohort.problems if not problem.patient_id]
    with replaced_results(folder):
        write_tables(folder, store, [one.patient_id for one in briefs], (*of_cohort, *not_compared))
        results = Results(
            out=folder,
            rows=rows_in(folder),
            scored=tuple(one.patient_id for one in briefs if not one.failure),
            failed={one.patient_id: one.failure for one in briefs if one.failure},
            columns=_free_columns(cohort),
            agreements=agreements,
            events={patient.patient_id: patient.facts.happened for patient in cohort if patient.facts.happened},
            settings=job.settings,
        )
        store.keep_only(one.patient_id for one in briefs)
        write_cohort_tables(folder, results, by)
        (write_parquet if parquet else remove_parquet)(folder)
        seconds = time.time() - began
        run_record(cohort, job, briefs, folder, by=by, viewer=viewer, seconds=seconds).write(folder)
    return results


def with_reviews(cohort: Cohort, out: Path) -> Cohort:
    """The cohort with what reviews of earlier results have left in their folder. Raises `ManifestError`."""
    table = reviews_in(out)
    if table is None:
        return cohort
    known = {patient.patient_id for patient in cohort}
    statements, problems = read_reads(table, known=known, known_from="image in the manifest")
    entries = Counter(row["patient_id"] for row in table)
    patients = (
        replace(
            patient,
            statements=(*patient.statements, *statements.get(patient.patient_id, ())),
            problems=(*patient.problems, *(one for one in problems if one.patient_id == patient.patient_id)),
            entries=entries[patient.patient_id],
        )
        for patient in cohort
    )
    return replace(cohort, patients=tuple(patients), problems=(*cohort.problems, *problems))


def _finish(
    cohort: Cohort,
    job: Job,
    store: Store,
    *,
    force: Force,
    only: Collection[str] | None,
    progress: Callable[[Progress], None],
) -> tuple[Brief, ...]:
    """Every patient finished and stored, in the cohort's order: kept where still right, else scored now."""
    briefs: dict[str, Brief] = {}
    pending: list[Task] = []
    again: dict[str, list[str]] = {}
    for patient in map(in_full, cohort):
        stored = store.read(patient.patient_id)
        if stored is not None and only is not None and patient.patient_id not in only:
            briefs[patient.patient_id] = Brief.of(stored)
            continue
        task = Task(patient=patient, prints=prints(patient, settings=job.settings, criteria=job.criteria))
        if stored is not None and not stored.failure and stored.fingerprint == task.fingerprint:
            briefs[patient.patient_id] = Brief.of(stored)
        else:
            pending.append(task)
            again.setdefault(_why_again(store, stored, task), []).append(patient.patient_id)
    telling = _Telling(progress, total=len(cohort), kept=briefs.values(), again=again)
    if briefs or telling.now.again:
        progress(telling.now)
    work = functools.partial(score_patient, job)
    with contextlib.closing(each(work, pending, force=force, lost=lost_patient, start=telling.begun)) as scored:
        for finished in scored:
            store.write(finished)
            briefs[finished.patient_id] = Brief.of(finished)
            telling.ended(briefs[finished.patient_id])
    return tuple(briefs[patient.patient_id] for patient in cohort)


def _why_again(store: Store, stored: Finished | None, task: Task) -> str:
    """Why a patient has to be scored, in words."""
    if stored is None:
        return "what was stored is damaged" if task.patient.patient_id in store else _NEW
    changed = [said for part, said in PARTS.items() if stored.prints.get(part) != task.prints[part]]
    return ", ".join(changed) or "it failed before"


def in_full(patient: Patient) -> Patient:
    """The patient with paths that are right wherever they are read."""
    return replace(patient, images=tuple(map(_entry_in_full, patient.images)))


def _entry_in_full(entry: ImageEntry) -> ImageEntry:
    return replace(
        entry,
        image=entry.image.absolute(),
        mask=entry.mask and entry.mask.absolute(),
        bone_mask=entry.bone_mask and entry.bone_mask.absolute(),
        reference_mask=entry.reference_mask and entry.reference_mask.absolute(),
    )


class _Telling:
    """Tells how far a run is; the only thing here that changes."""

    def __init__(
        self,
        progress: Callable[[Progress], None],
        *,
        total: int,
        kept: Collection[Brief],
        again: Mapping[str, Sequence[str]],
    ) -> None:
        self.progress = progress
        self.running: dict[str, None] = {}
        self.now = Progress(
            total=total,
            done=len(kept),
            kept=len(kept),
            problems=sum(one.problems for one in kept),
            again={why: tuple(patients) for why, patients in again.items() if kept or [*again] != [_NEW]},
        )

    def begun(self, task: Task) -> None:
        self.running[task.patient.patient_id] = None
        self._tell()

    def ended(self, one: Brief) -> None:
        self.running.pop(one.patient_id, None)
        self.now = replace(
            self.now,
            done=self.now.done + 1,
            failed=self.now.failed + bool(one.failure),
            problems=self.now.problems + one.problems,
            latest=f"{one.patient_id}: {one.failure}" if one.failure else self.now.latest,
        )
        self._tell()

    def _tell(self) -> None:
        self.now = replace(self.now, running=tuple(self.running))
        self.progress(self.now)


def _free_columns(cohort: Cohort) -> dict[str, dict[str, str]]:
    """The columns of patients.csv that no criterion reads, by column and patient."""
    columns: dict[str, dict[str, str]] = {}
    for patient in cohort:
        for name, text in patient.facts.extra:
            columns.setdefault(name, {})[patient.patient_id] = text
    return columns


def _readings(briefs: Sequence[Brief]) -> Readings:
    """What each reader by itself comes to, of the patients that several have read."""
    readings: Readings = {}
    for one in briefs:
        join_readings(readings, one.readings)
    return readings
