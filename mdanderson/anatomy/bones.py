"""One bone from its name, whoever wrote it: `vertebrae_L3`, `Th12`, `rib_left_5`, `Left rib 5`, `proximal right femur`.

Only words listed here are understood; another spelling is no bone, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mdanderson.stability.site import vertebra

__all__ = ["Bone", "BoneKind", "Side", "bone_named"]


class Side(StrEnum):
    """Which half of the body; blank where there is none, or nobody said."""

    NONE = ""
    LEFT = "left"
    RIGHT = "right"
    BOTH = "bilateral"


class BoneKind(StrEnum):
    """What kind of bone, as terminologies tell them apart."""

    VERTEBRA = "vertebra"
    RIB = "rib"
    SACRUM = "sacrum"
    COCCYX = "coccyx"
    PELVIS = "pelvis"
    ILIUM = "ilium"
    FEMUR = "femur"
    HUMERUS = "humerus"
    SCAPULA = "scapula"
    CLAVICLE = "clavicle"
    STERNUM = "sternum"
    SKULL = "skull"
    MANDIBLE = "mandible"
    RADIUS = "radius"
    ULNA = "ulna"
    TIBIA = "tibia"
    FIBULA = "fibula"
    PATELLA = "patella"
    BONE = "bone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bone:
    """One bone. part: level of a vertebra (`L3`, of several `T12-L1`) or number of a rib, blank where nobody said."""

    kind: BoneKind
    part: str = ""
    side: Side = Side.NONE

    @property
    def site(self) -> str:
        """As the result tables write it, without its side: `L3`, `rib 5`, `femur`."""
        if self.kind is BoneKind.VERTEBRA:
            return self.part or self.kind
        return f"{self.kind} {self.part}".strip()

    @property
    def words(self) -> str:
        """The same with its side."""
        return f"{self.side} {self.site}".strip()


_WORD = re.compile(r"[a-z]+|\d+")
_WORDS: dict[BoneKind, frozenset[str]] = {
    BoneKind.RIB: frozenset({"rib", "ribs", "costal"}),
    BoneKind.STERNUM: frozenset({"sternum", "sternal", "manubrium"}),
    BoneKind.SCAPULA: frozenset({"scapula", "scapular"}),
    BoneKind.CLAVICLE: frozenset({"clavicle", "clavicula", "clavicular"}),
    BoneKind.HUMERUS: frozenset({"humerus", "humeral"}),
    BoneKind.RADIUS: frozenset({"radius"}),
    BoneKind.ULNA: frozenset({"ulna", "ulnar"}),
    BoneKind.FEMUR: frozenset({"femur", "femoral", "trochanter", "trochanteric"}),
    BoneKind.TIBIA: frozenset({"tibia", "tibial"}),
    BoneKind.FIBULA: frozenset({"fibula", "fibular"}),
    BoneKind.PATELLA: frozenset({"patella"}),
    BoneKind.MANDIBLE: frozenset({"mandible"}),
    BoneKind.SKULL: frozenset({"skull", "calvaria", "calvarium", "cranium"}),
    BoneKind.ILIUM: frozenset({"ilium", "iliac"}),
    BoneKind.PELVIS: frozenset(
        {"hip", "pelvis", "pelvic", "ischium", "ischial", "pubis", "pubic", "acetabulum", "acetabular"}
    ),
    BoneKind.SACRUM: frozenset({"sacrum", "sacral"}),
    BoneKind.COCCYX: frozenset({"coccyx", "cocygis"}),
}
_NO_BONE = frozenset(
    {
        *("artery", "vena", "vein", "muscle", "cartilage", "cartilages", "cord", "disc", "discs", "implant", "marrow"),
        *("node", "nodes", "lymph", "joint", "canal", "nerve"),
    }
)
"""Words that say that what is named after a bone is none."""
_SPINE = frozenset({"vertebra", "vertebrae", "vertebral", "spine", "spinal"})
_BEYOND = re.compile(r"\b(t13|th13|l6)\b")
"""Levels that some people have, which SINS does not know."""
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_ORDINAL_LEVEL = re.compile(rf"\b({'|'.join(_ORDINALS)}) (cervical|thoracic|lumbar|rib)\b")
_SACRAL = re.compile(r"\bs[1-5]\b")
_MOST_CHARACTERS = 200


@lru_cache(maxsize=4096)
def bone_named(name: str) -> Bone | None:
    """The bone of a name; None where it names none, or something beside one."""
    text = _ORDINAL_LEVEL.sub(_numbered, re.sub(r"[_]+", " ", name[:_MOST_CHARACTERS].lower()))
    words = _WORD.findall(text)
    if _NO_BONE & set(words):
        return None
    side = _side(set(words))
    for kind, known in _WORDS.items():
        if known & set(words):
            numbers = [word for word in words if word.isdecimal()]
            return Bone(kind=kind, part=_part(kind, text, numbers), side=side)
    return _vertebra(text, set(words), side)


def _part(kind: BoneKind, text: str, numbers: list[str]) -> str:
    """The number of a rib, the segment of a sacrum; blank where there is not one."""
    if kind is BoneKind.RIB and len(numbers) == 1 and len(numbers[0]) < 3 and 1 <= int(numbers[0]) <= 12:
        return str(int(numbers[0]))
    segments = _SACRAL.findall(text) if kind is BoneKind.SACRUM else []
    return segments[0].upper() if len(segments) == 1 else ""


def _numbered(found: re.Match[str]) -> str:
    """`third lumbar` as L3, `fifth rib` as rib 5."""
    number = _ORDINALS.index(found[1]) + 1
    return f"rib {number}" if found[2] == "rib" else f"{found[2][0].upper()}{number}"


def _vertebra(text: str, words: set[str], side: Side) -> Bone | None:
    beyond = _BEYOND.search(text)
    if beyond:
        return Bone(kind=BoneKind.VERTEBRA, part=beyond[1].upper().replace("TH", "T"), side=side)
    levels = vertebra(text)
    if levels is not None and levels.all_involved:
        kind = BoneKind.SACRUM if levels.names[0].startswith("S") else BoneKind.VERTEBRA
        return Bone(kind=kind, part=levels.words, side=side)
    if levels is not None or _SPINE & words:
        return Bone(kind=BoneKind.VERTEBRA, side=side)
    return Bone(kind=BoneKind.BONE, side=side) if {"bone", "bones", "skeleton"} & words else None


def _side(words: set[str]) -> Side:
    if "bilateral" in words or {"left", "right"} <= words:
        return Side.BOTH
    return next((side for side in (Side.LEFT, Side.RIGHT) if side in words), Side.NONE)
