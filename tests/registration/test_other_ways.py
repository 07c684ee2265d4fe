"""MR, bent backs, labelled bones, one space by the headers: each against a motion that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdanderson.registration import Part, Registration, Subject, register, register_in_one_space
from mdanderson.registration.bones import label_at, label_start, same_label_share
from mdanderson.settings import ImageSettings
from mdanderson.volume import Mask

SETTINGS = ImageSettings()


@pytest.fixture(scope="module")
def first(bodies):
    return bodies.scan(bodies.Body(person=3), bodies.grid((64, 72, 96), (4.0, 3.2, 3.2)), noise_hu=10, subsample_mm=2.5)


@pytest.fixture(scope="module")
def motion(bodies):
    return bodies.motion_of(10, 20, 1)


@pytest.fixture(scope="module")
def later(bodies, motion):
    geometry = bodies.grid((60, 76, 100), (4.2, 3.1, 3.1), motion[:3, 3])
    body = bodies.Body(person=3, lesions=bodies.GROWN)
    return bodies.scan(body, geometry, pose=bodies.Pose(motion=motion), noise_hu=10, seed=1, subsample_mm=2.5)


def error_mm(found, bodies, motion):
    truth = bodies.Pose(motion=motion).to_scan(bodies.sites())
    return np.linalg.norm(found.to_follow_up(bodies.sites()) - truth, axis=1)


@pytest.mark.parametrize("kind", ["MR on MR", "MR on CT", "T2 on T1"])
def test_mutual_information(bodies, first, later, motion, kind):
    one = first if kind == "MR on CT" else bodies.mr(first)
    found = register(one, bodies.mr(later, t2=kind == "T2 on T1", gain=1.3, seed=2), settings=SETTINGS)
    assert found.trusted, found.why
    assert error_mm(found, bodies, motion).max() <= 1.0
    assert error_mm(found, bodies, motion).max() <= found.error_mm + 0.5


def test_an_mr_of_noise_is_not_trusted(bodies, first):
    noise = np.random.default_rng(0).integers(0, 900, first.array.shape).astype(np.int16)
    image = bodies.mr(first)
    found = register(image, replace(image, array=noise), settings=SETTINGS)
    assert not found.trusted
    assert found.why


def test_mutual_information_repeats_to_the_bit(bodies, first, later):
    one, other = (register(first, bodies.mr(later), settings=SETTINGS) for _ in range(2))
    assert one.matrix.tobytes() == other.matrix.tobytes()


def test_a_bent_back_is_followed_bone_by_bone(bodies, first):
    pose = bodies.Pose(bend_per_m=35.0)
    bent = bodies.scan(bodies.Body(person=3, lesions=bodies.GROWN), first.geometry, pose=pose, noise_hu=10, seed=1)
    lesions = bodies.outlined(bodies.LESIONS, first.geometry), bodies.outlined(bodies.GROWN, first.geometry, pose)
    found = register(
        Subject(volume=first, lesions=lesions[0]), Subject(volume=bent, lesions=lesions[1]), settings=SETTINGS
    )
    assert found.trusted, found.why
    vertebrae = bodies.sites()[[0, 1]]
    truth = pose.to_scan(vertebrae)
    near = np.array([found.near(place).to_follow_up(place) for place in vertebrae])
    assert np.linalg.norm(near - truth, axis=1).max() <= 1.0
    back = np.array([found.near_follow_up(place).to_baseline(place) for place in near])
    assert back == pytest.approx(vertebrae, abs=1e-6)


def labelled(volume, bodies, motion):
    """Slabs of 40 mm of the body as its bones: 1, 2, 3, ... from below."""
    index = np.stack(np.meshgrid(*map(np.arange, volume.geometry.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    body = bodies.Pose(motion=motion).to_body(volume.geometry.to_lps(index))
    slab = (np.floor(body[:, 2] / 40.0) + 5).astype(np.uint8).reshape(volume.geometry.shape)
    return Mask.from_label_map(np.where(volume.array > 130, slab, 0).astype(np.uint8), volume.geometry)


@pytest.fixture(scope="module")
def pair(first, later, bodies, motion):
    return (
        Subject(volume=first, bones=labelled(first, bodies, np.eye(4))),
        Subject(volume=later, bones=labelled(later, bodies, motion)),
    )


class TestLabels:
    def test_bones_of_one_label_give_the_start(self, pair, bodies, motion):
        start = label_start(*pair)[0]
        moved = bodies.sites() @ start[:3, :3].T + start[:3, 3]
        assert np.linalg.norm(moved - bodies.Pose(motion=motion).to_scan(bodies.sites()), axis=1).max() <= 15.0

    def test_labels_bear_the_right_place_out_and_no_other(self, pair, motion):
        assert same_label_share(*pair, motion) >= 0.8
        level_off = motion.copy()
        level_off[:3, 3] += motion[:3, 2] * 40.0
        assert same_label_share(*pair, level_off) <= 0.3

    def test_they_can_refuse_what_the_images_allow(self, pair):
        renamed = Mask(
            geometry=pair[1].bones.geometry,
            regions=tuple(replace(r, label=1 + (r.label + 1) % 8) for r in pair[1].bones.regions),
        )
        found = register(pair[0], Subject(volume=pair[1].volume, bones=renamed), settings=SETTINGS)
        assert not found.trusted
        assert "same label" in found.why

    def test_none_shared_is_no_reason_for_doubt(self, pair):
        bare = Subject(volume=pair[1].volume)
        assert label_start(pair[0], bare) == []
        assert same_label_share(pair[0], bare, np.eye(4)) is None
        assert label_at(bare, np.zeros(3)) == 0


class TestOneSpace:
    def test_headers_that_are_right(self, first):
        found = register_in_one_space(Subject(volume=first), Subject(volume=first), settings=SETTINGS)
        assert found.trusted
        assert found.matrix.tolist() == np.eye(4).tolist()
        assert found.error_mm < 0.1

    def test_a_patient_who_moved_between_two_series(self, first, later, bodies, motion):
        found = register_in_one_space(Subject(volume=first), Subject(volume=later), settings=SETTINGS)
        assert found.trusted, found.why
        assert "the headers place both images in one space" in found.why
        assert error_mm(found, bodies, motion).max() <= 1.0

    def test_what_cannot_be_compared_is_said(self, first, bodies):
        found = register_in_one_space(Subject(volume=first), Subject(volume=bodies.mr(first)), settings=SETTINGS)
        assert found.trusted
        assert "too little in common to check" in found.why


class TestParts:
    def test_a_part_speaks_for_its_neighbourhood_alone(self):
        moved = np.eye(4)
        moved[0, 3] = 3.0
        part = Part(centre_mm=np.zeros(3), matrix=moved, error_mm=0.5)
        found = replace(Registration.identity(), parts=(part,), limit_mm=5.0)
        assert found.near([0.0, 0, 24]).to_follow_up([0.0, 0, 24]).tolist() == [3, 0, 24]
        assert found.near([0.0, 0, 26]).to_follow_up([0.0, 0, 26]).tolist() == [0, 0, 26]
        assert found.near_follow_up([3.0, 0, 0]).to_baseline([3.0, 0, 0]).tolist() == [0, 0, 0]
        assert found.inverse().near([3.0, 0, 0]).to_follow_up([3.0, 0, 0]).tolist() == [0, 0, 0]

    @pytest.mark.parametrize(("error", "trusted"), [(4.99, True), (5.0, True), (5.01, False), (np.inf, False)])
    def test_a_place_is_trusted_up_to_the_limit(self, error, trusted):
        part = Part(centre_mm=np.zeros(3), matrix=np.eye(4), error_mm=error)
        near = replace(Registration.identity(), parts=(part,), limit_mm=5.0).near(np.zeros(3))
        assert near.trusted is trusted
        assert ("here" in near.why) is not trusted

    def test_two_registrations_in_a_row(self):
        step = np.eye(4)
        step[2, 3] = 10.0
        first = Registration(matrix=step, error_mm=1.0, trusted=True, why="")
        part = Part(centre_mm=np.array([0.0, 0, 10]), matrix=step, error_mm=0.5)
        both = replace(first, parts=(part,), error_mm=2.0).after(first)
        assert both.to_follow_up([0.0, 0, 0]).tolist() == [0, 0, 20]
        assert both.parts[0].centre_mm.tolist() == [0, 0, 0]
        assert (both.error_mm, both.parts[0].error_mm) == (3.0, 1.5)
