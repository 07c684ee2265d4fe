"""One patient lesion by lesion: size, change, density and whatever else was measured, over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from mdanderson.errors import InputError
from mdanderson.plot.labels import percent, shortened
from mdanderson.plot.source import Source, rows_of, settings_of
from mdanderson.plot.style import PAGE_WIDTH_IN, FigureStyle, english_without_fonts
from mdanderson.report.columns import LESIONS
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["lesion_course"]

_Row = Mapping[str, Any]
_Place = tuple[float, float]
"""Weeks since baseline, and a value."""

_COLUMNS = 2
_PANEL_HEIGHT_IN = 2.9
_MARKERS = "osD^vPX*"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Track:
    """A lesion as one modality and sequence shows it, in order of date."""

    lesion_id: str
    modality: str
    sequence: str
    rows: tuple[_Row, ...]

    @property
    def weight(self) -> float:
        """By what lesions are listed: size when first seen."""
        return self.rows[0]["size_mm"] or 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Panel:
    """A quantity over time. value: of a row, None where it has none; limits: dashed lines, by key in the texts.

    of_size: a lesion that is gone has the value of 0 mm, where an image ever gave it a size.
    """

    key: str
    value: Callable[[_Row], float | None]
    limits: Mapping[str, float]
    as_percent: bool = False
    of_size: bool = False


@english_without_fonts
def lesion_course(
    results: Source,
    patient_id: str = "",
    *,
    language: str = "en",
    dark: bool = False,
    settings: Settings | None = None,
) -> Figure:
    """The lesions of one patient over weeks since baseline, a panel per quantity that was measured.

    Size (sum of both diameters, mm) and its change since baseline with the limits of PR and PD; density (HU) with the
    patient's own reference bone and where lytic and sclerotic begin; signal over marrow (MR), uptake over reference
    bone (bone scan), SULpeak (PET). A cross stands at the last known value where a lesion was not judged, a lesion that
    is gone falls to 0 mm. patient_id may be left out where there is one patient only.
    settings: whose limits are drawn, in place of those of the run.
    Raises `InputError` for an unknown patient, and for other things than results.
    """
    style = FigureStyle.of(language, dark=dark)
    tracks, baseline = _tracks(results, patient_id)
    name = patient_id or (tracks[0].rows[0]["patient_id"] if tracks else "")
    panels = [
        panel
        for panel in _panels(tracks, settings_of(results, settings))
        if any(panel.value(row) is not None for track in tracks for row in track.rows)
    ]
    columns, rows = max(min(len(panels), _COLUMNS), 1), max(-(-len(panels) // _COLUMNS), 1)
    height_in = _PANEL_HEIGHT_IN * rows + 0.9
    with style.figure(f"lesion_course-{name}", width_in=PAGE_WIDTH_IN, height_in=height_in) as figure:
        figure.suptitle(style.say("figure.lesions").format(patient=shortened(name)), x=0.01, ha="left", fontsize=11)
        if panels:
            for panel, axes in zip(panels, _axes(figure, rows, columns, len(panels)), strict=True):
                _draw(axes, panel, tracks, baseline, style)
            silent = any(_places(track, panel, baseline)[1] for track in tracks for panel in panels)
            style.legend(figure, _entries(tracks, style, silent=silent), columns=3)
        else:
            style.empty(figure.add_subplot())
        figure.alt = _alt(name, tracks, panels, style)
    return figure


def _tracks(results: Source, patient_id: str) -> tuple[list[_Track], dt.date]:
    """The patient's lesions, the largest first, and the day of the first image."""
    rows = list(rows_of(results, LESIONS))
    known = list(dict.fromkeys(row["patient_id"] for row in rows))
    if (patient_id and patient_id not in known) or (not patient_id and len(known) > 1):
        what = f"no lesions of patient {patient_id!r}" if patient_id else "no patient named"
        raise InputError(what, way_out=f"use one of {', '.join(known[:20])}" if known else "these results have none")
    found: dict[tuple[str, str, str], list[_Row]] = {}
    for row in sorted((row for row in rows if not patient_id or row["patient_id"] == patient_id), key=_day):
        found.setdefault((row["lesion_id"], row["modality"], row["sequence"]), []).append(row)
    tracks = [
        _Track(lesion_id=lesion_id, modality=modality, sequence=sequence, rows=tuple(its))
        for (lesion_id, modality, sequence), its in found.items()
    ]
    baseline = min((_day(track.rows[0]) for track in tracks), default=dt.date.min)
    return sorted(tracks, key=lambda track: (-track.weight, track.lesion_id, track.modality, track.sequence)), baseline


