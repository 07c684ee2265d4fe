"""Label maps of bones, as segmentation tools write them: which label is which bone, and which is none.

Who names the bones is asked in this order, and the first that can speaks: the setting `bone_scheme`, names in the file
or in a table beside it, the file's name, the labels with their places. The last names them only where one scheme alone
puts no bone where it cannot be. Where nobody can say, every label stays a bone without a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from mdanderson.anatomy import SCHEMES, Bone, BoneKind, Scheme, Side, bone_named
from mdanderson.anatomy.organs import is_no_bone
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.readers.bone_names import names_of_labels
from mdanderson.readers.masks import read_mask
from mdanderson.settings import ImageSettings
from mdanderson.volume import Mask, Region, Volume

__all__ = ["named_bones", "read_bone_mask"]

_NOBODY = "none"
_AUTO = "auto"
_LEAST_BONES = 3
"""Of a map without names: fewer bones could be any scheme's."""
_BY_NAME = (("verse", "verse"), ("seg-vert", "verse"), ("totalseg", "totalsegmentator"))
"""What a file is called like -> how the names of its schemes begin; `seg-vert` is in the names of VerSe's own files."""
_COLUMN = (*(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 14)), *(f"L{n}" for n in range(1, 7)))


def read_bone_mask(path: str | Path, *, like: Volume, settings: ImageSettings) -> Mask:
    """The bones of the image `like`, on its grid: `Region.name` is the bone where that is known, blank elsewhere.

    What is known to be no bone is left out. `Mask.notes` says how the bones were named, or why they were not.
    Raises `MaskError`, as `read_mask` does.
    """
    mask = read_mask(path, like=like, settings=settings)
    if like.planar or settings.bone_scheme == _NOBODY:
        return replace(mask, regions=tuple(replace(region, name="") for region in mask))
    own = {region.label: _own_name(region) for region in mask if _own_name(region)}
    return named_bones(mask, own or names_of_labels(Path(path)), scheme=settings.bone_scheme, file=Path(path).name)


def named_bones(mask: Mask, names: Mapping[int, str], *, scheme: str = _AUTO, file: str = "") -> Mask:
    """The same bones with their names, without what is no bone. names: what the file calls its labels."""
    labels = [region.label for region in mask]
    centres = {region.label: _centre(region, mask.geometry) for region in mask}
    found = (
        _by_setting(scheme)
        or _by_names(names, labels)
        or _by_scheme(_called_like(file), centres, "the file's name")
        or _by_scheme(SCHEMES, centres, "labels and places", alone=True)
    )
    if found is None:
        told = "nobody says which bone is which: lesions get no site from it"
        return replace(mask, regions=tuple(replace(one, name="") for one in mask), notes=(*mask.notes, told))
    regions = tuple(
        replace(region, name=bone.words if bone else "")
        for region, bone in ((region, found.bones.get(region.label)) for region in mask)
        if region.label not in found.others
    )
    left_out = len(mask) - len(regions)
    told = f"bones named by {found.by}" + (f"; {left_out} labels that are no bones are left out" if left_out else "")
    return replace(mask, regions=regions, notes=(*mask.notes, told))


def _own_name(region: Region) -> str:
    """What the file calls a segment: by its name, else by its terminology."""
    return region.name if bone_named(region.name) or not region.site else region.site


@dataclass(frozen=True, kw_only=True, slots=True)
class _Named:
    """Which label is which bone, which are no bones, and who says so."""

    bones: Mapping[int, Bone]
    others: frozenset[int]
    by: str


def _by_setting(scheme: str) -> _Named | None:
    chosen = next((one for one in SCHEMES if one.name == scheme), None)
    return None if chosen is None else _of_scheme(chosen, f"{chosen.title} (bone_scheme)")


