"""One body in two modalities: bones where MR has them, HU where CT has them."""

from __future__ import annotations

import numpy as np
import pytest

from mdanderson.geometry import Geometry
from mdanderson.phantoms.mr import MrSpine
from mdanderson.phantoms.spine_ct import CtSpine

GRID = Geometry.from_axes(shape=(20, 40, 40), spacing_mm=(4, 4, 4), origin_mm=(-80, -80, -40))


def test_its_bones_are_those_of_the_mr():
    ct, mr = CtSpine(seed=2).bone_map(GRID), MrSpine(seed=2).bone_map(GRID)
    np.testing.assert_array_equal(ct.to_label_map(), mr.to_label_map())


@pytest.mark.parametrize(
    ("place_mm", "hu"),
    [
        ((0, 0, 0), 170),
        ((0, 0, 16), 85),
        ((40, 2, 10), 55),
        ((0, 68, 0), -100),
        ((0, 200, 0), -977),
        ((23.5, 0, 0), 650),
    ],
    ids=["marrow", "disc", "muscle", "fat", "air", "cortex"],
)
def test_its_tissues_are_in_hu(place_mm, hu):
    found = CtSpine(texture=0.0).sample_hu(np.array(place_mm, dtype=float), blur_mm=0.1)
    assert found == pytest.approx(hu, abs=1.0)
