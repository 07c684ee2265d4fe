"""Densities that do not compare are not compared: what the finding says, and what problems.csv tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mdanderson.assessment import assess
from mdanderson.assessment.catalogue import Catalogue
from mdanderson.assessment.comparable import about_acquisition, spoiled_by_reference
from mdanderson.assessment.station import Image, Station
from mdanderson.assessment.visit import VisitFindings, assess_visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Density, LesionFinding
from mdanderson.phantoms import (
    LesionSpec,
    SyntheticBone,
    centred_grid,
    render,
    write_ct_series,
    write_label_map,
    write_nifti,
)
from mdanderson.readers.manifest import read_cohort
from mdanderson.registration import Registration
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality, Status
from mdanderson.volume import Mask

SETTINGS = Settings()
BONE = SyntheticBone()
LYTIC = LesionSpec(label=1, centre_mm=(3.0, -1.0, 0.0), semi_axes_mm=(6.0, 6.0, 6.0))
FILLED = replace(LYTIC, fill_fraction=1.0)
CT = {"kvp": "120", "contrast_agent": "no"}


@cache
def shown(lesion: LesionSpec, plane_mm: float = 2.0):
    grid = centred_grid((plane_mm, 1.0, 1.0), (24, 52, 62))
    return render(BONE, (lesion,), grid, noise_hu=8.0, seed=1, subsamples=(3, 1, 1))


def station(
    lesion: LesionSpec, month: int, acquisition: dict[str, str], *, drawn: bool = True, plane_mm=2.0
) -> Station:
    seen = shown(lesion, plane_mm)
    volume = replace(seen.volume, acquisition=acquisition)
    lesions = seen.mask if drawn else Mask(geometry=volume.geometry)
    image = Image(volume=volume, lesions=lesions, date=dt.date(2024, month, 1), visit=f"v{month}", where=f"ct{month}")
    return Station(image=image, registration=Registration.identity())


def follow(first: Station, *later: Station) -> list[VisitFindings]:
    visits = [assess_visit([first], Catalogue(), (), settings=SETTINGS)]
    for one in later:
        visits.append(assess_visit([one], visits[-1].catalogue, (first,), settings=SETTINGS))
    return visits


def density_of(visit: VisitFindings) -> Density:
    assert visit.findings[0].density is not None
    return visit.findings[0].density


def test_images_alike_are_compared():
    baseline, filled = follow(station(LYTIC, 1, CT), station(FILLED, 2, CT))
    assert density_of(baseline).lytic_fraction > 0.9
    assert density_of(filled).fill_in_fraction > 0.9
    assert density_of(filled).reference_source == "bone round the lesion"


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (CT | {"contrast_agent": "yes"}, "density is not compared: contrast agent given now, not then"),
        (CT | {"kvp": "80"}, "density is not compared: tube voltage 120 kV, now 80 kV"),
        (
            {"kvp": "80", "contrast_agent": "yes"},
            "density is not compared: contrast agent given now, not then, tube voltage 120 kV, now 80 kV",
        ),
    ],
)
def test_images_made_otherwise_are_not_compared(now, why):
    _, filled = follow(station(LYTIC, 1, CT), station(FILLED, 2, now))
    found = density_of(filled)
    assert found.why == why
    assert found.mean_hu > 600
    judged = (found.reference_hu, found.lytic_fraction, found.sclerotic_fraction, found.fill_in_fraction)
    assert (*judged, found.cleared_fraction, found.rim_fraction, found.lytic_focus_mm) == (None,) * 7
    assert filled.findings[0].long_axis_mm is not None


def test_a_smaller_change_of_voltage_is_compared():
    _, filled = follow(station(LYTIC, 1, CT), station(FILLED, 2, CT | {"kvp": "100"}))
    assert density_of(filled).fill_in_fraction > 0.9


def test_a_place_that_nobody_segmented_is_not_judged_either():
    now = station(FILLED, 2, CT | {"contrast_agent": "yes"}, drawn=False)
    finding = follow(station(LYTIC, 1, CT), now)[1].findings[0]
    assert finding.status is Status.NOT_EVALUABLE
    assert finding.why == "not segmented, and density is not compared: contrast agent given now, not then"


def test_each_lesion_is_compared_with_the_image_that_showed_it_first():
    """Contrast at every visit but the second: the third compares with the first."""
    with_agent = CT | {"contrast_agent": "yes"}
    visits = follow(station(LYTIC, 1, with_agent), station(FILLED, 2, CT), station(FILLED, 3, with_agent))
    assert density_of(visits[1]).fill_in_fraction is None
    assert density_of(visits[2]).fill_in_fraction > 0.9


# --- cement, metal, thick planes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("hu", "cement"), [(900.0, False), (1429.0, False), (1800.0, True)])
def test_cement_is_no_healing(hu, cement):
    _, filled = follow(station(LYTIC, 1, CT), station(replace(FILLED, fill_hu=hu), 2, CT))
    assert (density_of(filled).fill_in_fraction is None) is cement
    assert ("cement or metal takes" in density_of(filled).why) is cement
    told = [problem for problem in filled.problems if "cement" in problem.what]
    assert len(told) == cement
    if cement:
        assert told[0].severity is Severity.WARNING
        assert (told[0].visit, told[0].where) == ("v2", "ct2")
        assert "cementation in events.csv" in told[0].how_to_fix


def test_what_was_as_dense_before_is_compared():
    dense = replace(LYTIC, fill_fraction=0.7, fill_hu=1800.0)
    first, second = follow(station(dense, 1, CT), station(dense, 2, CT))
    assert "cement" in density_of(first).why
    assert "cement" not in density_of(second).why


@pytest.mark.parametrize("month", [1, 2])
def test_metal_beside_a_lesion_spoils_both_visits(month):
    """A screw in the bone at one visit or the other."""
    plain = [station(LYTIC, 1, CT), station(FILLED, 2, CT)]
    image = plain[month - 1].image
    array = image.volume.array.copy()
    array[4:8, 22:26, 10:14] = 3000
    plain[month - 1] = replace(plain[month - 1], image=replace(image, volume=replace(image.volume, array=array)))
    visits = follow(*plain)
    assert "metal" in density_of(visits[1]).why
    assert density_of(visits[1]).fill_in_fraction is None
    assert any("metal lies near it" in problem.what for problem in visits[month - 1].problems)


def test_planes_too_thick_for_a_lesion_tell_nothing_of_its_density():
    thin, thick = follow(station(LYTIC, 1, CT), station(FILLED, 2, CT, plane_mm=8.0))
    assert density_of(thin).lytic_fraction is not None
    assert density_of(thick).why == "planes of 8 mm are too thick to judge density in so small a lesion"
    assert not any("planes" in problem.what for problem in thick.problems)


# --- no bone, NaN -------------------------------------------------------------------------------------------------


def test_a_given_reference_too_small_is_said_to_be(patient_with_reference):
    """99 voxels below the limit, 100 at it."""
    timeline = patient_with_reference(99)
    (told,) = timeline.problems
    assert told.what == "reference_mask holds 99 voxels of ct.nii.gz, at least 100 are needed: density is not judged"
    assert (told.severity, told.where) == (Severity.WARNING, "bone.nii.gz")
    assert told.how_to_fix == "draw more of it, or leave reference_mask blank to have a reference found"
    (row,) = timeline.lesions
    assert row.finding.density.why == "no valid reference bone: reference_mask holds 99 voxels, 100 are needed"
    assert row.finding.density.lytic_fraction is None
    assert row.finding.long_axis_mm is not None


def test_one_large_enough_is_used(patient_with_reference):
    timeline = patient_with_reference(100)
    assert timeline.problems == ()
    density = timeline.lesions[0].finding.density
    assert (density.reference_source, density.reference_voxels, density.why) == ("given mask", 100, "")


def test_an_empty_one_is_none(patient_with_reference):
    assert "reference_mask holds 0 voxels" in patient_with_reference(0).problems[0].what


@pytest.fixture
def patient_with_reference(tmp_path):
    """One CT whose reference mask marks so many voxels of the body's bone."""

    def make(voxels: int):
        seen = shown(LYTIC, 2.0)
        marked = np.zeros(seen.volume.geometry.shape, dtype=np.uint8)
        bone = np.argwhere((seen.volume.array > 100) & (seen.volume.array < 300))[:voxels]
        marked[tuple(bone.T)] = 1
        write_nifti(seen.volume, tmp_path / "ct.nii.gz")
        write_label_map(seen.mask, tmp_path / "mask.nii.gz")
        write_nifti(replace(seen.volume, array=marked), tmp_path / "bone.nii.gz")
        row = "P,2024-01-01,CT,ct.nii.gz,mask.nii.gz,bone.nii.gz"
        (tmp_path / "cohort.csv").write_text(f"patient_id,date,modality,image,mask,reference_mask\n{row}\n")
        return assess(read_cohort(tmp_path / "cohort.csv")["P"])

    return make


