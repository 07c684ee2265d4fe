"""Segmentations, whatever their format, on the grid of their image.

Imports of imaging libraries are inside functions: each takes a second to load and most runs need one of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError, MaskError
from mdanderson.geometry import Geometry
from mdanderson.planar import PlanarImage
from mdanderson.readers.orientation import no_memory
from mdanderson.readers.slicer_segments import Segment, slicer_segments
from mdanderson.settings import ImageSettings
from mdanderson.volume import Mask, Volume

if TYPE_CHECKING:
    from mdanderson.readers.planar_masks import Picture

__all__ = ["read_mask", "read_planar_masks", "tracking_uids_of_mask"]

_NIFTI = (".nii", ".nii.gz")
_NRRD = (".nrrd", ".nhdr", ".mha", ".mhd")
_SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""SOP classes Segmentation Storage and Label Map Segmentation Storage."""
_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
"""SOP class RT Structure Set Storage."""
_INCOMPLETE = (
    *(AttributeError, KeyError, IndexError, TypeError, ValueError, NotImplementedError, OSError, EOFError),
    *(OverflowError, RecursionError, struct.error),
)
"""What reading an attribute raises that is not there, or damaged; pydicom converts a value when it is asked for."""


def read_mask(path: str | Path, *, like: Volume, settings: ImageSettings | None = None) -> Mask:
    """The segmented lesions of the image `like`, on its grid.

    Label maps (NIfTI, NRRD, MHA, Slicer's .seg.nrrd), DICOM SEG and RTSTRUCT, told apart by name and content; a folder
    that holds one such file stands for it. Every non-zero label is a lesion: voxel value, segment number or ROI number.
    Nothing segmented gives an empty mask. What happened to a label on the way is in `Mask.notes`, a label that lies
    outside the image in `Mask.lost_labels`. A planar image has no place: its mask is of its own size, row for row and
    column for column; several views at once are read by `read_planar_masks`.
    Raises `MaskError` for what cannot be read, for another frame of reference, and when nothing of what is segmented
    lies in the image.
    """
    if like.planar:
        from mdanderson.readers.planar_masks import Picture

        return _planar_masks(path, [Picture.of_slab(like)], settings)[0]
    file = _single_file(Path(path))
    try:
        opened = _Source.at(file, like=like.geometry, settings=settings or ImageSettings())
        read = next((form.read for form in _FORMATS if form.recognises(opened)), _refuse)
        mask = read(opened).on_grid(like.geometry)
    except ImageError as error:
        raise MaskError(error.what, where=error.where or file.name, way_out=error.way_out) from error
    except MaskError as error:
        raise error.located(file.name) from error
    except MemoryError as error:
        short = no_memory()
        raise MaskError(short.what, where=file.name, way_out=short.way_out) from error
    if mask.lost_labels and not mask.regions:
        raise MaskError(
            "the mask does not overlap the field of view of the image",
            where=file.name,
            way_out="name the mask of this image, or leave the cell blank if nothing was segmented",
        )
    return mask


def read_planar_masks(
    path: str | Path, images: Sequence[PlanarImage], *, settings: ImageSettings | None = None
) -> tuple[Mask, ...]:
    """The segmented lesions of each view, on the grid of its `as_slab()`, in the order of `images`.

    A label map (NIfTI, NRRD, MHA) of columns x rows, with a plane for every frame of the file, for every view, or one
    alone; or a DICOM SEG whose frames refer to the pictures they were drawn on. What was drawn on one of two views is
    mirrored onto the other, which its `Mask.notes` say.
    Raises `MaskError` for another size, naming both, and for what cannot be read or does not say its view.
    """
    from mdanderson.readers.planar_masks import Picture

    return _planar_masks(path, [Picture.of_image(image) for image in images], settings)


