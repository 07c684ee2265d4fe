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


@pytest.mark.parametrize("constant", [{}, {"target": "false"}, {"node": "false"}, {"measurable": "true"}])
def test_whether_a_lesion_listed_blank_at_baseline_is_new_nobody_can_say(constant):
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND)]
    rows += [("CT", "N1", FIRST, constant), ("CT", "N1", SECOND, sized(12, 10, **constant))]
    said, told = classified(*rows, criteria="mda2010 who")
    assert said == {"mda2010": "BL NE", "who": "BL NE"}
    assert told == ["nothing is stated of N1: listed, not assessed there"]


@pytest.mark.parametrize(
    ("later", "category"),
    [
        (sized(12, 10, status="new"), "PD"),
        (sized(12, 10, new="true"), "PD"),
        ({"findings": "PD4"}, "PD"),
        (sized(12, 10, new="false"), "SD"),
        (sized(12, 10, status="followed"), "SD"),
        ({"lesion_type": "lytic", "findings": "PR1"}, "PR"),
        ({"findings": "PR4"}, "PR"),
        ({"findings": "CR1"}, "PR"),
        ({"findings": "SD3"}, "SD"),
        ({"findings": "PD2"}, "PD"),
        ({"findings": "SD4"}, "SD"),
        ({"status": "resolved"}, "PR"),
        ({"new": "false"}, "SD"),
        ({}, "SD"),
    ],
)
def test_unless_what_is_stated_later_tells(later, category):
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND)]
    assert classified(*rows, ("CT", "L2", FIRST, {}), ("CT", "L2", SECOND, later))[0] == {"mda2010": f"BL {category}"}


def test_new_false_on_the_blank_row_says_that_it_was_there():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND)]
    rows += [("CT", "N1", FIRST, {"new": "false"}), ("CT", "N1", SECOND, sized(12, 10))]
    assert classified(*rows)[0] == {"mda2010": "BL SD"}


@pytest.mark.parametrize("code", ["PR5", "CR4", "SD1"])
def test_a_table_of_findings_alone_keeps_its_first_day_as_baseline(code):
    said, _ = classified(("NM", "L1", FIRST, {"site": "T5"}), ("NM", "L1", SECOND, {"findings": code}))
    assert said == {"mda2010": f"BL {code[:2]}"}


def test_codes_of_reads_csv_tell_as_well():
    reads = pd.DataFrame(
        {"patient_id": ["P"], "date": [SECOND], "modality": "CT", "lesion_id": "L1", "findings": "PR1"}
    )
    assert classified(("CT", "L1", FIRST, {}), ("CT", "L1", SECOND, {}), reads=reads)[0] == {"mda2010": "BL PR"}


def test_a_lesion_listed_and_never_stated_bars_complete_response():
    rows = [("CT", "L1", FIRST, sized(20, 15)), ("CT", "L1", SECOND, sized(0, 0)), ("CT", "L2", FIRST, {})]
    assert classified(*rows)[0] == {"mda2010": "BL PR"}


def test_a_table_without_any_statement_is_not_evaluable():
    said, told = classified(*(("NM", name, day, {"site": "T5"}) for name in ("L1", "L2") for day in (FIRST, SECOND)))
    assert (said, len(told)) == ({"mda2010": "BL NE"}, 2)


def test_a_blank_row_dates_no_new_lesion():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND, THIRD)]
    said, _ = classified(*rows, ("CT", "N1", SECOND, {"target": "false"}), ("CT", "N1", THIRD, sized(12, 10)))
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


def test_a_day_of_blank_rows_took_place():
    """It is the baseline where it is the first, and not evaluable later; what is measured next may be new."""
    rows = [("CT", "L1", FIRST, {}), ("CT", "L1", SECOND, sized(20, 15)), ("CT", "L1", THIRD, {})]
    said, told = classified(*rows)
    assert said == {"mda2010": "BL NE NE"}
    assert len(told) == 2


def test_the_blank_rows_of_a_day_are_told_once():
    rows = [("NM", "L1", day, {"uptake": 3}) for day in (FIRST, SECOND)]
    assert classified(*rows, *(("NM", f"N{i}", SECOND, {}) for i in range(3)))[1] == [
        "nothing is stated of N0, N1, N2: listed, not assessed there"
    ]


def test_what_reads_csv_states_fills_a_blank_row():
    reads = pd.DataFrame(
        {"patient_id": "P", "date": [FIRST, SECOND], "modality": "CT", "lesion_id": "L1", "findings": ["", "PR4"]}
        | {"lesion_type": ["lytic", ""]}
    )
    said, told = classified(("CT", "L1", FIRST, {}), ("CT", "L1", SECOND, {}), reads=reads)
    assert (said, told) == ({"mda2010": "BL PR"}, [])


# a type that stands in every row


def typed(**said):
    return {"lesion_type": "lytic"} | said


@pytest.mark.parametrize(("later", "category"), [("lytic", "NE"), ("blastic", "SD"), ("", "SD")])
def test_a_type_repeated_from_row_to_row_states_nothing(later, category):
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND)]
    rows += [("CT", "N1", FIRST, typed()), ("CT", "N1", SECOND, sized(12, 10, lesion_type=later))]
    said, told = classified(*rows)
    assert (said, len(told)) == ({"mda2010": f"BL {category}"}, int(category == "NE"))


def test_a_type_repeated_dates_no_new_lesion_and_no_return():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND, THIRD)]
    rows += [("CT", "N1", SECOND, typed()), ("CT", "N1", THIRD, sized(12, 10, lesion_type="lytic"))]
    assert classified(*rows)[0] == {"mda2010": "BL SD PD"}
    rows = [("CT", name, FIRST, sized(20, 15, lesion_type="lytic")) for name in ("L1", "L2")]
    rows += [("CT", name, SECOND, sized(0, 0, lesion_type="lytic")) for name in ("L1", "L2")]
    rows += [("CT", "L1", THIRD, sized(0, 0)), ("CT", "L2", THIRD, typed())]
    assert classified(*rows, criteria="recist11")[0] == {"recist11": "BL CR NE"}


def test_a_type_is_all_that_is_stated_where_no_row_says_more():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND, THIRD)]
    rows += [("CT", "N1", day, {"lesion_type": "blastic"}) for day in (SECOND, THIRD)]
    assert classified(*rows) == ({"mda2010": "BL PD PD"}, [])


def test_a_type_repeated_beside_a_code_of_reads_csv_is_used():
    reads = pd.DataFrame(
        {"patient_id": ["P"], "date": [SECOND], "modality": "CT", "lesion_id": "L1", "findings": "PR1"}
    )
    rows = [("CT", "L1", FIRST, sized(20, 15, lesion_type="lytic")), ("CT", "L1", SECOND, typed())]
    assert classified(*rows, reads=reads)[0] == {"mda2010": "BL PR"}


def test_new_is_believed_after_rows_that_repeat_the_type():
    rows = [("CT", "L1", day, sized(20, 15)) for day in (FIRST, SECOND, THIRD)]
    rows += [("CT", "N1", day, typed()) for day in (FIRST, SECOND)]
    rows += [("CT", "N1", THIRD, sized(12, 10, lesion_type="lytic", status="new"))]
    assert classified(*rows)[0] == {"mda2010": "BL SD PD"}
