"""A focus too small for the planes: it moves no category, is followed, and is judged once it is drawn large enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from mdanderson.assessment import assess
from mdanderson.geometry import Geometry
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.phantoms.write import write_label_map, write_nifti
from mdanderson.readers.manifest import read_cohort
from mdanderson.timeline import Timeline

_GRID = Geometry.from_axes(shape=(24, 70, 74), spacing_mm=(3.0, 1.3, 1.3), origin_mm=(-48, -46, -35))
_PLACE = (-2.0, 0.0, 16.0)
"""Centre of the upper vertebral body in body space, LPS mm."""
_OLD = LesionSpec(label=1, centre_mm=(0.0, -1.0, -16.0), semi_axes_mm=(9.0, 8.0, 7.5))


def focus(diameter_mm: float, *, drawn: bool = True, away_mm: float = 0.0, label: int = 2) -> LesionSpec:
    """A ball in the upper body; `away_mm` from its centre."""
    half = diameter_mm / 2
    place = (_PLACE[0] + away_mm, *_PLACE[1:])
    return LesionSpec(label=label, centre_mm=place, semi_axes_mm=(half, half, half), drawn=drawn)


@cache
def phantom(lesions: tuple[LesionSpec, ...], seed: int) -> Phantom:
    return render(SyntheticVertebrae(), lesions, _GRID, noise_hu=12.0, seed=seed)


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Timeline]:
    """The patient with an old lesion and these foci at each visit; `reads`: rows of reads.csv, without the patient."""

    def judge(*visits: Sequence[LesionSpec], reads: Sequence[str] = ()) -> Timeline:
        rows = ["patient_id,date,modality,image,mask"]
        for index, foci in enumerate(visits):
            seen = phantom((_OLD, *foci), index)
            write_nifti(seen.volume, tmp_path / f"ct{index}.nii.gz")
            write_label_map(seen.mask, tmp_path / f"mask{index}.nii.gz")
            rows.append(f"P01,{day(index)},CT,ct{index}.nii.gz,mask{index}.nii.gz")
        (tmp_path / "cohort.csv").write_text("\n".join(rows) + "\n")
        if reads:
            lines = ["patient_id,date,modality,lesion_id,new", *(f"P01,{row}" for row in reads)]
            (tmp_path / "reads.csv").write_text("\n".join(lines) + "\n")
        return assess(read_cohort(tmp_path / "cohort.csv")["P01"])

    return judge


def day(visit: int) -> dt.date:
    return dt.date(2024, 3, 1) + dt.timedelta(weeks=12 * visit)


def categories(timeline: Timeline) -> str:
    return " ".join(row.category for row in timeline.responses if row.scope == "overall")


def statuses(timeline: Timeline, lesion_id: str = "L02") -> str:
    return " ".join(row.finding.status for row in timeline.lesions if row.lesion_id == lesion_id)


def test_it_moves_no_category_and_its_growth_is_progression(judged):
    timeline = judged([], [focus(4)], [focus(14)])
    assert categories(timeline) == "BL SD PD"
    assert statuses(timeline) == "equivocal new"
    assert timeline.progression_date == day(2)
    small = next(row for row in timeline.lesions if row.lesion_id == "L02")
    assert small.reason == "new focus below 5.0 mm: equivocal, not counted"
    (told,) = (problem for problem in timeline.problems if "L02" in problem.what)
    assert "at baseline planes of 3 mm are too thick" in told.what


def test_it_stays_equivocal_while_it_is_small(judged):
    timeline = judged([], [focus(4)], [focus(4.4)], [])
    assert categories(timeline) == "BL SD SD SD"
    assert statuses(timeline) == "equivocal equivocal not_evaluable"


def test_one_large_enough_to_count_leaves_progression_open_until_a_larger_outline_settles_it(judged):
    timeline = judged([], [focus(6)], [focus(14)])
    assert categories(timeline) == "BL NE PD"
    assert statuses(timeline) == "equivocal new"
    assert timeline.progression_date == day(2)


def test_what_a_larger_outline_shows_to_have_been_there_is_no_progression(judged):
    """Overlooked at baseline, hardly drawn at the second visit, drawn in full at the third."""
    there = focus(14, drawn=False)
    timeline = judged([there], [there, focus(4)], [focus(14)])
    assert categories(timeline) == "BL SD SD"
    assert statuses(timeline) == "not_evaluable followed"
    assert timeline.progression_date is None


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([f"{day(1)},CT,L02,true"], "BL PD PD"),
        ([f"{day(1)},CT,L02,false"], "BL SD SD"),
        ([f"{day(2)},CT,L02,true"], "BL NE PD"),
        ([f"{day(2)},CT,L02,false"], "BL NE NE"),  # too late: the first sight settles it, and a warning says so
    ],
)
def test_a_reader_settles_what_the_image_leaves_open(judged, reads, expected):
    timeline = judged([], [focus(6)], [focus(6.5)], reads=reads)
    assert categories(timeline) == expected
    late = [problem.what for problem in timeline.problems if "which settles it" in problem.what]
    assert len(late) == (expected == "BL NE NE")


def test_one_that_merges_with_a_known_lesion_is_no_new_metastasis(judged):
    """It has no outline of its own any more, so that nobody can say what it was."""
    known = focus(10, away_mm=-7.0, label=3)
    timeline = judged([known], [known, focus(4, away_mm=3.0)], [focus(10, away_mm=-7.0), focus(8, away_mm=1.0)])
    assert "PD4" not in timeline.response(timeline.visits[2]).rules
    assert timeline.response(timeline.visits[2]).category == "NE"
    assert "merged" in {row.finding.status for row in timeline.lesions}
