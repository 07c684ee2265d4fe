"""The swimmer plot: how long each patient was followed, and what was seen on the way."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from plot import drawn
from plot.sample import BASELINE, judged, rows_of

import mdanderson as mda
from mdanderson.errors import InputError, ManifestError
from mdanderson.plot import swimmer
from mdanderson.plot.swimmer_lanes import mark_style

ROWS = ["STEADY", "SHRINKS", "GROWS", "NEW", "UNSEEN"]


def week(number: float) -> dt.date:
    return BASELINE + dt.timedelta(days=round(7 * number))


def events(*rows: tuple[str, float, str]) -> pd.DataFrame:
    return pd.DataFrame([{"patient_id": name, "date": week(at), "event": what} for name, at, what in rows])


@pytest.mark.parametrize("dark", [False, True])
def test_bars_reach_from_visit_to_visit_in_the_colour_of_the_first(few, dark):
    axes = swimmer(few, dark=dark).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ROWS
    first, second = (drawn.colour(category, dark=dark) for category in ("BL", "SD"))
    steady = [bar for bar in drawn.lying_bars(axes) if bar[0] == 0]
    assert steady == [(0, 0, 12, first), (0, 12, 24, second), (0, 24, 24, drawn.colour("NE", dark=dark))]
    assert axes.get_xlabel() == "weeks since baseline"


def test_every_follow_up_is_a_box_with_its_category(few):
    boxes = [(text, x, y) for text, x, y in drawn.written(swimmer(few).axes[0])]
    assert boxes == [
        ("SD", 12, 0),
        ("NE", 24, 0),
        ("PR", 12, 1),
        ("PD", 24, 1),
        ("PD", 12, 2),
        ("PD", 12, 3),
        ("NE", 12, 4),
    ]


def test_a_thin_line_goes_on_to_the_last_news(few):
    axes = swimmer(few).axes[0]
    lines = {line.get_ydata()[0]: tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() == 1.2}
    assert lines == {0: (-2, 30), 1: (0, 24), 2: (0, 20), 3: (0, 12), 4: (0, 12)}


def test_marks_of_treatment_progression_death_and_censoring(few):
    figure = swimmer(few)
    axes = figure.axes[0]
    assert drawn.points(axes, mark_style("clock").marker) == [(-2, 0)]
    assert [x for x, _ in drawn.points(axes, mark_style("progression").marker)] == [12, 12, 24]
    assert drawn.points(axes, mark_style("followed").marker) == [(12, 4), (30, 0)]
    assert drawn.points(axes, mark_style("death").marker) == [(20, 2)]  # GROWS had progressed before it died
    recist = swimmer(few, criteria="recist11")
    assert drawn.points(recist.axes[0], mark_style("death").marker) == [(20, 2)]
    assert drawn.legend(recist)[-4:] == ["treatment begun", "progression", "death", "no event (censored)"]


def test_deaths_stay_where_a_table_of_events_is_given(few):
    figure = swimmer(few, events=events(("GROWS", 8, "surgery")))
    assert drawn.points(figure.axes[0], mark_style("death").marker) == [(20, 2)]
    assert drawn.points(figure.axes[0], mark_style("surgery").marker) == [(8, pytest.approx(1.62))]


def test_a_death_after_progression_is_kept_with_the_results_and_marked(tmp_path):
    """As long as the folder knows of it, whatever ended the progression-free time."""
    table = pd.DataFrame(rows_of("P", (20.0, 30.0)))
    facts = pd.DataFrame([{"patient_id": "P", "death_date": week(30)}])
    made = mda.classify(table, tmp_path / "out", patients=facts, workers=1)
    again = mda.Results.from_folder(tmp_path / "out")
    assert again.events == made.events == {"P": (mda.Event(date=week(30), kind="death"),)}
    figure = swimmer(again)
    assert drawn.points(figure.axes[0], mark_style("death").marker) == [(30, 0)]
    assert figure.alt.endswith("progression: 1, death: 1.")


def test_a_death_that_ends_no_time_takes_the_place_of_the_arrow():
    policy = mda.Settings.from_mapping({"policy": {"death": "censor"}})
    facts = pd.DataFrame([{"patient_id": "P", "death_date": week(30)}])
    axes = swimmer(judged(rows_of("P", (20.0, 19.0)), patients=facts, settings=policy)).axes[0]
    assert drawn.points(axes, mark_style("death").marker) == [(30, 0)]
    assert drawn.points(axes, mark_style("followed").marker) == []


def test_results_without_their_events_still_know_a_death_that_ended_the_time(few):
    class Tables:
        responses, patients, lesions = few.responses, few.patients, few.lesions

    assert drawn.points(swimmer(Tables(), criteria="recist11").axes[0], mark_style("death").marker) == [(20, 2)]


def test_events_are_marked_above_their_bar_and_told(few):
    figure = swimmer(
        few, events=events(("STEADY", 6, "radiotherapy"), ("GROWS", 8, "dental check"), ("X", 1, "surgery"))
    )
    (place,) = drawn.points(figure.axes[0], mark_style("radiotherapy").marker)
    assert place == (6, pytest.approx(-0.38))
    assert drawn.points(figure.axes[0], mark_style("dental check").marker) == [(8, pytest.approx(1.62))]
    assert drawn.legend(figure)[-2:] == ["radiotherapy", "dental check"]
    assert drawn.legend(swimmer(few, events=events(("STEADY", 6, "radiotherapy")), language="zh"))[-1] == "放疗"


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        ([("therapy_stop", 12)], [(-2, 12)]),
        ([("therapy_start", 3)], [(3, 30)]),
        ([("therapy_start", 3), ("therapy_stop", 9), ("therapy_start", 15), ("therapy_stop", 20)], [(3, 9), (15, 20)]),
        ([("therapy_start", 3), ("therapy_start", 9), ("therapy_stop", 9)], [(3, 9), (9, 30)]),  # changed on that day
        ([("therapy_stop", 9), ("therapy_start", 9)], [(-2, 9), (9, 30)]),
        ([("therapy_start", 3), ("therapy_start", 5), ("therapy_stop", 9), ("therapy_stop", 10)], [(3, 9)]),
        ([], []),
    ],
)
def test_therapies_are_lines_below(few, told, lines):
    table = events(*(("STEADY", at, what) for what, at in told)) if told else None
    figure = swimmer(few, events=table)
    drawn_lines = [tuple(line.get_xdata()) for line in figure.axes[0].lines if line.get_linewidth() == 1.8]
    assert drawn_lines == lines
    assert ("on treatment" in drawn.legend(figure)) is bool(lines)


def test_a_timeline_brings_its_own_events():
    finding = mda.LesionFinding(
        lesion_id="L1", status="baseline", modality="CT", date=week(0), long_axis_mm=20, short_axis_mm=10
    )
    facts = mda.PatientFacts(patient_id="P", events=(mda.Event(date=week(5), kind=mda.EventKind.FRACTURE),))
    scan = mda.Examination(modality=mda.Modality.CT, date=week(0), lesions=(finding,))
    axes = swimmer(mda.build_timeline(facts, [scan], settings=mda.Settings())).axes[0]
    assert [x for x, _ in drawn.points(axes, mark_style("fracture").marker)] == [5]


def test_a_lane_reaches_to_the_last_event(few):
    """A therapy that stopped, or a fracture, is news of the patient: no mark stands beyond its lane."""
    figure = swimmer(few, events=events(("UNSEEN", 3, "therapy_start"), ("UNSEEN", 40, "therapy_stop")))
    lines = {
        line.get_ydata()[0]: tuple(line.get_xdata()) for line in figure.axes[0].lines if line.get_linewidth() == 1.2
    }
    assert lines[0] == (0, 40)
    assert drawn.points(figure.axes[0], mark_style("followed").marker) == [(30, 1), (40, 0)]


def test_who_has_a_baseline_alone_has_a_square_on_an_axis_of_weeks():
    axes = swimmer(judged(rows_of("P", (20.0,)))).axes[0]
    assert drawn.points(axes, "s") == [(0, 0)]
    low, high = axes.get_xlim()
    assert high - low >= 4


def test_many_patients_fit_one_page():
    rows = [row for number in range(61) for row in rows_of(f"P{number:02d}", (20.0, 19.0))]
    figure = swimmer(judged(rows))
    assert figure.get_size_inches()[1] == 16
    assert drawn.written(figure.axes[0]) == []
    assert figure.axes[0].get_ylabel() == "patients (n = 61)"


def test_it_is_told_in_words(few):
    assert swimmer(few).alt == (
        "Time on study and response · MD Anderson 2010: "
        "Time on study of 5 patients, up to 30 weeks; progression: 3, death: 1."
    )


def test_nobody(nobody):
    assert "nothing to show" in drawn.words(swimmer(nobody))


def test_a_table_of_events_that_cannot_be_used(few):
    with pytest.raises(ManifestError, match="no column event"):
        swimmer(few, events=pd.DataFrame({"patient_id": ["STEADY"], "date": ["2024-01-01"]}))
    with pytest.raises(InputError, match="not an ISO 8601 date: soon @ events row 2 column date; write YYYY-MM-DD"):
        swimmer(few, events=pd.DataFrame({"patient_id": ["STEADY"], "date": ["soon"], "event": ["surgery"]}))
