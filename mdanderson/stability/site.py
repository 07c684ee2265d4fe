"""Where a lesion is, from the words of a reader: a level of the spine, or a part of a limb.

Only words listed here are understood; another spelling is no site, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["COLUMN", "LimbSite", "Vertebrae", "limb_site", "vertebra"]

COLUMN = (
    "Occ",
    *("C1", "C2", "C3", "C4", "C5", "C6", "C7"),
    *("T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12"),
    *("L1", "L2", "L3", "L4", "L5"),
    *("S1", "S2", "S3", "S4", "S5"),
)
"""Every level, from the head down. A sixth lumbar vertebra is not guessed."""

_PARTS = {"c": "C", "t": "T", "th": "T", "d": "T", "l": "L", "s": "S"}
_SPELLED = {"occ": "Occ", "occiput": "Occ", "c0": "Occ", "atlas": "C1"}
_REGIONS = {"cervical": "C", "thoracic": "T", "dorsal": "T", "lumbar": "L"}
_SPINE_WORDS = frozenset({"spine", "vertebra", "vertebrae", "vertebral"})

_LEVEL = r"(?:occiput|occ|(?:th|[ctdls])\s?\d{1,2})"
_LEVELS = re.compile(rf"\b({_LEVEL})(?:\s*[-–/]\s*({_LEVEL}|\d{{1,2}}))?(?!\w|\.\d)", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")

_NOT_SCORED = frozenset(
    {
        *("rib", "ribs", "costal", "sternum", "sternal", "manubrium", "scapula", "scapular", "clavicle", "clavicular"),
        *("pelvis", "pelvic", "ilium", "iliac", "ischium", "ischial", "pubis", "pubic", "acetabulum", "acetabular"),
        *("skull", "calvaria", "calvarium", "mandible", "maxilla", "orbit", "patella", "hand", "foot"),
        *("node", "nodes", "nodal", "lymph", "lung", "liver", "muscle"),
    }
)
"""Words that say that a lesion is neither of the column nor of a long bone, whatever level is named beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vertebrae:
    """Levels of the spine. all_involved: each of them is; else the lesion is at one of them, nobody said which."""

    names: tuple[str, ...]
    all_involved: bool = True

    @property
    def words(self) -> str:
        """'L3', 'T12-L1' for all from the first to the last, 'L1, L5' where there are others between."""
        first, last = COLUMN.index(self.names[0]), COLUMN.index(self.names[-1])
        if self.names != COLUMN[first : last + 1]:
            return ", ".join(self.names)
        return self.names[0] if first == last else f"{self.names[0]}-{self.names[-1]}"


class LimbSite(StrEnum):
    """Parts of a limb that Mirels' score tells apart."""

    UPPER_LIMB = "upper limb"
    LOWER_LIMB = "lower limb"
    TROCHANTERIC = "trochanteric"


_UPPER = frozenset({"humerus", "humeral", "radius", "ulna", "ulnar", "upper limb", "upper extremity"})
_LOWER = frozenset({"tibia", "tibial", "fibula", "fibular", "lower limb", "lower extremity"})
_FEMUR = frozenset({"femur", "femoral"})
_FEMUR_BELOW = frozenset({"distal", "shaft", "diaphysis", "diaphyseal", "midshaft", "condyle", "condylar"})
_TROCHANTERIC = re.compile(r"\b(?:peri|inter|sub|per)?\s?-?\s?trochant(?:er|ers|eric)\b")


def vertebra(site: str) -> Vertebrae | None:
    """The levels that a site names ('L3', 'Th12', 'T12-L1', 'L3/4', 'sacrum'); None where it names none that exists.

    A range takes in every level between its ends. A region without a level is one of its levels, nobody said which.
    """
    words = set(_WORD.findall(site.lower()))
    if words & _NOT_SCORED:
        return None
    found = list(_LEVELS.finditer(site))
    if found:
        spans = [_span(match[1], match[2]) for match in found]
        named = {name for span in spans for name in span or ()}
        return None if None in spans else Vertebrae(names=tuple(name for name in COLUMN if name in named))
    if "atlas" in words:
        return Vertebrae(names=("C1",))
    return _region(words)


def _span(first: str, last: str | None) -> tuple[str, ...] | None:
    """Every level from the first to the last; None for one that does not exist. In 'L3/4' the 4 is L4."""
    start = _level(first)
    if start is None:
        return None
    if last is None:
        return (start,)
    end = _level(start[0] + last if last.isdigit() else last)
    if end is None:
        return None
    low, high = sorted((COLUMN.index(start), COLUMN.index(end)))
    return COLUMN[low : high + 1]


def _level(text: str) -> str | None:
    word = text.lower().replace(" ", "")
    if word in _SPELLED:
        return _SPELLED[word]
    letters, digits = word.rstrip("0123456789"), word.lstrip("abcdefghijklmnopqrstuvwxyz")
    name = f"{_PARTS.get(letters, '')}{digits}"
    return name if name in COLUMN else None


def _region(words: set[str]) -> Vertebrae | None:
    """A part of the column, or the column as a whole."""
    letters = {letter for word, letter in _REGIONS.items() if word in words and words & _SPINE_WORDS}
    if words & {"sacrum", "sacral"}:
        letters.add("S")
    if not letters and not words & _SPINE_WORDS:
        return None
    return Vertebrae(names=tuple(name for name in COLUMN if not letters or name[0] in letters), all_involved=False)


def limb_site(site: str) -> tuple[LimbSite, ...]:
    """The part of a limb that a site names; two where the words leave both open, none where they name no long bone.

    A femur without its part, or its proximal part, may be trochanteric or not.
    """
    text = " ".join(site.lower().split())
    words = set(_WORD.findall(text))
    if words & _NOT_SCORED:
        return ()
    if _TROCHANTERIC.search(text):
        return (LimbSite.TROCHANTERIC,)
    if words & _FEMUR:
        return (LimbSite.LOWER_LIMB,) if words & _FEMUR_BELOW else (LimbSite.LOWER_LIMB, LimbSite.TROCHANTERIC)
    if _names(text, words, _UPPER):
        return (LimbSite.UPPER_LIMB,)
    return (LimbSite.LOWER_LIMB,) if _names(text, words, _LOWER) else ()


def _names(text: str, words: set[str], listed: frozenset[str]) -> bool:
    return bool(words & listed) or any(name in text for name in listed if " " in name)
