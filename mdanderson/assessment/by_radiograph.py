"""Radiograph: axes in the picture's plane, density relative to neighbouring bone, so that exposure cancels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.assessment.by_density import fate, had_been
from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.comparable import spoiled_by_acquisition
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import gap_in, not_outlined, outlined
from mdanderson.assessment.station import Station
from mdanderson.findings import Density, LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.radiograph import RadiographDensity, measure_radiograph_density, measure_radiograph_fill_in
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
    neighbours: Sequence[Region],
    settings: Settings,
) -> Examined:
    """Axes in mm of the picture (see `Volume.acquisition["spacing"]`), and density where reference bone is found."""
    gap = gap_in(station.volume, region)
    lesion = Lesion.from_region(region, station.volume.geometry)
    finding = outlined(station, lesion, lesion_id=lesion_id, status=status, known=known, gap=gap, settings=settings)
    measured = _measured(station, region, neighbours, settings)
    density = _density(station, measured, known, settings)
    return Examined(
        finding=replace(finding, density=density, lesion_type=measured.lesion_type), lytic=measured.lytic, gap=gap
    )


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when its place is as dense as neighbouring bone again, or filled in, and was not when it was first seen."""
    density = _density(station, _measured(station, place, neighbours, settings), known, settings)
    if density is None:
        return (not_outlined(station, known, Status.NOT_EVALUABLE, "not segmented, and no bone to judge its place by"),)
    status, why = fate(density, known.first.density, settings)
    return (replace(not_outlined(station, known, status, why), density=density),)


def was_there(
    home: Station, place: Region, finding: LesionFinding, *, neighbours: Sequence[Region], settings: Settings
) -> Shown:
    """Whether as much was abnormal, on the same side of normal bone, as is now."""
    then = _density(home, _measured(home, place, neighbours, settings), None, settings)
    return Shown(there=None) if then is None else had_been(finding, then, settings)


def _measured(station: Station, region: Region, neighbours: Sequence[Region], settings: Settings) -> RadiographDensity:
    image = station.image
    return measure_radiograph_density(
        station.volume,
        region,
        neighbours=neighbours,
        reference_mask=image.reference_mask,
        bone_map=image.bone_map,
        settings=settings,
    )


def _density(station: Station, measured: RadiographDensity, known: Known | None, settings: Settings) -> Density | None:
    """The density facts in relative density: soft tissue 0, reference bone `[radiograph] bone_contrast`."""
    found, reference = measured.density, measured.reference
    if found is None or reference is None:
        return None
    spoiled = spoiled_by_acquisition(station, known, settings=settings)
    if spoiled:
        return Density(mean_hu=round(found.mean_hu, 1), median_hu=round(found.median_hu, 1), why=spoiled)
    lytic = station.carry(known.lytic, known.home) if known and known.lytic and station.trusted else None
    filled = measure_radiograph_fill_in(measured, lytic, settings=settings) if lytic is not None else None
    return Density(
        mean_hu=round(found.mean_hu, 1),
        median_hu=round(found.median_hu, 1),
        reference_hu=round(reference.median_hu, 1),
        reference_sd_hu=round(reference.robust_sd_hu, 1),
        reference_source=reference.source,
        reference_voxels=reference.voxels,
        lytic_fraction=_share(found.lytic_fraction),
        sclerotic_fraction=_share(found.sclerotic_fraction),
        fill_in_fraction=_share(filled.fill_in_fraction if filled else None),
        cleared_fraction=_share(filled.cleared_fraction if filled else None),
        rim_fraction=_share(measured.rim.rim_fraction if measured.rim else None),
        lytic_focus_mm=None if found.lytic_focus_mm is None else round(found.lytic_focus_mm, 1),
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
