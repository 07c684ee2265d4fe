"""Lesions called gone beside a measurement that denies it: one of them is wrong, and nobody can say which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.checks.signal import NORMAL_SIGNAL, is_signal_normal
from mdanderson.criteria.course import Visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status

__all__ = ["without_denied"]


def without_denied(
    visits: Sequence[Visit], clean: Sequence[Mapping[Modality, Examination]], settings: Settings
) -> tuple[tuple[dict[Modality, Examination], ...], tuple[Problem, ...]]:
    """The examinations with such lesions not evaluable, and an error for each; a reader's code settles it."""
    problems: list[Problem] = []
    kept: list[dict[Modality, Examination]] = []
    for visit, exams in zip(visits, clean, strict=True):
        found = dict(exams)
        for modality, exam in exams.items() if visit.index else ():
            denied = {id(one): why for one in exam.lesions if (why := _denied_by(one, settings))}
            if denied:
                lesions = (_open(one, denied[id(one)]) if id(one) in denied else one for one in exam.lesions)
                found[modality] = replace(exam, lesions=tuple(lesions))
                problems += [_problem(one, visit, denied[id(one)]) for one in exam.lesions if id(one) in denied]
        kept.append(found)
    return tuple(kept), tuple(problems)


def _denied_by(finding: LesionFinding, settings: Settings) -> str:
    """The measurement that says that a lesion called gone is there; blank where none does."""
    ratio, signal = finding.uptake_ratio, finding.signal_ratio
    if (ratio is None and signal is None) or not finding.is_gone or finding.reader_codes:
        return ""
    if finding.modality is Modality.NM and ratio is not None:
        above = NEW_LESION.met("uptake_ratio", exact(ratio), settings)
        return f"gone, yet its uptake, ratio {ratio}, is above normal" if above else ""
    abnormal = finding.modality is Modality.MR and is_signal_normal(NORMAL_SIGNAL, finding, settings) is False
    return f"gone, yet its signal, ratio {signal}, is not that of marrow" if abnormal else ""


def _open(finding: LesionFinding, why: str) -> LesionFinding:
    return replace(finding, status=Status.NOT_EVALUABLE, long_axis_mm=None, short_axis_mm=None, why=why)


def _problem(finding: LesionFinding, visit: Visit, why: str) -> Problem:
    where = f"{finding.modality} lesion {finding.lesion_id}"
    return Problem(
        severity=Severity.ERROR,
        visit=visit.label,
        where=f"{finding.place}, {where}" if finding.place else where,
        what=f"{why}: not evaluable",
        how_to_fix="leave the ratio blank where it is gone, or the size (the status) where it is not",
    )
