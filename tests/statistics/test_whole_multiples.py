"""Measurements as whole multiples of one unit."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError
from mdanderson.statistics.whole import whole_multiples


def test_hundredths():
    assert whole_multiples([(Decimal("12.50"), 0.1), (Fraction(1, 4), 3)]) == ([[250, 2], [5, 60]], 20)
    assert whole_multiples([(12, 3)]) == ([[12, 3]], 1)
    assert whole_multiples([]) == ([], 1)


@given(st.lists(st.lists(st.fractions() | st.integers(), min_size=1, max_size=3), min_size=1, max_size=5))
def test_nothing_is_lost(rows):
    whole, scale = whole_multiples(rows)
    assert [[Fraction(value, scale) for value in row] for row in whole] == rows


def test_what_is_no_number_is_refused():
    with pytest.raises(MeasurementError, match="not a number"):
        whole_multiples([(1, math.nan)])
