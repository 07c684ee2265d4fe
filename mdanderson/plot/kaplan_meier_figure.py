"""Progression-free time by response: curves of Kaplan and Meier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mdanderson.errors import SettingsError
from mdanderson.plot.cohort_series import CohortSeries
from mdanderson.plot.labels import letters
from mdanderson.plot.source import PatientRow, Source
from mdanderson.plot.style import PAGE_WIDTH_IN, FigureStyle, english_without_fonts
from mdanderson.statistics.survival import median_days, product_limit
from mdanderson.timeline.summary import best_response_of
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["kaplan_meier"]

_DAYS_A_MONTH = 365.25 / 12
_DASHES: Sequence[Any] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1)), (0, (8, 2, 2, 2, 2, 2)))
_RESPONSE, _NO_RESPONSE = "response", "no_response"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Patients of one curve: days from the start to where time ends, and whether an event ended it."""

    key: str
    days: tuple[int, ...]
    events: tuple[bool, ...]

    @property
    def months(self) -> tuple[float, ...]:
        """The days as the axis has them."""
        return tuple(day / _DAYS_A_MONTH for day in self.days)


@english_without_fonts
def kaplan_meier(
    results: Source,
    *,
    criteria: str = "mda2010",
    language: str = "en",
    dark: bool = False,
    by: Literal["response", "category"] = "response",
    landmark_weeks: float | None = None,
) -> Figure:
    """Share of patients without progression or death over months, a curve per group, with 95 % bands and log-rank test.

    by: patients with CR or PR against the others, or each category by itself. Groups are by best response, which a
    patient must live long enough to reach; that flatters responders. landmark_weeks avoids it: patients are grouped by
    the best response that was known by that week, and confirmed by then where the set wants that; time runs from there,
    and who had an event or was lost before is left out.
    The tables below tell how many are still at risk. Needs the extra `survival` (lifelines).
    Raises as `waterfall`, and `SettingsError` where lifelines is missing.
    """
    _check_lifelines()
    if by not in {"response", "category"}:
        raise SettingsError(f"by is {by!r}", way_out="use response or category")
    style = FigureStyle.of(language, dark=dark)
    cohort = CohortSeries.of(results, criteria, style)
    groups = _groups(cohort, by, landmark_weeks)
    name = f"kaplan_meier-{criteria}-{by}-{landmark_weeks or ''}"
    with style.figure(name, width_in=PAGE_WIDTH_IN, height_in=5.0 + 0.2 * len(groups)) as figure:
        title = cohort.title("figure.progression_free")
        if landmark_weeks is not None:
            title = f"{title}\n{style.say('figure.landmark').format(weeks=f'{landmark_weeks:g}')}"
        words = title.replace("\n", " · ")
        if groups:
            axes, table = figure.subplots(2, 1, sharex=True, height_ratios=[13, len(groups)])
            figure.alt = f"{words}: {_draw(figure, axes, groups, style)}"
            ticks = [month for month in axes.get_xticks() if 0 <= month <= axes.get_xlim()[1]]
            axes.set_xticks(ticks)  # where the numbers stand, whatever size the figure is given afterwards
            _draw_at_risk(table, ticks, groups, style)
        else:
            axes = figure.add_subplot()
            style.empty(axes)
            figure.alt = f"{words}: {style.say('figure.nothing')}"
        axes.set_title(title)
    return figure


def _check_lifelines() -> None:
    from importlib.util import find_spec

    if find_spec("lifelines") is None:
        raise SettingsError(
            "curves of progression-free time need the extra `survival`", way_out="pip install 'mdanderson[survival]'"
        )


def _groups(cohort: CohortSeries, by: str, landmark_weeks: float | None) -> list[_Group]:
    """Patients with a progression-free time, by what they are grouped by, in the order of the vocabulary."""
    told: dict[str, list[tuple[int, bool]]] = {}
    for patient in cohort.patients.values():
        best, days = patient.best.means, patient.progression_free_days
        if landmark_weeks is not None:
            best, days = _from_landmark(cohort, patient, round(7 * landmark_weeks))
        if days is not None:
            key = best.value if by == "category" else _RESPONSE if best.is_response else _NO_RESPONSE
            told.setdefault(key, []).append((days, not patient.censored))
    order = [category.value for category in Category] if by == "category" else [_RESPONSE, _NO_RESPONSE]
    found = [(key, tuple(zip(*sorted(told[key]), strict=True))) for key in order if key in told]
    return [_Group(key=key, days=days, events=events) for key, (days, events) in found]


