"""Where results may go: never among the data they come from, never over a file that this program did not write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER, RUN_FILE
from mdanderson.errors import OutputError
from mdanderson.readers.manifest import Cohort
from mdanderson.report.columns import TABLES

__all__ = ["checked_folder", "checked_folder_of_tables"]

_ANOTHER = "name another folder"


def checked_folder(out: Path, cohort: Cohort) -> Path:
    """`out`, when results may be written there. Raises `OutputError`."""
    place = out.resolve()
    _check_kind(out, PATIENTS_FOLDER)
    if place == cohort.folder.resolve():
        raise OutputError("results would lie in the cohort's own folder", where=str(out), way_out=_ANOTHER)
    if any(source == place or source in place.parents for source in _image_folders(cohort)):
        raise OutputError("results would lie among the images", where=str(out), way_out=_ANOTHER)
    if place in _folders_of_files(cohort):
        raise OutputError(
            "results would lie beside images or masks of the cohort",
            where=str(out),
            way_out="name another folder, or a new one in there",
        )
    return out


def checked_folder_of_tables(out: Path, files: Iterable[Path]) -> Path:
    """`out`, when the results of these tables may be written there. Raises `OutputError`."""
    _check_kind(out, MEASUREMENTS_FOLDER)
    if out.resolve() in {folder for file in files for folder in (file.parent.resolve(), file.resolve().parent)}:
        raise OutputError("results would lie beside the tables they come from", where=str(out), way_out=_ANOTHER)
    return out


def _check_kind(out: Path, mark: str) -> None:
    """Whether it is a folder, and one of the same kind of run where there are results in it."""
    if out.exists() and not out.is_dir():
        raise OutputError("the results folder is a file", where=str(out), way_out="name a folder")
    if (out / mark).exists():
        return
    for name in (*(table.file_name for table in TABLES), RUN_FILE):
        if (out / name).exists():
            by_another = any((out / other).exists() for other in (PATIENTS_FOLDER, MEASUREMENTS_FOLDER))
            raise OutputError(
                f"{name} is there already and was not written by {'such ' if by_another else ''}a run",
                where=str(out),
                way_out="name a new folder, so that nothing is overwritten",
            )


def _image_folders(cohort: Cohort) -> set[Path]:
    """Folders that are an image (a DICOM series)."""
    return {source.resolve() for source in _inputs(cohort) if source.is_dir()}


def _folders_of_files(cohort: Cohort) -> set[Path]:
    """Folders that directly hold an input; of a link, both the one it stands in and the one it leads to."""
    return {folder for source in _inputs(cohort) for folder in (source.parent.resolve(), source.resolve().parent)}


def _inputs(cohort: Cohort) -> Iterator[Path]:
    """Every file or folder that the manifest names: images, masks, bone masks, reference masks."""
    return (source for patient in cohort for entry in patient.images for source in entry.files)
