"""Which lesion of one visit is which at another.

The rule, in plain words:

1. *Who says so wins.* A found lesion that a reader or a tracking UID names is the known lesion of that name (a new one
   if there is none); the rest is judged by place.
2. *What all share is taken away.* A residual misregistration moves all lesions alike. When at least three lesions, and
   half of those that could be paired, agree on one shift and on no other, it is removed, and what is left of the
   error is the scatter of their centres.
3. *A place is taken by half.* The distance of two lesions is how far half of the voxels of the smaller one lie outside
   the larger: 0 when half of it is inside. Growing, shrinking, merging and splitting leave it at 0; a neighbour is at
   least its own radius away.
4. *Each lesion looks for its partner*: the one that is nearest to most of its voxels. Partners in each other's place
   (`_IN_PLACE_MM`) belong together: one with one is followed, several known with one found have merged (also when two
   mergers hang together), one known with several found has split.
5. *What is left over* may have been moved by the error: lesions no further apart than the error, nearest to each other,
   and without a rival, are followed. Where the error is larger than `_TELLS_APART_MM` and there is a rival as near
   as the error, all that could be meant are ambiguous: named, never guessed.
6. A known lesion that nothing belongs to has vanished, a found one is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mdanderson.errors import MeasurementError
from mdanderson.geometry import FloatArray
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray

__all__ = ["Match", "MatchKind", "Place", "match"]

_IN_PLACE_MM = 1.5
"""Half of the smaller lesion within this of the larger one lies in its place: outlines are not sharper than this."""
_TELLS_APART_MM = 3.0
"""With no more error than this, place decides: the centres of two lesions of 5 mm are further apart."""
_SCATTER_MM = 4.0
"""How far centres of one lesion may scatter about the common shift: a lesion grows to one side."""
_FEWEST_VOTES = 3
_CLEAR_LEAD = 0.75
_CLEAR_LEAD_VOTES = 1.5
"""A second shift with this share of the votes of the first, or so few less, leaves the shift unknown."""
_MOST_POINTS = 4000


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where a lesion lies: (n, 3) voxel centres in the space that both visits share, and the voxels' size in mm.

    Raises `MeasurementError` when there is no voxel or no size.
    """

    key: str
    points_lps_mm: FloatArray
    voxel_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        points = np.asarray(self.points_lps_mm, dtype=float)
        if points.ndim != 2 or points.shape[1] != 3 or not len(points) or not np.isfinite(points).all():
            raise MeasurementError("a lesion without a place", where=self.key, way_out="segment it again")
        if not min(self.voxel_mm) > 0:
            raise MeasurementError("voxels without a size", where=self.key, way_out="export the image again")
        object.__setattr__(self, "points_lps_mm", points)

    @cached_property
    def centroid_lps_mm(self) -> FloatArray:
        """(3,): centre of mass."""
        return np.asarray(self.points_lps_mm.mean(axis=0))

    @cached_property
    def reach_mm(self) -> float:
        """From the centre of mass to the farthest voxel centre."""
        return float(np.linalg.norm(self.points_lps_mm - self.centroid_lps_mm, axis=1).max())

    @property
    def volume_mm3(self) -> float:
        """Voxels times voxel volume."""
        return len(self.points_lps_mm) * float(np.prod(self.voxel_mm))

    @property
    def radius_mm(self) -> float:
        """Of the ball of the same volume."""
        return float(np.cbrt(3.0 * self.volume_mm3 / (4.0 * np.pi)))

    @cached_property
    def sample_mm(self) -> FloatArray:
        """(m, 3): the voxel centres, evenly thinned out where there are very many."""
        count = len(self.points_lps_mm)
        if count <= _MOST_POINTS:
            return self.points_lps_mm
        return np.asarray(self.points_lps_mm[np.linspace(0, count - 1, _MOST_POINTS).astype(int)])

    @cached_property
    def grain_mm(self) -> float:
        """A place no further than this from a sampled voxel centre lies in the lesion: half a voxel's diagonal."""
        thinned = (len(self.points_lps_mm) / len(self.sample_mm)) ** (1 / 3)
        return 0.5 * float(np.linalg.norm(self.voxel_mm)) * float(thinned)

    @cached_property
    def tree(self) -> cKDTree:
        """For nearest neighbours among `sample_mm`."""
        return cKDTree(self.sample_mm)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Nearness:
    """Of every known (row) with every found lesion (column).

    distance_mm: as in rule 3, infinite = far. known_share, found_share: of the known, of the found lesion's own voxels
    those that are nearest to this partner.
    """

    distance_mm: FloatArray
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
    shift, error_mm = _common_shift(known, found, error_mm, settings.matching_reach_mm)
    near = _nearness(known, found, shift, max(error_mm, _IN_PLACE_MM))
    links = _partners(near)
    doubtful = _settle_the_rest(near, links, error_mm)
    return _components(known, found, links, doubtful)


