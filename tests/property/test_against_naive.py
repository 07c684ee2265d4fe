"""Whole patients, judged by the package and by the naive second implementation of tests/naive: both must agree.

A patient is written in the shorthand of tests/paper.py, so that a disagreement reads like a reader's table.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

GAPS = (21, 41, 42, 43, 56, 63, 84, 90, 180)
FACTORS = ("0", "0.4", "0.499", "0.5", "0.501", "0.8", "1", "1.1", "1.249", "1.25", "1.251", "1.6", "3")
SIZES = ("20x10", "40x20", "12x8", "10x6", "10x10", "9.9x6", "8x6", "6x4", "5x4", "4.9x3")
RATIOS = ("0", "0.8", "1", "1.2", "1.21", "1.5", "1.9", "2", "2.01", "2.5", "3", "3.75", "4", "5", "6", "7.5")
SIGNALS = ("0.5", "0.79", "0.8", "1", "1.2", "1.21", "3")
SILENT = ("missing", "ambiguous", "not_evaluable")
CODES = {
    "CT": ("CR1", "CR2", "PR1", "PR4", "PD2", "SD1", "SD3", "CR3", "PR5"),
    "MR": ("CR3", "PR4", "PD2", "SD1", "SD3", "CR2"),
    "NM": ("CR4", "PR5", "PD3", "SD1", "PR4"),
    "PT": ("SD1",),
}
CODES["XR"] = CODES["CT"]
TYPES = ("", "lytic", "blastic", "mixed")

POLICIES = {
    "progression_reference": ["nadir", "baseline"],
    "size_scope": ["sum", "each"],
    "response_share": [0.5, 0, 0.33, 0.34, 1],
    "flare_window_weeks": [12, 0, 6, 30],
    "scan_only_progression": ["unconfirmed", "accept"],
    "scan_confirm_weeks": [6, 0, 12],
    "confirm_weeks": [0, 4, 12],
    "minimum_size_mm": [10, 5, 12],
    "pd_absolute_mm": [0, 5, 7.5],
    "new_lesion_mm": [5, 0, 9],
    "pr_size_fall": [0.5, 0.3],
    "pd_size_rise": [0.25, 0.1],
    "treated_lesions": ["exclude", "include"],
}


def scaled(size, factor):
    """A size times a factor, to a tenth of a mm."""
    axes = [Decimal(axis) * Decimal(factor) for axis in size.split("x")]
    return "x".join(str(axis.quantize(Decimal("0.1"))) for axis in axes)


@st.composite
def policies(draw):
    names = draw(st.sets(st.sampled_from(sorted(POLICIES)), max_size=3))
    chosen = {name: draw(st.sampled_from(POLICIES[name])) for name in sorted(names)}
    if draw(st.integers(0, 5)) == 0:
        chosen["modality_order"] = draw(st.permutations(["CT", "MR", "XR", "PT", "NM"]))
    return chosen


def rarely(draw, one_in):
    return draw(st.integers(0, one_in - 1)) == one_in - 1


@st.composite
def numbers(draw, modality, first, kind):
    """What is measured of a lesion that is seen: words of the shorthand."""
    if modality in {"NM", "PT"}:
        return f"u={draw(st.sampled_from(RATIOS))}"
    size = scaled(first, draw(st.sampled_from(FACTORS[1:])))
    return size if kind != "MR" else f"{size} s={draw(st.sampled_from(SIGNALS))}"


@st.composite
def row(draw, modality, first, kind, plain):
    """A lesion at a follow-up, None without a row."""
    choice = draw(
        st.sampled_from(["seen"] * (8 if not plain else 14) + ["gone", "silent", "none", "code", "both", "zero"])
    )
    if choice == "none":
        return None
    if choice == "gone":
        return "resolved"
    if choice == "silent":
        return draw(st.sampled_from(SILENT))
    if choice == "zero" and modality not in {"NM", "PT"}:
        return "0x0"
    code = f"!{draw(st.sampled_from(CODES[modality]))}"
    if choice == "code":
        return code
    words = draw(numbers(modality, first, kind))
    if choice == "both":
        words = f"{words} {code}"
    return f"{words} treated" if rarely(draw, 25) else words


@st.composite
def lesion(draw, modality, count, signals):
    """One row of a reader's table: a cell per examination."""
    first = draw(st.sampled_from(SIZES))
    kind = "MR" if modality == "MR" and signals else ""
    starts = 0 if not rarely(draw, 3) else draw(st.integers(0, count - 1))
    words = draw(numbers(modality, first, kind)) if modality in {"NM", "PT"} else first
    if kind:
        words += f" s={draw(st.sampled_from(SIGNALS))}"
    if modality in {"CT", "XR"}:
        words += " " + draw(st.sampled_from(TYPES))
    if modality not in {"NM", "PT"} and rarely(draw, 4):
        words += " " + draw(st.sampled_from(["ill", "measurable"]))
    cells = [None] * starts
    if starts:
        status = draw(st.sampled_from(["new", "new", "new", "new", "followed", "equivocal", "not_evaluable"]))
        if rarely(draw, 6):
            cells[0] = "not_evaluable" if rarely(draw, 2) else "resolved"
        words = status if status in {"equivocal", "not_evaluable"} else f"{status} {words}"
    elif rarely(draw, 12):
        words = "not_evaluable"
    cells.append(words)
    cells += [draw(row(modality, first, kind, plain=False)) for _ in range(count - starts - 1)]
    return cells


