"""How far two measurements of one unchanged lesion lie apart."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from mdanderson.settings.field import STRICT, known

__all__ = ["Uncertainty"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Uncertainty:
    """How far two measurements of one unchanged lesion lie apart (`[uncertainty]`)."""

    readers: Literal["one", "two"] = known("one", "whether one reader measured both visits")
    relative_sd_one_reader: float = known(
        0.061, "SD of a diameter as a share of it, one reader (Yoon 2016, PubMed 26687017)", ge=0, lt=1
    )
    relative_sd_two_readers: float = known(
        0.086, "the same where two readers measured (Yoon 2016, PubMed 26687017)", ge=0, lt=1
    )
    absolute_sd_mm: float = known(0.6, "and in mm whatever the size (Revel 2004)", ge=0)
    diameter_correlation: float = known(0.5, "ours: of the errors of a lesion's two diameters", ge=-1, le=1)
    uptake_relative_sd: float = known(0.10, "ours: of an uptake ratio; +25 % alone is inside its noise", ge=0, lt=1)
