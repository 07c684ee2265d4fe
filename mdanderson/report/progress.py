"""How far a run is, on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mdanderson.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Standing", "shown_progress"]

_BETWEEN_S = 1.0
"""Seconds from one plain line to the next; a patient that failed is told at once."""
_NAMED = 5
"""Patients that are named where many are told of."""


class Standing(Protocol):
    """How far a run is, in patients."""

    @property
    def total(self) -> int:
        """All patients."""

    @property
    def done(self) -> int:
        """Finished, the kept ones included."""

    @property
    def kept(self) -> int:
        """Finished by an earlier run."""

    @property
    def problems(self) -> int:
        """Problems so far."""

    @property
    def running(self) -> tuple[str, ...]:
        """Patients being scored now."""

    @property
    def again(self) -> Mapping[str, tuple[str, ...]]:
        """Patients to be scored now, by the reason why nothing stored can be kept."""

    @property
    def latest(self) -> str:
        """The patient that failed last, and why; blank where none has."""


@contextmanager
def shown_progress(
    *, quiet: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Standing], None]]:
    """A function to be told of the standing while the block runs; it shows nothing when `quiet`."""
    if quiet:
        yield lambda _: None
        return
    from rich.console import Console

    console = console or Console(stderr=True)
    if console.is_terminal:
        with _bar(console, clock) as tell:
            yield tell
    else:
        yield _Lines(console, clock)


class _Lines:
    """A plain line now and then; none before the first patient, as the tables may yet prove unreadable."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self.console, self.clock = console, clock
        self.pace = _Pace(clock)
        self.done = 0
        self.latest = ""
        self.told_at = float("-inf")
        self.began = False

    def __call__(self, standing: Standing) -> None:
        if not self.began:
            self.began, self.done = True, standing.kept
            for line in _what_is_kept(standing):
                self._print(line)
        if standing.done == self.done:
            return
        self.done = standing.done
        now = self.clock()
        news = standing.latest != self.latest
        if not news and now - self.told_at < _BETWEEN_S and standing.done < standing.total:
            return
        self.told_at, self.latest = now, standing.latest
        parts = [f"{standing.done} of {standing.total} patients done", *self.pace(standing)]
        line = ", ".join(parts) + f"; problems: {standing.problems}"
        self._print(f"{line}; failed: {standing.latest}" if news else line)

    def _print(self, line: str) -> None:
        self.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


class _Pace:
    """How fast patients are finished, and how long the others will take, from what this run has done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.began = clock()

    def __call__(self, standing: Standing) -> tuple[str, ...]:
        """Rate and time left; nothing where there is nothing to judge by, or nothing left."""
        done, seconds = standing.done - standing.kept, self.clock() - self.began
        left = standing.total - standing.done
        if not done or not left or seconds <= 0:
            return ()
        return f"{60 * done / seconds:.1f} a minute", f"{_duration(left * seconds / done)} left"


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds: `1:02:03`, `02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def _what_is_kept(standing: Standing) -> Iterator[str]:
    """What of an earlier run is kept, and what is not, and why; nothing where there is no earlier run."""
    if standing.kept:
        yield f"{standing.kept} of {standing.total} patients kept from an earlier run"
    for why, patients in standing.again.items():
        named = " ".join(patients[:_NAMED]) + (" ..." if len(patients) > _NAMED else "")
        yield f"{len(patients)} to be scored, {why}: {named}"


@contextmanager
def _bar(console: Console, clock: Callable[[], float]) -> Iterator[Callable[[Standing], None]]:
    """Patients done, rate, time left, problems so far, who is being scored and who failed last."""
    from rich import progress
    from rich.markup import escape

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[pace]}"),
        progress.TextColumn("problems: {task.fields[problems]}"),
        progress.TextColumn("{task.description}"),
    )
    pace, told = _Pace(clock), [""]
    with progress.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", problems=0, pace="", total=None)

        def tell(standing: Standing) -> None:
            if not shown.tasks[0].total:
                for line in _what_is_kept(standing):
                    console.print(printable(line), markup=False, highlight=False)
            if standing.latest != told[0]:
                told[0] = standing.latest
                console.print(printable(f"failed: {standing.latest}"), markup=False, highlight=False)
            shown.update(
                task,
                total=standing.total,
                completed=standing.done,
                problems=standing.problems,
                pace=", ".join(pace(standing)),
                description=escape(" ".join(standing.running)),
            )

        yield tell
