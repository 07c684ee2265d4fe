"""The start of treatment by events, and dates that cannot all be true."""

from __future__ import annotations

import pytest

from mdanderson.findings import Event, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.dates import with_treatment_start
from mdanderson.vocabulary import EventKind


def starts(paper, *days: int) -> tuple[Event, ...]:
    return tuple(Event(date=paper.day(day), kind=EventKind.THERAPY_START) for day in days)


@pytest.mark.parametrize(
    ("given", "days", "start"),
    [
        (None, (40, 7), 40),  # both before the first follow-up: the line of therapy that is followed is the last
        (None, (-400, 7), 7),  # an earlier line
        (None, (7, 90), 90),  # on the day of the first follow-up
        (None, (7, 91), 7),
        (None, (100, 120), 100),  # begun after it
        (3, (7, 40), 3),
        (None, (), None),
    ],
)
def test_the_start_of_the_therapy_that_is_followed(paper, given, days, start):
    facts = PatientFacts(
        patient_id="P", treatment_start=None if given is None else paper.day(given), events=starts(paper, *days)
    )
    exams = [paper.day(0), paper.day(3), paper.day(90), paper.day(180)]
    found = with_treatment_start(facts, exams, window_days=14).treatment_start
    assert found == (None if start is None else paper.day(start))


def test_with_a_lone_baseline_the_last_start_counts(paper):
    facts = PatientFacts(patient_id="P", events=starts(paper, -30, 7))
    assert with_treatment_start(facts, [paper.day(0)], window_days=14).treatment_start == paper.day(7)


def test_another_event_starts_nothing(paper):
    facts = PatientFacts(patient_id="P", events=(Event(date=paper.day(5), kind=EventKind.THERAPY_STOP),))
    assert with_treatment_start(facts, [paper.day(0)], window_days=14) == facts


def test_the_start_by_events_begins_time_and_later_ones_are_another_therapy(paper):
    facts = PatientFacts(patient_id="P", events=starts(paper, 100, 10))
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10"), paper.exam(180, L1="40x20")]
    told = build_timeline(facts, exams, settings=Settings())
    assert told.patient.treatment_start == paper.day(10)
    assert [told.response(index).new_therapy for index in range(3)] == [False, False, True]
    assert told.progression_free_days == 170


def told(paper, *days, **facts):
    exams = [paper.exam(day, L1="20x10") for day in days]
    patient = PatientFacts(patient_id="P", **{name: paper.day(day) for name, day in facts.items()})
    problems = build_timeline(patient, exams, settings=Settings()).problems
    return [str(problem) for problem in problems if "patients.csv" in problem.where]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"death_date": -1},
            "death on 2023-12-31 is before the baseline of 2024-01-01 @ P patients.csv column death_date",
        ),
        ({"death_date": 0}, "death on 2024-01-01 is before the visit of 2024-03-31 @ P patients.csv column death_date"),
        ({"death_date": 89}, "death on 2024-03-30 is before the visit of 2024-03-31"),
        ({"death_date": 90}, "death on 2024-03-31 is before the visit of 2024-06-29"),
        (
            {"treatment_start": 181},
            "treatment started on 2024-06-30, after the last visit of 2024-06-29 @ P patients.csv",
        ),
        (
            {"last_contact": 179},
            "last contact on 2024-06-28 is before the last visit of 2024-06-29 @ P patients.csv column last_contact",
        ),
    ],
)
def test_dates_that_cannot_be(paper, facts, line):
    (one,) = told(paper, 0, 90, 180, **facts)
    assert one.startswith(f"warning: {line}")
    assert one.endswith("; correct the date, or that of the visit")


@pytest.mark.parametrize("facts", [{"death_date": 180}, {"treatment_start": 180}, {"last_contact": 180}, {}])
def test_dates_at_the_last_visit_are_possible(paper, facts):
    assert told(paper, 0, 90, 180, **facts) == []


def test_treatment_may_begin_after_a_lone_baseline(paper):
    assert told(paper, 0, treatment_start=10) == []