def tracking_uids_of_mask(path: str | Path) -> Mapping[int, str]:
    """Label -> tracking UID, of the segments of a DICOM SEG that have one, as they stand; nothing of other formats.

    No pixel is read. Raises `MaskError`.
    """
    file = _single_file(Path(path))
    try:
        if _sop_class_uid(file) not in _SEG:
            return {}
        dataset = _dataset(file, tags=("SegmentSequence",))
        with _complete():
            segments = dataset.get("SegmentSequence") or []
            return {int(item.SegmentNumber): str(item.TrackingUID) for item in segments if item.get("TrackingUID")}
    except ImageError as error:
        raise MaskError(error.what, where=error.where or file.name, way_out=error.way_out) from error
    except MaskError as error:
        raise error.located(file.name) from error


def _planar_masks(path: str | Path, shown: Sequence[Picture], settings: ImageSettings | None) -> tuple[Mask, ...]:
    from mdanderson.readers.planar_masks import masks_of_label_map, masks_of_segmentation

    file = _single_file(Path(path))
    try:
        sop_class_uid = _sop_class_uid(file)
        if sop_class_uid in _SEG:
            fraction = (settings or ImageSettings()).mask_fraction
            with _complete():
                return masks_of_segmentation(_dataset(file), shown, source=file.name, fraction=fraction)
        if sop_class_uid or not file.name.lower().endswith((*_NIFTI, *_NRRD)):
            raise MaskError(
                "no mask of a planar image", way_out="save it as a label map (NIfTI, NRRD, MetaImage) or DICOM SEG"
            )
        return masks_of_label_map(file, shown)
    except ImageError as error:
        raise MaskError(error.what, where=error.where or file.name, way_out=error.way_out) from error
    except MaskError as error:
        raise error.located(file.name) from error
    except MemoryError as error:
        short = no_memory()
        raise MaskError(short.what, where=file.name, way_out=short.way_out) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A file, what tells its format (the name, and for DICOM the SOP class), and what its reader may need."""

    path: Path
    sop_class_uid: str
    like: Geometry
    settings: ImageSettings

    @classmethod
    def at(cls, path: Path, *, like: Geometry, settings: ImageSettings) -> _Source:
        """Look at the file as far as needed. Raises `MaskError` when it cannot be opened."""
        return cls(path=path, sop_class_uid=_sop_class_uid(path), like=like, settings=settings)

    def is_named(self, endings: tuple[str, ...]) -> bool:
        """Whether the name ends so and the content is not DICOM all the same."""
        return not self.sop_class_uid and self.path.name.lower().endswith(endings)


def _sop_class_uid(path: Path) -> str:
    """The SOP class of a DICOM file, whatever its name; blank for any other file."""
    from mdanderson.readers.dicom_file import starts_like_dicom

    try:
        if not starts_like_dicom(path):
            return ""
    except OSError as error:
        raise MaskError("the file cannot be opened", way_out=f"check the path ({error.strerror})") from error
    dataset = _dataset(path, tags=("SOPClassUID",))
    with _complete():
        return str(dataset.get("SOPClassUID", ""))


def _single_file(path: Path) -> Path:
    """The file itself, or the only one in a folder, as archives deliver SEG and RTSTRUCT."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise MaskError("neither a file nor a folder", where=path.name, way_out="name a file; a device is not read")
    if not path.is_dir():
        return path
    inside = sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith("."))
    if len(inside) != 1:
        raise MaskError(
            f"a folder with {len(inside)} files where one mask is needed", where=path.name, way_out="name the file"
        )
    return inside[0]


def _read_nifti(file: _Source) -> Mask:
    from mdanderson.readers.nifti import read_nifti_array

    array, geometry = read_nifti_array(file.path)
    return Mask.from_label_map(array, geometry, source=file.path.name)


def _read_nrrd(file: _Source) -> Mask:
    from mdanderson.readers.nrrd import read_nrrd_array

    array, geometry, header = read_nrrd_array(file.path)
    return _from_layers(array, geometry, header, file.path.name)


def _read_seg(file: _Source) -> Mask:
    from mdanderson.readers.dicom_seg import read_segmentation

    dataset = _dataset(file.path)
    with _complete():
        return read_segmentation(dataset, source=file.path.name, like=file.like, fraction=file.settings.mask_fraction)


def _read_rtstruct(file: _Source) -> Mask:
    from mdanderson.readers.rtstruct import read_structure_set

    dataset = _dataset(file.path)
    with _complete():
        return read_structure_set(dataset, source=file.path.name, like=file.like)


