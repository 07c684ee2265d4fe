"""DICOM Structured Reports as a reader's table: the measurement groups of TID 1500, one row a lesion and report.

Read are reports of this program, of OHIF (dcmjs), of 3D Slicer and other writers of TID 1500, with today's codes or
the retired ones of SRT. A row says what a reader's table says; what the report leaves open stays blank, and what it
says otherwise (a length in pixels) stays as it is, to be refused as a cell would be.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pydicom import Dataset, dcmread

from mdanderson.errors import ImageError, ManifestError, Problem, Severity, printable
from mdanderson.readers.dicom_elements import BROKEN_HEADER, items, text, unheard
from mdanderson.readers.dicom_file import refuse_bomb, starts_like_dicom
from mdanderson.readers.dicom_sr_content import Group, groups_in, observers_in
from mdanderson.readers.dicom_sr_lesions import Renamed, named, renamed
from mdanderson.readers.text_table import Row, TextTable
from mdanderson.version import MAKER_NAME

__all__ = ["REPORT_COLUMNS", "table_of_reports"]

REPORT_COLUMNS = (
    *("patient_id", "date", "visit", "modality", "sequence", "lesion_id", "site", "laterality", "status", "parents"),
    *("lesion_type", "long_axis_mm", "short_axis_mm", "uptake", "signal_ratio", "suv_peak", "suv_max"),
    *("findings", "reader", "node"),
)
"""Columns of the table that reports make."""

_SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
_LARGEST_BYTES = 2**26
"""Of a report: it holds text and numbers; longer ones are no reports of measurements."""
_MOST_FILES = 100_000
_DATES = ("StudyDate", "SeriesDate", "ContentDate")
"""Of the visit, the first that is told; of our own reports the study's alone, as they are written much later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Report:
    """One document. superseded: UIDs of the documents that it replaces. author: who measured, never shown.

    written: when, as far as it says, to be compared as text; verified: by a human.
    """

    name: str
    uid: str
    patient_id: str
    date: str
    groups: tuple[Group, ...]
    superseded: frozenset[str]
    author: tuple[str, ...]
    written: str
    verified: bool

    device: tuple[str, ...]

    @property
    def visit(self) -> tuple[object, ...]:
        """Of what and by whom it speaks: another report of the same may correct it."""
        points = frozenset(group.cells.get("visit", "") for group in self.measured)
        return self.patient_id, self.date, points, self.author, self.device

    @property
    def measured(self) -> tuple[Group, ...]:
        """The groups that are used."""
        return tuple(group for group in self.groups if group.measures)


def table_of_reports(path: Path) -> TextTable:
    """The measurements of a report, or of all reports in a folder and the folders in it; other files are ignored.

    A document that is there twice, or that another one says it replaces, counts once; rows that say the same are one.
    Of several that one author wrote of one visit, and that contradict one another, the newest counts.
    Raises `ManifestError` where there is no report, or none with a measurement that criteria use.
    """
    reports: dict[str, _Report] = {}
    told: list[Problem] = []
    for file in _candidates(path):
        try:
            report = _read(file)
        except (ManifestError, ImageError) as error:
            told.append(Problem.from_error(error))
            continue
        if report is not None:
            reports.setdefault(report.uid or file.as_posix(), report)
    if not reports:
        why = f": {told[0].line}" if told else ""
        raise ManifestError(
            f"no DICOM SR that can be read{why}", where=path.name, way_out="name a report, or a folder of reports"
        )
    current, replaced = _current(list(reports.values()))
    rows = _rows(current)
    told += (*replaced, *_about_names(current), *_about_others(current, path))
    if not rows:
        raise ManifestError(
            "no report measures a lesion",
            where=path.name,
            way_out="save long and short axes (TID 1500), as with OHIF's bidirectional tool",
        )
    return TextTable(path=path, columns=REPORT_COLUMNS, rows=rows, told=tuple(told))


