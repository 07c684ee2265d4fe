"""What one visit's images say of each lesion: of several the one that covers it best speaks (detail 30)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mdanderson.assessment.examiner import Examined, Seen
from mdanderson.findings import LesionFinding

__all__ = ["BestSeen"]


@dataclass(kw_only=True, slots=True)
class BestSeen:
    """Filled image by image.

    findings: of every lesion; where: and its best outline; outlined: the same of every image, be another one better.
    """

    findings: dict[str, tuple[LesionFinding, ...]] = field(default_factory=dict)
    where: dict[str, Seen] = field(default_factory=dict)
    outlined: list[Seen] = field(default_factory=list)

    def keep(self, examined: Examined) -> bool:
        """Whether this is the best so far; an MR sequence that only the other image has speaks as well."""
        lesion_id, now = examined.finding.lesion_id, examined.findings
        before = self.findings.get(lesion_id, ())
        better = not before or _coverage(now[0]) > _coverage(before[0])
        if examined.seen is not None:
            self.outlined.append(replace(examined.seen, finding=examined.finding))
        if better and examined.seen is not None:
            self.where[lesion_id] = examined.seen
        first, second = (now, before) if better else (before, now)
        sequences = {finding.sequence for finding in first}
        self.findings[lesion_id] = (*first, *(one for one in second if one.sequence not in sequences))
        return better


def _coverage(finding: LesionFinding) -> tuple[bool, float]:
    return finding.long_axis_mm is not None, finding.volume_ml or 0.0
