"""Bone scans whose answers are known: a whole body in both views or as SPECT, any pose, grid and count scale.

Body space is in mm: x to the patient's left, z to the head from the hips, depth from the front skin. All of it is drawn
from capsules. What a gamma camera would count follows by attenuation through the depth, a Gaussian blur and Poisson
noise, so that the expected image, with and without its foci, is known beside the one that was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.skeleton import BODY_DEPTH_MM, Capsule, skeleton_capsules
from mdanderson.planar import PlanarImage
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Mask, Region, Unit, Volume

__all__ = ["Focus", "ScanBody", "ScanPhantom", "ScanPose", "render_spect", "render_view"]

_ATTENUATION_PER_MM = 0.012
"""Broad beam, 140 keV, soft tissue."""
_BLUR_MM = 4.2
"""SD of the camera's point spread: 10 mm full width at half maximum."""
_TOP_MM = 800.0
_MARGIN_MM = 100.0
"""The crown of an unmoved body lies this far below the first row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Focus:
    """A hot disc (a ball in SPECT).

    x_mm, z_mm: its middle, body space. ratio: counts in it against what would be counted there without it.
    depth_mm: from the front skin; None: as deep as what lies round it. A focus at another depth counts more in one
    view and less in the other, so that the geometric mean of what it adds stays.
    """

    x_mm: float
    z_mm: float
    radius_mm: float
    ratio: float
    depth_mm: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanPose:
    """How the patient lies: turned about the front-back axis and shifted (x, z); arms swung out at the shoulder."""

    turn_degrees: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    arms_degrees: float = 0.0
    legs_degrees: float = 0.0

    @property
    def matrix(self) -> FloatArray:
        """(4, 4): body mm -> image LPS mm."""
        angle = np.deg2rad(self.turn_degrees)
        matrix = np.eye(4)
        matrix[0, [0, 2]] = np.cos(angle), -np.sin(angle)
        matrix[2, [0, 2]] = np.sin(angle), np.cos(angle)
        matrix[[0, 2], 3] = self.shift_mm[0], self.shift_mm[1] - _TOP_MM - _MARGIN_MM
        return matrix


@dataclass(frozen=True, kw_only=True)
class ScanBody:
    """One patient.

    seed: 0 for a symmetric body; others are people of their own: proportions, and uptake bone by bone.
    bone: uptake of all bone as a multiple of the usual (superscan: 4 and more); bladder: relative filling.
    """

    seed: int = 0
    bone: float = 1.0
    bladder: float = 1.0

    @cached_property
    def capsules(self) -> tuple[Capsule, ...]:
        """All of it, unmoved."""
        return skeleton_capsules(self.seed, bone=self.bone, bladder=self.bladder)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScanPhantom:
    """One image, its foci outlined (label = place in the list from 1), and what is expected without noise.

    expected, plain: the array of `volume` without noise, with the foci and without them.
    """

    volume: Volume
    mask: Mask
    expected: FloatArray
    plain: FloatArray

    def ratio(self, label: int) -> float:
        """Expected counts in the outline against those that would be there without any focus."""
        region = self.mask[label]
        return float(self.expected[region.box][region.voxels].mean() / self.plain[region.box][region.voxels].mean())


def render_view(
    body: ScanBody,
    foci: Sequence[Focus] = (),
    *,
    view: View = View.ANT,
    pose: ScanPose | None = None,
    rows_columns: tuple[int, int] = (1024, 256),
    pixel_mm: float = 2.26,
    total_counts: float = 2.0e6,
    scale: float = 1.0,
    noise_seed: int | None = 0,
) -> ScanPhantom:
    """One view. scale multiplies the counts after the noise; noise_seed None: no noise."""
    pose = pose or ScanPose()
    empty = PlanarImage(
        array=np.zeros(rows_columns),
        spacing_mm=(pixel_mm, pixel_mm),
        unit=Unit.COUNTS,
        modality=Modality.NM,
        view=view,
    )
    places = _in_body(empty.as_slab().geometry, pose)[0]
    other = View.POST if view is View.ANT else View.ANT
    near, far = (_projected(body, pose, places, one) for one in (view, other))
    hot = near.copy()
    for focus in foci:
        hot += (focus.ratio - 1.0) * _disc(focus, places) * _seen(focus, near, far, view)
    plain, expected = (ndimage.gaussian_filter(one, _BLUR_MM / pixel_mm) for one in (near, hot))
    per_count = total_counts / plain.sum()
    counts = _noisy(expected * per_count, noise_seed) * scale
    volume = replace(empty, array=counts).as_slab()
    regions = [_outlined(_disc(focus, places)[None], label) for label, focus in enumerate(foci, 1)]
    return ScanPhantom(
        volume=volume,
        mask=Mask(geometry=volume.geometry, regions=tuple(one for one in regions if one is not None)),
        expected=expected[None] * per_count * scale,
        plain=plain[None] * per_count * scale,
    )


def render_spect(
    body: ScanBody,
    foci: Sequence[Focus] = (),
    *,
    geometry: Geometry,
    pose: ScanPose | None = None,
    peak_counts: float = 200.0,
    scale: float = 1.0,
    noise_seed: int | None = 0,
) -> ScanPhantom:
    """A volume without attenuation on an upright axial grid of image LPS mm; y is the depth, foci are balls."""
    pose = pose or ScanPose()
    places = _in_body(geometry, pose)[:, :1]  # upright: the same in every row
    depth = geometry.to_lps(np.stack([np.zeros(geometry.shape[1])] * 3, 1) + _rows(geometry.shape[1]))[:, 1]
    plain = _filled(body, pose, places, depth[None, :, None])
    hot = plain.copy()
    balls = []
    for focus in foci:
        away = (depth[None, :, None] - (focus.depth_mm or BODY_DEPTH_MM / 2)) ** 2
        apart = (places[..., 0] - focus.x_mm) ** 2 + (places[..., 1] - focus.z_mm) ** 2 + away
        balls.append(apart <= focus.radius_mm**2)
        hot += (focus.ratio - 1.0) * balls[-1] * plain
    sigma = [_BLUR_MM / step for step in geometry.spacing_mm]
    plain, expected = (ndimage.gaussian_filter(one, sigma) * peak_counts for one in (plain, hot))
    volume = Volume(
        array=_noisy(expected, noise_seed) * scale, geometry=geometry, unit=Unit.COUNTS, modality=Modality.NM
    )
    regions = [_outlined(ball, label) for label, ball in enumerate(balls, 1)]
    return ScanPhantom(
        volume=volume,
        mask=Mask(geometry=geometry, regions=tuple(one for one in regions if one is not None)),
        expected=expected * scale,
        plain=plain * scale,
    )


def _rows(count: int) -> FloatArray:
    return np.stack([np.zeros(count), np.arange(count), np.zeros(count)], axis=1)


def _in_body(geometry: Geometry, pose: ScanPose) -> FloatArray:
    """(planes, rows, columns, 2): x and z in body mm of every voxel."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1)
    points = geometry.to_lps(index)
    back = np.linalg.inv(pose.matrix)
    return np.asarray((points @ back[:3, :3].T + back[:3, 3])[..., [0, 2]])