def _by_names(names: Mapping[int, str], labels: Iterable[int]) -> _Named | None:
    """Names that are bones; of a label without a known name nothing is said. None where no name is a bone."""
    bones = {label: bone for label in labels if (bone := bone_named(names.get(label, ""))) is not None}
    others = frozenset(label for label in labels if label not in bones and is_no_bone(names.get(label, "")))
    return _Named(bones=bones, others=others, by="the names in the file or beside it") if bones else None


def _called_like(file: str) -> tuple[Scheme, ...]:
    """The schemes that a file's name speaks of."""
    begins = tuple(begin for word, begin in _BY_NAME if word in file.lower())
    return tuple(one for one in SCHEMES if one.name.startswith(begins)) if begins else ()


def _by_scheme(
    schemes: Iterable[Scheme], centres: Mapping[int, FloatArray], by: str, *, alone: bool = False
) -> _Named | None:
    """The only scheme that fits labels and places. alone: nothing else speaks for it, so few bones are not enough."""
    schemes = tuple(schemes)
    fitting = [one for one in schemes if (not alone or _has_its_labels(one, centres)) and _fits(one, centres)]
    return _of_scheme(fitting[0], f"{fitting[0].title} ({by})") if len(fitting) == 1 else None


def _of_scheme(scheme: Scheme, by: str) -> _Named:
    others = frozenset(range(1, scheme.last + 1)) - scheme.bones.keys()
    return _Named(bones=scheme.bones, others=others, by=by)


def _has_its_labels(scheme: Scheme, labels: Iterable[int]) -> bool:
    """Whether labels speak for a scheme by themselves: enough of its bones, and nothing that it does not know."""
    labels = set(labels)
    organs = labels - scheme.bones.keys()
    if len(labels - organs) < _LEAST_BONES or (organs and max(labels) > scheme.last):
        return False
    # a map of vertebrae alone could be read as one of organs
    return not organs or max(labels) > max(one.last for one in SCHEMES if not _has_organs(one))


def _fits(scheme: Scheme, centres: Mapping[int, FloatArray]) -> bool:
    """Whether there are bones of a scheme, and they lie where they can: levels from above, sides on their side."""
    placed = [(bone, centre) for label, centre in centres.items() if (bone := scheme.bone(label)) is not None]
    return bool(placed) and _in_order(placed) and _on_their_sides(placed)


def _has_organs(scheme: Scheme) -> bool:
    return scheme.last > len(scheme.bones)


def _in_order(placed: Iterable[tuple[Bone, FloatArray]]) -> bool:
    """Whether every level of the spine lies above the next, and the sacrum below all of them."""
    heights = [(_level(bone), centre[2]) for bone, centre in placed if _level(bone) >= 0]
    ordered = [height for _, height in sorted(heights, key=lambda one: one[0])]
    return all(above > below for above, below in pairwise(ordered))


def _level(bone: Bone) -> int:
    """The place in the column, from above; -1 for other bones, and for the parts of the sacrum."""
    if bone.kind is BoneKind.SACRUM:
        return -1 if bone.part else len(_COLUMN)
    return _COLUMN.index(bone.part) if bone.kind is BoneKind.VERTEBRA and bone.part in _COLUMN else -1


def _on_their_sides(placed: Iterable[tuple[Bone, FloatArray]]) -> bool:
    """Whether left bones lie left of the spine, or of right ones, and right ones right of it. x: towards the left."""
    placed = tuple(placed)
    left = [centre[0] for bone, centre in placed if bone.side is Side.LEFT]
    right = [centre[0] for bone, centre in placed if bone.side is Side.RIGHT]
    middle = [centre[0] for bone, centre in placed if bone.kind in {BoneKind.VERTEBRA, BoneKind.SACRUM}]
    line = sum(middle) / len(middle) if middle else None
    if line is not None and not (all(x > line for x in left) and all(x < line for x in right)):
        return False
    return not (left and right) or min(left) > max(right)


def _centre(region: Region, geometry: Geometry) -> FloatArray:
    """(3,) LPS mm: the middle of a region's box, which is enough to tell above from below."""
    return np.asarray(geometry.crop(region.box).corners_lps_mm().mean(axis=0))