def _candidates(path: Path) -> Iterator[Path]:
    """The file itself, or the files below a folder in order of name; links to folders are not followed."""
    if not path.is_dir():
        yield path
        return
    count = 0
    for folder, inside, names in os.walk(path):
        inside.sort()
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                raise ManifestError(f"more than {_MOST_FILES} files", where=path.name, way_out="name a smaller folder")
            if not name.startswith("."):
                yield Path(folder, name)


def _read(file: Path) -> _Report | None:
    """The report in a file; None for what is none. Raises `ManifestError` or `ImageError` for a damaged one."""
    try:
        if not (file.is_file() and starts_like_dicom(file)):
            return None
        with unheard():
            refuse_bomb(file)
            kind = dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"], force=True)
            if not text(kind, "SOPClassUID").startswith(_SR_CLASSES):
                return None
            if file.stat().st_size > _LARGEST_BYTES:
                raise ManifestError("a report of more than 64 MB", where=file.name, way_out="export it again")
            return _report(dcmread(file, stop_before_pixels=True, force=True), file.name)
    except (ManifestError, ImageError) as error:
        raise error.located(file.name) from error
    except (*BROKEN_HEADER, OSError, struct.error) as error:
        raise ManifestError("the report is damaged or cut short", where=file.name, way_out="export it again") from error


def _report(document: Dataset, name: str) -> _Report:
    predecessors = (
        text(instance, "ReferencedSOPInstanceUID")
        for study in items(document, "PredecessorDocumentsSequence")
        for series in items(study, "ReferencedSeriesSequence")
        for instance in items(series, "ReferencedSOPSequence")
    )
    device = text(document, "Manufacturer"), text(document, "ManufacturerModelName")
    dates = _DATES[:1] if device[0] == MAKER_NAME else _DATES
    return _Report(
        name=name,
        uid=text(document, "SOPInstanceUID"),
        patient_id=text(document, "PatientID"),
        date=next((iso for keyword in dates if (iso := _iso(text(document, keyword)))), ""),
        groups=tuple(groups_in(document)),
        superseded=frozenset(predecessors),
        author=observers_in(document),
        written=_time_of(document),
        verified=text(document, "VerificationFlag") == "VERIFIED",
        device=device,
    )


def _time_of(document: Dataset) -> str:
    """When a report was written, YYYYMMDDHHMMSS and what follows; blank where it does not say."""
    day, time = text(document, "ContentDate"), text(document, "ContentTime")
    return f"{day}{time.ljust(6, '0')}" if day.isdecimal() and len(day) == 8 else ""


def _current(reports: Sequence[_Report]) -> tuple[list[_Report], list[Problem]]:
    """The reports that count, and what is told of those that another one replaces.

    One replaces what it names as its predecessor. Else, of those of one author, device and visit that have a lesion in
    common, the newest does, of two of one moment the verified one. Where they do not say when, it stays open, and what
    contradicts is refused as two rows are.
    """
    by = {uid: report for report in reports for uid in report.superseded if uid != report.uid}
    left = [report for report in reports if report.uid not in by]
    replaced = [(report, by[report.uid], "it says so") for report in reports if report.uid in by]
    visits: dict[tuple[object, ...], list[_Report]] = {}
    for report in left:
        visits.setdefault(report.visit, []).append(report)
    for report in left:
        newer = [one for one in visits[report.visit] if _corrects(one, report)]
        if newer:
            last = max(newer, key=lambda one: (one.written, one.verified))
            replaced.append((report, last, "it is newer, by the same author, of the same visit"))
    gone = {id(report) for report, _, _ in replaced}
    return [report for report in reports if id(report) not in gone], [_superseded(*one) for one in replaced]


def _corrects(one: _Report, other: _Report) -> bool:
    """Whether a report replaces another of its author and visit: a later one on all its modalities that differs."""
    if not (other.written and (one.written, one.verified) > (other.written, other.verified)):
        return False
    (kinds, lesions), (old_kinds, old_lesions) = _spoken(one), _spoken(other)
    return kinds >= old_kinds and bool(lesions & old_lesions) and _said(one) != _said(other)


