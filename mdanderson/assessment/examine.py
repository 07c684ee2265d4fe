"""One lesion in one image at one visit: its measurements as a finding, unjudged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.comparable import spoiled_by_images, spoiled_by_implant, spoiled_by_reference
from mdanderson.assessment.station import Station
from mdanderson.criteria.density import has_new_rim
from mdanderson.findings import Density, LesionFinding
from mdanderson.geometry import Geometry
from mdanderson.lesions import Lesion
from mdanderson.measure.density import DensityMeasure, lytic_region, measure_density, measure_fill_in
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.lesion import LesionMeasurement, Surroundings, measure_region, reference_for
from mdanderson.measure.plane import measuring_axis
from mdanderson.measure.reference import given_voxels
from mdanderson.measure.rim import Rim, measure_rim, without_rim
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Status
from mdanderson.volume import Region

__all__ = ["Examined", "examine", "examine_place"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examined:
    """A finding, and the lytic voxels of the lesion: the volume that healing has to fill in.

    implant: why the image does not show its density, where metal or cement is the reason; else blank. gap: what keeps
    the image from showing all of it, the edge of the field of view or NaN voxels; else blank.
    """

    finding: LesionFinding
    lytic: Region | None
    implant: str = ""
    gap: str = ""


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
    around = _surroundings(station, neighbours)
    beside = _then_and_now(station, region, known)
    measured = measure_region(volume, region, around=around, beside=beside, settings=settings.image)
    place = _place(station, region, known)
    implant = spoiled_by_implant(station, place, known, settings=settings)
    spoiled = implant or spoiled_by_images(station, place, known, settings=settings)
    density = _density(station, measured.density, measured.rim, known, spoiled, settings)
    drawn = measured.diameters
    core = _core_axes(station, measured, density, known, settings) or drawn
    unsized = _unsized(station, measured, known, settings)
    finding = LesionFinding(
        lesion_id=lesion_id,
        status=status,
        modality=volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        label=str(region.label),
        lesion_type=measured.lesion_type,
        long_axis_mm=None if unsized else core.long_axis_mm,
        short_axis_mm=None if unsized else core.short_axis_mm,
        outline_long_axis_mm=drawn.long_axis_mm if core is not drawn and not unsized else None,
        outline_short_axis_mm=drawn.short_axis_mm if core is not drawn and not unsized else None,
        volume_ml=measured.volume_ml,
        density=density,
        centroid_lps_mm=_centroid(measured.lesion),
        slice_number=drawn.plane + 1,
        registration_error_mm=station.error_at_mm(known.points_common_mm) if known is not None else None,
        why=unsized,
    )
    reference = measured.reference
    lytic = lytic_region(volume, region, reference, settings=settings.image) if reference else None
    return Examined(finding=finding, lytic=lytic, implant=implant, gap=_gap(measured))


def _gap(measured: LesionMeasurement) -> str:
    """What keeps the image from showing all of a lesion; blank where it shows it."""
    if measured.touches_edge:
        return "cut by the edge of the field of view"
    return "voxels of it, or next to it, are NaN" if measured.has_nan else ""


def _unsized(station: Station, measured: LesionMeasurement, known: Known | None, settings: Settings) -> str:
    """Why no size can be given that may be compared; blank when one can."""
    if gap := _gap(measured):
        return f"{gap}: its size is not known"
    if known is None or known.first.long_axis_mm is None:
        return ""
    turned = station.plane_turn_degrees(known.home, settings=settings.image)
    if turned > settings.image.plane_turn_degrees:
        return f"its planes are turned by {turned:.0f} degrees from those of {known.first.date}: sizes do not compare"
    then, now = (_plane_spacing_mm(one.volume.geometry, settings) for one in (known.home, station))
    longest = max(float(known.first.long_axis_mm), float(measured.diameters.long_axis_mm))
    changed = max(then, now) >= settings.image.plane_spacing_change * min(then, now)
    if changed and longest < settings.image.planes_across * max(then, now):
        return (
            f"planes of {then:.3g} and {now:.3g} mm cut a lesion of {longest:.0f} mm too differently to compare sizes"
        )
    return ""


def _plane_spacing_mm(geometry: Geometry, settings: Settings) -> float:
    return geometry.spacing_mm[measuring_axis(geometry, settings.image)]


def examine_place(
    station: Station, place: Region, *, known: Known | None, neighbours: Sequence[Region], settings: Settings
) -> Density:
    """How dense the image is at a place where nothing is segmented."""
    volume, image = station.volume, settings.image
    spoiled = spoiled_by_implant(station, place, known, settings=settings)
    spoiled = spoiled or spoiled_by_images(station, place, known, settings=settings)
    reference = reference_for(volume, place, around=_surroundings(station, neighbours), settings=image)
    rim = measure_rim(volume, place, reference, settings=image) if reference else None
    return _density(station, measure_density(volume, place, reference, settings=image), rim, known, spoiled, settings)


def _surroundings(station: Station, neighbours: Sequence[Region]) -> Surroundings:
    image = station.image
    return Surroundings(neighbours=neighbours, reference_mask=image.reference_mask, bone_map=image.bone_map)


def _then_and_now(station: Station, region: Region, known: Known | None) -> Region:
    """Where the lesion is and where it was when first seen: bone that has just healed is no reference."""
    place = _place(station, region, known)
    return region if place is region else Region.together([region, place])


def _place(station: Station, region: Region, known: Known | None) -> Region:
    """Where a lesion was when first seen, in this image; its own region where that is not known."""
    place = station.carry(known.region, known.home) if known is not None and station.trusted else None
    return region if place is None else place


def _density(
    station: Station,
    measured: DensityMeasure,
    rim: Rim | None,
    known: Known | None,
    spoiled: str,
    settings: Settings,
) -> Density:
    """The density facts; fill-in is that of the baseline's lytic volume, carried into this image.

    spoiled: why nothing may be compared, so that no row on density is asked; blank where it may.
    """
    reference = measured.reference
    reference_hu = reference.median_hu if reference else None
    spoiled = spoiled or spoiled_by_reference(reference_hu, known, settings=settings)
    if spoiled:
        return Density(mean_hu=_hu(measured.mean_hu), median_hu=_hu(measured.median_hu), why=spoiled)
    lytic = station.carry(known.lytic, known.home) if known and known.lytic and station.trusted else None
    filled = (
        measure_fill_in(station.volume, lytic, reference, settings=settings.image)
        if lytic is not None and reference is not None
        else None
    )
    return Density(
        mean_hu=_hu(measured.mean_hu),
        median_hu=_hu(measured.median_hu),
        reference_hu=_hu(reference.median_hu) if reference else None,
        reference_sd_hu=_hu(reference.robust_sd_hu) if reference else None,
        reference_source=reference.source if reference else "",
        reference_voxels=reference.voxels if reference else 0,
        why="" if reference else _without_reference(station, settings),
        lytic_fraction=_share(measured.lytic_fraction),
        sclerotic_fraction=_share(measured.sclerotic_fraction),
        fill_in_fraction=_share(filled.fill_in_fraction if filled else None),
        cleared_fraction=_share(filled.cleared_fraction if filled else None),
        rim_fraction=_share(rim.rim_fraction if rim else None),
        lytic_focus_mm=None if measured.lytic_focus_mm is None else round(measured.lytic_focus_mm, 1),
    )


def _without_reference(station: Station, settings: Settings) -> str:
    """Why there is no reference bone."""
    given = station.image.reference_mask
    if given is None:
        return "no valid reference bone"
    count, least = given_voxels(station.volume, given), settings.image.reference_minimum_voxels
    return f"no valid reference bone: reference_mask holds {count} voxels, {least} are needed"


def _hu(value: float) -> float:
    """Rounded when measured, so that what is judged is what the tables show."""
    return round(value, 1)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _core_axes(
    station: Station, measured: LesionMeasurement, density: Density, known: Known | None, settings: Settings
) -> Diameters | None:
    """The axes of the lytic core where a new sclerotic rim was drawn in (docs/details.md, detail 26), else None."""
    reference, rim, region = measured.reference, measured.rim, measured.lesion.region
    if known is None or reference is None or rim is None or known.first.lesion_type is not LesionType.LYTIC:
        return None
    if not has_new_rim(density, known.first.density, settings):
        return None
    core = without_rim(station.volume, region, reference, rim, settings=settings.image)
    if core is None or core is region:
        return None
    return measure_diameters(core, station.volume.geometry, settings=settings.image)


def _centroid(lesion: Lesion) -> tuple[float, float, float]:
    x, y, z = lesion.centroid_lps_mm
    return float(x), float(y), float(z)
