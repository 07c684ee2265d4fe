"""Images into visits: what was taken together is one visit, dated by its first image."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from mdanderson.criteria.course import Visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.vocabulary import Modality, Status

__all__ = ["arrange", "group_visits"]

_Pooled = dict[Modality, Examination]


class Dated(Protocol):
    """Anything taken on a day, for a visit that may be named."""

    @property
    def date(self) -> dt.date: ...
    @property
    def visit(self) -> str: ...


Taken = TypeVar("Taken", bound=Dated)


@dataclass(kw_only=True, slots=True)
class _Group(Generic[Taken]):
    """A visit being collected."""

    date: dt.date
    label: str
    members: list[Taken] = field(default_factory=list)

    def takes(self, one: Taken, window_days: int) -> bool:
        """Whether an image belongs here: near enough, and no other visit by its label."""
        near = (one.date - self.date).days <= window_days
        return near and (not one.visit or not self.label or one.visit == self.label)


def group_visits(images: Sequence[Taken], *, window_days: int) -> tuple[tuple[Taken, ...], ...]:
    """Images that are one visit, visits in order of date.

    At most `window_days` from a visit's first image with a blank or the same label: one visit (docs/details.md, detail
    30).
    """
    return tuple(tuple(group.members) for group in _group(images, window_days))


def _group(images: Sequence[Taken], window_days: int) -> list[_Group[Taken]]:
    groups: list[_Group[Taken]] = []
    for one in sorted(images, key=lambda image: (image.date, image.visit == "", image.visit)):
        fitting = [group for group in groups if group.takes(one, window_days)]
        named = [group for group in fitting if one.visit and group.label == one.visit]
        chosen = next(iter(named or fitting[::-1]), None)
        if chosen is None:
            chosen = _Group(date=one.date, label=one.visit)
            groups.append(chosen)
        chosen.label = chosen.label or one.visit
        chosen.members.append(one)
    return groups


def arrange(
    examinations: Sequence[Examination], *, window_days: int
) -> tuple[tuple[Visit, ...], tuple[_Pooled, ...], tuple[Problem, ...]]:
    """Visits with a label each, their examinations pooled by modality, and the problems met."""
    ordered = sorted(examinations, key=lambda one: (one.modality, one.evaluable, one.why))
    groups = _group(ordered, window_days)
    problems: list[Problem] = []
    visits = _label(groups, problems)
    pooled = tuple(_pool(group.members, visit, problems) for group, visit in zip(groups, visits, strict=True))
    return visits, pooled, tuple(problems)


def _label(groups: Sequence[_Group[Examination]], problems: list[Problem]) -> tuple[Visit, ...]:
    """Visits with labels of their own: blank ones are counted, repeated ones told apart."""
    visits: list[Visit] = []
    taken: set[str] = set()
    given = {group.label for group in groups}
    for index, group in enumerate(groups):
        wanted = group.label or ("baseline" if index == 0 else f"visit {index + 1}")
        label, count = wanted, 1
        while label in taken or (not group.label and label in given):
            count += 1
            label = f"{wanted} ({count})"
        if group.label and label != group.label:
            problems.append(
                Problem(
                    severity=Severity.WARNING,
                    visit=label,
                    what=f"visit {group.label!r} occurs again on {group.date}, too far from the first to be one visit",
                    how_to_fix="give each visit its own label, or widen visit_window_days",
                )
            )
        taken.add(label)
        weeks = (group.date - groups[0].date).days / 7
        visits.append(Visit(index=index, label=label, date=group.date, weeks=weeks))
    return tuple(visits)


def _pool(examinations: Iterable[Examination], visit: Visit, problems: list[Problem]) -> _Pooled:
    """One examination a modality: several images of it are pooled, each lesion where it was seen."""
    pooled: _Pooled = {}
    for exam in examinations:
        before = pooled.get(exam.modality)
        pooled[exam.modality] = exam if before is None else _merge(before, exam, visit, problems)
    return {modality: pooled[modality] for modality in sorted(pooled)}


def _merge(one: Examination, other: Examination, visit: Visit, problems: list[Problem]) -> Examination:
    """Two examinations of one modality at one visit as one."""
    if one.evaluable is not other.evaluable:
        return _beside(one, other) if one.evaluable else _beside(other, one)
    findings: dict[tuple[str, str, tuple[str, ...]], LesionFinding] = {}
    for finding in (*one.lesions, *other.lesions):
        key = (finding.lesion_id, finding.sequence, (finding.label,) if finding.status is Status.SPLIT else ())
        kept = findings.get(key)
        if kept is not None and kept.is_seen and finding.is_seen:
            problems.append(
                Problem(
                    severity=Severity.WARNING,
                    visit=visit.label,
                    where=f"{finding.modality} lesion {finding.lesion_id}",
                    what="measured in two images of one visit: the first is used",
                    how_to_fix="give the images different visit labels if they are two visits",
                )
            )
        findings[key] = finding if kept is None or _weight(finding) > _weight(kept) else kept
    return replace(one, lesions=tuple(findings.values()))


def _beside(one: Examination, lost: Examination) -> Examination:
    """An examination with the lesions that only another one names, which says nothing by itself.

    Of those that could not be judged there nobody can say whether they are new.
    """
    named = {finding.lesion_id for finding in one.lesions}
    more = (finding for finding in lost.lesions if finding.lesion_id not in named)
    told = tuple(replace(finding, maybe_new=True) if finding.is_silent else finding for finding in more)
    return replace(one, lesions=(*one.lesions, *told)) if told else one


def _weight(finding: LesionFinding) -> int:
    """How much a finding says: seen, then gone, then nothing."""
    return 2 if finding.is_seen else int(finding.is_gone)
