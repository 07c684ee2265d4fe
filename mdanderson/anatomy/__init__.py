"""Names of bones: as readers write them, as segmentation tools number them, and as this program writes them."""

from mdanderson.anatomy.bones import Bone, BoneKind, Side, bone_named
from mdanderson.anatomy.schemes import SCHEMES, Scheme

__all__ = ["SCHEMES", "Bone", "BoneKind", "Scheme", "Side", "bone_named"]