def _disc(focus: Focus, places: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray((places[..., 0] - focus.x_mm) ** 2 + (places[..., 1] - focus.z_mm) ** 2 <= focus.radius_mm**2)


def _seen(focus: Focus, near: FloatArray, far: FloatArray, view: View) -> FloatArray:
    """What a focus of ratio 2 adds, as this view counts it."""
    if focus.depth_mm is None:
        return near
    deeper = (focus.depth_mm - BODY_DEPTH_MM / 2) * (1.0 if view is View.ANT else -1.0)
    return np.asarray(np.sqrt(near * far) * np.exp(-_ATTENUATION_PER_MM * deeper))


def _moved(body: ScanBody, pose: ScanPose) -> tuple[Capsule, ...]:
    swing = {"arm": pose.arms_degrees, "leg": pose.legs_degrees}
    return tuple(capsule.swung(swing.get(capsule.limb, 0.0)) for capsule in body.capsules)


def _projected(body: ScanBody, pose: ScanPose, places: FloatArray, view: View) -> FloatArray:
    """(rows, columns): counts before the blur, tissues of one kind never twice where capsules overlap."""
    layers: dict[str, FloatArray] = {}
    for capsule in _moved(body, pose):
        depth = capsule.depth_mm if view is View.ANT else BODY_DEPTH_MM - capsule.depth_mm
        rows, columns = _reach(capsule, places)
        chord = capsule.chord_mm(places[rows, columns])
        counts = capsule.uptake * chord * np.exp(-_ATTENUATION_PER_MM * depth)
        layer = layers.setdefault(capsule.kind, np.zeros(places.shape[:2]))
        np.maximum(layer[rows, columns], counts, out=layer[rows, columns])
    return np.asarray(sum(layers.values()))


def _filled(body: ScanBody, pose: ScanPose, places: FloatArray, depth: FloatArray) -> FloatArray:
    """(planes, rows, columns): uptake, 1 = usual bone. places: of one row; depth: of every row."""
    layers: dict[Literal["bone", "soft", "urine"], FloatArray] = {}
    shape = (places.shape[0], depth.shape[1], places.shape[2])
    for capsule in _moved(body, pose):
        across = capsule.apart_mm(places) / capsule.radius_mm
        flat = 1.0 if capsule.kind != "soft" else BODY_DEPTH_MM / 2 / capsule.radius_mm
        inside = across**2 + ((depth - capsule.depth_mm) / (capsule.radius_mm * flat)) ** 2 < 1.0
        layer = layers.setdefault(capsule.kind, np.zeros(shape))
        np.maximum(layer, inside * capsule.uptake, out=layer)
    soft, others = layers.pop("soft", None), sum(layers.values())
    return np.asarray(others if soft is None else np.maximum(soft, others))


def _reach(capsule: Capsule, places: FloatArray) -> tuple[slice, slice]:
    """The rows and columns that a capsule may touch, of (rows, columns, 2) places evenly spaced."""
    low, high = np.min(capsule.ends, axis=0) - capsule.radius_mm, np.max(capsule.ends, axis=0) + capsule.radius_mm
    steps = np.stack([places[1, 0] - places[0, 0], places[0, 1] - places[0, 0]], axis=1)
    corners = np.array([[x, z] for x in (low[0], high[0]) for z in (low[1], high[1])]) - places[0, 0]
    index = np.linalg.solve(steps, corners.T)
    first = np.clip(np.floor(index.min(axis=1)).astype(int), 0, places.shape[:2])
    last = np.clip(np.ceil(index.max(axis=1)).astype(int) + 1, 0, places.shape[:2])
    return slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1]))


def _noisy(expected: FloatArray, seed: int | None) -> FloatArray:
    if seed is None:
        return expected
    return np.random.default_rng(seed).poisson(np.maximum(expected, 0.0)).astype(np.float64)


def _outlined(inside: npt.NDArray[np.bool_], label: int) -> Region | None:
    return Region.from_array(np.asarray(inside), label=label, name=f"focus {label}")
