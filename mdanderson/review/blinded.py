"""A second reading that does not know the first: cases in an order of their own, without categories, days and names.

What is hidden is taken out of the rows and pictures before a page is made of them, not out of the page: so nothing can
be left over in a tooltip, a figure or an attribute. Case and visits are stand-ins there, which get their words, in both
languages, in the page itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mdanderson.criteria import OVERALL
from mdanderson.pictures import Picture
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, RESPONSES, Table
from mdanderson.report.html import PatientResults, patient_page
from mdanderson.report.texts import both
from mdanderson.report.visits import visit_at
from mdanderson.review.pages import filled
from mdanderson.review.patient_review import PatientReview
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.snapshot import rows_of

__all__ = ["blinded_page", "cases"]

_CASE = "\N{REPLACEMENT CHARACTER}case\N{REPLACEMENT CHARACTER}"
"""Stands for the name of the patient."""
_TAG = re.compile(r"(<[^<>]*>)")
_ATTRIBUTE = re.compile(r'([\w-]+)="[^"]*"')
_SHOWN = frozenset(
    {"lesion_id", "label", "modality", "sequence", "long_axis_mm", "short_axis_mm", "size_mm", "volume_ml", "mean_hu"}
)
"""Of a lesion: what can be seen, or measured on the picture that is shown."""


def cases(patient_ids: Sequence[str], reader: str) -> tuple[str, ...]:
    """The patients in an order that is this reader's own, the same every time, and tells nothing of name or arm."""
    return tuple(
        sorted(patient_ids, key=lambda name: hashlib.sha256(f"{reader}\0{name}".encode()).hexdigest()),
    )


def blinded_page(reviewed: ReviewedFolder, patient: PatientReview, number: int) -> str:
    """The page of a case: pictures and sizes, visits by number."""
    words = {_CASE: both("review.case_number", number=number)}
    words |= {_visit(place): both("review.number", number=place) for place in range(1, max(1, len(patient.visits)) + 1)}
    return _worded(patient_page(_results(reviewed, patient)), words)


def _worded(page: str, words: Mapping[str, tuple[str, str]]) -> str:
    """The page with words for stand-ins: both languages where people read, in an attribute that of the attribute."""
    stand_in = re.compile("|".join(map(re.escape, words)))
    shown = {
        name: filled("words.html.j2", {"english": english, "chinese": chinese})
        for name, (english, chinese) in words.items()
    }

    def inside(attribute: re.Match[str]) -> str:
        place = 1 if attribute[1].endswith("-zh") else 0
        return stand_in.sub(lambda found: html.escape(words[found[0]][place]), attribute[0])

    head, body = page.split("</title>", 1)
    head = stand_in.sub(lambda found: html.escape(words[found[0]][0]), head)
    parts = (
        _ATTRIBUTE.sub(inside, part) if part.startswith("<") else stand_in.sub(lambda found: shown[found[0]], part)
        for part in _TAG.split(body)
    )
    return "".join((head, "</title>", *parts))


def _results(reviewed: ReviewedFolder, patient: PatientReview) -> PatientResults:
    visit_of = {label: _visit(place) for place, (label, _) in enumerate(patient.visits, start=1)}
    pictures = tuple(
        _hidden(picture, _place(picture, patient))
        for picture in reviewed.pictures_without_statements(patient.patient_id)
    )
    return PatientResults(
        patient_id=_CASE,
        criteria=reviewed.criteria[:1],
        rows={
            RESPONSES.name: tuple(
                _row(RESPONSES, {"visit": _visit(place), "scope": OVERALL})
                for place in range(1, len(patient.visits) + 1)
            ),
            LESIONS.name: tuple(_row(LESIONS, _lesion(row, visit_of)) for row in rows_of(LESIONS, patient.rows)),
        },
        pictures=pictures,
        failure="no results" if patient.failure else "",
        judged=False,
    )


def _lesion(row: Mapping[str, str], visit_of: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name in _SHOWN} | {"visit": visit_of.get(row["visit"], "")}


def _place(picture: Picture, patient: PatientReview) -> int:
    """The number of the visit that a picture is of."""
    return (visit_at(picture.visit, picture.date.isoformat(), patient.visits) or 0) + 1


def _hidden(picture: Picture, place: int) -> Picture:
    return replace(picture, date=_day(place), visit=_visit(place), profile=())


def _day(place: int) -> dt.date:
    """A day that is none, for what must have one: days of the first months of the year 1 stand for visits."""
    return dt.date(1, 1, 1) + dt.timedelta(days=place - 1)


def _visit(place: int) -> str:
    """The stand-in for the name of a visit, which is that for its day."""
    return _day(place).isoformat()


def _row(table: Table, cells: Mapping[str, str]) -> Cells:
    return tuple(cells.get(name, "") for name in table.column_names)
