"""One patient of a batch, in whatever process: whatever happens, it ends as something that can be stored."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mdanderson.batch.readings import Readings, of_reader, readings_of
from mdanderson.batch.store import Finished, Store
from mdanderson.errors import InputError, MdandersonError, Problem, Severity
from mdanderson.readers.manifest import Patient
from mdanderson.report.columns import PROBLEMS, TABLES
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.trace import TRACE, trace_rows
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from mdanderson.timeline import Timeline

__all__ = ["Assess", "Job", "as_error", "score_patient", "why_failed", "without_response"]

_LOG = logging.getLogger(__name__)


class Assess(Protocol):
    """What scores one patient."""

    def __call__(self, patient: Patient, /, *, settings: Settings, criteria: Sequence[str]) -> Timeline:
        """The patient's timeline. May raise; `MdandersonError` for what the user can mend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is the same for every patient of a run. assess: None stands for `mdanderson.assessment`."""

    settings: Settings
    criteria: tuple[str, ...]
    store: Store
    assess: Assess | None = None


def score_patient(job: Job, patient: Patient, fingerprint: str) -> Finished:
    """Score one patient and store the result. Raises `OutputError` when it cannot be stored."""
    began = time.perf_counter()
    try:
        timeline = _timeline(job, patient)
        assessed = time.perf_counter()
        readings = _readings(job, patient)
        finished = _with_responses(patient, fingerprint, timeline, readings, assess_s=assessed - began)
    except MdandersonError as error:
        finished = without_response(patient, fingerprint, error)
    except Exception as error:  # noqa: BLE001 - a bug that one patient meets must not cost the others
        _LOG.debug("a patient met a bug", exc_info=True)
        bug = as_error(error, with_details="with the details kept in .patients")
        finished = without_response(patient, fingerprint, bug, details=traceback.format_exc())
    job.store.write(finished)
    return finished


def as_error(error: Exception, *, with_details: str = "") -> MdandersonError:
    """What a user is told of anything that a patient may raise."""
    if isinstance(error, MdandersonError):
        return error
    if isinstance(error, MemoryError):
        return MdandersonError("out of memory", way_out="use fewer workers")
    report = " ".join(filter(None, ("report it", with_details)))
    return MdandersonError(
        f"unexpected error (bug): {type(error).__name__} {error}",
        way_out=f"{report}; the other patients are not concerned",
    )


def without_response(patient: Patient, fingerprint: str, error: MdandersonError, *, details: str = "") -> Finished:
    """A patient that could not be scored: its problems, and no row in any other table."""
    problems = {*patient.problems, Problem.from_error(error, patient_id=patient.patient_id)}
    tables = {table.name: () for table in TABLES} | {PROBLEMS.name: tuple(map(problem_row, sorted(problems)))}
    return Finished(
        patient_id=patient.patient_id, fingerprint=fingerprint, tables=tables, failure=str(error), details=details
    )


def _timeline(job: Job, patient: Patient) -> Timeline:
    if not patient.images:
        raise _without_image(patient)
    assess = job.assess or _default_assess()
    return assess(patient, settings=job.settings, criteria=job.criteria)


def _readings(job: Job, patient: Patient) -> Readings:
    """What each of several readers by itself comes to; its images are measured once more for each."""
    readers = sorted({statement.reader for statement in patient.statements} - {""})
    assess = job.assess or _default_assess()

    def judged_by(reader: str) -> Timeline:
        return assess(patient, settings=of_reader(job.settings, reader), criteria=job.criteria)

    return readings_of(readers, judged_by)


def _without_image(patient: Patient) -> InputError:
    """Names the first row that lost an image; problems.csv has the others."""
    faults = sorted(problem for problem in patient.problems if problem.severity is Severity.ERROR)
    if not faults:
        return InputError("no image of the patient is listed", way_out="give the patient a row with an image")
    first = faults[0]
    return InputError(f"no image can be used: {first.what}", where=first.where, way_out=first.how_to_fix)


def _default_assess() -> Assess:
    from mdanderson.assessment import assess

    return assess


def _with_responses(
    patient: Patient, fingerprint: str, timeline: Timeline, readings: Readings, *, assess_s: float
) -> Finished:
    problems = sorted({*patient.problems, *timeline.problems})
    tables = timeline_rows(timeline) | {
        PROBLEMS.name: tuple(map(problem_row, problems)),
        TRACE.name: trace_rows(timeline),
    }
    return Finished(
        patient_id=patient.patient_id,
        fingerprint=fingerprint,
        tables=tables,
        readings={reader: {name: tuple(rows) for name, rows in its.items()} for reader, its in readings.items()},
        failure=why_failed(timeline),
        seconds={"assess": round(assess_s, 3)},
    )


def why_failed(timeline: Timeline) -> str:
    """Why the patient counts as failed: the error that left it without any response. Blank where it was scored."""
    if any(response.category not in {Category.NE, Category.BL} for response in timeline.responses):
        return ""
    errors = [problem for problem in timeline.problems if problem.severity is Severity.ERROR]
    return errors[0].line if errors else ""
