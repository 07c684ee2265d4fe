"""CT: a lesion's axes and its density against the patient's own bone, rim and fill-in since it was first seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import pi, sqrt

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.comparable import spoiled_by_images, spoiled_by_implant, spoiled_by_reference
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import centroid_of, gap_words, not_outlined, without_size
from mdanderson.assessment.station import Station
from mdanderson.criteria.density import (
    has_new_rim,
    is_back_to_normal,
    is_density_abnormal,
    is_density_normal,
    is_filled_in,
)
from mdanderson.findings import Density, LesionFinding
from mdanderson.measure.density import DensityMeasure, lytic_region, measure_density, measure_fill_in
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.lesion import BoneMeasurement, Surroundings, measure_region, reference_for
from mdanderson.measure.reference import given_voxels
from mdanderson.measure.rim import Rim, measure_rim, without_rim
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Status
from mdanderson.volume import Region

__all__ = ["density_of_place", "examine", "fate", "had_been", "look_at_place", "was_there"]


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
    core_region = _core(station, measured, density, known, settings)
    core = measure_diameters(core_region, volume.geometry, settings=settings.image) if core_region else drawn
    gap = gap_words(cut=measured.touches_edge, nan=measured.has_nan)
    unsized = without_size(station, drawn, known, gap=gap, settings=settings)
    finding = LesionFinding(
        lesion_id=lesion_id,
        status=status,
        modality=volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        label=str(region.label),
        lesion_type=measured.lesion_type,
        volume_ml=measured.volume_ml,
        density=density,
        centroid_lps_mm=centroid_of(measured.lesion),
        slice_number=drawn.plane + 1,
        registration_error_mm=station.error_at_mm(known.points_common_mm) if known is not None else None,
        why=unsized,
    )
    if not unsized:
        finding = _with_axes(finding, core, drawn)
    reference = measured.reference
    lytic = lytic_region(volume, region, reference, settings=settings.image) if reference else None
    return Examined(finding=finding, lytic=lytic, implant=implant, gap=gap, core=core_region)


def _with_axes(finding: LesionFinding, core: Diameters, drawn: Diameters) -> LesionFinding:
    """The finding with the axes of the lesion, and with those of the outline where a rim is left out of it."""
    finding = replace(finding, long_axis_mm=core.long_axis_mm, short_axis_mm=core.short_axis_mm)
    if core is drawn:
        return finding
    return replace(finding, outline_long_axis_mm=drawn.long_axis_mm, outline_short_axis_mm=drawn.short_axis_mm)


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when its place is as dense as normal bone again, or filled in, and was not when it was first seen."""
    density = density_of_place(station, place, known=known, neighbours=neighbours, settings=settings)
    status, why = fate(density, known.first.density, settings)
    return (replace(not_outlined(station, known, status, why), density=density),)


def was_there(
    home: Station, place: Region, finding: LesionFinding, *, neighbours: Sequence[Region], settings: Settings
) -> Shown:
    """Whether as much was abnormal, on the same side of normal bone, as is now."""
    if finding.density is None:
        return Shown(there=None)
    then = density_of_place(home, place, known=None, neighbours=neighbours, settings=settings)
    return had_been(finding, then, settings)


