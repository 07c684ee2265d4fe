"""The page of one patient, from its rows of the result tables and its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mdanderson.criteria import CRITERIA_SETS, OVERALL
from mdanderson.crops import Crop
from mdanderson.pictures import Picture
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, PATIENTS, PROBLEMS, RESPONSES, Table
from mdanderson.report.html.drawing import (
    Bar,
    Curves,
    DrawnPicture,
    course_curves,
    drawn,
    probabilities,
)
from mdanderson.report.html.lesion_part import LesionPart, lesion_parts
from mdanderson.report.html.numbers import change_form, number_of
from mdanderson.report.html.rendering import render
from mdanderson.report.html.viewer import Viewer, viewer_for
from mdanderson.vocabulary import Status

__all__ = ["PatientResults", "Row", "patient_page"]

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientResults:
    """All that the results hold of one patient. rows: by table name, text; failure: why it was not scored.

    criteria: the sets asked, the leading one first. judged: whether categories are shown; not in a blinded reading.
    """

    patient_id: str
    criteria: tuple[str, ...]
    rows: Mapping[str, Sequence[Cells]]
    pictures: tuple[Picture, ...] = ()
    crops: tuple[Crop, ...] = ()
    failure: str = ""
    judged: bool = True

    def named(self, table: Table) -> list[Row]:
        """The rows of a table by column name."""
        return list(table.named(self.rows.get(table.name, ())))


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A visit as columns are headed with it."""

    label: str
    date: str
    weeks: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a criteria set says at one visit. rules: code and text of those that fired."""

    row: Row
    change: str
    change_nadir: str
    size_sum: str
    distance: str
    bars: tuple[Bar, ...]
    rules: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseRow:
    """One criteria set and scope through all visits; None where it says nothing."""

    criteria: str
    scope: str
    answers: tuple[Answer | None, ...]
    leads: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanPart:
    """The whole views of the bone scans of one day."""

    date: str
    visit: str
    views: tuple[DrawnPicture, ...] = field(default_factory=tuple)


def patient_page(results: PatientResults) -> str:
    """The page of a patient, as HTML, below 8 MB. The same results give the same page, to the byte."""
    plain = _page(results, None)
    viewer = viewer_for(results.crops, beside_bytes=len(plain.encode()))
    return plain if viewer is None else _page(results, viewer)


def _page(results: PatientResults, viewer: Viewer | None) -> str:
    responses = results.named(RESPONSES)
    visits = _visits(responses)
    texts = _texts_of_rules(results.criteria)
    course = tuple(_course(responses, visits, results.criteria, texts)) if results.judged else ()
    lesions = _lesions(results, visits, texts)
    return render(
        "patient.html.j2",
        {
            "patient_id": results.patient_id,
            "failure": results.failure,
            "visits": visits,
            "course": course,
            "changes": _changes(results, visits, course) if results.judged else None,
            "judged": results.judged,
            "read": {row["criteria"] for row in responses if row["category_measured"] not in {"", row["category"]}},
            "leading": next((row for row in course if row.leads and row.scope == OVERALL), None),
            "summaries": sorted(results.named(PATIENTS), key=lambda row: _place(row["criteria"], results.criteria)),
            "lesions": lesions,
            "scans": tuple(_scans(results, visits)),
            "has_pictures": bool(results.pictures),
            "problems": results.named(PROBLEMS),
            "viewer": viewer,
            "viewer_hash": viewer.code.policy if viewer else "",
            "groups": viewer.groups if viewer else {},
        },
    )


def _visits(responses: Iterable[Row]) -> tuple[Visit, ...]:
    """Every visit once, in order of date."""
    seen = {(row["date"], row["visit"]): row["weeks"] for row in responses if row["scope"] == OVERALL}
    return tuple(Visit(label=label, date=date, weeks=weeks) for (date, label), weeks in sorted(seen.items()))


def _texts_of_rules(criteria: Sequence[str]) -> dict[str, str]:
    """What the rows of the sets' tables say, by criteria and code."""
    return {f"{one.code} {rule.code}": rule.text for one in CRITERIA_SETS if one.code in criteria for rule in one.rules}


def _place(criteria: str, asked: Sequence[str]) -> tuple[int, str]:
    return (asked.index(criteria) if criteria in asked else len(asked)), criteria


