"""Where results may go: never among the data they come from, never over a file that this program did not write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mdanderson.batch.cohort_tables import AGREEMENT_TABLES, COHORT_TABLES
from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER, RUN_FILE
from mdanderson.errors import OutputError
from mdanderson.readers.manifest import Cohort, ImageEntry, Patient
from mdanderson.report.columns import TABLES, Table

__all__ = ["checked_folder", "checked_folder_of_agreement", "checked_folder_of_tables", "named_folder"]

_ANOTHER = "name another folder"
_OR_THE_ROW = "or correct the row"


def named_folder(out: str | Path) -> Path:
    """The folder by that name; a blank one would be the folder that the program happens to run in.

    Raises `OutputError` for it, and for a name that the file system does not take.
    """
    if isinstance(out, str) and not out.strip():
        raise OutputError("the results folder has no name", way_out="name a folder; . is the current one")
    folder = Path(out)
    try:
        folder.exists()
    except OSError as error:
        raise OutputError(
            "the results folder cannot be used", where=str(out), way_out=f"choose another ({error.strerror})"
        ) from error
    return folder


def checked_folder(out: Path, cohort: Cohort) -> Path:
    """`out`, when results may be written there. Raises `OutputError`."""
    place = out.resolve()
    _check_kind(out, PATIENTS_FOLDER)
    if place == cohort.folder.resolve():
        raise OutputError("results would lie in the cohort's own folder", where=str(out), way_out=_ANOTHER)
    for patient, entry in _entries(cohort):
        where = f"{out} ({cohort.path.name} row {entry.row}, patient {patient.patient_id})"
        if any(source == place or source in place.parents for source in _folders(entry)):
            raise OutputError("results would lie among the images", where=where, way_out=f"{_ANOTHER}, {_OR_THE_ROW}")
        if place in _folders_of_files(entry):
            raise OutputError(
                "results would lie beside images or masks of the cohort",
                where=where,
                way_out=f"{_ANOTHER}, or a new one in there, {_OR_THE_ROW}",
            )
    return out


def checked_folder_of_tables(out: Path, files: Iterable[Path]) -> Path:
    """`out`, when the results of these tables may be written there. Raises `OutputError`."""
    _check_kind(out, MEASUREMENTS_FOLDER)
    if out.resolve() in {folder for file in files for folder in (file.parent.resolve(), file.resolve().parent)}:
        raise OutputError("results would lie beside the tables they come from", where=str(out), way_out=_ANOTHER)
    return out


def checked_folder_of_agreement(out: Path) -> Path:
    """`out`, when nothing but tables of agreement that we wrote lies in it. Raises `OutputError`."""
    if out.exists() and not out.is_dir():
        raise OutputError("the folder is a file", where=str(out), way_out="name a folder")
    ours = {table.file_name: table for table in AGREEMENT_TABLES}
    for path in sorted(out.iterdir()) if out.exists() else ():
        if path.name not in ours:
            raise OutputError("the folder is not empty", where=str(out), way_out="name a new one")
        if not _is_written_by_us(path, ours[path.name]):
            raise OutputError(
                f"{path.name} is there already and is no table of agreement",
                where=str(out),
                way_out="name a new folder, so that nothing is overwritten",
            )
    return out


def _is_written_by_us(path: Path, table: Table) -> bool:
    """Whether a file has the header that the table is written with."""
    header = ",".join(table.column_names)
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\n") == header
    except (OSError, ValueError):
        return False


def _check_kind(out: Path, mark: str) -> None:
    """Whether it is a folder, and one of the same kind of run where there are results in it."""
    if out.exists() and not out.is_dir():
        raise OutputError("the results folder is a file", where=str(out), way_out="name a folder")
    if (out / mark).exists():
        return
    for name in (*(table.file_name for table in (*TABLES, *COHORT_TABLES)), RUN_FILE):
        if (out / name).exists():
            by_another = any((out / other).exists() for other in (PATIENTS_FOLDER, MEASUREMENTS_FOLDER))
            raise OutputError(
                f"{name} is there already and was not written by {'such ' if by_another else ''}a run",
                where=str(out),
                way_out="name a new folder, so that nothing is overwritten",
            )


def _entries(cohort: Cohort) -> Iterator[tuple[Patient, ImageEntry]]:
    """Every row of the manifest that names an image, with its patient."""
    return ((patient, entry) for patient in cohort for entry in patient.images)


def _folders(entry: ImageEntry) -> set[Path]:
    """Folders that are an image (a DICOM series)."""
    return {source.resolve() for source in entry.files if source.is_dir()}


def _folders_of_files(entry: ImageEntry) -> set[Path]:
    """Folders that directly hold an input; of a link, both the one it stands in and the one it leads to."""
    return {folder for source in entry.files for folder in (source.parent.resolve(), source.resolve().parent)}
