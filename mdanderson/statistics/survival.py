"""Time to progression by the product-limit method of Kaplan and Meier, in exact fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Step", "median_days", "product_limit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A day on which something happened. at_risk: followed up to that day; surviving: the share (0-1) left after it."""

    day: int
    at_risk: int
    events: int
    surviving: Fraction


def product_limit(times: Iterable[tuple[int, bool]]) -> tuple[Step, ...]:
    """The curve of patients' times (days, whether it ended in an event; else censored), one step for each event day.

    Who is censored on the day of an event is still at risk for it (Kaplan and Meier, J Am Stat Assoc 1958;53:457).

    >>> [(step.day, step.at_risk, str(step.surviving)) for step in product_limit([(3, True), (5, False), (8, True)])]
    [(3, 3, '2/3'), (8, 1, '0')]
    """
    followed = list(times)
    ended = Counter(day for day, _ in followed)
    events = Counter(day for day, is_event in followed if is_event)
    at_risk, surviving = len(followed), Fraction(1)
    steps = []
    for day in sorted(ended):
        if events[day]:
            surviving *= 1 - Fraction(events[day], at_risk)
            steps.append(Step(day=day, at_risk=at_risk, events=events[day], surviving=surviving))
        at_risk -= ended[day]
    return tuple(steps)


def median_days(curve: Sequence[Step]) -> int | None:
    """The first day by which at most half survive; None where the curve never comes down to it."""
    return next((step.day for step in curve if step.surviving <= Fraction(1, 2)), None)
