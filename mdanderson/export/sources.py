"""The patients of finished results with the images they were made from, as long as these are still the same."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from mdanderson.batch.fingerprint import inputs_of, prints
from mdanderson.batch.one import as_error
from mdanderson.batch.record import RunRecord
from mdanderson.batch.run import in_full, with_reviews
from mdanderson.batch.store import PATIENTS_FOLDER, Finished, Store
from mdanderson.errors import InputError, MdandersonError, OutputError
from mdanderson.export.own_files import LIST_FILE, write_own_files
from mdanderson.export.wish import Wish, Written
from mdanderson.readers.manifest import Cohort, Patient, read_cohort
from mdanderson.readers.pseudonyms import PREFIX, Pseudonyms
from mdanderson.report.cells import unguarded
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES, Table
from mdanderson.settings import Settings

__all__ = ["Files", "Source", "each_patient"]

_LOG = logging.getLogger(__name__)

Files = Mapping[str, bytes]
"""File name -> content."""
_AGAIN = "score the cohort again, then export"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One scored patient: its rows in the manifest, and what is stored of its result. criteria: in the order asked.

    written: when the result was stored, by the clock of this place; a run that does not score it again leaves it alone.
    """

    patient: Patient
    finished: Finished
    settings: Settings
    criteria: tuple[str, ...]
    written: dt.datetime

    @property
    def pseudonymous(self) -> bool:
        """Whether the results call the patient by a pseudonym."""
        return self.finished.patient_id.startswith(PREFIX)

    @cached_property
    def content(self) -> str:
        """A digest of what is stored, wherever it is and since whenever: tables, outlines, what they were made from."""
        stored = self.finished
        told = repr((stored.fingerprint, stored.patient_id, sorted(stored.tables.items()), stored.drawings))
        return sha256(told.encode()).hexdigest()

    @cached_property
    def lesions(self) -> tuple[Mapping[str, str], ...]:
        """Rows of lesions.csv, by column."""
        return _named(LESIONS, self.finished)

    @cached_property
    def responses(self) -> tuple[Mapping[str, str], ...]:
        """Rows of responses.csv, by column."""
        return _named(RESPONSES, self.finished)

    @cached_property
    def summaries(self) -> tuple[Mapping[str, str], ...]:
        """Rows of patients.csv, by column."""
        return _named(PATIENTS, self.finished)


def each_patient(wish: Wish, write: Callable[[Source], tuple[Files, Sequence[str]]], *, suffix: str) -> Written:
    """What `write` makes of every patient, written to the folder; a patient that fails costs only itself.

    write: gives files and what is to be told. suffix: of all files of this kind; those of an earlier export that are
    not written now are removed. Raises `InputError` and `OutputError` where nothing can be written at all.
    """
    written: list[Path] = []
    failed = {patient_id: f"not scored: {why}" for patient_id, why in wish.results.failed.items()}
    notes: list[str] = []
    for patient_id, source in _sources(wish):
        try:
            if isinstance(source, MdandersonError):
                raise source
            files, told = write(source)
            written += write_own_files(wish.folder, files)
            notes += (f"{patient_id}: {line}" for line in told)
        except OutputError:
            raise
        except MdandersonError as error:
            failed[patient_id] = str(error)
        except Exception as error:  # noqa: BLE001 - a bug that one patient meets must not cost the others
            _LOG.debug("a patient met a bug", exc_info=True)
            failed[patient_id] = str(as_error(error))
    _forget_others(wish.folder, {path.name for path in written}, suffix)
    return Written(files=tuple(written), failed=failed, notes=tuple(notes))


def _forget_others(folder: Path, written: set[str], suffix: str) -> None:
    """Remove what an earlier export of this kind wrote and this one did not: it tells of other results."""
    try:
        listed = json.loads((folder / LIST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    stale = [name for name in listed if name.endswith(suffix) and name not in written]
    if stale:
        write_own_files(folder, {}, retired=stale)


def _sources(wish: Wish) -> Iterator[tuple[str, Source | MdandersonError]]:
    """Every scored patient, or why it cannot be exported."""
    out = wish.results.out
    if out is None or not (out / PATIENTS_FOLDER).is_dir():
        raise InputError(
            "these results have no images: they were judged from a table",
            where=str(out),
            way_out="give a folder that `score` wrote; tables are exported by --sdtm, --fhir, --redcap",
        )
    settings, criteria, manifest = _told_by(out)
    now = {patient.patient_id: patient for patient in map(in_full, _cohort(wish, out, manifest))}
    store = Store(folder=out / PATIENTS_FOLDER)
    for patient_id in wish.results.scored:
        finished, patient = store.read(patient_id), now.get(patient_id)
        if finished is None:
            yield patient_id, InputError("its stored result is damaged or gone", way_out=_AGAIN)
        elif patient is None:
            yield patient_id, InputError("is no longer in the manifest", way_out=_AGAIN)
        else:
            written = dt.datetime.fromtimestamp(finished.written_at)
            source = Source(patient=patient, finished=finished, settings=settings, criteria=criteria, written=written)
            yield patient_id, _changed(source) or source


def _told_by(out: Path) -> tuple[Settings, tuple[str, ...], Path]:
    """Settings, criteria and manifest of the run."""
    record = RunRecord.of_folder(out)
    return Settings.from_mapping(record.settings), record.criteria, Path(record.manifest)


def _cohort(wish: Wish, out: Path, manifest: Path) -> Cohort:
    """The cohort as its manifest reads now, under the names that the results have."""
    if wish.key_file is None and any(name.startswith(PREFIX) for name in wish.results.scored):
        raise InputError("the results are under pseudonyms", where=str(out), way_out="give the key: --pseudonymize")
    pseudonyms = None if wish.key_file is None else Pseudonyms.from_file(wish.key_file)
    return with_reviews(read_cohort(manifest, pseudonyms=pseudonyms), out)


def _changed(source: Source) -> InputError | None:
    """Why the images are not those of the result: other rows, or files with another content.

    Files of the same size and time are taken for the same, as a rerun takes them; else all that is in them counts.
    """
    before = source.finished.prints
    now = prints(source.patient, settings=source.settings, criteria=source.criteria)
    if before.get("rows") != now["rows"]:
        return InputError("its rows in the tables changed since it was scored", way_out=_AGAIN)
    if before.get("files") != now["files"] and source.finished.inputs != inputs_of(source.patient):
        return InputError("its images or masks changed since it was scored", way_out=_AGAIN)
    return None


def _named(table: Table, finished: Finished) -> tuple[Mapping[str, str], ...]:
    rows = finished.tables[table.name]
    if any(len(row) != len(table.columns) for row in rows):
        raise InputError("its result was stored by another version of the program", way_out=_AGAIN)
    return tuple(table.named(tuple(map(unguarded, row)) for row in rows))
