"""Several modalities of one patient, from images: one lesion one name, who speaks, what stands beside the rows."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from mdanderson.cli import main
from mdanderson.phantoms.render import Phantom
from mdanderson.phantoms.scan import Focus
from mdanderson.phantoms.write import write_dicom_seg
from mdanderson.settings import Policy, Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Category, Modality, MrSequence, Status
from mdanderson.volume import Mask

MR_FIRST = Settings(policy=Policy(modality_order=(Modality.MR, Modality.CT)))
RIB, FEMUR = (-80.0, 300.0), (60.0, 0.0)


def focus(place: tuple[float, float], ratio: float) -> Focus:
    return Focus(x_mm=place[0], z_mm=place[1], radius_mm=15.0, ratio=ratio)


def named(timeline: Timeline, visit: int, modality: str) -> dict[str, str]:
    """Label -> lesion, in one modality at one visit."""
    return {
        row.finding.label: row.lesion_id
        for row in timeline.lesions
        if row.visit == f"v{visit}" and row.finding.modality == modality
    }


def category(timeline: Timeline, visit: int, scope: str = "overall") -> Category:
    return timeline.response(f"v{visit}", scope).category


def told(timeline: Timeline, words: str) -> list[str]:
    return [problem.where for problem in timeline.problems if words in problem.what]


OWN_NAMES = "its lesions have names of their own"


# --- CT and MR, in other frames of reference, laid on each other by mutual information ---


def test_what_mr_showed_at_baseline_is_not_new_on_ct(bench, patient):
    """Healing makes visible on CT what MR has seen all the time; labels tell nothing of it."""
    healed = bench.lesion(2, bench.HIGH, 14, core_hu=600.0)
    patient.ct(0, bench.lesion(1, bench.MIDDLE))
    patient.ct(1, bench.lesion(1, bench.MIDDLE), healed)
    for visit in (0, 1):
        patient.mr(visit, {bench.lesion(7, bench.MIDDLE): 0.45, bench.lesion(3, bench.HIGH, 14): 0.45})
    timeline = patient.timeline()
    assert named(timeline, 0, "CT") == {"1": "L01"}
    assert named(timeline, 1, "CT") == {"1": "L01", "2": "L02"}
    assert named(timeline, 0, "MR") == named(timeline, 1, "MR") == {"7": "L01", "3": "L02"}
    assert category(timeline, 1, "CT") == category(timeline, 1, "MR") == category(timeline, 1) == Category.SD
    assert told(timeline, "first shown here, but MR showed it at baseline: followed, not new") == ["CT lesion L02"]
    assert told(timeline, OWN_NAMES) == []
    for row in timeline.lesions:
        if row.lesion_id == "L02" and row.finding.modality == "CT":
            assert "beside it MR T1 signal ratio 0.4" in row.finding.evidence


def test_without_the_mr_it_is_new(bench, patient):
    """The same CTs alone: inside the flare window, so unconfirmed."""
    patient.ct(0, bench.lesion(1, bench.MIDDLE))
    patient.ct(1, bench.lesion(1, bench.MIDDLE), bench.lesion(2, bench.HIGH, 14, core_hu=600.0))
    timeline = patient.timeline()
    row = timeline.response("v1")
    assert (row.category, row.rules, row.unconfirmed) == (Category.PD, ("PD4",), True)


def thin_mr(bench, label: int) -> Phantom:
    """Three planes of an MR with a lesion through them: nothing can be laid on so few."""
    seen = bench.mr_image((bench.lesion(label, bench.MIDDLE),), (0.45,))
    middle = seen.mask[label].box[0].start + 3
    volume = seen.volume.crop((slice(middle, middle + 3), *(slice(0, n) for n in seen.volume.geometry.shape[1:])))
    return Phantom(
        volume=volume, mask=Mask(geometry=volume.geometry, regions=seen.mask.on_grid(volume.geometry)), truths=()
    )


@pytest.mark.parametrize("stated", [False, True])
def test_an_mr_that_cannot_be_laid_on_the_ct_ties_nothing_unless_a_reader_does(bench, patient, stated):
    patient.ct(0, bench.lesion(1, bench.MIDDLE))
    patient.image(0, thin_mr(bench, 5))
    if stated:
        patient.read(0, Modality.MR, label=5, lesion_id="L01", sequence="T1")
    timeline = patient.timeline()
    assert named(timeline, 0, "CT") == {"1": "L01"}
    assert named(timeline, 0, "MR") == {"5": "L01" if stated else "L02"}
    assert told(timeline, OWN_NAMES) == ([] if stated else ["MR_T10.nii"])


def test_who_speaks_first_is_a_setting_and_progression_speaks_always(bench, patient):
    """On MR it shrinks and grows again, on CT it stays as it is."""
    for visit, size in enumerate((22, 9, 16)):
        patient.ct(visit, bench.lesion(1, bench.MIDDLE))
        patient.mr(visit, {bench.lesion(1, bench.MIDDLE, size): 0.45})
    timeline = patient.timeline(MR_FIRST)
    shrunk, grown = timeline.response("v1"), timeline.response("v2")
    assert (shrunk.category, shrunk.rules, shrunk.discordant) == (Category.PR, ("PR3",), "CT SD")
    assert (grown.category, grown.rules, grown.discordant) == (Category.PD, ("PD1",), "CT SD")


# --- CT and PET, in one frame of reference ---


def test_pet_is_measured_under_the_outlines_of_its_ct(bench, patient):
    hot = bench.lesion(4, bench.MIDDLE)
    for visit, suv in enumerate((6.0, 3.0)):
        patient.dicom_ct(visit, hot, bench.lesion(2, bench.LOW))
        patient.pet(visit, {hot: suv})
    timeline = patient.timeline(criteria=("mda2010", "percist"))
    assert named(timeline, 0, "PT") == named(timeline, 0, "CT") == {"2": "L01", "4": "L02"}
    assert named(timeline, 1, "PT") == named(timeline, 1, "CT") == {"2": "L01", "4": "L02"}
    found = {(row.visit, row.lesion_id): row.finding for row in timeline.lesions if row.finding.modality == "PT"}
    for (visit, lesion_id), suv in {("v0", "L02"): 6.0, ("v1", "L02"): 3.0, ("v0", "L01"): 1.0}.items():
        assert found[visit, lesion_id].suv_max == pytest.approx(suv, abs=0.01)
        assert found[visit, lesion_id].long_axis_mm is None, "an outline of another image is no size of this one"
    assert told(timeline, "measured under the outlines of ct") == ["pt0", "pt1"]
    assert timeline.response("v1", criteria="percist").category == Category.PMR
    assert category(timeline, 1, "PT") == Category.NE, "PET has no row of its own in the table of record"
    assert timeline.response("v1").discordant == ""


def test_pet_of_another_frame_borrows_nothing(bench, patient):
    patient.dicom_ct(0, bench.lesion(1, bench.MIDDLE))
    patient.pet(0, {bench.lesion(1, bench.MIDDLE): 6.0}, frame="9.9")
    timeline = patient.timeline()
    assert named(timeline, 0, "PT") == {}
    assert told(timeline, "no lesion is segmented in any of its images (PT)") == ["pt0"]


def test_what_pet_outlines_itself_is_the_lesion_that_ct_shows_there(bench, patient):
    """And what PET alone showed at baseline is not new when CT shows it."""
    both = {bench.lesion(9, bench.MIDDLE): 6.0, bench.lesion(3, bench.HIGH): 5.0}
    patient.dicom_ct(0, bench.lesion(1, bench.MIDDLE))
    patient.dicom_ct(1, bench.lesion(1, bench.MIDDLE), bench.lesion(2, bench.HIGH))
    for visit in (0, 1):
        patient.pet(visit, both, own=True)
    timeline = patient.timeline()
    assert named(timeline, 0, "CT") == {"1": "L01"}
    assert named(timeline, 1, "CT") == {"1": "L01", "2": "L02"}
    assert named(timeline, 0, "PT") == named(timeline, 1, "PT") == {"9": "L01", "3": "L02"}
    assert category(timeline, 1) == Category.SD
    assert told(timeline, "but PT showed it at baseline: followed, not new") == ["CT lesion L02"]


def test_a_tracking_uid_ties_across_spaces(bench, patient):
    """CT and PET of other frames, the lesion elsewhere in each: only the UIDs say that it is one."""
    for modality, place in (("ct", bench.MIDDLE), ("pt", bench.LOW)):
        spot = bench.lesion(1, place)
        one = bench.ct_image((spot,)) if modality == "ct" else bench.pet_image((spot,), (5.0,))
        files = patient.dicom_ct(0, spot) if modality == "ct" else patient.pet(0, {spot: 5.0}, frame="9.9", own=True)
        write_dicom_seg(one.mask, files, patient.folder / f"{modality}.dcm", seed=modality, tracking={1: "the one"})
        patient.rows[-1]["mask"] = f"{modality}.dcm"
    timeline = patient.timeline()
    assert named(timeline, 0, "CT") == named(timeline, 0, "PT") == {"1": "L01"}


# --- bone scan, whose views can be laid on no volume ---


def test_a_bone_scan_is_tied_by_readers_alone(bench, patient):
    """Stated once, at baseline: later scans are laid on the first."""
    patient.ct(0, bench.lesion(1, bench.MIDDLE))
    for visit in (0, 2):
        patient.scan(visit, focus(FEMUR, 3.0), focus(RIB, 3.0))
    patient.read(0, Modality.NM, label=1, lesion_id="L01")
    timeline = patient.timeline()
    assert named(timeline, 0, "NM") == named(timeline, 2, "NM") == {"1": "L01", "2": "L02"}
    assert named(timeline, 0, "CT") == {"1": "L01"}, "no other lesion has the name of the focus that nobody tied"
    assert told(timeline, OWN_NAMES) == ["NM_ANT0.nii ANT"]
    assert told(timeline, "a projection and a volume cannot be laid on each other") == ["NM_ANT0.nii ANT"]
    evidence = {row.lesion_id: row.finding.evidence for row in timeline.lesions if row.visit == "v0"}
    assert evidence["L01"] == ""
    assert evidence["L02"] == "bone scan focus without a correlate on CT: needs confirmation"


def test_a_hotter_scan_beside_a_stable_ct_is_discordant_and_not_the_patients(bench, patient):
    """24 weeks on, outside the flare window. The last scan, so that nothing has confirmed it."""
    for visit, ratio in ((0, 3.0), (2, 5.0)):
        patient.scan(visit, focus(FEMUR, ratio))
    alone = patient.timeline().response("v2")
    assert (alone.category, alone.rules, alone.unconfirmed) == (Category.PD, ("PD3",), True)
    assert alone.discordant == ""
    patient.image(0, bench.ct_image((bench.lesion(1, bench.MIDDLE),), 0))
    patient.image(2, bench.ct_image((bench.lesion(1, bench.MIDDLE),), 1))
    timeline = patient.timeline()
    row = timeline.response("v2")
    assert category(timeline, 2, "NM") == Category.PD
    assert (row.category, row.discordant, row.unconfirmed) == (Category.SD, "NM PD", True)
    assert row.reason.endswith("NM PD is unconfirmed")


def test_a_cooler_scan_does_not_speak_where_ct_did(bench, patient):
    for visit, ratio in ((0, 6.0), (2, 2.2)):
        patient.scan(visit, focus(FEMUR, ratio))
    patient.image(0, bench.ct_image((bench.lesion(1, bench.MIDDLE),), 0))
    timeline = patient.timeline()
    assert category(timeline, 2, "NM") == Category.PR
    assert category(timeline, 2) == Category.NE, "CT at baseline, none now: nobody else speaks for it"


# --- what stands beside the rows, in the tables ---


@pytest.fixture(scope="module")
def rows(bench, tmp_path_factory):
    """lesions.csv of a patient with CT, PET, two MR sequences and a bone scan, MR seen twice."""
    one = bench.OnePatient(folder=tmp_path_factory.mktemp("beside"))
    blastic = bench.lesion(1, bench.MIDDLE, core_hu=700.0)
    for visit, adc in enumerate((2.0, 3.2)):
        one.mr(visit, {blastic: 0.4})
        seen = bench.mr_image((blastic,), (adc,), MrSequence.ADC, visit)
        one.image(visit, replace(seen, mask=Mask(geometry=seen.mask.geometry)))
    one.dicom_ct(0, blastic)
    one.pet(0, {blastic: 6.0})
    one.scan(0, focus(FEMUR, 3.0), focus(RIB, 3.0))
    one.read(0, Modality.NM, label=1, lesion_id="L01")
    assert main(["score", str(one.write()), "-o", str(one.folder / "out"), "-q", "--no-report"]) == 0
    with (one.folder / "out" / "lesions.csv").open() as table:
        return {
            (row["visit"], row["modality"], row["sequence"], row["lesion_id"]): row for row in csv.DictReader(table)
        }


def test_the_size_of_a_blastic_lesion_is_weak_and_mr_and_pet_stand_beside_it(rows):
    assert rows["v0", "CT", "", "L01"]["lesion_type"] == "blastic"
    ratio = float(rows["v0", "MR", "T1", "L01"]["signal_ratio"])
    assert ratio == pytest.approx(0.4, abs=0.05)
    adc = rows["v0", "MR", "ADC", "L01"]["adc_um2_s"]
    assert rows["v0", "CT", "", "L01"]["evidence"] == (
        "blastic: its size on CT or radiograph alone is weak evidence; "
        f"beside it MR ADC {adc} um2/s, MR T1 signal ratio {ratio:.2f}, PT SUVmax 6.0"
    )


def test_a_focus_without_a_correlate_needs_confirmation(rows):
    assert rows["v0", "NM", "", "L01"]["evidence"] == "", "CT, MR and PET show it"
    assert rows["v0", "NM", "", "L02"]["evidence"] == (
        "bone scan focus without a correlate on CT, MR, PT: needs confirmation"
    )


def test_adc_is_evidence_with_its_repeatability(rows):
    first, second = rows["v0", "MR", "ADC", "L01"], rows["v1", "MR", "ADC", "L01"]
    change = float(second["adc_um2_s"]) / float(first["adc_um2_s"]) - 1
    assert float(second["adc_change"]) == pytest.approx(change, abs=1e-4)
    assert 0.45 < change < 0.65
    assert first["evidence"] == ""
    assert second["evidence"].startswith("MET-RADS-P RAC 1, highly likely to be responding: size ")
    assert second["evidence"].endswith("beyond the repeatability of 40%)")
    assert second["category"] == "SD", "evidence, never a category"


def test_one_lesion_has_one_name_in_every_table_row(rows):
    assert {key[3] for key in rows if key[1] != "NM"} == {"L01"}
    assert {row["status"] for key, row in rows.items() if key[0] == "v1"} == {Status.FOLLOWED}
