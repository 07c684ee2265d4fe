"""The finished patients of a run, one file each, so that a run that was stopped goes on where it was.

A row is stored as the text of its cells: what is read back is what was written, to the last byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mdanderson.batch.fingerprint import Input
from mdanderson.crops import Crop, crops_from_json, crops_to_json
from mdanderson.drawings import Drawing
from mdanderson.errors import OutputError
from mdanderson.pictures import Picture, pictures_from_json, pictures_to_json
from mdanderson.report.cells import Cells

__all__ = ["Finished", "Store", "make_folder", "remove", "sweep", "write_atomically", "write_together"]


PATIENTS_FOLDER = ".patients"
"""Inside a results folder: the finished patients of `score`."""
REPORT_FOLDER = "report"
"""Inside a results folder: the pages."""
STALE_PAGES = ".pages.stale"
"""There while the pages are older than the tables."""

RUN_FILE = "run.json"
"""The record of a run: what was judged, by what settings."""

MEASUREMENTS_FOLDER = ".measurements"
"""Inside a results folder: the tables that `classify` judged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What is known of one patient after scoring.

    prints: what it was made from, by the names of `PARTS`; fingerprint: all of that. inputs: the files by content.
    tables: rows by table name. readings: the same by reader, where there are several.
    unread: the rows as they are where nobody states anything; None where nobody did. failure: why there is no
    response. details: for whoever mends a bug. drawings: which outline is which lesion, for exports.
    written_at: when it was stored, in seconds of the epoch, whatever becomes of the file's own time in a copy.
    entries: how many rows of the patient a review had entered when it was scored: later ones are not in it.
    pictures, unread_pictures, crops: stored beside it, and not read with it.
    """

    patient_id: str
    fingerprint: str
    tables: Mapping[str, tuple[Cells, ...]]
    failure: str = ""
    readings: Mapping[str, Mapping[str, tuple[Cells, ...]]] = field(default_factory=dict)
    unread: Mapping[str, tuple[Cells, ...]] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    details: str = ""
    prints: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    written_at: float = 0.0
    entries: int = 0
    pictures: tuple[Picture, ...] = ()
    unread_pictures: tuple[Picture, ...] = ()
    crops: tuple[Crop, ...] = ()


_FINISHED = TypeAdapter(Finished)
_PICTURES, _UNREAD, _CROPS = ".pictures.json", ".unread.json", ".crops.json"
_ENDINGS = (".json", _PICTURES, _UNREAD, _CROPS)
_DRAFT = re.compile(r"\..+\.\d+\.tmp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """The folder of finished patients inside the results folder."""

    folder: Path

    @classmethod
    def within(cls, out: Path) -> Store:
        """The store of a results folder, made when it is not there. Raises `OutputError`."""
        make_folder(out)
        folder = out / PATIENTS_FOLDER
        make_folder(folder)
        return cls(folder=folder)

    def read(self, patient_id: str) -> Finished | None:
        """The patient as stored; None where nothing is stored or the file is damaged."""
        try:
            finished = _FINISHED.validate_json(self._path(patient_id).read_bytes())
        except (OSError, ValidationError):
            return None
        return finished if finished.patient_id == patient_id else None

    def __contains__(self, patient_id: str) -> bool:
        """Whether anything is stored of the patient, be it damaged."""
        return self._path(patient_id).exists()

    def entries_of(self, patient_id: str) -> int:
        """How many entries of a review the stored result holds; 0 where nothing is stored."""
        finished = self.read(patient_id)
        return 0 if finished is None else finished.entries

    def write(self, finished: Finished) -> None:
        """Store a patient; pictures first, so that a result is never without its own. Raises `OutputError`."""
        key = finished.fingerprint
        for ending, pictures in ((_PICTURES, finished.pictures), (_UNREAD, finished.unread_pictures)):
            self._keep(finished, ending, pictures_to_json(key, pictures) if pictures else "")
        self._keep(finished, _CROPS, crops_to_json(key, finished.crops) if finished.crops else "")
        told = asdict(
            replace(finished, written_at=finished.written_at or time.time(), pictures=(), unread_pictures=(), crops=())
        )
        del told["pictures"], told["unread_pictures"], told["crops"]
        write_atomically(
            self._path(finished.patient_id), json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n"
        )

    def pictures(self, finished: Finished) -> tuple[Picture, ...]:
        """The pictures of a stored patient; none where none were taken, or they are of another run or damaged."""
        return pictures_from_json(finished.fingerprint, self._kept(finished, _PICTURES))

    def unread_pictures(self, finished: Finished) -> tuple[Picture, ...]:
        """The pictures that go with `unread`, which no word of a reader has named or placed."""
        if finished.unread is None:
            return self.pictures(finished)
        return pictures_from_json(finished.fingerprint, self._kept(finished, _UNREAD))

    def crops(self, finished: Finished) -> tuple[Crop, ...]:
        """The crops of a stored patient, in the same way."""
        return crops_from_json(finished.fingerprint, self._kept(finished, _CROPS))

    def _keep(self, finished: Finished, ending: str, text: str) -> None:
        """Write what lies beside a patient, or remove what an earlier run has left there."""
        path = self._path(finished.patient_id, ending)
        if text:
            write_atomically(path, text)
        else:
            remove(path)

    def _kept(self, finished: Finished, ending: str) -> str:
        try:
            return self._path(finished.patient_id, ending).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def clear(self) -> None:
        """Forget every patient. Raises `OutputError`."""
        for file in (*self.folder.glob("*.json"), *self.folder.glob("*.tmp")):
            remove(file)

    def keep_only(self, patient_ids: Iterable[str]) -> None:
        """Forget everybody else, as who has been taken out of a cohort is to be. Raises `OutputError`."""
        kept = {self._path(patient_id, ending) for patient_id in patient_ids for ending in _ENDINGS}
        for file in self.folder.glob("*.json"):
            if file not in kept:
                remove(file)

    def _path(self, patient_id: str, ending: str = ".json") -> Path:
        """A name that any file system takes, whatever the patient is called."""
        return self.folder / f"{hashlib.sha256(patient_id.encode()).hexdigest()[:24]}{ending}"


def make_folder(folder: Path) -> None:
    """Make a folder of results where there is none. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "the results folder cannot be made", where=str(folder), way_out=f"choose another ({error.strerror})"
        ) from error


