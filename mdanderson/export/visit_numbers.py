"""One number for one visit of a study: patients miss visits, and a count of each patient's own would mix up weeks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

__all__ = ["Course", "visit_names", "visit_numbers"]

Course = Sequence[tuple[dt.date, str]]
"""A patient's visits in order of date: day and label. No label is there twice."""

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}( \(\d+\))?")


def visit_names(course: Course) -> tuple[str, ...]:
    """What a patient's visits are called in the study: by their label, which of a date is the place in the course.

    >>> visit_names([(dt.date(2024, 1, 5), "2024-01-05"), (dt.date(2024, 4, 2), "wk12")])
    ('baseline', 'wk12')
    """
    labels = {label for _, label in course}
    names: list[str] = []
    for place, (_, label) in enumerate(course, start=1):
        counted = "baseline" if place == 1 else f"visit {place}"
        names.append(counted if _DAY.fullmatch(label) and counted not in labels else label)
    return tuple(names)


def visit_numbers(courses: Iterable[Course]) -> Mapping[str, int]:
    """Name of a visit -> its number from 1, for all patients.

    A visit comes after those that come before it with any patient; what that leaves open is settled by the median day.
    Where patients contradict each other the day settles it too.
    """
    days: dict[str, list[int]] = {}
    before: dict[str, set[str]] = {}
    for course in courses:
        names = visit_names(course)
        for place, (name, (day, _)) in enumerate(zip(names, course, strict=True)):
            days.setdefault(name, []).append((day - course[0][0]).days)
            before.setdefault(name, set()).update(names[:place][-1:])
    typical = {name: (median(own), name) for name, own in days.items()}
    order: list[str] = []
    while before:
        ready = [name for name, earlier in before.items() if not earlier & before.keys()]
        following = min(ready or before, key=typical.__getitem__)
        order.append(following)
        del before[following]
    return {name: number for number, name in enumerate(order, start=1)}
