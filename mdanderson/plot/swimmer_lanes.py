"""What happened to each patient, in weeks since baseline: visits, the stretches between them, therapies and marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mdanderson.findings import DEATH, Event
from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.source import PatientRow, VisitRow
from mdanderson.plot.style import FigureStyle
from mdanderson.vocabulary import Category, EventKind

__all__ = [
    "CLOCK",
    "DEATH",
    "FOLLOWED",
    "PROGRESSION",
    "Lane",
    "Mark",
    "MarkStyle",
    "Stretch",
    "in_order",
    "lanes",
    "mark_style",
    "mark_words",
]

CLOCK, PROGRESSION, FOLLOWED = "clock", "progression", "followed"
"""Kinds of marks beside those of events and of death."""
_DAYS_A_WEEK = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """From when a category stands, in weeks, and until when it stands: the next visit, the last visit itself."""

    week: float
    until: float
    category: Category


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Something that happened at a week."""

    week: float
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One patient, in weeks since baseline. begin: from where times run; end: the last news. therapies: from, to."""

    patient_id: str
    begin: float
    end: float
    visits: tuple[Stretch, ...]
    therapies: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkStyle:
    """How a mark is drawn. above: over the bar, not on it. is_line: it has no area. after_pt: to the right."""

    marker: str
    size: float = 6.0
    above: bool = True
    is_line: bool = False
    after_pt: float = 0.0


_STYLES: Mapping[str, MarkStyle] = {
    CLOCK: MarkStyle(marker="|", size=11.0, above=False, is_line=True),
    PROGRESSION: MarkStyle(marker="v"),
    DEATH: MarkStyle(marker="X", size=8.0, above=False, after_pt=10.0),
    FOLLOWED: MarkStyle(marker=">", above=False, after_pt=12.0),
    EventKind.RADIOTHERAPY: MarkStyle(marker="^"),
    EventKind.SURGERY: MarkStyle(marker="s", size=5.0),
    EventKind.CEMENTATION: MarkStyle(marker="p"),
    EventKind.ABLATION: MarkStyle(marker="*", size=7.5),
    EventKind.FRACTURE: MarkStyle(marker="P"),
    EventKind.CORD_COMPRESSION: MarkStyle(marker="h"),
    EventKind.HYPERCALCAEMIA: MarkStyle(marker="d"),
}
_OTHER = MarkStyle(marker="o", size=5.0)
_KEYS = {CLOCK: "figure.clock", PROGRESSION: "word.progression", DEATH: "word.death", FOLLOWED: "figure.censored"}


def mark_style(kind: str) -> MarkStyle:
    """How a kind of mark is drawn; any other event is a dot."""
    return _STYLES.get(kind, _OTHER)


def mark_words(kind: str, style: FigureStyle) -> str:
    """A kind of mark in words; an event that we have no word for as it is written."""
    return style.say(_KEYS[kind]) if kind in _KEYS else style.word("event", kind)


def in_order(kinds: Collection[str]) -> list[str]:
    """As the legend lists them: ours, then known events, then others by their names."""
    known = [kind for kind in _STYLES if kind in kinds]
    return known + sorted(kind for kind in kinds if kind not in _STYLES)


def lanes(cohort: CohortSeries, events: Mapping[str, Sequence[Event]]) -> list[Lane]:
    """The patients, the one followed longest first."""
    found = [
        _lane(cohort.patients[patient_id], visits, events.get(patient_id, ()))
        for patient_id, visits in cohort.visits.items()
    ]
    return sorted(found, key=lambda lane: (-lane.end, lane.patient_id))


def _lane(patient: PatientRow, rows: Sequence[VisitRow], events: Sequence[Event]) -> Lane:
    baseline = rows[0].date
    weeks = [_weeks(baseline, row.date) for row in rows]
    begin = _weeks(baseline, patient.start or baseline)
    happened = [(_weeks(baseline, event.date), str(event.kind)) for event in events]
    known = [week for week, _ in happened]
    end = max(weeks[-1], begin + (patient.time_on_study_days or 0) / _DAYS_A_WEEK, *known)
    return Lane(
        patient_id=patient.patient_id,
        begin=begin,
        end=end,
        visits=tuple(
            Stretch(week=week, until=until, category=row.category)
            for row, week, until in zip(rows, weeks, [*weeks[1:], weeks[-1]], strict=True)
        ),
        therapies=_therapies(happened, begin, end),
        marks=(*_own_marks(patient, baseline, begin, end, dead=_dead(happened)), *_events(happened)),
    )


def _dead(happened: Sequence[tuple[float, str]]) -> float | None:
    """The week of death where it is known, be it before or after progression."""
    return min((week for week, kind in happened if kind == DEATH), default=None)


def _own_marks(patient: PatientRow, baseline: dt.date, begin: float, end: float, *, dead: float | None) -> list[Mark]:
    """What the tables say of a patient themselves. dead: the week of death; the tables alone know one without it."""
    found = [Mark(week=begin, kind=CLOCK)] if begin else []
    if patient.progression is not None:
        found.append(Mark(week=_weeks(baseline, patient.progression), kind=PROGRESSION))
    if dead is None and patient.event == DEATH:
        dead = begin + (patient.progression_free_days or 0) / _DAYS_A_WEEK
    if dead is not None:
        found.append(Mark(week=dead, kind=DEATH))
    elif patient.censored:
        found.append(Mark(week=end, kind=FOLLOWED))
    return found


def _weeks(baseline: dt.date, date: dt.date) -> float:
    return (date - baseline).days / _DAYS_A_WEEK


def _events(happened: Sequence[tuple[float, str]]) -> list[Mark]:
    """Every event but those that begin or end a therapy, and the death, which has its own mark."""
    return [Mark(week=week, kind=kind) for week, kind in happened if kind not in {*_THERAPY, DEATH}]


def _therapies(happened: Sequence[tuple[float, str]], begin: float, end: float) -> tuple[tuple[float, float], ...]:
    """From each start to the stop after it, or to the last news; a stop without a start ends what `begin` began.

    On one day the stop comes first: the therapy was changed.
    """
    found: list[tuple[float, float]] = []
    since: float | None = None
    told = [event for event in happened if event[1] in _THERAPY]
    for week, kind in sorted(told, key=lambda event: (event[0], event[1] != EventKind.THERAPY_STOP)):
        if kind == EventKind.THERAPY_STOP:
            if since is not None or not found:
                found.append((begin if since is None else since, week))
            since = None
        elif since is None:
            since = week
    return (*found, (since, end)) if since is not None else tuple(found)


_THERAPY = (EventKind.THERAPY_START, EventKind.THERAPY_STOP)
