"""Density classes, fill-in and type: literal samples, thresholds, misregistration, what must not bleed in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure import painted as ph

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.measure.density import (
    DensityMeasure,
    FillIn,
    lesion_type,
    lytic_region,
    measure_density,
    measure_fill_in,
)
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.smoothing import smoothed_box, smoothed_values
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import LesionType, Modality
from mdanderson.volume import Region, Unit, Volume

SETTINGS = ImageSettings()
BONE = ReferenceBone(source="given mask", median_hu=150, robust_sd_hu=10, mean_hu=150, sd_hu=30, voxels=500)
"""Lytic below 110, sclerotic above 250 HU."""


def flat(values, spacing_mm=(1.0, 1.0, 1.0), **fields) -> Volume:
    values = np.asarray(values)
    geometry = ph.grid(spacing_mm, [n * step for n, step in zip(values.shape, spacing_mm, strict=True)])
    return Volume(array=values, geometry=geometry, unit=Unit.HU, modality=Modality.CT, **fields)


def region(volume: Volume, where=np.s_[:]) -> Region:
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array[where] = True
    return Region.from_array(array, label=4, name="L4", tracking_uid="1.2")


def even(hu: float, shape=(8, 8, 8)) -> Volume:
    return flat(np.full(shape, hu, dtype=np.float32))


# --- classes ------------------------------------------------------------------------------------------------------


def test_literal_sample():
    volume = flat(np.array([[[10, 20, 30, 900]]], dtype=np.int16), spacing_mm=(9.0, 9.0, 9.0))  # voxels above the scale
    found = measure_density(volume, region(volume), BONE, settings=SETTINGS)
    assert found == DensityMeasure(
        mean_hu=240.0,
        median_hu=25.0,
        sd_hu=pytest.approx(145250**0.5),
        reference=BONE,
        lytic_fraction=0.75,
        sclerotic_fraction=0.25,
        lytic_focus_mm=pytest.approx((6 / np.pi * 3 * 9**3) ** (1 / 3)),
    )


@pytest.mark.parametrize(
    ("hu", "lytic", "sclerotic"),
    [(109.5, 1, 0), (110, 0, 0), (110.5, 0, 0), (249.5, 0, 0), (250, 0, 0), (250.5, 0, 1)],
)
def test_classes_below_at_and_above_their_thresholds(hu, lytic, sclerotic):
    volume = even(hu)
    found = measure_density(volume, region(volume), BONE, settings=SETTINGS)
    assert (found.lytic_fraction, found.sclerotic_fraction) == (lytic, sclerotic)


def test_without_a_reference_there_are_no_classes():
    volume = even(40)
    assert measure_density(volume, region(volume), None, settings=SETTINGS) == DensityMeasure(
        mean_hu=40.0, median_hu=40.0, sd_hu=0.0
    )


@pytest.mark.parametrize("around_hu", [-100.0, 50.0, 700.0])
@pytest.mark.parametrize("hu", [40.0, 150.0, 700.0])
def test_nothing_bleeds_in_from_outside(around_hu, hu):
    values = np.full((14, 14, 14), around_hu, dtype=np.float32)
    inside = np.s_[3:11, 3:11, 3:11]
    values[inside] = hu
    volume = flat(values)
    found = measure_density(volume, region(volume, inside), BONE, settings=SETTINGS)
    assert (found.lytic_fraction, found.sclerotic_fraction) == (float(hu == 40), float(hu == 700))


@given(st.sampled_from([0.5, 1.0, 1.5, 3.0, 5.0]), st.sampled_from([0.5, 0.8, 1.0, 1.5]))
def test_an_even_lesion_stays_even_on_every_grid(plane_mm, pixel_mm):
    volume = flat(np.full((5, 9, 9), 123.0, dtype=np.float32), spacing_mm=(plane_mm, pixel_mm, pixel_mm))
    assert smoothed_box(volume, (slice(1, 4), slice(2, 7), slice(2, 7)), sigma_mm=1.5) == pytest.approx(123.0, abs=1e-3)


def test_noise_is_judged_at_one_physical_scale():
    """White noise of 71 HU a voxel is 7-12 HU at the scale, on 0.7, 1.0 and 1.5 mm grids of equal noise per volume."""
    random = np.random.default_rng(1)
    spread = []
    for step in (0.7, 1.0, 1.5):
        volume = flat(random.normal(150, 71 / step**1.5, (30, 30, 30)).astype(np.float32), spacing_mm=(step,) * 3)
        box = (slice(6, 24),) * 3
        spread.append(float(smoothed_box(volume, box, sigma_mm=1.5).std()))
    assert min(spread) > 0.85 * max(spread)
    assert max(spread) == pytest.approx(71 / np.sqrt((4 * np.pi) ** 1.5 * 1.5**3), rel=0.2)


def test_smoothing_against_a_slow_oracle():
    random = np.random.default_rng(2)
    volume = flat(random.normal(100, 30, (4, 5, 6)), spacing_mm=(2.0, 1.0, 1.0))
    support = random.random((4, 5, 6)) < 0.7
    sigma = [np.sqrt(1.5**2 - step**2 / 12) for step in (2.0, 1.0, 1.0)]
    index = np.argwhere(support)
    oracle = []
    for one in index:
        steps = (index - one) * (2.0, 1.0, 1.0)
        reach = [int(3.0 * s / step + 0.5) for s, step in zip(sigma, (2.0, 1.0, 1.0), strict=True)]
        weight = np.exp(-0.5 * ((steps / sigma) ** 2).sum(axis=1)) * (abs(index - one) <= reach).all(axis=1)
        oracle.append((weight * volume.array[tuple(index.T)]).sum() / weight.sum())
    found = smoothed_values(volume, (slice(0, 4), slice(0, 5), slice(0, 6)), support, sigma_mm=1.5)
    assert found == pytest.approx(oracle, rel=1e-4)


def test_padding_and_nan_are_not_measured():
    values = np.full((6, 6, 6), 40.0, dtype=np.float32)
    values[:3] = -2000
    values[3, 0] = np.nan
    volume = flat(values, padding=-2000.0)
    found = measure_density(volume, region(volume), BONE, settings=SETTINGS)
    assert (found.mean_hu, found.median_hu, found.lytic_fraction) == (40.0, 40.0, 1.0)


def test_a_lesion_outside_what_was_imaged_is_refused():
    volume = flat(np.full((3, 3, 3), -2000, dtype=np.int16), padding=-2000.0)
    with pytest.raises(MeasurementError, match="label 4 lies where nothing was imaged"):
        measure_density(volume, region(volume), BONE, settings=SETTINGS)
    with pytest.raises(MeasurementError, match="nothing was imaged"):
        measure_fill_in(volume, region(volume), BONE, settings=SETTINGS)


def test_only_hounsfield_units():
    volume = replace(even(40), unit=Unit.ARBITRARY)
    for measure in (measure_density, measure_fill_in, lytic_region):
        with pytest.raises(UnitError, match="density needs HU"):
            measure(volume, region(volume), BONE, settings=SETTINGS)


# --- fill-in ------------------------------------------------------------------------------------------------------


def test_the_lytic_region_keeps_what_it_is_called_and_leaves_the_rest_out():
    values = np.full((6, 6, 12), 150.0, dtype=np.float32)
    values[:, :, :6] = 40
    volume = flat(values)
    found = lytic_region(volume, region(volume), BONE, settings=SETTINGS)
    assert (found.label, found.name, found.tracking_uid) == (4, "L4", "1.2")
    assert found.box[2] in (slice(0, 6), slice(0, 7))


def test_a_lesion_without_lytic_voxels_has_no_lytic_region():
    volume = even(150)
    assert lytic_region(volume, region(volume), BONE, settings=SETTINGS) is None


@pytest.mark.parametrize(("hu", "expected"), [(40, (0, 0)), (150, (0, 1)), (249, (0, 1)), (251, (1, 1)), (750, (1, 1))])
def test_fill_in_of_an_even_place(hu, expected):
    volume = even(hu)
    found = measure_fill_in(volume, region(volume), BONE, settings=SETTINGS)
    assert found == FillIn(fill_in_fraction=expected[0], cleared_fraction=expected[1])


LESION = ph.Ball((0.0, 0.0, 0.0), (7.0, 7.0, 7.0))
GRID = ph.grid((2.0, 1.0, 1.0), (30, 36, 36))


def follow_up(*balls, shift_mm=(0.0, 0.0, 0.0), beyond_hu=150.0, noise_hu=20.0) -> FillIn:
    """A lesion in bone whose left part (x > 8 mm) is `beyond_hu`, and what became of it."""

    def paint(*balls):
        def painted(z, y, x):
            hu = np.where(x + 0 * y + 0 * z > 8, beyond_hu, 150.0)
            for ball in balls:
                hu = np.where(ball.holds(z, y, x), ball.hu, hu)
            return hu

        return painted

    first = ph.as_volume(ph.array(GRID, paint(LESION)), GRID, noise_hu=noise_hu, seed=1)
    later = ph.as_volume(ph.array(GRID, paint(*balls), shift_mm=shift_mm), GRID, noise_hu=noise_hu, seed=2)
    lytic = lytic_region(first, ph.outline(GRID, LESION), BONE, settings=SETTINGS)
    return measure_fill_in(later, lytic, BONE, settings=SETTINGS)


@pytest.mark.parametrize("shift_mm", [(0, 0, 0), (0, 1, 0), (0, 0, -2), (2, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize("beyond_hu", [150.0, 50.0])
def test_complete_fill_in_survives_misregistration(shift_mm, beyond_hu):
    found = follow_up(LESION._replace(hu=700.0), shift_mm=shift_mm, beyond_hu=beyond_hu)
    assert found.cleared_fraction >= 0.95
    assert found.fill_in_fraction >= 0.5


@pytest.mark.parametrize("shift_mm", [(0, 0, 0), (0, 1, 0), (0, 0, 2), (2, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize("beyond_hu", [150.0, 600.0])
def test_an_unchanged_lesion_is_not_filled(shift_mm, beyond_hu):
    assert follow_up(LESION, shift_mm=shift_mm, beyond_hu=beyond_hu).fill_in_fraction < 0.25


def test_a_smaller_outline_is_not_fill_in():
    found = follow_up(LESION.grown(-1.0, 40.0))
    assert found.fill_in_fraction < 0.02
    assert found.cleared_fraction < 0.5


@pytest.mark.parametrize("left", [0.9, 0.8, 0.6, 0.5])
def test_fill_in_grows_with_what_was_filled(left):
    core = LESION._replace(semi_axes=(7 * left,) * 3)
    found = follow_up(LESION._replace(hu=700.0), core, noise_hu=5.0)
    assert found.fill_in_fraction == pytest.approx(1 - left**3, abs=0.25)
    assert found.cleared_fraction < 0.95


def test_a_small_lytic_rest_is_not_blurred_away():
    """A core of 8 mm in 1 mm of dense bone reads filled at the scale of 1.5 mm: never a complete response."""
    small = ph.Ball((0.0, 0.0, 0.0), (5.0, 5.0, 5.0))
    geometry = ph.grid((1.0, 1.0, 1.0), (20, 20, 20))
    place = ph.outline(geometry, small)

    def painted(z, y, x):
        core = small.grown(-1.0, 40.0).holds(z, y, x)
        return np.where(core, 40.0, np.where(small.holds(z, y, x), 750.0, 90.0))

    poor = replace(BONE, median_hu=90.0, robust_sd_hu=5.0)
    found = measure_fill_in(ph.as_volume(ph.array(geometry, painted), geometry), place, poor, settings=SETTINGS)
    assert found.cleared_fraction < 0.95


@pytest.mark.parametrize(("across", "told"), [(0.999, False), (1.0, True), (1.001, True)])
def test_of_too_small_a_volume_nobody_can_say_that_it_cleared(across, told):
    """A ball of 5.5 scales; the 512 voxels here are one of 9.92 mm."""
    volume = even(750, shape=(8, 8, 8))
    ball_mm = float(np.cbrt(6 / np.pi * 512))
    settings = replace(SETTINGS, smoothing_sigma_mm=float(np.nextafter(ball_mm / 5.5, 0)) / across)
    found = measure_fill_in(volume, region(volume), BONE, settings=settings)
    assert found == FillIn(fill_in_fraction=1.0, cleared_fraction=1.0 if told else None)


@pytest.mark.parametrize("shift_mm", [(0, 0, 0), (0, 2, 0), (0, 0, -2), (1, 1, 1)])
def test_a_rest_is_seen_whole_though_its_place_is_misplaced(shift_mm):
    """A core of 7 mm in a lesion of 14, an eighth of its volume, is no complete response wherever it was carried."""
    found = follow_up(LESION._replace(hu=700.0), LESION._replace(semi_axes=(3.5,) * 3), shift_mm=shift_mm)
    assert found.cleared_fraction < 0.95
    assert found.fill_in_fraction >= 0.5


# --- focus --------------------------------------------------------------------------------------------------------


def focus_mm(hu: float, size: int, shape=(24, 24, 24)) -> float:
    """Focus of an even block, above the scale, in a place of 150 HU."""
    volume = even(150, shape=shape)
    values = volume.array.copy()
    values[:size, :size, :size] = hu
    volume = replace(volume, array=values, geometry=ph.grid((9.0, 9.0, 9.0), [9 * n for n in shape]))
    return measure_density(volume, region(volume), BONE, settings=SETTINGS).lytic_focus_mm


@pytest.mark.parametrize(("hu", "is_focus"), [(89.0, True), (90.5, False), (109.0, False), (111.0, False)])
def test_a_focus_is_plainly_deeper_than_the_lytic_limit(hu, is_focus):
    """Lytic is below 110; somewhere a focus lies 60 HU, not 40, under the 150 of its bone."""
    assert (focus_mm(hu, 12) > 0) is is_focus


@pytest.mark.parametrize(("size", "is_focus"), [(5, False), (6, True)])
def test_a_light_patch_is_no_focus(size, is_focus):
    """5^3 is 0.9 % and 6^3 is 1.6 % of a place of 24^3 voxels."""
    expected = float(np.cbrt(6 / np.pi * size**3) * 9) if is_focus else 0.0
    assert focus_mm(20.0, size) == pytest.approx(expected)


# --- type ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lytic", "sclerotic", "expected"),
    [
        (1.0, 0.0, LesionType.LYTIC),
        (0.5, 0.19, LesionType.LYTIC),
        (0.5, 0.2, LesionType.MIXED),
        (0.49, 0.0, LesionType.MIXED),
        (0.0, 1.0, LesionType.BLASTIC),
        (0.19, 0.5, LesionType.BLASTIC),
        (0.2, 0.5, LesionType.MIXED),
        (0.0, 0.49, LesionType.MIXED),
        (0.2, 0.0, LesionType.MIXED),
        (0.19, 0.19, None),
        (0.0, 0.0, None),
    ],
)
def test_type_below_at_and_above_its_thresholds(lytic, sclerotic, expected):
    assert lesion_type(lytic, sclerotic, settings=SETTINGS) is expected
