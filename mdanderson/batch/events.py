"""What happened to the patients, as run.json keeps it for the figures: events.csv may be elsewhere by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from mdanderson.findings import Event
from mdanderson.vocabulary import EventKind

__all__ = ["Events", "events_in", "told_events"]

Events = Mapping[str, Sequence[Event]]
"""By patient."""


def told_events(events: Events) -> dict[str, list[dict[str, str]]]:
    """Events as a record has them, of the patients that have any."""
    return {
        patient_id: [{"date": one.date.isoformat(), "event": str(one.kind), "site": one.site} for one in its]
        for patient_id, its in sorted(events.items())
        if its
    }


def events_in(told: Any) -> dict[str, tuple[Event, ...]]:
    """Events from a record as it tells them; none where an earlier version wrote it, or it was changed by hand."""
    try:
        return {str(name): tuple(map(_event, its)) for name, its in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _event(told: Mapping[str, str]) -> Event:
    kind = told["event"]
    known = EventKind(kind) if kind in list(EventKind) else kind
    return Event(date=dt.date.fromisoformat(told["date"]), kind=known, site=told["site"])
