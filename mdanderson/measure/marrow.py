"""Trabecular bone round a lesion, found in the image: what a shell of cortex encloses in the lesion's planes.

The search runs on every few voxels, 1 to 2 mm apart: cortex is judged on an image that is blurred to that scale anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import Box, FloatArray, box_shape, box_within, common_box, grow_box
from mdanderson.measure.smoothing import Values, smoothed_box
from mdanderson.settings import ImageSettings
from mdanderson.volume import BoolArray, Region, Volume

__all__ = ["marrow_round", "nearest_part", "painted", "without_specks"]

Spacing = tuple[float, float, float]

_SEARCH_MM = (2.2, 1.5, 1.5)
"""Greatest distance of the places that are searched, plane, row, column; wider voxels are all searched."""
_CORTEX_STEPS = (1.25, 1.0, 1.5, 2.0, 0.8, 0.6)
"""Factors on `cortex_hu`, the likeliest first: the thin cortex of the old is as dense as trabecular bone of the young,
but a threshold that trabeculae reach leaves only the lighter ones."""
_DENSE = 1.5
"""Factor on `cortex_hu` from which bone is never trabecular, whichever threshold shows the shell."""
_LEAST_SIDES = 7
"""Of eight ways out in the plane, those that must lead to cortex: a shell may have gaps."""
_NECK_MM = 1.6
"""Bones joined by a gap in a wall narrower than twice this are two; more than one step of the search, so that a wall
one step thick parts them."""
_TIE_MM = 1e-3
_REACH_STEPS = (1 / 3, 2 / 3, 1.0)
"""Shares of `reference_radius_mm`: the nearest bone is asked first."""
_GOOD_VOLUME_MM3 = 1000.0
"""A volume of reference bone that needs no more of it."""
_LEAST_CONTACT = 0.1
"""Share of the places beside the lesion, clear of cortex, that must be it; a pocket between bones holds less."""
_GOOD_CONTACT = 0.4
"""Share of the places beside the lesion whose bone ends the search."""
_PLAINLY_MORE = 1.2
"""How much more bone beside the lesion a later step must find: dense pockets tie with the bone that holds them."""
_TWO_KINDS = 0.75
"""Share of the variance that a split must explain before two densities are told apart."""
_SPECK_MM3 = 100.0
"""A smaller piece above the cortex threshold is noise or a trabecula."""
_ROBUST = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Places:
    """The places searched round one lesion: every `steps`-th voxel of `box`, so all arrays have one coarse shape.

    fine, scale: HU blurred to half the scale of the classes and to that scale. near_mm: distance from the lesion.
    guarded: too near to a lesion. clear: deep enough under dense cortex, imaged, and not guarded. level: in the
    lesion's planes. beside: where its own bone should be.
    """

    box: Box
    steps: tuple[int, int, int]
    spacing_mm: Spacing
    fine: Values
    scale: Values
    near_mm: FloatArray
    guarded: BoolArray
    clear: BoolArray
    level: BoolArray
    beside: BoolArray

    @property
    def volume_mm3(self) -> float:
        """Volume that one place stands for."""
        return float(np.prod(self.spacing_mm))

    def spread(self, chosen: BoolArray) -> BoolArray:
        """The voxels of `box` that the chosen places stand for."""
        ends = zip(box_shape(self.box), self.steps, strict=True)
        return np.asarray(chosen[np.ix_(*(np.arange(size) // step for size, step in ends))])


def marrow_round(
    volume: Volume, region: Region, kept_away: Sequence[Region], *, widening: float, settings: ImageSettings
) -> tuple[Box, BoolArray] | None:
    """Trabecular bone at the level of `region`, nearest it: a box and its voxels. None where none is enclosed.

    A shell of cortex (and of the lesions `kept_away`) is sought within `widening` x `reference_radius_mm`. Several
    cortex thresholds are tried; the one that finds most bone next to the lesion is taken, or the
    first that finds bone on most sides of it.
    """
    at = _places(volume, region, kept_away, widening, settings)
    could = int((at.clear & at.beside).sum())
    best: BoolArray | None = None
    most = 0
    for factor in _CORTEX_STEPS:
        least = max(_PLAINLY_MORE * most, _LEAST_CONTACT * could)
        if could <= least:
            break
        bone = _own_marrow(at, factor * settings.cortex_hu, settings.reference_erosion_mm, least)
        contact = int((bone & at.beside).sum())
        if contact <= least:
            continue
        part = _one_kind(nearest_part(bone, at.near_mm, at.volume_mm3, settings), at.beside, at.scale)
        if _below_cortex(at.scale[part], factor * settings.cortex_hu):
            best, most = part, contact
        if most >= _GOOD_CONTACT * at.beside.sum():
            break
    return None if best is None else (at.box, at.spread(best))


def nearest_part(bone: BoolArray, near_mm: FloatArray, voxel_volume_mm3: float, settings: ImageSettings) -> BoolArray:
    """The bone nearest the lesion: the reach grows only until there is enough of it."""
    part = bone
    for share in _REACH_STEPS:
        part = bone & (near_mm <= share * settings.reference_radius_mm)
        count = int(np.count_nonzero(part))
        if count >= settings.reference_minimum_voxels and count * voxel_volume_mm3 >= _GOOD_VOLUME_MM3:
            break
    return part


def without_specks(cortex: BoolArray, voxel_volume_mm3: float) -> BoolArray:
    """Cortex is a large sheet; noise and single trabeculae are specks."""
    pieces, count = ndimage.label(cortex, structure=np.ones((3, 3, 3)))
    large = np.bincount(pieces.ravel(), minlength=count + 1) * voxel_volume_mm3 >= _SPECK_MM3
    large[0] = False
    return np.asarray(large[pieces])


def painted(regions: Sequence[Region], box: Box) -> BoolArray:
    """The regions' voxels that lie in `box`, as an array of its shape."""
    array = np.zeros(box_shape(box), dtype=bool)
    for region in regions:
        common = common_box(region.box, box)
        if common is not None:
            array[box_within(common, box)] |= region.voxels[box_within(common, region.box)]
    return array


