"""From a timeline to rows: every field in its column, nothing invented."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from functools import partial

import pytest
from rich.console import Console

from mdanderson.criteria import Response
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Density, Event, Examination, LesionFinding, PatientFacts, Structure
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, Table
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.terminal import response_table
from mdanderson.report.trace import TRACE, trace_rows, trace_text
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Alignment, Collapse, EventKind, LesionType, Modality, Pain, Status

BASELINE, LATER = dt.date(2024, 1, 5), dt.date(2024, 4, 2)


def finding(date: dt.date, status: Status, long_mm: str, short_mm: str, **more: object) -> LesionFinding:
    return LesionFinding(
        lesion_id="L01",
        status=status,
        modality=Modality.CT,
        date=date,
        label="3",
        lesion_type=LesionType.LYTIC,
        long_axis_mm=Decimal(long_mm),
        short_axis_mm=Decimal(short_mm),
        **more,
    )


@pytest.fixture
def timeline() -> Timeline:
    density = Density(
        mean_hu=53.26,
        median_hu=50.0,
        reference_hu=180.04,
        reference_source="nearest bone",
        reference_voxels=812,
        lytic_fraction=0.87654,
        sclerotic_fraction=0.0,
    )
    first = finding(
        BASELINE,
        Status.BASELINE,
        "28.10",
        "18.00",
        density=density,
        volume_ml=4.56789,
        centroid_lps_mm=(-1.234, 20.0, -0.001),
        slice_number=12,
    )
    second = finding(LATER, Status.FOLLOWED, "14.00", "9.05", registration_error_mm=0.456, parents=("L01", "L02"))
    return build_timeline(
        PatientFacts(patient_id="P01", treatment_start=dt.date(2024, 1, 10)),
        [
            Examination(modality=Modality.CT, date=BASELINE, visit="baseline", lesions=(first,)),
            Examination(modality=Modality.CT, date=LATER, visit="week 12", lesions=(second,)),
        ],
        settings=Settings(),
        problems=[Problem(what="a remark", severity=Severity.INFO, where="a.nii", how_to_fix="nothing")],
    )


def named(table: Table, row: tuple[str, ...]) -> dict[str, str]:
    """A row without its empty cells."""
    return {name: cell for name, cell in zip(table.column_names, row, strict=True) if cell}


def test_lesion_rows(timeline: Timeline) -> None:
    first, second = (named(LESIONS, row) for row in timeline_rows(timeline)["lesions"])
    wanted = {
        "patient_id": "P01",
        "visit": "baseline",
        "date": "2024-01-05",
        "modality": "CT",
        "lesion_id": "L01",
        "label": "3",
        "status": "baseline",
        "lesion_type": "lytic",
        "measurable": "true",
        "basis": "measured",
        "long_axis_mm": "28.10",
        "short_axis_mm": "18.00",
        "size_mm": "46.10",
        "product_mm2": "505.80",
        "volume_ml": "4.568",
        "mean_hu": "53.3",
        "reference_hu": "180.0",
        "reference_source": "nearest bone",
        "lytic_fraction": "0.8765",
        "sclerotic_fraction": "0.0000",
        "category": "BL",
        "x_mm": "-1.23",
        "y_mm": "20.00",
        "z_mm": "0.00",
        "slice": "12",
        "treated": "false",
        "median_hu": "50.0",
        "reference_voxels": "812",
    }
    assert wanted.items() <= first.items()
    assert first.keys() - wanted.keys() <= {"reason"}
    assert second["size_mm"] == "23.05"
    assert second["size_change_baseline"] == "-0.500000"
    assert second["size_category"] == "PR"
    assert "PR3" in second["rules"].split(";")
    assert second["registration_error_mm"] == "0.46"
    assert second["parents"] == "L01;L02"
    assert not {"mean_hu", "x_mm", "slice"} & second.keys()


def test_response_rows(timeline: Timeline) -> None:
    rows = [named(RESPONSES, row) for row in timeline_rows(timeline)["responses"]]
    assert {(row["visit"], row["scope"]) for row in rows} == {
        ("baseline", "CT"),
        ("baseline", "overall"),
        ("week 12", "CT"),
        ("week 12", "overall"),
    }
    (later,) = (row for row in rows if (row["visit"], row["scope"]) == ("week 12", "CT"))
    assert later["weeks"] == "12.6"
    assert later["category"] == "PR"
    assert later["criteria"] == "mda2010"
    assert later["size_sum_mm"] == "23.05"
    assert later["size_change_baseline"] == "-0.500000"
    assert (later["unconfirmed"], later["flare"], later["mixed"]) == ("false", "false", "false")
    assert (later["lesions_expected"], later["lesions_assessed"], later["lesions_new"]) == ("1", "1", "0")


def test_patient_rows(timeline: Timeline) -> None:
    (row,) = timeline_rows(timeline)["patients"]
    assert named(PATIENTS, row) == {
        "patient_id": "P01",
        "criteria": "mda2010",
        "best_response": "PR",
        "first_response_date": "2024-04-02",
        "progression_free_days": "83",
        "censored": "true",
        "lesions_baseline": "1",
        "baseline_pattern": "oligometastatic",
        "visits": "2",
        "response_duration_days": "0",
        "time_on_study_days": "83",
        "start_date": "2024-01-10",
    }


def test_problem_rows(timeline: Timeline) -> None:
    rows = timeline_rows(timeline)["problems"]
    assert ("info", "P01", "", "a.nii", "a remark", "nothing") in rows
    assert problem_row(Problem(what="x")) == ("error", "", "", "", "x", "")
    assert len(rows[0]) == len(PROBLEMS.columns)


def test_trace(timeline: Timeline) -> None:
    rows = timeline_rows(timeline)

    def by_name(table: Table, cells: tuple[tuple[str, ...], ...]) -> list[dict[str, str]]:
        return [dict(zip(table.column_names, row, strict=True)) for row in cells]

    text = trace_text(by_name(RESPONSES, rows["responses"]), by_name(TRACE, trace_rows(timeline)))
    assert text.splitlines()[0] == "P01 baseline 2024-01-05"
    later = text[text.index("P01 week 12 2024-04-02") :]
    of_lesion, of_sum = (line for line in later.splitlines() if line.startswith("    PR3 (PR) "))
    assert of_lesion.startswith("    PR3 (PR) fired: ")
    assert of_sum.endswith("[size falls by >= 50 %]")
    assert "    PD1 (PD) not fired: " in later
    assert "  mda2010 CT: PR, " in later
    assert later.index("    PR3") < later.index("  mda2010 CT")


def test_what_a_reader_states_and_what_follows_from_it_has_columns() -> None:
    """A treated spine lesion with structure, uptake and codes; its site makes SINS a range, no Mirels' score."""
    stated = {
        "site": "L3",
        "laterality": "left",
        "reader": "Smith",
        "comment": "two\nlines",
        "target": True,
        "node": False,
        "soft_tissue_mm": Decimal("12.5"),
        "reader_codes": frozenset({"PR4", "PR1"}),
        "structure": Structure(pain=Pain.NONE, alignment=Alignment.NORMAL, collapse=Collapse.NONE),
        "tlg": 12.345,
    }
    exams = [
        Examination(modality=Modality.CT, date=date, lesions=(finding(date, status, "20", "10", **stated),))
        for date, status in ((BASELINE, Status.BASELINE), (LATER, Status.FOLLOWED))
    ]
    facts = PatientFacts(
        patient_id="P01", events=(Event(date=dt.date(2024, 2, 1), kind=EventKind.RADIOTHERAPY, site="L3"),)
    )
    timeline = build_timeline(facts, exams, settings=Settings())
    first, second = (named(LESIONS, row) for row in timeline_rows(timeline)["lesions"])
    wanted = {
        "site": "L3",
        "laterality": "left",
        "reader": "Smith",
        "comment": "two lines",
        "target": "true",
        "node": "false",
        "soft_tissue_mm": "12.50",
        "findings": "PR1;PR4",
        "sins_min": "4",
        "sins_max": "7",
        "tlg": "12.35",
    }
    assert wanted.items() <= first.items()
    assert not {"mirels_min", "mirels_max"} & first.keys()
    assert (first["treated"], second["treated"]) == ("false", "true")


