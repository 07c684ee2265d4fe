"""What a reader writes as a site, and what is understood of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.stability import LimbSite, limb_site, vertebra
from mdanderson.stability.site import COLUMN

UPPER, LOWER, TROCHANTERIC = LimbSite.UPPER_LIMB, LimbSite.LOWER_LIMB, LimbSite.TROCHANTERIC


@pytest.mark.parametrize("level", COLUMN)
def test_every_level_is_known_in_either_case(level):
    for site in (level, level.lower(), level.upper(), f"{level} vertebral body", f"left pedicle of {level}."):
        found = vertebra(site)
        assert found is not None
        assert (found.names, found.all_involved) == ((level,), True)
        assert limb_site(site) == ()


def test_the_column_has_thirty_levels():
    assert len(COLUMN) == len(set(COLUMN)) == 1 + 7 + 12 + 5 + 5


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("Th12", "T12"),
        ("TH 7", "T7"),
        ("D3", "T3"),
        ("C0", "Occ"),
        ("occiput", "Occ"),
        ("atlas", "C1"),
        ("T12-L1", "T12-L1"),
        ("T12 \u2013 L1", "T12-L1"),
        ("L1/T12", "T12-L1"),
        ("L3/4", "L3-L4"),
        ("T9-11", "T9-T11"),
        ("Occ-C2", "Occ-C2"),
        ("L5/S1 disc", "L5-S1"),
        ("L1 and L5", "L1, L5"),
        ("L4 and L5", "L4-L5"),
        ("T10, T11, T12", "T10-T12"),
        ("L3 2 cm", "L3"),
        ("costovertebral joint T5", "T5"),
    ],
)
def test_other_spellings_and_ranges(site, words):
    found = vertebra(site)
    assert found is not None
    assert found.all_involved
    assert found.words == words


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("cervical spine", "C1-C7"),
        ("Thoracic vertebra", "T1-T12"),
        ("dorsal spine", "T1-T12"),
        ("lumbar vertebral body", "L1-L5"),
        ("sacrum", "S1-S5"),
        ("left sacral ala", "S1-S5"),
        ("spine", "Occ-S5"),
        ("vertebra", "Occ-S5"),
    ],
)
def test_a_region_is_one_of_its_levels(site, words):
    found = vertebra(site)
    assert found is not None
    assert not found.all_involved
    assert found.words == words


@pytest.mark.parametrize(
    "site",
    ["", "  ", "L6", "T13", "C8", "S6", "L0", "C1-C9", "L5-6", "L5/L6", "L2.5", "x3", "SI joint", "T 4th", "cervical",
     "lumbar", "Co1", "bone 3"],
)  # fmt: skip
def test_what_is_not_listed_is_not_guessed(site):
    assert vertebra(site) is None
    assert limb_site(site) == ()


@pytest.mark.parametrize(
    "site",
    ["T5 rib", "5th rib", "ribs", "pelvis", "left ilium", "iliac crest", "acetabulum", "skull", "sternum", "manubrium",
     "scapula", "clavicle", "pubic bone", "ischium", "cervical lymph node C3", "patella", "mandible"],
)  # fmt: skip
def test_flat_bones_and_soft_parts_have_neither_score(site):
    assert vertebra(site) is None
    assert limb_site(site) == ()


@pytest.mark.parametrize(
    ("site", "parts"),
    [
        ("humerus", (UPPER,)),
        ("Left Humerus, proximal", (UPPER,)),
        ("distal radius", (UPPER,)),
        ("ulna", (UPPER,)),
        ("upper limb", (UPPER,)),
        ("right upper  extremity", (UPPER,)),
        ("tibia", (LOWER,)),
        ("fibula", (LOWER,)),
        ("lower limb", (LOWER,)),
        ("lower extremity", (LOWER,)),
        ("femoral shaft", (LOWER,)),
        ("distal femur", (LOWER,)),
        ("femur, diaphysis", (LOWER,)),
        ("lateral femoral condyle", (LOWER,)),
        ("left femur", (LOWER, TROCHANTERIC)),
        ("proximal femur", (LOWER, TROCHANTERIC)),
        ("femoral neck", (LOWER, TROCHANTERIC)),
        ("trochanter", (TROCHANTERIC,)),
        ("greater trochanter", (TROCHANTERIC,)),
        ("Peritrochanteric", (TROCHANTERIC,)),
        ("inter-trochanteric femur", (TROCHANTERIC,)),
        ("subtrochanteric femoral shaft", (TROCHANTERIC,)),
    ],
)
def test_parts_of_the_limbs(site, parts):
    assert limb_site(site) == parts
    assert vertebra(site) is None


@given(st.text(max_size=30))
def test_any_text_is_understood_or_not(site):
    found = vertebra(site)
    assert found is None or set(found.names) <= set(COLUMN)
    assert set(limb_site(site)) <= set(LimbSite)


@given(st.integers(0, len(COLUMN) - 1), st.integers(0, len(COLUMN) - 1), st.sampled_from(["-", "/", " - ", "\u2013"]))
def test_a_range_takes_in_all_between(one, other, sign):
    found = vertebra(f"{COLUMN[one]}{sign}{COLUMN[other]}")
    assert found is not None
    assert found.names == COLUMN[min(one, other) : max(one, other) + 1]
