"""What a typed cell says, read the same way in every table: dates, numbers, yes and no, closed words, codes.

Nothing is guessed: 03/04/2024, `12,5` and `12 mm` are refused with a way out. A blank cell is never read.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from mdanderson.errors import ManifestError, Problem, Severity
from mdanderson.findings import Structure
from mdanderson.readers.text_table import Row, TextTable, nearest
from mdanderson.vocabulary import Alignment, Collapse, Pain, Posterolateral

__all__ = [
    "STRUCTURE_COLUMNS",
    "Cells",
    "about_columns",
    "about_twins",
    "by_patient",
    "cell_date",
    "cell_flag",
    "cell_instant",
    "cell_number",
    "cell_parts",
    "cell_ratio",
    "cell_size",
    "has_decimal_comma",
    "stranger",
    "word_of",
]

Read = TypeVar("Read")
Taken = TypeVar("Taken")
Word = TypeVar("Word", bound=StrEnum)

STRUCTURE_COLUMNS = ("pain", "alignment", "collapse", "posterolateral")
"""What SINS and Mirels ask a reader."""

_FLAGS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
_NUMBER = re.compile(r"[+-]?(\d{1,9}\.?\d{0,20}|\.\d{1,20})([eE][+-]?\d{1,2})?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_WITH_UNIT = re.compile(r"(?P<number>[+-]?\d+([.,]\d+)?)\s*[a-z%²]+\.?", re.ASCII | re.IGNORECASE)
_LARGEST_MM = 1000
_MOST_STRANGERS = 50
"""Unknown columns that are named one by one."""
_YEARS = range(1900, 2101)


@functools.lru_cache(maxsize=4096)
def cell_date(text: str) -> dt.date:
    """An ISO 8601 date, a time of day left out. Raises `ManifestError`: no other order of day and month is guessed."""
    try:
        date = dt.datetime.fromisoformat(text).date()
    except ValueError as error:
        raise ManifestError(f"not an ISO 8601 date: {text}", way_out="write YYYY-MM-DD") from error
    if date.year not in _YEARS:
        raise ManifestError(f"not a plausible date: {text}", way_out="correct the year")
    return date


def cell_instant(text: str) -> str:
    """A day and time, spelled so that later sorts after earlier; in UTC where a zone is given.

    Raises `ManifestError`.
    """
    try:
        instant = dt.datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            instant = instant.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise ManifestError(f"not an ISO 8601 time: {text}", way_out="write YYYY-MM-DDThh:mm") from error
    return instant.isoformat(timespec="microseconds")


@functools.lru_cache(maxsize=4096)
def cell_number(text: str) -> Decimal:
    """A number of at least 0, exactly as written. Raises `ManifestError`."""
    if not _NUMBER.fullmatch(text):
        raise _no_number(text)
    number = Decimal(text)
    if number < 0:
        raise ManifestError(f"below zero: {text}", way_out="write 0 where nothing is left, nothing where not measured")
    return number


def has_decimal_comma(text: str) -> bool:
    """Whether a cell is a number but for its comma."""
    return "," in text and _COMMA.fullmatch(text) is not None


def _no_number(text: str) -> ManifestError:
    if _COMMA.fullmatch(text):
        return ManifestError(f"a comma in a number: {text}", way_out=f"write {text.replace(',', '.')}")
    if unit := _WITH_UNIT.fullmatch(text):
        plain = unit["number"].replace(",", ".")
        return ManifestError(
            f"more than a number: {text}", way_out=f"write {plain} alone, in the unit that the column names"
        )
    return ManifestError(f"not a number: {text}", way_out="write a number such as 12.5, nothing where not measured")


@functools.lru_cache(maxsize=4096)
def cell_size(text: str) -> Decimal:
    """A diameter in mm. Raises `ManifestError` for what no bone has."""
    size = cell_number(text)
    if size > _LARGEST_MM:
        raise ManifestError(f"{text} mm is no size of a lesion", way_out="write millimetres")
    return size


def cell_ratio(text: str) -> float:
    """A number of at least 0. Raises `ManifestError`."""
    return float(cell_number(text))


def cell_flag(text: str) -> bool:
    """True or false, yes or no, 1 or 0. Raises `ManifestError`."""
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise ManifestError(f"neither true nor false: {text}", way_out="write true or false")
    return flag


@functools.lru_cache(maxsize=4096)
def cell_parts(text: str) -> tuple[str, ...]:
    """What is joined by `;`, each part once, in the order written."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def word_of(words: type[Word], column: str) -> Callable[[str], Word]:
    """A reader of the words of a closed vocabulary, whatever their case, blanks for underscores allowed.

    It raises `ManifestError` for another word.
    """
    known = {word.lower(): word for word in words}

    def read(text: str) -> Word:
        found = known.get(text) or known.get(text.lower()) or known.get(re.sub(r"[\s-]+", "_", text.lower()))
        if found is None:
            twin = nearest(text, list(words))
            way_out = f"write {twin}" if twin else f"write one of {', '.join(words)}"
            raise ManifestError(f"unknown {column} {text}", way_out=way_out)
        return found

    return read


