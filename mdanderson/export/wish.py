"""What is asked of an export, and what came of it: the same for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from mdanderson.batch.results import Results

__all__ = ["DICOM_KINDS", "KINDS", "Wish", "Written", "kind_named"]

KINDS = {
    "dicom_seg": ("mdanderson.export.dicom_seg", "write_dicom_seg"),
    "dicom_sr": ("mdanderson.export.dicom_sr", "write_dicom_sr"),
    "slicer": ("mdanderson.export.slicer", "write_slicer"),
    "sdtm": ("mdanderson.export.sdtm", "write_sdtm"),
    "fhir": ("mdanderson.export.fhir", "write_fhir"),
    "redcap": ("mdanderson.export.redcap", "write_redcap"),
}
"""Name of a kind, which is its option on the command line -> the module and the function that write it."""

DICOM_KINDS = ("dicom_seg", "dicom_sr")
"""Those whose files a PACS takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be written. results: with `out`, their folder, set. folder: exists and is writable.

    study: the trial's name, blank where none is given. key_file: of the pseudonyms that the run was given.
    for_ohif: lesions are named so that OHIF loads their measurements again. algorithm: what drew the masks, blank where
    readers did.
    """

    results: Results
    folder: Path
    study: str = ""
    key_file: Path | None = None
    for_ohif: bool = False
    algorithm: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What came of it. failed: patient -> why there is nothing of it, as one line. notes: lines that a user is told."""

    files: tuple[Path, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def kind_named(name: str) -> Callable[[Wish], Written]:
    """The function that writes a kind; what it needs is imported now."""
    module, function = KINDS[name]
    found: Callable[[Wish], Written] = getattr(import_module(module), function)
    return found
