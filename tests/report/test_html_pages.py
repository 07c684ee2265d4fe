"""What the pages say, that all of it is escaped, and that they need nothing but themselves."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import mdanderson
from mdanderson.criteria import CRITERIA_SETS
from mdanderson.errors import Problem, Severity
from mdanderson.palette import DARK, LIGHT
from mdanderson.pictures import Outline, Picture, png_of
from mdanderson.quantities import percent
from mdanderson.report import html
from mdanderson.report.columns import PATIENTS, PROBLEMS, RESPONSES, TABLES
from mdanderson.report.html import CohortResults, DrawnFigure, PatientResults, cohort_page, page_name, patient_page
from mdanderson.report.html.drawing import course_curves, drawn, profile_curves, stacked
from mdanderson.report.html.numbers import MEASURED, change_form, number_of
from mdanderson.report.html.rendering import class_of, themed
from mdanderson.report.tables import problem_row, timeline_rows
from mdanderson.report.texts import EN, ZH
from mdanderson.report.texts_rules import RULES_ZH
from mdanderson.report.trace import TRACE, trace_rows
from mdanderson.statistics import SUMMARY, summarise_rates
from mdanderson.statistics.rows import cells_of
from mdanderson.vocabulary import Modality

PACKAGE = Path(mdanderson.__file__).parent
TEMPLATES = Path(html.__file__).parent / "templates"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"
VOID = {"meta", "img", "br", "input", "link", "hr"}


class Read(HTMLParser):
    """A page as a browser would take it apart: elements with attributes, and the text that is to be read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.script = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.script += data
        elif not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def picture(lesion_id: str, on: int, paper: ModuleType, *, drawn_here: bool = True, **fields: object) -> Picture:
    told: dict[str, object] = {
        "lesion_id": lesion_id,
        "modality": Modality.CT,
        "date": paper.day(on),
        "visit": "",
        "png": png_of(np.full((4, 4), 90, dtype=np.uint8)),
        "frame": (-45.0, -45.0, 90.0, 90.0),
        "filled": (-44.0, -45.0, 88.0, 90.0),
        "letters": ("R", "A", "L", "P"),
        "window": (-500.0, 1300.0),
        "unit": "HU",
        "slice_number": 7,
        "outlines": (Outline(lesion_id=lesion_id, lines=(((0.0, 0.0), (5.0, 0.0), (0.0, 0.0)),), drawn=drawn_here),),
        "diameters": (((-5.0, 0.0), (5.0, 0.0)), ((0.0, -2.0), (0.0, 2.0))) if drawn_here else (),
    }
    return Picture(**(told | fields))


def results(paper: ModuleType, **fields: object) -> PatientResults:
    """Three visits: two lytic lesions, of which one shrinks, then grows; a third is new at the last."""
    timeline = paper.timeline(
        paper.exam(0, visit="start", L01="20x15 lytic", L02="12x10 lytic"),
        paper.exam(90, visit="week 13", L01="8x6", L02="6x4"),
        paper.exam(180, visit="week 26", L01="14x12", L02="6x4", L03="new 12x12 lytic"),
        treatment=-30,
        criteria="mda2010 recist11",
    )
    problem = Problem(
        what="a slice is missing", severity=Severity.WARNING, visit="start", where="ct", how_to_fix="look"
    )
    rows = timeline_rows(timeline) | {
        TRACE.name: trace_rows(timeline),
        PROBLEMS.name: (problem_row(problem),),
    }
    told: dict[str, object] = {"patient_id": "P01", "criteria": ("mda2010", "recist11"), "rows": rows}
    return PatientResults(**(told | fields))


@pytest.fixture(scope="module")
def shown(paper: ModuleType) -> Read:
    """A patient's page with pictures of L01 at two visits and of L03's place before it was there."""
    profile = tuple((step + 0.5, 40.0 if step < 0 else 200.0) for step in range(-10, 10))
    pictures = (
        picture("L01", 0, paper, profile=profile),
        picture("L01", 92, paper, profile=profile),  # its own image, two days after the visit began
        picture("L03", 0, paper, drawn_here=False),
    )
    return Read(patient_page(results(paper, pictures=pictures)))


