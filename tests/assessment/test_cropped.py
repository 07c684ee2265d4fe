"""Crops for the viewer: the image's own voxels at their places, bounded in size, without a word of anybody."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from mdanderson.assessment import assess, cropped
from mdanderson.crops import CARRIED, DRAWN, NEIGHBOUR, Crop, crops_from_json, crops_to_json, nifti_of
from mdanderson.geometry import Geometry
from mdanderson.readers import read_volume
from mdanderson.readers.manifest import read_cohort
from mdanderson.report.html import viewer
from mdanderson.report.tables import timeline_rows
from mdanderson.vocabulary import Modality

DEMO = Path(__file__).parents[2] / "segmentations" / "cohort.csv"
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def opened(text: str) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def planes_first(image: nibabel.Nifti1Image) -> np.ndarray:
    """(planes, rows, columns) in the unit of the image."""
    return np.transpose(image.get_fdata())


@pytest.fixture(scope="module")
def new_lesion() -> list[Crop]:
    """Two unchanged lesions and one that is new at the second visit."""
    crops: list[Crop] = []
    assess(read_cohort(DEMO)["DEMO-PD-NEW"], keep=crops.append)
    return crops


def of(crops: list[Crop], lesion: str, visit: str) -> Crop:
    (found,) = [crop for crop in crops if (crop.lesion_id, crop.visit) == (lesion, visit)]
    return found


def test_every_lesion_is_cropped_at_every_visit_the_largest_first(new_lesion: list[Crop]) -> None:
    assert [(crop.visit, crop.lesion_id, crop.drawn) for crop in new_lesion] == [
        (visit, lesion, (visit, lesion) != ("visit1", "L03"))
        for visit in ("visit1", "visit2")
        for lesion in ("L01", "L03", "L02")
    ]
    assert all(crop.native and crop.linked and crop.unit == "HU" for crop in new_lesion)


@pytest.mark.parametrize("visit", ["visit1", "visit2"])
def test_voxels_are_those_of_the_image_and_lie_where_the_registration_has_them(
    visit: str, new_lesion: list[Crop]
) -> None:
    """The block is in the image just once, value by value; at baseline it lies there, later one rigid motion away."""
    entry = next(one for one in read_cohort(DEMO)["DEMO-PD-NEW"].images if one.visit == visit)
    whole = read_volume(entry.image, modality=Modality.CT, date=entry.date)
    image = opened(of(new_lesion, "L01", visit).image)
    block = planes_first(image)
    places = np.lib.stride_tricks.sliding_window_view(whole.array, block.shape)
    firsts = np.argwhere(places[..., 0, 0, 0] == block[0, 0, 0])
    (found,) = [first for first in firsts if np.array_equal(places[tuple(first)], block)]
    here = image.affine[:, [2, 1, 0, 3]]
    there = TO_RAS @ whole.geometry.crop(tuple(slice(start, start + 1) for start in found)).affine
    if visit == "visit1":
        assert here == pytest.approx(there, abs=1e-3)
    motion = here @ np.linalg.inv(there)
    assert motion[:3, :3] @ motion[:3, :3].T == pytest.approx(np.eye(3), abs=1e-4)


def test_one_place_of_the_baseline_is_one_place_of_the_patient(new_lesion: list[Crop]) -> None:
    """Where the new lesion lies at the second visit, bone lay at the first; the phantom says where that is."""
    hu = {}
    for visit in ("visit1", "visit2"):
        crop = of(new_lesion, "L03", visit)
        image = opened(crop.image)
        left, back, up = crop.middle_mm
        index = np.linalg.inv(image.affine) @ (-left, -back, up, 1.0)
        column, row, plane = np.rint(index[:3]).astype(int)
        hu[visit] = planes_first(image)[plane - 1 : plane + 2, row - 1 : row + 2, column - 1 : column + 2].mean()
    assert hu["visit1"] > 120
    assert hu["visit2"] < 60
    assert of(new_lesion, "L03", "visit1").middle_mm == pytest.approx(
        of(new_lesion, "L03", "visit2").middle_mm, abs=0.01
    )


def test_outlines_say_what_was_drawn_what_was_carried_and_what_is_another_lesion(new_lesion: list[Crop]) -> None:
    kinds = {
        (crop.visit, crop.lesion_id): set(np.unique(opened(crop.outlines).get_fdata()).astype(int)) - {0}
        for crop in new_lesion
    }
    assert kinds["visit1", "L03"] >= {CARRIED}
    assert DRAWN not in kinds["visit1", "L03"]
    assert kinds["visit2", "L01"] == {DRAWN, NEIGHBOUR}
    crop = of(new_lesion, "L01", "visit1")
    outline = opened(crop.outlines)
    assert outline.header["intent_code"] == 1002
    assert outline.shape == opened(crop.image).shape
    assert outline.affine == pytest.approx(opened(crop.image).affine)


def test_nothing_in_a_crop_tells_of_anybody(new_lesion: list[Crop]) -> None:
    for crop in new_lesion:
        header = opened(crop.image).header
        assert {bytes(header[name].tobytes()).strip(b"\0") for name in ("descrip", "aux_file", "intent_name")} == {b""}
        assert bytes(header["db_name"].tobytes()).strip(b"\0") == b""


def test_fewer_voxels_first_cost_detail_and_then_the_smallest_lesion(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = read_cohort(DEMO)["DEMO-PD-NEW"]
    monkeypatch.setattr(cropped, "_MOST_VOXELS", 200_000)
    crops: list[Crop] = []
    assess(patient, keep=crops.append)
    assert {crop.lesion_id for crop in crops} == {"L01", "L02", "L03"}
    assert not any(crop.native for crop in crops)
    assert sum(opened(crop.image).get_fdata().size for crop in crops) <= 200_000
    monkeypatch.setattr(cropped, "_MOST_VOXELS", 100_000)
    fewer: list[Crop] = []
    assess(patient, keep=fewer.append)
    assert 0 < sum(opened(crop.image).get_fdata().size for crop in fewer) <= 100_000
    lost = {crop.lesion_id for crop in crops} - {crop.lesion_id for crop in fewer}
    assert lost
    assert "L01" not in lost  # the largest
    assert of(fewer, "L01", "visit2").visit == "visit2"  # at all visits or at none


def test_a_coarse_voxel_is_the_mean_of_what_was_imaged_and_lies_in_its_middle() -> None:
    values = np.arange(5 * 4 * 6, dtype=float).reshape(5, 4, 6)
    coarse = cropped._blocks(values, (2, 1, 3))
    assert coarse.shape == (3, 4, 2)
    assert coarse[0, 0, 0] == values[:2, 0, :3].mean()
    assert coarse[2, 3, 1] == values[4:, 3, 3:].mean()  # the end has one plane alone
    small = np.zeros((4, 4, 4), dtype=bool)
    small[1, 1, 1] = True
    assert cropped._covered(small, (2, 2, 2)).sum() == 1  # nothing small vanishes


def test_no_result_depends_on_crops(monkeypatch: pytest.MonkeyPatch, new_lesion: list[Crop]) -> None:
    """Neither on their being taken nor on their failing."""
    patient = read_cohort(DEMO)["DEMO-PR-SIZE"]
    plain = assess(patient)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    for name in ("_crop", "_plans"):
        with monkeypatch.context() as patch:
            patch.setattr(cropped, name, broken)
            crops: list[Crop] = []
            assert timeline_rows(assess(patient, keep=crops.append)) == timeline_rows(plain)
            assert crops == []


def test_values_are_kept_to_the_step_of_their_unit() -> None:
    affine = Geometry.from_axes(shape=(1, 1, 3), spacing_mm=(2, 1, 1), origin_mm=(0, 0, 0)).affine
    suv = np.array([[[0, 123, 3000]]], dtype=np.int16)
    image = opened(nifti_of(suv, affine, step=0.01, window=(0.0, 10.0)))
    assert planes_first(image).ravel() == pytest.approx([0.0, 1.23, 30.0])
    assert image.header.get_zooms() == (1.0, 1.0, 2.0)
    assert (image.header["cal_min"], image.header["cal_max"]) == (0.0, 10.0)
    assert image.affine == pytest.approx(np.array([[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]]))


def test_crops_are_read_back_as_written_and_only_for_what_they_belong_to(new_lesion: list[Crop]) -> None:
    text = crops_to_json("key", new_lesion[:2])
    assert crops_from_json("key", text) == tuple(new_lesion[:2])
    assert crops_from_json("other", text) == ()
    assert crops_from_json("key", text[:100]) == ()


def test_a_page_takes_all_crops_of_as_many_lesions_as_have_room(
    new_lesion: list[Crop], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = viewer.ViewerCode(packed="x" * 1000, policy="'sha256-x'")
    monkeypatch.setattr(viewer, "viewer_code", lambda: code)
    every = viewer.viewer_for(new_lesion, beside_bytes=0)
    assert every is not None
    assert (every.crops, every.left_out, every.coarsest_mm) == (tuple(new_lesion), 0, 0.0)
    monkeypatch.setattr(viewer, "_PAGE_BYTES", 600_000)
    fewer = viewer.viewer_for(new_lesion, beside_bytes=1000)
    assert fewer is not None
    assert {crop.lesion_id for crop in fewer.crops} == {"L01", "L03"}
    assert fewer.left_out == 1
    assert sum(crop.size for crop in fewer.crops) < 600_000
    assert viewer.viewer_for(new_lesion, beside_bytes=600_000) is None
    monkeypatch.setattr(viewer, "viewer_code", lambda: None)
    assert viewer.viewer_for(new_lesion, beside_bytes=0) is None
