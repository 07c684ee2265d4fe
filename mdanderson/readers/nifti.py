"""NIfTI-1 and NIfTI-2, compressed or not: RAS there, LPS and plane-row-column here (see `orientation`)."""

from __future__ import annotations

import datetime as dt
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.orientation import arrange, check_size
from mdanderson.readers.voxel_values import compact, unit_without_header
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

__all__ = ["read_nifti", "read_nifti_array"]

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres per NIFTI_UNITS_UNKNOWN, _METER, _MM and _MICRON; writers who leave it unknown mean mm."""

_PATIENT_CODES = (1, 2)
"""NIFTI_XFORM_SCANNER_ANAT and _ALIGNED_ANAT: places in this patient. 3 and above are places in a template."""


def read_nifti(path: Path, *, modality: Modality, date: dt.date) -> Volume:
    """The image in a NIfTI file, which itself knows neither its modality nor its date.

    Values are int16 or float32, in HU (CT), SUV (PT), counts (NM) or arbitrary units (MR); NaN = not imaged.
    Raises `ImageError`, `GeometryError`, `UnitError`.
    """
    unit = unit_without_header(modality)
    array, geometry = read_nifti_array(path)
    return Volume(array=compact(array), geometry=geometry, unit=unit, modality=modality, date=date, source=str(path))


def read_nifti_array(path: Path) -> tuple[npt.NDArray[np.generic], Geometry]:
    """The voxels as (plane, row, column), in the stored type unless the header scales them, and their place.

    Raises `ImageError` for a file that is damaged, truncated or not three-dimensional, `GeometryError` when its
    place in the patient is unknown, sheared or not finite.
    """
    try:
        image = _load(path)
        affine = _lps_affine(image)
        shape = _three_axes(image.shape)
        check_size(shape)
        _check_length(path, image)
        array, geometry = arrange(_voxels(image).reshape(shape, order="A"), affine)
    except ImageError as error:
        error.located(path.name)
        raise
    return array, geometry


def _load(path: Path) -> Any:
    try:
        image = nib.load(path, mmap=False)
    except FileNotFoundError:
        raise ImageError("no such file", way_out="check the path") from None
    except (ImageFileError, HeaderDataError) as error:
        raise ImageError("not a NIfTI file, or its header is damaged", way_out="export it again") from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ImageError("the file cannot be read or is cut short", way_out="copy or export it again") from error
    if not isinstance(image, (nib.Nifti1Image, nib.Nifti1Pair)):
        raise ImageError("not a NIfTI file", way_out="convert it to NIfTI")
    return image


def _three_axes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The three spatial sizes; trailing axes of one entry carry nothing."""
    if len(shape) < 3 or any(size != 1 for size in shape[3:]):
        raise ImageError(
            f"{len(shape)} axes of {' x '.join(map(str, shape))} voxels where three are needed",
            way_out="save each volume of it as a file of its own",
        )
    return shape[0], shape[1], shape[2]


def _lps_affine(image: Any) -> FloatArray:
    """(4, 4): stored voxel index -> LPS mm."""
    affine = _patient_affine(image.header)
    if not np.isfinite(affine).all():
        raise GeometryError("voxel positions are not finite numbers", way_out="export it again")
    unit = int(image.header["xyzt_units"]) & 7
    if unit not in _MILLIMETRES:
        raise GeometryError(f"{unit} is no code of a unit of length", way_out="export it again")
    affine[:3] *= _MILLIMETRES[unit]
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


def _patient_affine(header: Any) -> FloatArray:
    """The sform if it places voxels in this patient, else the qform."""
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if sform in _PATIENT_CODES:
        return np.array(header.get_sform(), dtype=float)
    if qform in _PATIENT_CODES:
        try:
            return np.array(header.get_qform(), dtype=float)
        except (ValueError, HeaderDataError) as error:
            raise GeometryError("the qform of the header is no rotation", way_out="export it again") from error
    where = "in a template, not in the patient" if sform or qform else "unknown (sform and qform codes are 0)"
    raise GeometryError(
        f"the place of the voxels is {where}", way_out="convert from the original series, keeping its orientation"
    )


def _check_length(path: Path, image: Any) -> None:
    """Refuse an uncompressed file that is shorter than its header claims, before allocating for it."""
    if path.suffix.lower() != ".nii":
        return
    claimed = int(image.dataobj.offset) + int(np.prod(image.shape)) * image.get_data_dtype().itemsize
    if path.stat().st_size < claimed:
        raise ImageError("the file is cut short", way_out="copy or export it again")


def _voxels(image: Any) -> npt.NDArray[np.generic]:
    """The stored array; scaled only where the header asks for it."""
    try:
        array = np.asanyarray(image.dataobj)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ImageError("the file is cut short or damaged", way_out="copy or export it again") from error
    return np.asarray(array)