@st.composite
def patients(draw, modalities=("CT", "MR", "NM", "XR", "PT")):
    """(examinations as (day, modality, {lesion: words}, why), treatment, death, policy)."""
    count = draw(st.integers(1, 5))
    days = [0]
    for _ in range(count - 1):
        days.append(days[-1] + draw(st.sampled_from(GAPS)))
    chosen = draw(st.lists(st.sampled_from(modalities), min_size=1, max_size=3, unique=True))
    exams = []
    for modality in chosen:
        present = [day for day in days if not rarely(draw, 6)] or days
        names = [f"L{index + 1}" for index in range(draw(st.integers(1, 4)))]
        signals = rarely(draw, 2)
        table = {name: draw(lesion(modality, len(present), signals)) for name in names}
        for index, day in enumerate(present):
            said = {name: cells[index] for name, cells in table.items() if cells[index] is not None}
            exams.append((day, modality, said, "unreadable" if rarely(draw, 20) else ""))
    treatment = draw(st.sampled_from([None, 0, 0, -365, 30]))
    death = draw(st.sampled_from([None, None, None, 100, 500]))
    return exams, treatment, death, draw(policies())


def build(paper, patient):
    return [paper.exam(day, modality, why=why, **said) for day, modality, said, why in patient[0]]


def by_package(timeline):
    index = {visit.label: visit.index for visit in timeline.visits}
    rows = {
        (index[one.visit], one.scope): (str(one.category), one.unconfirmed, one.flare) for one in timeline.responses
    }
    summary = timeline.summaries[0]
    return rows, {
        "best_response": str(summary.best_response),
        "first_response_date": summary.first_response_date,
        "progression_date": summary.progression_date,
        "progression_free_days": summary.progression_free_days,
        "censored": summary.censored,
    }


def compare(paper, naive, patient, examinations):
    _, treatment, death, policy = patient
    timeline = paper.timeline(*examinations, treatment=treatment, death=death, policy=policy)
    rows, summary = by_package(timeline)
    expected = naive.classify(timeline.patient, examinations, paper.settings(**policy))
    assume(not expected["open"])
    different = {key: (rows.get(key), one) for key, one in expected["rows"].items() if rows.get(key) != one}
    for one in timeline.responses:
        note(f"{one.visit} {one.scope} {one.category} {one.unconfirmed} {one.flare} {one.reason}")
    assert not different, "(package, naive)"
    assert rows.keys() == expected["rows"].keys()
    assert summary == expected["summary"]


@settings(max_examples=400)
@given(patient=patients())
def test_every_category_agrees_with_the_naive_implementation(paper, naive, patient):
    compare(paper, naive, patient, build(paper, patient))
