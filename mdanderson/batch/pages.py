"""The report of a results folder, from what lies in it and nothing else: tables, pictures, the record of the run."""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.events import Events
from mdanderson.batch.exchange import pages_were_stale
from mdanderson.batch.lock import locked
from mdanderson.batch.record import RunRecord
from mdanderson.batch.results import Results
from mdanderson.batch.store import (
    PATIENTS_FOLDER,
    REPORT_FOLDER,
    STALE_PAGES,
    Store,
    make_folder,
    remove,
    sweep,
    write_atomically,
)
from mdanderson.errors import MdandersonError, OutputError
from mdanderson.report.cells import Cells
from mdanderson.report.columns import PATIENTS, PROBLEMS, RESPONSES, TABLES
from mdanderson.report.html import (
    GENERATOR,
    CohortResults,
    DrawnFigure,
    PatientResults,
    cohort_page,
    page_name,
    patient_page,
)
from mdanderson.settings import Settings
from mdanderson.statistics import SUMMARY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["REPORT_FOLDER", "report", "write_pages"]

_LOG = logging.getLogger(__name__)
_OURS = re.compile(r"[A-Za-z0-9_-]+-[0-9a-f]{8}\.html")
_HEAD_BYTES = 2000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Frames:
    """The tables that figures are made from, each read once for all of them."""

    responses: pd.DataFrame
    patients: pd.DataFrame
    lesions: pd.DataFrame
    events: Events
    settings: Settings


def report(out: str | Path, *, viewer: bool = True) -> Path:
    """Write the report of a results folder anew; the page to open.

    viewer: show the voxels round lesions where `score` has kept them. Raises `OutputError` where there are no results.
    """
    folder = Path(out)
    RunRecord.of_folder(folder)
    with locked(folder):
        return write_pages(folder, viewer=viewer)


def write_pages(folder: Path, *, only: Collection[str] | None = None, viewer: bool = True) -> Path:
    """The same in a folder that nobody else writes to: patient by patient, then the cohort's page.

    only: the patients whose pages are written anew, where the others are there already.
    """
    pages = folder / REPORT_FOLDER
    _check_ours(pages / "index.html")
    results = Results.from_folder(folder)
    criteria = RunRecord.of_folder(folder).criteria
    make_folder(pages / "patients")
    for place in (pages, pages / "patients"):
        sweep(place)
    names = {patient_id: page_name(patient_id) for patient_id in sorted({*results.scored, *results.failed})}
    files = {patient_id: pages / "patients" / name for patient_id, name in names.items()}
    if only is not None and pages_were_stale(folder):
        only = None
    wanted = [name for name, file in files.items() if only is None or name in only or not file.exists()]
    for one in _patients(folder, results, criteria, wanted, viewer=viewer):
        write_atomically(files[one.patient_id], _page(one))
    for stale in (pages / "patients").iterdir():
        if _OURS.fullmatch(stale.name) and stale.name not in names.values():
            remove(stale)
    write_atomically(pages / "index.html", _cohort(results, criteria, tuple(names)))
    remove(folder / STALE_PAGES)
    return pages / "index.html"


def _check_ours(page: Path) -> None:
    """Refuse to write over a page that this program did not write."""
    with contextlib.suppress(FileNotFoundError):
        if GENERATOR.encode() not in page.read_bytes()[:_HEAD_BYTES]:
            raise OutputError(
                "index.html is there already and is no report", where=str(page.parent), way_out="move it away"
            )


def _patients(
    folder: Path, results: Results, criteria: Sequence[str], wanted: Sequence[str], *, viewer: bool
) -> Iterator[PatientResults]:
    """The patients wanted: as stored, with its pictures and crops, or from the tables where nothing is stored."""
    store = Store(folder=folder / PATIENTS_FOLDER)
    by_patient: dict[str, dict[str, list[Cells]]] | None = None
    for patient_id in wanted:
        finished = store.read(patient_id)
        if finished is None:
            by_patient = by_patient or _by_patient(results)
            rows: Mapping[str, Sequence[Cells]] = by_patient.get(patient_id, {})
        else:
            rows = finished.tables
        yield PatientResults(
            patient_id=patient_id,
            criteria=tuple(criteria),
            rows=rows,
            pictures=() if finished is None else store.pictures(finished),
            crops=() if finished is None or not viewer else store.crops(finished),
            failure=results.failed.get(patient_id, ""),
        )


def _page(one: PatientResults) -> str:
    """The page of a patient; one that cannot be made says so, and costs no other."""
    try:
        return patient_page(one)
    except Exception:  # noqa: BLE001 - a bug that one patient meets must not cost the others
        _LOG.debug("a page could not be made", exc_info=True)
        why = one.failure or "its page could not be made (bug); the tables have its results"
        return patient_page(replace(one, rows={}, pictures=(), crops=(), failure=why))


def _by_patient(results: Results) -> dict[str, dict[str, list[Cells]]]:
    """The rows of all tables, by patient and table."""
    found: dict[str, dict[str, list[Cells]]] = {}
    for table in TABLES:
        at = table.column_names.index("patient_id")
        for row in results.rows[table.name]:
            found.setdefault(row[at], {}).setdefault(table.name, []).append(row)
    return found


def _cohort(results: Results, criteria: Sequence[str], names: Sequence[str]) -> str:
    try:
        summary = results.summary_rows()
    except MdandersonError:  # tables changed by hand may hold what cannot be counted
        summary = ()
    return cohort_page(
        CohortResults(
            criteria=tuple(criteria),
            patients=results.named(PATIENTS),
            responses=results.named(RESPONSES),
            problems=results.named(PROBLEMS),
            summary=list(SUMMARY.named(summary)),
            failed=results.failed,
            pages=names,
            figures=tuple(_figures(results, criteria)),
        )
    )


def _figures(results: Results, criteria: Sequence[str]) -> Iterator[DrawnFigure]:
    """Every figure that can be drawn; for lack of one, or of the library that draws, a page is not missed."""
    from mdanderson.plot import agreement, kaplan_meier, response_flow, spider, svg, swimmer, waterfall

    if not results.scored:
        return
    tables = _Frames(
        responses=results.responses,
        patients=results.patients,
        lesions=results.lesions,
        events=results.events,
        settings=results.settings,
    )
    drawn = {draw.__name__: draw for draw in (waterfall, spider, swimmer, response_flow, kaplan_meier)}
    for other in criteria[1:]:
        drawn[f"agreement-{other}"] = functools.partial(agreement, against=other)
    for name, draw in drawn.items():
        try:
            english, chinese = (svg(draw(tables, criteria=criteria[0], language=one)) for one in ("en", "zh"))
        except Exception:  # noqa: BLE001 - a figure that fails must not cost the page
            _LOG.debug("a figure could not be drawn", exc_info=True)
        else:
            yield DrawnFigure(name=name, english=english, chinese=chinese)
