"""The panel of the review server for who uses keys, a screen reader, a narrow window or another language."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from browser.waits import heard, until
from review.review_server import started

import mdanderson as mda
from mdanderson.batch.pages import report
from mdanderson.report.html import page_name
from mdanderson.review.entries import append_entry

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

TABLE = "patient_id,visit,date,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,site\n" + "".join(
    f"{patient},{visit},{date},CT,{lesion},{size},{size - 4},lytic,{site}\n"
    for patient in ("P01", "P02", "P03", "P04")
    for lesion, site, size in (("L1", "L3", 32), ("L2", "rib", 24))
    for visit, date in (("baseline", "2024-01-05"), ("week 12", "2024-04-02"))
)
STATED = {"date": "2024-04-02", "modality": "CT", "lesion_id": "L1", "comment": "seen"}
FOCUSED = (
    "document.activeElement.getAttribute('aria-label') ?? document.activeElement.name ?? document.activeElement.tagName"
)
HIDDEN_BY_THE_PANEL = """() => {
  const focused = document.activeElement, panel = document.querySelector('#review');
  if (panel.contains(focused)) return '';
  const [a, b] = [focused.getBoundingClientRect(), panel.getBoundingClientRect()];
  return a.top >= b.top && a.left >= b.left ? focused.outerHTML : '';
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("panel")
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    mda.classify(folder / "table.csv", folder / "out", criteria=("mda2010",))
    with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):  # drawn at leisure elsewhere
        report(folder / "out")
    for patient, findings in (("P02", "PR1"), ("P03", "CR1")):
        for reader, stated in (("Smith", findings), ("Jones", "SD1")):
            append_entry(folder / "out", STATED | {"patient_id": patient, "reader": reader, "findings": stated})
    for patient in ("P01", "P04"):
        append_entry(folder / "out", STATED | {"patient_id": patient, "reader": "Smith", "findings": "PR1"})
    process, address = started(folder / "out", "--reader", "Smith")
    yield address
    process.send_signal(signal.SIGTERM)
    told, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, ""), told


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(path: str = f"report/patients/{page_name('P01')}", *, width: int = 1400, height: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(address)
        page.goto(address.partition("?")[0] + path)
        return page

    yield opened
    for context in contexts:
        context.pages[0].unroute_all(behavior="ignoreErrors")
        context.close()


def always_scoring(page: Page) -> list[str]:
    """The server says for ever that it is at work; what it was asked."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        found = route.fetch().json()
        route.fulfill(json=found | {"stage": "scoring", "busy": True, "job": "<p>Being scored again</p>"})

    page.route("**/review/state**", answer)
    return asked


def opener_of(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def test_a_button_is_called_by_what_is_on_it_and_what_it_is_for(opened: Callable[..., Page]) -> None:
    page = opened()
    opener_of(page, "Review L1 · CT · week 12, stated").wait_for()
    assert opener_of(page, "Review L2 · CT · week 12").inner_text() == "Review"
    assert page.get_by_role("button", name="Review L").count() == 4
    page.click("#language")
    assert opener_of(page, "复核 L1 · CT · week 12，已陈述").inner_text().startswith("复核")
    assert page.get_by_role("button", name="复核 L").count() == 4


def test_escape_leads_back_to_where_one_came_from(opened: Callable[..., Page]) -> None:
    page = opened()
    opener_of(page, "Review L2 · CT · week 12").press("Enter")
    assert page.evaluate("document.activeElement.closest('#review') !== null")
    page.locator("#review textarea").focus()
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == "Review L2 · CT · week 12"


def test_the_focus_stays_and_nothing_is_said_twice_while_a_patient_is_scored(opened: Callable[..., Page]) -> None:
    page = opened()
    opener_of(page, "Review L1 · CT · week 12, stated").wait_for()
    asked = always_scoring(page)
    page.evaluate(
        "window.said = []; const job = document.querySelector('#review-job');"
        "new MutationObserver(() => window.said.push(job.innerText)).observe(job, {childList: true, subtree: true})"
    )
    opener_of(page, "Review L1 · CT · week 12, stated").click()
    for number in range(4):
        page.locator("#review textarea").fill(f"reason {number}")
        save = page.locator("#review button[type=submit]")
        save.press("Enter")
        until(page, "document.querySelector('#review textarea').value === ''")
        assert page.locator("#review-fault:visible").all_inner_texts() == []
        assert page.evaluate("document.activeElement.outerHTML") == save.evaluate("button => button.outerHTML")
    page.locator("#review-saved:visible").wait_for()
    before = len(asked)
    opener_of(page, "Review L1 · CT · baseline").focus()
    began = time.monotonic()
    heard(page, asked, before + 3)
    assert page.evaluate(FOCUSED) == "Review L1 · CT · baseline"
    assert len(asked) - before <= time.monotonic() - began + 2  # one question a second, however often was saved
    assert page.evaluate("window.said") == ["Being scored again"]


def test_results_that_are_away_for_a_moment_take_no_form_away(opened: Callable[..., Page]) -> None:
    page = opened()
    opener_of(page, "Review L2 · CT · week 12").click()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json=route.fetch().json() | {"stage": "writing", "busy": True, "items": {}})

    page.route("**/review/state**", answer)
    page.route("**/review/entry", lambda route: route.fulfill(json={"saved": ["Saved.", "Saved."]}))
    page.locator("#review textarea").fill("seen")
    page.locator("#review button[type=submit]").click()
    heard(page, asked, 2)
    assert page.locator("#review-fields").is_visible()
    assert opener_of(page, "Review L2 · CT · week 12").count() == 1


def test_why_nothing_is_scored_again_is_said(opened: Callable[..., Page]) -> None:
    page = opened()
    again = {"stage": "failed", "busy": False, "job": "<button type='button' class='review-again'>again</button>"}
    page.route("**/review/state**", lambda route: route.fulfill(json=route.fetch().json() | again))
    page.reload()
    page.route("**/review/rescore", lambda route: route.fulfill(status=422, json={"what": "the results are gone"}))
    page.locator(".review-again").click()
    page.locator("#review-fault:visible").wait_for()
    assert page.locator("#review-fault .why").inner_text() == "the results are gone"


def test_the_new_page_has_the_focus_of_the_old_one(opened: Callable[..., Page]) -> None:
    page = opened(f"report/patients/{page_name('P04')}")
    opener_of(page, "Review L2 · CT · week 12").wait_for()
    page.evaluate("window.old = true")
    opener_of(page, "Review L1 · CT · week 12, stated").click()
    page.locator("#review textarea").fill("again")
    page.locator("#review button[type=submit]").press("Enter")
    page.locator("#review-saved:visible").wait_for()
    opener_of(page, "Review L2 · CT · week 12").focus()
    until(page, "window.old === undefined", within_s=120)
    until(page, f"({FOCUSED}) === 'Review L2 · CT · week 12'")


def test_a_server_that_is_gone_is_told_in_the_readers_language(opened: Callable[..., Page]) -> None:
    page = opened()
    page.click("#language")
    opener_of(page, "复核 L2 · CT · week 12").click()
    page.route("**/review/entry", lambda route: route.abort())
    page.locator("#review textarea").fill("rim")
    page.locator("#review button[type=submit]").click()
    page.locator("#review-fault:visible").wait_for()
    assert page.locator("#review-fault").inner_text() == "未保存： 服务器无响应。"
    assert page.locator("#review textarea").input_value() == "rim"


def test_a_page_that_cannot_be_asked_for_is_not_said_to_be_unsaved(opened: Callable[..., Page]) -> None:
    page = opened()
    opener_of(page, "Review L2 · CT · week 12").wait_for()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/review/state**", answer)
    page.reload()
    page.locator("#review-fault:visible").wait_for()
    assert page.locator("#review-fault").inner_text().strip() == "The server does not answer."
    page.locator("#review-fault").wait_for(state="hidden", timeout=10_000)  # it answers again
    opener_of(page, "Review L2 · CT · week 12").wait_for()


@pytest.mark.parametrize("width", [1400, 400])
def test_what_is_ticked_can_be_hit(opened: Callable[..., Page], width: int) -> None:
    """24 px for each, or as much room around its middle."""
    page = opened(width=width)
    opener_of(page, "Review L2 · CT · week 12").click()
    boxes = page.locator("#review .codes label").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    middles = page.locator("#review .codes input").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => box.top + box.height / 2)"
    )
    assert len(boxes) >= 4
    assert min(boxes) >= 24
    assert min(b - a for a, b in itertools.pairwise(middles)) >= 24
    assert min(page.locator(".review-open").evaluate_all("all => all.map(one => one.offsetHeight)")) >= 24


def test_at_two_hundred_percent_nothing_that_is_focused_lies_under_the_panel(opened: Callable[..., Page]) -> None:
    page = opened(width=640, height=450)
    opener_of(page, "Review L2 · CT · week 12").wait_for()
    assert not page.locator("#review-body").is_visible()  # there is more to see than the panel
    page.click("#review-fold")
    assert page.locator("#review-body").is_visible()
    page.evaluate("scrollTo(0, 0); document.querySelector('.skip').focus()")
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#review') !== null"):
            break
        seen.append(page.evaluate(FOCUSED))
        assert page.evaluate(HIDDEN_BY_THE_PANEL) == ""
    assert sum(str(name).startswith("Review L") for name in seen) == 4


@pytest.mark.parametrize("width", [1400, 320])
def test_the_sides_of_a_dispute_can_be_told_apart_and_read(opened: Callable[..., Page], width: int) -> None:
    page = opened("adjudication", width=width)
    names = page.locator(".take").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert len(names) == len(set(names)) >= 4
    assert "Take this: Jones, P02 L1 week 12" in names
    sizes = page.locator(".take").evaluate_all("all => all.map(one => [one.offsetWidth, one.offsetHeight])")
    assert all(wide > high for wide, high in sizes)
    assert page.locator("th").evaluate_all("all => all.filter(one => !one.innerText.trim()).length") == 0
    assert page.locator("#review a[href='/adjudication']").count() == 0
    assert "beside a picture" not in page.locator("#review-item").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_of_two_sides_taken_quickly_the_last_is_in_the_form(opened: Callable[..., Page]) -> None:
    """The answer for the first one comes after that for the second."""
    page = opened("adjudication")
    late: list[Route] = []

    def answer(route: Route) -> None:
        if page_name("P02") in route.request.url:
            late.append(route)
        else:
            route.continue_()

    page.route("**/review/state**", answer)
    page.locator(".take[aria-label='Take this: Smith, P02 L1 week 12']").click()
    page.locator(".take[aria-label='Take this: Smith, P03 L1 week 12']").click()
    page.locator("#review .codes input[value=CR1]:checked").wait_for()
    with page.expect_response(late[0].request.url):
        late[0].continue_()
    page.evaluate("new Promise(done => setTimeout(done))")  # what the answer sets off has been done
    assert page.locator("#review .codes input:checked").evaluate_all("all => all.map(one => one.value)") == ["CR1"]
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == "Take this: Smith, P03 L1 week 12"


def test_the_cell_under_review_is_marked_where_colours_are_forced(opened: Callable[..., Page]) -> None:
    page = opened()
    page.emulate_media(forced_colors="active")
    opener_of(page, "Review L2 · CT · week 12").click()
    assert page.locator("td.review-current").evaluate("cell => getComputedStyle(cell).outlineStyle") == "solid"