def _day(row: _Row) -> dt.date:
    day: dt.date = row["date"]
    return day


def _panels(tracks: Sequence[_Track], settings: Settings) -> Iterator[_Panel]:
    """Every quantity that there is a panel for, in their order."""
    policy = settings.policy
    changes = {"figure.limit_fall": -policy.pr_size_fall, "figure.limit_rise": policy.pd_size_rise}
    yield _Panel(key="figure.size_axis", value=_size, limits={}, of_size=True)
    yield _Panel(key="figure.size_change_axis", value=_change, limits=changes, as_percent=True, of_size=True)
    yield _Panel(key="figure.density_axis", value=_density, limits=_density_limits(tracks, settings))
    marrow, bone = {"figure.normal_marrow": 1.0}, {"figure.reference_bone": 1.0}
    yield _Panel(key="figure.signal_axis", value=lambda row: row["signal_ratio"], limits=marrow)
    yield _Panel(key="figure.uptake_axis", value=lambda row: row["uptake_ratio"], limits=bone)
    yield _Panel(key="figure.sul_axis", value=lambda row: row["suv_peak"], limits={})


def _size(row: _Row) -> float | None:
    size: float | None = row["size_mm"]
    return 0.0 if size is None and row["status"] == Status.RESOLVED else size


def _change(row: _Row) -> float | None:
    if row["status"] == Status.BASELINE and row["size_mm"]:
        return 0.0
    change: float | None = row["size_change_baseline"]
    return -1.0 if change is None and row["status"] == Status.RESOLVED else change


def _density(row: _Row) -> float | None:
    density: float | None = row["mean_hu"] if row["median_hu"] is None else row["median_hu"]
    return density


def _density_limits(tracks: Sequence[_Track], settings: Settings) -> dict[str, float]:
    """The patient's reference bone, and where lytic and sclerotic begin beside it: medians over lesions and visits."""
    judged = [
        row for track in tracks for row in track.rows if None not in {row["reference_hu"], row["reference_sd_hu"]}
    ]
    if not judged:
        return {}
    from mdanderson.measure.reference import ReferenceBone

    middle, spread = (median(row[name] for row in judged) for name in ("reference_hu", "reference_sd_hu"))
    bone = ReferenceBone(source="", median_hu=middle, robust_sd_hu=spread, mean_hu=middle, sd_hu=spread, voxels=0)
    return {
        "figure.reference_bone": bone.median_hu,
        "figure.lytic_below": bone.lytic_below_hu(settings.image),
        "figure.sclerotic_above": bone.sclerotic_above_hu(settings.image),
    }


def _axes(figure: Figure, rows: int, columns: int, count: int) -> list[Axes]:
    return [figure.add_subplot(rows, columns, number + 1) for number in range(count)]


