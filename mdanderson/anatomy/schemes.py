"""How segmentation tools number bones, as data.

TotalSegmentator 1 (104 classes) and 2 (117 classes, task `total`): its class maps. VerSe: the vertebrae of the
challenge (Sekuboyina et al., Med Image Anal 2021;73:102166), 1-7 C1-C7, 8-19 T1-T12, 20-25 L1-L6, 26 sacrum,
27 coccyx, 28 T13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mdanderson.anatomy.bones import Bone, BoneKind, Side

__all__ = ["SCHEMES", "Scheme"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheme:
    """One numbering. name: as `[image] bone_scheme` has it. bones: label -> bone. last: its greatest label.

    Labels up to the last that are no bones are organs, vessels and muscles.
    """

    name: str
    title: str
    bones: Mapping[int, Bone]
    last: int

    def bone(self, label: int) -> Bone | None:
        """The bone of a label; None for an organ, a vessel or a muscle, and for a label that there is not."""
        return self.bones.get(label)


_LEVELS = tuple(f"{letter}{n}" for letter, count in (("C", 7), ("T", 12), ("L", 5)) for n in range(1, count + 1))
_PAIRED = (BoneKind.HUMERUS, BoneKind.SCAPULA, BoneKind.CLAVICLE, BoneKind.FEMUR, BoneKind.PELVIS)


def _vertebrae(first: int, levels: tuple[str, ...]) -> dict[int, Bone]:
    return {first + n: Bone(kind=BoneKind.VERTEBRA, part=level) for n, level in enumerate(levels)}


def _ribs(first: int) -> dict[int, Bone]:
    """Twelve of the left, twelve of the right."""
    sides = (side for side in (Side.LEFT, Side.RIGHT) for _ in range(12))
    return {first + n: Bone(kind=BoneKind.RIB, part=str(n % 12 + 1), side=side) for n, side in enumerate(sides)}


def _pairs(first: int) -> dict[int, Bone]:
    """Left and right in turn."""
    paired = ((kind, side) for kind in _PAIRED for side in (Side.LEFT, Side.RIGHT))
    return {first + n: Bone(kind=kind, side=side) for n, (kind, side) in enumerate(paired)}


_UPWARDS = _LEVELS[::-1]
_SACRUM = Bone(kind=BoneKind.SACRUM)

SCHEMES: tuple[Scheme, ...] = (
    Scheme(
        name="totalsegmentator",
        title="TotalSegmentator 2",
        bones={
            25: _SACRUM,
            26: Bone(kind=BoneKind.SACRUM, part="S1"),
            **_vertebrae(27, _UPWARDS),
            **_pairs(69),
            91: Bone(kind=BoneKind.SKULL),
            **_ribs(92),
            116: Bone(kind=BoneKind.STERNUM),
        },
        last=117,
    ),
    Scheme(
        name="totalsegmentator_v1",
        title="TotalSegmentator 1",
        bones={**_vertebrae(18, _UPWARDS), **_ribs(58), **_pairs(82), 92: _SACRUM},
        last=104,
    ),
    Scheme(
        name="verse",
        title="VerSe",
        bones={
            **_vertebrae(1, (*_LEVELS, "L6")),
            26: _SACRUM,
            27: Bone(kind=BoneKind.COCCYX),
            28: Bone(kind=BoneKind.VERTEBRA, part="T13"),
        },
        last=28,
    ),
)
