"""An image with its segmentation, placed in the patient's common space."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mdanderson.geometry import FloatArray, Geometry, box_between
from mdanderson.measure.plane import measuring_axis
from mdanderson.registration import Registration, Subject
from mdanderson.settings import ImageSettings
from mdanderson.volume import Mask, Region, Volume

__all__ = ["Image", "Station"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Image:
    """What one manifest row gives: the image and, on its grid, lesions, bones and a given reference.

    companions: images of the same visit and space in which the same lesions are measured (MR sequences, the other view
    of a bone scan); their labels are this image's. drawn: of a companion, label here -> label in its own mask,
    for what it outlines itself.
    borrowed_from: the image whose outlines these are, blank where they are its own. notes: what makes values, sizes or
    view doubtful. number: of its row among the patient's usable ones, from 0.
    """

    volume: Volume
    lesions: Mask
    date: dt.date
    visit: str = ""
    bone_map: Mask | None = None
    reference_mask: Mask | None = None
    where: str = ""
    companions: tuple[Image, ...] = ()
    drawn: Mapping[int, int] = field(default_factory=dict)
    borrowed_from: str = ""
    notes: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Station:
    """An image and the way from the common space (LPS mm of the baseline image) into it and back.

    The common space is where lesions of different dates are compared; `registration` leads from it to the image.
    """

    image: Image
    registration: Registration
    subject: Subject | None = None
    """The image made ready for registration, kept because a baseline meets every follow-up."""

    @property
    def volume(self) -> Volume:
        """The image's volume."""
        return self.image.volume

    @property
    def trusted(self) -> bool:
        """Whether a place found in one image may be looked up in the other."""
        return self.registration.trusted

    @property
    def error_mm(self) -> float:
        """Estimated error of a place carried over, anywhere in the image."""
        return self.registration.error_mm

    def error_at_mm(self, points_common_mm: FloatArray) -> float | None:
        """The same at the middle of (n, 3) points; None where the image has no place in the common space."""
        error_mm = self.registration.near(points_common_mm).error_mm
        return error_mm if np.isfinite(error_mm) else None

    def trusted_at(self, points_common_mm: FloatArray) -> bool:
        """Whether the place of (n, 3) points may be looked up in this image."""
        return self.registration.near(points_common_mm).trusted

    def trusted_here(self, points_lps_mm: FloatArray) -> bool:
        """Whether the place of (n, 3) LPS mm of this image is known in the common space."""
        return self.registration.near_follow_up(points_lps_mm).trusted

    def to_common(self, points_lps_mm: FloatArray) -> FloatArray:
        """(n, 3) LPS mm of one place of this image -> common space, by the motion of the bone there."""
        return self.registration.near_follow_up(points_lps_mm).to_baseline(points_lps_mm)

    def to_image(self, points_common_mm: FloatArray) -> FloatArray:
        """(n, 3) of one place of the common space -> LPS mm of this image, by the motion of the bone there."""
        return self.registration.near(points_common_mm).to_follow_up(points_common_mm)

    def carry(self, region: Region, home: Station) -> Region | None:
        """A region of `home`'s grid on this image's grid; None when no voxel of it falls inside."""
        place = home.to_common(home.volume.geometry.crop(region.box).corners_lps_mm())
        there, here = self.registration.near(place), home.registration.near(place)
        matrix = there.matrix @ np.linalg.inv(here.matrix)
        grid = home.volume.geometry.moved(matrix)
        moved = Mask(geometry=grid, regions=(region,)).on_grid(_anywhere(self.volume.geometry))
        return moved.regions[0] if moved.regions else None

    def plane_turn_degrees(self, home: Station, *, settings: ImageSettings) -> float:
        """Angle between the planes measured in of two images, the patient's own motion between them taken away."""
        then, now = (measuring_axis(one.volume.geometry, settings) for one in (home, self))
        matrix = self.registration.matrix @ np.linalg.inv(home.registration.matrix)
        normal = matrix[:3, :3] @ home.volume.geometry.directions[then]
        return float(np.degrees(np.arccos(min(1.0, abs(float(normal @ self.volume.geometry.directions[now]))))))

    def out_of_view_mm(self, points_common_mm: FloatArray) -> FloatArray:
        """(n, 3) points -> (n,): how far each lies outside this image's grid, 0 inside."""
        geometry = self.volume.geometry
        index = geometry.to_voxel(self.to_image(points_common_mm))
        outside = np.maximum(np.maximum(-0.5 - index, index - np.array(geometry.shape) + 0.5), 0.0)
        return np.asarray(np.linalg.norm(outside * geometry.spacing_mm, axis=1))

    def share_in_view(self, points_common_mm: FloatArray) -> float:
        """The share of (n, 3) points that this image shows: inside its grid and imaged."""
        geometry = self.volume.geometry
        points = self.to_image(points_common_mm)
        index = np.floor(geometry.to_voxel(points[geometry.contains(points)]) + 0.5).astype(int)
        if not len(index):
            return 0.0
        low = index.min(axis=0)
        box = box_between(low, index.max(axis=0) + 1)
        return float(self.volume.imaged(box)[tuple((index - low).T)].sum()) / len(points)


def _anywhere(geometry: Geometry) -> Geometry:
    """The grid without its frame of reference: the registration, not the header, says that the spaces agree."""
    return geometry.moved(np.eye(4))
