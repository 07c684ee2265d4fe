"""Codes that no table has, and codes that contradict each other: told, and not used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mdanderson.findings import PatientFacts, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.codes import faults_marked, with_known_codes
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
    kept, (problem,) = faults_marked([statement(paper, "PR9", "PR1"), statement(paper, "PR1")])
    assert [(one.codes, one.fault) for one in kept] == [
        ({"PR9", "PR1"}, "no criteria have a row PR9"),
        ({"PR1"}, ""),
    ]
    assert str(problem) == (
        "error: no criteria have a row PR9: the statement is not used @ reads.csv row 7 column findings; "
        f"the codes are {CODES}"
    )


@pytest.mark.parametrize(
    "codes",
    ["CR1 PD1", "CR2 PD2", "CR1 PR1", "PR4 PD2", "PR4 SD3", "PR5 PD3", "SD1 PR1", "SD4 PD4", "PR1 PR4 SD2"],
)
def test_codes_that_contradict_each_other(paper, codes):
    (marked,), (problem,) = faults_marked([statement(paper, *codes.split())])
    assert " contradict each other" in marked.fault
    assert " contradict each other: the statement is not used" in problem.what
    exam = paper.exam(90, L1=" ".join(f"!{code}" for code in codes.split()))
    (clean,), (problem,) = with_known_codes([exam])
    assert " contradict each other: not used" in problem.what
    assert clean.lesions[0].reader_codes == {"PR1"} if codes == "PR1 PR4 SD2" else not clean.lesions[0].reader_codes


@pytest.mark.parametrize(
    "codes",
    [
        "PR1 PR4",
        "PR1 PD1",
        "CR2 CR3",
        "SD1 SD2",
        "PR1 PD4",
        "PR2 PD4",
        "CR3 PD4",
        "SD1 PD4",
        "CR4 PR5",
        "CR2 PR3",
        "R11-PD",
        "",
    ],
)
def test_codes_that_go_together(paper, codes):
    given = statement(paper, *codes.split())
    assert faults_marked([given]) == ((given,), ())
    exam = paper.exam(90, L1=" ".join(f"!{code}" for code in codes.split()))
    assert with_known_codes([exam]) == ((exam,), ())


def test_a_finding_left_without_codes_is_measured(paper):
    (clean,), _ = with_known_codes([paper.exam(90, L1="20x10 !CR1 !PD1", L2="20x10 !CR1 !PR9")])
    one, other = clean.lesions
    assert (one.reader_codes, one.basis) == (frozenset(), Basis.MEASURED)
    assert (other.reader_codes, other.basis) == ({"CR1"}, Basis.READER)


def told(timeline):
    return [problem.what for problem in timeline.problems if problem.what.startswith("the reader's code")]


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("followed 20x15", "it is stated to have been there before"),
        ("followed", "it is stated to have been there before"),
    ],
)
def test_a_new_metastasis_stated_on_the_row_of_a_lesion_that_was_there_is_another_one(paper, words, known):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "20x15", "L2": f"{words} !PD4"})
    assert timeline.response(1, "CT").category == "PD"
    assert on_known(timeline) == [
        f"PD4 stands on the row of a lesion that is not new ({known}): taken for another one, which is"
    ]


@pytest.mark.parametrize("words", ["20x15", "9x8", "0x0", "resolved", "20x15 !PR1", "20x15 !PD1"])
def test_so_it_is_on_the_row_of_a_baseline_lesion_whatever_became_of_that(paper, words):
    timeline = paper.follow({"L1": "20x15 lytic"}, {"L1": f"{words} !PD4"})
    assert timeline.response(1).category == "PD"
    assert "PD4" in timeline.response(1).rules
    assert len(on_known(timeline)) == 1


def on_known(timeline):
    return [problem.what for problem in timeline.problems if problem.what.startswith("PD4 stands on")]


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004"])
@pytest.mark.parametrize("row", ["L1", "N1"])
def test_a_new_metastasis_stated_at_the_visit_that_settles_a_flare_stands(paper, row, criteria):
    code = {name: " !PD4" if name == row else "" for name in ("L1", "N1")}
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15 !PR1", N1="new 8x6 blastic"),
        paper.exam(91, L1=f"20x15 !PR1{code['L1']}", N1=f"8x6{code['N1']}"),
        treatment=0,
        criteria=criteria,
    )
    assert timeline.response(2, "overall", criteria).category == "PD"


def test_nor_is_it_taken_for_flare_on_the_row_of_an_old_focus(paper):
    timeline = paper.timeline(
        paper.exam(0, "NM", L1="u=3"),
        paper.exam(45, "NM", L1="u=3 !PD4"),
        paper.exam(105, "NM", L1="u=3"),
        treatment=0,
    )
    assert not timeline.response(1, "NM").flare


def test_gone_beside_a_fall_by_half_is_no_contradiction(paper):
    timeline = paper.follow({"L1": "u=3"}, {"L1": "resolved !PR5"}, modality="NM")
    assert (timeline.response(1).category, timeline.lesions[-1].rules) == ("CR", ("CR4", "PR5"))


def test_new_false_beside_the_code_of_a_new_lesion_is_a_contradiction(paper):
    (marked,), (problem,) = faults_marked([replace(statement(paper, "PD4"), new=False)])
    assert marked.fault == "new=false, yet PD4 says that a lesion is new"
    assert "new=false, yet PD4 says that a lesion is new" in problem.what


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
