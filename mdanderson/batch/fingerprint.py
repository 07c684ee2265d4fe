"""What a patient's result depends on, as one figure: if none of it changed, the stored result is still right."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from mdanderson.readers.manifest import Patient
from mdanderson.settings import Settings
from mdanderson.version import __version__

__all__ = ["fingerprint", "input_files", "versions"]

_LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "highdicom", "nibabel", "python-gdcm", "pandas")


def fingerprint(patient: Patient, *, settings: Settings, criteria: Sequence[str]) -> str:
    """A hash of the patient's rows and facts, of path, size and time of every file they name, and of the program.

    Where a row stands in its table does not count: another patient's row may be put before it.
    Files are not read: one that is changed without a change of its size and time is taken for the same.
    """
    known = {
        "patient": _without_places(asdict(patient)),
        "files": list(input_files(patient)),
        "settings": settings.as_mapping(),
        "criteria": list(criteria),
        "versions": versions(),
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=_plain).encode()).hexdigest()


def _without_places(patient: dict[str, Any]) -> dict[str, Any]:
    """The same without the numbers of its rows."""
    rows = {
        name: [{key: value for key, value in one.items() if key != "row"} for one in patient[name]]
        for name in ("images", "lost", "statements")
    }
    return patient | rows


def _plain(value: object) -> object:
    """What JSON has no form for, spelled alike in every process: the order of a set is not."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def input_files(patient: Patient) -> Iterator[dict[str, Any]]:
    """Path, bytes and modification time of every file that the patient's rows name, folders unfolded."""
    for path in sorted({path for entry in patient.images for path in entry.files}):
        for file in _files(path):
            try:
                status = file.stat()
            except OSError:
                yield {"path": str(file), "bytes": -1, "modified_ns": -1}
            else:
                yield {"path": str(file), "bytes": status.st_size, "modified_ns": status.st_mtime_ns}


@functools.cache
def versions() -> dict[str, str]:
    """The versions of the program, of Python and of the libraries that numbers come from."""
    known = {"mdanderson": __version__, "python": platform.python_version()}
    return known | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


@functools.cache
def _code() -> str:
    """A hash of the program's own text: between two releases the version does not change, but results may."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
