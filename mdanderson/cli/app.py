"""The commands together, and the last door: whatever goes wrong is one line on stderr.

Exit codes: 0 every patient was scored, 1 some failed, 2 nothing could be done, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from mdanderson.cli.cohort import agree, classify, score
from mdanderson.cli.exchange import fetch, index
from mdanderson.cli.export import export
from mdanderson.cli.look import check, demo, explain, handbook, key, report, settings, verify
from mdanderson.cli.review import review
from mdanderson.cli.tell import NOTHING_DONE, SOME_FAILED, STOPPED, TERMINATED, fail, say
from mdanderson.errors import MdandersonError

__all__ = ["app", "main"]

_LOG = logging.getLogger(__name__)

app = typer.Typer(
    name="mdanderson",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Imaging response of bone metastases by the MD Anderson criteria: images and lesion masks, or a reader's "
        "table, in; CR, PR, SD or PD with reasons out.\n\nResearch use only, not a medical device."
    ),
    epilog="Begin with: mdanderson demo DIR, then: mdanderson score DIR/cohort.csv -o results",
)

_COMMANDS = (
    *(demo, fetch, index, check, score, classify, agree, explain, report, review, export, verify),
    *(key, handbook, settings),
)
for _command in _COMMANDS:
    app.command()(_command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is one line on stderr."""
    try:
        code = app(args=argv, prog_name="mdanderson", standalone_mode=False)
        sys.stdout.flush()
    except MdandersonError as error:
        return fail(str(error))
    except TyperException as error:
        return _misused(error.format_message())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except Exception as error:  # noqa: BLE001 - the last door: a user never sees a traceback
        _LOG.debug("a command met a bug", exc_info=True)
        return fail(f"unexpected error (bug): {type(error).__name__} {error}")
    if code in {STOPPED, TERMINATED}:
        say("stopped; run the same command again")
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


def _misused(message: str) -> int:
    """What a bad command line ends with; without any command the help was shown already and says it all."""
    if not message:
        return NOTHING_DONE
    told = message if message.endswith("?") else message.rstrip(".") + ";"
    return fail(f"{told} `mdanderson --help` shows the commands")
