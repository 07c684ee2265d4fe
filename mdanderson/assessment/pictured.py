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

from mdanderson.assessment.companions import shown_in
from mdanderson.assessment.cut import Cut, outline_in, profile_in, rounded_frame
from mdanderson.assessment.elsewhere import Followed
from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.framed import Subject, subjects_of, window_of
from mdanderson.assessment.station import Station
from mdanderson.geometry import FloatArray
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.pictures import Frame, Line, Outline, Picture, png_of
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

__all__ = ["Show", "show_pictures"]

Show = Callable[[Picture], None]
"""What takes a picture over."""

_LOG = logging.getLogger(__name__)


def show_pictures(followed: Followed, seen: Sequence[Mapping[str, Seen]], *, settings: Settings, show: Show) -> None:
    """Hand a picture of every lesion at every visit to `show`, then whole views of bone scans.

    seen: of each visit, what was outlined of a lesion. What cannot be shown is left out; no score depends on it.
    """
    camera = _Camera(settings=settings)
    subjects = subjects_of(followed, seen, settings)
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
class _Camera:
    """Takes pictures; keeps the window of every image that it has met. windows: by the image's own identity."""

    settings: Settings
    windows: dict[int, tuple[float, float]] = field(default_factory=dict)

    def of_lesion(self, subject: Subject, stations: Sequence[Station], one: Seen | None) -> Iterator[Picture]:
        """A lesion in every image of a visit that shows its place; one: its outline, where it has one.

        The image that leads in the slice that was measured there, its companions in the plane next to that.
        """
        sight = subject.sight(stations, one)
        if sight is None:
            return
        lesion_id, width = subject.known.lesion_id, subject.width_mm
        axes = _axes(one, self.settings)
        at = sight.middle
        for image, shown in shown_in(sight.station.image, sight.region):
            leads = image is sight.station.image
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
        window = self.windows.setdefault(id(cut.image), window_of(volume))
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


def _grey(values: npt.NDArray[np.generic], window: tuple[float, float], *, inverse: bool) -> npt.NDArray[np.uint8]:
    """Values in the window as 0 to 255; NaN as black."""
    low, high = window
    share = np.clip((np.nan_to_num(values.astype(np.float64), nan=low) - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.round((1.0 - share if inverse else share) * 255.0), dtype=np.uint8)
