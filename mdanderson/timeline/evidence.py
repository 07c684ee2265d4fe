"""What stands beside the rows and decides nothing: weak size of blastic lesions, ADC, foci without a correlate.

Sources: the guideline's diagnostic workflow (a bone scan focus is confirmed by CT, MR or PET/CT), RECIST 1.1 (blastic
lesions are not measurable), MET-RADS-P (docs/criteria.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from mdanderson.findings import Examination, LesionFinding
from mdanderson.met_rads import adc_change, assess_response
from mdanderson.quantities import fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality

__all__ = ["with_evidence"]

_CONFIRMING = (Modality.CT, Modality.MR, Modality.PT, Modality.XR)
_WEAK = "blastic: its size on CT or radiograph alone is weak evidence"
_UNCONFIRMED = "bone scan focus without a correlate on {others}: needs confirmation"

Pooled = Mapping[Modality, Examination]


def with_evidence(visits: Sequence[Pooled], settings: Settings) -> tuple[dict[Modality, Examination], ...]:
    """The examinations of every visit, with `evidence` in the findings that have some."""
    blastic: set[tuple[Modality, str]] = set()
    confirmed: set[str] = set()
    before = _First()
    told = []
    for visit in visits:
        blastic |= _blastic_in(visit)  # and from then on, whatever it looks like later
        confirmed |= {
            finding.lesion_id
            for modality in _CONFIRMING
            if modality in visit
            for finding in visit[modality].lesions
            if not finding.is_silent
        }
        told.append({modality: _told(exam, visit, blastic, confirmed) for modality, exam in visit.items()})
        if Modality.MR in visit:
            told[-1][Modality.MR] = before.met_rads(told[-1][Modality.MR], settings)
    return tuple(told)


def _blastic_in(visit: Pooled) -> set[tuple[Modality, str]]:
    return {
        (finding.modality, finding.lesion_id)
        for exam in visit.values()
        for finding in exam.lesions
        if finding.lesion_type is LesionType.BLASTIC
    }


@dataclass(kw_only=True, slots=True)
class _First:
    """Size on MR and ADC of every lesion where they were first measured."""

    size_mm: dict[str, Decimal] = field(default_factory=dict)
    adc_um2_s: dict[str, float] = field(default_factory=dict)

    def met_rads(self, exam: Examination, settings: Settings) -> Examination:
        """The response category of MET-RADS-P beside every ADC that has an earlier one."""
        if not any(finding.adc_um2_s for finding in exam.lesions):
            return exam
        sizes = {one.lesion_id: one.size_mm for one in exam.lesions if one.size_mm}
        told = tuple(self._beside(finding, sizes.get(finding.lesion_id), settings) for finding in exam.lesions)
        for lesion_id, size in sizes.items():
            self.size_mm.setdefault(lesion_id, size)
        for finding in exam.lesions:
            if finding.adc_um2_s:
                self.adc_um2_s.setdefault(finding.lesion_id, finding.adc_um2_s)
        return replace(exam, lesions=told)

    def _beside(self, finding: LesionFinding, size_mm: Decimal | None, settings: Settings) -> LesionFinding:
        before, now = self.adc_um2_s.get(finding.lesion_id), finding.adc_um2_s
        if not before or not now:
            return finding
        first_mm = self.size_mm.get(finding.lesion_id)
        grown = float(size_mm / first_mm - 1) if size_mm is not None and first_mm else None
        found = assess_response(adc_change(before, now, settings=settings), grown, settings=settings)
        return replace(finding, evidence=f"MET-RADS-P {found.text}") if found is not None else finding


def _told(exam: Examination, visit: Pooled, blastic: set[tuple[Modality, str]], confirmed: set[str]) -> Examination:
    """One examination; itself where no finding has any evidence."""
    if not (exam.modality is Modality.NM or blastic):
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
