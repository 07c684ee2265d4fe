"""A cohort of phantoms as a specification asks for it: files, manifest, and the truth beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdanderson.phantoms.course import course
from mdanderson.phantoms.expected import expected_category, expected_of_foci
from mdanderson.phantoms.files import MANIFEST, Row, Taken, baseline_day, treatment_start, writing_to
from mdanderson.phantoms.known import LESION_CELLS, lesion_cells
from mdanderson.phantoms.spec import LesionShape, PatientSpec, PhantomSpec, VisitSpec
from mdanderson.phantoms.spec_checks import check_patient
from mdanderson.phantoms.spec_images import Imaged, host_of, image_visit
from mdanderson.phantoms.tables import write_table
from mdanderson.vocabulary import Category, Modality

__all__ = ["LESION_COLUMNS", "VISIT_COLUMNS", "write_phantoms"]

_CLEAR_SIGNAL = 0.3
"""Away from marrow's by this share, a lesion is plainly abnormal on MR."""

_PATIENTS = ("patient_id", "treatment_start")
LESION_COLUMNS = ("patient_id", "visit", "date", "modality", *LESION_CELLS)
VISIT_COLUMNS = (
    "patient_id",
    "visit",
    "date",
    "modality",
    "weeks",
    "category",
    *(f"motion_{row}{column}" for row in range(3) for column in range(4)),
)
"""motion: the first three rows of the matrix, body mm -> this visit's LPS mm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scan:
    """One visit of one patient: names, date, what the scanner saw and what is true of it."""

    patient: PatientSpec
    visit: VisitSpec
    name: str
    date: dt.date
    imaged: Imaged


def write_phantoms(specification: Path, directory: Path) -> Path:
    """Write the cohort that a TOML file asks for into `directory` (made when new) and give its manifest, cohort.csv.

    Beside it: a folder a patient with images and masks, patients.csv, truth.csv (one row per lesion and visit),
    truth_visits.csv (category where it follows, motion) and spec.toml, a copy of the specification.
    Raises `SettingsError` for what cannot be, `OutputError` when the files cannot be written, and what reading a real
    CT may raise.
    """
    spec = PhantomSpec.from_toml(specification)
    for number, patient in enumerate(spec.patient):  # what is wrong is told before anything is written
        check_patient(spec, number, patient, specification.parent)
    with writing_to(directory, "the phantoms"):
        manifest = _write(spec, specification.parent, directory)
        (directory / "spec.toml").write_bytes(specification.read_bytes())
    return manifest


def _write(spec: PhantomSpec, beside: Path, directory: Path) -> Path:
    manifest: list[Row] = []
    lesions: list[Row] = []
    visits: list[Row] = []
    for number, patient in enumerate(spec.patient):
        scans = []
        for scan in _scans(spec, number, patient, beside):
            manifest += _taken(spec, scan).write(directory, dicom=spec.format == "dicom")
            motion = scan.imaged.motion
            lesions += [_named(spec, scan) | lesion_cells(one, motion) for one in scan.imaged.lesions]
            scans.append(replace(scan, imaged=replace(scan.imaged, volumes=(), masks=())))  # images fill the memory
        visits += _visit_rows(spec, scans)
    starts = [
        {"patient_id": name, "treatment_start": f"{treatment_start(spec.first_day, number)}"}
        for number, name in enumerate(_order(spec))
    ]
    write_table(directory / "patients.csv", _PATIENTS, starts)
    write_table(directory / "truth.csv", LESION_COLUMNS, lesions)
    write_table(directory / "truth_visits.csv", VISIT_COLUMNS, visits)
    return write_table(directory / "cohort.csv", MANIFEST, manifest)


def _scans(spec: PhantomSpec, number: int, patient: PatientSpec, beside: Path) -> Iterator[_Scan]:
    host = host_of(spec.host_of(patient), seed=spec.seed + number, beside=beside)
    for index, (visit, lesions) in enumerate(course(patient)):
        date = baseline_day(spec.first_day, _order(spec).index(patient.id)) + dt.timedelta(weeks=visit.weeks)
        imaged = image_visit(
            host,
            spec.scan_of(visit),
            lesions,
            random=np.random.default_rng([spec.seed, number, index]),
            date=date,
            where=f"patient {patient.id}, visit {index + 1}",
        )
        yield _Scan(patient=patient, visit=visit, name=f"visit{index + 1}", date=date, imaged=imaged)


def _order(spec: PhantomSpec) -> list[str]:
    """The ids of the patients, each once."""
    return list(dict.fromkeys(patient.id for patient in spec.patient))


def _taken(spec: PhantomSpec, scan: _Scan) -> Taken:
    """The files of a scan."""
    named = {n: f"{scan.patient.id} lesion {one.seen.name}" for one in scan.imaged.lesions for n in one.labels[:1]}
    return Taken(
        patient_id=scan.patient.id,
        visit=scan.name,
        date=scan.date,
        volumes=scan.imaged.volumes,
        masks=scan.imaged.masks,
        names=named if spec.tracking else {},
        seed=f"{spec.seed} {scan.patient.id} {scan.name}",
    )


def _named(spec: PhantomSpec, scan: _Scan) -> Row:
    return {
        "patient_id": scan.patient.id,
        "visit": scan.name,
        "date": f"{scan.date}",
        "modality": spec.modality_of(scan.patient),
    }


def _visit_rows(spec: PhantomSpec, scans: Sequence[_Scan]) -> Iterator[Row]:
    """Rows of truth_visits.csv: the category where the words of the criteria leave no doubt."""
    for index, scan in enumerate(scans):
        motion = {f"motion_{r}{c}": f"{scan.imaged.motion[r, c]:.9f}" for r in range(3) for c in range(4)}
        category = _expected(scans[: index + 1], spec.modality_of(scan.patient)) if index else Category.BL
        yield {**_named(spec, scan), "weeks": str(scan.visit.weeks), "category": category or "", **motion}


def _expected(scans: Sequence[_Scan], modality: Modality) -> Category | None:
    """The category of the last of these visits."""
    first, last = scans[0].imaged.lesions, scans[-1].imaged.lesions
    if modality is Modality.NM:
        return expected_of_foci([one.seen for one in first], [one.seen for one in last])
    if any(part.fill or part.rim_mm for one in first for part in one.seen.parts) or _is_denser(scans[0], scans[-1]):
        return None
    sums = [
        {s.seen.name: s.size.long_axis_mm + s.size.short_axis_mm for s in scan.imaged.lesions if s.size}
        for scan in scans
    ]
    lowest = {name: min(earlier[name] for earlier in sums[:-1] if name in earlier) for name in sums[0]}
    unseen = any(one.share_in_view < 1.0 for one in last)
    return expected_category([one.seen for one in last], sums[-1], sums[0], lowest, unseen=unseen)


def _is_denser(first: _Scan, later: _Scan) -> bool:
    """Whether a lesion is of another density or signal inside: how much of that is a response, no words say.

    So is one that MR hardly tells from marrow.
    """
    before = {one.seen.name: one.seen.parts for one in first.imaged.lesions}
    for one in later.imaged.lesions:
        ratios = [ratio for part in one.seen.parts for ratio in part.signal.values()]
        if any(abs(ratio - 1.0) < _CLEAR_SIGNAL for ratio in ratios):
            return True
        then = before.get(one.seen.name, ())
        if then and {_inside(part) for part in one.seen.parts} - {_inside(part) for part in then}:
            return True
    return False


def _inside(part: LesionShape) -> tuple[float, ...]:
    return part.core_hu, *part.signal.values()
