"""What is shown while a run goes on: rate, time left, who fails, and what of an earlier run is kept."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from mdanderson.report.progress import shown_progress

_ERASE = "\x1b[2K"


@dataclass
class Now:
    total: int = 4
    done: int = 0
    kept: int = 0
    problems: int = 0
    running: tuple[str, ...] = ()
    again: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    latest: str = ""


def shown(steps: Sequence[tuple[float, Now]], *, terminal: bool = False, quiet: bool = False) -> list[str]:
    """The lines that are left on the screen after these steps, each at its second."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, color_system=None)
    seconds = [0.0]
    with shown_progress(quiet=quiet, console=console, clock=lambda: seconds[0]) as tell:
        for second, standing in steps:
            seconds[0] = second
            tell(standing)
    return out.getvalue().replace(_ERASE, "").splitlines()


def test_sample() -> None:
    steps = [
        (0, Now(running=("P01",))),
        (30, Now(done=1, running=("P02",), problems=1)),
        (60, Now(done=2, problems=2, latest="P02: torn @ a.dcm; copy it again")),
        (7200, Now(done=3, problems=2, latest="P02: torn @ a.dcm; copy it again")),
        (7230, Now(done=4, problems=2, latest="P02: torn @ a.dcm; copy it again")),
    ]
    assert shown(steps) == [
        "1 of 4 patients done, 2.0 a minute, 01:30 left; problems: 1",
        "2 of 4 patients done, 2.0 a minute, 01:00 left; problems: 2; failed: P02: torn @ a.dcm; copy it again",
        "3 of 4 patients done, 0.0 a minute, 40:00 left; problems: 2",
        "4 of 4 patients done; problems: 2",
    ]


def test_hours() -> None:
    assert shown([(3600, Now(done=1))]) == ["1 of 4 patients done, 0.0 a minute, 3:00:00 left; problems: 0"]


@pytest.mark.parametrize(("second", "lines"), [(0.99, 2), (1.0, 3)])
def test_lines_are_a_second_apart(second: float, lines: int) -> None:
    assert len(shown([(0, Now(done=1)), (second, Now(done=2)), (2.5, Now(done=3))])) == lines


def test_a_failure_and_the_last_patient_are_told_at_once() -> None:
    steps = [(0, Now(done=1)), (0.1, Now(done=2, latest="P02: no")), (0.2, Now(done=3, latest="P02: no"))]
    assert len(shown(steps)) == 2
    assert len(shown([*steps, (0.3, Now(done=4, latest="P02: no"))])) == 3


AGAIN = Now(total=9, done=1, kept=1, again={"its files changed": tuple("ABCDEF"), "not scored before": ("G", "H")})


@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_kept_and_what_not_is_told_once(terminal: bool) -> None:
    lines = shown([(0, AGAIN), (1, AGAIN)], terminal=terminal)
    told = [line for line in lines if "patients kept" in line or "to be scored" in line]
    assert told == [
        "1 of 9 patients kept from an earlier run",
        "6 to be scored, its files changed: A B C D E ...",
        "2 to be scored, not scored before: G H",
    ]


def test_the_rate_is_that_of_this_run() -> None:
    """Kept patients took no time."""
    assert shown([(0, Now(total=10, done=7, kept=7)), (60, Now(total=10, done=8, kept=7))])[-1] == (
        "8 of 10 patients done, 1.0 a minute, 02:00 left; problems: 0"
    )


def test_a_bar_on_a_terminal() -> None:
    text = "\n".join(
        shown(
            [
                (0, Now(running=("P01",))),
                (30, Now(done=1, problems=3, running=("[b]P02",), latest="P01: torn [/]")),
                (30, Now(done=1, problems=3, running=("[b]P02",), latest="P01: torn [/]")),
            ],
            terminal=True,
        )
    )
    assert "1/4 2.0 a minute, 01:30 left problems: 3 [b]P02" in text
    assert text.count("failed: P01: torn [/]") == 1


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet(terminal: bool) -> None:
    assert shown([(0, AGAIN), (60, Now(done=4, latest="P02: no"))], terminal=terminal, quiet=True) == []
