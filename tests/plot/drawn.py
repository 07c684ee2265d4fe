"""What a figure shows, read back from it."""

from __future__ import annotations

import matplotlib.colors
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from mdanderson.palette import theme


def bars(axes: Axes) -> list[tuple[float, float, str]]:
    """Middle, height and colour of upright bars."""
    found = [bar for group in axes.containers if isinstance(group, BarContainer) for bar in group]
    return [
        (bar.get_x() + bar.get_width() / 2, bar.get_height(), matplotlib.colors.to_hex(bar.get_facecolor()))
        for bar in found
    ]


def lying_bars(axes: Axes) -> list[tuple[float, float, float, str]]:
    """Row, from, to and colour of bars that lie."""
    found = [bar for group in axes.containers if isinstance(group, BarContainer) for bar in group]
    return [
        (
            bar.get_y() + bar.get_height() / 2,
            bar.get_x(),
            bar.get_x() + bar.get_width(),
            matplotlib.colors.to_hex(bar.get_facecolor()),
        )
        for bar in found
    ]


def points(axes: Axes, marker: str) -> list[tuple[float, float]]:
    """Where a marker stands, of lines that have no more than it."""
    lines = [line for line in axes.lines if line.get_marker() == marker and line.get_linestyle() == "None"]
    return sorted((float(x), float(y)) for line in lines for x, y in zip(*line.get_data(), strict=True))


def levels(axes: Axes) -> list[float]:
    """The heights of dashed lines across the axes."""
    across = [line for line in axes.lines if list(line.get_xdata()) == [0, 1] and line.get_linestyle() == "--"]
    return sorted(float(line.get_ydata()[0]) for line in across)


def words(figure: Figure) -> list[str]:
    """Every text of the figure that is not empty."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def written(axes: Axes) -> list[tuple[str, float, float]]:
    """Texts put at a place of the data: what, and where."""
    return [(text.get_text(), *map(float, getattr(text, "xy", text.get_position()))) for text in axes.texts]


def legend(figure: Figure) -> list[str]:
    """The labels of the legend."""
    return [text.get_text() for one in figure.legends for text in one.get_texts()]


def colour(category: str, *, dark: bool = False) -> str:
    return theme(dark=dark).category(category)
