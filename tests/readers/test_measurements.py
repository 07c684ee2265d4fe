"""A reader's table: what is read, what is told from the rows before, what a row at fault leaves undecided."""

from __future__ import annotations

import datetime as dt
import gc
import random
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import ManifestError, Severity
from mdanderson.readers.measurements import Measurements, read_measurements
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Basis, Category, LesionType, Modality, Pain, Status

FIRST, SECOND, THIRD = "2024-01-01", "2024-04-01", "2024-07-01"


def table(*rows: str, columns: str = "patient_id date lesion_id long_axis_mm short_axis_mm") -> str:
    """CSV text of rows written with blanks between cells; `-` is a blank cell, `_` a blank within one."""
    cells = [columns.split(), *(row.split() for row in rows)]
    return "".join(",".join("" if c == "-" else c.replace("~", " ") for c in line) + "\n" for line in cells)


@pytest.fixture
def read(tmp_path):
    def read(*rows: str, **kwargs) -> Measurements:
        path = tmp_path / "sizes.csv"
        path.write_text(table(*rows, **kwargs), encoding="utf-8")
        return read_measurements(path)

    return read


def timeline(measured: Measurements, patient: int = 0, **policy) -> Timeline:
    one = measured.patients[patient]
    settings = Settings.from_mapping({"policy": policy})
    return build_timeline(one.facts, one.examinations, settings=settings, statements=one.statements)


def overall(measured: Measurements, **policy) -> list[str]:
    rows = timeline(measured, **policy).responses
    return [row.category.value for row in rows if row.scope == "overall"]


def findings(measured: Measurements, day: str):
    """Findings of the first patient's CT on a day, by lesion."""
    exam = next(exam for exam in measured.patients[0].examinations if str(exam.date) == day)
    return {finding.lesion_id: finding for finding in exam.lesions}


def lines(measured: Measurements) -> list[str]:
    return [str(problem) for problem in measured.problems if problem.severity is not Severity.INFO]