def _common_shift(
    known: Sequence[Place], found: Sequence[Place], error_mm: float, reach_mm: float
) -> tuple[FloatArray, float]:
    """(3,) mm, known -> found, that most lesions agree on, and the error that is left; no shift when they do not."""
    here = np.array([place.centroid_lps_mm for place in known])
    there = np.array([place.centroid_lps_mm for place in found])
    offsets = there[None] - here[:, None]
    allowed = np.linalg.norm(offsets, axis=2) <= reach_mm + _SCATTER_MM
    candidates = offsets[allowed]
    if not len(candidates):
        return np.zeros(3), error_mm
    tree = cKDTree(there)

    tally = np.array([_votes(_query(tree, here + candidate)[0]) for candidate in candidates])
    shift = candidates[int(np.argmax(tally))]
    apart = np.linalg.norm(candidates - shift, axis=1) > 1.5 * _SCATTER_MM
    rival = float(tally[apart].max()) if apart.any() else 0.0
    ceiling = min(_CLEAR_LEAD * float(tally.max()), float(tally.max()) - _CLEAR_LEAD_VOTES)
    for _ in range(5):
        distance, partner = _query(tree, here + shift)
        agreeing = distance <= _SCATTER_MM
        shift = np.median((there[partner] - here)[agreeing], axis=0) if agreeing.any() else shift
    distance, _ = _query(tree, here + shift)
    agreeing = distance <= _SCATTER_MM
    pairable = int(allowed.any(axis=1).sum())
    if agreeing.sum() < max(_FEWEST_VOTES, 0.5 * pairable) or rival > ceiling:
        return np.zeros(3), error_mm
    return shift, min(error_mm, max(_IN_PLACE_MM, float(np.quantile(distance[agreeing], 0.9))))


def _votes(distance: FloatArray) -> float:
    return float(np.maximum(0.0, 1.0 - (distance / _SCATTER_MM) ** 2).sum())


def _query(tree: cKDTree, points: FloatArray) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """(n,): the distance to the nearest point of the tree, and its number."""
    distance, index = tree.query(points)
    return np.asarray(distance, dtype=float), np.asarray(index, dtype=np.intp)


def _nearness(known: Sequence[Place], found: Sequence[Place], shift: FloatArray, within_mm: float) -> _Nearness:
    """All pairs that may matter; the rest stays infinitely far."""
    shape = len(known), len(found)
    distance = np.full(shape, np.inf)
    from_known = [np.full((len(place.sample_mm), shape[1]), np.inf) for place in known]
    from_found = [np.full((len(place.sample_mm), shape[0]), np.inf) for place in found]
    for i, j in product(range(shape[0]), range(shape[1])):
        one, other = known[i], found[j]
        apart = np.linalg.norm(other.centroid_lps_mm - one.centroid_lps_mm - shift)
        if apart - one.reach_mm - other.reach_mm > within_mm + one.grain_mm + other.grain_mm:
            continue
        there = np.maximum(0.0, _query(other.tree, one.sample_mm + shift)[0] - other.grain_mm)
        back = np.maximum(0.0, _query(one.tree, other.sample_mm - shift)[0] - one.grain_mm)
        half = float(np.median(there if one.volume_mm3 <= other.volume_mm3 else back))
        if half <= within_mm:
            distance[i, j] = half
            from_known[i][:, j], from_found[j][:, i] = there, back
    return _Nearness(
        distance_mm=distance,
        known_share=np.array([_nearest_share(table) for table in from_known]),
        found_share=np.array([_nearest_share(table) for table in from_found]).T,
    )


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
        doubtful = np.asarray(loose & (crowded | ~(alone_known & alone_found)))
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
