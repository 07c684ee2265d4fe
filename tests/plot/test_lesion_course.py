"""One patient lesion by lesion, in a panel for every quantity that was measured."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from plot import drawn
from plot.sample import BASELINE, judged, rows_of

import mdanderson as mda
from mdanderson.errors import InputError
from mdanderson.findings import Density
from mdanderson.plot import lesion_course
from mdanderson.settings import Policy, Settings


def lines(axes):
    """Label-free lines through more than the baseline of a limit: colour and points."""
    found = [line for line in axes.lines if line.get_linestyle() == "-" and list(line.get_xdata()) != [0, 1]]
    return [[tuple(map(float, point)) for point in line.get_xydata()] for line in found]


def level(axes):
    return sorted(round(float(line.get_ydata()[0]), 3) for line in axes.lines if list(line.get_xdata()) == [0, 1])


def finding(week, **given):
    return mda.LesionFinding(
        **{"lesion_id": "L1", "modality": mda.Modality.CT, "date": BASELINE + dt.timedelta(weeks=week)} | given
    )


@pytest.fixture(scope="module")
def timeline():
    """One lytic lesion that shrinks and fills in, then is gone; reference bone of 200 HU."""

    def dense(hu):
        return Density(mean_hu=hu, median_hu=hu, reference_hu=200.0, reference_sd_hu=20.0, lytic_fraction=0.5)

    lytic = mda.LesionType.LYTIC
    findings = [
        finding(
            0, status="baseline", long_axis_mm=20, short_axis_mm=10, density=dense(40.0), lesion_type=lytic, site="T4"
        ),
        finding(12, status="followed", long_axis_mm=12, short_axis_mm=6, density=dense(150.0), lesion_type=lytic),
        finding(24, status="resolved", density=dense(210.0), lesion_type=lytic),
    ]
    scans = [mda.Examination(modality=mda.Modality.CT, date=one.date, lesions=(one,)) for one in findings]
    return mda.build_timeline(mda.PatientFacts(patient_id="P"), scans, settings=Settings())


def test_a_timeline_of_size_change_and_density(timeline):
    figure = lesion_course(timeline)
    size, change, density = figure.axes
    assert lines(size) == [[(0, 30), (12, 18), (24, 0)]]
    assert lines(change) == [[(0, 0), (12, -0.4), (24, -1)]]
    assert lines(density) == [[(0, 40), (12, 150), (24, 210)]]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["long + short axis (mm)", "change of size since baseline", "median density (HU)"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"weeks since baseline"}
    assert drawn.legend(figure) == ["L1 T4 (lytic)"]
    assert figure.get_suptitle() == "Lesions of P"


def test_limits_of_size_and_of_density_are_drawn(timeline):
    _, change, density = lesion_course(timeline).axes
    assert level(change) == [-0.5, 0, 0.25]
    image = Settings().image
    lytic = 200 - max(image.lytic_robust_sd * 20, image.lytic_minimum_hu)
    sclerotic = 200 + max(image.sclerotic_robust_sd * 20, image.sclerotic_minimum_hu)
    assert level(density) == [lytic, 200, sclerotic]
    words = [text for text, _, _ in drawn.written(density)]
    assert words == ["reference bone", "lytic below", "sclerotic above"]
    mine = Settings(policy=Policy(pr_size_fall=0.3))
    assert level(lesion_course(timeline, settings=mine).axes[1]) == [-0.3, 0, 0.25]


def test_what_was_not_judged_is_a_cross_at_the_last_value(few):
    figure = lesion_course(few, "STEADY")
    size, change = figure.axes
    assert lines(size) == [[(0, 30), (12, 28.5)]]
    assert drawn.points(size, "x") == [(24, 28.5)]
    assert drawn.points(change, "x") == [(24, pytest.approx(-0.05))]
    assert drawn.legend(figure)[-1] == "not judged at this visit"


def test_other_quantities_have_panels_of_their_own():
    rows = [
        {
            "patient_id": "P",
            "date": BASELINE,
            "modality": "MR",
            "sequence": "T1",
            "lesion_id": "L1",
            "signal_ratio": 0.5,
        },
        {"patient_id": "P", "date": BASELINE, "modality": "NM", "lesion_id": "L1", "uptake": 3.0},
        {"patient_id": "P", "date": BASELINE, "modality": "PT", "lesion_id": "L1", "suv_peak": 6.0},
    ]
    figure = lesion_course(judged(rows))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "signal / normal marrow",
        "uptake / reference bone",
        "SULpeak (g/ml)",
    ]
    assert [lines(axes) for axes in figure.axes] == [[[(0, 0.5)]], [[(0, 3)]], [[(0, 6)]]]
    assert [level(axes) for axes in figure.axes] == [[1], [1], []]
    assert drawn.legend(figure) == ["L1 (MR T1)", "L1 (bone scan)", "L1 (PET)"]


def test_more_lesions_than_colours_are_grey_and_counted():
    rows = [
        {"patient_id": "P", "date": BASELINE, "modality": "CT", "lesion_id": f"L{number}", "long_axis_mm": 30 - number}
        | {"short_axis_mm": 10}
        for number in range(11)
    ]
    figure = lesion_course(judged(rows))
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert len(set(colours[:8])) == 8
    assert set(colours[8:]) == {"#57606a"}
    assert drawn.legend(figure)[-1] == "3 smaller lesions"


def test_it_is_told_in_words(timeline):
    assert lesion_course(timeline, language="zh").alt == (
        "P 的病灶：1 个病灶随时间的变化；长径 + 短径（mm）, 大小较基线的变化, 密度中位数（HU）。"
    )


def test_which_patient(few, nobody):
    with pytest.raises(InputError, match="no patient named; use one of GROWS, NEW, SHRINKS, STEADY, UNSEEN"):
        lesion_course(few)
    with pytest.raises(InputError, match="no lesions of patient 'P99'; use one of GROWS"):
        lesion_course(few, "P99")
    with pytest.raises(InputError, match="no lesions of patient 'P99'; these results have none"):
        lesion_course(nobody, "P99")
    assert "nothing to show" in drawn.words(lesion_course(nobody))


def test_a_table_without_its_columns_is_refused(few):
    class Half:
        responses = patients = lesions = pd.DataFrame({"patient_id": ["P"]})

    with pytest.raises(InputError, match="no column visit @ lesions; give results as a run made them"):
        lesion_course(Half())


def test_an_identifier_is_no_key_of_the_legend():
    rows = [row | {"lesion_id": "_L1", "site": "$x$"} for row in rows_of("P", (20.0, 18.0))]
    assert drawn.legend(lesion_course(judged(rows))) == ["_L1 $x$ (lytic)"]
