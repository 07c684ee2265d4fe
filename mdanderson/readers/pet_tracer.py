"""Which tracer a PET shows, by the code's meaning or the name; told as FDG, NaF, PSMA, other or unknown."""

from __future__ import annotations

import re

from pydicom import Dataset

from mdanderson.readers.dicom_elements import items, text

__all__ = ["tracer_of"]

_CODES = {
    **dict.fromkeys(("C-B1031", "35321007", "Y-X1743"), "FDG"),
    **dict.fromkeys(("129501009",), "NaF"),
    **dict.fromkeys(("126758", "126759", "C118961", "C116352"), "PSMA"),
}
"""DICOM CID 4021 (SRT, SCT, NCIt, DCM) and GE's own."""
_NAMES = (
    ("FDG", re.compile(r"fdg|deoxyglucose|deoxy-d-glucose|fludeoxy")),
    ("NaF", re.compile(r"\bnaf\b|naf18|18f-?naf|sodium[ ^_-]*fluoride|fluoride")),
    ("PSMA", re.compile(r"psma|piflufolastat|dcfpyl|dcfbc|flotufolastat|gozetotide")),
)
_SAYS_NOTHING = re.compile(
    r"[\W_\d]*(?:(?:f|fluor|fluorine|ga|gallium|c|carbon|solution|unknown|other|none|pet|tracer|iv|injection)[\W_\d]*)*"
)
"""Radionuclides, and what scanners write where nobody typed a name."""


def tracer_of(tracer: Dataset) -> str:
    """FDG, NaF, PSMA, other; unknown where nothing is said, or where code and name contradict each other.

    tracer: the item of RadiopharmaceuticalInformationSequence.
    """
    said = [_by_name(text(tracer, "Radiopharmaceutical"))]
    codes = items(tracer, "RadiopharmaceuticalCodeSequence")
    said += [_CODES.get(text(code, "CodeValue")) or _by_name(text(code, "CodeMeaning")) for code in codes]
    known = {one for one in said if one != "unknown"}
    return known.pop() if len(known) == 1 else "unknown"


def _by_name(name: str) -> str:
    lowered = name.casefold()
    named = next((tracer for tracer, pattern in _NAMES if pattern.search(lowered)), "")
    return named or ("unknown" if _SAYS_NOTHING.fullmatch(lowered) else "other")
