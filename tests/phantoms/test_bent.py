"""Lesions along a midline, and sizes of any shape: against closed forms and counted points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError, SettingsError
from mdanderson.phantoms import LesionSpec, centred_grid, render
from mdanderson.phantoms.bone import SyntheticBone
from mdanderson.phantoms.truth import as_one

AXIAL = np.array([0.0, 0.0, 1.0])
FORMS = ("rod", "crescent", "l")


def bent(form="crescent", **changes) -> LesionSpec:
    return LesionSpec(
        **{"label": 1, "centre_mm": (1.0, 2.0, 3.0), "semi_axes_mm": (18.0, 5.0, 6.0), "form": form} | changes
    )


def counted(lesion: LesionSpec, semi_axes_mm=None) -> float:
    """Volume in ml, by a million points."""
    points = np.random.default_rng(3).uniform(-20, 20, (1_000_000, 3)) + np.asarray(lesion.centre_mm)
    return float((lesion.level(points, semi_axes_mm) <= 1).mean()) * 64.0


@pytest.mark.parametrize("form", FORMS)
def test_volume_by_its_closed_form_and_by_counting(form):
    lesion = bent(form, rotation_deg=(10.0, -20.0, 70.0))
    assert lesion.volume_ml == pytest.approx(counted(lesion), rel=0.015)
    assert lesion.volume_ml == pytest.approx(as_one([lesion], AXIAL).volume_ml, rel=0.005)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fill", [0.2, 0.6, 0.95])
def test_filling_leaves_the_share_that_was_not_filled(form, fill):
    lesion = bent(form, fill_fraction=fill)
    whole, left = lesion.layers
    assert counted(lesion, left.semi_axes_mm) / counted(lesion, whole.semi_axes_mm) == pytest.approx(1 - fill, abs=0.02)


def test_a_rod_is_as_long_as_it_says_and_a_crescent_shorter():
    assert bent("rod").diameters_mm(AXIAL) == pytest.approx((36.0, 10.0), abs=0.03)
    radius = 26 / np.radians(150)
    long_axis, short_axis = bent("crescent").diameters_mm(AXIAL)
    assert long_axis == pytest.approx(2 * radius * np.sin(np.radians(75)) + 10, abs=0.05)
    assert 10.0 < short_axis < radius * (1 - np.cos(np.radians(75))) + 10


def test_a_rod_across_the_planes_is_a_disc():
    assert bent("rod", semi_axes_mm=(18.0, 5.0, 5.0)).diameters_mm(np.array([1.0, 0, 0])) == pytest.approx(
        (10, 10), abs=0.05
    )


@given(turn=st.floats(-180, 180), form=st.sampled_from(FORMS))
@settings(max_examples=3, deadline=None)
def test_a_turn_in_the_plane_changes_no_axis(turn, form):
    still, turned = (bent(form, rotation_deg=(0.0, 0.0, angle)).diameters_mm(AXIAL) for angle in (0.0, turn))
    assert turned == pytest.approx(still, abs=0.15)


@pytest.mark.parametrize("form", FORMS)
def test_the_surface_never_outruns_its_steepness(form):
    lesion = bent(form, semi_axes_mm=(15.0, 4.0, 3.0))
    points = np.random.default_rng(1).uniform(-20, 20, (20_000, 3))
    steps = np.random.default_rng(2).normal(size=(20_000, 3)) * 1e-3
    slope = np.abs(lesion.level(points + steps) - lesion.level(points)) / np.linalg.norm(steps, axis=1)
    assert slope.max() <= lesion.steepness_per_mm(lesion.semi_axes_mm) * 1.001


@pytest.mark.parametrize(
    "changes",
    [
        {"semi_axes_mm": (5.0, 5.0, 5.0)},
        {"semi_axes_mm": (9.0, 5.0, 5.0), "form": "l"},
        {"bend_deg": 299.0},
        {"bend_deg": 0.0},
        {"lobulation": 0.2},
    ],
    ids=["no midline", "leg too short", "runs into itself", "not bent", "lobes too"],
)
def test_what_cannot_be_bent_is_refused(changes):
    with pytest.raises(SettingsError, match="form=") as error:
        bent(**changes)
    assert "long enough" in error.value.way_out


class TestAsOne:
    @pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.3, -0.5, 0.8)])
    def test_an_ellipsoid_has_its_closed_forms(self, normal):
        lesion = LesionSpec(
            label=1, centre_mm=(4.0, -9.0, 30.0), semi_axes_mm=(12.0, 8.0, 6.0), rotation_deg=(10, 20, 30)
        )
        size = as_one([lesion], np.array(normal))
        assert (size.long_axis_mm, size.short_axis_mm) == pytest.approx(lesion.diameters_mm(np.array(normal)), abs=0.05)
        assert size.volume_ml == pytest.approx(lesion.volume_ml, rel=0.003)
        assert size.centroid_mm == pytest.approx(lesion.centre_mm, abs=0.02)

    def test_two_balls_apart_span_their_gap(self):
        balls = [LesionSpec(label=1, centre_mm=(x, 0.0, 0.0), semi_axes_mm=(4.0, 4.0, 4.0)) for x in (-10.0, 10.0)]
        size = as_one(balls, AXIAL)
        assert (size.long_axis_mm, size.short_axis_mm) == pytest.approx((28.0, 8.0), abs=0.1)
        assert size.volume_ml == pytest.approx(2 * balls[0].volume_ml, rel=0.01)
        assert size.centroid_mm == pytest.approx((0, 0, 0), abs=0.02)

    def test_what_lies_within_adds_nothing(self):
        big, small = (LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(r, r, r)) for r in (9.0, 3.0))
        assert as_one([big, small], AXIAL) == as_one([big], AXIAL)

    def test_nothing_has_no_size(self):
        dot = LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(1e-4, 1e-4, 1e-4))
        far = LesionSpec(label=1, centre_mm=(90.0, 0.0, 0.0), semi_axes_mm=(1e-4, 1e-4, 1e-4))
        with pytest.raises(MeasurementError, match="without a volume"):
            as_one([dot, far], AXIAL)


def test_shapes_of_one_label_are_one_region():
    grid = centred_grid((1.0, 1.0, 1.0), (20.0, 24.0, 40.0))
    balls = [LesionSpec(label=4, centre_mm=(x, 0.0, 0.0), semi_axes_mm=(4.0, 4.0, 4.0)) for x in (-9.0, 9.0)]
    alone = [render(SyntheticBone(), [ball], grid).mask[4].voxels.sum() for ball in balls]
    together = render(SyntheticBone(), balls, grid).mask
    assert [region.label for region in together] == [4]
    assert together[4].voxels.sum() == sum(alone)