def test_the_least_table(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 10.0 5", f"P02 {FIRST} L1 12.5 9.25")
    assert [patient.patient_id for patient in measured] == ["P01", "P02"]
    assert len(measured) == 2
    assert lines(measured) == []
    first, second = measured.patients[0].examinations
    assert (first.date, first.modality, first.evaluable) == (dt.date(2024, 1, 1), Modality.CT, True)
    (finding,) = second.lesions
    assert (finding.long_axis_mm, finding.short_axis_mm) == (Decimal("10.0"), Decimal(5))
    assert (finding.status, finding.basis) == (Status.FOLLOWED, Basis.MEASURED)
    assert overall(measured) == ["BL", "PR"]


def test_no_modality_is_ct_which_is_said_once(read):
    (problem,) = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 10 5").problems
    assert str(problem) == (
        "info: 2 rows name no modality: taken as CT @ sizes.csv row 2 column modality; name the modality of every row"
    )


EVERYTHING = (
    "patient_id date visit modality sequence lesion_id long_axis_mm short_axis_mm status lesion_type measurable target "
    "node soft_tissue_mm uptake signal_ratio suv_peak suv_max tlg findings new site laterality reader label comment "
    "pain alignment collapse posterolateral"
)


def test_every_column(read):
    measured = read(
        f"P01 {FIRST} week~0 mr stir L1 20.5 10 Baseline Lytic YES 0 false 12 1.5 0.7 4.2 6.1 33 PR4;PR1;PR4 no "
        "L3~body left AB 7 a~remark mechanical Normal <50 unilateral",
        columns=EVERYTHING,
    )
    assert measured.problems == ()
    (exam,) = measured.patients[0].examinations
    (finding,) = exam.lesions
    assert (exam.modality, exam.visit, finding.visit, finding.sequence) == (Modality.MR, "week 0", "week 0", "STIR")
    assert (finding.long_axis_mm, finding.soft_tissue_mm) == (Decimal("20.5"), Decimal(12))
    assert (finding.measurable, finding.target, finding.node) == (True, False, False)
    assert (finding.uptake_ratio, finding.signal_ratio) == (1.5, 0.7)
    assert (finding.suv_peak, finding.suv_max, finding.tlg) == (4.2, 6.1, 33)
    assert finding.reader_codes == {"PR1", "PR4"}
    assert finding.basis is Basis.READER
    assert (finding.lesion_type, finding.status) == (LesionType.LYTIC, Status.BASELINE)
    assert (finding.site, finding.laterality, finding.label, finding.comment) == ("L3 body", "left", "7", "a remark")
    assert finding.structure.pain is Pain.MECHANICAL
    assert finding.structure.collapse == "<50"
    assert measured.patients[0].readers == ("AB",)


def test_a_frame_reads_like_its_file(tmp_path):
    frame = pd.DataFrame(
        {
            "patient_id": [1.0, 1.0, 2.0],
            "date": pd.to_datetime([FIRST, SECOND, FIRST]),
            "lesion_id": [1, 1, 1],
            "long_axis_mm": [20.5, float("nan"), 12.0],
            "short_axis_mm": [10.0, float("nan"), 8.0],
            "modality": ["CT", "CT", None],
            "measurable": [True, None, False],
            "findings": [None, "PR4", None],
        }
    )
    of_frame = read_measurements(frame)
    assert [patient.patient_id for patient in of_frame] == ["1", "2"]
    assert of_frame.path.name == "measurements"
    path = tmp_path / "measurements"
    frame.astype({"patient_id": int}).to_csv(path, index=False)
    of_file = read_measurements(path)
    assert of_frame.patients == of_file.patients
    assert of_frame.problems == of_file.problems


def test_the_order_of_rows_does_not_matter(read):
    rows = [f"P01 {day} {name} {size} 10" for day in (FIRST, SECOND, THIRD) for name, size in (("A", 30), ("B", 20))]
    rows.append(f"P01 {THIRD} C 12 9")
    straight = read(*rows).patients
    random.Random(4).shuffle(rows)
    shuffled = read(*rows).patients
    assert {exam.date: set(exam.lesions) for exam in straight[0].examinations} == {
        exam.date: set(exam.lesions) for exam in shuffled[0].examinations
    }


# What a row leaves unsaid


@pytest.mark.parametrize(
    ("new", "status", "category"),
    [("-", Status.NEW, "PD"), ("true", Status.NEW, "PD"), ("false", Status.FOLLOWED, "SD")],
)
def test_a_lesion_first_seen_after_baseline(read, new, status, category):
    columns = "patient_id date lesion_id long_axis_mm short_axis_mm new"
    measured = read(
        f"P01 {FIRST} L1 20 10 -", f"P01 {SECOND} L1 20 10 -", f"P01 {SECOND} L2 12 10 {new}", columns=columns
    )
    assert findings(measured, SECOND)["L2"].status is status
    assert overall(measured) == ["BL", category]
    assert lines(measured) == []


def test_a_new_lesion_is_followed_from_then_on(read):
    measured = read(
        f"P01 {FIRST} L1 20 10",
        *(f"P01 {day} {name} 20 10" for day in (SECOND, THIRD) for name in ("L1", "L2")),
    )
    assert findings(measured, SECOND)["L2"].status is Status.NEW
    assert findings(measured, THIRD)["L2"].status is Status.FOLLOWED
    assert overall(measured) == ["BL", "PD", "PD"]


def test_gone_at_baseline_then_seen_is_new(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {FIRST} L2 0 0", f"P01 {SECOND} L1 20 10", f"P01 {SECOND} L2 15 9")
    assert findings(measured, SECOND)["L2"].status is Status.NEW
    assert overall(measured) == ["BL", "PD"]


WITH_STATUS = "patient_id date lesion_id long_axis_mm short_axis_mm status parents new"


def test_followed_without_an_earlier_row_was_there_before(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 - - -",
        f"P01 {SECOND} L1 20 10 - - -",
        f"P01 {SECOND} L2 12 10 followed - -",
        columns=WITH_STATUS,
    )
    assert findings(measured, SECOND)["L2"].status is Status.FOLLOWED
    (line,) = lines(measured)
    assert "lesion L2 is followed, but no earlier row shows it: taken as there before, not assessed" in line
    assert "row 4 column status; write new if it is a new lesion" in line


def test_new_beside_followed_is_new(read):
    measured = read(f"P01 {FIRST} L1 20 10 - - -", f"P01 {SECOND} L2 12 10 followed - true", columns=WITH_STATUS)
    assert findings(measured, SECOND)["L2"].status is Status.NEW


@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_a_lesion_of_the_baseline_is_not_new(read, day):
    rows = {FIRST: f"P01 {FIRST} L1 20 10 - - -", SECOND: f"P01 {SECOND} L1 20 10 - - -"}
    rows[day] = rows[day].removesuffix("-") + "true"
    measured = read(*rows.values(), columns=WITH_STATUS)
    assert overall(measured) == ["BL", "SD"]
    (line,) = lines(measured)
    assert "lesion L1 is said to be new, but the first CT shows it: it is baseline" in line


def test_a_modality_added_later_has_its_own_baseline(read):
    columns = "patient_id date modality lesion_id long_axis_mm short_axis_mm"
    measured = read(
        f"P01 {FIRST} CT L1 20 10",
        f"P01 {SECOND} CT L1 20 10",
        f"P01 {SECOND} MR L1 22 11",
        f"P01 {SECOND} MR L2 30 11",
        columns=columns,
    )
    mr = measured.patients[0].examinations[-1]
    assert {finding.status for finding in mr.lesions} == {Status.BASELINE}
    assert overall(measured) == ["BL", "SD"]


def test_a_lesion_without_a_row_is_not_assessed(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {FIRST} L2 20 10", f"P01 {SECOND} L1 10 5")
    assert overall(measured) == ["BL", "NE"]


def test_zero_says_gone(read):
    assert overall(read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 0 0")) == ["BL", "CR"]
    assert overall(read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 0 -")) == ["BL", "CR"]


# Nothing there


def test_status_none_after_lesions_says_that_all_are_gone(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 - - -",
        f"P01 {FIRST} L2 30 10 - - -",
        f"P01 {SECOND} - - - None - -",
        columns=WITH_STATUS,
    )
    gone = findings(measured, SECOND)
    assert {name: (one.status, one.why) for name, one in gone.items()} == {
        "L1": (Status.RESOLVED, "nothing there"),
        "L2": (Status.RESOLVED, "nothing there"),
    }
    assert overall(measured) == ["BL", "CR"]
    assert lines(measured) == []


def test_status_none_at_baseline_is_an_examination_without_lesions(read):
    measured = read(f"P01 {FIRST} - - - none - -", f"P01 {SECOND} L1 12 9 - - -", columns=WITH_STATUS)
    first, second = measured.patients[0].examinations
    assert (first.evaluable, first.lesions) == (True, ())
    assert second.lesions[0].status is Status.NEW
    assert overall(measured) == ["BL", "PD"]


def test_status_none_is_said_of_every_sequence_that_showed_a_lesion(read):
    columns = "patient_id date modality sequence lesion_id long_axis_mm short_axis_mm status"
    measured = read(
        f"P01 {FIRST} MR T1 L1 20 10 -",
        f"P01 {FIRST} MR STIR L1 22 10 -",
        f"P01 {SECOND} MR - - - - none",
        columns=columns,
    )
    assert [one.sequence for one in measured.patients[0].examinations[1].lesions] == ["STIR", "T1"]
    assert overall(measured) == ["BL", "CR"]


def test_status_none_beside_a_lesion_is_refused(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 - - -",
        f"P01 {SECOND} L1 20 10 - - -",
        f"P01 {SECOND} - - - none - -",
        columns=WITH_STATUS,
    )
    assert overall(measured) == ["BL", "SD"]
    (line,) = lines(measured)
    assert "status none, yet L1 has a row on 2024-04-01: the row is not used" in line


# Merge and split


def test_a_merge_is_compared_with_its_parents_added(read):
    rows = [f"P01 {FIRST} L1 20 10 - - -", f"P01 {FIRST} L2 30 10 - - -"]
    for name in ("L1", "M"):
        measured = read(
            *rows,
            f"P01 {SECOND} {name} 50 20 merged L1;L2 -",
            f"P01 {THIRD} {name} 63 25 - - -",
            columns=WITH_STATUS,
        )
        assert lines(measured) == []
        assert overall(measured) == ["BL", "SD", "PD"]


def test_a_part_once_split_stays_a_part(read):
    rows = [f"P01 {day} {part} 10 5 {how}" for day, how in ((SECOND, "split L1 -"), (THIRD, "- - -")) for part in "ab"]
    measured = read(f"P01 {FIRST} L1 20 10 - - -", *rows, columns=WITH_STATUS)
    assert {one.status for one in findings(measured, THIRD).values()} == {Status.SPLIT}
    assert overall(measured) == ["BL", "SD", "SD"]


def test_parts_may_keep_the_name_of_the_lesion(read):
    parts = [f"P01 {SECOND} L1 10 5 split {parent} -" for parent in ("L1", "-")]
    measured = read(f"P01 {FIRST} L1 20 10 - - -", *parts, columns=WITH_STATUS)
    assert lines(measured) == []
    assert overall(measured) == ["BL", "SD"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("M 50 20 merged - -", "merged, but not from what @ P01 sizes.csv row 4 column parents; name the lesions"),
        ("M 50 20 merged L1 -", "merged, but not from what"),
        ("L1 10 5 split L1;L2 -", "split from several lesions @ P01 sizes.csv row 4 column parents; name the one"),
        ("L1 10 5 followed L2 -", "parents of a lesion neither merged nor split"),
        (
            "M 50 20 merged L1;L9 -",
            "merged from L9, of which CT has no earlier row @ P01 sizes.csv row 4 column parents",
        ),
        ("a 10 5 split L9 -", "split from L9, of which CT has no earlier row"),
    ],
)
def test_parents_at_fault(read, row, what):
    measured = read(
        f"P01 {FIRST} L1 20 10 - - -", f"P01 {FIRST} L2 30 10 - - -", f"P01 {SECOND} {row}", columns=WITH_STATUS
    )
    (line,) = lines(measured)
    assert what in line
    assert overall(measured) == ["BL", "NE"]


BOTH = (f"P01 {FIRST} L1 20 10 - - -", f"P01 {FIRST} L2 30 10 - - -", f"P01 {FIRST} L3 15 10 - - -")


@pytest.mark.parametrize(
    ("rows", "lesion", "lost"),
    [
        (["M 50 20 merged L1;L2 -", "L2 30 10 - - -"], "L2", {"L1", "L2"}),
        (["M 50 20 merged L1;L2 -", "L2 0 0 resolved - -"], "L2", {"L1", "L2"}),
        (["L1 50 20 merged L1;L2 -", "L2 50 20 merged L2;L1 -"], "L1", {"L1", "L2"}),
        (["M 50 20 merged L1;L2 -", "N 40 20 merged L2;L3 -"], "L2", {"L1", "L2", "L3"}),
        (["M 50 20 merged L1;L2 -", "L3 - - merged L2;L3 -"], "L2", {"L1", "L2", "L3"}),
        (["M 50 20 merged L1;L2 -", "a 10 9 split L2 -", "b 10 9 split L2 -"], "L2", {"L1", "L2"}),
    ],
)
def test_a_lesion_that_merges_twice_is_counted_nowhere(read, rows, lesion, lost):
    measured = read(*BOTH, *(f"P01 {SECOND} {row}" for row in rows), columns=WITH_STATUS)
    first, *others = range(5, 5 + len(rows))
    told = lines(measured)
    for one, other in [(first, other) for other in others] + [(other, first) for other in others]:
        assert any(
            f"error: lesion {lesion} is counted in row {other} as well: neither is used @ P01 sizes.csv row {one} "
            in line
            for line in told
        )
    assert len(told) == 2 * len(others)
    found = findings(measured, SECOND)
    assert {name for name, one in found.items() if one.status is Status.NOT_EVALUABLE} == lost
    assert overall(measured) == ["BL", "NE"]


@pytest.mark.parametrize(
    "rows",
    [
        ["M 50 20 merged L1;L2 -", "L3 15 10 - - -"],
        ["L1 50 20 merged L1;L2 -", "L2 - - merged L1;L2 -", "L3 15 10 - - -"],
        ["L1 50 20 - - -", "L2 - - merged L1;L2 -", "L3 15 10 - - -"],
    ],
)
def test_rows_that_tell_of_one_merge(read, rows):
    measured = read(*BOTH, *(f"P01 {SECOND} {row}" for row in rows), columns=WITH_STATUS)
    assert lines(measured) == []


# Where a lesion comes from


@pytest.mark.parametrize(
    ("row", "status", "categories", "line"),
    [
        ("L2 12 9 baseline - -", Status.NEW, "PD", "lesion L2 is called baseline, but no earlier row shows it: taken"),
        ("L2 12 9 baseline - false", Status.FOLLOWED, "SD", ""),
        ("L2 12 9 - - false", Status.FOLLOWED, "SD", ""),
        ("L2 12 9 new - -", Status.NEW, "PD", ""),
        ("L2 12 9 - - true", Status.NEW, "PD", ""),
    ],
)
def test_baseline_said_of_a_lesion_first_seen_later_hides_no_metastasis(read, row, status, categories, line):
    rows = [f"P01 {day} L1 20 10 - - -" for day in (FIRST, SECOND)]
    measured = read(*rows, f"P01 {SECOND} {row}", columns=WITH_STATUS)
    assert findings(measured, SECOND)["L2"].status is status
    assert overall(measured) == ["BL", categories]
    assert [told[: len(line) + 9] for told in lines(measured)] == ([f"warning: {line}"] if line else [])


@pytest.mark.parametrize(("row", "basis"), [("L2 12 9 - - false", Basis.READER), ("L2 12 9 - - -", Basis.MEASURED)])
def test_new_decides_by_the_reader(read, row, basis):
    rows = [f"P01 {day} L1 20 10 - - true" for day in (FIRST, SECOND)]
    measured = read(*rows, f"P01 {SECOND} {row}", columns=WITH_STATUS)
    assert findings(measured, SECOND)["L2"].basis is basis
    assert findings(measured, SECOND)["L1"].basis is Basis.MEASURED
    told = {row.lesion_id: row.basis for row in timeline(measured).lesions if row.visit == "visit 2"}
    assert told == {"L1": Basis.MEASURED, "L2": basis}


@pytest.mark.parametrize(("cells", "column"), [("new - -", "status"), ("- - true", "new"), ("new - true", "new")])
@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_new_said_of_a_lesion_of_the_baseline_is_told(read, cells, column, day):
    rows = [f"P01 {one} L1 20 10 {cells if one == day else '- - -'}" for one in (FIRST, SECOND)]
    measured = read(*rows, columns=WITH_STATUS)
    (line,) = lines(measured)
    assert line.startswith("warning: lesion L1 is said to be new, but the first CT shows it: it is baseline")
    assert f"row {2 if day == FIRST else 3} column {column}; leave the cell blank" in line
    assert [findings(measured, one)["L1"].status for one in (FIRST, SECOND)] == [Status.BASELINE, Status.FOLLOWED]


@pytest.mark.parametrize("name", ["l01", "LO1", "L1", "L~01"])
def test_a_twin_of_a_name_without_row_is_told(read, name):
    measured = read(f"P01 {FIRST} L01 20 10", f"P01 {SECOND} {name} 20 10", f"P01 {THIRD} {name} 20 10")
    (line,) = lines(measured)
    name = name.replace("~", " ")
    assert line == (
        f"warning: lesion {name} was not spoken of before, and L01 has no row on {SECOND} "
        "@ P01 sizes.csv row 3 column lesion_id; write L01 if that is meant"
    )
    assert findings(measured, SECOND)[name].status is Status.NEW


def test_no_twin_where_the_known_one_has_its_row(read):
    measured = read(f"P01 {FIRST} L01 20 10", f"P01 {SECOND} L1 20 10", f"P01 {SECOND} L01 20 10")
    assert lines(measured) == []
    assert lines(read(f"P01 {FIRST} L01 20 10", f"P01 {FIRST} L1 20 10")) == []


def test_rows_out_of_order_are_told_once_a_patient(read):
    rows = [f"P01 {day} {name} 20 10" for name in ("L1", "L2") for day in (THIRD, FIRST, SECOND)]
    measured = read(*rows, *(f"P02 {day} {name} 20 10" for name in ("L1", "L2") for day in (FIRST, SECOND)))
    told = [str(problem) for problem in measured.problems if "order" in problem.what]
    assert told == [
        (
            "info: rows out of order of date: sorted by date @ P01 sizes.csv row 3 column date; "
            "look whether the dates are right"
        )
    ]


def test_axes_that_were_swapped_name_their_row(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 9 20")
    (problem,) = (one for one in timeline(measured).problems if "swapped" in one.what)
    assert problem.where == "sizes.csv row 3, CT lesion L1"


# Cells at fault


def test_decimal_commas_are_told_once_a_file(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(
        "sep=;\npatient_id;date;lesion_id;long_axis_mm;short_axis_mm;comment\n"
        f"P01;{FIRST};L1;20,5;10,1;1,5\nP02;{FIRST};L1;20;9,5;\n",
        encoding="utf-8",
    )
    told = [line for line in lines(read_measurements(path)) if "decimal commas" in line]
    assert told == [
        (
            "warning: decimal commas in 3 cells: they are not read as numbers @ sizes.csv row 2 column long_axis_mm; "
            "export the table with a decimal point"
        )
    ]


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("12,5", "a comma in a number: 12,5 @ P01 sizes.tsv row 3 column long_axis_mm; write 12.5"),
        ("12~mm", "more than a number: 12 mm @ P01 sizes.tsv row 3 column long_axis_mm; write 12 alone"),
        ("1.2cm", "more than a number: 1.2cm @ P01 sizes.tsv row 3 column long_axis_mm; write 1.2 alone"),
        ("-3", "below zero: -3 @ P01 sizes.tsv row 3 column long_axis_mm; write 0 where nothing is left"),
        ("nan", "not a number: nan @ P01 sizes.tsv row 3 column long_axis_mm; write a number such as 12.5"),
        ("inf", "not a number: inf"),
        ("<5", "not a number: <5"),
        ("1_000", "not a number: 1_000"),
        ("1e99999", "not a number: 1e99999"),
        ("١٢", "not a number: ١٢"),
        ("1001", "1001 mm is no size of a lesion"),
    ],
)
def test_sizes_at_fault(tmp_path, cell, line):
    path = tmp_path / "sizes.tsv"
    text = table(f"P01 {FIRST} L1 20 9", f"P01 {SECOND} L1 CELL 10", f"P02 {FIRST} L1 20 9", f"P02 {SECOND} L1 20 9")
    path.write_text(text.replace(",", "\t").replace("CELL", cell.replace("~", " ")), encoding="utf-8")
    measured = read_measurements(path)
    (problem,) = (told for told in lines(measured) if "decimal commas" not in told)
    assert problem.startswith(f"error: {line}")
    (finding,) = measured.patients[0].examinations[1].lesions
    assert finding.status is Status.NOT_EVALUABLE
    assert finding.why.startswith("its row cannot be used: ")
    assert overall(measured) == ["BL", "NE"]
    assert timeline(measured, 1).response().category is Category.SD


@pytest.mark.parametrize(
    ("column", "cell", "line"),
    [
        ("modality", "MRI", "unknown modality MRI @ P01 sizes.csv row 3 column modality; write MR"),
        ("modality", "xyz", "unknown modality xyz @ P01 sizes.csv row 3 column modality; write one of CT, MR, NM"),
        ("status", "folowed", "unknown status folowed @ P01 sizes.csv row 3 column status; write followed"),
        ("lesion_type", "sclerotic", "unknown lesion_type sclerotic"),
        ("sequence", "T9", "unknown sequence T9"),
        ("measurable", "maybe", "neither true nor false: maybe @ P01 sizes.csv row 3 column measurable; write true or"),
        ("new", "2", "neither true nor false: 2"),
        ("target", "x", "neither true nor false: x"),
        ("node", "x", "neither true nor false: x"),
        ("suv_peak", "high", "not a number: high"),
        ("uptake", "-1", "below zero: -1"),
        ("soft_tissue_mm", "9mm", "more than a number: 9mm"),
        ("pain", "ouch", "unknown pain ouch"),
    ],
)
def test_other_cells_at_fault(read, column, cell, line):
    columns = f"patient_id date lesion_id long_axis_mm short_axis_mm {column}"
    good = "CT" if column == "modality" else "-"
    measured = read(f"P01 {FIRST} L1 20 10 {good}", f"P01 {SECOND} L1 20 10 {cell}", columns=columns)
    found = [problem for problem in lines(measured) if "no modality" not in problem]
    assert found[0].startswith(f"error: {line}")
    assert len(found) == 1
    assert "SD" not in overall(measured)


@pytest.mark.parametrize(
    ("sizes", "what"),
    [
        ("- 10", "a short axis without a long one @ P01 sizes.csv row 3 column long_axis_mm; write both"),
        ("0 10", "diameters of 0 and 10 mm @ P01 sizes.csv row 3 column short_axis_mm; write 0 for both"),
        ("20 0", "diameters of 20 and 0 mm"),
    ],
)
def test_diameters_that_contradict_each_other(read, sizes, what):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 {sizes}")
    assert what in lines(measured)[0]
    assert overall(measured) == ["BL", "NE"]


def test_a_short_axis_longer_than_the_long_one_is_swapped_with_a_warning(read):
    told = timeline(read(f"P01 {FIRST} L1 10 20", f"P01 {SECOND} L1 20 10"))
    assert [row.category.value for row in told.responses if row.scope == "overall"] == ["BL", "SD"]
    assert any("short axis 20 mm is longer than long axis 10 mm: swapped" in str(one) for one in told.problems)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("L1 20 10 resolved - -", "resolved, yet 20 mm long"),
        (
            "L1 20 10 new - no",
            "status new, yet new is no @ P01 sizes.csv row 3 column new; leave one of the cells blank",
        ),
        ("L1 20 10 equivocal - false", "status equivocal, yet new is false"),
        ("L1 20 10 baseline - true", "status baseline, yet new is true"),
        ("L1 - - none - -", "status none says that no lesion is there, yet L1 is named"),
        ("- 20 10 none - -", "status none beside a measurement"),
        ("- 20 10 - - -", "no lesion named @ P01 sizes.csv row 3 column lesion_id; name it, or write status none"),
    ],
)
def test_rows_that_contradict_themselves(read, row, what):
    measured = read(f"P01 {FIRST} L1 20 10 - - -", f"P01 {SECOND} {row}", columns=WITH_STATUS)
    assert what in lines(measured)[0]
    assert overall(measured) == ["BL", "NE"]


@pytest.mark.parametrize("status", ["missing", "ambiguous", "not evaluable", "Not-Evaluable"])
def test_what_cannot_be_judged_has_no_measurement(read, status):
    words = status.replace(" ", "~")
    measured = read(f"P01 {FIRST} L1 20 10 - - -", f"P01 {SECOND} L1 20 10 {words} - -", columns=WITH_STATUS)
    (line,) = lines(measured)
    assert line.startswith("warning: status")
    assert "the measurements of the row are not used" in line
    assert overall(measured) == ["BL", "NE"]


def test_surplus_cells_cost_the_row(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 20 10 5")
    assert "1 cells beyond the last column" in lines(measured)[0]
    assert overall(measured) == ["BL", "NE"]


def test_a_row_without_a_patient_costs_nobody(read):
    measured = read(f"- {FIRST} L1 20 10", f"P01 {FIRST} L1 20 10")
    assert lines(measured) == ["error: no patient @ sizes.csv row 2 column patient_id; name the patient"]
    assert len(measured) == 1


# Dates


@pytest.mark.parametrize("date", ["03/04/2024", "2024-02-30", "01.02.2024", "0024-01-01", "45292", "2024-1-5", "soon"])
def test_a_date_that_is_none_leaves_the_baseline_unknown(read, date):
    measured = read(f"P01 {date} L1 40 20", f"P01 {SECOND} L1 20 10", f"P01 {THIRD} L1 20 10")
    (line,) = lines(measured)
    way_out = "correct the year" if date == "0024-01-01" else "write YYYY-MM-DD"
    assert f"date: {date} @ P01 sizes.csv row 2 column date; {way_out}" in line
    assert overall(measured)[1:] == ["NE"]
    reasons = {exam.why for exam in measured.patients[0].examinations}
    assert reasons == {
        "a row of unknown date cannot be used, and may be the baseline: "
        + line.removeprefix("error: ").split(" @ ")[0]
        + " @ sizes.csv row 2 column date"
    }


def test_no_date_is_an_unknown_one(read):
    measured = read("P01 - L1 40 20", f"P01 {SECOND} L1 20 10")
    assert "no date @ P01 sizes.csv row 2 column date; write the day of the image, as YYYY-MM-DD" in lines(measured)[0]
    assert not measured.patients[0].examinations[0].evaluable


def test_an_unknown_date_costs_its_own_modality_only(read):
    columns = "patient_id date modality lesion_id long_axis_mm short_axis_mm"
    measured = read(
        "P01 soon MR L1 40 20",
        f"P01 {SECOND} MR L1 20 10",
        f"P01 {FIRST} CT L1 20 10",
        f"P01 {SECOND} CT L1 20 10",
        columns=columns,
    )
    assert [(e.modality, e.evaluable) for e in measured.patients[0].examinations] == [
        ("CT", True),
        ("CT", True),
        ("MR", False),
    ]
    assert overall(measured) == ["BL", "SD"]


def test_a_row_lost_at_baseline_costs_every_category_of_its_modality(read):
    measured = read(
        f"P01 {FIRST} L1 20~mm 10", f"P01 {FIRST} L2 30 10", f"P01 {SECOND} L1 40 10", f"P01 {SECOND} L2 30 10"
    )
    assert overall(measured)[1:] == ["NE"]
    assert measured.patients[0].examinations[1].why == (
        "a row of the baseline cannot be used: more than a number: 20 mm @ sizes.csv row 2 column long_axis_mm"
    )


def test_a_lost_row_of_a_part_costs_the_lesion_its_day(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 - - -",
        *(f"P01 {SECOND} {part} 10 5 split L1 -" for part in "ab"),
        f"P01 {THIRD} a 10 5 - - -",
        f"P01 {THIRD} b x 5 - - -",
        columns=WITH_STATUS,
    )
    assert overall(measured) == ["BL", "SD", "NE"]
    assert {name: one.status for name, one in findings(measured, THIRD).items()} == {"L1": Status.NOT_EVALUABLE}


def test_a_lost_row_of_a_lesion_never_seen_costs_its_day(read):
    """It may be a new metastasis: the day cannot be called stable."""
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 20 10", f"P01 {SECOND} L2 x 10", f"P01 {THIRD} L1 20 10")
    assert overall(measured) == ["BL", "NE", "SD"]


def test_a_lost_row_of_unknown_modality_costs_the_lesion_that_day(read):
    columns = "patient_id date modality lesion_id long_axis_mm short_axis_mm"
    measured = read(
        f"P01 {FIRST} CT L1 20 10",
        f"P01 {FIRST} CT L2 20 10",
        f"P01 {SECOND} CT L1 20 10",
        f"P01 {SECOND} TC L2 20 10",
        columns=columns,
    )
    assert findings(measured, SECOND)["L2"].status is Status.NOT_EVALUABLE
    assert overall(measured) == ["BL", "NE"]


def test_a_patient_without_a_usable_row_has_no_examination(read):
    measured = read("P01 soon L1 40 20", f"P02 {FIRST} L1 20 10")
    assert measured.patients[0].examinations == ()
    assert len(measured.patients[0].problems) == 1
    assert measured.patients[1].problems == ()


# Visits


def test_two_labels_on_one_day_are_one_visit(read):
    columns = "patient_id date visit lesion_id long_axis_mm short_axis_mm"
    measured = read(f"P01 {FIRST} - L1 20 10", f"P01 {FIRST} A L2 20 10", f"P01 {FIRST} B L3 20 10", columns=columns)
    (exam,) = measured.patients[0].examinations
    assert exam.visit == "A"
    assert {finding.visit for finding in exam.lesions} == {"A"}
    (line,) = lines(measured)
    assert line.startswith("warning: visits A and B on one day: taken as A @ P01 B sizes.csv row 4 column visit")


# Doubles


def test_a_second_row_that_says_otherwise_costs_the_lesion_its_day(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 20 10", f"P01 {SECOND} L1 40 20")
    (line,) = lines(measured)
    assert line == (
        "error: a second row for lesion L1 on 2024-04-01, row 3 is the first and says otherwise: neither is used "
        "@ P01 sizes.csv row 4 column lesion_id; keep the right one"
    )
    assert findings(measured, SECOND)["L1"].status is Status.NOT_EVALUABLE
    assert overall(measured) == ["BL", "NE"]


def test_a_second_row_that_says_the_same_is_not_used(read):
    measured = read(f"P01 {FIRST} L1 20 10", f"P01 {SECOND} L1 10 5", f"P01 {SECOND} L1 10 5")
    (line,) = lines(measured)
    assert line.startswith("warning: a second row for lesion L1 on 2024-04-01, row 3 is the first: not used")
    assert overall(measured) == ["BL", "PR"]


@pytest.mark.parametrize(("column", "one", "other"), [("sequence", "T1", "STIR"), ("reader", "A", "B")])
def test_rows_of_other_sequences_and_readers_are_no_doubles(read, column, one, other):
    columns = f"patient_id date modality lesion_id long_axis_mm short_axis_mm {column}"
    measured = read(f"P01 {FIRST} MR L1 20 10 {one}", f"P01 {FIRST} MR L1 30 10 {other}", columns=columns)
    assert lines(measured) == []
    assert len(measured.patients[0].examinations[0].lesions) == 2


@pytest.mark.parametrize("rows", [("a 10 5", "a 12 5", "b 9 4"), ("a 10 5", "L1 20 10", "b 9 4")])
def test_parts_have_one_row_each_and_the_lesion_none_beside_them(read, rows):
    named = [f"P01 {SECOND} {row} {'- -' if row.startswith('L1') else 'split L1'} -" for row in rows]
    measured = read(f"P01 {FIRST} L1 20 10 - - -", *named, columns=WITH_STATUS)
    assert "a second row for lesion L1" in lines(measured)[0]
    assert overall(measured) == ["BL", "NE"]


# Uptake


def test_uptake_for_scan_and_pet(read):
    columns = "patient_id date modality lesion_id uptake suv_peak"
    measured = read(f"P01 {FIRST} NM L1 3.5 -", f"P01 {FIRST} PT L1 4.5 -", f"P01 {SECOND} PT L1 - 5", columns=columns)
    nm, pt, later = (exam.lesions[0] for exam in measured.patients[0].examinations)
    assert (nm.uptake_ratio, pt.uptake_ratio, later.suv_peak) == (3.5, 4.5, 5.0)


def test_uptake_without_a_modality_is_not_taken_for_ct(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 -",
        f"P01 {SECOND} L1 - - 4.5",
        columns="patient_id date lesion_id long_axis_mm short_axis_mm suv_peak",
    )
    assert "no modality beside an uptake @ P01 sizes.csv row 3 column modality; write NM or PT" in lines(measured)[0]
    assert overall(measured) == ["BL", "NE"]


# The table itself


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "patient_id,date\nP,2024-01-01\n",
            "no column lesion_id @ sizes.csv row 1; add it; columns are patient_id, date",
        ),
        (
            "patient,date,lesion_id\nP,2024-01-01,L1\n",
            "no column patient_id @ sizes.csv row 1; rename the column 'patient'",
        ),
        (
            "patient_id,date,lesion\nP,2024-01-01,L1\n",
            "no column lesion_id @ sizes.csv row 1; rename the column 'lesion'",
        ),
        ("patient_id,date,lesion_id\n", "no rows @ sizes.csv; write one row for every lesion and visit"),
    ],
)
def test_a_table_that_cannot_be_understood(tmp_path, text, line):
    path = tmp_path / "sizes.csv"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_measurements(path)
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize("enabled", [True, False])
def test_memory_is_managed_afterwards_as_before(tmp_path, enabled):
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ManifestError):
            read_measurements(tmp_path / "none.csv")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_an_unknown_column_is_told(read):
    measured = read(
        f"P01 {FIRST} L1 20 10 lytic", columns="patient_id date lesion_id long_axis_mm short_axis_mm lesion_tpe"
    )
    (line,) = lines(measured)
    assert line == (
        "warning: unknown column lesion_tpe: kept, not used @ sizes.csv row 1; "
        "rename it to lesion_type if that is meant"
    )


