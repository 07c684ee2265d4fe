"""Crops for a viewer: the block round every lesion at every visit, from images with depth (decisions/0033).

A modality may fill so many voxels and no more: where its lesions need more they are shown coarser, and where that is
not enough the smallest lesions are left out. What is shown was imaged: voxels, or means of whole ones, never resampled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from mdanderson.assessment.companions import shown_in
from mdanderson.assessment.elsewhere import Followed
from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.framed import Sight, Subject, subjects_of, window_of
from mdanderson.assessment.station import Image, Station
from mdanderson.crops import CARRIED, DRAWN, NEIGHBOUR, Crop, nifti_of
from mdanderson.geometry import Box, FloatArray, Geometry, box_between, box_shape, box_within, common_box
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality
from mdanderson.volume import BoolArray, Region, Unit, Volume

__all__ = ["Keep", "keep_crops", "shares_of"]

_MOST_VOXELS = 2_200_000
"""Of a patient's crops together: about 3 MB as a page holds them, 6 MB where nothing in them can be packed."""
_WEIGHTS = {Modality.PT: 1, Modality.NM: 1}
"""Of a modality in that; their voxels are large."""
_USUAL_WEIGHT = 4

_ROUND_MM = {Modality.PT: 50.0, Modality.NM: 50.0}
_USUAL_ROUND_MM = 22.0
"""Of the patient on every side of the lesion's box."""
_LEAST_MM, _MOST_MM = 64.0, 180.0
"""Sides of a crop."""
_STEPS_MM = (0.0, 0.8, 1.0, 1.25, 1.5, 2.0)
"""Voxels are put together until they are about so long; 0 leaves them as they are."""

