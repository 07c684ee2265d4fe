"""One lesion in one image: every measurement of it as a finding, unjudged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mdanderson.assess.catalogue import Known
from mdanderson.assess.station import Station, union
from mdanderson.criteria.density import has_new_rim
from mdanderson.findings import Density, LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.density import lesion_type, lytic_region, measure_density, measure_fill_in
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.reference import ReferenceBone, find_reference
from mdanderson.measure.rim import Rim, measure_rim, without_rim
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Status
from mdanderson.volume import Region, Volume

__all__ = ["Examined", "examine", "examine_place"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examined:
    """A finding, and the lytic voxels of the lesion: the volume that healing has to fill in."""

    finding: LesionFinding
    lytic: Region | None


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
    """Measure a segmented lesion: axes, volume, density against its reference, fill-in and rim since first seen.

    neighbours: every lesion segmented or expected in this image; none of them is reference bone.
    """
    volume = station.volume
    lesion = Lesion.from_region(region, volume.geometry)
    reference = _reference(station, _then_and_now(station, region, known), neighbours, settings)
    rim = measure_rim(volume, region, reference, settings=settings.image) if reference else None
    density = _density(station, region, reference, rim, known, settings)
    drawn = measure_diameters(region, volume.geometry, settings=settings.image)
    core = _core_axes(volume, region, reference, rim, density, known, settings) or drawn
    cut = lesion.touches_edge
    finding = LesionFinding(
        lesion_id=lesion_id,
        status=status,
        modality=volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        label=str(region.label),
        lesion_type=_type(density, settings),
        long_axis_mm=None if cut else core.long_axis_mm,
        short_axis_mm=None if cut else core.short_axis_mm,
        outline_long_axis_mm=drawn.long_axis_mm if core is not drawn and not cut else None,
        outline_short_axis_mm=drawn.short_axis_mm if core is not drawn and not cut else None,
        volume_ml=lesion.volume_ml,
        density=density,
        centroid_lps_mm=_centroid(lesion),
        slice_number=drawn.plane + 1,
        registration_error_mm=station.error_at_mm(known.points_common_mm) if known is not None else None,
        why="cut by the edge of the field of view: its size is not known" if cut else "",
    )
    lytic = lytic_region(volume, region, reference, settings=settings.image) if reference else None
    return Examined(finding=finding, lytic=lytic)


def examine_place(
    station: Station, place: Region, *, known: Known | None, neighbours: Sequence[Region], settings: Settings
) -> Density:
    """How dense the image is at a place where nothing is segmented."""
    reference = _reference(station, place, neighbours, settings)
    rim = measure_rim(station.volume, place, reference, settings=settings.image) if reference else None
    return _density(station, place, reference, rim, known, settings)


def _then_and_now(station: Station, region: Region, known: Known | None) -> Region:
    """Where the lesion is and where it was when first seen: bone that has just healed is no reference."""
    place = station.carry(known.region, known.home) if known is not None and station.trusted else None
    return region if place is None else union([region, place])


def _reference(
    station: Station, region: Region, neighbours: Sequence[Region], settings: Settings
) -> ReferenceBone | None:
    return find_reference(
        station.volume,
        region,
        lesions=neighbours,
        reference_mask=station.image.reference_mask,
        bone_map=station.image.bone_map,
        settings=settings.image,
    )


def _density(
    station: Station,
    region: Region,
    reference: ReferenceBone | None,
    rim: Rim | None,
    known: Known | None,
    settings: Settings,
) -> Density:
    measured = measure_density(station.volume, region, reference, settings=settings.image)
    lytic_then = station.carry(known.lytic, known.home) if known and known.lytic and station.trusted else None
    filled = (
        measure_fill_in(station.volume, lytic_then, reference, settings=settings.image)
        if lytic_then is not None and reference is not None
        else None
    )
    return Density(
        mean_hu=_hu(measured.mean_hu),
        median_hu=_hu(measured.median_hu),
        reference_hu=_hu(reference.median_hu) if reference else None,
        reference_sd_hu=_hu(reference.robust_sd_hu) if reference else None,
        reference_source=reference.source if reference else "",
        reference_voxels=reference.voxels if reference else 0,
        lytic_fraction=_share(measured.lytic_fraction),
        sclerotic_fraction=_share(measured.sclerotic_fraction),
        fill_in_fraction=_share(filled.fill_in_fraction if filled else None),
        cleared_fraction=_share(filled.cleared_fraction if filled else None),
        rim_fraction=_share(rim.rim_fraction if rim else None),
    )


def _hu(value: float) -> float:
    """Rounded when measured, so that what is judged is what the tables show."""
    return round(value, 1)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _core_axes(
    volume: Volume,
    region: Region,
    reference: ReferenceBone | None,
    rim: Rim | None,
    density: Density,
    known: Known | None,
    settings: Settings,
) -> Diameters | None:
    """The axes of the lytic core where a new sclerotic rim was drawn in (criteria, detail 26), else None."""
    if known is None or reference is None or rim is None:
        return None
    if known.first.lesion_type is not LesionType.LYTIC or not has_new_rim(density, known.first.density, settings):
        return None
    core = without_rim(volume, region, reference, rim, settings=settings.image)
    if core is None or core is region:
        return None
    return measure_diameters(core, volume.geometry, settings=settings.image)


def _type(density: Density, settings: Settings) -> LesionType | None:
    if density.lytic_fraction is None or density.sclerotic_fraction is None:
        return None
    return lesion_type(density.lytic_fraction, density.sclerotic_fraction, settings=settings.image)


def _centroid(lesion: Lesion) -> tuple[float, float, float]:
    x, y, z = lesion.centroid_lps_mm
    return float(x), float(y), float(z)
