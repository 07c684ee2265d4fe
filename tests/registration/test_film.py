"""Radiographs laid on each other: one femur of known motion, and pairs that do not belong together."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from mdanderson.phantoms.film import Exposure, Femur, render_film
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.registration import Subject, register
from mdanderson.settings import ImageSettings, Radiograph

SETTINGS = ImageSettings()
HOLES = (
    LesionSpec(label=1, centre_mm=(2, -2, -60), semi_axes_mm=(9, 8, 9)),
    LesionSpec(label=2, centre_mm=(4, 0, -15), semi_axes_mm=(8, 8, 9)),
)
PLACES = np.array([[2.0, -2.0, -60.0], [4.0, 0.0, -15.0], [-30.0, -6.0, 60.0], [10.0, 4.0, 40.0]])
"""In bone, body space: both lesions, neck and trochanter."""


class Film:
    """A radiograph and where it shows a place of the body."""

    def __init__(self, host=None, lesions=HOLES, motion=None, shape=(184, 120), pixel=1.0, middle=(-8.0, -5.0), **more):
        self.made = render_film(
            host or Femur(),
            lesions,
            motion=motion,
            rows_columns=shape,
            pixel_mm=pixel,
            middle_mm=middle,
            exposure=Exposure(**({"seed": 2} | more)),
        )
        self.motion = np.eye(4) if motion is None else motion
        self.origin = np.array([middle[0], 0.0, middle[1] + (shape[0] - 1) / 2 * pixel])
        self.subject = Subject(volume=self.made.volume, lesions=self.made.mask)

    def places(self):
        moved = PLACES @ self.motion[:3, :3].T + self.motion[:3, 3] - self.origin
        return moved * (1, 0, 1)


@lru_cache(maxsize=1)
def baseline():
    return Film(seed=1)


def laid(film, first=None, **more):
    return register((first or baseline()).subject, film.subject, settings=SETTINGS, **more)


@pytest.mark.parametrize(
    ("film", "limit_mm"),
    [
        pytest.param({}, 0.1, id="as it lay"),
        pytest.param({"gain": 1.3, "offset": 0.4, "slope": 0.3, "noise": 0.02}, 0.2, id="exposed otherwise"),
        pytest.param({"motion": rigid_motion(rotation_deg=(0, 5, 0), shift_mm=(9, 0, -14))}, 0.3, id="moved"),
        pytest.param({"pixel": 0.8, "shape": (250, 170), "middle": (-3.0, -9.0)}, 0.3, id="other pixels"),
        pytest.param({"lesions": (), "motion": rigid_motion(rotation_deg=(0, -3, 0))}, 0.3, id="healed"),
        pytest.param({"motion": rigid_motion(rotation_deg=(2, 3, 4), shift_mm=(6, 0, -8))}, 1.0, id="turned a little"),
    ],
)
def test_the_motion_is_found(film, limit_mm):
    other = Film(**film)
    found = laid(other)
    assert found.trusted, found.why
    assert np.linalg.norm(found.to_follow_up(baseline().places()) - other.places(), axis=1).max() < limit_mm
    assert found.error_mm < 3.0


@pytest.mark.parametrize(
    ("film", "why"),
    [
        pytest.param({"motion": rigid_motion(rotation_deg=(0, 0, 30))}, "look alike|unnoticed|alike", id="projection"),
        pytest.param({"host": Femur(seed=5, scale=0.88)}, "look alike|unnoticed|alike|disagree", id="another person"),
    ],
)
def test_another_picture_is_not_trusted(film, why):
    found = laid(Film(**film))
    assert not found.trusted
    assert any(word in found.why for word in why.split("|"))


def test_a_smooth_shaft_could_slide():
    host = Femur(trabecular_hu=0.0)
    first, second = (
        Film(host=host, lesions=(), shape=(90, 90), middle=(0.0, middle), seed=seed)
        for middle, seed in ((-92.0, 1), (-84.0, 2))
    )
    found = laid(second, first)
    assert not found.trusted


def test_left_and_right_swapped_is_not_trusted():
    film = baseline().made.volume
    swapped = replace(film, array=np.ascontiguousarray(film.array[..., ::-1]))
    assert not register(film, swapped, settings=SETTINGS).trusted


def test_noise_alone_is_not_trusted():
    film = baseline().made.volume
    noise = np.random.default_rng(0).normal(size=film.array.shape).astype(np.float32)
    assert not register(film, replace(film, array=noise), settings=SETTINGS).trusted


def test_nothing_imaged_is_refused():
    film = baseline().made.volume
    blank = replace(film, array=np.zeros_like(film.array))
    assert register(film, blank, settings=SETTINGS).why == "the follow-up shows too little to register by"


def test_a_collimated_margin_and_letters_move_nothing():
    """Both stay on the detector while the bone moves under them."""

    def covered(volume):
        array = volume.array.copy()
        array[:, :12], array[:, :, :8] = 0.0, 0.0
        array[:, 20:32, 12:20] = 9.0
        return replace(volume, array=array)

    other = Film(motion=rigid_motion(rotation_deg=(0, 4, 0), shift_mm=(7, 0, -9)))
    found = register(covered(baseline().made.volume), covered(other.made.volume), settings=SETTINGS)
    assert found.trusted, found.why
    assert np.linalg.norm(found.to_follow_up(baseline().places()) - other.places(), axis=1).max() < 0.5


def test_the_same_films_give_the_same_bits():
    other = Film(gain=1.3, noise=0.02)
    assert np.array_equal(laid(other).matrix, laid(other).matrix)


def test_stricter_limits_trust_less():
    found = laid(Film(noise=0.02), radiograph=Radiograph(registration_least_correlation=0.99999))
    assert "do not look alike" in found.why