def _from_landmark(cohort: CohortSeries, patient: PatientRow, days: int) -> tuple[Category, int | None]:
    """Best response as it was known at the landmark, and days from there; None for who is no more followed."""
    left = None if patient.progression_free_days is None else patient.progression_free_days - days
    if left is None or left <= 0 or patient.start is None:
        return Category.NE, None
    until = patient.start + dt.timedelta(days=days)
    seen = [visit for visit in cohort.visits[patient.patient_id] if visit.date <= until]
    return best_response_of(seen, confirm_weeks=cohort.confirm_weeks).means, left


def _draw(figure: Figure, axes: Axes, groups: Sequence[_Group], style: FigureStyle) -> str:
    """Draw the curves; what they come to in words."""
    from lifelines import KaplanMeierFitter

    told, entries = [], []
    for index, group in enumerate(groups):
        fitted = KaplanMeierFitter().fit(group.months, group.events)
        curve, band = fitted.survival_function_.iloc[:, 0], fitted.confidence_interval_
        look: Mapping[str, Any] = {"color": _colour(group.key, index, style), "linestyle": _DASHES[index]}
        (line,) = axes.step(curve.index, curve, where="post", linewidth=1.8, **look)
        axes.fill_between(
            band.index, band.iloc[:, 0], band.iloc[:, 1], step="post", color=look["color"], alpha=0.15, linewidth=0
        )
        censored = [month for month, ended in zip(group.months, group.events, strict=True) if not ended]
        heights = fitted.survival_function_at_times(censored) if censored else []
        axes.plot(censored, heights, linestyle="none", marker="|", markersize=8, color=look["color"])
        told.append(_label(group, style))
        entries.append((line, told[-1]))
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.grid(axis="y")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.set_ylabel(style.say("figure.progression_free_axis"))
    axes.tick_params(labelbottom=True)
    told.append(_log_rank(groups, style))
    axes.text(0.01, 0.03, told[-1], transform=axes.transAxes)
    style.legend(figure, entries, columns=1)
    return "; ".join(filter(None, told))


def _draw_at_risk(table: Axes, months: Sequence[float], groups: Sequence[_Group], style: FigureStyle) -> None:
    """How many are still followed at each tick."""
    for row, group in enumerate(groups):
        for month in months:
            count = sum(one >= month for one in group.months)
            table.text(month, row, str(count), ha="center", va="center", fontsize=8)
    table.set_ylim(len(groups) - 0.4, -0.6)
    labels = [f"{style.say('figure.at_risk')} {_name(group.key, style)}" for group in groups]
    table.set_yticks(range(len(groups)), labels, fontsize=8)
    table.tick_params(length=0, labelbottom=False)
    table.tick_params(axis="y", pad=14)
    table.set_xlabel(style.say("figure.months_axis"))
    for spine in table.spines.values():
        spine.set_visible(False)


def _log_rank(groups: Sequence[_Group], style: FigureStyle) -> str:
    """The test of all groups alike; blank where there are not two, or nothing happened."""
    if len(groups) < 2 or not any(any(group.events) for group in groups):
        return ""
    from lifelines.statistics import multivariate_logrank_test

    months = [month for group in groups for month in group.months]
    names = [group.key for group in groups for _ in group.months]
    events = [event for group in groups for event in group.events]
    p = multivariate_logrank_test(months, names, events).p_value
    return style.say("figure.log_rank").format(p="< 0.001" if p < 0.001 else f"= {p:.3f}")


def _label(group: _Group, style: FigureStyle) -> str:
    """In words. The median is the exact one of summary.csv: a share of one half, added up of floats, may miss it."""
    median = median_days(product_limit(zip(group.days, group.events, strict=True)))
    reached = style.say("figure.not_reached")
    if median is not None:
        reached = style.say("figure.months").format(number=f"{median / _DAYS_A_MONTH:.1f}")
    return style.say("figure.curve").format(
        group=_name(group.key, style), patients=len(group.months), events=sum(group.events), median=reached
    )


def _name(key: str, style: FigureStyle) -> str:
    return style.say(f"figure.{key}") if key in {_RESPONSE, _NO_RESPONSE} else letters(Category(key))


def _colour(key: str, index: int, style: FigureStyle) -> str:
    return style.theme.lines[index] if key in {_RESPONSE, _NO_RESPONSE} else style.theme.category(key)
