"""The commands that bring images in: `index` of a folder that an archive wrote, `fetch` from a PACS."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdanderson.cli.cohort import Pseudonymize, one_stop
from mdanderson.cli.tell import SOME_FAILED, fail, say

if TYPE_CHECKING:
    from mdanderson.batch.index import Index
    from mdanderson.errors import Problem
    from mdanderson.pacs.fetch import Standing
    from mdanderson.pacs.server import Server

__all__ = ["PacsAet", "PacsAuth", "PacsCa", "PacsInsecure", "fetch", "index", "pacs_server"]

_BETWEEN_S = 2.0
_MOST_TOLD = 40
_PROBLEMS_FILE = "fetch_problems.csv"

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
PacsAuth = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml", help="Credentials of the PACS: token, or user and password; else of the environment."
    ),
]
PacsCa = Annotated[
    Path | None, typer.Option(metavar="FILE.pem", help="Certificates to trust, for a PACS that signs its own.")
]
PacsInsecure = Annotated[
    bool, typer.Option("--insecure-tls", help="Do NOT check who answers: for tests on a network of your own.")
]
PacsAet = Annotated[
    str, typer.Option(metavar="TITLE", help="What the classic network (dicom://) calls us: our AE title.")
]
_Day = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", show_default=False, help="Studies of that day on, or up to it."),
]
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
    Headers alone are read, and nothing in DIR is touched. With --pseudonymize patients are renamed, but paths stay as
    they are, as images must be found: where folders bear the names of patients, the tables do too.

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


def fetch(
    url: Annotated[
        str,
        typer.Option(
            "--from", metavar="URL", show_default=False, help="https:// (DICOMweb) or dicoms://CALLED_AET@host:port."
        ),
    ],
    patients: Annotated[
        Path,
        typer.Option(
            metavar="LIST.csv",
            show_default=False,
            help="patient_id (the PatientID of the archive), and date, or since and until, where not all are wanted.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", show_default=False, help="Folder of the images.")],
    modality: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="all of ours", help="CT MR NM PT XR; repeat it, or a comma list."),
    ] = None,
    since: _Day = None,
    until: _Day = None,
    auth: PacsAuth = None,
    ca: PacsCa = None,
    insecure_tls: PacsInsecure = False,
    aet: PacsAet = "MDANDERSON",
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="For one answer.")] = 60.0,
    by_hand: Annotated[bool, typer.Option("--no-index", help="Images only; write no manifest.")] = False,
    pseudonymize: Pseudonymize = None,
    quiet: _Quiet = False,
) -> None:
    """Fetch the images of a list of patients from a PACS, and write their manifest to DIR/cohort.csv.

    The address says how: https:// is DICOMweb, dicoms://CALLED_AET@host:port the classic network by C-FIND and C-GET
    with TLS, dicom:// without.

    What is in DIR already is not fetched again: run the same command again after a break. Who is not there, and what
    did not come, stand in DIR/fetch_problems.csv. Credentials come from the
    environment (MDANDERSON_PACS_TOKEN, or MDANDERSON_PACS_USER and MDANDERSON_PACS_PASSWORD) or a file, never from the
    command line. SEG, RTSTRUCT and SR come along.

    Example: mdanderson fetch --from https://pacs.example/dicom-web --patients list.csv -o study

    Exit code 0: all is here, 1: some is not, 2: nothing could be fetched.
    """
    from mdanderson.pacs import fetch as fetch_images
    from mdanderson.pacs.wanted import checked_modalities, read_wanted

    server = pacs_server(url, auth=auth, ca=ca, insecure_tls=insecure_tls, timeout_s=timeout, aet=aet)
    days = {name: day.date() if day else None for name, day in (("since", since), ("until", until))}
    wanted, problems = read_wanted(patients, **days)
    with one_stop(), _transferred(quiet=quiet) as progress:
        fetched = fetch_images(server, wanted, out, modalities=checked_modalities(modality or ()), progress=progress)
    for problem in (*problems, *fetched.problems):
        typer.echo(str(problem))
    there = fetched.standing.images + fetched.standing.kept
    if not quiet:
        typer.echo(f"{fetched.standing.images} images fetched, {fetched.standing.kept} were here already: {out}")
    if not there:
        raise typer.Exit(fail("no image of any of these patients"))
    _keep_problems(out, (*problems, *fetched.problems))
    lost = bool(problems) or fetched.errors > 0
    if not by_hand:
        lost = _index_fetched(out, pseudonymize, quiet=quiet) or lost
    if fetched.stopped:
        say(f"not finished: {fetched.stopped}; run the same command again")
    if lost:
        raise typer.Exit(SOME_FAILED)


def _keep_problems(out: Path, problems: Sequence[Problem]) -> None:
    """Write what did not come beside the images, or forget what an earlier call wrote of it."""
    from mdanderson.batch.index_tables import PROBLEMS
    from mdanderson.batch.store import remove, write_atomically
    from mdanderson.report.cells import to_csv
    from mdanderson.report.tables import problem_row

    if problems:
        write_atomically(out / _PROBLEMS_FILE, to_csv(PROBLEMS, map(problem_row, sorted(problems))))
    else:
        remove(out / _PROBLEMS_FILE)


def pacs_server(
    url: str, *, auth: Path | None, ca: Path | None, insecure_tls: bool, aet: str, timeout_s: float = 60.0
) -> Server:
    """The PACS that options name; what is doubtful about it is told at once. Raises `SettingsError`."""
    from mdanderson.pacs.server import Server

    server = Server.at(url, auth=auth, ca=ca, insecure_tls=insecure_tls, timeout_s=timeout_s, aet=aet)
    for warning in server.warnings:
        say(f"warning: {warning}")
    return server


def _index_fetched(out: Path, pseudonymize: Path | None, *, quiet: bool) -> bool:
    """Write the manifest of what is here; whether some of it cannot be used."""
    from mdanderson.batch.index import index as index_folder
    from mdanderson.readers.pseudonyms import Pseudonyms

    named = Pseudonyms.from_file(pseudonymize).of if pseudonymize else None
    manifest = out / "cohort.csv"
    found = index_folder(out, manifest, named=named, replace=True)
    if not quiet:
        _show(found, manifest)
    return found.errors > 0


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


@contextmanager
def _transferred(*, quiet: bool) -> Iterator[Callable[[Standing], None]]:
    """A function to be told how far a transfer is; a line on stderr now and then."""
    told_at = time.monotonic()

    def tell(now: Standing) -> None:
        nonlocal told_at
        if not quiet and time.monotonic() - told_at >= _BETWEEN_S:
            told_at = time.monotonic()
            here = f", {now.kept} were here already" if now.kept else ""
            say(f"{now.done} of {now.patients} patients, {now.images} images, {now.bytes / 1e6:.0f} MB{here}")

    yield tell
