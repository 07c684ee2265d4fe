"""Whole patients, judged by the package and by the naive second implementation of tests/naive: both must agree.

A patient is written in the shorthand of tests/paper.py, so that a disagreement reads like a reader's table.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from naive import mda2010 as naive

from mdanderson.findings import Density, PatientFacts

OPEN = {
    "F12": "details 1, 3: a lesion stated measurable without diameters at baseline is core",
    "F18": "detail 10: a new lesion inside the window that is not assessed, beside a sign of response",
    "F20": "detail 27: what a region has grown from that holds a new focus which never counted",
    "F19": "details 1, 10: what is left of a settled flare that only a reader's code spoke of, SD or NE",
}.keys()
"""Disagreements not yet decided, each named by the detail it hangs on: patients that show one are left out."""

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

KINDS = {"CT": ["", "density"], "XR": ["", "density"], "MR": ["", "MR", "T1", "STIR", "OPP", "two"]}
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
    return size + draw(extras(kind))


@st.composite
def extras(draw, kind):
    """What is measured beside the size: density, or the signal of one or two sequences."""
    if kind == "density":
        return f" d={draw(st.sampled_from(sorted(PLACES)))}"
    if kind in {"T1", "STIR", "OPP", "MR"}:
        return f" {'' if kind == 'MR' else kind} s={draw(st.sampled_from(SIGNALS))}"
    if kind == "two":
        one, other = draw(st.sampled_from(SIGNALS)), draw(st.sampled_from(SIGNALS))
        return f" T1 s={one} | {draw(st.sampled_from(SIZES))} STIR s={other}"
    return ""


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
def lesion(draw, modality, count, kind):
    """One row of a reader's table: a cell per examination."""
    first = draw(st.sampled_from(SIZES))
    starts = 0 if not rarely(draw, 3) else draw(st.integers(0, count - 1))
    words = f"u={draw(st.sampled_from(RATIOS[1:]))}" if modality in {"NM", "PT"} else first
    if modality in {"CT", "XR"}:
        words += " " + draw(st.sampled_from(TYPES))
    if modality not in {"NM", "PT"} and rarely(draw, 4):
        words += " " + draw(st.sampled_from(["ill", "measurable"]))
    words += draw(extras(kind))
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
        kind = draw(st.sampled_from(KINDS.get(modality, [""])))
        table = {name: draw(lesion(modality, len(present), kind)) for name in names}
        for index, day in enumerate(present):
            said = {name: cells[index] for name, cells in table.items() if cells[index] is not None}
            exams.append((day, modality, said, "unreadable" if rarely(draw, 20) else ""))
    treatment = draw(st.sampled_from([None, 0, 0, -365, 30]))
    death = draw(st.sampled_from([None, None, None, 100, 500]))
    return exams, treatment, death, draw(policies())


def bone(median, lytic, sclerotic, rim=0.1, filled=None, cleared=None, **more):
    """A place in CT bone of 200 +/- 30 HU."""
    return Density(
        mean_hu=median,
        median_hu=median,
        lytic_fraction=lytic,
        sclerotic_fraction=sclerotic,
        rim_fraction=rim,
        fill_in_fraction=filled,
        cleared_fraction=cleared,
        **({"reference_hu": 200, "reference_sd_hu": 30} | more),
    )


