"""Whether the density of a lesion may be compared with what it was: told once an image, decided lesion by lesion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.station import Station
from mdanderson.errors import Problem, Severity
from mdanderson.measure.comparability import (
    Difference,
    acquisition_differences,
    cement_share,
    has_metal_near,
    is_too_thin,
    mr_differences,
    pet_differences,
)
from mdanderson.measure.radiograph import radiograph_differences
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Unit

__all__ = [
    "about_acquisition",
    "implant_at",
    "spoiled_by_acquisition",
    "spoiled_by_images",
    "spoiled_by_implant",
    "spoiled_by_reference",
]

_SAME_PROTOCOL = "compare images of one protocol; a reader may judge it in reads.csv"
_QUANTITY = {Modality.MR: "signal", Modality.PT: "uptake", Modality.NM: "uptake"}


def about_acquisition(
    stations: Sequence[Station], baseline: Sequence[Station], *, settings: Settings
) -> Iterator[Problem]:
    """A warning for every image made differently from the baseline image that is most alike."""
    for station in stations:
        if not baseline or station in baseline:
            continue
        home, found = min(
            ((home, _differences(home, station, settings)) for home in baseline),
            key=lambda pair: (sum(one.spoils for one in pair[1]), len(pair[1])),
        )
        if not found:
            continue
        spoilt = f": {_not_compared(station)}" if any(one.spoils for one in found) else ""
        yield Problem(
            severity=Severity.WARNING,
            visit=station.image.visit,
            where=station.image.where,
            what=f"made differently from the image of {home.image.date} ({_told(found)}){spoilt}",
            how_to_fix=_SAME_PROTOCOL,
        )


def spoiled_by_images(station: Station, place: Region, known: Known | None, *, settings: Settings) -> str:
    """Why the images do not tell how a density at a place, on the grid of `station`, has changed; blank where they do.

    known: what was first seen there, None where this is the first.
    """
    spoiled = spoiled_by_acquisition(station, known, settings=settings)
    if spoiled:
        return spoiled
    shown = [(station, place)] if known is None else [(station, place), (known.home, known.region)]
    thin = [
        at.volume.geometry.spacing_mm[0] for at, part in shown if is_too_thin(at.volume, part, settings=settings.image)
    ]
    return f"planes of {max(thin):.3g} mm are too thick to judge density in so small a lesion" if thin else ""


def spoiled_by_implant(station: Station, place: Region, known: Known | None, *, settings: Settings) -> str:
    """Why the density at a place, on the grid of `station`, is not that of bone; blank where it may be."""
    image = settings.image
    if has_metal_near(station.volume, place, settings=image):
        return "metal lies near it: streaks are no density"
    if known is not None and known.metal:
        return "metal lay near it when first seen: streaks are no density"
    before = known.cement if known is not None else 0.0
    share = cement_share(station.volume, place, settings=image)
    return f"cement or metal takes {share:.0%} of it: no healing" if share - before >= image.cement_share else ""


def implant_at(station: Station, region: Region, *, settings: Settings) -> tuple[bool, float]:
    """Whether metal lies near a lesion, and which share of it is cement; where values are no HU nobody can tell."""
    if station.volume.unit is not Unit.HU:
        return False, 0.0
    image = settings.image
    return has_metal_near(station.volume, region, settings=image), cement_share(station.volume, region, settings=image)


def spoiled_by_reference(reference_hu: float | None, known: Known | None, *, settings: Settings) -> str:
    """Why reference bone is not that of the first time; blank where it may be, or where there is none."""
    before = known.first.density if known is not None else None
    if reference_hu is None or before is None or before.reference_hu is None:
        return ""
    if abs(reference_hu - before.reference_hu) <= settings.image.reference_change_hu:
        return ""
    return f"reference bone reads {reference_hu:.0f} HU, {before.reference_hu:.0f} HU when first seen: other bone"


def spoiled_by_acquisition(station: Station, known: Known | None, *, settings: Settings) -> str:
    """Why what an image shows may not be compared with what was first seen, by how both were made; else blank."""
    if known is None or known.home is station:
        return ""
    spoiling = [one for one in _differences(known.home, station, settings) if one.spoils]
    return f"{_not_compared(station)}: {_told(spoiling)}" if spoiling else ""


def _differences(home: Station, station: Station, settings: Settings) -> tuple[Difference, ...]:
    then, now = home.volume.acquisition, station.volume.acquisition
    if station.volume.modality is Modality.PT:
        return pet_differences(then, now, settings=settings.pet)
    if station.volume.modality is Modality.MR:
        return mr_differences(then, now)
    if station.volume.modality is Modality.XR:
        return radiograph_differences(then, now)
    return acquisition_differences(then, now, settings=settings.image)


def _not_compared(station: Station) -> str:
    return f"{_QUANTITY.get(station.volume.modality, 'density')} is not compared"


def _told(differences: Sequence[Difference]) -> str:
    return ", ".join(one.what for one in differences)
