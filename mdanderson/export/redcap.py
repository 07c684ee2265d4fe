"""Results for REDCap: a data dictionary and the rows to import, long (repeating instruments) or wide (a row a patient).

Both come with a dictionary in the eighteen columns that REDCap imports. Long is complete; wide has what is asked of a
visit and a lesion most often, for a project without repeating instruments or for a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from mdanderson.export.own_files import write_own_files
from mdanderson.export.redcap_fields import (
    DICTIONARY_HEADER,
    INSTRUMENTS,
    RECORD_ID,
    Field,
    Instrument,
    dictionary_row,
    record_row,
)
from mdanderson.export.redcap_wide import wide_dictionary, wide_rows
from mdanderson.export.visits import PatientResults, ResultRow, patients_in
from mdanderson.export.wish import Wish, Written
from mdanderson.report.cells import guarded
from mdanderson.report.columns import Kind

__all__ = ["write_redcap"]

_REPEAT = ("redcap_repeat_instrument", "redcap_repeat_instance")
_NO_RECORD = frozenset("\"'&#+\t")
"""Characters that the name of a REDCap record does not take."""
_LONGEST_RECORD = 100


def write_redcap(wish: Wish) -> Written:
    """Write dictionaries, rows to import, and the list of repeating instruments.

    A patient whose name no record may have fails. Raises `OutputError` where files of these names are somebody else's.
    """
    failed: dict[str, str] = {}
    patients: list[PatientResults] = []
    for patient in patients_in(wish.results):
        if len(patient.patient_id) > _LONGEST_RECORD or _NO_RECORD & set(patient.patient_id):
            failed[patient.patient_id] = (
                "no REDCap record can have this name: no quotes, &, # or +, at most 100 letters"
            )
        else:
            patients.append(patient)
    labels = [(one.name, one.label) for one in INSTRUMENTS]
    files = {
        "redcap_data_dictionary.csv": _csv([DICTIONARY_HEADER, *_dictionary()]),
        "redcap_repeating_instruments.csv": _csv([("form_name", "custom_form_label"), *labels]),
        "redcap_long.csv": _csv([_long_header(), *_long_rows(patients)]),
        "redcap_wide_dictionary.csv": _csv([DICTIONARY_HEADER, record_row(), *wide_dictionary(patients)]),
        "redcap_wide.csv": _csv(wide_rows(patients)),
    }
    return Written(files=write_own_files(wish.folder, files), failed=failed)


def _dictionary() -> Iterator[tuple[str, ...]]:
    yield record_row()
    for instrument in INSTRUMENTS:
        for field in instrument.fields:
            yield dictionary_row(instrument.name, field)


def _long_header() -> tuple[str, ...]:
    return (RECORD_ID, *_REPEAT, *(field.name for one in INSTRUMENTS for field in one.fields))


def _long_rows(patients: Iterable[PatientResults]) -> Iterator[Sequence[str]]:
    """A row for the record, then one for every instance, the cells of other instruments blank."""
    blank = {one.name: ("",) * len(one.fields) for one in INSTRUMENTS}
    for patient in patients:
        yield (patient.patient_id, "", "", *(cell for cells in blank.values() for cell in cells))
        for instrument in INSTRUMENTS:
            for number, row in enumerate(_rows_of(patient, instrument), start=1):
                own = blank | {instrument.name: tuple(_cell(field, row) for field in instrument.fields)}
                yield (
                    patient.patient_id,
                    instrument.name,
                    str(number),
                    *(cell for cells in own.values() for cell in cells),
                )


def _rows_of(patient: PatientResults, instrument: Instrument) -> Sequence[ResultRow]:
    by_name = {"lesion": patient.lesions, "response": patient.responses, "course": patient.summaries}
    return by_name[instrument.name]


def _cell(field: Field, row: ResultRow) -> str:
    """The coded cell; a text that a spreadsheet would run gets an apostrophe."""
    cell = field.coded(row[field.column.name])
    return guarded(cell) if field.column.kind is Kind.TEXT and not field.choices else cell


def _csv(lines: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()