def test_the_page_tells_the_course_and_why(shown: Read) -> None:
    for told in ("P01", "week 26", "MD Anderson 2010", "RECIST 1.1", "PR", "PD", "a slice is missing", "look"):
        assert told in shown.text
    assert "\N{MINUS SIGN}58 %" in shown.text  # 57 -> 24 mm
    assert re.search(r"PR3 \S+", shown.text)  # the code with what the row says
    assert re.search(r"\d+\.\d percentage points to the nearest limit", shown.text)
    assert {"f-PR", "f-PD"} <= {bar["class"] for bar in shown.all("rect")}
    assert shown.text.count("Research use only, not a medical device.") == 2


def test_pictures_stand_under_their_visit_with_their_lines(shown: Read) -> None:
    svgs = [one for one in shown.all("svg") if (one.get("class") or "").startswith("picture")]
    assert [one["aria-label"] for one in svgs] == [
        "Lesion L01, CT of 2024-01-01, slice 7, with its outline and diameters",
        "Lesion L01, CT of 2024-04-02, slice 7, with its outline and diameters",
        "Place of lesion L03, CT of 2024-01-01, slice 7; nothing is segmented here",
    ]
    assert svgs[0]["viewbox"] == "-45 -45 90 90"
    assert svgs[0]["data-aria-label-zh"] == "病灶 L01，2024-01-01 CT，层面 7，含轮廓与径线"
    classes = [one["class"] for one in shown.all("path")]
    assert [classes.count(name) for name in ("outline", "carried", "axis a1", "axis a2")] == [2, 1, 2, 2]
    assert [one["d"] for one in shown.all("path") if one["class"] == "axis a1"] == ["M-5 0L5 0"] * 2
    assert all((one["href"] or "").startswith("data:image/png;base64,iVBOR") for one in shown.all("image"))
    curves = [one for one in shown.all("path") if (one["class"] or "").startswith("curve")]
    assert len([one for one in curves if one["d"] == "M0 4H30"]) == 5  # each has its line in the legend
    assert len(curves) == 10  # 3 are changes of size, 2 are profiles


def test_all_lesions_are_seen_at_once_before_each_by_itself(shown: Read) -> None:
    start = shown.text.index("Every lesion at every visit")
    assert re.search(
        r"L01 \S+ ?CT.*?BL .*?35\.0 .*?PR .*?14\.0 .*?PD .*?26\.0 .*?L02 .*?L03 .*?PD .*?24\.0 .*?new",
        shown.text[start:],
    )
    ids = {one["id"] for one in shown.all("article") if "id" in one}
    links = [(one["href"] or "") for one in shown.all("a") if (one["href"] or "").startswith("#lesion-")]
    assert links == ["#lesion-1", "#lesion-2", "#lesion-3"]
    assert {link[1:] for link in links} <= ids


def test_rules_have_their_words_without_a_trace_too(paper: ModuleType) -> None:
    """`classify` keeps no trace."""
    timeline = paper.timeline(paper.exam(0, L01="20x15 lytic"), paper.exam(90, L01="8x6"))
    page = patient_page(PatientResults(patient_id="P02", criteria=("mda2010",), rows=timeline_rows(timeline)))
    assert "PR3 size falls by >= 50 %" in Read(page).text


def test_one_lesion_needs_no_overview(paper: ModuleType) -> None:
    timeline = paper.timeline(paper.exam(0, L01="20x15 lytic"), paper.exam(90, L01="8x6"))
    alone = PatientResults(patient_id="P02", criteria=("mda2010",), rows=timeline_rows(timeline))
    assert "Every lesion at every visit" not in Read(patient_page(alone)).text


def test_without_pictures_the_page_says_how_to_have_them(paper: ModuleType) -> None:
    page = Read(patient_page(results(paper)))
    assert "`score --fresh` without --no-report takes them" in page.text
    assert page.all("image") == []
    assert "L03" in page.text


