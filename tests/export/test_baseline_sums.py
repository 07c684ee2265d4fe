"""Sums of a baseline: of the modality that later sums are of, and none where that is not told."""

from __future__ import annotations

import pytest

from mdanderson.export.baseline_sums import with_baseline_sums

BLANK = dict.fromkeys(
    (
        *("size_sum_mm", "product_sum_mm2", "long_axis_sum_mm"),
        *("size_change_baseline", "product_change_baseline", "long_axis_change_baseline"),
    ),
    "",
)


def row(date, scope, category, size="", change="", criteria="mda2010"):
    told = {"date": date, "visit": date, "scope": scope, "category": category, "criteria": criteria}
    return BLANK | told | {"size_sum_mm": size, "size_change_baseline": change}


BASE = row("2024-01-05", "overall", "BL")
CT = row("2024-01-05", "CT", "BL", "40.00")
MR = row("2024-01-05", "MR", "BL", "30.00")
MR_LATER = row("2024-04-05", "MR", "PR", "15.00", "-0.5000")
CT_LATER = row("2024-04-05", "CT", "SD", "40.00", "0.0000")


def speaks(later):
    return {**later, "scope": "overall"}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([CT], "40.00"),
        ([CT, MR], ""),  # whose later sums will be told nobody knows yet
        ([CT, MR, CT_LATER, MR_LATER, speaks(MR_LATER)], "30.00"),
        ([CT, MR, CT_LATER, MR_LATER, speaks(CT_LATER)], "40.00"),
        ([CT, MR_LATER, speaks(MR_LATER)], ""),  # a modality that began later has no sum of this day
        ([CT, row("2024-04-05", "overall", "NE")], "40.00"),
        ([row("2024-01-05", "CT", "BL", "40.00", criteria="who")], ""),
        ([], ""),
    ],
)
def test_the_sum_is_that_of_the_modality_that_speaks_later(others, expected):
    assert with_baseline_sums(BASE, [BASE, *others]) == BASE | {"size_sum_mm": expected}


@pytest.mark.parametrize("one", [CT, speaks(MR_LATER), BASE | {"size_sum_mm": "1.00"}])
def test_other_rows_stay_as_they_are(one):
    assert with_baseline_sums(one, [one, CT, MR]) == one
