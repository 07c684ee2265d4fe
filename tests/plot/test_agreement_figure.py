"""Two criteria sets against each other: counts, and kappa as the statistics have it."""

from __future__ import annotations

import pytest
from matplotlib.patches import Rectangle
from plot import drawn

from mdanderson.errors import InputError
from mdanderson.plot import agreement
from mdanderson.plot.agreement_figure import _ORDER
from mdanderson.statistics import cohen_kappa
from mdanderson.vocabulary import Category

CR, PR, SD, PD, NE = _ORDER


def counts(axes):
    return {(_ORDER[round(y)], _ORDER[round(x)]): int(text) for text, x, y in drawn.written(axes)}


def test_cells_hold_the_visits_of_both_words(few):
    axes = agreement(few, against="who").axes[0]
    pairs = counts(axes)
    assert sum(pairs.values()) == 7
    assert pairs == {(PD, PD): 3, (PR, PR): 1, (SD, SD): 1, (NE, NE): 2}
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("MD Anderson 2010", "WHO")
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == [label.get_text() for label in axes.get_yticklabels()] == ["CR", "PR", "SD", "PD", "NE"]


def test_best_responses(few):
    figure = agreement(few, against="who", item="best_response")
    assert counts(figure.axes[0]) == {(PD, PD): 2, (PR, SD): 1, (SD, SD): 1, (NE, NE): 1}
    told = cohen_kappa([(PD, PD), (PD, PD), (PR, SD), (SD, SD)])
    assert f"kappa {told.kappa:.2f} (" in figure.axes[0].get_title(loc="left")
    assert "4 judged by both, 1 not" in figure.alt


def test_the_fuller_the_darker_and_the_empty_has_the_colour_of_the_ground(few):
    axes = agreement(few, against="who").axes[0]
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_fill()]
    ground = {cell.get_facecolor() for cell in cells}
    assert (1.0, 1.0, 1.0, 1.0) in ground
    assert len(cells) == 25
    light = {round(sum(colour[:3]), 3) for colour in ground}
    assert len(light) == 4  # none, 1, 2, 3


def test_without_a_second_set_named_it_is_the_first_other_one(few):
    assert agreement(few).axes[0].get_xlabel() == "RECIST 1.1"
    assert agreement(few, criteria="who").axes[0].get_xlabel() == "MD Anderson 2010"


def test_words_are_taken_for_what_they_mean(few):
    pairs = counts(agreement(few, against="recist11").axes[0])
    assert pairs[SD, SD] == 1  # Non-CR/Non-PD of RECIST
    assert Category.NON_CR_NON_PD not in {other for _, other in pairs}


def test_in_chinese(few):
    title = agreement(few, against="who", language="zh").axes[0].get_title(loc="left")
    assert title.splitlines()[0] == "MD Anderson 2010 与 WHO 的一致性 · 各次随访"
    assert title.splitlines()[2] == "两者均可评价 5 次，其余 2 次"


def test_one_set_alone_has_nothing_to_be_compared_with(strange):
    with pytest.raises(InputError, match="only mda2010 was asked: nothing to compare it with; score with several"):
        agreement(strange)


def test_nobody(nobody):
    assert "nothing to show" in drawn.words(agreement(nobody))