def test_a_patient_that_was_not_scored_has_a_page_that_says_so() -> None:
    page = Read(
        patient_page(PatientResults(patient_id="P9", criteria=("mda2010",), rows={}, failure="no image @ row 3"))
    )
    assert "This patient was not scored:" in page.text
    assert "no image @ row 3" in page.text
    assert [one["role"] for one in page.all("p") if one.get("class") == "failure"] == ["alert"]


def evil(paper: ModuleType) -> PatientResults:
    """Every text of every table, and of the pictures, is an attempt to break out."""
    told = results(paper)
    rows = {}
    for table in (*TABLES, TRACE):
        texts = {
            at
            for at, column in enumerate(table.columns)
            if column.kind.value == "text" and column.name not in {"visit", "criteria", "scope", "lesion_id"}
        }
        rows[table.name] = tuple(
            tuple(EVIL if at in texts else cell for at, cell in enumerate(row)) for row in told.rows[table.name]
        )
    one = picture("L01", 0, paper, sequence=EVIL, view=EVIL, visit=EVIL, unit=EVIL, letters=(EVIL,) * 4)
    whole = picture("", 0, paper, modality=Modality.NM, outlines=(Outline(lesion_id=EVIL, lines=(((0.0, 0.0),),)),))
    return dataclasses.replace(told, patient_id=EVIL, rows=rows, failure=EVIL, pictures=(one, whole))


def check_harmless(page: str) -> Read:
    """One script, which is ours; nothing that runs, loads, or is filled in twice."""
    read = Read(page)
    assert len(read.all("script")) == 1
    assert "alert" not in read.script
    assert read.all("img") == read.all("iframe") == read.all("object") == read.all("link") == []
    for tag, attributes in read.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert not [value for value in attributes.values() if value and value.strip().lower().startswith("javascript:")]
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|\b49\b", read.text)
    assert "<script>alert(1)</script>" in read.text
    return read


def test_nothing_breaks_out_of_a_patients_page(paper: ModuleType) -> None:
    read = check_harmless(patient_page(evil(paper)))
    assert read.text.count("<script>alert(1)</script>") > 20


def cohort(paper: ModuleType, **fields: object) -> CohortResults:
    one = results(paper)
    named: Mapping[str, list[dict[str, str]]] = {
        table.name: list(one.named(table)) for table in (PATIENTS, RESPONSES, PROBLEMS)
    }
    problems = [row | {"patient_id": "P01"} for row in named["problems"]]
    told: dict[str, object] = {
        "criteria": ("mda2010", "recist11"),
        "patients": named["patients"],
        "responses": named["responses"],
        "problems": problems,
        "failed": {"P02": "no image can be used"},
        "pages": ("P01", "P02"),
        "figures": (
            DrawnFigure(name="waterfall", english="<svg><text>Rise</text></svg>", chinese="<svg><text>升</text></svg>"),
        ),
    }
    return CohortResults(**(told | fields))


def test_the_cohorts_page_has_a_line_for_every_patient(paper: ModuleType) -> None:
    page = Read(cohort_page(cohort(paper)))
    links = [one["href"] for one in page.all("a")]
    assert f"patients/{page_name('P01')}" in links
    assert f"patients/{page_name('P02')}" in links
    rows = [one for one in page.all("tr") if "data-best" in one]
    assert [(one["data-best"], one["data-problems"]) for one in rows] == [("PR", "1"), ("", "0")]
    assert "no image can be used" in page.text
    assert "\N{MINUS SIGN}58 %" in page.text
    assert "-0.578947" in {one.get("data-sort") for one in page.all("td")}
    assert "Rise" in page.text
    assert "升" in page.text


