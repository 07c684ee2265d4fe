"""The search for trabecular bone: distances against a full distance transform, what thinning must not lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from mdanderson.measure.marrow import _any_of, _within, without_specks


@pytest.mark.parametrize("reach_mm", [0.5, 2.5, 7.5, 40.0])
@pytest.mark.parametrize("spacing_mm", [(2.2, 1.4, 1.2), (5.0, 0.8, 0.8)])
def test_within_is_the_distance_transform_up_to_its_reach(spacing_mm, reach_mm):
    places = np.random.default_rng(1).random((6, 13, 17)) > 0.98
    distance = ndimage.distance_transform_edt(~places, sampling=spacing_mm)
    clear = np.abs(distance - reach_mm) > 1e-4
    np.testing.assert_array_equal(_within(places, reach_mm, spacing_mm)[clear], (distance < reach_mm)[clear])
    assert places.any()


def test_nothing_is_near_to_nothing():
    assert not _within(np.zeros((2, 3, 4), dtype=bool), 5.0, (1.0, 1.0, 1.0)).any()


def test_no_single_voxel_slips_between_the_places_searched():
    for voxel in np.ndindex(3, 5, 7):
        array = np.zeros((3, 5, 7), dtype=bool)
        array[voxel] = True
        coarse = _any_of(array, (2, 2, 3))
        assert coarse.shape == (2, 3, 3)
        assert np.argwhere(coarse).tolist() == [[voxel[0] // 2, voxel[1] // 2, voxel[2] // 3]]


@pytest.mark.parametrize(("voxels", "kept"), [(99, False), (100, True)])
def test_a_speck_is_less_than_100_mm3(voxels, kept):
    cortex = np.zeros((3, 20, 120), dtype=bool)
    cortex[1, 10, :voxels] = True
    assert without_specks(cortex, 1.0).any() == kept
