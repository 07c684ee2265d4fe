"""The unit that a header states for an ADC map: in its real-world value mapping, else in its RescaleType."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydicom import Dataset

from mdanderson.errors import UnitError
from mdanderson.readers.dicom_elements import items, numbers, text
from mdanderson.readers.dicom_slices import Slice
from mdanderson.readers.mr_adc import factor_of_unit
from mdanderson.readers.mr_facts import real_world_mappings, rescale_type
from mdanderson.readers.voxel_values import Scale

__all__ = ["scaled_as_stated"]


def scaled_as_stated(slices: Sequence[Slice]) -> tuple[Slice, ...] | None:
    """The same slices scaled to um2/s as their headers state; None where none of them states a unit.

    Raises `UnitError` where some state one and others none.
    """
    scales = [_stated_scale(each) for each in slices]
    known = [scale for scale in scales if scale is not None]
    if not known:
        return None
    if len(known) < len(scales):
        silent = next(each for each, scale in zip(slices, scales, strict=True) if scale is None)
        raise UnitError("an ADC map of which some slices state no unit", where=silent.name, way_out="export it again")
    return tuple(replace(each, scale=scale) for each, scale in zip(slices, known, strict=True))


def _stated_scale(one: Slice) -> Scale | None:
    """From stored numbers to um2/s: by the real-world mapping, else by RescaleType; None where neither has a unit."""
    for mapping in real_world_mappings(one.file, one.frame):
        factor = _mapped_factor(mapping)
        slope, intercept = numbers(mapping, "RealWorldValueSlope"), numbers(mapping, "RealWorldValueIntercept")
        if factor is not None and slope is not None and slope[0] != 0:
            offset = 0.0 if intercept is None else float(intercept[0])
            return replace(one.scale, slope=float(slope[0]) * factor, intercept=offset * factor)
    factor = factor_of_unit(rescale_type(one))
    if factor is None:
        return None
    return replace(one.scale, slope=one.scale.slope * factor, intercept=one.scale.intercept * factor)


def _mapped_factor(mapping: Dataset) -> float | None:
    codes = items(mapping, "MeasurementUnitsCodeSequence")
    return factor_of_unit(text(codes[0], "CodeValue")) if codes else None
