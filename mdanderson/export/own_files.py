"""Files that an export writes into a folder: whole, the same every time, and never over somebody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from mdanderson.batch.store import make_folder, remove, sweep, write_together
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
    for name in gone:
        remove(folder / name)
    kept = {name: digest for name, digest in listed.items() if name not in gone}
    now = kept | {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    content = json.dumps(dict(sorted(now.items())), indent=1) + "\n"
    names = (*files, LIST_FILE)
    write_together(tuple(folder / name for name in names), [(*files.values(), content)])
    return tuple(folder / name for name in files)


def _listed(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of what earlier exports wrote there; nothing where the list is not there or not ours."""
    try:
        read = json.loads((folder / LIST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in read.items()} if isinstance(read, dict) else {}


def _check_own(path: Path, digest: str) -> None:
    """Raise `OutputError` where a file is there that no export wrote, or that was changed since."""
    try:
        content = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise OutputError(
            "a file there cannot be read", where=str(path), way_out=f"name another folder ({error.strerror})"
        ) from error
    if content is not None and hashlib.sha256(content).hexdigest() != digest:
        what = "was changed since it was exported" if digest else "is there already and was not written by an export"
        raise OutputError(f"{path.name} {what}", where=str(path.parent), way_out="name a new folder, or move the file")
