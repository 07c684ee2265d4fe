"""Files that an export writes into a folder: whole, the same every time, and never over somebody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from mdanderson.batch.store import make_folder, remove, sweep, write_atomically, write_together
from mdanderson.errors import OutputError

__all__ = ["LIST_FILE", "write_own_files"]

LIST_FILE = "written_by_mdanderson.json"
"""Inside a folder of an export: what was written, by SHA-256, so that a file changed by hand is not overwritten."""


def write_own_files(folder: Path, files: Mapping[str, bytes], *, retired: Iterable[str] = ()) -> tuple[Path, ...]:
    """Write files by name, all of them or none; those of `retired` names that an earlier export wrote are removed.

    Raises `OutputError`, before anything is written, where a file of one of these names is not as an export left it.
    """
    make_folder(folder)
    sweep(folder)
    listed = _listed(folder)
    gone = [name for name in retired if name not in files and name in listed and (folder / name).exists()]
    for name in (*files, *gone):
        _check_own(folder / name, listed.get(name, ""))
    kept = {name: digests for name, digests in listed.items() if name not in gone}
    new = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    # were it killed in the middle, old and new files would both be its own
    _list(folder, listed | {name: f"{listed.get(name, '')} {digest}".strip() for name, digest in new.items()})
    for name in gone:
        remove(folder / name)
    write_together(tuple(folder / name for name in files), [tuple(files.values())])
    _list(folder, kept | new)
    return tuple(folder / name for name in files)


def _list(folder: Path, digests: Mapping[str, str]) -> None:
    """Write down what is ours."""
    write_atomically(folder / LIST_FILE, json.dumps(dict(sorted(digests.items())), indent=1) + "\n")


def _listed(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 (several with blanks between) of what exports wrote there; nothing where there is no list."""
    try:
        read = json.loads((folder / LIST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in read.items()} if isinstance(read, dict) else {}


def _check_own(path: Path, digests: str) -> None:
    """Raise `OutputError` where a file is there that no export wrote, or that was changed since."""
    try:
        content = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise OutputError(
            "a file there cannot be read", where=str(path), way_out=f"name another folder ({error.strerror})"
        ) from error
    if content is not None and hashlib.sha256(content).hexdigest() not in digests.split():
        what = "was changed since it was exported" if digests else "is there already and was not written by an export"
        raise OutputError(f"{path.name} {what}", where=str(path.parent), way_out="name a new folder, or move the file")
