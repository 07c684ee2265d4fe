"""What is segmented in an image, as it is matched and measured: the parts of one lesion together, at its place."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.assessment.station import Station
from mdanderson.lesions import Lesion
from mdanderson.matching import Place
from mdanderson.volume import Region

__all__ = ["in_view_of", "labels_of", "place_of", "together"]


def together(parts: Sequence[Lesion]) -> Region:
    """The parts of one lesion as one region."""
    return parts[0].region if len(parts) == 1 else Region.together([part.region for part in parts])


def labels_of(parts: Sequence[Lesion]) -> str:
    """Their labels, as a cell of lesions.csv has them."""
    return ";".join(str(part.label) for part in parts)


def place_of(station: Station, lesion: Lesion, key: str) -> Place:
    """Where a segmented lesion lies in the common space."""
    return Place(
        key=key,
        points_lps_mm=station.to_common(lesion.points_lps_mm),
        voxel_mm=station.volume.geometry.spacing_mm,
        cut=lesion.touches_edge,
    )


def in_view_of(station: Station, place: Place) -> Place:
    """What an image can show of a known lesion."""
    return place.shown(station.out_of_view_mm(place.points_lps_mm) == 0.0)
