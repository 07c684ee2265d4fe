"""What the segments of a segmentation are: lesions, bones, or other parts of the body, which nobody may score.

The codes of a segment (PS3.16 CID 7150, 7151) speak first, then its label. Editors write Tissue, Tissue where nobody
chose a code: that tells nothing.
"""

from __future__ import annotations

import re

from pydicom import Dataset

from mdanderson.readers.dicom_elements import items, text

__all__ = ["MIXED", "kind_of_segments"]

MIXED = "mixed"
"""Lesions together with parts of the body, all of which would be scored as lesions."""
_MOST_ITEMS = 10_000
_FINDING = frozenset({"49755003", "M-01000", "M-01100"})
"""Categories: morphologically abnormal (altered) structure, SNOMED CT and SNOMED RT."""
_ANATOMY = frozenset({"123037004", "T-D000A"})
"""Category: anatomical structure."""
_TISSUE = frozenset({"85756007", "T-D0050"})
"""Tissue, as a category, and as a type that tells no more."""
_LESIONS = re.compile(
    r"lesion|metasta|tumou?r|\bmass(es)?\b|target|lytic|blastic|neoplas|cancer|carcinom|sarcom|abnormal", re.IGNORECASE
)
_BONES = re.compile(
    r"bone|skelet|vertebra|spine|rib\b|ribs|sacrum|sacral|femur|femor|\bhips?\b|humer|scapula|clavic|stern|skull|pelvi|ili(um|ac)",
    re.IGNORECASE,
)
_ORGANS = re.compile(
    r"\b(liver|spleen|kidneys?|lungs?|heart|brain|bladder|prostate|pancreas|stomach|bowel|colon|aorta|arter(y|ies)"
    r"|veins?|vessels?|capillar(y|ies)|muscles?|fat|skin|body|background|air)\b",
    re.IGNORECASE,
)
"""Names that models and people give."""
_VAGUE = re.compile(r"(roi|region of interest|segment(ation)?|object|unknown|undefined|other)?", re.IGNORECASE)
"""Types that tell nothing."""


def kind_of_segments(header: Dataset) -> str:
    """lesions, bones, anatomy or mixed; blank where there are no segments."""
    kinds = {_kind(segment) for segment in items(header, "SegmentSequence")[:_MOST_ITEMS]}
    if "lesions" in kinds:
        return MIXED if len(kinds) > 1 else "lesions"
    return next((kind for kind in ("bones", "anatomy") if kind in kinds), "")


def _kind(segment: Dataset) -> str:
    categories, category_words = _codes(segment, "SegmentedPropertyCategoryCodeSequence")
    types, type_words = _codes(segment, "SegmentedPropertyTypeCodeSequence")
    label = text(segment, "SegmentLabel")
    if categories & _FINDING or _LESIONS.search(f"{label} {type_words} {category_words}"):
        return "lesions"
    if categories & _ANATOMY:
        return _part_of_the_body(f"{label} {type_words}")
    if (types or type_words) and not types & _TISSUE and not _VAGUE.fullmatch(type_words):
        return _part_of_the_body(type_words)
    return "anatomy" if _ORGANS.search(label) else "lesions"


def _part_of_the_body(words: str) -> str:
    return "bones" if _BONES.search(words) and not _ORGANS.search(words) else "anatomy"


def _codes(segment: Dataset, keyword: str) -> tuple[set[str], str]:
    """Values and meanings of the codes."""
    codes = items(segment, keyword)[:_MOST_ITEMS]
    return {text(code, "CodeValue") for code in codes} - {""}, " ".join(text(code, "CodeMeaning") for code in codes)
