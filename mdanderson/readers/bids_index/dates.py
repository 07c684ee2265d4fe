"""When an image of a BIDS tree was taken: scans.tsv of its session, else sessions.tsv of its subject. Never guessed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdanderson.errors import ManifestError, Problem
from mdanderson.readers.cells import cell_date
from mdanderson.readers.text_table import TextTable, read_text_table

__all__ = ["Dates", "sidecar"]

_LARGEST_SIDECAR = 2**22
_UNKNOWN = frozenset({"", "n/a"})


@dataclass(kw_only=True, slots=True)
class Dates:
    """The tables of times below a root, each read once. problems: what is wrong with them."""

    root: Path
    problems: list[Problem] = field(default_factory=list)
    tables: dict[Path, TextTable | None] = field(default_factory=dict)

    def of(self, image: Path, subject: str, session: str) -> dt.date | None:
        """The day of an image below `root`; None where no table tells it."""
        home = self.root / subject
        homes = [home / session, home] if session else [home]
        for folder in homes:
            stem = f"{subject}_{session}" if folder != home else subject
            name = image.relative_to(folder).as_posix() if folder in image.parents else image.name
            for row_name in (name, f"./{name}"):
                date = self._cell(folder / f"{stem}_scans.tsv", "filename", row_name)
                if date is not None:
                    return date
        if not session:
            return None
        return self._cell(home / f"{subject}_sessions.tsv", "session_id", session)

    def _cell(self, path: Path, key: str, wanted: str) -> dt.date | None:
        """acq_time of the row whose `key` is `wanted`."""
        table = self._table(path)
        if table is None or key not in table.columns or "acq_time" not in table.columns:
            return None
        for row in table:
            if row[key] != wanted or row["acq_time"].casefold() in _UNKNOWN:
                continue
            try:
                return cell_date(row["acq_time"])
            except ManifestError as error:
                problem = Problem.from_error(error.located(table.place(row, "acq_time")))
                if problem not in self.problems:
                    self.problems.append(problem)
        return None

    def _table(self, path: Path) -> TextTable | None:
        if path not in self.tables:
            self.tables[path] = None
            if path.is_file():
                try:
                    self.tables[path] = read_text_table(path)
                except ManifestError as error:
                    self.problems.append(Problem.from_error(error))
        return self.tables[path]


def sidecar(root: Path, image: Path, suffix: str) -> dict[str, Any]:
    """What the JSON files beside an image and above it say of it, the nearest last (inheritance principle)."""
    told: dict[str, Any] = {}
    for path in _sidecars(root, image, suffix):
        try:
            if path.is_file() and path.stat().st_size <= _LARGEST_SIDECAR:
                found = json.loads(path.read_text(encoding="utf-8"))
                told |= found if isinstance(found, dict) else {}
        except (OSError, ValueError, RecursionError):
            continue
    return told


def _sidecars(root: Path, image: Path, suffix: str) -> Iterator[Path]:
    """Files of that suffix whose entities are all the image's, from the root down."""
    stem = image.name.split(".")[0]
    parts = stem.split("_")[:-1]
    folders = [folder for folder in reversed(image.parents) if folder == root or root in folder.parents]
    for folder in folders:
        for count in range(len(parts) + 1):
            yield folder / ("_".join([*parts[:count], suffix]) + ".json")
    yield image.with_name(f"{stem}.json")