def test_probabilities_stand_beside_lesion_and_sum(timeline: Timeline) -> None:
    rows = timeline_rows(timeline)
    _, lesion = (named(LESIONS, row) for row in rows["lesions"])
    (response,) = (
        row for row in map(partial(named, RESPONSES), rows["responses"]) if row["scope"] == "CT" and "p_pr" in row
    )
    for row in (lesion, response):
        assert sum(float(row[name]) for name in ("p_cr", "p_pr", "p_sd", "p_pd")) == pytest.approx(1, abs=2e-4)
        assert float(row["p_pr"]) > 0.4
        assert float(row["threshold_distance"]) < 0.01
    baseline, _ = (named(LESIONS, row) for row in rows["lesions"])
    assert not {"p_cr", "threshold_distance"} & baseline.keys()


@pytest.mark.parametrize("site", ["femur shaft", ""])
def test_a_score_is_empty_where_it_is_not_for_such_a_lesion(site: str) -> None:
    one = Examination(
        modality=Modality.CT,
        date=BASELINE,
        lesions=(finding(BASELINE, Status.BASELINE, "20", "10", site=site),),
    )
    rows = timeline_rows(build_timeline(PatientFacts(patient_id="P01"), [one], settings=Settings()))
    (row,) = (named(LESIONS, cells) for cells in rows["lesions"])
    assert "sins_min" not in row
    assert ("mirels_min" in row) == bool(site)


