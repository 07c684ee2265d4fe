"""The commands that bring images in: `index` of a folder that an archive wrote, `fetch` from a PACS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdanderson.cli.cohort import Pseudonymize, one_stop
from mdanderson.cli.tell import SOME_FAILED, fail, say

if TYPE_CHECKING:
    from mdanderson.batch.index import Index

__all__ = ["index"]

_BETWEEN_S = 2.0
_MOST_TOLD = 40

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
_Workers = Annotated[
    int | None, typer.Option(min=1, metavar="N", show_default="one per core", help="Processes that read headers.")
]


def index(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="DICOM files, or a BIDS tree.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="COHORT.csv", help="The manifest to write; tables stand beside it.")
    ] = Path("cohort.csv"),
    workers: _Workers = None,
    by_folder: Annotated[
        bool, typer.Option("--by-folder", help="The folders right in DIR are the patients, whatever headers say.")
    ] = False,
    pseudonymize: Pseudonymize = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write COHORT.csv anew where it is there already.")
    ] = False,
    quiet: _Quiet = False,
) -> None:
    """Sort out a folder of images and write the manifest that `check` and `score` read.

    Files may have any name and lie anywhere: series are told apart by their UIDs, SEG and RTSTRUCT are laid to the
    images they were drawn on, and of several reconstructions of an examination one is chosen by stated rules. The
    others stand with the reason in COHORT_series.csv, what is damaged, doubled or orphaned in COHORT_problems.csv.
    Headers alone are read, and nothing in DIR is touched.

    Example: mdanderson index export -o study/cohort.csv

    Exit code 0: nothing was lost, 1: some files could not be used, 2: no image was found.
    """
    from mdanderson.batch.index import index as index_folder
    from mdanderson.readers.pseudonyms import Pseudonyms

    named = Pseudonyms.from_file(pseudonymize).of if pseudonymize else None
    with one_stop(), _counted(quiet=quiet, what="files") as progress:
        found = index_folder(
            folder, out, workers=workers, by_folder=by_folder, named=named, replace=replace, progress=progress
        )
    if not quiet:
        _show(found, out)
    _end(found)


def _show(found: Index, out: Path) -> None:
    """What was found, in a few lines."""
    known = found.found
    for problem in found.problems[:_MOST_TOLD]:
        typer.echo(str(problem))
    if len(found.problems) > _MOST_TOLD:
        typer.echo(f"and {len(found.problems) - _MOST_TOLD} more; see {out.stem}_problems.csv")
    days = len({(one.patient_id, one.date) for one in known.images})
    masks = sum(bool(one.mask) for one in known.images)
    left = sum(not one.used for one in known.series)
    told = f"{known.files} files: {known.dicom} images and what belongs to them, {known.ignored} of other kinds"
    typer.echo(told + (f", {known.directories} DICOMDIR" if known.directories else ""))
    typer.echo(f"{len(known.patients)} patients, {days} days, {len(known.images)} images, {masks} with a mask")
    typer.echo(f"{left} series left out, with the reason in {out.stem}_series.csv")
    if known.images:
        typer.echo(f"The manifest is {out}; look at it, then: mdanderson check {out}")


def _end(found: Index) -> None:
    if not found.found.images:
        raise typer.Exit(fail("no image that can be measured; the reasons stand beside the manifest"))
    if found.errors:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _counted(*, quiet: bool, what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to be told of how many of how many; a line on stderr now and then."""
    told_at = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        if not quiet and time.monotonic() - told_at >= _BETWEEN_S:
            told_at = time.monotonic()
            say(f"{done} of {total} {what}")

    yield tell
