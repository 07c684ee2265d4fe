"""Radiographs (CR, DX, digitised film): the size of a pixel where the header says it, and bone always bright.

Stored numbers are rescaled and, where bone is stored dark, turned over; windows and tables for display are not applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydicom import Dataset

from mdanderson.errors import GeometryError, ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers.dicom_elements import numbers, text, whole_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_header import acquisition_date, acquisition_facts
from mdanderson.readers.dicom_slices import PixelFormat, pixel_format, scale
from mdanderson.readers.planar_pixels import lossy_compression, read_frames
from mdanderson.readers.voxel_values import Scale
from mdanderson.settings import Radiograph
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = ["radiograph"]

_SAME = 1e-3
"""Relative difference below which PixelSpacing repeats ImagerPixelSpacing: nothing was calibrated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spacing:
    """Row and column step in mm, in the plane that `plane` names; notes: what makes it doubtful."""

    mm: tuple[float, float]
    plane: str
    notes: tuple[str, ...] = ()


def radiograph(file: DicomFile, source: str, settings: Radiograph) -> PlanarImage:
    """The picture in one file. Raises `ImageError`, `GeometryError` naming the file."""
    try:
        return _read(file, source, settings)
    except ImageError as error:
        error.located(file.path.name)
        raise


def _read(file: DicomFile, source: str, settings: Radiograph) -> PlanarImage:
    header = file.header
    frames = whole_number(header, "NumberOfFrames") or 1
    if frames > 1:
        raise ImageError(f"{frames} frames in one radiograph", way_out="export the picture to be measured by itself")
    pixels = pixel_format(file, may_be_inverted=True)
    spacing = _spacing(header, settings)
    values, padding = read_frames(file, pixels, _bone_bright(header, pixels))
    lossy = lossy_compression(file)
    facts = {
        "spacing": spacing.plane,
        "intent": text(header, "PresentationIntentType"),
        "projection": text(header, "ViewPosition"),
        "intensity": text(header, "PixelIntensityRelationship"),
        "lossy": lossy,
    }
    kept = {name: fact for name, fact in acquisition_facts(header).items() if name in {"scanner", "kvp"}}
    return PlanarImage(
        array=values[0],
        spacing_mm=spacing.mm,
        unit=Unit.ARBITRARY,
        modality=Modality.XR,
        date=acquisition_date(header),
        padding=padding,
        source=source,
        acquisition=kept | {name: fact for name, fact in facts.items() if fact},
        notes=spacing.notes + ((f"compressed with loss ({lossy})",) if lossy else ()),
        instance_uid=text(header, "SOPInstanceUID"),
    )


def _spacing(header: Dataset, settings: Radiograph) -> _Spacing:
    """The size of a pixel. Raises `GeometryError` where the header holds none.

    PS3.3 10.7: PixelSpacing is the patient's plane once calibrated, ImagerPixelSpacing the detector's.
    """
    patient, imager = (_steps(header, keyword) for keyword in ("PixelSpacing", "ImagerPixelSpacing"))
    calibration = text(header, "PixelSpacingCalibrationType")
    if patient is not None and calibration:
        return _Spacing(mm=patient, plane=f"calibrated ({calibration})")
    if patient is not None and imager is not None and not np.allclose(patient, imager, rtol=_SAME, atol=0):
        return _Spacing(mm=patient, plane="calibrated")
    if imager is not None:
        return _at_detector(imager, header, settings)
    if patient is not None:
        return _Spacing(
            mm=patient,
            plane="not said",
            notes=("the header does not say whether PixelSpacing is calibrated: sizes may be magnified",),
        )
    raise GeometryError(
        "the size of a pixel is unknown: neither PixelSpacing nor ImagerPixelSpacing is in the header",
        way_out="export the original radiograph, or calibrate it against an object of known size",
    )


def _at_detector(imager: tuple[float, float], header: Dataset, settings: Radiograph) -> _Spacing:
    """Steps on the detector, divided by the magnification that the header estimates, else by that of the settings."""
    estimated = numbers(header, "EstimatedRadiographicMagnificationFactor")
    if estimated is not None and estimated[0] < 1:
        raise GeometryError(
            f"EstimatedRadiographicMagnificationFactor is {estimated[0]:g}, below 1", way_out="export it again"
        )
    factor = settings.magnification if estimated is None else float(estimated[0])
    row, column = imager
    if factor > 1:
        return _Spacing(mm=(row / factor, column / factor), plane=f"detector plane, magnification {factor:g}")
    return _Spacing(
        mm=imager, plane="detector plane", notes=("sizes are those on the detector: bone appears magnified there",)
    )


def _steps(header: Dataset, keyword: str) -> tuple[float, float] | None:
    """Between rows and between columns, None when absent. Raises `GeometryError` unless both are above zero."""
    try:
        steps = numbers(header, keyword, count=2)
    except ImageError as error:
        raise GeometryError(error.what, way_out=error.way_out) from error
    if steps is None:
        return None
    if not (steps > 0).all():
        raise GeometryError(f"{keyword} is not positive", way_out="export the original radiograph")
    return float(steps[0]), float(steps[1])


def _bone_bright(header: Dataset, pixels: PixelFormat) -> Scale:
    """How stored numbers become values that rise with what the rays met on their way."""
    plain = scale(header, header)
    if not _is_stored_dark(header):
        return plain
    ends = -1 if pixels.signed else 2**plain.bits_stored - 1
    turned = plain.slope * ends + plain.intercept  # the least stored number trades places with the greatest
    return replace(plain, slope=-plain.slope, intercept=turned)


def _is_stored_dark(header: Dataset) -> bool:
    """Whether bone has low numbers. PS3.3 C.8.11.3: a sign of 1 means that low numbers saw few rays.

    Raises `ImageError` when the statements of the header contradict each other.
    """
    sign = whole_number(header, "PixelIntensityRelationshipSign")
    shape = text(header, "PresentationLUTShape")
    said = {
        "PhotometricInterpretation": text(header, "PhotometricInterpretation") == "MONOCHROME1",
        "PresentationLUTShape": shape == "INVERSE" if shape in {"INVERSE", "IDENTITY"} else None,
        "PixelIntensityRelationshipSign": sign == 1 if sign in {1, -1} else None,
    }
    stated = {name: dark for name, dark in said.items() if dark is not None}
    if len(set(stated.values())) > 1:
        raise ImageError(
            f"{', '.join(stated)} do not agree on whether bone is bright or dark",
            way_out="export the radiograph again, for presentation",
        )
    return said["PhotometricInterpretation"] is True
