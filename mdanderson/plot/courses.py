"""How the sum changed over time: the spider plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdanderson.plot.canvas import Canvas, bilingual, counted, percent, shortened
from mdanderson.plot.changes import CUT_AT
from mdanderson.plot.scene import Scene
from mdanderson.plot.source import Tables
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


@bilingual
def spider(
    results: Tables,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    settings: Settings | None = None,
) -> Figure:
    """Change of the sum since baseline over weeks, a line per patient, coloured by best response.

    A visit whose sum is not known breaks no line: a cross stands at the last value that is known. A diamond marks a
    visit whose category is progression. Patients without any change of size have no line; the title counts them.
    settings: whose limits are drawn. Raises as `waterfall`.
    """
    canvas = Canvas.of(language, dark=dark)
    scene = Scene.of(results, criteria, canvas, settings)
    courses = _courses(scene)
    shown = [course for course in courses if len(course.points) > 1]
    with canvas.figure(f"spider-{criteria}", width_in=9.0, height_in=5.0) as figure:
        axes = figure.add_subplot()
        axes.set_title(_title(scene, len(shown), len(courses)))
        if shown:
            _draw(axes, shown, scene)
            canvas.legend(figure, [*scene.category_entries(), *_marks(canvas, shown)])
        else:
            canvas.empty(axes)
        figure.alt = _alt(scene, shown)
    return figure


def _courses(scene: Scene) -> list[_Course]:
    courses = []
    for patient_id, visits in scene.visits.items():
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
                best=scene.patients[patient_id].best,
                points=tuple(points),
                unknown=tuple(unknown),
                progressed=tuple(progressed),
            )
        )
    return courses


def _draw(axes: Axes, courses: list[_Course], scene: Scene) -> None:
    canvas = scene.canvas
    scene.draw_limits(axes, fall_at="left", rise_at="left")  # where lines have not parted yet
    canvas.zero_line(axes)
    width = 1.6 if len(courses) <= _NAMED else 1.0
    for course in courses:
        colour = canvas.theme.category(course.best)
        weeks, changes = zip(*((week, min(change, CUT_AT)) for week, change in course.points), strict=True)
        axes.plot(weeks, changes, color=colour, linewidth=width, marker="o", markersize=3, solid_joinstyle="round")
        _marked(axes, course.unknown, marker="x", color=canvas.theme.category(Category.NE))
        _marked(axes, course.progressed, marker="D", color=canvas.theme.category(Category.PD))
    last = max(week for course in courses for week, _ in (*course.points, *course.unknown))
    drawn = [min(change, CUT_AT) for course in courses for _, change in course.points]
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.set_ylim(min(-0.7, *drawn) - 0.08, max(0.45, *drawn) + 0.08)
    axes.set_xlabel(canvas.say("figure.weeks_axis"))
    axes.set_ylabel(canvas.say("figure.change_axis").format(quantity=scene.quantity))
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    axes.grid(axis="y")
    if len(courses) <= _NAMED:
        _name_lines(axes, courses, canvas)


def _marked(axes: Axes, places: Sequence[_Place], *, marker: str, color: str) -> None:
    if places:
        weeks, changes = zip(*((week, min(change, CUT_AT)) for week, change in places), strict=True)
        axes.plot(weeks, changes, color=color, linestyle="none", marker=marker, markersize=6, zorder=3)


def _name_lines(axes: Axes, courses: list[_Course], canvas: Canvas) -> None:
    """Names at the right, drawn apart from each other, each tied to the end of its line."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    ends = [(course.points[-1][0], min(course.points[-1][1], CUT_AT)) for course in courses]
    heights = spread([change for _, change in ends], gap=0.05 * (high - low), low=low, high=high)
    for course, (week, change), height in zip(courses, ends, heights, strict=True):
        words = shortened(course.patient_id)
        if course.points[-1][1] > CUT_AT:
            words = f"{words} {percent(course.points[-1][1])}"
        axes.annotate(
            words,
            (week, change),
            xytext=(1.02 * right, height),
            textcoords="data",
            va="center",
            fontsize=8,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": canvas.theme.muted, "linewidth": 0.5, "linestyle": (0, (1, 2))},
        )


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


def _marks(canvas: Canvas, courses: list[_Course]) -> list[tuple[Artist, str]]:
    entries = []
    if any(course.progressed for course in courses):
        told, colour = canvas.say("figure.progression_visit"), canvas.theme.category(Category.PD)
        entries.append(canvas.mark_entry(told, marker="D", color=colour))
    if any(course.unknown for course in courses):
        told, colour = canvas.say("figure.size_unknown"), canvas.theme.category(Category.NE)
        entries.append(canvas.mark_entry(told, marker="x", color=colour))
    return entries


def _title(scene: Scene, shown: int, patients: int) -> str:
    title = scene.title("figure.spider")
    if shown == patients:
        return title
    return f"{title} · {scene.canvas.say('figure.patients_shown').format(shown=shown, all=patients)}"


def _alt(scene: Scene, courses: list[_Course]) -> str:
    title = scene.title("figure.spider")
    if not courses:
        return f"{title}: {scene.canvas.say('figure.nothing')}"
    told = scene.canvas.say("figure.spider_alt").format(
        quantity=scene.quantity,
        patients=len(courses),
        weeks=round(max(week for course in courses for week, _ in course.points)),
        counts=counted(scene.counts()),
    )
    return f"{title}: {told}"
