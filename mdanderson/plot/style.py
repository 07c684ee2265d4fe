"""What every figure stands on: no global state, one theme, one language, a legend."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias

from mdanderson.palette import Theme, is_hatched, theme
from mdanderson.plot.labels import WIDE_FROM, letters
from mdanderson.report.texts import Language, language_of, text, word
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mdanderson.plot.figure import SpokenFigure

__all__ = ["HATCH", "PAGE_WIDTH_IN", "Drawing", "Entries", "FigureStyle", "chinese_font", "english_without_fonts"]

P = ParamSpec("P")

Entries: TypeAlias = "Sequence[tuple[Artist, str]]"
"""Of a legend: how it looks, and what it is."""
Drawing: TypeAlias = "Callable[[Axes], tuple[Entries, str]]"
"""Draws into axes; its legend, and what it shows in words."""

PAGE_WIDTH_IN = 7.2
"""Of a figure as wide as a page of a journal (183 mm); on a screen its letters are read two to a row."""
HATCH = "////"
"""Over the colour of what is not evaluable."""

_LEGEND_PT = 8.5
_FONT = "DejaVu Sans"
_CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
)
_DRAWN_BY = ("axes", "figure", "font", "grid", "hatch", "legend", "lines", "markers", "patch", "path", "text")
_DRAWN_BY_TOO = ("xtick", "ytick", "scatter", "errorbar", "mathtext")


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureStyle:
    """Theme and language of one figure, and what is drawn with them."""

    theme: Theme
    language: Language

    @classmethod
    def of(cls, language: str, *, dark: bool) -> FigureStyle:
        """Raises `SettingsError` for an unknown language."""
        return cls(theme=theme(dark=dark), language=language_of(language))

    def say(self, key: str) -> str:
        """A string of the table in this language."""
        return text(key, self.language)

    def word(self, kind: str, value: str) -> str:
        """A closed word in this language."""
        return word(kind, value, self.language)

    @contextlib.contextmanager
    def figure(self, name: str, *, width_in: float, height_in: float) -> Iterator[SpokenFigure]:
        """An empty figure; what is drawn in the block has this style whatever the user's is, which is kept."""
        import matplotlib as mpl

        from mdanderson.plot.figure import SpokenFigure

        look = self._rc_params()
        with mpl.rc_context(look):
            made = SpokenFigure(figsize=(width_in, height_in), layout="constrained")
            made.style = look
            made.name = f"{name}-{self.theme.name}-{self.language}"
            yield made

    def one_axes(self, name: str, title: str, *, size_in: tuple[float, float], draw: Drawing | None) -> SpokenFigure:
        """A figure of one axes that says in words what it shows: that there is nothing, where there is no drawing.

        size_in: width and height.
        """
        with self.figure(name, width_in=size_in[0], height_in=size_in[1]) as figure:
            axes = figure.add_subplot()
            axes.set_title(title)
            if draw is None:
                self.empty(axes)
                words = self.say("figure.nothing")
            else:
                entries, words = draw(axes)
                self.legend(figure, entries)
            figure.alt = f"{title}: {words}"
        return figure

    def legend(self, figure: Figure, entries: Sequence[tuple[Artist, str]], *, columns: int = 3) -> None:
        """Below the axes, in as many columns as fit.

        Labels are set as text, as matplotlib leaves those out that begin with an underscore.
        """
        if not entries:
            return
        handles, labels = zip(*entries, strict=True)
        widest = max(len(label) for label in labels)
        wide = self.language is Language.ZH and not chinese_font()
        drawn = figure.legend(
            handles,
            ["x"] * len(labels),
            loc="outside lower left",
            ncols=_columns_that_fit(labels, 72 * figure.get_figwidth() / _LEGEND_PT, most=min(columns, len(entries))),
            columnspacing=2.0 + (0.45 * widest if wide else 0.0),
        )
        for entry, label in zip(drawn.get_texts(), labels, strict=True):
            entry.set_text(label)

    def category_face(self, category: Category) -> dict[str, Any]:
        """Colour, and hatching where it has it, of an area of a category."""
        ground = self.theme.background
        hatched = {"hatch": HATCH} if is_hatched(category) else {}
        return {"facecolor": self.theme.category(category), "edgecolor": ground, "linewidth": 0.6, **hatched}

    def category_entry(self, category: Category, count: int) -> tuple[Artist, str]:
        """A category in the legend, with how many have it."""
        return self.category_patch(category), f"{self.category_label(category)} (n = {count})"

    def category_patch(self, category: Category) -> Artist:
        """A category's area in a legend."""
        from matplotlib.patches import Patch

        return Patch(**self.category_face(category))

    def category_label(self, category: Category) -> str:
        """A category by its letters and in words."""
        return f"{letters(category)} {self.word('category', category)}"

    def mark_entry(self, label: str, *, marker: str, color: str) -> tuple[Artist, str]:
        """A mark in the legend."""
        from matplotlib.lines import Line2D

        return Line2D([], [], linestyle="none", marker=marker, markersize=6, markeredgewidth=1.2, color=color), label

    def empty(self, axes: Axes, why: str = "figure.nothing") -> None:
        """Axes that have nothing to show say so."""
        axes.set_axis_off()
        axes.text(0.5, 0.5, self.say(why), transform=axes.transAxes, ha="center", va="center", color=self.theme.muted)

    def zero_line(self, axes: Axes) -> None:
        """The baseline of a change."""
        axes.axhline(0, color=self.theme.text, linewidth=0.8, zorder=1.5)

    def _rc_params(self) -> Any:
        import matplotlib as mpl

        kinds = (*_DRAWN_BY, *_DRAWN_BY_TOO)
        plain = {key: value for key, value in mpl.rcParamsDefault.items() if key.split(".")[0] in kinds}
        colours = self.theme
        fonts = [_FONT, *chinese_font()]  # names of patients and sites may be Chinese in any language
        return plain | {
            "font.family": fonts,
            "font.size": 9.0,
            "axes.titlesize": 11.0,
            "axes.titlelocation": "left",
            "axes.titlepad": 10.0,
            "axes.labelsize": 9.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.edgecolor": colours.muted,
            "axes.labelcolor": colours.text,
            "axes.titlecolor": colours.text,
            "axes.facecolor": colours.background,
            "figure.facecolor": colours.background,
            "text.color": colours.text,
            "text.parse_math": False,
            "xtick.color": colours.muted,
            "ytick.color": colours.muted,
            "xtick.labelcolor": colours.text,
            "ytick.labelcolor": colours.text,
            "grid.color": colours.grid,
            "grid.linewidth": 0.6,
            "hatch.linewidth": 0.8,
            "hatch.color": colours.background,
            "legend.frameon": False,
            "legend.fontsize": _LEGEND_PT,
            "legend.handlelength": 1.4,
        }


