"""A reader's word over a measurement: which finding it is about, what it changes, and that both are kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mdanderson.errors import Severity
from mdanderson.findings import PatientFacts, Statement, Structure
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.reading import of_one_reader
from mdanderson.timeline.statements import with_statements
from mdanderson.vocabulary import Basis, Category, LesionType, Modality, Pain, Status


@pytest.fixture
def say(paper):
    """A statement on a day: `say(90, "L1", "PR4")`."""

    def say(on: int, lesion_id: str = "", *codes: str, modality: str = "CT", **said) -> Statement:
        said.setdefault("row", 2)
        return Statement(
            date=paper.day(on), modality=Modality(modality), lesion_id=lesion_id, codes=frozenset(codes), **said
        )

    return say


def laid(exams, *statements, **policy):
    return with_statements(exams, statements, Settings.from_mapping({"policy": policy}))


def only(exams, *statements, **policy):
    """The finding of the last examination, where nothing is wrong."""
    result, problems = laid(exams, *statements, **policy)
    assert problems == ()
    (finding,) = result[-1].lesions
    return finding


def judged(exams, *statements, policy=None, **facts):
    settings = Settings.from_mapping({"policy": policy or {}})
    facts.setdefault("treatment_start", None)
    return build_timeline(PatientFacts(patient_id="P", **facts), exams, settings=settings, statements=statements)


def lines(problems):
    return [str(problem) for problem in problems]


# What is replaced


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", True),
        ("node", False),
        ("lesion_type", LesionType.BLASTIC),
        ("soft_tissue_mm", Decimal(12)),
        ("site", "L3"),
        ("laterality", "left"),
        ("structure", Structure(pain=Pain.MILD)),
        ("comment", "hard to see"),
        ("reader", "AB"),
        ("measurable", False),
    ],
)
def test_what_is_stated_replaces_what_was_found(paper, say, field, value):
    exams = [paper.exam(0, L1="20x10 lytic measurable")]
    finding = only(exams, say(0, "L1", **{field: value}))
    assert getattr(finding, field) == value
    before = exams[0].lesions[0]
    assert finding.site_source == ("reader" if field == "site" else "")
    assert replace(finding, **{field: getattr(before, field)}, site_source="") == before


def test_what_is_not_stated_stays(paper, say):
    exams = [paper.exam(0, L1="20x10 lytic measurable")]
    finding = only(exams, say(0, "L1", "PR4"))
    assert (finding.lesion_type, finding.measurable, finding.long_axis_mm) == (LesionType.LYTIC, True, Decimal(20))
    assert (finding.reader_codes, finding.basis) == ({"PR4"}, Basis.READER)


def test_codes_replace_codes(paper, say):
    finding = only([paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10 !PR1")], say(90, "L1", "SD1"))
    assert finding.reader_codes == {"SD1"}


# Which finding


def test_a_lesion_by_its_label(paper, say):
    exam = paper.exam(0, L1="20x10", L2="30x10")
    exam = replace(
        exam, lesions=tuple(replace(f, label=label) for f, label in zip(exam.lesions, ["4;5", "6"], strict=True))
    )
    for label, lesion_id in (("4", "L1"), ("5", "L1"), ("6", "L2")):
        (result,), problems = laid([exam], say(0, label=label, comment="this one"))
        assert problems == ()
        assert [finding.lesion_id for finding in result.lesions if finding.comment] == [lesion_id]


def test_a_label_that_is_not_there(paper, say):
    result, problems = laid([paper.exam(0, L1="20x10")], say(0, label="9", comment="hard to see"))
    assert result == (paper.exam(0, L1="20x10"),)
    (line,) = lines(problems)
    assert line == (
        "error: no lesion has the label 9: the statement is not used @ reads.csv row 2, CT of 2024-01-01, label 9; "
        "name the lesion by its lesion_id"
    )


def test_a_label_of_two_lesions(paper, say):
    exam = paper.exam(0, L1="20x10", L2="30x10")
    exam = replace(exam, lesions=tuple(replace(finding, label="1") for finding in exam.lesions))
    _, problems = laid([exam], say(0, label="1", measurable=False))
    assert "label 1 names L1, L2: the statement is not used" in lines(problems)[0]


def test_label_and_identity_tie_a_finding_to_its_lesion(paper, say):
    first = paper.exam(0, L1="20x10")
    second = paper.exam(90, L2="new 30x10", L1="missing")
    second = replace(second, lesions=tuple(replace(f, label="5") if f.lesion_id == "L2" else f for f in second.lesions))
    finding = only([first, second], say(90, "L1", label="5"))
    assert (finding.lesion_id, finding.status, finding.long_axis_mm) == ("L1", Status.FOLLOWED, Decimal(30))


def test_a_name_that_no_lesion_has_names_it_at_every_visit(paper, say):
    exams = [paper.exam(0, L1="20x10", L2="20x10"), paper.exam(90, L1="merged 40x20 <L1;L2", L2="merged <L1;L2")]
    exams[0] = replace(exams[0], lesions=tuple(replace(f, label=f.lesion_id[1:]) for f in exams[0].lesions))
    result, problems = laid(exams, say(0, "hip", label="2"))
    assert problems == ()
    assert [[finding.lesion_id for finding in exam.lesions] for exam in result] == [["L1", "hip"]] * 2
    assert result[1].lesions[0].parents == ("L1", "hip")


def test_of_a_label_tied_to_one_lesion_after_the_other_the_last_tie_counts(paper, say):
    first = paper.exam(0, L1="20x10", L2="20x10")
    second = paper.exam(90, L3="new 30x10", L1="missing", L2="missing")
    second = replace(second, lesions=tuple(replace(f, label="5") if f.lesion_id == "L3" else f for f in second.lesions))
    ties = [say(90, name, label="5", time=f"2024-05-0{day}") for day, name in ((1, "L1"), (2, "L2"))]
    for given in (ties, ties[::-1]):
        result, problems = laid([first, second], *given)
        assert problems == ()
        found = {one.lesion_id: one.status for one in result[1].lesions if one.label == "5"}
        assert found == {"L2": Status.FOLLOWED}
        assert "L1" in {one.lesion_id for one in result[1].lesions}


def test_a_lesion_that_a_reader_began_can_be_withdrawn(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    begun = say(90, "N1", new=True, reader="ann", time="2024-05-01")
    assert [one.lesion_id for one in laid(exams, begun)[0][1].lesions] == ["L1", "N1"]
    withdrawn = say(90, "N1", reader="ann", comment="a vessel", time="2024-05-02")
    result, problems = laid(exams, begun, withdrawn)
    assert result == tuple(exams)
    assert {problem.severity for problem in problems} == {Severity.INFO}
    assert any("nothing is stated of it any more" in line for line in lines(problems))


def test_of_one_lesion_and_of_its_sequence_the_last_word_is_laid_last(paper, say):
    exam = paper.exam(0, "MR", L1=("20x10 T1", "22x10 STIR"))
    of_one = say(0, "L1", modality="MR", sequence="T1", site="rib", time="2024-05-02")
    of_all = [say(0, "L1", modality="MR", site=site, time=f"2024-05-0{day}") for day, site in ((1, "hip"), (3, "L3"))]
    result, _ = laid([exam], of_all[0], of_one, of_all[1])
    assert [finding.site for finding in result[0].lesions] == ["L3", "L3"]
    result, _ = laid([exam], of_all[0], of_one)
    assert [finding.site for finding in result[0].lesions] == ["rib", "hip"]


def test_an_identity_that_another_finding_has(paper, say):
    exam = paper.exam(0, L1="20x10", L2="30x10")
    exam = replace(exam, lesions=tuple(replace(f, label=f.lesion_id[1:]) for f in exam.lesions))
    result, problems = laid([exam], say(0, "L1", label="2"))
    assert result == (exam,)
    assert "label 2 is L2, and L1 has a finding of its own: the statement is not used" in lines(problems)[0]


def test_one_sequence_or_all(paper, say):
    exam = paper.exam(0, "MR", L1=("20x10 T1", "22x10 STIR"))
    (one,), _ = laid([exam], say(0, "L1", modality="MR", sequence="STIR", measurable=False))
    (both,), _ = laid([exam], say(0, "L1", modality="MR", measurable=False))
    assert [finding.measurable for finding in one.lesions] == [None, False]
    assert [finding.measurable for finding in both.lesions] == [False, False]


def test_the_day_of_any_image_of_the_visit(paper, say):
    pooled = paper.exam(0, L1="20x10", L2="30x10")
    late = replace(pooled.lesions[1], date=paper.day(5))
    pooled = replace(pooled, lesions=(pooled.lesions[0], late))
    _, problems = laid([pooled], say(5, "L2", measurable=False))
    assert problems == ()


@pytest.mark.parametrize(("day", "found"), [(0, True), (1, True), (14, True), (15, False), (89, False), (104, True)])
def test_another_day_of_the_visit_is_a_warning(paper, say, day, found):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    result, problems = laid(exams, say(day, "L1", comment="seen"))
    assert any(finding.comment for exam in result for finding in exam.lesions) is found
    severities = [problem.severity for problem in problems]
    assert severities == ([] if day == 0 else [Severity.WARNING] if found else [Severity.ERROR])


def test_a_day_without_a_visit(paper, say):
    _, problems = laid([paper.exam(0, L1="20x10")], say(40, "L1", "PR4"))
    assert "no examination on that day, and no visit near it: the statement is not used" in lines(problems)[0]


def test_a_modality_nobody_measured_at_a_visit_is_made_of_statements(paper, say):
    exams = [paper.exam(0, visit="A", L1="20x10"), paper.exam(90, visit="B", L1="20x10")]
    result, problems = laid(exams, say(0, "L1", modality="NM", comment="hot"), say(92, "L1", "PR5", modality="NM"))
    assert problems == ()
    first, later = result[2:]
    assert [(exam.modality, exam.date, exam.visit) for exam in (first, later)] == [
        ("NM", paper.day(0), "A"),
        ("NM", paper.day(92), "B"),
    ]
    assert (first.lesions[0].status, first.lesions[0].basis) == (Status.BASELINE, Basis.READER)
    assert later.lesions[0].status is Status.FOLLOWED
    told = judged(exams, say(0, "L1", modality="NM", comment="hot"), say(92, "L1", "PR5", modality="NM"))
    assert told.response("B", "NM").category is Category.PR
    assert told.response("B", "NM").category_measured is None


# Where a lesion comes from


@pytest.mark.parametrize(("new", "codes"), [(True, []), (None, ["PD4"]), (True, ["PD4"])])
def test_a_new_lesion_without_a_finding_gets_one(paper, say, new, codes):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    statement = say(90, "L2", *codes, new=new, comment="faint")
    (_, later), problems = laid(exams, statement)
    made = later.lesions[1]
    assert (made.lesion_id, made.status, made.basis, made.comment) == ("L2", Status.NEW, Basis.READER, "faint")
    assert problems == ()
    told = judged(exams, statement, treatment_start=paper.day(-365))
    assert (told.response().category, told.response().category_measured) == ("PD", "SD")


@pytest.mark.parametrize("code", ["PR1", "PR3", "SD2", "PD1", "CR1"])
@pytest.mark.parametrize("new", [None, False])
def test_a_misspelt_lesion_is_no_new_metastasis(paper, say, code, new):
    exams = [paper.exam(0, L01="20x10"), paper.exam(90, L01="20x10")]
    statement = say(90, "LO1", code, new=new)
    result, problems = laid(exams, statement)
    assert [exam.evaluable for exam in result] == [True, False]
    assert lines(problems) == [
        (
            "error: lesion LO1 unknown: no image or row shows it: the statement is not used "
            "@ reads.csv row 2, CT of 2024-03-31, lesion LO1; write L01 if that is meant, or new=true if it is new"
        )
    ]
    assert judged(exams, statement).response().category == "NE"


def test_an_unknown_lesion_that_is_like_no_other(paper, say):
    _, problems = laid([paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")], say(90, "sacrum", "PR4"))
    assert lines(problems)[0].endswith("; correct the spelling, or new=true if it is new")


def test_what_a_reader_began_may_be_stated_of_later_whatever_the_order_of_rows(paper, say):
    exams = [paper.exam(day, L1="20x10") for day in (0, 90, 180)]
    for began in (say(0, "L2", comment="diffuse"), say(90, "L2", new=True)):
        result, problems = laid(exams, say(180, "L2", "SD3", row=2), began)
        assert problems == ()
        assert result[2].lesions[1].status is Status.FOLLOWED


def test_a_part_of_a_split_is_no_lesion_of_its_own(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, a="split 10x5 <L1", b="split 10x5 <L1")]
    result, problems = laid(exams, say(90, "a", "SD2"))
    assert [(finding.lesion_id, finding.status) for finding in result[1].lesions] == [("L1", "not_evaluable")]
    (line,) = lines(problems)
    assert line.startswith("error: a is judged as part of L1: the statement is not used")
    assert line.endswith("; state it of L1")


def test_a_lesion_known_from_another_modality_is_not_new(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(0, "MR", L2="20x10"), paper.exam(90, "MR", L2="20x10")]
    (*_, later), _ = laid(exams, say(90, "L1", modality="MR", comment="seen"))
    assert later.lesions[-1].status is Status.FOLLOWED


@pytest.mark.parametrize(("words", "doubt"), [("new 12x9", False), ("equivocal 4x3", False), ("not_evaluable", True)])
def test_not_new_says_that_it_was_there(paper, say, words, doubt):
    later = paper.exam(90, L2=words)
    later = replace(later, lesions=(replace(later.lesions[0], maybe_new=doubt),))
    finding = only([paper.exam(0, L1="20x10"), later], say(90, "L2", new=False))
    assert (finding.status, finding.maybe_new, finding.basis) == (Status.FOLLOWED, False, Basis.READER)


def test_new_settles_a_doubt(paper, say):
    later = paper.exam(90, L2="not_evaluable 12x9")
    later = replace(later, lesions=(replace(later.lesions[0], maybe_new=True, why="cannot tell"),))
    finding = only([paper.exam(0, L1="20x10"), later], say(90, "L2", new=True))
    assert (finding.status, finding.maybe_new, finding.why) == (Status.NEW, False, "")


def test_a_code_does_not_settle_whether_it_is_new(paper, say):
    later = paper.exam(90, L2="not_evaluable 12x9")
    later = replace(later, lesions=(replace(later.lesions[0], maybe_new=True),))
    assert only([paper.exam(0, L1="20x10"), later], say(90, "L2", "SD1")).status is Status.NOT_EVALUABLE


def test_nothing_is_new_at_the_first_examination(paper, say):
    assert only([paper.exam(0, L1="20x10")], say(0, "L1", new=True)).status is Status.BASELINE


@pytest.mark.parametrize(
    ("words", "said", "column"),
    [
        ("20x10", {"new": True}, "new"),
        ("20x10", {"measurable": False}, "measurable"),
    ],
)
def test_what_first_sight_settles_cannot_be_stated_later(paper, say, words, said, column):
    exams = [paper.exam(0, L1=words), paper.exam(90, L1=words)]
    (_, later), problems = laid(exams, say(90, "L1", **said))
    assert later.lesions[0].status is Status.FOLLOWED
    (line,) = lines(problems)
    assert line.startswith(f"warning: {column} is not used: the lesion was first seen on 2024-01-01, which settles it")


def test_not_new_is_stated_where_it_was_first_seen(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L2="new 12x9"), paper.exam(180, L2="12x9")]
    _, problems = laid(exams, say(180, "L2", new=False))
    assert "state it for 2024-03-31" in lines(problems)[0]
    assert laid(exams, say(180, "L2", new=True))[1] == ()


# What became of a lesion


@pytest.mark.parametrize("words", ["missing", "ambiguous", "not_evaluable"])
@pytest.mark.parametrize(
    ("code", "status"),
    [("CR1", Status.RESOLVED), ("CR2", Status.RESOLVED), ("SD1", Status.FOLLOWED), ("PR1", Status.FOLLOWED)],
)
def test_a_reader_judges_what_was_not_segmented(paper, say, words, code, status):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1=words)]
    assert only(exams, say(90, "L1", code)).status is status


def test_a_reader_still_sees_what_measured_as_gone(paper, say):
    finding = only([paper.exam(0, L1="20x10"), paper.exam(90, L1="resolved 0x0")], say(90, "L1", "PR1"))
    assert (finding.status, finding.long_axis_mm) == (Status.FOLLOWED, None)


def test_a_comment_judges_nothing(paper, say):
    finding = only([paper.exam(0, L1="20x10"), paper.exam(90, L1="missing")], say(90, "L1", comment="where?"))
    assert finding.status is Status.MISSING


# An examination that says nothing


def test_a_reader_reads_a_later_image_that_could_not_be_read(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, why="cut file")]
    (_, later), problems = laid(exams, say(90, "L1", "CR2"))
    assert (later.evaluable, later.lesions[0].status, problems) == (True, Status.FOLLOWED, ())


def test_without_a_baseline_no_later_statement_counts(paper, say):
    exams = [paper.exam(0, why="cut file"), paper.exam(90, why="no baseline")]
    result, problems = laid(exams, say(90, "L1", "PR4"))
    assert result == tuple(exams)
    assert "this CT has no baseline: no baseline: the statement is not used" in lines(problems)[0]


# Several readers


def by_reader(paper, *readers, on=0):
    """One examination with a finding of L1 by each reader, sizes 20, 30, ... mm."""
    exam = paper.exam(on, L1=tuple(f"{20 + 10 * index}x10" for index in range(len(readers))))
    return replace(
        exam, lesions=tuple(replace(f, reader=reader) for f, reader in zip(exam.lesions, readers, strict=True))
    )


@pytest.mark.parametrize(
    ("readers", "chosen", "size"),
    [
        (("A", "B"), "", 20),
        (("B", "A"), "", 30),
        (("A", "B"), "A", 20),
        (("A", "B"), "B", 30),
        (("", "A"), "", 30),
        (("A", ""), "", 20),
        (("A", ""), "B", 30),
        (("",), "B", 20),
    ],
)
def test_whose_measurement_counts(paper, readers, chosen, size):
    (exam,) = of_one_reader([by_reader(paper, *readers)], chosen)
    (finding,) = exam.lesions
    assert finding.long_axis_mm == size
    assert exam.evaluable


def test_an_examination_that_the_reader_did_not_read_is_not_clean(paper):
    (exam,) = of_one_reader([by_reader(paper, "A", "B")], "C")
    assert (exam.lesions, exam.evaluable, exam.why) == ((), False, "not read by C")
    assert of_one_reader([paper.exam(0)], "C") == (paper.exam(0),)


def test_the_reader_of_the_settings_counts(paper):
    exams = [by_reader(paper, "A", "B"), by_reader(paper, "A", "B", on=90)]
    later = replace(exams[1], lesions=(exams[1].lesions[0], replace(exams[1].lesions[1], long_axis_mm=Decimal(60))))
    for reader, category in (("A", "SD"), ("B", "PD"), ("", "SD")):
        assert judged([exams[0], later], policy={"reader": reader}).response().category == category


@pytest.mark.parametrize(
    ("said", "policy", "code"),
    [
        ([("A", "", "PR1"), ("B", "", "SD1")], "", "PR1"),
        ([("B", "", "SD1"), ("A", "", "PR1")], "", "PR1"),
        ([("B", "2024-01", "SD1"), ("A", "2024-01", "PR1")], "", "PR1"),
        ([("A", "2024-02", "PR1"), ("B", "2024-01", "SD1")], "", "PR1"),
        ([("A", "2024-01", "PR1"), ("B", "", "SD1")], "", "PR1"),
        ([("A", "2024-01", "PR1"), ("B", "2024-02", "SD1")], "A", "PR1"),
        ([("A", "2024-01", "PR1"), ("", "2024-02", "SD1")], "A", "PR1"),
        ([("B", "2024-01", "PR1"), ("", "2024-02", "SD1")], "A", "SD1"),
    ],
)
def test_whose_statement_counts(paper, say, said, policy, code):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    statements = [
        say(90, "L1", stated, reader=reader, time=time, row=row) for row, (reader, time, stated) in enumerate(said, 2)
    ]
    assert only(exams, *statements, reader=policy).reader_codes == {code}


def test_what_the_same_reader_stated_before_is_told(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    (_, later), problems = laid(exams, say(90, "L1", "PR1", row=2), say(90, "L1", "SD1", row=3))
    assert later.lesions[0].reader_codes == {"SD1"}
    assert lines(problems) == [
        "info: row 3 states it anew: not used @ reads.csv row 2, CT of 2024-03-31, lesion L1; remove one of the rows"
    ]


# Both are kept


def test_both_categories_are_kept(paper, say):
    exams = [paper.exam(0, L1="20x10 ill"), paper.exam(90, L1="20x10 ill")]
    told = judged(exams, say(90, "L1", "PR4"))
    assert (told.response().category, told.response().category_measured) == ("PR", "SD")
    assert told.response(scope="CT").category_measured == "SD"
    later = told.lesions[-1]
    assert (later.category, later.category_measured, later.basis) == ("PR", "SD", Basis.READER)
    assert (told.response(0).category, told.response(0).category_measured) == ("BL", "BL")


def test_without_statements_there_is_nothing_beside(paper):
    told = judged([paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")])
    assert {row.category_measured for row in (*told.responses, *told.lesions)} == {None}


def test_a_refused_code_is_named(paper, say):
    exams = [paper.exam(0, L1="20x10"), paper.exam(90, L1="20x10")]
    told = judged(exams, say(90, "L1", "PR4"))
    assert told.response().category == "SD"
    assert any("PR4" in problem.what for problem in told.problems)