def _places(
    volume: Volume, region: Region, kept_away: Sequence[Region], widening: float, settings: ImageSettings
) -> _Places:
    """The lesion's planes and the next ones, wide within the plane."""
    wide = grow_box(region.box, volume.geometry, widening * settings.reference_radius_mm)
    box = (grow_box(region.box, volume.geometry, settings.reference_erosion_mm)[0], wide[1], wide[2])
    fine_mm = volume.geometry.spacing_mm
    plane, row, column = (max(1, int(most / step)) for most, step in zip(_SEARCH_MM, fine_mm, strict=True))
    steps = (plane, row, column)
    spacing = (plane * fine_mm[0], row * fine_mm[1], column * fine_mm[2])
    scale, fine = (
        _every(smoothed_box(volume, box, sigma_mm=settings.smoothing_sigma_mm * share), steps) for share in (1.0, 0.5)
    )
    lesion = _any_of(painted([region], box), steps)
    near = np.asarray(ndimage.distance_transform_edt(~lesion, sampling=spacing))
    guarded = _within(_any_of(painted(kept_away, box), steps), settings.reference_margin_mm, spacing)
    dense = without_specks(fine > _DENSE * settings.cortex_hu, float(np.prod(spacing)))
    clear = ~_within(dense, settings.reference_erosion_mm, spacing) & ~guarded & ~np.isnan(scale)
    level = np.broadcast_to(lesion.any(axis=(1, 2), keepdims=True), lesion.shape)
    beside = level & ~guarded & (near <= settings.reference_margin_mm + settings.reference_erosion_mm)
    return _Places(
        box=box,
        steps=steps,
        spacing_mm=spacing,
        fine=fine,
        scale=scale,
        near_mm=near,
        guarded=guarded,
        clear=clear,
        level=level,
        beside=beside,
    )


def _own_marrow(at: _Places, cortex_hu: float, erosion_mm: float, least: float) -> BoolArray:
    """The lesion's own bone of one kind among what lies deep enough within a shell denser than `cortex_hu`.

    Empty where no more than `least` of it would lie beside the lesion.
    """
    cortex = without_specks(at.fine > cortex_hu, at.volume_mm3)
    wall = cortex | at.guarded
    outside = ~(wall | _enclosed(wall))
    marrow = at.level & at.clear & ~_within(outside, erosion_mm, at.spacing_mm)
    if (marrow & at.beside).sum() <= least:
        return np.zeros_like(marrow)
    apart = _one_kind(marrow & ~_within(cortex, _NECK_MM, at.spacing_mm), at.beside, at.scale)
    whole = marrow & _within(_own_bone(apart, at.beside), _NECK_MM + _TIE_MM, at.spacing_mm)
    return _one_kind(whole, at.beside, at.scale)


def _below_cortex(values: Values, cortex_hu: float) -> bool:
    """Whether a bone is plainly less dense than its cortex."""
    if not values.size:
        return False
    median = float(np.median(values))
    return median + 2 * _ROBUST * float(np.median(np.abs(values - median))) < cortex_hu


