"""A cohort and a reader's tables under pseudonyms, and a results folder that holds no other names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from mdanderson.batch.store import MEASUREMENTS_FOLDER, PATIENTS_FOLDER
from mdanderson.errors import OutputError
from mdanderson.readers.manifest import Cohort, read_cohort
from mdanderson.readers.measurements import measured_table
from mdanderson.readers.pseudonyms import PREFIX, Pseudonyms
from mdanderson.readers.text_table import TextTable, read_text_table
from mdanderson.report.columns import RESPONSES

__all__ = ["check_no_pseudonyms", "pseudonymous_cohort", "pseudonymous_tables"]

_BESIDE = ("patients", "reads", "events")


def pseudonymous_cohort(manifest: Path, key_file: Path, out: Path | None = None) -> Cohort:
    """The cohort of a manifest under other names; out: where its results will be, if anywhere.

    Raises `InputError` for the key, `ManifestError` as `read_cohort`, `OutputError` where `out` holds true names or
    the key.
    """
    pseudonyms = Pseudonyms.from_file(key_file)
    if out is not None:
        _check_results(out, key_file)
    return read_cohort(manifest, pseudonyms=pseudonyms)


def pseudonymous_tables(measurements: Path, key_file: Path, out: Path) -> dict[str, TextTable]:
    """A reader's table (as `source`) and those beside it under other names. Raises as above."""
    pseudonyms = Pseudonyms.from_file(key_file)
    _check_results(out, key_file)
    paths = {name: measurements.parent / f"{name}.csv" for name in _BESIDE}
    found = {name: path for name, path in paths.items() if path != measurements and path.exists()}
    tables = {"source": measured_table(measurements)} | {name: read_text_table(path) for name, path in found.items()}
    return {name: pseudonyms.applied(table) for name, table in tables.items()}


def check_no_pseudonyms(out: Path, patient_ids: Iterable[str]) -> None:
    """Refuse to write true names beside pseudonyms, as by a rerun without the key. Raises `OutputError`."""
    if next(_names_in(out), "").startswith(PREFIX) and any(not name.startswith(PREFIX) for name in patient_ids):
        raise OutputError(
            "the results there are under pseudonyms",
            where=str(out),
            way_out="give the key (--pseudonymize), or name another folder",
        )


def _check_results(out: Path, key_file: Path) -> None:
    if out.resolve() in key_file.resolve().parents:
        raise OutputError("the key lies in the results folder", where=str(key_file), way_out="keep it elsewhere")
    if any(not name.startswith(PREFIX) for name in _names_in(out)):
        raise OutputError(
            "results under the patients' own names are there already", where=str(out), way_out="name a new folder"
        )


def _names_in(out: Path) -> Iterator[str]:
    """The patients of earlier results; a file that is none of ours is no name."""
    for path in (out / PATIENTS_FOLDER).glob("*.json"):
        try:
            stored = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(stored, dict):
            yield str(stored.get("patient_id", ""))
    for table in (out / RESPONSES.file_name, out / MEASUREMENTS_FOLDER / "measurements.csv"):
        if table.is_file():
            yield from (row["patient_id"] for row in read_text_table(table))
