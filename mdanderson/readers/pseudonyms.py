"""Other names for patients, by a secret key: the same patient has the same one in every run and every table.

HMAC-SHA256 (RFC 2104) of the patient_id as it is typed, cut to 80 bits. Without the key nobody can tell whether a
pseudonym is that of a given patient; with it, and a list of patients, everybody can. Dates are not shifted, and file
names, comments and the free columns of patients.csv stay what they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from mdanderson.errors import InputError, OutputError, Problem, Severity
from mdanderson.readers.text_table import Row, TextTable

__all__ = ["PREFIX", "Pseudonyms", "write_new_key"]

PREFIX = "PSN-"
_LETTERS = 16
"""Of five bits each: two of a million patients share a pseudonym with a chance of 4e-13."""
_LEAST_KEY_BYTES = 32
_MOST_KEY_BYTES = 4096
_NEW_KEY = "`mdanderson key FILE` writes a new one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pseudonyms:
    """The names that a key gives. Raises `InputError` for a key that could be guessed."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < _LEAST_KEY_BYTES or len(set(self.key)) < _LEAST_KEY_BYTES // 4:
            raise InputError(f"a key of fewer than {_LEAST_KEY_BYTES} random bytes", way_out=_NEW_KEY)

    @classmethod
    def from_file(cls, path: Path) -> Pseudonyms:
        """The names by the key in a file, blanks round it left out. Raises `InputError`."""
        try:
            if path.exists() and not path.is_file():
                raise InputError("not a file", where=path.name, way_out=_NEW_KEY)
            with path.open("rb") as file:
                key = file.read(_MOST_KEY_BYTES).strip()
        except OSError as error:
            raise InputError(f"the key cannot be read ({error.strerror})", where=str(path), way_out=_NEW_KEY) from error
        try:
            return cls(key=key)
        except InputError as error:
            raise error.located(path.name) from None

    def of(self, patient_id: str) -> str:
        """The pseudonym of a patient.

        >>> Pseudonyms(key=bytes(range(32))).of("P01")
        'PSN-AOPZCTEET4XR2GZ6'
        """
        digest = hmac.new(self.key, patient_id.encode(), hashlib.sha256).digest()
        return PREFIX + base64.b32encode(digest).decode()[:_LETTERS]

    def applied(self, table: TextTable) -> TextTable:
        """The table under other names, before anything else is read of it, so that no fault tells the true ones."""
        return replace(table, rows=tuple(map(self._renamed, table)))

    def _renamed(self, row: Row) -> Row:
        patient_id = row["patient_id"]
        return replace(row, cells={**row.cells, "patient_id": self.of(patient_id)}) if patient_id else row

    def told_by_files(self, table: TextTable) -> Iterator[Problem]:
        """A warning for every cell of a manifest whose file is called like its patient: problems name files."""
        for row in table:
            patient_id = row["patient_id"]
            for column in ("image", "mask", "bone_mask", "reference_mask"):
                if patient_id and patient_id.casefold() in row[column].casefold():
                    yield Problem(
                        patient_id=self.of(patient_id),
                        visit=row["visit"],
                        severity=Severity.WARNING,
                        where=table.place(row, column),
                        what="the file is called like the patient, and a problem would name it",
                        how_to_fix="call the files otherwise before problems.csv is passed on",
                    )


def write_new_key(path: Path) -> None:
    """A new random key, for its owner's eyes alone. Raises `OutputError` where there is a file already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_LEAST_KEY_BYTES) + "\n")
    except FileExistsError as error:
        raise OutputError("the file is there already", where=str(path), way_out="name a new one") from error
    except OSError as error:
        raise OutputError(
            "the key cannot be written", where=str(path), way_out=f"choose another place ({error.strerror})"
        ) from error
