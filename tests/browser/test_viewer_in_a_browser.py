"""The viewer in a real browser: volumes are drawn, cross-hairs are linked, and without it the pictures are there."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from conftest import lacking
from PIL import Image

from mdanderson.report.html.viewer import viewer_code

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

EVIL = "P<script>window.ran=1</script><img src=x onerror=window.ran=2>"
NEW_LESION = "L03"
"""It is outlined at the second visit alone."""
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the console said, and what was asked of a network."""
    return []


@pytest.fixture(scope="module")
def page_of_ct(results: Path) -> str:
    if viewer_code() is None:
        lacking("the viewer's code (`make viewer`)")
    return next((results / "report" / "patients").glob("P_script*")).as_uri()


def listening(page: Page, said: list[str]) -> Page:
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    return page


@pytest.fixture(scope="module")
def opened(browser: Browser, page_of_ct: str, said: list[str]) -> Iterator[Page]:
    """The viewer at the lesion that is new at the second visit."""
    page = listening(browser.new_page(viewport={"width": 1300, "height": 1500}, color_scheme="light"), said)
    began = time.perf_counter()
    page.goto(page_of_ct)
    assert time.perf_counter() - began < 2.0
    assert page.evaluate("typeof window.niivue") == "undefined"  # nothing is loaded unasked
    assert page.locator("#viewer").is_hidden()
    open_viewer(page, NEW_LESION)
    yield page
    page.close()


def open_viewer(page: Page, lesion: str) -> None:
    page.locator("article.lesion", has=page.get_by_role("heading", name=lesion)).locator(".open-viewer").click()
    page.locator("#viewer:not([aria-busy])").wait_for(timeout=120_000)


def places(page: Page) -> np.ndarray:
    """(visits, 3) mm of the cross-hairs."""
    told = page.locator("#viewer figure").evaluate_all("figures => figures.map(figure => figure.dataset.place)")
    return np.array([[float(mm) for mm in place.split()] for place in told])


def values(page: Page) -> list[float]:
    return [float(text.split()[0]) for text in page.locator("#viewer output").all_inner_texts()]


def canvases(page: Page) -> list[Locator]:
    return page.locator("#viewer canvas").all()


def pixels(canvas: Locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"))


def test_both_visits_are_drawn_at_one_place(opened: Page, said: list[str]) -> None:
    """Bone before the lesion came, lytic after; greys of many kinds, and the outline in its colour."""
    before, after = places(opened)
    assert np.abs(before - after).max() < 0.02
    bone, lytic = values(opened)
    assert bone > 130
    assert lytic < 100
    for canvas, colour in zip(canvases(opened), ((76, 201, 255), (255, 212, 59)), strict=True):
        shown = pixels(canvas)
        assert len(np.unique(shown[..., 1])) > 50
        assert (np.abs(shown.astype(int) - colour).max(axis=2) < 40).sum() > 50
    assert said == []


def test_a_cross_hair_takes_the_other_visit_along(opened: Page) -> None:
    start = places(opened)
    box = canvases(opened)[0].bounding_box()
    assert box is not None
    opened.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    before, after = places(opened)
    assert np.abs(before - start[0]).max() > 3.0
    assert np.abs(before - after).max() < 0.02
    shown = pixels(canvases(opened)[1])
    opened.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.2 * box["height"])
    assert (pixels(canvases(opened)[1]) != shown).any()


def test_it_is_moved_by_keyboard_alone_or_by_itself(opened: Page) -> None:
    canvas = canvases(opened)[1]
    canvas.focus()
    opened.keyboard.press("PageUp")  # onto a slice
    start = places(opened)[1]
    opened.keyboard.press("PageUp")
    up = places(opened)
    assert up[1, 2] - start[2] == pytest.approx(1.8, abs=0.05)  # one slice of that image
    assert np.abs(up[0] - up[1]).max() < 0.02
    opened.keyboard.press("ArrowLeft")
    assert places(opened)[1, 0] > up[1, 0] + 0.3  # towards the patient's right, which is at the left
    opened.uncheck("#viewer-link")
    alone = places(opened)
    canvas.focus()
    opened.keyboard.press("PageDown")
    assert np.abs(places(opened)[0] - alone[0]).max() == 0.0
    assert np.abs(places(opened)[1] - alone[1]).max() > 1.0
    opened.check("#viewer-link")


