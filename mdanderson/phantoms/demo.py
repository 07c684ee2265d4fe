"""The embedded demo cohort as files: images, masks, manifest, and what must come out. Same bytes every time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdanderson.errors import OutputError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.cases import CASES, Case, Visit
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.render import LesionTruth, Phantom, render
from mdanderson.phantoms.shapes import rigid_motion
from mdanderson.phantoms.tables import write_table
from mdanderson.phantoms.write import write_ct_series, write_dicom_seg, write_label_map, write_nifti

__all__ = ["write_demo"]

_SEED = 20100180  # Costelloe et al., J Cancer 2010;1:80
_FIRST_DAY = dt.date(2024, 1, 8)
_NEXT_PATIENT_AFTER = dt.timedelta(days=9)
_TREATMENT_AFTER = dt.timedelta(days=7)
_SCANNERS_MM = ((1.5, 1.2), (2.5, 1.0), (1.8, 1.15), (2.5, 1.15), (2.0, 1.1))
"""Plane and pixel spacing; the visits take turns among those that resolve their lesions."""
_FEWEST_PLANES = 4.0
"""Planes through the smallest lesion, where a scanner allows it: with fewer its size is chance."""
_FIELD_OF_VIEW_MM = (72.0, 92.0, 98.0)
_CORNER_MM = (-49.0, -44.0, -36.0)
"""Where the first voxel of a scan lies in LPS, before the fraction of a voxel by which scans differ."""
_LARGEST_TURN_DEG, _LARGEST_SHIFT_MM = 6.0, 3.0
_NOISE_HU = (10.0, 18.0)

_MANIFEST = ("patient_id", "visit", "date", "modality", "image", "mask")
_PATIENTS = ("patient_id", "treatment_start", "story")
_TRUTH = ("patient_id", "visit", "date", "category", "rules")
_TRUTH_LESIONS = (
    "patient_id",
    "visit",
    "lesion",
    "label",
    "status",
    "lesion_type",
    "long_axis_mm",
    "short_axis_mm",
    "outline_long_axis_mm",
    "outline_short_axis_mm",
    "fill_fraction",
    "rim_thickness_mm",
    "x_mm",
    "y_mm",
    "z_mm",
)

_Row = dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scan:
    """One visit of one patient: its name in the tables, its date, and what the scanner saw."""

    case: Case
    visit: Visit
    name: str
    date: dt.date
    seen: Phantom

    @property
    def drawn(self) -> Mapping[int, str]:
        """Label -> lesion name, of what the mask holds."""
        return {s.lesion.label: s.name for s in self.visit.sights if s.lesion is not None and s.lesion.drawn}


def write_demo(directory: Path) -> Path:
    """Write the demo cohort into `directory` (made when new) and give its manifest, cohort.csv.

    Beside it: the images and masks, a folder a patient; patients.csv; truth.csv (category and rules of every visit)
    and truth_lesions.csv (status, axes and place of every lesion at every visit).
    Raises `OutputError` when the files cannot be written.
    """
    try:
        return _write(directory)
    except OSError as error:
        raise OutputError(
            f"the demo cohort cannot be written ({error.strerror})",
            where=str(directory),
            way_out="name a folder that may be written to",
        ) from error


def _write(directory: Path) -> Path:
    manifest: list[_Row] = []
    truth: list[_Row] = []
    lesions: list[_Row] = []
    for number, case in enumerate(CASES):
        for scan in _scans(number, case):
            manifest.append(_write_scan(directory, scan))
            truth.append(_truth_row(scan))
            lesions += _lesion_rows(scan)
    write_table(directory / "patients.csv", _PATIENTS, (_patient_row(n, case) for n, case in enumerate(CASES)))
    write_table(directory / "truth.csv", _TRUTH, truth)
    write_table(directory / "truth_lesions.csv", _TRUTH_LESIONS, lesions)
    return write_table(directory / "cohort.csv", _MANIFEST, manifest)


def _scans(number: int, case: Case) -> Iterator[_Scan]:
    """A patient's visits, each imaged on a grid, in a posture and with a noise of its own."""
    body = SyntheticVertebrae(seed=_SEED + number, trabecular_hu=case.trabecular_hu)
    for index, visit in enumerate(case.visits):
        random = np.random.default_rng([_SEED, number, index])
        date = _baseline_day(number) + dt.timedelta(weeks=visit.weeks)
        seen = render(
            body,
            [sight.lesion for sight in visit.sights if sight.lesion is not None],
            _grid(_scanner_mm(visit, number + index), random),
            motion=_posture(random),
            noise_hu=round(float(random.uniform(*_NOISE_HU)), 1),
            seed=int(random.integers(2**31)),
            date=date,
        )
        yield _Scan(case=case, visit=visit, name=f"visit{index + 1}", date=date, seen=seen)


