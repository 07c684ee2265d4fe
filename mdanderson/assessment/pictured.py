"""Pictures of every lesion at every visit, each cut round the same place of the patient (decisions/0028).

They are taken once a modality has been followed to its end: only then is known which lesions there are, so that one
that is new at the third visit is shown at the first two as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.companions import shown_in
from mdanderson.assessment.cut import Cut, outline_in, profile_in, rounded_frame
from mdanderson.assessment.elsewhere import Followed
from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.station import Station
from mdanderson.geometry import FloatArray
from mdanderson.lesions import Lesion
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.pictures import Frame, Line, Outline, Picture, png_of
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Region, Unit, Volume

__all__ = ["Show", "show_pictures"]

Show = Callable[[Picture], None]
"""What takes a picture over."""

_LOG = logging.getLogger(__name__)

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


def show_pictures(followed: Followed, seen: Sequence[Mapping[str, Seen]], *, settings: Settings, show: Show) -> None:
    """Hand a picture of every lesion at every visit to `show`, then whole views of bone scans.

    seen: of each visit, what was outlined of a lesion. What cannot be shown is left out; no score depends on it.
    """
    camera = _Camera(settings=settings)
    subjects = [_Subject.from_known(known, seen, settings) for known in followed.catalogue]
    for stations, its in zip(followed.visits, seen, strict=True):  # visit by visit: large images may be read again
        for subject in subjects:
            try:
                for picture in camera.of_lesion(subject, stations, its.get(subject.known.lesion_id)):
                    show(picture)
            except Exception:  # noqa: BLE001 - a picture that fails must not cost the patient
                _LOG.debug("a lesion could not be shown", exc_info=True)
        if followed.modality is Modality.NM:
            for picture in camera.of_scans(stations, its):
                show(picture)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Subject:
    """A lesion to be shown. anchor: (3,) common space, round which every picture is cut; width_mm: of every frame."""

    known: Known
    anchor: FloatArray
    width_mm: float

    @classmethod
    def from_known(cls, known: Known, seen: Sequence[Mapping[str, Seen]], settings: Settings) -> _Subject:
        """Framed so that its outline of every visit has room."""
        outlined = [its[known.lesion_id] for its in seen if known.lesion_id in its]
        return cls(known=known, anchor=_anchor(known, settings), width_mm=_frame_mm(known, outlined))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Camera:
    """Takes pictures; keeps the window of every image that it has met. windows: by the image's own identity."""

    settings: Settings
    windows: dict[int, tuple[float, float]] = field(default_factory=dict)

    def of_lesion(self, subject: _Subject, stations: Sequence[Station], one: Seen | None) -> Iterator[Picture]:
        """A lesion in every image of a visit that shows its place; one: its outline, where it has one."""
        known = subject.known
        station = one.station if one else _best_view(known, stations)
        if station is None:
            return
        region = one.region if one else station.carry(known.region, known.home)
        middle = _middle(known, station, subject.anchor, one)
        if region is not None and middle is not None:
            yield from self._in_images(known.lesion_id, station, region, middle, subject.width_mm, one)

    def _in_images(
        self, lesion_id: str, station: Station, region: Region, middle: FloatArray, width: float, one: Seen | None
    ) -> Iterator[Picture]:
        """The image that leads, in the slice that was measured there, and its companions in the plane next to that."""
        axes = _axes(one, self.settings)
        at = middle
        for image, shown in shown_in(station.image, region):
            leads = image is station.image
            cut = Cut.through(image, at, self.settings, axes.plane if leads and axes else None)
            if leads and axes:
                at = _moved_onto(cut)
            if cut.shows:
                drawn = one is not None
                outlines = (Outline(lesion_id=lesion_id, lines=outline_in(cut, shown, self.settings), drawn=drawn),)
                frame = rounded_frame((-width / 2, -width / 2, width, width))
                diameters = _diameters(cut, axes) if leads and axes else ()
                profile = profile_in(cut, shown) if drawn and image.volume.modality is Modality.CT else ()
                yield from self._taken(cut, frame, lesion_id, outlines, diameters, profile)

    def of_scans(self, stations: Sequence[Station], its: Mapping[str, Seen]) -> Iterator[Picture]:
        """Every view of a planar bone scan as a whole, with the foci that were outlined on it."""
        for station in stations:
            foci = {name: one.region for name, one in sorted(its.items()) if one.station is station}
            for image in (station.image, *station.image.companions):
                if not image.volume.planar:
                    continue
                geometry = image.volume.geometry
                cut = Cut.through(image, geometry.to_lps((np.array(geometry.shape) - 1) / 2), self.settings)
                outlines = []
                for name, region in foci.items():
                    here = next((shown for one, shown in shown_in(station.image, region) if one is image), None)
                    if here is not None:
                        outlines.append(Outline(lesion_id=name, lines=outline_in(cut, here, self.settings)))
                _, rows, columns = geometry.shape
                height, width = rows * geometry.spacing_mm[1], columns * geometry.spacing_mm[2]
                frame = rounded_frame((-width / 2, -height / 2, width, height))
                yield from self._taken(cut, frame, "", tuple(outlines), (), ())

    def _taken(
        self,
        cut: Cut,
        frame: Frame,
        lesion_id: str,
        outlines: tuple[Outline, ...],
        diameters: tuple[Line, ...],
        profile: tuple[tuple[float, float], ...],
    ) -> Iterator[Picture]:
        """The picture, where the image has pixels in the frame."""
        found = cut.pixels(frame)
        if found is None:
            return
        values, filled = found
        volume = cut.image.volume
        window = self.windows.setdefault(id(cut.image), _window(volume))
        inverse = volume.modality in {Modality.NM, Modality.PT}
        yield Picture(
            lesion_id=lesion_id,
            modality=volume.modality,
            date=cut.image.date,
            visit=cut.image.visit,
            sequence=str(volume.sequence or ""),
            view=str(volume.view or ""),
            png=png_of(_grey(values, window, inverse=inverse)),
            frame=frame,
            filled=filled,
            letters=cut.letters,
            window=window,
            unit=str(volume.unit),
            inverse=inverse,
            slice_number=None if volume.planar else cut.plane + 1,
            outlines=outlines,
            diameters=diameters,
            profile=profile,
        )


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


