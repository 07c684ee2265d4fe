"""Mirels' score: every cell of its table, its bands, thirds of the bone, and ranges where nothing was said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.findings import LesionFinding, Structure
from mdanderson.stability import ScoreRange, mirels, sins
from mdanderson.vocabulary import LesionType, Modality, Pain, Status

LEAST = Structure(pain=Pain.MILD, bone_share=0.1)


def lesion(
    site: str = "humerus", lesion_type: LesionType | None = LesionType.BLASTIC, structure: Structure | None = LEAST
) -> LesionFinding:
    """By default with one point for each item."""
    return LesionFinding(
        lesion_id="L1",
        status=Status.BASELINE,
        modality=Modality.XR,
        date=dt.date(2024, 1, 1),
        site=site,
        lesion_type=lesion_type,
        structure=structure,
    )


def score(finding: LesionFinding) -> ScoreRange:
    found = mirels(finding)
    assert found is not None
    return found


def points(finding: LesionFinding) -> tuple[int, int]:
    found = score(finding)
    return found.minimum, found.maximum


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("humerus", (4, 4)),
        ("upper limb", (4, 4)),
        ("tibia", (5, 5)),
        ("lower limb", (5, 5)),
        ("femoral shaft", (5, 5)),
        ("trochanter", (6, 6)),
        ("peritrochanteric", (6, 6)),
        ("left femur", (5, 6)),
        ("proximal femur", (5, 6)),
    ],
)
def test_every_site(site, expected):
    assert points(lesion(site)) == expected


@pytest.mark.parametrize(
    ("pain", "expected"),
    [
        (Pain.MILD, (4, 4)),
        (Pain.MODERATE, (5, 5)),
        (Pain.FUNCTIONAL, (6, 6)),
        (Pain.NONE, (4, 4)),
        (Pain.OCCASIONAL, (4, 5)),
        (Pain.MECHANICAL, (6, 6)),
        (None, (4, 6)),
    ],
)
def test_every_word_of_pain(pain, expected):
    assert points(lesion(structure=replace(LEAST, pain=pain))) == expected


@pytest.mark.parametrize(
    ("lesion_type", "expected"),
    [(LesionType.BLASTIC, (4, 4)), (LesionType.MIXED, (5, 5)), (LesionType.LYTIC, (6, 6)), (None, (4, 6))],
)
def test_every_type_of_lesion(lesion_type, expected):
    assert points(lesion(lesion_type=lesion_type)) == expected


@pytest.mark.parametrize(
    ("bone_share", "expected"),
    [
        (0.0, (4, 4)),
        (0.333, (4, 4)),
        (10 / 30, (5, 5)),
        (1 / 3, (5, 5)),
        (0.334, (5, 5)),
        (0.666, (5, 5)),
        (20 / 30, (5, 5)),
        (2 / 3, (5, 5)),
        (0.667, (6, 6)),
        (1.0, (6, 6)),
        (None, (4, 6)),
    ],
)
def test_thirds_of_the_bone_below_at_and_above(bone_share, expected):
    assert points(lesion(structure=replace(LEAST, bone_share=bone_share))) == expected


def test_the_worst_is_12_and_the_best_4():
    worst = Structure(pain=Pain.FUNCTIONAL, bone_share=0.9)
    assert points(lesion("trochanter", LesionType.LYTIC, worst)) == (12, 12)
    assert points(lesion()) == (4, 4)


def test_a_worked_case():
    """Lytic lesion of the femoral shaft, half of its diameter, pain on walking: 2 + 3 + 3 + 2 = 10."""
    found = score(lesion("femoral shaft", LesionType.LYTIC, Structure(pain=Pain.FUNCTIONAL, bone_share=0.5)))
    assert [(item.name, item.minimum, item.why) for item in found.items] == [
        ("site", 2, "lower limb"),
        ("pain", 3, "functional"),
        ("lesion", 3, "lytic"),
        ("size", 2, "1/3 to 2/3 of the bone"),
    ]
    assert found.words == "Mirels 10: prophylactic fixation"
    assert found.source == "Mirels 1989, Clin Orthop 249:256"


@pytest.mark.parametrize(
    ("pain", "bone_share", "total", "word", "consult"),
    [
        (Pain.MILD, 0.1, 7, "low risk of fracture", False),
        (Pain.MODERATE, 0.1, 8, "borderline", False),
        (Pain.MODERATE, 0.5, 9, "prophylactic fixation", True),
        (Pain.FUNCTIONAL, 0.5, 10, "prophylactic fixation", True),
    ],
)
def test_the_bands_below_at_and_above(pain, bone_share, total, word, consult):
    """7 | 8 | 9, from a lytic tibia (5 points)."""
    found = score(lesion("tibia", LesionType.LYTIC, Structure(pain=pain, bone_share=bone_share)))
    assert found.minimum == found.maximum == total
    assert found.band_minimum == found.band_maximum
    assert (found.band_maximum.word, found.band_maximum.consult) == (word, consult)


def test_where_nothing_was_said_the_score_is_a_range():
    found = score(lesion("left femur", None, None))
    assert (found.minimum, found.maximum) == (5, 12)
    assert found.items[0].why == "lower limb or trochanteric"
    assert found.words == (
        "Mirels 5-12: low risk of fracture to prophylactic fixation (open: site, pain, lesion, size)"
    )
    assert points(lesion("humerus", None, None)) == (4, 10)


@pytest.mark.parametrize("site", ["", "L3", "pelvis", "rib", "skull", "sternum", "scapula", "clavicle", "unknown"])
def test_elsewhere_there_is_no_score(site):
    assert mirels(lesion(site)) is None


def test_no_lesion_has_both_scores():
    for site in ("L3", "left femur", "humerus", "sacrum", "pelvis"):
        assert mirels(lesion(site)) is None or sins(lesion(site)) is None


def test_a_lesion_that_is_gone_has_no_score():
    assert mirels(replace(lesion(), status=Status.RESOLVED)) is None


sites = st.sampled_from(["humerus", "tibia", "left femur", "trochanter"])
structures = st.builds(Structure, pain=st.none() | st.sampled_from(Pain), bone_share=st.none() | st.floats(0, 2))
types = st.none() | st.sampled_from(LesionType)


@given(sites, types, structures)
def test_least_is_never_above_most(site, lesion_type, structure):
    found = score(lesion(site, lesion_type, structure))
    assert 4 <= found.minimum <= found.maximum <= 12
    assert (found.minimum == found.maximum) == (found.open_items == ())


@given(sites, types, structures)
def test_what_is_told_only_narrows_the_range(site, lesion_type, structure):
    known = points(lesion(site, lesion_type, structure))
    forgetful = (
        lesion(site, None, structure),
        lesion(site, lesion_type, replace(structure, pain=None)),
        lesion(site, lesion_type, replace(structure, bone_share=None)),
        lesion(site, None, None),
    )
    for finding in forgetful:
        wider = points(finding)
        assert wider[0] <= known[0] <= known[1] <= wider[1]
