"""A cohort of empty images and a stand-in that scores them, for the tests of this room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from mdanderson.batch import Results, score
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.readers.manifest import Patient
from mdanderson.report.columns import TABLES
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Modality, Status

DATES = (dt.date(2024, 1, 5), dt.date(2024, 4, 2))


def make_cohort(folder: Path, patients: int = 4) -> Path:
    """A manifest of patients with two visits each; the images are a few bytes."""
    rows = ["patient_id,image,date,modality,visit,mask"]
    for number in range(1, patients + 1):
        for visit, date in enumerate(DATES):
            image = f"p{number}_{visit}.nii"
            (folder / image).write_bytes(b"0" * number)
            rows.append(f"P{number:02d},{image},{date},CT,visit {visit},")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "cohort.csv"


def make_assess(**raises: BaseException) -> Callable[..., Timeline]:
    """A stand-in that measures file sizes; a patient named in `raises` raises. Nested, so that workers can have it."""

    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        if patient.patient_id in raises:
            raise raises[patient.patient_id]
        start = 10 + patient.images[0].image.stat().st_size
        sizes = (Decimal(start), Decimal(start) / 2)
        examinations = [
            Examination(
                modality=Modality.CT,
                date=date,
                visit=entry.visit,
                lesions=(
                    LesionFinding(
                        lesion_id="L01",
                        status=status,
                        modality=Modality.CT,
                        date=date,
                        visit=entry.visit,
                        long_axis_mm=size,
                        short_axis_mm=size,
                        centroid_lps_mm=(-1.0, 2.0, 3.0),
                    ),
                ),
            )
            for entry, date, size, status in zip(
                patient.images, DATES, sizes, (Status.BASELINE, Status.FOLLOWED), strict=True
            )
        ]
        note = Problem(what="a remark", severity=Severity.INFO, patient_id=patient.patient_id)
        return build_timeline(patient.facts, examinations, settings=settings, criteria=criteria, problems=[note])

    return assess


def tables(out: Path) -> dict[str, bytes]:
    return {table.name: (out / table.file_name).read_bytes() for table in TABLES}


def run(manifest: Path, out: Path, **given: object) -> Results:
    return score(manifest, out, **({"assess": make_assess()} | given))


def counting(calls: list[str]) -> Callable[..., Timeline]:
    """The stand-in, which names in `calls` every patient it scores."""
    usual = make_assess()

    def assess(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
        calls.append(patient.patient_id)
        return usual(patient, settings=settings, criteria=criteria)

    return assess
