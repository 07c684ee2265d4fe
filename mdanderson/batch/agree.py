"""Two readers of one cohort compared: two runs, or the readers inside one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from mdanderson.batch.cohort_tables import write_agreements
from mdanderson.batch.folder import checked_folder_of_agreement, named_folder
from mdanderson.batch.results import Results
from mdanderson.batch.store import make_folder
from mdanderson.errors import MdandersonError, Problem, Severity
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
    folder = None if out is None else checked_folder_of_agreement(named_folder(out))
    results = tuple(given if isinstance(given, Results) else Results.from_folder(given) for given in (one, other))
    first, second = (Reading.from_cells(each.rows) for each in results)
    found = compare(first, second, names=names or _names(results))
    if folder is not None:
        make_folder(folder)
        write_agreements(folder, [found])
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