def test_the_cohorts_page_tells_the_rates_of_summary_csv(paper: ModuleType) -> None:
    told = cohort(paper)
    counted = SUMMARY.named(cells_of(SUMMARY, summarise_rates(told.patients)))
    page = Read(cohort_page(dataclasses.replace(told, summary=list(counted)))).text
    assert "缓解率 1/1: 100 % (3\N{EN DASH}100)" in page  # Clopper and Pearson: 0.025 and 1
    assert "疾病控制率 1/1: 100 % (3\N{EN DASH}100)" in page
    assert "中位无进展时间 210 days" in page  # from the first dose, 30 days before the first visit
    assert "exact 95 % confidence interval" in page
    assert "exact 95 % confidence interval" not in Read(cohort_page(told)).text


def test_who_was_scored_in_part_is_counted_so(paper: ModuleType) -> None:
    told = dataclasses.replace(cohort(paper), failed={"P01": "a visit cannot be read", "P02": "no image can be used"})
    page = Read(cohort_page(told)).text
    assert "已评价 0" in page
    assert "部分评价 1" in page
    assert "未能评价 1" in page


def test_nothing_breaks_out_of_the_cohorts_page(paper: ModuleType) -> None:
    plain = cohort(paper)

    def spoiled(rows: object) -> list[dict[str, str]]:
        kept = {"criteria", "scope", "date", "visit", "size_change_baseline"}
        return [{name: (cell if name in kept else EVIL) for name, cell in row.items()} for row in rows]

    bad = dataclasses.replace(
        plain,
        patients=spoiled(plain.patients),
        responses=spoiled(plain.responses),
        problems=spoiled(plain.problems),
        failed={EVIL: EVIL},
        pages=(EVIL,),
        figures=(),
    )
    check_harmless(cohort_page(bad))