def _middle(known: Known, station: Station, anchor: FloatArray, one: Seen | None) -> FloatArray | None:
    """(3,) LPS mm of the image: where the middle of the picture lies; of a lesion whose place is lost, its own."""
    if station.trusted_at(known.points_common_mm) and station.trusted:
        return np.asarray(station.to_image(anchor[None])[0])
    if one is None:
        return None
    return Lesion.from_region(one.region, station.volume.geometry).centroid_lps_mm


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


def _frame_mm(known: Known, seen: Sequence[Seen]) -> float:
    """One width for all visits: that of the modality, or more where the lesion needs it."""
    usual = _FRAME_MM.get(known.home.volume.modality, _USUAL_FRAME_MM)
    widest = max((_extent_mm(one) for one in seen), default=0.0)
    return float(max(usual, np.ceil(_MARGIN * widest / 10.0) * 10.0))


def _extent_mm(one: Seen) -> float:
    """The longest side of the box round an outline."""
    sides = zip(one.region.box, one.station.volume.geometry.spacing_mm, strict=True)
    return float(max((part.stop - part.start) * step for part, step in sides))


def _axes(one: Seen | None, settings: Settings) -> Diameters | None:
    """The diameters of an outline, where its size was measured."""
    if one is None or one.finding.long_axis_mm is None:
        return None
    return measure_diameters(one.measured, one.station.volume.geometry, settings=settings.image)


def _moved_onto(cut: Cut) -> FloatArray:
    """(3,) LPS mm: the middle of the picture, moved onto its plane."""
    geometry = cut.image.volume.geometry
    index = geometry.to_voxel(cut.middle)
    index[cut.axis] = cut.plane
    return geometry.to_lps(index)


def _diameters(cut: Cut, axes: Diameters) -> tuple[Line, ...]:
    return cut.flat(axes.long_ends_lps_mm), cut.flat(axes.short_ends_lps_mm)


def _window(volume: Volume) -> tuple[float, float]:
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


def _grey(values: npt.NDArray[np.generic], window: tuple[float, float], *, inverse: bool) -> npt.NDArray[np.uint8]:
    """Values in the window as 0 to 255; NaN as black."""
    low, high = window
    share = np.clip((np.nan_to_num(values.astype(np.float64), nan=low) - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.round((1.0 - share if inverse else share) * 255.0), dtype=np.uint8)
