"""ADC change with its repeatability, and MET-RADS-P categories just below, at and above each limit."""

from __future__ import annotations

import math

import pytest

from mdanderson.errors import MeasurementError
from mdanderson.met_rads import adc_change, assess_response
from mdanderson.settings import Settings

SETTINGS = Settings()


def rac(before=None, now=None, size=0.0, **facts):
    adc = adc_change(before, now, settings=SETTINGS) if before else None
    return assess_response(adc, size, settings=SETTINGS, **facts).rac


def test_repeatability_follows_from_the_coefficient_of_variation():
    change = adc_change(1000.0, 1300.0, settings=SETTINGS)
    assert change.fraction == pytest.approx(0.3)
    assert change.repeatability == pytest.approx(1.96 * math.sqrt(2) * 0.145)
    assert not change.significant


@pytest.mark.parametrize(("now", "significant"), [(1401.0, False), (1402.0, True), (599.0, False), (598.0, True)])
def test_a_change_is_significant_beyond_the_repeatability(now, significant):
    assert adc_change(1000.0, now, settings=SETTINGS).significant is significant


@pytest.mark.parametrize("value", [0.0, -3.0, math.nan, math.inf])
def test_an_adc_that_is_no_positive_number_is_refused(value):
    with pytest.raises(MeasurementError, match="um2/s"):
        adc_change(value, 900.0, settings=SETTINGS)
    with pytest.raises(MeasurementError, match="um2/s"):
        adc_change(900.0, value, settings=SETTINGS)


@pytest.mark.parametrize(
    ("before", "now", "category"),
    [
        (600.0, 750.0, 3),  # 25 % is not more than 25 %
        (600.0, 751.0, 2),
        (600.0, 839.0, 2),
        (600.0, 840.0, 1),  # 40 %
        (1000.0, 1000.0, 3),
        (1000.0, 1001.0, 2),  # leaves 1000
        (1001.0, 1100.0, 3),
        (1400.0, 1401.0, 1),  # crosses 1400
        (1300.0, 1400.0, 3),
        (1401.0, 1500.0, 3),
        (1000.0, 500.0, 3),  # a fall alone is no progression
    ],
)
def test_categories_by_adc(before, now, category):
    assert rac(before, now) == category


@pytest.mark.parametrize(
    ("size", "category"),
    [
        (-0.51, 1), (-0.5, 1), (-0.49, 2), (-0.1, 2), (-0.09, 3),
        (0.0, 3), (0.09, 3), (0.1, 4), (0.24, 4), (0.25, 5), (0.26, 5),
    ],
)  # fmt: skip
def test_categories_by_size(size, category):
    assert rac(size=size) == category


def test_growth_outweighs_a_rise_of_adc_and_the_better_of_both_counts_otherwise():
    assert rac(600.0, 1500.0, size=0.3) == 5
    assert rac(600.0, 1500.0, size=0.15) == 4
    assert rac(600.0, 760.0, size=-0.6) == 1
    assert rac(600.0, 760.0, size=None) == 2


def test_new_gone_and_unknown():
    assert rac(size=None, is_new=True) == 5
    assert rac(size=None, is_gone=True) == 1
    assert assess_response(None, None, settings=SETTINGS) is None


def test_the_words_say_what_it_rests_on():
    told = assess_response(adc_change(1300.0, 1500.0, settings=SETTINGS), -0.2, settings=SETTINGS)
    assert told.text == (
        "RAC 1, highly likely to be responding: size -20%; "
        "ADC 1300 to 1500 um2/s (+15%, within the repeatability of 40%)"
    )
