"""The lesions that a patient's series has shown so far, each with the place where it was first seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.geometry import FloatArray
from mdanderson.lesions import touches_edge
from mdanderson.matching import Place
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["Catalogue", "Known"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Known:
    """A lesion seen before: `region` on the grid of `home`, the image that showed it first; `first` as found there.

    beside: the same in the companions of that image. points_common_mm: (voxels, 3), its place. lytic: its lytic part
    then, None where it had none. metal, cement: whether metal lay near it then, and which share of it was cement.
    """

    lesion_id: str
    home: Station
    region: Region
    points_common_mm: FloatArray
    lytic: Region | None
    first: LesionFinding
    beside: tuple[LesionFinding, ...] = ()
    metal: bool = False
    cement: float = 0.0

    @property
    def findings(self) -> tuple[LesionFinding, ...]:
        """As found there, one for every image that showed it."""
        return self.first, *self.beside

    @property
    def in_doubt(self) -> bool:
        """Whether nobody can say so far if it is new: the next outline is looked up at baseline again."""
        return self.first.status is Status.EQUIVOCAL

    @property
    def place(self) -> Place:
        """The lesion's place in the common space."""
        return Place(
            key=self.lesion_id,
            points_lps_mm=self.points_common_mm,
            voxel_mm=self.home.volume.geometry.spacing_mm,
            cut=touches_edge(self.region, self.home.volume.geometry),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Catalogue:
    """All lesions known so far, in the order in which they were first seen; grows by `with_lesion`.

    taken: identities that other modalities have given away.
    """

    lesions: tuple[Known, ...] = ()
    taken: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Known]:
        return iter(self.lesions)

    def __contains__(self, lesion_id: object) -> bool:
        return any(known.lesion_id == lesion_id for known in self.lesions)

    def __getitem__(self, lesion_id: str) -> Known:
        return next(known for known in self.lesions if known.lesion_id == lesion_id)

    @property
    def next_id(self) -> str:
        """The identity of the next lesion: L01, L02, ..., without those that a reader gave away."""
        taken = {known.lesion_id for known in self.lesions} | self.taken
        numbers = count(len(self.lesions) + 1)
        return next(name for name in (f"L{number:02d}" for number in numbers) if name not in taken)

    def settled(self, findings: Iterable[LesionFinding]) -> tuple[LesionFinding, ...]:
        """Findings of an earlier visit, told as it is known now.

        What a larger outline shows to have been there at baseline, or to lie outside its field of view, is no new
        focus; the smaller outline was not all of it, and its size is nothing to compare with.
        """
        not_new = {Status.FOLLOWED, Status.NOT_EVALUABLE}
        why = {known.lesion_id: known.first.why for known in self.lesions if known.first.status in not_new}
        return tuple(
            replace(one, status=Status.NOT_EVALUABLE, maybe_new=False, why=why[one.lesion_id])
            if one.status is Status.EQUIVOCAL and one.lesion_id in why
            else one
            for one in findings
        )

    def with_lesion(self, known: Known) -> Catalogue:
        """The catalogue with one lesion more, or with this one in place of what was known of it."""
        ids = [lesion.lesion_id for lesion in self.lesions]
        if known.lesion_id not in ids:
            return replace(self, lesions=(*self.lesions, known))
        at = ids.index(known.lesion_id)
        return replace(self, lesions=(*self.lesions[:at], known, *self.lesions[at + 1 :]))

    def identities(self, tracking_uids: dict[str, str]) -> dict[str, str]:
        """Found key -> lesion, where a tracking UID (found key -> UID) says that both are the same lesion."""
        by_uid = {known.region.tracking_uid: known.lesion_id for known in self.lesions if known.region.tracking_uid}
        return {key: by_uid[uid] for key, uid in tracking_uids.items() if uid in by_uid}