def density_of_place(
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
        return Density(
            mean_hu=_hu(measured.mean_hu), median_hu=_hu(measured.median_hu), sd_hu=_hu(measured.sd_hu), why=spoiled
        )
    lytic = station.carry(known.lytic, known.home) if known and known.lytic and station.trusted else None
    filled = (
        measure_fill_in(station.volume, lytic, reference, settings=settings.image)
        if lytic is not None and reference is not None
        else None
    )
    return Density(
        mean_hu=_hu(measured.mean_hu),
        median_hu=_hu(measured.median_hu),
        sd_hu=_hu(measured.sd_hu),
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


def _core(
    station: Station, measured: BoneMeasurement, density: Density, known: Known | None, settings: Settings
) -> Region | None:
    """The lytic core where a new sclerotic rim was drawn in (docs/details.md, detail 26), else None."""
    reference, rim, region = measured.reference, measured.rim, measured.lesion.region
    if known is None or reference is None or rim is None or known.first.lesion_type is not LesionType.LYTIC:
        return None
    if not has_new_rim(density, known.first.density, settings):
        return None
    core = without_rim(station.volume, region, reference, rim, settings=settings.image)
    return None if core is region else core


def fate(density: Density, before: Density | None, settings: Settings) -> tuple[Status, str]:
    """What became of a lesion that nobody outlined, by the density of its place."""
    if density.reference_hu is None:
        why = density.why or "no reference bone to judge its place by"
        return Status.NOT_EVALUABLE, f"not segmented, and {why}"
    if before is None or not is_density_abnormal(before, settings):
        why = before.why if before is not None else ""
        as_dense = "as dense as its bone at baseline: only a reader can say that it is gone"
        return Status.NOT_EVALUABLE, f"not segmented, and at baseline {why}" if why else as_dense
    if is_back_to_normal(density, before, settings):
        return Status.RESOLVED, "not segmented; its place is as dense as normal bone again"
    if is_filled_in(density, settings):
        return Status.RESOLVED, "not segmented; its place is filled in with sclerotic bone"
    if not is_density_normal(density, settings):
        return Status.MISSING, "lesion visible but not segmented"
    if (density.lytic_focus_mm or 0.0) >= settings.image.normal_focus_mm:
        return Status.MISSING, f"a lytic focus of {density.lytic_focus_mm} mm is left"
    return Status.NOT_EVALUABLE, "not segmented, and as near to normal bone as at baseline: nobody can say"


def had_been(finding: LesionFinding, then: Density, settings: Settings) -> Shown:
    """Whether what a lesion shows now was there, by the density of its place at baseline."""
    if finding.density is None:
        return Shown(there=None)
    share = _share_then(finding.density, then)
    if share is not None and share < settings.image.grown_share and not _was_focus(finding, then, settings):
        return Shown(there=False)
    if share is None or share < settings.image.visible_share or not _same_side(finding.density, then):
        return Shown(there=None, hidden=_hidden(finding.density, then))
    return Shown(there=True)


def _hidden(now: Density, then: Density) -> str:
    """What hides a lesion in one of the two images, where something does."""
    return f"at baseline {then.why}" if then.why else now.why


def _share_then(now: Density, then: Density) -> float | None:
    """How much of what is abnormal at a place was abnormal before: 0 to 1 and more.

    What is sclerotic now may have been lytic, and healed; what is lytic now was not sclerotic: that is the cortex.

    None where it cannot be told. Soft tissue beside bone reads as lytic: a high share is a doubt before it is a proof.
    """
    shares = (now.lytic_fraction, now.sclerotic_fraction, then.lytic_fraction, then.sclerotic_fraction)
    lytic_now, sclerotic_now, lytic_then, sclerotic_then = (share or 0.0 for share in shares)
    if any(share is None for share in shares) or lytic_now + sclerotic_now == 0:
        return None
    if lytic_now > sclerotic_now:
        return lytic_then / lytic_now
    return (lytic_then + sclerotic_then) / (lytic_now + sclerotic_now)


def _was_focus(finding: LesionFinding, then: Density, settings: Settings) -> bool:
    """Whether a lesion with sclerosis was a lytic focus of much of its size: rim and filling make the share small."""
    now = finding.density
    if now is None or (now.sclerotic_fraction or 0.0) < settings.image.type_minority:
        return False
    return (then.lytic_focus_mm or 0.0) >= settings.image.doubt_focus_share * _diameter_mm(finding)


def _diameter_mm(finding: LesionFinding) -> float:
    """Of a ball as large as a lesion; of a disc, where a radiograph shows no depth."""
    if finding.volume_ml is None:
        return sqrt(float(finding.long_axis_mm or 0.0) * float(finding.short_axis_mm or 0.0))
    return float((6000.0 / pi * finding.volume_ml) ** (1 / 3))


def _same_side(now: Density, then: Density) -> bool:
    """Whether a place was on the same side of reference bone before: a cortex that is lytic now was none."""
    if now.reference_hu is None or then.reference_hu is None:
        return False
    return (now.median_hu - now.reference_hu) * (then.median_hu - then.reference_hu) > 0
