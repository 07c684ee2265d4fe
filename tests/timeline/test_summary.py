"""A course in a few words: best response and its confirmation, dates, duration, where time without event ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from mdanderson.criteria import Response, criteria_set
from mdanderson.errors import Severity
from mdanderson.findings import Event, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline.summary import lost_responses, summarise
from mdanderson.vocabulary import Category, EventKind

DAY_0 = dt.date(2024, 1, 1)


def day(number):
    return DAY_0 + dt.timedelta(days=number)


def rows(*said):
    """Overall rows from (day, word): a word with `?` is unconfirmed."""
    return [
        Response(
            patient_id="P01",
            visit=f"visit {index + 1}",
            date=day(number),
            weeks=number / 7,
            criteria="any",
            scope="overall",
            category=Category(word.rstrip("?")),
            unconfirmed=word.endswith("?"),
        )
        for index, (number, word) in enumerate(said)
    ]


def summary(*said, criteria="mda2010", patient=None, **policy):
    settings = Settings.from_mapping({"policy": policy})
    return summarise(criteria_set(criteria), rows(*said), patient or PatientFacts(patient_id="P01"), settings)


@pytest.mark.parametrize(
    ("said", "best", "progressed"),
    [
        ([(0, "BL")], "NE", None),
        ([(0, "BL"), (60, "SD"), (120, "PR"), (180, "PD")], "PR", 180),
        ([(0, "BL"), (60, "PD"), (120, "CR")], "PD", 60),
        ([(0, "BL"), (60, "PD?"), (120, "CR")], "CR", None),
        ([(0, "BL"), (60, "NE"), (120, "SD")], "SD", None),
        ([(0, "BL"), (60, "NE")], "NE", None),
        ([(0, "BL"), (60, "Non-CR/Non-PD"), (120, "PD")], "Non-CR/Non-PD", 120),
        ([(0, "BL"), (60, "SMD"), (120, "PMR"), (180, "PMD")], "PMR", 180),
        ([(0, "BL"), (60, "Non-PD"), (120, "PDu?")], "Non-PD", None),
        # iRECIST: a progression that the next visit confirms is dated at its first sight
        ([(0, "BL"), (60, "iUPD"), (100, "iCPD")], "iCPD", 60),
        ([(0, "BL"), (60, "iSD"), (90, "iUPD"), (120, "NE"), (150, "iUPD"), (180, "iCPD")], "iSD", 90),
        ([(0, "BL"), (60, "iUPD?"), (100, "iPR"), (150, "iUPD?")], "iPR", None),
        ([(0, "BL"), (60, "iUPD?"), (100, "iSD"), (150, "iUPD"), (190, "iCPD")], "iSD", 150),
        ([(0, "BL"), (60, "iUPD?")], "iUPD", None),
        # a visit too early to decide is passed over
        ([(0, "BL"), (60, "iUPD"), (74, "iSD"), (100, "iCPD")], "iSD", 60),
    ],
)
def test_best_response_and_progression(said, best, progressed):
    found = summary(*said)
    assert found.best_response == best
    assert found.progression_date == (None if progressed is None else day(progressed))


@pytest.mark.parametrize(
    ("said", "best", "first"),
    [
        ([(0, "BL"), (60, "PR"), (87, "PR")], "SD", None),  # 27 days: one too few
        ([(0, "BL"), (60, "PR"), (88, "PR")], "PR", 60),
        ([(0, "BL"), (60, "PR"), (89, "PR")], "PR", 60),
        ([(0, "BL"), (60, "CR"), (120, "PR")], "PR", 60),
        ([(0, "BL"), (60, "CR"), (120, "CR")], "CR", 60),
        ([(0, "BL"), (60, "PR"), (120, "CR")], "PR", 60),
        ([(0, "BL"), (60, "PR"), (120, "PD")], "SD", None),
    ],
)
def test_who_counts_a_response_that_was_seen_again(said, best, first):
    found = summary(*said, criteria="who")
    assert found.best_response == best
    assert found.first_response_date == (None if first is None else day(first))
    assert summary(*said, criteria="mda2010", confirm_weeks=4).best_response == best
    assert summary(*said, criteria="mda2010").best_response in {"CR", "PR"}


@pytest.mark.parametrize(
    ("word", "partial", "stable"), [("iCR", "iPR", "iSD"), ("CMR", "PMR", "SMD"), ("CR", "PR", "SD")]
)
def test_what_was_not_confirmed_is_told_in_the_words_of_its_set(word, partial, stable):
    assert summary((0, "BL"), (60, word), confirm_weeks=4).best_response == stable
    assert summary((0, "BL"), (60, word), (120, partial), confirm_weeks=4).best_response == partial


def test_times_run_from_treatment_to_the_event():
    patient = PatientFacts(patient_id="P01", treatment_start=day(-10), last_contact=day(400))
    found = summary((0, "BL"), (60, "PR"), (120, "PR"), (180, "PD"), (240, "SD"), patient=patient)
    assert (found.progression_free_days, found.censored, found.event) == (190, False, "progression")
    assert (found.response_duration_days, found.time_on_study_days) == (120, 410)
    assert found.start_date == day(-10)
    dead = replace(patient, death_date=day(150))
    found = summary((0, "BL"), (60, "PR"), (120, "PR"), patient=dead)
    assert (found.progression_free_days, found.event, found.time_on_study_days) == (160, "death", 160)
    found = summary((0, "BL"), (60, "PR"), (120, "PR"), patient=dead, death="censor")
    assert (found.progression_free_days, found.censored, found.event) == (130, True, "")


def test_without_event_time_ends_at_the_last_evaluable_visit():
    found = summary((0, "BL"), (60, "SD"), (120, "NE"))
    assert (found.progression_free_days, found.censored, found.response_duration_days) == (60, True, None)
    assert (found.time_on_study_days, found.start_date) == (120, day(0))


@pytest.mark.parametrize(("stopped", "days", "event"), [(179, 120, ""), (180, 180, "progression"), (100, 60, "")])
def test_what_comes_after_the_end_of_therapy_may_be_left_out(stopped, days, event):
    events = (Event(date=day(stopped), kind=EventKind.THERAPY_STOP), Event(date=day(10), kind=EventKind.FRACTURE))
    patient = PatientFacts(patient_id="P01", events=events)
    said = ((0, "BL"), (60, "PR"), (120, "SD"), (180, "PD"))
    found = summary(*said, patient=patient, censor_at="therapy_stop")
    assert (found.progression_free_days, found.event) == (days, event)
    assert summary(*said, patient=patient).progression_free_days == 180


def test_a_new_therapy_may_end_the_time():
    events = (Event(date=day(0), kind=EventKind.THERAPY_START), Event(date=day(90), kind=EventKind.THERAPY_START))
    patient = PatientFacts(patient_id="P01", treatment_start=day(0), events=events)
    found = summary((0, "BL"), (60, "PR"), (120, "PD"), patient=patient, censor_at="new_therapy")
    assert (found.progression_free_days, found.censored) == (60, True)


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        ("BL CR PR", ["visit 3"]),
        ("BL CR SD SD", ["visit 3"]),
        ("BL CR NE SD", ["visit 4"]),
        ("BL CR PD SD", []),
        ("BL PR SD CR", []),
        ("BL CMR SMD", ["visit 3"]),
    ],
)
def test_a_complete_response_that_is_lost_without_progression_is_told(said, warned):
    course = rows(*((60 * index, word) for index, word in enumerate(said.split())))
    found = list(lost_responses(criteria_set("mda2010"), course))
    assert [problem.visit for problem in found] == warned
    assert all(problem.severity is Severity.WARNING for problem in found)


def test_the_warning_stands_among_the_problems_of_a_patient(paper):
    timeline = paper.follow({"L1": "20x10"}, {"L1": "resolved"}, {"L1": "9x5"})
    assert timeline.response(1).category is Category.CR
    assert any("is followed by" in problem.what for problem in timeline.problems)
