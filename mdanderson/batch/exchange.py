"""Finished results replaced by new ones: whenever a run is ended, the old ones are whole, or the new ones are.

While tables are exchanged the old ones stay beside them, in a folder that marks it. Where it is still there and
run.json is not, the exchange was killed, and whatever opens the folder next puts the old ones back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mdanderson.batch.cohort_tables import COHORT_TABLES
from mdanderson.batch.lock import locked
from mdanderson.batch.parquet import PARQUET_FOLDER
from mdanderson.batch.store import (
    MEASUREMENTS_FOLDER,
    REPORT_FOLDER,
    RUN_FILE,
    STALE_PAGES,
    remove,
    sweep,
    write_atomically,
)
from mdanderson.errors import OutputError
from mdanderson.report.columns import TABLES

__all__ = ["mended", "pages_were_stale", "replaced_results"]

_BEFORE = ".before"
_DRAFT = ".before.tmp"
_BEFORE_TOO = "before too\n"


@contextmanager
def replaced_results(folder: Path) -> Iterator[None]:
    """Take run.json away while the block exchanges tables: without it nothing there counts as results.

    Where the block raises, whatever it is, all is put back as it was. The folder is locked. Raises `OutputError`.
    """
    _mend(folder)
    if (folder / RUN_FILE).is_file():
        _keep(folder)
    try:
        _mark_pages(folder)
        remove(folder / RUN_FILE)
        yield
    except BaseException:
        with contextlib.suppress(OutputError):  # the mark stays, and what was in the way is told
            _mend(folder)
        raise
    _forget(folder)


def _mark_pages(folder: Path) -> None:
    """From now on until they are written the pages are older than the tables; they may have been before."""
    if (folder / REPORT_FOLDER).is_dir():
        mark = folder / STALE_PAGES
        write_atomically(mark, _BEFORE_TOO if mark.exists() else "\n")


def pages_were_stale(folder: Path) -> bool:
    """Whether pages stand from before the last exchange of tables: a run was killed before it wrote them."""
    with contextlib.suppress(OSError):
        return (folder / STALE_PAGES).read_text(encoding="utf-8") == _BEFORE_TOO
    return False


def mended(folder: Path) -> Path:
    """The folder; where a run was killed while it exchanged its tables, with the old results put back.

    Not while another run is writing there, nor where nothing can be written. Nobody who calls it holds the lock.
    """
    if (folder / _BEFORE).is_dir():
        with contextlib.suppress(OutputError), locked(folder):
            _mend(folder)
    return folder


def _mend(folder: Path) -> None:
    if (folder / _BEFORE).is_dir():
        if (folder / RUN_FILE).is_file():
            _forget(folder)  # it was killed before the exchange began, or after it was done
        else:
            _put_back(folder)


def _files(folder: Path) -> list[Path]:
    """All that tells of a run, relative to the folder; the record last."""
    files = [folder / table.file_name for table in (*TABLES, *COHORT_TABLES)]
    files += sorted((folder / PARQUET_FOLDER).glob("*.parquet"))
    files += sorted((folder / MEASUREMENTS_FOLDER).glob("*.csv"))
    return [file.relative_to(folder) for file in (*files, folder / RUN_FILE) if file.is_file()]


def _keep(folder: Path) -> None:
    with _told(folder):
        draft = folder / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        for name in _files(folder):
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            _linked(folder / name, draft / name)
        os.rename(draft, folder / _BEFORE)  # noqa: PTH104 - in one step: the mark is there once all is kept


def _put_back(folder: Path) -> None:
    """It may be ended as well: what is kept stays until all is back."""
    before = folder / _BEFORE
    kept = _files(before)
    sweep(folder / MEASUREMENTS_FOLDER)
    for name in _files(folder):
        if name not in kept:
            remove(folder / name)
    with _told(folder):
        for name in kept:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            draft.unlink(missing_ok=True)
            _linked(before / name, draft)
            os.replace(draft, target)  # noqa: PTH105
            draft.unlink(missing_ok=True)  # a name of the same file is not replaced by another
    _forget(folder)


def _forget(folder: Path) -> None:
    """The mark first, in one step."""
    if (folder / _BEFORE).is_dir():
        with _told(folder):
            shutil.rmtree(folder / _DRAFT, ignore_errors=True)
            os.rename(folder / _BEFORE, folder / _DRAFT)  # noqa: PTH104
    shutil.rmtree(folder / _DRAFT, ignore_errors=True)


def _linked(source: Path, target: Path) -> None:
    """The same file under another name, which no write changes, as each replaces a file; a copy where it must be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            "results of an earlier run cannot be replaced",
            where=str(folder),
            way_out=f"make the folder writable or choose another ({error.strerror})",
        ) from error
