"""What each of several readers by itself makes of a patient, to be compared with the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from mdanderson.findings import Examination
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, RESPONSES
from mdanderson.report.tables import timeline_rows
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline

__all__ = ["Readings", "join_readings", "measured_by", "of_reader", "readings_of"]

Readings = dict[str, dict[str, list[Cells]]]
"""Reader -> table name -> rows, of the patients that several readers have read."""


Measured = Collection[tuple[str, ...]]
"""Which lesions of a patient a reader has measured: date, modality, sequence and lesion_id as text."""

_MEASURED_BY = ("date", "modality", "sequence", "lesion_id")
_KEY = tuple(LESIONS.column_names.index(name) for name in _MEASURED_BY)
_VISIT = LESIONS.column_names.index("visit")
_SIZE = LESIONS.column_names.index("size_mm")
_VISIT_OF_SUM = RESPONSES.column_names.index("visit")
_SUM = RESPONSES.column_names.index("size_sum_mm")


def of_reader(settings: Settings, reader: str) -> Settings:
    """The same settings, where the statements of one reader count alone."""
    return replace(settings, policy=replace(settings.policy, reader=reader))


def measured_by(reader: str, examinations: Iterable[Examination]) -> Measured:
    """What a reader has measured, not only spoken of; before statements are laid over it."""
    findings = (finding for exam in examinations for finding in exam.lesions if finding.reader == reader)
    return {tuple(str(getattr(finding, name)) for name in _MEASURED_BY) for finding in findings}


def readings_of(
    readers: Sequence[str], judged_by: Callable[[str], Timeline], measured: Callable[[str], Measured] = lambda _: ()
) -> Readings:
    """One patient as each reader sees it; nothing where there is one reader, or none.

    measured: what a reader has measured. The other sizes are common to all, so that nobody can differ about them: they
    are left out, and so is a sum with one of them in it.
    """
    if len(readers) < 2:
        return {}
    return {reader: _own_sizes(timeline_rows(judged_by(reader)), measured(reader)) for reader in readers}


def _own_sizes(tables: Mapping[str, Sequence[Cells]], measured: Measured) -> dict[str, list[Cells]]:
    """A patient's rows without the sizes that the reader has not measured."""
    own: list[Cells] = []
    visits: set[str] = set()
    mixed: set[str] = set()
    for row in tables[LESIONS.name]:
        is_own = tuple(row[index] for index in _KEY) in measured
        if is_own:
            own.append(row)
        if row[_SIZE]:
            (visits if is_own else mixed).add(row[_VISIT])
    responses = [
        row if row[_VISIT_OF_SUM] in visits - mixed else (*row[:_SUM], "", *row[_SUM + 1 :])
        for row in tables[RESPONSES.name]
    ]
    kept: dict[str, list[Cells]] = {name: list(rows) for name, rows in tables.items()}
    return kept | {LESIONS.name: own, RESPONSES.name: responses}


def join_readings(readings: Readings, more: Mapping[str, Mapping[str, Sequence[Cells]]]) -> None:
    """Add what readers said of other patients."""
    for reader, tables in more.items():
        its = readings.setdefault(reader, {})
        for name, rows in tables.items():
            its.setdefault(name, []).extend(rows)
