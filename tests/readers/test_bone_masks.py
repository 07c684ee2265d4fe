"""Bone masks: which label is which bone, who says so, and when nobody does."""

from __future__ import annotations

import datetime as dt
import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from mdanderson.anatomy import SCHEMES
from mdanderson.geometry import Geometry
from mdanderson.readers.bone_masks import named_bones, read_bone_mask
from mdanderson.readers.bone_names import names_beside, names_of_labels
from mdanderson.readers.masks import read_mask
from mdanderson.readers.slicer_segments import Segment, slicer_segments
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Unit, Volume

GRID = Geometry.from_axes(shape=(40, 6, 30), spacing_mm=(10.0, 10.0, 10.0), origin_mm=(-150.0, -30.0, 0.0))
"""Planes go up, columns to the patient's left."""
AUTO, SETTINGS = ImageSettings(), ImageSettings
NOBODY = "nobody says which bone is which: lesions get no site from it"
MIDDLE, LEFT, RIGHT = 15, 25, 5
V2_SPINE = {27: 5, 28: 6, 29: 7, 30: 8}  # label -> plane: L5, L4, L3, L2, upwards
VERSE_SPINE = {24: 5, 23: 6, 22: 7, 21: 8}


def array(placed):
    """Voxels with labels: label -> plane, or (plane, column)."""
    made = np.zeros(GRID.shape, dtype=np.uint8)
    for label, place in placed.items():
        plane, column = place if isinstance(place, tuple) else (place, MIDDLE)
        made[plane, 2:4, column] = label
    return made


def mask_of(placed):
    return Mask.from_label_map(array(placed), GRID)


def image():
    return Volume(
        array=np.zeros(GRID.shape, dtype=np.int16),
        geometry=GRID,
        unit=Unit.HU,
        modality=Modality.CT,
        date=dt.date(2024, 1, 1),
    )


def names(mask):
    return {region.label: region.name for region in mask}


def saved(placed, path, *, keys=None, extension=b""):
    if path.name.endswith((".nii", ".nii.gz")):
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ GRID.affine[:, [2, 1, 0, 3]]
        picture = nib.Nifti1Image(array(placed).transpose(2, 1, 0), affine)
        picture.set_sform(affine, code=1)
        if extension:
            picture.header.extensions.append(nib.nifti1.Nifti1Extension(0, extension))
        nib.save(picture, path)
        return path
    picture = SimpleITK.GetImageFromArray(array(placed))
    picture.SetSpacing((10.0, 10.0, 10.0))
    picture.SetOrigin((-150.0, -30.0, 0.0))
    for key, value in (keys or {}).items():
        picture.SetMetaData(key, value)
    SimpleITK.WriteImage(picture, str(path))
    return path


# By labels and places


def test_totalsegmentator_by_its_places():
    placed = V2_SPINE | {77: (4, LEFT), 78: (4, RIGHT), 75: (2, LEFT), 76: (2, RIGHT)}
    found = named_bones(mask_of(placed), {})
    assert names(found) == {
        27: "L5",
        28: "L4",
        29: "L3",
        30: "L2",
        75: "left femur",
        76: "right femur",
        77: "left pelvis",
        78: "right pelvis",
    }
    assert found.notes == ("bones named by TotalSegmentator 2 (labels and places)",)


def test_the_first_version_by_its_places():
    placed = {18: 5, 19: 6, 20: 7, 90: (4, LEFT), 91: (4, RIGHT), 92: 3}
    found = named_bones(mask_of(placed), {})
    assert names(found)[90] == "left pelvis"
    assert found.notes == ("bones named by TotalSegmentator 1 (labels and places)",)


def test_verse_goes_downwards():
    found = named_bones(mask_of(VERSE_SPINE), {})
    assert names(found) == {21: "L2", 22: "L3", 23: "L4", 24: "L5"}
    assert found.notes == ("bones named by VerSe (labels and places)",)


def test_the_same_labels_upwards_are_another_scheme():
    upwards = {18: 5, 19: 6, 20: 7, 21: 8}
    assert names(named_bones(mask_of(upwards), {})) == {18: "L5", 19: "L4", 20: "L3", 21: "L2"}
    downwards = {18: 8, 19: 7, 20: 6, 21: 5}
    assert names(named_bones(mask_of(downwards), {})) == {18: "T11", 19: "T12", 20: "L1", 21: "L2"}


