"""The cases of density.py: a bone, its lytic lesion, and the images of both as a scanner would see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mdanderson.geometry import Geometry
from mdanderson.phantoms import LesionSpec, SyntheticBone, centred_grid, render, rigid_motion
from mdanderson.volume import Region, Volume

__all__ = ["LEVELS", "Case", "Levels", "cases", "covered"]

VERTEBRA, PELVIS = (22.0, 17.0, 14.0), (42.0, 36.0, 31.0)
"""Half axes (mm) of a bone for lesions up to 20 mm, and for larger ones."""
CORTEX_MM = 2.0
LEAST_CONTRAST_HU = 25.0
"""A lesion less than this below its bone is not lytic on CT, whatever it is."""
TEXTURE = 0.15
"""SD of the trabecular pattern as a share of the density: a real T12 reads 0.18 at the scale of judgement."""


class Levels(NamedTuple):
    """What is varied: SD of the noise, slice thickness, trabecular bone, greatest diameter, error of registration."""

    noise_hu: float
    slice_mm: float
    bone_hu: float
    size_mm: float
    shift_mm: float


LEVELS: dict[str, tuple[float, ...]] = {
    "noise_hu": (5, 20, 40),
    "slice_mm": (1, 3, 5),
    "bone_hu": (230, 150, 90, 60),
    "size_mm": (8, 12, 20, 40),
    "shift_mm": (0, 1, 2),
}


class Imaged(NamedTuple):
    """A bone already sampled on one grid, where all courses of a case are imaged: a `Host` that is asked for copies."""

    hu: npt.NDArray[np.float64]

    def copied_hu(self, geometry: Geometry, motion: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:  # noqa: ARG002
        return self.hu.copy()

    def sample_hu(self, points_mm: npt.NDArray[np.float64], *, blur_mm: float) -> npt.NDArray[np.float64]:
        raise NotImplementedError

    def noise_hu(self, centre_mm: npt.NDArray[np.float64], radius_mm: float) -> float:  # noqa: ARG002
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One patient: the levels, the bone and its lytic lesion at baseline, and the way the follow-up is displaced."""

    levels: Levels
    bone: SyntheticBone
    lesion: LesionSpec
    shift: tuple[float, float, float]
    seed: int

    @cached_property
    def bodies(self) -> tuple[Imaged, Imaged]:
        """The bone without a lesion at baseline, and moved."""
        planes = 3 if self.levels.slice_mm >= 3 else 1
        seen = (
            render(self.bone, (), self.grid, motion=rigid_motion(shift_mm=shift), subsamples=(planes, 1, 1))
            for shift in ((0.0, 0.0, 0.0), self.shift)
        )
        first, later = (Imaged(one.volume.array.astype(np.float64)) for one in seen)
        return first, later

    @cached_property
    def grid(self) -> Geometry:
        """1 mm pixels; planes as thick as the slices, to 12 mm above and below the lesion."""
        width, depth, _ = self.bone.half_axes_mm
        extent = (2 * self.lesion.semi_axes_mm[2] + 24, 2 * depth + 50, 2 * width + 28)
        middle = (0.0, 8.0, self.lesion.centre_mm[2])
        return centred_grid((self.levels.slice_mm, 1.0, 1.0), extent, centre_mm=middle)

    def image(self, lesions: Sequence[LesionSpec], *, moved: bool, visit: int) -> tuple[Volume, Region | None]:
        """The image with these lesions, and what was drawn: one region, None where nothing was."""
        bare = self.bodies[moved].hu
        hu, drawn = bare.copy(), np.zeros(bare.shape, dtype=bool)
        shift = np.asarray(self.shift if moved else (0.0, 0.0, 0.0))
        for lesion in lesions:
            around = hu.copy()
            for layer in lesion.layers:
                share = covered(self.grid, np.asarray(lesion.centre_mm) + shift, layer.semi_axes_mm)
                inside = bare if layer.hu is None else layer.hu
                hu += share * (inside - around)
                around = np.broadcast_to(inside, hu.shape)
            if lesion.drawn:
                drawn |= covered(self.grid, np.asarray(lesion.centre_mm) + shift, lesion.drawn_semi_axes_mm) >= 0.5
        seen = render(Imaged(hu), (), self.grid, noise_hu=self.levels.noise_hu, seed=self.seed + visit)
        return seen.volume, Region.from_array(drawn, label=1)


def covered(
    grid: Geometry, centre_mm: npt.NDArray[np.float64], semi_axes_mm: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Share (0-1) of each voxel of an axial grid in an upright ellipsoid, by 8 x 4 x 4 points.

    As `phantoms.coverage` gives for any shape and turn, at a twentieth of the time.
    """
    origin = grid.to_lps(np.zeros(3))[::-1]
    terms = []
    for axis, points in enumerate((8, 4, 4)):
        step = grid.spacing_mm[axis]
        places = (np.arange(grid.shape[axis] * points) + 0.5) / points - 0.5
        off = (origin[axis] + places * step - centre_mm[2 - axis]) / semi_axes_mm[2 - axis]
        terms.append((off**2).reshape(-1, points))
    reach = [np.flatnonzero(term.min(axis=1) <= 1.0) for term in terms]
    share = np.zeros(grid.shape)
    if not all(part.size for part in reach):
        return share
    z, y, x = (term[part].ravel() for term, part in zip(terms, reach, strict=True))
    inside = z[:, None, None] + y[None, :, None] + x[None, None, :] <= 1.0
    counts = inside.reshape(len(reach[0]), 8, len(reach[1]), 4, len(reach[2]), 4).mean(axis=(1, 3, 5))
    share[np.ix_(*reach)] = counts
    return share


def cases(count: int, seed: int) -> Iterator[Case]:
    """Levels are dealt so that every level of every factor comes up equally often; all else is drawn."""
    random = np.random.default_rng(seed)
    dealt = {
        name: random.permutation(np.resize(np.asarray(values, dtype=float), count)) for name, values in LEVELS.items()
    }
    for index in range(count):
        levels = Levels(*(float(dealt[name][index]) for name in Levels._fields))
        half_axes = PELVIS if levels.size_mm > 20 else VERTEBRA
        bone = SyntheticBone(
            seed=int(random.integers(1 << 30)),
            trabecular_hu=levels.bone_hu,
            texture_hu=TEXTURE * levels.bone_hu,
            cortex_hu=float(random.uniform(450, 750)),
            cortex_mm=CORTEX_MM,
            half_axes_mm=half_axes,
            canal=True,
        )
        half = levels.size_mm / 2
        semi_axes = tuple(half * random.uniform(0.8, 1.0, 3) ** [0, 1, 1])
        room = [max(axis - CORTEX_MM - own - 1.0, 0.0) for axis, own in zip(half_axes, semi_axes, strict=True)]
        centre = tuple(room * random.uniform(-0.6, 0.6, 3))
        shift = random.normal(size=3)
        yield Case(
            levels=levels,
            bone=bone,
            lesion=LesionSpec(
                label=1,
                centre_mm=centre,
                semi_axes_mm=semi_axes,
                core_hu=float(random.uniform(20, min(60, levels.bone_hu - LEAST_CONTRAST_HU))),
            ),
            shift=tuple(levels.shift_mm * shift / np.linalg.norm(shift)),
            seed=int(random.integers(1 << 30)),
        )
