"""Skeletal sites: the bone that holds a lesion, else the nearest; one site for a lesion; a reader's word wins."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

import mdanderson as mda
from mdanderson.anatomy import bone_named
from mdanderson.assessment.sites import BonePlace, place_in_bones, with_sites
from mdanderson.findings import Examination, LesionFinding, PatientFacts, Statement
from mdanderson.geometry import Geometry
from mdanderson.readers.bone_masks import read_bone_mask
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.vocabulary import Modality, Status
from mdanderson.volume import Mask

GRID = Geometry.from_axes(shape=(20, 20, 20), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0))


def cuboid(planes, rows=(5, 10), columns=(5, 10)):
    made = np.zeros(GRID.shape, dtype=np.uint8)
    made[slice(*planes), slice(*rows), slice(*columns)] = 1
    return made


def bones(**placed):
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    for label, array in enumerate(placed.values(), start=1):
        labels[array > 0] = label
    words = {label: name.replace("_", " ") for label, name in enumerate(placed, start=1)}
    return Mask.from_label_map(labels, GRID, names=words)


def lesion(planes, **more):
    (region,) = Mask.from_label_map(cuboid(planes, **more), GRID)
    return region


def place(region, mask, reach_mm=5.0):
    found = place_in_bones(region, GRID, mask, reach_mm)
    return None if found is None else (found.bone.words, found.how)


def test_the_bone_that_holds_most_of_it():
    mask = bones(L3=cuboid((0, 6)), L4=cuboid((6, 12)))
    assert place(lesion((1, 5)), mask) == ("L3", "bone mask: 100% of it in L3")
    assert place(lesion((4, 14)), mask) == ("L4", "bone mask: 60% of it in L4, 20% in L3")


def test_a_bone_that_holds_little_is_not_told():
    mask = bones(L3=cuboid((0, 5), columns=(5, 6)), L4=cuboid((5, 15)))
    assert place(lesion((4, 15)), mask) == ("L4", "bone mask: 91% of it in L4")


def test_as_much_in_two_bones_is_the_same_every_time():
    mask = bones(T12=cuboid((4, 6)), L1=cuboid((2, 4)))
    assert place(lesion((2, 6)), mask) == ("L1", "bone mask: 50% of it in L1, 50% in T12")


@pytest.mark.parametrize(
    ("gap", "reach_mm", "expected"),
    [
        (0, 5.0, "bone mask: 2.0 mm from left rib 5"),
        (1, 5.0, "bone mask: 4.0 mm from left rib 5"),
        (1, 4.0, "bone mask: 4.0 mm from left rib 5"),
        (1, 3.9, None),
        (2, 5.0, None),
    ],
)
def test_beside_every_bone_the_nearest_within_reach(gap, reach_mm, expected):
    """Planes are 2 mm apart; distances lie between voxel centres."""
    found = place(lesion((8 + gap, 12)), bones(left_rib_5=cuboid((2, 8))), reach_mm)
    assert found == (None if expected is None else ("left rib 5", expected))


def test_the_nearer_of_two():
    mask = bones(L3=cuboid((0, 4)), L4=cuboid((9, 12)))
    assert place(lesion((5, 7)), mask)[0] == "L3"
    assert place(lesion((6, 8)), mask)[0] == "L4"


def test_bones_without_names_are_no_site():
    mask = Mask.from_label_map(cuboid((0, 10)), GRID)
    assert place(lesion((2, 5)), mask) is None
    assert place(lesion((2, 5)), bones(Segment_1=cuboid((0, 10)))) is None


def test_no_bone_at_all():
    assert place(lesion((2, 5)), Mask(geometry=GRID)) is None


# One site for a lesion


DAYS = (dt.date(2024, 1, 1), dt.date(2024, 4, 1), dt.date(2024, 7, 1))


def exam(day, *, modality=Modality.CT, **more):
    finding = LesionFinding(lesion_id="L01", status=Status.FOLLOWED, modality=modality, date=day, **more)
    return Examination(modality=modality, date=day, lesions=(finding,))


def at(name, how="bone mask"):
    return {"L01": BonePlace(bone=bone_named(name), how=f"{how}: {name}")}


def told(examinations):
    return [(one.site, one.laterality, one.site_source) for exam in examinations for one in exam.lesions]


def test_a_site_is_of_all_visits_and_modalities():
    exams = [exam(DAYS[0]), exam(DAYS[1]), exam(DAYS[1], modality=Modality.NM)]
    assert told(with_sites(exams, [at("left femur"), {}])) == [("femur", "left", "bone mask: left femur")] * 3


@pytest.mark.parametrize(
    ("visits", "site", "source"),
    [
        (["L3", "L4", "L4"], "L4", "bone mask: L4; of 3 visits L3 at 1"),
        (["L3", "L4"], "L3", "bone mask: L3; of 2 visits L4 at 1"),  # as many: the earlier
        (["L4", "L3"], "L4", "bone mask: L4; of 2 visits L3 at 1"),
    ],
)
def test_visits_that_disagree(visits, site, source):
    exams = [exam(day) for day in DAYS[: len(visits)]]
    assert told(with_sites(exams, map(at, visits))) == [(site, "", source)] * len(visits)


def test_a_lesion_without_a_place_stays_without():
    exams = [exam(DAYS[0])]
    assert with_sites(exams, []) == exams
    assert with_sites(exams, [{"L02": BonePlace(bone=bone_named("L3"), how="x")}]) == exams


def test_a_site_that_is_stated_stays():
    assert told(with_sites([exam(DAYS[0], site="skull")], [at("L3")])) == [("skull", "", "")]


# A reader's word


def judged(statement):
    exams = with_sites([exam(DAYS[0]), exam(DAYS[1])], [at("left femur")])
    timeline = build_timeline(
        PatientFacts(patient_id="P01"), exams, settings=Settings(), statements=[statement] if statement else []
    )
    return [(row.finding.site, row.finding.laterality, row.finding.site_source) for row in timeline.lesions]


@pytest.mark.parametrize(
    ("site", "side", "expected"),
    [
        ("proximal femur", "", ("proximal femur", "left")),  # of the same bone the side holds
        ("ilium", "", ("ilium", "")),  # of another it does not
        ("ilium", "right", ("ilium", "right")),
    ],
)
@pytest.mark.parametrize("visit", [0, 1])
def test_a_reader_speaks_for_every_visit(site, side, expected, visit):
    said = Statement(date=DAYS[visit], modality=Modality.CT, lesion_id="L01", site=site, laterality=side, row=2)
    sources = [f"reader, of {DAYS[visit]}"] * 2
    sources[visit] = "reader"
    assert judged(said) == [(*expected, source) for source in sources]


def test_without_a_reader_the_mask_speaks():
    assert judged(None) == [("femur", "left", "bone mask: left femur")] * 2


# From files to the table


def saved(array, path):
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ GRID.affine[:, [2, 1, 0, 3]]
    picture = nib.Nifti1Image(array.transpose(2, 1, 0), affine)
    picture.set_sform(affine, code=1)
    nib.save(picture, path)
    return path.name


def test_from_a_bone_mask_to_lesions_csv(tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    image = np.random.default_rng(1).integers(80, 160, GRID.shape).astype(np.int16)
    labels = cuboid((2, 6), rows=(3, 14), columns=(3, 14)) * 22 + cuboid((7, 18), rows=(3, 14), columns=(3, 14)) * 23
    drawn = cuboid((2, 5), rows=(6, 11), columns=(6, 11)) + 2 * cuboid((12, 16), rows=(6, 11), columns=(6, 11))
    cells = [
        saved(image, folder / "ct.nii.gz"),
        saved(drawn, folder / "m.nii.gz"),
        saved(labels, folder / "verse.nii.gz"),
    ]
    rows = [["patient_id", "date", "modality", "image", "mask", "bone_mask"], ["P01", "2024-01-01", "CT", *cells]]
    (folder / "cohort.csv").write_text("\n".join(map(",".join, rows)) + "\n")
    (folder / "s.toml").write_text('[image]\nbone_scheme = "verse"\n')
    settings = Settings.from_toml(folder / "s.toml")
    mda.score(folder / "cohort.csv", out=tmp_path / "out", settings=settings, report=False)
    table = (tmp_path / "out" / "lesions.csv").read_text(encoding="utf-8")
    found = {row["label"]: row for row in csv.DictReader(io.StringIO(table))}
    assert [(found[label]["site"], found[label]["site_source"]) for label in "12"] == [
        ("L3", "bone mask: 100% of it in L3"),
        ("L4", "bone mask: 100% of it in L4"),
    ]
    assert found["1"]["sins_min"]  # which needs a level of the spine
    problems = (tmp_path / "out" / "problems.csv").read_text(encoding="utf-8")
    assert "bone_mask: bones named by VerSe (bone_scheme)" in problems


# A real map of bones


@pytest.mark.real
def test_what_lies_in_a_real_bone_is_of_that_bone(real_data):
    folder = real_data / "ct_totalseg"
    volume = mda.read_volume(folder / "example_ct.nii.gz", modality="CT", date="2024-01-01")
    mask = folder / "example_seg_fast_force_split.nii.gz"
    found = read_bone_mask(mask, like=volume, settings=Settings().image)
    named = [one for one in found if one.name]
    assert len(named) == 25
    for bone in named:
        inner = bone.voxels & (np.arange(bone.voxels.size).reshape(bone.voxels.shape) % 3 == 0)
        region = bone.narrowed(inner)
        told = place_in_bones(region, volume.geometry, found, 5.0)
        assert (told.bone.words, told.how) == (bone.name, f"bone mask: 100% of it in {bone.name}")
        without = replace(found, regions=tuple(one for one in found if one.label != bone.label))
        assert place_in_bones(region, volume.geometry, without, 0.0) is None
