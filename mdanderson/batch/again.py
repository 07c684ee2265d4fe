"""Some patients of finished results judged once more, by what is stated of them since; the others stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from mdanderson.batch.classify import judge_again
from mdanderson.batch.exchange import mended
from mdanderson.batch.fingerprint import program
from mdanderson.batch.kept import kept_run
from mdanderson.batch.lock import locked
from mdanderson.batch.pages import REPORT_FOLDER, write_pages
from mdanderson.batch.parquet import PARQUET_FOLDER
from mdanderson.batch.pseudonymous import pseudonymous_cohort
from mdanderson.batch.record import RunRecord
from mdanderson.batch.results import Results
from mdanderson.batch.run import Progress, score
from mdanderson.batch.store import MEASUREMENTS_FOLDER
from mdanderson.errors import InputError
from mdanderson.readers.manifest import Cohort, read_cohort
from mdanderson.readers.pseudonyms import PREFIX
from mdanderson.settings import Settings

__all__ = ["rescore"]

_LOCK = ".rescoring.lock"
"""Held from the first look at the results to the last page: what is judged again takes the run's own lock in steps."""
_OTHERS_S = 600.0
"""Whoever else writes into the folder, such as the server of another reader, may take this long to end."""
_RUN_AGAIN = "run `score` on this folder again, which takes the entries into account as well"


def rescore(
    folder: Path,
    patient_ids: Collection[str],
    *,
    key_file: Path | None = None,
    timeout_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Results:
    """Judge some patients again by the settings of the run, write all tables, and the pages that are concerned.

    key_file: of the pseudonyms, where the results are under such. timeout_s: for one patient.
    Raises `InputError` where the cohort is another by now, `OutputError` where the results are not as a run wrote them
    or another run does not end writing there, `ManifestError` for a table that cannot be read.
    """
    with locked(folder, name=_LOCK, wait_s=_OTHERS_S, taken="entries of another reader are being scored here"):
        with locked(folder, wait_s=_OTHERS_S):
            pass  # a run that was begun before ends first
        return _rescore(folder, patient_ids, key_file, timeout_s, progress)


def _rescore(
    folder: Path,
    patient_ids: Collection[str],
    key_file: Path | None,
    timeout_s: float | None,
    progress: Callable[[Progress], None] | None,
) -> Results:
    if (mended(folder) / MEASUREMENTS_FOLDER).is_dir():
        results = judge_again(folder, *kept_run(folder), progress=progress)
        if (folder / REPORT_FOLDER).is_dir():
            with locked(folder):
                write_pages(folder, only=patient_ids)
        return results
    record = RunRecord.of_folder(folder)
    return score(
        _cohort(record, key_file),
        folder,
        settings=Settings.from_mapping(record.settings),
        criteria=record.criteria,
        timeout_s=timeout_s,
        by=record.by,
        parquet=(folder / PARQUET_FOLDER).is_dir(),
        report=(folder / REPORT_FOLDER).is_dir(),
        viewer=record.viewer,
        only=patient_ids,
        progress=progress,
    )


def _cohort(record: RunRecord, key_file: Path | None) -> Cohort:
    """The cohort of the run, as long as it and the program are the same: results of two must not be mixed."""
    manifest = Path(record.manifest)
    if record.program != program():
        raise InputError("the results were made by another version of the program", way_out=_RUN_AGAIN)
    if key_file is None and any(name.startswith(PREFIX) for name in record.patients):
        raise InputError("the results are under pseudonyms", way_out="give the key: --pseudonymize KEYFILE")
    cohort = read_cohort(manifest) if key_file is None else pseudonymous_cohort(manifest, key_file)
    if {patient.patient_id for patient in cohort} != record.patients.keys():
        raise InputError("the manifest has other patients than the results", where=manifest.name, way_out=_RUN_AGAIN)
    return cohort
