"""The cohort table: which images belong to which patient, and what is known of the patient besides.

A fault costs the row that has it, never the cohort: the row becomes a `Problem` that names file, row, column and the
way out, and its patient is scored from the other rows. Only a table that cannot be understood at all is an error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import ManifestError, Problem
from mdanderson.findings import PatientFacts, Statement
from mdanderson.readers.cells import Cells, about_columns, about_twins, cell_date
from mdanderson.readers.companions import read_companions
from mdanderson.readers.pseudonyms import Pseudonyms
from mdanderson.readers.text_table import Row, TextTable, nearest, read_text_table
from mdanderson.vocabulary import Modality, MrSequence, View

__all__ = ["Cohort", "ImageEntry", "LostImage", "Patient", "read_cohort"]

_REQUIRED = ("patient_id", "image")
_OPTIONAL = ("date", "modality", "visit", "mask", "series", "sequence", "bone_mask", "reference_mask", "view")
_WITHOUT_HEADER = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Formats that carry neither date nor modality."""
_HAS_NO_IMAGE = "image in the manifest"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageEntry:
    """One usable row: its files exist, its words are known. row: as a spreadsheet counts, the header being row 1.

    `date` and `modality` are None where the image's own header says them. `mask` None = nothing segmented.
    """

    image: Path
    row: int
    date: dt.date | None = None
    modality: Modality | None = None
    visit: str = ""
    mask: Path | None = None
    series: str = ""
    sequence: str = ""
    bone_mask: Path | None = None
    reference_mask: Path | None = None
    view: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file or folder the row names, the image first."""
        return tuple(path for path in (self.image, self.mask, self.bone_mask, self.reference_mask) if path is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class LostImage:
    """One row that cannot be used: what is known of it, and why. It may be the baseline, so it is not forgotten.

    image: its header may tell what the row leaves blank. dated: whether the row tells the day, be it misspelt.
    """

    row: int
    date: dt.date | None = None
    image: Path | None = None
    dated: bool = False
    modality: Modality | None = None
    visit: str = ""
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """One patient's rows in the order of the table: usable ones in `images`, the others in `lost`.

    statements: what readers state of the patient's lesions (reads.csv). entries: how many of them a review has entered.
    """

    patient_id: str
    facts: PatientFacts
    images: tuple[ImageEntry, ...] = ()
    lost: tuple[LostImage, ...] = ()
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    entries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cohort:
    """The patients of a manifest in the order of the table. problems: all there are, patients' included."""

    path: Path
    patients: tuple[Patient, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Patient]:
        return iter(self.patients)

    def __len__(self) -> int:
        return len(self.patients)

    def __getitem__(self, patient_id: str) -> Patient:
        """The patient of that name. Raises `ManifestError` when there is none."""
        for patient in self.patients:
            if patient.patient_id == patient_id:
                return patient
        twin = nearest(patient_id, [patient.patient_id for patient in self.patients])
        raise ManifestError(
            f"no patient {patient_id!r}",
            where=self.path.name,
            way_out=f"is {twin!r} meant?" if twin else "iterate over the cohort to see its patients",
        )

    @property
    def folder(self) -> Path:
        """Where the manifest stands, and where relative paths start."""
        return self.path.parent


def read_cohort(path: str | Path, *, pseudonyms: Pseudonyms | None = None) -> Cohort:
    """Read a manifest (CSV, TSV or Parquet) with patients.csv, reads.csv and events.csv beside it; no image is opened.

    pseudonyms: other names for the patients of all these tables.
    Raises `ManifestError` when a table cannot be read or lacks a required column, or the manifest has no row.
    """
    manifest = Path(path)
    table = read_text_table(manifest)
    table.require(_REQUIRED, optional=_OPTIONAL)
    if not table.rows:
        raise ManifestError("no rows", where=manifest.name, way_out="write one row for every image")
    told = tuple(about_twins(table))
    if pseudonyms:
        told = (*(one.of(patient_id=pseudonyms.of(one.patient_id)) for one in told), *pseudonyms.told_by_files(table))
    table = pseudonyms.applied(table) if pseudonyms else table
    reading = _Reading(table=table)
    for row in table:
        reading.take(row)
    beside = read_companions(manifest, known=reading.images, known_from=_HAS_NO_IMAGE, pseudonyms=pseudonyms)
    problems = (*about_columns(table, (*_REQUIRED, *_OPTIONAL)), *told, *beside.problems, *reading.problems)
    patients = (
        Patient(
            patient_id=patient_id,
            facts=beside.facts(patient_id),
            images=tuple(reading.images[patient_id]),
            lost=tuple(reading.lost[patient_id]),
            statements=beside.statements.get(patient_id, ()),
            problems=tuple(problem for problem in problems if problem.patient_id == patient_id),
        )
        for patient_id in reading.patient_ids
    )
    return Cohort(path=manifest, patients=tuple(patients), problems=problems)


