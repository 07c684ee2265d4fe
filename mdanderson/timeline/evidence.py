"""What stands beside the rows and decides nothing: weak size of blastic lesions, ADC, foci without a correlate.

Sources: the guideline's diagnostic workflow (a bone scan focus is confirmed by CT, MR or PET/CT), RECIST 1.1 (blastic
lesions are not measurable), MET-RADS-P (docs/criteria.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import fixed
from mdanderson.vocabulary import LesionType, Modality

__all__ = ["with_evidence"]

_CONFIRMING = (Modality.CT, Modality.MR, Modality.PT, Modality.XR)
_WEAK = "blastic: its size on CT or radiograph alone is weak evidence"
_UNCONFIRMED = "bone scan focus without a correlate on {others}: needs confirmation"

Pooled = Mapping[Modality, Examination]


def with_evidence(visits: Sequence[Pooled]) -> tuple[dict[Modality, Examination], ...]:
    """The examinations of every visit, with `evidence` in the findings that have some."""
    blastic = {
        (finding.modality, finding.lesion_id)
        for visit in visits
        for exam in visit.values()
        for finding in exam.lesions
        if finding.lesion_type is LesionType.BLASTIC
    }
    confirmed: set[str] = set()
    told = []
    for visit in visits:
        confirmed |= {
            finding.lesion_id
            for modality in _CONFIRMING
            if modality in visit
            for finding in visit[modality].lesions
            if not finding.is_silent
        }
        told.append({modality: _told(exam, visit, blastic, confirmed) for modality, exam in visit.items()})
    return tuple(told)


def _told(exam: Examination, visit: Pooled, blastic: set[tuple[Modality, str]], confirmed: set[str]) -> Examination:
    """One examination; itself where no finding has any evidence."""
    if not (exam.modality is Modality.NM or blastic or any(one.adc_um2_s is not None for one in exam.lesions)):
        return exam
    return replace(
        exam,
        lesions=tuple(
            replace(finding, evidence="; ".join(said))
            if (said := list(_said(finding, visit, blastic, confirmed)))
            else finding
            for finding in exam.lesions
        ),
    )


def _said(
    finding: LesionFinding, visit: Pooled, blastic: set[tuple[Modality, str]], confirmed: set[str]
) -> Iterator[str]:
    """Everything that stands beside one finding."""
    if finding.modality is Modality.NM and finding.is_seen and finding.lesion_id not in confirmed:
        others = [modality for modality in _CONFIRMING if modality in visit and visit[modality].evaluable]
        yield _UNCONFIRMED.format(others=", ".join(others) if others else "CT, MR or PET, none of which was made")
    if finding.long_axis_mm is not None and (finding.modality, finding.lesion_id) in blastic:
        beside = list(_beside(finding.lesion_id, visit))
        yield f"{_WEAK}; beside it {', '.join(beside)}" if beside else _WEAK


def _beside(lesion_id: str, visit: Pooled) -> Iterator[str]:
    """What MR and PET say of the same lesion at the same visit."""
    for modality in (Modality.MR, Modality.PT):
        for finding in visit[modality].lesions if modality in visit else ():
            if finding.lesion_id == lesion_id:
                yield from _numbers(finding)


def _numbers(finding: LesionFinding) -> Iterator[str]:
    name = f"{finding.modality} {finding.sequence}".strip()
    if finding.signal_ratio is not None:
        yield f"{name} signal ratio {fixed(finding.signal_ratio, 2)}"
    if finding.adc_um2_s is not None:
        yield f"{name} {fixed(finding.adc_um2_s, 0)} um2/s"
    if finding.suv_max is not None:
        yield f"{name} SUVmax {fixed(finding.suv_max, 1)}"
