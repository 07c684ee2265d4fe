"""From files to response on phantoms: what is segmented, what is not, what is new; each visit on another grid."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mdanderson.assessment import assess
from mdanderson.geometry import Geometry
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.phantoms.write import write_ct_series, write_label_map, write_nifti
from mdanderson.readers.manifest import Patient, read_cohort
from mdanderson.settings import ImageSettings, Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Category, LesionType, Status

LOWER, UPPER = (0.0, -1.0, -16.0), (-2.0, 0.0, 16.0)
"""Centres of the two vertebral bodies in body space, LPS mm."""

_GRIDS = (
    Geometry.from_axes(shape=(46, 76, 80), spacing_mm=(1.5, 1.2, 1.2), origin_mm=(-48, -46, -35)),
    Geometry.from_axes(shape=(38, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -34)),
    Geometry.from_axes(shape=(46, 82, 84), spacing_mm=(1.5, 1.15, 1.15), origin_mm=(-47, -47, -33)),
)
_MOTIONS = (
    rigid_motion(),
    rigid_motion(rotation_deg=(2.0, 3.0, 5.0), shift_mm=(4.3, -3.1, 2.2)),
    rigid_motion(rotation_deg=(-3.0, 1.0, -4.0), shift_mm=(-2.7, 3.4, -1.6)),
)


def lesion(label: int, centre: tuple[float, float, float], size: float, **more: object) -> LesionSpec:
    """A nearly round lesion; `size` is its greatest diameter in mm."""
    half = size / 2
    return LesionSpec(label=label, centre_mm=centre, semi_axes_mm=(half, half * 0.9, half * 0.85), **more)


@cache
def phantom(lesions: tuple[LesionSpec, ...], visit: int, grid: Geometry | None = None) -> Phantom:
    """The body with these lesions as the scanner of `visit` sees it."""
    return render(
        SyntheticVertebrae(), lesions, grid or _GRIDS[visit], motion=_MOTIONS[visit], noise_hu=12.0, seed=visit + 1
    )


def write_patient(folder: Path, visits: Sequence[Sequence[LesionSpec]]) -> Path:
    """A cohort of one patient, a visit every twelve weeks; gives the manifest."""
    rows = ["patient_id,visit,date,modality,image,mask"]
    for index, lesions in enumerate(visits):
        seen = phantom(tuple(lesions), index)
        date = dt.date(2024, 3, 1) + dt.timedelta(weeks=12 * index)
        write_nifti(seen.volume, folder / f"ct{index}.nii")
        mask = ""
        if seen.mask.regions:
            mask = f"mask{index}.nii"
            write_label_map(seen.mask, folder / mask)
        rows.append(f"P01,visit {index},{date},CT,ct{index}.nii,{mask}")
    manifest = folder / "cohort.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


@pytest.fixture
def patient_of(tmp_path: Path) -> Callable[..., Patient]:
    """Makes a patient of one list of lesions a visit."""

    def make(*visits: Sequence[LesionSpec]) -> Patient:
        return read_cohort(write_patient(tmp_path, visits))["P01"]

    return make


def rows(timeline: Timeline, visit: int = 1):
    """The rows of one visit by lesion."""
    label = timeline.visits[visit].label
    return {row.lesion_id: row for row in timeline.lesions if row.visit == label}


def category(timeline: Timeline, visit: int = 1) -> Category:
    return timeline.response(timeline.visits[visit]).category


LARGE, SMALL = lesion(1, LOWER, 18), lesion(2, UPPER, 14)


def test_shrinkage_is_partial_response_by_size(patient_of):
    timeline = assess(patient_of([LARGE, SMALL], [lesion(1, LOWER, 8), lesion(2, UPPER, 6)]))
    assert category(timeline) == Category.PR
    assert timeline.response(timeline.visits[1]).rules == ("PR3",)
    first = rows(timeline)["L01"].finding
    assert first.status is Status.FOLLOWED
    assert abs(first.long_axis_mm - Decimal(8)) < 1
    assert rows(timeline, 0)["L01"].finding.lesion_type is LesionType.LYTIC


def test_growth_is_progression_by_size(patient_of):
    timeline = assess(patient_of([lesion(1, LOWER, 12), SMALL], [lesion(1, LOWER, 19), SMALL]))
    assert category(timeline) == Category.PD
    assert "PD1" in timeline.response(timeline.visits[1]).rules


def test_unchanged_is_stable_on_another_grid(patient_of):
    timeline = assess(patient_of([LARGE, SMALL], [LARGE, SMALL]))
    assert category(timeline) == Category.SD
    for row in rows(timeline).values():
        assert abs(row.size_change_baseline) < 0.1
        assert row.finding.registration_error_mm < 2.0


def test_a_vanished_label_that_the_image_still_shows_is_no_cure(patient_of):
    hidden = lesion(2, UPPER, 14, drawn=False)
    timeline = assess(patient_of([LARGE, SMALL], [LARGE, hidden]))
    assert rows(timeline)["L02"].finding.status is Status.MISSING
    assert rows(timeline)["L02"].category == Category.NE
    assert category(timeline) == Category.NE
    assert "visible but not segmented" in timeline.response(timeline.visits[1]).reason


def test_all_labels_vanished_with_the_lesions_still_there(patient_of):
    timeline = assess(
        patient_of([LARGE, SMALL], [lesion(1, LOWER, 18, drawn=False), lesion(2, UPPER, 14, drawn=False)])
    )
    assert {row.finding.status for row in rows(timeline).values()} == {Status.MISSING}
    assert category(timeline) == Category.NE


def test_a_lesion_gone_from_the_image_is_resolved_by_density(patient_of):
    timeline = assess(patient_of([LARGE, SMALL], []))
    for row in rows(timeline).values():
        assert row.finding.status is Status.RESOLVED
        assert row.rules == ("CR2",)
        assert row.size_change_baseline == -1
        assert "PR3" not in row.reason
    assert category(timeline) == Category.CR


def test_a_lesion_filled_in_and_not_segmented_is_resolved_by_fill_in(patient_of):
    filled = [
        lesion(1, LOWER, 18, fill_fraction=1.0, drawn=False),
        lesion(2, UPPER, 14, fill_fraction=1.0, drawn=False),
    ]
    timeline = assess(patient_of([LARGE, SMALL], filled))
    for row in rows(timeline).values():
        assert row.finding.status is Status.RESOLVED
        assert row.rules == ("CR1",)
    assert category(timeline) == Category.CR


def test_a_lesion_filled_in_and_still_segmented_is_complete_response(patient_of):
    filled = [lesion(1, LOWER, 18, fill_fraction=1.0), lesion(2, UPPER, 14, fill_fraction=1.0)]
    timeline = assess(patient_of([LARGE, SMALL], filled))
    assert all("CR1" in row.rules for row in rows(timeline).values())
    assert category(timeline) == Category.CR


@pytest.mark.parametrize("rim_drawn", [False, True])
def test_a_new_rim_is_a_response_and_never_growth(patient_of, rim_drawn):
    rimmed = [
        lesion(1, LOWER, 18, rim_thickness_mm=2.5, rim_drawn=rim_drawn),
        lesion(2, UPPER, 14, rim_thickness_mm=2.5, rim_drawn=rim_drawn),
    ]
    timeline = assess(patient_of([LARGE, SMALL], rimmed))
    assert category(timeline) == Category.PR
    for row in rows(timeline).values():
        assert "PR1" in row.rules
        assert abs(row.size_change_baseline) < 0.15
        assert (row.finding.outline_long_axis_mm is not None) is rim_drawn


def test_a_new_lesion_is_progression(patient_of):
    timeline = assess(patient_of([LARGE], [LARGE, lesion(2, UPPER, 12)]))
    assert rows(timeline)["L02"].finding.status is Status.NEW
    assert category(timeline) == Category.PD
    assert timeline.response(timeline.visits[1]).rules == ("PD4",)


def test_a_later_segmented_lesion_that_baseline_shows_is_not_new(patient_of):
    timeline = assess(patient_of([LARGE, lesion(2, UPPER, 12, drawn=False)], [LARGE, lesion(2, UPPER, 12)]))
    assert rows(timeline)["L02"].finding.status is Status.FOLLOWED
    assert category(timeline) == Category.SD
    assert any("visible at baseline but not segmented" in problem.what for problem in timeline.problems)


def test_a_later_lesion_outside_the_baseline_view_is_not_evaluable(tmp_path):
    low = Geometry.from_axes(shape=(24, 76, 80), spacing_mm=(1.5, 1.2, 1.2), origin_mm=(-48, -46, -35))
    manifest = write_patient(tmp_path, [[LARGE], [LARGE, lesion(2, UPPER, 12)]])
    write_nifti(phantom((LARGE,), 0, low).volume, tmp_path / "ct0.nii")
    write_label_map(phantom((LARGE,), 0, low).mask, tmp_path / "mask0.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert rows(timeline)["L02"].finding.status is Status.NOT_EVALUABLE
    assert category(timeline) == Category.SD


def test_a_known_lesion_outside_the_later_view_is_not_evaluable(tmp_path):
    low = Geometry.from_axes(shape=(22, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -34))
    manifest = write_patient(tmp_path, [[LARGE, SMALL], [LARGE]])
    write_nifti(phantom((LARGE,), 1, low).volume, tmp_path / "ct1.nii")
    write_label_map(phantom((LARGE,), 1, low).mask, tmp_path / "mask1.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert rows(timeline)["L02"].finding.status is Status.NOT_EVALUABLE
    assert "field of view" in rows(timeline)["L02"].finding.why
    assert category(timeline) == Category.NE


def test_a_lesion_cut_by_the_edge_has_no_size(tmp_path):
    cut = Geometry.from_axes(shape=(25, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -12))
    manifest = write_patient(tmp_path, [[LARGE, SMALL], [LARGE, SMALL]])
    write_nifti(phantom((LARGE, SMALL), 1, cut).volume, tmp_path / "ct1.nii")
    write_label_map(phantom((LARGE, SMALL), 1, cut).mask, tmp_path / "mask1.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert rows(timeline)["L01"].finding.long_axis_mm is None
    assert "cut by the edge" in rows(timeline)["L01"].finding.why
    assert [problem.visit for problem in timeline.problems if "L01 (label 1): cut by the edge" in problem.what] == [
        "visit 1"
    ]
    assert category(timeline) == Category.NE


def test_planes_that_the_grid_does_not_allow_are_said(patient_of):
    settings = Settings(image=ImageSettings(measuring_plane="coronal", measuring_anisotropy=1.1))
    timeline = assess(patient_of([LARGE], [LARGE]), settings=settings)
    told = [problem for problem in timeline.problems if "cannot be cut in coronal planes" in problem.what]
    assert [problem.visit for problem in told] == ["visit 0", "visit 1"]
    assert "1.5 x 1.2 x 1.2 mm" in told[0].what
    assert category(timeline) == Category.SD


def test_progression_is_judged_from_the_nadir(patient_of):
    sizes = (20, 9, 13)
    timeline = assess(patient_of(*([lesion(1, LOWER, size)] for size in sizes)))
    assert [category(timeline, visit) for visit in (1, 2)] == [Category.PR, Category.PD]
    assert "nadir" in timeline.response(timeline.visits[2]).reason


def test_a_new_lesion_keeps_its_identity_at_the_next_visit(patient_of):
    timeline = assess(patient_of([LARGE], [LARGE, lesion(5, UPPER, 12)], [LARGE, lesion(3, UPPER, 12)]))
    assert set(rows(timeline, 2)) == {"L01", "L02"}
    assert rows(timeline, 2)["L02"].finding.label == "3"
    assert category(timeline, 2) == Category.PD


def test_a_merged_pair_is_measured_as_one_region(patient_of):
    left, right = (6.5, -1.0, -16.0), (-6.5, -1.0, -16.0)
    apart = [lesion(1, left, 11), lesion(2, right, 11)]
    joined = [LesionSpec(label=1, centre_mm=LOWER, semi_axes_mm=(12.5, 5.0, 4.7))]
    timeline = assess(patient_of(apart, joined))
    merged = rows(timeline)
    assert {row.finding.status for row in merged.values()} == {Status.MERGED}
    assert merged["L01"].finding.parents == ("L01", "L02")
    assert category(timeline) == Category.SD


def test_a_split_lesion_is_measured_as_one_region(patient_of):
    joined = [LesionSpec(label=1, centre_mm=LOWER, semi_axes_mm=(12.5, 5.0, 4.7))]
    apart = [lesion(1, (6.5, -1.0, -16.0), 11), lesion(2, (-6.5, -1.0, -16.0), 11)]
    timeline = assess(patient_of(joined, apart))
    assert rows(timeline)["L01"].finding.status is Status.SPLIT
    assert rows(timeline)["L01"].finding.label == "1;2"
    assert category(timeline) == Category.SD


def test_another_patient_in_the_series_is_not_evaluable(tmp_path):
    manifest = write_patient(tmp_path, [[LARGE], [LARGE]])
    noise = np.random.default_rng(3).normal(40, 30, _GRIDS[1].shape)
    write_nifti(_volume_like(phantom((LARGE,), 1), noise), tmp_path / "ct1.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert category(timeline) == Category.NE
    assert rows(timeline)["L01"].finding.status is Status.NOT_EVALUABLE
    assert any("no identity" in problem.what for problem in timeline.problems)


def _volume_like(seen: Phantom, hu: np.ndarray):
    return replace(seen.volume, array=hu.astype(np.int16))


def test_a_lost_baseline_costs_every_category(tmp_path):
    manifest = write_patient(tmp_path, [[LARGE], [LARGE], [lesion(1, LOWER, 8)]])
    (tmp_path / "ct0.nii").write_bytes(b"not an image")
    timeline = assess(read_cohort(manifest)["P01"])
    assert [category(timeline, visit) for visit in (1, 2)] == [Category.NE, Category.NE]
    assert "baseline" in timeline.response(timeline.visits[2]).reason


def test_a_lost_follow_up_costs_its_own_visit_only(tmp_path):
    manifest = write_patient(tmp_path, [[LARGE], [LARGE], [lesion(1, LOWER, 8)]])
    (tmp_path / "ct1.nii").write_bytes(b"not an image")
    timeline = assess(read_cohort(manifest)["P01"])
    assert [category(timeline, visit) for visit in (1, 2)] == [Category.NE, Category.PR]
    assert any("ct1.nii" in problem.where for problem in timeline.problems)


def test_two_images_of_one_visit_are_pooled(tmp_path):
    low = Geometry.from_axes(shape=(26, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -34))
    high = Geometry.from_axes(shape=(26, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -10))
    manifest = write_patient(tmp_path, [[LARGE, SMALL], [LARGE, SMALL]])
    for name, grid in (("1", low), ("2", high)):
        part = phantom((LARGE, SMALL), 1, grid)
        write_nifti(part.volume, tmp_path / f"ct{name}.nii")
        write_label_map(part.mask, tmp_path / f"mask{name}.nii")
    with manifest.open("a") as table:
        table.write("P01,visit 1,2024-05-25,CT,ct2.nii,mask2.nii\n")
    timeline = assess(read_cohort(manifest)["P01"])
    assert len(timeline.visits) == 2
    assert {row.finding.status for row in rows(timeline).values()} == {Status.FOLLOWED}
    assert category(timeline) == Category.SD


def test_another_modality_is_named_and_costs_nothing(tmp_path):
    manifest = write_patient(tmp_path, [[LARGE], [lesion(1, LOWER, 8)]])
    shutil.copy(tmp_path / "ct1.nii", tmp_path / "mr.nii")
    with manifest.open("a") as table:
        table.write("P01,visit 1,2024-05-25,MR,mr.nii,\n")
    timeline = assess(read_cohort(manifest)["P01"])
    assert category(timeline) == Category.PR
    assert any("MR" in problem.what for problem in timeline.problems)


def test_a_lesion_cut_in_one_baseline_image_is_taken_from_the_other(tmp_path):
    low = Geometry.from_axes(shape=(20, 76, 80), spacing_mm=(1.5, 1.2, 1.2), origin_mm=(-48, -46, -38))
    manifest = write_patient(tmp_path, [[LARGE], [LARGE]])
    table = manifest.read_text().replace("ct0.nii", "ct9.nii").replace("mask0.nii", "mask9.nii")
    part = phantom((LARGE,), 0, low)
    write_nifti(part.volume, tmp_path / "ct9.nii")
    write_label_map(part.mask, tmp_path / "mask9.nii")
    manifest.write_text(table + "P01,visit 0,2024-03-05,CT,ct0.nii,mask0.nii\n")
    timeline = assess(read_cohort(manifest)["P01"])
    baseline = rows(timeline, 0)
    assert set(baseline) == {"L01"}
    assert baseline["L01"].finding.status is Status.BASELINE
    assert abs(baseline["L01"].finding.long_axis_mm - Decimal(18)) < 1
    assert category(timeline) == Category.SD


@pytest.mark.parametrize(("filled", "expected"), [(0.3, Category.PR), (0.875, Category.PR), (1.0, Category.CR)])
def test_fill_in_is_complete_only_when_hardly_anything_lytic_is_left(patient_of, filled, expected):
    """0.875 leaves a core of half the diameter, which the filling's blur makes look smaller than it is."""
    timeline = assess(patient_of([lesion(1, LOWER, 14)], [lesion(1, LOWER, 14, fill_fraction=filled)]))
    row = rows(timeline)["L01"]
    assert row.category == expected
    assert abs(row.finding.density.cleared_fraction - filled) < (0.06 if filled > 0.5 else 0.35)


