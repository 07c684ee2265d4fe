"""The cohort table: which images belong to which patient, and what is known of the patient besides.

A fault costs the row that has it, never the cohort: the row becomes a `Problem` that names file, row, column and the
way out, and its patient is scored from the other rows. Only a table that cannot be understood at all is an error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from mdanderson.errors import ManifestError, Problem, Severity
from mdanderson.findings import PatientFacts
from mdanderson.readers.text_table import Row, TextTable, nearest, read_text_table
from mdanderson.vocabulary import Modality, MrSequence

__all__ = ["Cohort", "ImageEntry", "LostImage", "Patient", "View", "read_cohort"]

_REQUIRED = ("patient_id", "image")
_OPTIONAL = ("date", "modality", "visit", "mask", "series", "sequence", "bone_mask", "reference_mask", "view")
_FACTS = ("treatment_start", "last_contact", "death_date")
_NOT_YET = ("reads.csv", "events.csv")
_WITHOUT_HEADER = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Formats that carry neither date nor modality."""

_Word = TypeVar("_Word", bound=StrEnum)


class View(StrEnum):
    """From where a planar bone scan looks."""

    ANT = "ANT"
    POST = "POST"


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
    """One row that cannot be used: what is known of it, and why. It may be the baseline, so it is not forgotten."""

    row: int
    date: dt.date | None = None
    modality: Modality | None = None
    visit: str = ""
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """One patient's rows in the order of the table: usable ones in `images`, the others in `lost`."""

    patient_id: str
    facts: PatientFacts
    images: tuple[ImageEntry, ...] = ()
    lost: tuple[LostImage, ...] = ()
    problems: tuple[Problem, ...] = ()


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


