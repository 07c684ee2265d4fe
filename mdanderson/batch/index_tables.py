"""The tables that an index writes, and the rows of them: the manifest, every series, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from mdanderson.readers.dicom_index import SeriesRow
from mdanderson.report.cells import Cells, render_row
from mdanderson.report.columns import PROBLEMS, Column, Kind, Table

__all__ = ["MANIFEST", "PROBLEMS", "SERIES", "series_cells"]

_PATIENT = Column(name="patient_id", meaning="the patient: PatientID, or as the options of `index` say")
_DATE = Column(name="date", meaning="day of the study", kind=Kind.DATE, unit="ISO 8601")

MANIFEST = Table(
    name="cohort",
    sort_by=("patient_id", "date", "modality", "sequence", "image", "series"),
    columns=(
        _PATIENT,
        Column(name="visit", meaning="label of the visit; blank = by date"),
        _DATE,
        Column(name="modality", meaning="CT MR NM PT XR"),
        Column(name="sequence", meaning="what an MR image weighs, as its header says"),
        Column(name="image", meaning="file, or folder that holds the series"),
        Column(name="series", meaning="SeriesInstanceUID; UID#2 is the second image of an MR series"),
        Column(name="mask", meaning="lesions drawn on the image; blank = nothing was"),
        Column(name="bone_mask", meaning="bones drawn on the image"),
    ),
)
"""What `score` reads."""

SERIES = Table(
    name="series",
    sort_by=("patient_id", "date", "modality", "series_number", "series"),
    columns=(
        _PATIENT,
        _DATE,
        Column(name="modality", meaning="as DICOM calls it"),
        Column(name="sequence", meaning="what an MR image weighs"),
        Column(name="series_number", meaning="as the scanner counted it", kind=Kind.COUNT),
        Column(name="description", meaning="as somebody called it"),
        Column(name="used", meaning="whether it is in the manifest", kind=Kind.FLAG),
        Column(name="reason", meaning="why not, or what it was recognised by"),
        Column(name="images", meaning="slices, or pictures", kind=Kind.COUNT),
        Column(name="plane", meaning="axial coronal sagittal, whichever is nearest"),
        Column(name="thickness_mm", meaning="thickness of a slice", kind=Kind.NUMBER, unit="mm", decimals=2),
        Column(name="kernel", meaning="of the reconstruction"),
        Column(name="contrast", meaning="agent that was given"),
        Column(name="image_type", meaning="words of ImageType, joined by /"),
        Column(name="folder", meaning="where its first file lies, from the folder that was indexed"),
        Column(name="series", meaning="SeriesInstanceUID"),
    ),
)
"""Everything that was found, whether it is used or not."""


def series_cells(rows: Iterable[SeriesRow]) -> list[Cells]:
    """The rows of `SERIES`."""
    return [render_row(SERIES, asdict(row)) for row in rows]
