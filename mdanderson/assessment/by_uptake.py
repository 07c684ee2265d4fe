"""Bone scan: a lesion's counts against reference bone, both views together (docs/details.md, detail 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.companions import on_grid_of, shown_in
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import gap_in, not_outlined, outlined
from mdanderson.assessment.station import Image, Station
from mdanderson.criteria.normal import is_uptake_normal
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.skeleton import BoneScanIndex, ScanSurvey, bone_scan_index, survey_scan
from mdanderson.measure.uptake import UptakeMeasure, geometric_mean, measure_uptake, place_uptake
from mdanderson.measure.uptake_reference import UptakeReference, find_uptake_reference
from mdanderson.quantities import exact
from mdanderson.settings import Scintigraphy, Settings
from mdanderson.vocabulary import Status
from mdanderson.volume import Mask, Region

__all__ = ["examine", "involvement", "look_at_place", "was_there"]

_IMAGES_KEPT = 8
"""Surveys kept: both views of baseline and of the visit, and some spots."""


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
    return Examined(finding=_with_uptake(finding, station, region, known, neighbours, settings), gap=gap)


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when its place, and no part of it, takes up more than reference bone, and it did before."""
    bare = not_outlined(station, known, Status.NOT_EVALUABLE, "")
    now = _with_uptake(bare, station, place, known, neighbours, settings)
    status, why = _fate(now, known.first, settings)
    if status is Status.RESOLVED and (left := _left(station, place, known, neighbours, settings)):
        status, why = Status.MISSING, f"not segmented, and {left}"
    return (replace(now, status=status, why=why),)


def was_there(
    home: Station, place: Region, finding: LesionFinding, *, neighbours: Sequence[Region], settings: Settings
) -> Shown:
    """Whether the place of a hot focus was as hot before.

    Bone of its own takes up more here and there. Where the place took up so much less that a focus would have
    progressed since, it is new, or has grown: PD both ways.
    """
    if finding.uptake_ratio is None or is_uptake_normal(finding.uptake_ratio, settings):
        return Shown(there=None, hidden=finding.reference_source)
    then = _with_uptake(finding, home, place, None, neighbours, settings)
    if then.uptake_ratio is None:
        return Shown(there=None, hidden=f"at baseline {then.reference_source}")
    risen = exact(finding.uptake_ratio) / exact(then.uptake_ratio) - 1 if then.uptake_ratio else None
    as_hot = risen is not None and risen < exact(settings.policy.pd_uptake_rise)
    return Shown(there=as_hot and not is_uptake_normal(then.uptake_ratio, settings))


def involvement(images: Sequence[Image]) -> BoneScanIndex:
    """How much of the skeleton that the scans of a visit show is lesion, over both views where there are two."""
    views = [(one.volume, one.lesions.regions) for image in images for one in (image, *image.companions)]
    bone_map = images[0].bone_map if len(views) == 1 else None
    return bone_scan_index(views, bone_map=bone_map)


def _fate(now: LesionFinding, before: LesionFinding, settings: Settings) -> tuple[Status, str]:
    """What became of a focus that nobody outlined."""
    if now.uptake_ratio is None:
        return Status.NOT_EVALUABLE, f"not segmented, and {now.reference_source}"
    if before.uptake_ratio is None or is_uptake_normal(before.uptake_ratio, settings):
        return Status.NOT_EVALUABLE, "not segmented, and its uptake was not above normal when first seen"
    if is_uptake_normal(now.uptake_ratio, settings):
        return Status.RESOLVED, "not segmented; its place takes up no more than reference bone"
    return Status.MISSING, "focus visible but not segmented"


def _left(station: Station, place: Region, known: Known, neighbours: Sequence[Region], settings: Settings) -> str:
    """What is still hot at a place that is normal on the whole; blank when nothing is."""
    for image, shown in shown_in(station.image, place):
        reference = _reference(station, image, shown, known, neighbours, settings)
        survey = _survey(image, settings.scintigraphy)
        found = place_uptake(image.volume, shown, reference, survey=survey, settings=settings.image)
        if found.normal is False:
            return found.why
    return ""


