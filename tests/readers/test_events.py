"""events.csv: what happened, and rows that cannot be used."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from mdanderson.errors import ManifestError
from mdanderson.readers.events import EVENTS_COLUMNS, read_events
from mdanderson.readers.text_table import text_table
from mdanderson.vocabulary import EventKind


def read(*rows: tuple[str, str, str, str]):
    """Events of patient P and the problems, from (patient, date, event, site)."""
    frame = pd.DataFrame(rows, columns=["patient_id", "date", "event", "site"])
    events, problems = read_events(text_table(frame, name="events"), known={"P"})
    return events.get("P", ()), [str(problem) for problem in problems]


@pytest.mark.parametrize(("word", "kind"), [(kind.value, kind) for kind in EventKind])
def test_every_kind_of_event(word, kind):
    (event,), problems = read(("P", "2024-04-01", word, "L3; left femur"))
    assert (event.date, event.kind, event.site) == (dt.date(2024, 4, 1), kind, "L3; left femur")
    assert isinstance(event.kind, EventKind)
    assert problems == []


@pytest.mark.parametrize("word", ["Cord compression", "CORD-COMPRESSION", "cord_compression"])
def test_spelling_of_kinds(word):
    (event,), _ = read(("P", "2024-04-01", word, ""))
    assert event.kind is EventKind.CORD_COMPRESSION


def test_another_word_is_kept_as_written():
    (event,), problems = read(("P", "2024-04-01", "Dental check", ""))
    assert (event.kind, problems) == ("Dental check", [])


def test_a_word_like_a_kind_is_told():
    (event,), problems = read(("P", "2024-04-01", "radiotherapie", "L3"))
    assert event.kind == "radiotherapie"
    (line,) = problems
    assert line == (
        "warning: unknown event radiotherapie: kept, marks no lesion @ P events row 2 column event; "
        "write radiotherapy if that is meant"
    )


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("P", "03/04/2024", "surgery", "L3"), "not an ISO 8601 date: 03/04/2024 @ P events row 2 column date"),
        (("P", "", "surgery", "L3"), "no date: the event is not used @ P events row 2 column date"),
        (("P", "2024-04-01", "", "L3"), "no event @ P events row 2 column event; write what happened"),
    ],
)
def test_rows_that_cannot_be_used(row, line):
    events, problems = read(row, ("P", "2024-04-01", "surgery", "L3"))
    assert len(events) == 1
    assert problems[0].startswith(f"error: {line}")


def test_a_stranger_is_a_warning():
    events, problems = read(("Q", "2024-04-01", "surgery", "L3"))
    assert events == ()
    assert problems[0].startswith("warning: patient Q has no row in the table @ events row 2 column patient_id")


def test_required_columns():
    table = text_table(pd.DataFrame({"patient_id": ["P"], "date": ["2024-04-01"], "Event_": ["surgery"]}))
    with pytest.raises(ManifestError, match=r"no column event @ table row 1; rename the column 'Event_' to event"):
        read_events(table, known={"P"})


def test_the_columns_are_those_of_the_contract():
    assert EVENTS_COLUMNS == ("patient_id", "date", "event", "site")
