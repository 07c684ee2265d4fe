"""What the figures of a cohort have in common: whose results, by which set, of which sum, in which language."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdanderson.plot.canvas import Canvas, percent
from mdanderson.plot.measures import SumMeasure, sum_measure
from mdanderson.plot.source import PatientRow, Tables, VisitRow, patients_of, visits_of
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["Scene"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """patients: a row each; visits: the overall rows in order of date. By patient, and by one criteria set."""

    canvas: Canvas
    criteria: str
    patients: dict[str, PatientRow]
    visits: dict[str, tuple[VisitRow, ...]]
    measure: SumMeasure

    @classmethod
    def of(cls, results: Tables, criteria: str, canvas: Canvas, settings: Settings | None = None) -> Scene:
        """Raises `InputError` for other things than results and for criteria not asked, `SettingsError` for unknown."""
        return cls(
            canvas=canvas,
            criteria=criteria,
            patients=patients_of(results, criteria),
            visits=visits_of(results, criteria),
            measure=sum_measure(criteria, settings or Settings()),
        )

    @property
    def quantity(self) -> str:
        """What the sum is of, in words."""
        return self.canvas.say(self.measure.name)

    def title(self, key: str) -> str:
        """The title of a figure, with the quantity and the criteria set in it."""
        return self.canvas.say(key).format(quantity=self.quantity, criteria=self.canvas.word("criteria", self.criteria))

    def counted_visits(self, patient_id: str) -> tuple[VisitRow, ...]:
        """Those up to the first confirmed progression, which are those that count for the best response."""
        until = self.patients[patient_id].progression
        return tuple(visit for visit in self.visits[patient_id] if until is None or visit.date <= until)

    def counts(self) -> dict[Category, int]:
        """How many patients have each best response, in the order of the vocabulary."""
        found = Counter(patient.best for patient in self.patients.values())
        return {category: found[category] for category in Category if found[category]}

    def category_entries(self) -> list[tuple[Artist, str]]:
        """Best responses for the legend."""
        return [self.canvas.category_entry(category, count) for category, count in self.counts().items()]

    def draw_limits(self, axes: Axes, *, fall_at: str = "right", rise_at: str = "right") -> None:
        """The limits of response and progression as dashed lines with their numbers; where: left or right."""
        limits = (
            (-self.measure.fall, "figure.limit_fall", fall_at, Category.PR, "top"),
            (self.measure.rise, "figure.limit_rise", rise_at, Category.PD, "bottom"),
        )
        for level, key, side, category, align in limits:
            colour = self.canvas.theme.category(category)
            axes.axhline(level, color=colour, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1.2)
            axes.annotate(
                self.canvas.say(key).format(limit=percent(level)),
                (0.0 if side == "left" else 1.0, level),
                xycoords=("axes fraction", "data"),
                xytext=(3 if side == "left" else -3, 2 if align == "bottom" else -2),
                textcoords="offset points",
                ha=side,
                va=align,
                fontsize=8,
                color=self.canvas.theme.muted,
                zorder=1.3,
            )
