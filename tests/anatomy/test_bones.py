"""Names of bones, whoever wrote them, and how tools number them, against their published tables."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.anatomy import SCHEMES, Bone, BoneKind, Side, bone_named
from mdanderson.anatomy.organs import is_no_bone
from mdanderson.settings.image import BoneScheme
from mdanderson.stability import limb_site, vertebra

# As TotalSegmentator's class maps (total of version 2, total_v1) and the VerSe papers have them.
V2 = {
    25: "sacrum",
    26: "vertebrae_S1",
    27: "vertebrae_L5",
    31: "vertebrae_L1",
    32: "vertebrae_T12",
    43: "vertebrae_T1",
    44: "vertebrae_C7",
    50: "vertebrae_C1",
    69: "humerus_left",
    70: "humerus_right",
    71: "scapula_left",
    72: "scapula_right",
    73: "clavicula_left",
    74: "clavicula_right",
    75: "femur_left",
    76: "femur_right",
    77: "hip_left",
    78: "hip_right",
    91: "skull",
    92: "rib_left_1",
    103: "rib_left_12",
    104: "rib_right_1",
    115: "rib_right_12",
    116: "sternum",
}
V1 = {
    18: "vertebrae_L5",
    22: "vertebrae_L1",
    23: "vertebrae_T12",
    34: "vertebrae_T1",
    35: "vertebrae_C7",
    41: "vertebrae_C1",
    58: "rib_left_1",
    69: "rib_left_12",
    70: "rib_right_1",
    81: "rib_right_12",
    82: "humerus_left",
    85: "scapula_right",
    86: "clavicula_left",
    89: "femur_right",
    90: "hip_left",
    92: "sacrum",
}
VERSE = {1: "C1", 7: "C7", 8: "T1", 19: "T12", 20: "L1", 24: "L5", 25: "L6", 26: "sacrum", 27: "coccyx", 28: "T13"}
ORGANS = {
    "totalsegmentator": (1, 24, 51, 68, 79, 90, 117),
    "totalsegmentator_v1": (1, 17, 42, 57, 93, 104),
    "verse": (),
}


@pytest.mark.parametrize(("scheme", "published"), [*zip(SCHEMES, (V2, V1, VERSE), strict=True)])
def test_numbers_are_the_published_ones(scheme, published):
    for label, name in published.items():
        assert scheme.bone(label) == bone_named(name), (scheme.name, label, name)
    for label in ORGANS[scheme.name]:
        assert scheme.bone(label) is None
        assert label <= scheme.last
    assert scheme.bone(0) is None
    assert scheme.bone(scheme.last + 1) is None


def test_how_many_bones_a_scheme_has():
    assert [len(scheme.bones) for scheme in SCHEMES] == [62, 59, 28]
    for scheme in SCHEMES:
        assert len(set(scheme.bones.values())) == len(scheme.bones)  # no bone twice


def test_the_setting_knows_every_scheme():
    assert set(get_args(BoneScheme)) == {"auto", "none", *(scheme.name for scheme in SCHEMES)}


def test_every_bone_is_read_back_from_its_own_words():
    for scheme in SCHEMES:
        for bone in scheme.bones.values():
            assert bone_named(bone.words) == bone


def test_sites_are_understood_by_sins_and_mirels():
    levels = [bone for bone in SCHEMES[0].bones.values() if bone.kind is BoneKind.VERTEBRA]
    assert len(levels) == 24
    assert all(vertebra(bone.site).names == (bone.part,) for bone in levels)
    assert vertebra(Bone(kind=BoneKind.SACRUM, part="S1").site).names == ("S1",)
    assert limb_site("femur")
    assert limb_site("humerus")
    assert not limb_site("pelvis")
    assert vertebra("rib 5") is None


@pytest.mark.parametrize(
    ("name", "kind", "part", "side"),
    [
        ("Th12", "vertebra", "T12", ""),
        ("T12-L1", "vertebra", "T12-L1", ""),
        ("vertebrae_T13", "vertebra", "T13", ""),
        ("L6", "vertebra", "L6", ""),
        ("third lumbar vertebra", "vertebra", "L3", ""),
        ("Left fifth rib", "rib", "5", "left"),
        ("Rib_Right_12", "rib", "12", "right"),
        ("rib 13", "rib", "", ""),
        ("ribs 5 and 6", "rib", "", ""),
        ("proximal right femur", "femur", "", "right"),
        ("left and right ilium", "ilium", "", "bilateral"),
        ("acetabulum", "pelvis", "", ""),
        ("lumbar spine", "vertebra", "", ""),
        ("bone", "bone", "", ""),
    ],
)
def test_names(name, kind, part, side):
    assert bone_named(name) == Bone(kind=BoneKind(kind), part=part, side=Side(side))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Segment_1",
        "iliac_artery_left",
        "costal_cartilages",
        "spinal_cord",
        "liver",
        "femoral nerve",
        "hip_implant",
        "lesion 3",
        "L31",
    ],
)
def test_what_is_no_bone(name):
    assert bone_named(name) is None


@pytest.mark.parametrize(
    ("name", "organ"), [("aorta", True), ("gluteus_maximus_left", True), ("hip_left", False), ("Segment_2", False)]
)
def test_what_is_known_to_be_no_bone(name, organ):
    assert is_no_bone(name) is organ


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    bone = bone_named(text)
    assert bone is None or bone_named(bone.words) is not None
    assert is_no_bone(text) in {True, False}
