"""One row a patient: visits and lesions numbered, and their most wanted columns side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mdanderson.export.baseline_sums import with_baseline_sums
from mdanderson.export.redcap_fields import RECORD_ID, Field, dictionary_row
from mdanderson.export.visits import PatientResults, ResultRow
from mdanderson.report.cells import guarded
from mdanderson.report.columns import LESIONS, RESPONSES, Column, Table
from mdanderson.vocabulary import Modality, Status

__all__ = ["wide_dictionary", "wide_rows"]

_FORM = "results_wide"
_OF_LESION = (("lesion_id", "id"), ("site", "site"), ("laterality", "side"), ("lesion_type", "type"))
"""Column of lesions.csv -> the end of the name of its field; where a lesion is first told of."""
_OF_LESION_AT_VISIT = (
    ("modality", "mod"),
    ("status", "status"),
    ("long_axis_mm", "long_mm"),
    ("short_axis_mm", "short_mm"),
    ("mean_hu", "hu"),
    ("uptake_ratio", "uptake"),
    ("suv_peak", "sulpeak"),
    ("category", "cat"),
)
_SILENT = {Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE}
_OF_RESPONSE = (
    ("category", "cat"),
    ("size_sum_mm", "sum_mm"),
    ("size_change_baseline", "chg_base"),
    ("size_change_nadir", "chg_nadir"),
    ("lesions_new", "new"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Extent:
    """How much there is at most: of visits of the study, of lesions, and which criteria sets."""

    visits: int
    lesions: int
    criteria: tuple[str, ...]

    @classmethod
    def of(cls, patients: Sequence[PatientResults]) -> _Extent:
        sets = dict.fromkeys(row["criteria"] for patient in patients for row in patient.responses)
        return cls(
            visits=max((visit.number for patient in patients for visit in patient.visits), default=0),
            lesions=max((len(_lesion_ids(patient)) for patient in patients), default=0),
            criteria=tuple(sets),
        )


def wide_dictionary(patients: Sequence[PatientResults]) -> Iterator[tuple[str, ...]]:
    """The lines of the data dictionary, after that of the record."""
    before = ""
    for field, told, section in _fields(_Extent.of(patients)):
        label = f"{told}: {field.column.meaning}"
        yield dictionary_row(_FORM, field, section="" if section == before else section, label=label)
        before = section


def wide_rows(patients: Sequence[PatientResults]) -> Iterator[Sequence[str]]:
    """Header and a row for every patient.

    Of several images of a lesion at one visit the one that gives its size counts; what it does not measure, such as
    uptake, is of the first that does.
    """
    fields = [field for field, *_ in _fields(_Extent.of(patients))]
    yield (RECORD_ID, *(field.name for field in fields))
    for patient in patients:
        cells = _cells(patient)
        yield (patient.patient_id, *(_coded(field, cells.get(field.name, "")) for field in fields))


def _fields(extent: _Extent) -> Iterator[tuple[Field, str, str]]:
    """Every field, what it is about, and the section that it stands in."""
    for visit in range(1, extent.visits + 1):
        for name in ("date", "visit"):
            yield _field(RESPONSES, name, f"v{visit:02}_{name}"), f"Visit {visit}", f"Visit {visit}"
        for criteria in extent.criteria:
            for name, end in _OF_RESPONSE:
                field = _field(RESPONSES, name, f"v{visit:02}_{criteria}_{end}")
                yield field, f"Visit {visit}, {criteria}", f"Visit {visit}"
    for lesion in range(1, extent.lesions + 1):
        for name, end in _OF_LESION:
            yield _field(LESIONS, name, f"l{lesion:02}_{end}"), f"Lesion {lesion}", f"Lesion {lesion}"
        for visit in range(1, extent.visits + 1):
            for name, end in _OF_LESION_AT_VISIT:
                field = _field(LESIONS, name, f"l{lesion:02}_v{visit:02}_{end}")
                yield field, f"Lesion {lesion}, visit {visit}", f"Lesion {lesion}"


def _field(table: Table, column: str, name: str) -> Field:
    found: Column = next(one for one in table.columns if one.name == column)
    return Field(name=name, column=found, choices=Field.from_column(found, "").choices)


def _cells(patient: PatientResults) -> Mapping[str, str]:
    """The cells that a patient has, by the name of the field."""
    cells: dict[str, str] = {}
    for visit in patient.visits:
        cells |= {f"v{visit.number:02}_date": visit.date.isoformat(), f"v{visit.number:02}_visit": visit.label}
    told = (*patient.responses, *patient.parts)
    for row in patient.responses:
        start, whole = f"v{patient.visit_of(row).number:02}_{row['criteria']}", with_baseline_sums(row, told)
        cells |= {f"{start}_{end}": whole[name] for name, end in _OF_RESPONSE}
    numbers = {lesion_id: number for number, lesion_id in enumerate(_lesion_ids(patient), start=1)}
    for row in sorted(patient.lesions, key=lambda row: (patient.visit_of(row).date, *_image_order(row))):
        start = f"l{numbers[row['lesion_id']]:02}"
        _fill(cells, start, patient.placed(row), _OF_LESION)
        at_visit = f"{start}_v{patient.visit_of(row).number:02}"
        leads = f"{at_visit}_status" not in cells
        # what a radiograph or a PET has for density is no density of the image that leads
        here = row if leads or row["modality"] == Modality.CT else {**row, "mean_hu": ""}
        _fill(cells, at_visit, here, _OF_LESION_AT_VISIT)
    return cells


def _image_order(row: ResultRow) -> tuple[bool, bool, str]:
    """Of a lesion at a visit the image that gives its size first, then the others that say anything."""
    return not row["long_axis_mm"], Status(row["status"]) in _SILENT, row["date"]


def _fill(cells: dict[str, str], start: str, row: ResultRow, columns: Sequence[tuple[str, str]]) -> None:
    """What is not told yet."""
    for name, end in columns:
        if row[name]:
            cells.setdefault(f"{start}_{end}", row[name])


def _lesion_ids(patient: PatientResults) -> tuple[str, ...]:
    """In the order in which they are told of first."""
    ordered = sorted(patient.lesions, key=lambda row: (row["date"], row["lesion_id"]))
    return tuple(dict.fromkeys(row["lesion_id"] for row in ordered))


def _coded(field: Field, cell: str) -> str:
    return field.coded(cell) if field.kind != "text" or field.column.kind != "text" else guarded(cell)