def test_nan_in_a_lesion_is_no_edge():
    first, second = station(LYTIC, 1, CT), station(LYTIC, 2, CT)
    array = second.volume.array.astype(np.float32)
    region = second.image.lesions.regions[0]
    middle = tuple((part.start + part.stop) // 2 for part in region.box)
    array[middle] = np.nan
    second = replace(second, image=replace(second.image, volume=replace(second.volume, array=array)))
    visit = follow(first, second)[1]
    assert visit.findings[0].long_axis_mm is None
    assert visit.findings[0].why == "voxels of it, or next to it, are NaN: its size is not known"
    assert [one.what for one in visit.problems] == ["lesion L01 (label 1): voxels of it, or next to it, are NaN"]


# --- other bone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now_hu", "other"), [(199.9, False), (200.0, False), (200.1, True), (100.0, False), (99.9, True)]
)
def test_reference_below_at_and_above_what_is_other_bone(now_hu, other):
    baseline = follow(station(LYTIC, 1, CT))[0]
    known = baseline.catalogue["L01"]
    first = replace(known.first, density=replace(known.first.density, reference_hu=150.0))
    why = spoiled_by_reference(now_hu, replace(known, first=first), settings=SETTINGS)
    assert bool(why) is other
    assert not other or why.endswith("150 HU when first seen: other bone")


