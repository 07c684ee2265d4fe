"""File names of BIDS, taken apart: entities, suffix, and what a suffix means.

BIDS 1.10, Common principles and Appendix Entities; CT (`ct`) as proposed (BEP024) and NM, XR as the same habit has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from mdanderson.vocabulary import Modality, MrSequence

__all__ = ["BidsName", "Meaning", "mask_role", "meaning_of"]

_ENDINGS = (".nii.gz", ".nii", ".json")
_ENTITY = re.compile(r"([a-zA-Z]+)-([a-zA-Z0-9+.]+)", re.ASCII)
_MASKS = frozenset({"dseg", "seg", "mask", "msk"})
_OF_DERIVATIVES = frozenset({"desc", "label", "space", "res", "den", "atlas", "seg", "from", "hemi"})
_SUFFIXES: Mapping[str, tuple[Modality, MrSequence | None]] = {
    "t1w": (Modality.MR, MrSequence.T1),
    "t2w": (Modality.MR, MrSequence.T2),
    "stir": (Modality.MR, MrSequence.STIR),
    "adc": (Modality.MR, MrSequence.ADC),
    "ct": (Modality.CT, None),
    "pet": (Modality.PT, None),
    "nm": (Modality.NM, None),
    "spect": (Modality.NM, None),
    "xr": (Modality.XR, None),
    "dx": (Modality.XR, None),
    "cr": (Modality.XR, None),
}
_STIR = re.compile(r"stir|tirm", re.IGNORECASE)
_LESIONS = re.compile(r"lesion|met(s|astas[ei]s)?$|tumou?r|target", re.IGNORECASE)
_BONES = re.compile(r"bone|vert|spine|subreg|skelet|totalseg|verse|pelvi", re.IGNORECASE)
_NEITHER = re.compile(r"brain|body|air|lung|liver|prob", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class BidsName:
    """A file name: its entities in their order, and the suffix in lower case."""

    entities: tuple[tuple[str, str], ...]
    suffix: str
    ending: str

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The parts of a name; None for one that is not made like this."""
        ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
        *parts, suffix = name[: len(name) - len(ending)].split("_") if ending else [""]
        found = [_ENTITY.fullmatch(part) for part in parts]
        if not suffix or not all(found):
            return None
        entities = tuple((match[1], match[2]) for match in found if match)
        return cls(entities=entities, suffix=suffix.lower(), ending=ending)

    def __getitem__(self, key: str) -> str:
        """The value of an entity, blank where it is not there."""
        return dict(self.entities).get(key, "")

    @property
    def source(self) -> dict[str, str]:
        """The entities of the image, without those that a derivative adds."""
        return {key: value for key, value in self.entities if key not in _OF_DERIVATIVES}

    @property
    def is_mask(self) -> bool:
        """Whether it is a segmentation."""
        return self.suffix in _MASKS


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What an image is."""

    modality: Modality
    sequence: MrSequence | None = None


def meaning_of(name: BidsName) -> Meaning | None:
    """What a raw image is by its suffix; None for what is not scored."""
    found = _SUFFIXES.get(name.suffix)
    if found is None:
        return None
    modality, sequence = found
    if sequence is MrSequence.T2 and _STIR.search(name["acq"]):
        sequence = MrSequence.STIR
    return Meaning(modality=modality, sequence=sequence)


def mask_role(name: BidsName, pipeline: str) -> str:
    """Whether a segmentation is of "lesions" or "bones"; blank for neither. pipeline: the folder of derivatives.

    Names of entities decide before the name of the pipeline; one that says nothing is lesions.
    """
    told = [name[key] for key in ("label", "desc", "seg", "atlas")]
    for words in (" ".join(filter(None, told)), pipeline):
        for role, pattern in (("lesions", _LESIONS), ("bones", _BONES), ("", _NEITHER)):
            if any(pattern.search(word) for word in words.split()):
                return role
    return "lesions"
