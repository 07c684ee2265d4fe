"""What is to be fetched: a list of patients, with days and modalities where not all are wanted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mdanderson.errors import ManifestError, Problem
from mdanderson.readers.cells import Cells, cell_date
from mdanderson.readers.text_table import read_text_table

__all__ = ["ALWAYS", "IMAGES", "Wanted", "read_wanted"]

IMAGES = ("CT", "MR", "PT", "NM", "CR", "DX", "RG", "PX")
"""What is measured."""
ALWAYS = ("SEG", "RTSTRUCT", "SR")
"""What belongs to images, whichever are wanted."""
_COLUMNS = ("date", "since", "until")
_LONGEST = 64
"""Characters of a PatientID (PS3.5, LO)."""
_WILD = "*?\\"
"""What a server would take for any text, and what no PatientID may hold."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Wanted:
    """One patient by PatientID, and the days of studies, both ends included; None = any."""

    patient_id: str
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def days(self) -> str:
        """The range as DICOM asks for it, blank for any day."""
        if self.since is None and self.until is None:
            return ""
        ends = ("" if day is None else f"{day:%Y%m%d}" for day in (self.since, self.until))
        return "-".join(ends)

    def takes(self, day: dt.date | None) -> bool:
        """Whether a study of that day is wanted; servers may give more than they are asked for."""
        if day is None:
            return self.since is None and self.until is None
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def read_wanted(
    path: Path, *, since: dt.date | None = None, until: dt.date | None = None
) -> tuple[tuple[Wanted, ...], tuple[Problem, ...]]:
    """The rows of a table with `patient_id` and, where not all studies are wanted, `date` or `since` and `until`.

    since, until: for rows that say nothing. A row at fault is a problem. Raises `ManifestError` where none is left.
    """
    table = read_text_table(path)
    table.require(("patient_id",), optional=_COLUMNS)
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    for row in table:
        cells, patient_id = Cells(table=table, row=row), row["patient_id"]
        day, first, last = (cells.read(name, cell_date) for name in _COLUMNS)
        if not patient_id or len(patient_id) > _LONGEST or any(sign in patient_id for sign in _WILD):
            cells.fault("patient_id", "not a PatientID", "write it as the archive has it, without * ? and backslash")
        if not cells.faults:
            told = day or first or last
            ends = (day or first, day or last) if told else (since, until)
            wanted.append(Wanted(patient_id=patient_id, since=ends[0], until=ends[1]))
        problems += cells.faults
    if not wanted:
        raise ManifestError("no patient to fetch", where=path.name, way_out="write a row with patient_id for each")
    return tuple(dict.fromkeys(wanted)), tuple(problems)


def checked_modalities(asked: Sequence[str]) -> tuple[str, ...]:
    """The modalities as DICOM calls them, what belongs to them included; all of ours where none are asked for.

    Raises `ManifestError` for a word that is none.
    """
    names = tuple(dict.fromkeys(name.strip().upper() for each in asked for name in each.split(",") if name.strip()))
    for name in names:
        if name not in {*IMAGES, *ALWAYS, "XR"}:
            raise ManifestError(f"modality {name}", way_out=f"known are {', '.join((*IMAGES, 'XR'))}")
    films = ("CR", "DX", "RG", "PX") if "XR" in names else ()
    return tuple(dict.fromkeys((*(name for name in names or IMAGES if name != "XR"), *films, *ALWAYS)))
