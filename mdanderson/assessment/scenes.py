"""What was taken together becomes one image with companions (docs/details.md, detail 37).

MR sequences of one visit and the two views of a bone scan show the same lesions at the same places. One of the images
leads: the one that was segmented. The others are its companions: the lesions are measured there too, under their own
outlines where they have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from mdanderson.assessment.station import Image
from mdanderson.errors import Problem, Severity
from mdanderson.geometry import Geometry
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region

__all__ = ["about_twins", "borrowed_outlines", "scenes_of"]

_LEAST_OVERLAP = 0.5
"""Of the smaller of two outlines in one space: then both are one lesion."""
_SHARED_VIEW = 0.5
"""Of the smaller field of view: with less of it in common two images are neighbours, not companions."""


def scenes_of(images: Sequence[Image], *, settings: Settings) -> tuple[Image, ...]:
    """The images of one modality at one visit, each with those that show the same places at the same time."""
    if len(images) < 2 or images[0].volume.modality not in {Modality.MR, Modality.NM}:
        return tuple(images)
    ordered = sorted(images, key=lambda image: _rank(image, settings))
    leading = _key(ordered[0])
    leaders = [image for image in ordered if _key(image) == leading]
    scenes: dict[int, list[Image]] = {id(leader): [] for leader in leaders}
    for image in ordered:
        if image in leaders:
            continue
        homes = [leader for leader in leaders if _taken_together(leader, image)]
        homes = _of_one_acquisition(image, homes, ordered) if image.volume.planar else homes
        free = [home for home in homes if _key(image) not in {_key(one) for one in scenes[id(home)]}]
        for home in free:
            scenes[id(home)].append(image)
        if not free:
            leaders.append(image)
            scenes[id(image)] = []
    return tuple(_scene(leader, scenes[id(leader)]) for leader in leaders)


def _of_one_acquisition(image: Image, homes: Sequence[Image], images: Sequence[Image]) -> list[Image]:
    """The other view of one acquisition: of the same file, or where there is no other of this view it could belong to.

    Two spots of one size (chest and pelvis) have four views, and their pixels do not tell which belong together.
    """
    same_file = [home for home in homes if home.volume.source == image.volume.source]
    rivals = [one for one in images if _key(one) == _key(image) and any(_taken_together(home, one) for home in homes)]
    return same_file or (list(homes) if len(homes) == len(rivals) == 1 else [])


def about_twins(scenes: Sequence[Image]) -> Iterator[Problem]:
    """A warning where two images of a visit show one place in one sequence or view: before and after contrast, say."""
    for number, one in enumerate(scenes):
        for other in scenes[:number]:
            if one.volume.modality not in {Modality.MR, Modality.NM} or not _taken_together(one, other):
                continue
            yield Problem(
                severity=Severity.WARNING,
                visit=one.visit,
                where=one.where,
                what=f"a second {_key(one) or 'image without sequence'} of the place that {other.where} shows",
                how_to_fix="keep the one that the earlier visits have, or name their sequences or views",
            )


def borrowed_outlines(images: Iterable[Image], segmented: Sequence[Image]) -> tuple[Image, ...]:
    """Images without outlines take those of another modality's image, of that day and frame of reference.

    So the uptake of a lesion outlined on CT is measured in the PET taken with it.
    """
    return tuple(_with_borrowed(image, segmented) for image in images)


def _with_borrowed(image: Image, segmented: Sequence[Image]) -> Image:
    lender = next((one for one in segmented if one.lesions.regions and _one_frame(one, image)), None)
    if image.lesions.regions or lender is None or lender.visit != image.visit:
        return image
    return replace(image, lesions=lender.lesions.on_grid(image.volume.geometry), borrowed_from=lender.where)


def _one_frame(one: Image, other: Image) -> bool:
    """Whether both were taken on one day in one known frame of reference."""
    uid = one.volume.geometry.frame_of_reference_uid
    return uid != "" and uid == other.volume.geometry.frame_of_reference_uid and one.date == other.date


def _rank(image: Image, settings: Settings) -> tuple[bool, int, bool, str]:
    """Segmented images lead, among them those that size is taken from first; of a bone scan the anterior view."""
    order = [str(name) for name in settings.policy.size_sequence_order]
    sequence = str(image.volume.sequence or "")
    place = order.index(sequence) if sequence in order else len(order)
    return not image.lesions.regions, place, image.volume.view is None, _key(image)


def _key(image: Image) -> str:
    """What tells companions apart: the MR sequence, or the view."""
    return str(image.volume.sequence or image.volume.view or "")


def _taken_together(one: Image, other: Image) -> bool:
    """Whether both show the same places without any registration, as far as headers tell.

    MR images of one visit without a frame of reference (NIfTI) are taken to be of one examination.
    """
    first, second = one.volume, other.volume
    if first.planar != second.planar or one.date != other.date:
        return False
    if first.planar:
        return first.geometry.shape == second.geometry.shape and np.allclose(
            first.geometry.spacing_mm, second.geometry.spacing_mm
        )
    uids = {first.geometry.frame_of_reference_uid, second.geometry.frame_of_reference_uid}
    return len(uids) == 1 and _shared_view(first.geometry, second.geometry) >= _SHARED_VIEW


def _shared_view(one: Geometry, other: Geometry) -> float:
    """Share of the smaller field of view that lies in the other, by boxes in LPS mm."""
    (low, high), (low_other, high_other) = (
        (corners.min(axis=0), corners.max(axis=0)) for corners in (one.corners_lps_mm(), other.corners_lps_mm())
    )
    common = np.prod(np.maximum(np.minimum(high, high_other) - np.maximum(low, low_other), 0.0))
    return float(common / min(np.prod(high - low), np.prod(high_other - low_other)))


def _scene(leader: Image, companions: Sequence[Image]) -> Image:
    """The leader with every lesion that any of them outlines, and the companions with the same labels."""
    for image in companions:
        leader = _with_lesions_of(leader, image)
    return replace(leader, companions=tuple(_labelled_as(leader, image) for image in companions))


def _with_lesions_of(leader: Image, image: Image) -> Image:
    """The leader with the lesions that only a companion outlines."""
    seen = image.lesions.on_grid(leader.volume.geometry)
    taken = {region.label for region in leader.lesions}
    added = []
    for region in seen:
        if _same_place(region, leader.lesions.regions) is not None:
            continue
        label = region.label if region.label not in taken else next(n for n in count(1) if n not in taken)
        taken.add(label)
        added.append(replace(region, label=label))
    lesions = replace(leader.lesions, regions=(*leader.lesions.regions, *added))
    return replace(leader, lesions=lesions) if added else leader


def _labelled_as(leader: Image, image: Image) -> Image:
    """A companion whose outlines carry the leader's labels; what it does not outline is taken over from the leader."""
    carried = leader.lesions.on_grid(image.volume.geometry)
    own: dict[int, Region] = {}
    drawn: dict[int, int] = {}
    for region in image.lesions:
        twin = _same_place(region, carried.regions)
        if twin is not None and twin.label not in own:
            own[twin.label] = replace(region, label=twin.label)
            drawn[twin.label] = region.label
    regions = [own.get(region.label, region) for region in carried]
    lesions = Mask(geometry=image.volume.geometry, regions=tuple(regions), source=image.lesions.source)
    return replace(image, lesions=lesions, drawn=drawn)


def _same_place(region: Region, others: Iterable[Region]) -> Region | None:
    """The one of the others that covers most of a region, when that is enough of the smaller of both."""
    shares = [(_overlap(region, other), other) for other in others]
    share, best = max(shares, key=lambda pair: pair[0], default=(0.0, None))
    return best if share >= _LEAST_OVERLAP else None


def _overlap(one: Region, other: Region) -> float:
    """Share of the smaller region's voxels that both hold."""
    common = tuple(_common_parts(one, other))
    if any(part.start >= part.stop for part in common):
        return 0.0
    both = [
        region.voxels[
            tuple(slice(c.start - own.start, c.stop - own.start) for c, own in zip(common, region.box, strict=True))
        ]
        for region in (one, other)
    ]
    return float((both[0] & both[1]).sum() / min(one.voxels.sum(), other.voxels.sum()))


def _common_parts(one: Region, other: Region) -> Iterator[slice]:
    for first, second in zip(one.box, other.box, strict=True):
        yield slice(max(first.start, second.start), min(first.stop, second.stop))
