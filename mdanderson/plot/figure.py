"""A matplotlib figure that keeps its style, knows its name and says in words what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase

__all__ = ["SpokenFigure"]

_LETTERS: Any = {"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}
"""Text stays text in a file: it can be found, edited and read aloud, and journals refuse Type 3 fonts."""


def _is_svg(renderer: object) -> bool:
    """Whether letters are written as text, for whoever opens the file; vector formats have a renderer in a renderer."""
    return "SVG" in type(getattr(renderer, "_vector_renderer", renderer)).__name__


def _format_of(fname: object, options: Mapping[str, Any]) -> str:
    """The format that matplotlib would write."""
    ending = PurePath(fname).suffix if isinstance(fname, str | PurePath) else ""
    return str(options.get("format") or ending.lstrip(".") or mpl.rcParams["savefig.format"]).lower()


class SpokenFigure(Figure):
    """A figure without pyplot. name: tells it from every other on a page; alt: what it shows, for who cannot see it.

    style: in force whenever it is drawn, since matplotlib makes ticks and lays axes out only then. in_english: makes
    the same figure in English, where letters of its own language are lacking here; a SVG takes its reader's.
    """

    name: str = ""
    alt: str = ""
    style: Any = None
    in_english: Callable[[], Figure] | None = None

    def draw(self, renderer: RendererBase) -> None:
        """As the user's program asks for, in the figure's own style."""
        if self.in_english is not None and not _is_svg(renderer):
            twin = self.in_english()
            twin.set_dpi(self.get_dpi())
            twin.set_size_inches(*self.get_size_inches())
            twin.draw(renderer)
            return
        with mpl.rc_context(self.style):
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """As any figure, text as text; in English where the letters of its own language would be boxes."""
        if self.in_english is not None and _format_of(fname, options) not in {"svg", "svgz"}:
            self.in_english().savefig(fname, **options)
            return
        with mpl.rc_context(_LETTERS):
            super().savefig(fname, **options)

    def _repr_svg_(self) -> str:
        """As a notebook shows it, whether or not pyplot was imported."""
        from mdanderson.plot.export import svg

        return svg(self)
