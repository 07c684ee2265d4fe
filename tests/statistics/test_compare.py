"""Two readers of one cohort: what is paired, what is counted, what goes to adjudication."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import InputError
from mdanderson.report.cells import render_row, to_csv
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES
from mdanderson.statistics import (
    ADJUDICATION,
    AGREEMENT,
    MEASUREMENT_AGREEMENT,
    Reading,
    bland_altman,
    cohen_kappa,
    compare,
    icc,
)
from mdanderson.vocabulary import Category

DATES = ("2024-01-05", "2024-04-02", "2024-07-01")


def visit(
    patient: str, date: str, category: str, *, scope: str = "overall", total: str = "", criteria: str = "mda2010"
) -> dict[str, str]:
    return {
        "patient_id": patient,
        "visit": f"on {date}",
        "date": date,
        "criteria": criteria,
        "scope": scope,
        "category": category,
        "size_sum_mm": total,
        "reason": f"{category} because",
    }


def lesion(
    patient: str, number: str, long: str, short: str, *, date: str = DATES[0], modality: str = "CT"
) -> dict[str, str]:
    total = f"{float(long) + float(short):.2f}" if long and short else ""
    return {
        "patient_id": patient,
        "date": date,
        "modality": modality,
        "sequence": "",
        "lesion_id": number,
        "long_axis_mm": long,
        "short_axis_mm": short,
        "size_mm": total,
    }


def best(patient: str, category: str, criteria: str = "mda2010") -> dict[str, str]:
    return {"patient_id": patient, "criteria": criteria, "best_response": category}


ANNA = Reading(
    responses=[
        visit("P1", DATES[0], "BL", total="60.00"),
        visit("P1", DATES[1], "PR", total="29.00"),
        visit("P1", DATES[2], "PD", total="50.00"),
        visit("P2", DATES[0], "BL", total="80.00"),
        visit("P2", DATES[1], "SD", total="79.00"),
        visit("P2", DATES[2], "NE"),
        visit("P3", DATES[0], "BL", total="20.00"),
        visit("P3", DATES[1], "CR", total="0.00"),
        visit("P3", DATES[2], "NE"),
        visit("P4", DATES[1], "SD", total="31.00"),
    ],
    patients=[best("P1", "PR"), best("P2", "SD"), best("P3", "CR"), best("P4", "SD")],
    lesions=[
        lesion("P1", "L01", "30.00", "20.00"),
        lesion("P1", "L02", "12.50", "10.00"),
        lesion("P2", "L01", "41.00", "25.00"),
        lesion("P2", "", "99.00", "99.00"),
        lesion("P2", "L02", "22.00", "", modality="MR"),
        lesion("P3", "L01", "0.00", "0.00", date=DATES[1]),
        lesion("P3", "L02", "0.00", "0.00", date=DATES[1]),
    ],
)
BERT = Reading(
    responses=[
        visit("P1", DATES[0], "BL", total="58.00"),
        visit("P1", DATES[1], "SD", total="33.00"),
        visit("P1", DATES[2], "PD", total="51.50"),
        visit("P2", DATES[0], "BL", total="84.00"),
        visit("P2", DATES[1], "SD", total="82.00"),
        visit("P2", DATES[2], "PD", total="99.00"),
        visit("P3", DATES[0], "BL", total="21.00"),
        visit("P3", DATES[1], "PD", total="0.00"),
        visit("P3", DATES[2], "NE"),
        visit("P5", DATES[1], "SD"),
    ],
    patients=[best("P1", "SD"), best("P2", "SD"), best("P3", "NE")],
    lesions=[
        lesion("P1", "L01", "31.00", "20.00"),
        lesion("P1", "L02", "12.00", "10.00"),
        lesion("P2", "L01", "43.00", "26.00"),
        lesion("P2", "", "1.00", "1.00"),
        lesion("P2", "L09", "5.00", "5.00"),
        lesion("P3", "L01", "0.00", "0.00", date=DATES[1]),
        lesion("P3", "L02", "8.00", "6.00", date=DATES[1]),
    ],
)
BOTH = compare(ANNA, BERT, names=("Anna", "Bert"))


def test_one_measurement_told_twice_has_no_agreement():
    """Two runs on the same outlines: what they say of sizes is one statement."""
    twin = compare(ANNA, Reading(responses=ANNA.responses, lesions=ANNA.lesions))
    rows = [row for row in twin.measurements if row["pairs"]]
    assert {row["quantity"] for row in rows} == {"long_axis_mm", "short_axis_mm", "size_mm", "size_sum_mm"}
    for row in rows:
        assert row["icc"] is row["bias"] is row["lower"] is None
        assert row["reason"] == "every pair is identical: one measurement, not two"


def test_one_pair_that_differs_makes_it_two_measurements():
    other = [*ANNA.lesions[1:], lesion("P1", "L01", "30.01", "20.00")]
    twin = compare(ANNA, Reading(responses=ANNA.responses, lesions=other))
    (row,) = (row for row in twin.measurements if (row["quantity"], row["scope"]) == ("long_axis_mm", "overall"))
    assert (row["pairs"], row["reason"]) == (4, "")
    assert row["icc"] is not None


def test_where_readers_are_named_a_size_without_a_name_is_nobodys():
    def read(reader: str, long: str) -> Reading:
        named = [lesion("P1", name, long, "20.00") | {"reader": reader} for name in ("L01", "L02")]
        return Reading(responses=(), lesions=[*named, lesion("P1", "L03", "50.00", "40.00") | {"reader": ""}])

    found = compare(read("Anna", "30.00"), read("Bert", "32.00"))
    assert {row["pairs"] for row in found.measurements} == {2}


def test_kappa_of_visits_leaves_out_baseline_and_ne_and_counts_them():
    (row,) = [row for row in BOTH.categories if row["item"] == "visit"]
    pairs = [
        (Category.PR, Category.SD),
        (Category.PD, Category.PD),
        (Category.SD, Category.SD),
        (Category.CR, Category.PD),
    ]
    kappa = cohen_kappa(pairs)
    assert row == {
        "one": "Anna",
        "other": "Bert",
        "criteria": "mda2010",
        "item": "visit",
        "scope": "overall",
        "pairs": 4,
        "observed_agreement": 0.5,
        "kappa": kappa.kappa,
        "kappa_low": kappa.low,
        "kappa_high": kappa.high,
        "weighted_kappa": kappa.weighted,
        "weighted_low": kappa.weighted_low,
        "weighted_high": kappa.weighted_high,
        "ne_one": 1,
        "ne_other": 0,
        "ne_both": 1,
        "only_one": 1,
        "only_other": 1,
        "reason": "",
    }
    assert row["kappa"] == pytest.approx((0.5 - 0.25) / 0.75)


def test_kappa_of_the_best_response_is_by_patient():
    (row,) = [row for row in BOTH.categories if row["item"] == "best_response"]
    assert (row["criteria"], row["scope"], row["pairs"], row["observed_agreement"]) == ("mda2010", "overall", 2, 0.5)
    assert (row["ne_one"], row["ne_other"], row["ne_both"]) == (0, 1, 0)
    assert (row["only_one"], row["only_other"]) == (1, 0)
    assert row["kappa"] == 0


def test_sizes_are_paired_by_place_in_the_series_and_by_lesion():
    rows = {(row["quantity"], row["scope"]): row for row in BOTH.measurements}
    assert list(rows) == [
        ("long_axis_mm", "CT"),
        ("long_axis_mm", "MR"),
        ("long_axis_mm", "overall"),
        ("short_axis_mm", "CT"),
        ("short_axis_mm", "overall"),
        ("size_mm", "CT"),
        ("size_mm", "overall"),
        ("size_sum_mm", "overall"),
    ]
    pairs = [(30, 31), (12.5, 12), (41, 43), (0, 8)]
    limits, correlation = bland_altman(pairs), icc(pairs)
    row = rows["long_axis_mm", "CT"]
    assert row["pairs"] == 4
    for name in ("bias", "bias_low", "bias_high", "sd", "lower", "lower_low", "lower_high", "upper", "upper_high"):
        assert row[name] == getattr(limits, name)
    assert (row["icc"], row["icc_low"], row["icc_high"]) == (correlation.icc, correlation.low, correlation.high)
    assert (row["only_one"], row["only_other"], row["criteria"], row["reason"]) == (0, 1, "", "")
    assert rows["long_axis_mm", "overall"]["only_one"] == 1
    assert rows["long_axis_mm", "MR"]["pairs"] == 0
    assert rows["long_axis_mm", "MR"]["reason"] == "fewer than 3 pairs"
    assert rows["size_mm", "CT"]["bias"] == pytest.approx((-1 + 0.5 - 3 - 14) / 4)


def test_sums_include_the_baseline_but_not_two_zeros():
    (row,) = [row for row in BOTH.measurements if row["quantity"] == "size_sum_mm"]
    assert (row["criteria"], row["scope"], row["pairs"]) == ("mda2010", "overall", 6)
    pairs = [(60, 58), (29, 33), (50, 51.5), (80, 84), (79, 82), (20, 21)]
    assert row["bias"] == bland_altman(pairs).bias == pytest.approx((2 - 4 - 1.5 - 4 - 3 - 1) / 6)
    assert (row["only_one"], row["only_other"]) == (1, 1)


def test_the_furthest_apart_come_first():
    assert [
        (row["priority"], row["patient_id"], row["date"], row["category_one"], row["category_other"])
        for row in BOTH.discordant
    ] == [
        (1, "P3", DATES[1], "CR", "PD"),
        (3, "P1", DATES[1], "PR", "SD"),
        (4, "P2", DATES[2], "NE", "PD"),
    ]
    assert BOTH.discordant[0] == {
        "one": "Anna",
        "other": "Bert",
        "priority": 1,
        "patient_id": "P3",
        "visit": f"on {DATES[1]}",
        "date": DATES[1],
        "criteria": "mda2010",
        "scope": "overall",
        "category_one": "CR",
        "category_other": "PD",
        "reason_one": "CR because",
        "reason_other": "PD because",
    }


@pytest.mark.parametrize(
    ("one", "other", "priority"),
    [
        ("CR", "PD", 1),
        ("PD", "CR", 1),
        ("CR", "SD", 2),
        ("PR", "PD", 2),
        ("CR", "PR", 3),
        ("PD", "SD", 3),
        ("NE", "PD", 4),
        ("SD", "NE", 4),
        ("iUPD", "iSD", 5),
        ("iCPD", "iUPD", 3),
    ],
)
def test_priority(one, other, priority):
    mine, theirs = (Reading(responses=[visit("P1", DATES[1], word)]) for word in (one, other))
    (row,) = compare(mine, theirs).discordant
    assert row["priority"] == priority


def test_criteria_and_scopes_are_kept_apart():
    told = [
        visit("P1", DATES[1], category, scope=scope, criteria=criteria)
        for criteria, category in (("who", "PR"), ("mda2010", "SD"))
        for scope in ("overall", "MR", "CT")
    ]
    rows = compare(Reading(responses=told), Reading(responses=told[1:])).categories
    assert [(row["criteria"], row["scope"], row["pairs"], row["only_one"]) for row in rows] == [
        ("mda2010", "CT", 1, 0),
        ("mda2010", "MR", 1, 0),
        ("mda2010", "overall", 1, 0),
        ("who", "CT", 1, 0),
        ("who", "MR", 1, 0),
        ("who", "overall", 0, 1),
    ]
    assert rows[-1]["reason"] == "no pairs"


def test_a_visit_that_is_baseline_for_one_reader_is_the_other_s_alone():
    mine, theirs = Reading(responses=[visit("P1", DATES[1], "BL")]), Reading(responses=[visit("P1", DATES[1], "PD")])
    agreement = compare(mine, theirs)
    (row,) = agreement.categories
    assert (row["pairs"], row["only_one"], row["only_other"]) == (0, 0, 1)
    assert agreement.discordant == ()


def test_visits_meet_by_date_whatever_they_are_called():
    mine, theirs = (Reading(responses=[visit("P1", DATES[1], "SD") | {"visit": name}]) for name in ("wk 12", "v2"))
    assert compare(mine, theirs).categories[0]["pairs"] == 1


def test_the_files_are_written_in_the_order_of_the_rows():
    cells = BOTH.cells
    assert list(cells) == ["agreement", "agreement_measurements", "adjudication"]
    for table, rows in (
        (AGREEMENT, BOTH.categories),
        (MEASUREMENT_AGREEMENT, BOTH.measurements),
        (ADJUDICATION, BOTH.discordant),
    ):
        written = to_csv(table, reversed(cells[table.name]))
        assert written == to_csv(table, cells[table.name])
        assert cells[table.name] == tuple(render_row(table, row) for row in rows)
        assert written.splitlines()[0] == ",".join(table.column_names)
        assert len(written.splitlines()) == len(rows) + 1
    assert to_csv(ADJUDICATION, cells["adjudication"]).splitlines()[1] == (
        "1,P3,on 2024-04-02,2024-04-02,mda2010,overall,CR,PD,CR because,PD because,Anna,Bert"
    )


def test_data_frames_have_the_columns_and_kinds_of_the_files():
    frame = BOTH.categories_frame
    assert list(frame.columns) == list(AGREEMENT.column_names)
    assert (str(frame["kappa"].dtype), str(frame["pairs"].dtype)) == ("float64", "Int64")
    assert list(BOTH.measurements_frame["quantity"])[-1] == "size_sum_mm"
    assert BOTH.discordant_frame["date"][0] == pd.Timestamp(dt.date(2024, 4, 2))


def test_nothing_to_compare_gives_empty_tables_with_headers():
    nothing = compare(Reading(responses=[]), Reading(responses=[]))
    assert (nothing.categories, nothing.measurements, nothing.discordant) == ((), (), ())
    assert list(nothing.discordant_frame.columns) == list(ADJUDICATION.column_names)
    assert nothing.names == ("one", "other")


def test_a_results_folder_s_rows_can_be_compared():
    values = {"patient_id": "P1", "visit": "wk 12", "date": DATES[1], "criteria": "mda2010", "scope": "overall"}
    rows = {
        "responses": (render_row(RESPONSES, values | {"category": "SD", "size_sum_mm": 31}),),
        "patients": (render_row(PATIENTS, {"patient_id": "P1", "criteria": "mda2010", "best_response": "SD"}),),
        "lesions": (
            render_row(LESIONS, {"patient_id": "P1", "date": DATES[1], "modality": "NM", "lesion_id": "L01"}),
            render_row(
                LESIONS, {"patient_id": "P1", "date": DATES[1], "modality": "CT", "lesion_id": "L01", "size_mm": 5}
            ),
        ),
    }
    reading = Reading.from_cells(rows)
    assert reading.responses[0]["size_sum_mm"] == "31.00"
    agreement = compare(reading, reading)
    assert [row["pairs"] for row in agreement.categories] == [1, 1]
    assert [(row["quantity"], row["scope"], row["pairs"]) for row in agreement.measurements] == [
        ("size_mm", "CT", 1),
        ("size_mm", "overall", 1),
        ("size_sum_mm", "overall", 1),
    ]
    assert Reading.from_cells({"responses": rows["responses"]}).lesions == ()


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (Reading(responses=[visit("P1", DATES[1], "good")]), "category is 'good' @ patient P1, date 2024-04-02"),
        (Reading(responses=[visit("P1", DATES[1], "")]), "category is '' @"),
        (Reading(responses=[visit("P1", DATES[1], "SD", total="wide")]), "size_sum_mm is 'wide' @ patient P1"),
        (
            Reading(responses=[visit("P1", DATES[1], "SD", total="nan")]),
            "size_sum_mm is 'nan' @ .*leave the cell empty",
        ),
        (
            Reading(responses=[visit("P1", DATES[1], "SD"), visit("P1", DATES[1], "PD")]),
            "responses has two rows for criteria mda2010, scope overall, patient_id P1, date 2024-04-02",
        ),
        (
            Reading(responses=[], lesions=[lesion("P1", "L1", "9", "8"), lesion("P1", "L1", "9", "8")]),
            "lesions has two rows for modality CT, patient_id P1, date 2024-01-05, lesion_id L1",
        ),
        (Reading(responses=[], patients=[best("P1", "SD")] * 2), "patients has two rows for criteria mda2010"),
        (Reading(responses=[{"patient_id": "P1"}]), "no column criteria @ patient P1; give rows as a results folder"),
    ],
)
def test_what_cannot_be_compared_is_named(reading, message):
    with pytest.raises(InputError, match=message):
        compare(reading, Reading(responses=[]))
    with pytest.raises(InputError, match=message):
        compare(Reading(responses=[]), reading)


CATEGORIES = st.sampled_from(["CR", "PR", "SD", "PD", "NE", "BL"])
TOTALS = st.decimals(0, 200, places=2).map(str) | st.just("")
TOLD = st.dictionaries(
    st.tuples(st.sampled_from(["P1", "P2", "P3"]), st.sampled_from(DATES), st.sampled_from(["overall", "CT"])),
    st.tuples(CATEGORIES, TOTALS),
    max_size=12,
)


def reading_of(told: dict[tuple[str, str, str], tuple[str, str]]) -> Reading:
    rows = [visit(name, date, word, scope=scope, total=total) for (name, date, scope), (word, total) in told.items()]
    sizes = [lesion(name, scope, total, total, date=date) for (name, date, scope), (_, total) in told.items() if total]
    return Reading(responses=rows, lesions=sizes)


@given(TOLD, TOLD)
def test_swapping_the_readers_swaps_what_is_told_of_each(mine, theirs):
    forth, back = compare(reading_of(mine), reading_of(theirs)), compare(reading_of(theirs), reading_of(mine))
    for row, twin in zip(forth.categories, back.categories, strict=True):
        same = ("criteria", "item", "scope", "pairs", "kappa", "kappa_low", "weighted_kappa", "ne_both", "reason")
        assert [row[name] for name in same] == [twin[name] for name in same]
        assert (row["ne_one"], row["only_one"]) == (twin["ne_other"], twin["only_other"])
    for row, twin in zip(forth.measurements, back.measurements, strict=True):
        assert [row[name] for name in ("quantity", "scope", "pairs", "sd", "icc", "icc_low", "icc_high")] == [
            twin[name] for name in ("quantity", "scope", "pairs", "sd", "icc", "icc_low", "icc_high")
        ]
        if row["bias"] is not None:
            assert (row["bias"], row["lower"], row["upper_high"]) == (-twin["bias"], -twin["upper"], -twin["lower_low"])
    assert [
        (row["patient_id"], row["priority"], row["category_one"], row["category_other"]) for row in forth.discordant
    ] == [(row["patient_id"], row["priority"], row["category_other"], row["category_one"]) for row in back.discordant]


@given(TOLD, TOLD, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(mine, theirs, shuffler):
    one, other = reading_of(mine), reading_of(theirs)
    shuffled = Reading(
        responses=shuffler.sample(one.responses, len(one.responses)),
        lesions=shuffler.sample(one.lesions, len(one.lesions)),
    )
    assert compare(shuffled, other) == compare(one, other)


@given(TOLD)
def test_a_reader_agrees_with_himself(told):
    agreement = compare(reading_of(told), reading_of(told))
    assert agreement.discordant == ()
    for row in agreement.categories:
        assert row["kappa"] in {None, 1}
        assert row["only_one"] == row["only_other"] == row["ne_one"] == row["ne_other"] == 0
    for row in agreement.measurements:
        assert row["bias"] in {None, 0}
        assert row["icc"] in {None, 1}


def test_the_room_loads_nothing_heavy():
    code = "import sys, mdanderson.statistics; print(sorted({'numpy', 'scipy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
