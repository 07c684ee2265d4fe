"""What every figure stands on: no global state, one style, a legend, and SVG that is always the same."""

from __future__ import annotations

import contextlib
import functools
import html
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

from mdanderson.errors import printable
from mdanderson.palette import Theme, is_hatched, theme
from mdanderson.report.texts import Language, language_of, text, word
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mdanderson.plot.figure import SpokenFigure

__all__ = ["HATCH", "Canvas", "bilingual", "counted", "letters", "percent", "shortened", "svg"]

P = ParamSpec("P")

HATCH = "////"
"""Over the colour of what is not evaluable."""

_LONGEST_NAME = 24
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
class Canvas:
    """Theme and language of one figure, and what is drawn with them."""

    theme: Theme
    language: Language

    @classmethod
    def of(cls, language: str, *, dark: bool) -> Canvas:
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

        style = self._style()
        with mpl.rc_context(style):
            made = SpokenFigure(figsize=(width_in, height_in), layout="constrained")
            made.style = style
            made.name = f"{name}-{self.theme.name}-{self.language}"
            yield made

    def legend(self, figure: Figure, entries: Sequence[tuple[Artist, str]], *, columns: int = 4) -> None:
        """Below the axes. Labels are set as text, as matplotlib leaves those out that begin with an underscore."""
        if not entries:
            return
        handles, labels = zip(*entries, strict=True)
        widest = max(len(label) for label in labels)
        wide = self.language is Language.ZH and not _chinese_font()
        drawn = figure.legend(
            handles,
            ["x"] * len(labels),
            loc="outside lower left",
            ncols=min(columns, len(entries)),
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

    def _style(self) -> Any:
        import matplotlib as mpl

        kinds = (*_DRAWN_BY, *_DRAWN_BY_TOO)
        plain = {key: value for key, value in mpl.rcParamsDefault.items() if key.split(".")[0] in kinds}
        colours = self.theme
        fonts = [_FONT, *_chinese_font()] if self.language is Language.ZH else [_FONT]
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
            "legend.fontsize": 8.5,
            "legend.handlelength": 1.4,
        }


def svg(figure: Figure) -> str:
    """A figure as one `<svg>` element for a page: the same to the byte every time, with its words as text.

    It carries no date, no version and no link. Its identifiers are made from the figure's name, so that figures of
    several names live on one page; what it shows is told in `aria-label`.
    """
    import matplotlib as mpl

    name, alt = getattr(figure, "name", ""), getattr(figure, "alt", "")
    out = io.StringIO()
    style: Any = {"svg.hashsalt": f"mdanderson {name} {alt}", "svg.fonttype": "none"}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # whoever opens it has fonts of its own
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = out.getvalue()
    drawn = _GROUP_NAME.sub(r"<g\1>", drawn[drawn.index("<svg") :])
    return drawn.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1)


_GROUP_NAME = re.compile('<g id="[^"]*"(/?)>')
"""Names such as axes_1, which every figure has and nothing refers to."""


def percent(fraction: float, *, decimals: int = 0) -> str:
    """A change as it is written at an axis.

    >>> percent(0.25), percent(-0.5), percent(0.0)
    ('+25 %', '\N{MINUS SIGN}50 %', '0 %')
    """
    number = round(100 * fraction, decimals)
    if number == 0:
        return "0 %"
    return f"{number:+.{decimals}f} %".replace("-", "\N{MINUS SIGN}")


def letters(category: Category) -> str:
    """A category as it is written into a figure, where there is room for few letters.

    >>> letters(Category.PR), letters(Category.NON_CR_NON_PD)
    ('PR', 'NN')
    """
    return "NN" if category is Category.NON_CR_NON_PD else category.value


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """A patient's or a lesion's identifier as a label: one line, cut where it is too long to read.

    >>> shortened("P" * 30, 8)
    'PPPPPPP…'
    """
    line = printable(name)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def bilingual(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function of `language` whose figures can be drawn where Chinese letters are lacking: in English."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> Figure:
        figure = draw(*given, **named)
        if named.get("language") == Language.ZH and not _chinese_font():
            in_english: Any = {**named, "language": Language.EN}
            made: Any = figure
            made.in_english = functools.partial(draw, *given, **in_english)
        return figure

    return drawn


def _chinese_font() -> tuple[str, ...]:
    """The first font with Chinese letters that there is; SVG does without, for whoever opens it has one."""
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return tuple(name for name in _CHINESE_FONTS if name in known)[:1]


def counted(categories: Mapping[Category, int]) -> str:
    """How often each category stands, in words of the tables: `2 CR, 1 PD`."""
    return ", ".join(f"{count} {letters(category)}" for category, count in categories.items())
