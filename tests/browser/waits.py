"""Waiting for a page: its own policy forbids the browser's way of doing so."""

from __future__ import annotations

import time
from collections.abc import Sized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["heard", "until"]


def until(page: Page, holds: str, *, within_s: float = 20.0) -> None:
    """Wait until an expression is true on the page, or on the page that takes its place."""
    from playwright.sync_api import Error

    end = time.monotonic() + within_s
    while True:
        try:
            if page.evaluate(holds):
                return
        except Error:  # the page is just being loaded again
            page.wait_for_load_state()
        assert time.monotonic() < end, holds
        page.wait_for_timeout(50)


def heard(page: Page, asked: Sized, times: int, *, within_s: float = 60.0) -> None:
    """Wait until the page has asked so often."""
    end = time.monotonic() + within_s
    while len(asked) < times:
        assert time.monotonic() < end, f"asked {len(asked)} times, not {times}"
        page.wait_for_timeout(50)
