"""What a table lists at baseline in one modality is not new in another, though its row cannot be used (detail 4)."""

from __future__ import annotations

import pandas as pd
import pytest

from mdanderson.batch.classify import classify

FIRST, SECOND = "2024-01-01", "2024-06-01"


def overall(mr, ct, *, more=(), criteria="mda2010", reads=None):
    """L1 on CT twice and on MR at baseline; S2 by what MR says of it there and CT at follow-up, None without a row."""
    sized = {"long_axis_mm": "20", "short_axis_mm": "15"}
    rows = [("CT", "L1", FIRST, sized), ("CT", "L1", SECOND, sized), ("MR", "L1", FIRST, sized), *more]
    rows += [("MR", "S2", FIRST, mr)] if mr is not None else []
    rows += [("CT", "S2", SECOND, ct)]
    table = [
        {"patient_id": "P", "modality": modality, "lesion_id": lesion, "date": date} | said
        for modality, lesion, date, said in rows
    ]
    results = classify(pd.DataFrame(table), criteria=criteria.split(), reads=reads)
    last = results.responses[(results.responses["scope"] == "overall") & (results.responses["date"] == SECOND)]
    return dict(zip(last["criteria"], last["category"], strict=True)), " ".join(last["reason"])


def size(text, **more):
    long_axis, short_axis = text.split("x")
    return {"long_axis_mm": long_axis, "short_axis_mm": short_axis} | more


ALL = "mda2010 mda2004 who recist11"
FAULTY = [size("14x1O"), size("14x10", status="resolved"), size("14x10", findings="XX9"), size("14x-1")]


@pytest.mark.parametrize("mr", [*FAULTY, {}, {"site": "L3"}, {"status": "not_evaluable"}])
def test_what_nobody_can_read_there_may_be_new_here(mr):
    said, reason = overall(mr, size("12x10"), criteria=ALL)
    assert set(said.values()) == {"NE"}
    assert "S2 (MR lists it at baseline" in reason


@pytest.mark.parametrize("mr", [size("14x10"), {"status": "baseline"}, {"lesion_type": "lytic"}, {"status": "missing"}])
def test_what_it_shows_is_not(mr):
    said, _ = overall(mr, size("12x10"), criteria=ALL)
    assert said == {"mda2010": "SD", "mda2004": "SD", "who": "SD", "recist11": "Non-CR/Non-PD"}


@pytest.mark.parametrize("mr", [None, size("0x0"), {"status": "resolved"}])
def test_what_it_does_not_list_or_says_is_not_there_is(mr):
    assert set(overall(mr, size("12x10"), criteria=ALL)[0].values()) == {"PD"}


@pytest.mark.parametrize("mr", [*FAULTY, {}])
@pytest.mark.parametrize(
    ("ct", "category"),
    [
        (size("12x10", status="new"), "PD"),
        (size("12x10", new="true"), "PD"),
        ({"findings": "PD4"}, "PD"),
        ({"findings": "PD2"}, "PD"),
        (size("12x10", new="false"), "SD"),
        (size("12x10", status="followed"), "SD"),
        ({"findings": "SD3"}, "SD"),
        ({"lesion_type": "lytic", "findings": "PR1"}, "SD"),
        (size("0x0"), "SD"),
    ],
)
def test_a_reader_settles_it(mr, ct, category):
    assert overall(mr, ct)[0] == {"mda2010": category}


@pytest.mark.parametrize(("new", "category"), [("true", "PD"), ("false", "SD")])
def test_so_does_reads_csv(new, category):
    reads = pd.DataFrame([{"patient_id": "P", "date": SECOND, "modality": "CT", "lesion_id": "S2", "new": new}])
    assert overall(size("14x1O"), size("12x10"), reads=reads)[0] == {"mda2010": category}


def test_other_lesions_of_a_modality_without_baseline_were_there_as_well():
    more = [("MR", "S3", FIRST, size("14x1O"))]
    assert overall(size("14x10"), size("12x10"), more=more)[0] == {"mda2010": "SD"}
    assert overall(None, size("12x10"), more=more)[0] == {"mda2010": "PD"}


def test_its_own_zero_beside_a_row_that_cannot_be_read_says_nothing():
    more = [("CT", "S2", FIRST, size("0x0"))]
    assert overall(size("14x1O"), size("12x10"), more=more)[0] == {"mda2010": "NE"}
    assert overall({}, size("12x10"), more=more)[0] == {"mda2010": "PD"}


def test_foci_are_counted_by_the_scans_alone_and_the_warning_says_so():
    rows = [("NM", name, day, {"uptake": "3"}) for name in ("F1",) for day in (FIRST, SECOND)]
    rows += [("CT", name, FIRST, {"long_axis_mm": "14", "short_axis_mm": "10"}) for name in ("F2", "F3")]
    rows += [("NM", name, SECOND, {"uptake": "3"}) for name in ("F2", "F3")]
    table = [
        {"patient_id": "P", "modality": modality, "lesion_id": lesion, "date": date} | said
        for modality, lesion, date, said in rows
    ]
    for criteria, told in (
        (["mda2010"], "followed, not new"),
        (["pcwg3"], "not new (by PCWG3 it is: foci are counted by"),
    ):
        results = classify(pd.DataFrame(table), criteria=criteria)
        (row,) = results.responses[
            (results.responses["scope"] == "NM") & (results.responses["date"] == SECOND)
        ].itertuples()
        assert row.lesions_new == (2 if criteria == ["pcwg3"] else 0)
        assert all(told in what for what in results.problems["what"] if what.startswith("first shown here"))


def test_a_row_that_cannot_be_used_counts_at_its_visit_though_another_day_of_it_can():
    def said(*more):
        rows = [("CT", "L1", day, size("20x15")) for day in (FIRST, SECOND)]
        table = [
            {"patient_id": "P", "modality": modality, "lesion_id": lesion, "date": date} | cells
            for modality, lesion, date, cells in (*rows, *more)
        ]
        overall = classify(pd.DataFrame(table), criteria=["mda2010"]).responses
        return " ".join(overall[overall["scope"] == "overall"]["category"])

    at_baseline = [("CT", "L1", "2024-01-10", size("20x15")), ("CT", "S2", "2024-01-10", size("12x1O"))]
    assert said(*at_baseline, ("CT", "S2", SECOND, size("12x10"))) == "BL NE"
    assert said(*at_baseline, ("CT", "S2", SECOND, size("12x10", new="true"))) == "BL PD"
    assert said(("CT", "N2", "2024-06-05", size("12x1O"))) == "BL NE"
    assert said(("CT", "N2", "2024-06-05", size("12x1O")), ("CT", "N1", "2024-06-05", size("12x10"))) == "BL PD"
