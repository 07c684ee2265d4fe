"""WHO, UICC, RECIST 1.1 and iRECIST against implementations by hand (tests/naive): they must agree on every visit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from naive import naive_recist, naive_who

GAPS = (20, 27, 28, 29, 56, 57, 90)
FACTORS = ("0.3", "0.5", "0.69", "0.7", "0.8", "1", "1", "1.1", "1.19", "1.2", "1.25", "1.5")
SIZES = ((40, 20), (30, 15), (20, 10), (12, 10), (25, 9), (6, 4), (10, 9))
SOFT = ("8", "9.9", "10", "12", "20", "25")
quick = settings(max_examples=100, deadline=None)


def rarely(draw, one_in):
    return draw(st.integers(1, one_in)) == one_in


@st.composite
def cells(draw, first, soft, *, quiet=True):
    """One row of a reader's table at a follow-up, None without a row."""
    kinds = ["seen"] * 7 + (["gone", "silent", None] if quiet else [])
    status = draw(st.sampled_from(kinds))
    if status is None:
        return None
    cell = {"status": status, "equivocal": False, "long": None, "short": None, "soft": None, "codes": set()}
    if status != "seen":
        return cell
    factor = Decimal(draw(st.sampled_from(FACTORS)))
    cell["long"], cell["short"] = ((size * factor).quantize(Decimal("0.01")) for size in first)
    if rarely(draw, 12):
        cell["short"] = None
    if soft is not None and not rarely(draw, 6):
        cell["soft"] = (Decimal(soft) * factor).quantize(Decimal("0.01"))
    if rarely(draw, 10):
        cell["codes"] = {draw(st.sampled_from(["PD2", "PD4", "SD3"]))}
    return cell


@st.composite
def lesions(draw, name, visits):
    first = draw(st.sampled_from(SIZES))
    node = rarely(draw, 3)
    soft = draw(st.sampled_from(SOFT)) if rarely(draw, 2) else None
    origin = draw(st.sampled_from(["baseline", "baseline", "baseline", "new", "known"]))
    start = 0 if origin == "baseline" else draw(st.integers(1, visits - 1))
    opening = draw(cells(first, soft, quiet=False))
    opening["codes"] = set()
    opening["equivocal"] = origin == "new" and rarely(draw, 4)
    rest = [draw(cells(first, soft)) for _ in range(visits - start - 1)]
    return {
        "name": name,
        "origin": origin,
        "node": node,
        "target": draw(st.sampled_from([None, None, True, False])) if origin == "baseline" else None,
        "ill": rarely(draw, 6),
        "type": draw(st.sampled_from(["", "lytic", "blastic", "mixed"])),
        "cells": [None] * start + [opening, *rest],
    }


@st.composite
def patients(draw):
    """(days, lesions)."""
    days = [0]
    for _ in range(draw(st.integers(1, 5))):
        days.append(days[-1] + draw(st.sampled_from(GAPS)))
    return days, [draw(lesions(f"L{index}", len(days))) for index in range(draw(st.integers(0, 5)))]


def in_words(lesion, visit):
    """The row in the shorthand of tests/paper.py; what is said of the lesion itself stands in its first row."""
    cell = lesion["cells"][visit]
    if cell["status"] != "seen":
        return {"gone": "resolved", "silent": "missing"}[cell["status"]]
    said = [f"{cell['long']}x{'' if cell['short'] is None else cell['short']}"]
    said += [f"st={cell['soft']}"] if cell["soft"] is not None else []
    said += [f"!{code}" for code in cell["codes"]]
    if all(earlier is None for earlier in lesion["cells"][:visit]):
        status = {"baseline": "", "new": "equivocal" if cell["equivocal"] else "new", "known": "followed"}
        target = {None: "", True: "target", False: "nontarget"}
        said += [status[lesion["origin"]], lesion["type"], target[lesion["target"]]]
        said += ["node" if lesion["node"] else "", "ill" if lesion["ill"] else ""]
    return " ".join(said)


def by_package(paper, patient, criteria, **sections):
    days, found = patient
    exams = [
        paper.exam(day, **{one["name"]: in_words(one, visit) for one in found if one["cells"][visit] is not None})
        for visit, day in enumerate(days)
    ]
    timeline = paper.timeline(*exams, criteria=criteria, sections=sections)
    rows = [row for row in timeline.responses if row.scope == "overall"][1:]
    for exam, row in zip(exams[1:], rows, strict=True):
        note(f"{exam.date} {row.category} {row.reason}")
    for row in timeline.responses:
        assert row.reason
        assert 0 <= row.lesions_assessed <= row.lesions_expected
        for number in (row.size_change_baseline, row.size_change_nadir):
            assert number is None or (isinstance(number, Fraction) and number >= -1)
    return [(str(row.category), row.unconfirmed) for row in rows]


