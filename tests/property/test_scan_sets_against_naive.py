"""PERCIST, EORTC and PCWG3, judged by the package and by the naive second implementations of tests/naive."""

from __future__ import annotations

from hypothesis import given, note, settings
from hypothesis import strategies as st
from naive import naive_pcwg3, naive_pet

GAPS = (21, 41, 42, 43, 84)
STARTS = ("1", "2.5", "10")
FACTORS = ("0", "0.2", "0.21", "0.68", "0.699", "0.7", "0.701", "0.75", "1", "1.25", "1.251", "1.3", "1.32", "1.8", "2")
BURDENS = ("0", "10", "17.5", "17.6", "40", "70", "70.1")
CHANGES = [(0, 0, 0)] * 3 + [(0, 1, 0)] * 3 + [(0, 2, 0)] * 5 + [(0, 3, 0), (1, 0, 0), (2, 0, 0), (1, 2, 0), (2, 3, 0)]
CHANGES += [(3, 0, 0), (2, 2, 0), (0, 0, 1), (0, 0, 2), (0, 1, 1), (9, 0, 0)]
"""Foci lost, new ones, and lost ones back, from scan to scan."""
LIMITS = {
    "percist": {
        "pmr_fall": [0.3, 0.25],
        "pmd_rise": [0.3, 0.25],
        "absolute_sul": [0.8, 0.0, 0.75],
        "tlg_rise": [0.75, 0.5],
    },
    "eortc": {"pmr_fall": [0.25, 0.15, 0.3], "pmd_rise": [0.25, 0.3], "reappeared_suv": [0.0, 0.5, 1.0]},
    "pcwg3": {"new_foci": [2, 1, 3], "confirm_weeks": [6.0, 0.0, 12.0, 5.9]},
}


def rarely(draw, one_in):
    return draw(st.integers(0, one_in - 1)) == one_in - 1


@st.composite
def limits(draw, section):
    return {section: {name: draw(st.sampled_from(values)) for name, values in LIMITS[section].items()}}


def times(start, factor):
    return f"{float(start) * float(factor):.4g}"


@st.composite
def numbers(draw, start, factors):
    """What is measured of a lesion that is seen; any of it may be left blank."""
    cell = {key: times(start, draw(st.sampled_from(factors))) for key in ("pk", "mx") if not rarely(draw, 20)}
    if not rarely(draw, 4):
        cell["tlg"] = draw(st.sampled_from(BURDENS))
    return cell


@st.composite
def lesion(draw, count):
    """A cell a visit: None without a row."""
    start = draw(st.sampled_from(STARTS))
    arrives = draw(st.integers(0, count - 1)) if rarely(draw, 4) else 0
    cells = [None] * arrives
    if arrives and rarely(draw, 4):
        cells[0] = draw(st.sampled_from(["gone", "silent"]))
    status = draw(st.sampled_from(["new", "new", "equivocal", "followed"])) if arrives else "baseline"
    cells.append("silent" if rarely(draw, 12) else draw(numbers(start, ["1"])) | {"status": status})
    for _ in range(count - arrives - 1):
        kind = draw(st.sampled_from(["seen"] * 8 + ["gone", "gone", "silent", "none"]))
        later = "followed" if status != "equivocal" or rarely(draw, 2) else "equivocal"
        seen = draw(numbers(start, FACTORS)) | {"status": later}
        cells.append({"seen": seen, "none": None}.get(kind, kind))
    return cells


@st.composite
def pets(draw):
    """Visits as tests/naive/naive_pet.py reads them; at least one is evaluable."""
    count = draw(st.integers(2, 4))
    table = {f"L{index + 1}": draw(lesion(count)) for index in range(draw(st.sampled_from([1, 1, 2, 3])))}
    visits = [{name: cells[at] for name, cells in table.items() if cells[at] is not None} for at in range(count)]
    lost = draw(st.integers(0, count - 1)) if rarely(draw, 10) else None
    return [None if index == lost else visit for index, visit in enumerate(visits)]


def as_words(cell):
    if isinstance(cell, str):
        return {"gone": "resolved", "silent": "missing"}[cell]
    return " ".join([cell["status"], *(f"{key}={value}" for key, value in cell.items() if key != "status")])


def judged(paper, visits, criteria, sections):
    exams = [
        paper.exam(90 * index, "PT", why="lost")
        if visit is None
        else paper.exam(90 * index, "PT", **{name: as_words(cell) for name, cell in visit.items()})
        for index, visit in enumerate(visits)
    ]
    rows = [row for row in paper.timeline(*exams, criteria=criteria, sections=sections).responses if row.scope == "PT"]
    for row in rows:
        note(f"{row.visit} {row.category} {row.reason}")
    return [str(row.category) for row in rows]


@settings(max_examples=120)
@given(visits=pets(), sections=limits("percist"))
def test_percist_agrees_with_the_naive_implementation(paper, visits, sections):
    assert judged(paper, visits, "percist", sections) == naive_pet.percist(visits, paper.settings(sections))


@settings(max_examples=120)
@given(visits=pets(), sections=limits("eortc"))
def test_eortc_agrees_with_the_naive_implementation(paper, visits, sections):
    assert judged(paper, visits, "eortc", sections) == naive_pet.eortc(visits, paper.settings(sections))


