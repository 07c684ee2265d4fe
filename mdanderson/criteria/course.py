"""A patient's series, ready to be asked: visits in order, and what is known of each lesion at each of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdanderson.criteria.facts import ModalityFacts
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.series import ModalitySeries
from mdanderson.findings import Examination, PatientFacts
from mdanderson.vocabulary import Modality

__all__ = ["Flare", "PatientCourse", "Visit", "flare_visits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Images that belong together. date: of the first of them; weeks: from baseline."""

    index: int
    label: str
    date: dt.date
    weeks: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Flare:
    """New or hotter lesions inside the flare window, and what later visits made of them.

    is_flare: True as PR2 or as settled; False while it is an unconfirmed progression, or when it turned out to be one.
    sign: another sign of response stands beside it and nothing else progresses. elsewhere: something else progressed.
    settled_by: the visit that settled it, None while none has. worse: it grew or had company there.
    """

    modality: Modality
    visit: int
    lesion_ids: frozenset[str]
    sign: bool
    elsewhere: bool = False
    settled_by: int | None = None
    worse: bool = False

    @property
    def is_flare(self) -> bool:
        """Whether its lesions are taken for flare by what is known."""
        return not self.worse and (self.sign or self.settled_by is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientCourse:
    """The series of one patient. examinations: one mapping a visit, its images of one modality pooled.

    shown: lesion -> the modalities that show it at the patient's first visit, where the patient has several.
    doubts: modality and lesion -> why the other modalities leave open whether it is new there, or has come back.
    treated_since: lesion -> the day of its first local treatment; for visits that do not speak of it.
    any_treated: whether any lesion was ever treated locally.
    """

    patient: PatientFacts
    visits: tuple[Visit, ...]
    examinations: tuple[Mapping[Modality, Examination], ...]
    shown: Mapping[str, tuple[Modality, ...]] = field(default_factory=dict)
    doubts: Mapping[tuple[Modality, str], str] = field(default_factory=dict)
    treated_since: Mapping[str, dt.date] = field(default_factory=dict)
    _histories: Mapping[Modality, tuple[LesionHistory, ...]] = field(init=False, repr=False, compare=False)
    _baselines: Mapping[Modality, int | None] = field(init=False, repr=False, compare=False)
    any_treated: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        modalities = sorted({modality for exams in self.examinations for modality in exams})
        series = [ModalitySeries.from_examinations(modality, self.examinations) for modality in modalities]
        histories = {
            one.modality: tuple(
                LesionHistory(
                    one,
                    lesion,
                    self._shown_by(lesion, one.modality),
                    self._treated_from(lesion),
                    self.doubts.get((one.modality, lesion), ""),
                )
                for lesion in one.lesion_ids
            )
            for one in series
        }
        object.__setattr__(self, "_histories", histories)
        object.__setattr__(self, "_baselines", {one.modality: one.baseline_visit for one in series})
        treated = any(finding.treated for exams in self.examinations for e in exams.values() for finding in e.lesions)
        object.__setattr__(self, "any_treated", treated or bool(self.treated_since))

    @property
    def has_baseline(self) -> bool:
        """Whether anything was ever evaluable; else the first visit is no baseline, of nothing."""
        return any(first is not None for first in self._baselines.values())

    def _treated_from(self, lesion_id: str) -> int | None:
        """The first visit after a lesion's local treatment; None where it has none."""
        since = self.treated_since.get(lesion_id)
        if since is None:
            return None
        return next((visit.index for visit in self.visits if visit.date >= since), None)

    def _shown_by(self, lesion_id: str, modality: Modality) -> Modality | None:
        """Another modality that shows a lesion at the patient's first visit; None where none does."""
        return next((other for other in self.shown.get(lesion_id, ()) if other is not modality), None)

    def days_on_treatment(self, visit: int) -> int:
        """Days from treatment start, from baseline where that is not known."""
        start = self.patient.treatment_start or self.visits[0].date
        return (self.visits[visit].date - start).days

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Every modality that was ever looked at, in order of name."""
        return tuple(self._histories)

    def histories(self, modality: Modality) -> tuple[LesionHistory, ...]:
        """Every lesion that a modality ever speaks of."""
        return self._histories[modality]

    def modality_facts(self, modality: Modality, visit: int) -> ModalityFacts:
        """What a modality is worth at a visit."""
        exam = self.examinations[visit][modality]
        return ModalityFacts(
            modality=modality,
            visit=visit,
            baseline_visit=self._baselines[modality],
            evaluable=exam.evaluable,
            why="" if exam.evaluable else exam.why or f"{modality} not evaluable",
        )


def flare_visits(modality: Modality, visit: int, flares: Sequence[Flare]) -> dict[str, int]:
    """Lesions of a modality that are flare as far as is known at a visit, with the visit that began it."""
    return {
        lesion_id: flare.visit
        for flare in flares
        if flare.modality is modality and flare.visit <= visit and flare.is_flare
        for lesion_id in flare.lesion_ids
    }
