"""How categories change from visit to visit: the flow of patients between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mdanderson.errors import SettingsError
from mdanderson.palette import ink_on
from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.labels import letters
from mdanderson.plot.source import Source
from mdanderson.plot.style import PAGE_WIDTH_IN, Entries, FigureStyle, english_without_fonts
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["response_flow"]

_GAP = 0.05
"""Between boxes of a column, of the height of all patients: room for a line of text."""
_HALF_WIDTH = 0.16
"""Of a box, of the distance between columns."""

_BEST_FIRST = sorted(Category, key=lambda category: category.order)

_State = Category | None
"""A category at a follow-up; None: no further visit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Box:
    """The patients of one category at one follow-up: from low to high, in patients."""

    state: _State
    count: int
    low: float

    @property
    def high(self) -> float:
        return self.low + self.count


@english_without_fonts
def response_flow(
    results: Source,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    visits: int = 5,
) -> Figure:
    """The overall category at each follow-up visit, and how many patients went from one to the next.

    Boxes are as high as their number of patients; a band has the colour of the box it leaves. Who has no visit any more
    goes to a box of its own. visits: follow-up visits shown, at most. Raises as `waterfall`, `SettingsError` for fewer
    than one visit.
    """
    if visits < 1:
        raise SettingsError(f"visits is {visits}", way_out="show 1 follow-up visit or more")
    style = FigureStyle.of(language, dark=dark)
    cohort = CohortSeries.of(results, criteria, style)
    courses = _courses(cohort, visits)

    def draw(axes: Axes) -> tuple[Entries, str]:
        columns = [_boxes([course[index] for course in courses]) for index in range(len(courses[0]))]
        _draw(axes, courses, columns, style)
        return _entries(courses, style), _in_words(courses, style)

    title, size_in = cohort.title("figure.flow"), (PAGE_WIDTH_IN, 4.8)
    return style.one_axes(f"response_flow-{criteria}", title, size_in=size_in, draw=draw if courses else None)


def _courses(cohort: CohortSeries, most: int) -> list[tuple[_State, ...]]:
    """The categories of every patient who was followed, each as long as the longest."""
    followed = [[visit.category for visit in visits[1 : most + 1]] for visits in cohort.visits.values()]
    longest = max(map(len, followed), default=0)
    return [(*states, *[None] * (longest - len(states))) for states in followed] if longest else []


def _boxes(states: Sequence[_State]) -> dict[_State, _Box]:
    """The boxes of one column from below: no further visit, then from what is not evaluable to the best response."""
    counts = Counter(states)
    boxes: dict[_State, _Box] = {}
    low = 0.0
    for state in (None, *reversed(_BEST_FIRST)):
        if counts[state]:
            boxes[state] = _Box(state=state, count=counts[state], low=low)
            low += counts[state] + _GAP * len(states)
    return boxes


def _draw(
    axes: Axes, courses: Sequence[tuple[_State, ...]], columns: Sequence[dict[_State, _Box]], style: FigureStyle
) -> None:
    for index, (left, right) in enumerate(pairwise(columns)):
        _draw_bands(axes, index, left, right, Counter((course[index], course[index + 1]) for course in courses), style)
    for index, boxes in enumerate(columns):
        for box in boxes.values():
            _draw_box(axes, index, box, len(courses), style)
    axes.set_xlim(-0.4, len(columns) - 0.6)
    axes.set_ylim(-0.02 * len(courses), 1.02 * max(box.high for boxes in columns for box in boxes.values()))
    axes.set_yticks([])
    axes.set_xticks(
        range(len(columns)),
        [style.say("figure.follow_up").format(number=index + 1) for index in range(len(columns))],
    )
    axes.tick_params(axis="x", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _draw_bands(
    axes: Axes,
    index: int,
    left: dict[_State, _Box],
    right: dict[_State, _Box],
    moved: Counter[tuple[_State, _State]],
    style: FigureStyle,
) -> None:
    """Bands from one column to the next, in the order of the boxes at both ends, so that few cross."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    filled = {state: box.low for state, box in right.items()}
    for origin, box in left.items():
        low = box.low
        for target in right:
            count = moved[origin, target]
            if not count:
                continue
            begin, end, middle = index + _HALF_WIDTH, index + 1 - _HALF_WIDTH, index + 0.5
            bottom, top = filled[target], filled[target] + count
            corners = [(begin, low), (middle, low), (middle, bottom), (end, bottom)]
            corners += [(end, top), (middle, top), (middle, low + count), (begin, low + count)]
            codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
            band = PathPatch(Path(corners, codes), facecolor=_colour(origin, style), alpha=0.4, linewidth=0)
            axes.add_patch(band)
            low += count
            filled[target] = top


def _draw_box(axes: Axes, index: int, box: _Box, patients: int, style: FigureStyle) -> None:
    """The box with its number, which stands beside it where the box is lower than a line of text."""
    from matplotlib.patches import Rectangle

    face = style.category_face(box.state) if box.state else {"facecolor": style.theme.grid}
    axes.add_patch(Rectangle((index - _HALF_WIDTH, box.low), 2 * _HALF_WIDTH, box.count, **face))
    inside = box.count >= _GAP * patients
    axes.annotate(
        " ".join(filter(None, (box.state and letters(box.state), str(box.count)))),
        (index if inside else index + _HALF_WIDTH, (box.low + box.high) / 2),
        xytext=(0 if inside else 3, 0),
        textcoords="offset points",
        ha="center" if inside else "left",
        va="center",
        fontsize=8,
        color=ink_on(_colour(box.state, style)) if inside and box.state else style.theme.text,
        bbox={"facecolor": _colour(box.state, style), "linewidth": 0, "pad": 1.5} if inside else None,
    )


def _colour(state: _State, style: FigureStyle) -> str:
    return style.theme.grid if state is None else style.theme.category(state)


def _entries(courses: Sequence[tuple[_State, ...]], style: FigureStyle) -> list[tuple[Artist, str]]:
    from matplotlib.patches import Patch

    states = {state for course in courses for state in course}
    seen = [state for state in _BEST_FIRST if state in states]
    entries = [(style.category_patch(one), style.category_label(one)) for one in seen]
    left = [(Patch(facecolor=style.theme.grid), style.say("figure.left"))] if None in states else []
    return [*entries, *left]


def _in_words(courses: Sequence[tuple[_State, ...]], style: FigureStyle) -> str:
    told = []
    for index in range(len(courses[0])):
        counts = Counter(course[index] for course in courses)
        number = style.say("figure.follow_up").format(number=index + 1)
        states = ", ".join(f"{counts[state]} {letters(state)}" for state in _BEST_FIRST if counts[state])
        told.append(f"{number}: {states}")
    return f"{'; '.join(told)}."