def test_no_reference_is_not_other_bone():
    known = follow(station(LYTIC, 1, CT))[0].catalogue["L01"]
    assert spoiled_by_reference(None, known, settings=SETTINGS) == ""
    assert spoiled_by_reference(40.0, None, settings=SETTINGS) == ""
    bare = LesionFinding(lesion_id="L01", status=Status.BASELINE, modality=Modality.CT, date=dt.date(2024, 1, 1))
    assert spoiled_by_reference(40.0, replace(known, first=bare), settings=SETTINGS) == ""


# --- problems.csv -------------------------------------------------------------------------------------------------


def told(stations: Sequence[Station], baseline: Sequence[Station]) -> list[Problem]:
    return list(about_acquisition(stations, baseline, settings=SETTINGS))


def test_a_difference_is_told_once_an_image_with_a_way_out():
    first, now = station(LYTIC, 1, CT | {"kernel": "a"}), station(LYTIC, 2, {"kvp": "80", "kernel": "b"})
    (problem,) = told([now], [first])
    assert problem == Problem(
        severity=Severity.WARNING,
        visit="v2",
        where="ct2",
        what="made differently from the image of 2024-01-01 (tube voltage 120 kV, now 80 kV, "
        "reconstruction kernel a, now b): density is not compared",
        how_to_fix="compare images of one protocol; a reader may judge it in reads.csv",
    )


def test_what_spoils_nothing_is_told_as_such():
    first, now = station(LYTIC, 1, CT | {"kernel": "a"}), station(LYTIC, 2, CT | {"kernel": "b"})
    (problem,) = told([now], [first])
    assert problem.what == "made differently from the image of 2024-01-01 (reconstruction kernel a, now b)"


def test_the_baseline_image_most_alike_is_the_measure():
    other, alike = station(LYTIC, 1, CT | {"kvp": "80"}), station(LYTIC, 1, CT)
    assert told([station(LYTIC, 2, CT)], [other, alike]) == []
    assert len(told([station(LYTIC, 2, CT)], [other])) == 1


def test_the_baseline_and_images_without_a_header_are_silent():
    first = station(LYTIC, 1, CT)
    assert told([first], [first]) == []
    assert told([first], []) == []
    assert told([station(LYTIC, 2, {})], [first]) == []


@pytest.mark.parametrize(
    ("agent", "category", "by_density"), [("", Category.CR, Category.CR), ("X", Category.SD, None)]
)
def test_from_dicom_to_the_category(tmp_path: Path, agent: str, category: Category, by_density: Category | None):
    """A lytic lesion that fills in: with a contrast agent at follow-up only, size speaks and density does not."""
    pydicom = pytest.importorskip("pydicom")
    rows = ["patient_id,visit,image,mask"]
    for visit, lesion in enumerate((LYTIC, FILLED), start=1):
        seen = shown(lesion)
        files = write_ct_series(
            seen.volume, tmp_path / f"ct{visit}", patient_id="P", study_date=dt.date(2024, visit, 1), seed="one frame"
        )
        for file in files if visit == 2 else ():
            header = pydicom.dcmread(file)
            header.ContrastBolusAgent = agent
            header.save_as(file)
        write_label_map(seen.mask, tmp_path / f"mask{visit}.nii.gz")
        rows.append(f"P,v{visit},ct{visit},mask{visit}.nii.gz")
    (tmp_path / "cohort.csv").write_text("\n".join(rows) + "\n")
    timeline = assess(read_cohort(tmp_path / "cohort.csv")["P"])
    response = timeline.response(timeline.visits[1])
    assert (response.category, response.density_category) == (category, by_density)
    told = [problem for problem in timeline.problems if "contrast agent given now, not then" in problem.what]
    assert len(told) == bool(agent)
    sources = [row.finding.density.why for row in timeline.lesions if row.finding.visit == "v2"]
    assert [("contrast agent" in source) for source in sources] == [bool(agent)]
