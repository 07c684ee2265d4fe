"""Several readers of one patient: whose word counts does not depend on the order of rows, and is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from mdanderson.findings import PatientFacts, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.reading import about_readers, counting, of_one_reader
from mdanderson.vocabulary import Modality


def by(exam, *readers):
    """The examination's findings, each by a reader."""
    return replace(exam, lesions=tuple(replace(f, reader=name) for f, name in zip(exam.lesions, readers, strict=True)))


@pytest.fixture
def say(paper):
    def say(lesion_id: str, reader: str, *codes: str, time: str = "", on: int = 90) -> Statement:
        return Statement(
            date=paper.day(on), modality=Modality.CT, lesion_id=lesion_id, reader=reader, time=time, codes={*codes}
        )

    return say


def told(exams, *statements, reader=""):
    settings = Settings.from_mapping({"policy": {"reader": reader}})
    return [str(problem) for problem in about_readers(exams, statements, settings)]


def test_one_reader_speaks_for_the_whole_examination(paper):
    exam = by(paper.exam(0, L1=("20x10", "40x20"), L2="9x9", L3="8x8"), "ann", "bob", "bob", "")
    for findings in permutations(exam.lesions):
        (read,) = of_one_reader([replace(exam, lesions=findings)], "")
        assert {(one.lesion_id, one.reader) for one in read.lesions} == {("L1", "ann"), ("L3", "")}


def test_of_statements_without_time_those_of_the_first_by_name_count(say):
    given = [say("L1", "bob", "PD1"), say("L1", "ann", "SD2"), say("L2", "bob", "PD1"), say("L2", "", "SD2")]
    for order in permutations(given):
        counted = counting(order, Settings())
        assert {(one.lesion_id, one.reader) for one in counted} == {("L1", "ann"), ("L2", "")}


def test_a_later_time_counts_for_its_lesion_and_leaves_the_others(say):
    given = [say("L1", "ann", "SD2"), say("L2", "ann", "SD2"), say("L1", "bob", "PD1", time="2024-02-01T00:00")]
    for order in permutations(given):
        counted = counting(order, Settings())
        assert (len(counted), counted[-1].reader) == (3, "bob")


def test_what_is_settled_comes_last_whenever_it_was_and_is_no_readers_own(say):
    settled = replace(say("L1", "cid", "PR1", time="2024-02-01T00:00"), adjudicates=True)
    later = replace(say("L1", "dan", "PR1", time="2024-02-02T00:00"), adjudicates=True)
    given = [say("L1", "ann", "SD2", time="2024-03-01T00:00"), settled, say("L1", "bob", "PD1"), later]
    for order in permutations(given):
        assert [one.reader for one in counting(order, Settings())] == ["bob", "ann", "cid", "dan"]
        chosen = Settings.from_mapping({"policy": {"reader": "cid"}})
        assert counting(order, chosen) == []


def test_an_adjudicator_beside_a_reader_is_no_tie(say, paper):
    settled = replace(say("L1", "ann", "PR1"), adjudicates=True)
    assert told([], say("L1", "bob", "PD1"), settled) == []
    assert [one.reader for one in counting([settled, say("L1", "bob", "PD1")], Settings())] == ["bob", "ann"]


def test_of_equal_times_the_first_by_name_decides(say):
    given = [say("L1", name, "SD2", time="2024-02-01T00:00") for name in ("cid", "bob", "", "ann")]
    for order in permutations(given):
        assert counting(order, Settings())[-1].reader == "ann"


def test_a_tie_is_told_once_a_patient(paper, say):
    exams = [by(paper.exam(day, L1=("20x10", "40x20")), "bob", "ann") for day in (0, 90)]
    expected = (
        "warning: read by ann, bob without times: ann's statements count; "
        "set [policy] reader, or give the statements a time"
    )
    assert told(exams) == [expected]
    assert told([paper.exam(0, L1="20x10")], say("L1", "ann"), say("L2", "bob")) == [expected]
    assert told(exams, reader="ann") == []
    timeline = build_timeline(PatientFacts(patient_id="P"), exams, settings=Settings())
    assert [problem.what for problem in timeline.problems] == ["read by ann, bob without times: ann's statements count"]


def test_no_tie_where_times_or_days_tell_the_readers_apart(paper, say):
    exams = [by(paper.exam(0, L1="20x10"), "ann"), by(paper.exam(90, L1="20x10"), "bob")]
    assert told(exams) == []
    assert told([], say("L1", "ann", time="2024-01"), say("L1", "bob", time="2024-02")) == []
    assert told([], say("L1", "ann", on=0), say("L1", "bob")) == []
    assert told([], say("L1", "ann"), say("L1", "")) == []


def test_winners_of_several_examinations_are_named(paper):
    exams = [by(paper.exam(0, L1=("20x10", "9x9")), "ann", "bob"), by(paper.exam(90, L1=("9x9", "9x8")), "bob", "cid")]
    assert told(exams)[0].startswith("warning: read by ann, bob, cid without times: ann's and bob's statements count; ")


def test_a_reader_who_read_nothing_is_told_with_those_who_did(paper, say):
    exams = [by(paper.exam(0, L1="20x10"), "ann")]
    assert told(exams, say("L1", "bob"), reader="eve") == [
        (
            "error: reader eve has read nothing of this patient @ settings [policy] reader; "
            "the readers are ann, bob: name one of them, or leave the setting blank"
        )
    ]
    assert told(exams, reader="ann") == []
    assert told([paper.exam(0, L1="20x10")], reader="eve") == []  # without a name: common to all
