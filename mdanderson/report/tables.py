"""From a patient's timeline to the rows of the result tables."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mdanderson.errors import Problem
from mdanderson.findings import LesionFinding, Structure
from mdanderson.report.cells import Cells, render_row, render_rows
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES
from mdanderson.stability import mirels, sins
from mdanderson.vocabulary import LesionType, Modality, Status

if TYPE_CHECKING:
    from mdanderson.criteria.assessment import LesionAssessment, Response
    from mdanderson.timeline import Summary, Timeline

__all__ = ["lesion_row", "patient_row", "problem_row", "timeline_rows"]


def timeline_rows(timeline: Timeline, *, lesions: bool = True) -> dict[str, tuple[Cells, ...]]:
    """Every row that a patient's timeline gives, by table name; without those of lesions where these are not wanted."""
    patient_id = timeline.patient.patient_id
    rows = {
        RESPONSES.name: _response_rows(timeline.responses),
        PATIENTS.name: tuple(patient_row(timeline, summary) for summary in timeline.summaries),
        PROBLEMS.name: tuple(problem_row(problem) for problem in timeline.problems),
    }
    if lesions:
        rows[LESIONS.name] = tuple(lesion_row(patient_id, lesion) for lesion in timeline.lesions)
    return rows


def lesion_row(patient_id: str, lesion: LesionAssessment) -> Cells:
    """A row of lesions.csv. What the criteria made of a finding stands before what was found."""
    finding = lesion.finding
    values = _OF_FINDING(finding)
    values |= _OF_LESION(lesion)
    values["patient_id"] = patient_id
    values["findings"] = finding.reader_codes
    values["slice"] = finding.slice_number
    values["adc_change"] = finding.adc_change_fraction
    probabilities = lesion.probabilities
    if probabilities is not None:
        values |= _OF_PROBABILITIES(probabilities)
    if finding.density is not None:
        values |= _OF_DENSITY(finding.density)
        values["reference_source"] = finding.density.reference_source or finding.density.why
    if finding.centroid_lps_mm is not None:
        values |= zip(("x_mm", "y_mm", "z_mm"), finding.centroid_lps_mm, strict=True)
    if finding.site and not finding.is_gone:
        values |= _risk(finding.site, finding.lesion_type, finding.structure)
    return render_row(LESIONS, values)


def _response_rows(responses: Sequence[Response]) -> tuple[Cells, ...]:
    """Rows of responses.csv; the fields of a response are its columns."""
    return tuple(render_rows(RESPONSES, [response[:_COLUMNS_OF_RESPONSE] for response in responses]))


def patient_row(timeline: Timeline, summary: Summary) -> Cells:
    """A row of patients.csv: what one criteria set amounts to."""
    values: dict[str, object] = {
        "patient_id": timeline.patient.patient_id,
        "lesions_baseline": timeline.lesions_baseline,
        "baseline_pattern": timeline.baseline_pattern,
        "visits": len(timeline.visits),
    }
    return render_row(PATIENTS, values | _OF_SUMMARY(summary))


def problem_row(problem: Problem) -> Cells:
    """A row of problems.csv; the fields of a problem are its columns."""
    return render_row(PROBLEMS, _OF_PROBLEM(problem))


@functools.lru_cache(maxsize=4096)
def _risk(site: str, lesion_type: LesionType | None, structure: Structure | None) -> dict[str, int]:
    """Least and most points of structural risk, of what is there; a table says the same of many lesions."""
    told = LesionFinding(
        lesion_id="",
        status=Status.FOLLOWED,
        modality=Modality.CT,
        date=dt.date.min,
        site=site,
        lesion_type=lesion_type,
        structure=structure,
    )
    points: dict[str, int] = {}
    for name, score in (("sins", sins(told)), ("mirels", mirels(told))):
        if score is not None:
            points |= {f"{name}_min": score.minimum, f"{name}_max": score.maximum}
    return points


def _named(*names: str) -> Callable[[object], dict[str, object]]:
    """What reads these attributes of a thing, by their names."""
    get = operator.attrgetter(*names)
    return lambda source: dict(zip(names, get(source)))  # noqa: B905 - as many values as names, by attrgetter


_OF_FINDING = _named(
    "modality",
    "sequence",
    "lesion_id",
    "label",
    "site",
    "site_source",
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
    "target",
    "node",
    "soft_tissue_mm",
    "laterality",
    "reader",
    "comment",
    "tlg",
    "adc_um2_s",
    "fat_fraction",
    "metabolic_volume_ml",
    "reference_source",
    "evidence",
)
_OF_DENSITY = _named(
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
_OF_LESION = _named(
    "visit",
    "date",
    "measurable",
    "basis",
    "rules",
    "reason",
    "size_change_baseline",
    "size_change_nadir",
    "category",
    "size_category",
    "density_category",
    "signal_category",
    "uptake_category",
    "treated",
    "category_measured",
)
_OF_PROBABILITIES = _named("p_cr", "p_pr", "p_sd", "p_pd", "threshold_distance")
_OF_SUMMARY = _named(
    "criteria",
    "best_response",
    "first_response_date",
    "progression_date",
    "progression_free_days",
    "censored",
    "event",
    "response_duration_days",
    "time_on_study_days",
    "start_date",
)
_COLUMNS_OF_RESPONSE = len(RESPONSES.columns)
_OF_PROBLEM = _named(*PROBLEMS.column_names)