def test_a_smaller_rest_that_nobody_segmented_is_no_cure(patient_of):
    """7 mm left of 18 is less than a tenth of the volume, and a lesion all the same."""
    rest = lesion(1, LOWER, 8, drawn=False)
    timeline = assess(patient_of([LARGE, SMALL], [rest, SMALL]))
    assert rows(timeline)["L01"].finding.status is Status.MISSING
    assert category(timeline) == Category.NE


@pytest.mark.parametrize("drawn", [True, False])
def test_in_bone_hardly_denser_than_the_lesion_noise_is_no_cure(tmp_path, drawn):
    """Porotic bone of 75 HU with a lesion of 45 HU that does not change: never CR."""
    host = SyntheticVertebrae(trabecular_hu=75.0, texture_hu=20.0)
    table = ["patient_id,visit,date,modality,image,mask"]
    for visit in (0, 1):
        one = lesion(1, LOWER, 14, core_hu=45.0, drawn=drawn or visit == 0)
        seen = render(host, [one], _GRIDS[visit], motion=_MOTIONS[visit], noise_hu=25.0, seed=visit + 7)
        write_nifti(seen.volume, tmp_path / f"ct{visit}.nii")
        write_label_map(seen.mask, tmp_path / f"mask{visit}.nii")
        table.append(f"P01,v{visit},2024-0{visit + 1}-01,CT,ct{visit}.nii,mask{visit}.nii")
    (tmp_path / "cohort.csv").write_text("\n".join(table) + "\n")
    found = category(assess(read_cohort(tmp_path / "cohort.csv")["P01"]))
    assert found in ({Category.SD, Category.NE} if drawn else {Category.NE})


