"""A folder of images in no order -> a manifest: headers are looked at by as many processes as there are cores."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.index_links import Linked, link_images, links_folder
from mdanderson.batch.index_tables import MANIFEST, PROBLEMS, SERIES, series_cells
from mdanderson.batch.store import make_folder, write_together
from mdanderson.batch.workers import Force, checked_workers, each, usable_cores
from mdanderson.errors import InputError, MdandersonError, OutputError, Problem, Severity
from mdanderson.readers.dicom_index import (
    Deeper,
    Indexed,
    Looked,
    find_files,
    look_at,
    look_deeper,
    settle,
    sort_files,
)
from mdanderson.readers.dicom_index.series import Series
from mdanderson.report.cells import Cells, to_csv
from mdanderson.report.tables import problem_row

if TYPE_CHECKING:
    import pandas as pd

    from mdanderson.readers.manifest import Cohort
    from mdanderson.report.columns import Table

__all__ = ["Index", "index"]

_AT_ONCE = 256
"""Files that a process looks at before it answers."""
_WORTH_A_PROCESS = 1500
"""Fewer files are looked at before another process has begun."""

Told = Callable[[int, int], None]
"""Is told how many of how many files were looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """What lies in a folder. manifest, series: as written to `out` and beside it; problems: what is wrong.

    found: the same as values. out: the manifest, None where nothing was to be written.
    """

    folder: Path
    found: Indexed
    linked: Linked = field(repr=False)
    out: Path | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Damaged, doubled and orphaned files, and whatever had to be left open."""
        return tuple(sorted((*self.found.problems, *self.linked.problems)))

    @property
    def errors(self) -> int:
        """Problems that cost an image."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def cohort(self) -> Cohort:
        """The cohort of the manifest. Raises `InputError` where none was written."""
        from mdanderson.readers.manifest import read_cohort

        if self.out is None:
            raise InputError("no manifest was written", where=str(self.folder), way_out="give index(folder, out=...)")
        return read_cohort(self.out)

    @property
    def manifest(self) -> pd.DataFrame:
        """A row for every image that is to be measured."""
        return _frame(MANIFEST, self.linked.rows)

    @property
    def series(self) -> pd.DataFrame:
        """A row for every series that was found: whether it is used, and why not."""
        return _frame(SERIES, series_cells(self.found.series))


def index(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    by_folder: bool = False,
    named: Callable[[str], str] | None = None,
    replace: bool = False,
    progress: Told | None = None,
) -> Index:
    """Sort out a folder of DICOM files, or a BIDS tree, and write its manifest to `out`, a .csv.

    Files may be called anything and lie anywhere below `folder`; headers alone are read. Beside `out` are written the
    list of all series (`_series.csv`), the problems (`_problems.csv`) and, where files of a series lie scattered or in
    a crowd, a folder of links (`_links`). Without `out` nothing is written. workers: processes, one per core;
    a BIDS tree, of which names and sidecars alone are read, needs none. by_folder: folders right in `folder` are the
    patients, whatever headers say; refused for a BIDS tree. named: other names for patients.
    replace: an `out` that is there may be written anew.
    Raises `InputError` for a folder that cannot be looked at or holds no image, `OutputError`.
    """
    root = Path(folder)
    manifest = None if out is None else _checked_out(Path(out), replace=replace)
    found = _found(root, manifest, workers, by_folder, named, progress or (lambda _done, _total: None))
    linked = link_images(found.images, root, manifest, MANIFEST)
    done = Index(folder=root, found=found, linked=linked, out=manifest)
    if manifest is not None:
        texts = {
            manifest: to_csv(MANIFEST, linked.rows),
            _beside(manifest, "_series.csv"): to_csv(SERIES, series_cells(found.series)),
            _beside(manifest, "_problems.csv"): to_csv(PROBLEMS, map(problem_row, done.problems)),
        }
        write_together(tuple(texts), [tuple(texts.values())])
    return done


def _beside(manifest: Path, ending: str) -> Path:
    return manifest.with_name(manifest.stem + ending)


def _checked_out(out: Path, *, replace: bool) -> Path:
    if out.suffix.lower() != ".csv":
        raise OutputError("the manifest is a CSV file", where=str(out), way_out="name it cohort.csv")
    if out.exists() and not replace:
        raise OutputError(
            "the manifest is there already", where=str(out), way_out="name another, or let it be replaced: --replace"
        )
    make_folder(out.parent)
    return out


def _found(
    root: Path,
    manifest: Path | None,
    workers: int | None,
    by_folder: bool,
    named: Callable[[str], str] | None,
    progress: Told,
) -> Indexed:
    """What is in the folder, of whichever kind it is."""
    from mdanderson.readers.bids_index import index_bids, is_bids

    if root.is_dir() and is_bids(root):
        if by_folder:
            raise InputError(
                "patients by folder are for DICOM files; this is a BIDS tree, whose sub- folders are its patients",
                where=str(root),
                way_out="leave --by-folder out",
            )
        return index_bids(root, named=named)
    own = () if manifest is None else (links_folder(manifest),)
    files = find_files(root, without=own)
    workers = usable_cores() if workers is None else checked_workers(workers)
    force = Force(workers=workers if len(files.files) > _WORTH_A_PROCESS else 1)
    looked = _look_at_all(root, files.files, force, progress)
    sorted_files = sort_files(root, [*looked, *files.problems], by_folder=by_folder, named=named)
    found = settle(sorted_files, _look_closer(root, sorted_files.closer, force))
    if not found.dicom:
        raise InputError(
            f"no DICOM file among {len(files.files)} files", where=str(root), way_out="name the folder of the images"
        )
    return found


def _look_at_all(root: Path, files: Sequence[str], force: Force, progress: Told) -> list[Looked]:
    """The facts of every file, in order of the files."""
    parts = [tuple(files[at : at + _AT_ONCE]) for at in range(0, len(files), _AT_ONCE)]
    done: dict[str, list[Looked]] = {}
    progress(0, len(files))
    count = 0
    for first, looked in each(functools.partial(_look, root), parts, force=force, lost=_lost_part):
        done[first] = looked
        count += len(looked)
        progress(count, len(files))
    return [one for part in parts for one in done[part[0]]]


def _look(root: Path, paths: tuple[str, ...]) -> tuple[str, list[Looked]]:
    return paths[0], look_at(root, paths)


def _lost_part(paths: tuple[str, ...], error: MdandersonError) -> tuple[str, list[Looked]]:
    """What stands for files at which a process died, twice: one of them, and nobody knows which."""
    told: list[Looked] = [Problem(where=path, what=error.what, how_to_fix=error.way_out) for path in paths]
    return paths[0], told


def _look_closer(root: Path, series: Sequence[Series], force: Force) -> dict[str, Deeper]:
    return dict(each(functools.partial(_closer, root), series, force=force, lost=_lost_series))


def _closer(root: Path, one: Series) -> tuple[str, Deeper]:
    return one.uid, look_deeper(root, one)


def _lost_series(one: Series, error: MdandersonError) -> tuple[str, Deeper]:
    return one.uid, Deeper(fault=error.what)


def _frame(table: Table, rows: Sequence[Cells]) -> pd.DataFrame:
    import pandas as pd

    from mdanderson.report.cells import sorted_rows

    return pd.DataFrame(sorted_rows(table, rows), columns=list(table.column_names), dtype=str)
