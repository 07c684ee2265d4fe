"""Local treatment marks the lesions of its site, from its day on; a new therapy marks the visits after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mdanderson.findings import Event, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.treatment import mark_treated, new_therapy_date
from mdanderson.vocabulary import EventKind


def at(exam, **sites):
    """The examination with a site for each lesion; `site|laterality`."""
    told = (
        replace(f, site=sites[f.lesion_id].split("|")[0], laterality="".join(sites[f.lesion_id].split("|")[1:]))
        if f.lesion_id in sites
        else f
        for f in exam.lesions
    )
    return replace(exam, lesions=tuple(told))


@pytest.fixture
def treated(paper):
    """Which lesions of a later examination are marked by one event: `treated("L3", L1="L3 body", L2="T5")`."""

    def treated(site: str, kind: str = "radiotherapy", on: int = 10, **sites: str):
        exam = at(paper.exam(90, **dict.fromkeys(sites, "20x10")), **sites)
        event = Event(date=paper.day(on), kind=EventKind(kind), site=site)
        (marked,), problems = mark_treated([exam], [event])
        return "".join(f.lesion_id for f in marked.lesions if f.treated), [str(problem) for problem in problems]

    return treated


@pytest.mark.parametrize(
    ("event", "lesion", "marks"),
    [
        ("L3", "L3 vertebral body", True),
        ("l3", "L3", True),
        ("L3 vertebra", "L3", True),
        ("L3", "L31", False),
        ("L3", "L2", False),
        ("L2-L4", "L3 body", True),
        ("T12-L1", "L2", False),
        ("T5; left femur", "left femur shaft", True),
        ("femur left", "Left Femur", True),
        ("left femur", "femur|left", True),
        ("left femur", "right femur", False),
        ("left femur", "femur", False),
        ("femur", "left femur", True),
        ("lumbar spine", "L3", False),
        (";", "L3", False),
    ],
)
def test_sites_are_compared_by_words_and_levels(treated, event, lesion, marks):
    assert treated(event, L1=lesion)[0] == ("L1" if marks else "")


@pytest.mark.parametrize("kind", list(EventKind))
def test_which_events_are_local(treated, kind):
    local = {"radiotherapy", "surgery", "cementation", "ablation", "fracture"}
    assert treated("L3", kind=kind, L1="L3")[0] == ("L1" if kind in local else "")


@pytest.mark.parametrize(("on", "marks"), [(89, "L1"), (90, "L1"), (91, "")])
def test_from_its_day_on(treated, on, marks):
    assert treated("L3", on=on, L1="L3")[0] == marks


def test_only_lesions_of_the_site(treated):
    assert treated("L3;T5", L1="L3", L2="T5 pedicle", L3="sacrum") == ("L1L2", [])


def test_the_site_may_be_named_in_another_finding(paper):
    exams = [at(paper.exam(0, L1="20x10"), L1="L3"), paper.exam(90, L1="20x10")]
    event = Event(date=paper.day(10), kind=EventKind.SURGERY, site="L3")
    first, later = mark_treated(exams, [event])[0]
    assert (first.lesions[0].treated, later.lesions[0].treated) == (False, True)


def test_what_a_finding_says_itself_stays(paper):
    exam = at(paper.exam(0, L1="20x10 treated"), L1="T5")
    event = Event(date=paper.day(10), kind=EventKind.SURGERY, site="L3")
    assert mark_treated([exam], [event])[0][0].lesions[0].treated


def test_an_event_without_a_site_marks_nothing(treated):
    marked, (line,) = treated("", L1="L3")
    assert marked == ""
    assert line == (
        "warning: the event names no site: no lesion is marked as treated @ radiotherapy of 2024-01-11; "
        "name the site in events.csv"
    )


def test_an_event_that_meets_no_lesion_is_told(treated):
    marked, (line,) = treated("sternum", L1="L3")
    assert marked == ""
    assert line.startswith("info: no lesion is at sternum: none is marked as treated @ radiotherapy of 2024-01-11")


def test_lesions_without_a_site_are_told(treated):
    marked, (line,) = treated("L3", L1="L3", L2="", L3="")
    assert marked == "L1"
    assert line.startswith("info: no site is known: local treatment cannot be told @ lesion L2, L3")


def test_no_local_event_needs_no_site(paper):
    exams = [paper.exam(0, L1="20x10")]
    assert mark_treated(exams, [Event(date=paper.day(1), kind="dentist")]) == (tuple(exams), ())


def test_a_treated_lesion_is_left_out_of_the_sum(paper):
    """L1 shrinks after its irradiation, L2 does not: without L1 the disease is stable (detail 34)."""
    exams = [at(paper.exam(day, L1=size, L2="20x10"), L1="L3", L2="T5") for day, size in ((0, "60x40"), (90, "6x4"))]
    event = Event(date=paper.day(20), kind=EventKind.RADIOTHERAPY, site="L3")
    for events, category in (((), "PR"), ((event,), "SD")):
        facts = PatientFacts(patient_id="P", events=events)
        told = build_timeline(facts, exams, settings=Settings())
        assert told.response().category == category
    assert [row.treated for row in told.lesions] == [False, False, True, False]


# Another therapy


@pytest.mark.parametrize(
    ("start", "events", "date"),
    [
        (None, [10], 10),
        (None, [0], None),
        (None, [-5, 30, 20], 20),
        (5, [5], None),
        (5, [4], None),
        (5, [6], 6),
    ],
)
def test_when_another_therapy_began(paper, start, events, date):
    facts = PatientFacts(
        patient_id="P",
        treatment_start=None if start is None else paper.day(start),
        events=tuple(Event(date=paper.day(day), kind=EventKind.THERAPY_START) for day in events),
    )
    assert new_therapy_date(facts, paper.day(0)) == (None if date is None else paper.day(date))


@pytest.mark.parametrize(("on", "marked"), [(89, [False, True, True]), (90, [False, False, True])])
def test_visits_after_it_are_marked(paper, on, marked):
    event = Event(date=paper.day(on), kind=EventKind.THERAPY_START)
    facts = PatientFacts(patient_id="P", treatment_start=paper.day(0), events=(event,))
    exams = [paper.exam(day, L1="20x10") for day in (0, 90, 180)]
    told = build_timeline(facts, exams, settings=Settings(), criteria=("mda2010", "who"))
    for criteria in ("mda2010", "who"):
        for scope in ("overall", "CT"):
            assert [told.response(i, scope, criteria).new_therapy for i in range(3)] == marked


def test_another_kind_of_event_is_no_new_therapy(paper):
    facts = PatientFacts(patient_id="P", events=(Event(date=paper.day(10), kind=EventKind.THERAPY_STOP),))
    assert new_therapy_date(facts, paper.day(0)) is None


@pytest.mark.parametrize(
    ("later", "category", "told"),
    [
        ({"L1": "9x8"}, "PR", "PR3"),
        ({"L1": "19x15"}, "SD", "SD2"),
        ({"L1": "resolved"}, "PR", "CR is barred: lesion L2, treated locally, is not assessed"),
        ({"L1": "resolved", "L2": "not_evaluable"}, "PR", "CR is barred: lesion L2, treated locally, is not assessed"),
        ({"L1": "resolved", "L2": "resolved"}, "CR", "complete response of the only lesion"),
        ({"L1": "30x25"}, "PD", "PD1"),
    ],
)
def test_a_treated_lesion_without_a_row_makes_nothing_unevaluable(paper, later, category, told):
    first = at(paper.exam(0, L1="20x15", L2="20x15"), L1="T5", L2="L3")
    patient = PatientFacts(
        patient_id="P01",
        treatment_start=paper.day(-365),
        events=(Event(date=paper.day(60), kind=EventKind.RADIOTHERAPY, site="L3"),),
    )
    exams = [first, paper.exam(150, **later)]
    row = build_timeline(patient, exams, settings=Settings()).response(1, "CT")
    assert row.category == category
    assert told in row.reason
    included = Settings.from_mapping({"policy": {"treated_lesions": "include"}})
    if "L2" not in later and category != "PD":
        assert build_timeline(patient, exams, settings=included).response(1, "CT").category == "NE"


def test_a_treated_lesion_that_was_gone_bars_nothing_where_it_has_no_row(paper):
    first = at(paper.exam(0, L1="20x15", L2="20x15"), L1="T5", L2="L3")
    event = Event(date=paper.day(60), kind=EventKind.RADIOTHERAPY, site="L3")
    patient = PatientFacts(patient_id="P01", treatment_start=paper.day(-365), events=(event,))
    exams = [first, paper.exam(90, L1="20x15", L2="resolved"), paper.exam(180, L1="resolved")]
    assert build_timeline(patient, exams, settings=Settings()).response(2, "CT").category == "CR"


def test_before_its_treatment_a_lesion_without_a_row_is_missed(paper):
    first = at(paper.exam(0, L1="20x15", L2="20x15"), L1="T5", L2="L3")
    event = Event(date=paper.day(91), kind=EventKind.RADIOTHERAPY, site="L3")
    patient = PatientFacts(patient_id="P01", treatment_start=paper.day(-365), events=(event,))
    timeline = build_timeline(patient, [first, paper.exam(90, L1="9x8")], settings=Settings())
    assert timeline.response(1, "CT").category == "NE"