@pytest.mark.parametrize("width", [1300, 1187, 901, 560])
def test_the_cross_hair_is_seen_and_thin_at_every_size(opened: Page, width: int) -> None:
    """Two rows and two columns in three planes, one of each in one plane; a line of less than a pixel would be lost."""
    opened.set_viewport_size({"width": width, "height": 1500})
    for plane, lines in (("3", 2), ("0", 1), ("1", 1), ("2", 1), ("3", 2)):
        opened.select_option("#viewer-plane", plane)
        for canvas in canvases(opened):
            until_drawn(canvas, lines)
    opened.set_viewport_size({"width": 1300, "height": 1500})


@pytest.mark.parametrize("plane", ["0", "1", "2"])
def test_arrows_move_the_cross_hair_where_they_point(opened: Page, plane: str) -> None:
    opened.select_option("#viewer-plane", plane)
    canvas = canvases(opened)[0]
    canvas.focus()

    def cross() -> tuple[int, int]:
        until_drawn(canvas, 1)
        green = np.abs(pixels(canvas).astype(int) - (26, 166, 64)).max(axis=2) < 40
        return int(green.sum(axis=0).argmax()), int(green.sum(axis=1).argmax())

    start = cross()
    for key, axis, sign in (("ArrowRight", 0, 1), ("ArrowUp", 1, -1), ("ArrowLeft", 0, -1), ("ArrowDown", 1, 1)):
        before = cross()
        for _ in range(4):
            opened.keyboard.press(key)
        moved = np.subtract(cross(), before)
        assert moved[axis] * sign > 3, key
        assert abs(moved[1 - axis]) < abs(moved[axis]), key  # voxels lie a little askew
    assert np.abs(np.subtract(cross(), start)).max() <= 3
    opened.select_option("#viewer-plane", "3")


def until_drawn(canvas: Locator, lines: int, *, within_s: float = 20.0) -> None:
    """Wait for the drawing; a line is 1 to 3 pixels, counted in rows and columns that are green for a quarter."""
    end = time.monotonic() + within_s
    while True:
        green = np.abs(pixels(canvas).astype(int) - (26, 166, 64)).max(axis=2) < 40
        thick = [int((green.mean(axis=axis) > 0.25).sum()) for axis in (0, 1)]
        if all(lines <= one <= 3 * lines for one in thick):
            return
        assert time.monotonic() < end, thick
        time.sleep(0.1)


def test_windows_planes_and_outlines_change_what_is_drawn(opened: Page) -> None:
    canvas = canvases(opened)[0]
    shots = [pixels(canvas)]
    opened.select_option("#viewer-window", "-160 240")
    shots.append(pixels(canvas))
    opened.uncheck("#viewer-outline")
    shots.append(pixels(canvas))
    opened.select_option("#viewer-plane", "0")
    shots.append(pixels(canvas))
    assert all((one != other).any() for one, other in itertools.pairwise(shots))
    assert shots[1].mean() > shots[0].mean() + 10  # a narrow window makes bone bright
    assert opened.locator("#viewer-window option.hounsfield:not([disabled])").count() == 4


def test_it_speaks_chinese_and_has_names_for_every_control(opened: Page) -> None:
    opened.click("#language")
    assert "关闭查看器" in opened.locator("#viewer").inner_text()
    assert "骨窗" in " ".join(opened.locator("#viewer-window option").all_inner_texts())
    assert NEW_LESION in (canvases(opened)[0].get_attribute("aria-label") or "")
    opened.click("#language")
    assert "Close viewer" in opened.locator("#viewer").inner_text()


def test_another_lesion_takes_its_place_and_escape_leads_back(opened: Page, said: list[str]) -> None:
    open_viewer(opened, "L01")
    assert opened.locator("#viewer canvas").count() == 2
    assert "L01" in opened.locator("#viewer-title").inner_text()
    assert max(values(opened)) < 100
    opened.keyboard.press("Escape")
    assert opened.locator("#viewer").is_hidden()
    assert opened.locator("#viewer canvas").count() == 0
    assert opened.evaluate("document.activeElement.className") == "open-viewer"
    assert said == []


def test_what_came_in_with_a_name_stays_text(opened: Page) -> None:
    assert EVIL in opened.locator("h1").inner_text()
    assert opened.evaluate("window.ran") is None
    assert EVIL not in "".join(opened.locator("template").evaluate_all("all => all.map(one => one.outerHTML)"))


def test_without_webgl_the_pictures_remain(browser_without_webgl: Browser, page_of_ct: str) -> None:
    said: list[str] = []
    page = listening(browser_without_webgl.new_page(), said)
    page.goto(page_of_ct)
    open_viewer(page, "L01")
    assert page.locator("#viewer-failed").is_visible()
    assert page.locator("#viewer canvas").count() == 0
    assert page.locator("svg.picture").first.is_visible()
    assert page.evaluate("typeof window.niivue") == "undefined"
    assert said == []
    page.close()
