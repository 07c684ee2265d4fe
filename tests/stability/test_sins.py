"""SINS: every cell of its table, its bands, and ranges where nothing was said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.findings import LesionFinding, Structure
from mdanderson.stability import ScoreRange, sins
from mdanderson.stability.sins import LEVELS
from mdanderson.stability.site import COLUMN
from mdanderson.vocabulary import Alignment, Collapse, LesionType, Modality, Pain, Posterolateral, Status

HARMLESS = Structure(
    pain=Pain.NONE, alignment=Alignment.NORMAL, collapse=Collapse.NONE, posterolateral=Posterolateral.NONE
)


def lesion(
    site: str = "S3", lesion_type: LesionType | None = LesionType.BLASTIC, structure: Structure | None = HARMLESS
) -> LesionFinding:
    """By default without a single point."""
    return LesionFinding(
        lesion_id="L1",
        status=Status.BASELINE,
        modality=Modality.CT,
        date=dt.date(2024, 1, 1),
        site=site,
        lesion_type=lesion_type,
        structure=structure,
    )


def score(finding: LesionFinding) -> ScoreRange:
    found = sins(finding)
    assert found is not None
    return found


def points(finding: LesionFinding) -> tuple[int, int]:
    found = score(finding)
    return found.minimum, found.maximum


PRINTED_LEVELS = {
    3: "Occ C1 C2 C7 T1 T2 T11 T12 L1 L5 S1",
    2: "C3 C4 C5 C6 L2 L3 L4",
    1: "T3 T4 T5 T6 T7 T8 T9 T10",
    0: "S2 S3 S4 S5",
}


@pytest.mark.parametrize(
    ("level", "expected"), [(level, worth) for worth, levels in PRINTED_LEVELS.items() for level in levels.split()]
)
def test_every_level(level, expected):
    assert points(lesion(level)) == (expected, expected)


def test_every_level_of_the_column_stands_in_one_part():
    listed = [name for _, names in LEVELS.values() for name in names]
    assert sorted(listed) == sorted(COLUMN)


@pytest.mark.parametrize(
    ("pain", "expected"),
    [
        (Pain.MECHANICAL, (3, 3)),
        (Pain.OCCASIONAL, (1, 1)),
        (Pain.NONE, (0, 0)),
        (Pain.FUNCTIONAL, (3, 3)),
        (Pain.MODERATE, (1, 3)),
        (Pain.MILD, (1, 3)),
        (None, (0, 3)),
    ],
)
def test_every_word_of_pain(pain, expected):
    assert points(lesion(structure=replace(HARMLESS, pain=pain))) == expected


@pytest.mark.parametrize(
    ("lesion_type", "expected"),
    [(LesionType.LYTIC, (2, 2)), (LesionType.MIXED, (1, 1)), (LesionType.BLASTIC, (0, 0)), (None, (0, 2))],
)
def test_every_type_of_lesion(lesion_type, expected):
    assert points(lesion(lesion_type=lesion_type)) == expected


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [(Alignment.SUBLUXATION, (4, 4)), (Alignment.DEFORMITY, (2, 2)), (Alignment.NORMAL, (0, 0)), (None, (0, 4))],
)
def test_every_alignment(alignment, expected):
    assert points(lesion(structure=replace(HARMLESS, alignment=alignment))) == expected


@pytest.mark.parametrize(
    ("collapse", "expected"),
    [(">50", (3, 3)), ("<50", (2, 2)), ("involved", (1, 1)), ("none", (0, 0)), (None, (0, 3))],
)
def test_every_collapse(collapse, expected):
    word = None if collapse is None else Collapse(collapse)
    assert points(lesion(structure=replace(HARMLESS, collapse=word))) == expected


@pytest.mark.parametrize(
    ("posterolateral", "expected"),
    [
        (Posterolateral.BILATERAL, (3, 3)),
        (Posterolateral.UNILATERAL, (1, 1)),
        (Posterolateral.NONE, (0, 0)),
        (None, (0, 3)),
    ],
)
def test_every_posterolateral_involvement(posterolateral, expected):
    assert points(lesion(structure=replace(HARMLESS, posterolateral=posterolateral))) == expected


def test_the_worst_is_18_and_the_best_0():
    worst = Structure(
        pain=Pain.MECHANICAL,
        alignment=Alignment.SUBLUXATION,
        collapse=Collapse.ABOVE_HALF,
        posterolateral=Posterolateral.BILATERAL,
    )
    assert points(lesion("T12", LesionType.LYTIC, worst)) == (18, 18)
    assert points(lesion()) == (0, 0)


def test_a_worked_case():
    """Lytic T12 with mechanical pain, collapse below half, one pedicle, straight: 3 + 3 + 2 + 0 + 2 + 1 = 11."""
    told = Structure(
        pain=Pain.MECHANICAL,
        alignment=Alignment.NORMAL,
        collapse=Collapse.BELOW_HALF,
        posterolateral=Posterolateral.UNILATERAL,
    )
    found = score(lesion("T12", LesionType.LYTIC, told))
    assert [(item.name, item.minimum, item.maximum, item.why) for item in found.items] == [
        ("location", 3, 3, "T12: junctional"),
        ("pain", 3, 3, "mechanical"),
        ("lesion", 2, 2, "lytic"),
        ("alignment", 0, 0, "normal"),
        ("collapse", 2, 2, "<50"),
        ("posterolateral", 1, 1, "unilateral"),
    ]
    assert found.words == "SINS 11: potentially unstable"
    assert found.open_items == ()
    assert found.source == "Fisher 2010, Spine 35:E1221"


@pytest.mark.parametrize(
    ("site", "pain", "alignment", "collapse", "total", "word", "consult"),
    [
        ("S3", "none", "normal", "none", 0, "stable", False),
        ("L3", "occasional", "normal", ">50", 6, "stable", False),
        ("T12", "occasional", "normal", ">50", 7, "potentially unstable", True),
        ("T12", "mechanical", "subluxation", "<50", 12, "potentially unstable", True),
        ("T12", "mechanical", "subluxation", ">50", 13, "unstable", True),
    ],
)
def test_the_bands_below_at_and_above(site, pain, alignment, collapse, total, word, consult):
    """6 | 7 and 12 | 13, from blastic lesions without posterolateral involvement."""
    told = replace(HARMLESS, pain=Pain(pain), alignment=Alignment(alignment), collapse=Collapse(collapse))
    found = score(lesion(site, structure=told))
    assert found.minimum == found.maximum == total
    assert found.band_minimum == found.band_maximum
    assert (found.band_minimum.word, found.band_minimum.consult) == (word, consult)


def test_where_nothing_was_said_the_score_is_a_range():
    found = score(lesion("L3", None, None))
    assert (found.minimum, found.maximum) == (2, 17)
    assert found.open_items == ("pain", "lesion", "alignment", "collapse", "posterolateral")
    assert (found.band_minimum.consult, found.band_maximum.consult) == (False, True)
    assert found.words == ("SINS 2-17: stable to unstable (open: pain, lesion, alignment, collapse, posterolateral)")
    assert [item.why for item in found.items] == ["L3: mobile", *["not said"] * 5]


def test_pain_and_alignment_alone_left_open():
    """Lytic T12 without collapse: 3 + 2 known, pain 0-3, alignment 0-4."""
    found = score(lesion("T12", LesionType.LYTIC, replace(HARMLESS, pain=None, alignment=None)))
    assert found.words == "SINS 5-12: stable to potentially unstable (open: pain, alignment)"


@pytest.mark.parametrize(
    ("site", "expected", "why"),
    [
        ("T12-L1", (3, 3), "T12-L1: junctional"),
        ("T10-T11", (3, 3), "T10-T11: junctional"),
        ("S1-S2", (3, 3), "S1-S2: junctional"),
        ("C6-T4", (3, 3), "C6-T4: junctional"),
        ("L2-L3", (2, 2), "L2-L3: mobile"),
        ("sacrum", (0, 3), "S1-S5: level not said"),
        ("lumbar spine", (2, 3), "L1-L5: level not said"),
        ("thoracic spine", (1, 3), "T1-T12: level not said"),
        ("cervical spine", (2, 3), "C1-C7: level not said"),
        ("spine", (0, 3), "Occ-S5: level not said"),
    ],
)
def test_of_several_levels_the_one_with_more_points(site, expected, why):
    found = score(lesion(site))
    assert (found.minimum, found.maximum) == expected
    assert found.items[0].why == why


@pytest.mark.parametrize("site", ["", "left femur", "rib T5", "pelvis", "L6", "unknown"])
def test_elsewhere_there_is_no_score(site):
    assert sins(lesion(site)) is None


def test_a_lesion_that_is_gone_has_no_score():
    assert sins(replace(lesion("L3"), status=Status.RESOLVED)) is None
    assert sins(replace(lesion("L3"), status=Status.MISSING)) is not None


levels = st.sampled_from([*COLUMN, "T12-L1", "sacrum", "spine"])
structures = st.builds(
    Structure,
    pain=st.none() | st.sampled_from(Pain),
    alignment=st.none() | st.sampled_from(Alignment),
    collapse=st.none() | st.sampled_from(Collapse),
    posterolateral=st.none() | st.sampled_from(Posterolateral),
)
types = st.none() | st.sampled_from(LesionType)


@given(levels, types, structures)
def test_least_is_never_above_most(site, lesion_type, structure):
    found = score(lesion(site, lesion_type, structure))
    assert 0 <= found.minimum <= found.maximum <= 18
    assert found.band_minimum.from_points <= found.band_maximum.from_points
    assert (found.minimum == found.maximum) == (found.open_items == ())


@given(levels, types, structures, st.sampled_from(["pain", "alignment", "collapse", "posterolateral"]))
def test_what_is_told_only_narrows_the_range(site, lesion_type, structure, forgotten):
    known = points(lesion(site, lesion_type, structure))
    less = points(lesion(site, lesion_type, replace(structure, **{forgotten: None})))
    untyped = points(lesion(site, None, structure))
    for wider in (less, untyped):
        assert wider[0] <= known[0] <= known[1] <= wider[1]
