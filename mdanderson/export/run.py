"""One export after another from one results folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.batch.results import Results
from mdanderson.batch.store import make_folder
from mdanderson.errors import OutputError, SettingsError
from mdanderson.export.wish import DICOM_KINDS, Wish, Written, kind_named
from mdanderson.pacs.server import Server
from mdanderson.pacs.store import store
from mdanderson.readers.pseudonyms import PREFIX

__all__ = ["Exported", "run_export"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What came of all kinds together. counts: files by kind.

    failed: patient -> why, of whichever kind came first; and of files that a PACS refused, by name.
    """

    counts: Mapping[str, int]
    failed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def run_export(
    out: str | Path,
    folders: Mapping[str, Path],
    *,
    study: str = "",
    key_file: Path | None = None,
    for_ohif: bool = False,
    algorithm: str = "",
    to: str | Server = "",
) -> Exported:
    """Write every kind that `folders` names, and store what is DICOM at the address `to` (`pacs.Server`).

    Raises `OutputError` where there are no results or a folder cannot be written, `SettingsError` for a wish that
    cannot be, `ServerError` where the PACS does not answer; what is written stays.
    """
    if to and not set(folders) & set(DICOM_KINDS):
        raise SettingsError("nothing that a PACS stores", way_out="add --dicom-seg DIR or --dicom-sr DIR to --to")
    results = Results.from_folder(out)
    pseudonymous = any(name.startswith(PREFIX) for name in results.scored)
    if to and pseudonymous:
        raise SettingsError(
            "results under pseudonyms are not stored in a PACS: they would be filed in the patients' own studies",
            way_out="leave --to out; or score images that were de-identified, UIDs included, and export without a key",
        )
    for folder in folders.values():
        _check_apart(folder, Path(out))
        make_folder(folder)
    written: dict[str, Written] = {}
    for kind, folder in folders.items():
        wish = Wish(
            results=results,
            folder=folder,
            study=study,
            key_file=key_file,
            for_ohif=for_ohif,
            algorithm=algorithm,
        )
        written[kind] = kind_named(kind)(wish)
    failed = {patient: why for one in reversed(written.values()) for patient, why in one.failed.items()}
    if to:
        files = [file for kind in DICOM_KINDS if kind in written for file in written[kind].files]
        failed |= {problem.where: problem.what for problem in store(to, files).problems}
    told = [note for one in written.values() for note in one.notes]
    if pseudonymous and any(kind in DICOM_KINDS and written[kind].files for kind in written):
        told.append("SEG and SR keep the UIDs of the images, which lead whoever has the archive to the patients")
    return Exported(
        counts={kind: len(one.files) for kind, one in written.items()},
        failed=failed,
        notes=tuple(dict.fromkeys(told)),
    )


def _check_apart(folder: Path, out: Path) -> None:
    """An export has a folder of its own: its tables are called like those of the run."""
    if folder.resolve() == out.resolve():
        raise OutputError("this is the results folder", where=str(folder), way_out="name another, it may lie inside")
