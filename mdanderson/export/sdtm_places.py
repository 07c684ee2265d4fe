"""Where a lesion lies, in SDTM's words: TULOC and TULAT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mdanderson.anatomy import BoneKind, Side, bone_named
from mdanderson.export.visits import ResultRow

__all__ = ["Place", "is_published", "place_of"]

_NODE = "LYMPH NODE"
_SPINE = "SPINE"
_PUBLISHED = frozenset(
    {
        *("BONE", "CLAVICLE", "COCCYX", "FEMUR", "FIBULA", "HUMERUS", "ILIUM", "MANDIBLE", "PATELLA", "PELVIS"),
        *("RADIUS", "RIB", "SACRUM", "SCAPULA", "SKULL", "STERNUM", "TIBIA", "ULNA", _NODE, _SPINE),
    }
)
_LEVEL = re.compile(r"(C[1-7]|T([1-9]|1[0-2])|L[1-5]) VERTEBRA|RIB ([1-9]|1[0-2])")
_SINGLE = re.compile(r"[CTL]\d{1,2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Terms of the codelists LOC and LAT; laterality blank where nobody said."""

    location: str
    laterality: str = ""


def place_of(row: ResultRow) -> Place:
    """The place of a lesion; BONE where nobody said, and where what was said is no bone that is known by name."""
    bone = bone_named(row["site"]) if row["site"] else None
    side = _laterality(row["laterality"]) or ("" if bone is None else _laterality(bone.side))
    if row["node"] == "true":
        return Place(location=_NODE, laterality=side)
    if bone is None:
        return Place(location="BONE", laterality=side)
    if bone.kind is BoneKind.VERTEBRA:
        return Place(location=f"{bone.part} VERTEBRA" if _SINGLE.fullmatch(bone.part) else _SPINE, laterality=side)
    if bone.kind is BoneKind.RIB:
        return Place(location=f"RIB {bone.part}".strip(), laterality=side)
    return Place(location=bone.kind.upper(), laterality=side)


def is_published(location: str) -> bool:
    """Whether a location is one of the terms that were checked; else it is listed as an extension."""
    return location in _PUBLISHED or _LEVEL.fullmatch(location) is not None


def _laterality(text: str) -> str:
    """LEFT, RIGHT or BILATERAL; blank for other words."""
    word = text.strip().upper()
    return {"L": "LEFT", "R": "RIGHT"}.get(word, word if word.lower() in set(Side) - {""} else "")