def _enclosed(wall: BoolArray) -> BoolArray:
    """Where at least `_LEAST_SIDES` of the eight straight ways out, in the plane, lead to a wall.

    No shell need be closed: a vein's foramen, a pedicle or a breach leaves a gap in it, and from outside a bone hardly
    half of the ways meet it.
    """
    cross = ndimage.generate_binary_structure(3, 1)
    cross[[0, 2]] = False
    thick = ndimage.binary_dilation(wall, cross).astype(np.uint8)  # no way slips between two places of a wall
    sides = np.zeros_like(thick)
    for row in (slice(None), slice(None, None, -1)):
        sides[:, row] += np.maximum.accumulate(thick[:, row], axis=1)
        sides[:, :, row] += np.maximum.accumulate(thick[:, :, row], axis=2)
        for column in (slice(None), slice(None, None, -1)):
            sides[:, row, column] += _along_diagonals(thick[:, row, column])
    return np.asarray(sides >= _LEAST_SIDES)


def _along_diagonals(wall: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The running maximum along (row + k, column + k) of every plane: each row is laid one place further left."""
    planes, rows, columns = wall.shape
    width = columns + rows
    padded = np.zeros((planes, rows, width), dtype=np.uint8)
    padded[:, :, rows:] = wall
    sheared = padded.reshape(planes, -1)[:, : rows * (width + 1) - rows]
    turned = np.zeros((planes, rows * (width + 1)), dtype=np.uint8)
    turned[:, : sheared.shape[1]] = sheared
    laid = np.maximum.accumulate(turned.reshape(planes, rows, width + 1), axis=1)
    return laid.reshape(planes, -1)[:, : rows * width].reshape(planes, rows, width)[:, :, rows:]


def _own_bone(marrow: BoolArray, beside: BoolArray) -> BoolArray:
    """The connected piece with most voxels beside the lesion.

    Closeness, not size, tells the lesion's own bone from the spinal canal or a vessel with a calcified wall next to it.
    """
    pieces, count = ndimage.label(marrow)
    contact = np.bincount(pieces[beside], minlength=count + 1)[1:]
    if not contact.any():
        return np.zeros_like(marrow)
    return np.asarray(pieces == int(contact.argmax()) + 1)


def _one_kind(bone: BoolArray, beside: BoolArray, scale: Values) -> BoolArray:
    """The kind that prevails beside the lesion, where what was enclosed is plainly of two densities.

    A gap may let in the canal or muscle, and a thick slice shows an end plate as an even sheet. Otsu's split; its
    share of the variance is 0.64 for one normal distribution and near 1 for two distant ones.
    """
    values = np.sort(scale[bone].astype(np.float64))
    if values.size < 4 or values[-1] == values[0]:
        return bone
    below = np.arange(1, values.size)
    sums = np.cumsum(values)
    apart = (sums[-1] - sums[:-1]) / (values.size - below) - sums[:-1] / below
    share = below / values.size
    explained = share * (1 - share) * apart**2
    split = int(explained.argmax())
    if explained[split] < _TWO_KINDS * values.var():
        return bone
    denser = bone & (scale > values[split])
    looser = bone & ~denser
    return np.asarray(denser if (denser & beside).sum() >= (looser & beside).sum() else looser)


def _within(places: BoolArray, reach_mm: float, spacing_mm: Spacing) -> BoolArray:
    """Whether a true place is nearer than `reach_mm`."""
    return np.asarray(_squared_mm(places, reach_mm, spacing_mm) < reach_mm**2)


def _squared_mm(
    places: BoolArray, reach_mm: float, spacing_mm: Spacing, axes: Sequence[int] = (0, 1, 2)
) -> npt.NDArray[np.float32]:
    """Squared distance from the nearest true place along `axes`, exact up to `reach_mm`, infinite or more beyond.

    Axis by axis, so that a short reach takes few passes: a full distance transform costs ten times as much.
    """
    squared = np.where(places, np.float32(0), np.float32(np.inf))
    for axis in axes:
        step = spacing_mm[axis]
        one_axis = np.moveaxis(squared, axis, 0)
        nearer, further = one_axis.copy(order="K"), np.empty_like(one_axis)
        for k in range(1, min(int(reach_mm / step), len(one_axis) - 1) + 1):
            np.add(one_axis, np.float32((k * step) ** 2), out=further)
            np.minimum(nearer[k:], further[:-k], out=nearer[k:])
            np.minimum(nearer[:-k], further[k:], out=nearer[:-k])
        squared = np.moveaxis(nearer, 0, axis)
    return squared


def _every(array: Values, steps: tuple[int, int, int]) -> Values:
    """The middle voxel of every block of `steps`."""
    index = (np.minimum(np.arange(0, n, k) + k // 2, n - 1) for n, k in zip(array.shape, steps, strict=True))
    return np.asarray(array[np.ix_(*index)])


def _any_of(array: BoolArray, steps: tuple[int, int, int]) -> BoolArray:
    """Whether any voxel of every block of `steps` is true: no lesion slips between the places searched."""
    coarse = np.zeros([-(-size // step) for size, step in zip(array.shape, steps, strict=True)], dtype=bool)
    coarse[tuple(index // step for index, step in zip(np.nonzero(array), steps, strict=True))] = True
    return coarse
