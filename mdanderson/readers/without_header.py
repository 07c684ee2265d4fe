"""A volume from a format whose header knows neither modality nor date nor sequence: the manifest says them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError
from mdanderson.geometry import Geometry
from mdanderson.readers.mr_adc import adc_values
from mdanderson.readers.voxel_values import compact, unit_without_header
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Volume

__all__ = ["several_volumes", "told_by_values", "volume_without_header"]


def volume_without_header(
    array: npt.NDArray[np.generic],
    geometry: Geometry,
    *,
    modality: Modality,
    date: dt.date,
    sequence: MrSequence | None,
    source: str,
) -> Volume:
    """The image of (planes, rows, columns) stored values in the unit of its kind; only an MR image has a sequence.

    An ADC map is in um2/s where its values leave no doubt, else in arbitrary units, and `acquisition` says so.
    Raises `UnitError` for a modality without volumes, `ImageError` for voxels that are no real numbers.
    """
    unit, values, notes = unit_without_header(modality), compact(array), {}
    weighs = sequence if modality is Modality.MR else None
    if weighs is MrSequence.ADC:
        adc = adc_values(values, None, is_stated=False)
        unit, values, notes = adc.unit, adc.array, {"unit_note": adc.note}
    if weighs is not None:
        notes["sequence_source"] = "manifest"
    return Volume(
        array=values,
        geometry=geometry,
        unit=unit,
        modality=modality,
        date=date,
        source=source,
        acquisition=notes,
        sequence=weighs,
    )


def told_by_values(modality: Modality, sequence: MrSequence | None) -> bool:
    """Whether only the voxels tell the unit, or whether it can be what it is said to be: PET, and maps of ADC."""
    return modality is Modality.PT or (modality is Modality.MR and sequence is MrSequence.ADC)


def several_volumes(count: int) -> ImageError:
    """The refusal of a file that holds several volumes, such as echoes or b-values."""
    return ImageError(
        f"{count} volumes in one file where one is needed", way_out="save the one wanted as a file of its own"
    )
