"""What must hold for every set of criteria that is registered, whatever it measures."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.findings import PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.vocabulary import Category, Status

CODES = tuple(one.code for one in CRITERIA_SETS)
ZEROS = ("0x0", "0x0 measurable", "10x0", "u=0", "s=0", "20x10 u=0 s=0")
SEEN = ("20x10", "10x10", "9.9x6", "25x12.5", "8x4", "40x20 lytic", "12x8 blastic", "30x20 u=2.5 s=1", *ZEROS)
LATER = (*SEEN, "resolved", "missing", "not_evaluable", "new 8x6", "new 4x3", "new 12x8 blastic", "equivocal", "")
MODALITIES = ("CT", "MR", "NM", "PT", "XR")

some = settings(max_examples=25)


@st.composite
def series(draw):
    """(day, modality, {lesion: words}) of up to four visits and two modalities, zeros among the numbers."""
    days = sorted(draw(st.sets(st.sampled_from([0, 41, 60, 120, 200, 300]), min_size=1, max_size=4)))
    exams = []
    for modality in draw(st.lists(st.sampled_from(MODALITIES), min_size=1, max_size=2, unique=True)):
        for index, day in enumerate(days):
            words = {f"L{i}": draw(st.sampled_from(LATER if index else SEEN)) for i in range(draw(st.integers(1, 3)))}
            exams.append((day, modality, {name: said for name, said in words.items() if said}))
    return exams


@pytest.fixture(scope="module")
def judge(paper):
    def of(exams, *, treatment=None, policy=None, change=lambda exam: exam, order=list):
        patient = PatientFacts(patient_id="P01", treatment_start=None if treatment is None else paper.day(treatment))
        built = [change(with_suv(paper.exam(day, modality, **said))) for day, modality, said in exams]
        return build_timeline(patient, order(built), settings=policy or Settings(), criteria=CODES)

    return of


def with_suv(exam):
    """The uptake written also as SUV, so that the sets of PET have something to read."""
    lesions = tuple(replace(one, suv_max=one.uptake_ratio, suv_peak=one.uptake_ratio) for one in exam.lesions)
    return replace(exam, lesions=lesions)


def judged(timeline):
    """Visit by its place in the series, never by its name."""
    index = {visit.label: visit.index for visit in timeline.visits}
    return Counter(
        (index[row.visit], row.criteria, row.scope, row.category, row.unconfirmed, row.flare)
        for row in timeline.responses
    )


@some
@given(exams=series(), treatment=st.sampled_from([None, 0, -365]))
def test_every_visit_gets_one_category_per_set_and_scope_and_no_nan(judge, exams, treatment):
    timeline = judge(exams, treatment=treatment)
    keys = Counter((row.visit, row.criteria, row.scope) for row in timeline.responses)
    assert set(keys.values()) == {1}
    assert {key for key in keys if key[2] == "overall"} == {
        (visit.label, code, "overall") for visit in timeline.visits for code in CODES
    }
    assert [one.criteria for one in timeline.summaries] == list(CODES)
    for row in timeline.responses:
        assert isinstance(row.category, Category)
        assert row.reason
        assert all(math.isfinite(value) for value in row if isinstance(value, float))
    for summary in timeline.summaries:
        assert summary.progression_free_days is None or summary.progression_free_days >= 0


@some
@given(exams=series(), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_images_never_matters(judge, exams, random):
    def mixed(items):
        shuffled = list(items)
        random.shuffle(shuffled)
        return shuffled

    def turned(exam):
        return replace(exam, lesions=tuple(mixed(exam.lesions)))

    one, other = judge(exams), judge(exams, change=turned, order=mixed)
    assert one.responses == other.responses
    assert one.summaries == other.summaries


@some
@given(exams=series())
def test_the_names_of_lesions_and_labels_never_matter(judge, exams):
    """The new names stand in another order, too."""
    names = {"L0": "zygoma", "L1": "m", "L2": "atlas"}

    def renamed(exam):
        lesions = (replace(one, lesion_id=names[one.lesion_id], label=f"{one.lesion_id}!") for one in exam.lesions)
        return replace(exam, lesions=tuple(lesions))

    assert judged(judge(exams)) == judged(judge(exams, change=renamed))


@some
@given(exams=series())
def test_the_names_of_visits_never_matter(judge, exams):
    def named(exam):
        return replace(exam, visit=f"cycle {(exam.date.toordinal() * 7) % 1000}")

    one, other = judge(exams), judge(exams, change=named)
    assert judged(one) == judged(other)
    assert [summary.best_response for summary in one.summaries] == [
        summary.best_response for summary in other.summaries
    ]


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("zero", ZEROS)
def test_zeros_divide_nothing(judge, modality, zero):
    """From nothing to nothing, from something to nothing, and back from nothing."""
    for words in ((zero, zero), ("20x10 u=3 s=0.5", zero), (zero, "20x10 u=3 s=0.5"), ("20x10 u=3", zero, "20x10 u=3")):
        timeline = judge([(90 * visit, modality, {"L0": said}) for visit, said in enumerate(words)])
        assert {row.criteria for row in timeline.responses} == set(CODES)
        assert all(row.category in set(Category) for row in timeline.responses)


def test_the_registry_names_each_set_once():
    assert len(set(CODES)) == len(CODES)
    assert "mda2010" in CODES


def test_the_words_here_are_read_as_meant(paper):
    assert paper.finding("L0", "0x0", 90).is_gone
    assert paper.finding("L0", "new 8x6", 90).status is Status.NEW
