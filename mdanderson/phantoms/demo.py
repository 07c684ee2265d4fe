"""The embedded demo cohort as files: images, masks, manifest, and what must come out. Same bytes every time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdanderson.phantoms.case import Case, Sight, Visit
from mdanderson.phantoms.cases import CASES
from mdanderson.phantoms.demo_images import Seen, see
from mdanderson.phantoms.files import MANIFEST, Row, Taken, baseline_day, treatment_start, writing_to
from mdanderson.phantoms.render import LesionTruth
from mdanderson.phantoms.tables import write_table

__all__ = ["write_demo"]

_FIRST_DAY = dt.date(2024, 1, 8)

_PATIENTS = ("patient_id", "treatment_start", "story")
_TRUTH = ("patient_id", "visit", "date", "category", "rules")
_TRUTH_MODALITIES = ("patient_id", "visit", "date", "modality", "category", "rules", "flare", "percist")
_TRUTH_LESIONS = (
    "patient_id",
    "visit",
    "modality",
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
    "signal_ratios",
    "uptake_ratio",
    "suv",
    "x_mm",
    "y_mm",
    "z_mm",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scan:
    """One modality at one visit of one patient: its name in the tables, its date, and what the scanner saw.

    leads: whether it speaks for the patient.
    """

    case: Case
    visit: Visit
    name: str
    date: dt.date
    leads: bool
    seen: Seen

    @property
    def taken(self) -> Taken:
        """Its files."""
        labels = {s.lesion.label: s.name for s in self.visit.sights if s.lesion is not None and s.lesion.drawn}
        patient_id = self.case.patient_id
        return Taken(
            patient_id=patient_id,
            visit=self.name,
            date=self.date,
            volumes=self.seen.volumes,
            masks=self.seen.masks,
            names={label: f"{patient_id} lesion {name}" for label, name in labels.items()},
            seed=f"{patient_id} {self.name}",
        )


def write_demo(directory: str | Path) -> Path:
    """Write the demo cohort into `directory` (made when new) and give its manifest, cohort.csv.

    Beside it: the images and masks, a folder a patient; patients.csv; truth.csv (category and rules of every visit),
    truth_modalities.csv (of every modality there) and truth_lesions.csv (status, sizes, ratios and place of every
    lesion at every visit in every modality).
    Raises `OutputError` when the files cannot be written.
    """
    folder = Path(directory)
    with writing_to(folder, "the demo cohort"):
        return _write(folder)


def _write(directory: Path) -> Path:
    manifest: list[Row] = []
    truth: list[Row] = []
    modalities: list[Row] = []
    lesions: list[Row] = []
    for number, case in enumerate(CASES):
        for scan in _scans(number, case):
            manifest += scan.taken.write(directory, dicom=case.dicom)
            row = _truth_row(scan)
            modalities.append(row)
            lesions += _lesion_rows(scan)
            if scan.leads:
                truth.append({column: row[column] for column in _TRUTH})
    write_table(directory / "patients.csv", _PATIENTS, (_patient_row(n, case) for n, case in enumerate(CASES)))
    write_table(directory / "truth.csv", _TRUTH, truth)
    write_table(directory / "truth_modalities.csv", _TRUTH_MODALITIES, modalities)
    write_table(directory / "truth_lesions.csv", _TRUTH_LESIONS, lesions)
    return write_table(directory / "cohort.csv", MANIFEST, manifest)


def _scans(number: int, case: Case) -> Iterator[_Scan]:
    """A patient's visits in order of time, modality by modality."""
    weeks: list[int] = []
    for visit in case.visits:
        leads = visit.weeks not in weeks
        weeks += [visit.weeks] if leads else []
        index = len(weeks) - 1
        date = baseline_day(_FIRST_DAY, number) + dt.timedelta(weeks=visit.weeks)
        seen = see(case, visit, patient=number, number=index, date=date)
        yield _Scan(case=case, visit=visit, name=f"visit{index + 1}", date=date, leads=leads, seen=seen)


def _patient_row(number: int, case: Case) -> Row:
    start = treatment_start(_FIRST_DAY, number)
    return {"patient_id": case.patient_id, "treatment_start": f"{start}", "story": case.story}


def _truth_row(scan: _Scan) -> Row:
    return {
        "patient_id": scan.case.patient_id,
        "visit": scan.name,
        "date": f"{scan.date}",
        "modality": scan.visit.modality,
        "category": scan.visit.category,
        "rules": ";".join(scan.visit.rules),
        "flare": str(scan.visit.flare).lower(),
        "percist": scan.visit.percist,
    }


def _lesion_rows(scan: _Scan) -> Iterator[Row]:
    """One row a lesion; sizes, ratios and place stay empty where it is gone, its label where it was not segmented."""
    foci = iter(range(1, len(scan.visit.sights) + 1))
    for sight in scan.visit.sights:
        row = dict.fromkeys(_TRUTH_LESIONS, "")
        row |= {"patient_id": scan.case.patient_id, "visit": scan.name, "modality": scan.visit.modality}
        row |= {"lesion": sight.name, "status": sight.status, "lesion_type": sight.lesion_type or ""}
        if sight.focus is not None:
            row |= {"label": str(next(foci)), "uptake_ratio": f"{scan.seen.uptake[sight.name]:.3f}"}
        if sight.lesion is not None:
            row |= _measures(scan.seen.truths[sight.name]) | _signals(sight)
        if sight.name in scan.seen.places:
            row |= {f"{axis}_mm": f"{at:.2f}" for axis, at in zip("xyz", scan.seen.places[sight.name], strict=True)}
        yield row


def _measures(truth: LesionTruth) -> Row:
    """The lesion's cells that hold what was built, in mm and shares."""
    numbers = {
        "long_axis_mm": truth.long_axis_mm,
        "short_axis_mm": truth.short_axis_mm,
        "outline_long_axis_mm": truth.outline_long_axis_mm,
        "outline_short_axis_mm": truth.outline_short_axis_mm,
        "fill_fraction": truth.fill_fraction,
        "rim_thickness_mm": truth.rim_thickness_mm,
    }
    label = str(truth.label) if truth.drawn else ""
    return {"label": label} | {name: f"{value:.2f}" for name, value in numbers.items()}


def _signals(sight: Sight) -> Row:
    """Ratios to normal marrow by sequence, and the SUV before the camera blurs it."""
    return {
        "signal_ratios": ";".join(f"{sequence}={ratio:g}" for sequence, ratio in sight.signal.items()),
        "suv": f"{sight.suv:g}" if sight.suv else "",
    }