# Tables beside it


def test_companions_beside_the_table(tmp_path, read):
    (tmp_path / "patients.csv").write_text("patient_id,treatment_start,arm\nP01,2024-01-10,A\nP9,,B\n")
    (tmp_path / "reads.csv").write_text(
        "patient_id,date,modality,lesion_id,findings,reader\nP01,2024-04-01,CT,L1,PR1,Z\n"
    )
    (tmp_path / "events.csv").write_text("patient_id,date,event,site\nP01,2024-02-01,surgery,L3\n")
    measured = read(
        f"P01 {FIRST} L1 20 10 A",
        f"P02 {FIRST} L1 20 10 B",
        columns="patient_id date lesion_id long_axis_mm short_axis_mm reader",
    )
    one, other = measured.patients
    assert one.facts.treatment_start == dt.date(2024, 1, 10)
    assert one.facts.extra == (("arm", "A"),)
    assert [event.site for event in one.facts.events] == ["L3"]
    assert [statement.codes for statement in one.statements] == [{"PR1"}]
    assert one.readers == ("A", "Z")
    assert (other.facts.treatment_start, other.statements, other.readers) == (None, (), ("B",))
    (line,) = lines(measured)
    assert line.startswith("warning: patient P9 has no row in the table @ patients.csv row 3 column patient_id")


