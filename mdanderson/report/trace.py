"""Why a category is what it is: the answer of every row of the criteria table, for every lesion and visit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mdanderson.report.cells import Cells, render_row
from mdanderson.report.columns import Column, Table

if TYPE_CHECKING:
    from mdanderson.timeline import Timeline

__all__ = ["TRACE", "trace_rows", "trace_text"]

TRACE = Table(
    name="trace",
    sort_by=("patient_id", "date", "modality", "lesion_id"),
    columns=(
        Column(name="patient_id", meaning="the patient"),
        Column(name="visit", meaning="label of the visit"),
        Column(name="date", meaning="day of the visit"),
        Column(name="modality", meaning="CT MR NM PT XR"),
        Column(name="lesion_id", meaning="the lesion"),
        Column(name="code", meaning="row of the criteria table"),
        Column(name="gives", meaning="category that the row gives"),
        Column(name="outcome", meaning="fired, not fired, not applicable, not assessable"),
        Column(name="because", meaning="the numbers it rests on"),
    ),
)


def trace_rows(timeline: Timeline) -> tuple[Cells, ...]:
    """One row per verdict, in the order in which the rows were asked."""
    return tuple(
        render_row(
            TRACE,
            {
                "patient_id": timeline.patient.patient_id,
                "visit": lesion.visit,
                "date": lesion.date,
                "modality": lesion.finding.modality,
                "lesion_id": lesion.lesion_id,
                "code": verdict.code,
                "gives": verdict.gives,
                "outcome": verdict.outcome.replace("_", " "),
                "because": verdict.because,
            },
        )
        for lesion in timeline.lesions
        for verdict in lesion.verdicts
    )


def trace_text(
    responses: Iterable[Mapping[str, str]], lesions: Iterable[Mapping[str, str]], verdicts: Iterable[Mapping[str, str]]
) -> str:
    """The whole trace of some visits in words, from rows by column name: responses, their lesions, their verdicts."""
    lesions, verdicts = list(lesions), list(verdicts)
    lines: list[str] = []
    place = ""
    for response in responses:
        here = f"{response['patient_id']} {response['visit']} {response['date']}"
        if here != place:
            place = here
            lines += [here, *_lesion_lines(response, lesions, verdicts)]
        lines.append(f"  {response['criteria']} {response['scope']}: {response['category']}, {response['reason']}")
    return "\n".join(lines)


def _lesion_lines(
    response: Mapping[str, str], lesions: list[Mapping[str, str]], verdicts: list[Mapping[str, str]]
) -> Iterator[str]:
    for lesion in lesions:
        if not _same(lesion, response, "visit", "date"):
            continue
        yield f"  {lesion['lesion_id']} {lesion['modality']}: {lesion['category']}, {lesion['reason']}"
        for verdict in verdicts:
            if _same(verdict, lesion, "visit", "date", "modality", "lesion_id"):
                yield f"    {verdict['code']} ({verdict['gives']}) {verdict['outcome']}: {verdict['because']}"


def _same(one: Mapping[str, str], other: Mapping[str, str], *names: str) -> bool:
    return all(one[name] == other[name] for name in names)