def _spoken(report: _Report) -> tuple[set[str], set[tuple[str, str]]]:
    """Modalities with their sequences, and what lesions are known by in each."""
    told = [(f"{one.cells.get('modality', '')} {one.cells.get('sequence', '')}", one) for one in report.measured]
    known = {(kind, name) for kind, one in told for name in (one.label or one.place, one.tracking_uid) if name}
    return {kind for kind, _ in told}, known


def _said(report: _Report) -> list[tuple[object, ...]]:
    """All that a report measures, whatever the order."""
    return sorted((group.label, *sorted(group.cells.items())) for group in report.measured)


def _superseded(report: _Report, by: _Report, why: str) -> Problem:
    return Problem(
        severity=Severity.INFO if report.uid in by.superseded else Severity.WARNING,
        where=report.name,
        what=f"superseded by {by.name}: {why}",
        how_to_fix="nothing to do; to use the older one take the newer one out of the folder",
    )


def _iso(digits: str) -> str:
    """YYYY-MM-DD of a DICOM date; blank for what is none."""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdecimal() else ""


def _courses(reports: Sequence[_Report]) -> Iterator[list[_Report]]:
    """The reports of every patient, in order of date."""
    ordered = sorted(reports, key=lambda report: (report.patient_id, report.date, report.name))
    for _, own in groupby(ordered, key=lambda report: report.patient_id):
        yield list(own)


def _rows(reports: Sequence[_Report]) -> tuple[Row, ...]:
    """A row for every group that measures or states something, patients and dates in order; what is said twice once."""
    readers = _readers(reports)
    seen: dict[tuple[str, ...], None] = {}
    for own in _courses(reports):
        groups_of = named([report.groups for report in own], [report.date for report in own])
        for report, groups in zip(own, groups_of, strict=True):
            about = {"patient_id": report.patient_id, "date": report.date, "reader": readers.get(report.author, "")}
            for group in groups:
                cells = {**group.cells, **about}
                seen.setdefault(tuple(cells.get(column, "") for column in REPORT_COLUMNS))
    return tuple(
        Row(number=number, cells=dict(zip(REPORT_COLUMNS, line, strict=True)))
        for number, line in enumerate(seen, start=2)
    )


def _about_names(reports: Sequence[_Report]) -> Iterator[Problem]:
    """Lesions that were called otherwise in an earlier report, and what was made of it."""
    for own in _courses(reports):
        for one in renamed([report.groups for report in own], [report.date for report in own]):
            yield _renamed(own[one.report], one)


def _renamed(report: _Report, one: Renamed) -> Problem:
    before, now = printable(repr(one.before)), printable(repr(one.label))
    return Problem(
        severity=Severity.WARNING,
        where=report.name,
        what=f"lesion {now} has the tracking UID that lesion {before} has: "
        + ("both were measured on one day, so they are two" if one.apart else f"one lesion, called {before}"),
        how_to_fix="give a lesion one label in all reports, and another lesion a measurement of its own",
    )


def _readers(reports: Sequence[_Report]) -> dict[tuple[str, ...], str]:
    """Who measured, as a number: names are told to nobody. One reader has none."""
    authors = sorted({report.author for report in reports if any(group.measures for group in report.groups)})
    return {} if len(authors) < 2 else {author: f"reader {k}" for k, author in enumerate(authors, start=1)}


def _about_others(reports: Sequence[_Report], path: Path) -> Iterator[Problem]:
    """Measurement groups of which nothing is used."""
    others = sum(not group.measures and group.has_numbers for report in reports for group in report.groups)
    if others:
        yield Problem(
            severity=Severity.INFO,
            where=path.name,
            what=f"{others} measurement groups hold neither axes nor uptake: left out",
            how_to_fix="measure lesions with a bidirectional tool",
        )
