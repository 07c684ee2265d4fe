"""One patient of a batch, in whatever process: whatever happens, it ends as something that can be stored."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from mdanderson.batch.fingerprint import Input, inputs_of, whole
from mdanderson.batch.readings import Readings, of_reader, readings_of
from mdanderson.batch.store import Finished
from mdanderson.crops import Crop
from mdanderson.drawings import Drawing
from mdanderson.errors import InputError, MdandersonError, Problem, Severity
from mdanderson.pictures import Picture
from mdanderson.readers.manifest import Patient
from mdanderson.report.columns import LESIONS, PROBLEMS, RESPONSES, TABLES
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.trace import TRACE, trace_rows
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from mdanderson.timeline import Timeline

__all__ = ["Assess", "Job", "Task", "as_error", "lost_patient", "score_patient", "why_failed"]

_LOG = logging.getLogger(__name__)


class Assess(Protocol):
    """What scores one patient."""

    def __call__(self, patient: Patient, /, *, settings: Settings, criteria: Sequence[str]) -> Timeline:
        """The patient's timeline. May raise; `MdandersonError` for what the user can mend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is the same for every patient of a run. assess: None stands for `mdanderson.assessment`.

    pictures: whether lesions are pictured, for a report; crops: whether they are cropped, for a viewer; what else
    assesses takes none.
    """

    settings: Settings
    criteria: tuple[str, ...]
    assess: Assess | None = None
    pictures: bool = False
    crops: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One patient to be scored, and what its result depends on, by the names of `PARTS`."""

    patient: Patient
    prints: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """One hash of that."""
        return whole(self.prints)


def score_patient(job: Job, task: Task) -> Finished:
    """Score one patient. Whatever goes wrong is told in the result."""
    inputs: tuple[Input, ...] = ()
    with contextlib.suppress(OSError, MemoryError):  # what cannot be listed cannot be scored, and says so itself
        inputs = inputs_of(task.patient)
    return replace(_scored(job, task.patient, task.fingerprint), prints=task.prints, inputs=inputs)


def lost_patient(task: Task, error: MdandersonError) -> Finished:
    """What is said of a patient whose process was ended; its place is where the manifest names it."""
    finished = _without_response(task.patient, task.fingerprint, error.located(_rows_of(task.patient)))
    return replace(finished, prints=task.prints)


def _scored(job: Job, patient: Patient, fingerprint: str) -> Finished:
    began = time.perf_counter()
    looks = _Looks()
    try:
        timeline = _timeline(job, patient, looks)
        assessed = time.perf_counter()
        readings = _readings(job, patient)
        finished = _with_responses(patient, fingerprint, timeline, readings, assess_s=assessed - began)
        return _with_unread(job, patient, looks.added(finished))
    except MdandersonError as error:
        return _without_response(patient, fingerprint, error)
    except MemoryError as error:
        return _without_response(patient, fingerprint, as_error(error).located(_rows_of(patient)))
    except Exception as error:  # noqa: BLE001 - a bug that one patient meets must not cost the others
        _LOG.debug("a patient met a bug", exc_info=True)
        bug = as_error(error, with_details="with the details kept in .patients")
        return _without_response(patient, fingerprint, bug, details=traceback.format_exc())


def _rows_of(patient: Patient) -> str:
    """Where the manifest names the patient's images."""
    rows = sorted(entry.row for entry in patient.images)
    if not rows:
        return "the manifest"
    return f"manifest row {rows[0]}" if len(rows) == 1 else f"manifest rows {rows[0]}-{rows[-1]}"


def as_error(error: Exception, *, with_details: str = "") -> MdandersonError:
    """What a user is told of anything that a patient may raise."""
    if isinstance(error, MdandersonError):
        return error
    if isinstance(error, MemoryError):
        return MdandersonError("out of memory", way_out="give it more memory, or use fewer workers")
    report = " ".join(filter(None, ("report it", with_details)))
    return MdandersonError(
        f"unexpected error (bug): {type(error).__name__} {error}",
        way_out=f"{report}; the other patients are not concerned",
    )


