"""The review server, started as a user starts it, in a real browser: a form, an entry, the new category.

One reader's journey on one server: each test goes on where the one before it ended, so they are run together.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browser.waits import until
from conftest import lacking
from PIL import Image
from review.review_server import started

from mdanderson.report.html.viewer import viewer_code

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EVIL = "P<script>window.ran=1</script><img src=x onerror=window.ran=2>"
EVIL_COMMENT = "</script><script>window.ran=5</script><img src=x onerror=window.ran=6>"


@pytest.fixture(scope="module")
def out(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(results, tmp_path_factory.mktemp("review") / "out"))


@pytest.fixture(scope="module")
def server(out: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process, address = started(out, "--reader", "Smith")
    yield process, address
    process.send_signal(signal.SIGTERM)
    told, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, ""), told


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def tab(browser: Browser, said: list[str], server: tuple[subprocess.Popen[str], str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(server[1])
    yield page
    context.close()


def entries(out: Path) -> list[dict[str, str]]:
    with (out / "reads.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_address_opens_the_report_and_forgets_the_token(tab: Page, said: list[str]) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/report/index\.html", tab.url)
    assert tab.evaluate("document.cookie") == ""
    assert EVIL in tab.locator("#patients-table th a").all_inner_texts()
    assert said == []


def test_a_finding_is_stated_by_keyboard_saved_and_the_new_category_shown(
    tab: Page, out: Path, said: list[str]
) -> None:
    tab.get_by_role("link", name=EVIL).first.click()
    opener = tab.locator("button.review-open").nth(1)
    opener.wait_for()
    opener.focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.closest('#review') !== null")
    shown = tab.locator("#review-shown").inner_text()
    tab.locator("#review .codes input[value=PR1]").focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("Tab")
    tab.locator("#review textarea").focus()
    tab.keyboard.press("Tab")  # the reader's name is the server's, and cannot be changed
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.locator("#review textarea:invalid").count() == 1
    assert not (out / "reads.csv").exists()
    assert tab.evaluate("document.activeElement.name") == "comment"
    tab.keyboard.type(EVIL_COMMENT)
    tab.evaluate("window.before = true")
    tab.locator("#review button[type=submit]").press("Enter")
    tab.locator("#review-saved:visible").wait_for()
    assert tab.locator("#review-saved").inner_text() == "Saved, as row 2 of reads.csv."
    (entry,) = entries(out)
    assert (entry["patient_id"], entry["reader"], entry["findings"], entry["comment"]) == (
        EVIL,
        "Smith",
        "PR1",
        EVIL_COMMENT,
    )
    until(tab, "window.before === undefined", within_s=120)  # scored, and the page loaded again
    tab.locator(".stage.s-done").wait_for()
    tab.locator("button.review-open.stated").first.wait_for()
    tab.locator("#review-history blockquote").first.wait_for()
    assert EVIL_COMMENT in tab.locator("#review-history").inner_text()
    tab.locator(".changes").wait_for()
    assert tab.locator(".changes tbody tr").count() >= 1
    assert tab.locator("#review-shown").inner_text() != shown
    assert "PR1" in tab.locator(".lesion .why").first.inner_text()
    assert tab.evaluate("window.ran") is None
    assert said == []


def test_a_chinese_reader_finds_every_word_of_the_form(tab: Page) -> None:
    tab.click("#language")
    text = tab.locator("#review").inner_text()
    assert "复核" in text
    assert "理由" in text
    assert "Reason" not in text
    assert tab.locator("#review select[name=lesion_type] option").first.inner_text() == "按计算结果"
    tab.click("#language")
    assert "Reason" in tab.locator("#review").inner_text()


def test_every_control_has_a_name_and_the_panel_folds_away(tab: Page) -> None:
    tab.locator("button.review-open").first.click()
    nameless = tab.evaluate(
        "[...document.querySelectorAll('#review :is(button, input, select, textarea, a)')].filter(e =>"
        " !(e.innerText || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []
    tab.click("#review-fold")
    assert not tab.locator("#review-body").is_visible()
    tab.click("#review-fold")
    assert tab.locator("#review-body").is_visible()
    tab.set_viewport_size({"width": 380, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380
    tab.set_viewport_size({"width": 1400, "height": 900})


def test_the_viewer_draws_under_the_policy_of_the_server(tab: Page, said: list[str]) -> None:
    if viewer_code() is None:
        lacking("the viewer's code (`make viewer`)")
    tab.locator(".open-viewer").first.click()
    tab.locator("#viewer:not([aria-busy])").wait_for(timeout=120_000)
    for canvas in tab.locator("#viewer canvas").all():
        shown = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"))
        assert len(np.unique(shown)) > 50
    assert said == []
    tab.reload()
    tab.locator("button.review-open").first.wait_for()


def test_what_differs_is_settled_on_its_own_page(tab: Page, out: Path, said: list[str]) -> None:
    tab.get_by_role("link", name="Adjudication").click()
    dispute = tab.locator(".dispute").first
    dispute.get_by_role("button", name="Take this").first.click()
    tab.locator("#review-fields:visible").wait_for()
    assert tab.locator("#review .codes input:checked").count() == 1
    tab.locator("#review textarea").fill("seen by both of us")
    tab.get_by_role("button", name="Settle").click()
    tab.locator("#review-saved:visible").wait_for()
    assert [(one["adjudicates"], one["findings"]) for one in entries(out)] == [("", "PR1"), ("true", "PR1")]
    assert said == []


def test_another_origin_cannot_write_even_with_the_cookie(
    browser: Browser, tab: Page, out: Path, server: tuple[subprocess.Popen[str], str]
) -> None:
    """A page of another port of this machine is the same site to the browser, and is refused all the same."""
    address = server[1].partition("?")[0]
    other = tab.context.new_page()
    other.route("http://127.0.0.1:9/**", lambda route: route.fulfill(body="<h1>other</h1>", content_type="text/html"))
    other.goto("http://127.0.0.1:9/")
    before = entries(out)
    for kind in ("text/plain", "application/json"):
        other.evaluate(
            "([address, kind]) => fetch(address + 'review/entry', {method: 'POST', credentials: 'include',"
            " headers: {'Content-Type': kind}, body: '{}'}).then(() => 'read', () => 'refused')",
            [address, kind],
        )
    told = other.evaluate(
        "address => fetch(address + 'report/index.html', {credentials: 'include'}).then(() => 'read', () => 'refused')",
        address,
    )
    assert told == "refused"
    assert entries(out) == before
    other.close()


def test_a_blinded_reader_sees_pictures_and_no_answer(browser: Browser, out: Path) -> None:
    process, address = started(out, "--reader", "Jones", "--blinded")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    names = page.locator("tbody a").all_inner_texts()
    assert names == ["Case 1", "Case 2", "Case 3"]
    texts = []
    for name in names:
        page.get_by_role("link", name=name).click()
        page.locator("#review-item option").first.wait_for(state="attached")
        texts.append(page.content().partition("<body>")[2])
        page.get_by_role("link", name="All cases", exact=True).click()
    for secret in ("NM-1", "window.ran=1", "2024-", 'class="chip', "Smith", "progressive"):
        assert not any(secret in text.partition("<script>")[0] for text in texts)
    assert sum("<image" in text for text in texts) == 2
    assert said == []
    page.close()
    process.send_signal(signal.SIGINT)
    _, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, "")


def test_a_port_that_is_taken_is_one_line(out: Path, server: tuple[subprocess.Popen[str], str]) -> None:
    port = re.search(r":(\d+)/", server[1])
    assert port
    command = [sys.executable, "-m", "mdanderson", "review", str(out), "--port", port[1], "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    line = f"mdanderson: port {port[1]} is in use @ 127.0.0.1; end the other program, or name another: --port 0 takes"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
