"""One MR series may hold several images: stacks, echoes, b-values, fat and water, phase, times. They are never mixed.

What makes two images of them (`OF_KIND`) always does so. What may vary within one image as well, as an acquisition
time does (`WITHIN_KIND`), is asked only where slices of one kind lie in one place, and only if it explains them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_slices import Slice
from mdanderson.readers.mr_differences import ECHO_TIME, OF_KIND, WITHIN_KIND, Difference, ranks
from mdanderson.readers.mr_facts import MrFacts, mr_facts
from mdanderson.readers.mr_sequence import Recognised, recognise
from mdanderson.vocabulary import MrSequence

__all__ = ["MrGroup", "choose", "separate"]

_SAME_PLACE_MM = 0.05
_MOST_TOLD = 12
"""Groups named in one line; a series of many diffusion directions holds dozens."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MrGroup:
    """The slices of one image of a series. number: from 1. differs: what tells it from the others, blank if alone."""

    number: int
    slices: tuple[Slice, ...]
    facts: MrFacts
    found: Recognised
    differs: str = ""

    @property
    def line(self) -> str:
        """How an error lists it."""
        says = f" ({self.found.sequence})" if self.found.sequence else ""
        differs = f" {self.differs}" if self.differs else ""
        return f"#{self.number}{differs}{says}, {len(self.slices)} slice(s)"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Part:
    """Slices that are alike so far, with their facts, and what sets them apart from the others."""

    slices: tuple[Slice, ...]
    facts: tuple[MrFacts, ...]
    differs: tuple[str, ...] = ()


def separate(slices: Sequence[Slice]) -> tuple[MrGroup, ...]:
    """The images of one series, numbered by stack, kind, b-value, echo, then time; the order of files counts nothing.

    Raises `ImageError` where a header is damaged.
    """
    whole = _Part(slices=tuple(slices), facts=tuple(map(mr_facts, slices)))
    parts = [part for kind in _split(whole, OF_KIND) for part in _apart(kind)]
    echoes = len(set(ranks(ECHO_TIME, slices, whole.facts)))
    return tuple(
        MrGroup(
            number=number,
            slices=part.slices,
            facts=part.facts[0],
            found=recognise(part.facts[0], echoes=echoes),
            differs=", ".join(part.differs),
        )
        for number, part in enumerate(parts, start=1)
    )


def choose(groups: Sequence[MrGroup], *, sequence: MrSequence | None, number: int | None) -> MrGroup:
    """The image wanted. Raises `ImageError` that lists them, where none or several could be meant."""
    if number is not None:
        if number > len(groups):
            raise _refused(groups, f"no image #{number} in the series")
        return groups[number - 1]
    if len(groups) == 1:
        return groups[0]
    if sequence is None:
        raise _refused(groups, f"{len(groups)} images in one series")
    fitting = [group for group in groups if group.found.sequence is sequence]
    if len(fitting) != 1:
        count = f"{len(fitting)} of them {sequence}" if fitting else f"none of them known to be {sequence}"
        raise _refused(groups, f"{len(groups)} images in one series, {count}")
    return fitting[0]


def _refused(groups: Sequence[MrGroup], what: str) -> ImageError:
    listed = "; ".join(group.line for group in groups[:_MOST_TOLD])
    more = f"; and {len(groups) - _MOST_TOLD} more" if len(groups) > _MOST_TOLD else ""
    return ImageError(
        f"{what}: {listed}{more}",
        way_out="name its sequence in the manifest, or in the series column its SeriesInstanceUID and number: UID#2",
    )


def _split(part: _Part, differences: Sequence[Difference]) -> Iterator[_Part]:
    """By every combination of values that occurs, in order of the values."""
    columns = [ranks(difference, part.slices, part.facts) for difference in differences]
    telling = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    labels = list(zip(*columns, strict=True))
    for label in sorted(set(labels)):
        members = [k for k, own in enumerate(labels) if own == label]
        first, facts = part.slices[members[0]], part.facts[members[0]]
        told = (differences[k].tell(differences[k].value(first, facts), label[k] + 1) for k in telling)
        yield _Part(
            slices=tuple(part.slices[k] for k in members),
            facts=tuple(part.facts[k] for k in members),
            differs=(*part.differs, *told),
        )


def _apart(part: _Part) -> list[_Part]:
    """Slices of one kind by what explains that several lie in one place; left together, to be refused, by nothing."""
    most = _most_in_one_place(part.slices)
    if most == 1:
        return [part]
    usable = [one for one in WITHIN_KIND if 1 < len(set(ranks(one, part.slices, part.facts))) <= most]
    for chosen in (*combinations(usable, 1), *combinations(usable, 2)):
        parts = list(_split(part, chosen))
        if len(parts) == most and all(_most_in_one_place(each.slices) == 1 for each in parts):
            return parts
    return [part]


def _most_in_one_place(slices: Sequence[Slice]) -> int:
    """How many parallel slices lie in one place at most."""
    normal = np.cross(slices[0].orientation[:3], slices[0].orientation[3:])
    heights = np.sort([float(each.position_mm @ normal) for each in slices])
    place = np.cumsum(np.diff(heights, prepend=heights[0]) > _SAME_PLACE_MM)
    return max(Counter(place.tolist()).values())
