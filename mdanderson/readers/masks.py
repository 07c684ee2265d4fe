"""Segmentations, whatever their format, on the grid of their image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from mdanderson.errors import ImageError, MaskError
from mdanderson.geometry import Geometry
from mdanderson.readers.dicom_seg import read_segmentation
from mdanderson.readers.nifti import read_nifti_array
from mdanderson.readers.nrrd import read_nrrd_array
from mdanderson.readers.rtstruct import read_structure_set
from mdanderson.settings import ImageSettings
from mdanderson.volume import Mask, Volume

__all__ = ["read_mask"]

_NIFTI = (".nii", ".nii.gz")
_NRRD = (".nrrd", ".mha", ".mhd")
_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_LABEL_MAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def read_mask(path: str | Path, *, like: Volume, settings: ImageSettings | None = None) -> Mask:
    """The segmented lesions of the image `like`, on its grid.

    Label maps (NIfTI, NRRD, MHA, Slicer's .seg.nrrd), DICOM SEG and RTSTRUCT, told apart by name and content; a folder
    that holds one such file stands for it. Every non-zero label is a lesion: voxel value, segment number or ROI number.
    Nothing segmented gives an empty mask. What happened to a label on the way is in `Mask.notes`, a label that lies
    outside the image in `Mask.lost_labels`.
    Raises `MaskError` for what cannot be read, for another frame of reference, and when nothing of what is segmented
    lies in the image.
    """
    file = _single_file(Path(path))
    try:
        opened = _Source.at(file, like=like.geometry, settings=settings or ImageSettings())
        read = next((reader for claims, reader in _READERS if claims(opened)), _refuse)
        mask = read(opened).on_grid(like.geometry)
    except ImageError as error:
        raise MaskError(error.what, where=error.where or file.name, way_out=error.way_out) from error
    except MaskError as error:
        raise error.located(file.name) from error
    if mask.lost_labels and not mask.regions:
        raise MaskError(
            "the mask does not overlap the field of view of the image",
            where=file.name,
            way_out="name the mask of this image, or leave the cell blank if nothing was segmented",
        )
    return mask


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
        sop_class_uid = "" if path.name.lower().endswith((*_NIFTI, *_NRRD)) else _sop_class_uid(path)
        return cls(path=path, sop_class_uid=sop_class_uid, like=like, settings=settings)


def _sop_class_uid(path: Path) -> str:
    """The SOP class of a DICOM file, blank for any other."""
    try:
        found = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except (InvalidDicomError, EOFError):
        return ""
    except OSError as error:
        raise MaskError("the file cannot be opened", way_out=f"check the path ({error.strerror})") from error
    return str(found.get("SOPClassUID", ""))


def _single_file(path: Path) -> Path:
    """The file itself, or the only one in a folder, as archives deliver SEG and RTSTRUCT."""
    if not path.is_dir():
        return path
    inside = sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith("."))
    if len(inside) != 1:
        raise MaskError(
            f"a folder with {len(inside)} files where one mask is needed", where=path.name, way_out="name the file"
        )
    return inside[0]


def _read_nifti(file: _Source) -> Mask:
    array, geometry = read_nifti_array(file.path)
    return Mask.from_label_map(array, geometry, source=file.path.name)


def _read_nrrd(file: _Source) -> Mask:
    array, geometry, header = read_nrrd_array(file.path)
    return _from_layers(array, geometry, header, file.path.name)


def _read_seg(file: _Source) -> Mask:
    return read_segmentation(
        _dataset(file.path), source=file.path.name, like=file.like, fraction=file.settings.mask_fraction
    )


def _read_rtstruct(file: _Source) -> Mask:
    return read_structure_set(_dataset(file.path), source=file.path.name, like=file.like)


def _refuse(file: _Source) -> Mask:
    if file.sop_class_uid:
        name = UID(file.sop_class_uid).name
        raise MaskError(f"a DICOM {name} is no segmentation", way_out="name a DICOM SEG, an RTSTRUCT or a label map")
    raise MaskError(
        "neither a label map nor DICOM", way_out="masks are .nii, .nii.gz, .nrrd, .mha, .mhd, DICOM SEG or RTSTRUCT"
    )


def _dataset(path: Path) -> pydicom.Dataset:
    """The DICOM object in a file. Raises `MaskError`."""
    try:
        return pydicom.dcmread(path)
    except (InvalidDicomError, EOFError, OSError, ValueError, KeyError) as error:
        raise MaskError("the DICOM file is damaged or cut short", way_out="copy or export it again") from error


def _from_layers(array: npt.NDArray[np.generic], geometry: Geometry, header: Mapping[str, str], source: str) -> Mask:
    """A label map with the names of 3D Slicer's segments; segments that overlap come in layers, a fourth axis.

    label = label value; where layers use one value twice, the running number of the segment in the header instead.
    """
    segments = _slicer_segments(header)
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
    regions = [replace(found[key], label=number, name=segments.get(key, "")) for key, number in numbers.items()]
    empty = [key for key in segments if key not in found]
    notes = tuple(f"segment {list(segments).index(key) + 1} has no voxels in the file" for key in empty)
    return Mask(geometry=geometry, regions=tuple(regions), source=source, notes=notes)


def _slicer_segments(header: Mapping[str, str]) -> dict[tuple[int, int], str]:
    """(layer, label value) -> name, in the order of the header's Segment0_, Segment1_, ... keys."""
    segments: dict[tuple[int, int], str] = {}
    while (value := header.get(f"Segment{len(segments)}_LabelValue", "")).isdecimal():
        layer = header.get(f"Segment{len(segments)}_Layer", "0")
        key = (int(layer) if layer.isdecimal() else 0, int(value))
        if key in segments:
            raise MaskError(f"two segments have label value {value} in one layer", way_out="save it again")
        segments[key] = header.get(f"Segment{len(segments)}_Name", "")
    return segments


def _labels(found: list[tuple[int, int]], segments: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """A label of its own for every (layer, value)."""
    if len({value for _, value in found}) == len(found):
        return {key: key[1] for key in found}
    ordered = [*segments, *(key for key in found if key not in segments)]
    return {key: ordered.index(key) + 1 for key in found}


_READERS: tuple[tuple[Callable[[_Source], bool], Callable[[_Source], Mask]], ...] = (
    (lambda file: file.path.name.lower().endswith(_NIFTI), _read_nifti),
    (lambda file: file.path.name.lower().endswith(_NRRD), _read_nrrd),
    (lambda file: file.sop_class_uid in (_SEG, _LABEL_MAP_SEG), _read_seg),
    (lambda file: file.sop_class_uid == _RTSTRUCT, _read_rtstruct),
)
"""Names before content: a label map needs no look inside."""
