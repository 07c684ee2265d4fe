"""The reads.csv of a results folder, to which entries are appended: never rewritten, never deleted, never half there.

Every entry is one line, written and synced at once under a lock that other processes respect. All its cells are quoted,
so that of a line that was cut off (the power failed) it can be told that it was; such a line is put aside into a file
of its own before the next entry. A column that an older file lacks is added to its header alone.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mdanderson.batch.entered_reads import reviews_in
from mdanderson.batch.lock import locked
from mdanderson.batch.store import write_atomically
from mdanderson.errors import MdandersonError, OutputError, printable
from mdanderson.readers.cells import cell_instant
from mdanderson.readers.reads import READS_COLUMNS, READS_FILE
from mdanderson.readers.text_table import TextTable, delimiter_of
from mdanderson.report.cells import guarded
from mdanderson.review.same_reader import is_same_reader

__all__ = ["TORN_FILE", "append_entry"]

TORN_FILE = "reads.torn.txt"
"""Beside reads.csv: lines that were cut off while they were written, which nobody was told were saved."""

_LOCK = ".reads.lock"
_WAIT_S = 10.0
_LONGEST = 4000
"""Characters of one cell; a comment that is longer is refused before it comes here."""
_MICROSECOND = dt.timedelta(microseconds=1)


def append_entry(folder: Path, cells: Mapping[str, str], *, now: dt.datetime | None = None) -> int:
    """Append one statement and return the row it has become, as a spreadsheet counts. When it returns it is on disk.

    cells: by column of reads.csv, without `time`, which is now, in UTC, and never before an entry on the same patient:
    of two entries the later one is to count, whatever the clock does. The reader is spelt as in the first entry under
    the name, so that `jones` is not compared with `Jones`. A formula gets an apostrophe, a line end a blank.
    Raises `OutputError` where it cannot be written, `ManifestError` where the file that is there cannot be read.
    """
    path = folder / READS_FILE
    if path.is_symlink():
        raise OutputError("reads.csv is a link", where=str(path), way_out="put the file itself there")
    with locked(folder, name=_LOCK, wait_s=_WAIT_S, taken="another process is writing entries here"):
        _put_torn_line_aside(path)
        table = _table(folder, path)
        time = _time(table, cells.get("patient_id", ""), now or dt.datetime.now(dt.UTC))
        line = _line(path, table.columns, {**cells, "time": time, "reader": _spelt(table, cells.get("reader", ""))})
        return _append(path, line)


def _table(folder: Path, path: Path) -> TextTable:
    """The file as it is, with every column that an entry may fill; made where there is none."""
    table = reviews_in(folder)
    if table is None:
        write_atomically(path, ",".join(READS_COLUMNS) + "\n")
        _sync(folder)
    elif missing := [name for name in READS_COLUMNS if name not in table.columns]:
        _add_columns(path, missing)
        _sync(folder)
    else:
        return table
    found = reviews_in(folder)
    if found is None:
        raise OutputError("the entries vanished", where=str(path), way_out="look for whoever removes the file")
    return found


def _add_columns(path: Path, missing: Sequence[str]) -> None:
    """Longer the header by some columns; every other byte stays: in the rows there these cells are absent."""
    text = path.read_bytes().decode()
    start = text.index("\n") + 1 if text.lstrip("\ufeff").lower().startswith(("sep=", '"sep=')) else 0
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    header, rest = text[start:end].rstrip("\r"), text[end:]
    if header.count('"') % 2:
        raise OutputError(
            "a column's name has a line end in it", where=f"{path.name} row 1", way_out="write the header in one line"
        )
    ending = text[start + len(header) : end]
    longer = header + "".join(delimiter_of(path, text) + name for name in missing)
    write_atomically(path, text[:start] + longer + ending + rest)


def _time(table: TextTable, patient_id: str, now: dt.datetime) -> str:
    """Now, or the moment after the patient's last entry where a clock was put back."""
    latest = now.astimezone(dt.UTC).replace(tzinfo=None)
    for row in table:
        if row["patient_id"] == patient_id and row["time"]:
            with contextlib.suppress(MdandersonError, OverflowError):
                latest = max(latest, dt.datetime.fromisoformat(cell_instant(row["time"])) + _MICROSECOND)
    return latest.isoformat(timespec="microseconds") + "+00:00"


def _spelt(table: TextTable, reader: str) -> str:
    """The name as this reader's first entry has it."""
    return next((row["reader"] for row in table if is_same_reader(row["reader"], reader)), reader)


def _line(path: Path, columns: Sequence[str], cells: Mapping[str, str]) -> bytes:
    """The entry in the order of the file's columns, as one line."""
    out = io.StringIO()
    delimiter = delimiter_of(path, path.read_bytes().decode("utf-8-sig"))
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([guarded(_plain(cells.get(name, ""))) for name in columns])
    return out.getvalue().encode()


def _plain(text: str) -> str:
    return " ".join(printable(text).split())[:_LONGEST]


def _append(path: Path, line: bytes) -> int:
    """Write the line to the end and to the disk, or not at all; its row."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(descriptor).st_size
        last = os.pread(descriptor, 1, size - 1) if size else b""
        whole = line if last in {b"", b"\n"} else b"\n" + line
        try:
            if os.write(descriptor, whole) != len(whole):
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    except OSError as error:
        raise OutputError(
            "the entry cannot be written", where=str(path), way_out=f"make room, then save again ({error.strerror})"
        ) from error
    finally:
        os.close(descriptor)
    table = reviews_in(path.parent)
    return table.rows[-1].number if table is not None and table.rows else 0


def _put_torn_line_aside(path: Path) -> None:
    """Keep a last line that was cut off apart from the others: half a statement may say the opposite.

    Only a line that begins as ours do is looked at; a line without an end that somebody typed is whole, and so is one
    that begins inside a cell of several lines, as none of ours does.
    """
    if not path.is_file():
        return
    raw = path.read_bytes()
    start = raw.rfind(b"\n") + 1
    tail = raw[start:]
    inside_a_cell = raw.count(b'"', 0, start) % 2 == 1
    if not (start and tail.startswith(b'"')) or inside_a_cell or _is_whole(path, raw, tail):
        return
    try:
        with path.with_name(TORN_FILE).open("ab") as aside:
            aside.write(tail + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        os.truncate(path, start)
    except OSError as error:
        raise OutputError(
            "a line that was cut off cannot be put aside",
            where=str(path),
            way_out=f"make the folder writable ({error.strerror})",
        ) from error


def _is_whole(path: Path, raw: bytes, tail: bytes) -> bool:
    """Whether a line without an end has as many cells as the header, the last of them closed."""
    try:
        text, header = tail.decode(), raw.split(b"\n", 1)[0].decode("utf-8-sig")
        delimiter = delimiter_of(path, raw.decode("utf-8-sig", errors="replace"))
        counts = [len(next(csv.reader([one], delimiter=delimiter, strict=True))) for one in (header, text)]
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return False
    return counts[0] == counts[1] and text.endswith('"')


def _sync(folder: Path) -> None:
    """Let the folder itself know its files for good, where the system has such a thing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
