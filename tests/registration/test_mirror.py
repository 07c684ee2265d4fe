"""Left and right swapped: told from the right way round on CT and MR, and not trusted where it cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdanderson.registration import Subject, register
from mdanderson.registration.judge import judged
from mdanderson.registration.mirror import by_how_much_better, mirror_doubt, mirror_images
from mdanderson.registration.rigid import lay, lay_back
from mdanderson.settings import ImageSettings

SETTINGS = ImageSettings()
SWAP = np.diag([-1.0, 1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def visits(bodies):
    """Two CTs of one body, the second moved by 5 degrees and 10 mm."""
    motion = bodies.motion_of(5, 10, 1)
    grids = bodies.grid((60, 68, 92), (4.0, 3.2, 3.2)), bodies.grid((56, 70, 96), (4.2, 3.1, 3.1), motion[:3, 3])
    return (
        bodies.scan(bodies.Body(person=1), grids[0], noise_hu=10, subsample_mm=3.0),
        bodies.scan(
            bodies.Body(person=1), grids[1], pose=bodies.Pose(motion=motion), noise_hu=10, seed=1, subsample_mm=3.0
        ),
    )


def turned_over(volume):
    return replace(volume, array=np.ascontiguousarray(volume.array[:, :, ::-1]))


def as_imaged(volume, modality, bodies, seed):
    return bodies.mr(volume, seed=seed) if modality == "MR" else volume


@pytest.mark.parametrize("modalities", [("CT", "CT"), ("MR", "MR"), ("CT", "MR"), ("MR", "CT")])
def test_an_image_that_was_turned_over_is_not_trusted(visits, bodies, modalities):
    first, later = (as_imaged(v, m, bodies, k) for k, (v, m) in enumerate(zip(visits, modalities, strict=True)))
    right = register(first, later, settings=SETTINGS)
    assert right.trusted, right.why
    assert not register(first, turned_over(later), settings=SETTINGS).trusted
    assert not register(turned_over(first), later, settings=SETTINGS).trusted


@pytest.mark.parametrize(("modality", "trusted"), [("CT", True), ("MR", False)])
def test_a_body_that_is_its_own_mirror_image_is_laid_as_a_ct_says_and_not_trusted_on_mr(
    visits, bodies, modality, trusted
):
    half = visits[0].array
    same = np.concatenate([half[:, :, : half.shape[2] // 2], half[:, :, : half.shape[2] // 2][:, :, ::-1]], axis=2)
    noise = np.random.default_rng(0).normal(0, 10, same.shape)
    first, later = (
        as_imaged(replace(visits[0], array=array), modality, bodies, seed)
        for seed, array in enumerate((same, (same + noise).astype(np.int16)))
    )
    found = register(first, later, settings=SETTINGS)
    assert found.trusted is trusted, found.why
    assert trusted or "left and right swapped" in found.why


class TestByHowMuch:
    @pytest.fixture(scope="class")
    @staticmethod
    def told(visits):
        one, other = (Subject(volume=visits[0]) for _ in range(2))
        samples, scene = one.samples[0], other.scenes[0]
        return samples, scene, mirror_images(samples, other.samples[0], np.eye(4))[0]

    @pytest.mark.parametrize("calibrated", [True, False])
    def test_it_is_for_the_one_what_it_is_against_the_other(self, told, calibrated):
        samples, scene, mirrored = told
        forth = by_how_much_better(samples, scene, np.eye(4), mirrored, calibrated=calibrated)
        back = by_how_much_better(samples, scene, mirrored, np.eye(4), calibrated=calibrated)
        assert forth > 10
        assert back == pytest.approx(-forth)

    def test_two_that_are_the_same_are_not_apart(self, told):
        samples, scene, _ = told
        assert by_how_much_better(samples, scene, np.eye(4), np.eye(4), calibrated=True) == 0.0

    def test_too_few_places_tell_nothing(self, told):
        samples, scene, mirrored = told
        few = samples.subset(np.arange(399))
        assert by_how_much_better(few, scene, np.eye(4), mirrored, calibrated=True) == 0.0

    def test_a_rising_signal_and_a_falling_one_are_alike_where_values_are_not_calibrated(self, told):
        samples, scene, mirrored = told
        falling = replace(samples, values=1000.0 - 2.0 * samples.values)
        one, other = (by_how_much_better(s, scene, np.eye(4), mirrored, calibrated=False) for s in (samples, falling))
        assert one == pytest.approx(other)

    def test_mirror_images_swap_left_and_right_of_either_body(self, told):
        samples = told[0]
        for matrix in mirror_images(samples, samples, np.eye(4)):
            assert matrix[:3, :3].tolist() == SWAP[:3, :3].tolist()
            assert matrix[0, 3] == pytest.approx(2 * samples.points[0].mean())

    def test_in_words(self):
        assert mirror_doubt(-4.0) == "the images fit better with left and right swapped"
        assert "about as well with left and right swapped (1.2 standard errors apart)" in mirror_doubt(1.2)


BELOW, ABOVE = np.nextafter(3.5, 0), np.nextafter(3.5, 9)


def told_apart(monkeypatch, where: str, better: float) -> None:
    monkeypatch.setattr(f"mdanderson.registration.{where}.by_how_much_better", lambda *_, **__: float(better))


def test_mr_just_below_at_and_above_the_limit(visits, bodies, monkeypatch):
    images = [Subject(volume=as_imaged(v, "MR", bodies, k)) for k, v in enumerate(visits)]
    for better, trusted in ((BELOW, False), (3.5, True), (ABOVE, True)):
        told_apart(monkeypatch, "information", better)
        assert register(*images, settings=SETTINGS).trusted is trusted


@pytest.fixture(scope="module")
def laid(visits):
    """What a CT registration is judged by: both images, one laid on the other and back."""
    subjects = [Subject(volume=volume) for volume in visits]
    there = lay(*subjects)
    return *subjects, there, lay_back(*subjects, there.matrix)


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (np.nextafter(0.95, 0), [False, False, False, True, True]),
        (0.95, [False, True, True, True, True]),
        (np.nextafter(0.95, 1), [False, True, True, True, True]),
    ],
)
def test_ct_just_below_at_and_above_the_limits(laid, monkeypatch, correlation, expected):
    monkeypatch.setattr("mdanderson.registration.judge._Evidence.correlation", property(lambda _: float(correlation)))
    found = []
    for better in (-3.5, -BELOW, BELOW, 3.5, ABOVE):
        told_apart(monkeypatch, "judge", better)
        found.append(judged(*laid, SETTINGS).trusted)
    assert found == expected
