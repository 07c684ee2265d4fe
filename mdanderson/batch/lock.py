"""One writer at a time in a results folder: a lock that the system takes back by itself when its holder is killed."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mdanderson.errors import OutputError

__all__ = ["LOCK_FILE", "locked"]

_LOG = logging.getLogger(__name__)

LOCK_FILE = ".lock"
_TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


_PAUSE_S = 0.02


@contextmanager
def locked(
    folder: Path, *, name: str = LOCK_FILE, wait_s: float = 0.0, taken: str = "another run is writing here"
) -> Iterator[None]:
    """Keep others out of a folder while the block runs. Raises `OutputError` where one is in it, for `wait_s` or more.

    name: of the file that is locked; taken: what is said of the others.
    The lock is on an open file, not its presence: the file that a killed run leaves locks nobody out. A file system
    that knows no locks (some of clusters) is used without.
    """
    path = folder / name
    descriptor = _taken(path, taken, until=time.monotonic() + wait_s)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _taken(path: Path, taken: str, *, until: float) -> int:
    """The open file that holds the lock; a file that its holder removed meanwhile is no lock, so it is tried again."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OutputError(
                "the results folder cannot be locked", where=str(path), way_out=f"make it writable ({error.strerror})"
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = _read(descriptor)
            os.close(descriptor)
            if error.errno in _TAKEN:
                if time.monotonic() < until:
                    time.sleep(_PAUSE_S)
                    continue
                raise OutputError(
                    f"{taken}{holder}",
                    where=str(path.parent),
                    way_out="wait until it has ended, or name another folder",
                ) from error
            _LOG.info("the file system of %s knows no locks", path.parent)
            return os.open(os.devnull, os.O_RDONLY)
        if _is_at(path, descriptor):
            with contextlib.suppress(OSError):  # a full disk: the words are missing, the lock is not
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f" (process {os.getpid()} on {socket.gethostname()})".encode())
            return descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read(descriptor: int) -> str:
    """Who holds it, as the holder has written."""
    try:
        return os.read(descriptor, 200).decode(errors="replace")
    except OSError:
        return ""


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
