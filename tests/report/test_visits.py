"""Which visit a row or a picture belongs to: by label, else by day, the same for pages, reviews and exports."""

from __future__ import annotations

import pytest

from mdanderson.report.visits import visit_at

VISITS = [("baseline", "2024-01-05"), ("week 12", "2024-04-02"), ("extra", "2024-05-02"), ("week 12", "2024-06-02")]


@pytest.mark.parametrize(
    ("label", "day", "place"),
    [
        ("baseline", "2024-01-05", 0),
        ("baseline", "2024-04-09", 0),  # the label counts before the day
        ("extra", "2024-04-09", 2),  # even where the visit began later
        ("week 12", "2024-06-01", 1),  # of two of one label the one that had begun
        ("week 12", "2024-06-02", 3),
        ("week 12", "2024-01-01", 1),
        ("", "2024-04-01", 0),
        ("", "2024-04-02", 1),
        ("unknown", "2030-01-01", 3),
        ("", "2024-01-04", None),
        ("", "", None),
    ],
)
def test_the_visit_of_a_row(label: str, day: str, place: int | None) -> None:
    assert visit_at(label, day, VISITS) == place


def test_visits_without_days_are_known_by_label_alone() -> None:
    """As a blinded page has them."""
    visits = [("visit 1", ""), ("visit 2", "")]
    assert [visit_at(label, "0001-01-02", visits) for label in ("visit 2", "visit 1", "", "visit 3")] == [
        1,
        0,
        None,
        None,
    ]


def test_of_no_visits_there_is_none() -> None:
    assert visit_at("baseline", "2024-01-05", []) is None
