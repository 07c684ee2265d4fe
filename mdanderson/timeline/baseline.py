"""What the patient's first visit shows or lists, in whatever modality (docs/details.md, detail 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.course import PatientCourse
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.timeline.statements import NEW_CODE
from mdanderson.vocabulary import Modality, Status

__all__ = ["about_known", "doubts_between", "shown_at_baseline"]

_FRESH = {Status.NEW, Status.EQUIVOCAL}
_BY_SCANS = " (by PCWG3 it is: foci are counted by the scans alone)"
_Visits: TypeAlias = Sequence[Mapping[Modality, Examination]]


def shown_at_baseline(visits: _Visits, settings: Settings) -> Mapping[str, tuple[Modality, ...]]:
    """Lesion -> the modalities that show it at the patient's first visit, in order of name.

    Those that cannot be used for anything else are among them: it was there. Empty where there is but one modality:
    what its own baseline shows, it knows by itself.
    """
    if not _has_several(visits):
        return {}
    shown: dict[str, tuple[Modality, ...]] = {}
    for modality, exam in sorted(visits[0].items()):
        for lesion_id in sorted({one.lesion_id for one in exam.lesions if _shows(one, settings)}):
            shown[lesion_id] = (*shown.get(lesion_id, ()), modality)
    return shown


def doubts_between(visits: _Visits, shown: Mapping[str, tuple[Modality, ...]]) -> Mapping[tuple[Modality, str], str]:
    """Modality and lesion -> why nobody can say whether a lesion that it shows first at follow-up is new, or is back.

    Another modality lists it at the patient's first visit and could not judge it there, or its row cannot be used; or
    another modality showed it then, and called it gone before. A reader who says whether it is new settles that.
    """
    if not (_has_several(visits) or any(one.maybe_new for exam in visits[0].values() for one in exam.lesions)):
        return {}
    return {
        (finding.modality, finding.lesion_id): why
        for index, finding in _first_sights(visits)
        if not _is_settled(finding) and (why := _doubt(visits, index, finding, shown))
    }


def _first_sights(visits: _Visits) -> Iterator[tuple[int, LesionFinding]]:
    """Visit and finding by which a modality first shows a lesion that its own baseline does not show."""
    met: set[tuple[Modality, str]] = set()
    begun: set[Modality] = set()
    for index, exams in enumerate(visits):
        for modality, exam in exams.items():
            seen = [finding for finding in exam.lesions if exam.evaluable and finding.is_seen]
            if modality in begun:
                yield from ((index, finding) for finding in seen if (modality, finding.lesion_id) not in met)
            met.update((modality, finding.lesion_id) for finding in seen)
            begun.update({modality} if exam.evaluable else ())


def _has_several(visits: _Visits) -> bool:
    return len({modality for exams in visits for modality in exams}) > 1


def _is_settled(finding: LesionFinding) -> bool:
    """Whether it says at first sight whether its lesion is new."""
    fresh = finding.status in _FRESH or finding.maybe_new
    return not fresh or finding.stated_new or NEW_CODE in finding.reader_codes


def _doubt(visits: _Visits, index: int, finding: LesionFinding, shown: Mapping[str, tuple[Modality, ...]]) -> str:
    """Why nobody can say whether a lesion first seen at a visit is new; blank where that is known."""
    lesion_id = finding.lesion_id
    others = [modality for modality in shown.get(lesion_id, ()) if modality is not finding.modality]
    if others:
        return _gone_since(visits[: index + 1], finding, others[0])
    own = _said(visits[0], finding.modality, lesion_id)
    if any(one.maybe_new for one in own):
        return f"{finding.modality} lists it at baseline: {own[0].why}"
    for modality in sorted(visits[0].keys() - {finding.modality}):
        silent = next((one for one in _said(visits[0], modality, lesion_id) if one.is_silent), None)
        if silent is None or (own and visits[0][modality].evaluable):
            continue
        return f"{modality} lists it at baseline: {silent.why or 'not evaluable'}"
    return ""


def _gone_since(visits: _Visits, finding: LesionFinding, shown_by: Modality) -> str:
    """Why a lesion shown at baseline may have come back: by the last word of CT, MR or radiograph it is gone."""
    last: dict[Modality, LesionFinding] = {}
    for exams in visits:
        for modality in (one for one in exams if one.is_anatomical and one is not finding.modality):
            told = [one for one in _said(exams, modality, finding.lesion_id) if not one.is_silent]
            if told:
                last[modality] = next((one for one in told if one.is_seen), told[0])
    if any(one.is_seen for one in last.values()):
        return ""
    # what heals at this visit is no return: this modality shows what is left of it
    before = [one for one in last.values() if one not in _said(visits[-1], one.modality, finding.lesion_id)]
    if not before:
        return ""
    gone = max(before, key=lambda one: (one.date, one.modality))
    return f"{shown_by} showed it at baseline, {gone.modality} of {gone.date} called it gone: it may have come back"


def _said(exams: Mapping[Modality, Examination], modality: Modality, lesion_id: str) -> list[LesionFinding]:
    exam = exams.get(modality)
    return [] if exam is None else [one for one in exam.lesions if one.lesion_id == lesion_id]


def _shows(finding: LesionFinding, settings: Settings) -> bool:
    """Whether a finding is of a lesion that is there; a place of normal uptake on a bone scan shows none."""
    if finding.status is Status.MISSING:
        return True  # visible, though nobody drew it
    ratio = finding.uptake_ratio if finding.modality is Modality.NM else None
    return finding.is_seen and (ratio is None or NEW_LESION.met("uptake_ratio", exact(ratio), settings))


def about_known(course: PatientCourse, settings: Settings, *, by_scans_alone: bool = False) -> Iterator[Problem]:
    """A warning for every lesion first shown at follow-up where something speaks against its being new.

    Another modality showed it at baseline, which is believed unless a reader calls it new; or nobody can say; or its
    uptake is normal, which never is where a reader does. by_scans_alone: a set was asked that counts foci so.
    """
    for modality in course.modalities:
        for history in course.histories(modality):
            now = () if history.first is None else history.at(history.first)
            if not any(finding.status in _FRESH or (finding.maybe_new and history.doubt) for finding in now):
                continue
            but = _BY_SCANS if by_scans_alone and modality is Modality.NM else ""
            if told := _against(now, history.shown_by, history.doubt, but, settings):
                what, way_out = told
                yield Problem(
                    severity=Severity.WARNING,
                    visit=course.visits[history.first or 0].label,
                    where=f"{modality} lesion {history.lesion_id}",
                    what=what,
                    how_to_fix=way_out,
                )


def _against(
    now: Sequence[LesionFinding], shown_by: Modality | None, doubt: str, but: str, settings: Settings
) -> tuple[str, str] | None:
    """What speaks against a lesion's being new, and the way out. but: who calls it new all the same."""
    if doubt:
        told = f"first shown here, but {doubt}: nobody can say whether it is new{but}"
        return told, "write new=true, or new=false if it was there all the time"
    if not any(finding.stated_new for finding in now):
        told = f"first shown here, but {shown_by} showed it at baseline: followed, not new{but}"
        return (told, "give it a lesion_id of its own if it is another lesion") if shown_by else None
    against = [f"{shown_by} showed it at baseline"] if shown_by else []
    against += [
        f"its uptake, ratio {finding.uptake_ratio}, is normal"
        for finding in now
        if finding.is_seen and not _shows(finding, settings)
    ]
    way_out = "leave status and new blank if it was there, or is normal"
    return (f"called new, yet {', and '.join(against)}: the reader's word counts", way_out) if against else None