@dataclass(kw_only=True, slots=True)
class _Reading:
    """What has been read so far; the only thing here that changes."""

    table: TextTable
    images: dict[str, list[ImageEntry]] = field(default_factory=dict)
    lost: dict[str, list[LostImage]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seen: dict[tuple[Path, str, str], Row] = field(default_factory=dict)

    @property
    def patient_ids(self) -> tuple[str, ...]:
        return tuple(self.images)

    def take(self, row: Row) -> None:
        """Keep a row, or the problems it has instead."""
        patient_id, cells = row["patient_id"], Cells(table=self.table, row=row)
        if not patient_id:
            self.problems.append(cells.fault("patient_id", "no patient", "name the patient"))
            return
        images, lost = self.images.setdefault(patient_id, []), self.lost.setdefault(patient_id, [])
        entry = _entry(cells)
        if not cells.faults:
            self._check_unique(entry, cells)
        if not cells.faults:
            images.append(entry)
            return
        self.problems += cells.faults
        lost.append(
            LostImage(
                row=row.number,
                date=entry.date,
                image=entry.image if row["image"] else None,
                dated=bool(row["date"]),
                modality=entry.modality,
                visit=entry.visit,
                why=cells.why,
            )
        )

    def _check_unique(self, entry: ImageEntry, cells: Cells) -> None:
        """One image is one row: two would count its lesions twice."""
        row = cells.row
        first = self.seen.setdefault((entry.image.resolve(), entry.series, _part_of(entry)), row)
        if first is row:
            return
        whose = "" if first["patient_id"] == row["patient_id"] else " under another patient"
        cells.fault(
            "image", f"the image of row {first.number}{whose} again", "keep one row, with one mask of all lesions"
        )


def _part_of(entry: ImageEntry) -> str:
    """Which image of a file is meant: a view, or the one of a sequence where a DICOM series holds several."""
    return entry.view if entry.image.name.lower().endswith(_WITHOUT_HEADER) else f"{entry.view} {entry.sequence}"


def _entry(cells: Cells) -> ImageEntry:
    """The row as it reads; to be used only when no fault was found."""
    row = cells.row
    image = _file(cells, "image")
    if not row["image"]:
        cells.fault("image", "no image", "name a file, or a folder holding one DICOM series")
    cells.check_surplus()
    _demand(cells, "date", image, "write when the image was taken, as YYYY-MM-DD")
    _demand(cells, "modality", image, f"write one of {', '.join(Modality)}")
    return ImageEntry(
        image=image or Path(),
        row=row.number,
        date=cells.read("date", cell_date),
        modality=cells.word("modality", Modality),
        visit=row["visit"],
        mask=_file(cells, "mask"),
        series=row["series"],
        sequence=cells.word("sequence", MrSequence) or "",
        bone_mask=_file(cells, "bone_mask"),
        reference_mask=_file(cells, "reference_mask"),
        view=cells.word("view", View) or "",
        extra=row.others((*_REQUIRED, *_OPTIONAL)),
    )


def _demand(cells: Cells, column: str, image: Path | None, way_out: str) -> None:
    """A blank cell is a fault where the image has no header that says it."""
    if cells.row[column] or image is None or not image.name.lower().endswith(_WITHOUT_HEADER):
        return
    cells.fault(column, f"no {column}, and {image.suffix} files do not carry one", way_out)


def _file(cells: Cells, column: str) -> Path | None:
    """An existing file or folder, relative to the table; None where the cell is blank."""
    text = cells.row[column]
    if not text:
        return None
    path = cells.table.path.parent / text
    if _exists(path) and not (path.is_file() or path.is_dir()):
        cells.fault(column, "neither a file nor a folder", "name the file; a device or a pipe is not read")
    elif not _exists(path):
        slashes = "\\" in text
        cells.fault(
            column,
            f"file not found: {text}",
            "write the path with forward slashes" if slashes else "correct the path; it starts at the manifest",
        )
    return path


def _exists(path: Path) -> bool:
    """Whether something is there; a name that the file system refuses is not."""
    try:
        return path.exists()
    except OSError:
        return False
