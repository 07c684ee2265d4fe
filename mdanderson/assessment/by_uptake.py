"""Bone scan: a lesion's counts against reference bone, both views together (docs/details.md, detail 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.companions import on_grid_of, shown_in
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import gap_in, not_outlined, outlined
from mdanderson.assessment.station import Station
from mdanderson.criteria.normal import is_uptake_normal
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.uptake import geometric_mean, measure_uptake
from mdanderson.measure.uptake_reference import find_uptake_reference
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Region

__all__ = ["examine", "look_at_place", "was_there"]


def examine(
    station: Station,
    region: Region,
    *,
    lesion_id: str,
    status: Status,
    known: Known | None,
    neighbours: Sequence[Region],
    settings: Settings,
) -> Examined:
    """The uptake ratio; a scan shows no outline that could be called a size."""
    gap = gap_in(station.volume, region)
    lesion = Lesion.from_region(region, station.volume.geometry)
    finding = outlined(station, lesion, lesion_id=lesion_id, status=status, known=known, gap=gap, settings=settings)
    return Examined(finding=_with_uptake(finding, station, region, neighbours, settings), gap=gap)


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when its place takes up no more than reference bone and did before."""
    bare = not_outlined(station, known, Status.NOT_EVALUABLE, "")
    now = _with_uptake(bare, station, place, neighbours, settings)
    status, why = _fate(now, known.first, settings)
    return (replace(now, status=status, why=why),)


def was_there(
    home: Station, place: Region, finding: LesionFinding, *, neighbours: Sequence[Region], settings: Settings
) -> Shown:
    """Whether the place of a hot focus took up more than reference bone before."""
    if finding.uptake_ratio is None or is_uptake_normal(finding.uptake_ratio, settings):
        return Shown(there=None, hidden=finding.reference_source)
    then = _with_uptake(finding, home, place, neighbours, settings)
    if then.uptake_ratio is None:
        return Shown(there=None, hidden=f"at baseline {then.reference_source}")
    return Shown(there=not is_uptake_normal(then.uptake_ratio, settings))


def _fate(now: LesionFinding, before: LesionFinding, settings: Settings) -> tuple[Status, str]:
    """What became of a focus that nobody outlined."""
    if now.uptake_ratio is None:
        return Status.NOT_EVALUABLE, f"not segmented, and {now.reference_source}"
    if before.uptake_ratio is None or is_uptake_normal(before.uptake_ratio, settings):
        return Status.NOT_EVALUABLE, "not segmented, and its uptake was not above normal when first seen"
    if is_uptake_normal(now.uptake_ratio, settings):
        return Status.RESOLVED, "not segmented; its place takes up no more than reference bone"
    return Status.MISSING, "focus visible but not segmented"


def _with_uptake(
    finding: LesionFinding, station: Station, region: Region, neighbours: Sequence[Region], settings: Settings
) -> LesionFinding:
    """The ratio to reference bone: of both views their geometric mean, so that depth cancels."""
    scene = station.image
    ratios, sources = [], []
    for image, shown in shown_in(scene, region):
        reference = find_uptake_reference(
            image.volume,
            shown,
            neighbours=on_grid_of(image, scene, neighbours),
            reference_mask=image.reference_mask,
            bone_map=image.bone_map,
            settings=settings,
        )
        measured = measure_uptake(image.volume, shown, reference, settings=settings)
        view = f"{image.volume.view}: " if image.volume.view else ""
        sources.append(f"{view}{measured.source}")
        ratios.append(measured.ratio)
    known = [ratio for ratio in ratios if ratio is not None]
    ratio = geometric_mean(known) if known and len(known) == len(ratios) else None
    return replace(
        finding,
        uptake_ratio=None if ratio is None else round(ratio, 3),
        reference_source="; ".join(dict.fromkeys(sources)),
    )
