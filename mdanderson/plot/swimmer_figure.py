"""How long each patient was followed and what was seen on the way: the swimmer plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdanderson.palette import ink_on
from mdanderson.plot import swimmer_lanes
from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.labels import letters, shortened
from mdanderson.plot.source import Source, events_of
from mdanderson.plot.style import PAGE_WIDTH_IN, Entries, FigureStyle, english_without_fonts
from mdanderson.plot.swimmer_lanes import Lane, Mark, lanes
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
_LEAST_MARK_PT = 2.5
_LEAST_WEEKS = 4.0
"""That the axis spans, where everybody was seen once only."""
_BAR = 0.5
"""Rows: the height of a bar; marks stand above it, therapies below."""
_ABOVE, _BELOW = -0.38, 0.36


@english_without_fonts
def swimmer(
    results: Source,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    events: TableSource | None = None,
) -> Figure:
    """Time on study in weeks since baseline, a row per patient, the longest on top.

    Each visit is a box with its category, and the bar has its colour from there to the next visit; before the first
    follow-up it is that of the baseline, a square where there is none. After the last visit a thin line goes on to
    where the patient was last heard of, by an event as well. Marks: the start of treatment where it is not the
    baseline's day, the first confirmed progression, death, an arrow for who had no event. events: a file or a frame as
    events.csv, whose events are marked, and whose therapies are a line under the bar; without one, those that the
    results or the Timeline have themselves.
    Raises as `waterfall`, and `InputError` for a table of events that cannot be used.
    """
    style = FigureStyle.of(language, dark=dark)
    cohort = CohortSeries.of(results, criteria, style)
    rows = lanes(cohort, events_of(results, events, known=cohort.patients))
    height = min(1.9 + _ROW_IN * max(len(rows), 3), _TALLEST_IN)

    def draw(axes: Axes) -> tuple[Entries, str]:
        _draw(axes, rows, style, shrunk=min(1.0, (height - 1.9) / (_ROW_IN * len(rows))))
        return _entries(rows, style), _in_words(rows, style)

    title, size_in = cohort.title("figure.swimmer"), (PAGE_WIDTH_IN, height)
    return style.one_axes(f"swimmer-{criteria}", title, size_in=size_in, draw=draw if rows else None)


def _draw(axes: Axes, rows: Sequence[Lane], style: FigureStyle, *, shrunk: float) -> None:
    """shrunk: how much smaller than usual a row is."""
    weeks = [week for lane in rows for week in (lane.begin, lane.end, 0.0, *(mark.week for mark in lane.marks))]
    first, last = min(weeks), max(weeks)
    last = max(last, first + _LEAST_WEEKS)
    span = last - first
    axes.set_xlim(first - 0.02 * span, last + 0.05 * span)
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.grid(axis="x")
    for place, lane in enumerate(rows):
        _draw_lane(axes, place, lane, style, named=len(rows) <= _NAMED)
        for mark in lane.marks:
            _draw_mark(axes, place, mark, style, shrunk=shrunk)
    axes.set_xlabel(style.say("figure.weeks_axis"))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if len(rows) <= _NAMED:
        axes.set_yticks(range(len(rows)), [shortened(lane.patient_id) for lane in rows], fontsize=8, parse_math=False)
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{style.say('word.patients')} (n = {len(rows)})")


def _draw_lane(axes: Axes, place: int, lane: Lane, style: FigureStyle, *, named: bool) -> None:
    colours = style.theme
    start = min(0.0, lane.begin)
    axes.plot([start, lane.end], [place, place], color=colours.muted, linewidth=1.2, zorder=1.5)
    for begin, end in lane.therapies:
        below = place + _BELOW
        axes.plot(
            [begin, end],
            [below, below],
            color=colours.text,
            linewidth=1.8 if named else 0.5,
            solid_capstyle="butt",
            zorder=2,
        )
    for visit in lane.visits:
        face = style.category_face(visit.category) | ({} if named else {"linewidth": 0})
        axes.barh(place, visit.until - visit.week, left=visit.week, height=_BAR, zorder=2, **face)
    if len(lane.visits) == 1:
        size = 5 if named else 2
        axes.plot(0.0, place, "s", markersize=size, color=colours.category(Category.BL), zorder=3)
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
                fontsize=7.5,
                color=ink_on(colour),
                bbox=box,
                zorder=3,
            )
        else:
            axes.plot(visit.week, place, marker="s", markersize=2, color=colours.category(visit.category), zorder=3)


def _draw_mark(axes: Axes, place: int, mark: Mark, style: FigureStyle, *, shrunk: float) -> None:
    from matplotlib.transforms import offset_copy

    colours, look = style.theme, swimmer_lanes.mark_style(mark.kind)
    axes.plot(
        mark.week,
        place + (_ABOVE if look.above else 0.0),
        marker=look.marker,
        markersize=max(look.size * shrunk, _LEAST_MARK_PT),
        markerfacecolor=_colour(mark.kind, style),
        markeredgecolor=colours.text if look.is_line else colours.background,
        markeredgewidth=(1.6 if look.is_line else 0.5) * shrunk,
        linestyle="none",
        zorder=4,
        clip_on=False,
        transform=offset_copy(axes.transData, fig=axes.get_figure(root=True), x=look.after_pt * shrunk, units="points"),
    )


def _colour(kind: str, style: FigureStyle) -> str:
    return style.theme.category(Category.PD) if kind == swimmer_lanes.PROGRESSION else style.theme.text


def _entries(rows: Sequence[Lane], style: FigureStyle) -> list[tuple[Artist, str]]:
    """The categories and marks that were drawn."""
    from matplotlib.lines import Line2D

    seen = {visit.category for lane in rows for visit in lane.visits}
    entries: list[tuple[Artist, str]] = [
        (style.category_patch(category), style.category_label(category))
        for category in sorted(seen, key=lambda category: category.order)
    ]
    colours = style.theme
    if any(lane.end > lane.visits[-1].week for lane in rows):
        entries.append((Line2D([], [], color=colours.muted, linewidth=1.2), style.say("figure.not_assessed")))
    if any(lane.therapies for lane in rows):
        entries.append((Line2D([], [], color=colours.text, linewidth=1.8), style.say("figure.on_treatment")))
    for kind in swimmer_lanes.in_order({mark.kind for lane in rows for mark in lane.marks}):
        marker = swimmer_lanes.mark_style(kind).marker
        entries.append(
            style.mark_entry(swimmer_lanes.mark_words(kind, style), marker=marker, color=_colour(kind, style))
        )
    return entries


def _in_words(rows: Sequence[Lane], style: FigureStyle) -> str:
    kinds = [mark.kind for lane in rows for mark in lane.marks]
    return style.say("figure.swimmer_alt").format(
        patients=len(rows),
        weeks=round(max(lane.end for lane in rows)),
        progressed=kinds.count(swimmer_lanes.PROGRESSION),
        died=kinds.count(swimmer_lanes.DEATH),
    )
