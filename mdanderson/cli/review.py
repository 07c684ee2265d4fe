"""The command that serves results to readers on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mdanderson.cli.cohort import AN_HOUR_S, Pseudonymize, Timeout

__all__ = ["review"]


def review(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Of this machine; 0 = any that is free.")
    ] = 8765,
    reader: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="Who signs every entry; else the form asks.")
    ] = "",
    blinded: Annotated[
        bool,
        typer.Option("--blinded", help="Hide categories, days, names, the order of patients and others' entries."),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    timeout: Timeout = AN_HOUR_S,
    pseudonymize: Pseudonymize = None,
) -> None:
    """Serve the report on this machine alone, with forms to confirm or override findings, measurability and identity.

    Every entry is appended to OUT/reads.csv with reader, time and reason; its patient is then scored again. The page
    "Adjudication" lists where readers, or a reader and the computation, differ. Ctrl-C ends it. Needs the extra
    `review`.

    Example: mdanderson review results --reader Smith

    Example: mdanderson review results --reader Jones --blinded
    """
    from mdanderson.review import review as serve

    serve(
        out,
        port=port,
        reader=reader,
        blinded=blinded,
        browser=not no_browser,
        key_file=pseudonymize,
        timeout_s=timeout or None,
        tell=_tell,
    )


def _tell(line: str) -> None:
    typer.echo(line)
    import sys

    sys.stdout.flush()
