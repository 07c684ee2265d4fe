"""The page of a whole cohort: summary, a table of patients to sort and filter, figures, problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdanderson.criteria import OVERALL
from mdanderson.report.html.numbers import number_of
from mdanderson.report.html.rendering import page_name, render, themed

__all__ = ["CohortResults", "DrawnFigure", "cohort_page"]

Row = Mapping[str, str]
_BEST_FIRST = ("CR", "CMR", "iCR", "PR", "PMR", "iPR", "SD", "SMD", "iSD")


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnFigure:
    """A figure as SVG, in English and in Chinese. name: as in `mdanderson.plot`."""

    name: str
    english: str
    chinese: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortResults:
    """What the page of a cohort is made from; rows as text by column name.

    criteria: the sets asked, the leading one first. patients, responses, problems, summary: rows of these tables;
    failed: patients that were not scored, and why. pages: patients that have a page.
    """

    criteria: tuple[str, ...]
    patients: Sequence[Row]
    responses: Sequence[Row]
    problems: Sequence[Row]
    summary: Sequence[Row]
    failed: Mapping[str, str]
    pages: Sequence[str]
    figures: Sequence[DrawnFigure] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A line of the table of patients. course: date, visit and overall category by the leading set."""

    patient_id: str
    page: str
    failure: str
    best: Mapping[str, str]
    course: tuple[tuple[str, str, str], ...]
    row: Row
    best_change: str
    best_change_sort: str
    problems: int


def cohort_page(results: CohortResults) -> str:
    """The page, as HTML. The same results give the same page, to the byte."""
    people = _people(results)
    leading = results.criteria[0] if results.criteria else ""
    return render(
        "cohort.html.j2",
        {
            "criteria": results.criteria,
            "leading": leading,
            "people": people,
            "counts": _counts(people, results.criteria),
            "best_words": sorted({person.best.get(leading, "") for person in people} - {""}),
            "failed": results.failed,
            "summary": results.summary,
            "problems": [(row, page_name(row["patient_id"]) if row["patient_id"] else "") for row in results.problems],
            "severities": Counter(row["severity"] for row in results.problems),
            "figures": [(one.name, themed(one.english), themed(one.chinese)) for one in results.figures],
        },
    )


def _people(results: CohortResults) -> tuple[Person, ...]:
    leading = results.criteria[0] if results.criteria else ""
    best: dict[str, dict[str, str]] = {}
    rows: dict[str, Row] = {}
    for row in results.patients:
        best.setdefault(row["patient_id"], {})[row["criteria"]] = row["best_response"]
        if row["criteria"] == leading or row["patient_id"] not in rows:
            rows[row["patient_id"]] = row
    course: dict[str, list[tuple[str, str, str]]] = {}
    changes: dict[str, list[str]] = {}
    for row in results.responses:
        if row["scope"] == OVERALL and row["criteria"] == leading:
            course.setdefault(row["patient_id"], []).append((row["date"], row["visit"], row["category"]))
            changes.setdefault(row["patient_id"], []).append(row["size_change_baseline"])
    problems = Counter(row["patient_id"] for row in results.problems)
    return tuple(
        Person(
            patient_id=name,
            page=page_name(name),
            failure=results.failed.get(name, ""),
            best=best.get(name, {}),
            course=tuple(sorted(course.get(name, ()))),
            row=rows.get(name, {}),
            best_change=number_of(_least(changes.get(name, ())), "%"),
            best_change_sort=_least(changes.get(name, ())),
            problems=problems[name],
        )
        for name in results.pages
    )


def _least(changes: Sequence[str]) -> str:
    """The greatest fall since baseline, or the least rise; blank where none is known."""
    return min((change for change in changes if change), key=float, default="")


def _counts(people: Sequence[Person], criteria: Sequence[str]) -> list[tuple[str, list[tuple[str, int]]]]:
    """How many patients have each best response, by criteria set."""
    counts = []
    for one in criteria:
        found = Counter(person.best[one] for person in people if person.best.get(one))
        order = sorted(found, key=lambda word: (_BEST_FIRST.index(word) if word in _BEST_FIRST else 99, word))
        counts.append((one, [(word, found[word]) for word in order]))
    return counts
