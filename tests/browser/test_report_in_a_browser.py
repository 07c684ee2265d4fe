"""The report in a real browser: it opens in silence, sorts, filters, speaks Chinese, and runs nothing that came in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mdanderson.report.html.viewer import viewer_code

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EVIL = "P<script>window.ran=1</script><img src=x onerror=window.ran=2>"


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the console said, and what was asked of a network."""
    return []


@pytest.fixture(scope="module")
def tab(browser: Browser, said: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    yield page
    context.close()


@pytest.fixture
def cohort(tab: Page, results: Path) -> Page:
    tab.goto((results / "report" / "index.html").as_uri())
    return tab


@pytest.fixture
def patient(tab: Page, results: Path) -> Page:
    tab.goto(next((results / "report" / "patients").glob("P_script*")).as_uri())
    return tab


def names(page: Page) -> list[str]:
    return page.locator("#patients-table tbody tr:visible th a").all_inner_texts()


def test_every_page_opens_without_a_word_on_the_console(tab: Page, results: Path, said: list[str]) -> None:
    pages = sorted((results / "report").rglob("*.html"))
    assert len(pages) == 4
    for path in pages:
        tab.goto(path.as_uri())
        assert tab.locator("h1").inner_text()
        assert tab.evaluate("window.ran") is None
    assert said == []


def test_what_came_in_with_a_name_stays_text(cohort: Page, said: list[str]) -> None:
    assert EVIL in names(cohort)
    cohort.get_by_role("link", name=EVIL).first.click()
    assert EVIL in cohort.locator("h1").inner_text()
    assert "window.ran=3" in cohort.locator("blockquote").first.inner_text()
    assert "window.ran=3" in " ".join(cohort.locator(".lesion h3").all_inner_texts())
    assert cohort.locator("script").count() == 1 + (viewer_code() is not None)  # the page's own and the viewer's
    assert cohort.locator("main img").count() == 0
    assert cohort.evaluate("window.ran") is None
    assert said == []


def test_even_a_script_that_were_in_the_page_would_not_run(cohort: Page, said: list[str]) -> None:
    """What the policy forbids: scripts, network."""
    cohort.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran=9'}))"
    )
    assert cohort.evaluate("window.ran") is None
    refused = cohort.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert len(said) >= 1
    assert all("Content Security Policy" in line for line in said)
    said.clear()


def test_the_table_sorts_both_ways_by_number_and_empty_cells_stay_last(cohort: Page) -> None:
    assert names(cohort) == ["NM-1", EVIL, "Z-lost"]
    head = cohort.get_by_role("button", name="Progression-free")
    days = cohort.locator("#patients-table tbody tr td:nth-child(8)")
    head.click()
    assert days.all_inner_texts() == ["112+", "140", ""]
    assert cohort.locator("th[aria-sort=ascending]").count() == 1
    head.click()
    assert days.all_inner_texts() == ["140", "112+", ""]
    cohort.get_by_role("button", name="Patient").first.press("Enter")  # by keyboard
    assert names(cohort) == ["NM-1", EVIL, "Z-lost"]


def test_the_table_filters_by_words_response_and_problems(cohort: Page) -> None:
    cohort.fill("#search", "nm-1 cr")
    assert names(cohort) == ["NM-1"]
    assert cohort.locator("#count").inner_text() == "1 of 3 patients shown"
    assert "are of all patients" in cohort.locator("main").inner_text()
    cohort.fill("#search", "")
    cohort.select_option("#best", "PD")
    assert names(cohort) == [EVIL]
    cohort.select_option("#best", "")
    cohort.check("#troubled")
    assert "Z-lost" in names(cohort)
    assert "NM-1" not in names(cohort)
    cohort.fill("#search", "nobody")
    assert names(cohort) == []
    assert "No patient matches." in cohort.locator("main").inner_text()
    cohort.uncheck("#troubled")
    cohort.fill("#search", "")
    told = cohort.locator("main").inner_text()
    assert "No patient matches." not in told
    assert "are of all patients" not in told


