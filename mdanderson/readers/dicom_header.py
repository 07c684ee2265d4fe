"""What a DICOM header says of an image: kind, date, unit, acquisition. No pixel is read and no identity is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from pydicom import Dataset

from mdanderson.errors import ImageError, UnitError
from mdanderson.readers.dicom_elements import items, text
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

__all__ = [
    "acquisition_date",
    "acquisition_facts",
    "day_of",
    "is_projection",
    "known_modality",
    "nuclear_kind",
    "value_unit",
]

_RADIOGRAPHS = frozenset({"CR", "DX", "RG", "PX"})
_PROJECTIONS = frozenset({"STATIC", "WHOLE BODY", "DYNAMIC", "GATED"})
"""Kinds of NM image (ImageType, third value) that show the body summed up in depth; PS3.3 C.8.4.9."""
_RAW_TOMO = frozenset({"TOMO", "GATED TOMO"})
"""What the detectors saw from every side, before the reconstruction."""


def nuclear_kind(header: Dataset) -> str:
    """The third value of ImageType, which says of an NM image what its frames are; blank where it says nothing."""
    parts = text(header, "ImageType").split("/")
    return parts[2] if len(parts) > 2 else ""


def is_projection(header: Dataset) -> bool:
    """Whether it is a planar image: a radiograph, or a bone scan that is no tomography."""
    name = text(header, "Modality")
    if name != "NM":
        return name in _RADIOGRAPHS
    kind = nuclear_kind(header)
    return kind in _PROJECTIONS or ("TOMO" not in kind and "ImagePositionPatient" not in header)


def known_modality(header: Dataset) -> Modality:
    """What made the volume. Raises `ImageError` for planar images, raw projections, and what is no image."""
    name = text(header, "Modality")
    if is_projection(header):
        raise ImageError(
            f"a planar image ({text(header, 'Modality')}) is no volume",
            way_out="name a volume here; bone scans and radiographs are read as planar images (read_planar)",
        )
    if name == "NM" and nuclear_kind(header) in _RAW_TOMO:
        raise ImageError(
            "the raw projections of a SPECT are no volume", way_out="name the reconstructed series (RECON TOMO)"
        )
    if name not in {"CT", "MR", "NM", "PT"}:
        raise ImageError(
            f"a DICOM {text(header, 'Modality') or 'object without modality'} is no image to be measured",
            way_out="name the CT, MR, PT or NM series; segmentations belong in the mask column",
        )
    return Modality(name)


def acquisition_date(header: Dataset) -> dt.date | None:
    """Date of the study, else of the series, else of the acquisition; None when none of them is a date."""
    days = (day_of(header, keyword) for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"))
    return next(filter(None, days), None)


def day_of(header: Dataset, keyword: str) -> dt.date | None:
    """The date that an element holds; None where there is none."""
    digits = text(header, keyword).replace(".", "")[:8]
    try:
        return dt.datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None


def value_unit(header: Dataset, modality: Modality, *, rescale_type: str, is_rescaled: bool) -> Unit:
    """What a rescaled voxel means.

    rescale_type: RescaleType, blank when absent. is_rescaled: whether slope and intercept are there.
    Raises `UnitError` for a CT that is not in HU and a PET in units that never make an SUV by body weight.
    """
    if modality is Modality.CT:
        if not is_rescaled or rescale_type not in {"", "HU", "US"}:
            found = f"RescaleType {rescale_type}" if is_rescaled else "no rescale slope and intercept"
            raise UnitError(f"CT numbers are not in HU ({found})", way_out="export the original CT series")
        return Unit.HU
    if modality is Modality.PT:
        return _pet_unit(header)
    return Unit.COUNTS if modality is Modality.NM else Unit.ARBITRARY


def _pet_unit(header: Dataset) -> Unit:
    """SUV by body weight is what every PET is read as; how, and what cannot, says `pet_suv`."""
    units = text(header, "Units")
    if units not in {"BQML", "CNTS", "GML"}:
        raise UnitError(
            f"PET units are {text(header, 'Units') or 'blank'}",
            way_out="export the series in Bq/ml (BQML) or as SUV by body weight (GML)",
        )
    return Unit.SUV


def acquisition_facts(header: Dataset) -> dict[str, str]:
    """What the comparability of two densities depends on; nothing that identifies anybody. Absent = left out."""
    keywords = {
        "kvp": "KVP",
        "kernel": "ConvolutionKernel",
        "slice_thickness_mm": "SliceThickness",
        "scanner": "ManufacturerModelName",
    }
    facts = {name: _short(_first(header, keyword)) for name, keyword in keywords.items()}
    agent = _first(header, "ContrastBolusAgent").casefold()
    facts["contrast_agent"] = "unknown" if not agent else "no" if agent in {"none", "no", "without"} else "yes"
    return {name: value for name, value in facts.items() if value}


def _first(header: Dataset, keyword: str) -> str:
    """The value in the header itself or in the functional groups that all frames share."""
    return next((found for level in _levels(header) if (found := text(level, keyword))), "")


def _short(fact: str) -> str:
    """A number without the digits that its conversion to text added; other text as it is."""
    try:
        return f"{float(fact):g}"
    except ValueError:
        return fact


def _levels(header: Dataset) -> Iterator[Dataset]:
    yield header
    for shared in items(header, "SharedFunctionalGroupsSequence"):
        for group in ("CTXRayDetailsSequence", "CTReconstructionSequence", "PixelMeasuresSequence"):
            yield from items(shared, group)
