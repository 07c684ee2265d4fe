"""How the command line speaks: one line per mistake on stderr, tables on stdout, an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from mdanderson.errors import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mdanderson.batch import Results
    from mdanderson.statistics import Agreement

__all__ = [
    "NOTHING_DONE",
    "SOME_FAILED",
    "STOPPED",
    "TERMINATED",
    "agreement_part",
    "end",
    "fail",
    "say",
    "show",
    "show_results",
]

SOME_FAILED, NOTHING_DONE, STOPPED, TERMINATED = 1, 2, 130, 143
_PIPE_WIDTH = 160
"""Characters in a line of a table that does not go to a terminal."""
_MOST_RESPONSES = 100
"""Responses that are printed; of more, the cohort's summary is."""
_MOST_FAILURES = 20


def say(line: str) -> None:
    """One line on stderr."""
    typer.echo(f"mdanderson: {' '.join(printable(line).split())}", err=True)


def fail(line: str) -> int:
    """The line that says why nothing could be done, and the exit code for it."""
    say(line)
    return NOTHING_DONE


def show(parts: Iterable[RenderableType]) -> None:
    """Tables and lines on stdout; where they cannot go, what was done is done, and its exit code stands."""
    console = _console()
    try:
        with console.capture() as captured:  # the library would end the program where a pipe is closed
            for part in parts:
                console.print(part)
        sys.stdout.write(captured.get())
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(f"nothing can be printed ({error.strerror}); what was to be written to files is written")


def show_results(results: Results, *, by: str, verb: str) -> None:
    """What a run came to: every response of few patients, else the rates of the cohort; and what readers agree on."""
    from mdanderson.report.terminal import response_table, summary_table
    from mdanderson.statistics import SUMMARY
    from mdanderson.version import RESEARCH_USE

    many = len(results.scored) > _MOST_RESPONSES  # each has one or more: they need not be read to be counted
    responses = () if many else results.overall()
    many = many or len(responses) > _MOST_RESPONSES
    parts: list[RenderableType] = []
    if not many:
        parts.append(response_table(responses))
    if by or many:
        rows = SUMMARY.named(results.summary_rows(by))
        parts.append(summary_table(rows))
    parts += map(agreement_part, results.agreements)
    parts.append(f"Results: {results.out} ({len(results.scored)} patients {verb}, {len(results.failed)} failed)")
    parts.append(RESEARCH_USE)
    show(parts)


def agreement_part(found: Agreement) -> RenderableType:
    """How two readers agree, as a table."""
    from mdanderson.report.terminal import agreement_table
    from mdanderson.statistics import AGREEMENT

    rows = AGREEMENT.named(found.cells[AGREEMENT.name])
    return agreement_table(found.names, rows, len(found.discordant))


def end(failed: Mapping[str, str], *, any_done: bool, none_done: str) -> None:
    """Name the patients that failed, and end with the exit code for them."""
    for patient_id, why in list(failed.items())[:_MOST_FAILURES]:
        say(f"{patient_id}: {why}")
    if len(failed) > _MOST_FAILURES:
        say(f"and {len(failed) - _MOST_FAILURES} more patients failed; see problems.csv in the results folder")
    if not any_done:
        raise typer.Exit(fail(none_done))
    if failed:
        raise typer.Exit(SOME_FAILED)


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
