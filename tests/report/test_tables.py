"""From a timeline to rows: every field in its column, nothing invented."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

import pytest
from rich.console import Console

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Density, Examination, LesionFinding, PatientFacts
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, Table
from mdanderson.report.progress import shown_progress
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.terminal import response_table
from mdanderson.report.trace import TRACE, trace_rows, trace_text
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import LesionType, Modality, Status

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
    assert second["size_change_baseline"] == "-0.5000"
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
    assert later["size_change_baseline"] == "-0.5000"
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
    (fired,) = (line for line in later.splitlines() if line.startswith("    PR3 (PR) "))
    assert fired.startswith("    PR3 (PR) fired: ")
    assert "    PD1 (PD) not fired: " in later
    assert "  mda2010 CT: PR, " in later
    assert later.index("    PR3") < later.index("  mda2010 CT")


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


def standing(done: int, *, kept: int = 0, running: tuple[str, ...] = ()) -> SimpleNamespace:
    return SimpleNamespace(total=3, done=done, kept=kept, problems=done, running=running)


def show(tell: Callable[[SimpleNamespace], None]) -> None:
    tell(standing(1, kept=1))
    tell(standing(1, kept=1, running=("[P02]",)))
    tell(standing(2, kept=1, running=("[P02]",)))
    tell(standing(3, kept=1))


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    with shown_progress(console=Console(file=out)) as tell:
        show(tell)
    assert out.getvalue() == (
        "1 of 3 patients done, 1 of them by an earlier run; 1 problems\n"
        "2 of 3 patients done, 1 of them by an earlier run; 2 problems\n"
        "3 of 3 patients done, 1 of them by an earlier run; 3 problems\n"
    )


def test_a_bar_on_a_terminal() -> None:
    out = io.StringIO()
    with shown_progress(console=Console(file=out, force_terminal=True, width=100)) as tell:
        tell(standing(2, running=("[P02]",)))
    assert "2/3" in out.getvalue()
    assert "2 problems" in out.getvalue()
    assert "[P02]" in out.getvalue()


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=True) as tell:
        show(tell)
    assert capsys.readouterr() == ("", "")
