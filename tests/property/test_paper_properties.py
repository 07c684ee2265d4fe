"""What must hold for every series of findings, and a second, naive reading of the size rows as an oracle."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.vocabulary import Category

CT_SILENT = ("missing", "ambiguous", "not_evaluable", "absent")
quick = settings(max_examples=30, deadline=None)


def sizes(least=100, most=6000):
    """Two diameters in hundredths of a mm, long first."""
    return st.tuples(st.integers(least, most), st.integers(least, most)).map(lambda pair: (max(pair), min(pair)))


def cells(silent=CT_SILENT):
    return st.one_of(sizes(), sizes(), sizes(), st.just("resolved"), st.sampled_from(silent))


@st.composite
def series(draw, silent=CT_SILENT, new=True):
    """Baseline lesions with a cell per visit, and perhaps lesions that come later."""
    count = draw(st.integers(2, 4))
    lesions = {}
    for index in range(draw(st.integers(1, 4))):
        lesions[f"L{index}"] = [draw(sizes()), *(draw(cells(silent)) for _ in range(count - 1))]
    for index in range(draw(st.integers(0, 2)) if new else 0):
        first = draw(st.integers(1, count - 1))
        rest = [draw(cells(silent)) for _ in range(count - 1 - first)]
        lesions[f"N{index}"] = ["absent"] * first + [("new", draw(sizes(10, 3000))), *rest]
    return lesions


def mm(hundredths):
    return str(Decimal(hundredths) / 100)


def words(cell):
    if isinstance(cell, str):
        return cell
    if cell[0] == "new":
        return f"new {words(cell[1])}"
    return f"{mm(cell[0])}x{mm(cell[1])}"


def build(paper, lesions, *, modality="CT", shuffle=None, policy=None, factor=1):
    visits = len(next(iter(lesions.values())))
    exams = []
    for visit in range(visits):
        said = {name: scaled(row[visit], factor) for name, row in lesions.items() if row[visit] != "absent"}
        names = sorted(said) if shuffle is None else shuffle(sorted(said))
        exams.append(paper.exam(90 * visit, modality, **{name: words(said[name]) for name in names}))
    ordered = exams if shuffle is None else shuffle(exams)
    return paper.timeline(*ordered, treatment=-365, policy=policy)


def scaled(cell, factor):
    if isinstance(cell, str):
        return cell
    if cell[0] == "new":
        return "new", scaled(cell[1], factor)
    return cell[0] * factor, cell[1] * factor


def judged(timeline):
    return [(row.visit, row.scope, row.category, row.category_other_scope) for row in timeline.responses]


@quick
@given(lesions=series())
def test_every_visit_gets_exactly_one_category_and_nothing_is_nan(paper, lesions):
    timeline = build(paper, lesions)
    keys = [(row.visit, row.criteria, row.scope) for row in timeline.responses]
    assert len(keys) == len(set(keys)) == 2 * len(timeline.visits)
    for row in timeline.responses:
        assert isinstance(row.category, Category)
        assert isinstance(row.category_other_scope, Category)
        assert row.reason
        assert math.isfinite(row.weeks)
        assert 0 <= row.lesions_assessed <= row.lesions_expected
        for change in (row.size_change_baseline, row.size_change_nadir):
            assert change is None or (isinstance(change, Fraction) and change >= -1)
    assert all(lesion.reason for lesion in timeline.lesions)
    assert timeline.best_response in set(Category)


@quick
@given(lesions=series(), random=st.randoms(use_true_random=False))
def test_the_order_of_input_never_matters(paper, lesions, random):
    def shuffled(items):
        mixed = list(items)
        random.shuffle(mixed)
        return mixed

    one, other = build(paper, lesions), build(paper, lesions, shuffle=shuffled)
    assert one == other


@quick
@given(lesions=series(), factor=st.integers(2, 7))
def test_scaling_sizes_and_floors_together_changes_no_category(paper, lesions, factor):
    floors = {"minimum_size_mm": 10, "new_lesion_mm": 5, "pd_absolute_mm": 2}
    larger = {name: value * factor for name, value in floors.items()}
    assert judged(build(paper, lesions, policy=floors)) == judged(build(paper, lesions, policy=larger, factor=factor))


@quick
@given(lesions=series(), stable=sizes())
def test_a_stable_lesion_more_never_turns_progression_into_response(paper, lesions, stable):
    """Against baseline. Against the nadir it can: 100 -> 10 -> 13 mm is PD, with 10 mm more 110 -> 20 -> 23 mm PR."""
    policy = {"progression_reference": "baseline"}
    more = lesions | {"S": [stable] * len(lesions["L0"])}
    before, after = build(paper, lesions, policy=policy), build(paper, more, policy=policy)
    for one, other in zip(before.responses, after.responses, strict=True):
        if one.category is Category.PD:
            assert other.category not in {Category.PR, Category.CR}


@quick
@given(lesions=series())
def test_the_other_scope_is_what_a_run_under_it_says(paper, lesions):
    by_sum = build(paper, lesions, policy={"size_scope": "sum"})
    by_each = build(paper, lesions, policy={"size_scope": "each"})
    assert [row.category_other_scope for row in by_sum.responses] == [row.category for row in by_each.responses]
    assert [row.category_other_scope for row in by_each.responses] == [row.category for row in by_sum.responses]


@quick
@given(lesions=series(new=False))
def test_a_core_lesion_no_longer_segmented_leaves_progression_or_nothing(paper, lesions):
    """Not segmented is not gone: without a core lesion no visit can be CR, PR or SD."""
    core = [name for name, row in lesions.items() if row[0][0] >= 1000] or sorted(lesions)
    lost = lesions | {core[0]: [lesions[core[0]][0], *["missing"] * (len(lesions["L0"]) - 1)]}
    assert {row.category for row in build(paper, lost).responses} <= {Category.BL, Category.NE, Category.PD}


# the oracle: integers in hundredths of a mm, loops and nothing else


def naive_size_categories(lesions):
    """Category of the sum of diameters at each visit after baseline, as one would do it by hand.

    Measurable: long axis at baseline of 10 mm or more. None where no lesion is measurable.
    """
    core = [row for row in lesions.values() if not isinstance(row[0], str) and row[0][0] >= 1000]
    if not core:
        return None
    visits = len(core[0])
    nadir = baseline = sum(sum(row[0]) for row in core)
    answers = []
    for visit in range(1, visits):
        total, complete, longest = 0, True, 0
        for row in core:
            cell = row[visit]
            if cell == "resolved":
                continue
            if isinstance(cell, str):
                complete = False
            else:
                total += cell[0] + cell[1]
                longest = max(longest, cell[0])
        grown = longest >= 1000 if nadir == 0 else 4 * total >= 5 * nadir
        if grown:
            answers.append("PD")
        elif not complete:
            answers.append("NE")
        elif total == 0:
            answers.append("CR")
        else:
            answers.append("PR" if 2 * total <= baseline else "SD")
        if complete:
            nadir = min(nadir, total)
    return answers


@settings(max_examples=120, deadline=None)
@given(lesions=series(new=False))
def test_the_sum_agrees_with_a_naive_reading(paper, lesions):
    core = {name: row for name, row in lesions.items() if row[0][0] >= 1000}
    expected = naive_size_categories(lesions)
    if expected is None:
        return
    timeline = build(paper, core)
    assert [str(row.size_category) for row in timeline.responses if row.scope == "CT"][1:] == expected


@pytest.mark.parametrize("percent", [-51, -50, -49, -1, 0, 1, 24, 25, 26, 300])
@pytest.mark.parametrize("baseline", [1000, 1001, 1234, 3330])
def test_the_oracle_and_the_sum_agree_at_every_limit(paper, percent, baseline):
    now = baseline * (100 + percent)
    for nudge in (-1, 0, 1):
        lesions = {"L0": [(baseline * 100, baseline * 100), (now + max(nudge, 0), now + min(nudge, 0))]}
        timeline = build(paper, lesions)
        assert [str(row.size_category) for row in timeline.responses if row.scope == "CT"][1:] == (
            naive_size_categories(lesions)
        )
