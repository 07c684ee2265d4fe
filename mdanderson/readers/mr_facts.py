"""What a header says of how one MR slice was made, alike in classic and in enhanced multi-frame files.

Nothing here judges: a fact that is absent, blank or no number is None or blank. No pixel is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pydicom import Dataset
from pydicom.tag import Tag

from mdanderson.readers.dicom_elements import items, private_text, text
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_multiframe import group_items
from mdanderson.readers.dicom_slices import Slice

__all__ = ["ADC_QUANTITY", "MrFacts", "mapped_quantity", "mr_facts", "real_world_mappings", "rescale_type"]

ADC_QUANTITY = "113041"
"""DCM, Apparent Diffusion Coefficient."""

_PRIVATE_B_VALUES = (
    ("SIEMENS MR HEADER", 0x0019100C),
    ("GEMS_PARM_01", 0x00431039),
    ("Philips Imaging DD 001", 0x20011003),
)
"""Creator and element of b-values that classic files do not hold in DiffusionBValue."""

_GE_OFFSET = 1e9
"""GE adds it to b-values of some pulse sequences."""
_GE_COMPONENT = ("GEMS_PARM_01", 0x0043102F)
_GE_COMPONENTS = {"0": "magnitude", "1": "phase", "2": "real", "3": "imaginary"}

_COMPONENTS = {
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}
_GAUSS_PER_TESLA = 1e4
_MHZ_PER_TESLA = 42.577
"""Larmor frequency of the proton."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MrFacts:
    """One slice. words: ImageType (FrameType where there are frames) from its third value, in upper case.

    component: magnitude, phase, real or imaginary; magnitude where nothing is said. contrast: AcquisitionContrast.
    scanning: SE GR IR EP, as in ScanningSequence. quantity: code of what real-world values stand for. direction: of
    diffusion weighting, or the word for it. time and those before it may vary from slice to slice of one image.
    """

    words: tuple[str, ...] = ()
    component: str = "magnitude"
    contrast: str = ""
    scanning: frozenset[str] = frozenset()
    is_spoiled: bool = False
    fat_suppressed: bool | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_degrees: float | None = None
    field_strength_t: float | None = None
    b_value_s_mm2: float | None = None
    quantity: str = ""
    description: str = ""
    stack_id: str = ""
    direction: tuple[float | str, ...] = ()
    pulse_sequence: str = ""
    time_index: float | None = None
    acquisition: float | None = None
    trigger_ms: float | None = None
    time: str = ""


def mr_facts(one: Slice) -> MrFacts:
    """All of one slice. Raises `ImageError` where the header is damaged."""
    said = _Said(one)
    return MrFacts(
        words=_image_words(said)[2:],
        component=_component(said, one.file.header),
        contrast=said.text("AcquisitionContrast").upper(),
        scanning=_scanning(said),
        is_spoiled="SP" in _set(said.text("SequenceVariant")) or said.text("Spoiling").upper().startswith("RF"),
        fat_suppressed=_fat_suppressed(said),
        echo_time_ms=_positive(said.number("EffectiveEchoTime", "EchoTime")),
        repetition_time_ms=_positive(said.number("RepetitionTime")),
        inversion_time_ms=_positive(said.number("InversionTimes", "InversionTime")),
        flip_degrees=said.number("FlipAngle"),
        field_strength_t=_field_strength_t(said),
        b_value_s_mm2=_b_value(said, one.file.header),
        quantity=mapped_quantity(one.file, one.frame),
        description=said.text("SeriesDescription"),
        stack_id=said.text("StackID"),
        direction=_direction(said),
        pulse_sequence=said.text("SequenceName"),
        time_index=said.number("TemporalPositionIndex", "TemporalPositionIdentifier"),
        acquisition=said.number("FrameAcquisitionNumber", "AcquisitionNumber"),
        trigger_ms=said.number("NominalCardiacTriggerDelayTime", "TriggerTime"),
        time=said.text("FrameAcquisitionDateTime") or said.text("AcquisitionTime"),
    )


def rescale_type(one: Slice) -> str:
    """RescaleType of a slice, blank when absent."""
    return _Said(one).text("RescaleType")


class _Said:
    """What is said of one slice, wherever: in the groups of its frame, else of all frames, else in the file."""

    def __init__(self, one: Slice) -> None:
        header = one.file.header
        self._holders = dict.fromkeys(header.keys(), header)
        if one.file.has_frames:
            own = items(header, "PerFrameFunctionalGroupsSequence")[one.frame : one.frame + 1]
            for groups in (*items(header, "SharedFunctionalGroupsSequence"), *own):
                for name in groups.dir():
                    for group in items(groups, name)[:1]:
                        self._holders |= dict.fromkeys(group.keys(), group)

    def text(self, keyword: str) -> str:
        """A fact as text, blank when absent."""
        holder = self._holders.get(Tag(keyword))
        return "" if holder is None else text(holder, keyword)

    def number(self, *keywords: str) -> float | None:
        """The first value of the first fact that is a finite number."""
        return next((value for value in map(_number, map(self.text, keywords)) if value is not None), None)

    def items(self, keyword: str) -> Sequence[Dataset]:
        """The items of a sequence, none when it is absent."""
        holder = self._holders.get(Tag(keyword))
        return () if holder is None else items(holder, keyword)