_QUANTUM = {Unit.HU: 1.0, Unit.SUV: 0.01, Unit.ADC: 1.0}
_WINDOW_STEPS = 500
"""Other units are told in so many steps of their window."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """What takes the crops of a modality over, and how many voxels they may have together."""

    take: Callable[[Crop], None]
    voxels: int


def shares_of(images: Iterable[Image], take: Callable[[Crop], None]) -> dict[Modality, Keep]:
    """What each modality with depth may have of a patient's voxels."""
    deep = {image.volume.modality for image in images if not image.volume.planar}
    weights = {modality: _WEIGHTS.get(modality, _USUAL_WEIGHT) for modality in sorted(deep)}
    whole = sum(weights.values())
    return {one: Keep(take=take, voxels=_MOST_VOXELS * weight // whole) for one, weight in weights.items()}


def keep_crops(followed: Followed, seen: Sequence[Mapping[str, Seen]], *, settings: Settings, keep: Keep) -> None:
    """Hand a crop of every lesion at every visit to `keep`, visit by visit, the largest lesion first.

    seen: of each visit, what was outlined of a lesion. What cannot be shown is left out; no score depends on it.
    """
    subjects = sorted(subjects_of(followed, seen, settings), key=lambda one: (-one.extent_mm, one.known.lesion_id))
    plans: list[list[_Plan]] = []
    for subject in subjects:
        try:
            plans.append(list(_plans(subject, followed, seen)))
        except Exception:  # noqa: BLE001 - a crop that fails must not cost the patient
            _LOG.debug("a lesion could not be cropped", exc_info=True)
    windows: dict[int, tuple[float, float]] = {}
    chosen = _within(plans, keep.voxels)
    for number, its in enumerate(seen):  # visit by visit: large images may be read again
        for plan in chosen:
            if plan.visit != number:
                continue
            try:
                window = windows.setdefault(id(plan.image), window_of(plan.image.volume))
                keep.take(_crop(plan, window, its))
            except Exception:  # noqa: BLE001 - as above
                _LOG.debug("a lesion could not be cropped", exc_info=True)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Plan:
    """A crop before its voxels are looked at. place: (n, 3) of the lesion, common space; factors: voxels put together.

    shown: the lesion on the grid of `image`, which is the station's or a companion of it.
    """

    subject: Subject
    visit: int
    sight: Sight
    image: Image
    shown: Region
    box: Box
    factors: tuple[int, int, int] = (1, 1, 1)

    @property
    def voxels(self) -> int:
        """How many there will be."""
        return prod(-(-size // factor) for size, factor in zip(box_shape(self.box), self.factors, strict=True))

    def coarsened(self, step_mm: float) -> _Plan:
        """The same with voxels of about that length, whole ones put together."""
        spacing = self.image.volume.geometry.spacing_mm
        first, second, third = (max(1, int(step_mm / side + 0.5)) for side in spacing)
        return replace(self, factors=(first, second, third))


def _plans(subject: Subject, followed: Followed, seen: Sequence[Mapping[str, Seen]]) -> Iterator[_Plan]:
    """One lesion in every image with depth of every visit."""
    side_mm = _side_mm(subject, followed.modality)
    for visit, (stations, its) in enumerate(zip(followed.visits, seen, strict=True)):
        sight = subject.sight(stations, its.get(subject.known.lesion_id))
        if sight is None:
            continue
        for image, shown in shown_in(sight.station.image, sight.region):
            box = None if image.volume.planar else _box_round(sight.middle, side_mm, image.volume.geometry)
            if box is not None:
                yield _Plan(subject=subject, visit=visit, sight=sight, image=image, shown=shown, box=box)


def _side_mm(subject: Subject, modality: Modality) -> float:
    """One side for all visits."""
    wanted = subject.extent_mm + 2 * _ROUND_MM.get(modality, _USUAL_ROUND_MM)
    return float(np.clip(wanted, _LEAST_MM, _MOST_MM))


def _box_round(middle: FloatArray, side_mm: float, geometry: Geometry) -> Box | None:
    """The voxels whose centres lie in a cube along the grid; None where there are none."""
    index, half = geometry.to_voxel(middle), side_mm / 2 / np.array(geometry.spacing_mm)
    low = np.maximum(np.ceil(index - half), 0).astype(int)
    high = np.minimum(np.floor(index + half) + 1, geometry.shape).astype(int)
    return box_between(low, high) if (low < high).all() else None


def _within(plans: Sequence[Sequence[_Plan]], most: int) -> list[_Plan]:
    """The finest crops that have no more voxels than allowed together; the last lesions go where the coarsest do."""
    coarse = [list(its) for its in plans]
    for step_mm in _STEPS_MM:
        coarse = [[plan.coarsened(step_mm) for plan in its] for its in plans]
        if sum(plan.voxels for its in coarse for plan in its) <= most:
            break
    chosen: list[_Plan] = []
    for its in coarse:
        if sum(plan.voxels for plan in (*chosen, *its)) > most:
            break
        chosen += its
    return chosen


def _crop(plan: _Plan, window: tuple[float, float], its: Mapping[str, Seen]) -> Crop:
    """The crop, with every outline of the visit in it."""
    image, station = plan.image, plan.sight.station
    volume = image.volume
    quantum = _QUANTUM.get(volume.unit, (window[1] - window[0]) / _WINDOW_STEPS)
    to_common = _to_common(plan)
    placed = _coarse_affine(volume.geometry.crop(plan.box), plan.factors)
    middle = to_common[:3, :3] @ plan.sight.middle + to_common[:3, 3]
    left, back, up = (round(float(mm), 3) for mm in middle)
    outlines = _outlines(plan, station, its)
    return Crop(
        lesion_id=plan.subject.known.lesion_id,
        modality=volume.modality,
        date=image.date,
        visit=image.visit,
        sequence=str(volume.sequence or ""),
        image=nifti_of(
            _numbers(volume, plan.box, plan.factors, quantum), to_common @ placed, step=quantum, window=window
        ),
        outlines=nifti_of(outlines, to_common @ placed),
        unit=str(volume.unit),
        window=window,
        inverse=volume.modality in {Modality.NM, Modality.PT},
        drawn=plan.sight.one is not None,
        linked=plan.sight.linked,
        middle_mm=(left, back, up),
        step_mm=round(max(s * f for s, f in zip(volume.geometry.spacing_mm, plan.factors, strict=True)), 2),
        native=max(plan.factors) == 1,
    )


def _to_common(plan: _Plan) -> FloatArray:
    """(4, 4) LPS mm of the image -> baseline, by the motion of the bone there; of a lost place as it is."""
    if not plan.sight.linked:
        return np.eye(4)
    there = plan.sight.station.registration.near(plan.subject.known.points_common_mm)
    return np.asarray(np.linalg.inv(there.matrix), dtype=np.float64)


def _coarse_affine(geometry: Geometry, factors: tuple[int, int, int]) -> FloatArray:
    """(4, 4) of the grid whose voxels are means of so many."""
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_lps((np.array(factors) - 1) / 2)
    affine[:3, :3] = affine[:3, :3] * factors
    return affine


def _numbers(volume: Volume, box: Box, factors: tuple[int, int, int], quantum: float) -> npt.NDArray[np.int16]:
    """(planes, rows, columns) whole numbers of quanta; what was not imaged is the least."""
    imaged = volume.imaged(box)
    values = np.where(imaged, volume.array[box], 0).astype(np.float64)
    share = _blocks(imaged.astype(np.float64), factors)
    means = _blocks(values, factors) / np.where(share > 0, share, 1.0)
    known = share > 0
    means[~known] = means[known].min() if known.any() else 0.0
    ends = np.iinfo(np.int16)
    return np.asarray(np.clip(np.rint(means / quantum), ends.min, ends.max), dtype=np.int16)


def _outlines(plan: _Plan, station: Station, its: Mapping[str, Seen]) -> npt.NDArray[np.uint8]:
    """(planes, rows, columns): what is outlined in the crop; the lesion itself lies over others."""
    own = plan.subject.known.lesion_id
    layers = [
        (shown, NEIGHBOUR)
        for name, other in sorted(its.items())
        if name != own and other.station is station
        for image, shown in shown_in(station.image, other.region)
        if image is plan.image
    ]
    layers.append((plan.shown, DRAWN if plan.sight.one is not None else CARRIED))
    shape = tuple(-(-size // factor) for size, factor in zip(box_shape(plan.box), plan.factors, strict=True))
    drawn = np.zeros(shape, dtype=np.uint8)
    for region, value in layers:
        inside = _inside(region, plan.box)
        if inside is not None:
            drawn[_covered(inside, plan.factors)] = value
    return drawn


def _inside(region: Region, box: Box) -> BoolArray | None:
    """The region in an array of the box; None where it has nothing there."""
    shared = common_box(region.box, box)
    if shared is None:
        return None
    inside = np.zeros(box_shape(box), dtype=bool)
    inside[box_within(shared, box)] = region.voxels[box_within(shared, region.box)]
    return inside


def _covered(inside: BoolArray, factors: tuple[int, int, int]) -> BoolArray:
    """Coarse voxels of which half is inside; where none is, those of which any is: nothing small vanishes."""
    share = _blocks(inside.astype(np.float64), factors)
    half = np.asarray(share >= 0.5)
    return half if half.any() else np.asarray(share > 0)


def _blocks(values: FloatArray, factors: tuple[int, int, int]) -> FloatArray:
    """Means of blocks; those that the end cuts are of what there is."""
    for axis, factor in enumerate(factors):
        if factor > 1:
            starts = np.arange(0, values.shape[axis], factor)
            counts = np.diff(np.append(starts, values.shape[axis]))
            shape = [-1 if number == axis else 1 for number in range(3)]
            values = np.add.reduceat(values, starts, axis=axis) / counts.reshape(shape)
    return values
