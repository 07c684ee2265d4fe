"""The page of a whole cohort: summary, a table of patients to sort and filter, figures, problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mdanderson.criteria import OVERALL
from mdanderson.report.changes import best_change
from mdanderson.report.html.numbers import change_form, number_of
from mdanderson.report.html.rendering import order_of, page_name, render, themed

__all__ = ["CohortResults", "DrawnFigure", "cohort_page"]

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnFigure:
    """A figure as SVG, in English and in Chinese. name: as in `mdanderson.plot`."""

    name: str
    english: str
    chinese: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortResults:
    """What the page of a cohort is made from; rows as text by column name.

    criteria: the sets asked, the leading one first. patients, responses, problems, summary: rows of these tables, of
    summary those of all patients; failed: patients that were not scored, and why. pages: patients that have a page.
    """

    criteria: tuple[str, ...]
    patients: Sequence[Row]
    responses: Sequence[Row]
    problems: Sequence[Row]
    failed: Mapping[str, str]
    pages: Sequence[str]
    summary: Sequence[Row] = ()
    figures: Sequence[DrawnFigure] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a criteria set makes of the cohort.

    counts: patients by best response. rates: key of the text, share of all patients and its interval, as text; median:
    days of progression-free time, blank where it is not reached, None where nobody was followed.
    """

    criteria: str
    counts: tuple[tuple[str, int], ...]
    rates: tuple[tuple[str, str], ...]
    median_days: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A line of the table of patients.

    course: date, visit and overall category by the leading set, and whether a reader made it what it is.
    """

    patient_id: str
    page: str
    failure: str
    best: Mapping[str, str]
    course: tuple[tuple[str, str, str, bool], ...]
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
            "outcomes": tuple(_outcomes(people, results)),
            "best_words": sorted({person.best.get(leading, "") for person in people} - {""}, key=_best_first),
            "failed": results.failed,
            "partly": sum(bool(person.failure and person.best) for person in people),
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
    course: dict[str, list[tuple[str, str, str, bool]]] = {}
    changes: dict[str, list[tuple[str, float | None]]] = {}
    for row in results.responses:
        if row["scope"] == OVERALL and row["criteria"] == leading:
            by_reader = row["category_measured"] not in {"", row["category"]}
            course.setdefault(row["patient_id"], []).append((row["date"], row["visit"], row["category"], by_reader))
            change = row["size_change_baseline"]
            changes.setdefault(row["patient_id"], []).append((row["date"], float(change) if change else None))
    best_changes = {name: _best_change(visits, rows.get(name, {})) for name, visits in changes.items()}
    problems = Counter(row["patient_id"] for row in results.problems)
    return tuple(
        Person(
            patient_id=name,
            page=page_name(name),
            failure=results.failed.get(name, ""),
            best=best.get(name, {}),
            course=tuple(sorted(course.get(name, ()))),
            row=rows.get(name, {}),
            best_change=number_of(best_changes.get(name, ""), change_form(leading)),
            best_change_sort=best_changes.get(name, ""),
            problems=problems[name],
        )
        for name in results.pages
    )


def _best_change(visits: Sequence[tuple[str, float | None]], row: Row) -> str:
    """As the waterfall draws it; blank where none is known. row: of patients.csv."""
    change = best_change(visits, progression=row.get("progression_date") or None)
    return "" if change is None else str(change)


def _outcomes(people: Sequence[Person], results: CohortResults) -> Iterator[Outcome]:
    """Set by set: how many patients have each best response, and the rates of responders."""
    of_all = {row["criteria"]: row for row in results.summary if not row["group"]}
    for criteria in results.criteria:
        found = Counter(person.best[criteria] for person in people if person.best.get(criteria))
        row = of_all.get(criteria, {})
        yield Outcome(
            criteria=criteria,
            counts=tuple((word, found[word]) for word in sorted(found, key=_best_first)),
            rates=tuple((f"page.{key}_rate", _rate(row, *names)) for key, names in _RATES if row.get(names[1])),
            median_days=row.get("median_progression_free_days", "") if row.get("followed", "0") != "0" else None,
        )


_RATES = (
    ("response", ("responders", "response_rate", "response_low", "response_high")),
    ("control", ("controlled", "control_rate", "control_low", "control_high")),
)
"""Columns of summary.csv: number, share, and ends of its interval."""


def _rate(row: Row, count: str, share: str, low: str, high: str) -> str:
    """`9/16: 56 % (30–80)`."""
    told, first, last = (number_of(row[name], "share") for name in (share, low, high))
    interval = f"{first.removesuffix(' %')}\N{EN DASH}{last.removesuffix(' %')}"
    return f"{row[count]}/{row['patients']}: {told} ({interval})"


def _best_first(word: str) -> str:
    """A results folder changed by hand may hold words that are no categories: they come last."""
    return order_of(word) or f"~{word}"
