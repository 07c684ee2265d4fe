"""One lesion over all visits of a modality: where it came from, and what is known of it at each of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import hypot
from operator import attrgetter

from mdanderson.criteria.checks.density import NORMAL_DENSITY
from mdanderson.criteria.checks.presence import (
    NEW_LESION,
    counts_as_new,
    equivocal_words,
    is_abnormal_no_more,
    uptake_on_scan,
)
from mdanderson.criteria.checks.size import is_measurable
from mdanderson.criteria.facts import LesionFacts, Origin
from mdanderson.criteria.rule import Limits
from mdanderson.criteria.said import (
    Quantity,
    are_gone,
    are_seen,
    first_quantity,
    first_type,
    gone_without_trace,
    sd_mm_of,
    size_in_sequence,
    size_sequence,
    uptake_ratio,
)
from mdanderson.criteria.series import Findings, ModalitySeries, absorbed_into
from mdanderson.criteria.track import NO_TRACK, Line, Track
from mdanderson.findings import LesionFinding
from mdanderson.quantities import add_up, exact
from mdanderson.settings import Settings, Uncertainty
from mdanderson.vocabulary import Modality, Status

__all__ = ["LesionHistory", "Together"]

Together = Callable[[Iterable[Fraction | None]], Fraction | None]
"""What several values come to: their sum, or the largest of them; None as soon as one is not known."""

_is_treated = attrgetter("treated")
_SILENT_WORDS = {
    Status.MISSING: "visible but not segmented",
    Status.AMBIGUOUS: "could be one of several neighbours",
    Status.NOT_EVALUABLE: "not evaluable",
}


class LesionHistory:
    """One lesion in one modality over all visits; the series must have a baseline.

    shown_by: another modality that shows it at the patient's first visit, so that it is not new here.
    treated_from: the first visit after its local treatment; of a visit that speaks of it its findings say so.
    doubt: why the other modalities leave open whether it is new here, or has come back; blank where they do not.
    """

    def __init__(
        self,
        series: ModalitySeries,
        lesion_id: str,
        shown_by: Modality | None = None,
        treated_from: int | None = None,
        doubt: str = "",
    ) -> None:
        self.series, self.lesion_id, self.name = series, lesion_id, f"lesion {lesion_id}"
        self.shown_by, self.doubt = shown_by, doubt
        self.baseline_visit = series.baseline_visit or 0
        self._findings = [() if visit is None else visit.get(lesion_id, ()) for visit in series.visits]
        self._gone = [are_gone(findings) for findings in self._findings]
        self._seen = [not gone and are_seen(of) for gone, of in zip(self._gone, self._findings, strict=True)]
        self.first = self._first_seen()
        self.origin = self._origin()
        self.lesion_type = first_type(self._findings[self.first or 0])
        treated = [
            any(map(_is_treated, findings)) or (not findings and treated_from is not None and treated_from <= visit)
            for visit, findings in enumerate(self._findings)
        ]
        self._treated_by = list(accumulate(treated, operator.or_))
        self._uptakes = None if series.modality.is_anatomical else self._uptake_line()
        self._size_lines: dict[tuple[str, int], Line] = {}
        self._roles: dict[float, bool] = {}
        self._sds: dict[tuple[int, str], float] = {}

    def at(self, visit: int) -> Findings:
        """Its findings at a visit."""
        return self._findings[visit]

    def source(self, visit: int) -> Findings:
        """The findings that carry its measurement at a visit."""
        return self.series.source(self.lesion_id, visit) if self.series.has_merges else self._findings[visit]

    def _first_seen(self) -> int | None:
        """The visit that shows it first, be it that nobody can say whether it is new (docs/details.md, detail 31)."""
        visits = range(self.baseline_visit, len(self._findings))
        for visit in visits:
            if self._seen[visit] or any(finding.size_mm for finding in self._findings[visit]):
                return visit
        return None

    def _origin(self) -> Origin:
        """Baseline lesion, new one, or one that was there before without being assessed."""
        at_baseline = self.at(self.baseline_visit)
        if self.first == self.baseline_visit:
            return Origin.BASELINE
        stated_new = self.first is not None and any(finding.stated_new for finding in self.at(self.first))
        if (self.shown_by is not None or self.doubt) and not stated_new:
            return Origin.KNOWN
        if any(finding.is_gone for finding in at_baseline):
            return Origin.NEW
        if stated_new:
            return Origin.NEW
        if at_baseline or self.first is None:  # visible, or out of the field of view: nobody may call it new
            return Origin.KNOWN
        fresh = {Status.NEW, Status.EQUIVOCAL}
        return Origin.NEW if any(finding.status in fresh for finding in self.at(self.first)) else Origin.KNOWN

    @cached_property
    def known(self) -> str:
        """Why nobody may call it new; blank where it is, or where nobody can say."""
        if self.origin is Origin.BASELINE:
            return "it was there at baseline"
        if self.origin is Origin.NEW or self.doubt:
            return ""
        if self.shown_by is not None:
            return f"{self.shown_by} showed it at baseline"
        if self.first is None or self.at(self.baseline_visit):
            return ""
        return "it is stated to have been there before"

    def facts(
        self,
        visit: int,
        settings: Settings,
        *,
        counts: Limits = NEW_LESION,
        normal: Limits = NORMAL_DENSITY,
        flare_visit: int | None = None,
        silent: str = "",
    ) -> LesionFacts | None:
        """Everything known of it at a visit; None before it was ever spoken of.

        counts: from which size (on a bone scan: above which uptake) a new lesion counts. normal: what normal density
        is. flare_visit: when it began to count as flare, None if it does not. silent: why the visit says nothing.
        """
        first = self.first
        if first is None or first > visit:
            return self._unseen(visit, silent)
        new = self.origin is Origin.NEW
        reached = self._reached(counts, settings) if new else None
        if reached is not None and reached <= visit:
            first = reached  # what did not count before is nothing to compare with
        now, baseline, source = self._findings[visit], self._findings[first], self.source(visit)
        sequence = size_sequence(source, baseline, settings)
        gone = self._gone[visit]
        equivocal = new and (reached is None or visit < reached) and not gone
        unassessed = self._in_doubt(visit, counts, settings) if equivocal else silent or self._unassessed(visit, first)
        if gone and not unassessed and gone_without_trace(now, baseline, normal, settings):
            unassessed = f"{self.name} was as dense as its bone at baseline: its absence cannot be told"
        size = self._size_track(visit, first, sequence, unassessed=bool(unassessed))
        return LesionFacts(
            lesion_id=self.lesion_id,
            modality=self.series.modality,
            origin=self.origin,
            name=self.name,
            now=now,
            baseline=baseline,
            lesion_type=self.lesion_type,
            size=size,
            size_in_sum=self._size_in_sum(size, first, sequence) if self.series.has_merges else size,
            parted_from=self._parted_from(visit, first) if self.series.has_merges else frozenset(),
            uptake=self._uptake_track(visit, first, flare_visit or 0),
            sources=((source, sequence),),
            measurable=self._measurable(settings),
            treated=self._treated_by[visit],
            first_counted=new and visit == reached,
            here=reached is not None and self._is_there(reached, visit, counts, settings),
            left=self._treated_by[visit] and self._is_there(first, visit, counts, settings),
            equivocal=equivocal,
            gone=gone and not unassessed,
            flare=flare_visit is not None,
            settled=flare_visit is not None and flare_visit < visit,
            unassessed=unassessed,
            known=self.known,
            doubted=self._doubted(visit),
            merged_into=absorbed_into(now) if self.series.has_merges else "",
        )

    def size_sd_mm(self, visit: int, sequence: str, errors: Uncertainty) -> float:
        """SD of its size at a visit by its own finding; kept, as every later visit asks for it."""
        key = (visit, sequence)
        if key not in self._sds:
            self._sds[key] = hypot(*[sd_mm_of(one, errors) for one in self.at(visit) if one.sequence == sequence])
        return self._sds[key]

    def measured(self, visit: int, now: int, sequence: str) -> list[LesionFinding]:
        """The findings that its size at `visit` comes from; several where it has merged with others by `now`."""
        series = self.series
        if series.has_merges:
            sources = [series.source(one, visit) for one in sorted(series.group(self.lesion_id, now))]
        else:
            sources = [self._findings[visit]]
        return [one for findings in sources for one in findings if one.sequence == sequence or one.is_gone]

    def track(self, visit: int, quantity: Quantity, together: Together = add_up) -> Track:
        """Any quantity over the visits up to one: 0 where the lesion is gone, None where nothing can be said.

        together: what lesions that are one after a merge came to before it.
        """
        first = visit if self.first is None else min(self.first, visit)
        group = self.series.group(self.lesion_id, visit) if self.series.has_merges else frozenset({self.lesion_id})
        known = [self._of_group(index, group, quantity, together) for index in range(first, visit + 1)]
        now = None if self.first is None or self.first > visit else known[-1]
        baseline = None if visit == first else known[0]
        return Track.of(now=now, least=now, baseline=baseline, earlier=(*[None] * first, *known[:-1]))

    def _of_group(self, visit: int, group: frozenset[str], quantity: Quantity, together: Together) -> Fraction | None:
        series = self.series
        if len(group) == 1 or series.group(self.lesion_id, visit) == group:
            return first_quantity(series.source(self.lesion_id, visit), quantity)
        return together(first_quantity(series.findings(one, visit), quantity) for one in group)

    def is_left(self, visit: int, settings: Settings, counts: Limits = NEW_LESION) -> bool:
        """Whether it is neither gone nor normal again, by the last word on it; one never judged so far is not."""
        return self.first is not None and self._is_there(self.first, visit, counts, settings)

    def _reached(self, counts: Limits, settings: Settings) -> int | None:
        """The first visit at which a new lesion is large enough to count, and not in doubt.

        Measured as one with others, it has no size of its own: only a reader can call it new there.
        """
        for visit in range(self.first or 0, len(self._findings)):
            plain = [finding for finding in self.at(visit) if not finding.maybe_new]
            if self._is_together(visit):
                plain = [finding for finding in plain if finding.stated_new]
            if any(counts_as_new(finding, counts, settings) for finding in plain):
                return visit
        return None

    def _is_there(self, reached: int, visit: int, counts: Limits, settings: Settings) -> bool:
        """Whether a lesion that counts since `reached` is neither gone nor normal again, by the last word on it."""
        for index in range(visit, reached - 1, -1):
            if self._gone[index] or is_abnormal_no_more(self.source(index), self.lesion_type, counts, settings):
                return False
            if self._seen[index]:
                return True
        return False

    def _measurable(self, settings: Settings) -> bool:
        """A lesion's role, fixed at its first sight: the reader's word, else its long axis; without diameters never."""
        minimum = settings.policy.minimum_size_mm
        if minimum not in self._roles:
            self._roles[minimum] = is_measurable(self.series.modality, self.at(self.first or 0), settings)
        return self._roles[minimum]

    def _unseen(self, visit: int, silent: str) -> LesionFacts | None:
        """A lesion spoken of, but nowhere judged so far: listed, yet nobody can call it new."""
        spoken = any(finding.is_silent for index in range(visit + 1) for finding in self.at(index))
        if not spoken or self.origin is Origin.NEW:
            return None
        return LesionFacts(
            lesion_id=self.lesion_id,
            modality=self.series.modality,
            origin=Origin.KNOWN,
            name=self.name,
            now=self.at(visit),
            unassessed=silent or self._unassessed(visit, visit),
            doubted=self._doubted(visit),
        )

    def _doubted(self, visit: int) -> str:
        """Its name, where a visit shows it and nobody can say whether it is new, with why; else blank."""
        if self.doubt:
            return f"{self.name} ({self.doubt})" if self._seen[visit] else ""
        in_doubt = () if self.shown_by is not None else [one for one in self.at(visit) if one.maybe_new]
        if not in_doubt:
            return ""
        why = next((one.why for one in in_doubt if one.why and "nobody" not in one.why), "")
        return f"{self.name} ({why})" if why else self.name

    def _in_doubt(self, visit: int, counts: Limits, settings: Settings) -> str:
        """Why a new lesion does not count at a visit."""
        doubt = next((finding.why for finding in self.at(visit) if finding.maybe_new), "")
        if not doubt and self._is_together(visit):
            return f"{self.name} was too small to count, and has no size of its own where it has merged"
        return doubt or equivocal_words(counts, uptake_on_scan(self.source(visit)), settings)

    def _unassessed(self, visit: int, first: int) -> str:
        """Why nothing can be said of it at a visit; blank when something can."""
        now = self.at(visit)
        if not now:
            return f"{self.name} not assessed at this visit"
        if not (self._seen[visit] or self._gone[visit]) and all(finding.is_silent for finding in now):
            words = _SILENT_WORDS[now[0].status]
            why = f" ({now[0].why})" if now[0].why and words not in now[0].why else ""
            return f"{self.name} {words}{why}"
        if visit == first and self.origin is not Origin.BASELINE:
            is_known = self.shown_by is not None and self.origin is Origin.KNOWN and not self.doubt
            known = f", not new: {self.shown_by} showed it at baseline" if is_known else ""
            return f"{self.name} is first seen here: nothing to compare with{known}"
        return ""

    def _size_track(self, visit: int, first: int, sequence: str, *, unassessed: bool) -> Track:
        """Sum of diameters over the visits, in one sequence."""
        line = self._size_line(visit, first, sequence)
        if visit == first:
            return line.upto(visit, baseline=None)
        return line.upto(visit, baseline=first, now_counts=not unassessed)

    def _size_line(self, visit: int, first: int, sequence: str) -> Line:
        """Its size at each visit from `first` on; with others, where they are one at `visit`.

        Such a region has grown only since all of its lesions were there.
        """
        group = self.series.group(self.lesion_id, visit) if self.series.has_merges else frozenset()
        visits = range(len(self._findings))
        if len(group) > 1:
            factor = self._as_one_region(visit, group, sequence)
            known = [self._size_at(index, group, sequence, factor) for index in range(first, visit + 1)]
            whole_from = max(self.series.arrival(one) for one in group)
            return Line.of([*[None] * first, *known], whole_from=whole_from)
        if (sequence, first) not in self._size_lines:
            own = [None if self._is_together(index) else size_in_sequence(self.at(index), sequence) for index in visits]
            self._size_lines[sequence, first] = Line.of(own, counts_from=first)
        return self._size_lines[sequence, first]

    def _is_together(self, visit: int) -> bool:
        """Whether it is measured as one with others at a visit, so that no size is its own."""
        return self.series.has_merges and len(self.series.group(self.lesion_id, visit)) > 1

    def _size_in_sum(self, size: Track, first: int, sequence: str) -> Track:
        """Its size, with what it added to the sum at visits at which it was one with others that it has parted from.

        The lesion that carried the measurement added all of it, the others nothing.
        """
        visit = size.visit
        if self._is_together(visit):
            return size
        parted = {
            index: Fraction(0) if absorbed_into(self.at(index)) else size_in_sequence(self.at(index), sequence)
            for index in range(first, visit)
            if self._is_together(index)
        }
        earlier = tuple(parted.get(index, value) for index, value in enumerate(size.earlier))
        return Track.of(now=size.now, baseline=size.baseline, earlier=earlier, least=size.now) if parted else size

    def _parted_from(self, visit: int, first: int) -> frozenset[str]:
        """Those it was one with at an earlier visit; a sum without them knows no size of it there."""
        if self._is_together(visit):
            return frozenset()
        groups = [self.series.group(self.lesion_id, index) for index in range(first, visit)]
        return frozenset().union(*groups) - {self.lesion_id}

    def _size_at(self, visit: int, group: frozenset[str], sequence: str, factor: Fraction) -> Fraction | None:
        """Size at a visit of the lesions that are one now; before they merged, their sizes added, times `factor`."""
        if self.series.group(self.lesion_id, visit) == group:
            return size_in_sequence(self.source(visit), sequence)
        added = add_up(self._size_alone(one, visit, sequence) for one in group)
        return None if added is None else factor * added

    def _size_alone(self, lesion_id: str, visit: int, sequence: str) -> Fraction | None:
        """Size of one of several lesions before they merged."""
        if self.series.is_yet_to_come(lesion_id, visit):
            return Fraction(0)
        return size_in_sequence(self.series.findings(lesion_id, visit), sequence)

    def _as_one_region(self, visit: int, group: frozenset[str], sequence: str) -> Fraction:
        """Baseline size of merged parents as one region over their sizes added (docs/details.md, detail 27)."""
        for index in range(visit, self.baseline_visit, -1):
            union = next((f.parents_size_mm for f in self.source(index) if f.parents_size_mm is not None), None)
            added = self._size_at(self.baseline_visit, group, sequence, Fraction(1))
            if union is not None and added and self.series.group(self.lesion_id, index) == group:
                return exact(union) / added
        return Fraction(1)

    def _uptake_track(self, visit: int, first: int, since: int) -> Track:
        """Uptake ratio over the visits; a focus that is gone is as hot as reference bone.

        since: the visit at which it began to count as flare, before which nothing is a reference.
        """
        line = self._uptakes
        if line is None:
            return NO_TRACK
        if max(first, since) != line.counts_from:
            line = Line(line.whole, line.per, counts_from=max(first, since))
        return line.upto(visit, baseline=None if visit == first else first)

    def _uptake_line(self) -> Line:
        """Uptake ratio at each visit."""
        known = [uptake_ratio(self.source(visit)) for visit in range(len(self._findings))]
        return Line.of(known, counts_from=self.first or 0)
