"""Lesions: what was segmented, where it lies, how much of it there is."""

from __future__ import annotations

import numpy as np
import pytest

from mdanderson.geometry import Geometry
from mdanderson.lesions import Lesion, find_lesions
from mdanderson.volume import Mask, Region

GRID = Geometry.from_axes(shape=(6, 8, 10), spacing_mm=(3.0, 0.5, 2.0), origin_mm=(100.0, -50.0, 7.0))


def lesion_of(*voxels, geometry=GRID):
    array = np.zeros(geometry.shape, dtype=bool)
    for voxel in voxels:
        array[voxel] = True
    region = Region.from_array(array, label=4)
    assert region is not None
    return Lesion.from_region(region, geometry)


def test_two_voxels():
    lesion = lesion_of((2, 4, 3), (2, 4, 4))
    assert lesion.label == 4
    assert lesion.points_lps_mm.tolist() == [[106, -48, 13], [108, -48, 13]]
    assert lesion.centroid_lps_mm.tolist() == [107, -48, 13]
    assert lesion.volume_ml == pytest.approx(0.006)


def test_the_volume_of_a_ball():
    fine = Geometry.from_axes(shape=(30, 48, 60), spacing_mm=(1.0, 0.625, 0.5), origin_mm=(0, 0, 0))
    index = np.stack(np.meshgrid(*map(np.arange, fine.shape), indexing="ij"), axis=-1)
    middle = fine.to_lps([14.3, 23.1, 29.8])
    inside = np.linalg.norm(fine.to_lps(index) - middle, axis=-1) <= 10
    region = Region.from_array(inside, label=1)
    assert region is not None
    lesion = Lesion.from_region(region, fine)
    assert lesion.volume_ml == pytest.approx(4 / 3 * np.pi, rel=0.01)
    assert lesion.centroid_lps_mm == pytest.approx(middle, abs=0.05)


def test_parts_that_do_not_touch_are_one_lesion():
    assert len(lesion_of((1, 1, 1), (4, 6, 8)).points_lps_mm) == 2


@pytest.mark.parametrize(
    ("voxel", "touches"),
    [
        ((1, 1, 1), False),
        ((4, 6, 8), False),
        ((0, 3, 3), True),
        ((5, 3, 3), True),
        ((3, 0, 3), True),
        ((3, 7, 3), True),
        ((3, 3, 0), True),
        ((3, 3, 9), True),
    ],
)
def test_cut_by_the_edge_of_the_image(voxel, touches):
    assert lesion_of(voxel).touches_edge is touches


def test_a_single_slice_has_no_edge_before_or_behind_it():
    flat = Geometry.from_axes(shape=(1, 8, 10), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
    assert not lesion_of((0, 3, 3), geometry=flat).touches_edge
    assert lesion_of((0, 3, 0), geometry=flat).touches_edge


def test_every_label_of_a_mask_in_label_order():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[1, 1, 1], labels[3, 3, 3], labels[4, 4, 4] = 9, 2, 2
    found = find_lesions(Mask.from_label_map(labels, GRID))
    assert [(lesion.label, len(lesion.points_lps_mm)) for lesion in found] == [(2, 2), (9, 1)]


def test_an_empty_mask_holds_no_lesion():
    assert find_lesions(Mask(geometry=GRID)) == ()
