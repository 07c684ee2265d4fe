"""What is looked at of a lesion at each visit: round which place of the patient, and in which of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.elsewhere import Followed
from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.station import Station
from mdanderson.geometry import FloatArray
from mdanderson.lesions import Lesion
from mdanderson.measure.diameters import measure_diameters
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Region, Unit, Volume

__all__ = ["Sight", "Subject", "subjects_of", "window_of"]

_FRAME_MM = {Modality.NM: 180.0, Modality.PT: 120.0, Modality.XR: 120.0}
_USUAL_FRAME_MM = 90.0
_MARGIN = 1.5
"""A frame is at least so many times as wide as the lesion."""
_BONE_WINDOW_HU = (-500.0, 1300.0)
_SUV_WINDOW = (0.0, 10.0)
_ADC_WINDOW_UM2_S = (0.0, 2500.0)
_GREY_PERCENTILES = (1.0, 99.5)
_COUNTS_PERCENTILE = 99.0
"""Of counts above zero: brighter foci are all black, as readers print bone scans."""
_SAMPLED = 100_000
"""Voxels that the window of an image is found from."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sight:
    """A lesion at one visit. one: its outline there, where it has one; region: that, or its place carried there.

    middle: (3,) LPS mm of the image, round which it is shown. linked: whether that is the place of the other visits, as
    far as a trusted registration tells.
    """

    station: Station
    region: Region
    middle: FloatArray
    one: Seen | None
    linked: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Subject:
    """A lesion to be shown. anchor: (3,) common space, round which it is; width_mm: of every frame; extent_mm: its own.

    extent_mm: the longest side of the box round its widest outline.
    """

    known: Known
    anchor: FloatArray
    width_mm: float
    extent_mm: float

    @classmethod
    def from_known(cls, known: Known, seen: Sequence[Mapping[str, Seen]], settings: Settings) -> Self:
        """Framed so that its outline of every visit has room."""
        extent_mm = max((_extent_mm(its[known.lesion_id]) for its in seen if known.lesion_id in its), default=0.0)
        usual = _FRAME_MM.get(known.home.volume.modality, _USUAL_FRAME_MM)
        width_mm = float(max(usual, np.ceil(_MARGIN * extent_mm / 10.0) * 10.0))
        return cls(known=known, anchor=_anchor(known, settings), width_mm=width_mm, extent_mm=extent_mm)

    def sight(self, stations: Sequence[Station], one: Seen | None) -> Sight | None:
        """Where it is in the images of a visit; None where none of them shows its place."""
        known = self.known
        station = one.station if one else _best_view(known, stations)
        if station is None:
            return None
        region = one.region if one else station.carry(known.region, known.home)
        linked = station.trusted_at(known.points_common_mm) and station.trusted
        if region is None or not (linked or one):
            return None
        if linked:
            middle = np.asarray(station.to_image(self.anchor[None])[0])
        else:  # of a lesion whose place is lost, its own
            middle = Lesion.from_region(region, station.volume.geometry).centroid_lps_mm
        return Sight(station=station, region=region, middle=middle, one=one, linked=linked)


def subjects_of(followed: Followed, seen: Sequence[Mapping[str, Seen]], settings: Settings) -> tuple[Subject, ...]:
    """Every lesion of a modality. seen: of each visit, what was outlined of a lesion."""
    return tuple(Subject.from_known(known, seen, settings) for known in followed.catalogue)


def window_of(volume: Volume) -> tuple[float, float]:
    """Least and greatest value shown."""
    if volume.modality is Modality.CT:
        return _BONE_WINDOW_HU
    if volume.unit is Unit.SUV:
        return _SUV_WINDOW
    if volume.sequence is MrSequence.ADC:
        return _ADC_WINDOW_UM2_S
    values = volume.array.reshape(-1)
    values = values[:: max(1, values.size // _SAMPLED)].astype(np.float64)
    values = values[np.isfinite(values) & (values != (np.nan if volume.padding is None else volume.padding))]
    if volume.modality is Modality.NM:
        values = values[values > 0]
        high = float(np.percentile(values, _COUNTS_PERCENTILE)) if values.size else 1.0
        return 0.0, round(max(high, 1.0), 2)
    if not values.size:
        return 0.0, 1.0
    low, high = (float(end) for end in np.percentile(values, _GREY_PERCENTILES))
    return round(low, 2), round(max(high, low + 1.0), 2)


def _anchor(known: Known, settings: Settings) -> FloatArray:
    """(3,) common space: the lesion's middle when first seen, in the slice that was measured then."""
    middle = known.points_common_mm.mean(axis=0)
    home = known.home
    if not home.volume.modality.is_anatomical:
        return np.asarray(middle)
    measured = measure_diameters(known.region, home.volume.geometry, settings=settings.image)
    index = home.volume.geometry.to_voxel(home.to_image(middle[None])[0])
    index[measured.axis] = measured.plane
    return np.asarray(home.to_common(home.volume.geometry.to_lps(index)[None])[0])


def _best_view(known: Known, stations: Sequence[Station]) -> Station | None:
    """The image of a visit that shows most of a lesion's place; None where none does."""
    points = known.points_common_mm
    shares = {
        number: station.share_in_view(points)
        for number, station in enumerate(stations)
        if station.trusted and station.trusted_at(points)
    }
    best = max(shares, key=lambda number: shares[number], default=None)
    return stations[best] if best is not None and shares[best] > 0 else None


def _extent_mm(one: Seen) -> float:
    """The longest side of the box round an outline."""
    sides = zip(one.region.box, one.station.volume.geometry.spacing_mm, strict=True)
    return float(max((part.stop - part.start) * step for part, step in sides))
