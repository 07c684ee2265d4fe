"""Dates of a patient: the start of treatment where events tell it, and dates that cannot all be true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mdanderson.criteria.course import Visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import PatientFacts
from mdanderson.vocabulary import EventKind

__all__ = ["about_dates", "with_treatment_start"]


def with_treatment_start(patient: PatientFacts, days: Sequence[dt.date], *, window_days: int) -> PatientFacts:
    """The patient whose treatment began with a therapy_start, where patients.csv does not tell (detail 20).

    days: of the examinations. The last start on or before the first follow-up begins what is followed here, since an
    earlier line of therapy may stand in the table; where none is, the first start. window_days: as for a visit.
    """
    starts = sorted(event.date for event in patient.events if event.kind is EventKind.THERAPY_START)
    if patient.treatment_start is not None or not starts:
        return patient
    later = [day for day in days if (day - min(days)).days > window_days]
    due = [start for start in starts if not later or start <= min(later)]
    return replace(patient, treatment_start=due[-1] if due else starts[0])


def about_dates(patient: PatientFacts, visits: Sequence[Visit]) -> Iterator[Problem]:
    """A warning for each date that the visits contradict; treatment may well begin after a lone baseline."""
    first, last = visits[0], visits[-1]
    start, contact, death = patient.treatment_start, patient.last_contact, patient.death_date
    if death is not None and death < first.date:
        yield _warning(f"death on {death} is before the baseline of {first.date}", "death_date")
    elif death is not None and death < last.date:
        yield _warning(f"death on {death} is before the visit of {_first_after(death, visits)}", "death_date")
    if start is not None and start > last.date and len(visits) > 1:
        yield _warning(f"treatment started on {start}, after the last visit of {last.date}", "treatment_start")
    early = [visit.date for visit in visits[1:] if start is not None and visit.date < start < last.date]
    if early:
        what = f"treatment started on {start}, after the follow-up of {early[0]}: progression-free time before it is 0"
        yield _warning(what, "treatment_start")
    if contact is not None and contact < last.date:
        yield _warning(f"last contact on {contact} is before the last visit of {last.date}", "last_contact")


def _first_after(day: dt.date, visits: Sequence[Visit]) -> dt.date:
    return next(visit.date for visit in visits if visit.date > day)


def _warning(what: str, column: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        where=f"patients.csv column {column}",
        what=what,
        how_to_fix="correct the date, or that of the visit",
    )
