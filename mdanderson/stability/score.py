"""A score of points: what each item may come to, what they add up to, and what that says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Band", "Item", "ItemTable", "Points", "ScoreRange"]

Points = tuple[int, int]
"""Least and most points; the same where the words leave no doubt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One item of a score for one lesion: its least and most points, and the word or the gap they come from."""

    name: str
    minimum: int
    maximum: int
    why: str

    @property
    def is_known(self) -> bool:
        """Whether it comes to one number."""
        return self.minimum == self.maximum


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemTable:
    """One item of a score as its paper prints it: word -> points."""

    name: str
    points: Mapping[str, Points]

    def item(self, word: str | None) -> Item:
        """The item for a word; None: nobody said, so anything that the table holds."""
        if word is None:
            least = min(least for least, _ in self.points.values())
            most = max(most for _, most in self.points.values())
            return Item(name=self.name, minimum=least, maximum=most, why="not said")
        least, most = self.points[word]
        return Item(name=self.name, minimum=least, maximum=most, why=str(word))


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """What a total from `from_points` upwards says; consult: it asks for a surgeon (SINS) or for fixation (Mirels)."""

    from_points: int
    word: str
    consult: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRange:
    """A score of one lesion, between its least and its most points, with the source of its rules."""

    name: str
    source: str
    items: tuple[Item, ...]
    bands: tuple[Band, ...]

    @property
    def minimum(self) -> int:
        """Least points, if everything unsaid is harmless."""
        return sum(item.minimum for item in self.items)

    @property
    def maximum(self) -> int:
        """Most points, if everything unsaid is as bad as it can be."""
        return sum(item.maximum for item in self.items)

    @property
    def band_minimum(self) -> Band:
        """What the least points say."""
        return _band(self.bands, self.minimum)

    @property
    def band_maximum(self) -> Band:
        """What the most points say."""
        return _band(self.bands, self.maximum)

    @property
    def open_items(self) -> tuple[str, ...]:
        """The items that must be told to know the score."""
        return tuple(item.name for item in self.items if not item.is_known)

    @property
    def words(self) -> str:
        """In one line: 'SINS 7-16: potentially unstable to unstable (open: pain, alignment)'."""
        low, high = self.band_minimum.word, self.band_maximum.word
        points = str(self.minimum) if self.minimum == self.maximum else f"{self.minimum}-{self.maximum}"
        meaning = low if low == high else f"{low} to {high}"
        missing = f" (open: {', '.join(self.open_items)})" if self.open_items else ""
        return f"{self.name} {points}: {meaning}{missing}"


def _band(bands: Sequence[Band], points: int) -> Band:
    return max((band for band in bands if band.from_points <= points), key=lambda band: band.from_points)
