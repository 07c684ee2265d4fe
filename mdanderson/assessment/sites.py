"""Where in the skeleton a lesion lies, by the named bones of a bone mask: one site for a lesion, at all its visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from mdanderson.anatomy import Bone, bone_named
from mdanderson.assessment.examiner import Seen
from mdanderson.findings import Examination
from mdanderson.geometry import Box, FloatArray, Geometry, box_shape, box_within, common_box, grow_box
from mdanderson.settings import Settings
from mdanderson.volume import Mask, Region

__all__ = ["BonePlace", "place_in_bones", "places_seen", "with_sites"]

_WORTH_NAMING = 0.1
"""Share of a lesion in another bone from which on that one is told as well."""

_TERMINOLOGY = "terminology of the segmentation"


@dataclass(frozen=True, kw_only=True, slots=True)
class BonePlace:
    """The bone that a lesion lies in or next to; how: in words."""

    bone: Bone
    how: str


def places_seen(seen: Mapping[str, Seen], settings: Settings) -> dict[str, BonePlace]:
    """Lesion -> its place at one visit: as the segmentation states it, else by the image's bone mask."""
    found: dict[str, BonePlace] = {}
    for lesion_id, one in seen.items():
        image = one.station.image
        stated = bone_named(one.region.site)
        if stated is not None:
            found[lesion_id] = BonePlace(bone=stated, how=_TERMINOLOGY)
            continue
        if image.bone_map is None or image.volume.planar:
            continue
        place = place_in_bones(one.region, image.volume.geometry, image.bone_map, settings.image.site_reach_mm)
        if place is not None:
            found[lesion_id] = place
    return found


def place_in_bones(region: Region, geometry: Geometry, bones: Mask, reach_mm: float) -> BonePlace | None:
    """The named bone that holds most of a region of the same grid, else the nearest within `reach_mm`; None beyond."""
    named = [(bone, one) for one in bones if one.name and (bone := bone_named(one.name)) is not None]
    shares = [(_shared(region, one) / region.voxels.sum(), bone) for bone, one in named]
    shares = sorted((one for one in shares if one[0] > 0), key=lambda one: (-one[0], one[1].words))
    if shares:
        (share, bone), *others = shares
        beside = [f"{part:.0%} in {other.words}" for part, other in others if part >= _WORTH_NAMING]
        return BonePlace(bone=bone, how=", ".join([f"bone mask: {share:.0%} of it in {bone.words}", *beside]))
    away = _distance_from(region, geometry, reach_mm)
    box = grow_box(region.box, geometry, reach_mm)
    near = [(_nearest(away, box, one), bone) for bone, one in named]
    reached = [one for one in near if one[0] <= reach_mm]
    if not reached:
        return None
    distance, bone = min(reached, key=lambda one: (one[0], one[1].words))
    return BonePlace(bone=bone, how=f"bone mask: {distance:.1f} mm from {bone.words}")


def with_sites(examinations: Sequence[Examination], places: Iterable[Mapping[str, BonePlace]]) -> list[Examination]:
    """The same with one site for every lesion, at all visits and in all modalities.

    places: of every visit, the earliest first. The bone that most visits name is taken, of as many the earlier one;
    where visits disagree `site_source` says so. A site that is stated already is left.
    """
    by_lesion: dict[str, list[BonePlace]] = {}
    for one in places:
        for lesion_id, place in one.items():
            by_lesion.setdefault(lesion_id, []).append(place)
    settled = {lesion_id: _settled(found) for lesion_id, found in by_lesion.items()}
    return [_with_sites(one, settled) for one in examinations]


def _settled(found: Sequence[BonePlace]) -> BonePlace:
    votes = Counter(place.bone for place in found)
    bone = max(votes, key=lambda one: votes[one])  # of as many the first that was named
    first = next(place for place in found if place.bone == bone)
    others = [f"{other.words} at {count}" for other, count in votes.items() if other != bone]
    if not others:
        return first
    return replace(first, how=f"{first.how}; of {len(found)} visits {', '.join(others)}")


def _with_sites(examination: Examination, settled: Mapping[str, BonePlace]) -> Examination:
    lesions = tuple(
        replace(one, site=place.bone.site, laterality=one.laterality or place.bone.side, site_source=place.how)
        if (place := settled.get(one.lesion_id)) is not None and not one.site
        else one
        for one in examination.lesions
    )
    return replace(examination, lesions=lesions)


def _shared(region: Region, bone: Region) -> int:
    """How many voxels two regions of one grid share."""
    box = common_box(region.box, bone.box)
    if box is None:
        return 0
    own, other = (one.voxels[box_within(box, one.box)] for one in (region, bone))
    return int(np.count_nonzero(own & other))


def _distance_from(region: Region, geometry: Geometry, reach_mm: float) -> FloatArray:
    """Millimetres from a region, in its box grown by the reach."""
    box = grow_box(region.box, geometry, reach_mm)
    outside = np.ones(box_shape(box), dtype=bool)
    outside[box_within(region.box, box)] &= ~region.voxels
    return np.asarray(ndimage.distance_transform_edt(outside, sampling=geometry.spacing_mm))


def _nearest(away: FloatArray, box: Box, bone: Region) -> float:
    """The least distance at which a bone is met in the box; infinite where it is not in it."""
    shared = common_box(box, bone.box)
    if shared is None:
        return float("inf")
    met = away[box_within(shared, box)][bone.voxels[box_within(shared, bone.box)]]
    return float(met.min()) if met.size else float("inf")