@st.composite
def bone_scans(draw):
    """[(day, new foci that are there)], with none at baseline; a scan of None is not evaluable."""
    day, foci, met = draw(st.sampled_from([0, 0, 0, 84])), [], []
    found = [(day, frozenset())]
    for _ in range(draw(st.integers(0, 6))):
        lost, fresh, back = draw(st.sampled_from(CHANGES))
        gone = [name for name in met if name not in foci]
        met += [f"N{len(met) + index}" for index in range(fresh)]
        foci = foci[lost:] + gone[:back] + met[len(met) - fresh :]
        day += draw(st.sampled_from(GAPS))
        found.append((day, frozenset(foci) if draw(st.integers(0, 11)) else None))
    return found


WORDS = {
    "hot": ("u=3", "u=1.21", "followed"),
    "cold": ("u=1.2", "u=0.9", "resolved", "!CR4", "u=3 !CR4"),
    "none": (None,),
    "silent": ("not_evaluable",),
}


@st.composite
def old_foci(draw, scans):
    """{focus of the baseline: a word a scan}, of which the first evaluable scan has judged all."""
    fates = st.sampled_from(["hot"] * 4 + ["cold"] * 5 + ["none", "none", "silent"])
    lit = st.sampled_from(["hot", "hot", "hot", "cold"])
    names = [f"O{index}" for index in range(draw(st.integers(0, 3)))]
    return {name: [draw(lit), *(draw(fates) for _ in scans[1:])] for name in names}


def as_old(draw, word, *, baseline):
    told = draw(st.sampled_from(WORDS[word]))
    return f"baseline {'u=3' if word == 'hot' else 'u=1.1'}" if baseline else told


def scan_exams(paper, scans, old, draw):
    met, exams = set(), []
    for index, (day, foci) in enumerate(scans):
        if foci is None:
            exams.append(paper.exam(day, "NM", why="lost"))
            continue
        words = dict.fromkeys(met - foci, "resolved")
        words |= {
            name: told for name, of in old.items() if (told := as_old(draw, of[index], baseline=index == 0)) is not None
        }
        words |= {name: "followed u=3" if name in met else "new u=3" for name in foci}
        met |= foci
        exams.append(paper.exam(day, "NM", **words))
    return exams


@settings(max_examples=160)
@given(
    data=st.data(),
    scans=bone_scans(),
    treatment=st.sampled_from([None, -365, 0, 0, 84, 105]),
    sections=limits("pcwg3"),
)
def test_pcwg3_agrees_with_the_naive_implementation(paper, data, scans, treatment, sections):
    old = data.draw(old_foci(scans))
    exams = scan_exams(paper, scans, old, data.draw)
    timeline = paper.timeline(*exams, treatment=treatment, criteria="pcwg3", sections=sections)
    rows = [row for row in timeline.responses if row.scope == "NM"]
    for row in rows:
        note(f"{row.visit} {row.date} {row.category} {row.reason}")
    expected = naive_pcwg3.bone(scans, old, treatment, paper.settings(sections))
    assert [str(row.category) for row in rows] == expected
    assert [row.unconfirmed for row in rows] == [category == "PDu" for category in expected]
    first = next((day for (day, _), category in zip(scans, expected, strict=True) if category == "PD"), None)
    assert timeline.summaries[0].progression_date == (None if first is None else paper.day(first))


@st.composite
def soft_tissue(draw, scans):
    """CT on some days, of one lesion that is target or not, or of none; days off the scans' own as well."""
    days = sorted({day for day, _ in scans if not rarely(draw, 4)} | draw(st.sets(st.sampled_from([63, 300]))))
    role = draw(st.sampled_from(["target", "target", "nontarget", "node", ""]))
    later = ("20x10", "20x10", "10x5", "40x20", "resolved", "missing")
    return [(day, role, "20x16" if index == 0 else draw(st.sampled_from(later))) for index, day in enumerate(days)]


@settings(max_examples=60)
@given(data=st.data(), scans=bone_scans())
def test_the_combination_agrees_with_the_naive_implementation(paper, data, scans):
    old = data.draw(old_foci(scans))
    images = data.draw(soft_tissue(scans))
    cts = [paper.exam(day, "CT", **({"N": f"{words} {role}"} if role else {})) for day, role, words in images]
    timeline = paper.timeline(*scan_exams(paper, scans, old, data.draw), *cts, criteria="pcwg3 recist11")
    by_recist = {
        row.date: str(row.category)
        for row in timeline.responses
        if row.criteria == "recist11" and row.scope == "overall"
    }
    told = naive_pcwg3.bone(scans, old, None, paper.settings())
    for row in timeline.responses:
        if row.criteria == "pcwg3" and row.scope == "overall":
            note(f"{row.visit} {row.date} {row.category} {row.reason}")
            bone = naive_pcwg3.bone_at((row.date - paper.DAY_0).days, scans, told)
            soft = by_recist[row.date]
            targets = images and images[0][1] in {"target", "node"}
            expected = naive_pcwg3.both(soft, bone, targets) if images else bone
            if not images and row.visit == timeline.visits[0].label:
                expected = "BL"
            assert str(row.category) == expected
