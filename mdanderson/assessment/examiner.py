"""What is done differently in each modality, behind one face: measuring a lesion, and judging a place without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.station import Station
from mdanderson.findings import LesionFinding
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["Examined", "Examiner", "Seen", "Shown"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Seen:
    """An outline as a reader would want to see it: where it is drawn, what of it is measured, and what was found."""

    station: Station
    region: Region
    measured: Region
    finding: LesionFinding


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examined:
    """A lesion as one visit's images show it.

    finding: in the image that leads. beside: the same lesion in its companions. lytic: its lytic voxels, which healing
    has to fill in. implant: why the image does not show its density, where metal or cement is the reason; else blank.
    gap: what keeps the image from showing all of it, the edge of the field of view or NaN voxels; else blank.
    core: what of its outline is measured, where that is not all of it. seen: where it was looked at.
    """

    finding: LesionFinding
    beside: tuple[LesionFinding, ...] = ()
    lytic: Region | None = None
    implant: str = ""
    gap: str = ""
    core: Region | None = None
    seen: Seen | None = None

    @property
    def findings(self) -> tuple[LesionFinding, ...]:
        """One for every image that shows it, the leading one first."""
        return self.finding, *self.beside

    def labelled(self, label: str) -> Examined:
        """The same under a label of the leading image's mask; companions keep those of their own."""
        return replace(self, finding=replace(self.finding, label=label))

    def told(self, change: Callable[[LesionFinding], LesionFinding]) -> Examined:
        """The same with something changed in every finding."""
        return replace(self, finding=change(self.finding), beside=tuple(map(change, self.beside)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Whether baseline shows at a place what is there now; there: None where that cannot be told.

    hidden: what hides it in one of the images, where something does.
    """

    there: bool | None
    hidden: str = ""


class Examiner(Protocol):
    """How one modality is examined. Facts only; what they mean is asked of the criteria."""

    def examine(
        self,
        station: Station,
        region: Region,
        *,
        lesion_id: str,
        status: Status,
        known: Known | None,
        neighbours: Sequence[Region],
        settings: Settings,
    ) -> Examined:
        """Measure a segmented lesion. neighbours: all that is or was a lesion in this image, so no reference."""

    def look_at_place(
        self, station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
    ) -> tuple[LesionFinding, ...]:
        """What became of a known lesion that nobody segmented: resolved, missing or not evaluable."""

    def was_there(
        self,
        home: Station,
        place: Region,
        finding: LesionFinding,
        *,
        neighbours: Sequence[Region],
        settings: Settings,
    ) -> Shown:
        """Whether baseline shows, at its place, what `finding` shows now."""
