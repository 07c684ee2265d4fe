"""Which lesion of one visit is which at another.

The rule, in plain words:

1. *Who says so wins.* A found lesion that a reader or a tracking UID names is the known lesion of that name (a new one
   if there is none); the rest is judged by place.
2. *What lesions share is taken away.* A residual misregistration moves all lesions alike, or those near by. When at
   least three lesions, and seven tenths of those that could be paired, agree on one drift and on no other
   (`matching.drift`: a shift, a turn, what neighbours share), it is removed; the error that is left is their scatter.
3. *A place is taken by half.* The distance of two lesions is how far half of the voxels of the smaller one lie outside
   the larger: 0 when half of it is inside. Growing, shrinking, merging and splitting leave it at 0; a neighbour is at
   least its own radius away. Of two lesions that the edge of an image cuts, the ends that meet there count.
4. *Each lesion looks for its partner*: the one that is nearest to most of its voxels. Partners in each other's place
   (`_IN_PLACE_MM`) belong together: one with one is followed, several known with one found have merged (also when two
   mergers hang together), one known with several found has split.
5. *What is left over* may have been moved by the error: lesions no further apart than the error, nearest to each other,
   and without a rival, are followed. Where the error is larger than `_TELLS_APART_MM` and there is a rival as near
   as the error, or the error alone does not bring the whole of the smaller lesion to the larger one, all that could be
   meant are ambiguous: named, never guessed.
6. A known lesion that nothing belongs to has vanished, a found one is new.

Seen from the later visit the same is told: merges are splits, new lesions have vanished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mdanderson.errors import MeasurementError
from mdanderson.geometry import FloatArray
from mdanderson.matching.drift import Drift, estimate_drift
from mdanderson.matching.place import Place
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray

__all__ = ["Match", "MatchKind", "match"]

_IN_PLACE_MM = 1.5
"""Half of the smaller lesion within this of the larger one lies in its place: outlines are not sharper than this."""
_WHOLE = 0.9
"""Of a lesion's voxels: the rest may be grain of the outline."""
_CUT_SHARE, _CUT_GROWN_MM = 0.1, 8.0
"""Of two lesions that the edge of an image cuts, only the ends near the edge can meet, and may have grown across it."""
_TELLS_APART_MM = 3.0
"""With no more error than this, place decides: the centres of two lesions of 5 mm are further apart."""


class MatchKind(StrEnum):
    """What became of lesions between two visits."""

    FOLLOWED = "followed"
    NEW = "new"
    VANISHED = "vanished"
    MERGED = "merged"
    SPLIT = "split"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Match:
    """Lesions that belong together: keys of the known ones and of the found ones, each in order."""

    known: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    kind: MatchKind


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Nearness:
    """Of every known (row) with every found lesion (column).

    distance_mm: as in rule 3, infinite = far. whole_mm: the same for nine tenths of the smaller one.
    known_share, found_share: of the known, of the found lesion's own voxels those that are nearest to this partner.
    """

    distance_mm: FloatArray
    whole_mm: FloatArray
    known_share: FloatArray
    found_share: FloatArray


def match(
    known: Sequence[Place],
    found: Sequence[Place],
    *,
    error_mm: float,
    settings: ImageSettings,
    identities: Mapping[str, str] | None = None,
) -> tuple[Match, ...]:
    """What became of every known lesion, and what every found one is; each key occurs in exactly one match.

    error_mm: how far the two visits' places may be off against each other. identities: found key -> known key, where a
    reader or a tracking UID says so. Raises `MeasurementError` when keys repeat or the error is not a length.
    """
    for places in (known, found):
        if len({place.key for place in places}) != len(places):
            raise MeasurementError("two lesions with one key", way_out="give every lesion its own")
    if not error_mm >= 0:
        raise MeasurementError(f"an error of {error_mm} mm", way_out="register the images first")
    stated, known, found = _stated(known, found, identities or {})
    return tuple(sorted([*stated, *_by_place(known, found, min(error_mm, settings.matching_reach_mm), settings)]))


