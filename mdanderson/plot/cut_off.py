"""Changes that would flatten all others: they are drawn at a limit, and the figure says that they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import TYPE_CHECKING, Any

from mdanderson.plot.labels import percent
from mdanderson.plot.style import FigureStyle
from mdanderson.report.changes import change_in_words

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["CUT_AT", "CUT_MARKER", "cut_entry", "cut_in_words", "label_changes", "mark_cut"]

CUT_AT = 1.5
"""Changes above this, a fraction, are drawn up to it."""
CUT_MARKER = "^"
_ABOVE_PT = 6.0
_AT_LEAST = "\N{GREATER-THAN OR EQUAL TO}"
_STEP = 0.5
"""Between ticks where something is cut, so that one of them is the limit."""


def mark_cut(axes: Axes, places: Sequence[float], *, color: str, size: float = 5.0) -> None:
    """Arrowheads over the limit at these places of the horizontal axis."""
    from matplotlib.transforms import offset_copy

    if places:
        above = offset_copy(axes.transData, fig=axes.get_figure(root=True), y=_ABOVE_PT, units="points")
        look: dict[str, Any] = {
            "linestyle": "none",
            "marker": CUT_MARKER,
            "markersize": size,
            "clip_on": False,
            "zorder": 4,
        }
        axes.plot(places, [CUT_AT] * len(places), color=color, transform=above, **look)


def label_changes(axes: Axes, *, cut: bool) -> None:
    """Ticks of changes in percent; the limit says that what stands there may be higher."""
    from matplotlib.ticker import MultipleLocator

    def label(value: float, _: float) -> str:
        return f"{_AT_LEAST} {percent(value)}" if cut and isclose(value, CUT_AT) else percent(value)

    if cut:
        axes.yaxis.set_major_locator(MultipleLocator(_STEP))
    axes.yaxis.set_major_formatter(label)


def cut_entry(style: FigureStyle) -> tuple[Artist, str]:
    """The arrowhead in the legend."""
    told = style.say("figure.cut").format(limit=percent(CUT_AT))
    return style.mark_entry(told, marker=CUT_MARKER, color=style.theme.text)


def cut_in_words(style: FigureStyle, changes: Sequence[float]) -> str:
    """How many of the changes are cut off, to go on with after a sentence; blank for none."""
    cut = [change for change in changes if change > CUT_AT]
    if not cut:
        return ""
    told = style.say("figure.cut_told").format(
        number=len(cut), limit=percent(CUT_AT), highest=change_in_words(max(cut))
    )
    return f" {told}."
