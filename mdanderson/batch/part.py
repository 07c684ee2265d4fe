"""A part of a reader's table in one process: read, judged, and written as lines of the result tables."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mdanderson.batch.one import as_error, why_failed
from mdanderson.batch.readings import Readings, join_readings, measured_by, of_reader, readings_of
from mdanderson.errors import InputError, MdandersonError, Problem, Severity
from mdanderson.report.cells import Cells, to_csv_lines
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES, Table
from mdanderson.report.tables import timeline_rows
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline

if TYPE_CHECKING:
    from mdanderson.batch.sheets import Sheets
    from mdanderson.readers.measurements import MeasuredPatient

__all__ = ["Judge", "JudgedPart", "judge_part", "judge_patient"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """What is the same for every patient of a run. lesions: whether the rows of lesions.csv are made as well."""

    settings: Settings
    criteria: tuple[str, ...]
    lesions: bool = False

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that judging a patient fills."""
        return (LESIONS, RESPONSES, PATIENTS) if self.lesions else (RESPONSES, PATIENTS)

    def of_reader(self, reader: str) -> Judge:
        """The same, where the statements of one reader count alone."""
        return replace(self, settings=of_reader(self.settings, reader))


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPart:
    """What a part came to. lines: text by table name, without header, in the order of the files."""

    lines: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    scored: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    readings: Readings = field(default_factory=dict)


def judge_part(judge: Judge, part: Sheets) -> JudgedPart:
    """Read and judge some patients; one that fails costs only itself. Raises `ManifestError` for a bad table."""
    rows: dict[str, list[Cells]] = {table.name: [] for table in judge.tables}
    problems: set[Problem] = set()
    scored: list[str] = []
    failed: dict[str, str] = {}
    readings: Readings = {}
    patients, found = _read(part)
    problems.update(found)
    for patient_id, read in patients.items():
        try:
            patient = read or _read_alone(part, patient_id)
            timeline = judge_patient(judge, patient)
            told = timeline_rows(timeline, lesions=judge.lesions)
            by_reader = _by_reader(judge, patient)
        except Exception as error:  # noqa: BLE001 - whatever one patient raises must not cost the others
            _LOG.debug("a patient failed", exc_info=True)
            failed[patient_id] = _told(error, patient_id, problems)
            continue
        for table in judge.tables:
            rows[table.name] += told[table.name]
        problems.update(timeline.problems)
        join_readings(readings, by_reader)
        why = why_failed(timeline)
        if why:
            failed[patient_id] = why
        else:
            scored.append(patient_id)
    return JudgedPart(
        lines={table.name: to_csv_lines(table, rows[table.name]) for table in judge.tables},
        problems=tuple(problems),
        scored=tuple(scored),
        failed=failed,
        readings=readings,
    )


def judge_patient(judge: Judge, patient: MeasuredPatient) -> Timeline:
    """The patient's timeline. Raises `InputError` where no row can be used, and whatever the criteria raise."""
    if not patient.examinations:
        raise _without_row(patient)
    return build_timeline(
        patient.facts,
        patient.examinations,
        settings=judge.settings,
        criteria=judge.criteria,
        statements=patient.statements,
        problems=patient.problems,
    )


def _by_reader(judge: Judge, patient: MeasuredPatient) -> Readings:
    """What each of several readers by itself comes to."""
    return readings_of(
        patient.readers,
        functools.partial(_judge_as, judge, patient),
        functools.partial(measured_by, examinations=patient.examinations),
    )


def _judge_as(judge: Judge, patient: MeasuredPatient, reader: str) -> Timeline:
    return judge_patient(judge.of_reader(reader), patient)


def _without_row(patient: MeasuredPatient) -> InputError:
    """Names the first row that lost a lesion; problems.csv has the others."""
    faults = sorted(problem for problem in patient.problems if problem.severity is Severity.ERROR)
    if not faults:
        return InputError("no row of the patient can be used", way_out="give the patient a row with a date")
    first = faults[0]
    return InputError(f"no row can be used: {first.what}", where=first.where, way_out=first.how_to_fix)


def _read(part: Sheets) -> tuple[Mapping[str, MeasuredPatient | None], set[Problem]]:
    """Patients as read, and all problems; where reading meets a bug, None for each: they are to be read one by one."""
    from mdanderson.readers.measurements import about_table

    try:
        found = part.read()
    except MdandersonError:
        raise
    except Exception:  # noqa: BLE001 - the rows of one patient must not cost the others
        _LOG.debug("reading met a bug", exc_info=True)
        return dict.fromkeys(part.patient_ids), set()
    patients = {patient.patient_id: patient for patient in found}
    return patients, set(found.problems) - set(about_table(part.measurements))


def _read_alone(part: Sheets, patient_id: str) -> MeasuredPatient:
    (patient,) = part.of({patient_id}).read()
    return patient


def _told(error: Exception, patient_id: str, problems: set[Problem]) -> str:
    """Why a patient failed, in a line; the problem joins the others."""
    known = as_error(error)
    problems.add(Problem.from_error(known, patient_id=patient_id))
    return str(known)