def _scanner_mm(visit: Visit, turn: int) -> tuple[float, float]:
    """The scanner whose turn it is, among those whose planes are near enough to each other for this visit."""
    heights = [2 * sight.lesion.semi_axes_mm[2] for sight in visit.sights if sight.lesion is not None]
    widest_mm = min(heights, default=np.inf) / _FEWEST_PLANES
    fine_enough = [scanner for scanner in _SCANNERS_MM if scanner[0] <= widest_mm] or [min(_SCANNERS_MM)]
    return fine_enough[turn % len(fine_enough)]


def _grid(scanner_mm: tuple[float, float], random: np.random.Generator) -> Geometry:
    """The scanner's grid, off by a fraction of a voxel; positions in whole hundredths of a millimetre."""
    plane_mm, pixel_mm = scanner_mm
    spacing_mm = (plane_mm, pixel_mm, pixel_mm)
    shape = [round(extent / step) for extent, step in zip(_FIELD_OF_VIEW_MM, spacing_mm, strict=True)]
    origin_mm = np.round(np.asarray(_CORNER_MM) + random.uniform(-0.5, 0.5, 3) * spacing_mm[::-1], 2)
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin_mm.tolist())


def _posture(random: np.random.Generator) -> FloatArray:
    """How the patient lies this time: turned by some degrees about any axis, and shifted."""
    axis = random.normal(size=3)
    turn = axis / np.linalg.norm(axis) * random.uniform(2.0, _LARGEST_TURN_DEG)
    shift = random.uniform(-_LARGEST_SHIFT_MM, _LARGEST_SHIFT_MM, 3)
    return rigid_motion(rotation_deg=turn.tolist(), shift_mm=shift.tolist())


def _write_scan(directory: Path, scan: _Scan) -> _Row:
    """Image and mask as files; gives the row of the manifest."""
    row = {"patient_id": scan.case.patient_id, "visit": scan.name, "date": f"{scan.date}", "modality": "CT"}
    stem = f"{scan.case.patient_id}/{scan.name}"
    if scan.case.dicom:
        image, mask = f"{stem}_ct", f"{stem}_lesions.dcm"
        _write_dicom(directory / image, directory / mask, scan)
        return {**row, "date": "", "modality": "", "image": image, "mask": mask}
    image, mask = f"{stem}_ct.nii.gz", f"{stem}_lesions.nii.gz" if scan.drawn else ""
    write_nifti(scan.seen.volume, directory / image)
    if mask:
        write_label_map(scan.seen.mask, directory / mask)
    return {**row, "image": image, "mask": mask}


def _write_dicom(image: Path, mask: Path, scan: _Scan) -> None:
    patient_id = scan.case.patient_id
    seed = f"{patient_id} {scan.name}"
    series = write_ct_series(scan.seen.volume, image, patient_id=patient_id, study_date=scan.date, seed=seed)
    tracking = {label: f"{patient_id} lesion {name}" for label, name in scan.drawn.items()}
    write_dicom_seg(scan.seen.mask, series, mask, seed=seed, tracking=tracking)


def _baseline_day(number: int) -> dt.date:
    """One patient after the other joins the cohort."""
    return _FIRST_DAY + number * _NEXT_PATIENT_AFTER


def _patient_row(number: int, case: Case) -> _Row:
    start = _baseline_day(number) + _TREATMENT_AFTER
    return {"patient_id": case.patient_id, "treatment_start": f"{start}", "story": case.story}


def _truth_row(scan: _Scan) -> _Row:
    return {
        "patient_id": scan.case.patient_id,
        "visit": scan.name,
        "date": f"{scan.date}",
        "category": scan.visit.category,
        "rules": ";".join(scan.visit.rules),
    }


def _lesion_rows(scan: _Scan) -> Iterator[_Row]:
    """One row a lesion; axes and place stay empty where it is gone, its label where it was not segmented."""
    truths = iter(scan.seen.truths)
    for sight in scan.visit.sights:
        row = dict.fromkeys(_TRUTH_LESIONS, "")
        row |= {"patient_id": scan.case.patient_id, "visit": scan.name, "lesion": sight.name}
        row |= {"status": sight.status, "lesion_type": sight.lesion_type}
        yield row | (_measures(next(truths)) if sight.lesion is not None else {})


def _measures(truth: LesionTruth) -> _Row:
    """The lesion's cells that hold what was built, in mm and shares."""
    x, y, z = truth.centre_lps_mm
    numbers = {
        "long_axis_mm": truth.long_axis_mm,
        "short_axis_mm": truth.short_axis_mm,
        "outline_long_axis_mm": truth.outline_long_axis_mm,
        "outline_short_axis_mm": truth.outline_short_axis_mm,
        "fill_fraction": truth.fill_fraction,
        "rim_thickness_mm": truth.rim_thickness_mm,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
    }
    label = str(truth.label) if truth.drawn else ""
    return {"label": label} | {name: f"{value:.2f}" for name, value in numbers.items()}