@pytest.mark.parametrize("centre", [(20.0, -1.0, -16.0), (0.0, -16.0, -16.0)])
def test_a_new_lesion_at_the_surface_of_the_bone_is_never_stable_disease(patient_of, centre):
    """Muscle beside the bone reads as lytic at baseline: a doubt, never a proof that the lesion was there."""
    timeline = assess(patient_of([SMALL], [SMALL, lesion(5, centre, 13)]))
    assert category(timeline) in {Category.PD, Category.NE}


def test_planes_of_another_thickness_do_not_make_a_small_lesion_grow(tmp_path):
    thick = Geometry.from_axes(shape=(14, 76, 80), spacing_mm=(5.0, 1.2, 1.2), origin_mm=(-48, -46, -37.5))
    thin = Geometry.from_axes(shape=(66, 76, 80), spacing_mm=(1.0, 1.2, 1.2), origin_mm=(-48, -46, -35))
    tiny = lesion(1, LOWER, 7)
    manifest = write_patient(tmp_path, [[tiny], [tiny]])
    for visit, grid in enumerate((thick, thin)):
        seen = phantom((tiny,), visit, grid)
        write_nifti(seen.volume, tmp_path / f"ct{visit}.nii")
        write_label_map(seen.mask, tmp_path / f"mask{visit}.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert rows(timeline)["L01"].finding.long_axis_mm is None
    assert category(timeline) == Category.NE


@pytest.mark.parametrize("fault", ["a slice is missing", "its mask is mistyped"])
def test_an_unusable_dicom_follow_up_costs_its_own_visit_only(tmp_path, fault):
    """Its date stands in the headers only, and is still told."""
    table = ["patient_id,visit,date,modality,image,mask"]
    for visit, size in enumerate((18, 8, 8)):
        seen = phantom((lesion(1, LOWER, size),), visit)
        write_ct_series(
            seen.volume,
            tmp_path / f"ct{visit}",
            patient_id="X",
            study_date=dt.date(2024, visit + 1, 1),
            seed=str(visit),
        )
        write_label_map(seen.mask, tmp_path / f"mask{visit}.nii")
        table.append(f"P01,v{visit},,,ct{visit},mask{visit}.nii")
    if fault == "a slice is missing":
        slices = sorted((tmp_path / "ct2").iterdir())
        slices[len(slices) // 2].unlink()
    else:
        table[-1] = table[-1].replace("mask2", "maks2")
    (tmp_path / "cohort.csv").write_text("\n".join(table) + "\n")
    timeline = assess(read_cohort(tmp_path / "cohort.csv")["P01"])
    assert [category(timeline, visit) for visit in (1, 2)] == [Category.PR, Category.NE]
    named = "ct2" if fault == "a slice is missing" else "cohort.csv row 4 column mask"
    assert any(named in problem.where for problem in timeline.problems)
    assert timeline.visits[2].date == dt.date(2024, 3, 1)


def test_voxels_that_are_no_numbers_are_told(tmp_path):
    manifest = write_patient(tmp_path, [[LARGE], [LARGE]])
    seen = phantom((LARGE,), 1).volume
    array = seen.array.astype(np.float32)
    array[:6, :20, :20] = np.nan
    write_nifti(replace(seen, array=array), tmp_path / "ct1.nii")
    timeline = assess(read_cohort(manifest)["P01"])
    assert any("NaN" in problem.what for problem in timeline.problems)
    assert category(timeline) == Category.SD


@pytest.mark.parametrize("healing", [{"fill_fraction": 1.0}, {"rim_thickness_mm": 2.5, "rim_drawn": True}])
def test_healing_of_a_lesion_overlooked_at_baseline_is_never_a_new_one(patient_of, healing):
    hidden, healed = lesion(2, UPPER, 14, drawn=False), lesion(2, UPPER, 14, **healing)
    timeline = assess(patient_of([LARGE, hidden], [LARGE, healed]))
    assert category(timeline) in {Category.SD, Category.NE}
    assert rows(timeline)["L02"].finding.status is not Status.NEW


def test_without_reference_bone_nobody_calls_a_lesion_new(patient_of):
    """A superscan: neither image holds bone to compare with, so the baseline cannot tell what was there."""
    none = Settings(image=ImageSettings(reference_minimum_voxels=10**9))
    hidden = lesion(2, UPPER, 12, drawn=False)
    timeline = assess(patient_of([LARGE, hidden], [LARGE, lesion(2, UPPER, 12)]), settings=none)
    assert category(timeline) == Category.NE


def test_lesions_that_heal_do_not_cost_the_registration(patient_of):
    """Two large lesions filled in with dense bone change much of what two vertebrae show."""
    before = [lesion(1, LOWER, 26), lesion(2, UPPER, 22)]
    after = [lesion(1, LOWER, 26, fill_fraction=1.0), lesion(2, UPPER, 22, fill_fraction=1.0)]
    timeline = assess(patient_of(before, after))
    assert category(timeline) == Category.CR
    assert all(row.finding.registration_error_mm < 2 for row in rows(timeline).values())


def test_planes_turned_to_another_side_do_not_compare_in_size(tmp_path):
    """A lesion taller than wide reads larger in a sagittal acquisition than in an axial one."""
    tall = LesionSpec(label=1, centre_mm=LOWER, semi_axes_mm=(5.5, 5.5, 9.0))
    side = Geometry.from_axes(
        shape=(60, 64, 70),
        spacing_mm=(1.5, 1.2, 1.2),
        origin_mm=(-44, -46, 34),
        directions=((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    )
    manifest = write_patient(tmp_path, [[tall], [tall]])
    seen = phantom((tall,), 1, side)
    write_ct_series(seen.volume, tmp_path / "side", patient_id="X", study_date=dt.date(2024, 5, 24), seed="side")
    write_label_map(seen.mask, tmp_path / "mask1.nii")
    manifest.write_text(manifest.read_text().replace("ct1.nii", "side"))
    timeline = assess(read_cohort(manifest)["P01"])
    assert rows(timeline)["L01"].finding.long_axis_mm is None
    assert category(timeline) == Category.NE
    assert "turned" in timeline.response(timeline.visits[1]).reason
