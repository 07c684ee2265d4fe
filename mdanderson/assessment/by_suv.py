"""PET: standardised uptake values of a lesion. MD Anderson has no row for them: they feed PERCIST and EORTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.comparable import spoiled_by_acquisition
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import gap_in, not_outlined, outlined
from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.suv import measure_suv, place_suv
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["examine", "look_at_place", "was_there"]


def examine(
    station: Station,
    region: Region,
    *,
    lesion_id: str,
    status: Status,
    known: Known | None,
    neighbours: Sequence[Region],  # noqa: ARG001 - the face of every examiner; SUV needs no reference
    settings: Settings,
) -> Examined:
    """SUVmax, SULpeak, metabolic volume and total lesion glycolysis."""
    gap = gap_in(station.volume, region)
    lesion = Lesion.from_region(region, station.volume.geometry)
    finding = outlined(station, lesion, lesion_id=lesion_id, status=status, known=known, gap=gap, settings=settings)
    spoiled = spoiled_by_acquisition(station, known, settings=settings)
    if spoiled:
        return Examined(finding=replace(finding, why=spoiled), gap=gap)
    suv = measure_suv(station.volume, region, settings=settings.pet)
    return Examined(
        finding=replace(
            finding,
            suv_max=_rounded(suv.suv_max),
            suv_peak=_rounded(suv.sul_peak),
            metabolic_volume_ml=_rounded(suv.metabolic_volume_ml),
            tlg=_rounded(suv.tlg),
            why=suv.why or finding.why,
        ),
        gap=gap,
    )


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when its place is no hotter than what lies round it."""
    spoiled = spoiled_by_acquisition(station, known, settings=settings)
    if spoiled:
        return (not_outlined(station, known, Status.NOT_EVALUABLE, f"not segmented, and {spoiled}"),)
    found = place_suv(station.volume, place, others=neighbours, settings=settings.pet)
    status, why = Status.MISSING, "lesion visible but not segmented"
    if found.is_background is None:
        status, why = Status.NOT_EVALUABLE, f"not segmented, and {found.why}"
    elif found.is_background:
        status, why = Status.RESOLVED, "not segmented; its place takes up no more than its background"
    return (replace(not_outlined(station, known, status, why), suv_max=_rounded(found.suv_max)),)


def was_there(
    home: Station,
    place: Region,
    finding: LesionFinding,
    *,
    neighbours: Sequence[Region],
    settings: Settings,
) -> Shown:
    """Whether the place of a hot lesion was as hot before: above its background, and not plainly less than now."""
    then = place_suv(home.volume, place, others=neighbours, settings=settings.pet)
    if then.is_background is None or finding.suv_max is None:
        return Shown(there=None, hidden=then.why)
    as_hot = then.suv_max * (1.0 + settings.percist.pmd_rise) > finding.suv_max
    return Shown(there=as_hot and not then.is_background)


def _rounded(value: float | None) -> float | None:
    """Rounded when measured, so that what is judged is what the tables show."""
    return None if value is None else round(value, 3)
