"""The skeleton found on a planar scan, and the share of it that lesions cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdanderson.errors import UnitError
from mdanderson.measure.skeleton import bone_scan_index, round_regions, survey_scan
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.settings import Scintigraphy
from mdanderson.vocabulary import View
from mdanderson.volume import Region, Unit

SETTINGS = Scintigraphy()
FOCUS = [Focus(x_mm=95, z_mm=-200, radius_mm=15, ratio=3)]


@pytest.fixture(scope="module")
def views():
    return [render_view(ScanBody(), FOCUS, view=view) for view in View]


def test_bone_is_told_from_soft_tissue(views):
    phantom = views[0]
    skeleton = survey_scan(phantom.volume, settings=SETTINGS).skeleton

    def is_bone(x, z):
        _, row, column = np.rint(phantom.volume.geometry.to_voxel([x, 0.0, z - 900.0])).astype(int)
        return bool(skeleton[0, row, column])

    assert [is_bone(*place) for place in ((95, -200), (0, 400), (82, -600), (85, 100), (205, 380))] == [True] * 5
    assert [is_bone(*place) for place in ((60, 220), (130, -200), (122, -600), (120, 200))] == [False] * 4


@pytest.mark.parametrize("turn", [0.0, 5.0])
def test_the_axis_of_the_body(turn):
    pose = ScanPose(turn_degrees=turn, shift_mm=(17.0, 0.0))
    phantom = render_view(ScanBody(), FOCUS, pose=pose)
    mirror = survey_scan(phantom.volume, lesions=phantom.mask.regions, settings=SETTINGS).mirror
    left, right = (pose.matrix @ np.array([x, 0.0, z, 1.0]) for x, z in ((95.0, -200.0), (-95.0, -200.0)))
    assert np.abs(mirror @ left - right).max() < 1.0


def test_the_share_of_the_area_over_both_views(views):
    found = bone_scan_index([(one.volume, one.mask.regions) for one in views])
    area = sum(int(one.mask[1].voxels.sum()) for one in views) * 2.26**2
    assert found.involved == pytest.approx(area)
    assert found.percent == pytest.approx(100 * area / found.skeleton)
    assert "area" in found.why


def test_nothing_involved(views):
    found = bone_scan_index([(views[0].volume, ())])
    assert (found.percent, found.involved) == (0.0, 0.0)


def test_it_grows_with_the_lesions(views):
    percents = []
    for radius in (10, 20, 30):
        phantom = render_view(ScanBody(), [replace(FOCUS[0], radius_mm=radius)])
        percents.append(bone_scan_index([(phantom.volume, phantom.mask.regions)]).percent)
    assert percents == sorted(percents)
    assert percents[0] < percents[-1]


def test_nothing_counted_has_no_index(views):
    empty = replace(views[0].volume, array=np.zeros_like(views[0].volume.array))
    found = bone_scan_index([(empty, ())])
    assert (found.percent, found.why) == (None, "no skeleton was found on the scan")
    assert bone_scan_index([]).percent is None


def test_other_units_are_an_error(views):
    with pytest.raises(UnitError, match="uptake needs counts"):
        survey_scan(replace(views[0].volume, unit=Unit.SUV), settings=SETTINGS)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_known_as_poisson(seed):
    phantom = render_view(ScanBody(seed=seed), noise_seed=seed, scale=0.8)
    assert survey_scan(phantom.volume, settings=SETTINGS).counts_per_event == pytest.approx(0.8, rel=0.05)


def test_round_a_region_by_millimetres(views):
    geometry = views[0].volume.geometry
    inside = np.zeros(geometry.shape, dtype=bool)
    inside[0, 500, 100] = True
    region = Region.from_array(inside, label=1)
    found = round_regions([region], geometry, 5.0)
    index = np.argwhere(np.ones((1, 21, 21), dtype=bool)) + np.array([0, 490, 90])
    away = np.hypot(*((index[:, 1:] - [500, 100]) * 2.26).T)
    np.testing.assert_array_equal(found[tuple(index.T)], away <= 5.0)
    assert found.sum() == (away <= 5.0).sum()
