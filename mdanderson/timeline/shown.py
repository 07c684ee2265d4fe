"""A timeline as a notebook shows it: the overall responses and what they amount to."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mdanderson.criteria import OVERALL
from mdanderson.timeline.course_svg import course_svg
from mdanderson.version import RESEARCH_USE

if TYPE_CHECKING:
    from mdanderson.timeline.model import Timeline

__all__ = ["timeline_html"]

_RESPONSES = ("visit", "date", "criteria", "category", "reason")
_SUMMARIES = ("criteria", "best_response", "first_response_date", "progression_date", "progression_free_days")


def timeline_html(timeline: Timeline) -> str:
    """The patient's name, a picture of the first criteria set, a row per visit and set, and a row per set."""
    overall = [row for row in timeline.responses if row.scope == OVERALL]
    first = timeline.summaries[0].criteria if timeline.summaries else ""
    return (
        f"<p>{html.escape(timeline.patient.patient_id)}</p>"
        + course_svg([row for row in overall if row.criteria == first])
        + _table(_RESPONSES, ([getattr(row, name) for name in _RESPONSES] for row in overall))
        + _table(_SUMMARIES, ([getattr(one, name) for name in _SUMMARIES] for one in timeline.summaries))
        + f"<p>{RESEARCH_USE}</p>"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f"<td>{'' if value is None else html.escape(str(value))}</td>"
