"""What one server reviews: whose reading it is, of which results, and what that reader may know of a patient."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from mdanderson.review.blinded import cases
from mdanderson.review.forms import FIELDS, LONGEST, LONGEST_COMMENT, WORDS
from mdanderson.review.pages import filled
from mdanderson.review.patient_review import PatientReview
from mdanderson.review.rescoring import Rescorer
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.state import state_of

__all__ = ["CASE", "ReviewSession"]

CASE = "case-"
"""Before the number of a case, where a blinded page names its patient."""
_EXCHANGE_S = 2.0
"""For so long results may be away while new ones take their place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewSession:
    """What the server reviews. reader: who signs, blank = as the form says. blinded: see `blinded`."""

    reviewed: ReviewedFolder
    rescorer: Rescorer
    reader: str = ""
    blinded: bool = False

    @property
    def cases(self) -> tuple[str, ...]:
        """The patients in the order of a blinded reading."""
        return cases(self.reviewed.patient_ids, self.reader)

    def review_of(self, patient_id: str) -> PatientReview:
        """A patient as this reading may know it; while its results are exchanged, that is waited for."""
        until = time.monotonic() + _EXCHANGE_S
        while True:
            patient = self.reviewed.review_of(patient_id, alone=self.reader if self.blinded else "")
            if not patient.failure or not self.rescorer.at_work or time.monotonic() > until:
                return patient
            time.sleep(_EXCHANGE_S / 40)

    def patient_id_of(self, page: str) -> str | None:
        """The patient that a browser names by a page; None for no such page."""
        if not self.blinded:
            return self.reviewed.pages.get(page)
        number = page.removeprefix(CASE)
        if not (page.startswith(CASE) and number.isascii() and number.isdigit() and 0 < len(number) < 10):
            return None
        return self.cases[int(number) - 1] if 0 < int(number) <= len(self.cases) else None

    def state(self, patient: PatientReview) -> dict[str, Any]:
        """What the panel shows of a patient."""
        return state_of(
            patient,
            criteria=self.reviewed.criteria[0],
            job=self.rescorer.job(patient.patient_id),
            waiting=len(self.reviewed.waiting()) if not self.rescorer.at_work else 0,
            blinded=self.reader if self.blinded else "",
        )

    def panel(self, page: str, *, settling: bool = False) -> str:
        """The panel as it stands before its script fills it."""
        values = {"page": page, "reader": self.reader, "blinded": self.blinded, "settling": settling, "lists": WORDS}
        values |= {"fields": [name for name in FIELDS if name != "findings"]}  # findings are boxes to tick
        values |= {"longest": LONGEST, "longest_comment": LONGEST_COMMENT}
        return filled("panel.html.j2", {**values, "job": None, "changes": None, "waiting": 0, "history": ()})