PLACES = {
    "lytic": bone(40, 0.8, 0.0),
    "faint": bone(150, 0.3, 0.0, rim=0.3),
    "rimmed": bone(60, 0.5, 0.0, rim=0.6, filled=0.2, cleared=0.3),
    "almost_rim": bone(60, 0.5, 0.0, rim=0.49, filled=0.249, cleared=0.3),
    "partly": bone(90, 0.4, 0.2, rim=0.2, filled=0.25, cleared=0.5),
    "filled": bone(600, 0.0, 0.9, rim=None, filled=0.5, cleared=0.95),
    "almost_filled": bone(600, 0.0, 0.9, rim=None, filled=0.499, cleared=0.95),
    "dense": bone(600, 0.0, 0.9),
    "normal": bone(200, 0.0, 0.0, filled=0.0, cleared=1.0),
    "at_the_limit": bone(160, 0.099, 0.099, filled=0.1, cleared=0.9, lytic_focus_mm=3.9),
    "off_the_limit": bone(159, 0.0, 0.0, filled=0.1, cleared=0.9),
    "with_a_focus": bone(200, 0.05, 0.0, filled=0.1, cleared=0.9, lytic_focus_mm=4.0),
    "wide_bone": bone(250, 0.0, 0.0, reference_sd_hu=50),
    "no_reference": Density(mean_hu=300, median_hu=300, why="superscan"),
}
"""Densities, named in a table's words as `d=lytic`."""


def build(paper, patient):
    return [examination(paper, *exam) for exam in patient[0]]


def examination(paper, day, modality, said, why):
    """`d=` names a density of the table above, `|` parts the sequences of MR."""
    densities, lesions = {}, {}
    for name, words in said.items():
        for word in words.split():
            if word.startswith("d="):
                densities[name] = PLACES[word[2:]]
        lesions[name] = tuple(" ".join(w for w in one.split() if w[:2] != "d=") for one in words.split("|"))
    return paper.exam(day, modality, why=why, densities=densities, **lesions)


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


def compare(paper, patient, examinations):
    _, treatment, death, policy = patient
    timeline = paper.timeline(*examinations, treatment=treatment, death=death, policy=policy)
    rows, summary = by_package(timeline)
    expected = naive.classify(timeline.patient, examinations, paper.settings(**policy))
    assume(not expected["open"] & OPEN)
    different = {key: (rows.get(key), one) for key, one in expected["rows"].items() if rows.get(key) != one}
    for one in timeline.responses:
        note(f"{one.visit} {one.scope} {one.category} {one.unconfirmed} {one.flare} {one.reason}")
    assert not different, "(package, naive)"
    assert rows.keys() == expected["rows"].keys()
    assert summary == expected["summary"]


@st.composite
def merging(draw):
    """Lesions that merge or fall apart in a table, beside one that is steady; no treated ones."""
    modality = draw(st.sampled_from(["CT", "MR", "XR"]))
    first = draw(st.sampled_from(["20x10", "40x20", "12x8", "10x10"]))
    exams = [(0, modality, {"L1": first, "L2": draw(st.sampled_from(["20x10", "12x10"])), "L3": "14x10"}, "")]
    for visit in range(1, draw(st.integers(2, 4))):
        one, other = (scaled(first, draw(st.sampled_from(FACTORS[1:]))) for _ in range(2))
        fates = [
            {"L1": one, "L2": other},
            {"L1": f"merged {one} <L1;L2"},
            {"L2": f"merged {one} <L1;L2"},
            {"L9": f"merged {one} <L1;L2"},
            {"L1": "merged 0x0 <L1;L2"},
            {"L9": "resolved <L1;L2"},
            {"L1": "merged !PR1 <L1;L2"},
            {"L1": one},
            {"L2": one},
            {"L1": "resolved"},
            {"L1": "missing"},
            {"L1a": f"split {one} <L1", "L1b": f"split {other} <L1", "L2": "12x10"},
            {"L1a": f"split {one} <L1", "L1b": "split <L1", "L2": "12x10"},
        ]
        steady = {"L3": draw(st.sampled_from(["14x10", "14x10", "7x5", "missing"]))}
        exams.append((90 * visit, modality, draw(st.sampled_from(fates)) | steady, ""))
    return exams, -365, None, draw(policies())


