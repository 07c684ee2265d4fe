"""What can go wrong, and the way out.

Every error of this package descends from `MdandersonError`:

    MdandersonError
    ├── InputError           a file or a table cannot be used as it stands
    │   ├── ManifestError    the cohort table itself, or one of the tables beside it
    │   ├── ImageError       an image cannot be read, or is not what it claims to be
    │   │   ├── GeometryError   its voxels cannot be placed in the patient without guessing
    │   │   └── UnitError       its values have no unit that the work needs
    │   └── MaskError        a segmentation cannot be read, or does not fit its image
    ├── MeasurementError     a quantity cannot be measured on what is there
    ├── SettingsError        a setting is unknown or impossible
    ├── OutputError          results cannot be written where they were asked for
    └── ServerError          a PACS does not answer, or refuses what was asked of it

An error carries data: what is wrong, where, and the way out. A batch turns it into a `Problem` and goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

__all__ = [
    "GeometryError",
    "ImageError",
    "InputError",
    "ManifestError",
    "MaskError",
    "MdandersonError",
    "MeasurementError",
    "OutputError",
    "Problem",
    "ServerError",
    "SettingsError",
    "Severity",
    "UnitError",
    "printable",
]

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Control characters, line ends of every kind, turns of the writing direction, bytes of a name that were no text."""
_LONGEST = 1000
"""Characters of a name or a list in what is told."""


def printable(text: str) -> str:
    r"""The text as part of one line, whatever a file name or a header holds: nothing in it steers a terminal.

    >>> printable("ct\n\x1b[31m.nii")
    'ct [31m.nii'
    """
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub(" ", text)


def _told(text: str) -> str:
    """What is said of a fault: printable, and no longer than anybody reads."""
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


class MdandersonError(Exception):
    """The root of the tree. `what` is wrong, `where` (a file, a row, a slice), and the `way_out` for the user."""

    def __init__(self, what: str, *, where: str = "", way_out: str = "") -> None:
        self.what, self.where, self.way_out = map(_told, (what, where, way_out))
        super().__init__(self.what, self.where, self.way_out)

    def __str__(self) -> str:
        """One line: what @ where; way out."""
        return _line(self.what, self.where, self.way_out)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between worker processes with every field."""
        return _rebuild, (type(self), self.what, self.where, self.way_out)

    def located(self, where: str) -> Self:
        """The same error, placed at `where` unless it already names a place."""
        if not self.where:
            self.where = _told(where)
        return self


def _line(what: str, where: str, way_out: str) -> str:
    """The form of every line that tells a user what is wrong."""
    placed = f"{what} @ {where}" if where else what
    return f"{placed}; {way_out}" if way_out else placed


def _rebuild(kind: type[MdandersonError], what: str, where: str, way_out: str) -> MdandersonError:
    return kind(what, where=where, way_out=way_out)


class InputError(MdandersonError):
    """A file or a table cannot be used as it stands."""


class ManifestError(InputError):
    """The cohort table, or a table beside it, cannot be understood."""


class ImageError(InputError):
    """An image cannot be read, or is not what it claims to be."""


class GeometryError(ImageError):
    """The voxels cannot be placed in the patient without guessing."""


class UnitError(ImageError):
    """The values have no unit that the work needs."""


class MaskError(InputError):
    """A segmentation cannot be read, or does not fit its image."""


class MeasurementError(MdandersonError):
    """A quantity cannot be measured on what is there."""


class SettingsError(MdandersonError):
    """A setting is unknown or impossible."""


class OutputError(MdandersonError):
    """Results cannot be written where they were asked for."""


class ServerError(MdandersonError):
    """A PACS does not answer, or refuses what was asked of it."""


class Severity(StrEnum):
    """How much a problem cost: an `ERROR` lost a result, a `WARNING` made one doubtful, `INFO` is to be known."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One row of problems.csv."""

    patient_id: str = ""
    visit: str = ""
    severity: Severity = Severity.ERROR
    where: str = ""
    what: str
    how_to_fix: str = ""

    def __post_init__(self) -> None:
        for name in ("where", "what", "how_to_fix"):  # patient and visit are keys, and stay what they are
            text = getattr(self, name)
            if _told(text) != text:
                object.__setattr__(self, name, _told(text))

    @classmethod
    def from_error(
        cls, error: MdandersonError, *, patient_id: str = "", visit: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """The row for `error`."""
        return cls(
            patient_id=patient_id,
            visit=visit,
            severity=severity,
            where=error.where,
            what=error.what,
            how_to_fix=error.way_out,
        )

    def of(self, *, patient_id: str, visit: str = "") -> Problem:
        """The same problem, told for a patient and a visit."""
        return replace(self, patient_id=patient_id, visit=self.visit or visit)

    @property
    def line(self) -> str:
        """`what @ where; way out`, where the patient is named already."""
        return _line(self.what, self.where, self.how_to_fix)

    def __str__(self) -> str:
        """`what @ where`, as `mdanderson check` prints it."""
        place = " ".join(part for part in (self.patient_id, self.visit, self.where) if part)
        return _line(f"{self.severity}: {self.what}", printable(place), self.how_to_fix)
