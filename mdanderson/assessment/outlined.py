"""What every modality tells of an outline: where it is, how large, and whether its size may be compared."""

from __future__ import annotations

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.geometry import Geometry
from mdanderson.lesions import Lesion, touches_edge
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.lesion import gaps_at
from mdanderson.measure.plane import measuring_axis
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region, Volume

__all__ = ["centroid_of", "gap_in", "gap_words", "not_outlined", "outlined", "without_size"]


def outlined(
    station: Station,
    lesion: Lesion,
    *,
    lesion_id: str,
    status: Status,
    known: Known | None,
    gap: str,
    settings: Settings,
) -> LesionFinding:
    """The finding of an outline, with its axes where the modality shows them (CT, MR, radiograph)."""
    volume = station.volume
    diameters = None
    why = ""
    if volume.modality.is_anatomical and not station.image.borrowed_from:
        diameters = measure_diameters(lesion.region, volume.geometry, settings=settings.image)
        why = without_size(station, diameters, known, gap=gap, settings=settings)
    sized = diameters if diameters is not None and not why else None
    return LesionFinding(
        lesion_id=lesion_id,
        status=status,
        modality=volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        sequence=str(volume.sequence or ""),
        label=str(lesion.label),
        long_axis_mm=sized.long_axis_mm if sized else None,
        short_axis_mm=sized.short_axis_mm if sized else None,
        volume_ml=None if volume.planar else lesion.volume_ml,
        centroid_lps_mm=centroid_of(lesion),
        slice_number=diameters.plane + 1 if diameters is not None else None,
        registration_error_mm=station.error_at_mm(known.points_common_mm) if known is not None else None,
        why=why,
    )


def not_outlined(station: Station, known: Known, status: Status, why: str, *, sequence: str = "") -> LesionFinding:
    """The finding of a known lesion that nobody segmented in an image."""
    return LesionFinding.without_outline(
        known.lesion_id,
        status,
        why,
        modality=station.volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        sequence=sequence,
        registration_error_mm=station.error_at_mm(known.points_common_mm),
    )


def without_size(station: Station, diameters: Diameters, known: Known | None, *, gap: str, settings: Settings) -> str:
    """Why no size can be given that may be compared; blank when one can."""
    if gap:
        return f"{gap}: its size is not known"
    if known is None or known.first.long_axis_mm is None:
        return ""
    turned = station.plane_turn_degrees(known.home, settings=settings.image)
    if turned > settings.image.plane_turn_degrees:
        return f"its planes are turned by {turned:.0f} degrees from those of {known.first.date}: sizes do not compare"
    then, now = (_plane_spacing_mm(one.volume.geometry, settings) for one in (known.home, station))
    longest = max(float(known.first.long_axis_mm), float(diameters.long_axis_mm))
    changed = max(then, now) >= settings.image.plane_spacing_change * min(then, now)
    if changed and longest < settings.image.planes_across * max(then, now):
        return (
            f"planes of {then:.3g} and {now:.3g} mm cut a lesion of {longest:.0f} mm too differently to compare sizes"
        )
    return ""


def gap_in(volume: Volume, region: Region) -> str:
    """What keeps an image from showing all of a region; blank where it shows it."""
    never_imaged, nan = gaps_at(volume, region)
    return gap_words(cut=never_imaged or touches_edge(region, volume.geometry), nan=nan)


def gap_words(*, cut: bool, nan: bool) -> str:
    """The same of a lesion that is measured: whether it is cut, or next to voxels that are no numbers."""
    if cut:
        return "cut by the edge of the field of view"
    return "voxels of it, or next to it, are NaN" if nan else ""


def centroid_of(lesion: Lesion) -> tuple[float, float, float]:
    """Centre of mass in LPS mm."""
    x, y, z = lesion.centroid_lps_mm
    return float(x), float(y), float(z)


def _plane_spacing_mm(geometry: Geometry, settings: Settings) -> float:
    return geometry.spacing_mm[measuring_axis(geometry, settings.image)]
