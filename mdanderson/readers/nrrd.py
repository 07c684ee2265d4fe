"""NRRD and MetaImage (MHA, MHD) through SimpleITK, which gives LPS; the array becomes plane, row, column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import Geometry
from mdanderson.readers.orientation import arrange, check_size
from mdanderson.readers.voxel_values import compact, unit_without_header
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

__all__ = ["read_nrrd", "read_nrrd_array"]

_HEADER_BYTES = 2**20
_SPACES = frozenset(
    {"left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"}
)
"""The patient spaces that SimpleITK turns into LPS."""


def read_nrrd(path: Path, *, modality: Modality, date: dt.date) -> Volume:
    """The image in a NRRD, MHA or MHD file, which itself knows neither its modality nor its date.

    Values are int16 or float32, in HU (CT), SUV (PT), counts (NM) or arbitrary units (MR); NaN = not imaged.
    Raises `ImageError`, `GeometryError`, `UnitError`.
    """
    unit = unit_without_header(modality)
    array, geometry, _ = read_nrrd_array(path)
    if array.ndim != 3:
        raise ImageError(
            f"{array.shape[3]} values a voxel where one is needed",
            where=path.name,
            way_out="save each volume of it as a file of its own",
        )
    return Volume(array=compact(array), geometry=geometry, unit=unit, modality=modality, date=date, source=str(path))


def read_nrrd_array(path: Path) -> tuple[npt.NDArray[np.generic], Geometry, Mapping[str, str]]:
    """The voxels as (plane, row, column) in the stored type, their place, and the header's own keys.

    Where a voxel holds several values (the layers of overlapping Slicer segments) they are a fourth axis.
    Raises `ImageError` for a file that is damaged, truncated or not three-dimensional, `GeometryError` when its place
    in the patient is unknown, sheared or not finite.
    """
    if not path.is_file():
        raise ImageError("no such file", where=path.name, way_out="check the path")
    try:
        _check_place(_header_fields(path))
        image = _read(path)
        affine = np.eye(4)
        directions = np.array(image.GetDirection()).reshape(3, 3)
        affine[:3, :3] = directions * np.array(image.GetSpacing())
        affine[:3, 3] = image.GetOrigin()
        stored = SimpleITK.GetArrayFromImage(image)
        array, geometry = arrange(stored.transpose(2, 1, 0, *range(3, stored.ndim)), affine)
    except ImageError as error:
        error.located(path.name)
        raise
    return array, geometry, {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.isprintable()}


def _read(path: Path) -> Any:
    """The SimpleITK image; its size is checked before its voxels are read."""
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        if len(size) != 3:
            raise ImageError(
                f"{len(size)} axes of {' x '.join(map(str, size))} voxels where three are needed",
                way_out="save each volume of it as a file of its own",
            )
        check_size((*size, reader.GetNumberOfComponents()))
        return reader.Execute()
    except RuntimeError as error:
        raise ImageError("the file is damaged or cut short", way_out="copy or export it again") from error


def _header_fields(path: Path) -> dict[str, str]:
    """The text header in lower case: NRRD `key: value` until a blank line, MetaImage `Key = Value`.

    Raises `ImageError` when it is neither.
    """
    with path.open("rb") as file:
        text = file.read(_HEADER_BYTES).decode("latin-1")
    separator = ":" if text.startswith("NRRD") else "="
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(separator)
        fields[key.strip().lower()] = value.strip().lower()
        if not line.strip() or key.strip().lower() == "elementdatafile":
            break
    if separator == "=" and "ndims" not in fields:
        raise ImageError("neither a NRRD nor a MetaImage header", way_out="export it again")
    return fields


def _check_place(fields: Mapping[str, str]) -> None:
    """Refuse a header that leaves the place or the size of voxels to a default."""
    if any(key.startswith("nrrd") for key in fields):
        known = fields.get("space", "") in _SPACES and {"space directions", "space origin"} <= fields.keys()
    else:
        known = bool({"offset", "origin", "position"} & fields.keys()) and bool(
            {"elementspacing", "elementsize"} & fields.keys()
        )
    if not known:
        raise GeometryError(
            "the place of the voxels in the patient is not in the header",
            way_out="save it again with origin, spacing and directions in patient space (LPS or RAS)",
        )
