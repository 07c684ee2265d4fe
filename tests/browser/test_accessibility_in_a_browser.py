"""Every kind of page by the rules of WCAG 2.2, level AA, as axe-core measures them: light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
Faults = Callable[["Page"], list[str]]


@pytest.fixture(scope="module")
def faults() -> Faults:
    """What axe-core finds wrong on a page: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    def found(page: Page) -> list[str]:
        told = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(RULES)}})
        return [f"{fault['id']}: {node['target']}" for fault in told.response["violations"] for node in fault["nodes"]]

    return found


@pytest.fixture(params=[("light", 1280, "en"), ("dark", 320, "zh")])
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme, width, language = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,  # so that axe-core may run on a page that lets nothing in
    )
    context.add_init_script(f"localStorage.setItem('mdanderson-language', '{language}')")
    yield context.new_page()
    context.close()


def test_the_report_is_for_everybody(tab: Page, results: Path, faults: Faults) -> None:
    pages = sorted((results / "report").rglob("*.html"))
    assert len(pages) == 4
    for path in pages:
        tab.goto(path.as_uri())
        assert faults(tab) == [], path.name
        width = tab.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], path.name  # no scrolling in two directions (1.4.10)


def test_a_page_without_a_name_for_a_picture_is_found_out(browser: Browser, faults: Faults) -> None:
    page = browser.new_page(bypass_csp=True)
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><svg role=img><path d='M0 0'/></svg></main></html>")
    assert [fault.partition(":")[0] for fault in faults(page)] == ["svg-img-alt"]
    page.close()
