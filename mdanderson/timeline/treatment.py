"""What was done to the patient between visits: lesions treated locally, and the start of another therapy."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Event, Examination, LesionFinding, PatientFacts
from mdanderson.stability.site import vertebra
from mdanderson.vocabulary import EventKind

__all__ = ["mark_treated", "new_therapy_date", "treated_since"]

_WORD = re.compile(r"\w+")


def new_therapy_date(patient: PatientFacts, baseline: dt.date) -> dt.date | None:
    """The day on which another therapy than the one judged began; visits after it are marked. None where none did.

    The therapy judged began at `treatment_start`, at baseline where that is not known.
    """
    begun = patient.treatment_start or baseline
    return min(
        (event.date for event in patient.events if event.kind is EventKind.THERAPY_START and event.date > begun),
        default=None,
    )


def mark_treated(
    examinations: Sequence[Examination], events: Sequence[Event]
) -> tuple[tuple[Examination, ...], tuple[Problem, ...]]:
    """The same examinations, lesions at the site of a local event marked as treated from its day on (detail 34).

    A site is compared by its words, whatever their case and order, and by the levels of the spine that it names: `L3`
    is at "L3 vertebral body" and at "L2-L4", not at "L31". Several sites are joined by `;`. What a finding does not say
    of its lesion's site, another finding of the lesion does.
    """
    since, problems = _treated(examinations, events)
    return tuple(_marked(exam, since) for exam in examinations) if since else tuple(examinations), problems


def treated_since(examinations: Sequence[Examination], events: Sequence[Event]) -> dict[str, dt.date]:
    """Lesion -> the day from which it counts as treated locally, also where no image speaks of it."""
    return _treated(examinations, events)[0]


def _treated(
    examinations: Sequence[Examination], events: Sequence[Event]
) -> tuple[dict[str, dt.date], tuple[Problem, ...]]:
    local = sorted(
        {event for event in events if isinstance(event.kind, EventKind) and event.kind.is_local_treatment},
        key=lambda event: (event.date, event.kind, event.site),
    )
    if not local:
        return {}, ()
    sites = _sites(examinations)
    since: dict[str, dt.date] = {}
    problems: list[Problem] = []
    for event in local:
        here = [lesion_id for lesion_id, site in sites.items() if _is_at(event.site, site)]
        for lesion_id in here:
            since.setdefault(lesion_id, event.date)
        problems += _about(event, here)
    return since, (*problems, *_about_silent_sites(sites))


def _marked(exam: Examination, since: Mapping[str, dt.date]) -> Examination:
    lesions = tuple(
        replace(finding, treated=True) if since.get(finding.lesion_id, dt.date.max) <= finding.date else finding
        for finding in exam.lesions
    )
    return replace(exam, lesions=lesions)


def _sites(examinations: Sequence[Examination]) -> dict[str, str]:
    """Lesion -> everything that its findings say of its site, blank where none does."""
    said: dict[str, set[str]] = {}
    for exam in examinations:
        for finding in exam.lesions:
            said.setdefault(finding.lesion_id, set()).update(_place(finding))
    return {lesion_id: ";".join(sorted(places)) for lesion_id, places in sorted(said.items())}


def _place(finding: LesionFinding) -> tuple[str, ...]:
    return (f"{finding.site} {finding.laterality}".strip(),) if finding.site else ()


def _is_at(event_site: str, lesion_site: str) -> bool:
    """Whether a lesion lies at one of an event's sites."""
    return any(
        _covers(there, here) for there in event_site.split(";") for here in lesion_site.split(";") if there.strip()
    )


def _covers(there: str, here: str) -> bool:
    words, its_words = _words(there), _words(here)
    if words and words <= its_words:
        return True
    levels, its_levels = vertebra(there), vertebra(here)
    if levels is None or its_levels is None or not (levels.all_involved and its_levels.all_involved):
        return False
    return not set(levels.names).isdisjoint(its_levels.names)


def _words(site: str) -> set[str]:
    return set(_WORD.findall(site.casefold()))


def _about(event: Event, here: Sequence[str]) -> Iterator[Problem]:
    """A problem where an event marks no lesion."""
    if not event.site:
        yield Problem(
            severity=Severity.WARNING,
            where=f"{event.kind} of {event.date}",
            what="the event names no site: no lesion is marked as treated",
            how_to_fix="name the site in events.csv",
        )
    elif not here:
        yield Problem(
            severity=Severity.INFO,
            where=f"{event.kind} of {event.date}",
            what=f"no lesion is at {event.site}: none is marked as treated",
            how_to_fix="spell the site as the lesions do, if one of them is meant",
        )


def _about_silent_sites(sites: Mapping[str, str]) -> Iterator[Problem]:
    """A problem where lesions have no site to be compared."""
    silent = [lesion_id for lesion_id, site in sites.items() if not site]
    if silent:
        yield Problem(
            severity=Severity.INFO,
            where=f"lesion {', '.join(silent)}",
            what="no site is known: local treatment cannot be told",
            how_to_fix="name the site in reads.csv, or in the table of measurements",
        )
