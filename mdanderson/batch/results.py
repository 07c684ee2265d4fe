"""What a run hands back: where the tables are, and the same tables as data frames."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mdanderson.batch.events import Events, events_in
from mdanderson.batch.results_html import results_html
from mdanderson.batch.store import MEASUREMENTS_FOLDER
from mdanderson.criteria import OVERALL
from mdanderson.errors import InputError, OutputError
from mdanderson.readers.text_table import nearest
from mdanderson.report.cells import Cells, from_csv
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, TABLES, Table
from mdanderson.report.frames import data_frame
from mdanderson.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from mdanderson.statistics import Agreement

__all__ = ["Results", "RowsOfText"]


class RowsOfText(Mapping[str, tuple[Cells, ...]]):
    """Rows by table name, read from the text of a table when they are asked for; later: makes one that is missing."""

    def __init__(self, texts: Mapping[str, str], *, later: Mapping[str, Callable[[], str]] | None = None) -> None:
        self._texts, self._later = dict(texts), dict(later or {})
        self._rows: dict[str, tuple[Cells, ...]] = {}

    def __getitem__(self, name: str) -> tuple[Cells, ...]:
        """The rows of one table, in the order of the file."""
        if name not in self._rows:
            if name not in self._texts and name in self._later:
                self._texts[name] = self._later[name]()
            table = next(table for table in TABLES if table.name == name)
            self._rows[name] = tuple(from_csv(table, self._texts[name]))
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._texts, *self._later)))

    def __len__(self) -> int:
        return len(self._texts.keys() | self._later.keys())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Results:
    """The outcome of a batch.

    out: the results folder, None where nothing was written. rows: sorted rows by table name, as text. failed: patients
    without a response, and why. columns: the free columns of patients.csv, by column and patient. agreements: of every
    two readers, where patients were read by several. events: what happened to patients, deaths among it, by patient.
    settings: by which all was judged.
    """

    out: Path | None = None
    rows: Mapping[str, tuple[Cells, ...]]
    scored: tuple[str, ...]
    failed: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()
    events: Events = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def from_folder(cls, out: str | Path) -> Self:
        """The results that a run left in a folder.

        Raises `OutputError` where there are none, `InputError` for others, `SettingsError` for settings that are none.
        Groups of patients are not kept there.
        """
        from mdanderson.batch.exchange import mended
        from mdanderson.batch.record import RunRecord

        folder = mended(Path(out))
        try:
            kept = [table for table in TABLES if table is not LESIONS or not (folder / MEASUREMENTS_FOLDER).is_dir()]
            kept += [LESIONS] if LESIONS not in kept and (folder / LESIONS.file_name).exists() else []
            texts = {table.name: (folder / table.file_name).read_text(encoding="utf-8") for table in kept}
        except OSError as error:
            raise OutputError(
                "no results here", where=str(out), way_out="give a folder that `score` or `classify` wrote"
            ) from error
        except ValueError as error:
            raise InputError("not as a run wrote it", where=str(out), way_out="run it again") from error
        record = RunRecord.of_folder(folder)
        failed = record.failed
        rows = RowsOfText(texts, later={LESIONS.name: functools.partial(_lesions_again, folder, failed)})
        try:
            patients = dict.fromkeys(row[0] for row in rows[RESPONSES.name])
        except csv.Error as error:
            raise InputError(f"not a table: {error}", where=RESPONSES.file_name, way_out="run it again") from error
        scored = tuple(name for name in patients if name not in failed)
        settings = Settings.from_mapping(record.settings)
        events = events_in(record.events)
        return cls(out=folder, rows=rows, scored=scored, failed=failed, events=events, settings=settings)

    def __repr__(self) -> str:
        """Where the results are and how many patients they hold."""
        place = None if self.out is None else str(self.out)
        return f"Results(out={place!r}, scored={len(self.scored)}, failed={len(self.failed)})"

    @property
    def lesions(self) -> pd.DataFrame:
        """One row per lesion, visit and image."""
        return data_frame(LESIONS, self.rows[LESIONS.name])

    @property
    def responses(self) -> pd.DataFrame:
        """One row per patient, visit, criteria and scope."""
        return data_frame(RESPONSES, self.rows[RESPONSES.name])

    @property
    def patients(self) -> pd.DataFrame:
        """One row per patient and criteria."""
        return data_frame(PATIENTS, self.rows[PATIENTS.name])

    @property
    def problems(self) -> pd.DataFrame:
        """One row per problem."""
        return data_frame(PROBLEMS, self.rows[PROBLEMS.name])

    def overall(self) -> tuple[Mapping[str, str], ...]:
        """The overall responses as text, one mapping of column to cell per row."""
        return tuple(row for row in self.named(RESPONSES) if row["scope"] == OVERALL)

    def named(self, table: Table) -> tuple[Mapping[str, str], ...]:
        """The rows of a table as text, one mapping of column to cell per row."""
        return tuple(table.named(self.rows[table.name]))

    def summary(self, by: str = "") -> pd.DataFrame:
        """Rates of response and disease control with exact intervals, per criteria set; by: a column of patients.csv.

        Raises `InputError` for an unknown column.
        """
        from mdanderson.statistics import SUMMARY

        return data_frame(SUMMARY, self.summary_rows(by))

    def summary_rows(self, by: str = "") -> tuple[Cells, ...]:
        """The same as text."""
        from mdanderson.statistics import SUMMARY, summarise_rates
        from mdanderson.statistics.rows import cells_of

        groups = self.groups(by) if by else None
        return cells_of(SUMMARY, summarise_rates(self.named(PATIENTS), groups))

    def groups(self, by: str) -> Mapping[str, str]:
        """A column of patients.csv by patient. Raises `InputError` where there is none."""
        if by not in self.columns:
            raise no_column(by, tuple(self.columns))
        return self.columns[by]

    def view(self, patient_id: str, lesion_id: str = "", modality: str = "") -> Any:
        """A widget for a notebook, as `Timeline.view`, from what `score` has kept for the report's viewer.

        Raises `MdandersonError` without the extra `notebook`, and `InputError` for what is not there.
        """
        from mdanderson.assessment.viewed import check_notebook, widget_of
        from mdanderson.batch.store import PATIENTS_FOLDER, Store

        check_notebook()
        store = None if self.out is None else Store(folder=self.out / PATIENTS_FOLDER)
        finished = store.read(patient_id) if store else None
        crops = store.crops(finished) if store and finished else ()
        if not crops:
            raise InputError(
                "no volumes are kept of this patient",
                where=patient_id,
                way_out="score with report=True and viewer=True, or view what `mda.assess` gives",
            )
        return widget_of(crops, lesion_id, modality)

    def _repr_html_(self) -> str:
        """Best responses as a picture and the overall responses, as a notebook shows them."""
        return results_html(self)


def _lesions_again(folder: Path, failed: Mapping[str, str]) -> str:
    """lesions.csv where `classify` did not write it, from the table that it kept."""
    from mdanderson.batch.classify import lesions_text
    from mdanderson.batch.kept import kept_run

    return lesions_text(*kept_run(folder), failed=failed)


def no_column(name: str, columns: Sequence[str]) -> InputError:
    """What is said of a column of patients.csv that is not there."""
    twin = nearest(name, columns)
    known = f"use one of {', '.join(columns)}" if columns else "write it into patients.csv beside the table"
    return InputError(
        f"no column {name!r} to group patients by",
        where="patients.csv",
        way_out=f"is {twin!r} meant?" if twin else known,
    )