def test_one_switch_speaks_chinese_and_is_remembered(cohort: Page, results: Path) -> None:
    assert "Response of bone metastases" in cohort.locator("main").inner_text()
    cohort.click("#language")
    text = cohort.locator("main").inner_text()
    assert "骨转移瘤疗效评价" in text
    assert "Response of bone metastases" not in text
    assert cohort.locator("html").get_attribute("lang") == "zh"
    cohort.goto(next((results / "report" / "patients").glob("P_script*")).as_uri())
    assert "时间线" in cohort.locator("main").inner_text()
    assert "轮廓" in (cohort.locator("svg.picture").first.get_attribute("aria-label") or "")
    cohort.click("#language")
    assert "Timeline" in cohort.locator("main").inner_text()


def ground(page: Page) -> tuple[int, ...]:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return tuple(map(int, re.findall(r"\d+", colour)))


def test_light_and_dark(patient: Page, browser: Browser, results: Path) -> None:
    """As the system wants it, until the reader chooses."""
    assert min(ground(patient)) > 240
    patient.click("#theme")
    assert max(ground(patient)) < 40
    patient.click("#theme")
    assert min(ground(patient)) > 240
    dark = browser.new_page(color_scheme="dark")
    dark.goto((results / "report" / "index.html").as_uri())
    assert max(ground(dark)) < 40
    dark.emulate_media(media="print")
    assert min(ground(dark)) > 240
    dark.close()


def test_pictures_are_drawn_and_their_lines_can_be_hidden(patient: Page) -> None:
    """Pixels of the slice, not a blank: the same in both visits would be one place, but not one image."""
    pictures = patient.locator("svg.picture")
    assert pictures.count() == 6
    shots = [pictures.nth(number).screenshot() for number in (0, 1)]
    assert shots[0] != shots[1]
    assert min(map(len, shots)) > 5000
    assert pictures.first.locator(".outline").is_visible()
    patient.uncheck("#lines")
    assert not pictures.first.locator(".outline").is_visible()
    wide = pictures.first.bounding_box()
    patient.fill("#size", "400")
    larger = pictures.first.bounding_box()
    assert wide is not None
    assert larger is not None
    assert (round(wide["width"]), round(larger["width"])) == (230, 400)


def test_bone_scans_are_shown_as_a_whole_with_their_foci(tab: Page, results: Path) -> None:
    tab.goto(next((results / "report" / "patients").glob("NM-1-*")).as_uri())
    whole = tab.locator("svg.picture.whole")
    assert whole.count() == 4  # two views of two visits
    assert whole.first.locator(".mark").all_text_contents() == ["L01", "L02"]


def test_every_figure_is_on_the_cohorts_page(cohort: Page) -> None:
    shown = cohort.locator("figure.drawn")
    identities = [shown.nth(number).get_attribute("id") for number in range(shown.count())]
    wanted = {"waterfall", "spider", "swimmer", "response_flow", "agreement-recist11"}
    assert {f"figure-{name}" for name in wanted} <= set(identities)
    for number in range(shown.count()):
        assert shown.nth(number).locator("svg:visible").count() == 1
        assert shown.nth(number).locator("svg:visible").get_attribute("aria-label")


def test_the_swimmer_shows_what_happened_to_the_patients(cohort: Page) -> None:
    """Events are read when the cohort is scored, and kept with the results."""
    swimmer = cohort.locator("#figure-swimmer svg:visible")
    told = swimmer.locator("text").all_text_contents()
    assert {"radiotherapy", "on treatment"} <= set(told)


@pytest.mark.parametrize("width", [380, 1300])
def test_nothing_sticks_out_at_any_width(tab: Page, results: Path, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    for path in sorted((results / "report").rglob("*.html")):
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.set_viewport_size({"width": 1300, "height": 900})


def test_every_control_can_be_reached_by_keyboard_and_has_a_name(patient: Page) -> None:
    nameless = patient.evaluate(
        "[...document.querySelectorAll('button, input, select, a')].filter(e =>"
        " !(e.innerText || e.getAttribute('aria-label') || e.labels?.length)).length"
    )
    assert nameless == 0
    patient.evaluate(
        "document.body.focus(); window.wanted = [...document.querySelectorAll("
        "'a[href], button, input, select')].filter(e => e.checkVisibility())"
    )
    reached = "window.wanted.indexOf(document.activeElement)"
    patient.locator("body").press("Tab")
    assert patient.evaluate("document.activeElement.className") == "skip"
    places = [0]
    while len(places) < patient.evaluate("window.wanted.length"):
        patient.keyboard.press("Tab")
        places.append(patient.evaluate(reached))
    assert places == list(range(len(places)))  # each of them, in the order of the page
