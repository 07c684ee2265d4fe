"""Changes of size as pages and figures tell them: how one is written, and which is a patient's best."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from mdanderson.quantities import exact, percent

__all__ = ["LONG_AXIS_LIMITS", "SIZE_LIMITS", "UPTAKE_LIMITS", "best_change", "change_in_words", "counts_for_best"]

SIZE_LIMITS = tuple(Fraction(points, 100) for points in (-50, 25))
"""Limits of MD Anderson and WHO as published: no change is rounded to one that it does not reach, or passes."""
LONG_AXIS_LIMITS = tuple(Fraction(points, 100) for points in (-30, 20))
"""The same of RECIST."""
UPTAKE_LIMITS = tuple(Fraction(points, 100) for points in (-50, -30, -25, -15, 15, 25, 30, 50))
"""The same of uptake: PERCIST, EORTC and what is asked of a bone scan."""

Day = TypeVar("Day", dt.date, str)
"""A date, or its text as the tables have it (YYYY-MM-DD), which is in order as well."""


def change_in_words(change: Decimal | float, *, limits: tuple[Fraction, ...] = SIZE_LIMITS) -> str:
    """A measured change with its sign, rounded as the reasons of categories round theirs; with a true minus sign.

    >>> change_in_words(-0.4012), change_in_words(Decimal("0.2496")), change_in_words(-0.496)
    ('\N{MINUS SIGN}40 %', '+24.96 %', '\N{MINUS SIGN}49.6 %')
    """
    return percent(exact(change), limits=limits).replace("-", "\N{MINUS SIGN}")


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
