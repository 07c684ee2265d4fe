"""The best change of a patient's sum: one definition for the table of a cohort and for the waterfall beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["best_change", "counts_for_best"]

Day = TypeVar("Day", dt.date, str)
"""A date, or its text as the tables have it (YYYY-MM-DD), which is in order as well."""


def counts_for_best(date: Day, progression: Day | None) -> bool:
    """Whether a visit counts for the best response: those up to the first confirmed progression do."""
    return progression is None or date <= progression


def best_change(changes: Iterable[tuple[Day, float | None]], *, progression: Day | None) -> float | None:
    """The greatest fall of the sum since baseline, or the least rise, of the visits that count for the best response.

    changes: a patient's visits in any order, the baseline among them; a fraction, None where it is not known.
    progression: the day of the first confirmed progression. None where no change is known by then.

    >>> day = dt.date(2024, 1, 1)
    >>> visits = [(day, None), (day + dt.timedelta(weeks=12), 0.6), (day + dt.timedelta(weeks=24), -0.66)]
    >>> best_change(visits, progression=visits[1][0]), best_change(visits, progression=None)
    (0.6, -0.66)
    """
    follow_up = sorted(changes, key=lambda visit: visit[0])[1:]
    known = [change for date, change in follow_up if change is not None and counts_for_best(date, progression)]
    return min(known, default=None)