def exactly(patient):
    """The same patient with fractions for decimals."""
    days, found = patient
    numbers = {"long", "short", "soft"}
    return days, [
        one
        | {
            "cells": [
                cell
                and {
                    key: Fraction(value) if key in numbers and value is not None else value
                    for key, value in cell.items()
                }
                for cell in one["cells"]
            ]
        }
        for one in found
    ]


@quick
@given(patient=patients())
def test_who_agrees(paper, patient):
    assert by_package(paper, patient, "who") == naive_who.who(*exactly(patient))


@quick
@given(patient=patients())
def test_recist_agrees(paper, patient):
    categories = [category for category, _ in by_package(paper, patient, "recist11")]
    assert categories == naive_recist.recist(*exactly(patient))


@pytest.mark.parametrize("further_in", ["any", "same"])
@quick
@given(patient=patients())
def test_irecist_agrees(paper, further_in, patient):
    told = by_package(paper, patient, "irecist", irecist={"further_in": further_in})
    assert told == naive_recist.irecist(*exactly(patient), further_in)


# what must hold whatever the numbers


CRITERIA = "who uicc recist11 irecist"
FLOORS = {
    "policy": {"minimum_size_mm": 10.0, "new_lesion_mm": 5.0},
    "recist11": {
        "pd_absolute_mm": 5.0,
        "target_mm": 10.0,
        "node_target_mm": 15.0,
        "node_normal_mm": 10.0,
        "node_growth_mm": 5.0,
    },
    "irecist": {"further_mm": 5.0},
}


def rows_of(paper, patient, factor=1, order=list):
    days, found = patient
    sections = {name: {key: value * factor for key, value in one.items()} for name, one in FLOORS.items()}
    sections["uicc"] = {"modalities": ["CT"]}
    exams = []
    for visit, day in enumerate(days):
        said = {one["name"]: one for one in found if one["cells"][visit] is not None}
        exams.append(paper.exam(day, **{name: in_words(said[name], visit) for name in order(said)}))
    timeline = paper.timeline(*order(exams), criteria=CRITERIA, policy=sections.pop("policy"), sections=sections)
    return [(row.criteria, row.scope, row.visit, row.category, row.unconfirmed) for row in timeline.responses]


def larger(patient, factor):
    days, found = patient
    numbers = {"long", "short", "soft"}
    return days, [
        one
        | {
            "cells": [
                cell
                and {
                    key: value * factor if key in numbers and value is not None else value
                    for key, value in cell.items()
                }
                for cell in one["cells"]
            ]
        }
        for one in found
    ]


fewer = settings(max_examples=30, deadline=None)


@fewer
@given(patient=patients(), factor=st.integers(2, 7))
def test_scaling_sizes_and_floors_together_changes_no_category(paper, patient, factor):
    assert rows_of(paper, patient) == rows_of(paper, larger(patient, factor), factor)


@fewer
@given(patient=patients(), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(paper, patient, random):
    def shuffled(items):
        mixed = list(items)
        random.shuffle(mixed)
        return mixed

    assert rows_of(paper, patient) == rows_of(paper, patient, order=shuffled)


@fewer
@given(patient=patients())
def test_every_visit_gets_one_category_per_set_and_scope(paper, patient):
    keys = [row[:3] for row in rows_of(paper, patient)]
    assert len(keys) == len(set(keys)) == 2 * len(CRITERIA.split()) * len(patient[0])


@fewer
@given(patient=patients())
def test_a_stable_lesion_more_never_undoes_a_progression_by_who(paper, patient):
    days, found = patient
    cell = {
        "status": "seen",
        "equivocal": False,
        "long": Decimal(20),
        "short": Decimal(10),
        "soft": None,
        "codes": set(),
    }
    stable = {"name": "S", "origin": "baseline", "node": False, "target": None, "ill": False, "type": ""}
    more = days, [*found, stable | {"cells": [cell] * len(days)}]
    before, after = (by_package(paper, one, "who") for one in (patient, more))
    assert all(other == "PD" for (one, _), (other, _) in zip(before, after, strict=True) if one == "PD")
