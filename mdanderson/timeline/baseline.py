"""What the patient's first visit shows, in whatever modality (docs/details.md, detail 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.course import PatientCourse
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status

__all__ = ["about_known", "shown_at_baseline"]

_FRESH = {Status.NEW, Status.EQUIVOCAL}


def shown_at_baseline(
    visits: Sequence[Mapping[Modality, Examination]], settings: Settings
) -> Mapping[str, tuple[Modality, ...]]:
    """Lesion -> the modalities whose examination at the patient's first visit shows it, in order of name.

    Empty where there is but one modality: what its own baseline shows, it knows by itself.
    """
    if len({modality for exams in visits for modality in exams}) < 2:
        return {}
    shown: dict[str, tuple[Modality, ...]] = {}
    for modality, exam in sorted(visits[0].items()):
        for lesion_id in sorted({one.lesion_id for one in exam.lesions if exam.evaluable and _shows(one, settings)}):
            shown[lesion_id] = (*shown.get(lesion_id, ()), modality)
    return shown


def _shows(finding: LesionFinding, settings: Settings) -> bool:
    """Whether a finding is of a lesion that is there; a place of normal uptake on a bone scan shows none."""
    ratio = finding.uptake_ratio if finding.modality is Modality.NM else None
    return finding.is_seen and (ratio is None or NEW_LESION.met("uptake_ratio", exact(ratio), settings))


def about_known(course: PatientCourse, settings: Settings) -> Iterator[Problem]:
    """A warning for every lesion first shown at follow-up where something speaks against its being new.

    Another modality showed it at baseline, which is believed unless a reader calls it new; or its uptake is normal,
    which never is where a reader does.
    """
    for modality in course.modalities:
        for history in course.histories(modality):
            now = () if history.first is None else history.at(history.first)
            if any(finding.status in _FRESH for finding in now) and (told := _against(now, history.shown_by, settings)):
                what, way_out = told
                yield Problem(
                    severity=Severity.WARNING,
                    visit=course.visits[history.first or 0].label,
                    where=f"{modality} lesion {history.lesion_id}",
                    what=what,
                    how_to_fix=way_out,
                )


def _against(now: Sequence[LesionFinding], shown_by: Modality | None, settings: Settings) -> tuple[str, str] | None:
    """What speaks against a lesion's being new, and the way out."""
    if not any(finding.stated_new for finding in now):
        told = f"first shown here, but {shown_by} showed it at baseline: followed, not new"
        return (told, "give it a lesion_id of its own if it is another lesion") if shown_by else None
    against = [f"{shown_by} showed it at baseline"] if shown_by else []
    against += [
        f"its uptake, ratio {finding.uptake_ratio}, is normal"
        for finding in now
        if finding.is_seen and not _shows(finding, settings)
    ]
    way_out = "leave status and new blank if it was there, or is normal"
    return (f"called new, yet {', and '.join(against)}: the reader's word counts", way_out) if against else None
