"""Names that a typist may have meant to be one."""

from __future__ import annotations

import pytest

from mdanderson.timeline.naming import nearest_name, twin_of


@pytest.mark.parametrize("name", ["l1", "L01", "LO1", "Lo1", "L 1", "L001", " L1"])
def test_twins(name):
    assert twin_of(name, ["L2", "L1", "L10"]) == "L1"


@pytest.mark.parametrize("name", ["L1", "L10", "L11", "M1", "L1a", "1", "L"])
def test_no_twins(name):
    assert twin_of(name, ["L1"]) == ""


def test_zeros_inside_a_number_count():
    assert twin_of("L101", ["L11"]) == ""
    assert twin_of("0", ["00"]) == "00"


@pytest.mark.parametrize(("name", "nearest"), [("lo1", "L01"), ("hpi", "hip"), ("L22", "L2"), ("sacrum", "")])
def test_nearest(name, nearest):
    assert nearest_name(name, ["L2", "hip", "L01"]) == nearest
