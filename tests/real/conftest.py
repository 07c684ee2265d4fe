"""Real vertebrae into which synthetic lesions are put: "real CT, synthetic lesion", never a patient's follow-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from mdanderson.geometry import Geometry, grow_box
from mdanderson.phantoms.hosts import RealHost
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.readers import read_volume
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Volume

_DEEP_MM = 10.0
"""A lesion's centre lies at least this far inside the bone."""
_OFF_GRID_MM = (0.31, -0.43, 0.57)
"""Added to a centre: no lesion lies on the middle of a voxel, where its outline would be one of a few odd ones."""
_ERODED_MM = 4.0
"""Bone at least this deep is trabecular."""
_MARGIN_MM = 50.0
"""What is imaged round the vertebra."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A real vertebra and where lesions go in it.

    image: the untouched real image. places_mm: centres of two lesions, LPS. trabecular_hu: median of the labelled
    bone 4 mm under its surface. core_hu: what a lytic lesion is in this bone. later_spacing_mm, later_shape: the grid
    of a follow-up.
    """

    image: Path
    host: RealHost
    places_mm: tuple[tuple[float, float, float], ...]
    trabecular_hu: float
    core_hu: float
    later_spacing_mm: tuple[float, float, float]
    later_shape: tuple[int, int, int]

    def image_again(self, lesions: tuple[LesionSpec, ...], *, turn: int | None, seed: int) -> Phantom:
        """The body with lesions: in its own voxels (`turn` None), or moved, on another grid and with more noise."""
        if turn is None:
            return render(self.host, lesions, self.host.volume.geometry, noise_hu=8.0, seed=seed)
        rotation_deg, shift_mm = _TURNS[turn % len(_TURNS)]
        middle = self.host.volume.geometry.corners_lps_mm().mean(axis=0)
        motion = rigid_motion(rotation_deg=rotation_deg, shift_mm=shift_mm, about_mm=middle)
        steps, shape = np.array(self.later_spacing_mm), np.array(self.later_shape)
        first = motion[:3, :3] @ middle + motion[:3, 3] - ((shape - 1) / 2 * steps)[::-1] + (0.37, -0.21, 0.43)
        grid = Geometry.from_axes(shape=self.later_shape, spacing_mm=self.later_spacing_mm, origin_mm=first)
        return render(self.host, lesions, grid, motion=motion, noise_hu=12.0, seed=seed)


_TURNS = (
    ((1.5, -2.0, 3.0), (6.3, -4.7, 3.2)),
    ((-2.0, 1.0, -4.0), (-3.6, 7.4, -5.1)),
    ((2.0, 2.0, -1.0), (4.9, 5.8, -2.6)),
)
"""Rotation vector (2.2 to 4.6 degrees) and shift of the body between two scans."""


@pytest.fixture(scope="session")
def t12_body(real_data: Path) -> Body:
    """T12 in a slab of 20 slices, 2 mm apart. Part of T12 is labelled as T11, so that both labels count."""
    image = real_data / "ct_totalseg" / "example_ct_dicom"
    series = read_volume(image)
    bones = read_mask(real_data / "ct_totalseg" / "example_seg_dicom.nii.gz", like=series)
    return _body(
        image=image,
        volume=series,
        bones=[bones[32], bones[33]],
        core_hu=30.0,
        later_spacing_mm=(1.6, 1.1, 1.1),
        later_shape=(24, 140, 124),
    )


@pytest.fixture(scope="session")
def l3_body(real_data: Path) -> Body:
    """L3 in a crop of 1.5 mm. Its bone is osteoporotic and noisy: only fat would show as a lytic lesion in it."""
    folder = real_data / "spine_tptbox" / "sample_ct"
    image = folder / "sub-ct_label-22_ct.nii.gz"
    volume = read_volume(image, modality=Modality.CT, date=dt.date(2024, 1, 1))
    bones = read_mask(folder / "sub-ct_seg-vert_label-22_msk.nii.gz", like=volume)
    return _body(
        image=image,
        volume=volume,
        bones=[bones[22]],
        core_hu=-90.0,
        later_spacing_mm=(1.3, 1.2, 1.2),
        later_shape=(50, 84, 84),
    )


def _body(*, image: Path, volume: Volume, bones: Sequence[Region], core_hu: float, **later: Any) -> Body:
    """A body about its vertebra: as wide as a spine, as long as the image."""
    label = np.zeros(volume.geometry.shape, dtype=bool)
    for bone in bones:
        label[bone.box] |= bone.voxels
    depth_mm = ndimage.distance_transform_edt(label, sampling=volume.geometry.spacing_mm)
    deep = volume.geometry.to_lps(np.argwhere(depth_mm >= _DEEP_MM))
    apart = cdist(deep, deep)
    first, second = np.unravel_index(apart.argmax(), apart.shape)
    wide = grow_box(bones[0].box, volume.geometry, _MARGIN_MM)
    slab = volume.crop((slice(0, len(label)), *wide[1:]))
    return Body(
        image=image,
        host=RealHost(volume=slab),
        places_mm=tuple(tuple(float(x) for x in deep[k] + _OFF_GRID_MM) for k in (first, second)),
        trabecular_hu=float(np.median(volume.array[depth_mm >= _ERODED_MM])),
        core_hu=core_hu,
        **later,
    )
