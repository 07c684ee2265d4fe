"""How the sum changed over time: the spider plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.cut_off import CUT_AT, cut_entry, cut_in_words, label_changes, mark_cut
from mdanderson.plot.labels import counted, letters, shortened
from mdanderson.plot.source import Source
from mdanderson.plot.style import PAGE_WIDTH_IN, Entries, FigureStyle, english_without_fonts
from mdanderson.report.changes import change_in_words
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["spider", "spread"]

_NAMED = 20
"""Patients up to whom each line carries its name."""

_Place = tuple[float, float]
"""Weeks, and the change as a fraction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Course:
    """points: where the change is known; unknown, progressed: visits of that kind, where they are drawn."""

    patient_id: str
    best: Category
    points: tuple[_Place, ...]
    unknown: tuple[_Place, ...]
    progressed: tuple[_Place, ...]


@english_without_fonts
def spider(
    results: Source,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    settings: Settings | None = None,
) -> Figure:
    """Change of the sum since baseline over weeks, a line per patient, coloured by best response.

    A visit whose sum is not known breaks no line: a cross stands at the last value that is known. A diamond marks a
    visit whose category is progression. Patients without any change of size have no line; the title counts them. What
    rises above +150 % is drawn there with an arrowhead over it: axis, legend and `alt` tell it.
    settings: whose limits are drawn, in place of those of the run. Raises as `waterfall`.
    """
    style = FigureStyle.of(language, dark=dark)
    cohort = CohortSeries.of(results, criteria, style, settings)
    courses = _courses(cohort)
    shown = [course for course in courses if len(course.points) > 1]

    def draw(axes: Axes) -> tuple[Entries, str]:
        _draw(axes, shown, cohort)
        drawn = [course.patient_id for course in shown]
        return [*cohort.category_entries(drawn), *_marks(style, shown)], _in_words(cohort, shown)

    title, size_in = _title(cohort, len(shown), len(courses)), (PAGE_WIDTH_IN, 5.0)
    return style.one_axes(f"spider-{criteria}", title, size_in=size_in, draw=draw if shown else None)


def _courses(cohort: CohortSeries) -> list[_Course]:
    courses = []
    for patient_id, visits in cohort.visits.items():
        points, unknown, progressed = [(0.0, 0.0)], list[_Place](), list[_Place]()
        for visit in visits[1:]:
            known = visit.change is not None
            place = (visit.weeks, points[-1][1] if visit.change is None else visit.change)
            (points if known else unknown).append(place)
            if visit.category.is_progression:
                progressed.append(place)
        courses.append(
            _Course(
                patient_id=patient_id,
                best=cohort.patients[patient_id].best,
                points=tuple(points),
                unknown=tuple(unknown),
                progressed=tuple(progressed),
            )
        )
    return courses


def _draw(axes: Axes, courses: list[_Course], cohort: CohortSeries) -> None:
    style = cohort.style
    cohort.draw_limits(axes, fall_at="left", rise_at="left")  # where lines have not parted yet
    style.zero_line(axes)
    width, size = (1.6, 6.0) if len(courses) <= _NAMED else (1.0, 3.5)
    for course in courses:
        colour = style.theme.category(course.best)
        weeks, changes = zip(*((week, min(change, CUT_AT)) for week, change in course.points), strict=True)
        axes.plot(weeks, changes, color=colour, linewidth=width, marker="o", markersize=3, solid_joinstyle="round")
        _marked(axes, course.unknown, marker="x", color=style.theme.category(Category.NE), size=size)
        _marked(axes, course.progressed, marker="D", color=style.theme.category(Category.PD), size=size)
        mark_cut(axes, [week for week, change in course.points if change > CUT_AT], color=colour)
    last = max(week for course in courses for week, _ in (*course.points, *course.unknown))
    drawn = [min(change, CUT_AT) for course in courses for _, change in course.points]
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.set_ylim(min(-0.7, *drawn) - 0.08, max(0.45, *drawn) + 0.08)
    axes.set_xlabel(style.say("figure.weeks_axis"))
    axes.set_ylabel(style.say("figure.change_axis").format(quantity=cohort.quantity))
    label_changes(axes, cut=any(_cut(courses)))
    axes.grid(axis="y")
    if len(courses) <= _NAMED:
        _name_lines(axes, courses, style)


def _marked(axes: Axes, places: Sequence[_Place], *, marker: str, color: str, size: float) -> None:
    if places:
        weeks, changes = zip(*((week, min(change, CUT_AT)) for week, change in places), strict=True)
        axes.plot(weeks, changes, color=color, linestyle="none", marker=marker, markersize=size, zorder=3)


def _name_lines(axes: Axes, courses: list[_Course], style: FigureStyle) -> None:
    """Names at the right, drawn apart from each other, each tied to the end of its line."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    ends = [(course.points[-1][0], min(course.points[-1][1], CUT_AT)) for course in courses]
    heights = spread([change for _, change in ends], gap=0.05 * (high - low), low=low, high=high)
    for course, (week, change), height in zip(courses, ends, heights, strict=True):
        words = f"{shortened(course.patient_id)} {letters(course.best)}"
        if course.points[-1][1] > CUT_AT:
            words = f"{words} {change_in_words(course.points[-1][1])}"
        axes.annotate(
            words,
            (week, change),
            xytext=(1.02 * right, height),
            textcoords="data",
            va="center",
            fontsize=8,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": style.theme.muted, "linewidth": 0.8},
        )


def _cut(courses: Sequence[_Course]) -> list[float]:
    """The changes that are drawn lower than they are."""
    return [change for course in courses for _, change in course.points if change > CUT_AT]


def spread(values: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places near `values` that lie at least `gap` apart, in the same order, within low and high if they fit.

    >>> spread([0.0, 0.1, 5.0], gap=1.0, low=0.0, high=10.0)
    [0.0, 1.0, 5.0]
    """
    order = sorted(range(len(values)), key=lambda index: (values[index], index))
    places: list[float] = []
    for rank, index in enumerate(order):
        above = places[-1] + gap if rank else low
        places.append(max(values[index], above))
    ceiling = high
    for rank in reversed(range(len(places))):
        places[rank] = min(places[rank], ceiling)
        ceiling = places[rank] - gap
    found = [0.0] * len(values)
    for index, place in zip(order, places, strict=True):
        found[index] = place
    return found


def _marks(style: FigureStyle, courses: list[_Course]) -> list[tuple[Artist, str]]:
    entries = []
    if any(course.progressed for course in courses):
        told, colour = style.say("figure.progression_visit"), style.theme.category(Category.PD)
        entries.append(style.mark_entry(told, marker="D", color=colour))
    if any(course.unknown for course in courses):
        told, colour = style.say("figure.size_unknown"), style.theme.category(Category.NE)
        entries.append(style.mark_entry(told, marker="x", color=colour))
    return [*entries, *([cut_entry(style)] if _cut(courses) else [])]


def _title(cohort: CohortSeries, shown: int, patients: int) -> str:
    title = cohort.title("figure.spider")
    if shown == patients:
        return title
    return f"{title} · {cohort.style.say('figure.patients_shown').format(shown=shown, all=patients)}"


def _in_words(cohort: CohortSeries, courses: list[_Course]) -> str:
    told = cohort.style.say("figure.spider_alt").format(
        quantity=cohort.quantity,
        patients=len(courses),
        weeks=round(max(week for course in courses for week, _ in course.points)),
        counts=counted(cohort.counts([course.patient_id for course in courses])),
    )
    return f"{told}{cut_in_words(cohort.style, _cut(courses))}"