def _stated(
    known: Sequence[Place], found: Sequence[Place], identities: Mapping[str, str]
) -> tuple[list[Match], list[Place], list[Place]]:
    """Matches by name, and the places left, in the order of their keys."""
    keys = {place.key for place in known}
    children: dict[str, list[str]] = {}
    new = []
    for key in sorted(place.key for place in found if place.key in identities):
        if identities[key] in keys:
            children.setdefault(identities[key], []).append(key)
        else:
            new.append(key)
    matches = [_named((parent,), tuple(named)) for parent, named in children.items()]
    matches += [_named((), (key,)) for key in new]
    left_known = sorted((place for place in known if place.key not in children), key=lambda place: place.key)
    left_found = sorted((place for place in found if place.key not in identities), key=lambda place: place.key)
    return matches, left_known, left_found


def _named(known: tuple[str, ...], found: tuple[str, ...]) -> Match:
    """The match of keys that belong together, by how many there are on each side."""
    if not known or not found:
        kind = MatchKind.VANISHED if known else MatchKind.NEW
    elif len(known) > 1:
        kind = MatchKind.MERGED
    else:
        kind = MatchKind.SPLIT if len(found) > 1 else MatchKind.FOLLOWED
    return Match(kind=kind, known=known, found=found)


def _by_place(known: Sequence[Place], found: Sequence[Place], error_mm: float, settings: ImageSettings) -> list[Match]:
    """Rules 2 to 6."""
    if not known or not found:
        return [_named((place.key,), ()) for place in known] + [_named((), (place.key,)) for place in found]
    here = np.array([place.centroid_lps_mm for place in known])
    there = np.array([place.centroid_lps_mm for place in found])
    drift = estimate_drift(here, there, error_mm=error_mm, reach_mm=settings.matching_reach_mm)
    error_mm = min(error_mm, drift.error_mm)
    near = _nearness(known, found, drift, max(error_mm, _IN_PLACE_MM))
    links = _partners(near)
    doubtful = _settle_the_rest(near, links, error_mm)
    return _components(known, found, links, doubtful)


def _nearness(known: Sequence[Place], found: Sequence[Place], drift: Drift, within_mm: float) -> _Nearness:
    """All pairs that may matter; the rest stays infinitely far."""
    shape = len(known), len(found)
    distance, whole = np.full(shape, np.inf), np.full(shape, np.inf)
    from_known = [np.full((len(place.asking_mm), shape[1]), np.inf) for place in known]
    from_found = [np.full((len(place.asking_mm), shape[0]), np.inf) for place in found]
    for i, j, shift in _within_reach(known, found, drift, within_mm):
        one, other = known[i], found[j]
        there, back = other.outside_mm(one.asking_mm + shift), one.outside_mm(other.asking_mm - shift)
        half = _outside(one, other, there, back, share=0.5)
        if half <= within_mm:
            distance[i, j], whole[i, j] = half, _outside(one, other, there, back, share=_WHOLE)
            from_known[i][:, j], from_found[j][:, i] = there, back
    return _Nearness(
        distance_mm=distance,
        whole_mm=whole,
        known_share=np.array([_nearest_share(table) for table in from_known]),
        found_share=np.array([_nearest_share(table) for table in from_found]).T,
    )


def _within_reach(
    known: Sequence[Place], found: Sequence[Place], drift: Drift, within_mm: float
) -> Iterator[tuple[int, int, FloatArray]]:
    """Numbers of the pairs whose surroundings touch, and the drift between them."""
    here = np.array([place.centroid_lps_mm for place in known])[:, None]
    there = np.array([place.centroid_lps_mm for place in found])[None]
    shift = drift.at((here + there) / 2)
    apart = np.linalg.norm(there - here - shift, axis=2)
    reach = np.array([place.reach_mm + place.grain_mm for place in known])[:, None]
    reach = reach + np.array([place.reach_mm + place.grain_mm for place in found])
    for i, j in np.argwhere(apart <= reach + within_mm).tolist():
        yield i, j, shift[i, j]


