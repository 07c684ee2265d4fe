"""What `classify` keeps of a run, so that it can be judged again: the table, and by what it was judged."""

from __future__ import annotations

from pathlib import Path

from mdanderson.batch.part import Judge
from mdanderson.batch.record import RunRecord
from mdanderson.batch.sheets import Sheets
from mdanderson.batch.store import MEASUREMENTS_FOLDER
from mdanderson.errors import ManifestError, OutputError
from mdanderson.settings import Settings

__all__ = ["kept_run"]


def kept_run(folder: Path) -> tuple[Judge, Sheets]:
    """The same rows and the same settings, which give the same answers. Raises `OutputError`."""
    record = RunRecord.of_folder(folder)
    judge = Judge(settings=Settings.from_mapping(record.settings), criteria=record.criteria)
    try:
        return judge, Sheets.from_folder(folder / MEASUREMENTS_FOLDER)
    except (OSError, ManifestError) as error:
        raise OutputError(
            "the results are not as a run wrote them", where=str(folder), way_out="run it again"
        ) from error
