"""PET: the one row that it has, a new lesion; everything else of it is evidence, and NE in this table."""

from __future__ import annotations

import datetime as dt

import pytest

from mdanderson.assessment import assess
from mdanderson.geometry import Geometry
from mdanderson.phantoms.pet import render_pet
from mdanderson.phantoms.series import write_pet_series
from mdanderson.phantoms.shapes import rigid_motion
from mdanderson.phantoms.spine_ct import CtSpine
from mdanderson.phantoms.write import write_label_map
from mdanderson.readers.manifest import read_cohort

MIDDLE, HIGH = (0.0, -1.0, 0.0), (-2.0, 1.0, 32.0)
GRIDS = (
    Geometry.from_axes(shape=(34, 58, 82), spacing_mm=(4.0, 4.0, 4.0), origin_mm=(-162, -146, -66)),
    Geometry.from_axes(shape=(36, 60, 84), spacing_mm=(3.9, 3.9, 3.9), origin_mm=(-160, -147, -68)),
)
MOTIONS = (None, rigid_motion(rotation_deg=(1.0, 1.0, 2.0), shift_mm=(3.0, -2.0, 4.0)))


@pytest.fixture
def course(tmp_path):
    """Visits: lesions and their SUV."""

    def judge(*visits):
        rows = ["patient_id,visit,image,mask"]
        for visit, (lesions, suvs) in enumerate(visits):
            made = render_pet(CtSpine(), lesions, suvs, GRIDS[visit], motion=MOTIONS[visit], seed=visit)
            date = dt.date(2024, 1, 10) + dt.timedelta(weeks=20 * visit)
            write_pet_series(made.volume, tmp_path / f"pt{visit}", patient_id="P01", study_date=date, seed=f"{visit}")
            write_label_map(made.mask, tmp_path / f"mask{visit}.nii.gz")
            rows.append(f"P01,v{visit},pt{visit},mask{visit}.nii.gz")
        (tmp_path / "cohort.csv").write_text("\n".join(rows) + "\n")
        (patient,) = read_cohort(tmp_path / "cohort.csv").patients
        return assess(patient)

    return judge


@pytest.mark.parametrize(
    ("before", "drawn", "expected", "status"),
    [
        pytest.param(None, True, ("PD", ("PD4",)), "new", id="new"),
        pytest.param(8.0, False, ("NE", ()), "followed", id="hot at baseline and not outlined there"),
    ],
)
def test_pd4_a_new_lesion(course, lesion, before, drawn, expected, status):
    one, other = lesion(1, MIDDLE, 20), lesion(2, HIGH, 20)
    first = ([one], [8.0]) if before is None else ([one, lesion(2, HIGH, 20, drawn=drawn)], [8.0, before])
    timeline = course(first, ([one, other], [8.0, 8.0]))
    found = timeline.response("v1", "PT")
    assert (str(found.category), found.rules) == expected
    row = next(row for row in timeline.lesions if (row.visit, row.lesion_id) == ("v1", "L02"))
    assert row.finding.status == status


def test_no_other_row_whatever_the_uptake_does(course, lesion):
    one = lesion(1, MIDDLE, 20)
    timeline = course(([one], [8.0]), ([one], [3.0]))
    assert (str(timeline.response("v1", "PT").category), timeline.response("v1", "PT").rules) == ("NE", ())
    suvs = [row.finding.suv_max for row in timeline.lesions]
    assert suvs[1] < 0.5 * suvs[0]
