"""Names of lesions as keys of SDTM: a name that a transport file does not hold would become that of another lesion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mdanderson.export.visits import PatientResults, ResultRow, places_of

__all__ = ["with_plain_names"]

_LONGEST = 40
"""Characters of a name in a key; several and what the key is of beside it are at most 200 as a rule."""


def with_plain_names(patient: PatientResults) -> tuple[PatientResults, Mapping[str, str]]:
    """The patient with names of lesions in short ASCII, and name -> what it is now (LESION1, ...) of the others."""
    names = dict.fromkeys(
        name for row in patient.lesions for name in (row["lesion_id"], *row["parents"].split(";")) if name
    )
    given: dict[str, str] = {}
    for name in names:
        if not (name.isascii() and name.isprintable()) or len(name) > _LONGEST:
            number = len(given) + 1
            while (made := f"LESION{number}") in names or made in given.values():
                number += 1
            given[name] = made
    if not given:
        return patient, given
    lesions = tuple(_renamed(row, given) for row in patient.lesions)
    return replace(patient, lesions=lesions, places=places_of(lesions)), given


def _renamed(row: ResultRow, given: Mapping[str, str]) -> ResultRow:
    parents = ";".join(given.get(name, name) for name in row["parents"].split(";"))
    return {**row, "lesion_id": given.get(row["lesion_id"], row["lesion_id"]), "parents": parents}
