"""SPECT: the same functions on a volume, the other side about the body's sagittal plane; and its registration."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from mdanderson.geometry import Geometry
from mdanderson.measure.skeleton import bone_scan_index, survey_scan
from mdanderson.measure.uptake import measure_uptake
from mdanderson.measure.uptake_reference import MIRRORED, NEAR_BY, WHOLE, find_uptake_reference
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_spect
from mdanderson.registration import register
from mdanderson.settings import ImageSettings, Scintigraphy
from mdanderson.volume import Mask

SETTINGS, IMAGE = Scintigraphy(), ImageSettings()
FOCI = (
    Focus(x_mm=85, z_mm=100, radius_mm=12, ratio=4, depth_mm=120),
    Focus(x_mm=0, z_mm=146, radius_mm=12, ratio=4, depth_mm=130),
)
AT_REST, MOVED = ScanPose(), ScanPose(turn_degrees=3.0, shift_mm=(14.0, -22.0))


@lru_cache(maxsize=8)
def spect(body=0, pose=AT_REST, seed=1, scale=1.0):
    shape = (70, 52, 88)
    geometry = Geometry.from_axes(
        shape=shape, spacing_mm=(4.8, 4.8, 4.8), origin_mm=(-(shape[2] - 1) / 2 * 4.8, -30.0, -1040.0)
    )
    return render_spect(ScanBody(seed=body), FOCI, geometry=geometry, pose=pose, noise_seed=seed, scale=scale)


def measured(phantom, label):
    reference = find_uptake_reference(
        phantom.volume, phantom.mask[label], neighbours=phantom.mask.regions, settings=SETTINGS
    )
    return measure_uptake(phantom.volume, phantom.mask[label], reference)


def test_the_other_side_of_the_pelvis():
    found = measured(spect(), 1)
    assert found.reference.source == MIRRORED
    assert found.ratio == pytest.approx(spect().ratio(1), rel=0.1)
    assert found.ratio_sd is None  # a reconstruction's noise is not Poisson's


def test_the_spine_goes_to_the_skeleton():
    found = measured(spect(), 2)
    assert found.reference.source in {NEAR_BY, WHOLE}
    assert found.ratio > 1.5


def test_a_count_scale_changes_nothing():
    one, other = measured(spect(), 1), measured(spect(scale=0.8), 1)
    assert other.ratio == pytest.approx(one.ratio, rel=1e-9)


def test_share_of_the_volume():
    phantom = spect()
    found = bone_scan_index([(phantom.volume, phantom.mask.regions)])
    voxels = sum(int(region.voxels.sum()) for region in phantom.mask)
    assert found.involved == pytest.approx(voxels * 4.8**3 / 1000)
    assert found.percent == pytest.approx(100 * found.involved / found.skeleton)
    assert "volume" in found.why


def test_a_bone_map_is_the_skeleton():
    phantom = spect()
    bones = np.zeros(phantom.volume.array.shape, dtype=np.uint8)
    bones[20:60, 20:40, 20:70] = 1
    bone_map = Mask.from_label_map(bones, phantom.volume.geometry)
    survey = survey_scan(phantom.volume, bone_map=bone_map, settings=SETTINGS)
    np.testing.assert_array_equal(survey.skeleton, bones > 0)


@pytest.mark.parametrize("pose", [AT_REST, MOVED], ids=["as it lay", "moved"])
def test_two_spect_are_laid_on_each_other(pose):
    found = register(spect(3).volume, spect(3, pose=pose, seed=2, scale=0.8).volume, settings=IMAGE)
    points = np.array([[x, y, z - 900.0] for x in (-80, 0, 80) for y in (50, 150) for z in (0, 150)], dtype=float)
    truth = pose.matrix @ np.linalg.inv(AT_REST.matrix)
    off = np.linalg.norm(found.to_follow_up(points) - (points @ truth[:3, :3].T + truth[:3, 3]), axis=1)
    assert found.trusted, found.why
    assert off.max() < 1.5


def test_another_patient_is_not_trusted():
    assert not register(spect(3).volume, spect(5, seed=2).volume, settings=IMAGE).trusted
