"""MR signal as ratios: literal samples, spacing, gain, pairs of images, ADC, places; every way that says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.geometry import Geometry
from mdanderson.measure.signal import fat_fraction, measure_adc, measure_signal, opposed_in_ratio, place_signal
from mdanderson.measure.signal_reference import GIVEN_MASK, NoReference, SignalReference
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Region, Unit, Volume

SETTINGS = Settings()
SHAPE = (6, 10, 12)
BLOCK = np.zeros(SHAPE, dtype=bool)
BLOCK[1:4, 2:6, 3:8] = True
PLACE = Region.from_array(BLOCK, label=1)


def geometry(spacing_mm=(3.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0), uid="1.2", shape=SHAPE) -> Geometry:
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin_mm, frame_of_reference_uid=uid)


def image(array, sequence=MrSequence.T1, *, unit=Unit.ARBITRARY, on=None, padding=None) -> Volume:
    array = np.asarray(array, dtype=np.float32)
    return Volume(
        array=array,
        geometry=on or geometry(shape=array.shape),
        unit=unit,
        modality=Modality.MR,
        sequence=sequence,
        padding=padding,
        source="image",
    )


def painted(inside, outside=100.0, **facts) -> Volume:
    return image(np.where(BLOCK, inside, outside), **facts)


def marrow(median=100.0) -> SignalReference:
    return SignalReference(source=GIVEN_MASK, median=median, robust_sd=5.0, voxels=500)


def test_ratio_is_the_lesions_median_over_the_references():
    values = np.full(SHAPE, 100.0)
    values[BLOCK] = np.arange(60)
    measured = measure_signal(image(values), PLACE, marrow(50.0), settings=SETTINGS)
    assert (measured.mean, measured.median, measured.voxels) == (29.5, 29.5, 60)
    assert measured.ratio == pytest.approx(0.59)
    assert measured.reference == marrow(50.0)
    assert measured.why == ""


def test_a_bright_vessel_moves_the_mean_and_not_the_ratio():
    values = np.where(BLOCK, 60.0, 100.0)
    values[1, 2, 3:8] = 900.0
    measured = measure_signal(image(values), PLACE, marrow(), settings=SETTINGS)
    assert measured.ratio == pytest.approx(0.6)
    assert measured.mean == pytest.approx(130.0)


def test_without_reference_there_is_no_ratio_and_the_reason_is_kept():
    measured = measure_signal(painted(60.0), PLACE, NoReference(why="no marrow in sight"), settings=SETTINGS)
    assert measured.ratio is None
    assert measured.reference is None
    assert measured.why == "no marrow in sight"
    assert measured.median == 60.0


@pytest.mark.parametrize(("voxels", "judged"), [(7, False), (8, True), (9, True)])
def test_a_handful_of_voxels_has_no_ratio(voxels, judged):
    few = np.zeros(SHAPE, dtype=bool)
    few.reshape(-1)[:voxels] = True
    measured = measure_signal(painted(60.0), Region.from_array(few, label=1), marrow(), settings=SETTINGS)
    assert (measured.ratio is not None) is judged
    assert (measured.why == "") is judged


def test_voxels_never_imaged_take_no_part():
    values = np.where(BLOCK, 60.0, 100.0)
    values[1] = -1.0
    assert measure_signal(image(values, padding=-1.0), PLACE, marrow(), settings=SETTINGS).mean == 60.0
    with pytest.raises(MeasurementError, match="nothing was imaged"):
        measure_signal(image(np.full(SHAPE, -1.0), padding=-1.0), PLACE, marrow(), settings=SETTINGS)


@given(gain=st.floats(0.01, 100.0), spacing=st.floats(0.3, 8.0))
def test_gain_and_spacing_change_no_ratio(gain, spacing):
    values = np.where(BLOCK, 63.0, 100.0) * gain
    volume = image(values, on=geometry(spacing_mm=(spacing, 1.0, 1.0)))
    measured = measure_signal(volume, PLACE, marrow(100.0 * gain), settings=SETTINGS)
    assert measured.ratio == pytest.approx(0.63, rel=1e-5)


@pytest.mark.parametrize(
    ("sequence", "ratio", "abnormal"),
    [
        (MrSequence.T1, 0.79, 1.0),
        (MrSequence.T1, 0.80, 0.0),
        (MrSequence.T1, 0.81, 0.0),
        (MrSequence.T1, 1.19, 0.0),
        (MrSequence.T1, 1.20, 0.0),
        (MrSequence.T1, 1.21, 1.0),
        (None, 0.79, 1.0),
        (MrSequence.T2, 0.3, 0.0),
        (MrSequence.STIR, 1.20, 0.0),
        (MrSequence.STIR, 1.21, 1.0),
    ],
)
def test_what_of_a_place_is_abnormal_follows_the_limits_of_cr3(sequence, ratio, abnormal):
    shown = place_signal(painted(ratio * 1000, sequence=sequence), PLACE, marrow(1000.0), settings=SETTINGS)
    assert shown.ratio == pytest.approx(ratio, rel=1e-6)
    assert shown.abnormal_fraction == abnormal


def test_a_rest_in_a_place_shows_in_its_spread_and_focus():
    values = np.full(SHAPE, 100.0)
    values[1:3, 2:4, 3:5] = 40.0
    narrow = Settings.from_mapping({"image": {"smoothing_sigma_mm": 0.01}})
    shown = place_signal(image(values), PLACE, marrow(), settings=narrow)
    assert shown.ratio == 1.0
    assert shown.ratio_p10 == pytest.approx(0.4)
    assert shown.ratio_p90 == 1.0
    assert shown.abnormal_fraction == pytest.approx(8 / 60)
    assert shown.abnormal_focus_mm == pytest.approx((6 / np.pi * 8 * 3.0) ** (1 / 3))


@pytest.mark.parametrize("sequence", [MrSequence.IN, MrSequence.OPP, MrSequence.ADC, MrSequence.FAT, MrSequence.WATER])
def test_a_place_is_not_compared_with_marrow_in_sequences_that_cannot_tell(sequence):
    shown = place_signal(painted(50.0, sequence=sequence), PLACE, marrow(), settings=SETTINGS)
    assert shown.ratio is None
    assert "not compared with marrow" in shown.why


def test_a_place_without_reference_says_why():
    shown = place_signal(painted(50.0), PLACE, NoReference(why="none"), settings=SETTINGS)
    assert (shown.ratio, shown.why) == (None, "none")


def test_opposed_over_in_phase_on_one_grid():
    pair = opposed_in_ratio(
        painted(200.0, sequence=MrSequence.IN), painted(150.0, sequence=MrSequence.OPP), PLACE, geometry()
    )
    assert (pair.value, pair.voxels, pair.why) == (0.75, 60, "")


def test_a_pair_on_two_grids_meets_in_millimetres():
    z = np.arange(SHAPE[0])[:, None, None] * 3.0 + np.zeros(SHAPE)
    in_phase = image(100.0 + z, MrSequence.IN)
    fine = geometry(spacing_mm=(1.5, 1.0, 1.0), shape=(12, 10, 12))
    z_fine = np.arange(12)[:, None, None] * 1.5 + np.zeros(fine.shape)
    opposed = image(0.5 * (100.0 + z_fine), MrSequence.OPP, on=fine)
    pair = opposed_in_ratio(in_phase, opposed, PLACE, geometry())
    assert pair.value == pytest.approx(0.5)


def test_a_shared_field_cancels_in_a_pair():
    field = np.linspace(0.5, 2.0, SHAPE[2])[None, None] + np.zeros(SHAPE)
    pair = opposed_in_ratio(image(300 * field, MrSequence.IN), image(240 * field, MrSequence.OPP), PLACE, geometry())
    assert pair.value == pytest.approx(0.8)


def test_fat_fraction_in_per_cent():
    pair = fat_fraction(
        painted(30.0, sequence=MrSequence.FAT), painted(90.0, sequence=MrSequence.WATER), PLACE, geometry()
    )
    assert pair.value == pytest.approx(25.0)


def test_a_pair_that_shows_nothing_says_why():
    nothing = painted(0.0, sequence=MrSequence.IN)
    pair = opposed_in_ratio(nothing, painted(5.0, sequence=MrSequence.OPP), PLACE, geometry())
    assert (pair.value, pair.why) == (None, "no in-phase signal there")
    fat, water = painted(0.0, sequence=MrSequence.FAT), painted(0.0, sequence=MrSequence.WATER)
    assert fat_fraction(fat, water, PLACE, geometry()).why == "no signal of fat or water there"
    aside = image(np.ones(SHAPE), MrSequence.OPP, on=geometry(origin_mm=(500.0, 0.0, 0.0)))
    seen = opposed_in_ratio(painted(9.0, sequence=MrSequence.IN), aside, PLACE, geometry())
    assert (seen.value, seen.why) == (None, "both images show 0 of 60 voxels only")


def test_pairs_of_other_sequences_or_other_spaces_are_refused():
    in_phase = painted(9.0, sequence=MrSequence.IN)
    with pytest.raises(MeasurementError, match="a T1 image where OPP is needed"):
        opposed_in_ratio(in_phase, painted(9.0), PLACE, geometry())
    with pytest.raises(MeasurementError, match="a nameless image where WATER is needed"):
        fat_fraction(painted(9.0, sequence=MrSequence.FAT), painted(9.0, sequence=None), PLACE, geometry())
    elsewhere = image(np.ones(SHAPE), MrSequence.OPP, on=geometry(uid="9.9"))
    with pytest.raises(MeasurementError, match="different frames of reference"):
        opposed_in_ratio(in_phase, elsewhere, PLACE, geometry())


def test_adc_leaves_out_voxels_whose_fit_failed():
    values = np.zeros(SHAPE)
    values[BLOCK] = np.r_[np.zeros(10), np.linspace(800.0, 1200.0, 50)]
    adc = measure_adc(image(values, MrSequence.ADC, unit=Unit.ADC), PLACE)
    assert adc.mean_um2_s == pytest.approx(1000.0)
    assert adc.median_um2_s == pytest.approx(1000.0)
    assert adc.p10_um2_s == pytest.approx(840.0)
    assert adc.p90_um2_s == pytest.approx(1160.0)
    assert adc.voxels == 50


@pytest.mark.parametrize(("fitted", "told"), [(29, False), (30, True), (31, True)])
def test_adc_needs_half_of_the_region(fitted, told):
    values = np.zeros(SHAPE)
    values[BLOCK] = np.r_[np.zeros(60 - fitted), np.full(fitted, 900.0)]
    adc = measure_adc(image(values, MrSequence.ADC, unit=Unit.ADC), PLACE)
    assert (adc.mean_um2_s is not None) is told
    assert (adc.why == "") is told


def test_adc_needs_its_unit():
    with pytest.raises(UnitError, match="not in um2/s"):
        measure_adc(painted(900.0, sequence=MrSequence.ADC), PLACE)
