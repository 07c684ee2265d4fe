"""run.json: what was run on what, by which program; enough to run it again, and to tell later what has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mdanderson.batch.cohort_tables import COHORT_TABLES
from mdanderson.batch.events import told_events
from mdanderson.batch.fingerprint import Input, program, sha256_of, versions
from mdanderson.batch.parquet import PARQUET_FOLDER
from mdanderson.batch.results import RESEARCH_USE
from mdanderson.readers.reads import READS_FILE
from mdanderson.report.columns import PROBLEMS, TABLES

if TYPE_CHECKING:
    from mdanderson.batch.one import Job
    from mdanderson.batch.store import Finished
    from mdanderson.readers.manifest import Cohort
    from mdanderson.report.cells import Cells

__all__ = ["Brief", "hash_of_inputs", "results_in", "run_record", "told_of"]

_BESIDE = ("patients", "reads", "events")


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """What a run keeps in mind of a finished patient; its rows are in the store.

    files, bytes: of its images and masks; inputs: one hash of what is in them.
    """

    patient_id: str
    fingerprint: str
    failure: str
    problems: int
    files: int
    bytes: int
    inputs: str
    seconds: Mapping[str, float]
    readings: Mapping[str, Mapping[str, tuple[Cells, ...]]]

    @classmethod
    def of(cls, finished: Finished) -> Self:
        """The brief of a patient."""
        return cls(
            patient_id=finished.patient_id,
            fingerprint=finished.fingerprint,
            failure=finished.failure,
            problems=len(finished.tables[PROBLEMS.name]),
            files=sum(one.files for one in finished.inputs),
            bytes=sum(one.bytes for one in finished.inputs),
            inputs=hash_of_inputs(finished.inputs),
            seconds=finished.seconds,
            readings=finished.readings,
        )


def hash_of_inputs(inputs: Sequence[Input]) -> str:
    """One hash of what is in the files of a patient, in their order."""
    return hashlib.sha256(" ".join(one.sha256 for one in inputs).encode()).hexdigest()


def run_record(
    cohort: Cohort,
    job: Job,
    briefs: Sequence[Brief],
    folder: Path,
    *,
    by: str,
    viewer: bool | None,
    seconds: float,
) -> str:
    """The text of run.json, once the tables are written to `folder`. Times alone differ from run to run.

    by, viewer: as `score` was asked, so that a patient that is scored again is shown as the others are.
    """
    record = {
        "notice": RESEARCH_USE,
        "manifest": str(cohort.path.absolute()),
        "inputs": {name: told_of(file) for name, file in _tables(cohort, folder).items()},
        "criteria": list(job.criteria),
        "by": by,
        "viewer": viewer,
        "versions": versions(),
        "program": program(),
        "settings": job.settings.as_mapping(),
        "seconds": round(seconds, 3),
        "results": results_in(folder),
        "events": told_events({patient.patient_id: patient.facts.events for patient in cohort}),
        "patients": {
            one.patient_id: {
                "fingerprint": one.fingerprint,
                "files": one.files,
                "bytes": one.bytes,
                "inputs": one.inputs,
                "seconds": dict(one.seconds),
                "failure": one.failure,
            }
            for one in briefs
        },
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def told_of(file: Path) -> dict[str, str]:
    """Name and SHA-256 of a table, and where it was."""
    return {"name": file.name, "sha256": sha256_of(file), "path": str(file.absolute())}


def results_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of every table in a results folder."""
    files = [folder / table.file_name for table in (*TABLES, *COHORT_TABLES)]
    files += sorted((folder / PARQUET_FOLDER).glob("*.parquet"))
    return {file.relative_to(folder).as_posix(): sha256_of(file) for file in files if file.is_file()}


def _tables(cohort: Cohort, folder: Path) -> dict[str, Path]:
    """The manifest, the tables beside it, and what reviews have left with the results; those that there are."""
    known = {"manifest": cohort.path} | {name: cohort.folder / f"{name}.csv" for name in _BESIDE}
    known["reviews"] = folder / READS_FILE
    return {name: file for name, file in known.items() if file.is_file()}