@dataclass(kw_only=True, slots=True)
class Cells:
    """One row read cell by cell; what is wrong collects in `faults`."""

    table: TextTable
    row: Row
    faults: list[Problem] = field(default_factory=list)

    def read(self, column: str, reader: Callable[[str], Read]) -> Read | None:
        """What a cell says; None where it is blank, or is at fault, which is noted."""
        text = self.row.cells.get(column)
        if not text:
            return None
        try:
            return reader(text)
        except ManifestError as error:
            self.fault(column, error.what, error.way_out)
            return None

    def word(self, column: str, words: type[Word]) -> Word | None:
        """A word of a closed vocabulary, whatever its case; None where the cell is blank or at fault."""
        return self.read(column, word_of(words, column))

    def structure(self) -> Structure | None:
        """What a reader says of the bone round a lesion; None where nothing."""
        if not any(map(self.row.cells.get, STRUCTURE_COLUMNS)):
            return None
        return Structure(
            pain=self.word("pain", Pain),
            alignment=self._alignment(),
            collapse=self.word("collapse", Collapse),
            posterolateral=self.word("posterolateral", Posterolateral),
        )

    def _alignment(self) -> Alignment | None:
        """How the spine stands; SINS prints kyphosis and scoliosis, which are one row."""
        if self.row["alignment"].strip().lower() in {"kyphosis", "scoliosis"}:
            return Alignment.DEFORMITY
        return self.word("alignment", Alignment)

    def check_surplus(self) -> None:
        """Cells beyond the last column are a fault: every cell before them may be in a wrong column."""
        if self.row.surplus:
            count = len(self.row.surplus)
            self.fault("", f"{count} cells beyond the last column", "quote cells that hold the delimiter")

    def fault(self, column: str, what: str, way_out: str, *, severity: Severity = Severity.ERROR) -> Problem:
        """Note what is wrong in a column."""
        row = self.row
        problem = Problem(
            patient_id=row["patient_id"],
            visit=row["visit"],
            severity=severity,
            where=self.table.place(row, column),
            what=what,
            how_to_fix=way_out,
        )
        self.faults.append(problem)
        return problem

    @property
    def errors(self) -> list[Problem]:
        """The faults for which the row cannot be used."""
        return [problem for problem in self.faults if problem.severity is Severity.ERROR]

    @property
    def why(self) -> str:
        """Why the row cannot be used, in one line; blank where it can."""
        return "; ".join(f"{problem.what} @ {problem.where}" for problem in self.errors)


def about_columns(table: TextTable, known: Collection[str]) -> Iterator[Problem]:
    """A warning for every column that no version knows: kept, but perhaps misspelled."""
    absent = [name for name in known if name not in table.columns]
    strangers = [name for name in table.columns if name not in known]
    if len(strangers) > _MOST_STRANGERS:
        yield Problem(
            severity=Severity.WARNING,
            where=f"{table.path.name} row 1",
            what=f"{len(strangers)} unknown columns: kept, not used",
            how_to_fix="nothing to do if they are remarks of yours",
        )
    else:
        for name in strangers:
            twin = nearest(name, absent)
            yield Problem(
                severity=Severity.WARNING,
                where=f"{table.path.name} row 1",
                what=f"unknown column {name}: kept, not used",
                how_to_fix=f"rename it to {twin} if that is meant"
                if twin
                else "nothing to do if it is a remark of yours",
            )


def about_twins(table: TextTable) -> Iterator[Problem]:
    """A warning for every patient whose name is another's but for upper and lower case; neither name is repeated."""
    firsts: dict[str, Row] = {}
    seen: set[str] = {""}
    for row in table:
        patient_id = row["patient_id"]
        if patient_id in seen:
            continue
        seen.add(patient_id)
        first = firsts.setdefault(patient_id.casefold(), row)
        if first is not row:
            yield Problem(
                patient_id=patient_id,
                severity=Severity.WARNING,
                where=table.place(row, "patient_id"),
                what=f"the patient of row {first.number} but for upper and lower case: taken as another patient",
                how_to_fix="write the name alike in every row if one patient is meant",
            )


def by_patient(
    table: TextTable, take: Callable[[Cells], Taken | None], *, known: Collection[str], known_from: str
) -> tuple[dict[str, tuple[Taken, ...]], tuple[Problem, ...]]:
    """What each row of a table beside the main one says, by patient, and what is wrong with it.

    take: what a row says, None where it cannot be used. known: the patients of the main table; others are named in a
    warning as having no `known_from`.
    """
    taken: dict[str, list[Taken]] = {}
    problems: list[Problem] = []
    for row in table:
        if row["patient_id"] not in known:
            problems.append(stranger(table, row, known_from))
            continue
        cells = Cells(table=table, row=row)
        one = take(cells)
        problems += cells.faults
        if one is not None:
            taken.setdefault(row["patient_id"], []).append(one)
    return {patient_id: tuple(found) for patient_id, found in taken.items()}, tuple(problems)


def stranger(table: TextTable, row: Row, known_from: str) -> Problem:
    """The problem of a row for a patient that the main table does not have."""
    return Problem(
        severity=Severity.WARNING,
        where=table.place(row, "patient_id"),
        what=f"patient {row['patient_id'] or '(blank)'} has no {known_from}",
        how_to_fix="correct the spelling, or remove the row",
    )
