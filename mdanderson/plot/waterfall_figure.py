"""How far the sum changed at best: the waterfall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.cut_off import CUT_AT, cut_entry, cut_in_words, label_changes, mark_cut
from mdanderson.plot.labels import breadth, counted, letters, shortened
from mdanderson.plot.source import Source
from mdanderson.plot.style import PAGE_WIDTH_IN, Entries, FigureStyle, english_without_fonts
from mdanderson.report.changes import change_in_words
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["waterfall"]

_WIDTH = 0.82
_HEIGHT_IN, _LETTER_IN, _SHORT = 4.6, 0.07, 8
"""Of the figure, and for every letter more than so many of the longest name: names stand upright below the bars."""
"""Of a bar, of the distance between two."""
_THIN = 0.02
"""Changes below this are drawn as a line."""
_NAMED = 40
"""Patients up to whom each bar carries its name and category."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bar:
    """change: the best one, a fraction; None where none is known. new: a new lesion was seen by then."""

    patient_id: str
    category: Category
    change: float | None
    new: bool

    @property
    def height(self) -> float:
        return min(self.change or 0.0, CUT_AT)


@english_without_fonts
def waterfall(
    results: Source,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    settings: Settings | None = None,
) -> Figure:
    """Best change of the sum since baseline, a bar per patient from the greatest rise to the greatest fall.

    Best is the smallest sum of the visits up to the first confirmed progression, which are those that count for the
    best response; that colours the bar. Patients whose change is not known stand at the right, marked at zero. A star
    marks a new lesion. A bar ends at +150 % and tells its number there, or has an arrowhead where bars are many. The
    sum is the criteria set's own: of both diameters (MD Anderson), of products (WHO, UICC), of longest diameters
    (RECIST), of SUV (PERCIST, EORTC). settings: whose limits are drawn, in place of those of the run.
    Raises `InputError` for other things than results and for criteria not asked, `SettingsError` for unknown ones.
    """
    style = FigureStyle.of(language, dark=dark)
    cohort = CohortSeries.of(results, criteria, style, settings)
    bars = _bars(cohort)

    def draw(axes: Axes) -> tuple[Entries, str]:
        _draw(axes, bars, cohort)
        entries = [*cohort.category_entries(), *_star(cohort, bars), *_cut_entry(style, bars)]
        return entries, _in_words(cohort, bars)

    title, size_in = cohort.title("figure.waterfall"), (PAGE_WIDTH_IN, _height_in(bars))
    return style.one_axes(f"waterfall-{criteria}", title, size_in=size_in, draw=draw if bars else None)


def _height_in(bars: list[_Bar]) -> float:
    longest = max((breadth(shortened(bar.patient_id)) for bar in bars), default=0) if len(bars) <= _NAMED else 0
    return _HEIGHT_IN + _LETTER_IN * max(0, longest - _SHORT)


def _bars(cohort: CohortSeries) -> list[_Bar]:
    """The known changes from the greatest rise to the greatest fall, then the patients without one."""
    bars = []
    for patient in cohort.patients.values():
        visits = cohort.counted_visits(patient.patient_id)
        bars.append(
            _Bar(
                patient_id=patient.patient_id,
                category=patient.best,
                change=cohort.best_change(patient.patient_id),
                new=any(visit.new_lesions for visit in visits),
            )
        )
    return sorted(bars, key=lambda bar: (bar.change is None, -(bar.change or 0.0), bar.patient_id))