@pytest.mark.parametrize(
    "placed",
    [
        {27: 5, 28: 6},  # two bones could be any scheme's
        {1: 5, 2: 6, 3: 7},  # numbered by hand, upwards
        {27: 5, 28: 7, 29: 6, 30: 8},  # out of order
        {32: 5, 33: 6, 34: 7},  # T12-T10 of one version, T3-T1 of the other
        V2_SPINE | {75: (4, RIGHT), 76: (4, LEFT)},  # a left femur on the right
        V2_SPINE | {200: 9},  # a label that no scheme has
        {20: 8, 21: 7, 22: 6, 5: 5},  # organs of one, vertebrae of the other
    ],
)
def test_where_it_is_not_sure_nothing_is_named(placed):
    found = named_bones(mask_of(placed), {})
    assert set(names(found).values()) == {""}
    assert found.notes == (NOBODY,)
    assert len(found) == len(placed)


def test_organs_of_a_whole_map_are_left_out():
    placed = V2_SPINE | {52: (12, LEFT), 79: (20, MIDDLE), 117: (21, LEFT), 5: (10, RIGHT)}
    found = named_bones(mask_of(placed), {})
    assert set(names(found)) == set(V2_SPINE)
    assert found.notes[0].endswith("; 4 labels that are no bones are left out")


# By setting, by file, by names


def test_the_setting_is_believed(tmp_path):
    path = saved({1: 5, 2: 6}, tmp_path / "m.nii.gz")
    found = read_bone_mask(path, like=image(), settings=ImageSettings(bone_scheme="verse"))
    assert names(found) == {1: "C1", 2: "C2"}
    assert found.notes == ("bones named by VerSe (bone_scheme)",)


def test_none_names_nothing(tmp_path):
    path = saved(VERSE_SPINE, tmp_path / "verse.nii.gz")
    found = read_bone_mask(path, like=image(), settings=ImageSettings(bone_scheme="none"))
    assert set(names(found).values()) == {""}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("name", "placed", "expected"),
    [
        ("sub-verse004_seg-vert_msk.nii.gz", {22: 5}, {22: "L3"}),
        ("P01_TotalSegmentator.nii.gz", {29: 5, 30: 6, 75: (4, LEFT)}, {29: "L3", 30: "L2", 75: "left femur"}),
        ("P01_totalseg.nii.gz", {32: 5, 33: 6, 34: 7}, {32: "", 33: "", 34: ""}),  # of which version?
        ("verse.nii.gz", {22: 5, 23: 6}, {22: "", 23: ""}),  # L4 above L3 cannot be
    ],
)
def test_the_name_of_the_file(tmp_path, name, placed, expected):
    assert names(read_bone_mask(saved(placed, tmp_path / name), like=image(), settings=AUTO)) == expected


def test_names_in_the_header_of_totalsegmentator(tmp_path):
    rows = (
        '<Label Key="3" Red="0.0" Green="0.0" Blue="1.0" Alpha="1"><![CDATA[vertebrae_L3]]></Label>\n'
        '<Label Key="4" Red="0.0" Green="0.0" Blue="1.0" Alpha="1"><![CDATA[aorta]]></Label>'
        '<Label Key="5" Red="0.0" Green="0.0" Blue="1.0" Alpha="1"><![CDATA[blob]]></Label>'
    )
    table = f"<CaretExtension><VolumeInformation><LabelTable>\n{rows}</LabelTable></VolumeInformation></CaretExtension>"
    path = saved({3: 5, 4: 6, 5: 7}, tmp_path / "m.nii.gz", extension=table.encode())
    assert names_of_labels(path) == {3: "vertebrae_L3", 4: "aorta", 5: "blob"}
    found = read_bone_mask(path, like=image(), settings=AUTO)
    assert names(found) == {3: "L3", 5: ""}  # of what is unknown nobody says that it is no bone
    assert found.notes == (
        "bones named by the names in the file or beside it; 1 labels that are no bones are left out",
    )


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("m.json", json.dumps({"labels": {"vertebrae_L3": 3, "rib_left_5": 4}})),
        ("m.json", json.dumps({"3": "L3", "4": "left rib 5"})),
        ("m.ctbl", "# colours\n0 Background 0 0 0 0\n3 vertebrae_L3 10 20 30 255\n4 rib_left_5 1 2 3 255\n"),
        ("m.txt", '3 255 0 0\n3 "L3 vertebra" 1 2 3\n4 "left rib 5" 1 2 3 1\n'),
    ],
)
def test_a_table_beside_the_map(tmp_path, table, text):
    path = saved({3: 5, 4: (6, LEFT)}, tmp_path / "m.nii.gz")
    (tmp_path / table).write_text(text)
    assert names(read_bone_mask(path, like=image(), settings=AUTO)) == {3: "L3", 4: "left rib 5"}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"[" * 100000,
        b'{"3": {"a": {"b": "L3"}}}',
        b'{"3": true, "x": -1, "0": "L3"}',
        b"x" * (2**20 + 1),
    ],
)
def test_a_broken_table_names_nothing(tmp_path, content):
    path = saved({3: 5}, tmp_path / "m.nii.gz")
    (tmp_path / "m.json").write_bytes(content)
    assert names_beside(path) == {}


