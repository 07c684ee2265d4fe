"""The commands that judge nothing: demo cohort, check of what is there, trace of a category, handbook, settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mdanderson.cli.cohort import (
    AN_HOUR_S,
    CohortFile,
    ConfigFile,
    Memory,
    Pseudonymize,
    Timeout,
    one_stop,
    read_settings,
)
from mdanderson.cli.tell import SOME_FAILED, fail
from mdanderson.errors import OutputError

__all__ = ["check", "demo", "explain", "handbook", "key", "report", "settings", "verify"]


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="A new or empty folder.")],
    phantom: Annotated[
        Path | None,
        typer.Option(
            "--phantom",
            metavar="SPEC.toml",
            show_default=False,
            help="Write the phantoms that this file asks for instead; docs/phantoms.md has the format and an example.",
        ),
    ] = None,
) -> None:
    """Write the embedded demo cohort, or phantoms of your own: CT images and lesion masks whose answers are known.

    What is true stands beside the images, in mm and HU: of the demo cohort in truth.csv (a visit a row) and
    truth_lesions.csv, of your own phantoms in truth.csv (a lesion and visit a row) and truth_visits.csv.

    Example: mdanderson demo demo

    Example: mdanderson demo --phantom lesions.toml phantoms
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError("the folder is not empty", where=str(folder), way_out="name a new one")
    from mdanderson.phantoms import write_demo, write_phantoms

    manifest = write_demo(folder) if phantom is None else write_phantoms(phantom, folder)
    what = "The demo cohort is" if phantom is None else "The phantoms are"
    typer.echo(f"{what} in {folder}; score it: mdanderson score {manifest} -o results")


def check(
    cohort: CohortFile,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Patients looked at at once.")] = 1,
    timeout: Timeout = AN_HOUR_S,
    memory: Memory = None,
    pseudonymize: Pseudonymize = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not tell how far it is.")] = False,
) -> None:
    """Look at every image and mask, score nothing: print every problem, where it is and the way out.

    Of an image the header is read, and its voxels where they may be damaged without the header's telling.

    Example: mdanderson check cohort.csv

    Exit code 0: no errors, 1: some, 2: no patient has a readable image.
    """
    from mdanderson.batch.check import check as check_cohort
    from mdanderson.batch.pseudonymous import pseudonymous_cohort
    from mdanderson.readers.manifest import read_cohort
    from mdanderson.report.progress import shown_progress

    with one_stop(), shown_progress(quiet=quiet) as progress:
        patients = pseudonymous_cohort(cohort, pseudonymize) if pseudonymize else read_cohort(cohort)
        found = check_cohort(patients, workers=workers, timeout_s=timeout or None, memory_gb=memory, progress=progress)
    for problem in found.problems:
        typer.echo(str(problem))
    typer.echo(f"{found.patients} patients, {found.images} images read, {found.errors} errors")
    if not found.usable:
        raise typer.Exit(fail("no patient has a readable image"))
    if found.errors:
        raise typer.Exit(SOME_FAILED)


def explain(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    patient: Annotated[str, typer.Option("--patient", "-p", metavar="P", show_default=False, help="The patient.")],
    visit: Annotated[str | None, typer.Option(metavar="V", help="One visit, by label or date; else all.")] = None,
) -> None:
    """Print the whole trace of a category: what every row of every criteria set said, of each lesion, with its numbers.

    Example: mdanderson explain results --patient P01 --visit 2024-04-02
    """
    from mdanderson.batch.explain import explain as explain_patient

    typer.echo(explain_patient(out, patient, visit=visit))


def report(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    no_viewer: Annotated[
        bool, typer.Option("--no-viewer", help="Smaller pages: pictures, but no voxels to go through.")
    ] = False,
) -> None:
    """Write the pages of results anew to OUT/report, from what is in OUT: tables, and pictures that `score` took.

    Example: mdanderson report results
    """
    from mdanderson.batch.pages import report as write_report

    typer.echo(f"The report is {write_report(out, viewer=not no_viewer)}")


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A results folder.")],
    config: ConfigFile = None,
    pseudonymize: Annotated[
        Path | None, typer.Option(metavar="KEYFILE", show_default=False, help="The key that the run was given.")
    ] = None,
) -> None:
    """Tell what changed since a run: inputs by content, the tables it wrote, the program; by --config, the settings.

    Example: mdanderson verify results

    Exit code 0: nothing changed, 1: something did, 2: no finished run there.
    """
    from mdanderson.batch.verify import verify as verify_run

    found = verify_run(out, settings=None if config is None else read_settings(config), key_file=pseudonymize)
    for change in found.changes:
        typer.echo(str(change))
    compared = f"{found.patients} patients, {found.files} files compared; " if found.patients else ""
    typer.echo(f"{compared}{len(found.changes) or 'no'} changes")
    if found.changes:
        raise typer.Exit(SOME_FAILED)


def handbook(config: ConfigFile = None) -> None:
    """Print every criteria set, row by row with its limits and sources, as Markdown; by --config, the limits in force.

    Example: mdanderson handbook --config mine.toml > criteria.md
    """
    from mdanderson.report.handbook import handbook as page

    typer.echo(page(read_settings(config)), nl=False)


def settings() -> None:
    """Print every setting with its default and source, as a TOML file to edit and give to --config.

    Example: mdanderson settings > mine.toml
    """
    from mdanderson.report.settings_toml import settings_toml

    typer.echo(settings_toml(), nl=False)


def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="A new file, for you alone.")],
) -> None:
    """Write a new secret key, by which --pseudonymize calls patients by other names.

    Whoever has it and a list of patients can tell who is who: keep it away from the results.

    Example: mdanderson key study.key
    """
    from mdanderson.readers.pseudonyms import write_new_key

    write_new_key(file)
    typer.echo(f"The key is in {file}; use it: mdanderson score cohort.csv -o results --pseudonymize {file}")
