"""One lesion over all visits of a modality: where it came from, and what is known of it at each of them."""

from __future__ import annotations

from fractions import Fraction

from mdanderson.criteria.checks.density import is_normal
from mdanderson.criteria.checks.presence import equivocal_words
from mdanderson.criteria.facts import LesionFacts, LesionRule, Origin, RuleTable, Track
from mdanderson.criteria.rule import find_row
from mdanderson.criteria.series import Findings, ModalitySeries, absorbed_into
from mdanderson.findings import LesionFinding
from mdanderson.quantities import add_up, exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Modality, Status

__all__ = ["LesionHistory"]

_SILENT_WORDS = {
    Status.MISSING: "visible but not segmented",
    Status.AMBIGUOUS: "could be one of several neighbours",
    Status.NOT_EVALUABLE: "not evaluable",
}


class LesionHistory:
    """One lesion in one modality over all visits; the series must have a baseline."""

    def __init__(self, series: ModalitySeries, lesion_id: str) -> None:
        self.series, self.lesion_id = series, lesion_id
        self.baseline_visit = series.baseline_visit or 0
        self.first = self._first_seen()
        self.origin = self._origin()

    def at(self, visit: int) -> Findings:
        """Its findings at a visit."""
        return self.series.findings(self.lesion_id, visit)

    def source(self, visit: int) -> Findings:
        """The findings that carry its measurement at a visit."""
        return self.series.source(self.lesion_id, visit)

    def group(self, visit: int) -> frozenset[str]:
        """The lesions measured as one with it at a visit."""
        return self.series.group(self.lesion_id, visit)

    def _first_seen(self) -> int | None:
        """The visit that shows it first, be it that nobody can say whether it is new (docs/criteria.md, detail 31)."""
        visits = range(self.baseline_visit, len(self.series.visits))
        return next((v for v in visits if any(f.is_seen or f.size_mm for f in self.at(v))), None)

    def _origin(self) -> Origin:
        """Baseline lesion, new one, or one that was there before without being assessed."""
        at_baseline = self.at(self.baseline_visit)
        if self.first == self.baseline_visit:
            return Origin.BASELINE
        if any(finding.is_gone for finding in at_baseline):
            return Origin.NEW
        if at_baseline or self.first is None:  # visible, or out of the field of view: nobody may call it new
            return Origin.KNOWN
        fresh = {Status.NEW, Status.EQUIVOCAL}
        return Origin.NEW if any(finding.status in fresh for finding in self.at(self.first)) else Origin.KNOWN

    def _reached(self, new_row: LesionRule, settings: Settings) -> int | None:
        """The first visit at which a new lesion is large enough to count."""
        visits = range(self.first or 0, len(self.series.visits))
        return next((v for v in visits if any(_counts(finding, new_row, settings) for finding in self.at(v))), None)

    def _gone_by(self, visit: int) -> bool:
        """Whether the last word on it, up to a visit, is that it is gone."""
        for index in range(visit, self.baseline_visit - 1, -1):
            findings = self.at(index)
            if findings and all(finding.is_gone for finding in findings):
                return True
            if any(finding.is_seen for finding in findings):
                return False
        return False

    def facts(
        self, visit: int, table: RuleTable, settings: Settings, *, flare_visit: int | None = None, silent: str = ""
    ) -> LesionFacts | None:
        """Everything known of it at a visit; None before it was ever spoken of.

        table: its rows PD4 and CR2 say from which size a new lesion counts, and what normal density is.
        flare_visit: when it began to count as flare, None if it does not. silent: why the visit says nothing at all.
        """
        first = self.first
        new_row, normal_row = find_row(table, "PD4"), find_row(table, "CR2")
        if first is None or first > visit:
            return self._unseen(visit, silent)
        now, baseline = self.at(visit), self.at(first)
        sequence = _size_sequence(self.source(visit), baseline, settings)
        new = self.origin is Origin.NEW
        reached = self._reached(new_row, settings) if new else None
        gone = bool(now) and all(finding.is_gone for finding in now)
        equivocal = new and (reached is None or visit < reached) and not gone
        unassessed = equivocal_words(new_row, settings) if equivocal else silent or self._unassessed(visit, first)
        if not unassessed and _gone_without_trace(now, baseline, normal_row, settings):
            unassessed = f"lesion {self.lesion_id} was as dense as its bone at baseline: its absence cannot be told"
        return LesionFacts(
            lesion_id=self.lesion_id,
            modality=self.series.modality,
            origin=self.origin,
            name=f"lesion {self.lesion_id}",
            now=now,
            baseline=baseline,
            size=self._sizes(visit, first, sequence, unassessed=bool(unassessed)),
            uptake=self._uptakes(visit, first, since=max(first, flare_visit or 0)),
            long_axis_mm=_largest_axis(self.source(visit), sequence),
            measurable=_is_measurable(self.series.modality, baseline, settings),
            treated=any(finding.treated for index in range(visit + 1) for finding in self.at(index)),
            first_counted=new and visit == reached,
            here=reached is not None and reached <= visit and not self._gone_by(visit),
            equivocal=equivocal,
            gone=gone and not unassessed,
            flare=flare_visit is not None,
            settled=flare_visit is not None and flare_visit < visit,
            unassessed=unassessed,
            merged_into=absorbed_into(now),
        )

    def _unseen(self, visit: int, silent: str) -> LesionFacts | None:
        """A lesion spoken of, but nowhere judged so far: listed, yet nobody can call it new."""
        spoken = any(finding.is_silent for index in range(visit + 1) for finding in self.at(index))
        if not spoken or self.origin is Origin.NEW:
            return None
        return LesionFacts(
            lesion_id=self.lesion_id,
            modality=self.series.modality,
            origin=Origin.KNOWN,
            name=f"lesion {self.lesion_id}",
            now=self.at(visit),
            unassessed=silent or self._unassessed(visit, visit),
        )

    def _unassessed(self, visit: int, first: int) -> str:
        """Why nothing can be said of it at a visit; blank when something can."""
        now = self.at(visit)
        who = f"lesion {self.lesion_id}"
        if not now:
            return f"{who} not assessed at this visit"
        if all(finding.is_silent for finding in now):
            words = _SILENT_WORDS[now[0].status]
            why = f" ({now[0].why})" if now[0].why and words not in now[0].why else ""
            return f"{who} {words}{why}"
        if visit == first and self.origin is not Origin.BASELINE:
            return f"{who} is first seen here: nothing to compare with"
        return ""

    def _sizes(self, visit: int, first: int, sequence: str, *, unassessed: bool) -> Track:
        """Sum of diameters over the visits, in one sequence."""
        at_first_sight = visit == first
        group = self.group(visit)
        factor = self._as_one_region(visit, group, sequence)
        known = [self._size_at(index, group, sequence, factor) for index in range(first, visit + 1)]
        now = None if unassessed and not at_first_sight else known[-1]
        return Track(
            now=now,
            least=now,
            baseline=None if at_first_sight else known[0],
            earlier=(None,) * first + tuple(known[:-1]),
        )

    def _size_at(self, visit: int, group: frozenset[str], sequence: str, factor: Fraction) -> Fraction | None:
        """Size at a visit of the lesions that are one now; before they merged, their sizes added, times `factor`."""
        if len(group) == 1 or self.group(visit) == group:
            return _in_sequence(self.source(visit), sequence)
        added = add_up(_in_sequence(self.series.findings(one, visit), sequence) for one in group)
        return None if added is None else factor * added

    def _as_one_region(self, visit: int, group: frozenset[str], sequence: str) -> Fraction:
        """Baseline size of merged parents as one region over their sizes added (docs/criteria.md, detail 27)."""
        if len(group) == 1:
            return Fraction(1)
        for index in range(visit, self.baseline_visit, -1):
            union = next((f.parents_size_mm for f in self.source(index) if f.parents_size_mm is not None), None)
            added = self._size_at(self.baseline_visit, group, sequence, Fraction(1))
            if union is not None and added and self.group(index) == group:
                return exact(union) / added
        return Fraction(1)

    def _uptakes(self, visit: int, first: int, *, since: int) -> Track:
        """Uptake ratio over the visits; a focus that is gone is as hot as reference bone."""
        known = [_uptake(self.source(index)) for index in range(first, visit + 1)]
        earlier = tuple(value if index >= since else None for index, value in enumerate(known[:-1], start=first))
        baseline = None if visit == first else known[0]
        return Track(now=known[-1], least=known[-1], baseline=baseline, earlier=(None,) * first + earlier)


