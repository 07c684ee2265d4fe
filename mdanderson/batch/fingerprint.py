"""What a patient's result depends on, as one figure: if none of it changed, the stored result is still right."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from mdanderson.readers.manifest import Patient
from mdanderson.settings import Settings
from mdanderson.version import __version__

__all__ = [
    "PARTS",
    "Input",
    "fingerprint",
    "input_files",
    "input_paths",
    "inputs_of",
    "prints",
    "program",
    "sha256_of",
    "versions",
    "whole",
]

_LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "highdicom", "nibabel", "python-gdcm", "pandas")

PARTS = {
    "rows": "its rows in the tables changed",
    "files": "its files changed",
    "settings": "the settings or criteria changed",
    "program": "the program or a library changed",
}
"""What a result depends on, and what is said where that is no longer as it was."""

_BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 33
"""Of one file; no reader takes an image of half as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """What one path of the manifest led to: a file, or the files of a folder, by content.

    sha256: of the file; of a folder, of names and contents. The path is not kept: it may name the patient.
    """

    files: int
    bytes: int
    sha256: str


def prints(patient: Patient, *, settings: Settings, criteria: Sequence[str]) -> dict[str, str]:
    """A hash of each part of what a patient's result depends on, by the names of `PARTS`.

    Of files it is path, size and time that count: one that is changed without a change of these is taken for the same.
    Where a row stands in its table does not count: another patient's row may be put before it.
    """
    known = {
        "rows": _without_places(asdict(patient)),
        "files": list(input_files(patient)),
        "settings": {"settings": settings.as_mapping(), "criteria": list(criteria)},
    }
    return {name: _hash(part) for name, part in known.items()} | {"program": program()}


def fingerprint(patient: Patient, *, settings: Settings, criteria: Sequence[str]) -> str:
    """One hash of all that."""
    return whole(prints(patient, settings=settings, criteria=criteria))


def whole(parts: Mapping[str, str]) -> str:
    """One hash of the hashes of the parts."""
    return _hash(dict(parts))


def program() -> str:
    """A hash of this program, and of the versions of all that numbers come from."""
    return _hash({"versions": versions(), "code": _code()})


def input_paths(patient: Patient) -> tuple[Path, ...]:
    """Every file or folder that the patient's rows name, in order."""
    return tuple(sorted({path for entry in patient.images for path in entry.files}))


def inputs_of(patient: Patient) -> tuple[Input, ...]:
    """Each of them by content, in the same order. All files are read but those that are too large for any reader."""
    return tuple(map(_input, input_paths(patient)))


def _input(path: Path) -> Input:
    files = _files(path)
    hashes = [_content(file) for file in files]
    named = [(file.relative_to(path).as_posix(), sha256) for file, (sha256, _) in zip(files, hashes, strict=True)]
    return Input(
        files=len(files),
        bytes=sum(size for _, size in hashes),
        sha256=_hash(named) if _is_folder(path) else hashes[0][0],
    )


def sha256_of(file: Path) -> str:
    """The hash of a file; blank for one that cannot be read, or is too large to be."""
    return _content(file)[0]


def _content(file: Path) -> tuple[str, int]:
    """SHA-256 and size of a file, as long as it is said to be: some of the system's never end.

    Blank and 0 for one that cannot be read, blank for one that is too large to be.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with file.open("rb") as content:
            whole_size = os.fstat(content.fileno()).st_size
            if whole_size > _MOST_BYTES:
                return "", whole_size
            while block := content.read(min(_BLOCK_BYTES, whole_size - size)):
                digest.update(block)
                size += len(block)
    except OSError:
        return "", 0
    return digest.hexdigest(), size


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()


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
    """Path, bytes and modification time of every file that the patient's rows name, or of their folders."""
    for path in input_paths(patient):
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
    """The file, or those right in the folder, hidden ones left out: no reader looks at more.

    What the system does not let us look at is no file; whoever reads the image says so.
    """
    if not _is_folder(path):
        return [path]
    try:
        return sorted(file for file in path.iterdir() if file.name[0] != "." and _is_file(file))
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
