"""What an MR image weighs, from its header: never guessed. Ordered tests, the first that has something to say decides.

What an image *is* (a map, one half of a fat-water pair, a diffusion weighting) goes before how it was timed, and the
name a person gave the series comes last, and only where the header says nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import acos, degrees, exp

from mdanderson.readers.mr_facts import ADC_QUANTITY, MrFacts
from mdanderson.vocabulary import MrSequence

__all__ = ["BY_NAME", "Recognised", "image_kind", "opposition", "recognise"]

BY_NAME = "series description"
"""`Recognised.why` of what only the name of the series says."""

_KINDS: tuple[tuple[str, MrSequence | None, frozenset[str]], ...] = (
    ("ADC map", MrSequence.ADC, frozenset({"ADC", "ADC_MAP", "ADC_UNSPECIFIED"})),
    ("water", MrSequence.WATER, frozenset({"WATER", "W"})),
    ("fat", MrSequence.FAT, frozenset({"FAT", "F"})),
    ("in phase", MrSequence.IN, frozenset({"IN_PHASE", "INPHASE", "IN", "IP"})),
    (
        "opposed phase",
        MrSequence.OPP,
        frozenset({"OPP_PHASE", "OUT_OF_PHASE", "OUT_PHASE", "OPPOSED_PHASE", "OPP", "OOP", "OP"}),
    ),
    ("fat fraction", None, frozenset({"FAT_FRACTION", "FATFRACTION", "FAT_FRAC", "PDFF", "FF", "FP"})),
    ("water fraction", None, frozenset({"WATER_FRACTION", "WATERFRACTION", "WF", "WP"})),
    ("diffusion trace", None, frozenset({"TRACEW", "TRACE", "CALC_BVALUE"})),
    ("fractional anisotropy", None, frozenset({"FA"})),
    ("exponential ADC", None, frozenset({"EADC", "EXP_ADC"})),
    ("relaxation map", None, frozenset({"R2STAR", "R2_STAR", "T2STAR", "T2_STAR", "R1", "R2"})),
    ("subtraction", None, frozenset({"SUBTRACTION", "SUBTRACT", "SUB"})),
    ("projection", None, frozenset({"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "PROJECTION_IMAGE"})),
)
"""Words of ImageType: DICOM PS3.3 C.8.13.3.1.1, and as Siemens, Philips and GE write them."""

_CONTRASTS = {
    "T1": MrSequence.T1,
    "T2": MrSequence.T2,
    "STIR": MrSequence.STIR,
    "T2_STAR": None,
    "PROTON_DENSITY": None,
    "FLUID_ATTENUATED": None,
    "DIFFUSION": None,
    "PERFUSION": None,
    "FLOW_ENCODED": None,
    "TAGGING": None,
    "TOF": None,
}
"""AcquisitionContrast (DICOM PS3.3 C.8.13.3.1.5); UNKNOWN and other words say nothing."""

_SHIFT_HZ_PER_TESLA = 3.4 * 42.577
"""Fat precesses 3.4 ppm slower than water (Dixon 1984, Radiology 153:189): 217 Hz at 1.5 T."""
_PHASE_TOLERANCE = 0.12
"""Cycles of fat against water; scanners choose echo times within a tenth of a cycle."""
_PHASE_CYCLES = 2.2
"""Later echoes carry T2* rather than phase."""

_FAT_NULL_MS = (80.0, 300.0)
"""Inversion times that null fat: ln 2 of its T1 (343 ms at 1.5 T, 382 at 3 T, de Bazelaire 2004), less at short TR."""
_STIR_TR_MS = 1000.0
_FLUID_NULL_MS = 1500.0
_SHORT_TR_MS, _LONG_TR_MS = 1000.0, 1500.0
_SHORT_TE_MS, _LONG_TE_MS = 30.0, 60.0
"""T1 weighting is short TR and TE, T2 weighting long TR and TE; what lies between is neither."""
_SHORT_GRADIENT_TE_MS = 7.0
"""Above it T2* weighs in a gradient echo."""
_TISSUE_T1_MS = 800.0
"""A spoiled gradient echo weighs T1 from the Ernst angle of soft tissue upwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognised:
    """What the header says: sequence None = none that is scored. why: the evidence, blank where it says nothing.

    plain: whether a manifest that says otherwise contradicts it.
    """

    sequence: MrSequence | None = None
    why: str = ""
    plain: bool = True


