"""N4: what it takes out, what it leaves alone, that two runs agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdanderson.measure.bias import BIAS_CORRECTION, corrected
from mdanderson.phantoms import centred_grid
from mdanderson.phantoms.mr import MrSpine, bias_field, render_mr
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import Unit, Volume

SETTINGS = Settings()
GRID = centred_grid((6.0, 3.0, 3.0), (138, 252, 318), centre_mm=(0, -35, 0))


@pytest.fixture(scope="module")
def spine() -> Volume:
    return render_mr(MrSpine(), [], [], GRID).volume


@pytest.fixture(scope="module")
def marrow() -> np.ndarray:
    return MrSpine(texture=0).sample_hu(_points(), blur_mm=0.1) == 600.0


def _points() -> np.ndarray:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij"), axis=-1)
    return GRID.to_lps(index)


def unevenness(volume: Volume, spine: Volume, marrow: np.ndarray) -> float:
    """SD of what shades the marrow, as a share of its mean."""
    field = volume.array[marrow] / spine.array[marrow]
    return float(field.std() / field.mean())


@pytest.mark.parametrize("shape", ["slope", "dome"])
def test_most_of_a_field_of_30_per_cent_is_taken_out(spine, marrow, shape):
    shaded = replace(spine, array=(spine.array * bias_field(GRID, shape, depth=0.3)).astype(np.float32))
    before, after = (unevenness(v, spine, marrow) for v in (shaded, corrected(shaded, settings=SETTINGS)))
    assert before > 0.08
    assert after < before / 3


def test_an_image_without_a_field_stays_nearly_as_it_is(spine, marrow):
    same = corrected(spine, settings=SETTINGS)
    assert unevenness(same, spine, marrow) < 0.02
    assert same.acquisition[BIAS_CORRECTION] == "n4"
    assert same.array.dtype == np.float32


def test_two_runs_agree_to_the_last_bit_and_a_gain_changes_nothing_else(spine):
    first, second = corrected(spine, settings=SETTINGS), corrected(spine, settings=SETTINGS)
    assert np.array_equal(first.array, second.array)
    louder = corrected(replace(spine, array=spine.array * np.float32(4)), settings=SETTINGS)
    assert np.allclose(louder.array, 4 * first.array, rtol=2e-3)


def test_what_was_corrected_is_not_corrected_again(spine):
    once = corrected(spine, settings=SETTINGS)
    assert corrected(once, settings=SETTINGS) is once


@pytest.mark.parametrize("sequence", [MrSequence.IN, MrSequence.OPP, MrSequence.FAT, MrSequence.WATER, MrSequence.ADC])
def test_what_is_measured_in_ratios_of_its_own_is_left_alone(spine, sequence):
    kept = corrected(replace(spine, sequence=sequence), settings=SETTINGS)
    assert np.array_equal(kept.array, spine.array)
    assert kept.acquisition[BIAS_CORRECTION] == "none: measured in ratios that have no field"


def test_an_adc_map_is_known_by_its_unit_too(spine):
    kept = corrected(replace(spine, unit=Unit.ADC, sequence=None), settings=SETTINGS)
    assert np.array_equal(kept.array, spine.array)


def test_it_can_be_switched_off(spine):
    kept = corrected(spine, settings=Settings.from_mapping({"mr": {"bias_correction": "none"}}))
    assert np.array_equal(kept.array, spine.array)
    assert kept.acquisition[BIAS_CORRECTION] == "none: switched off"


@pytest.mark.parametrize("array", [np.zeros((6, 8, 8)), np.full((2, 40, 40), 9.0)])
def test_too_little_tissue_fixes_no_field(spine, array):
    small = replace(spine, array=array.astype(np.float32), geometry=centred_grid((4, 4, 4), np.array(array.shape) * 4))
    kept = corrected(small, settings=SETTINGS)
    assert np.array_equal(kept.array, array)
    assert kept.acquisition[BIAS_CORRECTION] == "none: too little tissue in the image"


def test_padding_stays_padding(spine):
    array = spine.array.copy()
    array[:, :5] = -7.0
    fixed = corrected(replace(spine, array=array, padding=-7.0), settings=SETTINGS)
    assert (fixed.array[:, :5] == -7.0).all()
    assert not np.array_equal(fixed.array[:, 5:], array[:, 5:])
