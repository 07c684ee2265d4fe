"""What each of several readers by itself makes of a patient, to be compared with the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mdanderson.report.cells import Cells
from mdanderson.report.tables import timeline_rows
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline

__all__ = ["Readings", "join_readings", "of_reader", "readings_of"]

Readings = dict[str, dict[str, list[Cells]]]
"""Reader -> table name -> rows, of the patients that several readers have read."""


def of_reader(settings: Settings, reader: str) -> Settings:
    """The same settings, where the statements of one reader count alone."""
    return replace(settings, policy=replace(settings.policy, reader=reader))


def readings_of(readers: Sequence[str], judged_by: Callable[[str], Timeline]) -> Readings:
    """One patient as each reader sees it; nothing where there is one reader, or none."""
    if len(readers) < 2:
        return {}
    tables = {reader: timeline_rows(judged_by(reader)) for reader in readers}
    return {reader: {name: list(rows) for name, rows in its.items()} for reader, its in tables.items()}


def join_readings(readings: Readings, more: Mapping[str, Mapping[str, Sequence[Cells]]]) -> None:
    """Add what readers said of other patients."""
    for reader, tables in more.items():
        its = readings.setdefault(reader, {})
        for name, rows in tables.items():
            its.setdefault(name, []).extend(rows)
