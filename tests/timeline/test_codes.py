"""Codes that no table has, and codes that contradict each other: told, and not used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mdanderson.findings import PatientFacts, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.codes import with_known_codes, without_faulty
from mdanderson.vocabulary import Basis, Modality

CODES = "CR1, CR2, CR3, CR4, PR1, PR2, PR3, PR4, PR5, PD1, PD2, PD3, PD4, SD1, SD2, SD3, SD4"


def statement(paper, *codes):
    return Statement(
        date=paper.day(90), modality=Modality.CT, lesion_id="L1", row=7, codes=frozenset(codes), comment="x"
    )


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004", "who", "recist11", "percist", "pcwg3"])
def test_an_unknown_code_is_told_whatever_is_asked(paper, criteria):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10 !PR9")]
    exams[1] = replace(exams[1], lesions=(replace(exams[1].lesions[0], place="sizes.csv row 3"),))
    timeline = build_timeline(PatientFacts(patient_id="P"), exams, settings=Settings(), criteria=[criteria])
    (line,) = (str(problem) for problem in timeline.problems if "PR9" in problem.what)
    assert line == (
        "error: no criteria have a row PR9: not used @ P sizes.csv row 3 column findings, CT of 2024-03-31, lesion L1; "
        f"the codes are {CODES}"
    )


def test_an_unknown_code_of_a_statement_names_its_row(paper):
    kept, (problem,) = without_faulty([statement(paper, "PR9", "PR1"), statement(paper, "PR1")])
    assert [one.codes for one in kept] == [{"PR1"}]
    assert str(problem) == (
        "error: no criteria have a row PR9: the statement is not used @ reads.csv row 7 column findings; "
        f"the codes are {CODES}"
    )


@pytest.mark.parametrize(
    "codes",
    ["CR1 PD1", "CR2 PD2", "CR1 PR1", "PR4 PD2", "PR4 SD3", "PR5 PD3", "SD1 PR1", "SD4 PD4", "CR3 PD4", "PR1 PR4 SD2"],
)
def test_codes_that_contradict_each_other(paper, codes):
    kept, (problem,) = without_faulty([statement(paper, *codes.split())])
    assert kept == ()
    assert " contradict each other: the statement is not used" in problem.what
    exam = paper.exam(90, L1=" ".join(f"!{code}" for code in codes.split()))
    (clean,), (problem,) = with_known_codes([exam])
    assert " contradict each other: not used" in problem.what
    assert clean.lesions[0].reader_codes == {"PR1"} if codes == "PR1 PR4 SD2" else not clean.lesions[0].reader_codes


@pytest.mark.parametrize("codes", ["PR1 PR4", "PR1 PD1", "CR2 CR3", "SD1 SD2", "PR1 PD4", "PR2 PD4", "R11-PD", ""])
def test_codes_that_go_together(paper, codes):
    given = statement(paper, *codes.split())
    assert without_faulty([given]) == ((given,), ())
    exam = paper.exam(90, L1=" ".join(f"!{code}" for code in codes.split()))
    assert with_known_codes([exam]) == ((exam,), ())


def test_a_finding_left_without_codes_is_measured(paper):
    (clean,), _ = with_known_codes([paper.exam(90, L1="20x10 !CR1 !PD1", L2="20x10 !CR1 !PR9")])
    one, other = clean.lesions
    assert (one.reader_codes, one.basis) == (frozenset(), Basis.MEASURED)
    assert (other.reader_codes, other.basis) == ({"CR1"}, Basis.READER)


def told(timeline):
    return [problem.what for problem in timeline.problems if problem.what.startswith("the reader's code")]


@pytest.mark.parametrize("words", ["followed 20x15", "followed"])
def test_what_was_there_before_is_no_new_metastasis_whatever_its_code(paper, words):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x15", "L2": f"{words} !PD4"})
    assert timeline.response(1, "CT").category == "SD"
    assert told(timeline) == [
        "the reader's code PD4 is not used: the lesion is not new: it is stated to have been there before"
    ]


def test_nor_is_what_the_baseline_shows(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x15 !PD4"})
    assert timeline.response(1).category == "SD"
    assert told(timeline) == ["the reader's code PD4 is not used: the lesion is not new: it was there at baseline"]


def test_a_code_of_flare_without_anything_to_explain_is_told(paper):
    timeline = paper.follow({"L1": "20x15 lytic"}, {"L1": "20x15 !PR2"})
    assert timeline.response(1).category == "SD"
    assert timeline.lesions[-1].category == "SD"
    assert told(timeline) == [
        "the reader's code PR2 is not used: nothing is a new or hotter lesion that flare could explain"
    ]


def test_nor_does_it_explain_other_progression(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "30x25 !PR2", "L2": "new 9x8 blastic"})
    assert timeline.response(1).category == "PD"
    assert len(told(timeline)) == 1


def test_a_code_of_flare_stated_of_an_old_lesion_is_of_all_of_them(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x15 !PR2", "L2": "new 9x8 blastic"})
    assert (timeline.response(1).category, timeline.response(1).flare, told(timeline)) == ("PR", True, [])
