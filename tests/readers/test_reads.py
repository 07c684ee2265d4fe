"""reads.csv: what a reader states, and rows that state nothing usable."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from mdanderson.errors import ManifestError
from mdanderson.readers.reads import READS_COLUMNS, read_reads
from mdanderson.readers.text_table import text_table
from mdanderson.vocabulary import Alignment, Collapse, LesionType, Modality, Posterolateral


def read(*rows: dict[str, str], **common: str):
    """Statements of patient P and the problems, from rows given by column."""
    least = {"patient_id": "P", "date": "2024-04-01", "modality": "CT", "lesion_id": "L1"}
    table = text_table(pd.DataFrame([least | common | row for row in rows]), name="reads")
    statements, problems = read_reads(table, known={"P"})
    return statements.get("P", ()), [str(problem) for problem in problems]


def test_everything_a_reader_can_state():
    (said,), problems = read(
        {
            "label": "7",
            "sequence": "stir",
            "new": "no",
            "node": "0",
            "time": "2024-04-02T10:30",
            "pain": "mild",
            "alignment": "deformity",
            "collapse": ">50",
            "posterolateral": "bilateral",
            "site": "L3 body",
            "laterality": "left",
            "target": "yes",
            "measurable": "TRUE",
            "lesion_type": "Mixed",
            "soft_tissue_mm": "12.5",
            "findings": "PR4; PR1",
            "reader": "AB",
            "comment": "clear, at last",
        }
    )
    assert problems == []
    assert (said.date, said.modality, said.sequence) == (dt.date(2024, 4, 1), Modality.CT, "STIR")
    assert (said.lesion_id, said.label, said.reader, said.row) == ("L1", "7", "AB", 2)
    assert (said.new, said.node, said.target, said.measurable) == (False, False, True, True)
    assert said.codes == {"PR1", "PR4"}
    assert (said.lesion_type, said.soft_tissue_mm) == (LesionType.MIXED, Decimal("12.5"))
    assert (said.site, said.laterality, said.comment) == ("L3 body", "left", "clear, at last")
    assert (said.structure.alignment, said.structure.collapse) == (Alignment.DEFORMITY, Collapse.ABOVE_HALF)
    assert said.structure.posterolateral is Posterolateral.BILATERAL


def test_what_is_blank_is_not_stated():
    (said,), _ = read({"findings": "PR4", "measurable": "", "new": "", "soft_tissue_mm": ""})
    assert (said.new, said.measurable, said.target, said.soft_tissue_mm, said.structure) == (None,) * 5


def test_identity_alone_is_a_statement():
    (said,), problems = read({"label": "3"})
    assert (said.label, said.lesion_id, problems) == ("3", "L1", [])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2024-04-02", "2024-04-02T00:00:01"),
        ("2024-04-02T09:00", "2024-04-02 10:00"),
        ("2024-04-02T10:00+02:00", "2024-04-02T09:00+00:00"),
        ("", "1999-01-01"),
    ],
)
def test_times_sort_as_they_pass(earlier, later):
    (one, other), problems = read({"time": earlier}, {"time": later}, findings="PR4")
    assert problems == []
    assert one.time < other.time


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"date": "03/04/2024"}, "not an ISO 8601 date: 03/04/2024 @ P reads row 2 column date; write YYYY-MM-DD"),
        ({"date": ""}, "no date @ P reads row 2 column date; write the day of the image, as YYYY-MM-DD"),
        ({"modality": "MRI"}, "unknown modality MRI @ P reads row 2 column modality; write MR"),
        ({"modality": ""}, "no modality @ P reads row 2 column modality; write one of CT, MR, NM, PT, XR"),
        ({"lesion_id": ""}, "no lesion named @ P reads row 2 column lesion_id; write its lesion_id, its label in the"),
        ({"measurable": "perhaps"}, "neither true nor false: perhaps @ P reads row 2 column measurable"),
        ({"soft_tissue_mm": "12,5"}, "a comma in a number: 12,5 @ P reads row 2 column soft_tissue_mm; write 12.5"),
        ({"lesion_type": "sclerotic"}, "unknown lesion_type sclerotic @ P reads row 2 column lesion_type"),
        ({"time": "noon"}, "not an ISO 8601 time: noon @ P reads row 2 column time; write YYYY-MM-DDThh:mm"),
        ({"pain": "much"}, "unknown pain much @ P reads row 2 column pain; write one of none, occasional"),
        ({"findings": ""}, "nothing is stated @ P reads row 2; fill in a column, such as findings, or remove the row"),
    ],
)
def test_a_row_with_a_cell_at_fault_is_not_used(row, line):
    statements, problems = read(row, findings=row.get("findings", "PR4"))
    assert [(said.codes, said.fault in line) for said in statements] == (
        [] if row == {"findings": ""} else [(frozenset(), True)]
    )
    assert len(problems) == 1
    assert problems[0].startswith(f"error: {line}")


def test_a_fault_costs_its_own_row():
    statements, problems = read({"date": "soon"}, {"findings": "PR1"}, findings="PR4")
    assert [(one.row, bool(one.fault)) for one in statements] == [(2, True), (3, False)]
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("row", "any_day", "any_modality"),
    [({"date": ""}, True, False), ({"modality": "MRT"}, False, True), ({"new": "perhaps"}, False, False)],
)
def test_what_a_row_at_fault_could_be_about(row, any_day, any_modality):
    (said,), _ = read(row, findings="PR4", reader="AB")
    assert (said.date == dt.date.min, said.of_any_modality) == (any_day, any_modality)
    assert (said.lesion_id, said.reader, said.row) == ("L1", "AB", 2)


@pytest.mark.parametrize("row", [{"pain": "much"}, {"date": "soon"}, {"time": "noon"}, {"lesion_id": ""}])
def test_a_row_at_fault_that_states_nothing_a_category_rests_on_leaves_nothing_open(row):
    statements, problems = read(row, site="L3", comment="hard to see")
    assert (statements, len(problems)) == ((), 1)


def test_a_new_metastasis_may_be_stated_without_a_lesion():
    (said,), problems = read({"lesion_id": "", "findings": "pd4"})
    assert (said.codes, said.lesion_id, said.label, said.fault, problems) == ({"PD4"}, "", "", "", [])
    (said,), problems = read({"lesion_id": "", "findings": "PD4;PR1"})
    assert (said.fault, len(problems)) == ("no lesion named", 1)


def test_a_stranger_is_a_warning():
    statements, problems = read({"patient_id": "Q"}, {}, findings="PR4")
    assert len(statements) == 1
    assert problems[0].startswith("warning: patient Q has no row in the table @ reads row 2 column patient_id")


def test_an_unknown_column_is_told():
    _, problems = read({"finding": "PR4", "measurable": "no"})
    assert problems == [
        "warning: unknown column finding: kept, not used @ reads row 1; rename it to findings if that is meant"
    ]


@pytest.mark.parametrize("missing", ["patient_id", "date", "modality"])
def test_required_columns(missing):
    columns = {"patient_id": ["P"], "date": ["2024-04-01"], "modality": ["CT"], "label": ["1"]}
    table = text_table(pd.DataFrame({name: cells for name, cells in columns.items() if name != missing}))
    with pytest.raises(ManifestError, match=f"no column {missing} @ table row 1"):
        read_reads(table, known={"P"})


def test_a_column_must_name_the_lesion():
    table = text_table(pd.DataFrame({"patient_id": ["P"], "date": ["2024-04-01"], "modality": ["CT"]}))
    with pytest.raises(ManifestError, match="no column label or lesion_id @ table row 1; add one of them"):
        read_reads(table, known={"P"})


def test_the_columns_are_those_of_the_contract():
    contract = (
        "patient_id date modality label lesion_id sequence new node time pain alignment collapse posterolateral site "
        "laterality target measurable lesion_type soft_tissue_mm findings reader comment adjudicates"
    )
    assert set(READS_COLUMNS) == set(contract.split())
