"""A patient's series, ready to be asked: visits in order, and what is known of each lesion at each of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mdanderson.criteria.checks import is_density_normal
from mdanderson.criteria.facts import Course, LesionFacts, ModalityFacts, Origin
from mdanderson.findings import Examination, LesionFinding, PatientFacts
from mdanderson.quantities import exact, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Modality, Status

__all__ = ["Flare", "PatientCourse", "Visit", "is_gone", "is_seen"]

_SILENT = frozenset({Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE})
"""Statuses at which nothing can be said of a lesion."""

_SILENT_WORDS = {
    Status.MISSING: "visible but not segmented",
    Status.AMBIGUOUS: "could be one of several neighbours",
    Status.NOT_EVALUABLE: "not evaluable",
}

Findings = tuple[LesionFinding, ...]


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


def is_gone(finding: LesionFinding) -> bool:
    """Whether the finding says that nothing is left."""
    return finding.status is Status.RESOLVED or finding.long_axis_mm == 0


def is_seen(finding: LesionFinding) -> bool:
    """Whether the finding says that a lesion is there and was judged."""
    return finding.status not in _SILENT and not is_gone(finding)


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientCourse:
    """The series of one patient. examinations: one mapping a visit, its images of one modality pooled."""

    patient: PatientFacts
    visits: tuple[Visit, ...]
    examinations: tuple[Mapping[Modality, Examination], ...]

    def baseline_visit(self, modality: Modality) -> int | None:
        """The modality's first evaluable visit: its own baseline."""
        for index, exams in enumerate(self.examinations):
            if modality in exams and exams[modality].evaluable:
                return index
        return None

    def findings(self, modality: Modality, lesion_id: str, visit: int) -> Findings:
        """What was said of a lesion at a visit, by MR sequence."""
        exam = self.examinations[visit].get(modality)
        if exam is None or not exam.evaluable:
            return ()
        return tuple(finding for finding in exam.lesions if finding.lesion_id == lesion_id)

    def lesion_ids(self, modality: Modality, visit: int) -> tuple[str, ...]:
        """Every lesion that the modality has spoken of up to a visit."""
        ids = {
            finding.lesion_id
            for exams in self.examinations[: visit + 1]
            if modality in exams and exams[modality].evaluable
            for finding in exams[modality].lesions
        }
        return tuple(sorted(ids))

    def days_on_treatment(self, visit: int) -> int:
        """Days from treatment start, from baseline where that is not known."""
        start = self.patient.treatment_start or self.visits[0].date
        return (self.visits[visit].date - start).days

    def modality_facts(
        self, modality: Modality, visit: int, settings: Settings, flares: Sequence[Flare] = ()
    ) -> ModalityFacts:
        """Everything the criteria may know about one modality at one visit. `flares`: what is known of flare so far."""
        exam = self.examinations[visit][modality]
        baseline = self.baseline_visit(modality)
        lesions: tuple[LesionFacts, ...] = ()
        if baseline is not None and baseline <= visit:
            ids = self.lesion_ids(modality, visit)
            marks = _Marks(flares=tuple(flare for flare in flares if flare.modality is modality), visit=visit)
            lesions = tuple(
                facts
                for lesion_id in ids
                if (facts := _History(self, modality, lesion_id, baseline).facts(visit, settings, marks, exam))
            )
        return ModalityFacts(
            modality=modality,
            visit=visit,
            baseline_visit=baseline,
            evaluable=exam.evaluable,
            why=exam.why,
            lesions=lesions,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Marks:
    """What is known at a visit about flare in one modality."""

    flares: tuple[Flare, ...]
    visit: int

    def of(self, lesion_id: str) -> Flare | None:
        """The lesion's flare up to this visit, where it is one."""
        found = [f for f in self.flares if lesion_id in f.lesion_ids and f.visit <= self.visit and f.is_flare]
        return found[-1] if found else None


class _History:
    """One lesion in one modality over all visits."""

    def __init__(self, course: PatientCourse, modality: Modality, lesion_id: str, baseline_visit: int) -> None:
        self.course, self.modality, self.lesion_id = course, modality, lesion_id
        self.baseline_visit = baseline_visit

    def at(self, visit: int) -> Findings:
        """Its findings at a visit."""
        return self.course.findings(self.modality, self.lesion_id, visit)

    def source(self, visit: int) -> Findings:
        """The findings that carry its measurement at a visit: another lesion's, where it merged into that."""
        findings = self.at(visit)
        into = _absorbed_into(findings)
        return self.course.findings(self.modality, into, visit) if into else findings

    def group(self, visit: int) -> frozenset[str]:
        """The lesions measured as one with it at a visit, itself included."""
        into = _absorbed_into(self.at(visit)) or self.lesion_id
        exam = self.course.examinations[visit].get(self.modality)
        findings = exam.lesions if exam and exam.evaluable else ()
        return frozenset({into} | {f.lesion_id for f in findings if _absorbed_into((f,)) == into})

    def first_seen(self) -> int | None:
        """The visit that shows it first."""
        visits = range(self.baseline_visit, len(self.course.visits))
        return next((v for v in visits if any(is_seen(finding) for finding in self.at(v))), None)

    def origin(self) -> Origin:
        """Baseline lesion, new one, or one that was there before without being assessed."""
        first = self.first_seen()
        at_baseline = self.at(self.baseline_visit)
        if first == self.baseline_visit:
            return Origin.BASELINE
        stated_absent = any(is_gone(finding) for finding in at_baseline)
        if first is None or stated_absent:
            return Origin.NEW
        if at_baseline:  # visible, or out of the field of view: nobody may call it new
            return Origin.KNOWN
        fresh = {Status.NEW, Status.EQUIVOCAL}
        return Origin.NEW if any(finding.status in fresh for finding in self.at(first)) else Origin.KNOWN

    def reached(self, settings: Settings) -> int | None:
        """The first visit at which a new lesion is large enough to count."""
        for visit in range(self.first_seen() or 0, len(self.course.visits)):
            if any(self._counts(finding, settings) for finding in self.at(visit)):
                return visit
        return None

    @staticmethod
    def _counts(finding: LesionFinding, settings: Settings) -> bool:
        if not is_seen(finding):
            return False
        if finding.long_axis_mm is None:
            return finding.status is not Status.EQUIVOCAL
        return exact(finding.long_axis_mm) >= exact(settings.policy.new_lesion_mm)

    def gone_by(self, visit: int) -> bool:
        """Whether the last word on it, up to a visit, is that it is gone."""
        for index in range(visit, self.baseline_visit - 1, -1):
            findings = self.at(index)
            if findings and all(is_gone(finding) for finding in findings):
                return True
            if any(is_seen(finding) for finding in findings):
                return False
        return False

    def facts(self, visit: int, settings: Settings, marks: _Marks, exam: Examination) -> LesionFacts | None:
        """Everything known of it at a visit; None before it was ever seen."""
        first = self.first_seen()
        if first is None or first > visit:
            return None
        origin = self.origin()
        now, baseline = self.at(visit), self.at(first)
        sequence = self._size_sequence(self.source(visit), baseline, settings)
        flare = marks.of(self.lesion_id)
        reached = self.reached(settings)
        new = origin is Origin.NEW
        gone = bool(now) and all(is_gone(finding) for finding in now)
        unassessed = self._unassessed(visit, first, origin, settings, exam)
        equivocal = new and (reached is None or visit < reached) and not gone
        return LesionFacts(
            lesion_id=self.lesion_id,
            modality=self.modality,
            origin=origin,
            name=f"lesion {self.lesion_id}",
            now=now,
            baseline=baseline,
            size=self._sizes(visit, first, sequence, unassessed=bool(unassessed)),
            uptake=self._uptakes(visit, first if flare is None else max(first, flare.visit), first),
            long_axis_mm=_largest_axis(self.source(visit), sequence),
            measurable=_is_measurable(self.modality, baseline, settings),
            treated=any(finding.treated for index in range(visit + 1) for finding in self.at(index)),
            first_counted=new and visit == reached,
            here=new and reached is not None and reached <= visit and not self.gone_by(visit),
            equivocal=equivocal,
            gone=gone and not unassessed,
            flare=flare is not None,
            settled=flare is not None and flare.visit < visit,
            unassessed=f"new focus below {fixed(exact(settings.policy.new_lesion_mm))} mm: equivocal, not counted"
            if equivocal
            else unassessed,
            merged_into=_absorbed_into(now),
        )

    def _unassessed(self, visit: int, first: int, origin: Origin, settings: Settings, exam: Examination) -> str:
        """Why nothing can be said of it at a visit; blank when something can."""
        now = self.at(visit)
        who = f"lesion {self.lesion_id}"
        if not exam.evaluable:
            return exam.why or f"{self.modality} not evaluable"
        if not now:
            return f"{who} not assessed at this visit"
        if all(finding.status in _SILENT for finding in now):
            finding = now[0]
            return f"{who} {_SILENT_WORDS[finding.status]}" + (f" ({finding.why})" if finding.why else "")
        if visit == first and origin is not Origin.BASELINE:
            return f"{who} is first seen here: nothing to compare with"
        if self._gone_without_trace(now, self.at(first), settings):
            return f"{who} was as dense as its bone at baseline: its absence cannot be told"
        return ""

    @staticmethod
    def _gone_without_trace(now: Findings, baseline: Findings, settings: Settings) -> bool:
        """Measured as gone by density, which was normal all along."""
        measured = any(is_gone(f) and f.basis is Basis.MEASURED and f.density is not None for f in now)
        normal = any(f.density is not None and is_density_normal(f.density, settings.image) for f in baseline)
        return measured and normal

    def _size_sequence(self, now: Findings, baseline: Findings, settings: Settings) -> str:
        """The MR sequence that gives the size: the first in order that was measured at both visits."""
        both = {f.sequence for f in now if _size(f) is not None} & {
            f.sequence for f in baseline if _size(f) is not None
        }
        ordered = [str(sequence) for sequence in settings.policy.size_sequence_order]
        rank = {name: position for position, name in enumerate(ordered)}
        return min(both, key=lambda name: (rank.get(name, len(rank)), name), default="")

    def _sizes(self, visit: int, first: int, sequence: str, *, unassessed: bool) -> Course:
        """Sum of diameters over the visits, in one sequence."""
        at_first_sight = visit == first
        group = self.group(visit)
        factor = self._as_one_region(visit, group, sequence)
        known = [self._size_at(index, group, sequence, factor) for index in range(first, visit + 1)]
        now = None if unassessed and not at_first_sight else known[-1]
        return Course(
            now=now,
            least=now,
            baseline=None if at_first_sight else known[0],
            earlier=(None,) * first + tuple(known[:-1]),
        )

    def _size_at(self, visit: int, group: frozenset[str], sequence: str, factor: Fraction) -> Fraction | None:
        """Size at a visit of the lesions that are one now; before they merged, their sizes added, times `factor`."""
        if len(group) == 1 or self.group(visit) == group:
            return _in_sequence(self.source(visit), sequence)
        sizes = [_in_sequence(self.course.findings(self.modality, one, visit), sequence) for one in group]
        return None if None in sizes else factor * sum((size for size in sizes if size is not None), Fraction(0))

    def _as_one_region(self, visit: int, group: frozenset[str], sequence: str) -> Fraction:
        """Baseline size of a merge's parents as one region over that of the parents added (criteria, detail 27)."""
        if len(group) == 1:
            return Fraction(1)
        for index in range(visit, self.baseline_visit, -1):
            union = next((f.parents_size_mm for f in self.source(index) if f.parents_size_mm is not None), None)
            added = self._size_at(self.baseline_visit, group, sequence, Fraction(1))
            if union is not None and added and self.group(index) == group:
                return exact(union) / added
        return Fraction(1)

    def _uptakes(self, visit: int, since: int, first: int) -> Course:
        """Uptake ratio over the visits; a focus that is gone is as hot as reference bone."""
        known = [_uptake(self.source(index)) for index in range(first, visit + 1)]
        earlier = tuple(value if index >= since else None for index, value in enumerate(known[:-1], start=first))
        baseline = None if visit == first else known[0]
        return Course(now=known[-1], least=known[-1], baseline=baseline, earlier=(None,) * first + earlier)


def _absorbed_into(findings: Findings) -> str:
    """The lesion whose finding carries the measurement after a merge; blank when it is the lesion's own."""
    parents = (f.parents[0] for f in findings if f.status is Status.MERGED and f.parents)
    return next((parent for parent in parents if parent != findings[0].lesion_id), "")


def _size(finding: LesionFinding) -> Fraction | None:
    """Sum of diameters in mm: 0 when gone, None when not assessed."""
    if is_gone(finding):
        return Fraction(0)
    if finding.status in _SILENT or finding.size_mm is None:
        return None
    return exact(finding.size_mm)


def _in_sequence(findings: Findings, sequence: str) -> Fraction | None:
    return next((_size(finding) for finding in findings if finding.sequence == sequence), None)


def _largest_axis(findings: Findings, sequence: str) -> Fraction | None:
    axes: Iterator[Fraction] = (
        exact(finding.long_axis_mm)
        for finding in findings
        if finding.sequence == sequence and finding.long_axis_mm is not None and finding.status not in _SILENT
    )
    return next(axes, None)


def _uptake(findings: Findings) -> Fraction | None:
    if findings and all(is_gone(finding) for finding in findings):
        return Fraction(1)
    ratios = [f.uptake_ratio for f in findings if f.uptake_ratio is not None and f.status not in _SILENT]
    return exact(ratios[0]) if ratios else None


def _is_measurable(modality: Modality, baseline: Findings, settings: Settings) -> bool:
    """A lesion's role, fixed at baseline: the reader's word, else its long axis; without diameters never."""
    sized = [finding for finding in baseline if finding.size_mm is not None and is_seen(finding)]
    if modality in {Modality.NM, Modality.PT} or not sized:
        return False
    stated = [finding.measurable for finding in baseline if finding.measurable is not None]
    if stated:
        return stated[0]
    minimum = exact(settings.policy.minimum_size_mm)
    return any(finding.long_axis_mm is not None and exact(finding.long_axis_mm) >= minimum for finding in sized)
