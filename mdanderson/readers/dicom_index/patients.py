"""Who is who, by PatientID and who issued it: never by a name, and two numbers are never taken for one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from mdanderson.errors import Problem, Severity
from mdanderson.readers.dicom_index.facts import Facts

__all__ = ["name_patients"]

_UNREADABLE = "(unreadable)"
_LONGEST = 255


def name_patients(
    files: Sequence[Facts], *, by_folder: bool = False, named: Callable[[str], str] | None = None
) -> tuple[dict[str, str], list[Problem]]:
    """What the manifest calls the patient of each file (by path), and what is doubtful about it.

    by_folder: the folders right in the one that is indexed are the patients, whatever headers say. A PatientID that two
    issuers gave is two patients. A study without any is a patient of its own. named: other names for all of them.
    """
    told: list[Problem] = []
    ids = _by_folder(files, told) if by_folder else _by_header(files, told)
    if named is None:
        return ids, told
    return {path: named(patient_id) for path, patient_id in ids.items()}, [_without_name(one, named) for one in told]


def _without_name(problem: Problem, named: Callable[[str], str]) -> Problem:
    return problem.of(patient_id=named(problem.patient_id)) if problem.patient_id else problem


def _by_folder(files: Sequence[Facts], told: list[Problem]) -> dict[str, str]:
    """The first part of the path. Files that lie in no folder belong to nobody."""
    ids = {one.path: one.path.partition("/")[0] for one in files if "/" in one.path}
    headers: dict[str, set[str]] = defaultdict(set)
    for one in files:
        if one.path in ids and one.patient_id:
            headers[ids[one.path]].add(one.patient_id)
    told += [
        Problem(
            severity=Severity.WARNING,
            patient_id=folder,
            where=folder,
            what=f"files of {len(found)} different PatientIDs in one patient's folder",
            how_to_fix="check that they are one person",
        )
        for folder, found in sorted(headers.items())
        if len(found) > 1
    ]
    loose = sorted(one.path for one in files if one.path not in ids)
    if loose:
        what = f"{len(loose)} DICOM file(s) lie in no patient's folder: left out"
        told.append(Problem(where=loose[0], what=what, how_to_fix="put them into the folder of their patient"))
    return ids


def _by_header(files: Sequence[Facts], told: list[Problem]) -> dict[str, str]:
    issuers: dict[str, set[str]] = defaultdict(set)
    for one in files:
        if _is_known(one):
            issuers[one.patient_id].add(one.issuer)
    told += [
        Problem(
            severity=Severity.WARNING,
            patient_id=patient_id,
            what=f"one PatientID from {len(found)} issuers: taken as {len(found)} patients",
            how_to_fix="give them one patient_id in the manifest if they are one person",
        )
        for patient_id, found in sorted(issuers.items())
        if len(found) > 1
    ]
    unknown = _unknown(files, told)
    return {
        one.path: _with_issuer(one, issuers[one.patient_id]) if _is_known(one) else unknown[one.study_uid]
        for one in files
    }


def _is_known(one: Facts) -> bool:
    return bool(one.patient_id) and one.patient_id != _UNREADABLE and len(one.patient_id) <= _LONGEST


def _with_issuer(one: Facts, issuers: set[str]) -> str:
    """The number alone, but where two issuers gave it."""
    return f"{one.patient_id}@{one.issuer}" if len(issuers) > 1 and one.issuer else one.patient_id


def _unknown(files: Sequence[Facts], told: list[Problem]) -> dict[str, str]:
    """A patient for every study without PatientID, numbered by day."""
    first: dict[str, Facts] = {}
    for one in sorted(files, key=lambda one: one.path):
        if not _is_known(one) and one.modality != "DICOMDIR":
            first.setdefault(one.study_uid, one)
    ordered = sorted(first.values(), key=lambda one: (str(one.date), one.study_uid))
    unknown = {one.study_uid: f"unknown-{number}" for number, one in enumerate(ordered, start=1)}
    told += [
        Problem(
            severity=Severity.WARNING,
            patient_id=unknown[one.study_uid],
            where=one.path,
            what="a study without PatientID: taken as a patient of its own",
            how_to_fix="write patient_id into the manifest; where folders are the patients: --by-folder",
        )
        for one in ordered
    ]
    return unknown
