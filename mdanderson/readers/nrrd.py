"""NRRD and MetaImage (MHA, MHD) through SimpleITK, which gives LPS; the array becomes plane, row, column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.orientation import arrange, check_size
from mdanderson.readers.voxel_values import unit_without_header
from mdanderson.readers.without_header import several_volumes, volume_without_header
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Volume

__all__ = ["nrrd_shape", "read_nrrd", "read_nrrd_array", "read_nrrd_as_stored"]

_HEADER_BYTES = 2**20
_DATA_FILES = ("data file", "datafile", "elementdatafile")
"""By which a header names the file of its voxels, in NRRD and MetaImage."""
_MOST_UNPACKED = {"raw": 1, "false": 1, "gzip": 1032, "gz": 1032, "true": 1032}
"""Bytes of voxels that a byte of the file can hold, by encoding (NRRD) and compression (MetaImage)."""
_NO_MEMORY = "Failed to allocate memory"
"""What ITK says where there is none for an image."""
_SPACES = frozenset(
    {"left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"}
)
"""The patient spaces that SimpleITK turns into LPS."""


def read_nrrd(path: Path, *, modality: Modality, date: dt.date, sequence: MrSequence | None = None) -> Volume:
    """The image in a NRRD, MHA or MHD file, which itself knows neither its modality nor its date.

    Values are int16 or float32, in HU (CT), SUV (PT), counts (NM) or arbitrary units (MR); NaN = not imaged. sequence:
    what an MR image weighs; an ADC map is in um2/s where its values leave no doubt.
    Raises `ImageError`, `GeometryError`, `UnitError`.
    """
    unit_without_header(modality)
    array, geometry, _ = read_nrrd_array(path)
    if array.ndim != 3:
        raise several_volumes(array.shape[3]).located(path.name)
    return volume_without_header(array, geometry, modality=modality, date=date, sequence=sequence, source=str(path))


def read_nrrd_array(path: Path) -> tuple[npt.NDArray[np.generic], Geometry, Mapping[str, str]]:
    """The voxels as (plane, row, column) in the stored type, their place, and the header's own keys.

    Where a voxel holds several values (the layers of overlapping Slicer segments) they are a fourth axis.
    Raises `ImageError` for a file that is damaged, truncated or not three-dimensional, `GeometryError` when its place
    in the patient is unknown, sheared or not finite.
    """
    if not path.is_file():
        raise ImageError("no such file", where=path.name, way_out="check the path")
    try:
        fields = _header_fields(path)
        _check_place(fields)
        image = _read(path, fields)
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


def nrrd_shape(path: Path) -> tuple[int, ...]:
    """The size along each axis that the header states. Raises `ImageError`."""
    try:
        _voxel_file(path, _header_fields(path))
        return tuple(int(size) for size in _informed(path).GetSize())
    except ImageError as error:
        error.located(path.name)
        raise


def read_nrrd_as_stored(path: Path) -> tuple[npt.NDArray[np.generic], FloatArray | None, tuple[float, ...] | None]:
    """The pixels as (column, row[, frame]); (4, 4) index -> LPS mm, None where no place is stated; steps in mm.

    The steps are None where the header leaves them to a default. Raises `ImageError`.
    """
    if not path.is_file():
        raise ImageError("no such file", where=path.name, way_out="check the path")
    try:
        fields = _header_fields(path)
        image = _read(path, fields, axes=(2, 3))
    except ImageError as error:
        error.located(path.name)
        raise
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ImageError("several values a pixel", where=path.name, way_out="save one value a pixel")
    stored = SimpleITK.GetArrayFromImage(image)
    stepped = {"spacings", "space directions", "elementspacing", "elementsize"} & fields.keys()
    steps = tuple(float(step) for step in image.GetSpacing()) if stepped else None
    affine = None
    if image.GetDimension() == 3 and _states_place(fields):
        affine = np.eye(4)
        affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        affine[:3, 3] = image.GetOrigin()
    return stored.transpose(*range(stored.ndim)[::-1]), affine, steps


def _read(path: Path, fields: Mapping[str, str], *, axes: tuple[int, ...] = (3,)) -> Any:
    """The SimpleITK image; what its header claims is checked before its voxels are read."""
    voxels_in = _voxel_file(path, fields)
    reader = _informed(path)
    size = reader.GetSize()
    if len(size) > 3:
        raise several_volumes(prod(size[3:]))
    if len(size) not in axes:
        raise ImageError(
            f"{len(size)} axes of {' x '.join(map(str, size))} voxels where three are needed",
            way_out="save each volume of it as a file of its own",
        )
    claimed = (*size, reader.GetNumberOfComponents())
    voxel_bytes = SimpleITK.Image([1] * len(size), reader.GetPixelID(), claimed[-1]).GetSizeOfPixelComponent()
    check_size(claimed, voxel_bytes=voxel_bytes)
    at_most = _MOST_UNPACKED.get(fields.get("encoding", fields.get("compresseddata", "false")))
    if at_most is not None and prod(claimed) * voxel_bytes > voxels_in.stat().st_size * at_most:
        raise ImageError("the file is cut short", way_out="copy or export it again")
    try:
        return reader.Execute()
    except RuntimeError as error:
        if _NO_MEMORY in str(error):
            raise MemoryError from error
        raise _damaged() from error


def _informed(path: Path) -> Any:
    """A SimpleITK reader that knows the header. Raises `ImageError`."""
    SimpleITK.ProcessObject.GlobalWarningDisplayOff()  # what it would print on stderr, the errors here say
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _damaged() from error
    return reader


def _damaged() -> ImageError:
    return ImageError("the file is damaged or cut short", way_out="copy or export it again")


def _voxel_file(path: Path, fields: Mapping[str, str]) -> Path:
    """The file that holds the voxels: this one, or one beside it. Raises `ImageError` for any other."""
    name = next((fields[key] for key in _DATA_FILES if key in fields), "LOCAL")
    if name == "LOCAL":
        return path
    if "%" in name or name.split(" ")[0] == "LIST":
        raise ImageError("its voxels lie in several files", way_out="save it as one file (.nrrd, .mha)")
    beside = Path(name)
    if beside.is_absolute() or ".." in beside.parts:
        raise ImageError("its voxels lie in another folder", way_out="save it as one file (.nrrd, .mha)")
    if not (path.parent / beside).is_file():
        raise ImageError("the file of its voxels is not there", way_out="put it beside its header")
    return path.parent / beside


def _header_fields(path: Path) -> dict[str, str]:
    """The text header, lower case but for files: NRRD `key: value` until a blank line, MetaImage `Key = Value`.

    Raises `ImageError` when it is neither.
    """
    with path.open("rb") as file:
        text = file.read(_HEADER_BYTES).decode("latin-1")
    separator = ":" if text.startswith("NRRD") else "="
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(separator)
        key = name.strip().lower()
        fields[key] = value.strip() if key in _DATA_FILES else value.strip().lower()
        if not line.strip() or key == "elementdatafile":
            break
    if separator == "=" and "ndims" not in fields:
        raise ImageError("neither a NRRD nor a MetaImage header", way_out="export it again")
    return fields


def _check_place(fields: Mapping[str, str]) -> None:
    """Refuse a header that leaves the place or the size of voxels to a default."""
    if not _states_place(fields):
        raise GeometryError(
            "the place of the voxels in the patient is not in the header",
            way_out="save it again with origin, spacing and directions in patient space (LPS or RAS)",
        )
    if "-" in fields.get("elementspacing", fields.get("elementsize", "")):
        raise GeometryError("voxel spacing is not positive", way_out="export it again with its true spacing")


def _states_place(fields: Mapping[str, str]) -> bool:
    """Whether the header says where the voxels lie in the patient, and how large they are."""
    if any(key.startswith("nrrd") for key in fields):
        return fields.get("space", "") in _SPACES and {"space directions", "space origin"} <= fields.keys()
    return bool({"offset", "origin", "position"} & fields.keys()) and bool(
        {"elementspacing", "elementsize"} & fields.keys()
    )
