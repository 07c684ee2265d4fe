"""What a header says of how one MR slice was made, alike in classic and in enhanced multi-frame files.

Nothing here judges: a fact that is absent, blank or no number is None or blank. No pixel is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite

from pydicom import Dataset

from mdanderson.readers.dicom_header import DicomFile, items, private_text, text
from mdanderson.readers.dicom_multiframe import group_items
from mdanderson.readers.dicom_slices import Slice

__all__ = [
    "ADC_QUANTITY",
    "MrFacts",
    "image_words",
    "mapped_quantity",
    "mr_facts",
    "mr_number",
    "mr_text",
    "real_world_mappings",
]

ADC_QUANTITY = "113041"
"""DCM, Apparent Diffusion Coefficient."""

_GROUP = {
    "RescaleType": "PixelValueTransformationSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "AcquisitionContrast": "MRImageFrameTypeSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "RepetitionTime": "MRTimingAndRelatedParametersSequence",
    "FlipAngle": "MRTimingAndRelatedParametersSequence",
    "InversionRecovery": "MRModifierSequence",
    "InversionTimes": "MRModifierSequence",
    "Spoiling": "MRModifierSequence",
    "SpectrallySelectedExcitation": "MRModifierSequence",
    "DiffusionBValue": "MRDiffusionSequence",
    "DiffusionDirectionality": "MRDiffusionSequence",
    "StackID": "FrameContentSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
}
"""Where multi-frame files keep a fact; legacy converted files keep all of them in the groups of `_CONVERTED`."""

_CONVERTED = ("UnassignedPerFrameConvertedAttributesSequence", "UnassignedSharedConvertedAttributesSequence")

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
    scanning: SE GR IR EP, as in ScanningSequence. quantity: code of what real-world values stand for.
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


def mr_facts(one: Slice) -> MrFacts:
    """All of one slice. Raises `ImageError` where the header is damaged."""
    scanning = _scanning(one)
    return MrFacts(
        words=image_words(one)[2:],
        component=_component(one),
        contrast=mr_text(one, "AcquisitionContrast").upper(),
        scanning=scanning,
        is_spoiled="SP" in _set(mr_text(one, "SequenceVariant")) or mr_text(one, "Spoiling").upper().startswith("RF"),
        fat_suppressed=_fat_suppressed(one),
        echo_time_ms=_positive(_either(one, "EffectiveEchoTime", "EchoTime")),
        repetition_time_ms=_positive(mr_number(one, "RepetitionTime")),
        inversion_time_ms=_positive(_either(one, "InversionTimes", "InversionTime")),
        flip_degrees=mr_number(one, "FlipAngle"),
        field_strength_t=_field_strength_t(one),
        b_value_s_mm2=_b_value(one),
        quantity=mapped_quantity(one.file, one.frame),
        description=text(one.file.header, "SeriesDescription"),
    )


def mr_text(one: Slice, keyword: str) -> str:
    """A fact of the slice as text: of its frame, of all frames, of the file; blank when absent."""
    header = one.file.header
    if one.file.has_frames:
        for group in (_GROUP.get(keyword), *_CONVERTED):
            for level in group_items(header, one.frame, group) if group else ():
                if found := text(level, keyword):
                    return found
    return text(header, keyword)


def mr_number(one: Slice, keyword: str) -> float | None:
    """The first value of a fact; None when it is absent or no finite number."""
    return _number(mr_text(one, keyword))


def image_words(one: Slice) -> tuple[str, ...]:
    """FrameType, else ImageType, in upper case."""
    frame_type = mr_text(one, "FrameType") or _map_frame_type(one)
    return tuple((frame_type or text(one.file.header, "ImageType")).upper().split("/"))


def _map_frame_type(one: Slice) -> str:
    if not one.file.has_frames:
        return ""
    groups = group_items(one.file.header, one.frame, "ParametricMapFrameTypeSequence")
    return text(groups[0], "FrameType") if groups else ""


def _number(written: str) -> float | None:
    try:
        value = float(written.split("/", maxsplit=1)[0])
    except ValueError:
        return None
    return value if isfinite(value) else None


def _positive(value: float | None) -> float | None:
    """Writers put 0 where a time does not apply."""
    return value if value is not None and value > 0 else None


def _either(one: Slice, enhanced: str, classic: str) -> float | None:
    value = mr_number(one, enhanced)
    return mr_number(one, classic) if value is None else value


def _set(written: str) -> frozenset[str]:
    return frozenset(re.split(r"[/\s]+", written.upper())) - {""}


def _scanning(one: Slice) -> frozenset[str]:
    """ScanningSequence, or what the enhanced attributes say in its words."""
    found = set(_set(mr_text(one, "ScanningSequence")))
    echo = mr_text(one, "EchoPulseSequence").upper()
    found |= {"SE"} if echo in {"SPIN", "BOTH"} else set()
    found |= {"GR"} if echo in {"GRADIENT", "BOTH"} else set()
    found |= {"EP"} if mr_text(one, "EchoPlanarPulseSequence").upper() == "YES" else set()
    found |= {"IR"} if mr_text(one, "InversionRecovery").upper() == "YES" else set()
    return frozenset(found)


def _component(one: Slice) -> str:
    stated = _COMPONENTS.get(mr_text(one, "ComplexImageComponent").upper())
    if stated:
        return stated
    ge = _GE_COMPONENTS.get(private_text(one.file.header, *_GE_COMPONENT))
    if ge:
        return ge
    named = {_COMPONENTS[word] for word in image_words(one)[2:] if word in _COMPONENTS}
    return (named - {"magnitude"}).pop() if len(named - {"magnitude"}) == 1 else "magnitude"


def _fat_suppressed(one: Slice) -> bool | None:
    """By saturation, selective inversion or excitation of water alone; None where nothing is said."""
    options = _set(mr_text(one, "ScanOptions"))
    suppression = mr_text(one, "SpectrallySelectedSuppression").upper()
    excitation = mr_text(one, "SpectrallySelectedExcitation").upper()
    if options & {"FS", "WE"} or "FAT" in suppression or excitation == "WATER":
        return True
    return False if options or suppression or excitation else None


def _field_strength_t(one: Slice) -> float | None:
    """MagneticFieldStrength, which old writers give in gauss; else from the imaging frequency in MHz."""
    field = _positive(mr_number(one, "MagneticFieldStrength"))
    if field is not None:
        return field / _GAUSS_PER_TESLA if field > 100 else field
    frequency = _positive(mr_number(one, "ImagingFrequency"))
    return None if frequency is None else round(frequency / _MHZ_PER_TESLA, 2)


def _b_value(one: Slice) -> float | None:
    """s/mm2: DiffusionBValue, the vendor's own element, else the name that Siemens gives its sequences."""
    stated = mr_number(one, "DiffusionBValue")
    if stated is not None:
        return stated
    for creator, tag in _PRIVATE_B_VALUES:
        private = _number(private_text(one.file.header, creator, tag))
        if private is not None:
            return private % _GE_OFFSET
    named = re.match(r"\*?ep_b(\d+)", mr_text(one, "SequenceName"))
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
