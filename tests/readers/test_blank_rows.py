"""Rows of a grid of lesions and visits that state nothing of their lesion (docs/details.md, detail 36)."""

from __future__ import annotations

import pandas as pd
import pytest

from mdanderson.batch.classify import classify

FIRST, SECOND, THIRD = "2024-01-01", "2024-06-01", "2024-09-01"


def classified(*rows, criteria="mda2010", reads=None):
    """Rows of modality, lesion, day and what is stated; the overall categories by set, and warnings on blank rows."""
    table = [
        {"patient_id": "P", "modality": modality, "lesion_id": lesion, "date": date} | said
        for modality, lesion, date, said in rows
    ]
    results = classify(pd.DataFrame(table), criteria=criteria.split(), reads=reads)
    overall = results.responses[results.responses["scope"] == "overall"]
    said = {code: " ".join(group["category"]) for code, group in overall.groupby("criteria")}
    problems = results.problems
    told = [] if problems.empty else [what for what in problems["what"] if what.startswith("nothing is stated of")]
    return said, told


def sized(long_axis, short_axis, **more):
    return {"long_axis_mm": long_axis, "short_axis_mm": short_axis} | more


def test_a_blank_row_at_baseline_makes_no_baseline_lesion():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND)]
    said, told = classified(*rows, ("CT", "N1", FIRST, {}), ("CT", "N1", SECOND, sized(12, 10)), criteria="mda2010 who")
    assert said == {"mda2010": "BL PD", "who": "BL PD"}
    assert told == ["nothing is stated of N1: not assessed, as without a row"]


def test_a_blank_row_dates_no_new_lesion():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND, THIRD)]
    said, _ = classified(*rows, ("CT", "N1", SECOND, {}), ("CT", "N1", THIRD, sized(12, 10)))
    assert said == {"mda2010": "BL SD PD"}


def test_a_blank_row_of_what_was_gone_is_no_return():
    lesions = [("CT", "L1", sized(20, 15)), ("CT", "L2", {"lesion_type": "lytic"})]
    rows = [(modality, name, FIRST, said) for modality, name, said in lesions]
    rows += [("CT", name, SECOND, sized(0, 0)) for name in ("L1", "L2")]
    rows += [("CT", "L1", THIRD, sized(0, 0)), ("CT", "L2", THIRD, {})]
    assert classified(*rows, criteria="mda2010 recist11")[0] == {"mda2010": "BL CR PR", "recist11": "BL CR NE"}


@pytest.mark.parametrize("stated", [{"status": "followed"}, {"lesion_type": "lytic"}, {"findings": "SD1"}])
def test_what_states_anything_is_no_blank_row(stated):
    rows = [("CT", "L1", FIRST, {"lesion_type": "lytic"}), ("CT", "L1", SECOND, stated)]
    assert classified(*rows)[1] == []


@pytest.mark.parametrize("described", [{}, {"site": "L3", "comment": "see report", "reader": "", "label": "1"}])
def test_where_a_lesion_is_says_nothing_of_how_it_is(described):
    rows = [("NM", "L1", FIRST, {"uptake": 3}), ("NM", "L1", SECOND, described)]
    said, told = classified(*rows)
    assert said == {"mda2010": "BL NE"}
    assert len(told) == 1


def test_a_day_of_blank_rows_was_not_looked_at():
    """Before the first row that states anything there is no examination, after it one that is not evaluable."""
    rows = [("CT", "L1", FIRST, {}), ("CT", "L1", SECOND, sized(20, 15)), ("CT", "L1", THIRD, {})]
    said, told = classified(*rows)
    assert said == {"mda2010": "BL NE"}
    assert len(told) == 2


def test_the_blank_rows_of_a_day_are_told_once():
    rows = [("NM", "L1", day, {"uptake": 3}) for day in (FIRST, SECOND)]
    assert classified(*rows, *(("NM", f"N{i}", SECOND, {}) for i in range(3)))[1] == [
        "nothing is stated of N0, N1, N2: not assessed, as without a row"
    ]


def test_what_reads_csv_states_fills_a_blank_row():
    reads = pd.DataFrame(
        {"patient_id": "P", "date": [FIRST, SECOND], "modality": "CT", "lesion_id": "L1", "findings": ["", "PR4"]}
        | {"lesion_type": ["lytic", ""]}
    )
    said, told = classified(("CT", "L1", FIRST, {}), ("CT", "L1", SECOND, {}), reads=reads)
    assert (said, told) == ({"mda2010": "BL PR"}, [])
