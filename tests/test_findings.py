"""What a finding says of itself, before any criteria."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mdanderson.findings import Density, LesionFinding
from mdanderson.vocabulary import Basis, Modality, Status

DAY = dt.date(2024, 1, 8)


def finding(status: Status, **fields) -> LesionFinding:
    return LesionFinding(lesion_id="L1", status=status, modality=Modality.CT, date=DAY, **fields)


SAYS = {
    Status.BASELINE: "seen",
    Status.FOLLOWED: "seen",
    Status.NEW: "seen",
    Status.EQUIVOCAL: "seen",
    Status.RESOLVED: "gone",
    Status.MISSING: "silent",
    Status.MERGED: "seen",
    Status.SPLIT: "seen",
    Status.AMBIGUOUS: "silent",
    Status.NOT_EVALUABLE: "silent",
}


def test_every_status_is_asked_here():
    assert SAYS.keys() == set(Status)


@pytest.mark.parametrize("status", Status)
def test_a_lesion_is_seen_gone_or_nothing_is_said_of_it(status):
    one = finding(status, long_axis_mm=Decimal(20), short_axis_mm=Decimal(10))
    said = {"seen": one.is_seen, "gone": one.is_gone, "silent": one.is_silent}
    assert [word for word, holds in said.items() if holds] == [SAYS[status]]


def test_no_millimetre_is_gone_and_no_measurement_is_not():
    nothing_left = finding(Status.FOLLOWED, long_axis_mm=Decimal(0), short_axis_mm=Decimal(0))
    assert (nothing_left.is_gone, nothing_left.is_seen) == (True, False)
    unmeasured = finding(Status.FOLLOWED)
    assert (unmeasured.is_gone, unmeasured.is_seen) == (False, True)


def test_a_size_needs_both_axes():
    one = finding(Status.FOLLOWED, long_axis_mm=Decimal("20.5"), short_axis_mm=Decimal("10.25"))
    assert (one.size_mm, one.product_mm2) == (Decimal("30.75"), Decimal("210.125"))
    half = finding(Status.FOLLOWED, long_axis_mm=Decimal("20.5"), outline_short_axis_mm=Decimal(3))
    assert (half.size_mm, half.product_mm2, half.outline_size_mm, half.parents_size_mm) == (None,) * 4


def test_without_an_outline_there_are_no_axes_and_a_reason():
    place = Density(mean_hu=90, median_hu=88)
    one = LesionFinding.without_outline(
        "L1",
        Status.MERGED,
        "merged into L2",
        modality=Modality.CT,
        date=DAY,
        visit="week 12",
        basis=Basis.READER,
        density=place,
        parents=("L2", "L1"),
        treated=True,
        registration_error_mm=1.5,
    )
    assert one == finding(
        Status.MERGED,
        visit="week 12",
        basis=Basis.READER,
        density=place,
        parents=("L2", "L1"),
        treated=True,
        registration_error_mm=1.5,
        why="merged into L2",
    )
    assert one.size_mm is None
