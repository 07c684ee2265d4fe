"""Lesions of known size: axes and volumes against closed forms and a slow second way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from mdanderson.errors import SettingsError
from mdanderson.phantoms import LesionSpec, rigid_motion

AXIAL = np.array([0.0, 0.0, 1.0])


def spec(**changes) -> LesionSpec:
    return LesionSpec(**{"label": 1, "centre_mm": (1.0, -2.0, 3.0), "semi_axes_mm": (9.0, 7.0, 5.0)} | changes)


def section(lesion: LesionSpec, plane_mm: float = 0.0) -> np.ndarray:
    """(n, 2) mm: the outline in an axial plane this far from the centre, by bisection along 720 rays."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    rays = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    low, high = np.zeros(720), np.full(720, 60.0)
    for _ in range(40):
        middle = (low + high) / 2
        inside = lesion.level(rays * middle[:, None] + np.asarray(lesion.centre_mm) + plane_mm * AXIAL) <= 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return rays[:, :2] * low[:, None]


def test_an_upright_ellipsoid_has_its_own_axes():
    assert spec().diameters_mm(AXIAL) == pytest.approx((18.0, 14.0), abs=1e-3)
    assert spec().diameters_mm(np.array([1.0, 0.0, 0.0])) == pytest.approx((14.0, 10.0), abs=1e-3)


half_mm = st.floats(3.0, 15.0)


@given(
    axes=st.tuples(half_mm, half_mm, half_mm),
    turn=st.tuples(*[st.floats(-180, 180)] * 3),
    normal=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
)
@settings(max_examples=50, deadline=None)
def test_any_section_of_an_ellipsoid_has_the_axes_of_its_quadratic_form(axes, turn, normal):
    lesion = spec(semi_axes_mm=axes, rotation_deg=turn)
    form = lesion.axes.T @ np.diag(1 / np.square(axes)) @ lesion.axes
    plane = np.linalg.svd(np.array([normal]))[2][1:]
    low, high = np.sort(2 / np.sqrt(np.linalg.eigvalsh(plane @ form @ plane.T)))
    long_axis, short_axis = lesion.diameters_mm(np.array(normal))
    assert long_axis == pytest.approx(high, rel=1e-4)
    # Where the section is nearly a circle the long axis may point anywhere, and so may the chord across it.
    assert short_axis == pytest.approx(low, rel=5e-3) or high / low < 1.1


@given(turn=st.floats(-180, 180))
@settings(max_examples=20, deadline=None)
def test_a_turn_in_the_plane_changes_no_axis(turn):
    assert spec(rotation_deg=(0.0, 0.0, turn)).diameters_mm(AXIAL) == pytest.approx((18.0, 14.0), abs=2e-3)


@pytest.mark.parametrize(
    "lesion",
    [
        spec(rotation_deg=(20.0, -35.0, 50.0)),
        spec(exponent=3.0, rotation_deg=(0.0, 15.0, 30.0)),
        spec(semi_axes_mm=(9.0, 6.0, 5.0), lobulation=0.15, rotation_deg=(0.0, 0.0, 12.0)),
    ],
    ids=["tilted", "box-like", "lobulated"],
)
def test_axes_agree_with_all_pairs_of_the_outline(lesion):
    outline = section(lesion)
    far = squareform(pdist(outline))
    first, second = np.unravel_index(far.argmax(), far.shape)
    along = (outline[second] - outline[first]) / far.max()
    across = outline @ np.array([-along[1], along[0]])
    place = outline @ along
    same = np.abs(place[:, None] - place[None, :]) < 0.05
    long_axis, short_axis = lesion.diameters_mm(AXIAL)
    assert long_axis == pytest.approx(far.max(), abs=0.02)
    assert short_axis == pytest.approx(np.abs(across[:, None] - across[None, :])[same].max(), abs=0.15)


@pytest.mark.parametrize("lobulation", [0.0, 0.2])
def test_the_greatest_diameter_lies_in_the_plane_through_the_centre(lobulation):
    lesion = spec(rotation_deg=(25.0, 40.0, -10.0), lobulation=lobulation)
    middle = pdist(section(lesion)).max()
    assert all(pdist(section(lesion, plane)).max() < middle for plane in (-3.0, -1.0, 1.0, 3.0))


@pytest.mark.parametrize(
    ("changes", "volume_mm3"),
    [
        ({}, 4 / 3 * np.pi * 9 * 7 * 5),
        ({"exponent": 1.0}, 4 / 3 * 9 * 7 * 5),
        ({"exponent": 20.0}, 8 * 9 * 7 * 5 * 0.989),
    ],
    ids=["ellipsoid", "octahedron", "nearly a box"],
)
def test_volume_by_its_closed_form(changes, volume_mm3):
    assert spec(**changes).volume_ml == pytest.approx(volume_mm3 / 1000, rel=0.02 if "exponent" in changes else 1e-9)