@pytest.mark.parametrize("kind", ["patient", "cohort"])
def test_a_page_needs_no_network_and_allows_none(paper: ModuleType, kind: str) -> None:
    text = patient_page(results(paper)) if kind == "patient" else cohort_page(cohort(paper))
    page = Read(text)
    (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert re.findall(r"(?:https?:)?//[a-z]", re.sub(r"(?m)^\s*//.*$", "", text)) == []
    assert not re.search(r"@import|url\(", text)


def test_the_same_results_give_the_same_page(paper: ModuleType) -> None:
    assert patient_page(results(paper)) == patient_page(results(paper))
    assert cohort_page(cohort(paper)) == cohort_page(cohort(paper))


def test_every_string_of_the_templates_is_in_the_table() -> None:
    keys = set()
    for template in TEMPLATES.glob("*.j2"):
        keys |= set(re.findall(r'"((?:page|word|notice|scope)\.[a-z_]+)"', template.read_text(encoding="utf-8")))
    keys |= {one.text for one in MEASURED} | {"page.alt_whole", "page.alt_drawn", "page.alt_carried"}
    keys -= {"page.by_"}
    assert len(keys) > 80
    assert keys <= EN.keys() & ZH.keys()
    parts = ("size", "density", "signal", "uptake")
    used = keys | {f"{kind}{part}" for kind in ("page.by_", "word.") for part in parts}
    used |= {"page.sins", "page.mirels", "page.response_rate", "page.control_rate"}
    for module in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.j2")]:
        if not module.name.startswith("texts"):
            used |= set(re.findall(r"[\"'](word\.[a-z_]+)[\"']", module.read_text(encoding="utf-8")))
    unused = {key for key in EN if key.startswith(("page.", "word."))} - used
    assert unused == set()


def test_both_languages_are_on_the_page(shown: Read) -> None:
    said = [one for one in shown.all("span") if one.get("class") == "say"]
    languages = [one["lang"] for one in shown.all("span") if "lang" in one]
    assert languages == ["en", "zh"] * len(said)
    assert "骨转移瘤疗效评价" not in shown.text  # the title of another page
    assert "时间线" in shown.text
    assert "大小缩小 ≥ 50 %" in shown.text


def test_every_row_of_every_set_is_told_in_chinese() -> None:
    texts = {rule.text for one in CRITERIA_SETS for rule in one.rules}
    assert texts - RULES_ZH.keys() == set()
    assert RULES_ZH.keys() - texts == set()


@pytest.mark.parametrize("patient_id", ["", "..", "../../x", "a/b", "CON", "P" * 300, "患者", "a\nb", EVIL])
def test_a_page_has_a_name_that_any_file_system_takes(patient_id: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}-[0-9a-f]{8}\.html", page_name(patient_id))


def test_no_two_patients_share_a_page() -> None:
    names = ["a/b", "a_b", "A_b", "a b", "a?b", "P" * 50, "P" * 51]
    assert len({page_name(name).lower() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("cell", "form", "text"),
    [
        ("-0.5", "%", "\N{MINUS SIGN}50 %"),
        ("0.2549", "%", "+25.5 %"),
        ("0.2490", "%", "+24.9 %"),
        ("0.2496", "%", "+24.96 %"),
        ("0.2500", "%", "+25 %"),
        ("0.2504", "%", "+25.04 %"),
        ("-0.4996", "%", "\N{MINUS SIGN}49.96 %"),
        ("-0.0049", "%", "\N{MINUS SIGN}0.5 %"),
        ("0.0000", "%", "0 %"),
        ("0.1234", "points", "12.3"),
        ("-3.24", "HU", "\N{MINUS SIGN}3"),
        ("-0.2", "HU", "0"),
        ("12.25", "mm", "12.3"),
        ("what", "mm", "what"),
        ("nan", "mm", "nan"),
        ("inf", "%", "inf"),
        ("1e99999999", "mm", "1e99999999"),
        ("1e-99999999", "%", "1e-99999999"),
        ("", "%", ""),
    ],
)
def test_numbers_as_people_read_them(cell: str, form: str, text: str) -> None:
    assert number_of(cell, form) == text


def test_a_page_says_a_change_as_the_reason_of_its_category_does() -> None:
    for criteria, fall, rise in (("mda2010", -50, 25), ("who", -50, 25), ("recist11", -30, 20)):
        for points in range(-9999, 30000):
            reason = percent(Fraction(points, 10000), limits=(Fraction(fall, 100), Fraction(rise, 100)))
            told = number_of(f"{points / 10000:.4f}", change_form(criteria))
            assert told == reason.replace("-", "\N{MINUS SIGN}")


def test_bars_stand_side_by_side() -> None:
    bars = stacked([("CR", 0.0), ("PR", 0.25), ("SD", 0.75)])
    assert [(one.name, one.start, one.width) for one in bars] == [("PR", 0.0, 25.0), ("SD", 25.0, 75.0)]
    assert stacked([]) == ()


def test_profiles_are_drawn_in_one_frame() -> None:
    assert profile_curves([]) is None
    assert profile_curves([("start", ((0.5, 10.0),))]) is None
    curves = profile_curves([("start", ((-10.0, 0.0), (10.0, 400.0))), ("end", ((-10.0, 400.0), (10.0, 0.0)))])
    assert curves is not None
    assert [one.path for one in curves.curves] == ["M32 128L288 8", "M32 8L288 128"]
    assert [text for _, text in curves.y_ticks] == ["0", "100", "200", "300", "400"]
    assert [text for _, text in curves.x_ticks] == ["-10", "-5", "0", "5", "10"]
    assert curves.edge == 160
    level = profile_curves([("start", ((-10.0, 7.0), (10.0, 7.0)))])
    assert level is not None
    assert [text for _, text in level.y_ticks] == ["7", "8"]


def test_changes_are_drawn_by_week() -> None:
    assert course_curves([("L01", ((0.0, 0.0),))]) is None
    assert course_curves([("L01", ((0.0, 0.0), (0.0, 10.0)))]) is None
    curves = course_curves([("L01", ((0.0, 0.0), (26.0, -60.0))), ("L02", ())])
    assert curves is not None
    assert [(one.label, one.path) for one in curves.curves] == [("L01", "M32 38L288 110")]
    assert [text for _, text in curves.y_ticks] == ["-75", "-50", "-25", "0", "25"]
    assert [text for _, text in curves.x_ticks] == ["0", "10", "20"]


def test_noise_is_drawn_as_noise() -> None:
    curves = course_curves([("L01", ((0.0, 0.0), (26.0, -0.3)))])
    assert curves is not None
    assert [text for _, text in curves.y_ticks] == ["-50", "-25", "0", "25"]
    (line,) = curves.curves
    assert abs(line.dots[0][1] - line.dots[1][1]) < 1.0


def test_a_chart_has_as_many_lines_as_can_be_told_apart() -> None:
    courses = [("sum", ((0.0, 0.0), (9.0, 1.0)))]
    courses += [(f"L{number:02}", ((0.0, 0.0), (9.0, float(number)))) for number in range(1, 41)]
    curves = course_curves(courses)
    assert curves is not None
    assert [one.label for one in curves.curves] == ["sum", *(f"L{number}" for number in range(34, 41))]
    assert curves.left_out == 33
    profiles = profile_curves([(f"visit{number}", ((-1.0, 0.0), (1.0, 5.0))) for number in range(1, 11)])
    assert profiles is not None
    assert [one.label for one in profiles.curves] == ["visit1", *(f"visit{number}" for number in range(4, 11))]


def test_every_line_has_dashes_of_its_own() -> None:
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    dashes = dict(re.findall(r"\.curve\.l-(\d) \{ stroke-dasharray: ([\d ]+);", style))
    assert sorted(dashes) == [str(number) for number in range(1, len(LIGHT.lines))]  # the first is solid
    assert len(set(dashes.values())) == len(dashes)
    assert re.search(r"\.picture \.a2 \{ stroke-dasharray", style)  # the short axis, beside the long one


def test_charts_and_pictures_are_told_to_who_does_not_see_them(shown: Read) -> None:
    (course,) = [label for one in shown.all("svg") if "Change of long" in (label := one.get("aria-label") or "")]
    assert re.search(r"L01 \N{MINUS SIGN}\d+(\.\d+)? %", course)
    profiles = [label for one in shown.all("svg") if "Density across" in (label := one.get("aria-label") or "")]
    assert profiles
    assert all(re.search(r": \S+ \| \S+ HU$", label) for label in profiles)


def test_the_course_of_the_sum_and_of_every_lesion_is_drawn(shown: Read) -> None:
    charts = [one for one in shown.all("svg") if "Change of long" in (one.get("aria-label") or "")]
    assert len(charts) == 1
    for name in ("\N{GREEK CAPITAL LETTER SIGMA}", "L01", "L02"):
        assert name in shown.words


def test_foci_of_a_whole_view_are_named_beside_it(paper: ModuleType) -> None:
    outline = Outline(lesion_id="L02", lines=(((1.0, 2.0), (9.0, 4.0)),))
    whole = drawn(picture("", 0, paper, outlines=(outline,), frame=(-288.0, -1152.0, 576.0, 2304.0)))
    assert whole.is_whole
    assert whole.marks == ((9.0, 3.0, "L02"),)
    assert whole.scale_mm == 100.0


def test_figures_take_the_colours_of_the_theme() -> None:
    assert themed(f'<path style="fill: {LIGHT.text}"/>') == '<path style="fill: var(--text)"/>'
    assert LIGHT.categories.keys() == DARK.categories.keys()
    assert len(LIGHT.lines) == len(DARK.lines)


@pytest.mark.parametrize(("word", "means"), [("iCR", "CR"), ("PMD", "PD"), ("BL", "BL"), ("", ""), (EVIL, "")])
def test_a_category_has_the_colour_of_what_it_means(word: str, means: str) -> None:
    assert class_of(word) == means


def test_a_picture_before_any_visit_is_left_out(paper: ModuleType) -> None:
    early = dataclasses.replace(picture("L01", 0, paper), date=dt.date(2001, 1, 1))
    assert Read(patient_page(results(paper, pictures=(early,)))).all("image") == []