@st.composite
def merging_flare(draw):
    """A new lesion beside another sign of response, which merges with an old one."""
    size = draw(st.sampled_from(["20x15", "40x20", "12x8"]))
    new, steady = draw(st.sampled_from(["8x6", "20x15"])), [draw(st.sampled_from(["14x10", "7x5"])) for _ in range(5)]
    exams = [(0, "CT", {"L1": size, "L3": steady[0]}, "")]
    for visit in range(1, draw(st.integers(2, 3))):
        seen = {"L1": f"{size} !PR1", "N1": f"{'new ' if visit == 1 else ''}{new} blastic", "L3": steady[visit]}
        exams.append((30 * visit, "CT", seen, ""))
    for visit in range(3, draw(st.integers(4, 5))):
        region = scaled(size, draw(st.sampled_from(FACTORS[1:])))
        exams.append((60 * visit, "CT", {"L1": f"merged {region} <L1;N1", "L3": steady[visit]}, ""))
    return exams, 0, None, draw(policies())


@settings(max_examples=80)
@given(patient=merging_flare())
def test_a_new_lesion_that_merges_agrees_with_the_naive_implementation(paper, patient):
    compare(paper, patient, build(paper, patient))


@settings(max_examples=200)
@given(patient=patients())
def test_every_category_agrees_with_the_naive_implementation(paper, patient):
    compare(paper, patient, build(paper, patient))


@settings(max_examples=60)
@given(patient=merging())
def test_merged_and_split_lesions_agree_with_the_naive_implementation(paper, patient):
    compare(paper, patient, build(paper, patient))


@pytest.mark.parametrize(
    "visits",
    [
        ({"L1": "20x15"}, {"L1": "20x15 !PD4"}, {"L1": "20x15"}),
        ({"L1": "20x15"}, {"L1": "9x8 !PD4"}, {"L1": "20x15"}),
        ({"L1": "20x15 lytic"}, {"L1": "20x15 !PR1 !PD4"}, {"L1": "resolved !PD4"}),
        ({"L1": "20x15"}, {"L1": "20x15", "L2": "followed 12x10 !PD4"}),
        ({"L1": "20x15"}, {"L1": "0x0 !PR4"}, {"L1": "resolved !PR3"}),
        ({"L1": "20x15 s=0.5"}, {"L1": "0x0 s=0.5"}, {"L1": "0x0 s=1"}),
        ({"L1": "20x15 s=0.5"}, {"L1": "0x0 s=0.5 !CR3"}, {"L1": "0x0"}),
    ],
)
def test_a_readers_word_on_new_and_gone(paper, visits):
    modality = "MR" if " s=" in visits[0]["L1"] else "CT"
    exams = [paper.exam(150 * index, modality, **said) for index, said in enumerate(visits)]
    rows, _ = by_package(paper.timeline(*exams, treatment=-365))
    expected = naive.classify(PatientFacts(patient_id="P", treatment_start=paper.day(-365)), exams, paper.settings())
    assert rows == expected["rows"]


@pytest.mark.parametrize("ct", ["new 14x12", "new 14x12 !PD4", "followed 14x12", "equivocal 4x3"])
@pytest.mark.parametrize("mr", ["", "14x10", "resolved", "not_evaluable", "missing"])
@pytest.mark.parametrize("why", ["", "a row cannot be used"])
@pytest.mark.parametrize("since", ["", "resolved", "14x10"])
def test_what_another_modality_lists_or_saw_go(paper, ct, mr, why, since):
    lesions = {"S2": mr} if mr else {}
    exams = [paper.exam(0, L1="20x15"), paper.exam(0, "MR", why=why, L1="20x15", **lesions)]
    exams += [paper.exam(90, "MR", why=why, L1="20x15", S2=since)] if since else []
    exams += [paper.exam(day, L1="20x15", S2=words) for day, words in ((200, ct), (300, "14x12"))]
    rows, _ = by_package(paper.timeline(*exams, treatment=-365))
    expected = naive.classify(PatientFacts(patient_id="P", treatment_start=paper.day(-365)), exams, paper.settings())
    assert rows == expected["rows"]