def test_companions_given(tmp_path):
    frame = pd.DataFrame({"patient_id": ["P"], "date": [FIRST], "lesion_id": ["L1"], "long_axis_mm": [20]})
    (tmp_path / "start.csv").write_text("patient_id,treatment_start\nP,2024-01-10\n")
    events = pd.DataFrame({"patient_id": ["P"], "date": [SECOND], "event": ["fracture"], "site": ["T5"]})
    (patient,) = read_measurements(frame, patients=tmp_path / "start.csv", events=events)
    assert patient.facts.treatment_start == dt.date(2024, 1, 10)
    assert patient.facts.events[0].kind == "fracture"


# Order and names

_SERIES = (
    ("2024-01-01", "A", "30", "20", "", ""),
    ("2024-01-01", "B", "20", "10", "", ""),
    ("2024-01-01", "C", "24", "12", "", ""),
    ("2024-04-01", "A", "10", "8", "split", "A"),
    ("2024-04-01", "A2", "8", "6", "split", "A"),
    ("2024-04-01", "B", "44", "22", "merged", "B;C"),
    ("2024-07-01", "A2", "8", "6", "", ""),
    ("2024-07-01", "A", "10", "8", "split", ""),
    ("2024-07-01", "B", "20", "10", "", ""),
    ("2024-07-01", "N", "9", "8", "", ""),
    ("2024-10-01", "", "", "", "none", ""),
)


