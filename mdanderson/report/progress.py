"""How far a run is, on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Standing", "shown_progress"]


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


@contextmanager
def shown_progress(*, quiet: bool = False, console: Console | None = None) -> Iterator[Callable[[Standing], None]]:
    """A function to be told of the standing while the block runs; it shows nothing when `quiet`."""
    if quiet:
        yield lambda _: None
        return
    from rich.console import Console

    console = console or Console(stderr=True)
    if console.is_terminal:
        with _bar(console) as tell:
            yield tell
    else:
        yield _Lines(console)


class _Lines:
    """One plain line for every patient that is finished; none before, as the tables may yet prove unreadable."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.done = 0

    def __call__(self, standing: Standing) -> None:
        if standing.done == self.done:
            return
        self.done = standing.done
        kept = f", {standing.kept} of them by an earlier run" if standing.kept else ""
        line = f"{standing.done} of {standing.total} patients done{kept}; {standing.problems} problems"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Standing], None]]:
    """Patients done, time left, problems so far, and who is being scored."""
    from rich import progress
    from rich.markup import escape

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[problems]} problems"),
        progress.TextColumn("{task.description}"),
    )
    with progress.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", problems=0, total=None)

        def tell(standing: Standing) -> None:
            shown.update(
                task,
                total=standing.total,
                completed=standing.done,
                problems=standing.problems,
                description=escape(" ".join(standing.running)),
            )

        yield tell
