"""One quantity over the visits of a modality, exact: kept in whole numbers of one unit, told as fractions.

Sizes of a lesion or of a sum are compared at every visit and told at few. Over one denominator a comparison is one of
whole numbers, and a fraction is made only where somebody reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Literal, NamedTuple

from mdanderson.quantities import Share, Undefined

__all__ = ["NO_TRACK", "Line", "Reference", "Track", "add_lines", "add_tracks"]

Reference = Literal["nadir", "baseline"]
"""What a rise is measured from."""


class Line:
    """One quantity at every visit, None where it is not known; a size, an uptake, or the sum of some.

    whole: in units of 1 / `per`. counts_from: the visit that gives the first value to compare with; those before it are
    not known. whole_from: the visit from which on all was there that it is made of; none before is what a rise is
    measured from. nadirs: the smallest value before each visit.
    """

    __slots__ = ("counts_from", "nadirs", "per", "whole", "whole_from")

    def __init__(self, whole: Sequence[int | None], per: int, *, counts_from: int = 0, whole_from: int = 0) -> None:
        self.whole, self.per, self.counts_from, self.whole_from = whole, per, counts_from, whole_from
        least_from = max(counts_from, whole_from)
        least: int | None = None
        self.nadirs: list[int | None] = []
        for visit, value in enumerate(whole):
            self.nadirs.append(least)
            if value is not None and visit >= least_from and (least is None or value < least):
                least = value

    @classmethod
    def of(cls, values: Sequence[Fraction | None], *, counts_from: int = 0, whole_from: int = 0) -> Line:
        """The line through some values, a visit each."""
        ratios = [None if value is None else value.as_integer_ratio() for value in values]
        per = lcm(*[ratio[1] for ratio in ratios if ratio is not None])
        whole = [None if ratio is None else ratio[0] * (per // ratio[1]) for ratio in ratios]
        return cls(whole, per, counts_from=counts_from, whole_from=whole_from)

    def exact(self, whole: int | None) -> Fraction | None:
        """One of its whole numbers in the unit of the quantity."""
        return None if whole is None else Fraction(whole, self.per)

    def known_at(self, visit: int) -> int | None:
        """Its whole number at a visit, None where that does not count."""
        return self.whole[visit] if visit >= self.counts_from else None

    def first_at(self, whole: int) -> int:
        """The visit that first has one of its whole numbers."""
        return self.whole.index(whole, max(self.counts_from, self.whole_from))

    def upto(self, visit: int, *, baseline: int | None, now_counts: bool = True) -> Track:
        """What is known of it at a visit. baseline: the visit that is the baseline, None where there is none."""
        now = self.whole[visit] if now_counts else None
        return Track.at(self, visit, now=now, baseline=None if baseline is None else self.whole[baseline], least=now)


class Track(NamedTuple):
    """A line up to one visit: what it is now, what it was at baseline, and the smallest of the visits before.

    whole_least: what is known to be there at the very least when the quantity is not known as a whole now: the assessed
    part of a sum. All in the whole numbers of the line; the properties tell them exactly.
    from_baseline, from_nadir: the relative changes, which every row on it asks.
    """

    line: Line
    visit: int
    whole_now: int | None
    whole_baseline: int | None
    whole_least: int | None
    from_baseline: Share | Undefined
    from_nadir: Share | Undefined

    @classmethod
    def at(cls, line: Line, visit: int, *, now: int | None, baseline: int | None, least: int | None) -> Track:
        """A line up to a visit, by its whole numbers."""
        nadir, from_baseline = line.nadirs[visit], _change(now, baseline)
        from_nadir = from_baseline if nadir == baseline else _change(now, nadir)
        return cls(line, visit, now, baseline, least, from_baseline, from_nadir)

    @classmethod
    def of(
        cls,
        *,
        now: Fraction | None,
        baseline: Fraction | None,
        earlier: Sequence[Fraction | None],
        least: Fraction | None,
    ) -> Track:
        """A track from its values. earlier: the visits before, oldest first, baseline included."""
        line = Line.of((*earlier, now, baseline, least))
        whole_now, whole_baseline, whole_least = line.whole[len(earlier) :]
        return cls.at(line, len(earlier), now=whole_now, baseline=whole_baseline, least=whole_least)

    def unknown_now(self) -> Track:
        """The same where nothing is known of it at this visit."""
        return Track.at(self.line, self.visit, now=None, baseline=self.whole_baseline, least=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Track) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[object, ...]:
        """What makes two tracks the same, whatever their units."""
        return self.visit, self.now, self.baseline, self.at_least, self.earlier

    @property
    def whole_nadir(self) -> int | None:
        """The smallest of the visits before, in whole numbers."""
        return self.line.nadirs[self.visit]

    @property
    def now(self) -> Fraction | None:
        """At this visit."""
        return self.line.exact(self.whole_now)

    @property
    def baseline(self) -> Fraction | None:
        """At the visit that it is compared with."""
        return self.line.exact(self.whole_baseline)

    @property
    def nadir(self) -> Fraction | None:
        """The smallest of the visits before."""
        return self.line.exact(self.whole_nadir)

    @property
    def earlier(self) -> tuple[Fraction | None, ...]:
        """The visits before, oldest first, baseline included."""
        return tuple([self.line.exact(self.line.known_at(visit)) for visit in range(self.visit)])

    @property
    def first(self) -> int:
        """The visit that gave the first value that counts; 0 where none before does (what was settled as flare)."""
        known = (visit for visit in range(self.visit) if self.line.known_at(visit) is not None)
        return next(known, 0)

    @property
    def at_least(self) -> Fraction | None:
        """`now`, or what is known to be there where it is not known as a whole."""
        return self.line.exact(self.whole_least if self.whole_now is None else self.whole_now)

    @property
    def is_comparable(self) -> bool:
        """Whether it is known now, at baseline, and before with all that it is made of."""
        whole_before = self.line.whole_from == 0 or self.whole_nadir is not None
        return self.whole_now is not None and self.whole_baseline is not None and whole_before

    @property
    def nadir_is_baseline(self) -> bool:
        """Whether nothing before was smaller than the baseline."""
        return self.whole_nadir == self.whole_baseline

    def reference(self, name: Reference) -> Fraction | None:
        """The earlier value that a rise is measured from."""
        return self.line.exact(self.whole_reference(name))

    def whole_reference(self, name: Reference) -> int | None:
        """The same in whole numbers: of the baseline, the first visit that had all that it is made of."""
        if name == "nadir":
            return self.whole_nadir
        start = self.line.whole_from
        if start == 0:
            return self.whole_baseline
        return self.line.known_at(start) if start < self.visit else None

    def change_from(self, name: Reference, *, at_least: bool = False) -> Share | Undefined:
        """Relative change from a reference. at_least: of what is known to be there, where not all is known."""
        if at_least and self.whole_now is None:
            return _change(self.whole_least, self.whole_reference(name))
        if name == "baseline" and self.line.whole_from:
            return _change(self.whole_now, self.whole_reference(name))
        return self.from_nadir if name == "nadir" else self.from_baseline

    def rise_from(self, name: Reference) -> Share:
        """How much more is known to be there than at a reference, in the unit of the quantity; both must be known."""
        now = self.whole_least if self.whole_now is None else self.whole_now
        before = self.whole_reference(name)
        return Share((now or 0) - (before or 0), self.line.per)

    @property
    def change_baseline(self) -> Fraction | Undefined:
        """Relative change from the baseline, to be told or kept."""
        return _told(self.from_baseline)

    @property
    def change_nadir(self) -> Fraction | Undefined:
        """Relative change from the smallest value before, to be told or kept."""
        return _told(self.from_nadir)


def _change(now: int | None, reference: int | None) -> Share | Undefined:
    if now is None:
        return Undefined.NOT_ASSESSED
    if reference is None:
        return Undefined.NO_REFERENCE
    return Share(now - reference, reference) if reference else Undefined.ZERO_REFERENCE


def _told(share: Share | Undefined) -> Fraction | Undefined:
    return share if isinstance(share, Undefined) else share.exact


NO_TRACK = Track.at(Line((None,), 1), 0, now=None, baseline=None, least=None)
"""Nothing known at any visit."""


def add_tracks(tracks: Sequence[Track]) -> Track:
    """Tracks of one visit added; where one is unknown, the sum is. `at_least` adds what is known now."""
    if not tracks:
        return NO_TRACK
    line = add_lines(tuple([track.line for track in tracks]))
    scaled = [(track, line.per // track.line.per) for track in tracks]
    known = [track.whole_now * scale for track, scale in scaled if track.whole_now is not None]
    before = [track.whole_baseline * scale for track, scale in scaled if track.whole_baseline is not None]
    return Track.at(
        line,
        tracks[0].visit,
        now=sum(known) if len(known) == len(tracks) else None,
        baseline=sum(before) if len(before) == len(tracks) else None,
        least=sum(known),
    )


@lru_cache(maxsize=64)  # the same lesions are added at every visit
def add_lines(lines: tuple[Line, ...]) -> Line:
    """Lines added visit by visit; a visit at which one is not known is not known."""
    per = lcm(*[line.per for line in lines])
    parts = [_scaled(line, per // line.per) for line in lines]
    added = [None if None in visit else sum(visit) for visit in zip(*parts, strict=False)]
    return Line(
        added,
        per,
        counts_from=max(line.counts_from for line in lines),
        whole_from=max(line.whole_from for line in lines),
    )


def _scaled(line: Line, scale: int) -> Sequence[int | None]:
    return line.whole if scale == 1 else [None if value is None else value * scale for value in line.whole]
