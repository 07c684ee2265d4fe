"""Reading everything and scoring nothing: every problem that a run would meet, before it is run."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from mdanderson.batch.one import as_error
from mdanderson.batch.run import Progress
from mdanderson.batch.workers import Force, each
from mdanderson.errors import MdandersonError, Problem, Severity
from mdanderson.readers.manifest import Cohort, Patient

__all__ = ["Checked", "Loads", "check"]

_LOG = logging.getLogger(__name__)

Loads = Callable[[Patient], tuple[int, tuple[Problem, ...]]]
"""Looks at all images of a patient and reads its masks: how many images are usable, and what is wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found. usable: patients with at least one readable image."""

    problems: tuple[Problem, ...]
    patients: int
    images: int
    usable: int

    @property
    def errors(self) -> int:
        """Problems that cost a result."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)


class _Looked(NamedTuple):
    """What a look at one patient found."""

    patient_id: str
    images: int
    problems: tuple[Problem, ...]


def check(
    cohort: Cohort,
    *,
    workers: int = 1,
    timeout_s: float | None = None,
    memory_gb: float | None = None,
    loads: Loads | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Checked:
    """Look at every image and read every mask of a cohort; `progress` is told of every patient.

    Voxels of an image are read only where something in them could be wrong. workers, timeout_s, memory_gb: as of
    `score`; what outgrows them costs its patient alone. Raises `SettingsError` for limits that are none.
    """
    force = Force.from_wishes(workers=workers, timeout_s=timeout_s, memory_gb=memory_gb)
    tally = _Tally(progress or (lambda _: None), cohort)
    work = functools.partial(_safely, loads or _load)
    with contextlib.closing(each(work, cohort.patients, force=force, lost=_lost, start=tally.begun)) as looked:
        for one in looked:
            tally.ended(one)
    return Checked(
        problems=tuple(sorted(tally.problems)), patients=len(cohort), images=tally.images, usable=tally.usable
    )


class _Tally:
    """What was found so far, and how far the check is; the only thing here that changes."""

    def __init__(self, progress: Callable[[Progress], None], cohort: Cohort) -> None:
        self.progress = progress
        self.problems = set(cohort.problems)
        self.images = self.usable = 0
        self.running: dict[str, None] = {}
        self.now = Progress(total=len(cohort), done=0)

    def begun(self, patient: Patient) -> None:
        self.running[patient.patient_id] = None
        self._tell()

    def ended(self, one: _Looked) -> None:
        self.running.pop(one.patient_id, None)
        self.problems.update(problem.of(patient_id=one.patient_id) for problem in one.problems)
        self.images += one.images
        self.usable += one.images > 0
        self.now = replace(self.now, done=self.now.done + 1)
        self._tell()

    def _tell(self) -> None:
        self.now = replace(self.now, problems=len(self.problems), running=tuple(self.running))
        self.progress(self.now)


def _load(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
    from mdanderson.assessment.load import load_images

    images, _, problems = load_images(patient, look_only=True)
    return len(images), problems


def _safely(loads: Loads, patient: Patient) -> _Looked:
    try:
        return _Looked(patient.patient_id, *loads(patient))
    except Exception as error:  # noqa: BLE001 - a bug that one patient meets must not hide the others' problems
        if not isinstance(error, MdandersonError):
            _LOG.debug("a patient met a bug", exc_info=True)
        return _lost(patient, as_error(error))


def _lost(patient: Patient, error: MdandersonError) -> _Looked:
    """What is said of a patient at whom nobody could look."""
    if patient.images:
        error.located(f"manifest row {patient.images[0].row}")
    return _Looked(patient.patient_id, 0, (Problem.from_error(error, patient_id=patient.patient_id),))
