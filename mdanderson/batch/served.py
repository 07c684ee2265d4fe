"""A process that works for a pool: tasks come in on its stdin, what becomes of them goes out on what was its stdout.

It ends when the pool does, however that ends: nobody has to look for it.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import struct
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from mdanderson.errors import MdandersonError

__all__ = ["DONE", "LEAVING", "RAISED", "READY", "read_frame", "serve", "write_frame"]

_LOG = logging.getLogger(__name__)

READY, DONE, LEAVING, RAISED = "ready", "done", "leaving", "raised"
"""What an answer is: able to work; a result; a result, and the process ends for having grown; an exception."""

_LENGTH = struct.Struct("!Q")
_OUTGROWN = 0.5
"""A process that keeps more than this share of its memory between two tasks makes room for a new one."""


def serve(memory_bytes: int) -> None:
    """Take the work, then task after task, until the pool goes away. memory_bytes: 0 = no bound."""
    import cloudpickle

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells every process; the pool alone ends the run
    questions, answers = _channels()
    frames: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(questions, frames), daemon=True).start()
    try:
        bound_memory(memory_bytes)
        work = pickle.loads(frames.get())  # noqa: S301 - from the process that started this one, by a pipe of their own
    except Exception:  # noqa: BLE001 - the pool tells that no process can start
        _LOG.debug("a worker process cannot start", exc_info=True)
        os._exit(1)
    write_frame(answers, pickle.dumps((READY, None)))
    leaving = False
    while not leaving:
        task = pickle.loads(frames.get())  # noqa: S301 - as above
        try:
            done = work(task)
        except Exception as error:  # noqa: BLE001 - whoever gave the task decides
            write_frame(answers, cloudpickle.dumps((RAISED, _sendable(error))))
            continue
        leaving = 0 < memory_bytes * _OUTGROWN < _resident_bytes()
        write_frame(answers, cloudpickle.dumps((LEAVING if leaving else DONE, done)))


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """What the other side wrote at once; None where it is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    return body if len(body) == length else None


def write_frame(pipe: IO[bytes], frame: bytes) -> None:
    """Hand bytes over. Raises `OSError` where the other side is gone."""
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def bound_memory(memory_bytes: int) -> None:
    """Let allocations beyond a bound fail in this process, where the system can: an error, not a killed process.

    What counts is what the process may write to (RLIMIT_DATA); files that are mapped, libraries above all, do not.
    """
    if not memory_bytes or sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))


def _channels() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the pool, out of reach of whatever a library prints or asks for."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return questions, answers


def _listen(questions: IO[bytes], frames: SimpleQueue[bytes]) -> None:
    """Pass tasks on; where the pool is gone, end at once, in the middle of a task too."""
    while (frame := read_frame(questions)) is not None:
        frames.put(frame)
    os._exit(1)


def _resident_bytes() -> int:
    """Memory that this process holds now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _sendable(error: Exception) -> Exception:
    """The exception, or its words where it cannot travel."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - an exception may refuse in any way
        return MdandersonError(f"unexpected error (bug): {type(error).__name__} {error}", way_out="report it")
    return error
