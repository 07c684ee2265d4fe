"""The same work on the workers of a Dask scheduler: what a worker that dies was at is done by another."""

from __future__ import annotations

import functools
import socket
import time
from collections.abc import Callable, Generator, Sequence
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from mdanderson.batch.fingerprint import program, versions
from mdanderson.batch.pool import Limits, NoProcessError, in_processes
from mdanderson.errors import MdandersonError, SettingsError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_scheduler", "on_cluster"]

Task = TypeVar("Task")
Done = TypeVar("Done")

_AHEAD = 1000
"""Tasks handed over ahead of need: enough for an adaptive cluster to see that it should grow."""
_ANSWER_S = 30.0
"""A scheduler that is silent for longer is lost."""
_CONNECT_S = 5.0
"""Where nobody takes the call and says a first word within it, nobody is there."""
_LOOK_S = 1.0


def check_scheduler(scheduler: str) -> None:
    """Raise `SettingsError` where the library is missing or nobody is at the address, before a run and not in it."""
    _client_class()
    from distributed.comm.addressing import parse_address, parse_host_port

    protocol, place = parse_address(scheduler)
    try:
        if protocol in {"tcp", "tls"}:
            with socket.create_connection(parse_host_port(place), timeout=_CONNECT_S) as line:
                if protocol == "tcp" and not line.recv(1):  # a scheduler speaks first; the library would wait for ever
                    raise _nobody(scheduler)
    except (OSError, ValueError) as error:
        raise _nobody(scheduler) from error


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
        waiting = iter(tasks)
        at: dict[Any, Task] = {}
        done: SimpleQueue[Any] = SimpleQueue()

        def hand_over(count: int) -> None:
            for task in islice(waiting, count):
                future = client.submit(remote, task, pure=False)
                at[future] = task
                future.add_done_callback(done.put)

        hand_over(_AHEAD)
        while at:
            future = _next(done, client, scheduler)
            yield _outcome(future, at.pop(future), lost, scheduler)
            hand_over(1)


def _next(done: SimpleQueue[Any], client: Client, scheduler: str) -> Any:
    """The next task that is done. Raises `MdandersonError` where nobody has been there for a while."""
    gone_since: float | None = None
    while True:
        try:
            return done.get(timeout=_LOOK_S)
        except Empty:
            now = time.monotonic()
            gone_since = None if client.status == "running" else gone_since or now
            if gone_since is not None and now - gone_since > _ANSWER_S:
                raise _no_scheduler(scheduler) from None


def _no_scheduler(scheduler: str) -> MdandersonError:
    return MdandersonError(
        "the connection to the Dask scheduler was lost",
        where=scheduler,
        way_out="run the same command again: what is finished is kept",
    )


def _client(scheduler: str) -> Client:
    """A connection to the scheduler. Raises `SettingsError`."""
    try:
        client: Client = _client_class()(scheduler, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _nobody(scheduler) from error
    return client


def _client_class() -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise SettingsError(
            "a scheduler needs the extra `cluster`", way_out="pip install 'mdanderson[cluster]'"
        ) from error
    return Client


def _nobody(scheduler: str) -> SettingsError:
    return SettingsError(
        "no Dask scheduler answers", where=scheduler, way_out="give its address, as in tcp://host:8786"
    )


def _outcome(future: Any, task: Task, lost: Callable[[Task, MdandersonError], Done], scheduler: str) -> Done:
    """The result of a task. Raises what it raised, unless that is the death of every worker that tried it."""
    from distributed import CancelledError, KilledWorker

    try:
        done: Done = future.result(timeout=_ANSWER_S)
    except KilledWorker:
        died = MdandersonError(
            "every worker of the cluster that tried the patient was ended",
            way_out="give the workers more memory; the scheduler's log has more",
        )
        return lost(task, died)
    except (CancelledError, TimeoutError) as error:
        raise _no_scheduler(scheduler) from error
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
    """One task on a worker, in a process of its own; where none can start there, that costs this task alone.

    Raises `MdandersonError` where the worker's program is another.
    """
    if program() != expected:
        there = versions()
        other = [f"{name} {there.get(name)} instead of {known}" for name, known in here.items() if there[name] != known]
        raise MdandersonError(
            f"a worker has another version of the program ({', '.join(other) or 'its code differs'})",
            way_out="install the same on every worker, with requirements.lock",
        )
    try:
        (done,) = in_processes(work, [task], workers=1, limits=limits, lost=lost, start=lambda _: None)
    except NoProcessError as error:
        return lost(task, error)
    return done
