"""MR and bone scans by specification: what is written, what is true of it, and what is refused."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mdanderson.errors import OutputError, SettingsError
from mdanderson.phantoms import LesionSpec, SyntheticBone, centred_grid, render, write_phantoms
from mdanderson.phantoms.pet import render_pet
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.phantoms.spec import PhantomSpec
from mdanderson.phantoms.views import bone_scan
from mdanderson.phantoms.write import write_pet_series, write_scintigram_dicom
from mdanderson.readers import read_planar, read_volume
from mdanderson.readers.manifest import read_cohort
from mdanderson.readers.masks import read_mask, read_planar_masks
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Unit

DAY = dt.date(2024, 5, 17)
EXAMPLE = Path(__file__).parents[2] / "docs" / "phantoms_beyond_ct.toml"

MR = """\
seed = 4
host = { kind = "spine" }
scan = { slice_mm = 4.0, pixel_mm = [2.0, 2.0], field_mm = [60.0, 50.0, 40.0], sequences = ["T1", "STIR"], snr = 100.0 }
[[patient]]
id = "P1"
visit = [{ weeks = 0 }, { weeks = 12, scan = { gain = 2.0 } }]
[[patient.lesion]]
name = "A"
centre_mm = [0.0, 0.0, 0.0]
size_mm = [18.0, 16.0, 14.0]
signal = { T1 = 0.5, STIR = 2.5 }
"""

SCAN = """\
seed = 4
host = { kind = "body" }
[[patient]]
id = "P1"
visit = [{ weeks = 0 }, { weeks = 12, scan = { gain = 0.5, shift_mm = [9.0, 0.0, -9.0] } }]
[[patient.lesion]]
name = "A"
centre_mm = [0.0, 0.0, 150.0]
size_mm = [28.0, 28.0, 28.0]
uptake = 4.0
[[patient.lesion]]
name = "B"
centre_mm = [85.0, 0.0, 100.0]
size_mm = [28.0, 28.0, 28.0]
uptake = 3.0
"""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def written(tmp_path: Path, text: str, name: str = "out") -> Path:
    (tmp_path / "spec.toml").write_text(text)
    write_phantoms(tmp_path / "spec.toml", tmp_path / name)
    return tmp_path / name


def refused(tmp_path: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        written(tmp_path, text)
    assert caught.value.way_out
    assert not (tmp_path / "out").exists()
    return caught.value


# MR


def test_mr_is_an_image_a_sequence_with_one_mask(tmp_path):
    folder = written(tmp_path, MR)
    rows = table(folder / "cohort.csv")
    assert [(row["modality"], row["sequence"], row["mask"] != "") for row in rows] == [
        ("MR", "T1", True),
        ("MR", "STIR", False),
    ] * 2
    truth = table(folder / "truth.csv")
    assert [(row["signal_ratios"], row["long_axis_mm"], row["core_hu"], row["lesion_type"]) for row in truth] == [
        ("T1=0.5;STIR=2.5", "18.00", "", "")
    ] * 2
    assert [row["category"] for row in table(folder / "truth_visits.csv")] == ["BL", "SD"]


def test_the_lesion_has_its_ratio_to_marrow_whatever_the_gain(tmp_path):
    """Marrow reads 600 in T1 and 180 in STIR before any gain."""
    patient = read_cohort(written(tmp_path, MR) / "cohort.csv")["P1"]
    for entry in patient.images:
        volume = read_volume(entry.image, modality=entry.modality, date=entry.date, sequence=MrSequence(entry.sequence))
        drawn = next(one for one in patient.images if one.mask and one.date == entry.date)
        (region,) = read_mask(drawn.mask, like=volume)
        middle = tuple((part.start + part.stop) // 2 for part in region.box)
        marrow, ratio = {"T1": (600, 0.5), "STIR": (180, 2.5)}[entry.sequence]
        gain = 1.0 if entry.date.month == 1 else 2.0
        assert float(volume.array[middle]) == pytest.approx(gain * marrow * ratio, rel=0.06)


@pytest.mark.parametrize(
    ("old", "new", "what", "where"),
    [
        (", STIR = 2.5", "", "no signal in STIR", "patient P1, visit 1, lesion A"),
        ("signal =", "fill = 0.5\nsignal =", "a rim or filling on MR", "patient P1, visit 1, lesion A"),
        ("signal =", "rim_mm = 2.0\nsignal =", "a rim or filling on MR", "patient P1, visit 1, lesion A"),
        ("[0.0, 0.0, 0.0]", "[0.0, 90.0, 0.0]", "lies in air, outside the body", "patient P1, visit 1, lesion A"),
        (
            "[0.0, 0.0, 0.0]",
            "[-80.0, -40.0, 0.0]",
            "lies outside the field of view of every visit",
            "patient P1, visit 1, lesion A",
        ),
        ("seed = 4", 'seed = 4\nformat = "dicom"', "MR is not written as DICOM", "patient P1"),
        ("gain = 2.0", "own_grid = true", "own_grid without a real CT", "patient P1, visit 2"),
        (
            "gain = 2.0",
            "mask_shift_mm = [1.0, 0.0, 0.0]",
            "a shifted mask on another modality than CT",
            "patient P1, visit 2",
        ),
    ],
)
def test_mr_that_cannot_be(tmp_path, old, new, what, where):
    assert old in MR
    error = refused(tmp_path, MR.replace(old, new))
    assert (error.what, error.where) == (what, where)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"STIR"]', '"FLAIR"]', "scan.sequences.2"),
        ("T1 = 0.5", "T9 = 0.5", "patient.1.lesion.1.signal"),
        ("T1 = 0.5", "T1 = -0.5", "patient.1.lesion.1.signal"),
        ("T1 = 0.5", "T1 = 20.1", "patient.1.lesion.1.signal"),
    ],
)
def test_words_and_ratios_are_checked(tmp_path, old, new, what):
    assert refused(tmp_path, MR.replace(old, new)).what.startswith(what)


def test_a_lesion_like_marrow_or_of_other_signal_settles_nothing(tmp_path):
    faint = MR.replace("T1 = 0.5", "T1 = 0.75")
    other = MR.replace("gain = 2.0 }", 'gain = 2.0 }, change = [{ lesion = "A", signal = { T1 = 0.6, STIR = 2.5 } }]')
    for name, text in (("a", faint), ("b", other)):
        assert [row["category"] for row in table(written(tmp_path, text, name) / "truth_visits.csv")] == ["BL", ""]


# Bone scan


def test_a_bone_scan_is_two_views_with_a_mask_each(tmp_path):
    folder = written(tmp_path, SCAN)
    rows = table(folder / "cohort.csv")
    assert [(row["modality"], row["view"], row["mask"] != "") for row in rows] == [
        ("NM", "ANT", True),
        ("NM", "POST", True),
    ] * 2
    truth = {(row["visit"], row["lesion"]): row for row in table(folder / "truth.csv")}
    for lesion, ratio in (("A", 4.0), ("B", 3.0)):
        now, later = (float(truth[visit, lesion]["uptake_ratio"]) for visit in ("visit1", "visit2"))
        assert 1.0 < now < ratio  # the camera blurs it
        assert later == pytest.approx(now, rel=0.02)
    moved = [float(truth[visit, "A"]["x_mm"]) for visit in ("visit1", "visit2")]
    assert moved == [0.0, 9.0]
    assert [row["category"] for row in table(folder / "truth_visits.csv")] == ["BL", "SD"]


def test_foci_lie_in_both_views_where_the_truth_says(tmp_path):
    folder = written(tmp_path, SCAN)
    truth = {row["label"]: row for row in table(folder / "truth.csv") if row["visit"] == "visit2"}
    for entry in read_cohort(folder / "cohort.csv")["P1"].images[2:]:
        (picture,) = planar = read_planar(entry.image, modality=Modality.NM, date=entry.date, view=View(entry.view))
        (mask,) = read_planar_masks(entry.mask, planar, settings=Settings().image)
        assert picture.view == entry.view
        for region in mask:
            points = mask.geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
            x, _, z = points.mean(axis=0)
            row = truth[str(region.label)]
            assert (x, z) == pytest.approx((float(row["x_mm"]), float(row["z_mm"])), abs=1.5)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("uptake = 4.0\n", "", "no uptake"),
        ("uptake = 4.0\n", "uptake = 4.0\nrim_mm = 2.0\n", "a rim or filling on NM"),
        ("[0.0, 0.0, 150.0]", "[0.0, 0.0, 900.0]", "lies in air, outside the body"),
        ("-9.0] } }]", '-9.0] }, merge = [{ lesions = ["A", "B"] }] }]', "merged on a bone scan"),
    ],
)
def test_a_bone_scan_that_cannot_be(tmp_path, old, new, what):
    assert old in SCAN
    assert refused(tmp_path, SCAN.replace(old, new)).what == what


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('{ lesion = "A", vanish = true }, { lesion = "B", vanish = true }', "CR"),
        ('{ lesion = "A", vanish = true }', ""),
        ('{ lesion = "A", uptake = 9.0 }', ""),
        ('{ lesion = "A", drawn = false }', ""),
    ],
)
def test_what_foci_settle(tmp_path, change, expected):
    folder = written(tmp_path, SCAN.replace("-9.0] } }]", f"-9.0] }}, change = [{change}] }}]"))
    assert [row["category"] for row in table(folder / "truth_visits.csv")] == ["BL", expected]


def test_one_patient_of_two_bodies(tmp_path):
    """CT and bone scan of one patient are at the same days, and the patient begins treatment once."""
    bone = SCAN.split("[[patient]]")[1].replace('id = "P1"', 'id = "P1"\nhost = { kind = "bone" }')
    bone = bone.replace("0.0, 150.0", "0.0, 0.0").replace("85.0, 0.0, 100.0", "9.0, 5.0, 0.0").replace("28.0", "8.0")
    bone = bone.replace("shift_mm = [9.0, 0.0, -9.0]", "noise_hu = 5.0")
    folder = written(tmp_path, SCAN + "[[patient]]" + bone)
    days = {(row["visit"], row["date"]) for row in table(folder / "cohort.csv")}
    assert days == {("visit1", "2024-01-08"), ("visit2", "2024-04-01")}
    assert [row["patient_id"] for row in table(folder / "patients.csv")] == ["P1"]
    assert {row["modality"] for row in table(folder / "truth.csv")} == {"CT", "NM"}
    with pytest.raises(SettingsError, match="should have visits of the same weeks"):
        PhantomSpec.from_mapping(tomllib.loads(SCAN + "[[patient]]" + bone.replace("weeks = 12", "weeks = 16")))


@pytest.mark.parametrize("text", [MR, SCAN, SCAN.replace("seed = 4", 'seed = 4\nformat = "dicom"')])
def test_two_writings_are_identical(tmp_path, text):
    one, two = (written(tmp_path, text, name) for name in ("1", "2"))
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert [path for path in files if (one / path).read_bytes() != (two / path).read_bytes()] == []


def test_the_example_of_the_documentation_can_be_had():
    assert [patient.id for patient in PhantomSpec.from_toml(EXAMPLE).patient] == ["MR", "SCAN"]


# Bone scan and PET in DICOM


@pytest.fixture(scope="module")
def scan():
    return bone_scan(
        ScanBody(seed=2),
        {"P": Focus(x_mm=85.0, z_mm=100.0, radius_mm=14.0, ratio=4.0)},
        pose=ScanPose(),
        rows_columns=(128, 48),
        pixel_mm=12.0,
        seed=3,
    )


def test_a_bone_scan_in_dicom_is_read_back(scan, tmp_path):
    path = write_scintigram_dicom(scan.volumes, tmp_path / "new" / "nm.dcm", patient_id="P1", study_date=DAY, seed="1")
    front, back = read_planar(path)
    assert (front.view, back.view, front.date, front.unit) == (View.ANT, View.POST, DAY, Unit.COUNTS)
    for picture, volume in zip((front, back), scan.volumes, strict=True):
        np.testing.assert_array_equal(picture.array, volume.array[0])
        assert picture.spacing_mm == pytest.approx((12.0, 12.0))
        assert picture.notes == ()
    assert (front.array != back.array[:, ::-1]).any()


@pytest.mark.parametrize("change", ["broken", "negative", "too many"])
def test_counts_that_are_none_are_refused(scan, tmp_path, change):

    value = {"broken": 0.5, "negative": -1.0, "too many": 65536.0}[change]
    volume = replace(scan.volumes[0], array=np.full(scan.volumes[0].array.shape, value))
    with pytest.raises(OutputError, match="whole counts"):
        write_scintigram_dicom([volume], tmp_path / "nm.dcm", patient_id="P1", study_date=DAY, seed="1")


def test_gain_changes_no_true_ratio():
    focus = {"P": Focus(x_mm=85.0, z_mm=100.0, radius_mm=20.0, ratio=4.0)}
    one, other = (
        bone_scan(ScanBody(), focus, pose=ScanPose(), rows_columns=(128, 48), pixel_mm=12.0, gain=gain, seed=3)
        for gain in (1.0, 0.8)
    )
    assert one.uptake == pytest.approx(other.uptake)
    front = render_view(ScanBody(), list(focus.values()), rows_columns=(128, 48), pixel_mm=12.0)
    assert one.uptake["P"] == pytest.approx(front.ratio(1), rel=0.05)


def test_a_pet_in_dicom_is_read_back_in_suv(tmp_path):
    lesion = LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(12.0, 11.0, 10.0))
    grid = centred_grid((4.0, 4.0, 4.0), (40.0, 60.0, 60.0))
    pet = render_pet(SyntheticBone(), [lesion], [8.0], grid, seed=1)
    write_pet_series(pet.volume, tmp_path, patient_id="P1", study_date=DAY, seed="1")
    volume = read_volume(tmp_path)
    assert (volume.modality, volume.unit, volume.date) == (Modality.PT, Unit.SUV, DAY)
    np.testing.assert_allclose(volume.array, pet.volume.array, atol=6e-4)
    assert volume.acquisition["tracer"] == "FDG"
    assert volume.acquisition["uptake_minutes"] == "60.0"
    assert float(volume.array.max()) == pytest.approx(8.0, rel=0.12)


@pytest.mark.parametrize(("lesions", "suvs"), [(1, []), (1, [-0.1]), (1, [30.1]), (0, [3.0])])
def test_pet_lesions_without_an_suv_are_refused(lesions, suvs):
    lesion = LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(12.0, 11.0, 10.0))
    with pytest.raises(SettingsError, match="SUVs"):
        render_pet(SyntheticBone(), [lesion] * lesions, suvs, centred_grid((4.0, 4.0, 4.0), (20.0, 20.0, 20.0)))


def test_what_is_no_suv_is_not_written(tmp_path):
    ct = render(SyntheticBone(), [], centred_grid((4.0, 4.0, 4.0), (20.0, 20.0, 20.0))).volume
    with pytest.raises(OutputError, match="no SUV"):
        write_pet_series(ct, tmp_path, patient_id="P1", study_date=DAY, seed="1")
