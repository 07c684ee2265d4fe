"""Why a category is what it is: the answer of every row of every criteria table, of each lesion and each response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from mdanderson.criteria import OVERALL
from mdanderson.report.cells import Cells, render_row
from mdanderson.report.columns import Column, Table

if TYPE_CHECKING:
    from mdanderson.criteria.rule import Verdict
    from mdanderson.timeline import Timeline

__all__ = ["TRACE", "trace_rows", "trace_text"]

TRACE = Table(
    name="trace",
    sort_by=("patient_id", "date", "criteria", "scope", "modality", "lesion_id"),
    columns=(
        Column(name="patient_id", meaning="the patient"),
        Column(name="visit", meaning="label of the visit"),
        Column(name="date", meaning="day of the image, or of the visit"),
        Column(name="modality", meaning="CT MR NM PT XR; empty for a row about the patient"),
        Column(name="lesion_id", meaning="the lesion; empty for a row about a modality or the patient"),
        Column(name="code", meaning="row of the criteria table"),
        Column(name="gives", meaning="category that the row gives"),
        Column(name="outcome", meaning="fired, not fired, not applicable, not assessable"),
        Column(name="because", meaning="the numbers it rests on"),
        Column(name="criteria", meaning="criteria set"),
        Column(name="scope", meaning="lesion, overall, or one modality"),
        Column(name="category", meaning="what the rows came to"),
        Column(name="reason", meaning="why, in words"),
        Column(name="sequence", meaning="what an MR image weighs"),
        Column(name="text", meaning="what the row of the criteria says"),
    ),
)
_OF_LESION = "lesion"
"""Scope of a row that was asked of a lesion."""


def trace_rows(timeline: Timeline) -> tuple[Cells, ...]:
    """One row per verdict, in the order in which the rows were asked: of every lesion, then of every response.

    What was asked of no row (a baseline, an examination that says nothing) has one row without code.
    """
    patient_id = timeline.patient.patient_id
    rows: list[Cells] = []
    for lesion in timeline.judged_lesions:
        about: dict[str, object] = {
            "patient_id": patient_id,
            "visit": lesion.visit,
            "date": lesion.date,
            "modality": lesion.finding.modality,
            "sequence": lesion.finding.sequence,
            "lesion_id": lesion.lesion_id,
            "criteria": lesion.criteria,
            "scope": _OF_LESION,
            "category": lesion.category,
            "reason": lesion.reason,
        }
        rows += _told(about, lesion.verdicts)
    for response in timeline.responses:
        about = {
            "patient_id": patient_id,
            "visit": response.visit,
            "date": response.date,
            "modality": "" if response.scope == OVERALL else response.scope,
            "criteria": response.criteria,
            "scope": response.scope,
            "category": response.category,
            "reason": response.reason,
        }
        rows += _told(about, response.verdicts)
    return tuple(rows)


def _told(about: dict[str, object], verdicts: Sequence[Verdict]) -> Iterator[Cells]:
    if not verdicts:
        yield render_row(TRACE, about)
    for verdict in verdicts:
        said = {
            "code": verdict.code,
            "gives": verdict.gives,
            "outcome": verdict.outcome.replace("_", " "),
            "because": verdict.because,
            "text": verdict.rule.text,
        }
        yield render_row(TRACE, about | said)


def trace_text(responses: Iterable[Mapping[str, str]], verdicts: Iterable[Mapping[str, str]]) -> str:
    """The whole trace of some visits in words, from rows by column name: set by set its lesions and responses."""
    responses, verdicts = list(responses), list(verdicts)
    lines: list[str] = []
    for (patient_id, visit, date), of_visit in groupby(responses, key=itemgetter("patient_id", "visit", "date")):
        lines.append(f"{patient_id} {visit} {date}")
        here = [row for row in verdicts if row["visit"] == visit]
        for criteria, rows in groupby(of_visit, key=itemgetter("criteria")):
            of_set = [row for row in here if row["criteria"] == criteria]
            lines += _lesion_lines(row for row in of_set if row["scope"] == _OF_LESION)
            for row in rows:
                lines.append(_headline(f"{criteria} {row['scope']}", row, unconfirmed=row["unconfirmed"] == "true"))
                lines += _verdict_lines(one for one in of_set if one["scope"] == row["scope"])
    return "\n".join(lines)


def _lesion_lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Every lesion with the rows that were asked of it."""
    for _, of_lesion in groupby(rows, key=itemgetter("criteria", "modality", "sequence", "lesion_id", "date")):
        told = list(of_lesion)
        first = told[0]
        name = " ".join(filter(None, (first["lesion_id"], first["modality"], first["sequence"])))
        yield _headline(f"{first['criteria']} {name}", first)
        yield from _verdict_lines(told)


def _headline(name: str, row: Mapping[str, str], *, unconfirmed: bool = False) -> str:
    return f"  {name}: {row['category']}{' (unconfirmed)' if unconfirmed else ''}, {row['reason']}"


def _verdict_lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The answer of every row that was asked."""
    for row in rows:
        if row["code"]:
            asked = f" [{row['text']}]" if row["outcome"] == "fired" else ""
            yield f"    {row['code']} ({row['gives']}) {row['outcome']}: {row['because']}{asked}"