def _outside(one: Place, other: Place, there: FloatArray, back: FloatArray, *, share: float) -> float:
    """How far this share of the smaller lesion lies outside the larger (rule 3), the same seen from either visit."""
    grown_mm = 0.0
    if one.cut and other.cut:
        share, grown_mm = _CUT_SHARE, _CUT_GROWN_MM
    if one.volume_mm3 == other.volume_mm3:
        outside = float((np.quantile(there, share) + np.quantile(back, share)) / 2)
    else:
        outside = float(np.quantile(there if one.volume_mm3 < other.volume_mm3 else back, share))
    return max(0.0, outside - grown_mm)


def _nearest_share(table: FloatArray) -> FloatArray:
    """(voxels, partners) distances -> (partners,): the share of voxels that each is nearest to; ties are shared."""
    nearest = (table == table.min(axis=1, keepdims=True)) & np.isfinite(table)
    return np.asarray((nearest / np.maximum(nearest.sum(axis=1, keepdims=True), 1)).mean(axis=0))


def _partners(near: _Nearness) -> BoolArray:
    """Rule 4: links between lesions in each other's place, each lesion choosing one partner."""
    links = np.zeros(near.distance_mm.shape, dtype=bool)
    in_place = near.distance_mm <= _IN_PLACE_MM
    for i in np.flatnonzero(in_place.any(axis=1)):
        links[i, np.argmax(np.where(in_place[i], near.known_share[i], -1.0))] = True
    for j in np.flatnonzero(in_place.any(axis=0)):
        links[np.argmax(np.where(in_place[:, j], near.found_share[:, j], -1.0)), j] = True
    return links


def _settle_the_rest(near: _Nearness, links: BoolArray, error_mm: float) -> BoolArray:
    """Rule 5: adds links to `links`, and returns those that cannot be told from each other."""
    alone_known, alone_found = ~links.any(axis=1, keepdims=True), ~links.any(axis=0, keepdims=True)
    loose = np.asarray((near.distance_mm <= error_mm) & (alone_known | alone_found))
    if error_mm > _TELLS_APART_MM:
        crowded = (loose.sum(axis=1, keepdims=True) > 1) | (loose.sum(axis=0, keepdims=True) > 1)
        too_far = near.whole_mm > error_mm
        doubtful = np.asarray(loose & (crowded | too_far | ~(alone_known & alone_found)))
        links |= loose & ~doubtful
        return _spread(doubtful, np.asarray(near.distance_mm <= error_mm))
    free = np.where(loose & alone_known & alone_found, near.distance_mm, np.inf)
    while np.isfinite(free).any():
        i, j = divmod(int(np.argmin(free)), free.shape[1])
        links[i, j] = True
        free[i, :], free[:, j] = np.inf, np.inf
    return np.zeros_like(links)


def _spread(doubtful: BoolArray, possible: BoolArray) -> BoolArray:
    """Doubt about one lesion of a row moves along the row: every pair that hangs together with a doubtful one."""
    rows, columns = _labels(possible)
    touched = np.unique(rows[doubtful.any(axis=1)])
    return np.asarray(possible & np.isin(rows, touched)[:, None] & np.isin(columns, touched)[None, :])


def _labels(links: BoolArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The number of the group that each known (row) and each found lesion (column) belongs to."""
    rows, columns = np.nonzero(links)
    size = sum(links.shape)
    graph = coo_array((np.ones(len(rows)), (rows, columns + links.shape[0])), shape=(size, size))
    label = np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)
    return label[: links.shape[0]], label[links.shape[0] :]


def _components(
    known: Sequence[Place],
    found: Sequence[Place],
    links: BoolArray,
    doubtful: BoolArray,
) -> list[Match]:
    """One match for every group of lesions that hang together."""
    rows, columns = _labels(links | doubtful)
    matches = []
    for component in np.unique(np.concatenate([rows, columns])):
        mine = np.flatnonzero(rows == component).tolist()
        theirs = np.flatnonzero(columns == component).tolist()
        group = _named(tuple(known[i].key for i in mine), tuple(found[j].key for j in theirs))
        unsure = bool(doubtful[np.ix_(mine, theirs)].any())
        matches.append(Match(kind=MatchKind.AMBIGUOUS, known=group.known, found=group.found) if unsure else group)
    return matches