@given(order=st.permutations(range(len(_SERIES))), names=st.permutations("ABCNXYZ"))
def test_order_of_rows_and_names_of_lesions_do_not_matter(order, names):
    named = dict(zip(["A", "A2", "B", "C", "N"], names, strict=False))
    rows = [_SERIES[index] for index in order]
    columns = ["date", "lesion_id", "long_axis_mm", "short_axis_mm", "status", "parents"]
    frame = pd.DataFrame(rows, columns=columns).assign(patient_id="P")
    frame["lesion_id"] = frame["lesion_id"].map(lambda name: named.get(name, name))
    frame["parents"] = frame["parents"].map(lambda cell: ";".join(named.get(part, part) for part in cell.split(";")))
    measured = read_measurements(frame)
    assert lines(measured) == []
    assert overall(measured) == ["BL", "SD", "PD", "CR"]


# Whatever is typed

_CELL = st.sampled_from(
    ["", "L1", "L2", "2024-01-01", "2024-04-01", "12", "0", "-1", "nan", "12,5", "CT", "MR", "none", "merged", "split"]
) | st.text(st.characters(codec="ascii", exclude_characters='\0\r\n"'), max_size=4)


@given(rows=st.lists(st.lists(_CELL, min_size=8, max_size=8), min_size=1, max_size=6))
def test_any_table_is_read_and_judged(rows):
    columns = ["date", "lesion_id", "modality", "long_axis_mm", "short_axis_mm", "status", "parents", "new"]
    frame = pd.DataFrame(rows, columns=columns).assign(patient_id="P")
    (patient,) = read_measurements(frame)
    lost = sum(problem.severity is Severity.ERROR for problem in patient.problems)
    assert patient.examinations or lost
    if patient.examinations:
        told = build_timeline(patient.facts, patient.examinations, settings=Settings())
        assert len([row for row in told.responses if row.scope == "overall"]) == len(told.visits)


def test_names_that_differ_by_case_only_are_two_patients_and_a_warning(read):
    measured = read(f"p1 {FIRST} L1 20 10", f"P1 {SECOND} L1 20 10", f"P1 {THIRD} L1 20 10")
    assert [patient.patient_id for patient in measured.patients] == ["p1", "P1"]
    told = [problem for problem in measured.problems if problem.severity is Severity.WARNING]
    assert [(problem.patient_id, problem.where) for problem in told] == [("P1", "sizes.csv row 3 column patient_id")]
    assert told[0].what.startswith("the patient of row 2 but for upper and lower case")
