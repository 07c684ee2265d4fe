"""A timeline as a notebook shows it: the overall responses and what they amount to."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mdanderson.criteria import OVERALL

if TYPE_CHECKING:
    from mdanderson.timeline.model import Timeline

__all__ = ["timeline_html"]

_RESPONSES = ("visit", "date", "criteria", "category", "reason")
_SUMMARIES = ("criteria", "best_response", "first_response_date", "progression_date", "progression_free_days")
_RESEARCH_USE = "Research use only, not a medical device."


def timeline_html(timeline: Timeline) -> str:
    """Two tables, a row per visit and criteria set and a row per set, with the patient named above."""
    overall = (row for row in timeline.responses if row.scope == OVERALL)
    return (
        f"<p>{html.escape(timeline.patient.patient_id)}</p>"
        + _table(_RESPONSES, ([getattr(row, name) for name in _RESPONSES] for row in overall))
        + _table(_SUMMARIES, ([getattr(one, name) for name in _SUMMARIES] for one in timeline.summaries))
        + f"<p>{_RESEARCH_USE}</p>"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f"<td>{'' if value is None else html.escape(str(value))}</td>"
