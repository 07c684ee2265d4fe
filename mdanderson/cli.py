"""The command line: a thin door. Heavy imports stand inside the commands, so that `--help` answers at once.

Exit codes: 0 every patient was scored, 1 some failed, 2 nothing could be done, 130 stopped by the user.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from mdanderson.errors import MdandersonError, OutputError
from mdanderson.vocabulary import DEFAULT_CRITERIA

if TYPE_CHECKING:
    from mdanderson.batch import Results
    from mdanderson.settings import Settings

__all__ = ["app", "main"]

_LOG = logging.getLogger(__name__)
_SOME_FAILED, _NOTHING_DONE, _STOPPED = 1, 2, 130
_PIPE_WIDTH = 160
"""Characters in a line of a table that does not go to a terminal."""

app = typer.Typer(
    name="mdanderson",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Imaging response of bone metastases by the MD Anderson criteria: images and lesion masks in, CR, PR, SD or PD "
        "with reasons out.\n\nResearch use only, not a medical device."
    ),
    epilog="Begin with: mdanderson demo DIR, then: mdanderson score DIR/cohort.csv -o results",
)

_CohortFile = Annotated[
    Path,
    typer.Argument(
        metavar="COHORT",
        show_default=False,
        help="The manifest (CSV, TSV or Parquet), one row per image: patient_id, image, date, modality, visit, mask.",
    ),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is one line on stderr."""
    try:
        code = app(args=argv, prog_name="mdanderson", standalone_mode=False)
        sys.stdout.flush()
    except MdandersonError as error:
        return _fail(str(error))
    except TyperException as error:
        return _misused(error.format_message())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _SOME_FAILED
    except Exception as error:  # noqa: BLE001 - the last door: a user never sees a traceback
        _LOG.debug("a command met a bug", exc_info=True)
        return _fail(f"unexpected error (bug): {type(error).__name__} {error}")
    if code == _STOPPED:
        _say("stopped; the same command goes on where it was")
    return code if isinstance(code, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        from mdanderson.version import __version__

        typer.echo(f"mdanderson {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="A new or empty folder.")],
) -> None:
    """Write the embedded demo cohort: phantoms with known answers.

    Example: mdanderson demo demo
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError("the folder is not empty", where=str(folder), way_out="name a new one")
    from mdanderson.phantoms import write_demo

    write_demo(folder)
    typer.echo(f"The demo cohort is in {folder}; score it: mdanderson score {folder / 'cohort.csv'} -o results")


@app.command()
def check(cohort: _CohortFile) -> None:
    """Read everything, score nothing: print every problem, where it is and the way out.

    Example: mdanderson check cohort.csv

    Exit code 0: no errors, 1: some, 2: no patient has a readable image.
    """
    from mdanderson.batch.check import check as check_cohort
    from mdanderson.readers.manifest import read_cohort

    found = check_cohort(read_cohort(cohort))
    for problem in found.problems:
        typer.echo(str(problem))
    typer.echo(f"{found.patients} patients, {found.images} images read, {found.errors} errors")
    if not found.usable:
        raise typer.Exit(_fail("no patient has a readable image"))
    if found.errors:
        raise typer.Exit(_SOME_FAILED)


@app.command()
def score(
    cohort: _CohortFile,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", show_default=False, help="Results folder; made when new.")
    ],
    criteria: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default=DEFAULT_CRITERIA, help="Criteria set; repeat it, or give a comma list."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Settings; `mdanderson settings` prints a complete file."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Patients scored at once.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier runs finished.")] = False,
    no_report: Annotated[  # noqa: ARG001 - scripts may say so already; there is no report to leave out yet
        bool, typer.Option("--no-report", help="Tables only; this version writes nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Score every patient and write the tables to OUT: lesions, responses, patients, problems (.csv) and run.json.

    Sizes are in mm, densities in HU, changes are fractions (-0.5 = half). A run that was stopped goes on where it was.

    Example: mdanderson score cohort.csv -o results --workers 2

    Exit code 0: every patient was scored, 1: some failed (see problems.csv), 2: none.
    """
    from mdanderson.batch import score as score_cohort
    from mdanderson.report.progress import shown_progress

    with _one_interrupt(), shown_progress(quiet=quiet) as progress:
        results = score_cohort(
            cohort,
            out,
            settings=_settings(config),
            criteria=_names(criteria),
            workers=workers,
            fresh=fresh,
            progress=progress,
        )
    if not quiet:
        _show(results)
    for patient_id, why in results.failed.items():
        _say(f"{patient_id}: {why}")
    if not results.scored:
        raise typer.Exit(_fail("no patient could be scored; see problems.csv in the results folder"))
    if results.failed:
        raise typer.Exit(_SOME_FAILED)


@app.command()
def explain(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    patient: Annotated[str, typer.Option("--patient", "-p", metavar="P", show_default=False, help="The patient.")],
    visit: Annotated[str | None, typer.Option(metavar="V", help="One visit, by label or date; else all.")] = None,
) -> None:
    """Print the whole trace of a category: what every row of the criteria said of every lesion, with its numbers.

    Example: mdanderson explain results --patient P01 --visit 2024-04-02
    """
    from mdanderson.batch.explain import explain as explain_patient

    typer.echo(explain_patient(out, patient, visit=visit))


@app.command()
def settings() -> None:
    """Print every setting with its default and source, as a TOML file to edit and give to --config.

    Example: mdanderson settings > mine.toml
    """
    from mdanderson.report.settings_toml import settings_toml

    typer.echo(settings_toml(), nl=False)


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Ctrl-C stops the block once; pressed again it disturbs neither the workers' orderly end nor our own."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, before)


def _settings(config: Path | None) -> Settings:
    from mdanderson.settings import Settings

    return Settings.from_toml(config) if config is not None else Settings()


def _names(criteria: Sequence[str] | None) -> tuple[str, ...]:
    """Names as given, repeated or in comma lists, each once."""
    names = (name.strip() for given in criteria or (DEFAULT_CRITERIA,) for name in given.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _show(results: Results) -> None:
    from rich.console import Console

    from mdanderson.batch.results import RESEARCH_USE
    from mdanderson.report.tables import response_table

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    console.print(response_table(results.overall()))
    console.print(f"Results: {results.out} ({len(results.scored)} patients scored, {len(results.failed)} failed)")
    console.print(RESEARCH_USE)


def _say(line: str) -> None:
    typer.echo(f"mdanderson: {' '.join(line.split())}", err=True)


def _misused(message: str) -> int:
    """What a bad command line ends with; without any command the help was shown already and says it all."""
    if not message:
        return _NOTHING_DONE
    told = message if message.endswith("?") else message.rstrip(".") + ";"
    return _fail(f"{told} `mdanderson --help` shows the commands")


def _fail(line: str) -> int:
    _say(line)
    return _NOTHING_DONE