def _with_uptake(
    finding: LesionFinding,
    station: Station,
    region: Region,
    known: Known | None,
    neighbours: Sequence[Region],
    settings: Settings,
) -> LesionFinding:
    """The ratio to reference bone: of both views their geometric mean, so that depth cancels."""
    measured: list[UptakeMeasure] = []
    for image, shown in shown_in(station.image, region):
        reference = _reference(station, image, shown, known, neighbours, settings)
        measured.append(measure_uptake(image.volume, shown, reference))
    spoiled = _no_reference_left(station, known, settings)
    if spoiled:
        return replace(finding, reference_source=spoiled)
    over = geometric_mean(measured[0], measured[1] if len(measured) > 1 else None)
    views = 1 if known is None else 1 + len(known.home.image.companions)
    if known is not None and over.ratio is not None and max(1, len(over.views)) != views:
        why = f"a ratio over {len(over.views)} of the views is not compared with one over {views}"
        return replace(finding, reference_source=why)
    sources = (f"{one.view}: {_source(one)}" if one.view else _source(one) for one in measured)
    return replace(
        finding,
        uptake_ratio=None if over.ratio is None else round(over.ratio, 3),
        reference_source="; ".join(sources) if over.ratio is not None else over.why,
    )


def _no_reference_left(station: Station, known: Known | None, settings: Settings) -> str:
    """Why no bone of the scan is fit to be a reference, by any of its views; blank where there may be."""
    now = [_survey(image, settings.scintigraphy) for image in (station.image, *station.image.companions)]
    if any(survey.superscan for survey in now):
        return next(survey.superscan for survey in now if survey.superscan)
    if known is None or known.home.image is station.image:
        return ""
    first = _survey(known.home.image, settings.scintigraphy).contrast
    risen = now[0].contrast / first if first > 0 else 1.0
    if risen < settings.scintigraphy.superscan_rise:
        return ""
    return f"superscan: the whole skeleton stands out from soft tissue {risen:.1f} times as much as when first seen"


def _source(measure: UptakeMeasure) -> str:
    return measure.reference.source or measure.why


def _reference(
    station: Station,
    image: Image,
    region: Region,
    known: Known | None,
    neighbours: Sequence[Region],
    settings: Settings,
) -> UptakeReference:
    """Reference bone of a region of `image`, the same as when the lesion was first seen."""
    like, carried = (None, None) if known is None else _first_reference(station, image, known, settings)
    return find_uptake_reference(
        image.volume,
        region,
        neighbours=on_grid_of(image, station.image, neighbours),
        reference_mask=image.reference_mask,
        bone_map=image.bone_map,
        survey=_survey(image, settings.scintigraphy),
        like=like,
        carried=carried,
        settings=settings.scintigraphy,
    )


def _first_reference(
    station: Station, image: Image, known: Known, settings: Settings
) -> tuple[UptakeReference | None, Region | None]:
    """What the lesion was compared with in the same view when first seen, and where in `image` that lies now."""
    home, first = known.home, known.home.image
    then = next((pair for pair in shown_in(first, known.region) if pair[0].volume.view is image.volume.view), None)
    if first is station.image or then is None:
        return None, None
    like = _reference(home, *then, None, first.lesions.regions, settings)
    if like.region is None or not station.trusted:
        return like, None
    on_leader = Mask(geometry=then[0].volume.geometry, regions=(like.region,)).on_grid(first.volume.geometry)
    carried = station.carry(on_leader.regions[0], home) if on_leader.regions else None
    if carried is None:
        return like, None
    here = (shown for one, shown in shown_in(station.image, carried) if one is image)
    return like, next(here, None)


@lru_cache(maxsize=_IMAGES_KEPT)
def _survey(image: Image, settings: Scintigraphy) -> ScanSurvey:
    """An image as a whole, looked at once for all its lesions."""
    return survey_scan(image.volume, lesions=image.lesions.regions, bone_map=image.bone_map, settings=settings)