def english_without_fonts(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function of `language` whose figures can be drawn where Chinese letters are lacking: in English."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> Figure:
        figure = draw(*given, **named)
        if named.get("language") == Language.ZH and not chinese_font():
            in_english: Any = {**named, "language": Language.EN}
            made: Any = figure
            made.in_english = functools.partial(draw, *given, **in_english)
        return figure

    return drawn


def chinese_font() -> tuple[str, ...]:
    """The first font with Chinese letters that there is; SVG does without, for whoever opens it has one."""
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return tuple(name for name in _CHINESE_FONTS if name in known)[:1]


def _columns_that_fit(labels: Sequence[str], width_em: float, *, most: int) -> int:
    """How many columns of a legend are no wider than the figure, one at least.

    >>> _columns_that_fit(["PR partial response"] * 4, 61.0, most=3), _columns_that_fit(["N" * 60] * 4, 61.0, most=3)
    (3, 1)
    """
    widths = [_ENTRY_EM + sum(1.0 if ord(letter) > WIDE_FROM else _LETTER_EM for letter in one) for one in labels]
    for columns in range(most, 1, -1):
        rows, longer = divmod(len(widths), columns)
        lengths = [rows + 1] * longer + [rows] * (columns - longer)
        starts = [sum(lengths[:index]) for index in range(columns)]
        if sum(max(widths[start : start + rows]) for start, rows in zip(starts, lengths, strict=True)) <= width_em:
            return columns
    return 1


_ENTRY_EM, _LETTER_EM = 4.2, 0.62
"""In em: sample and gaps of an entry, a letter on average."""
