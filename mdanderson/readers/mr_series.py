"""The one image wanted of an MR series: its slices, what it weighs, and what comparing it with others depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mdanderson.readers.dicom_elements import items
from mdanderson.readers.dicom_slices import Slice
from mdanderson.readers.mr_adc import adc_values
from mdanderson.readers.mr_adc_header import scaled_as_stated
from mdanderson.readers.mr_facts import MrFacts
from mdanderson.readers.mr_groups import MrGroup, choose, separate
from mdanderson.readers.mr_told import settled
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import Unit

__all__ = ["MrImage", "mr_image"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MrImage:
    """Slices of one image, unordered. acquisition: facts for `Volume.acquisition`.

    has_stated_unit: whether the slices of an ADC map are scaled to um2/s as their headers state.
    """

    slices: tuple[Slice, ...]
    sequence: MrSequence | None
    acquisition: Mapping[str, str] = field(default_factory=dict)
    has_stated_unit: bool = False

    def finished(
        self, array: npt.NDArray[np.generic], padding: float | None
    ) -> tuple[npt.NDArray[np.generic], float | None, Unit, dict[str, str]]:
        """Its values, the padding among them, their unit, and the facts for `Volume.acquisition`.

        Raises `UnitError` for an ADC map whose stated unit cannot be true.
        """
        if self.sequence is not MrSequence.ADC:
            return array, padding, Unit.ARBITRARY, dict(self.acquisition)
        adc = adc_values(array, padding, is_stated=self.has_stated_unit)
        told = {"unit_note": adc.note} if adc.note else {}
        return adc.array, adc.padding, adc.unit, dict(self.acquisition) | told


def mr_image(slices: Sequence[Slice], *, sequence: MrSequence | None = None, number: int | None = None) -> MrImage:
    """The image of a series that is `sequence`, or the one of that number, or the only one.

    Raises `ImageError` that lists the images where several are left, and where a header contradicts `sequence`.
    """
    groups = separate(slices)
    group = choose(groups, sequence=sequence, number=number)
    decided, source = settled(group.facts, group.found, sequence)
    of_many = {"image": f"#{group.number} of {len(groups)}: {group.differs}"} if len(groups) > 1 else {}
    stated = scaled_as_stated(group.slices) if decided is MrSequence.ADC else None
    return MrImage(
        slices=stated or group.slices,
        sequence=decided,
        acquisition=_acquisition(group) | source | of_many,
        has_stated_unit=stated is not None,
    )


def _acquisition(group: MrGroup) -> dict[str, str]:
    """What MR signal depends on; a fact that the header does not state is left out."""
    facts: MrFacts = group.facts
    timing = {
        "field_strength_t": facts.field_strength_t,
        "echo_time_ms": facts.echo_time_ms,
        "repetition_time_ms": facts.repetition_time_ms,
        "inversion_time_ms": facts.inversion_time_ms,
        "flip_angle_degrees": facts.flip_degrees,
        "b_value_s_mm2": facts.b_value_s_mm2 or None,
    }
    told = {name: f"{value:.6g}" for name, value in timing.items() if value is not None}
    if facts.fat_suppressed is not None:
        told["fat_suppression"] = "yes" if facts.fat_suppressed else "no"
    if items(group.slices[0].file.header, "ContrastBolusAgentSequence"):
        told["contrast_agent"] = "yes"
    return told
