"""Planar images and their label maps in formats without a view: NIfTI, NRRD, MetaImage.

Inside this package a picture has rows from head to feet, and columns to the patient's left when seen from the front,
to the right when seen from the back. A file whose plane lies in the patient (coronal, for a radiograph also sagittal)
is turned to that. One without a place, or with the identity that a DICOM picture without position is given on
conversion (columns to the left, rows to the back), is taken as the picture itself: first axis columns, second rows.
Anything else could be either, and is refused.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import FloatArray, Geometry, patient_axes
from mdanderson.planar import PlanarImage
from mdanderson.readers.nifti import nifti_shape, read_nifti_as_stored
from mdanderson.readers.nrrd import nrrd_shape, read_nrrd_as_stored
from mdanderson.readers.voxel_values import compact
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

__all__ = ["is_planar_stored", "pictures", "read_planar_stored"]

_STRAIGHT = 0.9
"""Least cosine of a plane's normal with an axis of the body; a picture turned more is no plane of the body."""
_IDENTITY = 1e-3
_UNITS = {Modality.NM: Unit.COUNTS, Modality.XR: Unit.ARBITRARY}

Stored = tuple[npt.NDArray[np.generic], FloatArray | None, tuple[float, ...] | None]


def is_planar_stored(path: Path, *, modality: Modality | None, view: View | None) -> bool:
    """Whether the manifest calls it planar, or it is a bone scan of a single plane."""
    if modality is not Modality.NM:
        return modality is Modality.XR
    shape = nifti_shape(path) if _is_nifti(path) else nrrd_shape(path)
    return view is not None or len(shape) < 3 or 1 in shape[:3]


def read_planar_stored(path: Path, *, modality: Modality, date: dt.date, view: View | None) -> PlanarImage:
    """The one picture in a file that knows neither its modality, its date, nor its view.

    Raises `ImageError` for several planes, for other modalities than NM and XR, and for a bone scan without a view;
    `GeometryError` where the size of a pixel is unknown or the plane lies askew in the patient.
    """
    unit = _UNITS.get(modality)
    if unit is None:
        raise ImageError(f"a {modality} is no planar image", way_out="leave the view blank: it is read as a volume")
    if (view is None) is (modality is Modality.NM):
        told = "give view ANT or POST in the manifest" if view is None else "leave the view blank"
        raise ImageError(f"{'no view' if view is None else f'view {view}'} of a planar {modality}", way_out=told)
    stored = _stored(path)
    frames, spacing_mm, orientation = _turned(stored, view)
    if len(frames) > 1:
        raise ImageError(
            f"{len(frames)} planes where one picture is needed",
            way_out="leave the view blank if it is a volume, else save each view as a file of its own",
        )
    if spacing_mm is None:
        raise GeometryError("the size of a pixel is not in the header", way_out="save it again with its spacing")
    return PlanarImage(
        array=compact(frames[0]),
        spacing_mm=spacing_mm,
        unit=unit,
        modality=modality,
        view=view,
        date=date,
        source=str(path),
        acquisition={"orientation": orientation} | ({"spacing": "not said"} if modality is Modality.XR else {}),
    )


def pictures(path: Path, view: View | None) -> npt.NDArray[np.generic]:
    """(frames, rows, columns) of a label map in the order of the picture. Raises `ImageError`."""
    return _turned(_stored(path), view)[0]


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _stored(path: Path) -> Stored:
    array, affine, steps = read_nifti_as_stored(path) if _is_nifti(path) else read_nrrd_as_stored(path)
    if array.ndim < 2 or any(size != 1 for size in array.shape[3:]):
        raise ImageError(
            f"{array.ndim} axes of {' x '.join(map(str, array.shape))} pixels",
            way_out="save one picture, columns by rows",
        )
    return array.reshape((*array.shape[:3], 1)[:3], order="A"), affine, steps


def _turned(stored: Stored, view: View | None) -> tuple[npt.NDArray[np.generic], tuple[float, float] | None, str]:
    """(frames, rows, columns) as a picture, its row and column step in mm where known, and what turned it."""
    array, affine, steps = stored
    if affine is None or _is_identity(affine):
        spacing_mm = None if steps is None else (steps[1], steps[0])
        return array.transpose(2, 1, 0), spacing_mm, "as stored: columns by rows"
    place = Geometry(shape=(array.shape[0], array.shape[1], array.shape[2]), affine=affine)
    plane, row, column = _axes(place, lies=(0, 1) if view is None else (1,))
    towards = place.directions
    right_to_left = float(towards[column][patient_axes(towards)[column]])
    flip_row = towards[row][2] > 0
    flip_column = (right_to_left < 0) is not (view is View.POST)
    turned = array.transpose(plane, row, column)
    turned = turned[:, :: -1 if flip_row else 1, :: -1 if flip_column else 1]
    return turned, (place.spacing_mm[row], place.spacing_mm[column]), "from its place in the patient"


def _is_identity(affine: FloatArray) -> bool:
    """Whether columns run to the left and rows to the back: what a picture without position is converted to."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    return bool((steps > 0).all() and np.abs(affine[:3, :3] / steps - np.eye(3)).max() <= _IDENTITY)


def _axes(place: Geometry, *, lies: tuple[int, ...]) -> tuple[int, int, int]:
    """The stored axes that are plane, row and column of a picture that stands upright in the patient.

    lies: the patient axes that its normal may be; only a radiograph is taken from the side.
    """
    nearest = patient_axes(place.directions)
    single = [axis for axis in range(3) if place.shape[axis] == 1]
    plane = single[-1] if single else next(axis for axis in range(3) if nearest[axis] == 1)
    if nearest[plane] not in lies or min(abs(place.directions[axis][nearest[axis]]) for axis in range(3)) < _STRAIGHT:
        raise GeometryError(
            "it is not clear which way rows and columns of this picture run: its plane is not upright in the patient",
            way_out="save it with its place (a coronal plane), or without any (qform and sform codes 0)",
        )
    row = nearest.index(2)
    return plane, row, 3 - plane - row
