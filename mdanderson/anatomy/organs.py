"""Words by which a segmentation names what is no bone: organs, vessels, muscles, and what lies beside bones."""

from __future__ import annotations

import re

__all__ = ["is_no_bone"]

_WORD = re.compile(r"[a-z]+")
_ORGANS = frozenset(
    {
        *("spleen", "kidney", "gallbladder", "liver", "stomach", "pancreas", "adrenal", "lung", "esophagus", "trachea"),
        *(
            "thyroid",
            "bowel",
            "duodenum",
            "colon",
            "bladder",
            "prostate",
            "heart",
            "aorta",
            "pulmonary",
            "brain",
            "face",
        ),
        *("artery", "vein", "vena", "trunk", "appendage", "atrium", "ventricle", "myocardium", "cord", "muscle"),
        *("gluteus", "autochthon", "iliopsoas", "cartilage", "cartilages", "disc", "discs", "fat", "skin", "body"),
    }
)


def is_no_bone(name: str) -> bool:
    """Whether a name says that what is segmented is no bone; of an unknown name nobody can say.

    >>> is_no_bone("iliac_artery_left"), is_no_bone("Segment_1"), is_no_bone("hip_left")
    (True, False, False)
    """
    return bool(_ORGANS & set(_WORD.findall(name.lower().replace("_", " "))))