def test_a_table_of_too_many_names_is_bounded(tmp_path):
    path = saved({3: 5}, tmp_path / "m.nii.gz")
    (tmp_path / "m.json").write_text(json.dumps({str(n): "x" * 500 for n in range(1, 1900)}))
    found = names_beside(path)
    assert len(found) <= 2000
    assert max(map(len, found.values())) <= 200


# 3D Slicer


FEMUR = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type~SCT^49755003^Morphologically "
    "Altered Structure~SCT^4147007^Mass~^^~Anatomic codes~SCT^71341001^Femur~SCT^24028007^Right|"
)
TISSUE = "TerminologyEntry:x~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~Anatomic codes~^^~^^|"
BONE = "TerminologyEntry:x~SCT^123037004^Anatomical Structure~SCT^36470004^Third lumbar vertebra~^^~y~^^~^^|"


def slicer(tags):
    return {"Segment0_LabelValue": "4", "Segment0_Name": "met", "Segment0_Color": "1 0 0", "Segment0_Tags": tags}


@pytest.mark.parametrize(
    ("tags", "site"),
    [
        (FEMUR, "right femur"),
        (BONE, "L3"),
        (TISSUE, ""),
        ("", ""),
        ("TerminologyEntry:", ""),
        ("TerminologyEntry:~~~~~^^^^^~SCT", ""),
        ("Other:x~a^b^L3~a^b^L3", ""),
    ],
)
def test_terminology_names_the_bone(tags, site):
    assert slicer_segments(slicer(tags)) == {(0, 4): Segment(name="met", site=site)}


def test_a_lesion_keeps_what_slicer_says_of_its_place(tmp_path):
    path = saved({4: 5}, tmp_path / "m.seg.nrrd", keys=slicer(FEMUR))
    (region,) = read_mask(path, like=image())
    assert (region.label, region.name, region.site) == (4, "met", "right femur")


def test_bones_of_slicer_by_name_or_terminology(tmp_path):
    keys = slicer(BONE) | {
        "Segment1_LabelValue": "5",
        "Segment1_Name": "rib_left_5",
        "Segment2_LabelValue": "6",
        "Segment2_Name": "aorta",
    }
    path = saved({4: 5, 5: (6, LEFT), 6: 9}, tmp_path / "m.seg.nrrd", keys=keys)
    assert names(read_bone_mask(path, like=image(), settings=AUTO)) == {4: "L3", 5: "left rib 5"}


# Real masks


@pytest.mark.real
@pytest.mark.parametrize(
    ("scan", "mask", "known"),
    [
        (
            "ct_totalseg/example_ct.nii.gz",
            "ct_totalseg/example_seg_fast_force_split.nii.gz",
            {25: "sacrum", 26: "sacrum S1", 27: "L5", 33: "T11", 75: "left femur", 78: "right pelvis"},
        ),
        (
            "ct_totalseg/example_ct_dicom",
            "ct_totalseg/example_seg_dicom.nii.gz",
            {32: "T12", 33: "T11", 69: "left humerus", 70: "right humerus", 97: "left rib 6", 115: "right rib 12"},
        ),
        (
            "spine_tptbox/sample_ct/sub-ct_label-22_ct.nii.gz",
            "spine_tptbox/sample_ct/sub-ct_seg-vert_label-22_msk.nii.gz",
            {21: "L2", 22: "L3", 23: "L4"},
        ),
    ],
)
def test_real_masks_by_every_way(real_data, scan, mask, known):
    from mdanderson.readers import read_volume

    path = real_data / scan
    told = {} if path.is_dir() else {"modality": Modality.CT, "date": dt.date(2024, 1, 1)}
    volume = read_volume(path, **told)
    named = names(read_bone_mask(real_data / mask, like=volume, settings=AUTO))
    assert known.items() <= named.items()
    raw = read_mask(real_data / mask, like=volume)
    by_place = named_bones(raw, {}, file="bones.nii.gz")  # nothing but labels and places
    assert names(by_place) == {label: name for label, name in named.items() if name}
    assert not set(names(by_place)) - {label for scheme in SCHEMES for label in scheme.bones}