def remove(path: Path) -> None:
    """Delete a file that an earlier run wrote, where there is one. Raises `OutputError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            "results of an earlier run cannot be replaced",
            where=str(path),
            way_out=f"make the folder writable or choose another ({error.strerror})",
        ) from error


def sweep(folder: Path) -> None:
    """Remove the drafts that a killed run has left. Raises `OutputError`."""
    for file in folder.glob(".*.tmp"):
        if _DRAFT.fullmatch(file.name):
            remove(file)


def write_atomically(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; UTF-8, line ends as they are. Raises `OutputError`."""
    write_together((path,), [(text,)])


def write_together(paths: Sequence[Path], chunks: Iterable[Sequence[str | bytes]]) -> None:
    """Write files side by side, each as a whole or not at all, chunk by chunk of each.

    Nothing is left behind however it ends, but by a kill. Raises `OutputError`.
    """
    drafts = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in paths}
    try:
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(draft.open("wb")) for draft in drafts.values()]
            for texts in chunks:
                for file, text in zip(files, texts, strict=True):
                    file.write(text if isinstance(text, bytes) else text.encode())
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError as error:
        place = paths[0] if len(paths) == 1 else paths[0].parent
        raise OutputError(
            "results cannot be written",
            where=str(place),
            way_out=f"make room or choose another folder ({error.strerror})",
        ) from error
    finally:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
