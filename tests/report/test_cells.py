"""From values to cells and to CSV: decimals, emptiness, formulas, order."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.report.cells import from_csv, render_cell, render_row, render_rows, sorted_rows, to_csv, to_csv_lines
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, TABLES, Column, Kind, Table
from mdanderson.vocabulary import Modality

TEXT = Column(name="word", meaning="a word")
NUMBER = Column(name="number", meaning="a number", kind=Kind.NUMBER, unit="mm", decimals=2)
COUNT = Column(name="count", meaning="a count", kind=Kind.COUNT)
FLAG = Column(name="flag", meaning="a flag", kind=Kind.FLAG)
DATE = Column(name="date", meaning="a date", kind=Kind.DATE)
SAMPLE = Table(name="sample", columns=(TEXT, NUMBER, COUNT, FLAG, DATE), sort_by=("date", "word"))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (NUMBER, 12.345678, "12.35"),
        (NUMBER, 3, "3.00"),
        (NUMBER, Decimal("28.10"), "28.10"),
        (NUMBER, Fraction(-1, 3), "-0.33"),
        (NUMBER, -0.004, "0.00"),
        (NUMBER, Decimal("-0.004"), "0.00"),
        (NUMBER, -0.006, "-0.01"),
        (NUMBER, 0, "0.00"),
        (NUMBER, -10.0, "-10.00"),
        (COUNT, 0, "0"),
        (COUNT, -7, "-7"),
        (FLAG, True, "true"),
        (FLAG, False, "false"),
        (DATE, dt.date(2024, 1, 5), "2024-01-05"),
        (TEXT, Modality.CT, "CT"),
        (TEXT, ("PR1", "PR3"), "PR1;PR3"),
        (TEXT, frozenset({"PR3", "PR1"}), "PR1;PR3"),
        (TEXT, (), ""),
        (TEXT, "two\nlines", "two lines"),
        (TEXT, "=1+1", "=1+1"),
    ],
)
def test_cells(column: Column, value: object, text: str) -> None:
    assert render_cell(column, value) == text


@pytest.mark.parametrize("column", SAMPLE.columns)
def test_none_is_an_empty_cell(column: Column) -> None:
    assert render_cell(column, None) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("Infinity")])
def test_an_undefined_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number is"):
        render_cell(NUMBER, value)


@pytest.mark.parametrize(("column", "value"), [(NUMBER, "12"), (COUNT, 1.5), (COUNT, "1")])
def test_a_value_of_another_kind_is_refused(column: Column, value: object) -> None:
    with pytest.raises(TypeError):
        render_cell(column, value)


def test_a_row_has_a_cell_for_every_column() -> None:
    assert render_row(SAMPLE, {"count": 3, "word": "x"}) == ("x", "", "3", "", "")
    with pytest.raises(KeyError, match="sample has no column wrod"):
        render_row(SAMPLE, {"wrod": "x"})


def test_rows_written_together_are_the_rows_written_one_by_one() -> None:
    third, day = Fraction(1, 3), dt.date(2024, 1, 5)
    rows = [
        ("x", third, 3, True, day),
        ("x", third, 4, True, day),  # the same things as above, one of them another
        ("", None, None, None, None),
        ("y", Fraction(1, 3), 0, False, day),
        (("PR1", "PR3"), None, 0, False, None),
    ]
    alone = [render_row(SAMPLE, dict(zip(SAMPLE.column_names, row, strict=True))) for row in rows]
    assert render_rows(SAMPLE, rows) == alone
    assert alone[1] == ("x", "0.33", "4", "true", "2024-01-05")
    assert render_rows(SAMPLE, []) == []


@pytest.mark.parametrize("rows", [[("x", 1, 2, True)], [("x", 1, 2, True, None, 6)], [("x", 1, 2, True, None), ("y",)]])
def test_rows_have_as_many_values_as_there_are_columns(rows: list[tuple[object, ...]]) -> None:
    with pytest.raises(ValueError, match="zip"):
        render_rows(SAMPLE, rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_formulas_are_neutralised_in_text_only(start: str) -> None:
    text = to_csv(SAMPLE, [(f"{start}cmd|' /C calc'!A0", "-0.50", "-3", "true", "2024-01-05")])
    (row,) = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert row == [f"'{start}cmd|' /C calc'!A0", "-0.50", "-3", "true", "2024-01-05"]


@pytest.mark.parametrize("start", ["\r", "\r\n", "\n"])
def test_a_line_break_before_a_formula_does_not_hide_it(start: str) -> None:
    text = to_csv(SAMPLE, [render_row(SAMPLE, {"word": f"{start}=1+1"})])
    assert text.splitlines()[1:] == ["'=1+1,,,,"]


def test_csv_is_sorted_and_ends_lines_with_lf() -> None:
    rows = [("b", "1.00", "", "", "2024-01-05"), ("a", "", "", "", "2024-03-01"), ("a", "2.00", "", "", "2024-01-05")]
    assert to_csv(SAMPLE, rows) == (
        "word,number,count,flag,date\na,2.00,,,2024-01-05\nb,1.00,,,2024-01-05\na,,,,2024-03-01\n"
    )


@pytest.mark.parametrize("cell", ["=1+1", "'=1+1", "''=1+1", "'quoted'", "-", "plain", "a,b", 'say "x"', ""])
def test_a_file_is_read_back_as_it_was(cell: str) -> None:
    row = (cell, "-0.50", "-3", "true", "2024-01-05")
    assert from_csv(SAMPLE, to_csv(SAMPLE, [row])) == [row]


def test_a_cell_longer_than_the_limit_of_the_library_is_read_back() -> None:
    before = csv.field_size_limit()
    rows = [("x" * (before + 1), "", "", "", "")]
    assert from_csv(SAMPLE, to_csv(SAMPLE, rows)) == rows
    assert csv.field_size_limit() == before


def test_columns_are_found_by_name() -> None:
    assert from_csv(SAMPLE, "date,word,more\n2024-01-05,x,y\n") == [("x", "", "", "", "2024-01-05")]
    assert from_csv(SAMPLE, "") == []


def test_files_of_parts_are_one_file() -> None:
    rows = [("a", "1.00", "", "", "2024-01-05"), ("a", "2.00", "", "", "2024-03-01"), ("b", "", "", "", "2023-01-05")]
    table = Table(name="sample", columns=SAMPLE.columns, sort_by=("word", "date"))
    parts = to_csv(table, ()) + to_csv_lines(table, rows[1::-1]) + to_csv_lines(table, rows[2:])
    assert parts == to_csv(table, rows)


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)


@given(rows=st.lists(st.tuples(_CELL, _CELL, _CELL, _CELL, _CELL), max_size=6), seed=st.randoms(use_true_random=False))
def test_the_file_does_not_depend_on_the_order_of_work(rows: list[tuple[str, ...]], seed: object) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)
    assert to_csv(SAMPLE, shuffled) == to_csv(SAMPLE, rows)
    assert sorted(sorted_rows(SAMPLE, rows)) == sorted(rows)


@given(rows=st.lists(st.tuples(_CELL, _CELL, _CELL, _CELL, _CELL), max_size=6))
def test_any_file_is_read_back_as_it_was(rows: list[tuple[str, ...]]) -> None:
    assert from_csv(SAMPLE, to_csv(SAMPLE, rows)) == sorted_rows(SAMPLE, rows)


@given(number=st.floats(-1e9, 1e9))
def test_numbers_are_off_by_half_a_last_digit_at_most(number: float) -> None:
    assert abs(float(render_cell(NUMBER, number)) - number) <= 0.005 * (1 + 1e-9)


CONTRACT = {
    "lesions": (
        "patient_id visit date modality sequence lesion_id label site status lesion_type measurable basis long_axis_mm "
        "short_axis_mm size_mm product_mm2 volume_ml size_change_baseline size_change_nadir mean_hu reference_hu "
        "reference_source lytic_fraction sclerotic_fraction fill_in_fraction rim_fraction signal_ratio uptake_ratio "
        "suv_max suv_peak category size_category density_category signal_category uptake_category rules reason x_mm "
        "y_mm z_mm slice registration_error_mm"
    ),
    "responses": (
        "patient_id visit date weeks criteria scope category unconfirmed flare mixed discordant size_category "
        "density_category signal_category uptake_category category_other_scope size_sum_mm size_change_baseline "
        "size_change_nadir lesions_expected lesions_assessed lesions_new lesions_progressing lesions_responding "
        "progression_pattern p_cr p_pr p_sd p_pd rules reason"
    ),
    "patients": (
        "patient_id criteria best_response first_response_date progression_date progression_free_days censored "
        "lesions_baseline baseline_pattern visits"
    ),
    "problems": "severity patient_id visit where what how_to_fix",
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_are_the_promised_ones_in_their_order(table: Table) -> None:
    promised = CONTRACT[table.name].split()
    assert list(table.column_names[: len(promised)]) == promised
    assert len(set(table.column_names)) == len(table.columns)
    assert set(table.sort_by) <= set(table.column_names)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_what_it_means(table: Table) -> None:
    for column in table.columns:
        assert column.meaning
        assert (column.unit != "") == (column.kind in {Kind.NUMBER, Kind.DATE}) or column.kind is Kind.COUNT
        assert (column.decimals > 0) <= (column.kind is Kind.NUMBER)
        for unit in ("mm", "hu", "ml", "mm2"):
            if column.name.endswith(f"_{unit}"):
                assert column.unit.lower().startswith(unit)


def test_four_tables() -> None:
    assert TABLES == (LESIONS, RESPONSES, PATIENTS, PROBLEMS)
    assert LESIONS.file_name == "lesions.csv"
