"""The columns of the result tables as fields of REDCap instruments: valid names, coded choices, a data dictionary.

Columns are described once, in report/columns.py, from which the output dictionary is made as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES, Column, Kind, Table
from mdanderson.vocabulary import Basis, Category, LesionType, Modality, MrSequence, Pattern, Status

__all__ = ["DICTIONARY_HEADER", "INSTRUMENTS", "RECORD_ID", "Field", "Instrument", "dictionary_row", "record_row"]

RECORD_ID = "record_id"
DICTIONARY_HEADER = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
_RECORD = "patient"
_LONGEST_NAME = 26
"""Characters that REDCap recommends; it takes up to 100."""
_SHORTER = (("_baseline", "_base"), ("_change", "_chg"), ("_category", "_cat"), ("_distance", "_dist"))
_LONG_TEXTS = frozenset({"reason", "evidence", "comment", "rules", "findings", "reference_source", "site_source"})
_LEFT_OUT = frozenset({"patient_id"})


def _words(words: type[StrEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in words)


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "modality": _words(Modality),
    "sequence": _words(MrSequence),
    "status": _words(Status),
    "lesion_type": _words(LesionType),
    "basis": _words(Basis),
    "criteria": tuple(one.code for one in CRITERIA_SETS),
    "progression_pattern": _words(Pattern),
    "baseline_pattern": _words(Pattern),
    "event": ("progression", "death"),
    **{
        name: _words(Category)
        for name in (
            *("category", "size_category", "density_category", "signal_category", "uptake_category"),
            *("category_other_scope", "category_measured", "best_response"),
        )
    },
}
"""Column -> its closed words, which are coded from 1 in this order: new words go to the end."""
_TYPES = {Kind.DATE: "date_ymd", Kind.NUMBER: "number", Kind.COUNT: "integer"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field: a column of a result table under a name that REDCap takes."""

    name: str
    column: Column
    choices: tuple[str, ...] = ()

    @classmethod
    def from_column(cls, column: Column, prefix: str) -> Field:
        """The field of a column in an instrument that begins its names so."""
        return cls(name=_short(f"{prefix}_{column.name}"), column=column, choices=_CHOICES.get(column.name, ()))

    @property
    def kind(self) -> str:
        """REDCap's field type."""
        if self.choices:
            return "dropdown"
        if self.column.kind is Kind.FLAG:
            return "yesno"
        return "notes" if self.column.name in _LONG_TEXTS else "text"

    def coded(self, cell: str) -> str:
        """A cell as REDCap stores it. A word that is no choice stays as it is, so that an import tells of it."""
        if self.choices:
            return str(self.choices.index(cell) + 1) if cell in self.choices else cell
        if self.column.kind is Kind.FLAG and cell:
            return "1" if cell == "true" else "0"
        return cell


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """One repeating instrument: a row of a result table is an instance of it. label: what tells instances apart."""

    name: str
    table: Table
    prefix: str
    label: str

    @property
    def fields(self) -> tuple[Field, ...]:
        """In the order of the table."""
        kept = (column for column in self.table.columns if column.name not in _LEFT_OUT)
        return tuple(Field.from_column(column, self.prefix) for column in kept)


INSTRUMENTS = (
    Instrument(name="lesion", table=LESIONS, prefix="les", label="[les_date] [les_lesion_id] [les_modality]"),
    Instrument(name="response", table=RESPONSES, prefix="rsp", label="[rsp_date] [rsp_criteria] [rsp_category]"),
    Instrument(name="course", table=PATIENTS, prefix="crs", label="[crs_criteria] [crs_best_response]"),
)


def record_row() -> tuple[str, ...]:
    """The line of the data dictionary for the record's name, which has to be the first."""
    label = f"The patient: {LESIONS.columns[0].meaning}"
    return _line(name=RECORD_ID, form=_RECORD, kind="text", label=label, identifier="y")


def dictionary_row(form: str, field: Field, *, section: str = "", label: str = "") -> tuple[str, ...]:
    """The line of the data dictionary for a field. label: in place of the column's meaning."""
    choices = " | ".join(f"{number}, {word}" for number, word in enumerate(field.choices, start=1))
    validation = _TYPES.get(field.column.kind, "") if field.kind == "text" else ""
    unit = field.column.unit if field.column.unit not in {"", "1", "ISO 8601"} else ""
    return _line(
        name=field.name,
        form=form,
        section=section,
        kind=field.kind,
        label=label or field.column.meaning,
        choices=choices,
        note=unit,
        validation=validation,
    )


def _line(
    *,
    name: str,
    form: str,
    kind: str,
    label: str,
    section: str = "",
    choices: str = "",
    note: str = "",
    validation: str = "",
    identifier: str = "",
) -> tuple[str, ...]:
    told = (name, form, section, kind, label, choices, note, validation, "", "", identifier)
    return (*told, *("",) * (len(DICTIONARY_HEADER) - len(told)))


def _short(name: str) -> str:
    """A name of recommended length, where abbreviations reach it."""
    for long, short in _SHORTER:
        if len(name) <= _LONGEST_NAME:
            break
        name = name.replace(long, short)
    return name
