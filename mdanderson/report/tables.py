"""From a patient's timeline to the rows of the result tables, and to a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mdanderson.errors import Problem
from mdanderson.report.cells import Cells, render_row
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from mdanderson.criteria.assessment import LesionAssessment, Response
    from mdanderson.timeline import Summary, Timeline

__all__ = ["lesion_row", "patient_row", "problem_row", "response_row", "response_table", "timeline_rows"]


def timeline_rows(timeline: Timeline) -> dict[str, tuple[Cells, ...]]:
    """Every row that a patient's timeline gives, by table name."""
    patient_id = timeline.patient.patient_id
    return {
        LESIONS.name: tuple(lesion_row(patient_id, lesion) for lesion in timeline.lesions),
        RESPONSES.name: tuple(response_row(response) for response in timeline.responses),
        PATIENTS.name: tuple(patient_row(timeline, summary) for summary in timeline.summaries),
        PROBLEMS.name: tuple(problem_row(problem) for problem in timeline.problems),
    }


def lesion_row(patient_id: str, lesion: LesionAssessment) -> Cells:
    """A row of lesions.csv."""
    finding, density = lesion.finding, lesion.finding.density
    x_mm, y_mm, z_mm = finding.centroid_lps_mm or (None, None, None)
    values: dict[str, object] = {
        "patient_id": patient_id,
        "slice": finding.slice_number,
        "x_mm": x_mm,
        "y_mm": y_mm,
        "z_mm": z_mm,
    }
    judged = _named(lesion, ("visit", "date", "measurable", "basis", "rules", "reason", *_CHANGES, *_CATEGORIES))
    measured = _named(finding, _OF_FINDING) | (_named(density, _OF_DENSITY) if density else {})
    return render_row(LESIONS, values | measured | judged)


def response_row(response: Response) -> Cells:
    """A row of responses.csv; the fields of a response are its columns."""
    return render_row(RESPONSES, _named(response, RESPONSES.column_names))


def patient_row(timeline: Timeline, summary: Summary) -> Cells:
    """A row of patients.csv: what one criteria set amounts to."""
    values: dict[str, object] = {
        "patient_id": timeline.patient.patient_id,
        "lesions_baseline": timeline.lesions_baseline,
        "baseline_pattern": timeline.baseline_pattern,
        "visits": len(timeline.visits),
    }
    return render_row(PATIENTS, values | _named(summary, _OF_SUMMARY))


def problem_row(problem: Problem) -> Cells:
    """A row of problems.csv; the fields of a problem are its columns."""
    return render_row(PROBLEMS, _named(problem, PROBLEMS.column_names))


def response_table(rows: Iterable[Mapping[str, str]]) -> RichTable:
    """The overall responses for the terminal, from rows of responses.csv by column name."""
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in ("patient", "visit", "date", "category"):
        table.add_column(name, no_wrap=True)
    table.add_column("reason", overflow="fold")
    for row in rows:
        category = row["category"] + (" (unconfirmed)" if row["unconfirmed"] == "true" else "")
        cells = (row["patient_id"], row["visit"], row["date"], category, row["reason"])
        table.add_row(*(Text(cell) for cell in cells))
    return table


_OF_FINDING = (
    "modality",
    "sequence",
    "lesion_id",
    "label",
    "site",
    "status",
    "lesion_type",
    "long_axis_mm",
    "short_axis_mm",
    "size_mm",
    "product_mm2",
    "volume_ml",
    "signal_ratio",
    "uptake_ratio",
    "suv_max",
    "suv_peak",
    "registration_error_mm",
    "outline_size_mm",
    "parents",
    "treated",
)
_OF_DENSITY = (
    "mean_hu",
    "reference_hu",
    "reference_source",
    "lytic_fraction",
    "sclerotic_fraction",
    "fill_in_fraction",
    "rim_fraction",
    "median_hu",
    "reference_sd_hu",
    "reference_voxels",
    "cleared_fraction",
)
_OF_SUMMARY = (
    "criteria",
    "best_response",
    "first_response_date",
    "progression_date",
    "progression_free_days",
    "censored",
)
_CATEGORIES = ("category", "size_category", "density_category", "signal_category", "uptake_category")
_CHANGES = ("size_change_baseline", "size_change_nadir")


def _named(source: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(source, name) for name in names}
