"""Masks of planar images: no place in the patient, so row for row and column for column on each view.

A mask of one view stands for both: two detectors see the same body at the same time, column k of the anterior picture
is column n-1-k of the posterior one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from mdanderson.errors import MaskError
from mdanderson.geometry import Geometry
from mdanderson.planar import PlanarImage
from mdanderson.readers.dicom_seg import regions_by_plane
from mdanderson.readers.planar_stored import pictures
from mdanderson.vocabulary import View
from mdanderson.volume import Mask, Region, Volume

__all__ = ["Picture", "masks_of_label_map", "masks_of_segmentation"]

_ELSEWHERE = -1
"""The view of a frame that shows a picture of the file which is not asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What of a planar image a mask is laid on. instance_uid: blank where it is not known, compared only."""

    geometry: Geometry
    view: View | None
    frame: int
    frames: int
    instance_uid: str = ""

    @classmethod
    def of_image(cls, image: PlanarImage) -> Picture:
        """That of a planar image as it was read."""
        geometry = image.as_slab().geometry
        return cls(
            geometry=geometry,
            view=image.view,
            frame=image.frame,
            frames=image.frames,
            instance_uid=image.instance_uid,
        )

    @classmethod
    def of_slab(cls, slab: Volume) -> Picture:
        """That of the volume one plane thick which stands for it."""
        frame, _, frames = slab.acquisition.get("frame", "1 of 1").partition(" of ")
        return cls(geometry=slab.geometry, view=slab.view, frame=int(frame), frames=int(frames))

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.geometry.shape[1:]


def masks_of_label_map(path: Path, shown: Sequence[Picture]) -> tuple[Mask, ...]:
    """One mask for each picture. Raises `MaskError` naming both sizes when they differ, `ImageError` as the readers."""
    planes = [_plane(pictures(path, picture.view), picture, order, shown) for order, picture in enumerate(shown)]
    masks = [
        Mask.from_label_map(plane[None], picture.geometry, source=path.name)
        for plane, picture in zip(planes, shown, strict=True)
        if plane is not None
    ]
    return tuple(masks) if len(masks) == len(shown) else _both(masks[0], shown)


def masks_of_segmentation(
    dataset: Dataset, shown: Sequence[Picture], *, source: str, fraction: float
) -> tuple[Mask, ...]:
    """The same for a DICOM SEG, whose frames refer to the pictures they were drawn on. Raises `MaskError`."""
    size = (int(dataset.Rows), int(dataset.Columns))
    for picture in shown:
        _check_size(size, picture.size)
    places = _places(dataset, shown)
    regions, notes = regions_by_plane(dataset, [place + 1 for place in places], fraction=fraction)
    masks = [
        Mask(geometry=picture.geometry, regions=_in_plane(regions, k + 1), source=source, notes=notes)
        for k, picture in enumerate(shown)
    ]
    concerned = set(places) - {_ELSEWHERE}
    if len(shown) == 2 and len(concerned) == 1:
        return _both(masks[concerned.pop()], shown)
    return tuple(masks)


def _plane(
    frames: npt.NDArray[np.generic], picture: Picture, order: int, shown: Sequence[Picture]
) -> npt.NDArray[np.generic] | None:
    """The labels of one picture; None for a second picture where there is but one frame."""
    _check_size((frames.shape[1], frames.shape[2]), picture.size)
    in_one_file = len({other.instance_uid for other in shown}) == 1
    if len(frames) == 1:
        return frames[0] if order == 0 else None
    if len(frames) == picture.frames and in_one_file:
        return np.asarray(frames[picture.frame - 1])
    if len(frames) == len(shown):
        return np.asarray(frames[order])
    raise MaskError(
        f"a mask of {len(frames)} planes for {len(shown)} picture(s)", way_out="save one plane for each view, or one"
    )


def _check_size(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    if mask != picture:
        raise MaskError(
            f"a mask of {mask[1]} columns x {mask[0]} rows for a picture of {picture[1]} x {picture[0]}",
            way_out="save the mask on the picture's own pixels",
        )


def _both(mask: Mask, shown: Sequence[Picture]) -> tuple[Mask, ...]:
    """The mask of one view on that view, mirrored onto the other."""
    return tuple(mask if picture.geometry is mask.geometry else _mirrored(mask, picture, shown) for picture in shown)


def _mirrored(mask: Mask, picture: Picture, shown: Sequence[Picture]) -> Mask:
    drawn_on = next(other for other in shown if other.geometry is mask.geometry)
    if {drawn_on.view, picture.view} != {View.ANT, View.POST}:
        raise MaskError("one plane for two pictures of unknown view", way_out="save one plane for each")
    columns = picture.size[1]
    note = f"the mask drawn on view {drawn_on.view} was mirrored onto view {picture.view}"
    return replace(
        mask,
        geometry=picture.geometry,
        regions=tuple(_flipped(region, columns) for region in mask),
        notes=(*mask.notes, note),
    )


def _flipped(region: Region, columns: int) -> Region:
    """The region with column k at n-1-k."""
    plane, row, column = region.box
    turned = slice(columns - column.stop, columns - column.start)
    return replace(region, box=(plane, row, turned), voxels=region.voxels[:, :, ::-1].copy())


def _in_plane(regions: Sequence[Region], plane: int) -> tuple[Region, ...]:
    """What lies in one plane of a stack of pictures, each label in a stack of one."""
    found = []
    for region in regions:
        own, row, column = region.box
        if own.start <= plane < own.stop:
            rows, columns = row.stop, column.stop
            whole = np.zeros((1, rows, columns), dtype=bool)
            whole[0, row, column] = region.voxels[plane - own.start]
            part = Region.from_array(whole, label=region.label, name=region.name, tracking_uid=region.tracking_uid)
            found += [part] if part is not None else []
    return tuple(found)


def _places(dataset: Dataset, shown: Sequence[Picture]) -> list[int]:
    """For each frame of the SEG the picture it was drawn on, from 0; `_ELSEWHERE` for one not asked for.

    Raises `MaskError` where no frame says it though there are several, and where none was drawn on these.
    """
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])
    frames = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    sources = [_source((frame, *shared)) for frame in frames]
    if frames and all(source is None for source in sources):
        if len(shown) == 1:
            return [0] * len(frames)
        raise MaskError(
            "the segmentation does not say which view its frames were drawn on",
            way_out="save it with references to the frames of its image, or as one label map for both views",
        )
    places = [_place(source, shown, sources) for source in sources]
    if frames and set(places) == {_ELSEWHERE}:
        raise MaskError("the segmentation was drawn on another image", way_out="name the mask of this image")
    return places


def _source(levels: Sequence[Dataset]) -> tuple[str, int | None] | None:
    """Instance and frame number that a frame was drawn on; the first that is stated."""
    for level in levels:
        for derivation in level.get("DerivationImageSequence") or []:
            for item in derivation.get("SourceImageSequence") or []:
                number = item.get("ReferencedFrameNumber")
                first = number[0] if isinstance(number, Sequence) and number else number
                return str(item.get("ReferencedSOPInstanceUID") or ""), None if first is None else int(first)
    return None


def _place(
    source: tuple[str, int | None] | None, shown: Sequence[Picture], sources: Sequence[tuple[str, int | None] | None]
) -> int:
    if source is None:
        raise MaskError(
            "a frame of the segmentation does not say which view it was drawn on", way_out="save the segmentation again"
        )
    instance, frame = source
    told_apart = len({other[0] for other in sources if other is not None}) > 1
    for k, picture in enumerate(shown):
        if told_apart and not picture.instance_uid:
            raise MaskError("a segmentation of several files", way_out="read it with all its views (read_planar_masks)")
        same_file = picture.instance_uid in {"", instance}
        if same_file and (frame == picture.frame or (frame is None and picture.frames == 1)):
            return k
    return _ELSEWHERE
