"""Every file below a folder, in one order whatever the file system's: links are followed, loops and devices are not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import InputError, Problem, Severity

__all__ = ["Found", "find_files"]

_DEEPEST = 64
"""Folders within folders; archives nest patients, studies, series."""
_MOST_FILES = 5_000_000
_MOST_TOLD = 200


@dataclass(kw_only=True, slots=True)
class Found:
    """What lies below a folder. files: by path, relative to the folder. hidden: left alone, as .DS_Store is.

    problems: folders that cannot be opened, links that lead nowhere or back, devices and pipes.
    """

    files: list[str] = field(default_factory=list)
    hidden: int = 0
    problems: list[Problem] = field(default_factory=list)

    def tell(self, where: str, what: str, how_to_fix: str, severity: Severity = Severity.WARNING) -> None:
        """Note a fault of one place."""
        self.problems.append(Problem(severity=severity, where=where, what=what, how_to_fix=how_to_fix))


def find_files(folder: Path, *, without: Iterable[Path] = ()) -> Found:
    """The files below `folder`, sub-folders included. without: folders that are left out, as our own are.

    Raises `InputError` when the folder itself cannot be opened.
    """
    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        raise InputError(what, where=str(folder), way_out="name the folder of the DICOM files")
    found, seen = Found(), {_identity(folder.stat()), *_identities(without)}
    _walk(folder, "", found, seen, 0)
    found.files.sort()
    told = len(found.problems)
    if told > _MOST_TOLD:
        del found.problems[_MOST_TOLD:]
        found.tell("", f"and {told - _MOST_TOLD} more links, folders and devices like these", "see the lines above")
    return found


def _walk(folder: Path, within: str, found: Found, seen: set[tuple[int, int]], depth: int) -> None:
    try:
        with os.scandir(folder / within) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        if not within:
            raise InputError(
                f"the folder cannot be opened ({error.strerror})", where=str(folder), way_out="check who may read it"
            ) from error
        what = f"the folder cannot be opened ({error.strerror})"
        found.tell(within, what, "check who may read it", Severity.ERROR)
        return
    for entry in entries:
        _take(entry, folder, within, found, seen, depth)


def _take(
    entry: os.DirEntry[str], folder: Path, within: str, found: Found, seen: set[tuple[int, int]], depth: int
) -> None:
    """One thing in a folder."""
    name = f"{within}/{entry.name}" if within else entry.name
    if entry.name.startswith("."):
        found.hidden += 1
        return
    try:
        status = entry.stat()
    except OSError as error:
        found.tell(name, f"a link that leads nowhere ({error.strerror})", "mend the link or delete it")
        return
    if stat.S_ISDIR(status.st_mode):
        if _identity(status) in seen:
            found.tell(
                name, "a link to a folder that was looked into already", "nothing: it is read once", Severity.INFO
            )
        elif entry.is_symlink() and not _may_follow(Path(entry.path), folder, name, found):
            pass
        elif depth >= _DEEPEST:
            found.tell(name, f"more than {_DEEPEST} folders deep: not looked into", "name the folder itself")
        else:
            seen.add(_identity(status))
            _walk(folder, name, found, seen, depth + 1)
    elif not stat.S_ISREG(status.st_mode):
        found.tell(name, "a device or a pipe: not read", "delete it, or copy what it stands for")
    elif len(found.files) >= _MOST_FILES:
        raise InputError(f"more than {_MOST_FILES} files", where=str(folder), way_out="index it in parts")
    else:
        found.files.append(name)


def _may_follow(link: Path, folder: Path, name: str, found: Found) -> bool:
    """Whether a link to a folder leads within the one that is looked through, or beside it, which is told."""
    target, root = link.resolve(), folder.resolve()
    if root.is_relative_to(target):
        found.tell(name, "a link to a folder that holds this one: not looked into", "name that folder, if it is meant")
        return False
    if not target.is_relative_to(root):
        found.tell(name, "a link out of the folder: what it leads to is used", "delete the link if it is not meant")
    return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _identities(folders: Iterable[Path]) -> Iterator[tuple[int, int]]:
    for one in folders:
        if one.is_dir():
            yield _identity(one.stat())