def _without_response(patient: Patient, fingerprint: str, error: MdandersonError, *, details: str = "") -> Finished:
    """A patient that could not be scored: its problems, and no row in any other table."""
    problems = {*patient.problems, Problem.from_error(error, patient_id=patient.patient_id)}
    tables = {table.name: () for table in TABLES} | {PROBLEMS.name: tuple(map(problem_row, sorted(problems)))}
    return Finished(
        patient_id=patient.patient_id,
        fingerprint=fingerprint,
        tables=tables,
        failure=str(error),
        details=details,
        entries=patient.entries,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looks:
    """What was taken of a patient's images on the way."""

    pictures: list[Picture] = field(default_factory=list)
    crops: list[Crop] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)

    def added(self, finished: Finished) -> Finished:
        """The same patient with them."""
        return replace(finished, pictures=tuple(self.pictures), crops=tuple(self.crops), drawings=tuple(self.drawings))


def _timeline(job: Job, patient: Patient, looks: _Looks) -> Timeline:
    """The patient's timeline; pictures and crops are added where they are wanted, drawings where there are images."""
    if not patient.images:
        raise _without_image(patient)
    assess = job.assess or _default_assess(
        show=looks.pictures.append if job.pictures else None,
        keep=looks.crops.append if job.crops else None,
        note=looks.drawings.append,
    )
    return assess(patient, settings=job.settings, criteria=job.criteria)


def _readings(job: Job, patient: Patient) -> Readings:
    """What each of several readers by itself comes to; its images are measured once more for each."""
    readers = sorted({one.reader for one in patient.statements if not one.adjudicates} - {""})
    assess = job.assess or _default_assess()

    def judged_by(reader: str) -> Timeline:
        return assess(patient, settings=of_reader(job.settings, reader), criteria=job.criteria)

    return readings_of(readers, judged_by)


def _with_unread(job: Job, patient: Patient, finished: Finished) -> Finished:
    """The same with what the images alone tell, which is all that a blinded reader may see of a patient.

    They are followed once more: a reader's word may name lesions, tie outlines together, and stand for a whole image.
    """
    if not patient.statements:
        return finished
    looks = _Looks()
    try:
        unread = timeline_rows(_timeline(replace(job, crops=False), replace(patient, statements=()), looks))
    except Exception:  # noqa: BLE001 - what a blinded reader may not see then must not cost the patient
        _LOG.debug("a patient could not be followed without its statements", exc_info=True)
        unread = {}
    kept = {name: unread.get(name, ()) for name in (LESIONS.name, RESPONSES.name)}
    return replace(finished, unread=kept, unread_pictures=tuple(looks.pictures))


def _without_image(patient: Patient) -> InputError:
    """Names the first row that lost an image; problems.csv has the others."""
    faults = sorted(problem for problem in patient.problems if problem.severity is Severity.ERROR)
    if not faults:
        return InputError("no image of the patient is listed", way_out="give the patient a row with an image")
    first = faults[0]
    return InputError(f"no image can be used: {first.what}", where=first.where, way_out=first.how_to_fix)


def _default_assess(
    *,
    show: Callable[[Picture], None] | None = None,
    keep: Callable[[Crop], None] | None = None,
    note: Callable[[Drawing], None] | None = None,
) -> Assess:
    """The image half; `show` takes its pictures over, `keep` its crops, `note` its drawings."""
    from mdanderson.assessment import assess

    return functools.partial(assess, show=show, keep=keep, note=note)


def _with_responses(
    patient: Patient, fingerprint: str, timeline: Timeline, readings: Readings, *, assess_s: float
) -> Finished:
    problems = sorted(
        {problem.of(patient_id=patient.patient_id) for problem in (*patient.problems, *timeline.problems)}
    )
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
        entries=patient.entries,
        seconds={"assess": round(assess_s, 3)},
    )


def why_failed(timeline: Timeline) -> str:
    """Why the patient counts as failed: the error that left it without any response. Blank where it was scored."""
    if any(response.category not in {Category.NE, Category.BL} for response in timeline.responses):
        return ""
    errors = [problem for problem in timeline.problems if problem.severity is Severity.ERROR]
    return errors[0].line if errors else ""
