"""A dataset as files: SAS transport version 5, as authorities take it, and CSV, as everybody reads it."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from mdanderson.errors import SettingsError
from mdanderson.export.sdtm_domains import Dataset
from mdanderson.export.sdtm_rows import Cell, Row
from mdanderson.report.cells import guarded

__all__ = ["as_ascii", "as_csv", "as_transport", "check_transport", "in_ascii"]

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIMES = (144, 160, 464, 480)
"""Where a transport file says when it was made; twice for the library, twice for the dataset."""
_NO_TIME = b"01JAN60:00:00:00"


def check_transport() -> None:
    """Raise `SettingsError` where the library is missing, before anything is written."""
    try:
        import pyreadstat  # noqa: F401
    except ImportError as error:
        raise SettingsError("SDTM needs the extra `export`", way_out="pip install 'mdanderson[export]'") from error


def as_ascii(text: str) -> str:
    """A text in the letters of a transport file: accents are taken off, other letters become question marks.

    >>> as_ascii("Müller ≥ 5")
    'Muller ? 5'
    """
    plain = unicodedata.normalize("NFKD", text)
    return "".join(one for one in plain if not unicodedata.combining(one)).encode("ascii", "replace").decode()


def in_ascii(rows: Sequence[Row]) -> tuple[list[dict[str, Cell]], frozenset[str]]:
    """The rows in ASCII, and the variables in which something was changed."""
    changed: set[str] = set()
    made: list[dict[str, Cell]] = []
    for row in rows:
        cells = dict(row)
        for name, cell in row.items():
            if isinstance(cell, str) and not cell.isascii():
                cells[name] = as_ascii(cell)
                changed.add(name)
        made.append(cells)
    return made, frozenset(changed)


def as_csv(dataset: Dataset, rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """Header and rows; a text that a spreadsheet would run gets an apostrophe, a number in a text does not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(dataset.names)
    writer.writerows([_cell(row.get(name)) for name in dataset.names] for row in rows)
    return out.getvalue().encode()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _NUMBER.fullmatch(value) else guarded(value)
    return f"{value:.10g}"


def as_transport(dataset: Dataset, rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """SAS transport version 5; the same bytes every time, so it does not tell when it was made."""
    import pandas as pd
    import pyreadstat

    columns = {
        variable.name: pd.Series([row.get(variable.name) for row in rows], dtype="float64")
        if variable.is_number
        else pd.Series([row.get(variable.name) or "" for row in rows], dtype="str")
        for variable in dataset.variables
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{dataset.name.lower()}.xpt"
        pyreadstat.write_xport(
            pd.DataFrame(columns),
            str(path),
            file_label=dataset.label,
            column_labels=[variable.label for variable in dataset.variables],
            table_name=dataset.name,
            file_format_version=5,
        )
        content = bytearray(path.read_bytes())
    for start in _TIMES:
        content[start : start + len(_NO_TIME)] = _NO_TIME
    return bytes(content)