def recognise(facts: MrFacts, *, echoes: int = 1) -> Recognised:
    """What the image weighs. echoes: how many echo times its series holds."""
    for test in _TESTS:
        found = test(facts, echoes)
        if found is not None:
            return found
    return Recognised(plain=False)


def image_kind(facts: MrFacts) -> tuple[str, MrSequence | None]:
    """What ImageType or the mapped quantity says the image is, blank where it is a plain image."""
    found = [(name, sequence) for name, sequence, words in _KINDS if words & set(facts.words)]
    if facts.quantity == ADC_QUANTITY and not found:
        found = [("ADC map", MrSequence.ADC)]
    if not found and any("MAP" in word for word in facts.words if word != "PHASE MAP"):
        found = [("map", None)]
    if len(found) == 1:
        return found[0]
    return " and ".join(name for name, _ in found), None


def opposition(facts: MrFacts) -> MrSequence | None:
    """IN or OPP where echo time and field strength put fat and water so; None where they do neither, or are unknown."""
    if facts.echo_time_ms is None or facts.field_strength_t is None:
        return None
    cycles = _cycles(facts.echo_time_ms, facts.field_strength_t)
    if cycles > _PHASE_CYCLES or cycles < 0.5 - _PHASE_TOLERANCE:
        return None
    off = abs(cycles - round(cycles))
    if off <= _PHASE_TOLERANCE:
        return MrSequence.IN
    return MrSequence.OPP if off >= 0.5 - _PHASE_TOLERANCE else None


def _cycles(echo_time_ms: float, field_strength_t: float) -> float:
    return echo_time_ms * 1e-3 * _SHIFT_HZ_PER_TESLA * field_strength_t


def _by_component(facts: MrFacts, _: int) -> Recognised | None:
    return None if facts.component == "magnitude" else Recognised(why=f"{facts.component} image")


def _by_kind(facts: MrFacts, _: int) -> Recognised | None:
    kind, sequence = image_kind(facts)
    return Recognised(sequence=sequence, why=f"image type: {kind}") if kind else None


def _by_diffusion(facts: MrFacts, _: int) -> Recognised | None:
    """Scanners write a b-value of 0 into images that have nothing to do with diffusion."""
    if facts.b_value_s_mm2:
        return Recognised(why=f"diffusion-weighted, b {facts.b_value_s_mm2:g} s/mm2")
    weighted = facts.contrast == "DIFFUSION" or "DIFFUSION" in facts.words
    return Recognised(why="diffusion-weighted") if weighted else None


def _by_inversion(facts: MrFacts, _: int) -> Recognised | None:
    inversion_ms, repetition_ms = facts.inversion_time_ms, facts.repetition_time_ms
    if "IR" not in facts.scanning or inversion_ms is None:
        return None
    said = f"inversion time {inversion_ms:g} ms"
    if inversion_ms >= _FLUID_NULL_MS:
        return Recognised(why=f"{said}: fluid attenuated")
    is_long = repetition_ms is not None and repetition_ms >= _STIR_TR_MS
    if _FAT_NULL_MS[0] <= inversion_ms <= _FAT_NULL_MS[1] and is_long and "GR" not in facts.scanning:
        return Recognised(sequence=MrSequence.STIR, why=said)
    if inversion_ms > _FAT_NULL_MS[1] and (facts.echo_time_ms or _LONG_TE_MS) <= _SHORT_TE_MS:
        return Recognised(sequence=MrSequence.T1, why=f"{said}, echo time {facts.echo_time_ms:g} ms")
    return None


def _by_contrast(facts: MrFacts, _: int) -> Recognised | None:
    if facts.contrast not in _CONTRASTS:
        return None
    return Recognised(sequence=_CONTRASTS[facts.contrast], why=f"acquisition contrast {facts.contrast}")


def _by_spin_echo(facts: MrFacts, _: int) -> Recognised | None:
    echo_ms, repetition_ms = facts.echo_time_ms, facts.repetition_time_ms
    if "SE" not in facts.scanning or facts.scanning & {"EP", "IR", "GR"} or echo_ms is None or repetition_ms is None:
        return None
    said = f"spin echo, TR {repetition_ms:g} ms, TE {echo_ms:g} ms"
    if repetition_ms <= _SHORT_TR_MS and echo_ms <= _SHORT_TE_MS:
        return Recognised(sequence=MrSequence.T1, why=said)
    if repetition_ms >= _LONG_TR_MS and echo_ms >= _LONG_TE_MS:
        return Recognised(sequence=MrSequence.T2, why=said)
    return Recognised(why=f"{said}: neither T1 nor T2 weighting", plain=False)