def _draw(axes: Axes, panel: _Panel, tracks: Sequence[_Track], baseline: dt.date, style: FigureStyle) -> None:
    from matplotlib.ticker import MaxNLocator

    for key, level in panel.limits.items():
        _draw_limit(axes, level, style.say(key).format(limit=percent(level)), style)
    for index, track in enumerate(tracks):
        known, unknown = _places(track, panel, baseline)
        if known:
            weeks, values = zip(*known, strict=True)
            axes.plot(weeks, values, linewidth=1.5, markersize=4.5, **_look(index, style))
        for week, value in unknown:
            axes.plot(week, value, marker="x", markersize=6, linestyle="none", color=_look(index, style)["color"])
    axes.set_title(style.say(panel.key), fontsize=9)
    axes.set_xlabel(style.say("figure.weeks_axis"))
    last = max((_day(row) - baseline).days / 7 for track in tracks for row in track.rows)
    axes.set_xlim(-0.05 * max(last, 1.0), 1.05 * max(last, 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.margins(y=0.12)
    if panel.as_percent:
        style.zero_line(axes)
        axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    elif panel.key != "figure.density_axis":
        axes.set_ylim(bottom=0)


def _draw_limit(axes: Axes, level: float, told: str, style: FigureStyle) -> None:
    axes.axhline(level, color=style.theme.muted, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1.2)
    axes.annotate(
        told,
        (0.0, level),
        xycoords=("axes fraction", "data"),
        xytext=(3, 2),
        textcoords="offset points",
        va="bottom",
        fontsize=7.5,
        color=style.theme.muted,
        zorder=1.3,
    )


def _places(track: _Track, panel: _Panel, baseline: dt.date) -> tuple[list[_Place], list[_Place]]:
    """Where a value is known; and where it is not, at the last that is."""
    known: list[_Place] = []
    unknown: list[_Place] = []
    if panel.of_size and not any(row["size_mm"] for row in track.rows):
        return known, unknown
    for row in track.rows:
        value, week = panel.value(row), (_day(row) - baseline).days / 7
        if value is not None:
            known.append((week, value))
        elif known:
            unknown.append((week, known[-1][1]))
    return known, unknown


def _look(index: int, style: FigureStyle) -> dict[str, Any]:
    """Colour and marker of a lesion; who comes after those that can be told apart is grey."""
    lines = style.theme.lines
    if index >= len(lines):
        return {"color": style.theme.muted, "marker": ".", "zorder": 1.8}
    return {"color": lines[index], "marker": _MARKERS[index], "zorder": 2.5}


def _entries(tracks: Sequence[_Track], style: FigureStyle, *, silent: bool) -> list[tuple[Artist, str]]:
    """The lesions; silent: a cross was drawn."""
    from matplotlib.lines import Line2D

    several = len({(track.modality, track.sequence) for track in tracks}) > 1
    shown = tracks[: len(style.theme.lines)]
    entries: list[tuple[Artist, str]] = [
        (Line2D([], [], linewidth=1.5, markersize=4.5, **_look(index, style)), _label(track, several, style))
        for index, track in enumerate(shown)
    ]
    if len(tracks) > len(shown):
        more = style.say("figure.more_lesions").format(number=len(tracks) - len(shown))
        entries.append((Line2D([], [], linewidth=1.5, **_look(len(shown), style)), more))
    if silent:
        entries.append(style.mark_entry(style.say("figure.not_judged"), marker="x", color=style.theme.muted))
    return entries


def _label(track: _Track, several: bool, style: FigureStyle) -> str:
    """Which lesion a line is: its name, where it is, what it is, and by which image where there are several."""
    first = track.rows[0]
    kinds = [style.word("lesion_type", first["lesion_type"])] if first["lesion_type"] else []
    kinds += [style.word("status", first["status"])] if first["status"] == Status.NEW else []
    kinds += [" ".join(filter(None, (style.word("modality", track.modality), track.sequence)))] if several else []
    named = " ".join(filter(None, (shortened(track.lesion_id), shortened(first["site"]))))
    return f"{named} ({', '.join(kinds)})" if kinds else named


def _alt(name: str, tracks: Sequence[_Track], panels: Sequence[_Panel], style: FigureStyle) -> str:
    title = style.say("figure.lesions").format(patient=shortened(name))
    if not panels:
        return f"{title}: {style.say('figure.nothing')}"
    return style.say("figure.lesions_alt").format(
        title=title,
        lesions=len({track.lesion_id for track in tracks}),
        quantities=", ".join(style.say(panel.key) for panel in panels),
    )
