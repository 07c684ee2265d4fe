"""What a statement of reads.csv leaves open that cannot be used, and one that names no lesion (decisions/0013)."""

from __future__ import annotations

import datetime as dt

import pytest

from mdanderson.findings import PatientFacts, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.vocabulary import Modality

FAULT = "neither true nor false: perhaps"


@pytest.fixture
def say(paper):
    """A statement on a day; without a lesion where none is named."""

    def say(on, lesion_id="", *codes, modality="CT", **said):
        date = dt.date.min if on is None else paper.day(on)
        return Statement(
            date=date, modality=Modality(modality), lesion_id=lesion_id, codes=frozenset(codes), **({"row": 2} | said)
        )

    return say


def judged(exams, *statements, criteria=("mda2010",), treatment=None, **policy):
    settings = Settings.from_mapping({"policy": policy})
    facts = PatientFacts(patient_id="P", treatment_start=treatment)
    return build_timeline(facts, exams, settings=settings, statements=statements, criteria=criteria)


def said(timeline, scope="overall", criteria="mda2010"):
    rows = [row for row in timeline.responses if (row.scope, row.criteria) == (scope, criteria)]
    return " ".join(f"{row.category}{'?' * row.unconfirmed}" for row in rows)


@pytest.fixture
def stable(paper):
    return [paper.exam(day, L1="20x15 lytic", L2="20x15") for day in (0, 150, 300)]


# What is left open


@pytest.mark.parametrize(
    ("on", "lesion_id", "more", "expected"),
    [
        (150, "L1", {"fault": FAULT}, "BL NE SD"),
        (150, "L9", {"fault": FAULT}, "BL NE SD"),
        (150, "", {"fault": FAULT}, "BL NE SD"),
        (155, "L1", {"fault": FAULT}, "BL NE SD"),
        (None, "L1", {"fault": FAULT}, "BL NE NE"),
        (220, "L1", {"fault": FAULT}, "BL NE NE"),
        (150, "L1", {"fault": FAULT, "of_any_modality": True, "modality": "MR"}, "BL NE SD"),
        (150, "L1", {"fault": FAULT, "modality": "MR"}, "BL SD SD"),
        (0, "L1", {"fault": FAULT}, "NE NE NE"),
        (150, "L1", {"codes": ("PR9",)}, "BL NE SD"),
        (0, "L1", {"codes": ("PR9",)}, "BL SD SD"),
        (0, "L1", {"codes": ("PR9",), "measurable": False}, "NE NE NE"),
        (150, "L9", {"codes": ("PR1",)}, "BL NE SD"),
        (150, "L9", {"comment": "seen"}, "BL SD SD"),
        (150, "L9", {"new": False}, "BL NE SD"),
        (220, "L1", {"codes": ("PR1",)}, "BL NE NE"),
        (220, "L1", {"comment": "seen"}, "BL SD SD"),
    ],
)
def test_what_it_could_decide(stable, say, on, lesion_id, more, expected):
    codes = more.pop("codes", ()) if "codes" in more else ()
    assert said(judged(stable, say(on, lesion_id, *codes, **more)), "CT") == expected


def test_the_reason_names_the_row_and_what_was_measured_is_kept(stable, say):
    row = judged(stable, say(150, "L1", fault=FAULT, row=7)).response(1)
    assert f"a reader's statement on it cannot be used: {FAULT} @ reads.csv row 7" in row.reason
    assert (row.category, row.category_measured) == ("NE", "SD")


def test_progression_that_it_cannot_touch_stands(paper, stable, say):
    exams = [stable[0], paper.exam(150, L1="20x15", L2="60x40")]
    assert said(judged(exams, say(150, "L1", fault=FAULT))) == "BL PD"
    assert said(judged(exams, say(150, "L2", fault=FAULT))) == "BL NE"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"row": 2}, {"row": 3}, "PR"),
        ({"row": 3}, {"row": 2}, "NE"),
        ({"row": 3, "time": "2024-06-01"}, {"row": 2, "time": "2024-06-02"}, "PR"),
        ({"row": 2, "reader": "A"}, {"row": 3, "reader": "A"}, "PR"),
        ({"row": 2, "reader": "A"}, {"row": 3}, "NE"),
    ],
)
def test_what_the_reader_states_anew_settles_it(stable, say, first, second, expected):
    exams = stable[:2]
    timeline = judged(exams, say(150, "L1", fault=FAULT, **first), say(150, "L1", "PR1", **second))
    assert said(timeline) == f"BL {expected}"