@pytest.mark.parametrize("changes", [{"lobulation": 0.25}, {"lobulation": 0.1, "lobes": 6, "exponent": 2.6}])
def test_volume_by_counting_points(changes):
    lesion = spec(**changes)
    points = np.random.default_rng(1).uniform(-13, 13, (400_000, 3))
    counted = (lesion.level(points + np.asarray(lesion.centre_mm)) <= 1).mean() * 26**3
    assert lesion.volume_ml == pytest.approx(counted / 1000, rel=0.015)


@given(
    exponent=st.floats(1.0, 6.0),
    lobulation=st.floats(0.0, 0.4),
    direction=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
)
@settings(max_examples=50, deadline=None)
def test_level_grows_in_proportion_along_a_ray(exponent, lobulation, direction):
    lesion = spec(exponent=exponent, lobulation=lobulation)
    one, three = (lesion.level(np.asarray(lesion.centre_mm) + k * np.asarray(direction)) for k in (1, 3))
    assert three == pytest.approx(3 * one, rel=1e-9)


@given(exponent=st.floats(1.0, 5.0), lobulation=st.floats(0.0, 0.3), seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_steepness_bounds_the_change_of_level(exponent, lobulation, seed):
    lesion = spec(exponent=exponent, lobulation=lobulation)
    random = np.random.default_rng(seed)
    points = random.normal(0, 5, (200, 3)) + np.asarray(lesion.centre_mm)
    step = random.normal(0, 1, (200, 3))
    step *= 0.01 / np.linalg.norm(step, axis=1, keepdims=True)
    change = np.abs(lesion.level(points + step) - lesion.level(points)) / 0.01
    assert change.max() <= lesion.steepness_per_mm(lesion.semi_axes_mm)


def test_a_high_exponent_does_not_vanish_in_rounding():
    box = spec(exponent=300.0)
    assert box.level(np.array([1.0 + 9 * 0.01, -2.0, 3.0])) == pytest.approx(0.01)
    assert box.level(np.array([1.0, -2.0, 3.0])) == 0.0
    assert box.diameters_mm(AXIAL)[0] == pytest.approx(2 * np.hypot(9, 7), rel=0.01)


def test_shells_from_outside_in():
    outside = spec(rim_thickness_mm=2.0, fill_fraction=0.875)
    assert [layer.hu for layer in outside.layers] == [600.0, 750.0, 40.0]
    assert [layer.semi_axes_mm[0] for layer in outside.layers] == pytest.approx([11.0, 9.0, 4.5])
    inside = spec(rim_thickness_mm=2.0, rim_outside=False)
    assert [(layer.semi_axes_mm[2], layer.hu) for layer in inside.layers] == [(5.0, 600.0), (3.0, 40.0)]
    assert [layer.hu for layer in spec(fill_fraction=1.0).layers] == [750.0]


@pytest.mark.parametrize(("drawn", "outside", "long_mm"), [(True, True, 11.0), (False, True, 9.0), (True, False, 9.0)])
def test_only_a_drawn_outside_rim_enlarges_the_outline(drawn, outside, long_mm):
    lesion = spec(rim_thickness_mm=2.0, rim_drawn=drawn, rim_outside=outside)
    assert lesion.drawn_semi_axes_mm[0] == long_mm


@pytest.mark.parametrize(
    "changes",
    [
        {"label": 0},
        {"semi_axes_mm": (9.0, 0.0, 5.0)},
        {"exponent": 0.9},
        {"lobulation": 0.5},
        {"lobes": 3},
        {"rim_thickness_mm": -1.0},
        {"rim_thickness_mm": 5.0, "rim_outside": False},
        {"fill_fraction": 1.01},
    ],
    ids=str,
)
def test_a_lesion_that_cannot_exist_is_refused(changes):
    with pytest.raises(SettingsError, match=next(iter(changes))) as error:
        spec(**changes)
    assert error.value.way_out


def test_a_motion_turns_about_its_point_and_then_shifts():
    motion = rigid_motion(rotation_deg=(0.0, 0.0, 90.0), shift_mm=(0.0, 0.0, 5.0), about_mm=(10.0, 0.0, 0.0))
    np.testing.assert_allclose(motion @ [10, 0, 0, 1], [10, 0, 5, 1], atol=1e-12)
    np.testing.assert_allclose(motion @ [11, 0, 0, 1], [10, 1, 5, 1], atol=1e-12)
    np.testing.assert_array_equal(rigid_motion(), np.eye(4))
