"""The course in a few words: best response, dates of response and progression, how much disease there was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from mdanderson.criteria import Response
from mdanderson.criteria.course import PatientCourse
from mdanderson.findings import PatientFacts
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Pattern

__all__ = ["Summary", "baseline_lesions", "summarise"]

_RANK = (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One criteria set's row of patients.csv."""

    criteria: str
    best_response: Category
    first_response_date: dt.date | None
    progression_date: dt.date | None
    progression_free_days: int | None
    censored: bool


def summarise(criteria: str, overall: Sequence[Response], patient: PatientFacts, settings: Settings) -> Summary:
    """What a criteria set's overall rows, in order of date, amount to.

    Only visits up to the first confirmed progression count for the best response; an unconfirmed one dates nothing.
    """
    progression = next((row for row in overall if row.category.is_progression and not row.unconfirmed), None)
    judged = [row for row in overall if row.category is not Category.BL]
    upto = [row for row in judged if progression is None or row.date <= progression.date]
    confirmed = [_confirmed(row, upto, settings) for row in upto]
    best = min(confirmed, key=lambda category: _RANK.index(category.means), default=Category.NE)
    responses = [row.date for row, category in zip(upto, confirmed, strict=True) if category.is_response]
    progression_date = None if progression is None else progression.date
    days, censored = _progression_free(overall, progression_date, patient)
    return Summary(
        criteria=criteria,
        best_response=best,
        first_response_date=min(responses, default=None),
        progression_date=progression_date,
        progression_free_days=days,
        censored=censored,
    )


def _confirmed(row: Response, rows: Sequence[Response], settings: Settings) -> Category:
    """A response that a later visit must confirm, as far as it was confirmed (`confirm_weeks`, 0 = needs none)."""
    wait = dt.timedelta(days=7 * settings.policy.confirm_weeks)
    if not row.category.is_response or not wait:
        return row.category
    later = {other.category for other in rows if other.date >= row.date + wait}
    if row.category in later:
        return row.category
    return Category.PR if any(category.is_response for category in later) else Category.SD


def _progression_free(
    overall: Sequence[Response], progression: dt.date | None, patient: PatientFacts
) -> tuple[int | None, bool]:
    """Days to progression or death, else to the last evaluable visit; and whether nothing had happened by then."""
    if not overall:
        return None, True
    start = patient.treatment_start or overall[0].date
    events = [date for date in (progression, patient.death_date) if date is not None]
    evaluable = [row.date for row in overall if row.category is not Category.NE]
    end = min(events) if events else max(evaluable, default=start)
    return max((end - start).days, 0), not events


def baseline_lesions(course: PatientCourse, settings: Settings) -> tuple[int, Pattern | None]:
    """How many lesions the baseline shows, over all modalities, and whether these are few."""
    if not course.visits:
        return 0, None
    ids = {
        history.lesion_id
        for modality in course.examinations[0]
        for history in course.histories(modality)
        if history.first == 0
    }
    if not ids:
        return 0, None
    few = len(ids) <= settings.policy.oligo_max_lesions
    return len(ids), Pattern.OLIGOMETASTATIC if few else Pattern.POLYMETASTATIC