def test_statements_of_a_reader_who_does_not_count_leave_nothing_open(stable, say):
    assert said(judged(stable, say(150, "L1", fault=FAULT, reader="B"), reader="A"), "CT") == "BL SD SD"


def test_of_a_lesion_that_begins_there_nobody_can_say_whether_it_is_new(paper, stable, say):
    exams = [
        stable[0],
        *(paper.exam(day, L1="20x15", L2="20x15", N1=words) for day, words in ((150, "new 12x10"), (300, "12x10"))),
    ]
    assert said(judged(exams)) == "BL PD PD"
    assert said(judged(exams, say(150, "N1", fault=FAULT))) == "BL NE NE"


def test_what_is_new_where_nothing_is_evaluable_is_new_where_it_is_next_seen(paper, stable, say):
    exams = [
        stable[0],
        *(paper.exam(day, L1="20x15", L2="20x15", N1=words) for day, words in ((150, "new 12x10"), (300, "12x10"))),
    ]
    assert said(judged(exams, say(150, "L9", fault=FAULT))) == "BL NE PD"
    exams[1] = paper.exam(150, why="a row cannot be used", L1="20x15", L2="20x15", N1="new 12x10")
    assert said(judged(exams)) == "BL NE PD"


# A new metastasis of which no lesion is named


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004", "recist11", "who"])
def test_a_new_metastasis_without_a_name_is_progression(stable, say, criteria):
    timeline = judged(stable, say(150, "", "PD4"), criteria=(criteria,))
    row = timeline.response(1, criteria=criteria)
    assert (row.category, row.lesions_new) == ("PD", 1)
    assert not row.category_measured.is_progression
    assert timeline.progression_date == row.date


def test_it_is_that_of_the_lesion_that_is_new_there(paper, stable, say):
    exams = [stable[0], paper.exam(150, L1="20x15", L2="20x15", N1="new 12x10")]
    row = judged(exams, say(150, "", "PD4")).response(1)
    assert (row.category, row.lesions_new) == ("PD", 1)


def test_on_a_scan_it_waits_for_the_next_one(paper, say):
    exams = [*(paper.exam(day, L1="20x15") for day in (0, 150)), *(paper.exam(day, "NM", L1="u=3") for day in (0, 150))]
    assert said(judged(exams, say(150, "", "PD4", modality="NM"))) == "BL SD?"


def test_at_the_visit_that_settles_a_flare_it_says_that_it_was_none(paper, say):
    new = "blastic 10x8"
    exams = [
        paper.exam(0, L1="20x15"),
        paper.exam(31, L1="20x15", N1=f"new {new}"),
        paper.exam(100, L1="20x15", N1=new),
    ]
    assert said(judged(exams, treatment=paper.day(0))) == "BL SD SD"
    assert said(judged(exams, say(100, "", "PD4"), treatment=paper.day(0))) == "BL PD PD"
    assert said(judged(exams, say(31, "", "PD4"), treatment=paper.day(0))) == "BL SD SD"


@pytest.mark.parametrize(
    ("on", "modality", "told"),
    [
        (0, "CT", "CT has no baseline before"),
        (10, "CT", "nothing is new at the first CT"),
        (150, "MR", "MR has no baseline before"),
        (220, "CT", "no examination on that day, and no visit near it"),
    ],
)
def test_where_it_cannot_stand_it_is_told(stable, say, on, modality, told):
    timeline = judged(stable, say(on, "", "PD4", modality=modality))
    assert any(told in problem.what for problem in timeline.problems)
    assert said(timeline) == ("BL NE NE" if on == 220 else "BL SD SD")


def test_it_goes_on_as_the_lesion_that_was_new_before(paper, stable, say):
    exams = [stable[0]] + [
        paper.exam(day, L1="20x15", L2="20x15", N1=words) for day, words in ((150, "new 12x10"), (300, "12x10"))
    ]
    timeline = judged(exams, say(150, "", "PD4"), say(300, "", "PD4", row=3))
    assert [timeline.response(visit).lesions_new for visit in (1, 2)] == [1, 1]


@pytest.mark.parametrize(("at_fault", "expected"), [("A", "NE"), ("B", "PR")])
def test_of_readers_without_times_the_first_by_name_counts_though_at_fault(stable, say, at_fault, expected):
    other = "B" if at_fault == "A" else "A"
    statements = say(150, "L1", fault=FAULT, reader=at_fault), say(150, "L1", "PR1", reader=other, row=3)
    assert said(judged(stable[:2], *statements)) == f"BL {expected}"
