"""Reading everything and scoring nothing: every problem that a run would meet, before it is run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from mdanderson.batch.run import Progress
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


def check(cohort: Cohort, *, loads: Loads | None = None, progress: Callable[[Progress], None] | None = None) -> Checked:
    """Look at every image and read every mask of a cohort, one patient at a time; `progress` is told of each.

    Voxels of an image are read only where something in them could be wrong.
    """
    problems = set(cohort.problems)
    images = usable = 0
    tell = progress or (lambda _: None)
    for done, patient in enumerate(cohort):
        at = Progress(total=len(cohort), done=done, problems=len(problems), running=(patient.patient_id,))
        tell(at)
        readable, found = _safely(loads or _load, patient)
        problems.update(problem.of(patient_id=patient.patient_id) for problem in found)
        images += readable
        usable += readable > 0
        tell(replace(at, done=done + 1, problems=len(problems), running=()))
    return Checked(problems=tuple(sorted(problems)), patients=len(cohort), images=images, usable=usable)


def _load(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
    from mdanderson.assessment.load import load_images

    images, _, problems = load_images(patient, look_only=True)
    return len(images), problems


def _safely(loads: Loads, patient: Patient) -> tuple[int, tuple[Problem, ...]]:
    try:
        return loads(patient)
    except MdandersonError as error:
        return 0, (Problem.from_error(error, patient_id=patient.patient_id),)
    except Exception as error:  # noqa: BLE001 - a bug that one patient meets must not hide the others' problems
        _LOG.debug("a patient met a bug", exc_info=True)
        what = f"unexpected error (bug): {type(error).__name__} {error}"
        return 0, (Problem(patient_id=patient.patient_id, what=what, how_to_fix="report it"),)
