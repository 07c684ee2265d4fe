"""Imaging phantoms: partial volume, masks, rims, filling, noise, motion; real CTs as bodies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from mdanderson.errors import ImageError
from mdanderson.geometry import Geometry
from mdanderson.phantoms import LesionSpec, RealHost, SyntheticVertebrae, coverage, render, rigid_motion
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

GRID = Geometry.from_axes(shape=(20, 34, 36), spacing_mm=(1.5, 0.9, 0.8), origin_mm=(-14.3, -15.1, -14.2))
MOTION = rigid_motion(rotation_deg=(4.0, -6.0, 11.0), shift_mm=(0.7, -0.4, 0.3))


@dataclass(frozen=True)
class EvenBody:
    """A body of one density, so that a lesion is all there is to see."""

    hu: float = 200.0

    def sample_hu(self, points_mm, *, blur_mm):  # noqa: ARG002 - the protocol's
        return np.full(points_mm.shape[:-1], self.hu)

    def noise_hu(self, centre_mm, radius_mm):  # noqa: ARG002 - the protocol's
        return 0.0

    def copied_hu(self, geometry, motion):  # noqa: ARG002 - the protocol's
        return None


def spec(**changes) -> LesionSpec:
    fixed = {"label": 1, "centre_mm": (0.4, 0.2, -0.3), "semi_axes_mm": (8.0, 6.5, 5.5), "core_hu": 0.0}
    return LesionSpec(**fixed | changes)


BODY_GRID = GRID.moved(np.linalg.inv(MOTION))


@cache
def share_by_many_points(lesion: LesionSpec, per_axis: int = 10) -> np.ndarray:
    """The slow oracle: every voxel of the moved grid by 10 x 10 x 10 points, none decided by its centre."""
    body, semi_axes_mm = BODY_GRID, lesion.semi_axes_mm
    step = (np.arange(per_axis) + 0.5) / per_axis - 0.5
    index = np.stack(np.meshgrid(*(np.arange(n) for n in body.shape), indexing="ij"), axis=-1).astype(float)
    inside = np.zeros(body.shape)
    for offset in np.stack(np.meshgrid(step, step, step, indexing="ij"), axis=-1).reshape(-1, 3):
        inside += lesion.level(body.to_lps(index + offset), semi_axes_mm) <= 1
    return inside / per_axis**3


def whole(lesion: LesionSpec, semi_axes_mm, body: Geometry) -> np.ndarray:
    found = coverage(lesion, semi_axes_mm, body)
    share = np.zeros(body.shape)
    if found is not None:
        share[found[0]] = found[1]
    return share


SHAPES = {
    "ellipsoid": spec(rotation_deg=(10.0, 20.0, 30.0)),
    "box-like": spec(exponent=4.0),
    "lobulated": spec(lobulation=0.25, rotation_deg=(0.0, 15.0, 0.0)),
}


@pytest.mark.parametrize("lesion", SHAPES.values(), ids=SHAPES.keys())
def test_coverage_against_many_points(lesion):
    """A flat face may pass half a layer of points beside where either grid of points sees it: 1/12 and 1/20."""
    body = BODY_GRID
    share, oracle = whole(lesion, lesion.semi_axes_mm, body), share_by_many_points(lesion)
    assert np.abs(share - oracle).max() < 1 / 12 + 1 / 20
    usual = 0.02 if lesion.exponent > 2 else 0.01
    assert np.sqrt(np.mean((share - oracle)[(oracle > 0) & (oracle < 1)] ** 2)) < usual
    assert share.sum() * body.voxel_volume_mm3 / 1000 == pytest.approx(lesion.volume_ml, rel=0.003)


@pytest.mark.parametrize("lesion", SHAPES.values(), ids=SHAPES.keys())
def test_no_voxel_that_the_surface_touches_is_decided_by_its_centre(lesion):
    share = whole(lesion, lesion.semi_axes_mm, BODY_GRID)
    np.testing.assert_allclose(share, share_by_many_points(lesion, 6), atol=1e-9)


@pytest.mark.parametrize("lesion", SHAPES.values(), ids=SHAPES.keys())
def test_the_mask_is_what_is_at_least_half_covered(lesion):
    drawn = render(EvenBody(), [lesion], GRID, motion=MOTION).mask.to_label_map() == 1
    oracle = share_by_many_points(lesion)
    clear = np.abs(oracle - 0.5) > 0.03
    assert clear.mean() > 0.95
    np.testing.assert_array_equal(drawn[clear], oracle[clear] > 0.5)


def test_partial_volume_mixes_lesion_and_bone():
    seen = render(EvenBody(), [spec()], GRID)
    share = whole(spec(), spec().semi_axes_mm, GRID)
    np.testing.assert_allclose(seen.volume.array, 200.0 * (1 - share), atol=0.51)


def test_a_voxel_cut_in_half_is_half_covered_and_drawn():
    """A box-like lesion whose faces pass through voxel centres."""
    grid = Geometry.from_axes(shape=(9, 9, 9), spacing_mm=(1, 1, 1), origin_mm=(-4, -4, -4))
    cube = spec(centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(2.0, 2.0, 2.0), exponent=20.0)
    share = whole(cube, cube.semi_axes_mm, grid)
    assert share[4, 4, [1, 2, 3, 6, 7]].tolist() == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])
    assert render(EvenBody(), [cube], grid).mask[1].voxels.shape[0] == 5


def test_truth_follows_the_motion():
    lesion = spec(rotation_deg=(0.0, 0.0, 25.0))
    seen = render(EvenBody(), [lesion], GRID, motion=MOTION)
    (truth,) = seen.truths
    np.testing.assert_allclose(truth.centre_lps_mm, (MOTION @ [0.4, 0.2, -0.3, 1.0])[:3])
    box = seen.mask[1].box
    points = GRID.to_lps(np.argwhere(seen.mask[1].voxels) + [part.start for part in box])
    np.testing.assert_allclose(points.mean(axis=0), truth.centre_lps_mm, atol=0.06)
    normal_in_body = MOTION[:3, :3].T @ [0.0, 0.0, 1.0]
    assert (truth.long_axis_mm, truth.short_axis_mm) == pytest.approx(lesion.diameters_mm(normal_in_body))
    assert truth.volume_ml == pytest.approx(4 / 3 * np.pi * 8 * 6.5 * 5.5 / 1000)


@pytest.mark.parametrize(("outside", "edge_mm"), [(True, 10.0), (False, 8.0)])
def test_a_rim_lies_beside_its_outline(outside, edge_mm):
    rim = spec(rim_thickness_mm=2.0, rim_hu=900.0, rim_outside=outside, centre_mm=(0.0, 0.0, 0.0))
    fine = Geometry.from_axes(shape=(1, 1, 241), spacing_mm=(0.1, 0.1, 0.1), origin_mm=(0, 0, 0))
    profile = render(EvenBody(), [rim], fine).volume.array[0, 0]
    assert (profile == 900).nonzero()[0][[0, -1]] / 10 == pytest.approx([edge_mm - 2, edge_mm], abs=0.11)
    assert profile[0] == 0
    assert profile[-1] == 200


@pytest.mark.parametrize("rim_drawn", [False, True])
def test_truth_of_an_outside_rim_keeps_lesion_and_outline_apart(rim_drawn):
    seen = render(EvenBody(), [spec(rim_thickness_mm=2.5, rim_drawn=rim_drawn)], GRID)
    (truth,) = seen.truths
    more = 5.0 if rim_drawn else 0.0
    assert (truth.long_axis_mm, truth.short_axis_mm) == pytest.approx((16.0, 13.0), abs=1e-3)
    assert truth.outline_long_axis_mm == pytest.approx(16.0 + more, abs=1e-3)
    assert truth.outline_short_axis_mm == pytest.approx(13.0 + more, abs=1e-3)
    columns = seen.mask[1].voxels.any(axis=(0, 1)).sum() * 0.8
    assert columns == pytest.approx(16.0 + more, abs=0.9)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.6, 1.0])
def test_filling_takes_its_share_of_the_volume(fraction):
    filled = spec(fill_fraction=fraction, fill_hu=1000.0)
    hu = render(EvenBody(), [filled], GRID).volume.array.astype(float)
    share = whole(filled, filled.semi_axes_mm, GRID)
    # What the body's bone adds in voxels that are partly outside is taken away again.
    filling = (hu - 200.0 * (1 - share)).sum() / 1000.0
    assert filling / share.sum() == pytest.approx(fraction, abs=0.005)


def test_shells_thinner_than_a_voxel_lose_nothing():
    thin = spec(fill_fraction=0.25, fill_hu=1000.0, rim_thickness_mm=0.7, rim_hu=600.0)
    coarse = Geometry.from_axes(shape=(12, 14, 16), spacing_mm=(3, 2, 2), origin_mm=(-15.1, -13.2, -16.6))
    gained_hu_mm3 = (render(EvenBody(), [thin], coarse).volume.array - 200.0).sum() * 12.0
    core, with_rim = (4 / 3 * np.pi * np.prod(axes) for axes in (thin.semi_axes_mm, thin.layers[0].semi_axes_mm))
    assert gained_hu_mm3 == pytest.approx(400 * (with_rim - core) + core * (0.25 * 800 - 0.75 * 200), rel=0.01)


def test_an_inner_density_of_none_is_the_bodys_own():
    bone = spec(core_hu=None, rim_thickness_mm=2.0, rim_hu=900.0)
    hu = render(EvenBody(hu=170.0), [bone], GRID).volume.array
    assert hu[9, 17, 18] == 170
    assert hu.max() == 900


def test_the_later_of_two_overlapping_lesions_covers_the_earlier():
    two = [spec(core_hu=0.0), spec(label=2, core_hu=800.0, semi_axes_mm=(4.0, 4.0, 4.0))]
    seen = render(EvenBody(), two, GRID)
    assert seen.volume.array[9, 17, 18] == 800
    assert [region.label for region in seen.mask] == [1, 2]


def test_what_is_not_drawn_is_seen_but_not_segmented():
    seen = render(EvenBody(), [spec(drawn=False)], GRID)
    assert len(seen.mask) == 0
    assert seen.volume.array.min() == 0
    assert seen.truths[0].drawn is False


def test_a_lesion_outside_the_grid_leaves_no_trace():
    seen = render(EvenBody(), [spec(centre_mm=(200.0, 0.0, 0.0))], GRID)
    assert len(seen.mask) == 0
    assert np.unique(seen.volume.array).tolist() == [200]
    tiny = spec(centre_mm=(0.4, 0.45, 0.75), semi_axes_mm=(0.2, 0.2, 0.2))
    assert len(render(EvenBody(), [tiny], GRID).mask) == 0


def test_the_same_seed_gives_the_same_image_and_another_seed_other_noise():
    one, same, other = (render(EvenBody(), [], GRID, noise_hu=15.0, seed=seed).volume.array for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


def test_noise_has_the_spread_asked_for_and_hangs_together_in_the_plane():
    noise = render(EvenBody(), [], GRID, noise_hu=15.0, seed=1).volume.array - 200.0
    assert noise.std() == pytest.approx(15.0, rel=0.05)
    assert np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1] > 0.3
    assert abs(np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]) < 0.05


def test_the_image_is_a_ct_in_whole_hu_with_its_date():
    volume = render(EvenBody(), [], GRID, date=dt.date(2024, 2, 29)).volume
    assert (volume.unit, volume.modality, volume.date) == (Unit.HU, Modality.CT, dt.date(2024, 2, 29))
    assert volume.array.dtype == np.int16


def test_bone_moves_with_its_texture():
    body = SyntheticVertebrae(seed=5)
    grid = Geometry.from_axes(shape=(6, 20, 20), spacing_mm=(1, 1, 1), origin_mm=(-10, -10, -18))
    moved = rigid_motion(rotation_deg=(3.0, 5.0, 40.0), shift_mm=(11.3, -7.1, 2.9))
    still = render(body, [], grid).volume.array
    carried = render(body, [], grid.moved(moved), motion=moved).volume.array
    assert still.std() > 5
    np.testing.assert_allclose(carried, still, atol=1)


def test_vertebrae_are_what_they_say():
    body = SyntheticVertebrae(texture_hu=0.0, trabecular_hu=120.0, cortex_hu=640.0)
    points = np.array([[0, 0, -16], [-2, 1, 16], [22.0, 0, -16], [0, 0, 0], [0, 100, 0], [9, -32, 0], [-37, 30, 14]])
    hu = body.sample_hu(points.astype(float), blur_mm=0.5)
    assert hu.tolist() == [120.0, 120.0, 640.0, 85.0, -1000.0, 140.0, 120.0]
    assert body.bone_labels(points.astype(float)).tolist() == [1, 2, 1, 0, 0, 0, 3]
    assert body.noise_hu(points[0], 5.0) == 0.0


def real_ct(unit: Unit = Unit.HU, modality: Modality = Modality.CT) -> Volume:
    hu = np.random.default_rng(7).normal(150, 20, GRID.shape).round().astype(np.int16)
    return Volume(array=hu, geometry=GRID, unit=unit, modality=modality)


def test_a_real_ct_keeps_its_voxels_where_nothing_moved():
    ct = real_ct()
    np.testing.assert_array_equal(render(RealHost(volume=ct), [], GRID).volume.array, ct.array)


def test_a_lesion_in_a_real_ct_touches_nothing_else_and_has_its_noise():
    ct = real_ct()
    lesion = spec(core_hu=40.0)
    hu = render(RealHost(volume=ct), [lesion], GRID, seed=2).volume.array
    share = whole(lesion, lesion.semi_axes_mm, GRID)
    np.testing.assert_array_equal(hu[share == 0], ct.array[share == 0])
    assert hu[share == 1].mean() == pytest.approx(40.0, abs=4.0)
    assert hu[share == 1].std() == pytest.approx(20.0, rel=0.25)


def test_a_real_ct_moved_is_interpolated_within_its_range_and_ends_at_its_edge():
    ct = real_ct()
    host = RealHost(volume=ct)
    away = rigid_motion(shift_mm=(10.0, 0.0, 0.0))
    hu = render(host, [], GRID, motion=away).volume.array
    assert (hu[:, :, :12] == -1024).all()
    inside = hu[:, :, 14:]
    assert ct.array.min() <= inside.min() <= inside.max() <= ct.array.max()
    back = host.sample_hu(GRID.to_lps([[5, 6, 7]]), blur_mm=1.0)
    assert back == pytest.approx(ct.array[5, 6, 7], abs=1e-6)
    assert host.copied_hu(GRID, away) is None


def test_the_noise_of_a_real_ct_is_found_and_absent_outside_it():
    host = RealHost(volume=real_ct())
    assert host.noise_hu(np.array([0.0, 0.0, 0.0]), 8.0) == pytest.approx(20.0, rel=0.1)
    assert host.noise_hu(np.array([500.0, 0.0, 0.0]), 8.0) == 0.0


def test_a_body_must_be_in_hu():
    with pytest.raises(ImageError, match="not HU") as error:
        RealHost(volume=real_ct(Unit.ARBITRARY, Modality.MR))
    assert error.value.way_out