def _course(
    responses: Sequence[Row], visits: Sequence[Visit], criteria: Sequence[str], texts: Mapping[str, str]
) -> Iterator[CourseRow]:
    """Set by set, overall before single modalities."""
    keys = dict.fromkeys((row["criteria"], row["scope"]) for row in responses)
    ordered = sorted(keys, key=lambda key: (_place(key[0], criteria), key[1] != OVERALL, key[1]))
    for name, scope in ordered:
        own = [row for row in responses if row["criteria"] == name and row["scope"] == scope]
        rows = _under(own, visits, by_label=scope != OVERALL)
        yield CourseRow(
            criteria=name,
            scope=scope,
            answers=tuple(None if row is None else _answer(row, texts) for row in rows),
            leads=name == (criteria[0] if criteria else name),
        )


def _under(rows: Sequence[Row], visits: Sequence[Visit], *, by_label: bool) -> Iterator[Row | None]:
    """Each visit's row; a modality's by the label of the visit alone, as its images may be of another day."""
    found = {("" if by_label else row["date"], row["visit"]): row for row in rows}
    return (found.get(("" if by_label else visit.date, visit.label)) for visit in visits)


def _answer(row: Row, texts: Mapping[str, str]) -> Answer:
    rules = [code for code in row["rules"].split(";") if code]
    return Answer(
        row=row,
        change=number_of(row["size_change_baseline"], change_form(row["criteria"])),
        change_nadir=number_of(row["size_change_nadir"], change_form(row["criteria"])),
        size_sum=number_of(row["size_sum_mm"], "mm"),
        distance=number_of(row["threshold_distance"], "points"),
        bars=probabilities(row),
        rules=tuple((code, texts.get(f"{row['criteria']} {code}", "")) for code in rules),
    )


def _changes(results: PatientResults, visits: Sequence[Visit], course: Sequence[CourseRow]) -> Curves | None:
    """The change of size by week, of the sum by the leading set and of every lesion that is measured."""
    weeks = {visit.label: float(visit.weeks) for visit in visits if visit.weeks}
    sums = [one.row for line in course if line.leads and line.scope == OVERALL for one in line.answers if one]
    lesions: dict[str, list[Row]] = {}
    for row in results.named(LESIONS):
        lesions.setdefault(row["lesion_id"], []).append(row)
    lines = {"\N{GREEK CAPITAL LETTER SIGMA}": sums} | lesions
    return course_curves([(name, _points(rows, weeks)) for name, rows in lines.items()])


def _points(rows: Iterable[Row], weeks: Mapping[str, float]) -> list[tuple[float, float]]:
    """Week and change in percent of each visit once, beginning with the baseline that changes are of."""
    known: dict[float, float] = {}
    for row in rows:
        if row["visit"] in weeks and row["size_change_baseline"]:
            known.setdefault(weeks[row["visit"]], 100.0 * float(row["size_change_baseline"]))
    return sorted(({0.0: 0.0} | known).items()) if known else []


def _lesions(results: PatientResults, visits: Sequence[Visit], texts: Mapping[str, str]) -> tuple[LesionPart, ...]:
    keys = [(visit.label, visit.date) for visit in visits]
    pictures = [picture for picture in results.pictures if picture.lesion_id]
    return lesion_parts(results.named(LESIONS), pictures, keys, texts, results.criteria)


def _scans(results: PatientResults, visits: Sequence[Visit]) -> Iterator[ScanPart]:
    """The whole views, day by day."""
    whole = [picture for picture in results.pictures if not picture.lesion_id]
    labels = {visit.date: visit.label for visit in visits}
    lesions = results.named(LESIONS) if results.judged else []
    new = {(row["date"], row["lesion_id"]) for row in lesions if row["status"] == Status.NEW}
    for date in sorted({picture.date for picture in whole}):
        views = sorted((one for one in whole if one.date == date), key=lambda one: one.view)
        day = date.isoformat()
        visit = next((one.visit for one in views if one.visit), labels.get(day, ""))
        begun = {lesion_id for since, lesion_id in new if since == day}
        yield ScanPart(date=day, visit=visit, views=tuple(drawn(view, new=begun) for view in views))
