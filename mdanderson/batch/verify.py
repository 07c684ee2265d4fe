"""What has changed since a run: its inputs, its results, the settings, the program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdanderson.batch.brief import hash_of_inputs
from mdanderson.batch.fingerprint import input_paths, inputs_of, program, sha256_of, versions
from mdanderson.batch.record import RunRecord, ToldPatient, results_in
from mdanderson.batch.store import PATIENTS_FOLDER, Store
from mdanderson.errors import InputError, MdandersonError
from mdanderson.readers.manifest import Cohort, Patient, read_cohort
from mdanderson.readers.pseudonyms import PREFIX, Pseudonyms
from mdanderson.readers.reads import READS_FILE
from mdanderson.settings import Settings

__all__ = ["Change", "Verified", "verify"]


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Change:
    """Something that is no longer as a run found or left it. of: input, result, setting, program."""

    of: str
    what: str
    where: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.of} {self.what}" + (f" @ {self.where}" if self.where else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What a verification found. patients, files: how many were compared, of the run."""

    changes: tuple[Change, ...]
    patients: int
    files: int


def verify(out: str | Path, *, settings: Settings | None = None, key_file: Path | None = None) -> Verified:
    """Compare everything that a run depended on, and its tables, with what is there now. Every input is read.

    settings: those that count now; None = do not compare them. key_file: of the pseudonyms, where the results are
    under such. A patient without result, which the next run tries again, is compared as well.
    Raises `OutputError` where there are no results, `InputError` where a key is wanting.
    """
    folder = Path(out)
    record = RunRecord.of_folder(folder)
    changes = [
        *_tables_that_changed(record),
        *_reviews_since(folder, record),
        *_results_that_changed(folder, record),
        *_program_changes(record),
        *(() if settings is None else _setting_changes(record.settings, settings.as_mapping())),
    ]
    patients = files = 0
    if (folder / PATIENTS_FOLDER).is_dir():
        found = list(_patients_that_changed(folder, record, key_file))
        changes += (change for _, some in found for change in some)
        changes += _stored_that_changed(folder, record)
        patients, files = len(found), sum(count for count, _ in found)
    return Verified(changes=tuple(changes), patients=patients, files=files)


def _tables_that_changed(record: RunRecord) -> Iterator[Change]:
    """The manifest and the tables beside it."""
    for told in record.inputs.values():
        if not told.get("path"):  # a data frame: it left no file
            continue
        file = Path(told["path"])
        if not file.is_file():
            yield Change(of="input", what="is gone", where=str(file))
        elif sha256_of(file) != told.get("sha256"):
            yield Change(of="input", what="changed", where=str(file))


def _reviews_since(folder: Path, record: RunRecord) -> Iterator[Change]:
    """Entries of a review where the run had none."""
    if "reviews" not in record.inputs and (folder / READS_FILE).is_file():
        yield Change(of="input", what="is new", where=str(folder / READS_FILE))


def _results_that_changed(folder: Path, record: RunRecord) -> Iterator[Change]:
    now = results_in(folder)
    for name, sha256 in record.results.items():
        if name not in now:
            yield Change(of="result", what="is gone", where=name)
        elif now[name] != sha256:
            yield Change(of="result", what="was changed since it was written", where=name)


def _stored_that_changed(folder: Path, record: RunRecord) -> Iterator[Change]:
    """Of every patient of the run, what is stored for the next one."""
    store = Store(folder=folder / PATIENTS_FOLDER)
    for patient_id in record.patients:
        if store.read(patient_id) is None:
            what = "is stored no longer as it was written" if patient_id in store else "is stored no longer"
            yield Change(of="result", what=what, where=patient_id)


def _program_changes(record: RunRecord) -> Iterator[Change]:
    before, now = record.versions, versions()
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    for name in changed:
        yield Change(of="program", what=f"was {before.get(name, 'absent')}, is {now.get(name, 'absent')}", where=name)
    if not changed and record.program not in ("", program()):
        yield Change(of="program", what="changed between two versions", where="mdanderson")


def _setting_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    was, is_now = _flat(before), _flat(now)
    for name in sorted({*was, *is_now}):
        if was.get(name) != is_now.get(name):
            what = f"was {was.get(name, 'absent')!r}, is {is_now.get(name, 'absent')!r}"
            yield Change(of="setting", what=what, where=name)


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Settings by their full name; a tuple and the list that JSON makes of it are one."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = json.loads(json.dumps(value, default=str))
    return flat


def _patients_that_changed(
    folder: Path, record: RunRecord, key_file: Path | None
) -> Iterator[tuple[int, list[Change]]]:
    """Of every patient of the run or of the manifest: files compared, and what is another."""
    if key_file is None and any(name.startswith(PREFIX) for name in record.patients):
        raise InputError("the results are under pseudonyms", where=str(folder), way_out="give the key: --pseudonymize")
    cohort, problem = _cohort(Path(record.manifest), key_file)
    if problem:
        yield 0, [problem]
    now = {patient.patient_id: patient for patient in cohort} if cohort else {}
    store = Store(folder=folder / PATIENTS_FOLDER)
    for patient_id in dict.fromkeys((*record.patients, *now)):
        if cohort is None:
            return
        if patient_id not in now:
            yield 0, [Change(of="input", what="is no longer in the manifest", where=patient_id)]
        elif patient_id not in record.patients:
            yield 0, [Change(of="input", what="is new in the manifest", where=patient_id)]
        else:
            yield _compared(now[patient_id], cohort, store, record.patients[patient_id])


def _compared(patient: Patient, cohort: Cohort, store: Store, told: ToldPatient) -> tuple[int, list[Change]]:
    """Files of a patient compared by content; what is another is named where the store still knows it."""
    if told.failure and not told.files:
        return 0, []  # its process was ended before it told what it had read
    found = inputs_of(patient)
    files = sum(one.files for one in found)
    if hash_of_inputs(found) == told.inputs:
        return files, []
    stored = store.read(patient.patient_id)
    before = stored.inputs if stored else ()
    if len(before) == len(found) and hash_of_inputs(before) == told.inputs:
        paths = zip(input_paths(patient), before, found, strict=True)
        return files, [_changed(path, cohort, patient) for path, was, now in paths if was != now]
    gone = [Change(of="input", what=f"cannot be used: {row.why}", where=patient.patient_id) for row in patient.lost]
    return files, gone or [Change(of="input", what="has other files", where=patient.patient_id)]


def _changed(path: Path, cohort: Cohort, patient: Patient) -> Change:
    name = path.relative_to(cohort.folder) if path.is_relative_to(cohort.folder) else path
    return Change(of="input", what="changed", where=f"{patient.patient_id} {name.as_posix()}")


def _cohort(manifest: Path, key_file: Path | None) -> tuple[Cohort | None, Change | None]:
    """The cohort as its manifest reads now, or why it does not."""
    pseudonyms = None if key_file is None else Pseudonyms.from_file(key_file)
    try:
        return read_cohort(manifest, pseudonyms=pseudonyms), None
    except MdandersonError as error:
        return None, Change(of="input", what=f"cannot be read: {error}")