def _by_echo_pair(facts: MrFacts, echoes: int) -> Recognised | None:
    """In and opposed phase, where a series holds more than one echo or calls itself a Dixon one."""
    is_pair = echoes > 1 or "DIXON" in facts.words
    sequence = opposition(facts) if is_pair and "GR" in facts.scanning else None
    if sequence is None:
        return None
    return Recognised(sequence=sequence, why=f"TE {facts.echo_time_ms:g} ms at {facts.field_strength_t:g} T")


def _by_gradient_echo(facts: MrFacts, _: int) -> Recognised | None:
    """A spoiled gradient echo flipped far enough for T1; not where fat cancels water, which no other T1 does."""
    if "GR" not in facts.scanning or facts.scanning & {"EP", "SE", "IR"} or not facts.is_spoiled:
        return None
    echo_ms, repetition_ms, flip = facts.echo_time_ms, facts.repetition_time_ms, facts.flip_degrees
    if echo_ms is None or repetition_ms is None or flip is None or echo_ms > _SHORT_GRADIENT_TE_MS:
        return None
    ernst = degrees(acos(exp(-repetition_ms / _TISSUE_T1_MS)))
    if flip < ernst or (opposition(facts) is not MrSequence.IN and not facts.fat_suppressed):
        return None
    said = f"spoiled gradient echo, TR {repetition_ms:g} ms, TE {echo_ms:g} ms, flip {flip:g} degrees"
    return Recognised(sequence=MrSequence.T1, why=said)


_NAMES: tuple[tuple[MrSequence | None, str], ...] = (
    (MrSequence.ADC, r"adc|apparent diffusion"),
    (None, r"t2 ?star|flair|mra|tof|swi|pdw?|map|mip|fat frac\w*|ff|pdff|sub|phase map"),
    (MrSequence.STIR, r"t?stir|tirm"),
    (MrSequence.OPP, r"opp|opposed|out of phase|oop|opp phase|outphase"),
    (MrSequence.IN, r"in phase|inphase"),
    (MrSequence.WATER, r"water(?! exc)"),
    (MrSequence.FAT, r"fat(?! ?sat| ?sup)"),
    (MrSequence.T1, r"t1w?"),
    (MrSequence.T2, r"t2w?(?! ?star)"),
)
_DIFFUSION_NAME = r"dwi|diff\w*|ep2d"
_DIXON_ENDS = {"w": MrSequence.WATER, "f": MrSequence.FAT, "in": MrSequence.IN, "opp": MrSequence.OPP}
"""Last word of the names that Siemens gives the images of a Dixon series."""
_WEIGHTINGS = frozenset({MrSequence.T1, MrSequence.T2})
_OF_BOTH_WEIGHTINGS = frozenset(
    {MrSequence.OPP, MrSequence.IN, MrSequence.WATER, MrSequence.FAT, MrSequence.STIR, MrSequence.ADC}
)


def _by_name(facts: MrFacts, _: int) -> Recognised | None:
    """What a person called the series, where that names one thing alone."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"t2\s*\*", "t2 star ", facts.description.casefold()))
    name = f" {' '.join(filter(None, words))} "
    found = {sequence for sequence, pattern in _NAMES if re.search(f" (?:{pattern})(?= )", name)}
    ending = name.split()[-1:]
    if "dixon" in name and ending and ending[0] in _DIXON_ENDS:
        found.add(_DIXON_ENDS[ending[0]])
    if found & _OF_BOTH_WEIGHTINGS:
        found -= _WEIGHTINGS
    if re.search(f" (?:{_DIFFUSION_NAME})(?= )", name) and MrSequence.ADC not in found:
        return None
    sequence = found.pop() if len(found) == 1 else None
    return None if sequence is None else Recognised(sequence=sequence, why=BY_NAME, plain=False)


_TESTS = (
    _by_component,
    _by_kind,
    _by_diffusion,
    _by_inversion,
    _by_echo_pair,
    _by_contrast,
    _by_spin_echo,
    _by_gradient_echo,
    _by_name,
)
"""From what an image is, over how it was timed, to what somebody called it."""
