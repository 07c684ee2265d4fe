"""PCWG3's other half: soft tissue by RECIST 1.1 on CT and MR, and what it comes to with the bone scan.

Bone lesions on CT and MR are left to the scan: an image with these alone is soft tissue without disease (NED).

Source: Scher et al., J Clin Oncol 2016;34:1402-1418.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from mdanderson.criteria.assessment import OVERALL, Response
from mdanderson.criteria.comparators import recist11
from mdanderson.criteria.course import PatientCourse
from mdanderson.errors import Problem
from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["COMBINED", "COMBINED_WITHOUT_TARGETS", "SOFT_TISSUE", "SoftTissue", "combine", "soft_tissue_by_visit"]

SOFT_TISSUE = (Modality.CT, Modality.MR)

_BONE = (Category.PD, Category.PDU, Category.NON_PD, Category.NED, Category.NE)


def _cells(*cells: Category) -> Mapping[Category, Category]:
    return MappingProxyType(dict(zip(_BONE, cells, strict=True)))


_PD, _SD, _PR, _CR, _NE = Category.PD, Category.SD, Category.PR, Category.CR, Category.NE
_NON, _PDU = Category.NON_CR_NON_PD, Category.PDU

COMBINED: Mapping[Category, Mapping[Category, Category]] = MappingProxyType(
    {  # soft tissue: bone PD, PDu, Non-PD, NED, NE
        Category.PD: _cells(_PD, _PD, _PD, _PD, _PD),
        Category.SD: _cells(_PD, _SD, _SD, _SD, _SD),
        Category.PR: _cells(_PD, _PR, _PR, _PR, _PR),
        Category.CR: _cells(_PD, _PR, _PR, _CR, _PR),
        Category.NON_CR_NON_PD: _cells(_PD, _NON, _NON, _NON, _NON),
        Category.NED: _cells(_PD, _PDU, _NON, _NE, _NE),
        Category.NE: _cells(_PD, _NE, _NE, _NE, _NE),
    }
)
"""Soft tissue, then bone. Non-CR/Non-PD keeps as SD and PR do."""

COMBINED_WITHOUT_TARGETS: Mapping[Category, Mapping[Category, Category]] = MappingProxyType(
    {**COMBINED, Category.CR: _cells(_PD, _NON, _NON, _CR, _NON)}
)
"""The same for patients without target lesions in soft tissue, who cannot be PR."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftTissue:
    """Soft tissue at one visit. overall: all of it; rows: by modality; has_targets: it had some at baseline."""

    overall: Response
    rows: tuple[Response, ...] = ()
    has_targets: bool = True


def combine(soft: Category, bone: Category, *, has_targets: bool = True) -> Category:
    """What both come to. A baseline takes no part (docs/details.md, detail 22)."""
    if Category.BL in {soft, bone} <= {Category.BL, Category.NE}:
        return Category.BL
    table = COMBINED if has_targets else COMBINED_WITHOUT_TARGETS
    return table[_taking_part(soft)][_taking_part(bone)]


def _taking_part(category: Category) -> Category:
    return Category.NE if category is Category.BL else category


def soft_tissue_by_visit(
    course: PatientCourse, settings: Settings
) -> tuple[tuple[SoftTissue, ...], tuple[Problem, ...]]:
    """Soft tissue at every visit, in order, and the problems met. Empty where neither CT nor MR was ever looked at."""
    own = _soft_tissue_course(course, settings)
    if not own.modalities:
        return (), ()
    assessed = recist11.assess(own, settings)
    rows = assessed.responses
    has_targets = any(row.long_axis_sum_mm is not None for row in rows)
    found = []
    for visit in own.visits:
        here = [row for row in rows if row.visit == visit.label]
        overall = next(row for row in here if row.scope == OVERALL)
        by_modality = tuple(row for row in here if row.scope != OVERALL)
        found.append(SoftTissue(overall=overall, rows=by_modality, has_targets=has_targets))
    return tuple(found), assessed.problems


def _soft_tissue_course(course: PatientCourse, settings: Settings) -> PatientCourse:
    """The same visits with CT and MR alone, of which only the lesions of soft tissue are left."""
    kept = {
        (modality, history.lesion_id)
        for modality in course.modalities
        if modality in SOFT_TISSUE
        for history in course.histories(modality)
        if _is_soft_tissue([finding for visit in course.visits for finding in history.at(visit.index)], settings)
    }
    return PatientCourse(
        patient=course.patient,
        visits=course.visits,
        examinations=tuple(
            {modality: _only(exam, kept) for modality, exam in exams.items() if modality in SOFT_TISSUE}
            for exams in course.examinations
        ),
        treated_since=course.treated_since,
    )


def _only(exam: Examination, kept: set[tuple[Modality, str]]) -> Examination:
    return replace(exam, lesions=tuple(one for one in exam.lesions if (exam.modality, one.lesion_id) in kept))


def _is_soft_tissue(findings: list[LesionFinding], settings: Settings) -> bool:
    """Whether a lesion is a node, called target or non-target by a reader, or bone with enough soft tissue at first."""
    if any(finding.node or finding.target is not None for finding in findings):
        return True
    extents = [finding.soft_tissue_mm for finding in findings if finding.soft_tissue_mm is not None]
    return bool(extents) and exact(extents[0]) >= exact(settings.recist11.target_mm)
