"""How far two criteria sets say the same of the same visits: a table of both, with kappa."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from mdanderson.errors import InputError
from mdanderson.palette import ink_on
from mdanderson.plot.source import Source, patients_of, sets_of, visits_of
from mdanderson.plot.style import Entries, FigureStyle, english_without_fonts
from mdanderson.statistics import Kappa, cohen_kappa
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["agreement"]

_ORDER = tuple(category for category in Category if category.means is category is not Category.BL)
"""CR, PR, SD, PD, NE: the words that all sets share."""

_Pair = tuple[Category, Category]


@english_without_fonts
def agreement(
    results: Source,
    *,
    criteria: str = "mda2010",
    against: str = "",
    item: Literal["visit", "best_response"] = "visit",
    language: str = "en",
    dark: bool = False,
) -> Figure:
    """Categories by two criteria sets against each other: rows by `criteria`, columns by `against`, counts in between.

    Both sets' words are taken for what they mean (iCR is CR, Non-CR/Non-PD is SD). Kappa, plain and with linear weights
    on CR < PR < SD < PD, leaves out what either set cannot evaluate, which the table shows. item: every follow-up
    visit, or each patient's best response. against: a blank is the first other set of the tables, which list the sets
    by their names.
    Raises `InputError` where there is no other set, else as `waterfall`.
    """
    style = FigureStyle.of(language, dark=dark)
    against = against or _other_set(results, criteria)
    pairs = _pairs(results, criteria, against, item)
    kappa = cohen_kappa([pair for pair in pairs if all(category.is_evaluable for category in pair)])
    names = [style.word("criteria", one) for one in (criteria, against)]
    title = style.say("figure.agreement").format(one=names[0], other=names[1], item=style.say(f"figure.{item}"))

    def draw(axes: Axes) -> tuple[Entries, str]:
        told = _told(kappa, len(pairs) - kappa.pairs, style)
        axes.set_title("\n".join([title, *told]), fontsize=10)
        _draw(axes, Counter(pairs), names, style)
        return (), "; ".join(told)

    name = f"agreement-{criteria}-{against}-{item}"
    return style.one_axes(name, title, size_in=(6.6, 5.4), draw=draw if pairs else None)


def _other_set(results: Source, criteria: str) -> str:
    others = [one for one in sets_of(results) if one != criteria]
    if not others and sets_of(results):
        raise InputError(
            f"only {criteria} was asked: nothing to compare it with", way_out="score with several criteria sets"
        )
    return others[0] if others else criteria


def _pairs(results: Source, criteria: str, against: str, item: str) -> list[_Pair]:
    """What both say of every follow-up visit, or of every patient, in words that all sets share."""
    if item == "best_response":
        one, other = patients_of(results, criteria), patients_of(results, against)
        return [(one[name].best.means, other[name].best.means) for name in one if name in other]
    one_visits, other_visits = visits_of(results, criteria), visits_of(results, against)
    twins = {(name, visit.date): visit.category.means for name, rows in other_visits.items() for visit in rows}
    told = [
        (visit.category.means, twins.get((name, visit.date))) for name, rows in one_visits.items() for visit in rows
    ]
    return [(mine, its) for mine, its in told if its is not None and Category.BL not in {mine, its}]


def _draw(axes: Axes, counts: Counter[_Pair], names: Sequence[str], style: FigureStyle) -> None:
    from matplotlib.patches import Rectangle

    most = max(counts.values())
    for row, mine in enumerate(_ORDER):
        for column, its in enumerate(_ORDER):
            count = counts[mine, its]
            colour = _shade(0.12 + 0.88 * count / most if count else 0.0, style)
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor=style.theme.grid))
            if count:
                axes.text(column, row, str(count), ha="center", va="center", fontsize=11, color=ink_on(colour))
    for place, category in enumerate(_ORDER):
        frame = Rectangle((place - 0.47, place - 0.47), 0.94, 0.94, fill=False, linewidth=1.6, zorder=3)
        frame.set_edgecolor(style.theme.category(category))
        axes.add_patch(frame)
    axes.set_xlim(-0.5, len(_ORDER) - 0.5)
    axes.set_ylim(len(_ORDER) - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xticks(range(len(_ORDER)), [category.value for category in _ORDER])
    axes.set_yticks(range(len(_ORDER)), [category.value for category in _ORDER])
    axes.tick_params(length=0)
    axes.set_ylabel(names[0])
    axes.set_xlabel(names[1])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shade(share: float, style: FigureStyle) -> str:
    """Between the ground (0) and full colour (1)."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = [style.theme.background, style.theme.lines[0]]
    return to_hex(LinearSegmentedColormap.from_list("shades", ramp)(share))


def _told(kappa: Kappa, left_out: int, style: FigureStyle) -> tuple[str, str]:
    """Kappa, and over how many pairs."""
    figures = style.say("figure.kappa").format(
        kappa=_figure(kappa.kappa, kappa.low, kappa.high),
        weighted=_figure(kappa.weighted, kappa.weighted_low, kappa.weighted_high),
    )
    return figures, style.say("figure.pairs").format(pairs=kappa.pairs, left_out=left_out)


def _figure(value: float | None, low: float | None, high: float | None) -> str:
    """A kappa with its interval, a dash where it is not defined.

    >>> _figure(0.5, 0.25, 0.75), _figure(1.0, None, None), _figure(None, None, None)
    ('0.50 (0.25 to 0.75)', '1.00', '–')
    """
    if value is None:
        return "–"
    interval = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return f"{value:.2f}{interval}".replace("-", "\N{MINUS SIGN}")
