"""The commands that judge a cohort: `score` from images, `classify` a reader's table, `agree` of two readers."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdanderson.cli.tell import TERMINATED, agreement_part, end, show, show_results
from mdanderson.errors import SettingsError
from mdanderson.vocabulary import DEFAULT_CRITERIA

if TYPE_CHECKING:
    from mdanderson.batch.results import Results
    from mdanderson.settings import Settings

__all__ = [
    "AN_HOUR_S",
    "CohortFile",
    "ConfigFile",
    "Memory",
    "Pseudonymize",
    "Timeout",
    "agree",
    "classify",
    "one_stop",
    "read_settings",
    "score",
]

CohortFile = Annotated[
    Path,
    typer.Argument(
        metavar="COHORT",
        show_default=False,
        help="The manifest (CSV, TSV or Parquet), one row per image: patient_id, image, date, modality, visit, mask.",
    ),
]
_Out = Annotated[
    str, typer.Option("--out", "-o", metavar="OUT", show_default=False, help="Results folder; made when new.")
]
_Criteria = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", show_default=DEFAULT_CRITERIA, help="Criteria set; repeat it, or give a comma list."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.toml", help="Settings; `mdanderson settings` prints a complete file."),
]
_By = Annotated[
    str, typer.Option(metavar="COLUMN", show_default=False, help="Column of patients.csv to group the summary by.")
]
Timeout = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="For one patient, which then counts as failed; 0 = any time.")
]
AN_HOUR_S = 3600.0
Memory = Annotated[
    float | None,
    typer.Option(min=0.5, metavar="GB", show_default="its share", help="Of a worker; a patient that wants more fails."),
]
_STOPS = (signal.SIGINT, signal.SIGTERM)
_Scheduler = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        show_default=False,
        help="Dask scheduler, as tcp://host:8786: its workers score in place of --workers. Needs the extra `cluster`.",
    ),
]
_Parquet = Annotated[
    bool, typer.Option("--parquet", help="Write the tables to OUT/parquet as well. Needs the extra `parquet`.")
]
Pseudonymize = Annotated[
    Path | None,
    typer.Option(
        metavar="KEYFILE",
        help="Call patients in all results by pseudonyms of this key; `mdanderson key` writes one.",
    ),
]
_Fresh = Annotated[bool, typer.Option("--fresh", help="Forget what earlier runs finished.")]
_NoReport = Annotated[bool, typer.Option("--no-report", help="Tables only: no pictures, no pages.")]
_Viewer = Annotated[
    bool | None,
    typer.Option(
        "--viewer/--no-viewer",
        show_default="with 100 patients or fewer",
        help="A viewer on the pages: the voxels round every lesion, up to 6 MB a patient.",
    ),
]
_Measurements = Annotated[
    Path,
    typer.Argument(
        metavar="MEASUREMENTS",
        show_default=False,
        help="A reader's table (CSV, TSV or Parquet), one row per lesion and visit: patient_id, date, lesion_id, "
        "modality, long_axis_mm, short_axis_mm, ...; or DICOM SR: a report, or a folder of them.",
    ),
]
_Judges = Annotated[
    int | None, typer.Option(min=1, metavar="N", show_default="one per core", help="Processes that judge.")
]
_Lesions = Annotated[
    bool, typer.Option("--lesions", help="Write lesions.csv too: each lesion's category and reason, at every visit.")
]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def score(
    cohort: CohortFile,
    out: _Out,
    criteria: _Criteria = None,
    config: ConfigFile = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Patients scored at once.")] = 1,
    timeout: Timeout = AN_HOUR_S,
    memory: Memory = None,
    scheduler: _Scheduler = "",
    fresh: _Fresh = False,
    by: _By = "",
    parquet: _Parquet = False,
    pseudonymize: Pseudonymize = None,
    no_report: _NoReport = False,
    viewer: _Viewer = None,
    quiet: _Quiet = False,
) -> None:
    """Score every patient and write the tables to OUT: lesions, responses, patients, problems (.csv) and run.json.

    Pages with the pictures of every lesion are written to OUT/report: open index.html, no network is needed.

    Sizes are in mm, densities in HU, changes are fractions (-0.5 = half). A run that was stopped goes on where it was.

    Example: mdanderson score cohort.csv -o results --workers 2

    Exit code 0: every patient was scored, 1: some failed (see problems.csv), 2: none.
    """
    from mdanderson.batch import score as score_cohort
    from mdanderson.batch.pseudonymous import pseudonymous_cohort
    from mdanderson.report.progress import shown_progress

    with one_stop(), shown_progress(quiet=quiet) as progress:
        results = score_cohort(
            pseudonymous_cohort(cohort, pseudonymize, Path(out)) if pseudonymize else cohort,
            out,
            settings=read_settings(config),
            criteria=_names(criteria),
            workers=workers,
            timeout_s=timeout or None,
            memory_gb=memory,
            scheduler=scheduler,
            fresh=fresh,
            by=by,
            parquet=parquet,
            report=not no_report,
            viewer=viewer,
            progress=progress,
        )
    _end(results, by=by, verb="scored", quiet=quiet)


def classify(
    measurements: _Measurements,
    out: _Out,
    criteria: _Criteria = None,
    config: ConfigFile = None,
    workers: _Judges = None,
    by: _By = "",
    lesions: _Lesions = False,
    parquet: _Parquet = False,
    pseudonymize: Pseudonymize = None,
    quiet: _Quiet = False,
) -> None:
    """Judge a reader's table by the same criteria, without images, and write the same tables to OUT.

    patients.csv, reads.csv and events.csv beside the table are used, and a reads.csv that a review left in OUT. A
    lesion without a row is not assessed, not gone; 0 mm says that it is gone. Where several readers read a patient,
    they are compared as by `agree`.

    Example: mdanderson classify measurements.csv -o results --criteria mda2010,recist11

    Exit code 0: every patient was classified, 1: some failed (see problems.csv), 2: none.
    """
    from mdanderson.batch import classify as classify_table
    from mdanderson.batch.pseudonymous import pseudonymous_tables
    from mdanderson.report.progress import shown_progress

    with one_stop(), shown_progress(quiet=quiet) as progress:
        tables = pseudonymous_tables(measurements, pseudonymize, Path(out)) if pseudonymize else {}
        results = classify_table(
            tables.pop("source", measurements),
            out,
            **tables,
            settings=read_settings(config),
            criteria=_names(criteria),
            workers=workers,
            by=by,
            lesions=lesions,
            parquet=parquet,
            progress=progress,
        )
    _end(results, by=by, verb="classified", quiet=quiet)


def agree(
    out_a: Annotated[Path, typer.Argument(metavar="OUT_A", show_default=False, help="Results of the first reader.")],
    out_b: Annotated[Path, typer.Argument(metavar="OUT_B", show_default=False, help="Results of the second reader.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", show_default=False, help="Folder for the tables.")],
    names: Annotated[
        str, typer.Option(metavar="A,B", show_default="of the folders", help="What to call the readers.")
    ] = "",
    quiet: _Quiet = False,
) -> None:
    """Compare two readers of one cohort: Cohen's kappa, limits of agreement, and the visits that a third should see.

    Writes agreement.csv, agreement_measurements.csv and adjudication.csv to DIR.

    Example: mdanderson agree results_a results_b -o agreement --names Smith,Jones
    """
    from mdanderson.batch import agreement
    from mdanderson.version import RESEARCH_USE

    found = agreement(out_a, out_b, out, names=_two_names(names))
    if not quiet:
        show([agreement_part(found), f"Tables: {out}", RESEARCH_USE])


@contextmanager
def one_stop() -> Iterator[None]:
    """Ctrl-C or SIGTERM stops the block once; told again it disturbs neither the workers' orderly end nor our own."""
    told: list[int] = []

    def stop(number: int, _: object) -> None:
        told.append(number)
        for one in _STOPS:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        yield
    except KeyboardInterrupt as stopped:
        if told == [signal.SIGTERM]:
            raise typer.Exit(TERMINATED) from stopped
        raise
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


def read_settings(config: Path | None) -> Settings:
    """The settings in a file, the defaults without. Raises `SettingsError`."""
    from mdanderson.settings import Settings

    return Settings.from_toml(config) if config is not None else Settings()


def _end(results: Results, *, by: str, verb: str, quiet: bool) -> None:
    """Show what a run came to, and end with its exit code."""
    if not quiet:
        show_results(results, by=by, verb=verb)
    none_done = f"no patient could be {verb}; see problems.csv in the results folder"
    end(results.failed, any_done=bool(results.scored), none_done=none_done)


def _names(criteria: Sequence[str] | None) -> tuple[str, ...]:
    """Names as given, repeated or in comma lists, each once."""
    names = (name.strip() for given in criteria or (DEFAULT_CRITERIA,) for name in given.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _two_names(names: str) -> tuple[str, str] | None:
    """The names of two readers; None where none are given. Raises `SettingsError` for any other number."""
    if not names:
        return None
    given = [name.strip() for name in names.split(",")]
    if len(given) != 2 or not all(given) or given[0] == given[1]:
        raise SettingsError(f"names {names!r}", way_out="give two different ones, as in --names Smith,Jones")
    return given[0], given[1]
