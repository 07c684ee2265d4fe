"""A specification as files: what is written, that it is the same every time, and the truth beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mdanderson.cli import main
from mdanderson.errors import OutputError, SettingsError
from mdanderson.phantoms import centred_grid, render, write_nifti, write_phantoms
from mdanderson.phantoms.bone import SyntheticBone
from mdanderson.readers import read_volume
from mdanderson.readers.manifest import read_cohort
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality

SPEC = """\
seed = 5
[host]
size_mm = [40.0, 30.0, 26.0]
[scan]
slice_mm = 2.0
field_mm = [50.0, 40.0, 30.0]
noise_hu = 10.0
[[patient]]
id = "P1"
[[patient.lesion]]
name = "A"
centre_mm = [-8.0, 0.0, 0.0]
size_mm = [12.0, 10.0, 8.0]
[[patient.lesion]]
name = "B"
centre_mm = [9.0, 0.0, 0.0]
size_mm = [9.0, 9.0, 9.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
"""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def written(tmp_path: Path, text: str, name: str = "out") -> Path:
    (tmp_path / "spec.toml").write_text(text)
    folder = tmp_path / name
    assert write_phantoms(tmp_path / "spec.toml", folder) == folder / "cohort.csv"
    return folder


def truths(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["visit"], row["lesion"]): row for row in table(folder / "truth.csv")}


def images(folder: Path):
    """(volume, mask or None) of each visit of the first patient."""
    (patient, *_) = read_cohort(folder / "cohort.csv")
    for entry in patient.images:
        volume = read_volume(entry.image, modality=Modality.CT, date=entry.date)
        yield volume, read_mask(entry.mask, like=volume) if entry.mask else None


def test_files_and_truth(tmp_path):
    folder = written(tmp_path, SPEC)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "P1/visit1_ct.nii.gz",
        "P1/visit1_lesions.nii.gz",
        "P1/visit2_ct.nii.gz",
        "P1/visit2_lesions.nii.gz",
        "cohort.csv",
        "patients.csv",
        "spec.toml",
        "truth.csv",
        "truth_visits.csv",
    ]
    assert (folder / "spec.toml").read_text() == SPEC
    row = truths(folder)["visit2", "A"]
    assert (row["status"], row["lesion_type"], row["core_hu"], row["date"]) == (
        "followed",
        "lytic",
        "40.00",
        "2024-04-01",
    )
    assert (row["long_axis_mm"], row["short_axis_mm"], row["share_in_view"]) == ("12.00", "10.00", "1.000")
    assert float(row["volume_ml"]) == pytest.approx(np.pi / 6 * 0.96, abs=1e-4)
    assert [v["category"] for v in table(folder / "truth_visits.csv")] == ["BL", "SD"]
    for volume, mask in images(folder):
        found = {str(region.label): region for region in mask}
        for lesion in ("A", "B"):
            truth = truths(folder)[f"visit{1 if volume.date.year == 2024 and volume.date.month == 1 else 2}", lesion]
            region = found[truth["label"]]
            points = volume.geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
            assert points.mean(axis=0) == pytest.approx([float(truth[f"{axis}_mm"]) for axis in "xyz"], abs=0.3)
            assert len(points) * 2e-3 == pytest.approx(float(truth["volume_ml"]), rel=0.12)


@pytest.mark.parametrize("form", ["nifti", "dicom"])
def test_two_writings_are_identical_and_another_seed_is_not(tmp_path, form):
    text = SPEC.replace("seed = 5", f'seed = 5\nformat = "{form}"')
    one, two, other = (
        written(tmp_path, t, name)
        for t, name in ((text, "1"), (text, "2"), (text.replace("seed = 5", "seed = 6"), "3"))
    )
    files = [p.relative_to(one) for p in one.rglob("*") if p.is_file()]
    assert [p for p in files if (one / p).read_bytes() != (two / p).read_bytes()] == []
    assert [p for p in files if (one / p).read_bytes() != (other / p).read_bytes()]


def test_a_visit_lies_where_its_motion_says(tmp_path):
    scan = "scan = { turn_deg = [0.0, 0.0, 30.0], shift_mm = [2.0, -1.0, 3.0], centre_mm = [0.3, 0.0, 0.0] }"
    folder = written(tmp_path, SPEC + scan)
    _, later = table(folder / "truth_visits.csv")
    motion = np.array([[float(later[f"motion_{r}{c}"]) for c in range(4)] for r in range(3)])
    turn = np.radians(30)
    np.testing.assert_allclose(motion[:2, :2], [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], atol=1e-8)
    row = truths(folder)["visit2", "B"]
    assert motion @ [9.0, 0.0, 0.0, 1.0] == pytest.approx([float(row[f"{axis}_mm"]) for axis in "xyz"], abs=0.01)
    *_, (volume, mask) = images(folder)
    region = mask[int(row["label"])]
    points = volume.geometry.to_lps(np.argwhere(region.voxels) + [part.start for part in region.box])
    assert points.mean(axis=0) == pytest.approx([float(row[f"{axis}_mm"]) for axis in "xyz"], abs=0.3)


def test_a_shifted_mask_leaves_the_image_alone(tmp_path):
    folders = [
        written(tmp_path, SPEC + more, name)
        for more, name in (("", "a"), ("scan = { mask_shift_mm = [2.0, 0.0, 0.0] }", "b"))
    ]
    (right, mask), (same, off) = (list(images(folder))[1] for folder in folders)
    np.testing.assert_array_equal(right.array, same.array)
    assert off[1].box[2].start - mask[1].box[2].start == 2


def test_what_the_field_of_view_cuts(tmp_path):
    scan = "scan = { centre_mm = [-24.0, 0.0, 0.0], field_mm = [30.0, 40.0, 30.0] }"
    folder = written(tmp_path, SPEC + scan)
    rows = truths(folder)
    assert (rows["visit2", "B"]["status"], rows["visit2", "B"]["label"]) == ("not_evaluable", "")
    assert rows["visit2", "A"]["label"] == "1"
    assert 0.3 < float(rows["visit2", "A"]["share_in_view"]) < 0.5
    assert table(folder / "truth_visits.csv")[1]["category"] == ""


def test_merge_split_vanish_and_nobody_drew_it(tmp_path):
    text = SPEC + (
        'merge = [{ lesions = ["A", "B"] }]\n[[patient.visit]]\nweeks = 20\n'
        'change = [{ lesion = "A", vanish = true }]\n'
    )
    folder = written(tmp_path, text)
    rows = truths(folder)
    first, other = rows["visit2", "A"], rows["visit2", "B"]
    assert (first["status"], first["parents"], first["label"]) == ("merged", "A;B", "1")
    assert (other["status"], other["label"], other["long_axis_mm"]) == ("merged", "", "")
    assert float(first["long_axis_mm"]) == pytest.approx(17 + 6 + 4.5, abs=0.1)
    assert rows["visit3", "A"]["status"] == "resolved"
    *_, (_, mask) = images(folder)
    assert mask is None
    assert [row["mask"] for row in table(folder / "cohort.csv")][2] == ""
    parts = "{ name = 'B1', centre_mm = [9.0, -4.0, 0.0], size_mm = [4.0, 4.0, 4.0] }"
    text = SPEC + f"split = [{{ lesion = 'B', parts = [{parts}, {parts.replace('-4.0', '4.0')}] }}]"
    row = truths(written(tmp_path, text, "split"))["visit2", "B"]
    assert (row["status"], len(row["label"].split(";"))) == ("split", 2)
    assert (float(row["long_axis_mm"]), float(row["short_axis_mm"])) == pytest.approx((12.0, 4.0), abs=0.1)


def test_thick_slices_and_other_planes(tmp_path):
    text = SPEC + 'scan = { orientation = "sagittal", slice_mm = 4.0 }'
    (axial, _), (sagittal, _) = images(written(tmp_path, text))
    assert abs(axial.geometry.directions[0][2]) == 1.0
    assert abs(sagittal.geometry.directions[0][0]) == 1.0
    assert sagittal.geometry.spacing_mm == pytest.approx((4.0, 1.0, 1.0))


@pytest.mark.parametrize("tracking", [True, False])
def test_a_seg_names_lesions_over_time_or_does_not(tmp_path, tracking):
    text = SPEC.replace("seed = 5", f'seed = 5\nformat = "dicom"\ntracking = {str(tracking).lower()}')
    folder = written(tmp_path, text)
    uids = []
    for visit, (_, mask) in zip(("visit1", "visit2"), images(folder), strict=True):
        rows = truths(folder)
        uids.append({name: mask[int(rows[visit, name]["label"])].tracking_uid for name in ("A", "B")})
    assert (uids[0] == uids[1]) is tracking
    assert len({*uids[0].values(), *uids[1].values()}) == (2 if tracking else 4)


def test_a_lesion_that_is_denser_or_less_dense_inside_settles_nothing(tmp_path):
    change = 'change = [{ lesion = "A", core_hu = 150.0 }]\n'
    assert table(written(tmp_path, SPEC + change) / "truth_visits.csv")[1]["category"] == ""


class TestRealCt:
    @pytest.fixture
    def ct(self, tmp_path):
        grid = centred_grid((2.0, 1.0, 1.0), (30.0, 40.0, 50.0))
        return write_nifti(render(SyntheticBone(), [], grid, noise_hu=20.0, seed=1).volume, tmp_path / "ct.nii.gz")

    TEXT = SPEC.replace("size_mm = [40.0, 30.0, 26.0]", 'kind = "ct"\nimage = "ct.nii.gz"')

    def test_its_voxels_are_its_own_outside_the_lesions(self, tmp_path, ct):
        before = ct.read_bytes()
        text = self.TEXT.replace("noise_hu = 10.0", "noise_hu = 0.0\nown_grid = true")
        (volume, mask), _ = images(written(tmp_path, text))
        own = read_volume(ct, modality=Modality.CT, date=volume.date)
        far = np.ones(volume.array.shape, dtype=bool)
        for region in mask:
            far[tuple(slice(max(0, part.start - 1), part.stop + 1) for part in region.box)] = False
        np.testing.assert_array_equal(volume.array[far], own.array[far])
        assert (volume.array[~far] != own.array[~far]).any()
        assert ct.read_bytes() == before

    @pytest.mark.usefixtures("ct")
    def test_it_is_resampled_on_another_grid(self, tmp_path):
        (volume, _), _ = images(written(tmp_path, self.TEXT))
        assert volume.geometry.shape == (15, 40, 50)

    def test_own_grid_needs_one(self, tmp_path):
        with pytest.raises(SettingsError, match="own_grid without a real CT @ patient P1, visit 1"):
            written(tmp_path, SPEC.replace("slice_mm", "own_grid = true\nslice_mm"))


def test_a_lesion_that_cannot_exist_is_placed(tmp_path):
    text = SPEC.replace('name = "A"', 'name = "A"\nshape = "crescent"')
    with pytest.raises(SettingsError, match=r"impossible lesion: form=crescent @ patient P1, visit 1, lesion A"):
        written(tmp_path, text)
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="phantoms cannot be written"):
        written(tmp_path, SPEC, "file")


# The command


def test_the_command_writes_and_says_what_next(tmp_path, capsys):
    (tmp_path / "spec.toml").write_text(SPEC)
    assert main(["demo", "--phantom", str(tmp_path / "spec.toml"), str(tmp_path / "out")]) == 0
    assert f"mdanderson score {tmp_path / 'out' / 'cohort.csv'}" in capsys.readouterr().out


def test_the_command_tells_one_line_of_a_fault(tmp_path, capsys):
    (tmp_path / "spec.toml").write_text(SPEC.replace("slice_mm", "slice"))
    assert main(["demo", "--phantom", str(tmp_path / "spec.toml"), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "scan.slice: unknown key" in said
    assert "spec.toml line 5" in said


def test_the_command_writes_nowhere_else(tmp_path, capsys):
    (tmp_path / "spec.toml").write_text(SPEC)
    assert main(["demo", "--phantom", str(tmp_path / "spec.toml"), str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_help_explains_it(capsys):
    assert main(["demo", "--help"]) == 0
    assert "SPEC.toml" in capsys.readouterr().out


# Where lesions lie


IN_AIR = """\
[host]
kind = "vertebrae"
[[patient]]
id = "P0"
visit = [{weeks = 0}]
[[patient.lesion]]
name = "C"
centre_mm = [0.0, 400.0, 0.0]
size_mm = [9.0, 9.0, 9.0]"""


@pytest.mark.parametrize(
    ("old", "new", "what", "where"),
    [
        (
            "centre_mm = [9.0, 0.0, 0.0]",
            "centre_mm = [500.0, 0.0, 0.0]",
            "lies outside the field of view of every visit",
            "patient P1, visit 1, lesion B",
        ),
        (
            "[host]\nsize_mm = [40.0, 30.0, 26.0]",
            IN_AIR,
            "lies in air, outside the body",
            "patient P0, visit 1, lesion C",
        ),
    ],
)
def test_a_lesion_off_the_body_is_refused_before_anything_is_written(tmp_path, old, new, what, where):
    assert old in SPEC
    (tmp_path / "spec.toml").write_text(SPEC.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        write_phantoms(tmp_path / "spec.toml", tmp_path / "out")
    assert (caught.value.what, caught.value.where) == (what, where)
    assert "centre_mm" in caught.value.way_out
    assert not (tmp_path / "out").exists()


def test_one_that_a_single_visit_shows_is_kept(tmp_path):
    """The second visit images the bone from 15 mm to the left of the lesion."""
    away = SPEC.rstrip() + "\nscan = {centre_mm = [33.0, 0.0, 0.0]}\n"
    found = truths(written(tmp_path, away))
    assert [found[visit, "A"]["share_in_view"] for visit in ("visit1", "visit2")] == ["1.000", "0.000"]