def _draw(axes: Axes, bars: list[_Bar], cohort: CohortSeries) -> None:
    style, measured = cohort.style, sum(bar.change is not None for bar in bars)
    places = [index if bar.change is not None else index + 1 for index, bar in enumerate(bars)]
    named = len(bars) <= _NAMED
    cohort.draw_limits(axes, fall_at="left")
    style.zero_line(axes)
    for place, bar in zip(places, bars, strict=True):
        if bar.change is None:
            axes.plot(
                place,
                0,
                marker="D",
                markersize=5 if named else 2,
                color=style.theme.category(bar.category),
                linestyle="none",
            )
        else:
            edges = {} if named else {"linewidth": 0}  # wider than the bars
            axes.bar(place, bar.height, width=_WIDTH, **style.category_face(bar.category) | edges)
            if abs(bar.height) < _THIN:
                _draw_edge(axes, place, bar.height, style.theme.category(bar.category))
        _write_at_the_end(axes, place, bar, named=named)
    if measured < len(bars):
        axes.axvline(measured, color=style.theme.grid, linewidth=0.8)
        axes.annotate(
            style.say("figure.not_measured"),
            (1.0, 0.0),
            xycoords="axes fraction",
            xytext=(-2, 4),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=style.theme.muted,
        )
    heights = [bar.height for bar in bars]
    axes.set_ylim(min(-0.7, *heights) - 0.15, max(0.45, *heights) + 0.15)
    axes.set_xlim(-0.8, max(places) + 0.8)
    axes.set_ylabel(style.say("figure.change_axis").format(quantity=cohort.quantity))
    cut = [place for place, bar in zip(places, bars, strict=True) if (bar.change or 0.0) > CUT_AT]
    label_changes(axes, cut=bool(cut))
    if not named:
        mark_cut(axes, cut, color=style.theme.text, size=3.0)
    _name_bars(axes, places, bars, style, named=named)


def _draw_edge(axes: Axes, place: int, height: float, colour: str) -> None:
    """The end of a bar that is hardly higher than the line that it stands on."""
    ends = (place - _WIDTH / 2, place + _WIDTH / 2)
    axes.plot(ends, (height, height), color=colour, linewidth=2.0, solid_capstyle="butt")


def _write_at_the_end(axes: Axes, place: int, bar: _Bar, *, named: bool) -> None:
    """Category, star of a new lesion, and the change where the bar is cut off."""
    words = [letters(bar.category) + "*" * bar.new] if named else ["*"] * bar.new
    if named and bar.change is not None and bar.change > CUT_AT:
        words.append(change_in_words(bar.change))
    if words:
        down = bar.height < 0
        axes.annotate(
            "\n".join(words[::-1]),
            (place, bar.height),
            xytext=(0, -2 if down else 5 if bar.change is None else 2),
            textcoords="offset points",
            ha="center",
            va="top" if down else "bottom",
            fontsize=7.5,
        )


def _name_bars(axes: Axes, places: list[int], bars: list[_Bar], style: FigureStyle, *, named: bool) -> None:
    if named:
        labels = [shortened(bar.patient_id) for bar in bars]
        axes.set_xticks(places, labels, rotation=90, fontsize=8, parse_math=False)
        axes.tick_params(axis="x", length=0)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{style.say('word.patients')} (n = {len(bars)})")


def _star(cohort: CohortSeries, bars: list[_Bar]) -> list[tuple[Artist, str]]:
    style = cohort.style
    told = style.say("figure.new_lesion")
    return [style.mark_entry(told, marker="*", color=style.theme.text)] if any(bar.new for bar in bars) else []


def _cut_entry(style: FigureStyle, bars: list[_Bar]) -> list[tuple[Artist, str]]:
    """The arrowhead of bars that are cut off, where they are too many to carry their numbers."""
    return [cut_entry(style)] if len(bars) > _NAMED and any((bar.change or 0.0) > CUT_AT for bar in bars) else []


def _in_words(cohort: CohortSeries, bars: list[_Bar]) -> str:
    changes = [bar.change for bar in bars if bar.change is not None]
    if not changes:
        return cohort.style.say("figure.nothing")
    told = cohort.style.say("figure.waterfall_alt").format(
        quantity=cohort.quantity,
        patients=len(bars),
        highest=change_in_words(max(changes), limits=cohort.limits),
        lowest=change_in_words(min(changes), limits=cohort.limits),
        counts=counted(cohort.counts()),
    )
    return f"{told}{cut_in_words(cohort.style, changes)}"
