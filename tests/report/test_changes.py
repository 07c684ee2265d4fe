"""The best change of a patient who progressed and then shrank: what the page's table and its waterfall say."""

from __future__ import annotations

import datetime as dt

import pytest
from plot import drawn
from plot.sample import judged, rows_of

from mdanderson.plot import waterfall
from mdanderson.report.changes import best_change
from mdanderson.report.columns import PATIENTS, RESPONSES
from mdanderson.report.html import CohortResults, cohort_page
from mdanderson.report.html.numbers import number_of

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(weeks=12 * visit) for visit in range(4)]


def test_table_and_waterfall_of_one_page_agree_on_who_progressed_and_then_shrank():
    results = judged(rows_of("P01", (53.0, 85.0, 18.0)))
    page = cohort_page(
        CohortResults(
            criteria=("mda2010",),
            patients=list(results.named(PATIENTS)),
            responses=list(results.named(RESPONSES)),
            problems=(),
            failed={},
            pages=("P01",),
        )
    )
    ((_, height, category),) = drawn.bars(waterfall(results).axes[0])
    assert (height, category) == (pytest.approx(0.603774), drawn.colour("PD"))
    assert number_of("0.603774", "%") in page
    assert number_of("-0.6604", "%") not in page


@pytest.mark.parametrize(
    ("changes", "progressed_at", "best"),
    [
        ((None, 0.6, -0.66), 1, 0.6),
        ((None, 0.6, -0.66), None, -0.66),
        ((None, -0.1, 0.6, -0.66), 2, -0.1),
        ((None, None, -0.66), 1, None),
        ((None,), None, None),
        ((-0.5, 0.2), None, 0.2),  # the baseline has no change, whatever stands there
        ((), None, None),
    ],
)
def test_best_change_is_of_the_visits_up_to_progression(changes, progressed_at, best):
    visits = list(zip(DAYS, changes, strict=False))
    progression = None if progressed_at is None else DAYS[progressed_at]
    assert best_change(visits[::-1], progression=progression) == best
