"""Two readers of one cohort compared: two runs, or the readers inside one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from mdanderson.batch.cohort_tables import AGREEMENT_TABLES, write_agreements
from mdanderson.batch.results import Results
from mdanderson.batch.store import make_folder
from mdanderson.errors import MdandersonError, OutputError, Problem, Severity
from mdanderson.report.cells import Cells
from mdanderson.statistics import Agreement, Reading, compare

__all__ = ["agreement", "pairwise"]


def agreement(
    one: Results | str | Path,
    other: Results | str | Path,
    out: str | Path | None = None,
    *,
    names: tuple[str, str] | None = None,
) -> Agreement:
    """How two runs on one cohort agree: Cohen's kappa, Bland-Altman limits, ICC, and the visits to adjudicate.

    one, other: results, or the folders that hold them. names: of the readers, else those of the folders. The tables are
    written where a folder `out` is given.
    Raises `InputError` and `OutputError`.
    """
    results = tuple(given if isinstance(given, Results) else Results.from_folder(given) for given in (one, other))
    first, second = (Reading.from_cells(each.rows) for each in results)
    found = compare(first, second, names=names or _names(results))
    if out is not None:
        write_agreements(_checked(Path(out)), [found])
    return found


def pairwise(
    readings: Mapping[str, Mapping[str, Sequence[Cells]]],
) -> tuple[tuple[Agreement, ...], tuple[Problem, ...]]:
    """Every two readers compared; a pair that cannot be is told as a problem."""
    agreements: list[Agreement] = []
    problems: list[Problem] = []
    for one, other in combinations(sorted(readings), 2):
        try:
            first, second = Reading.from_cells(readings[one]), Reading.from_cells(readings[other])
            agreements.append(compare(first, second, names=(one, other)))
        except MdandersonError as error:
            located = error.located(f"readers {one} and {other}")
            problems.append(Problem.from_error(located, severity=Severity.WARNING))
    return tuple(agreements), tuple(problems)


def _names(results: Sequence[Results]) -> tuple[str, str]:
    """What the folders are called, where that tells them apart."""
    one, other = (each.out.resolve().name if each.out else "" for each in results)
    return (one, other) if one and other and one != other else ("one", "other")


def _checked(folder: Path) -> Path:
    """The folder, made where it is not there; tables of agreement may be written again. Raises `OutputError`."""
    if folder.exists() and not folder.is_dir():
        raise OutputError("the folder is a file", where=str(folder), way_out="name a folder")
    ours = {table.file_name for table in AGREEMENT_TABLES}
    if folder.exists() and any(path.name not in ours for path in folder.iterdir()):
        raise OutputError("the folder is not empty", where=str(folder), way_out="name a new one")
    make_folder(folder)
    return folder
