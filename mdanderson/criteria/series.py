"""One modality's examinations over the visits, findable by lesion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdanderson.findings import Examination, LesionFinding
from mdanderson.vocabulary import Modality, Status

__all__ = ["Findings", "ModalitySeries", "absorbed_into"]

Findings = tuple[LesionFinding, ...]
"""What was said of one lesion at one visit: one finding per MR sequence, else one; empty = nothing was said."""


_FRESH = frozenset({Status.NEW, Status.EQUIVOCAL})


def absorbed_into(findings: Findings) -> str:
    """The lesion whose finding carries the measurement after a merge; blank when it is the lesion's own."""
    parents = (f.parents[0] for f in findings if f.status is Status.MERGED and f.parents)
    return next((parent for parent in parents if parent != findings[0].lesion_id), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModalitySeries:
    """One modality over all visits. visits: lesion id -> findings, None where it was not looked at or not evaluable.

    baseline_visit: its first evaluable visit, which everything later is compared with (docs/details.md, detail 22).
    has_merges: whether any lesion ever merged into another.
    """

    modality: Modality
    visits: tuple[Mapping[str, Findings] | None, ...]
    baseline_visit: int | None
    has_merges: bool = field(init=False, compare=False)
    _absorbed: tuple[Mapping[str, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        absorbed = tuple(_absorbed(visit or {}) for visit in self.visits)
        object.__setattr__(self, "_absorbed", absorbed)
        object.__setattr__(self, "has_merges", any(absorbed))

    @classmethod
    def from_examinations(
        cls, modality: Modality, examinations: Sequence[Mapping[Modality, Examination]]
    ) -> ModalitySeries:
        """The series of one modality, from all examinations visit by visit."""
        visits = tuple(_by_lesion(exams.get(modality)) for exams in examinations)
        baseline = next((index for index, visit in enumerate(visits) if visit is not None), None)
        return cls(modality=modality, visits=visits, baseline_visit=baseline)

    def findings(self, lesion_id: str, visit: int) -> Findings:
        """What was said of a lesion at a visit."""
        return (self.visits[visit] or {}).get(lesion_id, ())

    def source(self, lesion_id: str, visit: int) -> Findings:
        """The findings that carry its measurement at a visit: another lesion's, where it merged into that."""
        return self.findings(self._absorbed[visit].get(lesion_id, lesion_id), visit)

    def group(self, lesion_id: str, visit: int) -> frozenset[str]:
        """The lesions measured as one with it at a visit, itself included."""
        absorbed = self._absorbed[visit]
        into = absorbed.get(lesion_id, lesion_id)
        return frozenset((into, *(one for one, other in absorbed.items() if other == into)))

    def is_yet_to_come(self, lesion_id: str, visit: int) -> bool:
        """Whether a lesion is new at a later visit, so that it was not there."""
        return visit < self.arrival(lesion_id)

    def arrival(self, lesion_id: str) -> int:
        """The visit at which a lesion is new; 0 of one that is not."""
        told = [index for index, found in enumerate(self.visits) if found is not None and lesion_id in found]
        if told and told[0] == self.baseline_visit and all(one.is_gone for one in self.findings(lesion_id, told[0])):
            seen = (index for index in told if any(one.is_seen for one in self.findings(lesion_id, index)))
            return next(seen, 0)
        first = told[0] if told else 0
        return first if any(one.status in _FRESH for one in self.findings(lesion_id, first)) else 0

    @property
    def lesion_ids(self) -> tuple[str, ...]:
        """Every lesion that the modality ever speaks of."""
        return tuple(sorted({lesion_id for visit in self.visits if visit is not None for lesion_id in visit}))


def _absorbed(visit: Mapping[str, Findings]) -> Mapping[str, str]:
    """Lesion id -> the lesion that carries its measurement, for those that merged into another."""
    return {lesion_id: into for lesion_id, findings in visit.items() if (into := absorbed_into(findings))}


def _by_lesion(exam: Examination | None) -> Mapping[str, Findings] | None:
    if exam is None or not exam.evaluable:
        return None
    found: dict[str, Findings] = {}
    for finding in exam.lesions:
        found[finding.lesion_id] = (*found.get(finding.lesion_id, ()), finding)
    return found
