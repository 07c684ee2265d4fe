"""Planar bone scans laid on each other: a body of known motion, and pairs that do not belong together."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from mdanderson.errors import GeometryError
from mdanderson.geometry import Geometry
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.registration import register
from mdanderson.registration.contour import register_planar
from mdanderson.registration.subject import Subject
from mdanderson.settings import ImageSettings, Scintigraphy
from mdanderson.vocabulary import Modality, View

SETTINGS = ImageSettings()
AT_REST, MOVED = ScanPose(), ScanPose(turn_degrees=3.0, shift_mm=(14.0, -35.0))
FOCI = [Focus(x_mm=x, z_mm=z, radius_mm=12, ratio=6) for x, z in ((60, 420), (0, 300), (-70, 100), (90, -100))]
TRUNK = np.array([[x, 0.0, z - 900.0] for x in (-100, 0, 100) for z in range(0, 700, 100)])


@lru_cache(maxsize=32)
def scan(body=3, pose=AT_REST, view=View.ANT, seed=1, foci=(), scale=1.0, pixel=2.26, shape=(1024, 256), counts=2e6):
    made = body if isinstance(body, ScanBody) else ScanBody(seed=body)
    return render_view(
        made, foci, view=view, pose=pose, noise_seed=seed, scale=scale, pixel_mm=pixel, rows_columns=shape,
        total_counts=counts,
    )  # fmt: skip


def off_mm(found, after, before=AT_REST):
    """Greatest error over head and trunk."""
    truth = after.matrix @ np.linalg.inv(before.matrix)
    return np.linalg.norm(found.to_follow_up(TRUNK) - (TRUNK @ truth[:3, :3].T + truth[:3, 3]), axis=1).max()


@pytest.mark.parametrize(
    ("follow_up", "limit_mm"),
    [
        pytest.param({"seed": 2}, 0.5, id="as it lay"),
        pytest.param({"seed": 2, "scale": 0.8}, 0.5, id="0.8 of the counts"),
        pytest.param({"seed": 3, "pixel": 3.1, "shape": (700, 200)}, 0.5, id="other pixels"),
        pytest.param({"seed": 3, "counts": 3e5}, 1.0, id="few counts"),
        pytest.param({"seed": 3, "foci": tuple(FOCI)}, 0.5, id="new foci"),
        pytest.param({"seed": 3, "body": ScanBody(seed=3, bladder=4.0)}, 0.5, id="full bladder"),
        pytest.param({"seed": 3, "body": ScanBody(seed=3, bladder=0.1)}, 0.5, id="empty bladder"),
    ],
)
def test_the_motion_is_found_to_a_fraction_of_a_pixel(follow_up, limit_mm):
    found = register(scan().volume, scan(pose=MOVED, **follow_up).volume, settings=SETTINGS)
    assert found.trusted, found.why
    assert off_mm(found, MOVED) < limit_mm
    assert found.error_mm < 3.0


def test_posterior_view_lies_in_the_same_space():
    one, other = (scan(view=View.POST, pose=pose, seed=k).volume for k, pose in enumerate((AT_REST, MOVED)))
    found = register(one, other, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, MOVED) < 0.5


def test_moved_arms_leave_the_trunk_right_and_are_told_by_place():
    pose = ScanPose(turn_degrees=-3.0, shift_mm=(-10.0, 20.0), arms_degrees=8.0)
    found = register(scan().volume, scan(pose=pose, seed=2).volume, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, pose) < 0.5
    wrist = np.array([260.0, 0.0, 0.0 - 900.0])
    assert not found.near(wrist).trusted
    assert found.near(np.array([0.0, 0.0, 300.0 - 900.0])).trusted


def test_a_spot_view_within_the_whole_body_is_trusted_where_it_plainly_fits():
    chest = scan(pose=MOVED, seed=2).volume.crop((slice(0, 1), slice(150, 420), slice(0, 256)))
    found = register(scan().volume, chest, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, MOVED) < 1.0


def test_another_start_of_the_table():
    pose = ScanPose(shift_mm=(0.0, -180.0))
    cut = scan(pose=pose, seed=2).volume.crop((slice(0, 1), slice(0, 800), slice(0, 256)))
    found = register(scan().volume, cut, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, pose) < 0.5


def test_segmented_foci_are_left_out():
    one, other = scan(foci=tuple(FOCI)), scan(pose=MOVED, seed=2)
    found = register(Subject(volume=one.volume, lesions=one.mask), other.volume, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, MOVED) < 0.5


@pytest.mark.parametrize("body", range(4, 10))
def test_another_patient_is_not_trusted(body):
    assert not register(scan().volume, scan(body=body, seed=2).volume, settings=SETTINGS).trusted


def test_left_and_right_swapped_is_not_trusted():
    moved = scan(pose=MOVED, seed=2).volume
    assert not register(scan().volume, replace(moved, array=moved.array[:, :, ::-1]), settings=SETTINGS).trusted


def test_a_body_that_is_its_own_mirror_image_is_believed_by_its_header():
    found = register(scan(body=0).volume, scan(body=0, pose=MOVED, seed=2).volume, settings=SETTINGS)
    assert found.trusted
    assert off_mm(found, MOVED) < 0.5


def test_turned_over_by_the_feet_is_not_trusted():
    moved = scan(seed=2).volume
    assert not register(scan().volume, replace(moved, array=moved.array[:, ::-1, :]), settings=SETTINGS).trusted


def test_views_of_two_sides_are_refused():
    found = register(scan().volume, scan(view=View.POST).volume, settings=SETTINGS)
    assert not found.trusted
    assert "different sides" in found.why


def test_nothing_counted_is_refused():
    empty = replace(scan().volume, array=np.zeros_like(scan().volume.array))
    found = register(scan().volume, empty, settings=SETTINGS)
    assert not found.trusted
    assert found.why == "the follow-up shows too little of the body to register by"


def test_noise_alone_is_not_trusted():
    noise = np.random.default_rng(0).poisson(20.0, scan().volume.array.shape).astype(float)
    assert not register(scan().volume, replace(scan().volume, array=noise), settings=SETTINGS).trusted


def test_the_same_images_give_the_same_bits():
    one, other = scan().volume, scan(pose=MOVED, seed=2).volume
    first, second = (register(one, other, settings=SETTINGS) for _ in range(2))
    np.testing.assert_array_equal(first.matrix, second.matrix)
    np.testing.assert_array_equal(first.place_error_mm, second.place_error_mm)


def test_the_count_scale_has_no_part_in_it():
    one, other = scan().volume, scan(pose=MOVED, seed=2).volume
    scaled = replace(other, array=other.array * 0.8)
    first, second = (register(one, view, settings=SETTINGS) for view in (other, scaled))
    np.testing.assert_allclose(first.matrix, second.matrix, rtol=0, atol=1e-9)


def test_a_projection_and_a_volume_are_refused():
    volume = replace(scan().volume, planar=False)
    found = register(scan().volume, volume, settings=SETTINGS)
    assert found.why == "a projection and a volume cannot be laid on each other"


def test_a_bone_scan_and_a_radiograph_are_refused():
    film = replace(scan().volume, modality=Modality.XR, view=None)
    assert (
        register(scan().volume, film, settings=SETTINGS).why
        == "a bone scan and a radiograph cannot be laid on each other"
    )


def test_a_slab_that_faces_elsewhere_is_an_error():
    upright = scan().volume
    lying = Geometry.from_axes(shape=upright.geometry.shape, spacing_mm=(1, 2, 2), origin_mm=(0, 0, 0))
    with pytest.raises(GeometryError, match="not a projection from front to back"):
        register_planar(replace(upright, geometry=lying), upright, settings=SETTINGS)


def test_stricter_limits_trust_less():
    found = register(
        scan().volume,
        scan(pose=MOVED, seed=2, counts=3e5).volume,
        settings=SETTINGS,
        scintigraphy=Scintigraphy(registration_least_correlation=0.9999),
    )
    assert "do not look alike" in found.why
