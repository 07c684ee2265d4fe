"""The report as pages that open from disk: a cohort page and a page per patient, each one file, none asks a network."""

from mdanderson.report.html.cohort_page import CohortResults, DrawnFigure, cohort_page
from mdanderson.report.html.patient_page import PatientResults, patient_page
from mdanderson.report.html.rendering import GENERATOR, page_name

__all__ = [
    "GENERATOR",
    "CohortResults",
    "DrawnFigure",
    "PatientResults",
    "cohort_page",
    "page_name",
    "patient_page",
]
