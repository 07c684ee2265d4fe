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
