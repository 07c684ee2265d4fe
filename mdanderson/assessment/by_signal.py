"""MR: a lesion's signal against normal marrow, in every sequence of the visit (docs/details.md, details 29 and 32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.assessment.catalogue import Known
from mdanderson.assessment.companions import on_grid_of, shown_in
from mdanderson.assessment.examiner import Examined, Shown
from mdanderson.assessment.outlined import gap_in, not_outlined, outlined
from mdanderson.assessment.station import Image, Station
from mdanderson.criteria.normal import is_signal_normal
from mdanderson.findings import LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.measure.comparability import mr_differences
from mdanderson.measure.signal import (
    AdcMeasure,
    fat_fraction,
    measure_adc,
    measure_signal,
    opposed_in_ratio,
    place_signal,
)
from mdanderson.measure.signal_reference import NoReference, SignalReference, find_signal_reference
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence, Status
from mdanderson.volume import Region

__all__ = ["examine", "look_at_place", "was_there"]

_PAIRED = {MrSequence.OPP: MrSequence.IN, MrSequence.FAT: MrSequence.WATER}
"""Sequences that say something together with another image of the visit."""
_SINGLE = frozenset({MrSequence.T1, MrSequence.T2, MrSequence.STIR})
"""Sequences compared with normal marrow."""
_NOT_JUDGED = "not segmented, and no sequence that showed it abnormal before was measured now: nobody can say"


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
    """Axes in the images that outline the lesion, its signal in all of them."""
    scene = station.image
    gap = gap_in(station.volume, region)
    rows = []
    for image, shown in shown_in(scene, region):
        own = station if image is scene else replace(station, image=image)
        finding = outlined(
            own,
            Lesion.from_region(shown, image.volume.geometry),
            lesion_id=lesion_id,
            status=status,
            known=known,
            gap=gap if image is scene else gap_in(image.volume, shown),
            settings=settings,
        )
        if image is not scene:
            finding = _as_drawn(finding, image.drawn.get(region.label))
        rows.append(_with_signal(finding, station, image, shown, known, neighbours, settings))
    rows = _judged_together(rows, known, settings)
    return Examined(finding=rows[0], beside=tuple(rows[1:]), gap=gap)


def _as_drawn(finding: LesionFinding, label: int | None) -> LesionFinding:
    """A companion's finding under the label of its own mask; without a size where it draws no outline itself."""
    if label is not None:
        return replace(finding, label=str(label))
    return replace(finding, label="", long_axis_mm=None, short_axis_mm=None, slice_number=None, why="")


def look_at_place(
    station: Station, place: Region, known: Known, *, neighbours: Sequence[Region], settings: Settings
) -> tuple[LesionFinding, ...]:
    """Gone when every sequence that can judge it is normal, and one of them was not when it was first seen."""
    scene = station.image
    rows = []
    for image, shown in shown_in(scene, place):
        bare = not_outlined(station, known, Status.NOT_EVALUABLE, _NOT_JUDGED, sequence=_sequence(image))
        rows.append(_with_signal(bare, station, image, shown, known, neighbours, settings))
    rows = _judged_together(rows, known, settings)
    status, why = _fate(rows, known, settings)
    if status is Status.RESOLVED and (left := _focus_left(station, place, neighbours, settings)):
        status, why = Status.MISSING, left
    return tuple(replace(row, status=status, why=why) for row in rows)


def was_there(
    home: Station, place: Region, finding: LesionFinding, *, neighbours: Sequence[Region], settings: Settings
) -> Shown:
    """Whether the sequence in which the lesion is abnormal now showed it abnormal, or normal, before."""
    if is_signal_normal(finding, settings) is not False:
        return Shown(there=None, hidden="its own signal is not plainly abnormal")
    scene = home.image
    for image, shown in shown_in(scene, place):
        if _sequence(image) == finding.sequence:
            then = _with_signal(finding, home, image, shown, None, neighbours, settings)
            normal = is_signal_normal(then, settings)
            return Shown(there=None if normal is None else not normal, hidden=then.reference_source)
    return Shown(there=None, hidden=f"no {finding.sequence or 'such'} image at baseline")


def _judged_together(rows: Sequence[LesionFinding], known: Known | None, settings: Settings) -> list[LesionFinding]:
    """No sequence judges alone where another that showed the lesion abnormal has lost its reference.

    Where marrow is no longer marrow (diffuse disease), a lesion as bright as what surrounds it is not healed.
    """
    abnormal = {one.sequence for one in known.findings if is_signal_normal(one, settings) is False} if known else set()
    lost = next((row for row in rows if row.sequence in abnormal and row.signal_ratio is None), None)
    if lost is None:
        return list(rows)
    why = f"{lost.sequence} showed it abnormal and has no reference now: {lost.reference_source}"
    return [replace(row, signal_ratio=None, reference_source=why) if row is not lost else row for row in rows]