def _counts(finding: LesionFinding, new_row: LesionRule, settings: Settings) -> bool:
    """Whether a new lesion is large enough to count as new; one without diameters is, unless called equivocal."""
    if not finding.is_seen:
        return False
    if finding.long_axis_mm is None:
        return finding.status is not Status.EQUIVOCAL
    return new_row.met("long_axis_mm", exact(finding.long_axis_mm), settings)


def _gone_without_trace(now: Findings, baseline: Findings, normal_row: LesionRule, settings: Settings) -> bool:
    """Whether it was measured as gone by a density that was normal all along."""
    measured = any(f.is_gone and f.basis is Basis.MEASURED and f.density is not None for f in now)
    normal = any(f.density is not None and is_normal(normal_row, f.density, settings) for f in baseline)
    return measured and normal


def _size_sequence(now: Findings, baseline: Findings, settings: Settings) -> str:
    """The MR sequence that gives the size: the first in order that was measured at both visits."""
    both = {f.sequence for f in now if _size(f) is not None} & {f.sequence for f in baseline if _size(f) is not None}
    rank = {str(name): position for position, name in enumerate(settings.policy.size_sequence_order)}
    return min(both, key=lambda name: (rank.get(name, len(rank)), name), default="")


def _size(finding: LesionFinding) -> Fraction | None:
    """Sum of diameters in mm: 0 when gone, None when not assessed."""
    if finding.is_gone:
        return Fraction(0)
    if finding.is_silent or finding.size_mm is None:
        return None
    return exact(finding.size_mm)


def _in_sequence(findings: Findings, sequence: str) -> Fraction | None:
    return next((_size(finding) for finding in findings if finding.sequence == sequence), None)


def _largest_axis(findings: Findings, sequence: str) -> Fraction | None:
    """The longest of the long axes (mm) in one sequence."""
    axes = (
        exact(finding.long_axis_mm)
        for finding in findings
        if finding.sequence == sequence and finding.long_axis_mm is not None and not finding.is_silent
    )
    return max(axes, default=None)


def _uptake(findings: Findings) -> Fraction | None:
    if findings and all(finding.is_gone for finding in findings):
        return Fraction(1)
    ratios = [f.uptake_ratio for f in findings if f.uptake_ratio is not None and not f.is_silent]
    return exact(ratios[0]) if ratios else None


def _is_measurable(modality: Modality, baseline: Findings, settings: Settings) -> bool:
    """A lesion's role, fixed at baseline: the reader's word, else its long axis; without diameters never."""
    sized = [finding for finding in baseline if finding.size_mm is not None and finding.is_seen]
    if not modality.is_anatomical or not sized:
        return False
    stated = [finding.measurable for finding in baseline if finding.measurable is not None]
    if stated:
        return stated[0]
    minimum = exact(settings.policy.minimum_size_mm)
    return any(finding.long_axis_mm is not None and exact(finding.long_axis_mm) >= minimum for finding in sized)
