"""Colours that can be told apart, by who sees few of them too."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mdanderson.palette import DARK, LIGHT, Theme, ink_on, is_hatched, theme
from mdanderson.vocabulary import Category

SIGHTS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: np.ndarray) -> np.ndarray:
    x, y, z = np.cbrt(np.clip(TO_XYZ @ np.clip(colour, 0, 1) / WHITE, 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [LIGHT, DARK], ids=lambda one: one.name)
class TestTheme:
    def test_areas_and_lines_stand_out_from_the_ground(self, ground: Theme):
        for colour in (*ground.categories.values(), *ground.lines):
            assert contrast(colour, ground.background) >= 3

    def test_words_can_be_read(self, ground: Theme):
        assert contrast(ground.text, ground.background) >= 7
        assert contrast(ground.muted, ground.background) >= 4.5

    def test_words_on_categories_can_be_read(self, ground: Theme):
        for colour in ground.categories.values():
            assert contrast(ink_on(colour), colour) >= 4.5

    @pytest.mark.parametrize("sight", SIGHTS)
    def test_categories_stay_apart(self, ground: Theme, sight: str):
        seen = {category: lab(SIGHTS[sight] @ linear(colour)) for category, colour in ground.categories.items()}
        for one, other in combinations(seen, 2):
            assert np.linalg.norm(seen[one] - seen[other]) >= 18, (one, other)

    def test_every_category_has_the_colour_of_what_it_means(self, ground: Theme):
        assert all(ground.category(category) == ground.categories[category.means] for category in Category)


def test_dark_or_light():
    assert (theme(dark=True), theme(dark=False)) == (DARK, LIGHT)


def test_what_is_hatched():
    assert [category.value for category in Category if is_hatched(category)] == ["NE", "iUPD", "PDu"]
