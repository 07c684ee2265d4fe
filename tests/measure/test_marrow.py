"""The search for trabecular bone: distances against a full distance transform, what thinning must not lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from mdanderson.measure.marrow import _along_diagonals, _any_of, _enclosed, _within, without_specks


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


def test_running_maximum_along_diagonals_against_a_slow_oracle():
    wall = (np.random.default_rng(2).random((2, 5, 7)) > 0.8).astype(np.uint8)
    slow = np.zeros_like(wall)
    for plane, row, column in np.ndindex(wall.shape):
        slow[plane, row, column] = max(wall[plane, row - k, column - k] for k in range(min(row, column) + 1))
    np.testing.assert_array_equal(_along_diagonals(wall), slow)


def ring(gap_degrees: float) -> np.ndarray:
    """A wall 2 places thick round a disc of radius 14, open over so many degrees at its back."""
    row, column = np.mgrid[-20:21, -20:21]
    radius, angle = np.hypot(row, column), np.degrees(np.arctan2(row, column))
    return ((radius >= 14) & (radius < 16) & (np.abs(angle - 90) > gap_degrees / 2))[None]


@pytest.mark.parametrize("gap_degrees", [0.0, 20.0, 40.0])
def test_a_shell_with_a_gap_encloses_its_middle_and_nothing_else(gap_degrees):
    row, column = np.mgrid[-20:21, -20:21]
    found = _enclosed(ring(gap_degrees))[0]
    assert found[np.hypot(row, column) < 5].all()
    assert not found[np.hypot(row, column) > 18].any()


def test_half_a_shell_encloses_nothing():
    assert not _enclosed(ring(180.0) & ~ring(0.0)).any()
    row, column = np.mgrid[-20:21, -20:21]
    assert not _enclosed(ring(190.0))[0][np.hypot(row, column) < 5].any()


@pytest.mark.parametrize("flip", [np.s_[:, ::-1], np.s_[:, :, ::-1], np.s_[:, ::-1, ::-1]])
def test_what_is_enclosed_turns_with_the_image(flip):
    wall = np.random.default_rng(3).random((2, 25, 31)) > 0.93
    np.testing.assert_array_equal(_enclosed(wall[flip]), _enclosed(wall)[flip])
    np.testing.assert_array_equal(_enclosed(wall.swapaxes(1, 2)), _enclosed(wall).swapaxes(1, 2))
