"""The same work on many tasks: in this process, in several, or on a cluster; whatever happens to one costs it alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mdanderson.batch.pool import Limits, in_processes
from mdanderson.errors import MdandersonError, SettingsError

__all__ = ["Force", "checked_workers", "each", "share_of_memory", "usable_cores"]

Task = TypeVar("Task")
Done = TypeVar("Done")

_MOST_WORKERS = 8
"""Asked for by nobody, more processes than these only cost memory."""
_USABLE_SHARE = 0.9
"""Of the machine's memory; the rest is for the system."""
_LEAST_SHARE_BYTES = 2 * 1024**3
"""Five visits of 512 x 512 x 400 voxels take less; below it, a worker that fails says little about its patient."""
_LEAST_MEMORY_BYTES = 512 * 1024**2
"""The libraries alone want this much."""
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Force:
    """Who works. workers: processes of this machine; one without limits is this very process.

    scheduler: address of a Dask scheduler, whose workers do it instead. limits: of every task.
    """

    workers: int = 1
    scheduler: str = ""
    limits: Limits = Limits()  # noqa: RUF009 - frozen

    @classmethod
    def from_wishes(
        cls, *, workers: int, timeout_s: float | None, memory_gb: float | None, scheduler: str = ""
    ) -> Force:
        """The force as asked for; a process that may be ended gets its share of the memory where none is asked for.

        Raises `SettingsError`.
        """
        workers = checked_workers(workers)
        if timeout_s is not None and not timeout_s > 0:
            raise SettingsError(f"a timeout of {timeout_s:g} s", way_out="give a patient more than 0 seconds")
        asked = None if memory_gb is None else int(memory_gb * 1024**3)
        if asked is not None and asked < _LEAST_MEMORY_BYTES:
            raise SettingsError(f"{memory_gb:g} GB of memory for a worker", way_out="give it at least 0.5 GB")
        own_process = workers > 1 or timeout_s is not None
        memory_bytes = share_of_memory(workers) if asked is None and own_process and not scheduler else asked
        return cls(workers=workers, scheduler=scheduler, limits=Limits(timeout_s=timeout_s, memory_bytes=memory_bytes))


def usable_cores() -> int:
    """How many processes this one may run at once."""
    known = getattr(os, "sched_getaffinity", None)
    cores = len(known(0)) if known else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


def share_of_memory(workers: int) -> int | None:
    """Bytes that one of several workers may take, so that all of them fit; None where the machine does not tell."""
    known = [size for size in (_physical_bytes(), *map(_limit_in, _CGROUP_LIMITS)) if size]
    if not known:
        return None
    return max(_LEAST_SHARE_BYTES, int(min(known) * _USABLE_SHARE) // workers)


def checked_workers(workers: int) -> int:
    """The number, when it is one. Raises `SettingsError`."""
    if workers < 1:
        raise SettingsError(f"{workers} workers", way_out="use at least one")
    return workers


def each(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    *,
    force: Force,
    lost: Callable[[Task, MdandersonError], Done],
    start: Callable[[Task], None] | None = None,
) -> Generator[Done]:
    """What comes of every task, in the order in which they are done.

    `lost` stands for one that took too long or whose process was ended; `start` is told of every task when it is
    begun. Tasks and results travel between processes; what tasks name, such as images, is read where they are done.
    Raises whatever `work` raises.
    """
    if force.scheduler:
        from mdanderson.batch.cluster import on_cluster

        return on_cluster(work, tasks, scheduler=force.scheduler, limits=force.limits, lost=lost)
    workers = max(1, min(force.workers, len(tasks)))
    if workers == 1 and not force.limits.given:
        return _here(work, tasks, start or _not_told)
    return in_processes(work, tasks, workers=workers, limits=force.limits, lost=lost, start=start or _not_told)


def _here(work: Callable[[Task], Done], tasks: Sequence[Task], start: Callable[[Task], None]) -> Generator[Done]:
    for task in tasks:
        start(task)
        yield work(task)


def _not_told(_: object) -> None:
    """Nobody asked to be told."""


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _limit_in(file: str) -> int:
    """The bound that a container sets; 0 where there is none."""
    try:
        return int(Path(file).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
