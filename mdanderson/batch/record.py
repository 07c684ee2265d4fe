"""run.json: what was run on what, by which program; enough to run it again, and to tell later what has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from mdanderson.batch.cohort_tables import COHORT_TABLES
from mdanderson.batch.exchange import mended
from mdanderson.batch.fingerprint import sha256_of, versions
from mdanderson.batch.parquet import PARQUET_FOLDER
from mdanderson.batch.store import PATIENTS_FOLDER, RUN_FILE, write_atomically
from mdanderson.errors import OutputError
from mdanderson.report.columns import TABLES
from mdanderson.version import RESEARCH_USE

__all__ = ["RunRecord", "ToldPatient", "results_in", "told_of"]

_LARGEST_BYTES = 2**28
"""Of a record; one of 100,000 patients has a quarter of that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldPatient:
    """What a record tells of a patient: of `score` all of it, of `classify` the failure alone.

    files, bytes: of its images and masks; inputs: one hash of what is in them.
    """

    fingerprint: str | None = None
    files: int | None = None
    bytes: int | None = None
    inputs: str | None = None
    seconds: Mapping[str, float] | None = None
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """What made the results of a folder.

    manifest: of `score`; empty after `classify`, which tells the number of patients `scored` instead, and how many
    `entries` of a review it has read. inputs: tables
    by what they are, each with name and SHA-256, and its path where it is a file. by, viewer: as the run was asked.
    settings: as `Settings.as_mapping` gives them. results: SHA-256 by name of table. events: as `told_events` gives
    them; their shape is not checked, as only figures want them. patients: by name.
    """

    manifest: str = ""
    inputs: Mapping[str, Mapping[str, str]]
    criteria: tuple[str, ...]
    by: str = ""
    viewer: bool | None = None
    versions: Mapping[str, str]
    program: str = ""
    settings: dict[str, Any]
    seconds: float
    results: Mapping[str, str]
    scored: int = 0
    entries: int = 0
    events: Any = field(default_factory=dict)
    patients: Mapping[str, ToldPatient]

    @classmethod
    def of_folder(cls, out: Path) -> Self:
        """The record of a finished run, with old results put back first where an exchange was killed.

        Raises `OutputError` where there is none, and where it is not as a run of this program writes it.
        """
        told = _told_in(mended(out))
        try:
            record = TypeAdapter(cls).validate_python(told)
        except ValidationError as error:
            raise _not_ours(out, told) from error
        if (out / PATIENTS_FOLDER).is_dir() and not record.manifest:
            raise _not_ours(out, told)
        return record

    @property
    def failed(self) -> dict[str, str]:
        """Patients that could not be scored, and why."""
        return {name: told.failure for name, told in self.patients.items() if told.failure}

    def write(self, out: Path) -> None:
        """Write it, once the tables are written: without it nothing there counts as results. Raises `OutputError`."""
        write_atomically(out / RUN_FILE, json.dumps(self._as_mapping(), indent=2, ensure_ascii=False) + "\n")

    def _as_mapping(self) -> dict[str, Any]:
        """Plain values in the order of the file. Times alone differ from run to run."""
        of_images = bool(self.manifest)
        return {
            "notice": RESEARCH_USE,
            **({"manifest": self.manifest} if of_images else {}),
            "inputs": self.inputs,
            "criteria": list(self.criteria),
            "by": self.by,
            **({"viewer": self.viewer} if of_images else {}),
            "versions": self.versions,
            "program": self.program,
            "settings": self.settings,
            "seconds": round(self.seconds, 3),
            "results": self.results,
            **({} if of_images else {"scored": self.scored, "entries": self.entries}),
            "events": self.events,
            "patients": {name: _without_none(asdict(told)) for name, told in self.patients.items()},
        }


def _without_none(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def told_of(file: Path) -> dict[str, str]:
    """Name and SHA-256 of a table, and where it was."""
    return {"name": file.name, "sha256": sha256_of(file), "path": str(file.absolute())}


def results_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of every table in a results folder."""
    files = [folder / table.file_name for table in (*TABLES, *COHORT_TABLES)]
    files += sorted((folder / PARQUET_FOLDER).glob("*.parquet"))
    return {file.relative_to(folder).as_posix(): sha256_of(file) for file in files if file.is_file()}


def _told_in(folder: Path) -> object:
    """What a record says, whatever it is."""
    try:
        with (folder / RUN_FILE).open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise OutputError(
            "no finished run here", where=str(folder), way_out="give a folder that `score` or `classify` wrote"
        ) from error
    try:
        if len(content) <= _LARGEST_BYTES:
            return json.loads(content)
    except (ValueError, RecursionError):
        pass
    raise _not_ours(folder, None)


def _not_ours(folder: Path, told: object) -> OutputError:
    """What is said of a record that is damaged, too large, of something else, or of another version."""
    by = told.get("versions") if isinstance(told, Mapping) else None
    version = by.get("mdanderson") if isinstance(by, Mapping) else None
    if version in (None, versions()["mdanderson"]):
        return OutputError("the results are not as a run wrote them", where=str(folder), way_out="run it again")
    return OutputError(
        f"the results are not as a run of this version writes them: they are of version {version}",
        where=str(folder),
        way_out="use that version, or run it again",
    )
