"""The timeline itself: what the tables, the report and the notebook read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mdanderson.criteria import OVERALL, LesionRows, Response, Visit
from mdanderson.errors import InputError, Problem
from mdanderson.findings import PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline.shown import timeline_html
from mdanderson.timeline.summary import Summary
from mdanderson.vocabulary import DEFAULT_CRITERIA, Category, Pattern

__all__ = ["Timeline"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One patient, judged.

    lesions: one row per lesion, visit and image, by the first criteria set asked that judges lesions, else by the set
    of record; judged_lesions: by every set asked that judges lesions. responses: one per visit, criteria and scope.
    summaries: one per criteria set, in the order asked. settings: by which all was judged. viewing: shows a lesion of a
    modality, where there are images.
    """

    patient: PatientFacts
    visits: tuple[Visit, ...]
    lesions: LesionRows
    responses: tuple[Response, ...]
    summaries: tuple[Summary, ...]
    judged_lesions: LesionRows = field(default_factory=LesionRows)
    problems: tuple[Problem, ...] = ()
    lesions_baseline: int = 0
    baseline_pattern: Pattern | None = None
    settings: Settings = field(default_factory=Settings, compare=False, repr=False)
    viewing: Callable[[str, str], Any] | None = field(default=None, compare=False, repr=False)

    @property
    def best_response(self) -> Category:
        """Best overall response by the first criteria set, up to the first confirmed progression."""
        return self.summaries[0].best_response

    @property
    def first_response_date(self) -> dt.date | None:
        """Date of the first CR or PR."""
        return self.summaries[0].first_response_date

    @property
    def progression_date(self) -> dt.date | None:
        """Date of the first confirmed progression."""
        return self.summaries[0].progression_date

    @property
    def progression_free_days(self) -> int | None:
        """Days from treatment start (else baseline) to progression or death, or to the last evaluable visit."""
        return self.summaries[0].progression_free_days

    @property
    def censored(self) -> bool:
        """Whether neither progression nor death was seen."""
        return self.summaries[0].censored

    def summary(self, criteria: str) -> Summary:
        """What one criteria set amounts to. Raises `InputError` when it was not asked."""
        for one in self.summaries:
            if one.criteria == criteria:
                return one
        asked = ", ".join(one.criteria for one in self.summaries)
        raise InputError(f"criteria {criteria!r} were not asked", way_out=f"this timeline has {asked}")

    def response(
        self, visit: Visit | str | dt.date | int | None = None, scope: str = OVERALL, criteria: str = DEFAULT_CRITERIA
    ) -> Response:
        """The row of one visit (itself, its label, date, or index with 0 the baseline; None = the last).

        Raises `InputError` naming what there is.
        """
        chosen = self._visit(visit)
        for row in self.responses:
            if row.visit == chosen.label and row.scope == scope and row.criteria == criteria:
                return row
        scopes = ", ".join(sorted({row.scope for row in self.responses if row.visit == chosen.label}))
        raise InputError(
            f"no {criteria} response for {scope} at {chosen.label}",
            way_out=f"this visit has {scopes}; criteria asked: {', '.join(one.criteria for one in self.summaries)}",
        )

    def view(self, lesion_id: str = "", modality: str = "") -> Any:
        """A widget for a notebook: a lesion's voxels at every visit side by side, outlined, cross-hairs at one place.

        lesion_id: blank = the largest. modality: blank = the one that speaks first. No voxel is kept before: the images
        are read and measured again when this is first called. Needs the extra `notebook`. Raises `MdandersonError`
        without it, and `InputError` for what is not there.
        """
        if self.viewing is None:
            raise InputError("no images behind this timeline", way_out="assess a patient of a manifest, and view that")
        return self.viewing(lesion_id, modality)

    def _repr_html_(self) -> str:
        """The overall responses and what they amount to, as a notebook shows them."""
        return timeline_html(self)

    def _visit(self, wanted: Visit | str | dt.date | int | None) -> Visit:
        for visit in self.visits:
            if wanted in (visit, visit.label, visit.date) or (type(wanted) is int and wanted == visit.index):
                return visit
        if self.visits and (wanted is None or wanted == -1):
            return self.visits[-1]
        labels = ", ".join(visit.label for visit in self.visits)
        raise InputError(f"no visit {wanted!r}", way_out=f"the visits are {labels or 'none'}")
