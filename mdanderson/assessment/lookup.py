"""Not segmented is not gone: what the image shows at a lesion's place (docs/details.md, detail 31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.examine import examine_place
from mdanderson.assessment.station import Station
from mdanderson.criteria.density import is_back_to_normal, is_density_abnormal, is_density_normal, is_filled_in
from mdanderson.findings import Density, LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["MAYBE_NEW", "Origin", "look_up", "seen_at_baseline"]

MAYBE_NEW = "the baseline image does not tell whether it was there: nobody can say whether it is new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a lesion first segmented after baseline comes from; why: blank where it is plainly new.

    in_doubt: the baseline image cannot tell, so that nobody may call it new, nor say that it is not.
    """

    status: Status
    why: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether the baseline image cannot tell."""
        return self.status is Status.EQUIVOCAL


def look_up(known: Known, stations: Sequence[Station], *, settings: Settings) -> LesionFinding:
    """What became of a known lesion that nobody segmented: resolved, missing (still visible) or not evaluable."""
    station = max(stations, key=lambda s: s.share_in_view(known.points_common_mm) if s.trusted else -1.0)
    status, density, why = _judge(known, station, settings)
    return LesionFinding.without_outline(
        known.lesion_id,
        status,
        why,
        modality=station.volume.modality,
        date=station.image.date,
        visit=station.image.visit,
        density=density,
        registration_error_mm=station.error_at_mm(known.points_common_mm),
    )


def _judge(known: Known, station: Station, settings: Settings) -> tuple[Status, Density | None, str]:
    """Status, density at the place, and the reason in words."""
    if not station.trusted:
        return Status.NOT_EVALUABLE, None, f"not segmented, and its place is unknown: {station.registration.why}"
    if station.share_in_view(known.points_common_mm) < settings.image.field_of_view_share:
        return Status.NOT_EVALUABLE, None, "its place lies outside the field of view"
    if not station.trusted_at(known.points_common_mm):
        why = station.registration.near(known.points_common_mm).why
        return Status.NOT_EVALUABLE, None, f"not segmented, and its place is unknown: {why}"
    place = station.carry(known.region, known.home)
    if place is None:
        return Status.NOT_EVALUABLE, None, "its place falls between the image's planes"
    density = examine_place(station, place, known=known, neighbours=_others(station, place), settings=settings)
    return _by_density(density, known.first.density, settings)


def _by_density(density: Density, before: Density | None, settings: Settings) -> tuple[Status, Density, str]:
    """The same of a place that the image shows."""
    if density.reference_hu is None:
        why = density.why or "no reference bone to judge its place by"
        return Status.NOT_EVALUABLE, density, f"not segmented, and {why}"
    if before is None or not is_density_abnormal(before, settings):
        why = before.why if before is not None else ""
        as_dense = "as dense as its bone at baseline: only a reader can say that it is gone"
        return Status.NOT_EVALUABLE, density, f"not segmented, and at baseline {why}" if why else as_dense
    if is_back_to_normal(density, before, settings):
        return Status.RESOLVED, density, "not segmented; its place is as dense as normal bone again"
    if is_filled_in(density, settings):
        return Status.RESOLVED, density, "not segmented; its place is filled in with sclerotic bone"
    if not is_density_normal(density, settings):
        return Status.MISSING, density, "lesion visible but not segmented"
    if (density.lytic_focus_mm or 0.0) >= settings.image.normal_focus_mm:
        return Status.MISSING, density, f"a lytic focus of {density.lytic_focus_mm} mm is left"
    return Status.NOT_EVALUABLE, density, "not segmented, and as near to normal bone as at baseline: nobody can say"


def seen_at_baseline(
    station: Station, lesion: Lesion, finding: LesionFinding, baseline: Sequence[Station], *, settings: Settings
) -> Origin:
    """Whether a lesion that no earlier visit settles is new.

    Looked up in the baseline image that shows its place best; outside all of them nobody can say.
    """
    points = station.to_common(lesion.points_lps_mm)
    home = max(baseline, key=lambda s: s.share_in_view(points))
    if home.share_in_view(points) < settings.image.field_of_view_share:
        why = "outside the baseline's field of view: nobody can say whether it is new"
        return Origin(status=Status.NOT_EVALUABLE, why=why)
    place = home.carry(lesion.region, station)
    if place is None or finding.density is None:
        return Origin(status=Status.EQUIVOCAL, why=MAYBE_NEW)
    then = examine_place(home, place, known=None, neighbours=_others(home, place), settings=settings)
    share = _share_then(finding.density, then)
    if share is not None and share < settings.image.grown_share and not _was_focus(finding, then, settings):
        return Origin(status=Status.NEW)
    if share is None or share < settings.image.visible_share or not _same_side(finding.density, then):
        return Origin(status=Status.EQUIVOCAL, why=_doubt(finding.density, then))
    return Origin(status=Status.FOLLOWED, why="visible at baseline but not segmented")


def _doubt(now: Density, then: Density) -> str:
    """Why nobody can say whether a lesion is new: what hides it in one of the images, where something does."""
    hidden = f"at baseline {then.why}" if then.why else now.why
    return f"{MAYBE_NEW} ({hidden})" if hidden else MAYBE_NEW


def _share_then(now: Density, then: Density) -> float | None:
    """How much of what is abnormal at a place was abnormal before: 0 to 1 and more.

    What is sclerotic now may have been lytic, and healed; what is lytic now was not sclerotic: that is the cortex.

    None where it cannot be told. Soft tissue beside bone reads as lytic: a high share is a doubt before it is a proof.
    """
    shares = (now.lytic_fraction, now.sclerotic_fraction, then.lytic_fraction, then.sclerotic_fraction)
    lytic_now, sclerotic_now, lytic_then, sclerotic_then = (share or 0.0 for share in shares)
    if any(share is None for share in shares) or lytic_now + sclerotic_now == 0:
        return None
    if lytic_now > sclerotic_now:
        return lytic_then / lytic_now
    return (lytic_then + sclerotic_then) / (lytic_now + sclerotic_now)


def _was_focus(finding: LesionFinding, then: Density, settings: Settings) -> bool:
    """Whether a lesion with sclerosis was a lytic focus of much of its size: rim and filling make the share small."""
    now = finding.density
    if now is None or (now.sclerotic_fraction or 0.0) < settings.image.type_minority:
        return False
    diameter_mm = float((6000.0 / pi * (finding.volume_ml or 0.0)) ** (1 / 3))
    return (then.lytic_focus_mm or 0.0) >= settings.image.doubt_focus_share * diameter_mm


def _same_side(now: Density, then: Density) -> bool:
    """Whether a place was on the same side of reference bone before: a cortex that is lytic now was none."""
    if now.reference_hu is None or then.reference_hu is None:
        return False
    return (now.median_hu - now.reference_hu) * (then.median_hu - then.reference_hu) > 0


def _others(station: Station, place: Region) -> list[Region]:
    """Every lesion of the image and the place itself: none of them is reference bone."""
    return [*station.image.lesions.regions, place]
