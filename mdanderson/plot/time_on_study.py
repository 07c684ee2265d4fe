"""How long each patient was followed and what was seen on the way: the swimmer plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdanderson.palette import ink_on
from mdanderson.plot import study_marks
from mdanderson.plot.canvas import Canvas, bilingual, letters, shortened
from mdanderson.plot.scene import Scene
from mdanderson.plot.source import Tables, events_of
from mdanderson.plot.study_marks import Lane, Mark, lanes
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mdanderson.readers.companions import TableSource

__all__ = ["swimmer"]

_NAMED = 60
"""Patients up to whom each row carries its name and its visits their categories."""
_ROW_IN, _TALLEST_IN = 0.3, 16.0
_BAR = 0.5
"""Rows: the height of a bar; marks stand above it, therapies below."""
_ABOVE, _BELOW = -0.38, 0.36


@bilingual
def swimmer(
    results: Tables,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    events: TableSource | None = None,
) -> Figure:
    """Time on study in weeks since baseline, a row per patient, the longest on top.

    Each visit is a box with its category, and the bar has its colour from there to the next visit; before the first
    follow-up it is that of the baseline. After the last visit a thin line goes on to where the patient was last heard
    of. Marks: the start of treatment where it is not the baseline's day, the first confirmed progression, death, an
    arrow for who had no event. events: a file or a frame as events.csv, whose events are marked, and whose therapies
    are a line under the bar; without one, those that the results or the Timeline have themselves.
    Raises as `waterfall`, and `InputError` for a table of events that cannot be used.
    """
    canvas = Canvas.of(language, dark=dark)
    scene = Scene.of(results, criteria, canvas)
    rows = lanes(scene, events_of(results, events, known=scene.patients))
    height = min(1.9 + _ROW_IN * max(len(rows), 3), _TALLEST_IN)
    with canvas.figure(f"swimmer-{criteria}", width_in=9.0, height_in=height) as figure:
        axes = figure.add_subplot()
        axes.set_title(scene.title("figure.swimmer"))
        if rows:
            _draw(axes, rows, canvas, shrunk=min(1.0, (height - 1.9) / (_ROW_IN * len(rows))))
            canvas.legend(figure, _entries(rows, canvas))
        else:
            canvas.empty(axes)
        figure.alt = _alt(scene, rows)
    return figure


def _draw(axes: Axes, rows: Sequence[Lane], canvas: Canvas, *, shrunk: float) -> None:
    """shrunk: how much smaller than usual a row is."""
    weeks = [week for lane in rows for week in (lane.begin, lane.end, 0.0, *(mark.week for mark in lane.marks))]
    first, last = min(weeks), max(weeks)
    span = max(last - first, 1.0)
    axes.set_xlim(first - 0.02 * span, last + 0.05 * span)
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.grid(axis="x")
    for place, lane in enumerate(rows):
        _draw_lane(axes, place, lane, canvas, named=len(rows) <= _NAMED)
        for mark in lane.marks:
            _draw_mark(axes, place, mark, canvas, shrunk=shrunk)
    axes.set_xlabel(canvas.say("figure.weeks_axis"))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if len(rows) <= _NAMED:
        axes.set_yticks(range(len(rows)), [shortened(lane.patient_id) for lane in rows], fontsize=8, parse_math=False)
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{canvas.say('word.patients')} (n = {len(rows)})")


def _draw_lane(axes: Axes, place: int, lane: Lane, canvas: Canvas, *, named: bool) -> None:
    colours = canvas.theme
    start = min(0.0, lane.begin)
    axes.plot([start, lane.end], [place, place], color=colours.muted, linewidth=1.2, zorder=1.5)
    for begin, end in lane.therapies:
        below = place + _BELOW
        axes.plot([begin, end], [below, below], color=colours.text, linewidth=1.8, solid_capstyle="butt", zorder=2)
    for visit in lane.visits:
        face = canvas.category_face(visit.category)
        axes.barh(place, visit.until - visit.week, left=visit.week, height=_BAR, zorder=2, **face)
    for visit in lane.visits[1:]:
        if named:
            colour = colours.category(visit.category)
            box = {"boxstyle": "square,pad=0.22", "facecolor": colour, "edgecolor": colours.background}
            axes.text(
                visit.week,
                place,
                letters(visit.category),
                ha="center",
                va="center_baseline",
                fontsize=6.5,
                color=ink_on(colour),
                bbox=box,
                zorder=3,
            )
        else:
            axes.plot(visit.week, place, marker="s", markersize=2.5, color=colours.category(visit.category), zorder=3)


def _draw_mark(axes: Axes, place: int, mark: Mark, canvas: Canvas, *, shrunk: float) -> None:
    from matplotlib.transforms import offset_copy

    colours, look = canvas.theme, study_marks.style(mark.kind)
    axes.plot(
        mark.week,
        place + (_ABOVE if look.above else 0.0),
        marker=look.marker,
        markersize=look.size * max(shrunk, 0.5),
        markerfacecolor=_colour(mark.kind, canvas),
        markeredgecolor=colours.text if look.is_line else colours.background,
        markeredgewidth=1.6 if look.is_line else 0.5,
        linestyle="none",
        zorder=4,
        clip_on=False,
        transform=offset_copy(axes.transData, fig=axes.get_figure(root=True), x=look.after_pt * shrunk, units="points"),
    )


def _colour(kind: str, canvas: Canvas) -> str:
    return canvas.theme.category(Category.PD) if kind == study_marks.PROGRESSION else canvas.theme.text


def _entries(rows: Sequence[Lane], canvas: Canvas) -> list[tuple[Artist, str]]:
    """The categories and marks that were drawn."""
    from matplotlib.lines import Line2D

    seen = {visit.category for lane in rows for visit in lane.visits}
    entries: list[tuple[Artist, str]] = [
        (canvas.category_patch(category), canvas.category_label(category)) for category in Category if category in seen
    ]
    colours = canvas.theme
    if any(lane.end > lane.visits[-1].week for lane in rows):
        entries.append((Line2D([], [], color=colours.muted, linewidth=1.2), canvas.say("figure.not_assessed")))
    if any(lane.therapies for lane in rows):
        entries.append((Line2D([], [], color=colours.text, linewidth=1.8), canvas.say("figure.on_treatment")))
    for kind in study_marks.in_order({mark.kind for lane in rows for mark in lane.marks}):
        marker = study_marks.style(kind).marker
        entries.append(canvas.mark_entry(study_marks.told(kind, canvas), marker=marker, color=_colour(kind, canvas)))
    return entries


def _alt(scene: Scene, rows: Sequence[Lane]) -> str:
    title = scene.title("figure.swimmer")
    if not rows:
        return f"{title}: {scene.canvas.say('figure.nothing')}"
    kinds = [mark.kind for lane in rows for mark in lane.marks]
    told = scene.canvas.say("figure.swimmer_alt").format(
        patients=len(rows),
        weeks=round(max(lane.end for lane in rows)),
        progressed=kinds.count(study_marks.PROGRESSION),
        died=kinds.count(study_marks.DEATH),
    )
    return f"{title}: {told}"
