"""What the figures of a cohort have in common: whose results, by which set, of which sum, in which language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mdanderson.criteria import criteria_set
from mdanderson.plot.labels import percent
from mdanderson.plot.measures import SumMeasure, sum_measure
from mdanderson.plot.source import PatientRow, Source, VisitRow, patients_of, settings_of, visits_of
from mdanderson.plot.style import FigureStyle
from mdanderson.quantities import exact
from mdanderson.report.changes import best_change, counts_for_best
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["CohortSeries"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CohortSeries:
    """patients: a row each; visits: the overall rows in order of date. By patient, and by one criteria set."""

    style: FigureStyle
    criteria: str
    patients: dict[str, PatientRow]
    visits: dict[str, tuple[VisitRow, ...]]
    measure: SumMeasure
    confirm_weeks: float

    @classmethod
    def of(cls, results: Source, criteria: str, style: FigureStyle, settings: Settings | None = None) -> CohortSeries:
        """Raises `InputError` for other things than results and for criteria not asked, `SettingsError` for unknown."""
        settings = settings_of(results, settings)
        return cls(
            style=style,
            criteria=criteria,
            patients=patients_of(results, criteria),
            visits=visits_of(results, criteria),
            measure=sum_measure(criteria, settings),
            confirm_weeks=criteria_set(criteria).confirm_weeks(settings),
        )

    @property
    def limits(self) -> tuple[Fraction, Fraction]:
        """Of response and of progression, as changes; by the settings of the run."""
        return exact(-self.measure.fall), exact(self.measure.rise)

    @property
    def quantity(self) -> str:
        """What the sum is of, in words."""
        return self.style.say(self.measure.name)

    def title(self, key: str) -> str:
        """The title of a figure, with the quantity and the criteria set in it."""
        return self.style.say(key).format(quantity=self.quantity, criteria=self.style.word("criteria", self.criteria))

    def counted_visits(self, patient_id: str) -> tuple[VisitRow, ...]:
        """Those up to the first confirmed progression, which are those that count for the best response."""
        until = self.patients[patient_id].progression
        return tuple(visit for visit in self.visits[patient_id] if counts_for_best(visit.date, until))

    def best_change(self, patient_id: str) -> float | None:
        """Of the sum, a fraction; None where none is known."""
        visits = ((visit.date, visit.change) for visit in self.visits[patient_id])
        return best_change(visits, progression=self.patients[patient_id].progression)

    def counts(self, patient_ids: Collection[str] | None = None) -> dict[Category, int]:
        """How many patients, or how many of these, have each best response, from best to worst."""
        shown = self.patients if patient_ids is None else patient_ids
        found = Counter(self.patients[patient_id].best for patient_id in shown)
        return {category: found[category] for category in sorted(found, key=lambda one: one.order)}

    def category_entries(self, patient_ids: Collection[str] | None = None) -> list[tuple[Artist, str]]:
        """Best responses for the legend, of the patients that are drawn."""
        return [self.style.category_entry(category, count) for category, count in self.counts(patient_ids).items()]

    def draw_limits(self, axes: Axes, *, fall_at: str = "right", rise_at: str = "right") -> None:
        """The limits of response and progression as dashed lines with their numbers; where: left or right."""
        limits = (
            (-self.measure.fall, "figure.limit_fall", fall_at, Category.PR, "top"),
            (self.measure.rise, "figure.limit_rise", rise_at, Category.PD, "bottom"),
        )
        for level, key, side, category, align in limits:
            colour = self.style.theme.category(category)
            axes.axhline(level, color=colour, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1.2)
            axes.annotate(
                self.style.say(key).format(limit=percent(level)),
                (0.0 if side == "left" else 1.0, level),
                xycoords=("axes fraction", "data"),
                xytext=(3 if side == "left" else -3, 2 if align == "bottom" else -2),
                textcoords="offset points",
                ha=side,
                va=align,
                fontsize=8,
                color=self.style.theme.muted,
                bbox={"facecolor": self.style.theme.background, "linewidth": 0, "pad": 0.8},
                zorder=3.5,
            )