def _refuse(file: _Source) -> Mask:
    known = ", ".join(form.name for form in _FORMATS)
    if file.sop_class_uid:
        from pydicom.config import IGNORE
        from pydicom.uid import UID

        kind = UID(file.sop_class_uid, validation_mode=IGNORE).name
        told = "object of no known kind" if kind == file.sop_class_uid else kind
        raise MaskError(f"a DICOM {told} is no segmentation", way_out=f"known are {known}")
    raise MaskError("not a known mask format", way_out=f"known are {known}")


def _dataset(path: Path, *, tags: Sequence[str] = ()) -> Any:
    """The pydicom Dataset in a file; of `tags` no more than these elements. Raises `MaskError`."""
    from pydicom import dcmread

    from mdanderson.readers.dicom_elements import BROKEN_HEADER, unheard
    from mdanderson.readers.dicom_file import refuse_bomb

    try:
        with unheard():
            refuse_bomb(path)
            return dcmread(path, stop_before_pixels=bool(tags), specific_tags=list(tags) or None, force=True)
    except BROKEN_HEADER as error:
        raise MaskError("the DICOM file is damaged or cut short", way_out="copy or export it again") from error


@contextmanager
def _complete() -> Iterator[None]:
    """Attributes that DICOM requires and the file lacks, or holds in a wrong form, are the file's fault.

    pydicom keeps silent about them.
    """
    from mdanderson.readers.dicom_elements import unheard

    try:
        with unheard():
            yield
    except _INCOMPLETE as error:
        raise MaskError(
            "the DICOM file lacks a required attribute or is damaged", way_out="export the segmentation again"
        ) from error


def _from_layers(array: npt.NDArray[np.generic], geometry: Geometry, header: Mapping[str, str], source: str) -> Mask:
    """A label map with the names of 3D Slicer's segments; segments that overlap come in layers, a fourth axis.

    label = label value; where layers use one value twice, the running number of the segment in the header instead.
    """
    segments = slicer_segments(header)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    elif not segments:
        raise MaskError(f"{array.shape[3]} values a voxel where one label is needed", way_out="save a label map")
    found = {
        (layer, region.label): region
        for layer in range(array.shape[3])
        for region in Mask.from_label_map(array[..., layer], geometry, source=source)
    }
    numbers = _labels(list(found), list(segments))
    told = {key: segments.get(key, Segment()) for key in numbers}
    regions = [
        replace(found[key], label=number, name=told[key].name, site=told[key].site) for key, number in numbers.items()
    ]
    empty = [key for key in segments if key not in found]
    notes = tuple(f"segment {list(segments).index(key) + 1} has no voxels in the file" for key in empty)
    return Mask(geometry=geometry, regions=tuple(regions), source=source, notes=notes)


def _labels(found: list[tuple[int, int]], segments: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """A label of its own for every (layer, value)."""
    if len({value for _, value in found}) == len(found):
        return {key: key[1] for key in found}
    ordered = [*segments, *(key for key in found if key not in segments)]
    return {key: ordered.index(key) + 1 for key in found}


@dataclass(frozen=True, kw_only=True, slots=True)
class _MaskFormat:
    """One file format: how it is told from the others, and how it is read."""

    name: str
    recognises: Callable[[_Source], bool]
    read: Callable[[_Source], Mask]


_FORMATS: tuple[_MaskFormat, ...] = (
    # DICOM first, because it is told by content: such a file may be named anything, .nii included
    _MaskFormat(name="DICOM SEG", recognises=lambda file: file.sop_class_uid in _SEG, read=_read_seg),
    _MaskFormat(name="RTSTRUCT", recognises=lambda file: file.sop_class_uid == _RTSTRUCT, read=_read_rtstruct),
    _MaskFormat(name="NIfTI", recognises=lambda file: file.is_named(_NIFTI), read=_read_nifti),
    _MaskFormat(name="NRRD or MetaImage", recognises=lambda file: file.is_named(_NRRD), read=_read_nrrd),
)
"""Every mask format, in the order in which they are asked."""
