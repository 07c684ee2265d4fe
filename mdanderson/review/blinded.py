"""A second reading that does not know the first: cases in an order of their own, without categories, days and names.

What is hidden is taken out of the rows and pictures before a page is made of them, not out of the page: so nothing can
be left over in a tooltip, a figure or an attribute. In the page itself only the stand-ins for days get other words.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mdanderson.criteria import OVERALL
from mdanderson.pictures import Picture
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, RESPONSES, Table
from mdanderson.report.html import PatientResults, patient_page
from mdanderson.report.visits import visit_at
from mdanderson.review.desk import Desk, Sheet, named

__all__ = ["blinded_page", "cases"]

_SHOWN = frozenset(
    {"lesion_id", "label", "modality", "sequence", "long_axis_mm", "short_axis_mm", "size_mm", "volume_ml", "mean_hu"}
)
"""Of a lesion: what can be seen, or measured on the picture that is shown."""


def cases(patient_ids: Sequence[str], reader: str) -> tuple[str, ...]:
    """The patients in an order that is this reader's own, the same every time, and tells nothing of name or arm."""
    return tuple(
        sorted(patient_ids, key=lambda name: hashlib.sha256(f"{reader}\0{name}".encode()).hexdigest()),
    )


def blinded_page(desk: Desk, sheet: Sheet, number: int) -> str:
    """The page of a case: pictures and sizes, visits by number."""
    page = patient_page(_results(desk, sheet, number))
    for place in range(1, len(sheet.visits) + 1):  # what is read aloud of a picture
        page = page.replace(_day(place).isoformat(), f"visit {place}")
    return page


def _results(desk: Desk, sheet: Sheet, number: int) -> PatientResults:
    visit_of = {label: f"visit {place}" for place, (label, _) in enumerate(sheet.visits, start=1)}
    pictures = tuple(_hidden(one, _place(one, sheet)) for one in desk.unread_pictures(sheet.patient_id))
    return PatientResults(
        patient_id=f"Case {number}",
        criteria=desk.criteria[:1],
        rows={
            RESPONSES.name: tuple(
                _row(RESPONSES, {"visit": f"visit {place}", "scope": OVERALL})
                for place in range(1, len(sheet.visits) + 1)
            ),
            LESIONS.name: tuple(_row(LESIONS, _lesion(row, visit_of)) for row in named(LESIONS, sheet.rows)),
        },
        pictures=pictures,
        failure="no results" if sheet.failure else "",
        judged=False,
    )


def _lesion(row: Mapping[str, str], visit_of: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name in _SHOWN} | {"visit": visit_of.get(row["visit"], "")}


def _place(picture: Picture, sheet: Sheet) -> int:
    """The number of the visit that a picture is of."""
    return (visit_at(picture.visit, picture.date.isoformat(), sheet.visits) or 0) + 1


def _hidden(picture: Picture, place: int) -> Picture:
    return replace(picture, date=_day(place), visit=f"visit {place}", profile=())


def _day(place: int) -> dt.date:
    """A day that is none, for what must have one: days of the first months of the year 1 stand for visits."""
    return dt.date(1, 1, 1) + dt.timedelta(days=place - 1)


def _row(table: Table, cells: Mapping[str, str]) -> Cells:
    return tuple(cells.get(name, "") for name in table.column_names)