def read_cohort(path: str | Path) -> Cohort:
    """Read a manifest (CSV, TSV or Parquet) and `patients.csv` beside it; no image is opened.

    Raises `ManifestError` when the table cannot be read, lacks a required column or has no row.
    """
    manifest = Path(path)
    table = read_text_table(manifest)
    table.require(_REQUIRED, optional=_OPTIONAL)
    if not table.rows:
        raise ManifestError("no rows", where=manifest.name, way_out="write one row for every image")
    reading = _Reading(table=table)
    for row in table:
        reading.take(row)
    facts, facts_problems = _read_facts(manifest, known=reading.patient_ids)
    problems = (*_about_columns(table), *_about_unused(manifest), *facts_problems, *reading.problems)
    patients = (
        Patient(
            patient_id=patient_id,
            facts=facts.get(patient_id, PatientFacts(patient_id=patient_id)),
            images=tuple(reading.images[patient_id]),
            lost=tuple(reading.lost[patient_id]),
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
        patient_id, cells = row["patient_id"], _Cells(table=self.table, row=row)
        if not patient_id:
            self.problems.append(cells.fault("patient_id", "no patient", "name the patient"))
            return
        images, lost = self.images.setdefault(patient_id, []), self.lost.setdefault(patient_id, [])
        entry = cells.entry()
        if not cells.faults:
            cells.check_unique(entry, self.seen)
        if not cells.faults:
            images.append(entry)
            return
        self.problems += cells.faults
        why = "; ".join(f"{problem.what} @ {problem.where}" for problem in cells.faults)
        lost.append(LostImage(row=row.number, date=entry.date, modality=entry.modality, visit=entry.visit, why=why))


@dataclass(kw_only=True, slots=True)
class _Cells:
    """One row read cell by cell; what is wrong collects in `faults`."""

    table: TextTable
    row: Row
    faults: list[Problem] = field(default_factory=list)

    def fault(self, column: str, what: str, way_out: str) -> Problem:
        """Note what is wrong in a column."""
        row = self.row
        problem = Problem(
            patient_id=row["patient_id"],
            visit=row["visit"],
            where=self.table.place(row, column),
            what=what,
            how_to_fix=way_out,
        )
        self.faults.append(problem)
        return problem

    def entry(self) -> ImageEntry:
        """The row as it reads; to be used only when no fault was found."""
        row = self.row
        image = self.file("image")
        if not row["image"]:
            self.fault("image", "no image", "name a file, or a folder holding one DICOM series")
        if row.surplus:
            self.fault("", f"{len(row.surplus)} cells beyond the last column", "quote cells that hold the delimiter")
        return ImageEntry(
            image=image or Path(),
            row=row.number,
            date=self.date("date", needed=image),
            modality=self.word("modality", Modality, needed=image),
            visit=row["visit"],
            mask=self.file("mask"),
            series=row["series"],
            sequence=self.word("sequence", MrSequence) or "",
            bone_mask=self.file("bone_mask"),
            reference_mask=self.file("reference_mask"),
            view=self.word("view", View) or "",
            extra=_extra(row, (*_REQUIRED, *_OPTIONAL)),
        )

    def file(self, column: str) -> Path | None:
        """An existing file or folder, relative to the table; None where the cell is blank."""
        text = self.row[column]
        if not text:
            return None
        path = self.table.path.parent / text
        if not _exists(path):
            slashes = "\\" in text
            self.fault(
                column,
                f"file not found: {text}",
                "write the path with forward slashes" if slashes else "correct the path; it starts at the manifest",
            )
        return path

    def date(self, column: str, *, needed: Path | None = None) -> dt.date | None:
        """An ISO 8601 date; None where blank."""
        text = self.row[column]
        if not text:
            self.demand(column, needed, "write when the image was taken, as YYYY-MM-DD")
            return None
        try:
            return dt.datetime.fromisoformat(text).date()
        except ValueError:
            self.fault(column, f"not an ISO 8601 date: {text}", "write YYYY-MM-DD")
            return None

    def word(self, column: str, words: type[_Word], *, needed: Path | None = None) -> _Word | None:
        """A word of a closed vocabulary, whatever its case; None where blank."""
        text, known = self.row[column], ", ".join(words)
        if not text:
            self.demand(column, needed, f"write one of {known}")
            return None
        if text.upper() in list(words):
            return words(text.upper())
        twin = nearest(text, list(words))
        self.fault(column, f"unknown {column} {text}", f"write {twin}" if twin else f"write one of {known}")
        return None

    def demand(self, column: str, image: Path | None, way_out: str) -> None:
        """A blank cell is a fault where the image has no header that says it."""
        if image is not None and image.name.lower().endswith(_WITHOUT_HEADER):
            self.fault(column, f"no {column}, and {image.suffix} files do not carry one", way_out)

    def check_unique(self, entry: ImageEntry, seen: dict[tuple[Path, str, str], Row]) -> None:
        """One image is one row: two would count its lesions twice."""
        key = (entry.image.resolve(), entry.series, entry.view)
        first = seen.setdefault(key, self.row)
        if first is self.row:
            return
        whose = "" if first["patient_id"] == self.row["patient_id"] else " under another patient"
        self.fault(
            "image", f"the image of row {first.number}{whose} again", "keep one row, with one mask of all lesions"
        )


def _exists(path: Path) -> bool:
    """Whether something is there; a name that the file system refuses is not."""
    try:
        return path.exists()
    except OSError:
        return False


def _extra(row: Row, known: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in row.cells.items() if name not in known)


def _about_columns(table: TextTable) -> Iterator[Problem]:
    """A warning for every column that no version knows: kept, but perhaps misspelled."""
    known = (*_REQUIRED, *_OPTIONAL)
    absent = [name for name in known if name not in table.columns]
    for name in table.columns:
        if name not in known:
            twin = nearest(name, absent)
            yield Problem(
                severity=Severity.WARNING,
                where=f"{table.path.name} row 1",
                what=f"unknown column {name}: kept, not used",
                how_to_fix=f"rename it to {twin} if that is meant"
                if twin
                else "nothing to do if it is a remark of yours",
            )


def _about_unused(manifest: Path) -> Iterator[Problem]:
    """A warning for every table beside the manifest that would change results but is not read yet."""
    for name in _NOT_YET:
        if (manifest.parent / name).exists():
            yield Problem(
                severity=Severity.WARNING,
                where=name,
                what="this version does not use this table: readers' statements and events change no result",
                how_to_fix="judge the results with it at hand",
            )


def _read_facts(manifest: Path, *, known: Iterable[str]) -> tuple[dict[str, PatientFacts], list[Problem]]:
    """patients.csv beside the manifest, where there is one: facts by patient, and what is wrong with it."""
    path = manifest.parent / "patients.csv"
    if not path.exists() or path == manifest:
        return {}, []
    table = read_text_table(path)
    table.require(("patient_id",), optional=_FACTS)
    facts: dict[str, PatientFacts] = {}
    problems: list[Problem] = []
    for row in table:
        cells, patient_id = _Cells(table=table, row=row), row["patient_id"]
        start, last, death = (cells.date(name) for name in _FACTS)
        if patient_id in facts:
            cells.fault("patient_id", "the patient has a row already; this one is not used", "keep one row")
        elif patient_id not in known:
            problems.append(_stranger(table, row))
        else:
            facts[patient_id] = PatientFacts(
                patient_id=patient_id,
                treatment_start=start,
                last_contact=last,
                death_date=death,
                extra=_extra(row, ("patient_id", *_FACTS)),
            )
        problems += cells.faults
    return facts, problems


def _stranger(table: TextTable, row: Row) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        where=table.place(row, "patient_id"),
        what=f"patient {row['patient_id'] or '(blank)'} has no image in the manifest",
        how_to_fix="correct the spelling, or remove the row",
    )
