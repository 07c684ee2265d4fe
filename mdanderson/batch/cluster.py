"""The same work on the workers of a Dask scheduler: what a worker that dies was at is done by another."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from mdanderson.batch.fingerprint import program, versions
from mdanderson.batch.pool import Limits, in_processes
from mdanderson.errors import MdandersonError, SettingsError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["on_cluster"]

Task = TypeVar("Task")
Done = TypeVar("Done")

_AHEAD = 1000
"""Tasks handed over ahead of need: enough for an adaptive cluster to see that it should grow."""
_ANSWER_S = 30


def on_cluster(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    *,
    scheduler: str,
    limits: Limits,
    lost: Callable[[Task, MdandersonError], Done],
) -> Generator[Done]:
    """What comes of every task, in the order in which they are done; `lost` stands for one that takes its workers down.

    A task runs in a process of its own beside its worker, so that it can be ended there; a worker with two threads
    does two at a time. Images are read there: it must see them by the same paths.
    Raises `SettingsError` where no scheduler answers, `MdandersonError` where it is lost, or its workers have another
    version of the program; and whatever `work` raises.
    """
    if not tasks:
        return
    remote = functools.partial(_there, work, lost, limits=limits, expected=program(), here=versions())
    with _client(scheduler) as client:
        from distributed import CancelledError, as_completed
        from distributed.comm import CommClosedError

        waiting = iter(tasks)
        at: dict[Any, Task] = {}

        def hand_over(some: Iterable[Task]) -> Iterator[Any]:
            for task in some:
                future = client.submit(remote, task, pure=False)
                at[future] = task
                yield future

        try:
            done = as_completed(hand_over(islice(waiting, _AHEAD)))
            for future in done:
                task = at.pop(future)
                yield _outcome(future, task, lost)
                done.update(hand_over(islice(waiting, 1)))
        except (CancelledError, CommClosedError, TimeoutError, OSError) as error:
            raise MdandersonError(
                "the connection to the Dask scheduler was lost",
                where=scheduler,
                way_out="run the same command again: what is finished is kept",
            ) from error


def _client(scheduler: str) -> Client:
    """A connection to the scheduler. Raises `SettingsError`."""
    try:
        from distributed import Client
    except ImportError as error:
        raise SettingsError(
            "a scheduler needs the extra `cluster`", way_out="pip install 'mdanderson[cluster]'"
        ) from error
    try:
        return Client(scheduler, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingsError(
            "no Dask scheduler answers", where=scheduler, way_out="give its address, as in tcp://host:8786"
        ) from error


def _outcome(future: Any, task: Task, lost: Callable[[Task, MdandersonError], Done]) -> Done:
    """The result of a task. Raises what it raised, unless that is the death of every worker that tried it."""
    from distributed import KilledWorker

    try:
        done: Done = future.result()
    except KilledWorker as error:
        died = MdandersonError(
            "every worker that tried the patient was ended",
            way_out=f"give workers more memory ({error.allowed_failures + 1} died); see the scheduler's log",
        )
        return lost(task, died)
    return done


def _there(
    work: Callable[[Task], Done],
    lost: Callable[[Task, MdandersonError], Done],
    task: Task,
    *,
    limits: Limits,
    expected: str,
    here: dict[str, str],
) -> Done:
    """One task on a worker, in a process of its own. Raises `MdandersonError` where the worker's program is another."""
    if program() != expected:
        there = versions()
        other = [f"{name} {there.get(name)} instead of {known}" for name, known in here.items() if there[name] != known]
        raise MdandersonError(
            f"a worker has another version of the program ({', '.join(other) or 'its code differs'})",
            way_out="install the same on every worker, with requirements.lock",
        )
    (done,) = in_processes(work, [task], workers=1, limits=limits, lost=lost, start=lambda _: None)
    return done
