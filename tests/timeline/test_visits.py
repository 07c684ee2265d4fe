"""Images into visits."""

from __future__ import annotations

import pytest

from mdanderson.timeline import group_visits
from mdanderson.timeline.visits import arrange


def labels(paper, *exams, window=14):
    return [(visit.label, (visit.date - paper.DAY_0).days) for visit in arrange(exams, window_days=window)[0]]


@pytest.mark.parametrize(("gap", "visits"), [(0, 1), (13, 1), (14, 1), (15, 2)])
def test_images_within_the_window_are_one_visit(paper, gap, visits):
    exams = [paper.exam(0, "CT"), paper.exam(gap, "MR")]
    assert len(group_visits(exams, window_days=14)) == visits
    assert len(group_visits(exams[::-1], window_days=14)) == visits


def test_the_window_runs_from_the_first_image(paper):
    exams = [paper.exam(0, "CT"), paper.exam(10, "MR"), paper.exam(20, "NM")]
    assert labels(paper, *exams) == [("baseline", 0), ("visit 2", 20)]


def test_different_labels_are_different_visits_however_near(paper):
    exams = [paper.exam(0, "CT", visit="screening"), paper.exam(3, "CT", visit="C1D1"), paper.exam(4, "MR")]
    assert labels(paper, *exams) == [("screening", 0), ("C1D1", 3)]
    # an unnamed image joins the visit nearest before it
    assert sorted(arrange(exams, window_days=14)[1][1]) == ["CT", "MR"]


def test_equal_labels_meet_across_another_visit(paper):
    exams = [paper.exam(0, "CT", visit="A"), paper.exam(3, "CT", visit="B"), paper.exam(5, "MR", visit="A")]
    assert labels(paper, *exams) == [("A", 0), ("B", 3)]


def test_one_named_image_names_the_visit(paper):
    assert labels(paper, paper.exam(0, "CT"), paper.exam(2, "MR", visit="week 0")) == [("week 0", 0)]


def test_a_label_repeated_too_late_is_told_apart(paper):
    exams = [paper.exam(0, visit="scan"), paper.exam(90, visit="scan")]
    visits, _, problems = arrange(exams, window_days=14)
    assert [visit.label for visit in visits] == ["scan", "scan (2)"]
    assert "'scan' occurs again on 2024-03-31" in problems[0].what


def test_a_counted_label_never_collides_with_a_given_one(paper):
    exams = [paper.exam(0, visit="visit 2"), paper.exam(90)]
    assert labels(paper, *exams) == [("visit 2", 0), ("visit 2 (2)", 90)]


def test_images_of_one_modality_are_pooled_each_lesion_where_it_was_seen(paper):
    chest = paper.exam(0, L1="20x10", L2="not_evaluable", L3="resolved")
    pelvis = paper.exam(1, L1="not_evaluable", L2="12x8", L3="not_evaluable")
    _, pooled, problems = arrange([chest, pelvis], window_days=14)
    (exam,) = pooled[0].values()
    assert [(f.lesion_id, f.status) for f in exam.lesions] == [
        ("L1", "baseline"),
        ("L2", "followed"),
        ("L3", "resolved"),
    ]
    assert problems == ()


def test_a_lesion_measured_twice_at_a_visit_is_told(paper):
    _, pooled, problems = arrange([paper.exam(0, L1="20x10"), paper.exam(2, L1="22x10")], window_days=14)
    (exam,) = pooled[0].values()
    assert [str(f.long_axis_mm) for f in exam.lesions] == ["20"]
    assert problems[0].what == "measured in two images of one visit: the first is used"


def test_an_unreadable_image_does_not_silence_a_readable_one(paper):
    broken, sound = paper.exam(0, why="cut file"), paper.exam(1, L1="20x10")
    for exams in ([broken, sound], [sound, broken]):
        (exam,) = arrange(exams, window_days=14)[1][0].values()
        assert exam.evaluable
        assert len(exam.lesions) == 1


def test_a_visit_that_failed_to_read_is_not_evaluable_and_the_others_are_scored(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10"), paper.exam(90, why="3 slices are missing"), paper.exam(180, L1="20x10")
    )
    assert [row.category for row in timeline.responses if row.scope == "overall"] == ["BL", "NE", "SD"]
    assert "3 slices are missing" in timeline.response(1).reason
    assert timeline.response(1, "CT").reason == "3 slices are missing"


def test_a_baseline_that_failed_to_read_leaves_the_next_visit_as_baseline(paper):
    timeline = paper.timeline(
        paper.exam(0, why="cut file"), paper.exam(90, L1="20x10"), paper.exam(180, L1="8x4"), treatment=-365
    )
    assert [row.category for row in timeline.responses if row.scope == "CT"] == ["NE", "BL", "PR"]
    assert [row.category for row in timeline.responses if row.scope == "overall"] == ["BL", "NE", "PR"]


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004", "who", "recist11", "pcwg3", "percist"])
def test_where_nothing_could_be_read_there_is_no_baseline(paper, criteria):
    timeline = paper.timeline(paper.exam(0, why="cut file"), paper.exam(90, why="cut file"), criteria=criteria)
    overall = [row for row in timeline.responses if row.scope == "overall"]
    assert [row.category for row in overall] == ["NE", "NE"]
    assert all("cut file" in row.reason or "none of PT" in row.reason for row in overall)
