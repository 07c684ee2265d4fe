"""What a run keeps in mind of its patients, and makes its record of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mdanderson.batch.events import told_events
from mdanderson.batch.fingerprint import Input, program, versions
from mdanderson.batch.record import RunRecord, ToldPatient, results_in, told_of
from mdanderson.readers.reads import READS_FILE
from mdanderson.report.columns import PROBLEMS

if TYPE_CHECKING:
    from mdanderson.batch.one import Job
    from mdanderson.batch.store import Finished
    from mdanderson.readers.manifest import Cohort
    from mdanderson.report.cells import Cells

__all__ = ["Brief", "hash_of_inputs", "run_record"]

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

    @property
    def told(self) -> ToldPatient:
        """What a record tells of the patient."""
        return ToldPatient(
            fingerprint=self.fingerprint,
            files=self.files,
            bytes=self.bytes,
            inputs=self.inputs,
            seconds=dict(self.seconds),
            failure=self.failure,
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
) -> RunRecord:
    """The record of a run, once its tables are written to `folder`.

    by, viewer: as `score` was asked, so that a patient that is scored again is shown as the others are.
    """
    return RunRecord(
        manifest=str(cohort.path.absolute()),
        inputs={name: told_of(file) for name, file in _tables(cohort, folder).items()},
        criteria=job.criteria,
        by=by,
        viewer=viewer,
        versions=versions(),
        program=program(),
        settings=job.settings.as_mapping(),
        seconds=seconds,
        results=results_in(folder),
        events=told_events({patient.patient_id: patient.facts.happened for patient in cohort}),
        patients={one.patient_id: one.told for one in briefs},
    )


def _tables(cohort: Cohort, folder: Path) -> dict[str, Path]:
    """The manifest, the tables beside it, and what reviews have left with the results; those that there are."""
    known = {"manifest": cohort.path} | {name: cohort.folder / f"{name}.csv" for name in _BESIDE}
    known["reviews"] = folder / READS_FILE
    return {name: file for name, file in known.items() if file.is_file()}
