"""The same work on many tasks, in several processes; one that dies costs its task alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mdanderson.errors import MdandersonError, SettingsError

__all__ = ["DIED", "checked_workers", "each", "usable_cores"]

Task = TypeVar("Task")
Done = TypeVar("Done")

DIED = MdandersonError(
    "the process that scored the patient was ended", way_out="give it more memory, or use fewer workers"
)
_MOST_WORKERS = 8
"""Asked for by nobody, more processes than these only cost memory."""


def usable_cores() -> int:
    """How many processes this one may run at once."""
    known = getattr(os, "sched_getaffinity", None)
    cores = len(known(0)) if known else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


def checked_workers(workers: int) -> int:
    """The number, when it is one. Raises `SettingsError`."""
    if workers < 1:
        raise SettingsError(f"{workers} workers", way_out="use at least one")
    return workers


def each(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    *,
    workers: int,
    died: Callable[[Task], Done],
    start: Callable[[Task], None] | None = None,
) -> Iterator[Done]:
    """What comes of every task, in the order in which they are done; `died` stands for one whose process was ended.

    `start` is told of every task when it is begun; without it tasks are handed over ahead of need.
    """
    tell = start or _not_told
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            tell(task)
            yield work(task)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    def begun() -> Iterator[object]:
        for number, task in enumerate(tasks):
            tell(task)
            yield delayed(_numbered)(work, number, task)

    left = dict(enumerate(tasks))
    pool = Parallel(
        n_jobs=workers,
        backend="loky",
        return_as="generator_unordered",
        pre_dispatch="n_jobs" if start else "2*n_jobs",
        batch_size=1,
        initializer=_leave_interrupts,
    )
    try:
        for number, done in pool(begun()):
            del left[number]
            yield done
    except BrokenProcessPool:
        for task in left.values():
            yield _alone(work, task, died)


def _not_told(_: object) -> None:
    """Nobody asked to be told."""


def _leave_interrupts() -> None:
    """Make this worker process deaf to Ctrl-C: the terminal tells every process, the parent alone ends the run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _numbered(work: Callable[[Task], Done], number: int, task: Task) -> tuple[int, Done]:
    return number, work(task)


def _alone(work: Callable[[Task], Done], task: Task, died: Callable[[Task], Done]) -> Done:
    """One task in a process of its own, after a worker died: so the guilty one costs only itself."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        (done,) = Parallel(n_jobs=2, backend="loky", initializer=_leave_interrupts)([delayed(work)(task)])
    except BrokenProcessPool:
        return died(task)
    finished: Done = done
    return finished