def test_the_trace_tells_every_set_asked(timeline: Timeline) -> None:
    exams = [
        Examination(
            modality=Modality.CT,
            date=date,
            visit=visit,
            lesions=(finding(date, status, "20", "10"),),
        )
        for date, visit, status in ((BASELINE, "v1", Status.BASELINE), (LATER, "v2", Status.FOLLOWED))
    ]
    several = build_timeline(timeline.patient, exams, settings=Settings(), criteria=("who", "mda2010", "mda2004"))
    rows = [dict(zip(TRACE.column_names, row, strict=True)) for row in trace_rows(several)]
    asked = {(row["criteria"], row["scope"]) for row in rows if row["code"] and row["visit"] == "v2"}
    of_mda = {(criteria, scope) for criteria in ("mda2010", "mda2004") for scope in ("lesion", "CT")}
    assert asked == of_mda | {("who", "CT")}  # the patient's row names the modality that answers for it
    at_baseline = [row for row in rows if row["visit"] == "v1"]
    assert {row["category"] for row in at_baseline} == {"BL"}
    assert not any(row["code"] for row in at_baseline)
    assert {row["outcome"] for row in rows if row["code"]} <= {
        "fired",
        "not fired",
        "not applicable",
        "not assessable",
    }


def test_the_terminal_shows_what_was_said_and_no_markup() -> None:
    row = {
        "patient_id": "[red]P",
        "visit": "v1",
        "date": "2024-04-02",
        "category": "PD",
        "reason": "L01 [25 %]",
        "criteria": "mda2010",
    }
    out = io.StringIO()
    console = Console(file=out, width=100)
    console.print(response_table([row | {"unconfirmed": "true"}, row | {"unconfirmed": "false", "category": "SD"}]))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines == [
        "patient visit date category reason",
        "[red]P v1 2024-04-02 PD (unconfirmed) L01 [25 %]",
        "[red]P v1 2024-04-02 SD L01 [25 %]",
    ]


def test_the_fields_of_a_response_stand_in_the_order_of_the_columns() -> None:
    assert Response._fields[: len(RESPONSES.columns)] == RESPONSES.column_names
