"""Who is who, by PatientID and who issued it: two numbers are never taken for one person.

Name, birth date and sex only keep apart what has no number of its own; they never join anything.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from mdanderson.errors import Problem, Severity
from mdanderson.readers.dicom_index.facts import Facts, is_uid

__all__ = ["name_patients"]

_UNREADABLE = "(unreadable)"
_LONGEST = 255
_PLACEHOLDERS = frozenset(
    {
        *(
            "0",
            "00",
            "000",
            "0000",
            "00000000",
            "1234",
            "12345",
            "123456",
            "na",
            "n/a",
            "none",
            "null",
            "xxx",
            "xxxx",
            "???",
        ),
        *("unknown", "unk", "unbekannt", "inconnu", "anon", "anonym", "anonymous", "anonymized", "anonymised"),
        *("anonymisiert", "deidentified", "de-identified", "removed", "patient", "patientid", "test", "noid", "no_id"),
    }
)
"""What anonymisers and consoles write where a PatientID should be, without regard to case: it says nothing of who."""


def name_patients(
    files: Sequence[Facts], *, by_folder: bool = False, named: Callable[[str], str] | None = None
) -> tuple[dict[str, str], list[Problem]]:
    """What the manifest calls the patient of each file (by path), and what is doubtful about it.

    by_folder: the folders right in the one that is indexed are the patients, whatever headers say. A PatientID that two
    issuers gave is two patients. A study without any is a patient of its own, and so is a series without a study.
    named: other names for all of them.
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
    told += _look_alike(files)
    names = _unknown(files, told)
    known = [one for one in files if _is_known(one)]
    plain = {one.path: _with_issuer(one, issuers[one.patient_id]) for one in known}
    shared = [one for one in known if one.patient_id.casefold() in _PLACEHOLDERS]
    return names | plain | _apart(shared, files, plain, told)


def _look_alike(files: Iterable[Facts]) -> Iterator[Problem]:
    """Numbers that differ in case and leading zeros alone, of the same name, birth date and sex: told, never joined."""
    alike: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for one in files:
        if _is_known(one) and all(one.person):
            alike[one.patient_id.casefold().lstrip("0"), one.person].add(one.patient_id)
    for _, found in sorted(alike.items()):
        if len(found) > 1:
            yield Problem(
                severity=Severity.WARNING,
                patient_id=min(found),
                what=f"{len(found)} PatientIDs that differ in case or leading zeros alone, of one name, birth date and "
                f"sex: taken as {len(found)} patients",
                how_to_fix="give them one patient_id in the manifest if they are one person",
            )


def _is_known(one: Facts) -> bool:
    return bool(one.patient_id) and one.patient_id != _UNREADABLE and len(one.patient_id) <= _LONGEST


def _with_issuer(one: Facts, issuers: set[str]) -> str:
    """The number alone, but where two issuers gave it."""
    return f"{one.patient_id}@{one.issuer}" if len(issuers) > 1 and one.issuer else one.patient_id


def _unknown(files: Sequence[Facts], told: list[Problem]) -> dict[str, str]:
    """A patient for every study without PatientID, or where studies have no UID for every series, numbered by day."""
    groups: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for one in files:
        if not _is_known(one) and one.modality != "DICOMDIR":
            home = ("study", one.study_uid) if is_uid(one.study_uid) else ("series", one.series_uid or one.folder)
            groups[home].append(one)
    parted = [(kind, part) for (kind, _), group in groups.items() for part in _persons(group)]
    free = _free("unknown", files)
    names: dict[str, str] = {}
    for kind, part in sorted(parted, key=lambda each: _order(each[1])):
        name = next(free)
        names |= {one.path: name for one in part}
        told.append(
            Problem(
                severity=Severity.WARNING,
                patient_id=name,
                where=min(one.path for one in part),
                what=f"a {kind} without PatientID{'' if kind == 'study' else ' and StudyInstanceUID'}: "
                "taken as a patient of its own",
                how_to_fix="write patient_id into the manifest; where folders are the patients: --by-folder",
            )
        )
    return names


def _apart(
    shared: Iterable[Facts], everybody: Sequence[Facts], names: dict[str, str], told: list[Problem]
) -> dict[str, str]:
    """Names of those whose PatientID is none: one for each person that headers tell apart."""
    groups: dict[str, list[Facts]] = defaultdict(list)
    for one in shared:
        groups[names[one.path]].append(one)
    parted: dict[str, str] = {}
    for base, group in sorted(groups.items()):
        persons = sorted(_persons(group), key=_order)
        free = _free(base, everybody)
        for part in persons if len(persons) > 1 else []:
            name = next(free)
            parted |= {one.path: name for one in part}
        taken = f"taken as {len(persons)} patients, by name, birth date and sex" if len(persons) > 1 else "taken as one"
        studies = len({one.study_uid for one in group})
        if studies > 1 or len(persons) > 1:
            told.append(
                Problem(
                    severity=Severity.WARNING,
                    patient_id=base,
                    where=min(one.path for one in group),
                    what=f"{studies} studies under a PatientID that stands for nobody (a placeholder): {taken}",
                    how_to_fix="check who they are; where folders are the patients: --by-folder",
                )
            )
    return parted


def _persons(group: Sequence[Facts]) -> list[list[Facts]]:
    """The files parted by what they say of the person; who says less goes with the only one that it agrees with."""
    parts: dict[tuple[str, ...], list[Facts]] = {}
    for one in sorted(group, key=lambda one: (-sum(map(bool, one.person)), one.person, one.path)):
        alike = [person for person in parts if _agree(person, one.person)]
        parts.setdefault(alike[0] if len(alike) == 1 else one.person, []).append(one)
    return list(parts.values())


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(here == there or not (here and there) for here, there in zip(one, other, strict=True))


def _order(part: Sequence[Facts]) -> tuple[str, ...]:
    """By day, then by UIDs: where files lie is no reason."""
    return min((str(one.date), one.study_uid, one.series_uid, one.instance_uid) for one in part)


def _free(base: str, files: Iterable[Facts]) -> Iterator[str]:
    """base-1, base-2 ..., but for what is a number of somebody."""
    taken = {one.patient_id for one in files}
    return (name for number in itertools.count(1) if (name := f"{base}-{number}") not in taken)
