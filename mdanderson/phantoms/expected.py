"""Which category follows from a phantom's course by the words of MDA 2010 alone, well away from every limit.

Nothing of this package judges here: the few rules are written out again, and what they do not settle stays blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mdanderson.phantoms.course import Seen, type_of
from mdanderson.vocabulary import Category, LesionType, Status

__all__ = ["expected_category", "expected_of_foci"]

_SHRUNK, _GROWN, _STABLE = -0.58, 0.33, 0.15
"""Away from 50 % less, 25 % more, and no change by what discrete slices blur."""
_RIM_MM, _FILLED_HU = 2.0, 500.0
_HALF_FILLED = 0.6
_CLEARLY_NEW_MM = 8.0
_CEMENT_HU = 1200.0
"""Denser than bone can heal: whether it did, the words do not say."""
_CLEARLY_SEEN_MM = 8.0
"""Sum of diameters; smaller lesions may lie in no voxel."""

Sizes = Mapping[str, float]
"""Lesion -> sum of its two diameters in mm."""


def expected_category(
    seen: Sequence[Seen], sizes: Sizes, baseline: Sizes, lowest: Sizes, *, unseen: bool
) -> Category | None:
    """The patient's category at a follow-up; None where it does not follow.

    sizes: now; baseline, lowest: then, and the lowest so far. unseen: a lesion lies outside the field of view.
    """
    statuses = {one.status for one in seen}
    if statuses & {Status.MERGED, Status.SPLIT, Status.MISSING} or unseen or not baseline:
        return None
    if min(baseline.values()) < _CLEARLY_SEEN_MM or any(map(_denser_than_bone, seen)):
        return None
    if any(_is_new_metastasis(one, sizes) for one in seen if one.status is Status.NEW):
        return Category.PD
    if any(one.name not in baseline for one in seen):
        return None
    if all(one.status is Status.RESOLVED or _filled(one, 1.0) for one in seen):
        return Category.CR
    left = [one for one in seen if one.status is Status.FOLLOWED]
    if len(left) < len(seen):
        return None
    now = [sizes[one.name] / baseline[one.name] - 1 for one in left]
    risen = [sizes[one.name] / lowest[one.name] - 1 for one in left]
    if min(risen) >= _GROWN and not any(map(_healing, left)):
        return Category.PD
    if max(risen) > _STABLE:
        return None
    if max(now) <= _SHRUNK or all(_filled(one, _HALF_FILLED) or _rimmed(one) for one in left):
        return Category.PR
    stable = max(map(abs, now)) <= _STABLE and not any(map(_healing, left))
    return Category.SD if stable else None


def expected_of_foci(first: Sequence[Seen], seen: Sequence[Seen]) -> Category | None:
    """The category of a bone scan at a follow-up: all foci gone, or all as they were; None where it does not follow.

    A new or hotter focus may be flare, and how far the camera's blur takes a ratio down, no words say.
    """
    if any(one.status is Status.MISSING for one in seen) or len(seen) > len(first) or not first:
        return None
    if all(one.status is Status.RESOLVED for one in seen):
        return Category.CR
    before = {one.name: one.parts for one in first}
    return Category.SD if all(one.parts == before[one.name] for one in seen) else None


def _is_new_metastasis(one: Seen, sizes: Sizes) -> bool:
    return type_of(one) is LesionType.LYTIC and sizes.get(one.name, 0.0) / 2 >= _CLEARLY_NEW_MM


def _denser_than_bone(one: Seen) -> bool:
    return any(part.fill and part.fill_hu > _CEMENT_HU for part in one.parts)


def _healing(one: Seen) -> bool:
    return any(part.fill or part.rim_mm for part in one.parts)


def _filled(one: Seen, share: float) -> bool:
    return bool(one.parts) and all(part.fill >= share and part.fill_hu >= _FILLED_HU for part in one.parts)


def _rimmed(one: Seen) -> bool:
    return all(part.rim_mm >= _RIM_MM and part.rim_hu >= _FILLED_HU and not part.fill for part in one.parts)
