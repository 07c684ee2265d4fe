"""The course in a few words: best response, dates of response and progression, how much disease there was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mdanderson.criteria import CriteriaSet, Response
from mdanderson.criteria.course import PatientCourse
from mdanderson.errors import Problem, Severity
from mdanderson.findings import PatientFacts
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, EventKind, Pattern

__all__ = ["Summary", "baseline_lesions", "best_response_of", "lost_responses", "summarise"]

_RANK = (Category.CR, Category.PR, Category.SD, None, Category.PD, Category.NE)
"""Best first; in the place of None stands a progression that waits for its confirmation."""
_WAITING = (Category.IUPD, Category.PDU)
_WORDS = (
    (Category.CR, Category.PR, Category.SD),
    (Category.ICR, Category.IPR, Category.ISD),
    (Category.CMR, Category.PMR, Category.SMD),
)
"""Complete response, partial response and stable disease as each family of sets calls them."""


class Visit(Protocol):
    """What an overall row must tell to count."""

    @property
    def date(self) -> dt.date:
        """Of the visit."""

    @property
    def category(self) -> Category:
        """By one set."""

    @property
    def unconfirmed(self) -> bool:
        """Whether the category still waits for confirmation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One criteria set's row of patients.csv.

    event: progression or death, blank where progression-free time is `censored`. response_duration_days: from the first
    response to where progression-free time ends. time_on_study_days: to death, last contact or the last visit. Both
    times of a patient run from start_date: the start of treatment, else the baseline.
    """

    criteria: str
    best_response: Category
    first_response_date: dt.date | None
    progression_date: dt.date | None
    progression_free_days: int | None
    censored: bool
    event: str = ""
    response_duration_days: int | None = None
    time_on_study_days: int | None = None
    start_date: dt.date | None = None


def summarise(criteria: CriteriaSet, overall: Sequence[Response], patient: PatientFacts, settings: Settings) -> Summary:
    """What a criteria set's overall rows, in order of date, amount to.

    Only visits up to the first confirmed progression count for the best response; an unconfirmed one dates nothing.
    Source: docs/details.md, details 13 and 20.
    """
    _, dated = _progression(overall)
    counted = _counting(overall, criteria.confirm_weeks(settings))
    first_response = min((row.date for row, category in counted if category.is_response), default=None)
    end, event = _end(overall, dated, patient, settings)
    start = patient.treatment_start or (overall[0].date if overall else None)
    return Summary(
        criteria=criteria.code,
        best_response=_best(counted),
        first_response_date=first_response,
        progression_date=dated,
        progression_free_days=_days(start, end),
        censored=not event,
        event=event,
        response_duration_days=_days(first_response, end),
        time_on_study_days=_days(start, _last_known(overall, patient)),
        start_date=start,
    )


def best_response_of(overall: Sequence[Visit], *, confirm_weeks: float) -> Category:
    """The best response that overall rows, in order of date, amount to; of those up to a day, what was known by then.

    confirm_weeks: how much later the set wants a response to be seen again.
    """
    return _best(_counting(overall, confirm_weeks))


def _counting(overall: Sequence[Visit], confirm_weeks: float) -> list[tuple[Visit, Category]]:
    """The rows that count for the best response, each with what it counts as."""
    progression, _ = _progression(overall)
    judged = [row for row in overall if row.category is not Category.BL]
    upto = [row for row in judged if progression is None or row.date <= progression.date]
    wait = dt.timedelta(days=7 * confirm_weeks)
    return [(row, _counted(row, upto, progression, wait)) for row in upto]


def _best(counted: Sequence[tuple[Visit, Category]]) -> Category:
    return min((category for _, category in counted), key=_rank, default=Category.NE)


def _progression(overall: Sequence[Visit]) -> tuple[Visit | None, dt.date | None]:
    """The first confirmed progression, and its date: that of the visit it confirmed, where it confirmed one (iUPD)."""
    for index, row in enumerate(overall):
        if row.category.is_progression and not row.unconfirmed:
            confirmed = [one for one in overall[:index] if one.category in _WAITING and not one.unconfirmed]
            return row, (confirmed or [row])[0].date
    return None, None


def _rank(category: Category) -> int:
    return _RANK.index(None if category in _WAITING else category.means)


def _counted(row: Visit, rows: Sequence[Visit], progression: Visit | None, wait: dt.timedelta) -> Category:
    """What a row counts as: a response as far as it was confirmed, a waiting progression as what became of it.

    wait: how much later a response must be seen again; zero = it need not.
    """
    if row.category in _WAITING and not row.unconfirmed and progression is not None:
        return progression.category
    if not row.category.is_response or not wait:
        return row.category
    later = {other.category for other in rows if other.date >= row.date + wait}
    if row.category in later:
        return row.category
    _, partial, stable = next(words for words in _WORDS if row.category in words)
    return partial if any(category.is_response for category in later) else stable


def _end(
    overall: Sequence[Response], progression: dt.date | None, patient: PatientFacts, settings: Settings
) -> tuple[dt.date | None, str]:
    """Where progression-free time ends, and by which event; without one at the last evaluable visit.

    `censor_at`: nothing counts that comes after therapy was stopped, or after a new one was begun.
    """
    if not overall:
        return None, ""
    cutoff = _cutoff(overall[0].date, patient, settings)
    events = [(progression, "progression")] if progression else []
    if settings.policy.death == "event" and patient.death_date:
        events.append((patient.death_date, "death"))
    counted = [event for event in events if cutoff is None or event[0] <= cutoff]
    if counted:
        return min(counted)[0], "death" if min(counted)[0] != progression else "progression"
    known = [row.date for row in overall if row.category is not Category.NE and (cutoff is None or row.date <= cutoff)]
    return max(known, default=overall[0].date), ""


def _cutoff(baseline: dt.date, patient: PatientFacts, settings: Settings) -> dt.date | None:
    """The day after which nothing counts, by `censor_at`; None where there is none."""
    kind = _CUTOFFS.get(settings.policy.censor_at)
    start = patient.treatment_start or baseline
    dates = [event.date for event in patient.events if event.kind == kind and event.date > start]
    return min(dates, default=None)


_CUTOFFS = {"therapy_stop": EventKind.THERAPY_STOP, "new_therapy": EventKind.THERAPY_START}


def _last_known(overall: Sequence[Response], patient: PatientFacts) -> dt.date | None:
    """The last day on which the patient was heard of."""
    if patient.death_date:
        return patient.death_date
    dates = [row.date for row in overall] + ([patient.last_contact] if patient.last_contact else [])
    return max(dates, default=None)


def _days(start: dt.date | None, end: dt.date | None) -> int | None:
    return None if start is None or end is None else max((end - start).days, 0)


def lost_responses(criteria: CriteriaSet, overall: Sequence[Response]) -> Iterator[Problem]:
    """A warning where complete response is followed by partial response or stable disease.

    By every set a lesion that comes back is progression; what was complete and is so no longer deserves a look.
    """
    complete: Response | None = None
    for row in overall:
        if row.category.means is Category.CR:
            complete = row
        elif complete is not None and row.category.means in {Category.PR, Category.SD}:
            yield Problem(
                severity=Severity.WARNING,
                visit=row.visit,
                where=f"{criteria.code} overall",
                what=f"{complete.category} at {complete.visit} is followed by {row.category}",
                how_to_fix="look whether the response was complete, or whether a lesion has come back",
            )
            complete = None
        elif row.category.is_progression:
            complete = None


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
