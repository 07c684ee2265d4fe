"""How far the sum changed at best: the waterfall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdanderson.plot.canvas import Canvas, bilingual, counted, letters, percent, shortened
from mdanderson.plot.scene import Scene
from mdanderson.plot.source import Tables
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CUT_AT", "waterfall"]

CUT_AT = 1.5
"""Changes above this are drawn up to it, with their number beside them."""
_WIDTH = 0.82
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


@bilingual
def waterfall(
    results: Tables,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    settings: Settings | None = None,
) -> Figure:
    """Best change of the sum since baseline, a bar per patient from the greatest rise to the greatest fall.

    Best is the smallest sum of the visits up to the first confirmed progression, which are those that count for the
    best response; that colours the bar. Patients whose change is not known stand at the right, marked at zero. A star
    marks a new lesion. The sum is the criteria set's own: of both diameters (MD Anderson), of products (WHO, UICC), of
    longest diameters (RECIST), of SUV (PERCIST, EORTC). settings: whose limits are drawn.
    Raises `InputError` for other things than results and for criteria not asked, `SettingsError` for unknown ones.
    """
    canvas = Canvas.of(language, dark=dark)
    scene = Scene.of(results, criteria, canvas, settings)
    bars = _bars(scene)
    with canvas.figure(f"waterfall-{criteria}", width_in=9.0, height_in=4.6) as figure:
        axes = figure.add_subplot()
        axes.set_title(scene.title("figure.waterfall"))
        if bars:
            _draw(axes, bars, scene)
            canvas.legend(figure, [*scene.category_entries(), *_star(scene, bars)])
        else:
            canvas.empty(axes)
        figure.alt = _alt(scene, bars)
    return figure


def _bars(scene: Scene) -> list[_Bar]:
    """The known changes from the greatest rise to the greatest fall, then the patients without one."""
    bars = []
    for patient in scene.patients.values():
        visits = scene.counted_visits(patient.patient_id)
        bars.append(
            _Bar(
                patient_id=patient.patient_id,
                category=patient.best,
                change=min((visit.change for visit in visits[1:] if visit.change is not None), default=None),
                new=any(visit.new_lesions for visit in visits),
            )
        )
    return sorted(bars, key=lambda bar: (bar.change is None, -(bar.change or 0.0), bar.patient_id))


def _draw(axes: Axes, bars: list[_Bar], scene: Scene) -> None:
    canvas, measured = scene.canvas, sum(bar.change is not None for bar in bars)
    places = [index if bar.change is not None else index + 1 for index, bar in enumerate(bars)]
    named = len(bars) <= _NAMED
    scene.draw_limits(axes, fall_at="left")
    canvas.zero_line(axes)
    for place, bar in zip(places, bars, strict=True):
        if bar.change is None:
            axes.plot(place, 0, marker="D", markersize=5, color=canvas.theme.category(bar.category), linestyle="none")
        else:
            axes.bar(place, bar.height, width=_WIDTH, **canvas.category_face(bar.category))
            if abs(bar.height) < _THIN:
                _draw_edge(axes, place, bar.height, canvas.theme.category(bar.category))
        _write_at_the_end(axes, place, bar, named=named)
    if measured < len(bars):
        axes.axvline(measured, color=canvas.theme.grid, linewidth=0.8)
        axes.annotate(
            canvas.say("figure.not_measured"),
            (1.0, 0.0),
            xycoords="axes fraction",
            xytext=(-2, 4),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=canvas.theme.muted,
        )
    heights = [bar.height for bar in bars]
    axes.set_ylim(min(-0.7, *heights) - 0.15, max(0.45, *heights) + 0.15)
    axes.set_xlim(-0.8, max(places) + 0.8)
    axes.set_ylabel(canvas.say("figure.change_axis").format(quantity=scene.quantity))
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    _name_bars(axes, places, bars, canvas, named=named)


def _draw_edge(axes: Axes, place: int, height: float, colour: str) -> None:
    """The end of a bar that is hardly higher than the line that it stands on."""
    ends = (place - _WIDTH / 2, place + _WIDTH / 2)
    axes.plot(ends, (height, height), color=colour, linewidth=2.0, solid_capstyle="butt")


def _write_at_the_end(axes: Axes, place: int, bar: _Bar, *, named: bool) -> None:
    """Category, star of a new lesion, and the change where the bar is cut off."""
    words = [letters(bar.category) + "*" * bar.new] if named else ["*"] * bar.new
    if bar.change is not None and bar.change > CUT_AT:
        words.append(percent(bar.change))
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


def _name_bars(axes: Axes, places: list[int], bars: list[_Bar], canvas: Canvas, *, named: bool) -> None:
    if named:
        labels = [shortened(bar.patient_id) for bar in bars]
        axes.set_xticks(places, labels, rotation=90, fontsize=8, parse_math=False)
        axes.tick_params(axis="x", length=0)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{canvas.say('word.patients')} (n = {len(bars)})")


def _star(scene: Scene, bars: list[_Bar]) -> list[tuple[Artist, str]]:
    canvas = scene.canvas
    told = canvas.say("figure.new_lesion")
    return [canvas.mark_entry(told, marker="*", color=canvas.theme.text)] if any(bar.new for bar in bars) else []


def _alt(scene: Scene, bars: list[_Bar]) -> str:
    changes = [bar.change for bar in bars if bar.change is not None]
    if not changes:
        return f"{scene.title('figure.waterfall')}: {scene.canvas.say('figure.nothing')}"
    told = scene.canvas.say("figure.waterfall_alt").format(
        quantity=scene.quantity,
        patients=len(bars),
        highest=percent(max(changes)),
        lowest=percent(min(changes)),
        counts=counted(scene.counts()),
    )
    return f"{scene.title('figure.waterfall')}: {told}"
