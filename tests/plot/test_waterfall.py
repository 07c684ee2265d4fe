"""The waterfall: a bar per patient, as high as its best change."""

from __future__ import annotations

import pytest
from plot import drawn
from plot.sample import judged, rows_of

import mdanderson as mda
from mdanderson.batch.pages import report
from mdanderson.errors import InputError, SettingsError
from mdanderson.plot import lesion_course, waterfall
from mdanderson.plot.cut_off import CUT_MARKER
from mdanderson.settings import Policy, Settings

EN = [("GROWS", 0.5, "PD"), ("STEADY", -0.05, "SD"), ("NEW", -0.2, "PD"), ("SHRINKS", -0.6, "PR")]


@pytest.mark.parametrize("dark", [False, True])
def test_bars_fall_from_the_greatest_rise_to_the_greatest_fall_in_the_colours_of_best_response(few, dark):
    axes = waterfall(few, dark=dark).axes[0]
    assert drawn.bars(axes) == [
        (place, pytest.approx(height), drawn.colour(category, dark=dark))
        for place, (_, height, category) in enumerate(EN)
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == [*(name for name, _, _ in EN), "UNSEEN"]
    assert axes.get_ylabel() == "change of sum of diameters since baseline"


def test_who_has_no_change_stands_apart_at_zero(few):
    axes = waterfall(few).axes[0]
    assert drawn.points(axes, "D") == [(5.0, 0.0)]
    assert ("NE", 5.0, 0.0) in drawn.written(axes)
    assert "no change of size known" in drawn.words(axes.figure)


def test_each_bar_says_its_category_and_a_star_tells_a_new_lesion(few):
    figure = waterfall(few)
    labels = [(text, place) for text, place, _ in drawn.written(figure.axes[0])]
    assert labels[2:7] == [("PD", 0), ("SD", 1), ("PD*", 2), ("PR", 3), ("NE", 5)]
    assert drawn.legend(figure) == [
        "PR partial response (n = 1)",
        "SD stable disease (n = 1)",
        "PD progressive disease (n = 2)",
        "NE not evaluable (n = 1)",
        "new lesion",
    ]


def test_a_change_of_nothing_is_seen():
    axes = waterfall(judged(rows_of("P", (20.0, 20.0)))).axes[0]
    (edge,) = [line for line in axes.lines if len(line.get_xdata()) == 2 and list(line.get_xdata()) != [0, 1]]
    assert (list(edge.get_ydata()), edge.get_color()) == ([0, 0], drawn.colour("SD"))


def test_only_visits_up_to_progression_count():
    results = judged(rows_of("P", (20.0, 30.0, 2.0)))
    assert [height for _, height, _ in drawn.bars(waterfall(results).axes[0])] == [0.5]


@pytest.mark.parametrize(
    ("criteria", "height", "limits", "quantity"),
    [
        ("mda2010", -0.6, [-0.5, 0.25], "sum of diameters"),
        ("who", -0.84, [-0.5, 0.25], "sum of products of diameters"),
    ],
)
def test_each_set_has_its_own_sum_and_limits(few, criteria, height, limits, quantity):
    axes = waterfall(few, criteria=criteria).axes[0]
    assert drawn.bars(axes)[-1][1] == pytest.approx(height)
    assert drawn.levels(axes) == limits
    assert quantity in axes.get_title(loc="left")


def test_limits_are_those_of_the_settings_and_are_told(few):
    figure = waterfall(few, settings=Settings(policy=Policy(pr_size_fall=0.3, pd_size_rise=0.2)))
    assert drawn.levels(figure.axes[0]) == [-0.3, 0.2]
    assert {"PR: −30 %", "PD: +20 % from nadir"} <= set(drawn.words(figure))


def test_recist_without_soft_tissue_has_no_bar_but_says_so(few):
    figure = waterfall(few, criteria="recist11")
    assert drawn.bars(figure.axes[0]) == []
    assert len(drawn.points(figure.axes[0], "D")) == 5
    assert drawn.legend(figure)[:2] == [
        "NN neither complete response nor progression (n = 3)",
        "PD progressive disease (n = 1)",
    ]
    assert drawn.levels(figure.axes[0]) == [-0.3, 0.2]


def test_a_bar_that_is_cut_off_tells_its_number():
    axes = waterfall(judged(rows_of("P", (10.0, 40.0)))).axes[0]
    assert drawn.bars(axes)[0][1] == 1.5
    assert "+300 %\nPD" in [text for text, _, _ in drawn.written(axes)]
    assert axes.get_ylim()[1] > 1.5


def test_many_patients_are_counted_in_place_of_names():
    rows = [row for number in range(41) for row in rows_of(f"P{number:02d}", (20.0, 20.0 - number / 10))]
    axes = waterfall(judged(rows)).axes[0]
    assert len(drawn.bars(axes)) == 41
    assert axes.get_xlabel() == "patients (n = 41)"
    assert list(axes.get_xticks()) == []


def test_many_bars_that_are_cut_off_have_arrowheads_and_no_numbers():
    rows = [row for number in range(41) for row in rows_of(f"P{number:02d}", (10.0, 40.0 if number < 3 else 10.0))]
    figure = waterfall(judged(rows))
    assert drawn.points(figure.axes[0], CUT_MARKER) == [(0, 1.5), (1, 1.5), (2, 1.5)]
    assert not [text for text in drawn.words(figure) if "300" in text]
    assert drawn.legend(figure)[-1] == "above +150 %, cut off there"
    assert figure.alt.endswith(" Above +150 % and drawn at it: 3 (highest +300 %).")


def test_in_chinese(few):
    figure = waterfall(few, language="zh")
    assert figure.axes[0].get_title(loc="left") == "径线之和的最佳变化 · MD Anderson 2010"
    assert drawn.legend(figure)[0] == "PR 部分缓解 (n = 1)"
    assert figure.alt == (
        "径线之和的最佳变化 · MD Anderson 2010: "
        "5 例患者径线之和较基线的最佳变化，从 +50 % 到 −60 %；1 PR, 1 SD, 2 PD, 1 NE。"
    )


def test_it_is_told_in_words(few):
    assert waterfall(few).alt == (
        "Best change of sum of diameters · MD Anderson 2010: Best change of sum of diameters since baseline of "
        "5 patients, from +50 % to −60 %; 1 PR, 1 SD, 2 PD, 1 NE."
    )


def test_nobody(nobody):
    figure = waterfall(nobody)
    assert "nothing to show" in drawn.words(figure)
    assert figure.alt.endswith(": nothing to show")


def test_what_cannot_be_drawn(few):
    with pytest.raises(InputError, match="made from Results or a Timeline, not from str; open a results folder"):
        waterfall("results")
    with pytest.raises(InputError, match="criteria 'uicc' were not asked; these results have mda2010, recist11, who"):
        waterfall(few, criteria="uicc")
    with pytest.raises(SettingsError, match="unknown criteria 'mda2011'"):
        waterfall(few, criteria="mda2011")
    with pytest.raises(SettingsError, match="unknown language 'de'"):
        waterfall(few, language="de")


def test_a_change_short_of_a_limit_is_not_told_as_the_limit():
    """-49.6 % is SD; told as -50 % it would read as PR."""
    assert "\N{MINUS SIGN}49.6 %" in waterfall(judged(rows_of("P01", (50.0, 25.2)))).alt


def test_a_run_with_limits_of_its_own_has_them_in_its_figures(tmp_path):
    """Not those of the default settings, by which the bar of an SD would stand above the line of PD."""
    own = Settings(policy=Policy(pd_size_rise=0.5, pr_size_fall=0.3))
    results = judged(rows_of("P01", (50.0, 67.0)), out=tmp_path / "out", settings=own)
    for one in (results, mda.Results.from_folder(tmp_path / "out")):
        assert {"PD: +50 % from nadir", "PR: \N{MINUS SIGN}30 %"} <= set(drawn.words(waterfall(one)))
        assert "PD: +50 % from nadir" in drawn.words(lesion_course(one))
    assert "PD: +20 % from nadir" in drawn.words(waterfall(results, settings=Settings(policy=Policy(pd_size_rise=0.2))))
    report(tmp_path / "out")
    page = (tmp_path / "out" / "report" / "index.html").read_text(encoding="utf-8")
    assert "PD: +50 % from nadir" in page
    assert "PD: +25 % from nadir" not in page


@pytest.mark.parametrize("name", ["P" * 24, "\N{CJK UNIFIED IDEOGRAPH-60A3}" * 12])
def test_long_names_leave_the_bars_their_room(name):
    def room(patient: str) -> float:
        figure = waterfall(judged(rows_of(patient, (50.0, 30.0))))
        figure.draw_without_rendering()
        return figure.axes[0].get_position().height * figure.get_size_inches()[1]

    assert room(name) > 0.9 * room("P01")
