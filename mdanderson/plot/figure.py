"""A matplotlib figure that keeps its style, knows its name and says in words what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase

__all__ = ["SpokenFigure"]


class SpokenFigure(Figure):
    """A figure without pyplot. name: tells it from every other on a page; alt: what it shows, for who cannot see it.

    style: in force whenever it is drawn, since matplotlib makes ticks and lays axes out only then.
    """

    name: str = ""
    alt: str = ""
    style: Any = None

    def draw(self, renderer: RendererBase) -> None:
        """As the user's program asks for, in the figure's own style."""
        with mpl.rc_context(self.style):
            super().draw(renderer)

    def _repr_svg_(self) -> str:
        """As a notebook shows it, whether or not pyplot was imported."""
        from mdanderson.plot.canvas import svg

        return svg(self)
