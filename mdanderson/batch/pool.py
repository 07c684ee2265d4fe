"""Processes that each do one task at a time, so that it is known which task a dead or a hanging one was at.

joblib's pool breaks as a whole when one of its processes is killed, and cannot end a single one that hangs: here a
process costs the task that it is at, and the others go on.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from mdanderson.batch.served import DONE, LEAVING, RAISED, READY, read_frame, write_frame
from mdanderson.errors import MdandersonError

__all__ = ["Limits", "NoProcessError", "in_processes"]

Task = TypeVar("Task")
Done = TypeVar("Done")

_PROGRAM = "import sys; sys.path[:] = {path!r}; from mdanderson.batch.served import serve; serve({memory})"
_SHARED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Processes at work side by side share the cores; a number that the user has set is left alone."""
_GONE = "gone"
_A_WHILE_S = 3600.0

_MORE_MEMORY = "give it more memory, or use fewer workers"
_MOST_STARTS = 5
"""Processes in a row that end before they can work; one that the system kills when memory is out says nothing yet."""


class NoProcessError(MdandersonError):
    """No process can be started."""

    @classmethod
    def because(cls, why: str) -> NoProcessError:
        """The error with its way out."""
        return cls(f"no worker process can start ({why})", way_out=_MORE_MEMORY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one task may take. timeout_s: None = any time. memory_bytes: of its process, None = any."""

    timeout_s: float | None = None
    memory_bytes: int | None = None

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return self.timeout_s is not None or self.memory_bytes is not None


def in_processes(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    *,
    workers: int,
    limits: Limits,
    lost: Callable[[Task, MdandersonError], Done],
    start: Callable[[Task], None],
) -> Generator[Done]:
    """What comes of every task, in the order in which they are done.

    `lost` stands for a task that took too long, or whose process was ended twice: the second time nothing ran beside
    it. `start` is told of every task when it is handed over. Raises whatever `work` raises, and `NoProcessError`.
    """
    again: list[Task] = []
    with _Pool(work, limits, workers) as pool:
        for task, outcome in pool.run(tasks, start):
            match outcome:
                case _Died():
                    again.append(task)
                case MdandersonError():
                    yield lost(task, outcome)
                case _Value(value=value):
                    yield value
    for task in again:
        match _alone(work, task, limits, start):
            case _Value(value=value):
                yield value
            case _Died(how=how):
                yield lost(task, MdandersonError(f"{how}, twice", way_out=_MORE_MEMORY))
            case MdandersonError() as error:
                yield lost(task, error)


def _alone(work: Callable[[Task], Done], task: Task, limits: Limits, start: Callable[[Task], None]) -> _Outcome[Done]:
    """What becomes of a task when nothing runs beside it; others have run, so that it alone pays for what fails."""
    try:
        with _Pool(work, limits, 1) as pool:
            ((_, outcome),) = pool.run([task], start)
    except NoProcessError as error:
        return error
    return outcome


@dataclass(frozen=True, slots=True)
class _Value(Generic[Done]):
    value: Done


@dataclass(frozen=True, slots=True)
class _Died:
    how: str


_Outcome = _Value[Done] | _Died | MdandersonError


@dataclass(eq=False, slots=True)
class _Worker(Generic[Task]):
    """One process. task: what it is at, in a tuple; None while it starts or waits. until: when its time is up."""

    process: subprocess.Popen[bytes]
    task: tuple[Task] | None = None
    until: float = float("inf")
    ready: bool = False

    def send(self, frame: bytes) -> None:
        """Hand bytes over; that it is gone is told by its silence."""
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError):
            write_frame(self.process.stdin, frame)

    def listen(self, events: SimpleQueue[tuple[_Worker[Task], str, Any]]) -> None:
        """Pass on what it answers, and that it is gone."""
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(Exception):
            while (frame := read_frame(self.process.stdout)) is not None:
                events.put((self, *pickle.loads(frame)))  # noqa: S301 - from a process that this one started
        events.put((self, _GONE, None))

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # both were asked for


@dataclass(eq=False, slots=True)
class _Pool(Generic[Task, Done]):
    """Processes for one piece of work; leaving the block ends them."""

    work: Callable[[Task], Done]
    limits: Limits
    size: int
    workers: list[_Worker[Task]] = field(default_factory=list)
    events: SimpleQueue[tuple[_Worker[Task], str, Any]] = field(default_factory=SimpleQueue)
    message: bytes = b""
    failed_starts: int = 0

    def __enter__(self) -> _Pool[Task, Done]:
        import cloudpickle

        self.message = cloudpickle.dumps(self.work)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.end()

    def run(self, tasks: Sequence[Task], start: Callable[[Task], None]) -> Iterator[tuple[Task, _Outcome[Done]]]:
        """Every task with what became of it."""
        waiting = deque(tasks)
        open_tasks = len(tasks)
        while open_tasks:
            self._fill(waiting, start)
            try:
                worker, kind, value = self.events.get(timeout=self._seconds_left())
            except Empty:
                ended = list(self._overdue())
            else:
                ended = list(self._heard(worker, kind, value))
            open_tasks -= len(ended)
            yield from ended

    def _fill(self, waiting: deque[Task], start: Callable[[Task], None]) -> None:
        """Give every idle process a task, and start as many as are wanted."""
        import cloudpickle

        for worker in self.workers:
            if worker.ready and worker.task is None and waiting:
                task = waiting.popleft()
                start(task)
                worker.task = (task,)
                if self.limits.timeout_s is not None:
                    worker.until = time.monotonic() + self.limits.timeout_s
                worker.send(cloudpickle.dumps(task))
        starting = sum(not worker.ready for worker in self.workers)
        for _ in range(min(self.size - len(self.workers), len(waiting) - starting)):
            self._start_one()

    def _start_one(self) -> None:
        program = _PROGRAM.format(path=sys.path, memory=self.limits.memory_bytes or 0)
        try:
            process = subprocess.Popen(  # noqa: S603 - this very Python
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(self.size),
            )
        except OSError as error:
            if self.workers:
                return  # they go on, and it is tried again
            raise NoProcessError.because(error.strerror or str(error)) from error
        worker: _Worker[Task] = _Worker(process)
        self.workers.append(worker)
        threading.Thread(target=worker.listen, args=(self.events,), daemon=True).start()
        worker.send(self.message)

    def _seconds_left(self) -> float:
        first = min((worker.until for worker in self.workers), default=float("inf"))
        return min(max(first - time.monotonic(), 0.0), _A_WHILE_S)

    def _overdue(self) -> Iterator[tuple[Task, _Outcome[Done]]]:
        """The tasks whose time is up, and the end of the processes that are at them."""
        now = time.monotonic()
        for worker in [worker for worker in self.workers if worker.until <= now]:
            (task,) = self._ended(worker)
            yield (
                task,
                MdandersonError(
                    f"not finished after {self.limits.timeout_s:g} s, and ended",
                    way_out="look at its images with `mdanderson check`, or give it longer: --timeout",
                ),
            )

    def _heard(self, worker: _Worker[Task], kind: str, value: Any) -> Iterator[tuple[Task, _Outcome[Done]]]:
        """What an answer means for the task that its process was at. Raises what the work raised."""
        if worker not in self.workers:
            return  # ended by us, and its last words came after
        match kind:
            case _ if kind == READY:
                worker.ready, self.failed_starts = True, 0
            case _ if kind == RAISED:
                raise value
            case _ if kind == _GONE:
                tasks = self._ended(worker)
                self.failed_starts += not worker.ready
                if self.failed_starts >= _MOST_STARTS:
                    raise NoProcessError.because(f"{self.failed_starts} in a row ended {_how(worker.process)}")
                how = f"the process that scored the patient was ended {_how(worker.process)}"
                yield from ((task, _Died(how)) for task in tasks)
            case _ if kind in {DONE, LEAVING}:
                tasks = worker.task or ()
                worker.task, worker.until = None, float("inf")
                if kind == LEAVING:
                    self._ended(worker)
                yield from ((task, _Value(value)) for task in tasks)

    def _ended(self, worker: _Worker[Task]) -> tuple[Task, ...]:
        """End a process; the task that it was at."""
        self.workers.remove(worker)
        worker.end()
        return worker.task or ()


def _how(process: subprocess.Popen[bytes]) -> str:
    """How a process ended, in words."""
    code = process.returncode
    return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"


def _environment(workers: int) -> dict[str, str]:
    share = str(max(1, (os.cpu_count() or 1) // workers))
    return dict.fromkeys(_SHARED, share) | dict(os.environ)
