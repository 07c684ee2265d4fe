"""Change of ADC and the MET-RADS-P response category of a bone lesion: evidence in words, never a category of MDA.

Source: Padhani et al., Eur Urol 2017;71:81-92 (PMC5176005), Table 3, bone. Of its signs those that are numbers are
asked: size, ADC, new, gone; the signal at high b-values, fat and sclerosis are a reader's to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

from mdanderson.errors import MeasurementError
from mdanderson.settings import Settings

__all__ = ["AdcChange", "ResponseAssessment", "adc_change", "assess_response"]

_WORDS = {
    1: "highly likely to be responding",
    2: "likely to be responding",
    3: "no change",
    4: "likely to be progressing",
    5: "highly likely to be progressing",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AdcChange:
    """Change of mean ADC between two dates.

    fraction: of the earlier value. repeatability: the least change (a fraction) beyond what two measurements of one
    unchanged lesion differ by in 95 % of cases, 1.96 x sqrt(2) x COV.
    """

    before_um2_s: float
    now_um2_s: float
    fraction: float
    repeatability: float

    @property
    def significant(self) -> bool:
        """Whether it exceeds the repeatability."""
        return abs(self.fraction) > self.repeatability


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseAssessment:
    """MET-RADS-P response assessment category, 1 to 5, and what it rests on."""

    rac: int
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line for a report."""
        return f"RAC {self.rac}, {_WORDS[self.rac]}: {'; '.join(self.reasons)}"


def adc_change(before_um2_s: float, now_um2_s: float, *, settings: Settings) -> AdcChange:
    """Change from one mean ADC to another. Raises `MeasurementError` unless both are above zero."""
    for value in (before_um2_s, now_um2_s):
        if not (isfinite(value) and value > 0):
            raise MeasurementError(f"ADC of {value} um2/s", way_out="compare values above zero")
    return AdcChange(
        before_um2_s=before_um2_s,
        now_um2_s=now_um2_s,
        fraction=(now_um2_s - before_um2_s) / before_um2_s,
        repeatability=1.96 * sqrt(2.0) * settings.mr.adc_cov,
    )


def assess_response(
    adc: AdcChange | None,
    size_change: float | None,
    *,
    is_new: bool = False,
    is_gone: bool = False,
    settings: Settings,
) -> ResponseAssessment | None:
    """The category by size (change against baseline, a fraction) and ADC; None when nothing is known.

    Size that grows outweighs a rise of ADC, which counts only with findings that are stable or respond. A fall of ADC
    alone is no progression: fat and sclerosis lower it too.
    """
    if is_new:
        return ResponseAssessment(rac=5, reasons=("new lesion",))
    if is_gone:
        return ResponseAssessment(rac=1, reasons=("normal marrow again",))
    if adc is None and size_change is None:
        return None
    by_size, size_words = _by_size(size_change, settings)
    if by_size > 3 or adc is None:
        told = () if adc is None else (_adc_words(adc),)
        return ResponseAssessment(rac=by_size, reasons=(size_words, *told))
    return ResponseAssessment(rac=min(by_size, _by_adc(adc, settings)), reasons=(size_words, _adc_words(adc)))


def _by_size(change: float | None, settings: Settings) -> tuple[int, str]:
    """Category by size; the limits of certainty are those of MDA, for MET-RADS names none for bone."""
    if change is None:
        return 3, "size not known"
    mr = settings.mr
    words = f"size {change:+.0%}"
    if change >= mr.size_progression:
        return 5, words
    if change <= -mr.size_response:
        return 1, words
    if abs(change) >= mr.size_noticeable:
        return (4 if change > 0 else 2), words
    return 3, words


def _by_adc(adc: AdcChange, settings: Settings) -> int:
    mr = settings.mr
    crosses_high = adc.before_um2_s <= mr.adc_high_um2_s < adc.now_um2_s
    if crosses_high or adc.fraction >= mr.adc_likely_rise:
        return 1
    leaves_low = adc.before_um2_s <= mr.adc_low_um2_s < adc.now_um2_s
    return 2 if leaves_low or adc.fraction > mr.adc_possible_rise else 3


def _adc_words(adc: AdcChange) -> str:
    words = f"ADC {adc.before_um2_s:.0f} to {adc.now_um2_s:.0f} um2/s ({adc.fraction:+.0%}"
    beyond = "beyond" if adc.significant else "within"
    return f"{words}, {beyond} the repeatability of {adc.repeatability:.0%})"