def _fate(rows: Sequence[LesionFinding], known: Known, settings: Settings) -> tuple[Status, str]:
    """What became of a lesion that no sequence outlines."""
    before = {one.sequence: is_signal_normal(one, settings) for one in known.findings}
    now = {one.sequence: is_signal_normal(one, settings) for one in rows}
    readable = {sequence: normal for sequence, normal in now.items() if normal is not None}
    if not any(before.get(sequence) is False for sequence in readable):
        return Status.NOT_EVALUABLE, _NOT_JUDGED
    if all(readable.values()):
        return Status.RESOLVED, "not segmented; the signal at its place is that of normal marrow again"
    return Status.MISSING, "lesion visible but not segmented"


def _focus_left(station: Station, place: Region, neighbours: Sequence[Region], settings: Settings) -> str:
    """What is left of a lesion at a place that is normal on the whole; blank when nothing is."""
    for image, shown in shown_in(station.image, place):
        if image.volume.sequence in _SINGLE:
            found = place_signal(
                image.volume, shown, _reference(station, image, shown, neighbours, settings), settings=settings
            )
            if (found.abnormal_focus_mm or 0.0) >= settings.image.normal_focus_mm:
                return f"a focus of {found.abnormal_focus_mm:.1f} mm is left in {image.volume.sequence}"
    return ""


def _with_signal(
    finding: LesionFinding,
    station: Station,
    image: Image,
    region: Region,
    known: Known | None,
    neighbours: Sequence[Region],
    settings: Settings,
) -> LesionFinding:
    """What the image's sequence tells of a region of its grid; neighbours: on the grid of the station."""
    spoiled = _spoiled(image, known)
    if spoiled:
        return replace(finding, reference_source=spoiled)
    volume, sequence = image.volume, image.volume.sequence
    if sequence in _PAIRED:
        return _of_pair(finding, station.image, image, region)
    if sequence is MrSequence.ADC:
        return _with_adc(finding, measure_adc(volume, region), known)
    if sequence in {MrSequence.IN, MrSequence.WATER}:
        return finding
    reference = _reference(station, image, region, neighbours, settings)
    measured = measure_signal(volume, region, reference, settings=settings)
    source = measured.reference.source if measured.reference is not None else ""
    return replace(finding, signal_ratio=_ratio(measured.ratio), reference_source=source or measured.why)


def _reference(
    station: Station, image: Image, region: Region, neighbours: Sequence[Region], settings: Settings
) -> SignalReference | NoReference:
    return find_signal_reference(
        image.volume,
        region,
        neighbours=on_grid_of(image, station.image, neighbours),
        reference_mask=image.reference_mask,
        bone_map=image.bone_map,
        settings=settings,
    )


def _of_pair(finding: LesionFinding, scene: Image, image: Image, region: Region) -> LesionFinding:
    """What two images of one visit tell together: opposed against in phase, fat against fat and water."""
    wanted = _PAIRED[image.volume.sequence or MrSequence.OPP]
    partner = next((one for one in (scene, *scene.companions) if one.volume.sequence is wanted), None)
    if partner is None:
        return replace(finding, reference_source=f"no {wanted} image of the visit to read it with")
    geometry = image.volume.geometry
    if wanted is MrSequence.IN:
        ratio = opposed_in_ratio(partner.volume, image.volume, region, geometry)
        return replace(finding, signal_ratio=_ratio(ratio.value), reference_source=ratio.why or "in phase")
    share = fat_fraction(image.volume, partner.volume, region, geometry)
    return replace(
        finding,
        fat_fraction=None if share.value is None else round(share.value / 100.0, 4),
        reference_source=share.why or "fat and water",
    )


def _with_adc(finding: LesionFinding, adc: AdcMeasure, known: Known | None) -> LesionFinding:
    """Mean ADC, and its change since the lesion was first seen."""
    now = None if adc.mean_um2_s is None else round(adc.mean_um2_s, 0)
    first = next((one for one in known.findings if one.adc_um2_s), None) if known is not None else None
    before = first.adc_um2_s if first is not None else None
    change = float(exact(now) / exact(before) - 1) if now is not None and before else None
    return replace(
        finding,
        adc_um2_s=now,
        adc_change_fraction=None if change is None else round(change, 4),
        reference_source=adc.why,
    )


def _spoiled(image: Image, known: Known | None) -> str:
    """Why a signal may not be compared with that of the same sequence when the lesion was first seen; else blank."""
    if known is None:
        return ""
    first = known.home.image
    then = next((one for one in (first, *first.companions) if one.volume.sequence is image.volume.sequence), None)
    if then is None or then is image:
        return ""
    spoiling = [one.what for one in mr_differences(then.volume.acquisition, image.volume.acquisition) if one.spoils]
    return f"signal is not compared: {', '.join(spoiling)}" if spoiling else ""


def _sequence(image: Image) -> str:
    return str(image.volume.sequence or "")


def _ratio(value: float | None) -> float | None:
    """Rounded when measured, so that what is judged is what the tables show."""
    return None if value is None else round(value, 3)