def _image_words(said: _Said) -> tuple[str, ...]:
    """FrameType, else ImageType, in upper case."""
    return tuple((said.text("FrameType") or said.text("ImageType")).upper().split("/"))


def _direction(said: _Said) -> tuple[float | str, ...]:
    """Where diffusion is weighted, else whether it is weighted alike in all directions."""
    stated = said.text("DiffusionGradientOrientation")
    for holder in said.items("DiffusionGradientDirectionSequence"):
        stated = text(holder, "DiffusionGradientOrientation")
    values = [_number(part) for part in stated.split("/")]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == 3 else (said.text("DiffusionDirectionality"),)


def _number(written: str) -> float | None:
    try:
        value = float(written.split("/", maxsplit=1)[0])
    except ValueError:
        return None
    return value if isfinite(value) else None


def _positive(value: float | None) -> float | None:
    """Writers put 0 where a time does not apply."""
    return value if value is not None and value > 0 else None


def _set(written: str) -> frozenset[str]:
    return frozenset(re.split(r"[/\s]+", written.upper())) - {""}


def _scanning(said: _Said) -> frozenset[str]:
    """ScanningSequence, or what the enhanced attributes say in its words."""
    found = set(_set(said.text("ScanningSequence")))
    echo = said.text("EchoPulseSequence").upper()
    found |= {"SE"} if echo in {"SPIN", "BOTH"} else set()
    found |= {"GR"} if echo in {"GRADIENT", "BOTH"} else set()
    found |= {"EP"} if said.text("EchoPlanarPulseSequence").upper() == "YES" else set()
    found |= {"IR"} if said.text("InversionRecovery").upper() == "YES" else set()
    return frozenset(found)


def _component(said: _Said, header: Dataset) -> str:
    stated = _COMPONENTS.get(said.text("ComplexImageComponent").upper())
    if stated:
        return stated
    ge = _GE_COMPONENTS.get(private_text(header, *_GE_COMPONENT))
    if ge:
        return ge
    named = {_COMPONENTS[word] for word in _image_words(said)[2:] if word in _COMPONENTS}
    return (named - {"magnitude"}).pop() if len(named - {"magnitude"}) == 1 else "magnitude"


def _fat_suppressed(said: _Said) -> bool | None:
    """By saturation, selective inversion or excitation of water alone; None where nothing is said."""
    options = _set(said.text("ScanOptions"))
    suppression = said.text("SpectrallySelectedSuppression").upper()
    excitation = said.text("SpectrallySelectedExcitation").upper()
    if options & {"FS", "WE"} or "FAT" in suppression or excitation == "WATER":
        return True
    return False if options or suppression or excitation else None


def _field_strength_t(said: _Said) -> float | None:
    """MagneticFieldStrength, which old writers give in gauss; else from the imaging frequency in MHz."""
    field = _positive(said.number("MagneticFieldStrength"))
    if field is not None:
        return field / _GAUSS_PER_TESLA if field > 100 else field
    frequency = _positive(said.number("ImagingFrequency"))
    return None if frequency is None else round(frequency / _MHZ_PER_TESLA, 2)


def _b_value(said: _Said, header: Dataset) -> float | None:
    """s/mm2: DiffusionBValue, the vendor's own element, else the name that Siemens gives its sequences."""
    stated = said.number("DiffusionBValue")
    if stated is not None:
        return stated
    for creator, tag in _PRIVATE_B_VALUES:
        private = _number(private_text(header, creator, tag))
        if private is not None:
            return private % _GE_OFFSET
    named = re.match(r"\*?ep_b(\d+)", said.text("SequenceName"))
    return float(named[1]) if named else None


def mapped_quantity(file: DicomFile, frame: int = 0) -> str:
    """The code of the quantity that the first real-world mapping of a frame names, blank where none does."""
    for mapping in real_world_mappings(file, frame):
        for definition in items(mapping, "QuantityDefinitionSequence"):
            for code in items(definition, "ConceptCodeSequence"):
                return text(code, "CodeValue")
    return ""


def real_world_mappings(file: DicomFile, frame: int = 0) -> tuple[Dataset, ...]:
    """The items of RealWorldValueMappingSequence that hold for a frame."""
    keyword = "RealWorldValueMappingSequence"
    own = group_items(file.header, frame, keyword) if file.has_frames else ()
    return tuple(own or items(file.header, keyword))
