"""Wrong categories that a review brought out of images beyond CT, each kept from coming back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from mdanderson.assessment import by_signal, by_uptake
from mdanderson.assessment.station import Image, Station
from mdanderson.findings import LesionFinding
from mdanderson.phantoms.render import Phantom
from mdanderson.phantoms.scan import Focus, ScanBody, render_view
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.registration import Registration
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence, Status, View
from mdanderson.volume import Mask

LATE = "2024-10-20"
"""Out of the flare window whatever the first day of the bench is."""


def ball(label: int, z: float, *, drawn: bool = True) -> LesionSpec:
    return LesionSpec(label=label, centre_mm=(2.0, 0.0, z), semi_axes_mm=(8.0, 7.0, 8.0), drawn=drawn)


def overall(timeline):
    return timeline.response(-1)


def test_a_sequence_of_the_next_day_is_asked_before_a_lesion_is_gone(bench, patient):
    there, undrawn = ball(1, 0.0), ball(1, 0.0, drawn=False)
    patient.mr(0, {there: 0.5})
    patient.mr(0, {there: 2.5}, MrSequence.STIR)
    patient.mr(1, {undrawn: 1.0})
    next_day = bench.FIRST_DAY + dt.timedelta(weeks=12, days=1)
    patient.image(1, bench.mr_image((undrawn,), (2.5,), MrSequence.STIR, 1), date=next_day)
    assert overall(patient.timeline()).category == "NE"


def test_of_two_images_of_one_sequence_the_one_that_shows_it_counts(bench, patient):
    there, undrawn = ball(1, 0.0), ball(1, 0.0, drawn=False)
    patient.mr(0, {there: 0.5})
    patient.mr(1, {undrawn: 0.5})
    after_contrast = bench.mr_image((undrawn,), (1.0,), MrSequence.T1, 1)
    bench.write_nifti(after_contrast.volume, patient.folder / "a_contrast.nii")
    patient.row(1, Modality.MR, "a_contrast.nii", sequence="T1")
    timeline = patient.timeline()
    assert overall(timeline).category == "NE"
    assert any(problem.what.startswith("a second T1 of the place") for problem in timeline.problems)


@pytest.mark.parametrize("place", [(0.0, 80.0), (0.0, 250.0)])
def test_a_new_focus_is_new_where_bone_always_takes_up_more(patient, place):
    """Sacrum and lumbar spine read above 1.2 without any disease."""
    old, new = (Focus(x_mm=x, z_mm=z, radius_mm=12, ratio=4) for x, z in ((85.0, 110.0), place))
    patient.scan(0, old)
    patient.scan(1, old, new, date=LATE)
    response = overall(patient.timeline())
    assert (response.category, response.rules, response.unconfirmed) == ("PD", ("PD4",), True)


def test_values_that_cannot_be_suv_are_refused(bench, patient):
    lesion = ball(1, 0.0)
    patient.image(0, bench.pet_image((lesion,), (6.0,)))
    seen = bench.pet_image((lesion,), (6.0,), 1)
    patient.image(1, replace(seen, volume=replace(seen.volume, array=seen.volume.array * np.float32(5000))))
    timeline = patient.timeline(criteria=("percist",))
    assert timeline.response(-1, criteria="percist").category == "NE"
    assert any("are no SUV" in problem.what for problem in timeline.problems)


@pytest.mark.parametrize(("highest", "refused"), [(499.9, False), (500.0, False), (500.1, True)])
def test_the_limit_of_suv(bench, patient, highest, refused):
    seen = bench.pet_image((ball(1, 0.0),), (6.0,))
    array = seen.volume.array.copy()
    array[0, 0, 0] = highest
    patient.image(0, replace(seen, volume=replace(seen.volume, array=array)))
    told = [problem for problem in patient.timeline().problems if "are no SUV" in problem.what]
    assert bool(told) is refused


def test_a_reader_names_by_the_label_of_a_sequences_own_mask(bench, patient):
    upper, lower = 0.0, -32.0
    t1 = {ball(1, upper): 0.5, ball(2, lower): 0.55}
    stir = (ball(2, upper), ball(1, lower))
    for visit in (0, 1):
        patient.mr(visit, t1)
        patient.image(visit, bench.mr_image(stir, (2.5, 2.4), MrSequence.STIR, visit))
    patient.read(0, Modality.MR, sequence="STIR", label="1", lesion_id="LOWER")
    rows = [row.finding for row in patient.timeline().lesions if row.finding.sequence == "T1"]
    heights = {finding.lesion_id: finding.centroid_lps_mm[2] for finding in rows if finding.status is Status.BASELINE}
    assert heights["LOWER"] == min(heights.values())
    assert {finding.lesion_id for finding in rows if finding.status is Status.FOLLOWED} == set(heights)


def signal(sequence: MrSequence, ratio: float | None, source: str = "") -> LesionFinding:
    return LesionFinding(
        lesion_id="L01",
        status=Status.FOLLOWED,
        modality=Modality.MR,
        date=dt.date(2024, 1, 1),
        sequence=sequence,
        signal_ratio=ratio,
        reference_source=source,
    )


class KnownBy:
    def __init__(self, *findings: LesionFinding) -> None:
        self.findings = findings


T1, STIR = MrSequence.T1, MrSequence.STIR


def test_no_sequence_calls_normal_what_another_has_lost_its_reference_for():
    """Diffuse disease: all marrow is dark on T1, and a lesion as bright as what surrounds it on STIR is not healed."""
    before = KnownBy(signal(T1, 0.5), signal(STIR, 2.5))
    now = [signal(T1, None, "marrow is as dark as muscle"), signal(STIR, 1.0)]
    judged = by_signal._judged_together(now, before, Settings())
    assert [one.signal_ratio for one in judged] == [None, None]
    assert judged[1].reference_source == "T1 showed it abnormal and has no reference now: marrow is as dark as muscle"


@pytest.mark.parametrize("first", [(signal(T1, 0.95), signal(STIR, 2.5)), (signal(STIR, 2.5),)])
def test_a_sequence_that_never_showed_it_bars_no_other(first):
    now = [signal(T1, None), signal(STIR, 1.0)]
    assert [one.signal_ratio for one in by_signal._judged_together(now, KnownBy(*first), Settings())] == [None, 1.0]


def scan(bone: float) -> Image:
    seen: Phantom = render_view(
        ScanBody(seed=3, bone=bone),
        [Focus(x_mm=85, z_mm=110, radius_mm=14, ratio=4)],
        rows_columns=(512, 128),
        pixel_mm=4.52,
    )
    slab = replace(seen.volume, view=View.ANT)
    return Image(volume=slab, lesions=Mask(geometry=slab.geometry, regions=seen.mask.regions), date=dt.date(2024, 1, 1))


@pytest.mark.parametrize(("bone", "superscan"), [(1.0, False), (3.0, True), (4.0, True)])
def test_a_skeleton_that_lights_up_as_a_whole_is_no_reference(bone, superscan):
    first, later = (Station(image=scan(one), registration=Registration.identity()) for one in (1.0, bone))

    class Known:
        home = first

    told = by_uptake._no_reference_left(later, Known(), Settings())
    assert told.startswith("superscan") is superscan
