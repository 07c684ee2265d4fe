"""A bone of chosen size and density, grids of any orientation, and how a thick slice samples it."""

from __future__ import annotations

import numpy as np
import pytest

from mdanderson.errors import SettingsError
from mdanderson.phantoms import LesionSpec, SyntheticBone, centred_grid, render, rigid_motion

BONE = SyntheticBone(trabecular_hu=120.0, cortex_hu=640.0, cortex_mm=3.0, canal=True)


@pytest.mark.parametrize(
    ("point", "hu"),
    [
        ((0.0, 0.0, 0.0), 120.0),
        ((18.5, 0.0, 0.0), 640.0),
        ((0.0, 0.0, 11.5), 640.0),
        ((0.0, 0.0, 20.0), 50.0),
        ((0.0, 24.0, 0.0), 30.0),
        ((13.5, 24.0, 0.0), 640.0),
        ((60.0, 0.0, 0.0), -100.0),
    ],
    ids=["trabecular", "cortex", "end plate", "muscle", "cord", "wall of the canal", "fat"],
)
def test_densities_by_place(point, hu):
    assert BONE.sample_hu(np.array([point]), blur_mm=0.2)[0] == pytest.approx(hu)
    assert BONE.noise_hu(np.zeros(3), 5.0) == 0.0
    assert BONE.copied_hu(centred_grid((1, 1, 1), (2, 2, 2)), np.eye(4)) is None


def test_texture_is_the_bones_own_and_by_seed():
    points = np.random.default_rng(0).uniform(-9, 9, (4000, 3))
    one, same, other = (SyntheticBone(texture_hu=20.0, seed=s).sample_hu(points, blur_mm=1.0) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.mean() == pytest.approx(150.0, abs=5.0)
    assert one.std() == pytest.approx(20.0, rel=0.35)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.2


@pytest.mark.parametrize("changes", [{"cortex_mm": 13.0}, {"cortex_mm": -1.0}, {"texture_hu": -1.0}])
def test_a_bone_that_cannot_exist_is_refused(changes):
    with pytest.raises(SettingsError, match="impossible bone") as error:
        SyntheticBone(**changes)
    assert error.value.way_out


@pytest.mark.parametrize(
    ("orientation", "normal", "down_the_rows"),
    [("axial", (0, 0, 1), (0, 1, 0)), ("sagittal", (1, 0, 0), (0, 0, -1)), ("coronal", (0, 1, 0), (0, 0, -1))],
)
def test_grids_lie_about_their_centre(orientation, normal, down_the_rows):
    grid = centred_grid((3.0, 1.0, 0.5), (30.0, 20.0, 10.0), centre_mm=(5.0, -6.0, 7.0), orientation=orientation)
    assert grid.shape == (10, 20, 20)
    assert grid.spacing_mm == pytest.approx((3.0, 1.0, 0.5))
    assert grid.corners_lps_mm().mean(axis=0) == pytest.approx((5.0, -6.0, 7.0))
    np.testing.assert_allclose(grid.directions[:2], [normal, down_the_rows])


@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal"])
def test_a_lesion_is_where_it_is_in_every_orientation(orientation):
    lesion = LesionSpec(label=1, centre_mm=(3.0, -2.0, 1.0), semi_axes_mm=(6.0, 5.0, 4.0))
    seen = render(BONE, [lesion], centred_grid((1.0, 1.0, 1.0), (30.0, 30.0, 30.0), orientation=orientation))
    region = seen.mask[1]
    indices = np.argwhere(region.voxels) + [part.start for part in region.box]
    assert seen.volume.geometry.to_lps(indices).mean(axis=0) == pytest.approx(lesion.centre_mm, abs=0.1)


def test_thick_slices_blur_along_their_normal_only():
    """A 6 mm slice half in the end plate: sampled once it is all or nothing, sampled six times it is the mean."""
    bone = SyntheticBone(trabecular_hu=100.0, cortex_hu=700.0, cortex_mm=3.0)
    grid = centred_grid((6.0, 1.0, 1.0), (6.0, 5.0, 5.0), centre_mm=(0.0, 0.0, 10.0))
    hu = render(bone, [], grid, subsamples=(6, 1, 1)).volume.array[0, 2, 2]
    assert hu == pytest.approx((3 * 100 + 3 * 700) / 6, abs=60)
    fine = centred_grid((0.1, 1.0, 1.0), (6.0, 5.0, 5.0), centre_mm=(0.0, 0.0, 10.0))
    assert hu == pytest.approx(render(bone, [], fine).volume.array[:, 2, 2].mean(), abs=60)


@pytest.mark.parametrize(("sigma", "together"), [(0.0, False), (0.6, True), (1.5, True)])
def test_noise_is_as_large_and_as_coarse_as_asked_for(sigma, together):
    grid = centred_grid((1.0, 1.0, 1.0), (12.0, 40.0, 40.0), centre_mm=(200.0, 0.0, 0.0))
    noise = render(BONE, [], grid, noise_hu=15.0, noise_sigma_voxels=sigma).volume.array + 100.0
    assert noise.std() == pytest.approx(15.0, rel=0.06)
    beside = float(np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1])
    assert (beside > 0.2) is together


def test_a_mask_may_be_off_its_image():
    lesion = LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(5.0, 5.0, 5.0))
    grid = centred_grid((1.0, 1.0, 1.0), (20.0, 20.0, 20.0))
    right, off = (
        render(BONE, [lesion], grid, mask_motion=motion) for motion in (None, rigid_motion(shift_mm=(2.0, 0.0, -1.0)))
    )
    np.testing.assert_array_equal(right.volume.array, off.volume.array)
    starts = [[part.start for part in seen.mask[1].box] for seen in (right, off)]
    assert np.subtract(starts[1], starts[0]).tolist() == [-1, 0, 2]
